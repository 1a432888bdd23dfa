// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * SECTION:element-memifudpsrc
 * @title: memifudpsrc
 * @short_description: receives UDP datagrams from a memif interface
 * @see_also: memifudpsink, iphost, udpsrc
 *
 * Receives the UDP datagrams for its #memifudpsrc:port from a memif interface. Each one becomes a
 * buffer with the time of its arrival and a #GstNetAddressMeta; datagrams that arrive together
 * leave in one list. It has the properties of `udpsrc` and those of the link.
 *
 * All elements of a process with the same #memifudpsrc:socket-path, #memifudpsrc:id and
 * #memifudpsrc:role are one IP host on one interface: see #memifudpsink.
 *
 * Unlike in `udpsrc`, #memifudpsrc:address is always the address of this host, with the length of
 * its prefix: with 10.0.0.2/24, all of 10.0.0.x is reached directly and everything else through
 * #memifudpsrc:gateway. Groups are joined with #memifudpsrc:multicast-group.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 memifudpsrc socket-path=/tmp/media.sock role=master
 * address=10.0.0.2/24 port=5004 ! fakesink
 * ]| Receives on port 5004. #memifudpsink shows the other end.
 *
 * Since: 0.2
 */
#include "plugins/memif/gstmemifudpsrc.hpp"

#include <gst/base/gstpushsrc.h>

#include <atomic>
#include <utility>

#include "plugins/common/clock_pair.hpp"
#include "plugins/common/documentation.hpp"
#include "plugins/common/live_source.hpp"
#include "plugins/common/properties.hpp"
#include "plugins/memif/datagram_queue.hpp"
#include "plugins/memif/udp_end.hpp"

GST_DEBUG_CATEGORY_STATIC(memifudpsrc_debug);
#define GST_CAT_DEFAULT memifudpsrc_debug

namespace {

enum : guint { kPropCaps = kUdpLast, kPropBufferSize, kPropDoTimestamp, kPropStats };

GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
GstStaticPadTemplate datagram_template =
    GST_STATIC_PAD_TEMPLATE("datagrams", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

DatagramQueue& queue_of(GstPad* pad) {
  return *static_cast<DatagramQueue*>(gst_pad_get_element_private(pad));
}

/** A pad whose datagrams get into the queue; it never stops the host, whatever becomes of them. */
GstPad* new_datagram_pad(DatagramQueue& queue) {
  GstPad* pad = gst_pad_new_from_static_template(&datagram_template, "datagrams");
  gst_object_ref_sink(pad);
  gst_pad_set_element_private(pad, &queue);
  gst_pad_set_chain_function(pad, [](GstPad* self, GstObject*, GstBuffer* buffer) {
    queue_of(self).add(GST_MINI_OBJECT_CAST(buffer));
    return GST_FLOW_OK;
  });
  gst_pad_set_chain_list_function(pad, [](GstPad* self, GstObject*, GstBufferList* list) {
    queue_of(self).add(GST_MINI_OBJECT_CAST(list));
    return GST_FLOW_OK;
  });
  gst_pad_set_event_function(pad, [](GstPad*, GstObject*, GstEvent* event) -> gboolean {
    gst_event_unref(event);
    return TRUE;
  });
  return pad;
}

void interrupt(GstPushSrc* src);
void resume(GstPushSrc* src);

}  // namespace

struct GstMemifUdpSrcState {
  explicit GstMemifUdpSrcState(GstPushSrc* src)
      : end(GST_ELEMENT_CAST(src), UdpEnd::Direction::receive),
        live(src, {interrupt, resume}),
        pad(new_datagram_pad(queue)) {}
  ~GstMemifUdpSrcState() {
    gst_clear_caps(&caps);
    gst_object_unref(pad);
  }

