// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * How next hops are found, kept, checked and lost, in both versions of IP.
 */
#include "bench.hpp"

using namespace bench;

namespace {

using State = Route::State;

const Bytes kHop{192, 168, 1, 7};
const IpAddress kHopAddress = address(kHop);

Bytes any_packet(std::uint8_t mark) {
  return ipv4({.source = kOurV4, .destination = kHop, .protocol = 17}, Bytes(30, mark));
}
Bytes link_of(const Route& route) {
  return bytes_of(std::span(route.link_header).first(route.link_size));
}
void expect_ready(Bench& bench, const IpAddress& to, const Bytes& to_mac, const char* what) {
  const Route route = bench.route(to);
  fail_unless(route.state == State::ready, "%s: not ready", what);
  expect_bytes(link_of(route), ethernet(to_mac, kOurMac, to.is_v4() ? 0x0800 : 0x86dd), what);
}
void expect_pending(Bench& bench, const IpAddress& to, const char* what) {
  fail_unless(bench.route(to).state == State::pending, "%s: not pending", what);
}
/** Knows the hop, and has just been told by it. */
void resolve(Bench& bench, const Bytes& hop = kHop, const Bytes& hop_mac = kPeerMac) {
  expect_pending(bench, address(hop), "new");
  bench.receive(arp_reply(hop, hop_mac));
  expect_ready(bench, address(hop), hop_mac, "resolved");
  bench.take();
}

}  // namespace

GST_START_TEST(test_arp_resolves_and_sends_what_waited) {
  Bench bench;
  const unsigned generation = bench.host.generation();
  const Route route = bench.route(kHopAddress);
  fail_unless(route.state == State::pending && route.source == address(kOurV4));
  expect_sent(bench, arp_request(kHop), "request");
  for (std::uint8_t i = 0; i < 3; ++i) {
    expect_pending(bench, kHopAddress, "waiting");
    bench.hold(kHopAddress, any_packet(i));
  }
  expect_silence(bench, "one request for all");
  fail_unless(bench.receive(arp_reply(kHop)) == Received::used);
  const auto sent = bench.take();
  fail_unless_equals_uint64(sent.size(), 3);
  for (std::uint8_t i = 0; i < 3; ++i) {
    expect_bytes(sent[i], join({ethernet(kPeerMac, kOurMac, 0x0800), any_packet(i)}), "held");
  }
  fail_if(bench.host.generation() == generation);
  expect_ready(bench, kHopAddress, kPeerMac, "resolved");
  expect_silence(bench, "known");
}
GST_END_TEST

/** What is asked before the link is up is heard by nobody, and must not cost a second. */
GST_START_TEST(test_link_up_asks_again) {
  Bench bench;
  const Bytes known{192, 168, 1, 8};
  expect_pending(bench, kHopAddress, "new");
  bench.take();
  resolve(bench, known);
  bench.host.link_up(bench.now, bench);
  const auto sent = bench.take();
  fail_unless(std::ranges::count(sent, arp_request(kHop)) == 1);
  fail_unless(std::ranges::count(sent, arp_request(known)) == 0);
}
GST_END_TEST

GST_START_TEST(test_requests_back_off_until_nobody_wants) {
  Bench bench;
  expect_pending(bench, kHopAddress, "new");
  bench.hold(kHopAddress, any_packet(1));
  bench.take();
  bench.pass(999 * kMillisecond);
  expect_silence(bench, "not yet");
  for (unsigned i = 0; i < 2; ++i) {
    bench.pass(kSecond);
    expect_sent(bench, arp_request(kHop), "again");
  }
  fail_unless_equals_uint64(bench.count(Count::unresolved), 0);
  // The third one was not answered either: what waited is dropped, but somebody still wants it.
  expect_pending(bench, kHopAddress, "asking");
  unsigned requests = 0;
  for (unsigned second = 0; second < 60; ++second) {
    expect_pending(bench, kHopAddress, "nobody there");
    bench.hold(kHopAddress, any_packet(1));
    bench.pass(kSecond);
    requests += static_cast<unsigned>(bench.take().size());
  }
  fail_unless(requests >= 7 && requests <= 10, "%u requests in a minute", requests);
  fail_unless(bench.count(Count::unresolved) > 40);
  // It comes back.
  bench.receive(arp_reply(kHop));
  expect_ready(bench, kHopAddress, kPeerMac, "back");
  // Nobody wants another one: it is forgotten.
  expect_pending(bench, address({192, 168, 1, 8}), "unwanted");
  bench.take();
  bench.pass(20 * kSecond);
  fail_unless_equals_uint64(bench.take().size(), 2);
  fail_unless_equals_uint64(bench.host.neighbours().size(), 1);
}
GST_END_TEST

