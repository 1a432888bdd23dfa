// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/memif/rx_buffers.hpp"

#include <algorithm>

#include "gst/common/copy.hpp"
#include "gst/packet/batch.hpp"
#include "plugins/memif/gstmemifarena.hpp"
#include "plugins/memif/gstmemifslotmemory.hpp"
#include "plugins/memif/packet_descs.hpp"

using gstmemif::RxSegment;

namespace {

/** Copies the packet that begins at @p segment; returns the segment behind it. */
[[gnu::always_inline]] inline const RxSegment* copy_packet(const RxSegment* segment,
                                                           std::byte* out) {
  for (;; ++segment) {
    gstcommon::copy_packet(out, segment->data, segment->length);
    if (!segment->more) return segment + 1;
    out += segment->length;
  }
}

std::size_t length_of(const RxSegment* segment) {
  std::size_t length = segment->length;
  while (segment->more) length += (++segment)->length;
  return length;
}

/** Null without memory. Moves on to the next packet either way. */
GstBuffer* copy_to_buffer(const RxSegment*& segment, RxBufferPool& buffers) {
  const RxBuffer out = buffers.take(length_of(segment));
  if (out.buffer != nullptr) {
    segment = copy_packet(segment, out.bytes);
  } else {
    while (segment++->more) continue;
  }
  return out.buffer;
}

/**
 * A batch without packets, with an arena of so many bytes; null without memory. Not used again: the
 * memory would have to know where it returns to, which would move the bytes of each copied packet,
 * too, away from the cache line behind its header.
 */
GstBuffer* new_batch(std::size_t size, const CopyBudgetPtr& budget) {
  if (size > G_MAXUINT32) return nullptr;
  GstMemory* arena = gst_memif_copy_memory_new(budget, size, GST_MEMORY_FLAG_NO_SHARE);
  if (arena == nullptr) return nullptr;
  GstBuffer* batch = gst_buffer_new();
  gst_buffer_append_memory(batch, arena);
  gst_buffer_add_packet_batch_meta(batch);
  return batch;
}

GstBuffer* copied_batch(std::span<const RxSegment> segments, gstmemif::Receiver& receiver) {
  gstmemif::QueueStats& stats = receiver.stats();
  std::size_t size = 0;
  for (const RxSegment& segment : segments) size += segment.length;
  GstBuffer* batch = new_batch(size, receiver.interface().copy_budget());
  if (batch == nullptr) {
    const auto packets = std::ranges::count(segments, false, &RxSegment::more);
    stats.drop(gstmemif::DropReason::no_memory, static_cast<std::uint64_t>(packets));
    return nullptr;
  }
  const gstpacket::BatchMap map(batch);
  // In locals: the packets are written over memory that could be the map's.
  std::byte* const start = map.data();
  GstPacketDesc* const packets = map.meta().packets;
  const RxSegment* segment = segments.data();
  const RxSegment* const end = segment + segments.size();
  guint32 offset = 0;
  guint n = 0;
  for (; segment != end; ++n) {
    const auto length = static_cast<guint32>(length_of(segment));
    segment = copy_packet(segment, start + offset);
    packets[n] = {offset, length, 0, 0};
    offset += length;
  }
  map.meta().n = n;
  stats.copies.add(n);
  return batch;
}

}  // namespace

GstMiniObject* make_buffers(std::span<const RxSegment> segments, GstClockTime timestamp,
                            RxBufferPool& buffers, gstmemif::QueueStats& stats) {
  const RxSegment* segment = segments.data();
  const RxSegment* const end = segment + segments.size();
  GstBuffer* first = nullptr;
  GstBufferList* list = nullptr;
  guint64 copies = 0;
  guint64 lost = 0;
  while (segment != end) {
    GstBuffer* buffer = copy_to_buffer(segment, buffers);
    if (buffer == nullptr) {
      ++lost;
      continue;
    }
    GST_BUFFER_PTS(buffer) = timestamp;
    ++copies;
    if (first == nullptr) {
      first = buffer;
      continue;
    }
    if (list == nullptr) {
      list = gst_buffer_list_new_sized(static_cast<guint>(segments.size()));
      gst_buffer_list_add(list, first);
    }
    gst_buffer_list_add(list, buffer);
  }
  stats.copies.add(copies);
  if (lost != 0) stats.drop(gstmemif::DropReason::no_memory, lost);
  return list != nullptr ? GST_MINI_OBJECT_CAST(list) : GST_MINI_OBJECT_CAST(first);
}

GstMiniObject* receive_lending_long(gstmemif::Receiver& receiver, guint max_packets,
                                    GstClockTime timestamp, RxBufferPool& buffers) {
  gstmemif::PacketDesc packet;
  const gstmemif::RxBurst burst =
      receiver.receive_or_lend(max_packets, kLongestRecycled + 1, packet);
  if (burst.loan == nullptr) {
    if (burst.segments.empty()) return nullptr;
    return make_buffers(burst.segments, timestamp, buffers, receiver.stats());
  }
  GstBuffer* buffer = gst_buffer_new();
  gst_buffer_append_memory(buffer, gst_memif_slot_memory_new_received(burst.loan, packet));
  GST_BUFFER_PTS(buffer) = timestamp;
  return GST_MINI_OBJECT_CAST(buffer);
}

GstBuffer* receive_batch(gstmemif::Receiver& receiver, guint max_packets, RxBatchPool& batches) {
  GstPacketBatchMeta& meta = batches.next();
  const auto most = std::min<std::size_t>(max_packets, GST_PACKET_BATCH_MAX);
  const gstmemif::RxBurst burst = receiver.receive_lent(packet_descs(meta, 0, most));
  if (burst.loan != nullptr) {
    meta.n = burst.loan->count;
    return batches.lend(burst.loan);
  }
  return burst.segments.empty() ? nullptr : copied_batch(burst.segments, receiver);
}
