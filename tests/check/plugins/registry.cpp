// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * What gst-inspect-1.0 shows of all elements: form, authors, pages, and ranges that are true.
 */
#include <algorithm>
#include <cctype>
#include <functional>
#include <string>

#include "tests/check/documentation.hpp"

namespace {

constexpr char kSource[] = "gst-memif";

void for_each_plugin(const std::function<void(GstPlugin*)>& visit) {
  GList* plugins = gst_registry_get_plugin_list(gst_registry_get());
  for (GList* item = plugins; item != nullptr; item = item->next) {
    auto* plugin = GST_PLUGIN(item->data);
    if (g_strcmp0(gst_plugin_get_source(plugin), kSource) == 0) visit(plugin);
  }
  gst_plugin_list_free(plugins);
}

/** With an element of each factory. */
void for_each_element(const std::function<void(GstElementFactory*, GstElement*)>& visit) {
  int seen = 0;
  for_each_plugin([&](GstPlugin* plugin) {
    GList* features =
        gst_registry_get_feature_list_by_plugin(gst_registry_get(), gst_plugin_get_name(plugin));
    for (GList* item = features; item != nullptr; item = item->next) {
      if (!GST_IS_ELEMENT_FACTORY(item->data)) continue;
      auto* factory = GST_ELEMENT_FACTORY(item->data);
      GstElement* element = gst_element_factory_create(factory, nullptr);
      fail_unless(element != nullptr);
      gst_object_ref_sink(element);
      visit(factory, element);
      gst_object_unref(element);
      ++seen;
    }
    gst_plugin_feature_list_free(features);
  });
  constexpr int kWithoutPcap = 10;
  fail_unless(seen >= kWithoutPcap, "only %d elements", seen);
}

std::string metadata(GstElementFactory* factory, const char* key) {
  const gchar* text = gst_element_factory_get_metadata(factory, key);
  fail_unless(text != nullptr, "%s has no %s", GST_OBJECT_NAME(factory), key);
  return text;
}

/** One line with a capital and without a full stop. */
void check_line(const std::string& name, const std::string& text) {
  fail_if(text.empty() || text.size() > documentation::kLongestBlurb, "%s: %s", name.c_str(),
          text.c_str());
  fail_if(text.find('\n') != std::string::npos || text.find("  ") != std::string::npos, "%s: %s",
          name.c_str(), text.c_str());
  fail_if(text.back() == '.' || text.back() == ' ', "%s: %s", name.c_str(), text.c_str());
}

void for_each_own_property(GObject* object, const std::function<void(GParamSpec*)>& visit) {
  guint n = 0;
  GParamSpec** specs = g_object_class_list_properties(G_OBJECT_GET_CLASS(object), &n);
  for (guint i = 0; i < n; ++i) {
    if (specs[i]->owner_type == G_OBJECT_TYPE(object)) visit(specs[i]);
  }
  g_free(specs);
}

/** The ends of the range of a number; false for other properties. */
bool bounds(GParamSpec* spec, GValue* low, GValue* high) {
  for (GValue* value : {low, high}) g_value_init(value, spec->value_type);
  if (G_IS_PARAM_SPEC_INT(spec)) {
    g_value_set_int(low, G_PARAM_SPEC_INT(spec)->minimum);
    g_value_set_int(high, G_PARAM_SPEC_INT(spec)->maximum);
  } else if (G_IS_PARAM_SPEC_UINT(spec)) {
    g_value_set_uint(low, G_PARAM_SPEC_UINT(spec)->minimum);
    g_value_set_uint(high, G_PARAM_SPEC_UINT(spec)->maximum);
  } else if (G_IS_PARAM_SPEC_UINT64(spec)) {
    g_value_set_uint64(low, G_PARAM_SPEC_UINT64(spec)->minimum);
    g_value_set_uint64(high, G_PARAM_SPEC_UINT64(spec)->maximum);
  } else if (G_IS_PARAM_SPEC_DOUBLE(spec)) {
    g_value_set_double(low, G_PARAM_SPEC_DOUBLE(spec)->minimum);
    g_value_set_double(high, G_PARAM_SPEC_DOUBLE(spec)->maximum);
  } else {
    g_value_unset(low);
    g_value_unset(high);
    return false;
  }
  return true;
}

/** Whether the element, as it is, gets to READY, which is where settings are judged. */
bool gets_ready(GstElement* element) {
  const bool ready = gst_element_set_state(element, GST_STATE_READY) != GST_STATE_CHANGE_FAILURE;
  fail_unless(gst_element_set_state(element, GST_STATE_NULL) == GST_STATE_CHANGE_SUCCESS);
  return ready;
}

void expect_taken(GstElementFactory* factory, GParamSpec* spec, const GValue& value) {
  GstElement* element = gst_element_factory_create(factory, nullptr);
  gst_object_ref_sink(element);
  // What is large here is the peer's.
  if (g_object_class_find_property(G_OBJECT_GET_CLASS(element), "role") != nullptr) {
    gst_util_set_object_arg(G_OBJECT(element), "role", "master");
  }
  const bool ready = gets_ready(element);
  g_object_set_property(G_OBJECT(element), spec->name, &value);
  GValue taken = G_VALUE_INIT;
  g_value_init(&taken, spec->value_type);
  g_object_get_property(G_OBJECT(element), spec->name, &taken);
  gchar* text = gst_value_serialize(&value);
  fail_unless(gst_value_compare(&value, &taken) == GST_VALUE_EQUAL, "%s %s=%s is not taken",
              GST_OBJECT_NAME(factory), spec->name, text);
  fail_unless(gets_ready(element) == ready, "%s does not start with %s=%s",
              GST_OBJECT_NAME(factory), spec->name, text);
  g_free(text);
  g_value_unset(&taken);
  gst_object_unref(element);
}

}  // namespace

