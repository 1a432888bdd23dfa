// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * What a host answers: ARP, neighbour solicitations, echo, and datagrams to ports that nobody has
 * bound. The rules of the answers themselves are those of icmpresponder, and tested there.
 */
#include "bench.hpp"

using namespace bench;

namespace {

const Bytes kAllNodes{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};

Bytes frame(const Bytes& packet, const Bytes& to = kOurMac) {
  return join({ethernet(to, kPeerMac, packet[0] >> 4 == 4 ? 0x0800 : 0x86dd), packet});
}
Bytes back(const Bytes& packet) {
  return join({ethernet(kPeerMac, kOurMac, packet[0] >> 4 == 4 ? 0x0800 : 0x86dd), packet});
}
void expect_reply(Bench& bench, const Bytes& request, const Bytes& reply, const char* what) {
  fail_unless(bench.receive(request, 64) == Received::reply, "%s: no reply", what);
  expect_bytes(bench.after, reply, what);
}
void expect_drop(Bench& bench, const Bytes& packet, Count why, const char* what) {
  const std::uint64_t before = bench.count(why);
  fail_unless(bench.receive(packet, 64) == Received::used, "%s", what);
  fail_unless(bench.count(why) == before + 1, "%s: not counted", what);
  expect_silence(bench, what);
}

Bytes unreachable_v4(const Bytes& packet) {
  const Bytes quoted(packet.begin(), packet.begin() + std::min<long>(long(packet.size()), 548));
  Bytes out = ipv4({.source = kOurV4, .destination = kPeerV4, .ttl = 64, .protocol = 1},
                   with_icmp_sum(join({{3, 3, 0, 0, 0, 0, 0, 0}, quoted})));
  out[1] = out[4] = out[5] = out[10] = out[11] = 0;
  put16(out, 10, naive::checksum(std::span(out).first(20)));
  return out;
}
Bytes unreachable_v6(const Bytes& packet) {
  const Bytes quoted(packet.begin(), packet.begin() + std::min<long>(long(packet.size()), 1232));
  Bytes out = ipv6({.source = kOurV6, .destination = kPeerV6},
                   with_icmpv6_sum(join({{1, 4, 0, 0, 0, 0, 0, 0}, quoted}), kOurV6, kPeerV6));
  std::ranges::copy(Bytes{0x60, 0, 0, 0}, out.begin());
  return out;
}

}  // namespace

GST_START_TEST(test_arp_and_solicitations) {
  Bench bench;
  expect_reply(bench, arp_frame(kAll, kPeerMac, arp(1, kPeerMac, kPeerV4, kNobody, kOurV4)),
               padded(join({ethernet(kPeerMac, kOurMac, 0x0806),
                            arp(2, kOurMac, kOurV4, kPeerMac, kPeerV4)})),
               "ARP");
  const Bytes group = solicited_node(kOurV6);
  const Bytes ns = with_icmpv6_sum(solicitation(kOurV6, join({{1, 1}, kPeerMac})), kPeerV6, group);
  const Bytes asked =
      frame(ipv6({.destination = group, .hop_limit = 255}, ns), multicast_mac(group));
  fail_unless(bench.receive(asked) == Received::reply);
  fail_unless_equals_int(bench.after[14 + 40], 136);
  fail_unless_equals_int(bench.after[14 + 44], 0x60);
  expect_bytes(Bytes(bench.after.end() - 6, bench.after.end()), kOurMac, "our MAC address");
  // Nobody has been entered by asking.
  fail_unless_equals_uint64(bench.host.neighbours().size(), 0);
  expect_silence(bench, "in place");
  expect_drop(bench,
              arp_frame(kAll, kPeerMac, arp(1, kPeerMac, kPeerV4, kNobody, {192, 168, 1, 9})),
              Count::not_for_us, "another host");
}
GST_END_TEST

