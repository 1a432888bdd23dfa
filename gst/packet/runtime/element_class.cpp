// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The GObject half of packet elements: an abstract class on GstElement for each kind, and one class
 * below it for each registered element.
 */
#include "gst/packet/runtime/element_class.hpp"

#include <cctype>
#include <map>
#include <mutex>
#include <string>

namespace gstpacket::detail {
namespace {

GstElementClass* parent_class = nullptr;  // GstElement's

const ElementKind& kind_of(const ElementSpec& spec) {
  switch (spec.shape) {
    case Shape::splitter:
      return kSplitterKind;
    case Shape::switcher:
      return kSwitchKind;
    case Shape::filter:
      break;
  }
  return kFilterKind;
}

// ---- object -----------------------------------------------------------------------------------

void element_init(GTypeInstance* instance, void* g_class) {
  const ElementClass& cls = *static_cast<PacketElementClass*>(g_class)->cls;
  reinterpret_cast<PacketElement*>(instance)->core = kind_of(*cls.spec).init(
      reinterpret_cast<GstElement*>(instance), static_cast<GstElementClass*>(g_class), cls);
}

void finalize(GObject* object) {
  delete static_cast<PacketElement*>(static_cast<void*>(object))->core;
  G_OBJECT_CLASS(parent_class)->finalize(object);
}

// Property 1 is `stats`; the element's own follow.
void set_property(GObject* object, guint id, const GValue* value, GParamSpec*) {
  core_of(object).set_property(id - 2, *value);
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec*) {
  if (id == 1) {
    g_value_take_boxed(value, core_of(object).stats());
  } else {
    core_of(object).get_property(id - 2, *value);
  }
}

GstStateChangeReturn change_state(GstElement* element, GstStateChange transition) {
  ElementCore& core = core_of(element);
  if (transition == GST_STATE_CHANGE_NULL_TO_READY) {
    if (!core.check_settings()) return GST_STATE_CHANGE_FAILURE;
    core.set_configured(true);
  } else if (transition == GST_STATE_CHANGE_READY_TO_PAUSED) {
    if (!core.start()) return GST_STATE_CHANGE_FAILURE;
  }
  const GstStateChangeReturn result = parent_class->change_state(element, transition);
  if (result == GST_STATE_CHANGE_FAILURE) {
    if (transition == GST_STATE_CHANGE_READY_TO_PAUSED) core.stop();
    return result;
  }
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) core.stop();
  if (transition == GST_STATE_CHANGE_READY_TO_NULL) core.set_configured(false);
  return result;
}

// ---- classes ----------------------------------------------------------------------------------

void base_class_init(void* g_class, void* data) {
  parent_class = static_cast<GstElementClass*>(g_type_class_peek_parent(g_class));
  auto* klass = static_cast<GstElementClass*>(g_class);
  static_cast<GObjectClass*>(g_class)->finalize = finalize;
  klass->change_state = change_state;
  static_cast<const ElementKind*>(data)->base_class_init(klass);
}

void install_properties(GObjectClass* object_class, const ElementClass& cls) {
  const auto flags = static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_property(
      object_class, 1,
      g_param_spec_boxed("stats", "Statistics", "Counters since the element last went to PAUSED",
                         GST_TYPE_STRUCTURE, flags));
  guint id = 2;
  for (const PropertySpec& property : cls.properties) {
    g_object_class_install_property(object_class, id++, property.spec);
    if (G_IS_PARAM_SPEC_ENUM(property.spec)) {
      gst_type_mark_as_plugin_api(G_PARAM_SPEC_VALUE_TYPE(property.spec),
                                  static_cast<GstPluginAPIFlags>(0));
    }
  }
}

void leaf_class_init(void* g_class, void* data) {
  auto* cls = static_cast<ElementClass*>(data);
  const ElementSpec& spec = *cls->spec;
  const ElementInfo& info = *spec.info;
  static_cast<PacketElementClass*>(g_class)->cls = cls;
  GST_DEBUG_CATEGORY_INIT(cls->category, info.factory, 0, info.long_name);
  cls->properties = spec.properties();

  auto* klass = static_cast<GstElementClass*>(g_class);
  // GObject clears these in every derived class, so the base class cannot set them.
  static_cast<GObjectClass*>(g_class)->set_property = set_property;
  static_cast<GObjectClass*>(g_class)->get_property = get_property;
  install_properties(static_cast<GObjectClass*>(g_class), *cls);
  gst_element_class_set_static_metadata(klass, info.long_name, info.klass, info.description,
                                        info.author);
  if (info.documentation_uri != nullptr) {
    gst_element_class_add_static_metadata(klass, GST_ELEMENT_METADATA_DOC_URI,
                                          info.documentation_uri);
  }
  kind_of(spec).add_templates(klass, spec);
}

// With the lock of leaf_type() held.
GType base_type(const ElementKind& kind) {
  if (const GType known = g_type_from_name(kind.base_name); known != 0) return known;
  GTypeInfo info{};
  info.class_size = sizeof(PacketElementClass);
  info.class_init = base_class_init;
  info.class_data = &kind;
  info.instance_size = sizeof(PacketElement);
  const GType type =
      g_type_register_static(GST_TYPE_ELEMENT, kind.base_name, &info, G_TYPE_FLAG_ABSTRACT);
  gst_type_mark_as_plugin_api(type, static_cast<GstPluginAPIFlags>(0));
  return type;
}

GType leaf_type(const ElementSpec& spec) {
  std::string name = "Gst" + std::string(spec.class_name);
  static std::map<const ElementSpec*, GType> types;
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  if (const auto found = types.find(&spec); found != types.end()) return found->second;
  // Another module may have an element of the same name; the registry decides which one is used.
  while (g_type_from_name(name.c_str()) != 0) name += '_';

  GTypeInfo info{};
  info.class_size = sizeof(PacketElementClass);
  info.class_init = leaf_class_init;
  // Types are never unregistered, nor is what they point to freed.
  info.class_data = new ElementClass{&spec, nullptr, {}};
  info.instance_size = sizeof(PacketElement);
  info.instance_init = element_init;
  const GType type = g_type_register_static(base_type(kind_of(spec)), name.c_str(), &info,
                                            static_cast<GTypeFlags>(0));
  types.emplace(&spec, type);
  return type;
}

}  // namespace

bool register_spec(GstPlugin* plugin, const ElementSpec& spec) {
  return gst_element_register(plugin, spec.info->factory, GST_RANK_NONE, leaf_type(spec)) != FALSE;
}

GType register_enum(const char* name, std::vector<std::string_view> values) {
  std::string type_name = "GstPacket-" + std::string(name);
  if (const GType known = g_type_from_name(type_name.c_str()); known != 0) return known;
  auto* table = g_new0(GEnumValue, values.size() + 1);  // lives as long as the type: forever
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::string nick(values[i]);
    for (char& c : nick) c = c == '_' ? '-' : c;
    table[i] = {static_cast<gint>(i), g_intern_string(nick_of(nick.c_str())),
                g_intern_string(nick.c_str())};
  }
  return g_enum_register_static(g_intern_string(type_name.c_str()), table);
}

const char* nick_of(const char* name) {
  std::string nick = name;
  for (char& c : nick) c = c == '-' ? ' ' : c;
  if (!nick.empty()) nick[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(nick[0])));
  return g_intern_string(nick.c_str());
}

}  // namespace gstpacket::detail
