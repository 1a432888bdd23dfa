// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * SECTION:element-memifsrc
 * @title: memifsrc
 * @short_description: receives packets from a memif interface
 * @see_also: memifsink, memifudpsrc, icmpresponder
 *
 * Receives packets from one queue of a memif interface: shared memory through which VPP, DPDK or
 * another memif program exchanges packets with this one. A #memifsink with the same
 * #memifsrc:socket-path, #memifsrc:id and #memifsrc:role is the other direction of the same
 * interface.
 *
 * The source is live. It starts without a peer and keeps running when the peer leaves;
 * #memifsrc:eos-on-disconnect ends the stream instead. Buffers are stamped with the running time of
 * their arrival, whatever `do-timestamp` says, and `num-buffers` counts packets.
 *
 * To receive from a #memifsink with #memifsink:any-caps set, set #memifsrc:caps to the caps of the
 * sender. `gdpdepay` takes what `gdppay` sent, with no caps set here.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 memifsrc socket-path=/run/vpp/memif.sock ! icmpresponder address=192.168.1.1 !
 * memifsink socket-path=/run/vpp/memif.sock
 * ]| Answers ARP and ping on an interface whose other end is VPP, as the master.
 *
 * Since: 0.2
 */
#include "plugins/memif/gstmemifsrc.hpp"

#include <algorithm>
#include <atomic>
#include <optional>

#include "gst/common/cache_line.hpp"
#include "gst/packet/batch.hpp"
#include "gst/packet/caps.hpp"
#include "plugins/common/documentation.hpp"
#include "plugins/common/live_source.hpp"
#include "plugins/memif/cpu_affinity.hpp"
#include "plugins/memif/gdp.hpp"
#include "plugins/memif/memif_element.hpp"
#include "plugins/memif/memif_log.hpp"
#include "plugins/memif/rx_buffers.hpp"
#include "plugins/memif/video_layout.hpp"

GST_DEBUG_CATEGORY_STATIC(memifsrc_debug);
#define GST_CAT_DEFAULT memifsrc_debug

using gstmemif::RxMode;
using gstmemif::RxSegment;
using gstmemif::WaitResult;

namespace {

enum : guint {
  kPropRxMode = kPropCommonLast,
  kPropBatchSize,
  kPropBatches,
  kPropCpuAffinity,
  kPropCaps,
  kPropEosOnDisconnect,
  kPropLendFrames,
  kPropTimeout
};

/** Which packets may be lent that are longer than a recycled buffer, when each has its own. */
enum class LendPolicy : gint { never, raw, always };

constexpr gint64 kNotQuiet = -1;

gint64 monotonic_ns() {
  return g_get_monotonic_time() * 1000;
}

GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

}  // namespace

static bool gst_memif_src_leave_link(GstElement* src);

struct alignas(gstcommon::kCacheLine) GstMemifSrcState {
  explicit GstMemifSrcState(GstPushSrc* src);
  ~GstMemifSrcState() { gst_clear_caps(&caps); }

  MemifElement common;
  LiveSource live;
  std::mutex mutex;  // guards what follows; the streaming thread needs no lock for the receiver
  std::unique_ptr<gstmemif::Receiver> receiver;
  RxMode rx_mode = RxMode::adaptive;
  std::string cpu_affinity;
  GstCaps* caps = nullptr;
  std::atomic<guint> batch_size{guint{GST_PACKET_BATCH_MAX}};
  std::atomic<bool> batches{true};
  std::atomic<bool> eos_on_disconnect{false};
  std::atomic<LendPolicy> lend_frames{LendPolicy::raw};
  std::atomic<guint64> timeout{0};  // nanoseconds; 0: none
  // Streaming thread only.
  CpuAffinity affinity;
  bool send_batches = false;
  bool lend_long = false;
  gint64 quiet_since = kNotQuiet;  // nanoseconds of the monotonic clock
  // The drops that there was a warning about, of any number.
  bool warned_too_long = false;
  bool warned_no_memory = false;
  bool warned_picture = false;
  gsize picture_size = 0;                        // that raw video should have, or 0
  const gstmemif::Counter* no_memory = nullptr;  // of the receiver
  std::uint64_t no_memory_before = 0;            // counted so in earlier runs
  std::optional<RxBatchPool> batch_pool;         // while sending batches
  std::optional<RxBufferPool> buffers;           // while not sending batches
};

