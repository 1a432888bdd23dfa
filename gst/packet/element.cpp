// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
//
// The pads of an element with one way through: one sink pad, `src`, and the element's ports.
// GstBaseTransform is no base for it, because it takes lists apart.
#include "gst/packet/batch.hpp"
#include "gst/packet/runtime/element_class.hpp"
#include "gst/packet/runtime/runtime.hpp"

namespace gstpacket::detail {
namespace {

Runtime& runtime_of(void* object) {
  return static_cast<Runtime&>(author_of(object));
}

GstFlowReturn chain(GstPad*, GstObject* parent, GstBuffer* buffer) {
  Runtime& runtime = runtime_of(parent);
  if (gst_buffer_get_packet_batch_meta(buffer) != nullptr) {
    BatchArrival arrival(buffer, runtime.spec().access);
    return runtime.receive(arrival);
  }
  BufferArrival arrival(buffer, runtime.spec().access);
  return runtime.receive(arrival);
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
  ListArrival arrival(list, runtime.spec().access);
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

Author* init(GstElement* element, GstElementClass* klass, const ElementClass& cls) {
  auto* runtime = new Runtime(element, cls);
  GstPad* sink =
      gst_pad_new_from_template(gst_element_class_get_pad_template(klass, "sink"), "sink");
  GST_PAD_SET_PROXY_CAPS(sink);
  gst_pad_set_chain_function(sink, chain);
  gst_pad_set_chain_list_function(sink, chain_list);
  gst_pad_set_event_function(sink, sink_event);
  gst_pad_set_query_function(sink, sink_query);
  gst_element_add_pad(element, sink);

  runtime->add_source_pad(add_pad(element, klass, "src"));
  for (const char* port : cls.spec->ports) runtime->add_source_pad(add_pad(element, klass, port));
  return runtime;
}

void add_template(GstElementClass* klass, const char* name, GstPadDirection direction,
                  GstCaps* caps) {
  gst_element_class_add_pad_template(klass,
                                     gst_pad_template_new(name, direction, GST_PAD_ALWAYS, caps));
}

void add_templates(GstElementClass* klass, const ElementSpec& spec) {
  GstCaps* caps = make_caps(spec.link_types);
  add_template(klass, "sink", GST_PAD_SINK, caps);
  add_template(klass, "src", GST_PAD_SRC, caps);
  for (const char* port : spec.ports) add_template(klass, port, GST_PAD_SRC, caps);
  gst_caps_unref(caps);
}

}  // namespace

const ElementKind kFilterKind{
    "GstPacketElement", [](GstElementClass*) {}, add_templates, init,
    "drop-unlinked (nothing is linked to the pad) and drop-unreadable (the memory cannot be "
    "mapped)"};

}  // namespace gstpacket::detail
