// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The documentation of an element: each of its properties has a blurb of one line in the form of
 * the project and says when it may change, and its page in docs/elements explains every field of
 * `stats`.
 */
#pragma once

#include <algorithm>
#include <cctype>
#include <string>

// Behind the standard library: it defines a macro fail().
#include <gst/check/gstcheck.h>

#include "tests/docs_path.h"

namespace documentation {

/** What gst-inspect-1.0 shows of a property without a second line on a usual terminal. */
constexpr std::size_t kLongestBlurb = 100;

inline void check_property(GParamSpec* spec) {
  const std::string blurb = g_param_spec_get_blurb(spec);
  fail_unless(blurb.size() > 10, "%s is not explained", spec->name);
  fail_if(blurb.size() > kLongestBlurb || blurb.find_first_of("\n\t") != std::string::npos,
          "%s: %s", spec->name, blurb.c_str());
  fail_if(blurb.find("  ") != std::string::npos || blurb.back() == ' ', "%s: %s", spec->name,
          blurb.c_str());
  const std::string nick = g_param_spec_get_nick(spec);
  fail_if(
      nick.empty() || nick == spec->name || std::isupper(static_cast<unsigned char>(nick[0])) == 0,
      "%s: its nick is %s", spec->name, nick.c_str());
  fail_if(blurb == g_param_spec_get_nick(spec), "%s is not explained", spec->name);
  const auto first = static_cast<unsigned char>(blurb.front());
  fail_unless(std::isupper(first) != 0 || std::isdigit(first) != 0, "%s: %s", spec->name,
              blurb.c_str());
  fail_if(blurb.back() == '.', "%s: %s", spec->name, blurb.c_str());
  if ((spec->flags & G_PARAM_WRITABLE) == 0) return;
  constexpr guint kMutable =
      GST_PARAM_MUTABLE_READY | GST_PARAM_MUTABLE_PAUSED | GST_PARAM_MUTABLE_PLAYING;
  fail_unless((spec->flags & kMutable) != 0, "when may %s change?", spec->name);
}

/** The page of an element. */
inline std::string page_of(GstElement* element) {
  const std::string path =
      std::string(DOCS_ELEMENTS "/") + GST_OBJECT_NAME(gst_element_get_factory(element)) + ".md";
  gchar* text = nullptr;
  fail_unless(g_file_get_contents(path.c_str(), &text, nullptr, nullptr), "there is no %s",
              path.c_str());
  std::string page = text;
  g_free(text);
  return page;
}

/** As the page has it: N for the number of a queue or a port. */
inline std::string general(std::string field) {
  if (const std::size_t at = field.find_first_of("0123456789"); at != std::string::npos) {
    if (at > 0 && field[at - 1] == '-' && field.find('-', at) != std::string::npos) {
      field.replace(at, field.find('-', at) - at, "N");
    }
  }
  constexpr char kQueue[] = "queue-N-";
  return field.starts_with(kQueue) ? field.substr(sizeof(kQueue) - 1) : field;
}

inline void check_stats(GstElement* element) {
  fail_unless(g_object_class_find_property(G_OBJECT_GET_CLASS(element), "stats") != nullptr);
  const std::string page = page_of(element);
  const std::size_t statistics = page.find("## Statistics");
  fail_unless(statistics != std::string::npos);
  GstStructure* stats = nullptr;
  g_object_get(element, "stats", &stats, nullptr);
  fail_unless(gst_structure_n_fields(stats) > 0);
  for (int i = 0; i < gst_structure_n_fields(stats); ++i) {
    const char* field = gst_structure_nth_field_name(stats, static_cast<guint>(i));
    fail_unless(page.find("`" + general(field) + "`", statistics) != std::string::npos,
                "%s is not explained", field);
  }
  gst_structure_free(stats);
}

inline void check(const char* factory) {
  GstElement* element = gst_element_factory_make(factory, nullptr);
  fail_unless(element != nullptr, "no element %s", factory);
  gst_object_ref_sink(element);
  guint n = 0;
  GParamSpec** specs = g_object_class_list_properties(G_OBJECT_GET_CLASS(element), &n);
  for (guint i = 0; i < n; ++i) {
    if (specs[i]->owner_type != G_OBJECT_TYPE(element)) continue;
    check_property(specs[i]);
  }
  g_free(specs);
  check_stats(element);
  gst_object_unref(element);
}

}  // namespace documentation
