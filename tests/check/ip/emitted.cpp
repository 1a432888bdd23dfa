// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Every kind of packet that a host makes by itself, as a pcap file of the name that is in
 * IP_EMITTED, for others to judge: tests/interop/test_host_packets.py.
 */
#include <cstdio>
#include <cstdlib>

#include "bench.hpp"

using namespace bench;

namespace {

class Recorder {
 public:
  explicit Recorder(const HostConfig& config) : bench_(config) {
    const char* name = std::getenv("IP_EMITTED");
    fail_unless(name != nullptr, "no name of a file in IP_EMITTED");
    file_ = std::fopen(name, "wb");
    fail_unless(file_ != nullptr, "%s cannot be written", name);
    constexpr std::array<std::uint32_t, 6> kHeader{0xa1b2c3d4, 0x00040002, 0, 0, 65535, 1};
    fail_unless(std::fwrite(kHeader.data(), sizeof kHeader, 1, file_) == 1);
  }
  ~Recorder() { fail_unless(std::fclose(file_) == 0); }
  Recorder(const Recorder&) = delete;

  /** A packet in; what it becomes, and what is sent because of it, go to the file. */
  void receive(const Bytes& packet) {
    if (bench_.receive(packet, 8) == Received::reply) write(bench_.after);
    flush();
  }
  void pass(GstClockTime time) {
    bench_.pass(time);
    flush();
  }
  void flush() {
    for (const Bytes& packet : bench_.take()) write(packet);
  }
  Bench& bench() { return bench_; }

 private:
  void write(const Bytes& packet) {
    const auto size = static_cast<std::uint32_t>(packet.size());
    const std::array<std::uint32_t, 4> record{static_cast<std::uint32_t>(bench_.now / kSecond), 0,
                                              size, size};
    fail_unless(std::fwrite(record.data(), sizeof record, 1, file_) == 1);
    fail_unless(std::fwrite(packet.data(), packet.size(), 1, file_) == 1);
  }
  Bench bench_;
  std::FILE* file_;
};

Bytes slice(const Bytes& from, std::size_t at, std::size_t size) {
  const auto first = from.begin() + static_cast<std::ptrdiff_t>(at);
  return Bytes(first, first + static_cast<std::ptrdiff_t>(size));
}
Bytes frame(const Bytes& packet) {
  return join({ethernet(kOurMac, kPeerMac, packet[0] >> 4 == 4 ? 0x0800 : 0x86dd), packet});
}

const Bytes kRouter6{0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
const Bytes kAllNodes{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};

void groups(Recorder& out) {
  Bench& bench = out.bench();
  std::vector<unsigned> bound;
  bound.push_back(bench.bind({.port = 5004, .group = address("239.1.2.3")}));
  bound.push_back(bench.bind({.port = 5004, .group = address("ff15::1")}));
  bound.push_back(bench.bind({.port = 5004,
                              .group = address("232.1.2.3"),
                              .sources = {address("10.0.0.1"), address("10.0.0.2")}}));
  bound.push_back(
      bench.bind({.port = 5004, .group = address("ff35::1"), .sources = {address("2001:db8::1")}}));
  out.flush();
  out.pass(5 * kSecond);
  const auto query = [&](const Bytes& message) {
    const Bytes all{224, 0, 0, 1};
    const Bytes ip = ipv4({.source = kGatewayV4, .destination = all, .ttl = 1, .protocol = 2},
                          with_icmp_sum(message));
    out.receive(join({ethernet(group_mac(all), kPeerMac, 0x0800), ip}));
    out.pass(11 * kSecond);
  };
  const auto query6 = [&](const Bytes& more) {
    const Bytes message = with_icmpv6_sum(join({{130, 0, 0, 0, 0, 100, 0, 0}, Bytes(16, 0), more}),
                                          kRouter6, kAllNodes);
    const Bytes ip = ipv6({.source = kRouter6,
                           .destination = kAllNodes,
                           .extensions = {58, 0, 5, 2, 0, 0, 1, 0},
                           .next = 0,
                           .hop_limit = 1},
                          message);
    out.receive(join({ethernet(multicast_mac(kAllNodes), kPeerMac, 0x86dd), ip}));
    out.pass(11 * kSecond);
  };
  query({0x11, 10, 0, 0, 0, 0, 0, 0, 2, 125, 0, 0});
  query6({2, 125, 0, 0});
  bench.host.unbind(bound[2], bench.now, bench);
  bench.host.unbind(bound[3], bench.now, bench);
  out.pass(5 * kSecond);
  query({0x11, 10, 0, 0, 0, 0, 0, 0});
  query6({});
  bench.host.unbind(bound[0], bench.now, bench);
  bench.host.unbind(bound[1], bench.now, bench);
  out.flush();
  query({0x11, 0, 0, 0, 0, 0, 0, 0});
}

void neighbours(Recorder& out) {
  for (const char* to : {"192.168.1.7", "8.8.8.8", "2001:db8::7", "2001:db9::1"}) {
    out.bench().route(address(to));
  }
  out.flush();
  out.receive(arp_frame(kAll, kPeerMac, arp(1, kPeerMac, kPeerV4, kNobody, kOurV4)));
  const Bytes group = solicited_node(kOurV6);
  out.receive(join(
      {ethernet(multicast_mac(group), kPeerMac, 0x86dd),
       ipv6({.destination = group, .hop_limit = 255},
            with_icmpv6_sum(solicitation(kOurV6, join({{1, 1}, kPeerMac})), kPeerV6, group))}));
}

void messages(Recorder& out) {
  for (const std::size_t size : {0U, 31U, 1400U}) {
    out.receive(udp_frame({.port = 99}, payload(size)));
    out.receive(udp_frame({.source = kPeerV6, .destination = kOurV6, .port = 99}, payload(size)));
  }
  out.receive(echo_frame(20));
  out.receive(echo_frame_v6(20));
  const Bytes echo = icmp_echo(8, 2992), echo6 = icmpv6_echo(128, 2992);
  for (const std::size_t at : {0U, 1000U, 2000U}) {
    const bool more = at < 2000;
    const auto word = static_cast<std::uint16_t>(at / 8 | (more ? 0x2000U : 0U));
    out.receive(frame(ipv4({.fragment = word}, slice(echo, at, 1000))));
    Bytes header{58, 0, 0, 0, 0, 0, 0, 7};
    put16(header, 2, at | (more ? 1 : 0));
    out.receive(frame(ipv6({.extensions = header, .next = 44}, slice(echo6, at, 1000))));
  }
}

}  // namespace

GST_START_TEST(test_record) {
  HostConfig with = config();
  with.address_probes = 2;
  Recorder out(with);
  out.bench().host.link_up(out.bench().now, out.bench());
  out.flush();
  out.pass(20 * kSecond);
  groups(out);
  neighbours(out);
  messages(out);
}
GST_END_TEST

static Suite* emitted_suite() {
  Suite* s = suite_create("ip-emitted");
  TCase* tc = tcase_create("all");
  suite_add_tcase(s, tc);
  tcase_add_test(tc, test_record);
  return s;
}

GST_CHECK_MAIN(emitted);
