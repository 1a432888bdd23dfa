// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The documentation that an element carries: each of its properties has a blurb in the form of the
 * project and says when it may change, and the blurb of `stats` explains every field.
 */
#pragma once

#include <cctype>
#include <string>

// Behind the standard library: it defines a macro fail().
#include <gst/check/gstcheck.h>

namespace documentation {

inline void check_property(GParamSpec* spec) {
  const std::string blurb = g_param_spec_get_blurb(spec);
  fail_unless(blurb.size() > 10, "%s is not explained", spec->name);
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

/** `drop-<reason>` explains all fields that begin with drop-. */
inline bool explains(const std::string& blurb, const std::string& field) {
  return blurb.find(field) != std::string::npos ||
         (field.starts_with("drop-") && blurb.find("drop-<reason>") != std::string::npos);
}

inline void check_stats(GstElement* element) {
  GParamSpec* spec = g_object_class_find_property(G_OBJECT_GET_CLASS(element), "stats");
  fail_unless(spec != nullptr);
  const std::string blurb = g_param_spec_get_blurb(spec);
  GstStructure* stats = nullptr;
  g_object_get(element, "stats", &stats, nullptr);
  fail_unless(gst_structure_n_fields(stats) > 0);
  for (int i = 0; i < gst_structure_n_fields(stats); ++i) {
    const char* field = gst_structure_nth_field_name(stats, static_cast<guint>(i));
    fail_unless(explains(blurb, field), "%s is not explained", field);
  }
  gst_structure_free(stats);
}

inline void check(const char* factory) {
  GstElement* element = gst_element_factory_make(factory, nullptr);
  fail_unless(element != nullptr, "no element %s", factory);
  gst_object_ref_sink(element);
  guint n = 0, own = 0;
  GParamSpec** specs = g_object_class_list_properties(G_OBJECT_GET_CLASS(element), &n);
  for (guint i = 0; i < n; ++i) {
    if (specs[i]->owner_type != G_OBJECT_TYPE(element)) continue;
    check_property(specs[i]);
    ++own;
  }
  g_free(specs);
  fail_unless(own > 1);
  check_stats(element);
  gst_object_unref(element);
}

}  // namespace documentation
