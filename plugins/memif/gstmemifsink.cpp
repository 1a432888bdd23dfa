// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * SECTION:element-memifsink
 * @title: memifsink
 * @short_description: sends packets to a memif interface
 * @see_also: memifsrc
 *
 * Sends packets, one per buffer, into one queue of a memif interface, or spreads flows over all of
 * its queues (#memifsink:queue -1). A memif interface is a shared memory link to VPP, DPDK or any
 * other program that speaks memif. A #memifsrc with the same socket path, id and role
 * is the other direction of the same interface.
 *
 * As slave it proposes a pool of buffers in the shared memory: packets that are written into these
 * are sent without a copy.
 *
 * Packets longer than the buffer of a slot are chained over several slots. When the ring is full,
 * or no peer is there, packets are dropped and counted or the element waits, as
 * #memifsink:when-full and #memifsink:when-down say. At the end of the stream the element waits
 * until the peer has taken what is in the ring, see #memifsink:drain-timeout, and posts a message
 * of type info with the figures if packets were lost, or a warning if all were.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 memifsrc socket-path=/tmp/a.sock role=master ! memifsink socket-path=/tmp/b.sock
 * role=master
 * ]| Forwards packets from one interface to another.
 *
 * Since: 0.1
 */
#include "plugins/memif/gstmemifsink.hpp"

#include <gst/base/gstbasesink.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <optional>

#include "gst/packet/batch.hpp"
#include "gst/packet/caps.hpp"
#include "gst/packet/switch_event.hpp"
#include "plugins/common/documentation.hpp"
#include "plugins/memif/delivery_report.hpp"
#include "plugins/memif/flow_spreader.hpp"
#include "plugins/memif/gstmemifarena.hpp"
#include "plugins/memif/gstmemifpool.hpp"
#include "plugins/memif/gstmemifslotmemory.hpp"
#include "plugins/memif/memif_element.hpp"
#include "plugins/memif/memif_log.hpp"
#include "plugins/memif/packet_descs.hpp"

GST_DEBUG_CATEGORY_STATIC(memifsink_debug);
#define GST_CAT_DEFAULT memifsink_debug

using gstmemif::DropReason;
using gstmemif::SendResult;
using gstmemif::TxBurst;
using gstmemif::TxPacket;
using gstmemif::TxSegment;
using gstmemif::WaitResult;

namespace {

enum : guint { kPropWhenFull = kPropCommonLast, kPropWhenDown, kPropDrainTimeout };

/** How to handle a packet that cannot be sent now. */
enum class Policy : gint { block, drop, automatic };

// Of a buffer; GStreamer's have 16 at the most.
constexpr guint kMaxMemories = 64;

constexpr guint64 kDrainTimeout = GST_SECOND;
// Bounds the wait for a peer that takes one packet after another, each at the last moment.
constexpr std::int64_t kDrainTimeouts = 60;
// A stop without EOS should not wait, nor should the other ports of a switch: a peer that makes
// progress gets this long, after a stop counted from the last packet sent.
constexpr std::int64_t kStopPatienceNs = 5'000'000;
constexpr std::int64_t kStopLimitNs = 50'000'000;

}  // namespace

struct GstMemifSinkState {
  explicit GstMemifSinkState(GstElement* element)
      : common(element, MemifElement::Direction::send) {}

