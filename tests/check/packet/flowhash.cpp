// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The flow hash: the same for what belongs together, spread over what does not.
 */
#include "gst/packet/headers/flow_hash.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <random>
#include <set>

#include "rig.hpp"
#include "samples.hpp"

using gstpacket::LinkType;
using namespace samples;

namespace {

std::uint32_t hash(const Bytes& packet, LinkType link = LinkType::ethernet) {
  return gstpacket::flow_hash(std::as_bytes(std::span(packet)), link);
}
Bytes ports(unsigned source, unsigned destination, std::size_t size = 8) {
  Bytes out(size);
  put16(out, 0, source);
  put16(out, 2, destination);
  return out;
}
Bytes udp4(unsigned source, unsigned destination, std::uint16_t fragment = 0) {
  V4 header;
  header.protocol = 17;
  header.fragment = fragment;
  return ipv4(header, ports(source, destination));
}
Bytes on_ethernet(const Bytes& ip) {
  return join({ethernet(kOurMac, kPeerMac, ip[0] >> 4 == 4 ? 0x0800 : 0x86dd), ip});
}
Bytes with_tag(Bytes frame, std::uint16_t type, std::uint16_t tag) {
  Bytes insert(4);
  put16(insert, 0, type);
  put16(insert, 2, tag);
  frame.insert(frame.begin() + 12, insert.begin(), insert.end());
  return frame;
}

/** No queue gets more than a tenth over its share of 20000 flows, for several numbers of queues. */
void spreads(const std::function<Bytes(unsigned)>& flow, LinkType link) {
  constexpr unsigned kFlows = 20000;
  for (const unsigned queues : {2U, 3U, 4U, 7U, 16U}) {
    std::vector<unsigned> count(queues);
    for (unsigned i = 0; i < kFlows; ++i) ++count[gstpacket::pick_of(hash(flow(i), link), queues)];
    const unsigned share = kFlows / queues;
    for (const unsigned n : count) {
      fail_unless(n > share * 9 / 10 && n < share * 11 / 10, "%u of %u in one of %u", n, kFlows,
                  queues);
    }
  }
}

}  // namespace

GST_START_TEST(test_one_flow) {
  const std::uint32_t flow = hash(on_ethernet(udp4(1000, 2000)));
  fail_unless_equals_int(hash(on_ethernet(udp4(1000, 2000))), flow);
  V4 other;
  other.protocol = 17;
  other.ttl = 3;
  other.fragment = 0x4000;
  fail_unless_equals_int(hash(on_ethernet(ipv4(other, ports(1000, 2000, 900)))), flow);
  other.options = Bytes(8, 1);
  fail_unless_equals_int(hash(on_ethernet(ipv4(other, ports(1000, 2000)))), flow);
  // Bytes up to the ports are enough, for callers that gather only the beginning.
  Bytes beginning = on_ethernet(udp4(1000, 2000));
  beginning.resize(14 + 24);
  fail_unless_equals_int(hash(beginning), flow);
  fail_unless_equals_int(hash(udp4(1000, 2000), LinkType::ip), flow);
}
GST_END_TEST

GST_START_TEST(test_tags_are_skipped) {
  const Bytes frame = on_ethernet(udp4(1, 2));
  const Bytes tagged = with_tag(frame, 0x8100, 0x6005);
  fail_unless_equals_int(hash(tagged), hash(frame));
  fail_unless_equals_int(hash(with_tag(tagged, 0x88a8, 7)), hash(frame));
}
GST_END_TEST

