// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/packet/runtime/arrival.hpp"

#include <utility>

#include "gst/packet/batch.hpp"

namespace gstpacket::detail {

void Diverted::drop_all() noexcept {
  for (auto& port : ports_) {
    for (GstBuffer* buffer : port) gst_buffer_unref(buffer);
    port.clear();
  }
}

GstFlowReturn push_buffers(GstPad* pad, std::vector<GstBuffer*>& buffers) {
  if (buffers.empty()) return GST_FLOW_OK;
  if (buffers.size() == 1) {
    GstBuffer* buffer = buffers.front();
    buffers.clear();
    return gst_pad_push(pad, buffer);
  }
  GstBufferList* list = gst_buffer_list_new_sized(static_cast<guint>(buffers.size()));
  for (GstBuffer* buffer : buffers) gst_buffer_list_add(list, buffer);
  buffers.clear();
  return gst_pad_push_list(pad, list);
}

bool peer_takes_batches(GstPad* pad) {
  GstCaps* caps = gst_pad_get_current_caps(pad);
  GstQuery* query = gst_query_new_allocation(caps, FALSE);
  const bool takes =
      gst_pad_peer_query(pad, query) != FALSE && gst_query_allows_packet_batches(query) != FALSE;
  gst_query_unref(query);
  gst_clear_caps(&caps);
  return takes;
}

GstFlowReturn SourcePad::push_batch(GstBuffer* batch, Counter& copies) {
  // The flag first: clearing it takes a lock. Whoever is linked now may not be who upstream asked.
  if (GST_PAD_NEEDS_RECONFIGURE(pad_) && gst_pad_check_reconfigure(pad_)) {
    takes_batches_ = peer_takes_batches(pad_);
  }
  if (takes_batches_) return gst_pad_push(pad_, batch);
  copies.add(gst_buffer_get_packet_batch_meta(batch)->n);
  return gst_pad_push_list(pad_, gst_packet_batch_unpack(batch));
}

GstFlowReturn SourcePad::push_buffers(std::vector<GstBuffer*>& buffers, Counter& copies) {
  if (buffers.empty() || gst_buffer_get_packet_batch_meta(buffers.front()) == nullptr) {
    return detail::push_buffers(pad_, buffers);
  }
  GstBuffer* batch = buffers.front();  // a batch has one part for each pad
  buffers.clear();
  return push_batch(batch, copies);
}

BufferArrival::BufferArrival(GstBuffer* buffer, Access access) noexcept
    : buffer_(access == Access::modify ? gst_buffer_make_writable(buffer) : buffer) {}

BufferArrival::~BufferArrival() {
  if (buffer_ != nullptr) gst_buffer_unref(buffer_);
}

void BufferArrival::open(Burst& burst) {
  if (std::exchange(opened_, true)) return;
  burst.add(buffer_);
}

void BufferArrival::settle(const Burst& burst, Diverted& diverted) {
  const Verdict verdict = burst.verdict(0);
  if (verdict.port == 0) return;
  GstBuffer* buffer = std::exchange(buffer_, nullptr);
  if (verdict.port == Verdict::kDrop) {
    gst_buffer_unref(buffer);
  } else {
    diverted.add(verdict.port, buffer);
  }
}

GstFlowReturn BufferArrival::push(SourcePad& pad, Counter&) {
  return buffer_ != nullptr ? gst_pad_push(pad.get(), std::exchange(buffer_, nullptr))
                            : GST_FLOW_OK;
}

bool holds_batches(GstBufferList* list) {
  const guint length = gst_buffer_list_length(list);
  for (guint i = 0; i < length; ++i) {
    if (gst_buffer_get_packet_batch_meta(gst_buffer_list_get(list, i)) != nullptr) return true;
  }
  return false;
}

// ---- batches ----------------------------------------------------------------------------------

namespace {

/// See the rules in batch.hpp.
bool packets_are_ours(GstBuffer* batch) {
  return gst_buffer_is_writable(batch) && gst_buffer_n_memory(batch) == 1 &&
         !GST_MEMORY_IS_READONLY(gst_buffer_peek_memory(batch, 0));
}

}  // namespace

BatchArrival::BatchArrival(GstBuffer* batch, Access access) noexcept : batch_(batch) {
  if (access == Access::read || packets_are_ours(batch)) return;
  // Somebody else has these packets too. Our own copy takes the packets only, not all of the arena.
  GstBuffer* copy = gst_packet_batch_copy(batch, 0, 0);
  if (copy != nullptr) copies_ = gst_buffer_get_packet_batch_meta(copy)->n;
  gst_buffer_unref(batch);
  batch_ = copy;
}

BatchArrival::~BatchArrival() {
  if (batch_ != nullptr) gst_buffer_unref(batch_);
}

void BatchArrival::open(Burst& burst) {
  if (std::exchange(opened_, true)) return;
  burst.add_batch(batch_);
}

/// The packets for an extra pad become a batch of their own, in the same arena.
void BatchArrival::divert(const Burst& burst, std::uint8_t port, Diverted& diverted) {
  const GstPacketBatchMeta* from = gst_buffer_get_packet_batch_meta(batch_);
  GstBuffer* part = gst_packet_batch_new_part(batch_);
  GstPacketBatchMeta* to = gst_buffer_get_packet_batch_meta(part);
  for (std::size_t i = 0; i < burst.size(); ++i) {
    if (burst.verdict(i).port == port) to->packets[to->n++] = from->packets[i];
  }
  gst_packet_batch_update_size(part);
  diverted.add(port, part);
}

void BatchArrival::settle(const Burst& burst, Diverted& diverted) {
  if (batch_ == nullptr) return;
  std::size_t first = 0;
  while (first < burst.size() && burst.verdict(first).port == 0) ++first;
  if (first == burst.size()) return;
  // An element that only reads may share the buffer, but not change what others see of it. A copy
  // of the arena for that would be a waste: the descriptors move to a buffer of our own.
  if (!gst_buffer_is_writable(batch_)) {
    GstBuffer* own = gst_packet_batch_copy(batch_, 0, 0);
    gst_buffer_unref(batch_);
    batch_ = own;
    if (own == nullptr) return;
    copies_ += burst.size();
  }
  for (std::size_t port = 1; port <= diverted.ports(); ++port) {
    for (std::size_t i = first; i < burst.size(); ++i) {
      if (burst.verdict(i).port != port) continue;
      divert(burst, static_cast<std::uint8_t>(port), diverted);
      break;
    }
  }
  GstPacketBatchMeta* meta = gst_buffer_get_packet_batch_meta(batch_);
  guint kept = static_cast<guint>(first);
  for (std::size_t i = first; i < burst.size(); ++i) {
    if (burst.verdict(i).port == 0) meta->packets[kept++] = meta->packets[i];
  }
  meta->n = kept;
  gst_packet_batch_update_size(batch_);
}

GstFlowReturn BatchArrival::push(SourcePad& pad, Counter& copies) {
  if (batch_ == nullptr || gst_buffer_get_packet_batch_meta(batch_)->n == 0) return GST_FLOW_OK;
  return pad.push_batch(std::exchange(batch_, nullptr), copies);
}

// ---- lists ------------------------------------------------------------------------------------

ListArrival::ListArrival(GstBufferList* list, Access access) noexcept
    : list_(access == Access::modify ? gst_buffer_list_make_writable(list) : list),
      access_(access) {}

ListArrival::~ListArrival() {
  if (list_ != nullptr) gst_buffer_list_unref(list_);
}

void ListArrival::open(Burst& burst) {
  first_ = next_;
  const guint length = gst_buffer_list_length(list_);
  while (next_ < length && !burst.full()) {
    burst.add(access_ == Access::modify ? gst_buffer_list_get_writable(list_, next_)
                                        : gst_buffer_list_get(list_, next_));
    ++next_;
  }
}

void ListArrival::settle(const Burst& burst, Diverted& diverted) {
  for (std::size_t i = 0; i < burst.size(); ++i) {
    if (burst.verdict(i).port != 0) {
      remove(burst, diverted);
      return;
    }
  }
}

void ListArrival::remove(const Burst& burst, Diverted& diverted) {
  list_ = gst_buffer_list_make_writable(list_);
  for (std::size_t i = 0; i < burst.size(); ++i) {
    const std::uint8_t port = burst.verdict(i).port;
    if (port == 0 || port == Verdict::kDrop) continue;
    GstBuffer* buffer = gst_buffer_list_get(list_, first_ + static_cast<guint>(i));
    diverted.add(port, gst_buffer_ref(buffer));
  }
  // From the back, a run at a time: the packets before a run keep their places.
  for (std::size_t end = burst.size(); end > 0;) {
    if (burst.verdict(end - 1).port == 0) {
      --end;
      continue;
    }
    std::size_t begin = end - 1;
    while (begin > 0 && burst.verdict(begin - 1).port != 0) --begin;
    const auto run = static_cast<guint>(end - begin);
    gst_buffer_list_remove(list_, first_ + static_cast<guint>(begin), run);
    next_ -= run;
    end = begin;
  }
}

GstFlowReturn ListArrival::push(SourcePad& pad, Counter&) {
  GstBufferList* list = std::exchange(list_, nullptr);
  if (gst_buffer_list_length(list) == 0) {
    gst_buffer_list_unref(list);
    return GST_FLOW_OK;
  }
  return gst_pad_push_list(pad.get(), list);
}

}  // namespace gstpacket::detail