GST_START_TEST(test_held_packets_are_bounded) {
  HostConfig few = config();
  few.limits.held_per_hop = 2;
  few.limits.held = 3;
  Bench bench(few);
  const IpAddress other = address({192, 168, 1, 8});
  expect_pending(bench, kHopAddress, "new");
  expect_pending(bench, other, "new");
  bench.take();
  for (std::uint8_t i = 0; i < 5; ++i) {
    bench.hold(kHopAddress, any_packet(i));
  }
  fail_unless_equals_uint64(bench.count(Count::held_overflow), 3);
  // One more in all: the second one of the other hop takes the place of its first.
  bench.hold(other, any_packet(10));
  bench.hold(other, any_packet(11));
  fail_unless_equals_uint64(bench.count(Count::held_overflow), 4);
  bench.receive(arp_reply(kHop));
  const auto sent = bench.take();
  fail_unless_equals_uint64(sent.size(), 2);
  fail_unless_equals_uint64(sent[0].back(), 3);
  fail_unless_equals_uint64(sent[1].back(), 4);
  // Resolved, or never asked for: there is nothing to wait for.
  bench.hold(kHopAddress, any_packet(9));
  bench.hold(address({192, 168, 1, 9}), any_packet(9));
  fail_unless_equals_uint64(bench.count(Count::unresolved), 2);
}
GST_END_TEST

GST_START_TEST(test_known_ones_are_asked_again) {
  Bench bench;
  resolve(bench);
  unsigned generation = bench.host.generation();
  bench.pass(14 * kSecond);
  fail_unless_equals_uint64(bench.host.generation(), generation);
  // At the latest after 45 s, whoever has the route is to ask for it again.
  bench.pass(32 * kSecond);
  fail_if(bench.host.generation() == generation);
  expect_silence(bench, "unused");
  expect_ready(bench, kHopAddress, kPeerMac, "stale");
  bench.pass(4 * kSecond);
  expect_silence(bench, "it might tell by itself");
  bench.pass(1500 * kMillisecond);
  expect_sent(bench, arp_request(kHop, kPeerMac), "asked itself");
  generation = bench.host.generation();
  bench.receive(arp_reply(kHop));
  expect_ready(bench, kHopAddress, kPeerMac, "it answered");
  fail_unless_equals_uint64(bench.host.generation(), generation);
  bench.pass(10 * kSecond);
  expect_silence(bench, "reachable");
}
GST_END_TEST

namespace {

const Bytes kHop6 = kPeerV6;
const IpAddress kHop6Address = address(kHop6);

Bytes neighbour_frame(const Bytes& to_mac, const Bytes& from_mac, const Bytes& source,
                      const Bytes& destination, const Bytes& message,
                      std::uint8_t hop_limit = 255) {
  return join({ethernet(to_mac, from_mac, 0x86dd),
               ipv6({.source = source, .destination = destination, .hop_limit = hop_limit},
                    with_icmpv6_sum(message, source, destination))});
}
Bytes advertisement(std::uint8_t flags, const Bytes& from_mac = kPeerMac,
                    const Bytes& to = kOurV6) {
  const Bytes message = join({{136, 0, 0, 0, flags, 0, 0, 0}, kHop6, {2, 1}, from_mac});
  return neighbour_frame(to[0] == 0xff ? multicast_mac(to) : kOurMac, from_mac, kHop6, to, message);
}
constexpr std::uint8_t kSolicited = 0x40, kOverride = 0x20;
const Bytes kAllNodes{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};

/** What we send, but for the first bytes of the IP header, in which only the version is said. */
Bytes solicited(const Bytes& to_mac, const Bytes& to) {
  Bytes out =
      neighbour_frame(to_mac, kOurMac, kOurV6, to, solicitation(kHop6, join({{1, 1}, kOurMac})));
  std::ranges::copy(Bytes{0x60, 0, 0, 0}, out.begin() + 14);
  return out;
}
Bytes asked_of_all() {
  const Bytes to = solicited_node(kHop6);
  return solicited(multicast_mac(to), to);
}
void resolve6(Bench& bench) {
  expect_pending(bench, kHop6Address, "new");
  expect_sent(bench, asked_of_all(), "solicitation");
  bench.receive(advertisement(kSolicited | kOverride));
  expect_ready(bench, kHop6Address, kPeerMac, "resolved");
}

}  // namespace

