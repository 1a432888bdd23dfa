// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The Internet checksum: RFC 1071 over one or many fragments, RFC 1624 for changes in place.
 * Nothing here writes to a packet, and only the sum depends on the bytes that are read.
 */
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "gst/packet/export.hpp"
#include "gst/packet/headers/address.hpp"
#include "gst/packet/headers/bytes.hpp"

namespace gstpacket {

// Sums are kept in host byte order: the one's complement sum of byte-swapped words is the
// byte-swapped sum (RFC 1071 section 2 B), so one swap at the end is enough.
// Adding a number to itself with its halves exchanged leaves the folded sum in the upper half: the
// carry of the lower half is the one that has to come round.

/** The 16-bit one's complement sum that a longer one stands for. */
[[nodiscard]] constexpr std::uint16_t fold_sum(std::uint32_t sum) noexcept {
  return static_cast<std::uint16_t>((sum + std::rotl(sum, 16)) >> 16);
}
[[nodiscard]] constexpr std::uint16_t fold_sum(std::uint64_t sum) noexcept {
  return fold_sum(static_cast<std::uint32_t>((sum + std::rotl(sum, 32)) >> 32));
}

namespace detail {

// What folds to zero, one's complement's other zero included: one multiplication instead of the
// folding. A multiple of an odd number is known by its product with the inverse modulo 2^64: that
// is the quotient, and for all other numbers it is larger than any quotient.
[[nodiscard]] constexpr bool is_multiple_of_ffff(std::uint64_t sum) noexcept {
  constexpr std::uint64_t kInverse = 0xfffefffefffeffff;
  static_assert(kInverse * 0xffff == 1);
  return sum * kInverse <= ~std::uint64_t{0} / 0xffff;
}

// Out of line, with vectors: worth the call beyond kInlineSum bytes.
[[nodiscard]] GSTPACKET_API std::uint64_t sum_long(const std::byte* data,
                                                   std::size_t size) noexcept;
[[nodiscard]] GSTPACKET_API std::uint64_t copy_sum_long(std::byte* to, const std::byte* from,
                                                        std::size_t size) noexcept;
inline constexpr std::size_t kInlineSum = 64;

// One's complement addition: a carry out of the top counts as one at the bottom.
[[nodiscard]] constexpr std::uint64_t add_carry(std::uint64_t a, std::uint64_t b) noexcept {
  const std::uint64_t total = a + b;
  return total + (total < a ? 1 : 0);
}

// Without the barrier of load_word(), so that additions may take their words from memory: nothing
// but the sum depends on them.
template <class Word>
[[nodiscard, gnu::always_inline]] inline Word load_addend(const std::byte* data) noexcept {
  Word word;
  std::memcpy(&word, data, sizeof word);
  after_load();
  return word;
}

// Fewer than eight bytes.
[[nodiscard]] inline std::uint64_t sum_few(const std::byte* data, std::size_t size) noexcept {
  std::uint64_t sum = 0;
  if ((size & 4) != 0) {
    sum += load_addend<std::uint32_t>(data);
    data += 4;
  }
  if ((size & 2) != 0) {
    sum += load_addend<std::uint16_t>(data);
    data += 2;
  }
  if ((size & 1) != 0) {
    // The last byte is the first of a word whose second is zero.
    const std::uint16_t last = load_addend<std::uint8_t>(data);
    sum += std::endian::native == std::endian::little ? last : last << 8;
  }
  return sum;
}

// Words of eight bytes, one after the other, which is faster than vectors for short runs. Continues
// the sum of at least eight preceding bytes: the last word overlaps them, and the overlap is
// shifted out.
[[nodiscard, gnu::always_inline]] inline std::uint64_t continue_sum(std::uint64_t sum,
                                                                    const std::byte* data,
                                                                    std::size_t size) noexcept {
  const std::byte* const last = data + size - 8;
  for (; data <= last; data += 8) sum = add_carry(sum, load_addend<std::uint64_t>(data));
  const std::size_t rest = size % 8;
  if (rest == 0) return sum;
  const auto word = load_addend<std::uint64_t>(last);
  const std::size_t summed = 64 - 8 * rest;  // bits
  return add_carry(sum,
                   std::endian::native == std::endian::little ? word >> summed : word << summed);
}

[[nodiscard]] inline std::uint64_t sum_short(const std::byte* data, std::size_t size) noexcept {
  if (size < 8) return sum_few(data, size);
  return continue_sum(load_addend<std::uint64_t>(data), data + 8, size - 8);
}

// A word on its way from one place to another.
template <class Word>
[[nodiscard, gnu::always_inline]] inline Word move_word(std::byte* to,
                                                        const std::byte* from) noexcept {
  const Word word = load_word<Word>(from);
  std::memcpy(to, &word, sizeof word);
  return word;
}

[[nodiscard]] inline std::uint64_t copy_sum_short(std::byte* to, const std::byte* from,
                                                  std::size_t size) noexcept {
  std::uint64_t sum = 0;
  for (; size >= 8; to += 8, from += 8, size -= 8) {
    sum = add_carry(sum, move_word<std::uint64_t>(to, from));
  }
  std::uint64_t rest = 0;
  if ((size & 4) != 0) {
    rest += move_word<std::uint32_t>(to, from);
    to += 4, from += 4;
  }
  if ((size & 2) != 0) {
    rest += move_word<std::uint16_t>(to, from);
    to += 2, from += 2;
  }
  if ((size & 1) != 0) {
    const std::uint16_t last = move_word<std::uint8_t>(to, from);
    rest += std::endian::native == std::endian::little ? last : last << 8;
  }
  return add_carry(sum, rest);
}

}  // namespace detail

/**
 * The one's complement sum of the 16-bit words of `bytes`, not folded and in host byte order: for
 * sums that are put together from known parts. An odd last byte is the first of a word.
 */
[[nodiscard]] inline std::uint64_t ones_complement_sum(std::span<const std::byte> bytes) noexcept {
  return bytes.size() <= detail::kInlineSum ? detail::sum_short(bytes.data(), bytes.size())
                                            : detail::sum_long(bytes.data(), bytes.size());
}

/**
 * Copies `from` to `to`, which do not overlap, and returns the ones_complement_sum() of what was
 * copied. Each byte is loaded once, so the sum is that of the copy even if `from` changes
 * meanwhile. Precondition: to.size() >= from.size().
 */
[[nodiscard]] inline std::uint64_t copy_and_sum(std::span<std::byte> to,
                                                std::span<const std::byte> from) noexcept {
  if (from.size() > detail::kInlineSum) {
    return detail::copy_sum_long(to.data(), from.data(), from.size());
  }
  return detail::copy_sum_short(to.data(), from.data(), from.size());
}

/**
 * An RFC 1071 sum that can be continued over fragments of any length, odd and zero included.
 * Up to 2^32 bytes.
 */
class Checksum {
 public:
  /** Continues the sum with `bytes`. */
  Checksum& add(std::span<const std::byte> bytes) noexcept {
    if (bytes.empty()) return *this;
    if (!odd_) {
      sum_ = detail::add_carry(sum_, ones_complement_sum(bytes));
    } else {
      // The fragment starts in the middle of a word: its bytes count in the other half.
      sum_ = detail::add_carry(sum_, byte_swap(fold_sum(ones_complement_sum(bytes))));
    }
    odd_ ^= (bytes.size() & 1) != 0;
    return *this;
  }
  /** Continues the sum with copies of `from`, which go to `to`: see copy_and_sum(). */
  Checksum& add_copy(std::span<std::byte> to, std::span<const std::byte> from) noexcept {
    const std::uint64_t sum = copy_and_sum(to, from);
    sum_ = detail::add_carry(sum_, odd_ ? byte_swap(fold_sum(sum)) : sum);
    odd_ ^= (from.size() & 1) != 0;
    return *this;
  }
  /**
   * Continues the sum with another, such as ones_complement_sum() returns. Precondition: an even
   * number of bytes so far.
   */
  Checksum& add_sum(std::uint64_t sum) noexcept {
    sum_ = detail::add_carry(sum_, sum);
    return *this;
  }
  /**
   * Continues the sum with bytes of a header that were copied. Precondition: an even number of
   * bytes so far.
   */
  template <class Word>
  Checksum& add(Octets<Word> octets) noexcept {
    sum_ = detail::add_carry(sum_, octets.word());
    return *this;
  }
  /** The same with a header of eight bytes and the bytes directly behind it. */
  [[gnu::always_inline]] Checksum& add(Octets<std::uint64_t> header,
                                       std::span<const std::byte> behind) noexcept {
    add(header);
    sum_ = behind.size() <= detail::kInlineSum
               ? detail::continue_sum(sum_, behind.data(), behind.size())
               : detail::add_carry(sum_, detail::sum_long(behind.data(), behind.size()));
    odd_ = (behind.size() & 1) != 0;
    return *this;
  }
  /**
   * Adds 16- and 32-bit values given in host order. Precondition: an even number of bytes so far.
   */
  Checksum& add_u16(std::uint16_t value) noexcept {
    sum_ = detail::add_carry(sum_, swap_if_little(value));
    return *this;
  }
  Checksum& add_u32(std::uint32_t value) noexcept {
    sum_ = detail::add_carry(sum_, swap_if_little(value));
    return *this;
  }
  /** The pseudo header of RFC 768 and RFC 9293; `length` is that of the upper-layer packet. */
  Checksum& add_pseudo(Ipv4Address source, Ipv4Address destination, std::uint8_t protocol,
                       std::uint16_t length) noexcept {
    // Four numbers of 32 bits at most: there is no carry.
    return add_sum(std::uint64_t{swap_if_little(source.value)} + swap_if_little(destination.value) +
                   swap_if_little(std::uint16_t{protocol}) + swap_if_little(length));
  }
  /** The pseudo header of RFC 8200 8.1. */
  Checksum& add_pseudo(const Ipv6Address& source, const Ipv6Address& destination,
                       std::uint8_t next_header, std::uint32_t length) noexcept {
    return add(std::as_bytes(std::span(source.bytes)))
        .add(std::as_bytes(std::span(destination.bytes)))
        .add_u32(length)
        .add_u32(next_header);
  }
  /**
   * The value for the checksum field, in host order (store_be() it), if the field was summed as
   * zero.
   */
  [[nodiscard]] std::uint16_t value() const noexcept {
    return swap_if_little(static_cast<std::uint16_t>(~fold_sum(sum_)));
  }
  /** What was summed, as ones_complement_sum() has it. */
  [[nodiscard]] std::uint64_t sum() const noexcept { return sum_; }
  /** Whether everything summed, checksum field included, is undamaged. */
  [[nodiscard]] bool valid() const noexcept {
    // All ones is the zero of one's complement that a sum of anything but zeros can reach.
    return detail::is_multiple_of_ffff(sum_) && sum_ != 0;
  }

