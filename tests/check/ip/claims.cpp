// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Probing, announcing and defending addresses.
 */
#include "bench.hpp"

using namespace bench;

namespace {

HostConfig probing() {
  HostConfig out = config();
  out.address_probes = 3;
  return out;
}
// Only that address, so that one can see what is said of it.
HostConfig with(const char* address) {
  HostConfig out = probing();
  out.addresses = {*IpPrefix::parse(address)};
  return out;
}
void up(Bench& bench) {
  bench.host.link_up(bench.now, bench);
}
// Reports of groups apart.
std::vector<Bytes> about_addresses(std::vector<Bytes> sent) {
  std::erase_if(sent, [](const Bytes& frame) {
    return frame[12] == 0x86 && frame[14 + 6] == 0;  // hop-by-hop options
  });
  return sent;
}
const Bytes kProbe = arp_frame(kAll, kOurMac, arp(1, kOurMac, {0, 0, 0, 0}, kNobody, kOurV4));
const Bytes kAnnouncement = arp_frame(kAll, kOurMac, arp(1, kOurMac, kOurV4, kNobody, kOurV4));
const Bytes kTheirs = arp_frame(kAll, kOtherMac, arp(1, kOtherMac, kOurV4, kNobody, kOurV4));
const IpAddress kOurs = address(kOurV4);

Bytes icmpv6(const Bytes& source, const Bytes& destination, const Bytes& message,
             const Bytes& from = kOtherMac) {
  const Bytes packet = ipv6({.source = source, .destination = destination, .hop_limit = 255},
                            with_icmpv6_sum(message, source, destination));
  return join({ethernet(multicast_mac(destination), from, 0x86dd), packet});
}
const Bytes kAllNodes{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};

}  // namespace

GST_START_TEST(test_probes_then_announces) {
  Bench bench(with("192.168.1.1/24"));
  up(bench);
  // It is used meanwhile.
  fail_unless(bench.route(address(kPeerV4)).state == Route::State::pending);
  bench.take();
  bench.host.link_down();
  up(bench);
  std::vector<Bytes> sent;
  GstClockTime last = 0;
  for (unsigned i = 0; i < 200; ++i) {
    bench.pass(50 * kMillisecond);
    for (const Bytes& frame : bench.take()) {
      fail_unless(sent.empty() || bench.now - last >= 950 * kMillisecond, "too fast");
      last = bench.now;
      sent.push_back(frame);
    }
  }
  fail_unless_equals_uint64(sent.size(), 5);
  for (unsigned i = 0; i < 3; ++i) expect_bytes(sent[i], kProbe, "probe");
  for (unsigned i = 3; i < 5; ++i) expect_bytes(sent[i], kAnnouncement, "announcement");
  fail_if(bench.host.take_conflict());
  fail_unless(bench.host.due() == GST_CLOCK_TIME_NONE);
}
GST_END_TEST

GST_START_TEST(test_probes_in_ipv6) {
  Bench bench(with("2001:db8::ab:cd01/64"));
  up(bench);
  bench.pass(20 * kSecond);
  const auto sent = about_addresses(bench.take());
  // The address and the link-local one.
  fail_unless_equals_uint64(sent.size(), 10);
  unsigned probes = 0, announcements = 0;
  for (const Bytes& frame : sent) {
    const Bytes packet(frame.begin() + 14, frame.end());
    const Bytes source(packet.begin() + 8, packet.begin() + 24);
    const Bytes destination(packet.begin() + 24, packet.begin() + 40);
    const Bytes target(packet.begin() + 48, packet.begin() + 64);
    const Bytes message(packet.begin() + 40, packet.end());
    fail_unless_equals_int(packet[7], 255);
    expect_bytes(with_icmpv6_sum(message, source, destination), message, "checksum");
    expect_bytes(Bytes(frame.begin(), frame.begin() + 6), multicast_mac(destination), "to whom");
    if (message[0] == 135) {
      ++probes;
      expect_bytes(source, kNoV6, "from nobody");
      expect_bytes(destination, solicited_node(target), "to those who may have it");
      fail_unless_equals_uint64(message.size(), 24);
    } else {
      ++announcements;
      fail_unless_equals_int(message[0], 136);
      fail_unless_equals_int(message[4], 0x20);
      expect_bytes(source, target, "from the address");
      expect_bytes(destination, kAllNodes, "to all");
      expect_bytes(Bytes(message.begin() + 24, message.end()), join({{2, 1}, kOurMac}), "option");
    }
  }
  fail_unless_equals_int(probes, 6);
  fail_unless_equals_int(announcements, 4);
}
GST_END_TEST

