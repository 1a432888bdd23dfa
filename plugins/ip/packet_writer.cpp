// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/ip/packet_writer.hpp"

#include <algorithm>
#include <utility>

namespace ipplugin {
namespace {

// In an arena much larger than a core's cache, every packet would be a cache miss.
constexpr std::size_t kMaxArena = std::size_t{256} << 10;
// Packets begin on cache lines.
constexpr std::size_t kAlignment = 64;

constexpr std::size_t slot_size(std::size_t packet) {
  return (packet + kAlignment - 1) & ~(kAlignment - 1);
}

}  // namespace

std::size_t PacketWriter::arena_size(std::size_t longest) {
  const std::size_t slot = slot_size(longest);
  return slot * std::clamp<std::size_t>(kMaxArena / slot, 1, GST_PACKET_BATCH_MAX);
}

bool PacketWriter::begin() {
  if (!format_) format_ = output_.format();
  return !format_->batches() || begin_batch();
}

bool PacketWriter::begin_batch() {
  batch_ = format_->take(expected_);
  if (batch_ == nullptr) return false;
  map_.emplace(batch_);
  if (!*map_) return false;
  n_ = 0;
  offset_ = 0;
  bytes_ = 0;
  descs_ = map_->meta().packets;
  arena_ = map_->data();
  arena_size_ = map_->size();
  ready_places_ =
      format_->prepared() ? std::min<guint>(map_->meta().n, GST_PACKET_BATCH_MAX) : guint{0};
  places_ = format_->prepared() ? ready_places_ : guint{GST_PACKET_BATCH_MAX};
  return places_ != 0;
}

void PacketWriter::end_batch() {
  map_.reset();
  n_ = ready_places_ = 0;
}

/** Whether the batch has room and a time for one more packet. */
bool PacketWriter::fits(std::size_t size, GstClockTime pts) const {
  if (n_ == places_) return false;
  if (ready_places_ == 0 && offset_ + size > arena_size_) return false;
  if (n_ == 0) return true;
  if (!GST_CLOCK_TIME_IS_VALID(pts_) || !GST_CLOCK_TIME_IS_VALID(pts)) return pts == pts_;
  return pts >= pts_ && pts - pts_ <= G_MAXUINT32;
}

std::span<std::byte> PacketWriter::place_anywhere(std::size_t size, GstClockTime pts) {
  flow_ = GST_FLOW_ERROR;
  if (batch_ != nullptr && !fits(size, pts) && flush() != GST_FLOW_OK) return {};
  if (batch_ == nullptr && !begin()) return {};
  if (size > format_->longest()) return {};
  if (!format_->batches()) return place_in_buffer(size, pts);
  if (n_ == 0) pts_ = pts;
  delay_ = GST_CLOCK_TIME_IS_VALID(pts_) ? static_cast<guint32>(pts - pts_) : 0;
  std::size_t room = size;
  if (ready_places_ != 0) {
    prefetch_ahead();
    offset_ = descs_[n_].offset;
    room = descs_[n_].length;
  }
  if (room < size || offset_ + room > arena_size_) return {};
  flow_ = GST_FLOW_OK;
  return {arena_ + offset_, size};
}

std::span<std::byte> PacketWriter::place_in_buffer(std::size_t size, GstClockTime pts) {
  if (buffer_ == nullptr) {
    buffer_ = format_->take(1);
    if (buffer_ == nullptr || gst_buffer_map(buffer_, &buffer_map_, GST_MAP_WRITE) == FALSE) {
      gst_clear_buffer(&buffer_);
      return {};
    }
  }
  GST_BUFFER_PTS(buffer_) = pts;
  if (buffer_map_.size < size) return {};
  flow_ = GST_FLOW_OK;
  return {reinterpret_cast<std::byte*>(buffer_map_.data), size};
}

void PacketWriter::add_anywhere(std::size_t size) {
  if (batch_ != nullptr) {
    descs_[n_++] = {static_cast<guint32>(offset_), static_cast<guint32>(size), delay_, 0};
    offset_ += slot_size(size);
    bytes_ += size;
    return;
  }
  GstBuffer* buffer = std::exchange(buffer_, nullptr);
  gst_buffer_unmap(buffer, &buffer_map_);
  gst_buffer_set_size(buffer, static_cast<gssize>(size));
  if (first_ == nullptr) {
    first_ = buffer;
    return;
  }
  if (list_ == nullptr) {
    list_ = gst_buffer_list_new();
    gst_buffer_list_add(list_, gst_buffer_ref(first_));
  }
  gst_buffer_list_add(list_, buffer);
}

GstFlowReturn PacketWriter::push_batch() {
  GstBuffer* batch = std::exchange(batch_, nullptr);
  if (n_ == 0) {
    end_batch();
    gst_buffer_unref(batch);
    return GST_FLOW_OK;
  }
  map_->meta().n = n_;
  gstpacket::set_packet_bytes(map_->arena(), bytes_);
  end_batch();
  GST_BUFFER_PTS(batch) = pts_;
  return output_.push(batch);
}

GstFlowReturn PacketWriter::push_buffers() {
  GstBuffer* first = std::exchange(first_, nullptr);
  if (first == nullptr) return GST_FLOW_OK;
  if (list_ == nullptr) return output_.push(first);
  gst_buffer_unref(first);
  return output_.push(std::exchange(list_, nullptr));
}

GstFlowReturn PacketWriter::flush() {
  flow_ = batch_ != nullptr ? push_batch() : push_buffers();
  // Asked for anew with the next packet: something may have changed.
  format_.reset();
  return flow_;
}

void PacketWriter::drop() {
  end_batch();
  gst_clear_buffer(&batch_);
  if (buffer_ != nullptr) gst_buffer_unmap(buffer_, &buffer_map_);
  gst_clear_buffer(&buffer_);
  gst_clear_buffer(&first_);
  gst_clear_buffer_list(&list_);
  format_.reset();
}

}  // namespace ipplugin
