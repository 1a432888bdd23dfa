// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Terms of memif: roles, modes, limits.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "gst/memif/export.hpp"

namespace gstmemif {

/** Which end of the socket: the master listens, the slave connects and owns the shared memory. */
enum class Role : std::uint8_t { slave, master };

/** The kind of packets; both ends must agree (VPP refuses a mismatch, and so do we). */
enum class Mode : std::uint8_t { ethernet = 0, ip = 1, punt_inject = 2 };

GSTMEMIF_API std::string_view to_string(Role role) noexcept;
GSTMEMIF_API std::string_view to_string(Mode mode) noexcept;

/** How to handle a peer's memory that it can take away while it is in use. */
enum class UnsealedMemory : std::uint8_t {
  guard,  ///< survive it, with a handler of SIGBUS
  refuse  ///< no link with it, and no handler
};

/** The agreement of the peers of a link. */
struct LinkInfo {
  std::string peer_name;  ///< of its interface, or of its program; printable
  std::string peer_app;   ///< name of its program; printable
  std::size_t rx_queues = 0;
  std::size_t tx_queues = 0;
  Role role = Role::slave;        ///< ours
  std::uint32_t ring_size = 0;    ///< slots of the largest ring
  std::uint32_t buffer_size = 0;  ///< bytes of a slot's buffer, as slave; as master the peer's vary
  std::size_t regions = 0;        ///< of shared memory
  std::uint64_t memory = 0;       ///< bytes in all of them
  bool unsealed = false;          ///< the peer can take memory away: received packets are copied
};

/** How much of a ring is in use, by its two indexes, of which the peer may write what it likes. */
struct RingFill {
  std::uint32_t slots = 0;  ///< ring_size at the most, whatever the indexes say
  std::uint32_t ring_size = 0;
  std::uint16_t head = 0;  ///< the slave's index, which counts on without end
  std::uint16_t tail = 0;  ///< the master's
};

/** Why there is no link. */
struct Refusal {
  std::string reason;  ///< printable, perhaps in words of the peer
  std::string remedy;  ///< a sentence without a full stop
};

inline constexpr std::uint16_t kVersion = 0x0200;  ///< of the protocol: 2.0
inline constexpr std::uint32_t kMinRingSize = 2;   ///< slots; a power of two
inline constexpr std::uint32_t kMaxRingSize = 16384;
inline constexpr std::uint32_t kMaxQueues = 255;
inline constexpr std::size_t kMaxNameLength = 31;    ///< one of the 32 bytes stays NUL
inline constexpr std::size_t kMaxSecretLength = 24;  ///< may fill its field
/** In bytes: what the largest ring of default buffers holds, and enough for a 4K picture. */
inline constexpr std::uint32_t kDefaultMaxPacketSize = std::uint32_t{32} << 20;

/** The cache line size that peers on this architecture are built with. */
#if defined(__aarch64__)
inline constexpr std::uint32_t kDefaultCacheLine = 128;
#else
inline constexpr std::uint32_t kDefaultCacheLine = 64;
#endif

}  // namespace gstmemif
