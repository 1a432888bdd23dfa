// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The pads of a splitter, an element with one way in and any number of ways out: one sink pad and
 * request pads src_n, which come and go while packets flow.
 */
#include "gst/packet/batch.hpp"
#include "gst/packet/runtime/data_path.hpp"
#include "gst/packet/runtime/element_class.hpp"
#include "gst/packet/runtime/request_pads.hpp"

namespace gstpacket::detail {
namespace {

gboolean sink_event(GstPad* pad, GstObject* parent, GstEvent* event) {
  if (!take_event(pad, parent, event)) {
    gst_event_unref(event);
    return FALSE;
  }
  // Now, not afterwards as GStreamer does by itself: a source pad that is added meanwhile must find
  // it, if it is not passed on to it.
  if ((gst_event_type_get_flags(GST_EVENT_TYPE(event)) & GST_EVENT_TYPE_STICKY) != 0) {
    gst_pad_store_sticky_event(pad, event);
  }
  return gst_pad_event_default(pad, parent, event);
}

// Answered here: a buffer may go to any pad. Batches are unpacked for one that does not accept
// them.
gboolean sink_query(GstPad* pad, GstObject* parent, GstQuery* query) {
  if (GST_QUERY_TYPE(query) == GST_QUERY_ALLOCATION) {
    gst_query_add_allocation_meta(query, GST_PACKET_BATCH_META_API_TYPE, nullptr);
    return TRUE;
  }
  return gst_pad_query_default(pad, parent, query);
}

GstPad* request_new_pad(GstElement* element, GstPadTemplate* templ, const gchar* asked,
                        const GstCaps*) {
  ElementCore& core = core_of(element);
  const PadPointer owner = new_numbered_pad(element, templ, asked);
  if (!owner) return nullptr;
  GstPad* pad = owner.get();
  GST_PAD_SET_PROXY_CAPS(pad);
  if (core.running()) gst_pad_set_active(pad, TRUE);
  if (!gst_element_add_pad(element, pad)) return nullptr;
  const PadPointer sink(gst_element_get_static_pad(element, "sink"), gst_object_unref);
  gst_pad_sticky_events_foreach(
      sink.get(),
      [](GstPad*, GstEvent** event, gpointer source) -> gboolean {
        gst_pad_store_sticky_event(static_cast<GstPad*>(source), *event);
        return TRUE;
      },
      pad);
  core.add_port(pad, number_of(pad));
  return pad;
}

void release_pad(GstElement* element, GstPad* pad) {
  // First, so that packets go to the other pads.
  core_of(element).remove(pad);
  disconnect_pad(pad);
  gst_element_remove_pad(element, pad);
}

void add_templates(GstElementClass* klass, const ElementSpec& spec) {
  GstCaps* caps = make_caps(spec.link_types);
  gst_element_class_add_pad_template(
      klass, gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS, caps));
  gst_element_class_add_pad_template(
      klass, gst_pad_template_new("src_%u", GST_PAD_SRC, GST_PAD_REQUEST, caps));
  gst_caps_unref(caps);
}

ElementCore* init(GstElement* element, GstElementClass* klass, const ElementClass& cls) {
  auto* core = new ElementCore(element, cls);
  GstPad* sink =
      gst_pad_new_from_template(gst_element_class_get_pad_template(klass, "sink"), "sink");
  GST_PAD_SET_PROXY_CAPS(sink);
  core->add_path(DataPath::attach(*core, sink, 0));
  gst_pad_set_event_function(sink, sink_event);
  gst_pad_set_query_function(sink, sink_query);
  gst_element_add_pad(element, sink);
  return core;
}

}  // namespace

const ElementKind kSplitterKind{"GstPacketSplitter",
                                [](GstElementClass* klass) {
                                  klass->request_new_pad = request_new_pad;
                                  klass->release_pad = release_pad;
                                },
                                add_templates, init};

}  // namespace gstpacket::detail
