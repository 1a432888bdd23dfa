// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * ethbridge: a transparent learning bridge (IEEE 802.1D without spanning tree) between its ports.
 */
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <tuple>

#include "gst/packet/element.hpp"
#include "plugins/common/documentation.hpp"
#include "plugins/packet/mac_table.hpp"

namespace packetplugin {

using namespace gstpacket;

class EthBridge {
 public:
  enum class Drop {
    too_short,             // ends within the Ethernet header or its VLAN tag
    bad_source,            // the source is a group address or zero
    reserved_destination,  // 01:80:c2:00:00:00 to 0f, which stay on their link
    same_port,             // the destination is behind the port it came in by
  };

  static constexpr ElementInfo info{"ethbridge",
                                    "Ethernet bridge",
                                    "Filter/Network",
                                    "Forwards Ethernet frames between any number of ports and "
                                    "learns which station is behind which",
                                    PLUGIN_AUTHOR,
                                    DOCUMENTATION_URI("ethbridge")};
  static constexpr Access access = Access::read;
  static constexpr std::array link_types{LinkType::ethernet};

  static auto properties() {
    return std::tuple{
        property<&EthBridge::ageing_time_>(
            "ageing-time", "Seconds after which a silent station is forgotten; 0: never", 300U, 0U,
            1000000U),
        property<&EthBridge::max_entries_>("max-entries",
                                           "Stations to remember, in steps of 8; when full, new "
                                           "ones displace old ones of their port",
                                           8192U, 8U, 1048576U)
            .ready_only(),
    };
  }

  Result<void> start();
  Verdict process(const Packet& packet, unsigned port);
  /** The stations behind it can be anywhere now. */
  void port_removed(unsigned port) { table()->forget_port(port); }
  void stats(StatsFields& fields) const;

 private:
  [[nodiscard]] std::uint32_t ageing() const noexcept;

  /** For threads other than the streaming thread. */
  [[nodiscard]] std::shared_ptr<MacTable> table() const {
    const std::lock_guard lock(table_mutex_);
    return table_;
  }

  // Replaced by start() only, while no data flows.
  std::shared_ptr<MacTable> table_ = std::make_shared<MacTable>(MacTable::kWays);
  mutable std::mutex table_mutex_;
  AtomicProperty<unsigned> ageing_time_;
  AtomicProperty<unsigned> max_entries_;
};

}  // namespace packetplugin

GST_ELEMENT_REGISTER_DECLARE(ethbridge)