GST_START_TEST(test_nd_resolves_and_probes) {
  Bench bench;
  expect_pending(bench, kHop6Address, "new");
  bench.take();
  const Bytes waiting = ipv6({.source = kOurV6, .destination = kHop6, .next = 17}, Bytes(30, 1));
  bench.hold(kHop6Address, waiting);
  bench.receive(advertisement(kSolicited));
  expect_sent(bench, join({ethernet(kPeerMac, kOurMac, 0x86dd), waiting}), "what waited");
  bench.pass(46 * kSecond);
  expect_ready(bench, kHop6Address, kPeerMac, "stale");
  bench.pass(5500 * kMillisecond);
  expect_sent(bench, solicited(kPeerMac, kHop6), "asked itself");
  // An advertisement that nobody asked for proves nothing.
  bench.receive(advertisement(kOverride, kPeerMac, kAllNodes));
  bench.pass(kSecond);
  expect_sent(bench, solicited(kPeerMac, kHop6), "asked again");
  bench.receive(advertisement(kSolicited));
  bench.pass(10 * kSecond);
  expect_silence(bench, "reachable");
  // It goes: three are asked of it alone, then of all.
  bench.pass(40 * kSecond);
  expect_ready(bench, kHop6Address, kPeerMac, "stale");
  bench.pass(8500 * kMillisecond);
  const auto sent = bench.take();
  fail_unless_equals_uint64(sent.size(), 4);
  for (unsigned i = 0; i < 3; ++i) expect_bytes(sent[i], solicited(kPeerMac, kHop6), "itself");
  expect_bytes(sent[3], asked_of_all(), "all");
  expect_pending(bench, kHop6Address, "gone");
  // It says by itself that it is there again.
  bench.receive(advertisement(kOverride, kPeerMac, kAllNodes));
  expect_ready(bench, kHop6Address, kPeerMac, "back");
}
GST_END_TEST

GST_START_TEST(test_nd_poisoning) {
  Bench bench;
  bench.receive(advertisement(kSolicited | kOverride));
  bench.receive(advertisement(kOverride, kPeerMac, kAllNodes));
  fail_unless_equals_uint64(bench.host.neighbours().size(), 0);
  resolve6(bench);
  bench.pass(2 * kSecond);
  const Bytes group = solicited_node(kOurV6);
  const std::vector<Bytes> claims{
      advertisement(kSolicited | kOverride, kOtherMac),
      advertisement(kOverride, kOtherMac, kAllNodes),
      neighbour_frame(multicast_mac(group), kOtherMac, kHop6, group,
                      solicitation(kOurV6, join({{1, 1}, kOtherMac}))),
  };
  for (unsigned round = 0; round < 20; ++round) {
    for (const Bytes& claim : claims) bench.receive(claim, 8);
    expect_ready(bench, kHop6Address, kPeerMac, "not believed");
    expect_sent(bench, solicited(kPeerMac, kHop6), "asked");
    bench.receive(advertisement(kSolicited));
    bench.pass(2 * kSecond);
  }
  bench.receive(claims[1]);
  bench.pass(3 * kSecond);
  bench.receive(claims[0]);
  expect_ready(bench, kHop6Address, kOtherMac, "replaced when gone");
}
GST_END_TEST

