// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Packets of any bytes through every header view, the responder, the flow hash, the checker
 * and the bridge. A reply must satisfy what any receiver checks.
 */
#include <vector>

#include "ethbridge.hpp"
#include "everyview.hpp"
#include "flowsplit.hpp"
#include "fuzz.hpp"
#include "gst/packet/headers/flow_hash.hpp"
#include "icmpresponder.hpp"
#include "packet_checker.hpp"

using namespace gstpacket;
using namespace packetplugin;
using fuzz::Input;
using fuzz::require;

namespace {

// Checksums may only be judged if those of the request were verified.
void check_reply(std::span<const std::byte> reply, LinkType link, bool verified) {
  std::size_t offset = 0;
  if (link == LinkType::ethernet) {
    const auto frame = ConstEthernetView::at(reply);
    require(frame.has_value(), "no Ethernet header");
    require(!frame->source().is_group(), "sent from a group address");
    if (frame->type() == ethertype::kArp) return;
    offset = frame->header_size();
  }
  if (const auto v4 = ConstIpv4View::at(reply, offset)) {
    require(v4->source() == Ipv4Address{0xc0a80101} && v4->destination().is_host(), "addresses");
    require(!verified || v4->checksum_valid(), "IPv4 checksum");
    const auto icmp = ConstIcmpView::at(v4->payload());
    require(icmp && icmp->type() == ConstIcmpView::kEchoReply, "no echo reply");
    require(!verified || icmp->checksum_valid(), "ICMP checksum");
    return;
  }
  const auto v6 = ConstIpv6View::at(reply, offset);
  require(v6 && v6->protocol() == ip_protocol::kIcmpv6, "neither IPv4 nor ICMPv6");
  const auto icmp = ConstIcmpv6View::at(v6->payload());
  require(icmp.has_value(), "no ICMPv6 message");
  require(!verified || icmp->checksum_valid(v6->source(), v6->destination()), "ICMPv6 checksum");
}

void set_verify(IcmpResponder& responder, bool on) {
  static const auto spec = std::get<2>(IcmpResponder::properties()).spec("icmpresponder");
  GValue value = G_VALUE_INIT;
  g_value_init(&value, G_TYPE_BOOLEAN);
  g_value_set_boolean(&value, on);
  require(bool(spec.set(&responder, value)), "verify-checksum");
}

class Packets {
 public:
  Packets(LinkType link, bool verify) : link_(link), verify_(verify) {
    require(bool(responder_.set_address("192.168.1.1,2001:db8::ab:cd01")), "address");
    require(bool(responder_.set_mac("")), "mac");
    require(bool(responder_.set_caps({link})), "caps");
    require(bool(split_.set_caps({link})), "caps");
    set_verify(responder_, verify);
    judge_.set_link_type(link);
    judge_.set_verify(verify);
  }

  void take(std::span<const std::uint8_t> bytes, std::size_t room, unsigned port) {
    // Exactly as large as said, so that a sanitizer sees the first byte too far.
    std::vector<std::byte> block(bytes.size());
    if (!bytes.empty()) std::memcpy(block.data(), bytes.data(), bytes.size());
    volatile unsigned seen = everyview::visit(block);
    (void)seen;
    hash(block);
    split(block);
    count(block);
    bridge(block, port);
    answer(std::move(block), room);
  }

 private:
  void hash(const std::vector<std::byte>& block) const {
    const std::uint32_t whole = flow_hash(block, link_);
    const std::size_t first = std::min(block.size(), kFlowHashBytes);
    const std::vector<std::byte> part(block.begin(),
                                      block.begin() + static_cast<std::ptrdiff_t>(first));
    require(flow_hash(part, link_) == whole, "bytes behind the headers count");
    require(pick_of(whole, 7) < 7, "none of 7");
  }
  void split(const std::vector<std::byte>& block) {
    static constexpr std::array kPads{0U, 3U, 7U};
    std::vector<std::byte> bytes = block;
    const Verdict verdict = split_.process(Packet(bytes), kPads);
    require(bytes == block, "the splitter changed a packet");
    require(verdict == to(FlowSplit::pick(flow_hash(block, link_), kPads)), "another pad");
    require(std::ranges::find(kPads, unsigned{verdict.port}) != kPads.end(), "no such pad");
  }
  void count(const std::vector<std::byte>& block) {
    judge_.judge(block, ++now_);
    const Account& account = judge_.account();
    require(account.packets + account.duplicate + account.damaged + account.foreign == now_,
            "a packet that is not in the account");
  }
  void bridge(const std::vector<std::byte>& block, unsigned port) {
    std::vector<std::byte> frame = block;
    const Packet packet(frame);
    const Verdict verdict = bridge_.process(packet, port);
    require(frame == block, "the bridge changed a frame");
    require(verdict.port == Verdict::kDrop || verdict == flood() ||
                (verdict.port < kPorts && verdict.port != port),
            "a port that does not exist, or the same one");
  }
  void answer(std::vector<std::byte> block, std::size_t room) {
    const std::size_t size = block.size();
    block.resize(size + room);
    Packet packet(std::span<std::byte>(block).first(size), 0, room);
    const Verdict verdict = responder_.process(packet);
    require(verdict == forward() || verdict.port == Verdict::kDrop, "a port that does not exist");
    if (verdict == forward()) check_reply(packet.bytes(), link_, verify_);
  }

 public:
  static constexpr unsigned kPorts = 3;

 private:
  LinkType link_;
  bool verify_;
  IcmpResponder responder_;
  PacketChecker judge_;
  EthBridge bridge_;
  FlowSplit split_;
  std::uint64_t now_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  const LinkType link = input.flag() ? LinkType::ip : LinkType::ethernet;
  Packets packets(link, input.flag());
  while (!input.ended()) {
    const unsigned port = input.below(Packets::kPorts);
    const std::size_t room = input.below(16);
    packets.take(input.bytes(input.get<std::uint16_t>()), room, port);
  }
  return 0;
}
