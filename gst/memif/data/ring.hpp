// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * One descriptor ring in shared memory: typed, ordered access and nothing else.
 *
 * The peer may write any byte of it at any time. So every load happens exactly once, into a local
 * copy, and nothing here trusts what it reads.
 */
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "gst/memif/control/protocol.hpp"
#include "gst/memif/data/prefetch.hpp"
#include "gst/memif/types.hpp"

namespace gstmemif {

class Ring {
 public:
  Ring(std::byte* base, RingLayout layout) noexcept
      : flags_(at<std::uint16_t>(base, RingLayout::flags_offset())),
        head_(at<std::uint16_t>(base, RingLayout::head_offset())),
        tail_(at<std::uint16_t>(base, layout.tail_offset())),
        cookie_(at<std::uint32_t>(base, RingLayout::cookie_offset())),
        descriptors_(at<std::uint64_t>(base, layout.descriptors_offset())),
        size_(layout.size) {}

  std::uint32_t size() const noexcept { return size_; }
  /** Position of a free-running index. */
  std::uint32_t slot(std::uint16_t index) const noexcept { return index & (size_ - 1); }
  /** Of a position that may lie beyond the end of the ring. */
  std::size_t wrapped(std::size_t slot) const noexcept { return slot & (size_ - 1); }
  /** Slots from that of @p index to the end of the ring. */
  std::uint32_t before_wrap(std::uint16_t index) const noexcept { return size_ - slot(index); }

  std::uint32_t cookie() const noexcept { return ref(*cookie_).load(std::memory_order_relaxed); }
  void store_cookie(std::uint32_t value) noexcept {
    ref(*cookie_).store(value, std::memory_order_relaxed);
  }

  /** Written by the slave: packets published (S2M) or empty buffers published (M2S). */
  std::uint16_t load_head() const noexcept { return ref(*head_).load(std::memory_order_acquire); }
  void store_head(std::uint16_t value) noexcept {
    ref(*head_).store(value, std::memory_order_release);
  }
  /** Written by the master: slots given back (S2M) or filled (M2S). */
  std::uint16_t load_tail() const noexcept { return ref(*tail_).load(std::memory_order_acquire); }
  void store_tail(std::uint16_t value) noexcept {
    ref(*tail_).store(value, std::memory_order_release);
  }

  /** With the slots of an S2M ring that hold packets, or that the master has not given back. */
  RingFill filled_by_slave() const noexcept {
    const std::uint16_t head = load_head();
    const std::uint16_t tail = load_tail();
    const std::uint32_t filled = static_cast<std::uint16_t>(head - tail);
    return {filled < size_ ? filled : size_, size_, head, tail};
  }
  /** With the slots of an M2S ring that hold packets, or that the slave has not given back. */
  RingFill filled_by_master() const noexcept {
    RingFill fill = filled_by_slave();
    fill.slots = size_ - fill.slots;
    return fill;
  }

  /** The flag belongs to the receiver of the ring: set while it does not want to be woken. */
  bool interrupt_masked() const noexcept {
    return (ref(*flags_).load(std::memory_order_relaxed) & kRingMaskInterrupt) != 0;
  }
  void mask_interrupt(bool masked) noexcept {
    ref(*flags_).store(masked ? kRingMaskInterrupt : 0, std::memory_order_relaxed);
  }

  /** One look at a descriptor. Two 64-bit loads that the compiler must not repeat. */
  Descriptor read(std::uint16_t index) const noexcept { return read_slot(slot(index)); }
  Descriptor read_slot(std::size_t slot) const noexcept {
    const std::uint64_t* words = descriptors_ + 2 * slot;
    const auto first = std::bit_cast<First>(__atomic_load_n(words, __ATOMIC_RELAXED));
    const auto second = std::bit_cast<Second>(__atomic_load_n(words + 1, __ATOMIC_RELAXED));
    return {first.flags, first.region, first.length, second.offset, second.metadata};
  }
  /** Where its buffer begins, to be prefetched: what is decided on is read by read_slot(). */
  std::uint32_t read_offset(std::size_t slot) const noexcept {
    return std::bit_cast<Second>(__atomic_load_n(descriptors_ + 2 * slot + 1, __ATOMIC_RELAXED))
        .offset;
  }
  /** Writes all of a descriptor, also the flags: a stale NEXT would join two packets. */
  void write(std::uint16_t index, const Descriptor& descriptor) noexcept {
    write_slot(slot(index), descriptor);
  }
  void write_slot(std::size_t slot, const Descriptor& descriptor) noexcept {
    std::uint64_t* words = descriptors_ + 2 * slot;
    const First first{descriptor.flags, descriptor.region, descriptor.length};
    const Second second{descriptor.offset, descriptor.metadata};
    __atomic_store_n(words, std::bit_cast<std::uint64_t>(first), __ATOMIC_RELAXED);
    __atomic_store_n(words + 1, std::bit_cast<std::uint64_t>(second), __ATOMIC_RELAXED);
  }

  // See prefetch.hpp.
  void prefetch(std::uint16_t index) const noexcept {
    __builtin_prefetch(descriptors_ + 2 * slot(index));
  }
  void prefetch_to_change(std::uint16_t index) const noexcept {
    gstmemif::prefetch_to_change(descriptors_ + 2 * slot(index));
  }
  void prefetch_head_to_change() const noexcept { gstmemif::prefetch_to_change(head_); }

  /** @param slot may lie beyond the end of the ring */
  void prefetch_for_writing(std::size_t slot) const noexcept {
    __builtin_prefetch(descriptors_ + 2 * wrapped(slot), 1);
  }
  /** The same, in vain for a slot beyond the end. */
  void prefetch_row_for_writing(std::size_t slot) const noexcept {
    const auto address = reinterpret_cast<std::uintptr_t>(descriptors_) + 16 * slot;
    __builtin_prefetch(reinterpret_cast<const void*>(address), 1);
  }

 private:
  // A descriptor as the two words that it is read and written as.
  struct First {
    std::uint16_t flags;
    std::uint16_t region;
    std::uint32_t length;
  };
  struct Second {
    std::uint32_t offset;
    std::uint32_t metadata;
  };

  template <class T>
  static T* at(std::byte* base, std::size_t offset) noexcept {
    return reinterpret_cast<T*>(base + offset);
  }
  template <class T>
  static std::atomic_ref<T> ref(T& value) noexcept {
    return std::atomic_ref<T>(value);
  }

  std::uint16_t* flags_;
  std::uint16_t* head_;
  std::uint16_t* tail_;
  std::uint32_t* cookie_;
  std::uint64_t* descriptors_;
  std::uint32_t size_;
};

}  // namespace gstmemif