GST_START_TEST(test_nd_invalid) {
  Bench bench;
  expect_pending(bench, kHop6Address, "new");
  const Bytes target = join({kHop6, {2, 1}, kPeerMac});
  const auto refused = [&](const Bytes& frame, const char* what) {
    bench.receive(frame);
    expect_pending(bench, kHop6Address, what);
  };
  const auto to_us = [&](const Bytes& message, std::uint8_t hop_limit = 255) {
    return neighbour_frame(kOurMac, kPeerMac, kHop6, kOurV6, message, hop_limit);
  };
  refused(to_us(join({{136, 0, 0, 0, 0x60, 0, 0, 0}, target}), 254), "from elsewhere");
  refused(to_us(join({{136, 1, 0, 0, 0x60, 0, 0, 0}, target})), "code");
  refused(to_us(join({{136, 0, 0, 0, 0x60, 0, 0, 0}, kHop6, {2, 0}, kPeerMac})), "option");
  refused(to_us(join({{136, 0, 0, 0, 0x60, 0, 0, 0}, Bytes(16, 0xff)})), "a group's");
  refused(advertisement(kSolicited, kPeerMac, kAllNodes), "solicited by all");
  refused(advertisement(kSolicited, kOurMac), "our MAC address");
  refused(advertisement(kSolicited, kAll), "the broadcast address");
  Bytes damaged = advertisement(kSolicited);
  damaged.back() ^= 1;
  refused(damaged, "checksum");
  refused(to_us(join({{136, 0, 0, 0, 0x60, 0, 0, 0}, kOtherMac, Bytes(10, 0)})), "another one");
  bench.receive(advertisement(kSolicited));
  expect_ready(bench, kHop6Address, kPeerMac, "resolved");
}
GST_END_TEST

GST_START_TEST(test_gateway_goes_and_comes_back) {
  Bench bench;
  const IpAddress far = address({8, 8, 8, 8});
  expect_pending(bench, far, "through the gateway");
  expect_sent(bench, arp_request(kGatewayV4), "the gateway is asked for");
  bench.receive(arp_reply(kGatewayV4));
  expect_ready(bench, far, kPeerMac, "through the gateway");
  unsigned lost_after = 0;
  while (bench.route(far).state == State::ready && lost_after < 100) {
    bench.pass(kSecond);
    ++lost_after;
  }
  fail_unless(lost_after < 55, "still used after %u s", lost_after);
  fail_unless_equals_uint64(bench.count(Count::neighbours_lost), 1);
  fail_unless(bench.take().size() >= 3);
  bench.pass(30 * kSecond);
  expect_pending(bench, far, "gone");
  // A new one with the same address, in its place.
  bench.receive(arp_reply(kGatewayV4, kOtherMac));
  expect_ready(bench, far, kOtherMac, "back");
}
GST_END_TEST

GST_START_TEST(test_nobody_is_entered_unasked) {
  Bench bench;
  bench.receive(arp_reply(kHop));
  bench.receive(arp_frame(kAll, kPeerMac, arp(1, kPeerMac, kHop, kNobody, kHop)));
  bench.receive(arp_frame(kAll, kPeerMac, arp(2, kPeerMac, kHop, kAll, kHop)));
  fail_unless_equals_uint64(bench.host.neighbours().size(), 0);
  expect_silence(bench, "nothing to say");
}
GST_END_TEST

GST_START_TEST(test_poisoning) {
  Bench bench;
  resolve(bench);
  const unsigned generation = bench.host.generation();
  bench.pass(2 * kSecond);
  // Every way to say it, from a station that has another MAC address.
  const std::vector<Bytes> claims{
      arp_reply(kHop, kOtherMac),
      arp_frame(kAll, kOtherMac, arp(1, kOtherMac, kHop, kNobody, kHop)),
      arp_frame(kAll, kOtherMac, arp(2, kOtherMac, kHop, kAll, kHop)),
      arp_frame(kAll, kOtherMac, arp(1, kOtherMac, kHop, kNobody, kOurV4)),
  };
  for (unsigned round = 0; round < 50; ++round) {
    for (const Bytes& claim : claims) bench.receive(claim);
    expect_ready(bench, kHopAddress, kPeerMac, "not believed");
    // The one we know is asked, once for all, and only its own answer counts.
    expect_sent(bench, arp_request(kHop, kPeerMac), "asked");
    bench.receive(claims[0]);
    bench.receive(arp_reply(kHop));
    for (const Bytes& claim : claims) bench.receive(claim);
    expect_silence(bench, "it has just answered");
    bench.pass(2 * kSecond);
  }
  expect_ready(bench, kHopAddress, kPeerMac, "unchanged");
  fail_unless_equals_uint64(bench.host.generation(), generation);
}
GST_END_TEST

