// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Every rule of the responder, as requests written byte by byte and the replies expected for them.
 * Checksums on both sides come from the naive function.
 */
#include "icmpresponder.hpp"

#include <functional>
#include <random>

#include "pipeline_end.hpp"
#include "rig.hpp"
#include "samples.hpp"
#include "tests/check/documentation.hpp"

using namespace gstpacket;
using namespace packetplugin;
using namespace samples;
using Drop = IcmpResponder::Drop;

namespace {

const Bytes kBroadcast(6, 0xff);

/**
 * A responder and a packet in a block of exactly its size, with no room around it unless asked
 * for.
 */
struct Bench {
  explicit Bench(LinkType link = LinkType::ethernet) {
    fail_unless(bool(responder.set_address("192.168.1.1, 10.0.0.1, 2001:db8::ab:cd01")));
    fail_unless(bool(responder.set_mac("")));
    fail_unless(bool(responder.set_caps({link})));
  }
  void set_verification(bool on) {
    GValue value = G_VALUE_INIT;
    g_value_init(&value, G_TYPE_BOOLEAN);
    g_value_set_boolean(&value, on);
    const auto verify_checksum = std::get<2>(IcmpResponder::properties()).spec("icmpresponder");
    fail_unless(bool(verify_checksum.set(&responder, value)));
    g_param_spec_sink(verify_checksum.spec);
  }
  Verdict run(const Bytes& request, std::size_t room = 0) {
    block.clear();
    block.reserve(request.size() + room);
    for (const std::uint8_t b : request) block.push_back(std::byte{b});
    block.resize(request.size() + room);
    Packet packet(std::span<std::byte>(block).first(request.size()), 0, room);
    const Verdict verdict = responder.process(packet);
    reply.clear();
    for (const std::byte b : packet.bytes()) reply.push_back(std::to_integer<std::uint8_t>(b));
    return verdict;
  }
  IcmpResponder responder;
  std::vector<std::byte> block;
  Bytes reply;
};

void expect_reply(Bench& bench, const Bytes& request, const Bytes& reply, const char* what,
                  std::size_t room = 0) {
  fail_unless(bench.run(request, room) == forward(), "%s: dropped", what);
  for (std::size_t i = 0; i < std::min(reply.size(), bench.reply.size()); ++i) {
    fail_unless(bench.reply[i] == reply[i], "%s: byte %zu is %02x, not %02x", what, i,
                bench.reply[i], reply[i]);
  }
  fail_unless(bench.reply.size() == reply.size(), "%s: %zu bytes, not %zu", what,
              bench.reply.size(), reply.size());
}

void expect_drop(Bench& bench, const Bytes& request, Drop reason, const char* what) {
  const Verdict verdict = bench.run(request, 64);
  fail_unless(verdict == drop(reason), "%s: port %u, reason %u", what, verdict.port,
              verdict.reason);
  fail_unless(bench.reply == request, "%s: a dropped packet was changed", what);
}

const Bytes kTo = ethernet(kOurMac, kPeerMac, 0x0800);
const Bytes kTo6 = ethernet(kOurMac, kPeerMac, 0x86dd);
const Bytes kBack = ethernet(kPeerMac, kOurMac, 0x0800);
const Bytes kBack6 = ethernet(kPeerMac, kOurMac, 0x86dd);

Bytes reply_v4(std::size_t size, const Bytes& options = {}) {
  return ipv4({.source = kOurV4, .destination = kPeerV4, .options = options, .ttl = 64},
              icmp_echo(0, size));
}
Bytes reply_v6(std::size_t size) {
  return ipv6({.source = kOurV6, .destination = kPeerV6, .hop_limit = 64},
              icmpv6_echo(129, size, kOurV6, kPeerV6));
}
Bytes request_v4(const V4& header, const Bytes& body = icmp_echo(8, 20)) {
  return join({kTo, ipv4(header, body)});
}
Bytes request_v6(const V6& header, const Bytes& body = icmpv6_echo(128, 20)) {
  return join({kTo6, ipv6(header, body)});
}
Bytes flipped(Bytes bytes, std::size_t at, std::uint8_t bits) {
  bytes.at(at) ^= bits;
  return bytes;
}

/** A solicitation in its frame. The defaults are those of a resolution. */
struct Ns {
  Bytes source = kPeerV6;
  Bytes target = kOurV6;
  Bytes destination = solicited_node(kOurV6);
  Bytes mac = multicast_mac(solicited_node(kOurV6));
  Bytes options = join({{1, 1}, kPeerMac});
  std::uint8_t hop_limit = 255;
  std::uint8_t code = 0;
  Bytes frame() const {
    Bytes message = solicitation(target, options);
    message[1] = code;
    return join({ethernet(mac, kPeerMac, 0x86dd),
                 ipv6({.source = source, .destination = destination, .hop_limit = hop_limit},
                      with_icmpv6_sum(message, source, destination))});
  }
};
Bytes advertisement(const Bytes& to_mac, const Bytes& to, std::uint8_t flags) {
  const Bytes message = join({{136, 0, 0, 0, flags, 0, 0, 0}, kOurV6, {2, 1}, kOurMac});
  return join({ethernet(to_mac, kOurMac, 0x86dd),
               ipv6({.source = kOurV6, .destination = to, .hop_limit = 255},
                    with_icmpv6_sum(message, kOurV6, to))});
}

}  // namespace

