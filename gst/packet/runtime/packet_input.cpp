// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/packet/runtime/packet_input.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "gst/packet/arena.hpp"
#include "gst/packet/batch.hpp"
#include "gst/packet/places.hpp"

namespace gstpacket::detail {
namespace {

/** See the rules in batch.hpp. */
bool packets_are_ours(GstBuffer* batch) {
  return gst_buffer_is_writable(batch) && gst_buffer_n_memory(batch) == 1 &&
         !GST_MEMORY_IS_READONLY(gst_buffer_peek_memory(batch, 0));
}

}  // namespace

bool holds_batches(GstBufferList* list) {
  const guint length = gst_buffer_list_length(list);
  for (guint i = 0; i < length; ++i) {
    GstBuffer* buffer = gst_buffer_list_get(list, i);
    gpointer state = nullptr;
    // Most buffers have no meta at all, which is cheaper to find out.
    if (gst_buffer_iterate_meta(buffer, &state) == nullptr) continue;
    if (gst_buffer_get_packet_batch_meta(buffer) != nullptr) return true;
  }
  return false;
}

PacketInput::PacketInput(GstBuffer* buffer, Access access, CopyPool& copies, GstPad* to) noexcept
    : buffer_(buffer),
      access_(access),
      copy_pool_(copies),
      meta_(gst_buffer_get_packet_batch_meta(buffer)) {
  if (access == Access::read) return;
  if (!is_batch()) {
    buffer_ = gst_buffer_make_writable(buffer);
  } else if (!packets_are_ours(buffer)) {
    copy_batch(to);
  }
}

PacketInput::PacketInput(GstBufferList* list, Access access, CopyPool& copies) noexcept
    : list_(access == Access::modify ? gst_buffer_list_make_writable(list) : list),
      access_(access),
      copy_pool_(copies),
      size_(gst_buffer_list_length(list_)) {}

PacketInput::~PacketInput() {
  if (buffer_ != nullptr) gst_buffer_unref(buffer_);
  if (copied_from_ != nullptr) gst_buffer_unref(copied_from_);
  if (list_ != nullptr) gst_buffer_list_unref(list_);
}

std::uint64_t PacketInput::packets() const noexcept {
  return is_batch() && buffer_ != nullptr ? meta_->n : size_;
}

void PacketInput::open_next(Burst& burst) {
  first_ = next_;
  if (is_batch()) {
    next_ = size_;
    burst.add_batch(buffer_, meta_);
    return;
  }
  for (; next_ < size_ && !burst.full(); ++next_) {
    burst.add(list_ != nullptr && access_ == Access::modify
                  ? gst_buffer_list_get_writable(list_, static_cast<guint>(next_))
                  : buffer(next_));
  }
}

/** Copies the packets only, not all of the arena. */
bool PacketInput::copy_batch(GstPad* to) noexcept {
  GstBuffer* copy = to != nullptr ? copy_to_places(to, buffer_) : nullptr;
  if (copy == nullptr) copy = detail::copy_batch(buffer_, copy_pool_);
  GstBuffer* from = std::exchange(buffer_, copy);
  // If somebody else holds it, our reference would keep them from writing to it.
  if (copied_from_ == nullptr && GST_MINI_OBJECT_REFCOUNT_VALUE(from) == 1) {
    copied_from_ = from;
  } else {
    gst_buffer_unref(from);
  }
  if (copy == nullptr) return false;
  meta_ = gst_buffer_get_packet_batch_meta(copy);
  copies_ += meta_->n;
  return true;
}

bool PacketInput::own_batch() noexcept {
  if (buffer_ == nullptr) return false;
  // A reading element may share the batch, but not change its descriptors.
  return gst_buffer_is_writable(buffer_) || copy_batch();
}

void PacketInput::keep(std::span<const bool> kept) {
  if (std::ranges::find(kept, false) == kept.end()) return;
  if (list_ != nullptr) return keep_in_list(kept);
  if (buffer_ == nullptr) return;
  if (std::ranges::find(kept, true) == kept.end()) {  // always with a damaged batch
    return gst_buffer_unref(std::exchange(buffer_, nullptr));
  }
  meta_->n = 0;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (kept[i]) meta_->packets[meta_->n++] = meta_->packets[i];
  }
  gst_packet_batch_update_size(buffer_);
}

void PacketInput::keep_in_list(std::span<const bool> kept) {
  list_ = gst_buffer_list_make_writable(list_);
  // From the back, a run at a time: the packets before a run keep their places.
  for (std::size_t end = kept.size(); end > 0;) {
    std::size_t begin = end;
    while (begin > 0 && !kept[begin - 1]) --begin;
    if (begin != end) {
      gst_buffer_list_remove(list_, static_cast<guint>(first_ + begin),
                             static_cast<guint>(end - begin));
      next_ -= end - begin;
      size_ -= end - begin;
    }
    end = begin;
    while (end > 0 && kept[end - 1]) --end;
  }
}

GstBuffer* PacketInput::take_batch(bool last) noexcept {
  if (buffer_ == nullptr) return nullptr;
  return last ? std::exchange(buffer_, nullptr) : gst_buffer_ref(buffer_);
}

GstFlowReturn PacketInput::push(GstPad* pad, bool last) {
  if (list_ != nullptr) {
    return gst_pad_push_list(pad,
                             last ? std::exchange(list_, nullptr) : gst_buffer_list_ref(list_));
  }
  return gst_pad_push(pad, take_batch(last));
}

}  // namespace gstpacket::detail
