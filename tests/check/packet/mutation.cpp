// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * A peer that writes to a packet between any two loads from it: whatever is loaded twice gets two
 * answers. This program and the elements in it are built so that every load from a packet calls
 * after_load(), which changes bytes of the packet. Nothing may reach beyond the packet, no optional
 * and no span may be used without what it needs (the standard library asserts that), and what was
 * decided on one byte may not be done with another.
 */
#include <algorithm>
#include <array>
#include <random>
#include <utility>
#include <vector>

#include "decttl.hpp"
#include "ethbridge.hpp"
#include "everyview.hpp"
#include "flowsplit.hpp"
#include "gst/packet/headers/flow_hash.hpp"
#include "gst/packet/headers/sum_variants.hpp"
#include "icmpresponder.hpp"
#include "mutating_peer.hpp"
#include "packet_builder.hpp"
#include "packet_checker.hpp"
#include "seeds.hpp"

// Behind the standard library: it defines a macro fail().
#include <gst/check/gstcheck.h>

using namespace gstpacket;
using namespace packetplugin;
using namespace mutating;
using samples::Bytes;

namespace {

/** The seeds of the fuzzer, and what only other elements know. */
const std::vector<Bytes>& packets() {
  static const std::vector<Bytes> all = [] {
    std::vector<Bytes> out = samples::seeds();
    const Bytes tagged =
        samples::join({samples::ethernet(samples::kOurMac, samples::kPeerMac, 0x88a8),
                       {0x20, 0x64, 0x81, 0x00, 0x00, 0x0a, 0x08, 0x00},
                       samples::ipv4({}, samples::icmp_echo(8, 20))});
    out.push_back(tagged);
    for (const unsigned version : {4U, 6U}) {
      for (const GenProtocol protocol : {GenProtocol::udp, GenProtocol::icmp_echo}) {
        GenSettings settings;
        settings.size = "128";
        settings.ip_version = version;
        settings.protocol = protocol;
        const auto plan = make_plan(settings);
        if (!plan) g_error("%s", plan.error().text().c_str());
        auto maker = PacketBuilder::make(*plan, LinkType::ethernet);
        if (!maker) g_error("%s", maker.error().text().c_str());
        Bytes packet(maker->next_size());
        maker->write(std::as_writable_bytes(std::span(packet)), 1);
        out.push_back(packet);
      }
    }
    return out;
  }();
  return all;
}

/** One of them, now and then damaged or cut before anybody looks. */
Bytes some_packet() {
  Bytes bytes = packets()[below(packets().size())];
  if (below(4) == 0) bytes[below(bytes.size())] = static_cast<std::uint8_t>(below(256));
  if (below(8) == 0) bytes.resize(1 + below(bytes.size()));
  return bytes;
}

constexpr int kRounds = 60000;

bool is_ours(const Ipv6Address& address) {
  return std::ranges::equal(address.bytes, samples::kOurV6);
}

/**
 * What the responder chose by what it had read must be what it wrote: nothing is loaded any more
 * when it writes, so the peer changes nothing behind it.
 */
void check_reply(std::span<const std::byte> reply, LinkType link) {
  peer.end();
  if (link == LinkType::ethernet) {
    const Mac to = Mac::load(reply);
    fail_unless(std::ranges::equal(Mac::load(reply.subspan(6)).bytes, samples::kOurMac));
    fail_if(to.is_zero() || std::ranges::equal(to.bytes, samples::kOurMac));
    fail_if(to.is_group() && to != Ipv6Address::all_nodes().multicast_mac(),
            "a reply to the group %s", to.format().c_str());
    return;
  }
  const bool v4 = Ipv4Address::load(reply.subspan(12)) == Ipv4Address{0xc0a80101} &&
                  Ipv4Address::load(reply.subspan(16)).is_host();
  const bool v6 =
      reply.size() >= ConstIpv6View::kSize && is_ours(Ipv6Address::load(reply.subspan(8)));
  fail_unless(v4 || v6, "a reply that is not from us");
}

/** Asks everything twice. */
template <class View, class... Getter>
void expect_steady(const View& view, Getter... getter) {
  const bool steady = (((view.*getter)() == (view.*getter)()) && ...);
  fail_unless(steady, "a view that changes its mind");
}

void ask_views_twice(Writable bytes) {
  for (const std::size_t offset : {std::size_t{0}, std::size_t{14}, std::size_t{22}}) {
    if (const auto v = EthernetView::at(bytes, offset)) {
      using V = EthernetView;
      expect_steady(*v, &V::destination, &V::source, &V::type, &V::header_size);
      for (std::size_t i = 0; i < v->tags(); ++i) fail_unless(v->tag(i) == v->tag(i));
    }
    if (const auto v = ArpView::at(bytes, offset)) {
      using V = ArpView;
      expect_steady(*v, &V::operation, &V::sender, &V::sender_mac, &V::target, &V::target_mac);
    }
    if (const auto v = Ipv4View::at(bytes, offset)) {
      using V = Ipv4View;
      expect_steady(*v, &V::ttl, &V::tos, &V::identification, &V::fragment_offset, &V::protocol,
                    &V::checksum, &V::source, &V::destination, &V::total_length, &V::header_size);
      fail_unless(v->header_size() + v->payload().size() == v->total_length());
    }
    if (const auto v = Ipv6View::at(bytes, offset)) {
      using V = Ipv6View;
      expect_steady(*v, &V::traffic_class, &V::flow_label, &V::next_header, &V::hop_limit,
                    &V::source, &V::destination, &V::protocol, &V::total_length);
      fail_unless(v->header_size() + v->payload().size() == v->total_length());
    }
    if (offset > bytes.size()) continue;
    const Writable upper = bytes.subspan(offset);
    if (const auto v = UdpView::at(upper)) {
      using V = UdpView;
      expect_steady(*v, &V::source_port, &V::destination_port, &V::length, &V::checksum);
    }
    if (const auto v = IcmpView::at(upper)) {
      using V = IcmpView;
      expect_steady(*v, &V::type, &V::code, &V::checksum, &V::identifier, &V::sequence);
    }
  }
}

void set_all(Writable bytes) {
  for (const std::size_t offset : {std::size_t{0}, std::size_t{14}}) {
    if (auto v = EthernetView::at(bytes, offset)) {
      v->set_destination(Mac::broadcast());
      v->set_source(v->destination());
      fail_unless(v->source() == Mac::broadcast());
    }
    if (auto v = ArpView::at(bytes, offset)) {
      const Ipv4Address sender = v->sender();
      v->make_reply(Mac::broadcast());
      fail_unless(v->target() == sender && v->operation() == ArpView::kReply);
    }
    if (auto v = Ipv4View::at(bytes, offset)) {
      const bool valid = v->header_size() == Ipv4View::kMinSize && v->checksum_valid();
      const Ipv4Address source = v->source();
      v->set_ttl(3);
      v->set_dscp(5);
      v->set_source(Ipv4Address{1});
      v->set_destination(source);
      v->swap_addresses();
      fail_unless(v->source() == source && v->ttl() == 3 && v->dscp() == 5);
      fail_unless(!valid || v->checksum_valid());
    }
    if (auto v = Ipv6View::at(bytes, offset)) {
      const Ipv6Address source = v->source();
      v->set_hop_limit(1);
      v->set_next_header(2);
      v->set_payload_length(3);
      v->swap_addresses();
      fail_unless(v->destination() == source && v->hop_limit() == 1);
    }
    if (offset > bytes.size()) continue;
    const Writable upper = bytes.subspan(offset);
    if (auto v = UdpView::at(upper)) {
      v->set_source_port(1);
      v->set_destination_port(2);
      v->update_checksum(Ipv4Address{1}, Ipv4Address{2});
      fail_unless(v->checksum() != 0);
    }
    if (auto v = Icmpv6View::at(upper)) {
      v->set_type(9);
      v->update_checksum({}, {});
      fail_unless(v->type() == 9);
    }
  }
}

}  // namespace