GST_START_TEST(test_echo_v4) {
  Bench bench;
  for (const std::size_t size : {0U, 1U, 2U, 17U, 56U, 57U, 1472U, 8972U}) {
    expect_reply(bench, request_v4({}, icmp_echo(8, size)), join({kBack, reply_v4(size)}), "echo");
  }
  // A second address of ours, and the smallest TTL that arrives.
  const Bytes other{10, 0, 0, 1};
  expect_reply(
      bench, request_v4({.destination = other, .ttl = 1}),
      join({kBack, ipv4({.source = other, .destination = kPeerV4, .ttl = 64}, icmp_echo(0, 20))}),
      "second address");
  // Record route and router alert come back as they came.
  const Bytes options{7, 7, 4, 0, 0, 0, 0, 1, 148, 4, 0, 0};
  expect_reply(bench, request_v4({.options = options}), join({kBack, reply_v4(20, options)}),
               "options");
}
GST_END_TEST

GST_START_TEST(test_echo_v6) {
  Bench bench;
  for (const std::size_t size : {0U, 1U, 2U, 17U, 56U, 1452U, 8952U}) {
    expect_reply(bench, request_v6({}, icmpv6_echo(128, size)), join({kBack6, reply_v6(size)}),
                 "echo");
  }
  // Extension headers are not part of the reply.
  const Bytes extensions{60, 0, 1, 4, 0, 0, 0, 0, 58, 1, 1, 4, 0, 0, 0, 0, 1, 6, 0, 0, 0, 0, 0, 0};
  expect_reply(bench, request_v6({.extensions = extensions, .next = 0}),
               join({kBack6, reply_v6(20)}), "extension headers");
  const Bytes routed{58, 0, 0, 0, 0, 0, 0, 0};
  expect_reply(bench, request_v6({.extensions = routed, .next = 43}), join({kBack6, reply_v6(20)}),
               "routing header at its end");
}
GST_END_TEST

GST_START_TEST(test_vlan_tags_stay) {
  Bench bench;
  const Bytes macs = join({kOurMac, kPeerMac});
  const Bytes back = join({kPeerMac, kOurMac});
  const Bytes tag{0x81, 0x00, 0x60, 0x0a}, service{0x88, 0xa8, 0x00, 0x64}, v4{8, 0},
      v6{0x86, 0xdd};
  const Bytes body = ipv4({}, icmp_echo(8, 30));
  expect_reply(bench, join({macs, tag, v4, body}), join({back, tag, v4, reply_v4(30)}), "802.1Q");
  expect_reply(bench, join({macs, service, tag, v4, body}),
               join({back, service, tag, v4, reply_v4(30)}), "QinQ");
  expect_reply(bench, join({macs, tag, v6, ipv6({}, icmpv6_echo(128, 9))}),
               join({back, tag, v6, reply_v6(9)}), "802.1Q, IPv6");
  const Bytes request = arp(1, kPeerMac, kPeerV4, Bytes(6, 0), kOurV4);
  expect_reply(bench, join({kBroadcast, kPeerMac, tag, {8, 6}, request}),
               join({back, tag, {8, 6}, arp(2, kOurMac, kOurV4, kPeerMac, kPeerV4)}), "ARP");
  const Ns ns;
  const Bytes frame = ns.frame();
  const Bytes na = advertisement(kPeerMac, kPeerV6, 0x60);
  const Bytes ns_ip(frame.begin() + 14, frame.end()), na_ip(na.begin() + 14, na.end());
  expect_reply(bench, join({ns.mac, kPeerMac, service, tag, v6, ns_ip}),
               join({back, service, tag, v6, na_ip}), "NS");
  expect_drop(bench, join({macs, tag, tag, tag, v4, body}), Drop::unknown_protocol, "three tags");
}
GST_END_TEST

