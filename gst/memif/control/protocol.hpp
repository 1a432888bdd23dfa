// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The memif 2.0 wire: messages of the control channel, layout of a ring, limits.
 *
 * Pure: no I/O, no state. decode() yields valid values or an Error for any input.
 */
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "gst/memif/export.hpp"
#include "gst/memif/result.hpp"
#include "gst/memif/types.hpp"

namespace gstmemif {

inline constexpr std::uint32_t kCookie = 0x3E31F20;
inline constexpr std::size_t kMessageSize = 128;
inline constexpr std::uint8_t kMaxLog2RingSize = 14;
static_assert(kMaxRingSize == 1U << kMaxLog2RingSize);
inline constexpr std::uint32_t kMaxRegions = 256;

/** Direction of a ring: packets of slave to master, or of master to slave. */
enum class Direction : std::uint8_t { s2m, m2s };

struct Ack {};
/** First message, master to slave. The max_* fields are indexes, not counts. */
struct Hello {
  std::string name;
  std::uint16_t min_version = kVersion;
  std::uint16_t max_version = kVersion;
  std::uint16_t max_region = kMaxRegions - 1;
  std::uint16_t max_m2s_ring = kMaxQueues - 1;
  std::uint16_t max_s2m_ring = kMaxQueues - 1;
  std::uint8_t max_log2_ring_size = kMaxLog2RingSize;
};
struct Init {
  std::uint16_t version = kVersion;
  std::uint32_t id = 0;
  std::uint8_t mode = 0;  ///< kept raw: a mode that we do not know is a mismatch, not garbage
  std::string secret;
  std::string name;
};
struct AddRegion {
  std::uint16_t index = 0;
  std::uint64_t size = 0;
};
struct AddRing {
  Direction direction = Direction::s2m;
  std::uint16_t index = 0;
  std::uint16_t region = 0;
  std::uint32_t offset = 0;
  std::uint8_t log2_size = 0;
  std::uint16_t private_header_size = 0;
};
struct Connect {
  std::string interface_name;
};
struct Connected {
  std::string interface_name;
};
struct Disconnect {
  std::uint32_t code = 0;
  std::string reason;
};

using Message = std::variant<Ack, Hello, Init, AddRegion, AddRing, Connect, Connected, Disconnect>;
using MessageBytes = std::array<std::byte, kMessageSize>;

/** The name of a message's type, for logs and errors. */
GSTMEMIF_API std::string_view message_name(const Message& message) noexcept;

/** Writes @p message; unused bytes are zero, strings that are too long are truncated. */
GSTMEMIF_API MessageBytes encode(const Message& message) noexcept;

/** Reads one message; strings end at their first NUL or at the end of their field. */
GSTMEMIF_API Result<Message> decode(std::span<const std::byte> bytes);

/**
 * Makes text from a peer safe to print: valid UTF-8 in which a '?' replaces each character that a
 * terminal would interpret rather than show (controls, line separators, text direction).
 */
GSTMEMIF_API std::string printable(std::string_view text);

// ---- Rings ----------------------------------------------------------------------------------

/** One slot of a ring, 16 bytes, as it lies in shared memory. */
struct Descriptor {
  std::uint16_t flags;
  std::uint16_t region;
  std::uint32_t length;
  std::uint32_t offset;
  std::uint32_t metadata;  ///< part of the protocol, but unused
};
static_assert(sizeof(Descriptor) == 16);

inline constexpr std::uint16_t kDescriptorNext = 1;  ///< the packet goes on in the next slot
inline constexpr std::uint16_t kRingMaskInterrupt = 1;

/**
 * The layout of a ring: cookie at 0, flags at 4, head at 6, tail after one cache line, descriptors
 * after two. Peers are built with cache lines of 64 or of 128 bytes.
 */
struct RingLayout {
  std::uint32_t cache_line = 64;
  std::uint32_t size = 0;  ///< slots, a power of two

  static constexpr std::size_t cookie_offset() noexcept { return 0; }
  static constexpr std::size_t flags_offset() noexcept { return 4; }
  static constexpr std::size_t head_offset() noexcept { return 6; }
  constexpr std::size_t tail_offset() const noexcept { return cache_line; }
  constexpr std::size_t descriptors_offset() const noexcept { return 2 * cache_line; }
  constexpr std::size_t bytes() const noexcept {
    return descriptors_offset() + sizeof(Descriptor) * size;
  }
};

}  // namespace gstmemif