GST_START_TEST(test_neighbour_is_replaced_when_gone) {
  Bench bench;
  resolve(bench);
  bench.pass(2 * kSecond);
  bench.receive(arp_frame(kAll, kOtherMac, arp(1, kOtherMac, kHop, kNobody, kHop)));
  bench.pass(1500 * kMillisecond);
  expect_ready(bench, kHopAddress, kPeerMac, "being asked");
  bench.pass(1500 * kMillisecond);
  expect_pending(bench, kHopAddress, "did not answer");
  bench.receive(arp_reply(kHop, kOtherMac));
  expect_ready(bench, kHopAddress, kOtherMac, "the new one");
}
GST_END_TEST

GST_START_TEST(test_static_neighbours_stay) {
  HostConfig with = config();
  with.neighbours = {{kHopAddress, mac(kPeerMac)}};
  with.limits.neighbours = 1;
  Bench bench(with);
  expect_ready(bench, kHopAddress, kPeerMac, "static");
  bench.receive(arp_reply(kHop, kOtherMac));
  bench.pass(10000 * kSecond);
  bench.host.link_down();
  expect_ready(bench, kHopAddress, kPeerMac, "static");
  for (std::uint8_t i = 20; i < 30; ++i) expect_pending(bench, address({192, 168, 1, i}), "more");
  expect_ready(bench, kHopAddress, kPeerMac, "static");
  fail_unless_equals_uint64(bench.host.neighbours().size(), 2);
  fail_unless_equals_uint64(bench.count(Count::neighbours_evicted), 9);
}
GST_END_TEST

GST_START_TEST(test_table_is_bounded) {
  HostConfig few = config();
  few.limits.neighbours = 8;
  Bench bench(few);
  resolve(bench);
  for (unsigned i = 0; i < 1000; ++i) {
    bench.now += kMillisecond;
    const Bytes to{192, 168, 1, static_cast<std::uint8_t>(10 + i % 200)};
    bench.route(address(to));
    bench.hold(address(to), any_packet(1));
    fail_unless(bench.host.neighbours().size() <= 8);
    // The one that answers stays.
    expect_ready(bench, kHopAddress, kPeerMac, "in use");
  }
}
GST_END_TEST

GST_START_TEST(test_routes) {
  Bench bench;
  // Groups and broadcasts need nobody's answer.
  expect_ready(bench, address("239.129.2.3"), {1, 0, 0x5e, 1, 2, 3}, "group");
  expect_ready(bench, address("ff15::1:2"), {0x33, 0x33, 0, 1, 0, 2}, "IPv6 group");
  expect_ready(bench, address("255.255.255.255"), kAll, "broadcast");
  expect_ready(bench, address("192.168.1.255"), kAll, "directed broadcast");
  expect_silence(bench, "nobody asked");
  const auto unreachable = [&](const char* to) {
    fail_unless(bench.route(address(to)).state == State::unreachable, "%s", to);
  };
  unreachable("192.168.1.1");
  unreachable("2001:db8::ab:cd01");
  unreachable("127.0.0.1");
  unreachable("0.0.0.0");
  unreachable("::");
  // Sources: of the same link, and for the link itself the link-local one.
  const auto source = [&](const char* to) { return bench.route(address(to)).source; };
  const IpAddress local(Ipv6Address::link_local(mac(kOurMac)));
  fail_unless(source("fe80::9") == local);
  fail_unless(source("ff02::fb") == local);
  fail_unless(source("ff15::1") == address(kOurV6));
  fail_unless(source("2001:db8::2") == address(kOurV6));
  fail_unless(source("2001:db9::2") == address(kOurV6));
  bench.take();

  HostConfig lone = config();
  lone.addresses.resize(1);
  lone.gateways.clear();
  Bench without(lone);
  fail_unless(without.route(address("8.8.8.8")).state == State::unreachable, "no gateway");
  fail_unless(without.route(address("2001:db8::2")).state == State::unreachable, "no IPv6");
  fail_unless(without.route(address("ff15::1")).state == State::unreachable, "no IPv6");
}
GST_END_TEST

