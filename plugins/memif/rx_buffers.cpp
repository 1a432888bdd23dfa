// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/memif/rx_buffers.hpp"

#include "gst/memif/data/copy.hpp"
#include "gst/packet/batch.hpp"
#include "gst/packet/batch_map.hpp"
#include "plugins/memif/gstmemifarena.hpp"

using gstmemif::RxSegment;

namespace {

/** Copies the packet that begins at @p segment, and moves on to the next one. */
std::size_t copy_packet(const RxSegment*& segment, std::byte* out) {
  const std::byte* const start = out;
  bool more = true;
  while (more) {
    gstmemif::copy_packet(out, segment->data, segment->length);
    out += segment->length;
    more = segment++->more;
  }
  return static_cast<std::size_t>(out - start);
}

std::size_t length_of(const RxSegment* segment) {
  std::size_t length = segment->length;
  while (segment->more) length += (++segment)->length;
  return length;
}

GstBuffer* copy_to_buffer(const RxSegment*& segment, RxBufferPool& buffers) {
  const RxBuffer out = buffers.take(length_of(segment));
  if (out.buffer != nullptr) {
    copy_packet(segment, out.bytes);
  } else {
    while (segment++->more) continue;
  }
  return out.buffer;
}

/** A batch without packets, with an arena of so many bytes; null without memory. */
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
  std::uint64_t packets = 0;
  for (const RxSegment& segment : segments) {
    size += segment.length;
    packets += segment.more ? 0 : 1;
  }
  GstBuffer* batch = new_batch(size, receiver.interface().copy_budget());
  if (batch == nullptr) {
    stats.drop(gstmemif::DropReason::no_memory, packets);
    return nullptr;
  }
  const gstpacket::detail::BatchMap map(batch);
  const RxSegment* segment = segments.data();
  guint32 offset = 0;
  while (segment != segments.data() + segments.size()) {
    const auto length = static_cast<guint32>(copy_packet(segment, map.data() + offset));
    map.meta().packets[map.meta().n++] = {offset, length, 0, 0};
    offset += length;
  }
  stats.copies.add(map.meta().n);
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

GstBuffer* receive_batch(gstmemif::Receiver& receiver, guint max_packets, RxBatchPool& batches) {
  GstBuffer* batch = nullptr;
  GstPacketBatchMeta* meta = nullptr;
  const auto begin = [&] {
    batch = batches.take();
    meta = gst_buffer_get_packet_batch_meta(batch);
    return [packets = meta->packets](std::size_t i, std::uint32_t offset, std::uint32_t length) {
      // A packet's index is also that of its buffer in the loan.
      packets[i] = {offset, length, 0, static_cast<guint32>(i)};
    };
  };
  const gstmemif::RxBurst burst = receiver.receive_lent(max_packets, begin);
  if (burst.loan != nullptr) {
    RxBatchPool::lend(batch, burst.loan);
    meta->n = burst.loan->count;
    return batch;
  }
  gst_clear_buffer(&batch);
  return burst.segments.empty() ? nullptr : copied_batch(burst.segments, receiver);
}