GST_START_TEST(test_each_field_counts) {
  std::set<std::uint32_t> seen;
  const auto add = [&](const Bytes& packet) {
    fail_unless(seen.insert(hash(packet, LinkType::ip)).second);
  };
  add(udp4(1000, 2000));
  add(udp4(2000, 1000));  // not symmetric
  add(udp4(1001, 2000));
  add(udp4(1000, 2001));
  V4 header;
  header.protocol = 6;
  add(ipv4(header, ports(1000, 2000)));
  header.source = {10, 0, 0, 1};
  add(ipv4(header, ports(1000, 2000)));
  header.destination = {10, 0, 0, 2};
  add(ipv4(header, ports(1000, 2000)));
  std::swap(header.source, header.destination);
  add(ipv4(header, ports(1000, 2000)));
  V6 six;
  six.next = 17;
  add(ipv6(six, ports(1000, 2000)));
  add(ipv6(six, ports(2000, 1000)));
  std::swap(six.source, six.destination);
  add(ipv6(six, ports(1000, 2000)));
}
GST_END_TEST

GST_START_TEST(test_fragments) {
  const std::uint32_t whole = hash(udp4(1000, 2000, 0x2000), LinkType::ip);
  fail_unless_equals_int(hash(udp4(7, 9, 0x2040), LinkType::ip), whole);  // payload, no ports
  fail_unless_equals_int(hash(udp4(8, 1, 0x0080), LinkType::ip), whole);
  V6 six;
  six.next = 44;
  six.extensions = {17, 0, 0, 1, 1, 2, 3, 4};
  const std::uint32_t of_six = hash(ipv6(six, ports(1, 2)), LinkType::ip);
  six.extensions = {60, 0, 1, 0, 1, 2, 3, 4};
  fail_unless_equals_int(hash(ipv6(six, ports(3, 4)), LinkType::ip), of_six);
}
GST_END_TEST

GST_START_TEST(test_extension_headers) {
  V6 plain;
  plain.next = 17;
  V6 hops = plain;
  hops.next = 0;
  hops.extensions = {60, 0, 1, 4, 0, 0, 0, 0, 17, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  fail_unless_equals_int(hash(ipv6(hops, ports(5, 6)), LinkType::ip),
                         hash(ipv6(plain, ports(5, 6)), LinkType::ip));
}
GST_END_TEST

GST_START_TEST(test_no_ports_without_a_protocol_that_has_them) {
  V4 icmp;
  fail_unless_equals_int(hash(ipv4(icmp, ports(8, 1)), LinkType::ip),
                         hash(ipv4(icmp, ports(9, 5)), LinkType::ip));
  for (const unsigned protocol : {6U, 17U, 33U, 132U, 136U}) {
    V4 header;
    header.protocol = static_cast<std::uint8_t>(protocol);
    fail_unless(hash(ipv4(header, ports(8, 1)), LinkType::ip) !=
                hash(ipv4(header, ports(9, 1)), LinkType::ip));
  }
}
GST_END_TEST

GST_START_TEST(test_other_frames) {
  const Bytes one = join({ethernet(kOurMac, kPeerMac, 0x0806), Bytes(46)});
  Bytes same = one;
  same.back() = 9;
  fail_unless_equals_int(hash(one), hash(same));
  fail_unless(hash(join({ethernet(kPeerMac, kOurMac, 0x0806), Bytes(46)})) != hash(one));
  fail_unless(hash(join({ethernet(kOurMac, kPeerMac, 0x0807), Bytes(46)})) != hash(one));
  // IPv4 by its type only
  fail_unless(hash(join({ethernet(kOurMac, kPeerMac, 0x0800), Bytes(46)})) != 0);
}
GST_END_TEST

GST_START_TEST(test_damaged_packets) {
  std::mt19937 random(1);
  const Bytes samples[] = {on_ethernet(udp4(1, 2)), echo_frame_v6(),
                           with_tag(echo_frame(), 0x8100, 1)};
  for (const Bytes& sample : samples) {
    for (std::size_t size = 0; size <= sample.size(); ++size) {
      Bytes cut(sample.begin(), sample.begin() + static_cast<long>(size));
      cut.shrink_to_fit();
      for (const LinkType link : {LinkType::ethernet, LinkType::ip, LinkType::punt}) {
        fail_unless_equals_int(hash(cut, link), hash(cut, link));
      }
    }
    for (unsigned i = 0; i < 20000; ++i) {
      Bytes noise = sample;
      for (unsigned n = 0; n < 4; ++n) {
        noise[random() % noise.size()] = static_cast<std::uint8_t>(random());
      }
      (void)hash(noise);
      (void)hash(noise, LinkType::ip);
    }
  }
  fail_unless_equals_int(hash({}), 0);
  fail_unless_equals_int(hash(Bytes(13)), 0);
  fail_unless_equals_int(hash(udp4(1, 2), LinkType::punt), 0);
}
GST_END_TEST

GST_START_TEST(test_spread) {
  spreads([](unsigned i) { return udp4(1024 + i, 4789); }, LinkType::ip);
  spreads([](unsigned i) { return udp4(4789, 1024 + i); }, LinkType::ip);
  spreads(
      [](unsigned i) {
        V4 header;
        header.source = {10, 0, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)};
        return ipv4(header, icmp_echo(8, 8));
      },
      LinkType::ip);
  spreads(
      [](unsigned i) {
        V6 header;
        header.next = 17;
        header.source[14] = static_cast<std::uint8_t>(i >> 8);
        header.source[15] = static_cast<std::uint8_t>(i);
        return ipv6(header, ports(5004, 5004));
      },
      LinkType::ip);
  spreads(
      [](unsigned i) {
        Bytes frame = join({ethernet(kOurMac, kPeerMac, 0x88b5), Bytes(46)});
        put16(frame, 10, i);
        return frame;
      },
      LinkType::ethernet);
}
GST_END_TEST