  MemifElement common;
  std::mutex mutex;  // guards what follows against unlock() and queries from other threads
  std::unique_ptr<FlowSpreader> queues;
  std::shared_ptr<LinkProvider> link_provider;  // as slave only
  std::uint32_t buffer_size = 0;
  // Of the streaming thread.
  bool have_caps = false;
  bool behind_switch = false;
  std::atomic<Policy> when_full{Policy::automatic};
  std::atomic<Policy> when_down{Policy::drop};
  std::atomic<guint64> drain_timeout{kDrainTimeout};
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
      {static_cast<gint>(Policy::automatic),
       "Wait; behind a switch, such as ethbridge, only briefly, then drop and count", "auto"},
      {static_cast<gint>(Policy::block), "Wait, even if this holds up the other ports of a switch",
       "block"},
      {static_cast<gint>(Policy::drop), "Drop the packet and count it", "drop"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstMemifWhenFull", kValues);
  return type;
}

static GType gst_memif_policy_get_type(void) {
  static const GEnumValue kValues[] = {
      {static_cast<gint>(Policy::block), "Wait", "block"},
      {static_cast<gint>(Policy::drop), "Drop the packet and count it", "drop"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstMemifPolicy", kValues);
  return type;
}

namespace {

GstMemifSinkState& state_of(gpointer instance) {
  return *static_cast<GstMemifSink*>(instance)->state;
}

/** One memory of a buffer, mapped for reading. */
class MappedMemory {
 public:
  explicit MappedMemory(GstMemory* memory)
      : mapped_(gst_memory_map(memory, &map_, GST_MAP_READ) != FALSE) {}
  ~MappedMemory() {
    if (mapped_) gst_memory_unmap(map_.memory, &map_);
  }
  MappedMemory(const MappedMemory&) = delete;
  MappedMemory& operator=(const MappedMemory&) = delete;

  explicit operator bool() const noexcept { return mapped_; }
  TxSegment bytes() const noexcept {
    return {reinterpret_cast<const std::byte*>(map_.data), map_.size};
  }

 private:
  GstMapInfo map_;
  bool mapped_;
};

/** Waits with @p wait until it is ready; handles unlock() as base sinks must. */
template <class Wait>
GstFlowReturn gst_memif_sink_wait_until(GstMemifSink* self, Wait wait) {
  for (;;) {
    if (wait() != WaitResult::interrupted) return GST_FLOW_OK;
    const GstFlowReturn result = gst_base_sink_wait_preroll(&self->parent);
    if (result != GST_FLOW_OK) return result;
  }
}

/** Whether other ports of the same switch would wait with us. */
bool gst_memif_sink_spares_others(const GstMemifSinkState& state) {
  return state.behind_switch &&
         state.when_full.load(std::memory_order_relaxed) == Policy::automatic;
}

GstFlowReturn gst_memif_sink_on_full(GstMemifSink* self, gstmemif::Sender& sender, bool& again) {
  GstMemifSinkState& state = *self->state;
  const Policy policy = state.when_full.load(std::memory_order_relaxed);
  const bool briefly = gst_memif_sink_spares_others(state);
  state.queues->flush();  // the peer may need what is in the other queues to go on
  WaitResult wake = WaitResult::timeout;
  GstFlowReturn result = GST_FLOW_OK;
  if (policy != Policy::drop) {
    result = gst_memif_sink_wait_until(self, [&] {
      wake = briefly ? sender.wait_briefly_for_room() : sender.wait_for_room();
      return wake;
    });
  }
  again = wake != WaitResult::timeout;
  if (!again) sender.stats().drop(DropReason::ring_full);
  return result;
}

GstFlowReturn gst_memif_sink_on_link_lost(GstMemifSink* self, bool& again) {
  GstMemifSinkState& state = *self->state;
  gstmemif::Sender& sender = state.queues->first();
  state.common.check_queue(sender, sender.has_queue());
  again = state.when_down.load(std::memory_order_relaxed) == Policy::block;
  if (again) {
    const GstFlowReturn result =
        gst_memif_sink_wait_until(self, [&] { return sender.wait_for_link(); });
    state.queues->refresh();
    return result;
  }
  sender.stats().drop(DropReason::link_down);
  return GST_FLOW_OK;
}

/** Counts packets that were to be sent when the element was flushed or stopped. */
void gst_memif_sink_give_up(GstMemifSink* self, std::uint64_t packets) {
  self->state->queues->first().stats().drop(DropReason::flushed, packets);
}

/** What keeps a packet from going; @p again says whether it may go now, or is counted. */
GstFlowReturn gst_memif_sink_on_stop(GstMemifSink* self, gstmemif::Sender& sender,
                                     SendResult reason, bool& again) {
  return reason == SendResult::full ? gst_memif_sink_on_full(self, sender, again)
                                    : gst_memif_sink_on_link_lost(self, again);
}

/**
 * Sends @p n packets in order, or counts them.
 * @param packet the bytes of the packet of a number, which its queue may depend on
 * @param send sends some, from one on, into a queue
 */
template <class Packet, class Send>
GstFlowReturn gst_memif_sink_send_in_order(GstMemifSink* self, guint n, Packet packet, Send send) {
  FlowSpreader& queues = *self->state->queues;
  guint i = 0;
  while (i < n) {
    const bool all = queues.single();
    gstmemif::Sender& sender = all ? queues.first() : queues.pick(packet(i));
    const TxBurst burst = send(sender, i, all ? n - i : 1);
    i += burst.done();
    if (burst.result == SendResult::ok) continue;
    bool again = true;
    const GstFlowReturn result = gst_memif_sink_on_stop(self, sender, burst.result, again);
    if (result != GST_FLOW_OK) {
      gst_memif_sink_give_up(self, n - i);
      return result;
    }
    if (!again) ++i;
  }
  return GST_FLOW_OK;
}

/** The same for one packet. */
template <class Send>
GstFlowReturn gst_memif_sink_send_until_done(GstMemifSink* self, TxPacket packet, Send send) {
  return gst_memif_sink_send_in_order(
      self, 1, [&](guint) { return packet; },
      [&](gstmemif::Sender& sender, guint, guint) { return send(sender); });
}

GstFlowReturn gst_memif_sink_unreadable(GstMemifSink* self) {
  GST_ELEMENT_ERROR(self, RESOURCE, READ, ("A buffer cannot be mapped."),
                    ("its memory does not allow gst_memory_map()"));
  return GST_FLOW_ERROR;
}

/** Other holders of the buffer or its memory may still read it. */
bool alone(GstBuffer* buffer, GstMemory* memory) {
  return gst_buffer_is_writable(buffer) && GST_MINI_OBJECT_REFCOUNT_VALUE(memory) == 1;
}

/** The loan whose buffers may go into a ring as they are; null if the packets must be copied. */
gstmemif::Loan* exchangeable(GstBuffer* batch, GstMemory* arena) {
  GstMemory* whole = gst_packet_batch_peek_arena(batch);
  if (!alone(batch, arena) || GST_MINI_OBJECT_REFCOUNT_VALUE(whole) != 1) return nullptr;
  gstmemif::Loan* loan = gst_memif_arena_loan(whole);
  return loan != nullptr && loan->writable ? loan : nullptr;
}

/** A batch on its way into the ring. */
class OutgoingBatch {
 public:
  explicit OutgoingBatch(GstBuffer* batch)
      : map_(batch), loan_(map_ ? exchangeable(batch, map_.arena()) : nullptr) {}

  explicit operator bool() const noexcept { return static_cast<bool>(map_); }
  guint size() const noexcept { return map_.meta().n; }

  /** The bytes of packet @p i; none if its descriptor is wrong. */
  TxSegment bytes(guint i) const noexcept {
    const GstPacketDesc& desc = map_.meta().packets[i];
    const std::byte* data = map_.bytes(desc);
    return data != nullptr ? TxSegment(data, desc.length) : TxSegment();
  }
  /** Sends @p n packets from @p first on, or says what is in the way. */
  TxBurst send(gstmemif::Sender& sender, guint first, guint n) {
    const auto packets = packet_descs(map_.meta(), first, n);
    return loan_ != nullptr ? sender.send_burst_zero_copy(*loan_, packets)
                            : sender.send_burst({map_.data(), map_.size()}, packets);
  }

 private:
  gstpacket::BatchMap map_;
  gstmemif::Loan* loan_;
};

GstFlowReturn gst_memif_sink_send_batch(GstMemifSink* self, GstBuffer* buffer) {
  OutgoingBatch batch(buffer);
  // A damaged batch or packet must not keep the others from being sent.
  if (!batch) {
    self->state->queues->first().stats().drop(DropReason::bad_descriptor);
    return GST_FLOW_OK;
  }
  TxSegment bytes;
  return gst_memif_sink_send_in_order(
      self, batch.size(),
      [&](guint i) {
        bytes = batch.bytes(i);
        return TxPacket(&bytes, 1);
      },
      [&](gstmemif::Sender& sender, guint first, guint n) { return batch.send(sender, first, n); });
}

/** An arena, or a part of one, which is no packet without the descriptors of a batch. */
GstFlowReturn drop_damaged(GstMemifSink* self) {
  self->state->queues->first().stats().drop(DropReason::bad_descriptor);
  return GST_FLOW_OK;
}

/** A packet in one piece, as nearly all are: without the arrays that others need. */
GstFlowReturn send_piece(GstMemifSink* self, GstBuffer* buffer, GstMemory* memory) {
  if (gst_is_packet_arena_memory(memory)) return drop_damaged(self);
  const MappedMemory map(memory);
  if (!map) return gst_memif_sink_unreadable(self);
  const TxSegment packet = map.bytes();
  gstmemif::Loan* loan = gst_memif_slot_memory_loan(memory);
  if (loan != nullptr && !alone(buffer, memory)) loan = nullptr;
  const TxPacket whole(&packet, 1);
  return gst_memif_sink_send_until_done(self, whole, [&](gstmemif::Sender& sender) {
    if (loan == nullptr) return sender.send_burst({&whole, 1});
    const gstmemif::PacketDesc lent = gst_memif_slot_memory_packet(memory);
    return sender.send_burst_zero_copy(*loan, {&lent, 1});
  });
}

/** A packet in several pieces, or none. */
[[gnu::noinline]] GstFlowReturn send_pieces(GstMemifSink* self, GstBuffer* buffer) {
  std::array<std::optional<MappedMemory>, kMaxMemories> maps;
  std::array<TxSegment, kMaxMemories> pieces;
  const guint memories = std::min<guint>(gst_buffer_n_memory(buffer), kMaxMemories);
  for (guint i = 0; i < memories; ++i) {
    GstMemory* memory = gst_buffer_peek_memory(buffer, i);
    if (gst_is_packet_arena_memory(memory)) return drop_damaged(self);
    const MappedMemory& map = maps[i].emplace(memory);
    if (!map) return gst_memif_sink_unreadable(self);
    pieces[i] = map.bytes();
  }
  const TxPacket packet(pieces.data(), memories);
  return gst_memif_sink_send_until_done(self, packet, [&](gstmemif::Sender& sender) {
    return sender.send_burst({&packet, 1});
  });
}

GstFlowReturn gst_memif_sink_send_buffer(GstMemifSink* self, GstBuffer* buffer) {
  if (gst_buffer_get_packet_batch_meta(buffer) != nullptr)
    return gst_memif_sink_send_batch(self, buffer);
  if (gst_buffer_n_memory(buffer) != 1) return send_pieces(self, buffer);
  return send_piece(self, buffer, gst_buffer_peek_memory(buffer, 0));
}

/** Packets of a list, in one piece each, that are copied in one burst. Mapped while it lives. */
class PacketRun {
 public:
  PacketRun() = default;
  ~PacketRun() {
    while (n_ != 0) {
      --n_;
      gst_memory_unmap(maps_[n_].memory, &maps_[n_]);
    }
  }
  PacketRun(const PacketRun&) = delete;
  PacketRun& operator=(const PacketRun&) = delete;

  /** False if @p buffer has to go by itself, or there is no room. */
  bool add(GstBuffer* buffer) noexcept {
    if (n_ == kMost || gst_buffer_n_memory(buffer) != 1 ||
        gst_buffer_get_packet_batch_meta(buffer) != nullptr) {
      return false;
    }
    GstMemory* memory = gst_buffer_peek_memory(buffer, 0);
    GstMapInfo& map = maps_[n_];
    if (gst_is_packet_arena_memory(memory) || gst_memif_slot_memory_loan(memory) != nullptr ||
        gst_memory_map(memory, &map, GST_MAP_READ) == FALSE) {
      return false;
    }
    bytes_[n_] = {reinterpret_cast<const std::byte*>(map.data), map.size};
    packets_[n_] = TxPacket(&bytes_[n_], 1);
    ++n_;
    return true;
  }
  std::span<const TxPacket> packets() const noexcept { return {packets_.data(), n_}; }

 private:
  static constexpr guint kMost = 32;

  guint n_ = 0;
  std::array<GstMapInfo, kMost> maps_;
  std::array<TxSegment, kMost> bytes_;
  std::array<TxPacket, kMost> packets_;
};

/** Sends one or more buffers of @p list, from @p i on, which moves on. */
GstFlowReturn gst_memif_sink_send_some(GstMemifSink* self, GstBufferList* list, guint& i) {
  const guint length = gst_buffer_list_length(list);
  PacketRun run;
  const guint first = i;
  while (i < length && run.add(gst_buffer_list_get(list, i))) ++i;
  if (i == first) return gst_memif_sink_send_buffer(self, gst_buffer_list_get(list, i++));
  const std::span<const TxPacket> packets = run.packets();
  return gst_memif_sink_send_in_order(
      self, i - first, [&](guint at) { return packets[at]; },
      [&](gstmemif::Sender& sender, guint from, guint n) {
        return sender.send_burst(packets.subspan(from, n));
      });
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

std::uint64_t packets_of(GstBuffer* buffer) {
  const GstPacketBatchMeta* meta = gst_buffer_get_packet_batch_meta(buffer);
  return meta != nullptr ? meta->n : 1;
}

GstFlowReturn gst_memif_sink_render(GstBaseSink* sink, GstBuffer* buffer) {
  GstMemifSink* self = reinterpret_cast<GstMemifSink*>(sink);
  if (!self->state->have_caps) [[unlikely]] {
    return gst_memif_sink_no_caps(self);
  }
  self->state->queues->refresh();
  const GstFlowReturn result = gst_memif_sink_send_buffer(self, buffer);
  self->state->queues->flush();
  return result;
}

GstFlowReturn gst_memif_sink_render_list(GstBaseSink* sink, GstBufferList* list) {
  GstMemifSink* self = reinterpret_cast<GstMemifSink*>(sink);
  if (!self->state->have_caps) [[unlikely]] {
    return gst_memif_sink_no_caps(self);
  }
  GstFlowReturn result = GST_FLOW_OK;
  self->state->queues->refresh();
  const guint length = gst_buffer_list_length(list);
  guint i = 0;
  while (i < length && result == GST_FLOW_OK) {
    result = gst_memif_sink_send_some(self, list, i);
  }
  for (; i < length; ++i) gst_memif_sink_give_up(self, packets_of(gst_buffer_list_get(list, i)));
  self->state->queues->flush();
  return result;
}

/** A GStreamer time, whose largest value means forever. */
std::int64_t nanoseconds(guint64 time) {
  return time > G_MAXINT64 / kDrainTimeouts ? gstmemif::kForever : static_cast<std::int64_t>(time);
}

/** Waits until the peer has taken what is in the ring, and counts what it has not. */
GstFlowReturn gst_memif_sink_drain(GstMemifSink* self) {
  GstMemifSinkState& state = *self->state;
  std::int64_t patience = nanoseconds(state.drain_timeout.load());
  std::int64_t limit = patience < 0 ? patience : patience * kDrainTimeouts;
  if (gst_memif_sink_spares_others(state)) {
    patience = patience < 0 ? kStopPatienceNs : std::min(patience, kStopPatienceNs);
    limit = kStopLimitNs;
  }
  state.queues->refresh();
  const GstFlowReturn result =
      gst_memif_sink_wait_until(self, [&] { return state.queues->drain(patience, limit); });
  if (result != GST_FLOW_OK) return result;
  state.queues->refresh();
  state.queues->abandon();
  return GST_FLOW_OK;
}

/** After the base class, which waits for PLAYING: a state change must not wait for us. */
GstFlowReturn gst_memif_sink_wait_event(GstBaseSink* sink, GstEvent* event) {
  GstMemifSink* self = reinterpret_cast<GstMemifSink*>(sink);
  GstFlowReturn result = GST_BASE_SINK_CLASS(gst_memif_sink_parent_class)->wait_event(sink, event);
  if (result != GST_FLOW_OK || GST_EVENT_TYPE(event) != GST_EVENT_EOS) return result;
  result = gst_memif_sink_drain(self);
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
  state.have_caps = state.behind_switch = false;
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
  state.buffer_size = settings.buffer_size;
  if (settings.role == gstmemif::Role::slave) {
    state.link_provider = std::make_shared<LinkProvider>(std::move(interface));
  }
  return true;
}

/** A stop without an end of the stream: for a moment only, and while the peer is at work. */
void gst_memif_sink_drain_briefly(GstMemifSinkState& state) {
  const std::int64_t since = (g_get_monotonic_time() - state.sent_until) * 1000;
  if (since >= kStopLimitNs || state.drain_timeout.load() == 0) return;
  state.queues->drain(kStopPatienceNs, kStopLimitNs - since);
}

void gst_memif_sink_stop(GstMemifSinkState& state) {
  gst_memif_sink_drain_briefly(state);
  {
    const std::lock_guard lock(state.mutex);
    state.queues.reset();
    if (state.link_provider) state.link_provider->close();
    state.link_provider.reset();
  }
  state.common.stop();
}

GstCaps* gst_memif_sink_get_caps(GstBaseSink* sink, GstCaps* filter) {
  GstCaps* caps = state_of(sink).common.packet_caps();
  if (filter == nullptr) return caps;
  GstCaps* filtered = gst_caps_intersect_full(filter, caps, GST_CAPS_INTERSECT_FIRST);
  gst_caps_unref(caps);
  return filtered;
}

/** The base class has compared them with ours. */
gboolean gst_memif_sink_set_caps(GstBaseSink* sink, GstCaps*) {
  state_of(sink).have_caps = true;
  return TRUE;
}

/** The upstream switch sends the event anew with each stream. */
gboolean gst_memif_sink_event(GstBaseSink* sink, GstEvent* event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_STREAM_START) {
    state_of(sink).behind_switch = false;
  } else if (gstpacket::is_switch_event(event)) {
    state_of(sink).behind_switch = true;
  }
  return GST_BASE_SINK_CLASS(gst_memif_sink_parent_class)->event(sink, event);
}

/** Adds a pool of buffers that lie in the memory of the link; as master there is none. */
void gst_memif_sink_propose_pool(GstMemifSinkState& state, GstQuery* query, GstCaps* caps) {
  const std::lock_guard lock(state.mutex);
  if (!state.link_provider) return;
  const std::uint32_t queue = state.queues->first().queue();
  GstBufferPool* pool = gst_memif_pool_new(state.link_provider, queue, state.buffer_size, caps);
  gst_query_add_allocation_pool(query, pool, state.buffer_size, 0, 0);
  GST_DEBUG("proposing %" GST_PTR_FORMAT " with buffers of %u bytes", pool, state.buffer_size);
  gst_object_unref(pool);
}

gboolean gst_memif_sink_propose_allocation(GstBaseSink* sink, GstQuery* query) {
  gst_query_add_allocation_meta(query, GST_PACKET_BATCH_META_API_TYPE, nullptr);
  GstCaps* caps = nullptr;
  gboolean need_pool = FALSE;
  gst_query_parse_allocation(query, &caps, &need_pool);
  // Producers of packets set the size of each buffer. Other producers use buffers at the size that
  // a pool gives them: a frame would be sent with garbage behind it.
  if (need_pool && gstpacket::parse_caps(caps))
    gst_memif_sink_propose_pool(state_of(sink), query, caps);
  return TRUE;
}

GstStateChangeReturn gst_memif_sink_change_state(GstElement* element, GstStateChange transition) {
  GstMemifSinkState& state = state_of(element);
  if ((transition == GST_STATE_CHANGE_NULL_TO_READY && !state.common.join()) ||
      (transition == GST_STATE_CHANGE_READY_TO_PAUSED && !gst_memif_sink_start(state))) {
    return GST_STATE_CHANGE_FAILURE;
  }
  // All elements of a pipeline pause before the first one stops: so they wait together, not one
  // after the other.
  if (transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED) state.sent_until = g_get_monotonic_time();
  const GstStateChangeReturn result =
      GST_ELEMENT_CLASS(gst_memif_sink_parent_class)->change_state(element, transition);
  const bool failed = result == GST_STATE_CHANGE_FAILURE;
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY ||
      (transition == GST_STATE_CHANGE_READY_TO_PAUSED && failed)) {
    gst_memif_sink_stop(state);
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
      state.when_full.store(static_cast<Policy>(g_value_get_enum(value)));
      break;
    case kPropWhenDown:
      state.when_down.store(static_cast<Policy>(g_value_get_enum(value)));
      break;
    case kPropDrainTimeout:
      state.drain_timeout.store(g_value_get_uint64(value));
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
      g_value_set_enum(value, static_cast<gint>(state.when_full.load()));
      break;
    case kPropWhenDown:
      g_value_set_enum(value, static_cast<gint>(state.when_down.load()));
      break;
    case kPropDrainTimeout:
      g_value_set_uint64(value, state.drain_timeout.load());
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
      break;
  }
}

void gst_memif_sink_finalize(GObject* object) {
  delete reinterpret_cast<GstMemifSink*>(object)->state;
  G_OBJECT_CLASS(gst_memif_sink_parent_class)->finalize(object);
}

void gst_memif_sink_install_properties(GObjectClass* klass) {
  constexpr auto kPlaying = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                     GST_PARAM_MUTABLE_PLAYING);
  MemifElement::install_properties(klass, MemifElement::Direction::send);
  g_object_class_install_property(
      klass, kPropWhenFull,
      g_param_spec_enum("when-full", "When full", "What to do while the ring has no free slot",
                        gst_memif_when_full_get_type(), static_cast<gint>(Policy::automatic),
                        kPlaying));
  g_object_class_install_property(
      klass, kPropWhenDown,
      g_param_spec_enum("when-down", "When down", "What to do while no peer is connected",
                        gst_memif_policy_get_type(), static_cast<gint>(Policy::drop), kPlaying));
  g_object_class_install_property(
      klass, kPropDrainTimeout,
      g_param_spec_uint64(
          "drain-timeout", "Drain timeout",
          "Time that EOS waits for a peer that takes no packet out of the ring, in nanoseconds, "
          "and at most sixty times as long in all, before the rest is counted as drop-undelivered; "
          "0: do not wait; 18446744073709551615: as long as the peer is connected",
          0, G_MAXUINT64, kDrainTimeout, kPlaying));
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
  object_class->finalize = gst_memif_sink_finalize;
  gst_memif_sink_install_properties(object_class);

  GstElementClass* element_class = GST_ELEMENT_CLASS(klass);
  element_class->change_state = gst_memif_sink_change_state;
  GstCaps* caps = gstpacket::make_caps();
  gst_element_class_add_pad_template(
      element_class, gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS, caps));
  gst_caps_unref(caps);
  gst_element_class_set_static_metadata(
      element_class, "memif packet sink", "Sink/Network",
      "Sends packets to VPP, DPDK or another program through shared memory (memif)",
      "The gst-memif developers");
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
  // Packets go out when they come, and the sink must not keep the last one.
  gst_base_sink_set_sync(&self->parent, FALSE);
  gst_base_sink_set_last_sample_enabled(&self->parent, FALSE);
  // Without a peer there may be no packet for long: a state change does not wait for one.
  gst_base_sink_set_async_enabled(&self->parent, FALSE);
}
