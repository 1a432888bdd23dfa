// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The configuration of an interface.
 */
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "gst/memif/socket_address.hpp"
#include "gst/memif/types.hpp"

namespace gstmemif {

inline constexpr char kDefaultSocketPath[] = "/run/vpp/memif.sock";
inline constexpr std::uint32_t kDefaultRingSize = 1024;
inline constexpr std::uint32_t kDefaultBufferSize = 2048;
inline constexpr std::uint32_t kDefaultDialInterval = 1000;
// What the offset of a descriptor reaches; pools of VPP and DPDK are smaller as a rule.
inline constexpr std::uint64_t kDefaultMemoryLimit = std::uint64_t{4} << 30;
inline constexpr std::uint64_t kDefaultCopyLimit = std::uint64_t{1} << 30;

/** kDefaultSocketPath, parsed. */
GSTMEMIF_API SocketAddress default_socket_address();

/** Complete settings of one interface. */
struct Settings {
  SocketAddress socket = default_socket_address();
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
  /** milliseconds between tries to connect that failed, at most; the first come sooner; as slave */
  std::uint32_t dial_interval = kDefaultDialInterval;
  /** bytes that a peer may make us map; as master */
  std::uint64_t memory_limit = kDefaultMemoryLimit;
  /** bytes of the longest packet that is received */
  std::uint32_t max_packet_size = kDefaultMaxPacketSize;
  /** bytes that copies of received packets may take at a time */
  std::uint64_t copy_limit = kDefaultCopyLimit;
  UnsealedMemory unsealed_memory = UnsealedMemory::guard;  ///< as master

  bool operator==(const Settings&) const = default;
};

/** The value of a setting as a user gives it; addresses and lists are text. */
using SettingValue =
    std::variant<std::uint32_t, std::uint64_t, std::string, Role, Mode, UnsealedMemory>;

/** The values that a setting takes: numbers in a range, or the length of a text in bytes. */
struct SettingLimits {
  std::uint64_t min = 0;
  std::uint64_t max = UINT64_MAX;
  bool power_of_two = false;
  bool octal = false;  ///< how people write it
};

/** When a new value ends a link that is up. */
enum class NewLink { never, always, as_slave, as_master };

/**
 * All that there is to know about a setting. Validation, merging, comparing and the properties of
 * elements go by the table of these, so a new setting is a member of Settings and a row there.
 */
struct SettingInfo {
  const char* name;   ///< also that of the property
  const char* nick;   ///< for people, as "Ring size"
  const char* blurb;  ///< what it is, with the unit; without limits
  const char* note;   ///< what else there is to know, as "slave only"; may be null
  SettingLimits limits;
  NewLink new_link = NewLink::never;
  bool receive_only = false;  ///< of no use to one who only sends
  bool hidden = false;        ///< the value must not be shown
  SettingValue (*get)(const Settings& settings);
  /** Fails on a text that cannot be parsed, and on a value of another type. */
  Result<void> (*set)(Settings& settings, const SettingValue& value);
};

/** The table. */
GSTMEMIF_API std::span<const SettingInfo> setting_infos() noexcept;

/** The row of setting @p name, or null. */
GSTMEMIF_API const SettingInfo* find_setting(std::string_view name) noexcept;

/** Blurb, limits and note in one. */
GSTMEMIF_API std::string describe(const SettingInfo& info);

/** `name=value`, or as much of it as may be shown. */
GSTMEMIF_API std::string show(const SettingInfo& info, const SettingValue& value);

/** Settings of one user of an interface: unset ones are left to the other users. */
using PartialSettings = std::map<const SettingInfo*, SettingValue>;

/** Checks ranges and combinations; the error names setting, value and remedy. */
GSTMEMIF_API Result<void> validate(const Settings& settings);

/**
 * As slave: whether the buffers lie within 4 GiB. If they do not, every packet is copied, since a
 * loan lies in one region.
 */
GSTMEMIF_API bool can_lend_buffers(const Settings& settings) noexcept;

/** Takes over into @p settings what @p partial sets. Fails on text that cannot be parsed. */
GSTMEMIF_API Result<void> apply_settings(const PartialSettings& partial, Settings& settings);

/**
 * Checks that two users of one interface do not contradict each other.
 * @param a, b what they set
 * @param a_name, b_name their names, for the error
 */
GSTMEMIF_API Result<void> check_agreement(const PartialSettings& a, const std::string& a_name,
                                          const PartialSettings& b, const std::string& b_name);

/** Parses `slave` or `client`, `master` or `server`. */
GSTMEMIF_API std::optional<Role> parse_role(std::string_view text) noexcept;

}  // namespace gstmemif