GST_START_TEST(test_stable) {
  // Fixed for ever: another process, or a later version, must map a flow to the same queue.
  fail_unless_equals_int_hex(hash(on_ethernet(udp4(1000, 2000))), 0x80c4702b);
  fail_unless_equals_int_hex(hash(echo_frame_v6()), 0x3991072b);
  fail_unless_equals_int_hex(hash(join({ethernet(kOurMac, kPeerMac, 0x88b5), Bytes(46)})),
                             0xa3b58bdd);
}
GST_END_TEST

GST_START_TEST(test_cheap) {
  // A number for people to read; only something absurd fails.
  const Bytes packet = on_ethernet(udp4(1000, 2000));
  const auto bytes = std::as_bytes(std::span(packet));
  constexpr unsigned kRounds = 1000000;
  std::uint32_t sum = 0;
  const auto begin = std::chrono::steady_clock::now();
  for (unsigned i = 0; i < kRounds; ++i) {
    sum += gstpacket::flow_hash(bytes, static_cast<LinkType>(sum >> 31 & 0));
  }
  const std::chrono::duration<double, std::nano> time = std::chrono::steady_clock::now() - begin;
  g_print("flow_hash: %.1f ns (%08x)\n", time.count() / kRounds, sum);
  fail_unless(time.count() / kRounds < 1000);
}
GST_END_TEST

static Suite* flowhash_suite() {
  Suite* s = suite_create("flowhash");
  TCase* tc = tcase_create("general");
  suite_add_tcase(s, tc);
  tcase_add_test(tc, test_one_flow);
  tcase_add_test(tc, test_tags_are_skipped);
  tcase_add_test(tc, test_each_field_counts);
  tcase_add_test(tc, test_fragments);
  tcase_add_test(tc, test_extension_headers);
  tcase_add_test(tc, test_no_ports_without_a_protocol_that_has_them);
  tcase_add_test(tc, test_other_frames);
  tcase_add_test(tc, test_damaged_packets);
  tcase_add_test(tc, test_spread);
  tcase_add_test(tc, test_stable);
  tcase_add_test(tc, test_cheap);
  return s;
}

GST_CHECK_MAIN(flowhash)
