// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Builds packetgen's packets from a header template, with checksums precomputed over everything
 * that does not change from packet to packet.
 */
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "gst/packet/caps.hpp"
#include "plugins/packet/gen_settings.hpp"

namespace packetplugin {

using namespace gstpacket;

class PacketBuilder {
 public:
  /** Refuses sizes that leave no room for the headers of this link type and a probe. */
  [[nodiscard]] static Result<PacketBuilder> make(const GenPlan& plan, LinkType link_type);

  /** The length of the next packet, which has to be written next. */
  [[nodiscard]] std::uint32_t next_size() noexcept;
  /** Writes the next packet, which fills `out`, sent at `time`. */
  void write(std::span<std::byte> out, std::uint64_t time) noexcept;
  /** The longest packet. */
  [[nodiscard]] std::uint32_t max_size() const noexcept { return sizes_.high; }
  [[nodiscard]] std::uint32_t min_size() const noexcept { return sizes_.low; }

 private:
  // Tails start at four places of the pattern, to detect the tail of another packet.
  static constexpr std::size_t kPhases = 4;
  static constexpr std::size_t kPhaseStep = 64;

  /** CRC state and checksum sum of a tail. */
  struct Tail {
    std::uint32_t crc;
    std::uint32_t sum;
  };

  PacketBuilder() = default;
  void build_headers(const GenPlan& plan, LinkType link_type);
  void build_ethernet(const GenPlan& plan);
  void build_ip(const GenPlan& plan);
  void build_upper(const GenPlan& plan);
  Result<void> fit_sizes(const GenPlan& plan);
  void shuffle();
  void build_tails();
  std::uint32_t random() noexcept;
  void finish_ip(std::byte* headers, std::uint32_t size) const noexcept;

  // 14 and a tag of 4 for Ethernet, 40 for IPv6, 8 for UDP or ICMP.
  static constexpr std::size_t kMaxHeaders = 66;
  std::array<std::byte, kMaxHeaders> headers_{};
  std::size_t headers_size_ = 0;
  std::size_t ip_ = 0;     // offset of the IP header
  std::size_t upper_ = 0;  // offset of UDP or ICMP
  bool ipv6_ = false;
  bool udp_ = false;
  std::uint64_t ip_sum_ = 0;        // IPv4: of all but length and checksum
  std::uint64_t upper_sum_ = 0;     // of the pseudo header and what does not change
  std::uint32_t length_times_ = 0;  // how often the sum includes the length of the upper layer

  Sizes sizes_;
  std::size_t mix_next_ = 0;
  std::uint64_t random_ = 1;
  std::vector<std::byte> pattern_;
  std::vector<Tail> tails_;  // kPhases rows, by length

  std::uint16_t first_port_ = 0;
  std::uint32_t flow_ = 0;
  std::vector<std::uint64_t> numbers_;  // the next one of each flow
};

}  // namespace packetplugin
