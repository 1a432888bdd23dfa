// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * A peer that writes to packets while the host looks at them: see packet/mutation.cpp. The host is
 * built into this program with a change of the packet behind each load from it.
 */
#include <span>

#include "bench.hpp"
#include "mutating_peer.hpp"
#include "seeds.hpp"

using namespace bench;
using mutating::below;
using mutating::Block;

namespace {

constexpr unsigned kRounds = 60000;

Bytes fragment_v6(std::size_t offset, bool more, std::size_t size) {
  Bytes header{17, 0, 0, 0, 0, 0, 0, static_cast<std::uint8_t>(below(4))};
  put16(header, 2, offset | (more ? 1 : 0));
  return join({ethernet(kOurMac, kPeerMac, 0x86dd),
               ipv6({.extensions = header, .next = 44}, payload(size))});
}

/** The seeds of the fuzzer, and what only a host knows. */
const std::vector<Bytes>& packets() {
  static const std::vector<Bytes> all = [] {
    std::vector<Bytes> out = samples::seeds();
    const Bytes group{239, 1, 2, 3}, all_hosts{224, 0, 0, 1};
    out.push_back(udp_frame({}, payload(100)));
    out.push_back(udp_frame({.source = kPeerV6, .destination = kOurV6}, payload(100)));
    out.push_back(udp_frame({.destination = group}, payload(100)));
    out.push_back(udp_frame({.port = 9}, payload(100)));
    out.push_back(arp_reply(kPeerV4));
    out.push_back(arp_frame(kAll, kOtherMac, arp(1, kOtherMac, kPeerV4, kNobody, kOurV4)));
    for (const std::size_t offset : {0U, 64U, 128U}) {
      const auto word = static_cast<std::uint16_t>(offset / 8 | (offset == 128 ? 0U : 0x2000U));
      out.push_back(join({ethernet(kOurMac, kPeerMac, 0x0800),
                          ipv4({.fragment = word, .protocol = 17}, payload(64))}));
      out.push_back(fragment_v6(offset, offset != 128, 64));
    }
    const Bytes query = with_icmp_sum(join({{0x11, 10, 0, 0}, group, {2, 125, 0, 1}, kPeerV4}));
    out.push_back(join({ethernet(group_mac(group), kPeerMac, 0x0800),
                        ipv4({.destination = all_hosts, .ttl = 1, .protocol = 2}, query)}));
    const Bytes news = with_icmpv6_sum(
        join({{136, 0, 0, 0, 0x60, 0, 0, 0}, kPeerV6, {2, 1}, kPeerMac}), kPeerV6, kOurV6);
    out.push_back(join({ethernet(kOurMac, kPeerMac, 0x86dd), ipv6({.hop_limit = 255}, news)}));
    return out;
  }();
  return all;
}

void expect_inside(const Datagram& datagram, const Packet& packet) {
  fail_if(datagram.ports.empty());
  if (!datagram.whole.empty()) {
    fail_unless(datagram.size == datagram.whole.size());
  } else {
    fail_unless(datagram.offset <= packet.size());
    fail_unless(datagram.size <= packet.size() - datagram.offset);
  }
}

void run(HostConfig with) {
  with.limits.reassemblies = 4;
  with.limits.neighbours = 4;
  Bench bench(with);
  bench.host.link_up(bench.now, bench);
  bench.bind({.port = 5004});
  bench.bind({.port = 5004, .group = address(Bytes{239, 1, 2, 3})});
  unsigned datagrams = 0, replies = 0;
  for (unsigned round = 0; round < kRounds; ++round) {
    const std::span<const std::uint8_t> frame = packets()[below(packets().size())];
    const auto sent = frame.subspan(with.link_type == LinkType::ip ? 14 : 0);
    Bytes bytes(sent.begin(), sent.end());
    if (below(4) == 0) bytes.resize(below(bytes.size() + 1));
    if (below(50) == 0) {
      bench.route(address(kPeerV4));
      bench.route(address(kPeerV6));
    }
    Block block(bytes, below(3) * 8);
    Packet packet = block.open();
    Datagram datagram;
    const Received what = bench.host.receive(packet, bench.now, bench, datagram);
    mutating::peer.end();
    if (what == Received::datagram) expect_inside(datagram, packet);
    datagrams += what == Received::datagram ? 1 : 0;
    replies += what == Received::reply ? 1 : 0;
    if (round % 16 == 0) bench.pass(100 * kMillisecond);
    bench.take();
    const Host::Kept kept = bench.host.kept();
    fail_unless(kept.neighbours <= 4 && kept.reassemblies <= 4 && kept.groups <= 3);
  }
  fail_unless(datagrams > 100 && replies > 100, "%u datagrams, %u replies", datagrams, replies);
}

}  // namespace

GST_START_TEST(test_frames) {
  run(config());
}
GST_END_TEST

GST_START_TEST(test_frames_not_verified) {
  HostConfig with = config();
  with.verify_checksum = false;
  run(with);
}
GST_END_TEST

GST_START_TEST(test_link_type_ip) {
  HostConfig with = config();
  with.link_type = LinkType::ip;
  run(with);
}
GST_END_TEST

static Suite* mutation_suite() {
  Suite* s = suite_create("ip-mutation");
  TCase* tc = tcase_create("all");
  suite_add_tcase(s, tc);
  tcase_add_test(tc, test_frames);
  tcase_add_test(tc, test_frames_not_verified);
  tcase_add_test(tc, test_link_type_ip);
  return s;
}

GST_CHECK_MAIN(mutation);