GST_START_TEST(test_duplicate_is_given_up_and_tried_again) {
  Bench bench(with("192.168.1.1/24"));
  up(bench);
  bench.pass(2 * kSecond);
  bench.take();
  const unsigned generation = bench.host.generation();
  bench.receive(arp_reply({192, 168, 1, 1}, kOtherMac));
  const auto conflict = bench.host.take_conflict();
  fail_unless(conflict && conflict->address == kOurs && conflict->by == mac(kOtherMac));
  fail_unless(conflict->given_up);
  fail_if(bench.host.take_conflict());
  fail_if(bench.host.generation() == generation);
  fail_unless(bench.route(address(kPeerV4)).state == Route::State::unreachable);
  fail_unless(bench.receive(arp_frame(
                  kAll, kPeerMac, arp(1, kPeerMac, kPeerV4, kNobody, kOurV4))) == Received::used);
  bench.bind({.port = 5004});
  fail_unless(bench.receive(udp_frame({}, payload(9))) == Received::used);
  expect_silence(bench, "not ours");
  bench.pass(59 * kSecond);
  expect_silence(bench, "not yet");
  // The other one is still there, then it has gone.
  while (bench.take().empty()) bench.pass(kSecond);
  bench.receive(kTheirs);
  fail_if(bench.host.take_conflict(), "told already");
  bench.pass(120 * kSecond);
  fail_unless(bench.route(address(kPeerV4)).state == Route::State::pending, "ours again");
  fail_unless(bench.receive(udp_frame({}, payload(9))) == Received::datagram);
}
GST_END_TEST

GST_START_TEST(test_two_probe_at_once) {
  Bench bench(with("192.168.1.1/24"));
  up(bench);
  bench.pass(1500 * kMillisecond);
  bench.take();
  bench.receive(arp_frame(kAll, kOtherMac, arp(1, kOtherMac, {0, 0, 0, 0}, kNobody, kOurV4)));
  fail_unless(bench.host.take_conflict().has_value());
  expect_silence(bench, "no answer");

  Bench six(with("2001:db8::ab:cd01/64"));
  up(six);
  six.take();
  six.receive(icmpv6(kNoV6, solicited_node(kOurV6), solicitation(kOurV6, {})));
  const auto conflict = six.host.take_conflict();
  fail_unless(conflict && conflict->address == address(kOurV6) && conflict->given_up);
  expect_silence(six, "no answer");
}
GST_END_TEST

GST_START_TEST(test_established_address_is_defended) {
  Bench bench(with("192.168.1.1/24"));
  up(bench);
  bench.pass(20 * kSecond);
  bench.take();
  for (unsigned i = 0; i < 1000; ++i) bench.receive(kTheirs);
  expect_sent(bench, kAnnouncement, "once");
  const auto conflict = bench.host.take_conflict();
  fail_unless(conflict && conflict->by == mac(kOtherMac) && !conflict->given_up);
  fail_if(bench.host.take_conflict());
  bench.pass(9 * kSecond);
  bench.receive(kTheirs);
  expect_silence(bench, "not so soon");
  bench.pass(2 * kSecond);
  bench.receive(kTheirs);
  expect_sent(bench, kAnnouncement, "again");
  fail_if(bench.host.take_conflict(), "told already");
  bench.receive(arp_frame(kAll, kPeerMac, arp(1, kPeerMac, kOurV4, kNobody, kOurV4)));
  fail_unless(bench.host.take_conflict()->by == mac(kPeerMac), "a third one");
  fail_unless(bench.route(address(kPeerV4)).state == Route::State::pending, "kept");
  bench.take();
  // Somebody who asks first gets an answer.
  fail_unless(
      bench.receive(arp_frame(kAll, kOtherMac, arp(1, kOtherMac, {0, 0, 0, 0}, kNobody, kOurV4))) ==
      Received::reply);
  fail_if(bench.host.take_conflict());
}
GST_END_TEST

GST_START_TEST(test_established_address_is_defended_in_ipv6) {
  Bench bench(with("2001:db8::ab:cd01/64"));
  up(bench);
  bench.pass(20 * kSecond);
  bench.take();
  const Bytes theirs =
      icmpv6(kOurV6, kAllNodes, join({{136, 0, 0, 0, 0x20, 0, 0, 0}, kOurV6, {2, 1}, kOtherMac}));
  bench.receive(theirs);
  fail_unless_equals_uint64(bench.count(Count::conflicts), 1);
  // From another address it says the same.
  const Bytes other =
      icmpv6(kPeerV6, kAllNodes, join({{136, 0, 0, 0, 0x20, 0, 0, 0}, kOurV6, {2, 1}, kOtherMac}));
  for (unsigned i = 0; i < 100; ++i) bench.receive(other);
  fail_unless_equals_uint64(bench.take().size(), 1);
  const auto conflict = bench.host.take_conflict();
  fail_unless(conflict && conflict->address == address(kOurV6) && !conflict->given_up);
  fail_unless(bench.receive(icmpv6(kNoV6, solicited_node(kOurV6), solicitation(kOurV6, {})), 64) ==
              Received::reply);
}
GST_END_TEST

