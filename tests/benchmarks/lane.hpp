// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The bare ring loops: what memif costs when nothing else is done. Benchmarks only: memory of
 * the peer is checked against bounds, and no further.
 */
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "frames.hpp"
#include "peer.hpp"

namespace bench {

/** What both directions of a queue have in common. */
class Direction {
 public:
  Direction(const Peer& peer, const gstmemif::RingPlan& plan, std::uint32_t first_buffer)
      : ring_(peer.ring(plan)),
        slave_(peer.plan.role == gstmemif::Role::slave),
        event_fd_(plan.event_fd.get()),
        buffer_size_(peer.plan.buffer_size),
        first_buffer_(first_buffer) {
    for (const auto& region : peer.plan.regions) {
      regions_.push_back({region.data(), region.size()});
    }
  }

  std::uint32_t size() const noexcept { return ring_.size(); }

 protected:
  std::uint32_t offset_of(std::uint32_t slot) const noexcept {
    return (first_buffer_ + slot) * buffer_size_;
  }
  /** Memory that a descriptor names; null if it lies outside of its region. */
  std::byte* data(const gstmemif::Descriptor& d, std::uint32_t length) const noexcept {
    if (d.region >= regions_.size()) return nullptr;
    const std::span<std::byte> region = regions_[d.region];
    if (std::uint64_t{d.offset} + length > region.size()) return nullptr;
    return region.data() + d.offset;
  }
  void kick() noexcept {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (!ring_.interrupt_masked()) gstmemif::signal_eventfd(event_fd_);
  }

  gstmemif::Ring ring_;
  const bool slave_;
  int event_fd_;
  std::uint32_t buffer_size_;
  std::uint32_t first_buffer_;  // as slave, the first of this ring's buffers in region 1
  std::vector<std::span<std::byte>> regions_;
};

/** Sends. As slave from buffers that were filled before, as master by a copy. */
class Sending : public Direction {
 public:
  Sending(const Peer& peer, std::size_t queue)
      : Direction(peer, is_slave(peer) ? peer.plan.s2m[queue] : peer.plan.m2s[queue],
                  static_cast<std::uint32_t>(queue * size_of(peer))) {
    swapped_.resize(size());
    for (std::uint32_t slot = 0; slot < size(); ++slot) swapped_[slot] = offset_of(slot);
  }

  /** Slots that can be filled now. */
  std::uint32_t room() noexcept {
    if (slave_) return size() - static_cast<std::uint16_t>(next_ - ring_.load_tail());
    return static_cast<std::uint16_t>(ring_.load_head() - next_);
  }
  std::uint16_t next() const noexcept { return next_; }

  /** Chooses the frames of send_frames(); as slave, fills the buffers. */
  void prepare(const Frames& frames) {
    frames_ = &frames;
    frame_of_.resize(size());
    for (std::uint32_t slot = 0; slot < size(); ++slot) {
      frame_of_[slot] = static_cast<std::uint8_t>(slot % frames.count());
      if (slave_) fill(slot, frames.at(frame_of_[slot]).size());
    }
  }
  std::size_t frame_number(std::uint16_t index) const noexcept {
    return frame_of_[ring_.slot(index)];
  }
  /** True if a device wrote into our buffers: send_frames() then writes their headers anew. */
  bool spoiled() const noexcept {
    if (!slave_) return false;
    for (std::uint32_t slot = 0; slot < size(); ++slot) {
      const auto frame = frames_->at(frame_of_[slot]);
      const std::size_t n = std::min(frame.size(), Frames::kTouched);
      if (std::memcmp(regions_[1].data() + offset_of(slot), frame.data(), n) != 0) return true;
    }
    return false;
  }
  void set_refresh(bool refresh) noexcept { refresh_ = refresh; }

