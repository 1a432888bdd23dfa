// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
//
// The pads of an element with any number of ports, made on request.
#include <string>

#include "gst/packet/batch.hpp"
#include "gst/packet/runtime/arrival.hpp"
#include "gst/packet/runtime/element_class.hpp"
#include "gst/packet/runtime/switch_runtime.hpp"

namespace gstpacket::detail {
namespace {

SwitchRuntime& runtime_of(void* object) {
  return static_cast<SwitchRuntime&>(author_of(object));
}

Lane& lane_of(GstPad* pad) {
  return *static_cast<Lane*>(gst_pad_get_element_private(pad));
}

/// The number of the port, kept beside the pad: its name may be changed.
GQuark number_quark() {
  static const GQuark quark = g_quark_from_static_string("gstpacket-port");
  return quark;
}

unsigned number_of(const void* pad) {
  return GPOINTER_TO_UINT(g_object_get_qdata(G_OBJECT(const_cast<void*>(pad)), number_quark()));
}

// ---- pads -------------------------------------------------------------------------------------

GstFlowReturn chain(GstPad* pad, GstObject*, GstBuffer* buffer) {
  return lane_of(pad).receive(buffer);
}

GstFlowReturn chain_list(GstPad* pad, GstObject* parent, GstBufferList* list) {
  if (!holds_batches(list)) return lane_of(pad).receive(list);
  GstFlowReturn flow = GST_FLOW_OK;
  for (guint i = 0; i < gst_buffer_list_length(list) && flow == GST_FLOW_OK; ++i) {
    flow = chain(pad, parent, gst_buffer_ref(gst_buffer_list_get(list, i)));
  }
  gst_buffer_list_unref(list);
  return flow;
}

// Streams are mixed, so what is said about one of them is nothing to the others: the events end
// here, and the source pads have their own.
gboolean sink_event(GstPad* pad, GstObject* parent, GstEvent* event) {
  SwitchRuntime& runtime = runtime_of(parent);
  gboolean done = TRUE;
  switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_CAPS: {
      GstCaps* caps = nullptr;
      gst_event_parse_caps(event, &caps);
      done = runtime.accept_caps(caps);
      lane_of(pad).set_caps_known(done != FALSE);
      break;
    }
    case GST_EVENT_STREAM_START:
    case GST_EVENT_FLUSH_STOP:
      runtime.stream_starts(lane_of(pad));
      break;
    case GST_EVENT_EOS:
      runtime.end_of_stream(lane_of(pad));
      break;
    default:
      break;
  }
  gst_event_unref(event);
  return done;
}

gboolean sink_query(GstPad* pad, GstObject* parent, GstQuery* query) {
  // Answered here: a buffer may go to any port, and to several, so nothing that one of them would
  // propose can be promised. Batches are welcome all the same: a port that does not take them gets
  // them unpacked.
  if (GST_QUERY_TYPE(query) == GST_QUERY_ALLOCATION) {
    gst_query_add_allocation_meta(query, GST_PACKET_BATCH_META_API_TYPE, nullptr);
    return TRUE;
  }
  return gst_pad_query_default(pad, parent, query);
}

gboolean activate_source(GstPad* pad, GstObject*, GstPadMode mode, gboolean active) {
  if (mode != GST_PAD_MODE_PUSH) return FALSE;
  // A pad that is requested while the element runs is activated before it has a parent.
  auto* runtime = static_cast<SwitchRuntime*>(gst_pad_get_element_private(pad));
  if (active) runtime->prepare_source(pad, number_of(pad));
  return TRUE;
}

/// Nothing that comes in by a port goes out by it: two switches may be linked both ways without a
/// query or event running in circles.
GstIterator* internal_links(GstPad* pad, GstObject* parent) {
  GstIterator* all = gst_pad_iterate_internal_links_default(pad, parent);
  if (all == nullptr) return nullptr;
  GValue own = G_VALUE_INIT;
  g_value_init(&own, G_TYPE_UINT);
  g_value_set_uint(&own, number_of(pad));
  const auto same = [](gconstpointer item, gconstpointer port) -> gint {
    const unsigned number = number_of(g_value_get_object(static_cast<const GValue*>(item)));
    return number == g_value_get_uint(static_cast<const GValue*>(port)) ? 1 : 0;
  };
  GstIterator* others = gst_iterator_filter(all, same, &own);
  g_value_unset(&own);
  return others;
}

// ---- requests ---------------------------------------------------------------------------------

void set_functions(GstPad* pad) {
  gst_pad_set_iterate_internal_links_function(pad, internal_links);
  if (GST_PAD_IS_SRC(pad)) {
    gst_pad_set_activatemode_function(pad, activate_source);
    return;
  }
  gst_pad_set_chain_function(pad, chain);
  gst_pad_set_chain_list_function(pad, chain_list);
  gst_pad_set_event_function(pad, sink_event);
  gst_pad_set_query_function(pad, sink_query);
}

GstPad* request_new_pad(GstElement* element, GstPadTemplate* templ, const gchar* asked,
                        const GstCaps*) {
  SwitchRuntime& runtime = runtime_of(element);
  const GstPadDirection direction = GST_PAD_TEMPLATE_DIRECTION(templ);
  const int number = runtime.choose_number(direction, asked);
  if (number < 0) {
    GST_CAT_WARNING_OBJECT(runtime.cls().category, element,
                           "no pad %s: there is one, or the number is above %u",
                           asked != nullptr ? asked : "more", Verdict::kMaxPorts - 1);
    return nullptr;
  }
  const std::string name = (direction == GST_PAD_SINK ? "sink_" : "src_") + std::to_string(number);
  GstPad* pad = gst_pad_new_from_template(templ, name.c_str());
  g_object_set_qdata(G_OBJECT(pad), number_quark(), GINT_TO_POINTER(number));
  set_functions(pad);
  gst_object_ref_sink(pad);
  if (direction == GST_PAD_SINK) {
    runtime.add_sink(pad, static_cast<unsigned>(number));
  } else {
    gst_pad_set_element_private(pad, &runtime);
  }
  if (runtime.running()) gst_pad_set_active(pad, TRUE);
  const bool added = gst_element_add_pad(element, pad) != FALSE;
  if (added && direction == GST_PAD_SRC) runtime.add_source(pad, static_cast<unsigned>(number));
  if (!added && direction == GST_PAD_SINK) runtime.remove(pad);
  gst_object_unref(pad);
  return added ? pad : nullptr;
}

void release_pad(GstElement* element, GstPad* pad) {
  gst_pad_set_active(pad, FALSE);
  runtime_of(element).remove(pad);
  gst_element_remove_pad(element, pad);
}

// ---- class ------------------------------------------------------------------------------------

void add_templates(GstElementClass* klass, const ElementSpec& spec) {
  GstCaps* caps = make_caps(spec.link_types);
  gst_element_class_add_pad_template(
      klass, gst_pad_template_new("sink_%u", GST_PAD_SINK, GST_PAD_REQUEST, caps));
  gst_element_class_add_pad_template(
      klass, gst_pad_template_new("src_%u", GST_PAD_SRC, GST_PAD_REQUEST, caps));
  gst_caps_unref(caps);
}

}  // namespace

const ElementKind kSwitchKind{
    "GstPacketSwitch",
    [](GstElementClass* klass) {
      klass->request_new_pad = request_new_pad;
      klass->release_pad = release_pad;
    },
    add_templates,
    [](GstElement* element, GstElementClass*, const ElementClass& cls) -> Author* {
      return new SwitchRuntime(element, cls);
    },
    "drop-unlinked (nothing is linked to the port), drop-port-down (what is behind the port is "
    "stopped, ended or failed), drop-loop (the ports are linked in a loop) and drop-unreadable "
    "(the memory cannot be mapped); flooded (packets sent to all other ports); and for each port "
    "N port-N-packets-in, port-N-bytes-in, port-N-packets-out, port-N-bytes-out and "
    "port-N-dropped"};

}  // namespace gstpacket::detail
