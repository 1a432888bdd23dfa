// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/memif/tx_path.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include "gst/packet/batch.hpp"
#include "plugins/memif/gstmemifarena.hpp"
#include "plugins/memif/gstmemifslotmemory.hpp"
#include "plugins/memif/oversize.hpp"
#include "plugins/memif/packet_descs.hpp"

using gstmemif::DropReason;
using gstmemif::SendResult;
using gstmemif::TxBurst;
using gstmemif::TxPacket;
using gstmemif::TxSegment;
using gstmemif::WaitResult;

namespace {

// Of a buffer; GStreamer's have 16 at the most.
constexpr guint kMaxMemories = 64;

// Bounds the wait for a peer that takes one packet after another, each at the last moment.
constexpr std::int64_t kDrainTimeouts = 60;
// A stop without EOS should not wait, nor should the other ports of a switch: a peer that makes
// progress gets this long, after a stop counted from the last packet sent.
constexpr std::int64_t kStopPatienceNs = 5'000'000;
constexpr std::int64_t kStopLimitNs = 50'000'000;

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

/** Other holders of the buffer or its memory may still read it. */
bool alone(GstBuffer* buffer, GstMemory* memory) {
  return gst_buffer_is_writable(buffer) && GST_MINI_OBJECT_REFCOUNT_VALUE(memory) == 1;
}

/** The loan whose buffers may go into a ring as they are; null if the packets must be copied. */
gstmemif::Loan* exchangeable(GstBuffer* batch, GstMemory* arena) {
  if (!alone(batch, arena)) return nullptr;
  gstmemif::Loan* loan = gst_memif_arena_loan(arena);
  if (loan == nullptr) {
    GstMemory* whole = gst_packet_batch_peek_arena(batch);
    if (GST_MINI_OBJECT_REFCOUNT_VALUE(whole) != 1) return nullptr;
    loan = gst_memif_arena_loan(whole);
  }
  return loan != nullptr && loan->writable ? loan : nullptr;
}

/** A batch on its way into the ring. Buffers that change hands need no map. */
class OutgoingBatch {
 public:
  OutgoingBatch(GstBuffer* batch, GstPacketBatchMeta& meta) : meta_(meta) {
    if (meta.n > GST_PACKET_BATCH_MAX || gst_buffer_n_memory(batch) != 1) return;
    loan_ = exchangeable(batch, gst_buffer_peek_memory(batch, 0));
    if (loan_ != nullptr) {
      arena_ = {loan_->base(), loan_->size()};
    } else if (map_.emplace(batch, &meta); *map_) {
      arena_ = {map_->data(), map_->size()};
    } else {
      return;
    }
    usable_ = true;
  }

  /** False if it is damaged, or cannot be mapped. */
  explicit operator bool() const noexcept { return usable_; }
  guint size() const noexcept { return meta_.n; }

  /** The bytes of packet @p i; none if its descriptor is wrong. */
  TxSegment bytes(guint i) const noexcept {
    const GstPacketDesc& desc = meta_.packets[i];
    return gstpacket::lies_within(desc, arena_.size()) ? arena_.subspan(desc.offset, desc.length)
                                                       : TxSegment();
  }
  /** Sends @p n packets from @p first on, or says what is in the way. */
  TxBurst send(gstmemif::Sender& sender, guint first, guint n) {
    const auto packets = packet_descs(meta_, first, n);
    return loan_ != nullptr ? sender.send_burst_zero_copy(*loan_, packets)
                            : sender.send_burst(arena_, packets);
  }

 private:
  GstPacketBatchMeta& meta_;
  gstmemif::Loan* loan_ = nullptr;
  std::optional<gstpacket::BatchMap> map_;
  TxSegment arena_;
  bool usable_ = false;
};

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

std::uint64_t packets_of(GstBuffer* buffer) {
  const GstPacketBatchMeta* meta = gst_buffer_get_packet_batch_meta(buffer);
  return meta != nullptr ? meta->n : 1;
}

/** A GStreamer time, whose largest value means forever. */
std::int64_t nanoseconds(guint64 time) {
  return time > G_MAXINT64 / kDrainTimeouts ? gstmemif::kForever : static_cast<std::int64_t>(time);
}

}  // namespace

/** Waits with @p wait until it is ready; handles unlock() as base sinks must. */
template <class Wait>
GstFlowReturn TxPath::wait_until(Wait wait) {
  for (;;) {
    if (wait() != WaitResult::interrupted) return GST_FLOW_OK;
    const GstFlowReturn result = gst_base_sink_wait_preroll(sink_);
    if (result != GST_FLOW_OK) return result;
  }
}

/** Whether other ports of the same switch would wait with us. */
bool TxPath::spares_others() const {
  return behind_switch_ && when_full.load(std::memory_order_relaxed) == TxPolicy::automatic;
}