  /** @p n must not be more than room(). Not seen by the peer before publish(). */
  void send_frames(std::uint32_t n) noexcept {
    for (std::uint32_t i = 0; i < n; ++i, ++next_) {
      const std::uint32_t slot = ring_.slot(next_);
      const std::span<const std::byte> frame = frames_->at(frame_of_[slot]);
      const auto length = static_cast<std::uint32_t>(frame.size());
      if (slave_) {
        if (refresh_) fill(slot, std::min(frame.size(), Frames::kTouched));
        ring_.write(next_, {0, 1, length, offset_of(slot), 0});
      } else {
        copy(frame.data(), length);
      }
    }
  }
  /** Sends a copy, also as slave; returns it, or nothing if it did not fit. */
  std::span<std::byte> send_copy(std::span<const std::byte> bytes) noexcept {
    const auto length = static_cast<std::uint32_t>(bytes.size());
    std::byte* to = nullptr;
    if (!slave_) {
      to = copy(bytes.data(), length);
    } else if (length <= buffer_size_) {
      const std::uint32_t offset = swapped_[ring_.slot(next_)];
      to = regions_[1].data() + offset;
      std::memcpy(to, bytes.data(), length);
      ring_.write(next_, {0, 1, length, offset, 0});
    }
    ++next_;
    return to == nullptr ? std::span<std::byte>{} : std::span(to, length);
  }
  /** As slave: sends the buffer at @p offset and returns the one that was in the slot. */
  std::uint32_t send_swapped(std::uint32_t offset, std::uint32_t length) noexcept {
    const std::uint32_t free = std::exchange(swapped_[ring_.slot(next_)], offset);
    ring_.write(next_, {0, 1, length, offset, 0});
    ++next_;
    return free;
  }
  void publish() noexcept {
    if (slave_) {
      ring_.store_head(next_);
    } else {
      ring_.store_tail(next_);
    }
    kick();
  }

 private:
  static bool is_slave(const Peer& peer) { return peer.plan.role == gstmemif::Role::slave; }
  static std::size_t size_of(const Peer& peer) { return peer.plan.s2m.at(0).size; }

  void fill(std::uint32_t slot, std::size_t bytes) noexcept {
    std::memcpy(regions_[1].data() + offset_of(slot), frames_->at(frame_of_[slot]).data(), bytes);
  }
  std::byte* copy(const std::byte* bytes, std::uint32_t length) noexcept {
    gstmemif::Descriptor d = ring_.read(next_);
    std::byte* to = data(d, length);
    d.length = to != nullptr && length <= d.length ? length : 0;
    d.flags = 0;
    if (d.length == 0) {
      to = nullptr;
    } else {
      // A constant size becomes four vector moves.
      if (length == 64) {
        std::memcpy(to, bytes, 64);
      } else {
        std::memcpy(to, bytes, length);
      }
    }
    ring_.write(next_, d);
    return to;
  }

  std::uint16_t next_ = 0;
  const Frames* frames_ = nullptr;
  std::vector<std::uint8_t> frame_of_;
  std::vector<std::uint32_t> swapped_;
  bool refresh_ = false;
};

/** Receives. As slave it gives the same buffers back, or others that were swapped for them. */
class Receiving : public Direction {
 public:
  Receiving(const Peer& peer, std::size_t queue)
      : Direction(peer, slave_of(peer) ? peer.plan.m2s[queue] : peer.plan.s2m[queue],
                  static_cast<std::uint32_t>(peer.plan.s2m.size() * peer.plan.s2m.at(0).size +
                                             queue * peer.plan.m2s.at(0).size)) {
    ring_.mask_interrupt(true);
    if (!slave_) return;
    buffers_.resize(size());
    for (std::uint32_t slot = 0; slot < size(); ++slot) {
      buffers_[slot] = offset_of(slot);
      refill(static_cast<std::uint16_t>(slot));
    }
    ring_.store_head(static_cast<std::uint16_t>(size()));
  }

  std::uint32_t waiting() const noexcept {
    const std::uint16_t end = slave_ ? ring_.load_tail() : ring_.load_head();
    return static_cast<std::uint16_t>(end - next_);
  }
  /** Packet @p i of those waiting. */
  gstmemif::Descriptor peek(std::uint32_t i) const noexcept {
    return ring_.read(static_cast<std::uint16_t>(next_ + i));
  }
  std::span<std::byte> bytes(const gstmemif::Descriptor& d) const noexcept {
    std::byte* at = data(d, d.length);
    return at == nullptr ? std::span<std::byte>{} : std::span(at, d.length);
  }
  /** As slave: another buffer for packet @p i. */
  void swap(std::uint32_t i, std::uint32_t offset) noexcept {
    buffers_[ring_.slot(static_cast<std::uint16_t>(next_ + i))] = offset;
  }
  /** Gives the slots of the first @p n packets back. */
  void release(std::uint32_t n) noexcept {
    if (!slave_) {
      next_ = static_cast<std::uint16_t>(next_ + n);
      ring_.store_tail(next_);
      return;
    }
    for (std::uint32_t i = 0; i < n; ++i) refill(next_++);
    ring_.store_head(static_cast<std::uint16_t>(next_ + size()));
  }

 private:
  static bool slave_of(const Peer& peer) { return peer.plan.role == gstmemif::Role::slave; }
  void refill(std::uint16_t index) noexcept {
    ring_.write(index, {0, 1, buffer_size_, buffers_[ring_.slot(index)], 0});
  }

  std::uint16_t next_ = 0;
  std::vector<std::uint32_t> buffers_;
};

}  // namespace bench
