// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Big-endian loads and stores by memcpy: no alignment needed, no aliasing rule broken. At -O2 each
 * is one load or store with a byte swap.
 *
 * A peer may write to a packet while it is parsed (see packet.hpp), so every load is made once:
 * load_word() is the only function that reads bytes of a packet.
 */
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

namespace gstpacket {

/** std::byte, const or not: the parameter of every header view. */
template <class B>
concept ByteLike = std::same_as<std::remove_const_t<B>, std::byte>;

/** Reverses the bytes of `value`. */
template <std::unsigned_integral T>
[[nodiscard]] constexpr T byte_swap(T value) noexcept {
  if constexpr (sizeof(T) == 1) {
    return value;
  } else if constexpr (sizeof(T) == 2) {
    return __builtin_bswap16(value);
  } else if constexpr (sizeof(T) == 4) {
    return __builtin_bswap32(value);
  } else {
    static_assert(sizeof(T) == 8);
    return __builtin_bswap64(value);
  }
}

/** Host order to network order, and the other way round. */
template <std::unsigned_integral T>
[[nodiscard]] constexpr T swap_if_little(T value) noexcept {
  return std::endian::native == std::endian::little ? byte_swap(value) : value;
}

/**
 * Called after each load. A program that is compiled with GSTPACKET_MUTATE_LOADS defines it, to
 * test elements with packets that change behind every load.
 */
#ifdef GSTPACKET_MUTATE_LOADS
void after_load() noexcept;
#else
inline void after_load() noexcept {}
#endif

/**
 * The word at `data`, in packet order. Loaded once: everything computed from the result is
 * computed from the same bytes, whatever happens to memory.
 */
template <std::unsigned_integral Word>
[[nodiscard, gnu::always_inline]] inline Word load_word(const std::byte* data) noexcept {
  Word word;
  std::memcpy(&word, data, sizeof word);
  // A compiler may reload a value instead of keeping it. This hides where the value came from. It
  // emits no instruction, and is optimised away with an unused value.
  asm("" : "+r"(word));
  after_load();
  return word;
}

/** A copy of consecutive bytes of a packet, to read fields from without another load. */
template <std::unsigned_integral Word>
class Octets {
 public:
  Octets() = default;
  explicit Octets(const std::byte* from) noexcept : word_(load_word<Word>(from)) {}

  /** The big-endian value at `offset`. Precondition: offset + sizeof(T) <= sizeof(Word). */
  template <std::unsigned_integral T>
  [[nodiscard]] constexpr T get(std::size_t offset) const noexcept {
    return swap_if_little(part<T>(offset));
  }
  /** The same in packet order, which is sufficient for checksums. */
  template <std::unsigned_integral T>
  [[nodiscard]] constexpr T part(std::size_t offset) const noexcept {
    return static_cast<T>(word_ >> shift<T>(offset));
  }
  template <std::unsigned_integral T>
  constexpr void set(std::size_t offset, std::type_identity_t<T> value) noexcept {
    const Word mask = static_cast<Word>(Word{static_cast<T>(~T{0})} << shift<T>(offset));
    const Word bits = static_cast<Word>(Word{swap_if_little<T>(value)} << shift<T>(offset));
    word_ = static_cast<Word>((word_ & ~mask) | bits);
  }
  /** As they are in the packet. */
  [[nodiscard]] constexpr Word word() const noexcept { return word_; }

 private:
  template <class T>
  [[nodiscard]] static constexpr std::size_t shift(std::size_t offset) noexcept {
    static_assert(sizeof(T) <= sizeof(Word));
    return 8 * (std::endian::native == std::endian::little ? offset
                                                           : sizeof(Word) - sizeof(T) - offset);
  }
  Word word_ = 0;
};

/**
 * The big-endian value at `bytes[offset]`, loaded once. Precondition: offset + sizeof(T) <=
 * bytes.size().
 */
template <std::unsigned_integral T>
[[nodiscard]] inline T load_be(std::span<const std::byte> bytes, std::size_t offset = 0) noexcept {
  return swap_if_little(load_word<T>(bytes.data() + offset));
}

/** Writes `value` big-endian to `bytes[offset]`. Precondition: as for load_be(). */
template <std::unsigned_integral T>
inline void store_be(std::span<std::byte> bytes, std::size_t offset,
                     std::type_identity_t<T> value) noexcept {
  const T swapped = swap_if_little(value);
  std::memcpy(bytes.data() + offset, &swapped, sizeof swapped);
}

}  // namespace gstpacket
