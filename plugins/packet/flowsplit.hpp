// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * flowsplit: spreads packets over its source pads by flow, for threads to share the work.
 */
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "gst/packet/element.hpp"
#include "gst/packet/headers/flow_hash.hpp"
#include "plugins/common/documentation.hpp"

namespace packetplugin {

using namespace gstpacket;

class FlowSplit {
 public:
  static constexpr ElementInfo info{
      "flowsplit",
      "Flow splitter",
      "Filter/Network",
      "Spreads packets over its source pads by flow, so that several threads share the work",
      PLUGIN_AUTHOR,
      DOCUMENTATION_URI("flowsplit")};
  static constexpr Access access = Access::read;
  static constexpr std::array link_types{LinkType::ethernet, LinkType::ip};

  Result<void> set_caps(const PacketCaps& caps) {
    link_type_ = caps.link_type;
    return {};
  }

  Verdict process(const Packet& packet, std::span<const unsigned> pads) {
    return to(pick(flow_hash(packet.bytes(), link_type_), pads));
  }

  /**
   * The pad that weighs most for this hash (rendezvous hashing): the same for the same pads,
   * whatever the order in which they came. Precondition: there is one.
   */
  [[nodiscard]] static unsigned pick(std::uint32_t hash, std::span<const unsigned> pads) noexcept {
    unsigned best = pads.front();
    std::uint64_t most = weight(hash, best);
    for (const unsigned pad : pads.subspan(1)) {
      const std::uint64_t other = weight(hash, pad);
      best = other > most ? pad : best;
      most = other > most ? other : most;
    }
    return best;
  }

 private:
  static std::uint64_t weight(std::uint32_t hash, unsigned pad) noexcept {
    std::uint64_t x = hash + 0x9e3779b97f4a7c15U * (std::uint64_t{pad} + 1);
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31);
  }

  LinkType link_type_ = LinkType::ethernet;
};

}  // namespace packetplugin

GST_ELEMENT_REGISTER_DECLARE(flowsplit)
