// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
//
// ethbridge: a transparent learning bridge (IEEE 802.1D without spanning tree) between its ports.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <tuple>

#include "gst/packet/element.hpp"
#include "plugins/packet/mac_table.hpp"

namespace gstpacket {

class EthBridge {
 public:
  enum class Drop {
    too_short,             // ends within the Ethernet header or its VLAN tag
    bad_source,            // from a group address or from no address
    reserved_destination,  // 01:80:c2:00:00:00 to 0f, which stay on their link
    same_port,             // for a station on the port it came in by
  };

  static constexpr ElementInfo info{
      "ethbridge", "Ethernet bridge", "Filter/Network",
      "Forwards Ethernet frames between any number of ports: learns per VLAN which station is "
      "behind which port and floods what is for unknown stations or groups. Port N is the pair of "
      "pads sink_N and src_N",
      "The gst-memif developers"};
  static constexpr Access access = Access::read;
  static constexpr std::array link_types{LinkType::ethernet};
  static constexpr auto stats_help =
      "stations (known now), learned (new stations), moved (seen on another port than before), "
      "aged (forgotten after ageing-time) and evicted (displaced by newer ones in a full table)";

  static auto properties() {
    return std::tuple{
        property<&EthBridge::ageing_time_>(
            "ageing-time",
            "Seconds after which a station that was not seen is forgotten, and what is for it is "
            "flooded again. 0: never.",
            300U, 0U, 1000000U),
        property<&EthBridge::max_entries_>(
            "max-entries",
            "Stations to remember at the most, in steps of 8. When there are more, newcomers "
            "displace stations of their own port that nobody has sent to, the oldest first.",
            8192U, 8U, 1048576U)
            .ready_only(),
    };
  }

  Result<void> start();
  Verdict process(const Packet& packet, unsigned port);
  /// What was behind it can be anywhere now.
  void port_removed(unsigned port) { table()->forget_port(port); }
  void stats(StatsFields& fields) const;

 private:
  [[nodiscard]] std::uint32_t ageing() const noexcept;

  /// For whoever is not streaming.
  [[nodiscard]] std::shared_ptr<MacTable> table() const {
    const std::lock_guard lock(table_mutex_);
    return table_;
  }

  // Replaced by start() only, when nothing streams.
  std::shared_ptr<MacTable> table_ = std::make_shared<MacTable>(MacTable::kWays);
  mutable std::mutex table_mutex_;
  AtomicProperty<unsigned> ageing_time_;
  AtomicProperty<unsigned> max_entries_;
};

}  // namespace gstpacket
