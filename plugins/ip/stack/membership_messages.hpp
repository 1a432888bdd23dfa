// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The messages of IGMP (RFC 2236, RFC 3376) and MLD (RFC 2710, RFC 3810): queries as values,
 * reports as bytes.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "plugins/ip/stack/config.hpp"
#include "plugins/ip/stack/counters.hpp"
#include "plugins/ip/stack/identity.hpp"
#include "plugins/ip/stack/wire.hpp"

namespace ipplugin {

/** What queriers speak. MLDv1 is as IGMPv2, and MLDv2 as IGMPv3. */
enum class MembershipVersion : std::uint8_t { v1, v2, v3 };

struct MembershipQuery {
  static constexpr std::size_t kMaxSources = 64;

  MembershipVersion version = MembershipVersion::v3;
  IpAddress group;                 // unspecified: all groups
  std::vector<IpAddress> sources;  // none: all; of more than kMaxSources none is here
  GstClockTime max_response = 0;   // how long an answer may take
  unsigned robustness = 0;         // 0: not said

  /** `message` is IGMP with the type of a query, whose checksum is right. */
  [[nodiscard]] static std::optional<MembershipQuery> parse_igmp(
      std::span<const std::byte> message);
  /** `message` is ICMPv6 with the type of a query, whose checksum is right. */
  [[nodiscard]] static std::optional<MembershipQuery> parse_mld(std::span<const std::byte> message);
};

/** The values of the record types are those of both protocols. */
enum class RecordType : std::uint8_t {
  is_include = 1,
  is_exclude = 2,
  to_include = 3,
  to_exclude = 4,
  allow = 5,
  block = 6,
};

/** Sends reports of one version of IP: records go together into packets, as many as fit. */
class ReportWriter {
 public:
  ReportWriter(bool v4, unsigned mtu, Wire& wire, const Identity& us, Counters& counters,
               Output& output);
  ~ReportWriter() { flush(); }
  ReportWriter(const ReportWriter&) = delete;

  /** Of IGMPv3 or MLDv2. Sources that do not fit go into another record. */
  void add(RecordType type, const IpAddress& group, std::span<const IpAddress> sources);
  /** Of IGMPv2, IGMPv1 or MLDv1: a packet of its own. */
  void report(const IpAddress& group, MembershipVersion version);
  void leave(const IpAddress& group);

 private:
  void flush();
  void append(RecordType type, const IpAddress& group, std::span<const IpAddress> sources);
  void send(std::span<std::byte> message, const IpAddress& to);
  void send_short(std::uint8_t type, const IpAddress& group, const IpAddress& to);
  void store(std::span<std::byte> to, const IpAddress& address) const;

  const bool v4_;
  const std::size_t width_;  // of an address
  const std::size_t room_;   // for records in a packet
  Wire& wire_;
  const Identity& us_;
  Counters& counters_;
  Output& output_;
  std::vector<std::byte> records_;
  std::uint16_t n_ = 0;
};

}  // namespace ipplugin