struct GstMemifSrc {
  GstPushSrc parent;
  GstMemifSrcState* state;
};
struct GstMemifSrcClass {
  GstPushSrcClass parent_class;
};

G_DEFINE_TYPE(GstMemifSrc, gst_memif_src, GST_TYPE_PUSH_SRC)
GST_ELEMENT_REGISTER_DEFINE(memifsrc, "memifsrc", GST_RANK_NONE, gst_memif_src_get_type())

static GType gst_memif_rx_mode_get_type(void) {
  static const GEnumValue kValues[] = {
      {static_cast<gint>(RxMode::interrupt),
       "Sleep until the peer sends an interrupt: no CPU load when idle", "interrupt"},
      {static_cast<gint>(RxMode::polling), "Poll the ring all the time: lowest latency, one CPU",
       "polling"},
      {static_cast<gint>(RxMode::adaptive), "Poll for a moment after each packet, then sleep",
       "adaptive"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstMemifRxMode", kValues);
  return type;
}

static GType gst_memif_lend_frames_get_type(void) {
  static const GEnumValue kValues[] = {
      {static_cast<gint>(LendPolicy::never), "None", "never"},
      {static_cast<gint>(LendPolicy::raw),
       "Raw video and audio (video/x-raw, audio/x-raw), whose bytes no element acts upon", "raw"},
      {static_cast<gint>(LendPolicy::always), "All: if the peer is trusted", "always"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstMemifLendFrames", kValues);
  return type;
}

namespace {

GstMemifSrcState& state_of(gpointer instance) {
  return *static_cast<GstMemifSrc*>(instance)->state;
}

LiveSource& live_of(gpointer instance) {
  return state_of(instance).live;
}

// ---- CPU affinity ---------------------------------------------------------------------------

void gst_memif_src_enter_thread(GstElement* src) {
  GstMemifSrcState& state = state_of(src);
  std::string text;
  {
    const std::lock_guard lock(state.mutex);
    text = state.cpu_affinity;
  }
  if (const int error = state.affinity.enter(text); error != 0) {
    GST_ELEMENT_WARNING(src, RESOURCE, SETTINGS,
                        ("cpu-affinity=%s cannot be applied: %s. The thread runs on any CPU.",
                         text.c_str(), g_strerror(error)),
                        ("use CPUs that this process may use, such as 0,2-3"));
  }
}

/** A streaming thread posts this when it begins and when it ends. */
gboolean gst_memif_src_post_message(GstElement* src, GstMessage* message) {
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_STREAM_STATUS) {
    GstStreamStatusType type;
    gst_message_parse_stream_status(message, &type, nullptr);
    if (type == GST_STREAM_STATUS_TYPE_ENTER) gst_memif_src_enter_thread(src);
    if (type == GST_STREAM_STATUS_TYPE_LEAVE) state_of(src).affinity.leave();
  }
  return state_of(src).live.post_message(message);
}

bool gst_memif_src_check_affinity(GstElement* src) {
  GstMemifSrcState& state = state_of(src);
  const std::lock_guard lock(state.mutex);
  if (state.cpu_affinity.empty() || parse_cpus(state.cpu_affinity)) return true;
  GST_ELEMENT_ERROR(src, RESOURCE, SETTINGS,
                    ("Invalid cpu-affinity=%s: must be CPU numbers and ranges separated by commas, "
                     "such as 0,2-3.",
                     state.cpu_affinity.c_str()),
                    ("memif settings"));
  return false;
}

// ---- Receiving ------------------------------------------------------------------------------

/** The packets in the ring; null if there are none, or without memory. */
GstMiniObject* gst_memif_src_take_packets(GstMemifSrcState& state, guint most) {
  gstmemif::Receiver& receiver = *state.receiver;
  most = std::min(most, state.batch_size.load(std::memory_order_relaxed));
  if (state.send_batches) {
    GstBuffer* batch = receive_batch(receiver, most, *state.batch_pool);
    if (batch != nullptr) GST_BUFFER_PTS(batch) = state.live.running_time();
    return GST_MINI_OBJECT_CAST(batch);
  }
  if (state.lend_long) {
    return receive_lending_long(receiver, most, state.live.running_time(), *state.buffers);
  }
  const std::span<const RxSegment> segments = receiver.receive(most);
  if (segments.empty()) return nullptr;
  return make_buffers(segments, state.live.running_time(), *state.buffers, receiver.stats());
}

/** Packets that were received, and that a flush or a stop kept from going on. */
void gst_memif_src_count_flushed(GstMemifSrcState& state) {
  const guint64 packets = state.live.take_dropped();
  if (packets != 0) state.receiver->stats().drop(gstmemif::DropReason::flushed, packets);
}

void gst_memif_src_warn(GstPushSrc* src, bool& warned, const std::string& text) {
  warned = true;
  GST_ELEMENT_WARNING(src, RESOURCE, SETTINGS, ("%s", text.c_str()),
                      ("there are no further warnings of this kind, also for other packets"));
}

/** Of packets that a limit of ours keeps out, once for each limit. */
void gst_memif_src_report_limits(GstPushSrc* src, GstMemifSrcState& state) {
  gstmemif::Receiver& receiver = *state.receiver;
  if (const std::uint64_t length = receiver.too_long(); !state.warned_too_long && length != 0) {
    gst_memif_src_warn(src, state.warned_too_long,
                       "A packet of " + std::to_string(length) +
                           " bytes was dropped: max-packet-size=" +
                           std::to_string(receiver.interface().settings().max_packet_size) +
                           ". Set max-packet-size=" + std::to_string(length) + ".");
  }
  if (!state.warned_no_memory && state.no_memory->get() != state.no_memory_before) {
    gst_memif_src_warn(src, state.warned_no_memory,
                       "A packet was dropped, as there is no memory to copy it: copy-limit=" +
                           std::to_string(receiver.interface().settings().copy_limit) +
                           ". Set a larger copy-limit, or let less be held downstream.");
  }
}

/** Of raw video with other caps than the sender's, which would be shown as they are not. */
void gst_memif_src_check_picture(GstPushSrc* src, GstMemifSrcState& state, GstMiniObject* packets) {
  if (state.warned_picture || !GST_IS_BUFFER(packets)) return;
  const gsize size = gst_buffer_get_size(GST_BUFFER_CAST(packets));
  if (size == state.picture_size) return;
  gst_memif_src_warn(src, state.warned_picture,
                     "A packet has " + std::to_string(size) +
                         " bytes, and a picture with the caps that are set here has " +
                         std::to_string(state.picture_size) + ". Set caps to those of the sender.");
}

// A deadline after a longer wait could not be expressed; then it begins anew.
constexpr guint64 kLongestWait = 3600 * GST_SECOND;

/** How long to wait for packets, in nanoseconds. Without a timeout no clock is read. */
gint64 gst_memif_src_patience(GstMemifSrcState& state) {
  const guint64 limit = state.timeout.load(std::memory_order_relaxed);
  if (limit == 0) return gstmemif::kForever;
  const gint64 now = monotonic_ns();
  if (state.quiet_since == kNotQuiet) state.quiet_since = now;
  const auto quiet = static_cast<guint64>(now - state.quiet_since);
  return static_cast<gint64>(std::min(limit - std::min(limit, quiet), kLongestWait));
}

/** Nothing came for the time that was set, if there is one still. */
void gst_memif_src_report_silence(GstPushSrc* src, GstMemifSrcState& state) {
  const guint64 limit = state.timeout.load(std::memory_order_relaxed);
  const gint64 now = monotonic_ns();
  if (limit == 0 || static_cast<guint64>(now - state.quiet_since) < limit) return;
  state.quiet_since = now;  // again after as long a silence
  GST_DEBUG_OBJECT(src, "no packet for %" GST_TIME_FORMAT, GST_TIME_ARGS(limit));
  gst_element_post_message(
      GST_ELEMENT_CAST(src),
      gst_message_new_element(
          GST_OBJECT_CAST(src),
          gst_structure_new("GstMemifSrcTimeout", "timeout", G_TYPE_UINT64, limit, nullptr)));
}

/** Takes packets from the ring, or waits for some. */
GstFlowReturn gst_memif_src_take(GstPushSrc* src, GstMemifSrcState& state, guint most,
                                 GstMiniObject** out) {
  gstmemif::Receiver& receiver = *state.receiver;
  gst_memif_src_count_flushed(state);
  if (receiver.lost_link() && state.eos_on_disconnect.load()) return GST_FLOW_EOS;
  GstMiniObject* packets = gst_memif_src_take_packets(state, most);
  // Also without packets: dropped ones have slots to return.
  const bool usable = receiver.release();
  gst_memif_src_report_limits(src, state);
  if (packets != nullptr && usable) {
    if (state.picture_size != 0) gst_memif_src_check_picture(src, state, packets);
    *out = packets;
    state.quiet_since = kNotQuiet;
    return GST_FLOW_OK;
  }
  if (packets != nullptr) gst_mini_object_unref(packets);
  switch (receiver.wait(gst_memif_src_patience(state))) {
    case WaitResult::interrupted:
      return GST_FLOW_FLUSHING;
    case WaitResult::link_changed:
      state.common.check_queue(receiver, receiver.has_queue());
      break;
    case WaitResult::timeout:
      gst_memif_src_report_silence(src, state);
      break;
    case WaitResult::ready:
      break;
  }
  return GST_FLOW_OK;
}

GstFlowReturn gst_memif_src_create(GstPushSrc* src, GstBuffer** out) {
  GstMemifSrcState& state = state_of(src);
  return state.live.create(out, [src, &state](guint most, GstMiniObject** data) {
    return gst_memif_src_take(src, state, most, data);
  });
}

// An EOS from any thread gets here too, also while a state change lets the receiver go.
void gst_memif_src_interrupt(GstPushSrc* src) {
  GstMemifSrcState& state = state_of(src);
  const std::lock_guard lock(state.mutex);
  if (state.receiver) state.receiver->interrupt();
}

void gst_memif_src_resume(GstPushSrc* src) {
  GstMemifSrcState& state = state_of(src);
  const std::lock_guard lock(state.mutex);
  if (state.receiver) state.receiver->resume();
}

/** Leaves a link that is gone, unless there are packets in it. */
void gst_memif_src_let_go(GstPushSrc* src) {
  GstMemifSrcState& state = state_of(src);
  const std::lock_guard lock(state.mutex);
  if (state.receiver) state.receiver->refresh_ahead();
}

}  // namespace

/** While packets are received the streaming thread leaves it by itself. */
static bool gst_memif_src_leave_link(GstElement* src) {
  live_of(src).let_go();
  return true;
}

GstMemifSrcState::GstMemifSrcState(GstPushSrc* src)
    : common(GST_ELEMENT_CAST(src), MemifElement::Direction::receive, gst_memif_src_leave_link),
      live(src, {gst_memif_src_interrupt, gst_memif_src_resume, gst_memif_src_let_go}) {
  live.set_remedy("Set mode on memifsrc and its peer to the kind of packets that it takes");
}

namespace {

gboolean gst_memif_src_start(GstBaseSrc* src) {
  GstMemifSrcState& state = state_of(src);
  auto interface = state.common.start();
  if (!interface) return FALSE;
  RxMode mode;
  {
    const std::lock_guard lock(state.mutex);
    mode = state.rx_mode;
  }
  auto receiver = gstmemif::Receiver::open(std::move(interface),
                                           static_cast<std::uint32_t>(state.common.queue()), mode);
  if (!receiver) {
    state.common.post_error(receiver.error());
    state.common.stop();
    return FALSE;
  }
  state.warned_too_long = false;
  state.warned_no_memory = false;
  state.warned_picture = false;
  state.quiet_since = kNotQuiet;
  state.no_memory =
      &(*receiver)->stats().drops[static_cast<std::size_t>(gstmemif::DropReason::no_memory)];
  state.no_memory_before = state.no_memory->get();
  const std::lock_guard lock(state.mutex);
  state.receiver = std::move(*receiver);
  state.receiver->refresh_ahead();  // the link may have gone before it could be left
  return TRUE;
}

gboolean gst_memif_src_stop(GstBaseSrc* src) {
  GstMemifSrcState& state = state_of(src);
  state.live.drop_held();
  gst_memif_src_count_flushed(state);
  {
    const std::lock_guard lock(state.mutex);
    state.receiver.reset();
  }
  state.buffers.reset();
  state.batch_pool.reset();
  state.common.stop();
  return TRUE;
}

GstCaps* gst_memif_src_own_caps(GstMemifSrcState& state) {
  bool open = false;
  {
    const std::lock_guard lock(state.mutex);
    if (state.caps != nullptr) return gst_caps_ref(state.caps);
    open = state.receiver == nullptr;
  }
  // What is linked before the start says then what it does not take, and why.
  GstCaps* caps = open ? gstpacket::make_caps() : state.common.packet_caps();
  gst_caps_append(caps, gst_caps_new_empty_simple(kGdpMediaType));
  return caps;
}

GstCaps* gst_memif_src_get_caps(GstBaseSrc* src, GstCaps* filter) {
  GstCaps* caps = gst_memif_src_own_caps(state_of(src));
  if (filter == nullptr) return caps;
  GstCaps* filtered = gst_caps_intersect_full(filter, caps, GST_CAPS_INTERSECT_FIRST);
  gst_caps_unref(caps);
  return filtered;
}

/** Whether elements take such data as it is, without a decision that depends on its bytes. */
bool is_raw(const GstCaps* caps) {
  if (caps == nullptr || gst_caps_get_size(caps) == 0) return false;
  const GstStructure* fields = gst_caps_get_structure(caps, 0);
  return gst_structure_has_name(fields, "video/x-raw") ||
         gst_structure_has_name(fields, "audio/x-raw");
}

/** How single packets are handled, which depends on what they are. */
void gst_memif_src_look_at_caps(GstMemifSrcState& state, GstQuery* query) {
  GstCaps* caps = nullptr;
  gst_query_parse_allocation(query, &caps, nullptr);
  const LendPolicy policy = state.lend_frames.load();
  state.lend_long = policy == LendPolicy::always || (policy == LendPolicy::raw && is_raw(caps));
  const std::optional<GstVideoInfo> video = video_layout(caps);
  state.picture_size = video && !state.send_batches ? video->size : 0;
}

gboolean gst_memif_src_decide_allocation(GstBaseSrc* src, GstQuery* query) {
  GstMemifSrcState& state = state_of(src);
  state.send_batches = state.batches.load() && gst_query_allows_packet_batches(query);
  state.live.set_batches(state.send_batches);
  remove_allocation_offers(query);
  if (state.send_batches) {
    state.buffers.reset();
    if (!state.batch_pool) state.batch_pool.emplace();
  } else if (!state.buffers) {
    state.batch_pool.reset();
    gstmemif::Interface& interface = state.receiver->interface();
    state.buffers.emplace(std::min(interface.settings().buffer_size, kLongestRecycled),
                          interface.copy_budget());
  }
  gst_memif_src_look_at_caps(state, query);
  GST_INFO_OBJECT(src, "sending %s%s", state.send_batches ? "batches" : "a packet per buffer",
                  !state.send_batches && state.lend_long ? ", long ones lent" : "");
  return TRUE;
}

// ---- GObject --------------------------------------------------------------------------------

GstStateChangeReturn gst_memif_src_change_state(GstElement* element, GstStateChange transition) {
  GstMemifSrcState& state = state_of(element);
  if (transition == GST_STATE_CHANGE_NULL_TO_READY &&
      (!gst_memif_src_check_affinity(element) || !state.common.join())) {
    return GST_STATE_CHANGE_FAILURE;
  }
  const GstStateChangeReturn result = state.live.change_state(transition);
  const bool failed_up =
      transition == GST_STATE_CHANGE_NULL_TO_READY && result == GST_STATE_CHANGE_FAILURE;
  if (transition == GST_STATE_CHANGE_READY_TO_NULL || failed_up) state.common.leave();
  return result;
}

void gst_memif_src_set_caps_property(GstMemifSrc* self, const GValue* value) {
  GstCaps* caps = gst_value_get_caps(value) != nullptr
                      ? gst_caps_ref(const_cast<GstCaps*>(gst_value_get_caps(value)))
                      : nullptr;
  {
    const std::lock_guard lock(self->state->mutex);
    std::swap(caps, self->state->caps);
  }
  gst_clear_caps(&caps);
  self->state->live.reconfigure();
}

void gst_memif_src_set_property(GObject* object, guint id, const GValue* value, GParamSpec* pspec) {
  GstMemifSrcState& state = state_of(object);
  if (state.common.set_property(id, value)) return;
  switch (id) {
    case kPropRxMode: {
      const std::lock_guard lock(state.mutex);
      state.rx_mode = static_cast<RxMode>(g_value_get_enum(value));
      if (state.receiver) state.receiver->set_mode(state.rx_mode);
      break;
    }
    case kPropBatchSize:
      state.batch_size.store(g_value_get_uint(value), std::memory_order_relaxed);
      break;
    case kPropBatches:
      state.batches.store(g_value_get_boolean(value) != FALSE);
      state.live.reconfigure();
      break;
    case kPropCpuAffinity: {
      const gchar* text = g_value_get_string(value);
      const std::lock_guard lock(state.mutex);
      state.cpu_affinity = text != nullptr ? text : "";
      break;
    }
    case kPropEosOnDisconnect:
      state.eos_on_disconnect.store(g_value_get_boolean(value) != FALSE);
      break;
    case kPropLendFrames:
      state.lend_frames.store(static_cast<LendPolicy>(g_value_get_enum(value)));
      state.live.reconfigure();
      break;
    case kPropTimeout:
      state.timeout.store(g_value_get_uint64(value), std::memory_order_relaxed);
      state.live.rouse();
      break;
    case kPropCaps:
      gst_memif_src_set_caps_property(reinterpret_cast<GstMemifSrc*>(object), value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
      break;
  }
}

void gst_memif_src_get_property(GObject* object, guint id, GValue* value, GParamSpec* pspec) {
  GstMemifSrcState& state = state_of(object);
  if (state.common.get_property(id, value)) return;
  const std::lock_guard lock(state.mutex);
  switch (id) {
    case kPropRxMode:
      g_value_set_enum(value, static_cast<gint>(state.rx_mode));
      break;
    case kPropBatchSize:
      g_value_set_uint(value, state.batch_size.load(std::memory_order_relaxed));
      break;
    case kPropBatches:
      g_value_set_boolean(value, state.batches.load());
      break;
    case kPropCpuAffinity:
      g_value_set_string(value, state.cpu_affinity.c_str());
      break;
    case kPropEosOnDisconnect:
      g_value_set_boolean(value, state.eos_on_disconnect.load());
      break;
    case kPropLendFrames:
      g_value_set_enum(value, static_cast<gint>(state.lend_frames.load()));
      break;
    case kPropTimeout:
      g_value_set_uint64(value, state.timeout.load(std::memory_order_relaxed));
      break;
    case kPropCaps:
      gst_value_set_caps(value, state.caps);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
      break;
  }
}

void gst_memif_src_finalize(GObject* object) {
  delete reinterpret_cast<GstMemifSrc*>(object)->state;
  G_OBJECT_CLASS(gst_memif_src_parent_class)->finalize(object);
}

void gst_memif_src_install_properties(GObjectClass* klass) {
  constexpr auto kPlaying = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                     GST_PARAM_MUTABLE_PLAYING);
  constexpr auto kReady = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                   GST_PARAM_MUTABLE_READY);
  MemifElement::install_properties(klass, MemifElement::Direction::receive);
  g_object_class_install_property(
      klass, kPropRxMode,
      g_param_spec_enum("rx-mode", "Receive mode", "How to wait for packets",
                        gst_memif_rx_mode_get_type(), static_cast<gint>(RxMode::adaptive),
                        kPlaying));
  g_object_class_install_property(
      klass, kPropBatchSize,
      g_param_spec_uint("batch-size", "Batch size",
                        "Maximum number of packets per push; larger batches cost less per packet",
                        1, GST_PACKET_BATCH_MAX, GST_PACKET_BATCH_MAX, kPlaying));
  g_object_class_install_property(
      klass, kPropBatches,
      g_param_spec_boolean("batches", "Batches",
                           "Push many packets per buffer to elements that support it; otherwise "
                           "one packet per buffer",
                           TRUE, kPlaying));
  g_object_class_install_property(
      klass, kPropCpuAffinity,
      g_param_spec_string("cpu-affinity", "CPU affinity",
                          "CPUs that the streaming thread may use, such as 0,2-3; empty: any", "",
                          kReady));
  g_object_class_install_property(
      klass, kPropCaps,
      g_param_spec_boxed(
          "caps", "Caps",
          "Caps of the packets; NULL: application/x-packet, or application/x-gdp for gdpdepay",
          GST_TYPE_CAPS, kPlaying));
  g_object_class_install_property(
      klass, kPropEosOnDisconnect,
      g_param_spec_boolean("eos-on-disconnect", "EOS on disconnect",
                           "End the stream when the peer leaves, after its last packets; if false, "
                           "wait for its return",
                           FALSE, kPlaying));
  g_object_class_install_property(
      klass, kPropLendFrames,
      g_param_spec_enum("lend-frames", "Lend frames",
                        "Which packets of more than 16384 bytes are pushed uncopied, where the "
                        "peer can change them",
                        gst_memif_lend_frames_get_type(), static_cast<gint>(LendPolicy::raw),
                        kPlaying));
  g_object_class_install_property(
      klass, kPropTimeout,
      g_param_spec_uint64("timeout", "Timeout",
                          "Nanoseconds without a packet after which GstMemifSrcTimeout is posted; "
                          "0: never",
                          0, G_MAXUINT64, 0, kPlaying));
  gst_type_mark_as_plugin_api(gst_memif_rx_mode_get_type(), GstPluginAPIFlags(0));
  gst_type_mark_as_plugin_api(gst_memif_lend_frames_get_type(), GstPluginAPIFlags(0));
}

}  // namespace

static void gst_memif_src_class_init(GstMemifSrcClass* klass) {
  gst_memif_log_init();
  GST_DEBUG_CATEGORY_INIT(memifsrc_debug, "memifsrc", 0, "memif packet source");
  GObjectClass* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = gst_memif_src_set_property;
  object_class->get_property = gst_memif_src_get_property;
  object_class->finalize = gst_memif_src_finalize;
  gst_memif_src_install_properties(object_class);

  install_live_source<live_of>(&klass->parent_class);
  GstElementClass* element_class = GST_ELEMENT_CLASS(klass);
  element_class->change_state = gst_memif_src_change_state;
  element_class->post_message = gst_memif_src_post_message;
  gst_element_class_add_static_pad_template(element_class, &src_template);
  gst_element_class_set_static_metadata(
      element_class, "memif packet source", "Source/Network",
      "Receives packets from VPP, DPDK or another program through shared memory (memif)",
      PLUGIN_AUTHOR);
  add_documentation_uri(element_class, DOCUMENTATION_URI("memifsrc"));

  GstBaseSrcClass* base_class = GST_BASE_SRC_CLASS(klass);
  base_class->start = gst_memif_src_start;
  base_class->stop = gst_memif_src_stop;
  base_class->get_caps = gst_memif_src_get_caps;
  base_class->decide_allocation = gst_memif_src_decide_allocation;
  klass->parent_class.create = gst_memif_src_create;
}

static void gst_memif_src_init(GstMemifSrc* self) {
  self->state = new GstMemifSrcState(&self->parent);
}