  UdpEnd end;
  DatagramQueue queue;
  LiveSource live;
  GstPad* const pad;  // from the host
  std::mutex mutex;   // guards what follows
  GstCaps* caps = nullptr;
  gint buffer_size = 0;
  std::atomic<bool> do_timestamp{true};
};

struct GstMemifUdpSrc {
  GstPushSrc parent;
  GstMemifUdpSrcState* state;
};
struct GstMemifUdpSrcClass {
  GstPushSrcClass parent_class;
};

static UdpEnd& end_of(gpointer instance) {
  return static_cast<GstMemifUdpSrc*>(instance)->state->end;
}

G_DEFINE_TYPE_WITH_CODE(GstMemifUdpSrc, gst_memif_udp_src, GST_TYPE_PUSH_SRC,
                        G_IMPLEMENT_INTERFACE(GST_TYPE_URI_HANDLER,
                                              (init_uri_handler<end_of, GST_URI_SRC>)))
GST_ELEMENT_REGISTER_DEFINE(memifudpsrc, "memifudpsrc", GST_RANK_NONE, gst_memif_udp_src_get_type())

namespace {

GstMemifUdpSrcState& state_of(gpointer instance) {
  return *static_cast<GstMemifUdpSrc*>(instance)->state;
}

LiveSource& live_of(gpointer instance) {
  return state_of(instance).live;
}

void interrupt(GstPushSrc* src) {
  state_of(src).queue.interrupt();
}

void resume(GstPushSrc* src) {
  state_of(src).queue.resume();
}

// ---- receiving --------------------------------------------------------------------------------

/** From the time of the host's clock to our running time. */
class Times {
 public:
  Times(GstElement* element, GstMemifUdpSrcState& state) {
    if (!state.do_timestamp.load(std::memory_order_relaxed)) return;
    GstClock* const hosts = state.end.user().clock();
    GST_OBJECT_LOCK(element);
    known_ = GST_ELEMENT_CLOCK(element) == hosts;
    offset_ = -static_cast<GstClockTimeDiff>(element->base_time);
    GST_OBJECT_UNLOCK(element);
    if (!known_) compare(state.live, hosts);
  }
  void apply(GstBuffer* buffer) const {
    GST_BUFFER_DTS(buffer) = GST_CLOCK_TIME_NONE;
    const GstClockTime then = GST_BUFFER_PTS(buffer);
    if (!known_ || !GST_CLOCK_TIME_IS_VALID(then)) {
      GST_BUFFER_PTS(buffer) = GST_CLOCK_TIME_NONE;
      return;
    }
    // What has arrived before the pipeline was started has the time of the start.
    const auto time = static_cast<GstClockTimeDiff>(then) + offset_;
    GST_BUFFER_PTS(buffer) = time > 0 ? static_cast<GstClockTime>(time) : 0;
  }

 private:
  /** What counts is the age. */
  void compare(LiveSource& live, GstClock* hosts) {
    const ClockPair now = read_clocks([hosts] { return gst_clock_get_time(hosts); },
                                      [&live] { return live.running_time(); });
    known_ = GST_CLOCK_TIME_IS_VALID(now.second);
    offset_ = GST_CLOCK_DIFF(now.first, now.second);
  }