GST_START_TEST(test_plugins) {
  int seen = 0;
  for_each_plugin([&](GstPlugin* plugin) {
    check_line(gst_plugin_get_name(plugin), gst_plugin_get_description(plugin));
    fail_if(std::string(gst_plugin_get_origin(plugin)).empty());
    fail_unless(gst_plugin_get_release_date_string(plugin) != nullptr);
    ++seen;
  });
  fail_unless(seen >= 3);
}
GST_END_TEST

GST_START_TEST(test_elements) {
  for_each_element([](GstElementFactory* factory, GstElement*) {
    const std::string name = GST_OBJECT_NAME(factory);
    check_line(name, metadata(factory, GST_ELEMENT_METADATA_LONGNAME));
    check_line(name, metadata(factory, GST_ELEMENT_METADATA_DESCRIPTION));
    fail_unless(g_regex_match_simple("^[^<>@]+ <[^<>@ ]+@[^<>@ ]+\\.[^<>@ ]+>$",
                                     metadata(factory, GST_ELEMENT_METADATA_AUTHOR).c_str(),
                                     GRegexCompileFlags(0), GRegexMatchFlags(0)));
    const std::string page = metadata(factory, GST_ELEMENT_METADATA_DOC_URI);
    fail_unless(page.find("://") != std::string::npos, "%s", page.c_str());
    fail_unless(page.ends_with("/docs/elements/" + name + ".md"), "%s", page.c_str());
  });
}
GST_END_TEST

GST_START_TEST(test_properties_and_statistics) {
  for_each_element([](GstElementFactory* factory, GstElement*) {
    documentation::check(GST_OBJECT_NAME(factory));
  });
}
GST_END_TEST

GST_START_TEST(test_ends_of_ranges_are_taken) {
  for_each_element([](GstElementFactory* factory, GstElement* element) {
    for_each_own_property(G_OBJECT(element), [&](GParamSpec* spec) {
      GValue low = G_VALUE_INIT, high = G_VALUE_INIT;
      if ((spec->flags & G_PARAM_WRITABLE) == 0 || !bounds(spec, &low, &high)) return;
      for (const GValue* value : {&low, &high}) expect_taken(factory, spec, *value);
      g_value_unset(&low);
      g_value_unset(&high);
    });
  });
}
GST_END_TEST

GST_START_TEST(test_enumerations_read_well) {
  for_each_element([](GstElementFactory*, GstElement* element) {
    for_each_own_property(G_OBJECT(element), [](GParamSpec* spec) {
      if (!G_IS_PARAM_SPEC_ENUM(spec)) return;
      const GEnumClass* values = G_PARAM_SPEC_ENUM(spec)->enum_class;
      for (guint i = 0; i < values->n_values; ++i) {
        const std::string nick = values->values[i].value_nick;
        fail_unless(std::ranges::all_of(nick,
                                        [](unsigned char c) {
                                          return std::islower(c) != 0 || std::isdigit(c) != 0 ||
                                                 c == '-';
                                        }),
                    "%s: %s", spec->name, nick.c_str());
        // Two nicks of one value: gst-inspect shows the last one as the default.
        const auto* shown =
            g_enum_get_value(const_cast<GEnumClass*>(values), values->values[i].value);
        fail_unless_equals_string(shown->value_nick, nick.c_str());
      }
    });
  });
}
GST_END_TEST

static Suite* registry_suite(void) {
  Suite* suite = suite_create("registry");
  TCase* tests = tcase_create("documentation");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_plugins);
  tcase_add_test(tests, test_elements);
  tcase_add_test(tests, test_properties_and_statistics);
  tcase_add_test(tests, test_ends_of_ranges_are_taken);
  tcase_add_test(tests, test_enumerations_read_well);
  return suite;
}

GST_CHECK_MAIN(registry)
