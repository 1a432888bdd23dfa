// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/ip/stack/wire.hpp"

#include <algorithm>

#include "gst/packet/headers/ethernet.hpp"

namespace ipplugin {

Wire::Wire(const HostConfig& config)
    : ethernet_(config.link_type == LinkType::ethernet),
      mac_(config.mac),
      tagged_(config.vlan || config.pcp != 0),
      tag_(static_cast<std::uint16_t>(config.pcp << 13 | config.vlan.value_or(0))) {
  frame_.reserve(LinkHeader::kMaxSize + std::max(config.mtu, 1280U));
}

LinkHeader Wire::header(const Mac& to, std::uint16_t type) const noexcept {
  LinkHeader out;
  if (!ethernet_) return out;
  const std::span<std::byte> bytes = out.bytes;
  to.store(bytes);
  mac_.store(bytes.subspan(Mac::kSize));
  out.size = EthernetView::kSize;
  if (tagged_) {
    store_be<std::uint16_t>(bytes, 2 * Mac::kSize, ethertype::kVlan);
    store_be<std::uint16_t>(bytes, EthernetView::kSize, tag_);
    out.size += 4;
  }
  store_be<std::uint16_t>(bytes, out.size - 2, type);
  return out;
}

LinkHeader Wire::ip_header(const Mac& to, bool v4) const noexcept {
  return header(to, v4 ? ethertype::kIpv4 : ethertype::kIpv6);
}

void Wire::send(Output& output, const LinkHeader& header, std::span<const std::byte> content) {
  const auto link = header.span();
  frame_.assign(link.begin(), link.end());
  frame_.insert(frame_.end(), content.begin(), content.end());
  if (ethernet_ && frame_.size() < EthernetView::kMinFrame) frame_.resize(EthernetView::kMinFrame);
  output.send(frame_);
}

}  // namespace ipplugin