GST_START_TEST(test_echo) {
  Bench bench;
  Bytes reply = ipv4({.source = kOurV4, .destination = kPeerV4, .ttl = 64}, icmp_echo(0, 20));
  expect_reply(bench, frame(ipv4({}, icmp_echo(8, 20))), padded(back(reply)), "IPv4");
  reply = ipv6({.source = kOurV6, .destination = kPeerV6}, icmpv6_echo(129, 20, kOurV6, kPeerV6));
  expect_reply(bench, frame(ipv6({}, icmpv6_echo(128, 20))), back(reply), "IPv6");
  expect_drop(bench, frame(ipv4({.destination = {224, 0, 0, 1}}, icmp_echo(8, 20)), kAll),
              Count::group_destination, "to all");
  expect_drop(bench, frame(ipv4({}, icmp_echo(0, 20))), Count::not_echo, "a reply");
  HostConfig ip = config();
  ip.link_type = LinkType::ip;
  Bench without(ip);
  expect_reply(without, ipv6({}, icmpv6_echo(128, 20)), reply, "without a link layer");
}
GST_END_TEST

GST_START_TEST(test_echo_in_fragments) {
  Bench bench;
  const Bytes request = icmp_echo(8, 3000), reply = icmp_echo(0, 3000);
  const auto part = [](const Bytes& all, std::size_t from, std::size_t size) {
    return Bytes(all.begin() + long(from), all.begin() + long(from + size));
  };
  bench.receive(frame(ipv4({.fragment = 0x2000}, part(request, 0, 1480))));
  bench.receive(frame(ipv4({.fragment = 0x2000 | 185}, part(request, 1480, 1480))));
  expect_silence(bench, "not all there");
  fail_unless(bench.receive(frame(ipv4({.fragment = 370}, part(request, 2960, 48)))) ==
              Received::used);
  const auto sent = bench.take();
  fail_unless_equals_uint64(sent.size(), 3);
  Bytes all;
  for (const Bytes& piece : sent) {
    expect_bytes(part(piece, 0, 14), ethernet(kPeerMac, kOurMac, 0x0800), "to whom");
    const std::size_t size = std::size_t{piece[16]} << 8 | piece[17];
    fail_unless_equals_int(naive::checksum(std::span(piece).subspan(14, 20)), 0);
    const Bytes data(piece.begin() + 34, piece.begin() + 14 + long(size));
    all.insert(all.end(), data.begin(), data.end());
  }
  expect_bytes(all, reply, "the reply");
  fail_unless_equals_int(sent[0][20] >> 5, 1);
  fail_unless_equals_int(sent[2][20] << 8 | sent[2][21], 370);

  const Bytes six = icmpv6_echo(128, 3000);
  bench.receive(
      frame(ipv6({.extensions = {58, 0, 0, 1, 0, 0, 0, 7}, .next = 44}, part(six, 0, 1448))));
  bench.receive(frame(
      ipv6({.extensions = {58, 0, 0x0b, 0x50, 0, 0, 0, 7}, .next = 44}, part(six, 2896, 112))));
  bench.receive(frame(
      ipv6({.extensions = {58, 0, 0x05, 0xa9, 0, 0, 0, 7}, .next = 44}, part(six, 1448, 1448))));
  Bytes all6;
  for (const Bytes& piece : bench.take()) {
    all6.insert(all6.end(), piece.begin() + 62, piece.end());
  }
  expect_bytes(all6, icmpv6_echo(129, 3000, kOurV6, kPeerV6), "the reply");
  // A whole packet in one fragment.
  bench.receive(
      frame(ipv6({.extensions = {58, 0, 0, 0, 0, 0, 0, 7}, .next = 44}, icmpv6_echo(128, 9))));
  fail_unless_equals_uint64(bench.take().size(), 1);
  // But what belongs to the link does not come in fragments.
  const Bytes group = solicited_node(kOurV6);
  const Bytes ns = with_icmpv6_sum(solicitation(kOurV6, join({{1, 1}, kPeerMac})), kPeerV6, group);
  expect_drop(bench,
              frame(ipv6({.destination = group,
                          .extensions = {58, 0, 0, 0, 0, 0, 0, 8},
                          .next = 44,
                          .hop_limit = 255},
                         ns),
                    multicast_mac(group)),
              Count::fragment, "solicitation in a fragment");
}
GST_END_TEST