  GstClockTimeDiff offset_ = 0;
  bool known_ = false;
};

GstMiniObject* with_times(GstElement* element, GstMiniObject* data, GstMemifUdpSrcState& state,
                          guint most) {
  const Times times(element, state);
  if (!GST_IS_BUFFER_LIST(data)) {
    GstBuffer* buffer = gst_buffer_make_writable(GST_BUFFER_CAST(data));
    times.apply(buffer);
    return GST_MINI_OBJECT_CAST(buffer);
  }
  GstBufferList* list = gst_buffer_list_make_writable(GST_BUFFER_LIST_CAST(data));
  const guint length = gst_buffer_list_length(list);
  // The stream ends behind them: see num-buffers.
  if (length > most) gst_buffer_list_remove(list, most, length - most);
  for (guint i = 0; i < std::min(length, most); ++i) {
    times.apply(gst_buffer_list_get_writable(list, i));
  }
  return GST_MINI_OBJECT_CAST(list);
}

GstFlowReturn gst_memif_udp_src_create(GstPushSrc* src, GstBuffer** out) {
  GstMemifUdpSrcState& state = state_of(src);
  return state.live.create(out, [src, &state](guint most, GstMiniObject** data) {
    GstMiniObject* taken = state.queue.take();
    if (taken == nullptr) return GST_FLOW_FLUSHING;
    *data = with_times(GST_ELEMENT_CAST(src), taken, state, most);
    return GST_FLOW_OK;
  });
}

gboolean gst_memif_udp_src_start(GstBaseSrc* src) {
  GstMemifUdpSrcState& state = state_of(src);
  state.queue.reset();
  gst_pad_set_active(state.pad, TRUE);
  if (state.end.open(state.pad)) return TRUE;
  gst_pad_set_active(state.pad, FALSE);
  return FALSE;
}

gboolean gst_memif_udp_src_stop(GstBaseSrc* src) {
  GstMemifUdpSrcState& state = state_of(src);
  state.end.close();
  gst_pad_set_active(state.pad, FALSE);
  state.live.drop_held();
  state.queue.clear();
  return TRUE;
}

GstStateChangeReturn gst_memif_udp_src_change_state(GstElement* element,
                                                    GstStateChange transition) {
  GstMemifUdpSrcState& state = state_of(element);
  if (transition == GST_STATE_CHANGE_NULL_TO_READY && !state.end.join()) {
    return GST_STATE_CHANGE_FAILURE;
  }
  const GstStateChangeReturn result = state.live.change_state(transition);
  if (transition == GST_STATE_CHANGE_READY_TO_NULL ||
      (transition == GST_STATE_CHANGE_NULL_TO_READY && result == GST_STATE_CHANGE_FAILURE)) {
    state.end.leave();
  }
  return result;
}

// ---- caps -------------------------------------------------------------------------------------

GstCaps* gst_memif_udp_src_get_caps(GstBaseSrc* src, GstCaps* filter) {
  GstMemifUdpSrcState& state = state_of(src);
  GstCaps* caps = nullptr;
  {
    const std::lock_guard lock(state.mutex);
    caps = state.caps != nullptr ? gst_caps_ref(state.caps) : gst_caps_new_any();
  }
  if (filter == nullptr) return caps;
  GstCaps* filtered = gst_caps_intersect_full(filter, caps, GST_CAPS_INTERSECT_FIRST);
  gst_caps_unref(caps);
  return filtered;
}

gboolean gst_memif_udp_src_decide_allocation(GstBaseSrc*, GstQuery* query) {
  remove_allocation_offers(query);
  return TRUE;
}

void set_caps_property(GstMemifUdpSrcState& state, const GValue* value) {
  auto* caps = static_cast<GstCaps*>(g_value_dup_boxed(value));
  {
    const std::lock_guard lock(state.mutex);
    std::swap(caps, state.caps);
  }
  gst_clear_caps(&caps);
  state.live.reconfigure();
}

// ---- GObject ----------------------------------------------------------------------------------

void gst_memif_udp_src_set_property(GObject* object, guint id, const GValue* value,
                                    GParamSpec* spec) {
  GstMemifUdpSrcState& state = state_of(object);
  if (state.end.set_property(id, value, spec)) return;
  switch (id) {
    case kPropCaps:
      set_caps_property(state, value);
      break;
    case kPropBufferSize: {
      const std::lock_guard lock(state.mutex);
      state.buffer_size = g_value_get_int(value);
      state.queue.set_limit(static_cast<std::size_t>(state.buffer_size));
      break;
    }
    case kPropDoTimestamp:
      state.do_timestamp.store(g_value_get_boolean(value) != FALSE);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
      break;
  }
}

/** What has left the element, and what the way to it has lost. */
GstStructure* gst_memif_udp_src_stats(GstMemifUdpSrcState& state) {
  GstStructure* stats = state.end.stats();
  const DatagramQueue::Counts counts = state.queue.counts();
  gst_structure_set(stats, "datagrams", G_TYPE_UINT64, guint64{counts.datagrams}, "bytes",
                    G_TYPE_UINT64, guint64{counts.bytes}, "dropped", G_TYPE_UINT64,
                    guint64{counts.dropped}, "flushed", G_TYPE_UINT64, guint64{counts.flushed},
                    nullptr);
  return stats;
}

void gst_memif_udp_src_get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  GstMemifUdpSrcState& state = state_of(object);
  if (state.end.get_property(id, value, spec)) return;
  if (id == kPropStats) {
    g_value_take_boxed(value, gst_memif_udp_src_stats(state));
    return;
  }
  const std::lock_guard lock(state.mutex);
  switch (id) {
    case kPropCaps:
      gst_value_set_caps(value, state.caps);
      break;
    case kPropBufferSize:
      g_value_set_int(value, state.buffer_size);
      break;
    case kPropDoTimestamp:
      g_value_set_boolean(value, state.do_timestamp.load());
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
      break;
  }
}

void gst_memif_udp_src_finalize(GObject* object) {
  delete reinterpret_cast<GstMemifUdpSrc*>(object)->state;
  G_OBJECT_CLASS(gst_memif_udp_src_parent_class)->finalize(object);
}

void install_own_properties(GObjectClass* klass) {
  g_object_class_install_property(
      klass, kPropCaps,
      g_param_spec_boxed("caps", "Caps", "Caps of the datagrams; none: they have no caps",
                         GST_TYPE_CAPS, kPlaying));
  g_object_class_install_property(klass, kPropBufferSize,
                                  g_param_spec_int("buffer-size", "Buffer size",
                                                   "Most bytes of payload that wait here; further "
                                                   "datagrams are dropped and counted; 0: 16 MiB",
                                                   0, G_MAXINT, 0, kPlaying));
  g_object_class_install_property(
      klass, kPropDoTimestamp,
      g_param_spec_boolean("do-timestamp", "Do timestamp",
                           "Give buffers the running time of their arrival", TRUE, kPlaying));
  g_object_class_install_property(
      klass, kPropStats,
      stats_spec("Counters since PAUSED, and while it runs those of the shared host and link"));
}

}  // namespace

