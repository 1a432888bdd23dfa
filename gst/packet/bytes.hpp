// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Big-endian loads and stores by memcpy: no alignment needed, no aliasing rule broken. At -O2 each
// is one load or store with a byte swap.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

namespace gstpacket {

/// std::byte, const or not: the parameter of every header view.
template <class B>
concept ByteLike = std::same_as<std::remove_const_t<B>, std::byte>;

/// Reverses the bytes of `value`.
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

/// Host order to network order, and the other way round.
template <std::unsigned_integral T>
[[nodiscard]] constexpr T swap_if_little(T value) noexcept {
  return std::endian::native == std::endian::little ? byte_swap(value) : value;
}

/// The big-endian value at `bytes[offset]`. Precondition: offset + sizeof(T) <= bytes.size().
template <std::unsigned_integral T>
[[nodiscard]] inline T load_be(std::span<const std::byte> bytes, std::size_t offset = 0) noexcept {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return swap_if_little(value);
}

/// Writes `value` big-endian to `bytes[offset]`. Precondition: as for load_be().
template <std::unsigned_integral T>
inline void store_be(std::span<std::byte> bytes, std::size_t offset,
                     std::type_identity_t<T> value) noexcept {
  const T swapped = swap_if_little(value);
  std::memcpy(bytes.data() + offset, &swapped, sizeof swapped);
}

}  // namespace gstpacket