 private:
  std::uint64_t sum_ = 0;
  bool odd_ = false;
};

/** The RFC 1071 checksum of `bytes`, in host order. */
[[nodiscard]] inline std::uint16_t checksum(std::span<const std::byte> bytes) noexcept {
  return Checksum().add(bytes).value();
}

/** Whether `bytes`, their checksum field included, sum to all ones. */
[[nodiscard, gnu::always_inline]] inline bool checksum_valid(
    std::span<const std::byte> bytes) noexcept {
  return Checksum().add(bytes).valid();
}

/**
 * The checksum `old` after one 16-bit word of the data went from `before` to `after`
 * (RFC 1624, equation 3). All in host order. A wrong checksum stays wrong by the same amount, so
 * damage is not hidden.
 */
[[nodiscard]] constexpr std::uint16_t updated_checksum(std::uint16_t old, std::uint16_t before,
                                                       std::uint16_t after) noexcept {
  const std::uint32_t sum = static_cast<std::uint16_t>(~old) +
                            static_cast<std::uint32_t>(static_cast<std::uint16_t>(~before)) + after;
  return static_cast<std::uint16_t>(~fold_sum(sum));
}

/** The same for a 32-bit value that lies on an even offset. */
[[nodiscard]] constexpr std::uint16_t updated_checksum32(std::uint16_t old, std::uint32_t before,
                                                         std::uint32_t after) noexcept {
  const auto high = updated_checksum(old, static_cast<std::uint16_t>(before >> 16),
                                     static_cast<std::uint16_t>(after >> 16));
  return updated_checksum(high, static_cast<std::uint16_t>(before),
                          static_cast<std::uint16_t>(after));
}

}  // namespace gstpacket