GST_START_TEST(test_padding) {
  Bench bench;
  // 43 bytes of packet in a frame of the smallest size: the padding stays.
  const Bytes small = request_v4({}, icmp_echo(8, 1));
  const Bytes pad(60 - small.size(), 0xee);
  expect_reply(bench, join({small, pad}), join({kBack, reply_v4(1), pad}), "padding");
  // More than that goes, down to the smallest frame or to the end of the packet.
  expect_reply(bench, join({small, pad, Bytes(4, 0xcc)}), join({kBack, reply_v4(1), pad}), "FCS");
  expect_reply(bench, join({request_v4({}, icmp_echo(8, 60)), Bytes(9, 0xee)}),
               join({kBack, reply_v4(60)}), "trailer");
  expect_reply(bench, join({request_v6({}), Bytes(9, 0xee)}), join({kBack6, reply_v6(20)}),
               "trailer, IPv6");
  // Odd packets have their padding right behind the last byte: it is in no checksum.
  expect_reply(bench, join({request_v4({}, icmp_echo(8, 33)), {0xee}}), join({kBack, reply_v4(33)}),
               "odd length");
  const Bytes request = arp(1, kPeerMac, kPeerV4, Bytes(6, 0), kOurV4);
  const Bytes answer = arp(2, kOurMac, kOurV4, kPeerMac, kPeerV4);
  expect_reply(bench, join({ethernet(kBroadcast, kPeerMac, 0x0806), request, Bytes(22, 0)}),
               join({ethernet(kPeerMac, kOurMac, 0x0806), answer, Bytes(18, 0)}), "ARP");
}
GST_END_TEST

GST_START_TEST(test_link_type_ip) {
  Bench bench(LinkType::ip);
  expect_reply(bench, ipv4({}, icmp_echo(8, 5)), reply_v4(5), "IPv4");
  expect_reply(bench, join({ipv4({}, icmp_echo(8, 5)), Bytes(3, 0)}), reply_v4(5), "IPv4, trailer");
  expect_reply(bench, ipv6({}, icmpv6_echo(128, 5)), reply_v6(5), "IPv6");
  const Bytes extensions{58, 0, 1, 4, 0, 0, 0, 0};
  expect_reply(bench, ipv6({.extensions = extensions, .next = 60}, icmpv6_echo(128, 5)),
               reply_v6(5), "IPv6 with options");
  expect_drop(bench, {}, Drop::too_short, "nothing");
  expect_drop(bench, Bytes(40, 0x50), Drop::bad_header, "IP version 5");
  expect_drop(bench, Bytes(19, 0x45), Drop::too_short, "short IPv4");
  expect_drop(bench, Bytes(39, 0x60), Drop::too_short, "short IPv6");
  const Bytes frame = Ns{}.frame();
  expect_drop(bench, Bytes(frame.begin() + 14, frame.end()), Drop::not_echo, "no link layer");
}
GST_END_TEST

GST_START_TEST(test_arp) {
  Bench bench;
  const Bytes none(6, 0), to = ethernet(kBroadcast, kPeerMac, 0x0806);
  const Bytes back = ethernet(kPeerMac, kOurMac, 0x0806);
  const Bytes answer = join({back, arp(2, kOurMac, kOurV4, kPeerMac, kPeerV4)});
  expect_reply(bench, join({to, arp(1, kPeerMac, kPeerV4, none, kOurV4)}), answer, "request");
  expect_reply(bench,
               join({ethernet(kOurMac, kPeerMac, 0x0806), arp(1, kPeerMac, kPeerV4, none, kOurV4)}),
               answer, "unicast request");
  expect_reply(bench, join({to, arp(1, kPeerMac, Bytes(4, 0), none, kOurV4)}),
               join({back, arp(2, kOurMac, kOurV4, kPeerMac, Bytes(4, 0))}), "probe");

  expect_drop(bench, join({to, arp(1, kPeerMac, kPeerV4, none, {192, 168, 1, 9})}),
              Drop::not_for_us, "another host's address");
  expect_drop(bench, join({to, arp(2, kPeerMac, kPeerV4, kOurMac, kOurV4)}), Drop::bad_header,
              "reply");
  expect_drop(bench, join({to, flipped(arp(1, kPeerMac, kPeerV4, none, kOurV4), 4, 1)}),
              Drop::bad_header, "hardware address length");
  expect_drop(bench, join({to, arp(1, kPeerMac, kOurV4, none, kOurV4)}), Drop::martian_source,
              "our address announced");
  expect_drop(bench, join({to, arp(1, kPeerMac, {224, 0, 0, 1}, none, kOurV4)}),
              Drop::martian_source, "multicast sender");
  expect_drop(bench, join({to, arp(1, kBroadcast, kPeerV4, none, kOurV4)}), Drop::martian_source,
              "broadcast sender MAC");
  expect_drop(bench, join({to, arp(1, none, kPeerV4, none, kOurV4)}), Drop::martian_source,
              "no sender MAC");
  expect_drop(bench, join({to, arp(1, kOurMac, kPeerV4, none, kOurV4)}), Drop::martian_source,
              "our MAC as sender");
  expect_drop(bench,
              join({ethernet({1, 0, 0x5e, 0, 0, 1}, kPeerMac, 0x0806),
                    arp(1, kPeerMac, kPeerV4, none, kOurV4)}),
              Drop::group_destination, "multicast frame");
  const Bytes whole = join({to, arp(1, kPeerMac, kPeerV4, none, kOurV4)});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    expect_drop(bench, Bytes(whole.begin(), whole.begin() + static_cast<long>(size)),
                Drop::too_short, "truncated");
  }
}
GST_END_TEST

