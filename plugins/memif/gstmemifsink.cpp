// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * SECTION:element-memifsink
 * @title: memifsink
 * @short_description: sends packets to a memif interface
 * @see_also: memifsrc, memifudpsink, iphost
 *
 * Sends packets into one queue of a memif interface, or spreads flows over all of its queues
 * (#memifsink:queue -1). A #memifsrc with the same #memifsink:socket-path, #memifsink:id and
 * #memifsink:role is the other direction of the same interface.
 *
 * It accepts `application/x-packet`, and `application/x-gdp` from `gdppay`, which carries caps,
 * timestamps and EOS to another pipeline; with #memifsink:any-caps it accepts buffers of any caps.
 * Everything else is refused: what a payloader makes belongs into #memifudpsink, or into #iphost
 * before this element.
 *
 * As slave it proposes a buffer pool in the shared memory; packets written into its buffers are
 * sent without a copy. Packets longer than the buffer of a slot are chained over several slots.
 *
 * When the ring is full, or there is no peer, the element waits or drops, as #memifsink:when-full
 * and #memifsink:when-down say. At EOS it waits until the peer has taken what is in the ring
 * (#memifsink:drain-timeout). If packets were lost, it posts an INFO message that counts them, or a
 * WARNING if none got through.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 memifsrc socket-path=/tmp/a.sock role=master !
 * memifsink socket-path=/tmp/b.sock role=master
 * ]| Forwards packets from one interface to another.
 *
 * Since: 0.2
 */
#include "plugins/memif/gstmemifsink.hpp"

#include <mutex>
#include <string>
#include <utility>

#include "gst/packet/switch_event.hpp"
#include "plugins/common/documentation.hpp"
#include "plugins/memif/gdp.hpp"
#include "plugins/memif/gstmemifsinkcaps.hpp"
#include "plugins/memif/gstmemifsinkproperties.hpp"
#include "plugins/memif/gstmemifsinkstate.hpp"
#include "plugins/memif/likely_mistake.hpp"
#include "plugins/memif/memif_log.hpp"
#include "plugins/memif/video_layout.hpp"

GST_DEBUG_CATEGORY(memifsink_debug);

namespace {

// Also what is refused, since only a CAPS event can be refused with a reason: see sink_caps.hpp.
GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

}  // namespace

struct GstMemifSinkClass {
  GstBaseSinkClass parent_class;
};

G_DEFINE_TYPE(GstMemifSink, gst_memif_sink, GST_TYPE_BASE_SINK)
GST_ELEMENT_REGISTER_DEFINE(memifsink, "memifsink", GST_RANK_NONE, gst_memif_sink_get_type())

namespace {

/**
 * The producer declares the kind of packets by caps: any kind can be sent, but not without caps.
 */
GstFlowReturn gst_memif_sink_no_caps(GstMemifSink* self) {
  GstCaps* caps = self->state->common.packet_caps();
  const GstStructure* fields = gst_caps_get_structure(caps, 0);
  const gchar* link_type = gst_structure_get_string(fields, "link-type");
  GST_ELEMENT_ERROR(self, CORE, NEGOTIATION,
                    ("Buffers arrived without caps, so their type is unknown. Put "
                     "application/x-packet,link-type=%s between the source and memifsink, or set "
                     "these caps on the source.",
                     link_type),
                    ("no CAPS event before the first buffer"));
  gst_caps_unref(caps);
  return GST_FLOW_NOT_NEGOTIATED;
}

/** Elements should not lay pictures out in another way than the caps say, but some do. */
GstFlowReturn gst_memif_sink_render_picture(GstMemifSink* self, GstBuffer* buffer) {
  const GstVideoInfo& layout = *self->state->video;
  if (lies_as(layout, buffer)) return self->state->path.send(buffer);
  GstBuffer* copy = copy_to_layout(layout, buffer);
  if (copy == nullptr) {
    GST_ELEMENT_ERROR(self, STREAM, FORMAT,
                      ("A picture lies in another way than its caps say, and cannot be copied."),
                      ("its GstVideoMeta fits neither the buffer nor the caps"));
    return GST_FLOW_ERROR;
  }
  const GstFlowReturn result = self->state->path.send(copy);
  gst_buffer_unref(copy);
  return result;
}

GstFlowReturn gst_memif_sink_render(GstBaseSink* sink, GstBuffer* buffer) {
  GstMemifSink* self = reinterpret_cast<GstMemifSink*>(sink);
  if (self->state->content == SinkContent::refused) [[unlikely]] {
    return gst_memif_sink_no_caps(self);
  }
  if (self->state->video) return gst_memif_sink_render_picture(self, buffer);
  return self->state->path.send(buffer);
}

GstFlowReturn gst_memif_sink_render_list(GstBaseSink* sink, GstBufferList* list) {
  GstMemifSink* self = reinterpret_cast<GstMemifSink*>(sink);
  if (self->state->content == SinkContent::refused) [[unlikely]] {
    return gst_memif_sink_no_caps(self);
  }
  if (!self->state->video) return self->state->path.send(list);
  GstFlowReturn result = GST_FLOW_OK;
  const guint length = gst_buffer_list_length(list);
  for (guint i = 0; i < length && result == GST_FLOW_OK; ++i) {
    result = gst_memif_sink_render_picture(self, gst_buffer_list_get(list, i));
  }
  return result;
}

/** After the base class, which waits for PLAYING: a state change must not wait for us. */
GstFlowReturn gst_memif_sink_wait_event(GstBaseSink* sink, GstEvent* event) {
  GstMemifSink* self = reinterpret_cast<GstMemifSink*>(sink);
  GstFlowReturn result = GST_BASE_SINK_CLASS(gst_memif_sink_parent_class)->wait_event(sink, event);
  if (result != GST_FLOW_OK || GST_EVENT_TYPE(event) != GST_EVENT_EOS) return result;
  if (self->state->content == SinkContent::gdp) {
    GstBuffer* end = gdp_end_of_stream();
    result = self->state->path.send(end);
    gst_buffer_unref(end);
    if (result != GST_FLOW_OK) return result;
  }
  result = self->state->path.drain();
  if (result != GST_FLOW_OK) return result;
  gstmemif::QueueStats counters;
  self->state->common.add_counters(counters);
  self->state->report.post(GST_ELEMENT_CAST(self), counters);
  return GST_FLOW_OK;
}

gboolean gst_memif_sink_unlock(GstBaseSink* sink) {
  GstMemifSinkState& state = gst_memif_sink_state(sink);
  const std::lock_guard lock(state.mutex);
  if (state.queues) state.queues->interrupt();
  return TRUE;
}

gboolean gst_memif_sink_unlock_stop(GstBaseSink* sink) {
  GstMemifSinkState& state = gst_memif_sink_state(sink);
  const std::lock_guard lock(state.mutex);
  if (state.queues) state.queues->resume();
  return TRUE;
}

/**
 * READY to PAUSED. Not GstBaseSink's start(), which runs in READY: only now has every other end of
 * the interface joined it, and may have brought settings.
 */
bool gst_memif_sink_start(GstMemifSinkState& state) {
  state.content = SinkContent::refused;
  state.refusal.clear();
  state.shortcut.reset();
  auto interface = state.common.start();
  if (!interface) return false;
  auto queues = FlowSpreader::open(interface, state.common.queue());
  if (!queues) {
    state.common.post_error(queues.error());
    state.common.stop();
    return false;
  }
  const gstmemif::Settings settings = interface->settings();
  gstmemif::QueueStats counters;
  state.common.add_counters(counters);
  state.report = DeliveryReport(counters);
  const std::lock_guard lock(state.mutex);
  state.queues = std::move(*queues);
  state.queues->refresh_ahead();  // the link may have gone before it could be left
  state.path.use(state.queues.get());
  state.places.use(state.queues.get());
  state.buffer_size = settings.buffer_size;
  if (settings.role == gstmemif::Role::slave) {
    state.link_provider = std::make_shared<LinkProvider>(std::move(interface));
  }
  return true;
}

void gst_memif_sink_stop(GstBaseSink* sink, GstMemifSinkState& state) {
  // See gst_memif_sink_leave_link().
  GST_BASE_SINK_PREROLL_LOCK(sink);
  state.path.drain_briefly(state.sent_until);
  {
    const std::lock_guard lock(state.mutex);
    state.path.use(nullptr);
    state.places.use(nullptr);
    state.queues.reset();
    if (state.link_provider) state.link_provider->close();
    state.link_provider.reset();
  }
  GST_BASE_SINK_PREROLL_UNLOCK(sink);
  state.common.stop();
}

/** The upstream switch sends the event anew with each stream. */
gboolean gst_memif_sink_event(GstBaseSink* sink, GstEvent* event) {
  gst_memif_sink_state(sink).shortcut.on_event();
  if (GST_EVENT_TYPE(event) == GST_EVENT_STREAM_START) {
    gst_memif_sink_state(sink).path.set_behind_switch(false);
  } else if (gstpacket::is_switch_event(event)) {
    gst_memif_sink_state(sink).path.set_behind_switch(true);
  }
  return GST_BASE_SINK_CLASS(gst_memif_sink_parent_class)->event(sink, event);
}

gboolean gst_memif_sink_send_event(GstElement* element, GstEvent* event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_STEP) gst_memif_sink_state(element).shortcut.on_step();
  return GST_ELEMENT_CLASS(gst_memif_sink_parent_class)->send_event(element, event);
}

/** The base class holds the preroll lock while packets are sent, and not while it waits. */
bool gst_memif_sink_leave_link(GstElement* element) {
  GstBaseSink* sink = GST_BASE_SINK_CAST(element);
  GstMemifSinkState& state = gst_memif_sink_state(sink);
  std::shared_ptr<LinkProvider> link_provider;
  {
    const std::lock_guard lock(state.mutex);
    link_provider = state.link_provider;
  }
  if (link_provider) link_provider->return_old();
  if (!GST_BASE_SINK_PREROLL_TRYLOCK(sink)) return false;
  {
    const std::lock_guard lock(state.mutex);
    if (state.queues) state.queues->refresh_ahead();
  }
  GST_BASE_SINK_PREROLL_UNLOCK(sink);
  return true;
}

void gst_memif_sink_warn_of_mistake(GstElement* element) {
  const std::string mistake = likely_mistake(element);
  if (mistake.empty()) return;
  GST_ELEMENT_WARNING(element, RESOURCE, SETTINGS, ("%s", mistake.c_str()),
                      ("the pipeline goes on"));
}

GstStateChangeReturn gst_memif_sink_change_state(GstElement* element, GstStateChange transition) {
  GstMemifSinkState& state = gst_memif_sink_state(element);
  if ((transition == GST_STATE_CHANGE_NULL_TO_READY && !state.common.join()) ||
      (transition == GST_STATE_CHANGE_READY_TO_PAUSED && !gst_memif_sink_start(state)) ||
      (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING && !gst_memif_sink_may_play(element))) {
    return GST_STATE_CHANGE_FAILURE;
  }
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED) gst_memif_sink_warn_of_mistake(element);
  // All elements of a pipeline pause before the first one stops: so they wait together, not one
  // after the other.
  if (transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED) state.sent_until = g_get_monotonic_time();
  const GstStateChangeReturn result =
      GST_ELEMENT_CLASS(gst_memif_sink_parent_class)->change_state(element, transition);
  const bool failed = result == GST_STATE_CHANGE_FAILURE;
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY ||
      (transition == GST_STATE_CHANGE_READY_TO_PAUSED && failed)) {
    gst_memif_sink_stop(GST_BASE_SINK_CAST(element), state);
  }
  if (transition == GST_STATE_CHANGE_READY_TO_NULL ||
      (transition == GST_STATE_CHANGE_NULL_TO_READY && failed)) {
    state.common.leave();
  }
  return result;
}