GST_START_TEST(test_vlan) {
  HostConfig tagged = config();
  tagged.vlan = 10;
  tagged.pcp = 5;
  Bench bench(tagged);
  const Bytes tag{0x81, 0x00, 0xa0, 0x0a};
  fail_unless(bench.route(kHopAddress).state == State::pending);
  const Bytes untagged = arp_request(kHop);
  Bytes request(untagged.begin(), untagged.begin() + 12);
  request = padded(join({request, tag, Bytes(untagged.begin() + 12, untagged.begin() + 42)}));
  expect_sent(bench, request, "tagged");
  const auto with_tag = [](const Bytes& frame, std::uint8_t vid) {
    return join({Bytes(frame.begin(), frame.begin() + 12),
                 {0x81, 0x00, 0, vid},
                 Bytes(frame.begin() + 12, frame.end())});
  };
  bench.receive(arp_reply(kHop));
  bench.receive(with_tag(arp_reply(kHop), 11));
  bench.receive(with_tag(with_tag(arp_reply(kHop), 10), 10));
  fail_unless(bench.route(kHopAddress).state == State::pending, "another VLAN");
  fail_unless_equals_uint64(bench.count(Count::not_for_us), 3);
  bench.receive(with_tag(arp_reply(kHop), 10));
  const Route route = bench.route(kHopAddress);
  fail_unless(route.state == State::ready);
  expect_bytes(link_of(route), join({kPeerMac, kOurMac, tag, {8, 0}}), "tagged");

  // Without a VLAN, a tag may be there for the priority only.
  Bench plain;
  fail_unless(plain.route(kHopAddress).state == State::pending);
  plain.receive(with_tag(arp_reply(kHop), 10));
  fail_unless(plain.route(kHopAddress).state == State::pending, "a VLAN");
  plain.receive(with_tag(arp_reply(kHop), 0));
  fail_unless(plain.route(kHopAddress).state == State::ready, "priority tag");
}
GST_END_TEST

GST_START_TEST(test_link_type_ip) {
  HostConfig ip = config();
  ip.link_type = LinkType::ip;
  ip.gateways.clear();
  Bench bench(ip);
  for (const char* to : {"192.168.1.9", "8.8.8.8", "2001:db9::1", "239.1.1.1", "ff15::1"}) {
    const Route route = bench.route(address(to));
    fail_unless(route.state == State::ready && route.link_size == 0, "%s", to);
  }
  expect_silence(bench, "nobody to ask");
}
GST_END_TEST

static Suite* neighbours_suite() {
  Suite* s = suite_create("ip-neighbours");
  TCase* tc = tcase_create("all");
  suite_add_tcase(s, tc);
  tcase_add_test(tc, test_arp_resolves_and_sends_what_waited);
  tcase_add_test(tc, test_link_up_asks_again);
  tcase_add_test(tc, test_requests_back_off_until_nobody_wants);
  tcase_add_test(tc, test_held_packets_are_bounded);
  tcase_add_test(tc, test_known_ones_are_asked_again);
  tcase_add_test(tc, test_nd_resolves_and_probes);
  tcase_add_test(tc, test_nd_poisoning);
  tcase_add_test(tc, test_nd_invalid);
  tcase_add_test(tc, test_gateway_goes_and_comes_back);
  tcase_add_test(tc, test_nobody_is_entered_unasked);
  tcase_add_test(tc, test_poisoning);
  tcase_add_test(tc, test_neighbour_is_replaced_when_gone);
  tcase_add_test(tc, test_static_neighbours_stay);
  tcase_add_test(tc, test_table_is_bounded);
  tcase_add_test(tc, test_routes);
  tcase_add_test(tc, test_vlan);
  tcase_add_test(tc, test_link_type_ip);
  return s;
}

GST_CHECK_MAIN(neighbours);
