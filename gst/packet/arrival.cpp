// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/packet/arrival.hpp"

#include <utility>

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

BufferArrival::BufferArrival(GstBuffer* buffer, Access access) noexcept
    : buffer_(access == Access::modify ? gst_buffer_make_writable(buffer) : buffer) {}

BufferArrival::~BufferArrival() {
  if (buffer_ != nullptr) gst_buffer_unref(buffer_);
}

void BufferArrival::open(Chunk& chunk) {
  if (std::exchange(opened_, true)) return;
  chunk.add(buffer_);
}

void BufferArrival::settle(const Chunk& chunk, Diverted& diverted) {
  const Verdict verdict = chunk.verdict(0);
  if (verdict.port == 0) return;
  GstBuffer* buffer = std::exchange(buffer_, nullptr);
  if (verdict.port == Verdict::kDrop) {
    gst_buffer_unref(buffer);
  } else {
    diverted.add(verdict.port, buffer);
  }
}

GstFlowReturn BufferArrival::push(GstPad* pad) {
  return buffer_ != nullptr ? gst_pad_push(pad, std::exchange(buffer_, nullptr)) : GST_FLOW_OK;
}

ListArrival::ListArrival(GstBufferList* list, Access access) noexcept
    : list_(access == Access::modify ? gst_buffer_list_make_writable(list) : list),
      access_(access) {}

ListArrival::~ListArrival() {
  if (list_ != nullptr) gst_buffer_list_unref(list_);
}

void ListArrival::open(Chunk& chunk) {
  first_ = next_;
  const guint length = gst_buffer_list_length(list_);
  while (next_ < length && !chunk.full()) {
    chunk.add(access_ == Access::modify ? gst_buffer_list_get_writable(list_, next_)
                                        : gst_buffer_list_get(list_, next_));
    ++next_;
  }
}

void ListArrival::settle(const Chunk& chunk, Diverted& diverted) {
  for (std::size_t i = 0; i < chunk.size(); ++i) {
    if (chunk.verdict(i).port != 0) {
      remove(chunk, diverted);
      return;
    }
  }
}

void ListArrival::remove(const Chunk& chunk, Diverted& diverted) {
  list_ = gst_buffer_list_make_writable(list_);
  for (std::size_t i = 0; i < chunk.size(); ++i) {
    const std::uint8_t port = chunk.verdict(i).port;
    if (port == 0 || port == Verdict::kDrop) continue;
    GstBuffer* buffer = gst_buffer_list_get(list_, first_ + static_cast<guint>(i));
    diverted.add(port, gst_buffer_ref(buffer));
  }
  // From the back, a run at a time: the packets before a run keep their places.
  for (std::size_t end = chunk.size(); end > 0;) {
    if (chunk.verdict(end - 1).port == 0) {
      --end;
      continue;
    }
    std::size_t begin = end - 1;
    while (begin > 0 && chunk.verdict(begin - 1).port != 0) --begin;
    const auto run = static_cast<guint>(end - begin);
    gst_buffer_list_remove(list_, first_ + static_cast<guint>(begin), run);
    next_ -= run;
    end = begin;
  }
}

GstFlowReturn ListArrival::push(GstPad* pad) {
  GstBufferList* list = std::exchange(list_, nullptr);
  if (gst_buffer_list_length(list) == 0) {
    gst_buffer_list_unref(list);
    return GST_FLOW_OK;
  }
  return gst_pad_push_list(pad, list);
}

}  // namespace gstpacket::detail