GstFlowReturn TxPath::on_full(gstmemif::Sender& sender, bool& again) {
  const TxPolicy policy = when_full.load(std::memory_order_relaxed);
  const bool briefly = spares_others();
  queues_->flush();  // the peer may need what is in the other queues to go on
  WaitResult wake = WaitResult::timeout;
  GstFlowReturn result = GST_FLOW_OK;
  if (policy != TxPolicy::drop) {
    result = wait_until([&] {
      wake = briefly ? sender.wait_briefly_for_room() : sender.wait_for_room();
      return wake;
    });
  }
  again = wake != WaitResult::timeout;
  if (!again) sender.stats().drop(DropReason::ring_full);
  return result;
}

GstFlowReturn TxPath::on_link_lost(bool& again) {
  gstmemif::Sender& sender = queues_->first();
  common_.check_queue(sender, sender.has_queue());
  again = when_down.load(std::memory_order_relaxed) == TxPolicy::block;
  if (again) {
    const GstFlowReturn result = wait_until([&] { return queues_->wait_for_link(); });
    queues_->refresh();
    return result;
  }
  sender.stats().drop(DropReason::link_down);
  return GST_FLOW_OK;
}

/** Counts packets that were to be sent when the element was flushed or stopped. */
void TxPath::give_up(std::uint64_t packets) {
  queues_->first().stats().drop(DropReason::flushed, packets);
}

/** Once for each ring and kind of stream; again only for a packet of more than twice the length. */
[[gnu::noinline]] void TxPath::report_oversize(const gstmemif::Sender& sender) {
  const gstmemif::Oversize now = sender.oversize();
  if (now.length == 0) return;
  const bool same_ring =
      now.ring_size == reported_.ring_size && now.buffer_size == reported_.buffer_size;
  if (same_ring && now.length <= 2 * reported_.length) return;
  reported_ = now;
  if (!oversize_warnings_.pass()) return;  // a slave may come with another ring each time
  const bool slave = queues_->first().interface().settings().role == gstmemif::Role::slave;
  GST_ELEMENT_WARNING(
      sink_, RESOURCE, SETTINGS, ("%s", explain_oversize(now, slave).c_str()),
      ("dropped and counted in drop-too-long, as are others like it, without further warnings"));
}

/** What keeps a packet from going; @p again says whether it may go now, or is counted. */
GstFlowReturn TxPath::on_stop(gstmemif::Sender& sender, SendResult reason, bool& again) {
  return reason == SendResult::full ? on_full(sender, again) : on_link_lost(again);
}

/**
 * Sends @p n packets in order, or counts them.
 * @param packet the bytes of the packet of a number, which its queue may depend on
 * @param send sends some, from one on, into a queue
 */
template <class Packet, class Send>
GstFlowReturn TxPath::send_in_order(guint n, Packet packet, Send send) {
  FlowSpreader& queues = *queues_;
  guint i = 0;
  while (i < n) {
    if (preamble_ != nullptr) [[unlikely]] {
      const GstFlowReturn result = introduce();
      if (result != GST_FLOW_OK) {
        give_up(n - i);
        return result;
      }
    }
    const bool all = queues.single();
    gstmemif::Sender& sender = all ? queues.first() : queues.pick(packet(i));
    const TxBurst burst = send(sender, i, all ? n - i : 1);
    i += burst.done();
    if (burst.dropped != 0) [[unlikely]] {
      report_oversize(sender);
    }
    if (burst.result == SendResult::ok) continue;
    bool again = true;
    const GstFlowReturn result = on_stop(sender, burst.result, again);
    if (result != GST_FLOW_OK) {
      give_up(n - i);
      return result;
    }
    if (!again) ++i;
  }
  return GST_FLOW_OK;
}

/** The same for one packet. */
template <class Send>
GstFlowReturn TxPath::send_until_done(TxPacket packet, Send send) {
  return send_in_order(
      1, [&](guint) { return packet; },
      [&](gstmemif::Sender& sender, guint, guint) { return send(sender); });
}

GstFlowReturn TxPath::unreadable() {
  GST_ELEMENT_ERROR(sink_, RESOURCE, READ, ("A buffer cannot be mapped."),
                    ("its memory does not allow gst_memory_map()"));
  return GST_FLOW_ERROR;
}

GstFlowReturn TxPath::send_batch(GstBuffer* buffer, GstPacketBatchMeta& meta) {
  OutgoingBatch batch(buffer, meta);
  // A damaged batch or packet must not keep the others from being sent.
  if (!batch) return drop_damaged();
  TxSegment bytes;
  return send_in_order(
      batch.size(),
      [&](guint i) {
        bytes = batch.bytes(i);
        return TxPacket(&bytes, 1);
      },
      [&](gstmemif::Sender& sender, guint first, guint n) { return batch.send(sender, first, n); });
}

/** A damaged batch, or an arena, which is no packet without the descriptors of a batch. */
GstFlowReturn TxPath::drop_damaged() {
  queues_->first().stats().drop(DropReason::bad_descriptor);
  return GST_FLOW_OK;
}

