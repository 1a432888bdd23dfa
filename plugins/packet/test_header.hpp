// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The test header that packetgen writes behind the last header of a packet, for packetcheck:
 *
 *   offset  bytes
 *        0      2  magic
 *        2      2  flow
 *        4      6  number of the packet in its flow, from 0 (16 years at 500 000 a second)
 *       10      8  time of sending, CLOCK_MONOTONIC in nanoseconds
 *       18      4  CRC-32C of the tail followed by bytes 0 to 17
 *       22         tail: pseudo-random bytes up to the end of the packet
 *
 * All big-endian. The headers in front may change on the way, as an echo request becomes a reply.
 * The tail is summed first, so that the sender can prepare its part of the CRC.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace packetplugin {

struct TestHeader {
  static constexpr std::size_t kSize = 22;
  static constexpr std::uint16_t kMagic = 0xb7e5;
  static constexpr std::uint64_t kNumberMask = (std::uint64_t{1} << 48) - 1;

  std::uint16_t flow = 0;
  std::uint64_t number = 0;
  std::uint64_t time = 0;
  std::uint32_t crc = 0;

  /** Flow and number in packet order. */
  [[nodiscard]] std::uint64_t flow_and_number() const noexcept {
    return std::uint64_t{flow} << 48 | (number & kNumberMask);
  }
  /** Empty if `payload` does not begin with the magic or is too short. */
  [[nodiscard]] static std::optional<TestHeader> read(std::span<const std::byte> payload) noexcept;
  /** Whether the CRC matches `payload`, from which this was read. */
  [[nodiscard]] bool matches(std::span<const std::byte> payload) const noexcept;
};

/** CRC-32C without the usual inversions. Start with kCrcStart. */
inline constexpr std::uint32_t kCrcStart = 0xffffffff;
[[nodiscard]] std::uint32_t crc_of_tail(std::uint32_t state, std::span<const std::byte> bytes);
/**
 * Continues with the bytes 0 to 17 of a test header. The values are byte-swapped as for a
 * big-endian store.
 */
[[nodiscard]] std::uint32_t crc_of_fields(std::uint32_t state, std::uint16_t magic,
                                          std::uint64_t flow_and_number, std::uint64_t time);

/** CLOCK_MONOTONIC in nanoseconds, as test headers carry it. */
[[nodiscard]] std::uint64_t monotonic_now() noexcept;

}  // namespace packetplugin