static void gst_memif_udp_src_class_init(GstMemifUdpSrcClass* klass) {
  GST_DEBUG_CATEGORY_INIT(memifudpsrc_debug, "memifudpsrc", 0, "memif UDP source");
  GObjectClass* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = gst_memif_udp_src_set_property;
  object_class->get_property = gst_memif_udp_src_get_property;
  object_class->finalize = gst_memif_udp_src_finalize;
  UdpEnd::install_properties(object_class, UdpEnd::Direction::receive);
  install_own_properties(object_class);

  GstElementClass* element_class = GST_ELEMENT_CLASS(klass);
  gst_element_class_add_static_pad_template(element_class, &src_template);
  gst_element_class_set_static_metadata(
      element_class, "memif UDP source", "Source/Network",
      "Receives UDP datagrams from a memif interface, with the properties of udpsrc",
      PLUGIN_AUTHOR);
  add_documentation_uri(element_class, DOCUMENTATION_URI("memifudpsrc"));

  GstPushSrcClass* push = GST_PUSH_SRC_CLASS(klass);
  install_live_source<live_of>(push);
  push->create = gst_memif_udp_src_create;
  element_class->change_state = gst_memif_udp_src_change_state;
  GstBaseSrcClass* base = GST_BASE_SRC_CLASS(klass);
  base->start = gst_memif_udp_src_start;
  base->stop = gst_memif_udp_src_stop;
  base->get_caps = gst_memif_udp_src_get_caps;
  base->decide_allocation = gst_memif_udp_src_decide_allocation;
}

static void gst_memif_udp_src_init(GstMemifUdpSrc* self) {
  self->state = new GstMemifUdpSrcState(GST_PUSH_SRC(self));
}