GST_START_TEST(test_port_unreachable) {
  Bench bench;
  for (const std::size_t size : {0U, 5U, 520U, 521U, 1400U}) {
    const Bytes packet = udp_packet({}, payload(size));
    fail_unless(bench.receive(frame(packet)) == Received::used);
    expect_sent(bench, padded(back(unreachable_v4(packet))), "IPv4");
    const Bytes six = udp_packet({.source = kPeerV6, .destination = kOurV6}, payload(size));
    fail_unless(bench.receive(frame(six)) == Received::used);
    expect_sent(bench, back(unreachable_v6(six)), "IPv6");
  }
  fail_unless_equals_uint64(bench.count(Count::unreachable_sent), 10);
  const auto silent = [&](const Bytes& packet, const char* what) {
    bench.receive(packet);
    expect_silence(bench, what);
  };
  silent(frame(udp_packet({.destination = {224, 0, 0, 1}}, payload(9)), {1, 0, 0x5e, 0, 0, 1}),
         "multicast");
  silent(frame(udp_packet({.source = kPeerV6, .destination = kAllNodes}, payload(9)),
               multicast_mac(kAllNodes)),
         "IPv6 multicast");
  silent(frame(udp_packet({.destination = {192, 168, 1, 255}}, payload(9)), kAll), "broadcast");
  silent(frame(udp_packet({}, payload(9)), kAll), "unicast in a broadcast frame");
  silent(frame(udp_packet({.source = {192, 168, 1, 255}}, payload(9))), "from all");
  silent(frame(udp_packet({.source = kNoV6, .destination = kOurV6}, payload(9))), "from nobody");
  const Bytes whole = udp({}, payload(32));
  silent(
      frame(ipv4({.fragment = 0x2000, .protocol = 17}, Bytes(whole.begin(), whole.begin() + 16))),
      "fragment");
  silent(frame(ipv4({.fragment = 2, .protocol = 17}, Bytes(whole.begin() + 16, whole.end()))),
         "what came in fragments");
  silent(frame(ipv4({}, unreachable_v4(udp_packet({}, {})))), "an error");
  Bytes damaged = frame(udp_packet({}, payload(9)));
  damaged.back() ^= 1;
  silent(damaged, "damaged");
}
GST_END_TEST

GST_START_TEST(test_errors_are_limited) {
  Bench bench;
  const Bytes packet = frame(udp_packet({}, payload(9)));
  for (unsigned i = 0; i < 10000; ++i) bench.receive(packet);
  fail_unless_equals_uint64(bench.take().size(), 50);
  fail_unless_equals_uint64(bench.count(Count::unreachable_limited), 9950);
  for (unsigned second = 0; second < 3; ++second) {
    for (unsigned i = 0; i < 1000; ++i) {
      bench.now += kMillisecond;
      bench.receive(packet);
    }
    const std::size_t sent = bench.take().size();
    fail_unless(sent >= 98 && sent <= 101, "%zu in a second", sent);
  }
  bench.now += 1000 * kSecond;
  for (unsigned i = 0; i < 100; ++i) bench.receive(packet);
  fail_unless_equals_uint64(bench.take().size(), 50);
  HostConfig none = config();
  none.limits.icmp_errors_per_second = 0;
  Bench silent(none);
  silent.receive(packet);
  expect_silence(silent, "no errors");
}
GST_END_TEST

static Suite* answers_suite() {
  Suite* s = suite_create("ip-answers");
  TCase* tc = tcase_create("all");
  suite_add_tcase(s, tc);
  tcase_add_test(tc, test_arp_and_solicitations);
  tcase_add_test(tc, test_echo);
  tcase_add_test(tc, test_echo_in_fragments);
  tcase_add_test(tc, test_port_unreachable);
  tcase_add_test(tc, test_errors_are_limited);
  return s;
}

GST_CHECK_MAIN(answers);