GST_START_TEST(test_neighbour_solicitation) {
  Bench bench;
  const Bytes solicited = advertisement(kPeerMac, kPeerV6, 0x60);
  expect_reply(bench, Ns{}.frame(), solicited, "resolution");
  expect_reply(bench, Ns{.destination = kOurV6, .mac = kOurMac}.frame(), solicited, "unicast");
  expect_reply(bench, Ns{.mac = kOurMac}.frame(), solicited, "multicast in a unicast frame");
  // Without the option the packet must grow by 8 bytes.
  expect_reply(bench, Ns{.options = {}}.frame(), solicited, "no option", 8);
  expect_drop(bench, flipped(Ns{.options = {}}.frame(), 57, 1), Drop::bad_checksum, "no option");
  fail_unless(bench.run(Ns{.options = {}}.frame(), 7) == drop(Drop::too_short));
  // Options we do not know are skipped, and what they took is cut off.
  expect_reply(bench, Ns{.options = join({{14, 1, 1, 2, 3, 4, 5, 6, 1, 1}, kPeerMac})}.frame(),
               solicited, "nonce");
  expect_reply(bench, join({Ns{}.frame(), Bytes(5, 0xee)}), solicited, "trailer");
  // The option says where the asker can be reached, not the frame.
  const Bytes other{2, 0, 0, 0, 0, 9};
  expect_reply(bench, Ns{.options = join({{1, 1}, other})}.frame(),
               advertisement(other, kPeerV6, 0x60), "another MAC");
  // Duplicate address detection: the answer goes to all nodes and is unsolicited.
  const Bytes all_nodes{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  expect_reply(bench, Ns{.source = kNoV6, .options = {}}.frame(),
               advertisement({0x33, 0x33, 0, 0, 0, 1}, all_nodes, 0x20), "DAD", 8);
}
GST_END_TEST

GST_START_TEST(test_neighbour_solicitation_dropped) {
  Bench bench;
  expect_drop(bench, Ns{.hop_limit = 254}.frame(), Drop::bad_neighbour, "hop limit");
  expect_drop(bench, Ns{.code = 1}.frame(), Drop::bad_neighbour, "code");
  expect_drop(bench, flipped(Ns{}.frame(), 60, 1), Drop::bad_checksum, "checksum");
  expect_drop(bench, Ns{.options = {1, 0, 0, 0, 0, 0, 0, 0}}.frame(), Drop::bad_neighbour,
              "option of no length");
  expect_drop(bench, Ns{.options = {1, 2, 0, 0, 0, 0, 0, 0}}.frame(), Drop::bad_neighbour,
              "option beyond the end");
  expect_drop(bench, Ns{.source = kNoV6}.frame(), Drop::bad_neighbour, "DAD with an option");
  expect_drop(bench,
              Ns{.source = kNoV6, .destination = kOurV6, .mac = kOurMac, .options = {}}.frame(),
              Drop::bad_neighbour, "DAD to unicast");
  expect_drop(bench, Ns{.target = solicited_node(kOurV6)}.frame(), Drop::bad_neighbour,
              "multicast target");
  Bytes neighbour = kOurV6;
  neighbour[12] = 7;  // the same solicited-node address
  expect_drop(bench, Ns{.target = neighbour}.frame(), Drop::not_for_us, "another target");
  const Bytes all_nodes{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  expect_drop(bench, Ns{.destination = all_nodes, .mac = {0x33, 0x33, 0, 0, 0, 1}}.frame(),
              Drop::group_destination, "all nodes");
  expect_drop(bench, Ns{.mac = kBroadcast}.frame(), Drop::group_destination, "broadcast frame");
  expect_drop(bench, Ns{.destination = kOurV6}.frame(), Drop::group_destination,
              "unicast in a multicast frame");
  expect_drop(bench, Ns{.options = join({{1, 1}, kBroadcast})}.frame(), Drop::martian_source,
              "broadcast MAC in the option");
  expect_drop(bench, Ns{.source = kOurV6}.frame(), Drop::martian_source, "our own address");
  // Verified even if echo requests are not.
  GValue off = G_VALUE_INIT;
  g_value_init(&off, G_TYPE_BOOLEAN);
  const auto spec = std::get<2>(IcmpResponder::properties()).spec("icmpresponder");
  fail_unless(bool(spec.set(&bench.responder, off)));
  expect_drop(bench, flipped(Ns{}.frame(), 60, 1), Drop::bad_checksum, "checksum, always");
  g_param_spec_sink(spec.spec);
}
GST_END_TEST

GST_START_TEST(test_frames_dropped) {
  Bench bench;
  // The end of the block is that of the frame: nothing behind it may be looked at.
  const Bytes whole = echo_frame();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Verdict verdict = bench.run(Bytes(whole.begin(), whole.begin() + size));
    fail_if(verdict == forward(), "cut to %zu bytes: answered", size);
  }
  const Bytes body = ipv4({}, icmp_echo(8, 20));
  expect_drop(bench, join({ethernet({2, 0, 0, 0, 0, 9}, kPeerMac, 0x0800), body}), Drop::not_for_us,
              "another host's MAC");
  expect_drop(bench, join({ethernet(kBroadcast, kPeerMac, 0x0800), body}), Drop::group_destination,
              "unicast packet in a broadcast frame");
  expect_drop(bench, join({ethernet(kBroadcast, kPeerMac, 0x86dd), ipv6({}, icmpv6_echo(128, 20))}),
              Drop::group_destination, "IPv6 in a broadcast frame");
  for (const Bytes& source : {kBroadcast, Bytes{1, 0, 0, 0, 0, 1}, Bytes(6, 0), kOurMac}) {
    expect_drop(bench, join({ethernet(kOurMac, source, 0x0800), body}), Drop::martian_source,
                "source MAC");
  }
  for (const std::uint16_t type : std::initializer_list<std::uint16_t>{0, 0x26, 0x88cc, 0x8847}) {
    expect_drop(bench, join({ethernet(kOurMac, kPeerMac, type), body}), Drop::unknown_protocol,
                "EtherType");
  }
}
GST_END_TEST

GST_START_TEST(test_ipv4_dropped) {
  Bench bench;
  const auto from = [](const Bytes& a) { return request_v4({.source = a}); };
  const auto to = [](const Bytes& a) { return request_v4({.destination = a}); };
  for (const Bytes& source :
       {Bytes{0, 0, 0, 0}, Bytes{0, 1, 2, 3}, Bytes{127, 0, 0, 1}, Bytes{224, 0, 0, 1},
        Bytes{240, 0, 0, 1}, Bytes{255, 255, 255, 255}, kOurV4, Bytes{10, 0, 0, 1}}) {
    expect_drop(bench, from(source), Drop::martian_source, "source");
  }
  expect_drop(bench, to({192, 168, 1, 255}), Drop::not_for_us, "another host");
  expect_drop(bench, to({224, 0, 0, 1}), Drop::group_destination, "multicast");
  expect_drop(bench, to({255, 255, 255, 255}), Drop::group_destination, "broadcast");
  const Bytes good = request_v4({});
  expect_drop(bench, flipped(good, 14 + 8, 1), Drop::bad_checksum, "header checksum");
  expect_drop(bench, flipped(good, 14 + 40, 1), Drop::bad_checksum, "ICMP checksum");
  expect_drop(bench, request_v4({.fragment = 0x2000}), Drop::fragment, "first fragment");
  expect_drop(bench, request_v4({.fragment = 0x0003}), Drop::fragment, "last fragment");
  expect_drop(bench, request_v4({.options = {131, 7, 4, 1, 2, 3, 4, 0}}), Drop::source_route,
              "LSRR");
  expect_drop(bench, request_v4({.options = {1, 137, 7, 4, 1, 2, 3, 4}}), Drop::source_route,
              "SSRR");
  expect_drop(bench, request_v4({.options = {7, 1, 0, 0}}), Drop::bad_header, "option length 1");
  expect_drop(bench, request_v4({.options = {7, 5, 0, 0}}), Drop::bad_header, "option too long");
  expect_drop(bench, request_v4({.options = {1, 1, 1, 7}}), Drop::bad_header, "option cut");
  expect_drop(bench, request_v4({.protocol = 17}), Drop::unknown_protocol, "UDP");
  for (const std::uint8_t type : Bytes{0, 3, 11, 13, 17}) {
    expect_drop(bench, request_v4({}, icmp_echo(type, 20)), Drop::not_echo, "ICMP type");
  }
  expect_drop(bench, request_v4({}, with_icmp_sum({8, 1, 0, 0, 0, 0, 0, 0})), Drop::not_echo,
              "code");
  expect_drop(bench, request_v4({}, Bytes(7, 0)), Drop::too_short, "short ICMP");
  expect_drop(bench, flipped(good, 14, 0x20), Drop::bad_header, "version 6");
  expect_drop(bench, flipped(good, 14, 1), Drop::bad_header, "header length 16");
  expect_drop(bench, flipped(good, 14 + 2, 1), Drop::bad_header, "total length");
  for (std::size_t size = 0; size < good.size(); ++size) {
    const Drop reason = size < 14 + 20 ? Drop::too_short : Drop::bad_header;
    expect_drop(bench, Bytes(good.begin(), good.begin() + static_cast<long>(size)), reason,
                "truncated");
  }
}
GST_END_TEST

GST_START_TEST(test_ipv6_dropped) {
  Bench bench;
  Bytes loopback(16, 0), mapped(16, 0), multicast(16, 0), stranger = kOurV6;
  loopback[15] = 1;
  mapped[10] = mapped[11] = 0xff;
  multicast[0] = 0xff;
  stranger[15] ^= 2;
  for (const Bytes& source : {loopback, mapped, multicast, kNoV6, kOurV6}) {
    expect_drop(bench, request_v6({.source = source}, icmpv6_echo(128, 20, source)),
                Drop::martian_source, "source");
  }
  expect_drop(bench, request_v6({.destination = stranger}), Drop::not_for_us, "another host");
  expect_drop(bench,
              request_v6({.destination = multicast}, icmpv6_echo(128, 20, kPeerV6, multicast)),
              Drop::group_destination, "multicast");
  const Bytes good = request_v6({});
  expect_drop(bench, flipped(good, 14 + 60, 1), Drop::bad_checksum, "ICMPv6 checksum");
  expect_drop(bench, flipped(good, 14 + 23, 4), Drop::bad_checksum, "source is in the checksum");
  expect_drop(bench, request_v6({.extensions = {58, 0, 0, 1, 0, 0, 0, 1}, .next = 44}),
              Drop::fragment, "fragment");
  expect_drop(bench, request_v6({.extensions = {58, 0, 0, 1, 0, 0, 0, 0}, .next = 43}),
              Drop::source_route, "routing header");
  expect_drop(bench, request_v6({.extensions = {58, 0, 0xc2, 4, 0, 0, 0, 0}, .next = 0}),
              Drop::bad_option, "mandatory option");
  expect_drop(bench, request_v6({.next = 17}), Drop::unknown_protocol, "UDP");
  for (const std::uint8_t type : Bytes{1, 129, 130, 133, 134, 136, 137}) {
    expect_drop(bench, request_v6({}, icmpv6_echo(type, 20)), Drop::not_echo, "ICMPv6 type");
  }
  expect_drop(bench, request_v6({}, with_icmpv6_sum({128, 1, 0, 0, 0, 0, 0, 0}, kPeerV6, kOurV6)),
              Drop::not_echo, "code");
  expect_drop(bench, request_v6({}, Bytes(7, 0)), Drop::too_short, "short ICMPv6");
  expect_drop(bench, flipped(good, 14, 0x20), Drop::bad_header, "version 4");
  expect_drop(bench, flipped(good, 14 + 4, 1), Drop::bad_header, "payload length");
  for (std::size_t size = 0; size < good.size(); ++size) {
    const Drop reason = size < 14 + 40 ? Drop::too_short : Drop::bad_header;
    expect_drop(bench, Bytes(good.begin(), good.begin() + static_cast<long>(size)), reason,
                "truncated");
  }
}
GST_END_TEST

// ---- as an element ----------------------------------------------------------------------------

GST_START_TEST(test_element) {
  rig::Rig rig("icmpresponder");
  g_object_set(rig.element, "address", "192.168.1.1,2001:db8::ab:cd01", nullptr);
  gchar* mac = nullptr;
  g_object_get(rig.element, "mac", &mac, nullptr);
  fail_unless_equals_string(mac, "02:00:c0:a8:01:01");
  g_free(mac);
  rig.play();
  rig.push(rig::make_buffer(echo_frame()));
  // No room behind it: the packet is moved.
  rig.push(rig::make_buffer(Ns{.options = {}}.frame()));
  GstBufferList* list = gst_buffer_list_new();
  gst_buffer_list_add(list, rig::make_buffer(Bytes(3)));
  gst_buffer_list_add(list, rig::make_buffer(echo_frame_v6()));
  rig.push(list);
  const std::vector<Bytes> expected{join({kBack, reply_v4(20)}),
                                    advertisement(kPeerMac, kPeerV6, 0x60),
                                    join({kBack6, reply_v6(20)})};
  fail_unless(rig.out->packets == expected);
  fail_unless_equals_uint64(rig.stat("drop-too-short"), 1);
  fail_unless_equals_uint64(rig.stat("copies"), 1);
}
GST_END_TEST

// An untagged echo request is recognised and answered some words at a time; the same packet behind
// a VLAN tag is looked at field by field.
GST_START_TEST(test_short_way_and_long_way_agree) {
  std::mt19937 random(4711);
  const auto below = [&](std::size_t n) {
    return std::uniform_int_distribution(0UL, n - 1)(random);
  };
  std::size_t answered = 0, dropped = 0;
  Bench verifying, trusting;
  trusting.set_verification(false);
  for (int round = 0; round < 100000; ++round) {
    Bench& bench = round % 4 == 0 ? trusting : verifying;
    Bytes ip = ipv4({.destination = below(2) != 0 ? kOurV4 : Bytes{10, 0, 0, 1},
                     .ttl = static_cast<std::uint8_t>(below(2) != 0 ? 64 : below(256))},
                    icmp_echo(8, 18 + below(200)));
    Bytes macs = join({kOurMac, kPeerMac});
    for (std::size_t flips = below(3); flips != 0; --flips) {
      const std::size_t at = below(12 + 36);
      Bytes& part = at < 12 ? macs : ip;
      const std::size_t place = at < 12 ? at : at - 12;
      part[place] =
          static_cast<std::uint8_t>(below(2) != 0 ? below(256) : part[place] ^ 1 << below(8));
    }
    // Most mistakes would be hidden behind that of the checksum.
    if (below(4) != 0) {
      put16(ip, 10, 0);
      put16(ip, 10, naive::checksum(Bytes(ip.begin(), ip.begin() + 20)));
    }
    const Bytes padding(below(3) * 7, 0xee);
    const Verdict expected = bench.run(join({macs, {0x81, 0, 0, 5, 8, 0}, ip, padding}));
    Bytes reply = bench.reply;
    reply.erase(reply.begin() + 12, reply.begin() + 16);
    const Verdict verdict = bench.run(join({macs, {8, 0}, ip, padding}));
    fail_unless(verdict == expected, "round %d: port %u, reason %u; the long way: %u, %u", round,
                verdict.port, verdict.reason, expected.port, expected.reason);
    // Short frames keep padding up to 60 bytes, of which the tag is a part.
    reply.resize(std::min(reply.size(), bench.reply.size()));
    bench.reply.resize(reply.size());
    fail_unless(bench.reply == reply, "round %d: another reply", round);
    ++(verdict == forward() ? answered : dropped);
  }
  fail_unless(answered > 20000 && dropped > 20000, "%zu answered, %zu dropped", answered, dropped);
}
GST_END_TEST

GST_START_TEST(test_change_address_while_playing) {
  rig::Rig rig("icmpresponder");
  rig.play();
  g_object_set(rig.element, "mac", "02:00:c0:a8:01:01", nullptr);
  rig.push(rig::make_buffer(echo_frame()));
  g_object_set(rig.element, "address", "10.9.8.7", nullptr);
  rig.push(rig::make_buffer(echo_frame()));
  rig.push(rig::make_buffer(echo_frame(20, {.destination = {10, 9, 8, 7}})));
  fail_unless_equals_int(static_cast<int>(rig.out->packets.size()), 2);
  fail_unless_equals_uint64(rig.stat("drop-not-for-us"), 1);
  g_object_set(rig.element, "mac", "", nullptr);
  gchar* mac = nullptr;
  g_object_get(rig.element, "mac", &mac, nullptr);
  fail_unless_equals_string(mac, "02:00:0a:09:08:07");
  g_free(mac);
}
GST_END_TEST

GST_START_TEST(test_without_verification) {
  rig::Rig rig("icmpresponder");
  g_object_set(rig.element, "verify-checksum", FALSE, nullptr);
  rig.play();
  Bytes wrong = echo_frame();
  wrong[14 + 20 + 2] ^= 0x40;
  rig.push(rig::make_buffer(wrong));
  // The damage is still to be seen in the reply.
  const Bytes& reply = rig.out->packets.at(0);
  fail_if(naive::checksum(std::span(reply).subspan(34)) == 0);
  fail_unless(naive::checksum(std::span(reply).subspan(14, 20)) == 0);
}
GST_END_TEST

GST_START_TEST(test_wrong_values) {
  const struct {
    const char* property;
    const char* value;
    const char* says;
  } wrong[] = {
      {"address", "", "an address is missing"},
      {"address", "192.168.1", "not an IPv4 address"},
      {"address", "192.168.1.1,", "an address is missing"},
      {"address", "192.168.1.1,192.168.1.1", "given twice"},
      {"address", "2001:db8::1,2001:db8:0::1", "given twice"},
      {"address", "224.0.0.1", "not the address of a host"},
      {"address", "ff02::1", "not the address of a host"},
      {"address", "2001:db8::1::2", "not an IPv6 address"},
      {"mac", "02:00", "not a MAC address"},
      {"mac", "01:00:5e:00:00:01", "not the address of one station"},
      {"mac", "00:00:00:00:00:00", "not the address of one station"},
  };
  for (const auto& w : wrong) {
    rig::Rig rig("icmpresponder");
    g_object_set(rig.element, w.property, w.value, nullptr);
    fail_unless_equals_int(gst_element_set_state(rig.element, GST_STATE_PLAYING),
                           GST_STATE_CHANGE_FAILURE);
    const std::string error = rig.message(GST_MESSAGE_ERROR);
    for (const char* part : {w.says, w.property, w.value}) {
      fail_unless(error.find(part) != std::string::npos, "%s", error.c_str());
    }
    rig::Rig running("icmpresponder");
    g_object_set(running.element, "address", "192.168.1.1", nullptr);
    running.play();
    g_object_set(running.element, w.property, w.value, nullptr);
    fail_unless(running.message(GST_MESSAGE_WARNING).find(w.says) != std::string::npos);
    gchar* address = nullptr;
    g_object_get(running.element, "address", &address, nullptr);
    fail_unless_equals_string(address, "192.168.1.1");
    g_free(address);
  }
}
GST_END_TEST

/** It may be somebody else's address that is answered for. */
GST_START_TEST(test_forgotten_address) {
  rig::Rig forgotten("icmpresponder");
  forgotten.play();
  const std::string warning = forgotten.message(GST_MESSAGE_WARNING);
  for (const char* part : {"192.168.1.1", "no address is set", "Set address"}) {
    fail_unless(warning.find(part) != std::string::npos, "%s", warning.c_str());
  }
  rig::Rig given("icmpresponder");
  g_object_set(given.element, "address", "192.168.1.1", nullptr);
  given.play();
  const std::string none = given.message(GST_MESSAGE_WARNING);
  fail_unless_equals_string(none.c_str(), "");
}
GST_END_TEST

GST_START_TEST(test_punt_is_refused) {
  rig::Rig rig("icmpresponder");
  rig.play("application/x-packet,link-type=punt");
  fail_unless_equals_int(rig.push(rig::make_buffer(echo_frame())), GST_FLOW_NOT_NEGOTIATED);
}
GST_END_TEST

GST_START_TEST(test_behind_tee) {
  // Both branches get every packet, and the one beside the responder sees the request.
  GstElement* pipeline = gst_parse_launch(
      "tee name=t  t. ! queue ! icmpresponder ! fakesink name=a sync=false async=false "
      "signal-handoffs=true  t. ! queue ! fakesink name=b sync=false async=false "
      "signal-handoffs=true",
      nullptr);
  static Bytes a, b;
  const auto watch = [pipeline](const char* name, Bytes* out) {
    GstElement* sink = gst_bin_get_by_name(GST_BIN(pipeline), name);
    g_signal_connect(sink, "handoff",
                     G_CALLBACK(+[](GstElement*, GstBuffer* buffer, GstPad*, Bytes* to) {
                       to->resize(gst_buffer_get_size(buffer));
                       gst_buffer_extract(buffer, 0, to->data(), to->size());
                     }),
                     out);
    gst_object_unref(sink);
  };
  watch("a", &a);
  watch("b", &b);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  GstElement* tee = gst_bin_get_by_name(GST_BIN(pipeline), "t");
  GstPad* in = gst_element_get_static_pad(tee, "sink");
  GstPad* source = gst_pad_new("source", GST_PAD_SRC);
  gst_pad_link(source, in);
  gst_pad_set_active(source, TRUE);
  GstCaps* caps = make_caps({LinkType::ethernet});
  gst_check_setup_events_with_stream_id(source, tee, caps, GST_FORMAT_TIME, "test");
  gst_caps_unref(caps);
  GstBufferList* list = gst_buffer_list_new();
  for (int i = 0; i < 3; ++i) gst_buffer_list_add(list, rig::make_buffer(echo_frame()));
  fail_unless_equals_int(gst_pad_push_list(source, list), GST_FLOW_OK);
  gst_pad_push_event(source, gst_event_new_eos());
  fail_unless(rig::reaches_eos(pipeline));
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_pad_unlink(source, in);
  gst_object_unref(source);
  gst_object_unref(in);
  gst_object_unref(tee);
  gst_object_unref(pipeline);
  fail_unless(a == join({kBack, reply_v4(20)}));
  fail_unless(b == echo_frame());
}
GST_END_TEST

GST_START_TEST(test_documentation) {
  documentation::check("icmpresponder");
}
GST_END_TEST

GST_START_TEST(test_beside_a_third_party) {
  // Another module's element, found through the registry, in one pipeline with ours.
  rig::Rig rig("decttl");
  rig.play();
  rig.push(rig::make_buffer(echo_frame(8, {.ttl = 9})));
  fail_unless(rig.out->packets.at(0) == echo_frame(8, {.ttl = 8}));
  GstPlugin* plugin = gst_registry_find_plugin(gst_registry_get(), "thirdparty");
  fail_unless(plugin != nullptr);
  gst_object_unref(plugin);
}
GST_END_TEST

static Suite* icmpresponder_suite() {
  Suite* s = suite_create("icmpresponder");
  TCase* tc = tcase_create("general");
  suite_add_tcase(s, tc);
  tcase_add_test(tc, test_echo_v4);
  tcase_add_test(tc, test_echo_v6);
  tcase_add_test(tc, test_vlan_tags_stay);
  tcase_add_test(tc, test_padding);
  tcase_add_test(tc, test_link_type_ip);
  tcase_add_test(tc, test_arp);
  tcase_add_test(tc, test_neighbour_solicitation);
  tcase_add_test(tc, test_neighbour_solicitation_dropped);
  tcase_add_test(tc, test_frames_dropped);
  tcase_add_test(tc, test_ipv4_dropped);
  tcase_add_test(tc, test_ipv6_dropped);
  tcase_add_test(tc, test_element);
  tcase_add_test(tc, test_short_way_and_long_way_agree);
  tcase_add_test(tc, test_change_address_while_playing);
  tcase_add_test(tc, test_without_verification);
  tcase_add_test(tc, test_wrong_values);
  tcase_add_test(tc, test_forgotten_address);
  tcase_add_test(tc, test_punt_is_refused);
  tcase_add_test(tc, test_behind_tee);
  tcase_add_test(tc, test_documentation);
  tcase_add_test(tc, test_beside_a_third_party);
  return s;
}

GST_CHECK_MAIN(icmpresponder)
