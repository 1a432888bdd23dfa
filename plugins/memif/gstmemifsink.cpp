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

#include <gst/base/gstbasesink.h>

#include <atomic>
#include <optional>

#include "gst/common/cache_line.hpp"
#include "gst/packet/batch.hpp"
#include "gst/packet/caps.hpp"
#include "gst/packet/switch_event.hpp"
#include "plugins/common/documentation.hpp"
#include "plugins/common/properties.hpp"
#include "plugins/memif/delivery_report.hpp"
#include "plugins/memif/flow_spreader.hpp"
#include "plugins/memif/gdp.hpp"
#include "plugins/memif/gstmemifpool.hpp"
#include "plugins/memif/likely_mistake.hpp"
#include "plugins/memif/memif_element.hpp"
#include "plugins/memif/memif_log.hpp"
#include "plugins/memif/sink_caps.hpp"
#include "plugins/memif/sink_places.hpp"
#include "plugins/memif/sink_shortcut.hpp"
#include "plugins/memif/tx_path.hpp"
#include "plugins/memif/video_layout.hpp"

GST_DEBUG_CATEGORY_STATIC(memifsink_debug);
#define GST_CAT_DEFAULT memifsink_debug

namespace {

enum : guint { kPropWhenFull = kPropCommonLast, kPropWhenDown, kPropDrainTimeout, kPropAnyCaps };

// Also what is refused, since only a CAPS event can be refused with a reason: see sink_caps.hpp.
GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

}  // namespace

static bool gst_memif_sink_leave_link(GstElement* sink);

struct alignas(gstcommon::kCacheLine) GstMemifSinkState {
  explicit GstMemifSinkState(GstElement* element)
      : common(element, MemifElement::Direction::send, gst_memif_sink_leave_link),
        path(GST_BASE_SINK_CAST(element), common),
        places(GST_BASE_SINK_CAST(element)),
        shortcut(GST_BASE_SINK_CAST(element)) {}

  MemifElement common;
  std::mutex mutex;  // guards what follows against unlock() and queries from other threads
  std::unique_ptr<FlowSpreader> queues;
  std::shared_ptr<LinkProvider> link_provider;  // as slave only
  std::uint32_t buffer_size = 0;
  std::string refusal;  // of the present caps; empty: they are taken
  std::atomic<bool> any_caps{false};
  // Of the streaming thread.
  SinkContent content = SinkContent::refused;
  std::optional<GstVideoInfo> video;  // what the pictures of the stream are
  TxPath path;
  SinkPlaces places;
  SinkShortcut shortcut;
  DeliveryReport report;        // streaming thread, and state changes while there is none
  std::int64_t sent_until = 0;  // monotonic time, microseconds
};

struct GstMemifSink {
  GstBaseSink parent;
  GstMemifSinkState* state;
};
struct GstMemifSinkClass {
  GstBaseSinkClass parent_class;
};

G_DEFINE_TYPE(GstMemifSink, gst_memif_sink, GST_TYPE_BASE_SINK)
GST_ELEMENT_REGISTER_DEFINE(memifsink, "memifsink", GST_RANK_NONE, gst_memif_sink_get_type())