/** A packet in one piece, as nearly all are: without the arrays that others need. */
GstFlowReturn TxPath::send_segment(GstBuffer* buffer, GstMemory* memory) {
  if (gst_is_packet_arena_memory(memory)) return drop_damaged();
  const MappedMemory map(memory);
  if (!map) return unreadable();
  const TxSegment packet = map.bytes();
  gstmemif::Loan* loan = gst_memif_slot_memory_loan(memory);
  if (loan != nullptr && !alone(buffer, memory)) loan = nullptr;
  const TxPacket whole(&packet, 1);
  return send_until_done(whole, [&](gstmemif::Sender& sender) {
    if (loan == nullptr) return sender.send_burst({&whole, 1});
    const gstmemif::PacketDesc lent = gst_memif_slot_memory_packet(memory);
    return sender.send_burst_zero_copy(*loan, {&lent, 1});
  });
}

/** A packet in several pieces, or none. */
[[gnu::noinline]] GstFlowReturn TxPath::send_segments(GstBuffer* buffer) {
  std::array<std::optional<MappedMemory>, kMaxMemories> maps;
  std::array<TxSegment, kMaxMemories> pieces;
  const guint memories = std::min<guint>(gst_buffer_n_memory(buffer), kMaxMemories);
  for (guint i = 0; i < memories; ++i) {
    GstMemory* memory = gst_buffer_peek_memory(buffer, i);
    if (gst_is_packet_arena_memory(memory)) return drop_damaged();
    const MappedMemory& map = maps[i].emplace(memory);
    if (!map) return unreadable();
    pieces[i] = map.bytes();
  }
  const TxPacket packet(pieces.data(), memories);
  return send_until_done(packet, [&](gstmemif::Sender& sender) {
    return sender.send_burst({&packet, 1});
  });
}

GstFlowReturn TxPath::send_buffer(GstBuffer* buffer) {
  if (auto* meta = gst_buffer_get_packet_batch_meta(buffer)) return send_batch(buffer, *meta);
  if (gst_buffer_n_memory(buffer) != 1) return send_segments(buffer);
  return send_segment(buffer, gst_buffer_peek_memory(buffer, 0));
}

/** Sends the preamble if the peer is another one than it was sent to last. */
[[gnu::noinline]] GstFlowReturn TxPath::introduce() {
  if (introducing_) return GST_FLOW_OK;
  gstmemif::Sender& sender = queues_->first();
  GstFlowReturn result = GST_FLOW_OK;
  while (result == GST_FLOW_OK) {
    sender.refresh();
    if (sender.link() == nullptr || sender.link() == introduced_.lock()) break;
    introduced_ = sender.link();
    introducing_ = true;
    const guint length = gst_buffer_list_length(preamble_);
    for (guint i = 0; i < length && result == GST_FLOW_OK; ++i) {
      result = send_buffer(gst_buffer_list_get(preamble_, i));
    }
    introducing_ = false;
  }
  return result;
}

/** Sends one or more buffers of @p list, from @p i on, which moves on. */
GstFlowReturn TxPath::send_some(GstBufferList* list, guint& i) {
  const guint length = gst_buffer_list_length(list);
  PacketRun run;
  const guint first = i;
  while (i < length && run.add(gst_buffer_list_get(list, i))) ++i;
  if (i == first) return send_buffer(gst_buffer_list_get(list, i++));
  const std::span<const TxPacket> packets = run.packets();
  return send_in_order(
      i - first, [&](guint at) { return packets[at]; },
      [&](gstmemif::Sender& sender, guint from, guint n) {
        return sender.send_burst(packets.subspan(from, n));
      });
}

GstFlowReturn TxPath::send(GstBuffer* buffer) {
  queues_->refresh();
  queues_->first().prefetch_next();
  const GstFlowReturn result = send_buffer(buffer);
  queues_->flush();
  return result;
}

GstFlowReturn TxPath::send(GstBufferList* list) {
  GstFlowReturn result = GST_FLOW_OK;
  queues_->refresh();
  const guint length = gst_buffer_list_length(list);
  guint i = 0;
  while (i < length && result == GST_FLOW_OK) result = send_some(list, i);
  for (; i < length; ++i) give_up(packets_of(gst_buffer_list_get(list, i)));
  queues_->flush();
  return result;
}

GstFlowReturn TxPath::drain() {
  std::int64_t patience = nanoseconds(drain_timeout.load());
  std::int64_t limit = patience < 0 ? patience : patience * kDrainTimeouts;
  if (spares_others()) {
    patience = patience < 0 ? kStopPatienceNs : std::min(patience, kStopPatienceNs);
    limit = kStopLimitNs;
  }
  queues_->refresh();
  const GstFlowReturn result = wait_until([&] { return queues_->drain(patience, limit); });
  if (result != GST_FLOW_OK) return result;
  queues_->refresh();
  queues_->abandon();
  return GST_FLOW_OK;
}

void TxPath::drain_briefly(std::int64_t since_us) {
  const std::int64_t since = (g_get_monotonic_time() - since_us) * 1000;
  if (since >= kStopLimitNs || drain_timeout.load() == 0) return;
  queues_->drain(kStopPatienceNs, kStopLimitNs - since);
}