// ---- GObject --------------------------------------------------------------------------------

void gst_memif_sink_notify(GObject* object, GParamSpec*) {
  gst_memif_sink_state(object).shortcut.on_event();
}

void gst_memif_sink_finalize(GObject* object) {
  delete reinterpret_cast<GstMemifSink*>(object)->state;
  G_OBJECT_CLASS(gst_memif_sink_parent_class)->finalize(object);
}

}  // namespace

GstMemifSinkState::GstMemifSinkState(GstElement* element)
    : common(element, MemifElement::Direction::send, gst_memif_sink_leave_link),
      path(GST_BASE_SINK_CAST(element), common),
      places(GST_BASE_SINK_CAST(element)),
      shortcut(GST_BASE_SINK_CAST(element)) {}

static void gst_memif_sink_class_init(GstMemifSinkClass* klass) {
  gst_memif_log_init();
  GST_DEBUG_CATEGORY_INIT(memifsink_debug, "memifsink", 0, "memif packet sink");
  GObjectClass* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = gst_memif_sink_set_property;
  object_class->get_property = gst_memif_sink_get_property;
  object_class->notify = gst_memif_sink_notify;
  object_class->finalize = gst_memif_sink_finalize;
  gst_memif_sink_install_properties(object_class);

  GstElementClass* element_class = GST_ELEMENT_CLASS(klass);
  element_class->change_state = gst_memif_sink_change_state;
  element_class->send_event = gst_memif_sink_send_event;
  gst_element_class_add_static_pad_template(element_class, &sink_template);
  gst_element_class_set_static_metadata(
      element_class, "memif packet sink", "Sink/Network",
      "Sends packets to VPP, DPDK or another program through shared memory (memif)", PLUGIN_AUTHOR);
  add_documentation_uri(element_class, DOCUMENTATION_URI("memifsink"));

  GstBaseSinkClass* sink_class = GST_BASE_SINK_CLASS(klass);
  sink_class->unlock = gst_memif_sink_unlock;
  sink_class->unlock_stop = gst_memif_sink_unlock_stop;
  sink_class->get_caps = gst_memif_sink_get_caps;
  sink_class->set_caps = gst_memif_sink_set_caps;
  sink_class->event = gst_memif_sink_event;
  sink_class->wait_event = gst_memif_sink_wait_event;
  sink_class->propose_allocation = gst_memif_sink_propose_allocation;
  sink_class->render = gst_memif_sink_render;
  sink_class->render_list = gst_memif_sink_render_list;
}

static void gst_memif_sink_init(GstMemifSink* self) {
  self->state = new GstMemifSinkState(GST_ELEMENT_CAST(self));
  GstPad* pad = GST_BASE_SINK_PAD(self);
  gst_pad_set_chain_function(pad, [](GstPad*, GstObject* sink, GstBuffer* buffer) {
    return gst_memif_sink_state(sink).shortcut.chain(buffer);
  });
  gst_pad_set_chain_list_function(pad, [](GstPad*, GstObject* sink, GstBufferList* list) {
    return gst_memif_sink_state(sink).shortcut.chain(list);
  });
  // Packets go out when they come, and the sink must not keep the last one.
  gst_base_sink_set_sync(&self->parent, FALSE);
  gst_base_sink_set_last_sample_enabled(&self->parent, FALSE);
  // Without a peer there may be no packet for long: a state change does not wait for one.
  gst_base_sink_set_async_enabled(&self->parent, FALSE);
}
