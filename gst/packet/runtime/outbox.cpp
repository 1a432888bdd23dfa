// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/packet/runtime/outbox.hpp"

#include <algorithm>

#include "gst/packet/batch.hpp"
#include "gst/packet/runtime/arrival.hpp"

namespace gstpacket::detail {

void Outbox::begin(std::size_t ports, std::span<const unsigned> flood_to) {
  if (ports_.size() < ports) ports_.resize(ports);
  flood_to_ = flood_to;
  next_ = first_ = 0;
  scattered_ = flooded_ = batch_ = opened_ = false;
}

void Outbox::load(GstBuffer* buffer, std::size_t ports, std::span<const unsigned> flood_to) {
  begin(ports, flood_to);
  buffer_ = buffer;
  batch_ = gst_buffer_get_packet_batch_meta(buffer) != nullptr;
  size_ = 1;
}

void Outbox::load(GstBufferList* list, std::size_t ports, std::span<const unsigned> flood_to) {
  begin(ports, flood_to);
  list_ = list;
  size_ = gst_buffer_list_length(list);
}

GstBuffer* Outbox::at(std::size_t i) const {
  return list_ != nullptr ? gst_buffer_list_get(list_, static_cast<guint>(i)) : buffer_;
}

void Outbox::open(Burst& burst) {
  first_ = next_;
  if (batch_) {
    if (!std::exchange(opened_, true)) burst.add_batch(buffer_);
    return;
  }
  for (; next_ < size_ && !burst.full(); ++next_) burst.add(at(next_));
}

void Outbox::take(const Burst& burst) {
  for (std::size_t i = 0; i < burst.size(); ++i) {
    Verdict verdict = burst.verdict(i);
    verdict.reason = 0;
    const std::size_t place_of = first_ + i;
    if (place_of == 0) common_ = verdict;
    if (!scattered_ && verdict == common_) continue;
    if (!scattered_) scatter_from(place_of);
    place(place_of, verdict);
  }
}

/// Packet `i` is the first whose verdict differs from those before it.
void Outbox::scatter_from(std::size_t i) {
  scattered_ = true;
  for (std::size_t before = 0; before < i; ++before) place(before, common_);
}

void Outbox::place(std::size_t i, Verdict verdict) {
  if (verdict.port == Verdict::kDrop) return;
  if (verdict.port != Verdict::kFlood) {
    hand_to(verdict.port, i);
    return;
  }
  flooded_ = true;
  for (const unsigned port : flood_to_) hand_to(port, i);
}

void Outbox::hand_to(unsigned port, std::size_t i) {
  std::vector<GstBuffer*>& buffers = ports_[port];
  if (!batch_) {
    buffers.push_back(gst_buffer_ref(at(i)));
    return;
  }
  if (buffers.empty()) buffers.push_back(gst_packet_batch_new_part(buffer_));
  GstPacketBatchMeta* part = gst_buffer_get_packet_batch_meta(buffers.front());
  part->packets[part->n++] = gst_buffer_get_packet_batch_meta(buffer_)->packets[i];
}

GstFlowReturn Outbox::push(GstPad* pad, unsigned port, bool takes_batches, bool last) {
  if (scattered_) return push_part(pad, port, takes_batches, last);
  if (list_ != nullptr) {
    return gst_pad_push_list(pad,
                             last ? std::exchange(list_, nullptr) : gst_buffer_list_ref(list_));
  }
  GstBuffer* buffer = last ? std::exchange(buffer_, nullptr) : gst_buffer_ref(buffer_);
  return batch_ ? push_batch(pad, buffer, takes_batches) : gst_pad_push(pad, buffer);
}

GstFlowReturn Outbox::push_part(GstPad* pad, unsigned port, bool takes_batches, bool last) {
  // Without them, what goes to one port only has one owner, and can be written to.
  if (list_ != nullptr) gst_buffer_list_unref(std::exchange(list_, nullptr));
  if (buffer_ != nullptr) gst_buffer_unref(std::exchange(buffer_, nullptr));
  if (!batch_) return push_buffers(pad, ports_[port]);
  GstBuffer* part = ports_[port].front();
  ports_[port].clear();
  gst_packet_batch_update_size(part);
  // What is flooded is in the parts of several ports: one has it where it lies, the others a copy.
  if (flooded_ && !last && takes_batches && std::ranges::find(flood_to_, port) != flood_to_.end()) {
    GstBuffer* own = gst_packet_batch_copy(part, 0, 0);
    gst_buffer_unref(part);
    if (own == nullptr) return GST_FLOW_ERROR;
    copies_ += gst_buffer_get_packet_batch_meta(own)->n;
    part = own;
  }
  return push_batch(pad, part, takes_batches);
}

GstFlowReturn Outbox::push_batch(GstPad* pad, GstBuffer* batch, bool takes_batches) {
  if (takes_batches) return gst_pad_push(pad, batch);
  copies_ += gst_buffer_get_packet_batch_meta(batch)->n;
  return gst_pad_push_list(pad, gst_packet_batch_unpack(batch));
}

void Outbox::clear() noexcept {
  if (list_ != nullptr) gst_buffer_list_unref(std::exchange(list_, nullptr));
  if (buffer_ != nullptr) gst_buffer_unref(std::exchange(buffer_, nullptr));
  if (!scattered_) return;
  for (auto& port : ports_) {
    for (GstBuffer* buffer : port) gst_buffer_unref(buffer);
    port.clear();
  }
}

}  // namespace gstpacket::detail
