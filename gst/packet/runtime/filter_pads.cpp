// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The pads of a filter, an element with one way through: one sink pad, `src`, and the element's
 * ports. GstBaseTransform is no base for it, because it takes lists apart.
 */
#include "gst/packet/batch.hpp"
#include "gst/packet/runtime/data_path.hpp"
#include "gst/packet/runtime/element_class.hpp"

namespace gstpacket::detail {

bool take_event(GstPad* sink, GstObject* element, GstEvent* event) {
  DataPath& path = DataPath::of(sink);
  if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS) {
    GstCaps* caps = nullptr;
    gst_event_parse_caps(event, &caps);
    const bool accepted = core_of(element).accept_caps(caps);
    path.set_caps_known(accepted);
    return accepted;
  }
  if (GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_STOP) path.forget_flows();
  return true;
}

namespace {

gboolean sink_event(GstPad* pad, GstObject* parent, GstEvent* event) {
  if (take_event(pad, parent, event)) return gst_pad_event_default(pad, parent, event);
  gst_event_unref(event);
  return FALSE;
}

// Packets leave in the form in which they arrive, so the peer of `src` answers. Batches may leave
// by any pad, so all peers must accept them.
gboolean sink_query(GstPad* pad, GstObject* parent, GstQuery* query) {
  if (GST_QUERY_TYPE(query) != GST_QUERY_ALLOCATION) {
    return gst_pad_query_default(pad, parent, query);
  }
  const auto ports = core_of(parent).ports().ports();
  const gboolean answered = gst_pad_peer_query(ports->front()->pad(), query);
  guint index = 0;
  if (!gst_query_find_allocation_meta(query, GST_PACKET_BATCH_META_API_TYPE, &index)) {
    return answered;
  }
  GstCaps* caps = nullptr;
  gst_query_parse_allocation(query, &caps, nullptr);
  for (const auto& port : *ports) {
    if (port->number() == 0 || !gst_pad_is_linked(port->pad())) continue;
    if (peer_takes_batches(port->pad(), caps)) continue;
    gst_query_remove_nth_allocation_meta(query, index);
    break;
  }
  return answered;
}

GstPad* new_pad(GstElementClass* klass, const char* name) {
  GstPad* pad = gst_pad_new_from_template(gst_element_class_get_pad_template(klass, name), name);
  GST_PAD_SET_PROXY_CAPS(pad);
  return pad;
}

ElementCore* init(GstElement* element, GstElementClass* klass, const ElementClass& cls) {
  auto* core = new ElementCore(element, cls);
  GstPad* sink = new_pad(klass, "sink");
  core->add_path(DataPath::attach(*core, sink, 0));
  gst_pad_set_event_function(sink, sink_event);
  gst_pad_set_query_function(sink, sink_query);
  gst_element_add_pad(element, sink);

  unsigned number = 0;
  const auto add_source = [&](const char* name) {
    GstPad* source = new_pad(klass, name);
    core->add_port(source, number++);
    gst_element_add_pad(element, source);
  };
  add_source("src");
  for (const char* port : cls.spec->ports) add_source(port);
  return core;
}

void add_templates(GstElementClass* klass, const ElementSpec& spec) {
  GstCaps* caps = make_caps(spec.link_types);
  const auto add = [&](const char* name, GstPadDirection direction) {
    gst_element_class_add_pad_template(klass,
                                       gst_pad_template_new(name, direction, GST_PAD_ALWAYS, caps));
  };
  add("sink", GST_PAD_SINK);
  add("src", GST_PAD_SRC);
  for (const char* port : spec.ports) add(port, GST_PAD_SRC);
  gst_caps_unref(caps);
}

}  // namespace

const ElementKind kFilterKind{"GstPacketElement", [](GstElementClass*) {}, add_templates, init};

}  // namespace gstpacket::detail