GST_START_TEST(test_views) {
  for (int round = 0; round < kRounds; ++round) {
    Block block(some_packet(), 0);
    const Packet packet = block.open();
    switch (round % 3) {
      case 0:
        everyview::visit(packet.bytes());
        break;
      case 1:
        ask_views_twice(block.span());
        break;
      default:
        set_all(block.span());
    }
  }
}
GST_END_TEST

GST_START_TEST(test_icmpresponder) {
  IcmpResponder responder;
  fail_unless(bool(responder.set_address("192.168.1.1, 2001:db8::ab:cd01")));
  fail_unless(bool(responder.set_mac("")));
  const auto verify = std::get<2>(IcmpResponder::properties()).spec("icmpresponder");
  GValue value = G_VALUE_INIT;
  g_value_init(&value, G_TYPE_BOOLEAN);
  unsigned replies = 0, loads = 0;
  for (int round = 0; round < 4 * kRounds; ++round) {
    const LinkType link = round % 4 == 0 ? LinkType::ip : LinkType::ethernet;
    fail_unless(bool(responder.set_caps({link})));
    g_value_set_boolean(&value, round % 3 != 0);
    fail_unless(bool(verify.set(&responder, value)));
    const std::size_t room = below(12);
    Block block(some_packet(), room);
    const std::size_t size = block.span().size();
    Packet packet = block.open();
    const Verdict verdict = responder.process(packet);
    loads += peer.loads;
    fail_unless(packet.size() <= size + room);
    fail_unless(verdict == forward() || verdict.port == Verdict::kDrop);
    if (verdict != forward()) continue;
    ++replies;
    check_reply(packet.bytes(), link);
  }
  g_param_spec_sink(verify.spec);
  // Otherwise the test has lost its way in.
  fail_unless(replies > kRounds / 20 && loads > kRounds, "%u replies, %u loads", replies, loads);
}
GST_END_TEST