static GType gst_memif_when_full_get_type(void) {
  static const GEnumValue kValues[] = {
      {static_cast<gint>(TxPolicy::automatic),
       "Wait; behind a switch, such as ethbridge, only briefly, then drop and count", "auto"},
      {static_cast<gint>(TxPolicy::block),
       "Wait, even if this holds up the other ports of a switch", "block"},
      {static_cast<gint>(TxPolicy::drop), "Drop the packet and count it", "drop"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstMemifWhenFull", kValues);
  return type;
}

static GType gst_memif_policy_get_type(void) {
  static const GEnumValue kValues[] = {
      {static_cast<gint>(TxPolicy::block), "Wait", "block"},
      {static_cast<gint>(TxPolicy::drop), "Drop the packet and count it", "drop"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstMemifPolicy", kValues);
  return type;
}

namespace {

GstMemifSinkState& state_of(gpointer instance) {
  return *static_cast<GstMemifSink*>(instance)->state;
}

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
  GstMemifSinkState& state = state_of(sink);
  const std::lock_guard lock(state.mutex);
  if (state.queues) state.queues->interrupt();
  return TRUE;
}

gboolean gst_memif_sink_unlock_stop(GstBaseSink* sink) {
  GstMemifSinkState& state = state_of(sink);
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

GstCaps* gst_memif_sink_get_caps(GstBaseSink* sink, GstCaps* filter) {
  GstCaps* packets = state_of(sink).common.packet_caps();
  GstCaps* caps = offered_sink_caps(packets, filter);
  gst_caps_unref(packets);
  return caps;
}

/** @param text empty: caps are taken */
void gst_memif_sink_set_refusal(GstMemifSinkState& state, const std::string& text) {
  const std::lock_guard lock(state.mutex);
  state.refusal = text;
}

gboolean gst_memif_sink_set_caps(GstBaseSink* sink, GstCaps* caps) {
  GstMemifSinkState& state = state_of(sink);
  GstCaps* packets = state.common.packet_caps();
  state.content = content_of(caps, packets, state.any_caps.load());
  state.video = state.content == SinkContent::opaque ? video_layout(caps) : std::nullopt;
  const bool taken = state.content != SinkContent::refused;
  const std::string refusal = taken ? "" : explain_refusal(caps, packets);
  gst_memif_sink_set_refusal(state, refusal);
  if (taken) {
    state.path.set_opaque(state.content != SinkContent::packets);
    state.path.set_preamble(state.content == SinkContent::gdp ? gdp_preamble(caps) : nullptr);
  } else {
    GST_ELEMENT_ERROR(sink, STREAM, WRONG_TYPE, ("%s", refusal.c_str()),
                      ("refused %" GST_PTR_FORMAT, caps));
  }
  gst_caps_unref(packets);
  return taken;
}

/**
 * False if caps were refused in PAUSED. gst-launch-1.0 does not end for an error that comes before
 * it waits for messages, as one from another thread may: so it gets that again, and no PLAYING.
 */
bool gst_memif_sink_may_play(GstElement* element) {
  std::string refusal;
  {
    GstMemifSinkState& state = state_of(element);
    const std::lock_guard lock(state.mutex);
    refusal = state.refusal;
  }
  if (refusal.empty()) return true;
  GST_ELEMENT_ERROR(element, STREAM, WRONG_TYPE, ("%s", refusal.c_str()), ("refused in PAUSED"));
  return false;
}

/** The upstream switch sends the event anew with each stream. */
gboolean gst_memif_sink_event(GstBaseSink* sink, GstEvent* event) {
  state_of(sink).shortcut.on_event();
  if (GST_EVENT_TYPE(event) == GST_EVENT_STREAM_START) {
    state_of(sink).path.set_behind_switch(false);
  } else if (gstpacket::is_switch_event(event)) {
    state_of(sink).path.set_behind_switch(true);
  }
  return GST_BASE_SINK_CLASS(gst_memif_sink_parent_class)->event(sink, event);
}

gboolean gst_memif_sink_send_event(GstElement* element, GstEvent* event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_STEP) state_of(element).shortcut.on_step();
  return GST_ELEMENT_CLASS(gst_memif_sink_parent_class)->send_event(element, event);
}

/**
 * The size of buffers with @p caps; 0 if their producer does not set the size of each. Producers of
 * packets do. Others use buffers at the size that a pool gives them, and would send garbage behind
 * what they have written; for video it follows from the caps.
 */
std::uint32_t size_in_pool(const GstCaps* caps, std::uint32_t buffer_size) {
  if (gstpacket::parse_caps(caps)) return buffer_size;
  const std::optional<GstVideoInfo> video = video_layout(caps);
  return video && video->size <= buffer_size ? static_cast<std::uint32_t>(video->size) : 0;
}

/**
 * Adds a pool of buffers that lie in the memory of the link; as master there is none. The answer
 * does not list GstVideoMeta: rows lie where the caps say, as no meta gets to the peer.
 */
void gst_memif_sink_propose_pool(GstMemifSinkState& state, GstQuery* query, GstCaps* caps) {
  const std::lock_guard lock(state.mutex);
  if (!state.link_provider) return;
  const std::uint32_t size = size_in_pool(caps, state.buffer_size);
  if (size == 0) return;
  const std::uint32_t queue = state.queues->first().queue();
  GstBufferPool* pool =
      gst_memif_pool_new(state.link_provider, queue, state.buffer_size, size, caps);
  gst_query_add_allocation_pool(query, pool, size, 0, 0);
  GST_DEBUG("proposing %" GST_PTR_FORMAT " with buffers of %u bytes", pool, size);
  gst_object_unref(pool);
}

gboolean gst_memif_sink_propose_allocation(GstBaseSink* sink, GstQuery* query) {
  GstCaps* caps = nullptr;
  gboolean need_pool = FALSE;
  gst_query_parse_allocation(query, &caps, &need_pool);
  // Frames come one by one: a batch of long ones is lent by a slave only, and given back as a
  // whole.
  if (caps == nullptr || are_packets(caps)) {
    gst_query_add_allocation_meta(query, GST_PACKET_BATCH_META_API_TYPE, nullptr);
  }
  if (need_pool) gst_memif_sink_propose_pool(state_of(sink), query, caps);
  return TRUE;
}

}  // namespace

/** The base class holds the preroll lock while packets are sent, and not while it waits. */
static bool gst_memif_sink_leave_link(GstElement* element) {
  GstBaseSink* sink = GST_BASE_SINK_CAST(element);
  GstMemifSinkState& state = state_of(sink);
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

namespace {

void gst_memif_sink_warn_of_mistake(GstElement* element) {
  const std::string mistake = likely_mistake(element);
  if (mistake.empty()) return;
  GST_ELEMENT_WARNING(element, RESOURCE, SETTINGS, ("%s", mistake.c_str()),
                      ("the pipeline goes on"));
}

GstStateChangeReturn gst_memif_sink_change_state(GstElement* element, GstStateChange transition) {
  GstMemifSinkState& state = state_of(element);
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

void gst_memif_sink_set_property(GObject* object, guint id, const GValue* value,
                                 GParamSpec* pspec) {
  GstMemifSinkState& state = state_of(object);
  if (state.common.set_property(id, value)) return;
  switch (id) {
    case kPropWhenFull:
      state.path.when_full.store(static_cast<TxPolicy>(g_value_get_enum(value)));
      break;
    case kPropWhenDown:
      state.path.when_down.store(static_cast<TxPolicy>(g_value_get_enum(value)));
      break;
    case kPropDrainTimeout:
      state.path.drain_timeout.store(g_value_get_uint64(value));
      break;
    case kPropAnyCaps:
      state.any_caps.store(g_value_get_boolean(value) != FALSE);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
      break;
  }
}

/** Ours and those of the base class: its property of the same name is hidden by ours. */
GstStructure* gst_memif_sink_all_stats(GObject* object) {
  GValue ours = G_VALUE_INIT;
  g_value_init(&ours, GST_TYPE_STRUCTURE);
  state_of(object).common.get_property(kPropStats, &ours);
  auto* stats = gst_structure_copy(static_cast<GstStructure*>(g_value_get_boxed(&ours)));
  g_value_unset(&ours);
  GstStructure* base = gst_base_sink_get_stats(GST_BASE_SINK_CAST(object));
  gst_structure_foreach(
      base,
      [](GQuark field, const GValue* value, gpointer to) -> gboolean {
        gst_structure_id_set_value(static_cast<GstStructure*>(to), field, value);
        return TRUE;
      },
      stats);
  gst_structure_free(base);
  guint64 rendered = 0;
  gst_structure_get_uint64(stats, "rendered", &rendered);
  gst_structure_set(stats, "rendered", G_TYPE_UINT64,
                    rendered + state_of(object).shortcut.rendered(), nullptr);
  return stats;
}

void gst_memif_sink_get_property(GObject* object, guint id, GValue* value, GParamSpec* pspec) {
  GstMemifSinkState& state = state_of(object);
  if (id == kPropStats) {
    g_value_take_boxed(value, gst_memif_sink_all_stats(object));
    return;
  }
  if (state.common.get_property(id, value)) return;
  switch (id) {
    case kPropWhenFull:
      g_value_set_enum(value, static_cast<gint>(state.path.when_full.load()));
      break;
    case kPropWhenDown:
      g_value_set_enum(value, static_cast<gint>(state.path.when_down.load()));
      break;
    case kPropDrainTimeout:
      g_value_set_uint64(value, state.path.drain_timeout.load());
      break;
    case kPropAnyCaps:
      g_value_set_boolean(value, state.any_caps.load());
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
      break;
  }
}

void gst_memif_sink_notify(GObject* object, GParamSpec*) {
  state_of(object).shortcut.on_event();
}

void gst_memif_sink_finalize(GObject* object) {
  delete reinterpret_cast<GstMemifSink*>(object)->state;
  G_OBJECT_CLASS(gst_memif_sink_parent_class)->finalize(object);
}

void gst_memif_sink_install_properties(GObjectClass* klass) {
  MemifElement::install_properties(klass, MemifElement::Direction::send);
  g_object_class_install_property(
      klass, kPropWhenFull,
      g_param_spec_enum("when-full", "When full", "What to do while the ring has no free slot",
                        gst_memif_when_full_get_type(), static_cast<gint>(TxPolicy::automatic),
                        kPlaying));
  g_object_class_install_property(
      klass, kPropWhenDown,
      g_param_spec_enum("when-down", "When down", "What to do while no peer is connected",
                        gst_memif_policy_get_type(), static_cast<gint>(TxPolicy::drop), kPlaying));
  g_object_class_install_property(
      klass, kPropDrainTimeout,
      g_param_spec_uint64("drain-timeout", "Drain timeout",
                          "Nanoseconds that EOS waits for a peer that takes nothing; 0: none; "
                          "18446744073709551615: no limit",
                          0, G_MAXUINT64, TxPath::kDrainTimeout, kPlaying));
  g_object_class_install_property(
      klass, kPropAnyCaps,
      g_param_spec_boolean("any-caps", "Any caps",
                           "Send buffers of any caps, one packet each, to a memifsrc with caps; if "
                           "false, packets and GDP only",
                           FALSE, kPlaying));
  gst_type_mark_as_plugin_api(gst_memif_when_full_get_type(), GstPluginAPIFlags(0));
  gst_type_mark_as_plugin_api(gst_memif_policy_get_type(), GstPluginAPIFlags(0));
}

}  // namespace

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
    return state_of(sink).shortcut.chain(buffer);
  });
  gst_pad_set_chain_list_function(pad, [](GstPad*, GstObject* sink, GstBufferList* list) {
    return state_of(sink).shortcut.chain(list);
  });
  // Packets go out when they come, and the sink must not keep the last one.
  gst_base_sink_set_sync(&self->parent, FALSE);
  gst_base_sink_set_last_sample_enabled(&self->parent, FALSE);
  // Without a peer there may be no packet for long: a state change does not wait for one.
  gst_base_sink_set_async_enabled(&self->parent, FALSE);
}