GST_START_TEST(test_our_own_frames_come_back) {
  Bench bench(probing());
  up(bench);
  for (unsigned i = 0; i < 20; ++i) {
    bench.pass(kSecond);
    for (const Bytes& frame : bench.take()) bench.receive(frame);
  }
  fail_if(bench.host.take_conflict());
  fail_unless_equals_uint64(bench.count(Count::conflicts), 0);
}
GST_END_TEST

namespace {

/** Two hosts on one wire, which takes a millisecond. */
struct Pair {
  Bench a, b;
  Pair(const HostConfig& first_host, const HostConfig& second_host)
      : a(first_host), b(second_host) {}
  static void carry(Bench& from, Bench& to) {
    for (const Bytes& frame : from.take()) {
      if (to.receive(frame, 64) == Received::reply) to.sent.push_back(to.after);
    }
  }
  void pass(GstClockTime time) {
    for (const GstClockTime end = a.now + time; a.now < end;) {
      carry(a, b);
      carry(b, a);
      a.pass(kMillisecond);
      b.pass(kMillisecond);
    }
  }
};

}  // namespace

GST_START_TEST(test_two_hosts_with_one_address) {
  HostConfig other = probing();
  other.mac = mac(kOtherMac);
  other.seed = 2;
  Pair pair(probing(), other);
  // The other one is not on the wire yet.
  up(pair.a);
  pair.a.pass(10 * kSecond);
  pair.b.pass(10 * kSecond);
  pair.a.take();
  up(pair.b);
  pair.pass(10 * kSecond);
  // The one that came later gives up both addresses; its link-local one is its own.
  fail_if(pair.a.host.take_conflict());
  unsigned lost = 0;
  while (const auto conflict = pair.b.host.take_conflict()) {
    fail_unless(conflict->given_up && conflict->by == mac(kOurMac));
    ++lost;
  }
  fail_unless_equals_int(lost, 2);
  fail_unless(pair.b.route(address(kPeerV4)).state == Route::State::unreachable);
  fail_if(pair.b.route(address("fe80::9")).state == Route::State::unreachable);
  fail_if(pair.a.route(address(kPeerV4)).state == Route::State::unreachable);
  pair.pass(100 * kSecond);
  fail_unless(pair.b.route(address(kPeerV4)).state == Route::State::unreachable);

  // Both at once: one of them ends up with it, sooner or later.
  Pair same(probing(), other);
  up(same.a);
  up(same.b);
  same.pass(300 * kSecond);
  const bool first_has = same.a.route(address(kPeerV4)).state != Route::State::unreachable;
  const bool second_has = same.b.route(address(kPeerV4)).state != Route::State::unreachable;
  fail_unless(first_has != second_has, "%d %d", first_has, second_has);
}
GST_END_TEST

GST_START_TEST(test_two_hosts_find_each_other) {
  HostConfig other = probing();
  other.addresses = {*IpPrefix::parse("192.168.1.2/24"), *IpPrefix::parse("2001:db8::2/64")};
  other.mac = mac(kPeerMac);
  other.seed = 2;
  Pair pair(probing(), other);
  up(pair.a);
  up(pair.b);
  pair.pass(20 * kSecond);
  for (const Bytes& to : {kPeerV4, kPeerV6}) {
    fail_unless(pair.a.route(address(to)).state == Route::State::pending);
    pair.pass(10 * kMillisecond);
    fail_unless(pair.a.route(address(to)).state == Route::State::ready);
  }
  // An hour of use: reachable all the time, whatever is asked in between.
  for (unsigned i = 0; i < 600; ++i) {
    for (const Bytes& to : {kPeerV4, kPeerV6}) {
      fail_unless(pair.a.route(address(to)).state == Route::State::ready, "lost");
    }
    pair.pass(500 * kMillisecond);
  }
  fail_unless_equals_uint64(pair.a.count(Count::neighbours_lost), 0);
  fail_if(pair.a.host.take_conflict() || pair.b.host.take_conflict());
}
GST_END_TEST

static Suite* claims_suite() {
  Suite* s = suite_create("ip-claims");
  TCase* tc = tcase_create("all");
  suite_add_tcase(s, tc);
  tcase_add_test(tc, test_probes_then_announces);
  tcase_add_test(tc, test_probes_in_ipv6);
  tcase_add_test(tc, test_duplicate_is_given_up_and_tried_again);
  tcase_add_test(tc, test_two_probe_at_once);
  tcase_add_test(tc, test_established_address_is_defended);
  tcase_add_test(tc, test_established_address_is_defended_in_ipv6);
  tcase_add_test(tc, test_our_own_frames_come_back);
  tcase_add_test(tc, test_two_hosts_with_one_address);
  tcase_add_test(tc, test_two_hosts_find_each_other);
  return s;
}

GST_CHECK_MAIN(claims);