GST_START_TEST(test_ethbridge) {
  EthBridge bridge;
  fail_unless(bool(bridge.start()));
  constexpr unsigned kPorts = 3;
  for (int round = 0; round < kRounds; ++round) {
    Block block(some_packet(), 0);
    const Packet packet = block.open();
    const Verdict verdict = bridge.process(packet, static_cast<unsigned>(round) % kPorts);
    fail_unless(verdict.port < kPorts || verdict == flood() || verdict.port == Verdict::kDrop);
  }
}
GST_END_TEST

GST_START_TEST(test_flowsplit) {
  FlowSplit split;
  constexpr std::array kPads{0U, 3U, 7U};
  for (int round = 0; round < kRounds; ++round) {
    fail_unless(bool(split.set_caps({round % 2 == 0 ? LinkType::ethernet : LinkType::ip})));
    Block block(some_packet(), 0);
    const Packet packet = block.open();
    const Verdict verdict = split.process(packet, kPads);
    fail_unless(std::ranges::find(kPads, unsigned{verdict.port}) != kPads.end());
  }
}
GST_END_TEST

GST_START_TEST(test_packetcheck) {
  for (const bool verify : {true, false}) {
    for (const LinkType link : {LinkType::ethernet, LinkType::ip}) {
      PacketChecker judge;
      judge.set_link_type(link);
      judge.set_verify(verify);
      for (int round = 0; round < kRounds / 4; ++round) {
        Bytes bytes = some_packet();
        if (link == LinkType::ip && bytes.size() > 14)
          bytes.erase(bytes.begin(), bytes.begin() + 14);
        Block block(bytes, 0);
        judge.judge(block.open().bytes(), 2);
      }
      const Account& account = judge.account();
      fail_unless_equals_uint64(
          account.packets + account.duplicate + account.damaged + account.foreign, kRounds / 4);
      fail_unless(account.packets > 0 && account.damaged > 0 && account.foreign > 0);
      // A sum that fits has not been put together from two packets: all were the first of flow 0.
      if (verify) fail_unless(account.flows == 1 && account.packets == 1);
    }
  }
}
GST_END_TEST

GST_START_TEST(test_flow_hash) {
  for (int round = 0; round < kRounds; ++round) {
    Block block(some_packet(), 0);
    const Packet packet = block.open();
    (void)flow_hash(packet.bytes(), round % 2 == 0 ? LinkType::ethernet : LinkType::ip);
  }
}
GST_END_TEST

// What is sent must be what was summed, whoever writes to the source meanwhile.
GST_START_TEST(test_sums_of_copies) {
  for (const auto& variant : gstpacket::detail::sum_variants()) {
    for (std::size_t size = 0; size < 1500; ++size) {
      Bytes source(size), copy(size);
      for (std::uint8_t& byte : source) byte = static_cast<std::uint8_t>(below(256));
      const auto bytes = std::as_writable_bytes(std::span(source));
      peer.begin(bytes, Peer::Manner::always);
      const std::uint64_t sum =
          variant.copy_sum(std::as_writable_bytes(std::span(copy)).data(), bytes.data(), size);
      fail_unless(size == 0 || peer.loads != 0);
      peer.end();
      fail_unless_equals_int(gstpacket::Checksum().add_sum(sum).value(), naive::checksum(copy));
    }
  }
}
GST_END_TEST

GST_START_TEST(test_example_of_the_documentation) {
  DecTtl element;
  for (int round = 0; round < kRounds; ++round) {
    Block block(some_packet(), 0);
    Packet packet = block.open();
    const std::size_t size = packet.size();
    (void)element.process(packet);
    fail_unless(packet.size() == size);
  }
}
GST_END_TEST

static Suite* mutation_suite() {
  Suite* s = suite_create("mutation");
  TCase* tc = tcase_create("general");
  suite_add_tcase(s, tc);
  tcase_add_test(tc, test_views);
  tcase_add_test(tc, test_icmpresponder);
  tcase_add_test(tc, test_ethbridge);
  tcase_add_test(tc, test_flowsplit);
  tcase_add_test(tc, test_packetcheck);
  tcase_add_test(tc, test_flow_hash);
  tcase_add_test(tc, test_sums_of_copies);
  tcase_add_test(tc, test_example_of_the_documentation);
  return s;
}

GST_CHECK_MAIN(mutation)
