// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/packet/outbox.hpp"

#include <utility>

#include "gst/packet/arrival.hpp"

namespace gstpacket::detail {

void Outbox::begin(std::size_t ports, std::span<const unsigned> flood_to) {
  if (ports_.size() < ports) ports_.resize(ports);
  flood_to_ = flood_to;
  next_ = first_ = 0;
  scattered_ = false;
}

void Outbox::load(GstBuffer* buffer, std::size_t ports, std::span<const unsigned> flood_to) {
  begin(ports, flood_to);
  buffer_ = buffer;
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

void Outbox::open(Chunk& chunk) {
  first_ = next_;
  for (; next_ < size_ && !chunk.full(); ++next_) chunk.add(at(next_));
}

void Outbox::take(const Chunk& chunk) {
  for (std::size_t i = 0; i < chunk.size(); ++i) {
    Verdict verdict = chunk.verdict(i);
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
  GstBuffer* buffer = at(i);
  if (verdict.port != Verdict::kFlood) {
    ports_[verdict.port].push_back(gst_buffer_ref(buffer));
    return;
  }
  for (const unsigned port : flood_to_) ports_[port].push_back(gst_buffer_ref(buffer));
}

GstFlowReturn Outbox::push(GstPad* pad, unsigned port, bool last) {
  if (scattered_) {
    // Without the list a buffer that goes to one port only has one owner, and can be written to.
    if (list_ != nullptr) gst_buffer_list_unref(std::exchange(list_, nullptr));
    return push_buffers(pad, ports_[port]);
  }
  if (list_ != nullptr) {
    return gst_pad_push_list(pad,
                             last ? std::exchange(list_, nullptr) : gst_buffer_list_ref(list_));
  }
  return gst_pad_push(pad, last ? std::exchange(buffer_, nullptr) : gst_buffer_ref(buffer_));
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
