// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * icmpresponder: answers ARP requests, IPv6 neighbour solicitations and ICMP echo requests for its
 * own addresses, in place, and drops everything else with a reason.
 */
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "gst/packet/element.hpp"
#include "gst/packet/headers/ethernet.hpp"
#include "gst/packet/headers/icmp.hpp"
#include "gst/packet/headers/ipv4.hpp"
#include "gst/packet/headers/ipv6.hpp"
#include "plugins/common/answers.hpp"
#include "plugins/common/documentation.hpp"
#include "plugins/packet/plain_echo.hpp"

namespace packetplugin {

using namespace gstpacket;

class IcmpResponder {
 public:
  using Drop = answers::Drop;

  static constexpr ElementInfo info{
      "icmpresponder",
      "ICMP, ARP and neighbour responder",
      "Filter/Network",
      "Answers ARP, neighbour solicitations and ping for its addresses and drops all other packets",
      PLUGIN_AUTHOR,
      DOCUMENTATION_URI("icmpresponder")};
  static constexpr std::array link_types{LinkType::ethernet, LinkType::ip};

  static auto properties() {
    return std::tuple{
        property<&IcmpResponder::set_address, &IcmpResponder::address>(
            "address",
            "Addresses to answer for, separated by commas, such as 192.168.1.1,2001:db8::1",
            "192.168.1.1"),
        property<&IcmpResponder::set_mac, &IcmpResponder::mac>(
            "mac",
            "MAC address to answer with, such as 02:00:c0:a8:01:01; empty: derived from the first "
            "address",
            ""),
        property<&IcmpResponder::verify_checksum_>("verify-checksum",
                                                   "Drop packets with a wrong IPv4 header, ICMP or "
                                                   "ICMPv6 checksum; if false, answer them too",
                                                   true),
    };
  }

  Result<void> set_caps(const PacketCaps& caps) {
    link_type_ = caps.link_type;
    return {};
  }
  Verdict process(Packet& packet) {
    us_ = &handover_.get();
    return link_type_ == LinkType::ethernet ? process_frame(packet) : process_ip(packet);
  }

  Result<void> set_address(std::string_view text);
  [[nodiscard]] std::string address() const { return address_; }
  /** On a network in use the default may be somebody else's. */
  [[nodiscard]] Result<void> caution() const;
  Result<void> set_mac(std::string_view text);
  [[nodiscard]] std::string mac() const { return identity_.mac.format(); }

 private:
  struct Identity {
    std::vector<Ipv4Address> v4;
    std::vector<Ipv6Address> v6;
    Mac mac;
    PlainFrame plain_frame;  // to that MAC
    [[nodiscard]] bool owns(Ipv4Address address) const {
      return std::ranges::find(v4, address) != v4.end();
    }
    [[nodiscard]] bool owns(const Ipv6Address& address) const;
  };
  static Result<Identity> parse_addresses(std::string_view text);
  void publish(Identity identity);

  std::size_t answer_plain_echo(std::span<std::byte> bytes);
  Verdict process_frame(Packet& packet);
  Verdict examine_frame(Packet& packet);
  Verdict process_ip(Packet& packet);
  Verdict process_arp(Packet& packet, EthernetView& frame);
  Verdict process_ipv4(Packet& packet, std::size_t offset, EthernetView* frame);
  Verdict process_ipv6(Packet& packet, std::size_t offset, EthernetView* frame);

  // Streaming thread only.
  LinkType link_type_ = LinkType::ethernet;
  const Identity* us_ = nullptr;

  // Threads that set properties.
  std::string address_;
  bool address_chosen_ = false;
  std::optional<Mac> chosen_mac_;
  Identity identity_;

  // Shared by both.
  Mailbox<Identity> handover_;
  AtomicProperty<bool> verify_checksum_{true};
};

/**
 * The fast path, for the usual request: returns the size of the reply, or 0 and has changed
 * nothing. The slow path would give the same reply.
 */
inline std::size_t IcmpResponder::answer_plain_echo(std::span<std::byte> bytes) {
  if (bytes.size() < PlainEcho::kMinSize) return 0;
  const PlainEcho echo(bytes);
  if (!echo.is_request(bytes.size())) return 0;
  if (!us_->owns(echo.destination())) return 0;
  if (!echo.source().is_host() || us_->owns(echo.source())) return 0;
  if (verify_checksum_.load() && !echo.checksums_valid()) return 0;
  echo.answer(answers::kHopLimit);
  return echo.size();
}

inline Verdict IcmpResponder::process_frame(Packet& packet) {
  const std::span<std::byte> bytes = packet.writable();
  if (bytes.size() >= PlainFrame::kSize) {
    if (const PlainFrame::Station sender = us_->plain_frame.sender_of(bytes.data())) {
      if (const std::size_t size = answer_plain_echo(bytes.subspan(PlainFrame::kSize))) {
        us_->plain_frame.answer(bytes.data(), sender);
        answers::trim(packet, PlainFrame::kSize + size, true);
        return forward();
      }
    }
  }
  return examine_frame(packet);
}

}  // namespace packetplugin

GST_ELEMENT_REGISTER_DECLARE(icmpresponder)
