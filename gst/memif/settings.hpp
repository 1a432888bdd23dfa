// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The configuration of an interface.
 */
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "gst/memif/socket_address.hpp"
#include "gst/memif/types.hpp"

namespace gstmemif {

inline constexpr char kDefaultSocketPath[] = "/run/vpp/memif.sock";
inline constexpr std::uint32_t kDefaultRingSize = 1024;
inline constexpr std::uint32_t kDefaultBufferSize = 2048;
// What the offset of a descriptor reaches; pools of VPP and DPDK are smaller as a rule.
inline constexpr std::uint64_t kDefaultMemoryLimit = std::uint64_t{4} << 30;
inline constexpr std::uint64_t kDefaultCopyLimit = std::uint64_t{1} << 30;

/** Complete settings of one interface. */
struct Settings {
  SocketAddress socket;
  std::uint32_t id = 0;  ///< must be the same on both ends
  Role role = Role::slave;
  Mode mode = Mode::ethernet;
  std::string secret;                  ///< at most 24 bytes; empty: none asked for, none sent
  std::string interface_name;          ///< shown to the peer, at most 31 bytes
  std::string app_name = "gst-memif";  ///< shown to the peer, at most 31 bytes
  std::uint32_t rx_queues = 1;         ///< 1 to 255
  std::uint32_t tx_queues = 1;         ///< 1 to 255
  std::uint32_t ring_size =
      kDefaultRingSize;  ///< slots of a ring, a power of two, 2 to 16384; as slave
  std::uint32_t buffer_size =
      kDefaultBufferSize;                        ///< bytes of a slot's buffer, 1 or more; as slave
  std::uint32_t cache_line = kDefaultCacheLine;  ///< 64 or 128, how the peer was built; as slave
  ListenOptions listen;                          ///< as master
  /// bytes that a peer may make us map; as master
  std::uint64_t memory_limit = kDefaultMemoryLimit;
  /// bytes of the longest packet that is received
  std::uint32_t max_packet_size = kDefaultMaxPacketSize;
  /// bytes that copies of received packets may take at a time
  std::uint64_t copy_limit = kDefaultCopyLimit;
  UnsealedMemory unsealed_memory = UnsealedMemory::guard;  ///< as master

  bool operator==(const Settings&) const = default;
};

/** Settings as one user of an interface gives them: what is not set is left to others. */
struct PartialSettings {
  std::optional<Mode> mode;
  std::optional<std::string> secret;
  std::optional<std::string> interface_name;
  std::optional<std::uint32_t> rx_queues;
  std::optional<std::uint32_t> tx_queues;
  std::optional<std::uint32_t> ring_size;
  std::optional<std::uint32_t> buffer_size;
  std::optional<std::uint32_t> socket_mode;
  std::optional<std::string> socket_owner;
  std::optional<std::string> allowed_uids;
  std::optional<UnsealedMemory> unsealed_memory;
  std::optional<std::uint64_t> memory_limit;
  std::optional<std::uint32_t> max_packet_size;
  std::optional<std::uint64_t> copy_limit;
};

/** Checks ranges and combinations; the error names setting, value and remedy. */
GSTMEMIF_API Status validate(const Settings& settings);

/** Takes over into @p settings what @p partial sets. Fails on a list of users that is none. */
GSTMEMIF_API Status apply(const PartialSettings& partial, Settings& settings);

/**
 * Two users of one interface must not contradict each other.
 * @param a, b what they set
 * @param a_name, b_name their names, for the error
 */
GSTMEMIF_API Status check_agreement(const PartialSettings& a, const std::string& a_name,
                                    const PartialSettings& b, const std::string& b_name);

/** Parses `slave` or `client`, `master` or `server`. */
GSTMEMIF_API std::optional<Role> parse_role(std::string_view text) noexcept;

}  // namespace gstmemif
