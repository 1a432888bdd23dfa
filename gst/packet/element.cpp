// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The GObject half of packet elements: an abstract class on GstElement, and one class below it for
// each registered element. GstBaseTransform is no base for them, because it takes lists apart.
#include "gst/packet/element.hpp"

#include <cctype>
#include <memory>
#include <string>

#include "gst/packet/batch.hpp"
#include "gst/packet/runtime.hpp"

namespace gstpacket::detail {
namespace {

struct PacketElement {
  GstElement parent;
  Runtime* runtime;
};

struct PacketElementClass {
  GstElementClass parent;
  const ElementClass* cls;
};

GstElementClass* parent_class = nullptr;

Runtime& runtime_of(void* object) {
  return *static_cast<PacketElement*>(object)->runtime;
}

// ---- pads -------------------------------------------------------------------------------------

GstFlowReturn chain(GstPad*, GstObject* parent, GstBuffer* buffer) {
  Runtime& runtime = runtime_of(parent);
  if (gst_buffer_get_packet_batch_meta(buffer) != nullptr) {
    BatchArrival arrival(buffer, runtime.cls().spec->access);
    return runtime.receive(arrival);
  }
  BufferArrival arrival(buffer, runtime.cls().spec->access);
  return runtime.receive(arrival);
}

bool holds_batches(GstBufferList* list) {
  const guint length = gst_buffer_list_length(list);
  for (guint i = 0; i < length; ++i) {
    if (gst_buffer_get_packet_batch_meta(gst_buffer_list_get(list, i)) != nullptr) return true;
  }
  return false;
}

GstFlowReturn chain_list(GstPad* pad, GstObject* parent, GstBufferList* list) {
  Runtime& runtime = runtime_of(parent);
  if (holds_batches(list)) {
    GstFlowReturn flow = GST_FLOW_OK;
    list = gst_buffer_list_make_writable(list);
    while (flow == GST_FLOW_OK && gst_buffer_list_length(list) != 0) {
      GstBuffer* buffer = gst_buffer_ref(gst_buffer_list_get(list, 0));
      gst_buffer_list_remove(list, 0, 1);  // the list lets go first, so that the buffer is ours
      flow = chain(pad, parent, buffer);
    }
    gst_buffer_list_unref(list);
    return flow;
  }
  ListArrival arrival(list, runtime.cls().spec->access);
  return runtime.receive(arrival);
}

gboolean sink_event(GstPad* pad, GstObject* parent, GstEvent* event) {
  Runtime& runtime = runtime_of(parent);
  if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS) {
    GstCaps* caps = nullptr;
    gst_event_parse_caps(event, &caps);
    if (!runtime.set_caps(caps)) {
      gst_event_unref(event);
      return FALSE;
    }
  } else if (GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_STOP) {
    runtime.flushed();
  }
  return gst_pad_event_default(pad, parent, event);
}

// Packets pass through in the form in which they came, so what is behind `src` decides - but for
// batches: those may come out of every pad, so all that is linked must take them.
gboolean sink_query(GstPad* pad, GstObject* parent, GstQuery* query) {
  if (GST_QUERY_TYPE(query) != GST_QUERY_ALLOCATION) {
    return gst_pad_query_default(pad, parent, query);
  }
  Runtime& runtime = runtime_of(parent);
  const gboolean answered = gst_pad_peer_query(runtime.source_pad(), query);
  guint index = 0;
  if (gst_query_find_allocation_meta(query, GST_PACKET_BATCH_META_API_TYPE, &index) &&
      !runtime.extra_pads_take_batches(query)) {
    gst_query_remove_nth_allocation_meta(query, index);
  }
  return answered;
}

GstPad* add_pad(GstElement* element, GstElementClass* klass, const char* name) {
  GstPad* pad = gst_pad_new_from_template(gst_element_class_get_pad_template(klass, name), name);
  GST_PAD_SET_PROXY_CAPS(pad);
  gst_element_add_pad(element, pad);
  return pad;
}

// ---- object -----------------------------------------------------------------------------------

void element_init(GTypeInstance* instance, void* g_class) {
  const ElementClass* cls = static_cast<PacketElementClass*>(g_class)->cls;
  auto* element = reinterpret_cast<GstElement*>(instance);
  auto* runtime = new Runtime(element, *cls);
  reinterpret_cast<PacketElement*>(instance)->runtime = runtime;

  auto* klass = static_cast<GstElementClass*>(g_class);
  GstPad* sink =
      gst_pad_new_from_template(gst_element_class_get_pad_template(klass, "sink"), "sink");
  GST_PAD_SET_PROXY_CAPS(sink);
  gst_pad_set_chain_function(sink, chain);
  gst_pad_set_chain_list_function(sink, chain_list);
  gst_pad_set_event_function(sink, sink_event);
  gst_pad_set_query_function(sink, sink_query);
  gst_element_add_pad(element, sink);

  runtime->add_source_pad(add_pad(element, klass, "src"));
  for (const char* port : cls->spec->ports) runtime->add_source_pad(add_pad(element, klass, port));
}

void finalize(GObject* object) {
  delete static_cast<PacketElement*>(static_cast<void*>(object))->runtime;
  G_OBJECT_CLASS(parent_class)->finalize(object);
}

// Property 1 is `stats`; the element's own follow.
void set_property(GObject* object, guint id, const GValue* value, GParamSpec*) {
  runtime_of(object).set_property(id - 2, *value);
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec*) {
  if (id == 1) {
    g_value_take_boxed(value, runtime_of(object).stats());
  } else {
    runtime_of(object).get_property(id - 2, *value);
  }
}

GstStateChangeReturn change_state(GstElement* element, GstStateChange transition) {
  Runtime& runtime = runtime_of(element);
  if (transition == GST_STATE_CHANGE_NULL_TO_READY) {
    if (!runtime.check_settings()) return GST_STATE_CHANGE_FAILURE;
    runtime.set_configured(true);
  } else if (transition == GST_STATE_CHANGE_READY_TO_PAUSED) {
    if (!runtime.start()) return GST_STATE_CHANGE_FAILURE;
  }
  const GstStateChangeReturn result = parent_class->change_state(element, transition);
  if (result == GST_STATE_CHANGE_FAILURE) {
    if (transition == GST_STATE_CHANGE_READY_TO_PAUSED) runtime.stop();
    return result;
  }
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) runtime.stop();
  if (transition == GST_STATE_CHANGE_READY_TO_NULL) runtime.set_configured(false);
  return result;
}

// ---- classes ----------------------------------------------------------------------------------

void base_class_init(void* g_class, void*) {
  parent_class = static_cast<GstElementClass*>(g_type_class_peek_parent(g_class));
  auto* object_class = static_cast<GObjectClass*>(g_class);
  object_class->finalize = finalize;
  static_cast<GstElementClass*>(g_class)->change_state = change_state;
}

void install_properties(GObjectClass* object_class, const ElementClass& cls) {
  std::string blurb =
      "Counters since the element last went to PAUSED, as a GstStructure "
      "application/x-packet-stats of guint64 fields: packets-in and bytes-in, packets-out and "
      "bytes-out, batches (buffers or lists that arrived), copies (packets whose bytes had to be "
      "copied because they were shared, in pieces, or out of room), dropped, and one field for "
      "each reason to drop: ";
  for (const std::string_view reason : cls.spec->reasons) {
    std::string name = "drop-" + std::string(reason) + ", ";
    for (char& c : name) c = c == '_' ? '-' : c;
    blurb += name;
  }
  blurb +=
      "drop-unlinked (nothing is linked to the pad) and drop-unreadable (the memory cannot be "
      "mapped).";
  const auto flags = static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_property(
      object_class, 1,
      g_param_spec_boxed("stats", "Statistics", g_intern_string(blurb.c_str()), GST_TYPE_STRUCTURE,
                         flags));
  guint id = 2;
  for (const PropertySpec& property : cls.properties) {
    g_object_class_install_property(object_class, id++, property.spec);
    if (G_IS_PARAM_SPEC_ENUM(property.spec)) {
      gst_type_mark_as_plugin_api(G_PARAM_SPEC_VALUE_TYPE(property.spec),
                                  static_cast<GstPluginAPIFlags>(0));
    }
  }
}

void add_template(GstElementClass* klass, const char* name, GstPadDirection direction,
                  GstCaps* caps) {
  gst_element_class_add_pad_template(klass,
                                     gst_pad_template_new(name, direction, GST_PAD_ALWAYS, caps));
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
  GstCaps* caps = make_caps(spec.link_types);
  add_template(klass, "sink", GST_PAD_SINK, caps);
  add_template(klass, "src", GST_PAD_SRC, caps);
  for (const char* port : spec.ports) add_template(klass, port, GST_PAD_SRC, caps);
  gst_caps_unref(caps);
}

GType base_type() {
  static const GType type = [] {
    GTypeInfo info{};
    info.class_size = sizeof(PacketElementClass);
    info.class_init = base_class_init;
    info.instance_size = sizeof(PacketElement);
    const GType registered =
        g_type_register_static(GST_TYPE_ELEMENT, "GstPacketElement", &info, G_TYPE_FLAG_ABSTRACT);
    gst_type_mark_as_plugin_api(registered, static_cast<GstPluginAPIFlags>(0));
    return registered;
  }();
  return type;
}

GType leaf_type(const ElementSpec& spec) {
  std::string name = "Gst" + std::string(spec.info->factory);
  name[3] = static_cast<char>(std::toupper(static_cast<unsigned char>(name[3])));
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
  const GType type =
      g_type_register_static(base_type(), name.c_str(), &info, static_cast<GTypeFlags>(0));
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
