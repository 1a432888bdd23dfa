// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Which datagrams reach which receivers.
 */
#include <random>

#include "bench.hpp"

using namespace bench;

namespace {

const Bytes kGroup{239, 1, 2, 3};
const Bytes kGroup6{0xff, 0x15, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2};

void expect_for(Bench& bench, const Bytes& frame, std::vector<unsigned> numbers, const char* what) {
  const Received received = bench.receive(frame);
  fail_unless((received == Received::datagram) == !numbers.empty(), "%s", what);
  std::vector<unsigned> ports(bench.datagram.ports.begin(), bench.datagram.ports.end());
  std::ranges::sort(ports);
  fail_unless(ports == numbers, "%s: %zu receivers", what, ports.size());
}

}  // namespace

GST_START_TEST(test_datagrams_arrive) {
  Bench bench;
  const unsigned number = bench.bind({.port = 5004});
  for (const std::size_t size : {0U, 1U, 17U, 1400U, 8900U}) {
    expect_for(bench, udp_frame({}, payload(size)), {number}, "IPv4");
    expect_bytes(bench.payload(), payload(size), "IPv4");
    fail_unless(bench.datagram.source.address == address(kPeerV4));
    fail_unless(bench.datagram.destination.address == address(kOurV4));
    fail_unless_equals_uint64(bench.datagram.source.port, 4000);
    fail_unless_equals_uint64(bench.datagram.destination.port, 5004);
    expect_for(bench, udp_frame({.source = kPeerV6, .destination = kOurV6}, payload(size)),
               {number}, "IPv6");
    expect_bytes(bench.payload(), payload(size), "IPv6");
    fail_unless(bench.datagram.source.address == address(kPeerV6));
  }
  // Padding is not part of it.
  expect_for(bench, padded(udp_frame({}, payload(3))), {number}, "padded");
  expect_bytes(bench.payload(), payload(3), "padded");
  fail_unless_equals_uint64(bench.count(Count::datagrams), 11);
}
GST_END_TEST

GST_START_TEST(test_binding) {
  Bench bench;
  const unsigned one = bench.bind({.port = 5004});
  const unsigned two = bench.bind({.port = 5004 ^ 0x0101});  // the same bucket
  const unsigned group = bench.bind({.port = 5004, .group = address(kGroup)});
  fail_if(one == two || two == group || one == group);
  expect_for(bench, udp_frame({}, payload(9)), {one}, "first");
  expect_for(bench, udp_frame({.port = 5004 ^ 0x0101}, payload(9)), {two}, "second");
  const auto refused = [&](const Binding& binding, const char* what) {
    const auto number = bench.host.bind(binding, bench.now, bench);
    fail_if(bool(number), "%s", what);
    fail_if(number.error().why.empty());
  };
  refused({.port = 5004}, "taken");
  refused({.port = 5004, .group = address(kGroup)}, "taken");
  refused({.port = 0}, "port 0");
  refused({.port = 1, .group = address(kPeerV4)}, "no group");
  refused({.port = 1, .sources = {address(kPeerV4)}}, "sources without a group");
  refused({.port = 1, .group = address(kGroup), .sources = {address(kPeerV6)}}, "mixed");
  bench.host.unbind(one, bench.now, bench);
  bench.host.unbind(one, bench.now, bench);
  bench.host.unbind(999, bench.now, bench);
  expect_for(bench, udp_frame({}, payload(9)), {}, "unbound");
  fail_unless_equals_uint64(bench.count(Count::no_port), 1);
  expect_for(bench, udp_frame({.port = 5004 ^ 0x0101}, payload(9)), {two}, "still there");
  fail_unless_equals_uint64(bench.bind({.port = 6000}), one);

  HostConfig few = config();
  few.limits.bindings = 2;
  Bench full(few);
  full.bind({.port = 1});
  full.bind({.port = 2});
  fail_if(bool(full.host.bind({.port = 3}, full.now, full)), "too many");
}
GST_END_TEST

GST_START_TEST(test_groups_and_sources) {
  Bench bench;
  const Bytes other{192, 168, 1, 3};
  const unsigned unicast = bench.bind({.port = 5004});
  const unsigned any = bench.bind({.port = 5004, .group = address(kGroup)});
  const unsigned some =
      bench.bind({.port = 5004, .group = address(kGroup), .sources = {address(kPeerV4)}});
  const unsigned six = bench.bind({.port = 5004, .group = address(kGroup6)});
  expect_for(bench, udp_frame({}, payload(4)), {unicast}, "unicast");
  expect_for(bench, udp_frame({.destination = kGroup}, payload(4)), {any, some}, "group");
  expect_for(bench, udp_frame({.source = other, .destination = kGroup}, payload(4)), {any},
             "another source");
  expect_for(bench, udp_frame({.destination = {239, 1, 2, 4}}, payload(4)), {}, "another group");
  fail_unless_equals_uint64(bench.count(Count::not_joined), 1);
  expect_for(bench, udp_frame({.source = kPeerV6, .destination = kGroup6}, payload(4)), {six},
             "IPv6 group");
  bench.host.unbind(any, bench.now, bench);
  expect_for(bench, udp_frame({.source = other, .destination = kGroup}, payload(4)), {},
             "unwanted source");
  // Broadcasts are for those without a group.
  Bytes broadcast = udp_frame({.destination = {192, 168, 1, 255}}, payload(4));
  std::ranges::copy(kAll, broadcast.begin());
  expect_for(bench, broadcast, {unicast}, "broadcast");
}
GST_END_TEST

GST_START_TEST(test_dropped) {
  Bench bench;
  bench.bind({.port = 5004});
  const Bytes good = udp_frame({}, payload(20));
  for (std::size_t size = 0; size < good.size(); ++size) {
    expect_for(bench, Bytes(good.begin(), good.begin() + static_cast<long>(size)), {}, "cut");
  }
  const auto flipped = [&](std::size_t at, std::uint8_t bits) {
    Bytes out = good;
    out[at] ^= bits;
    return out;
  };
  for (std::size_t at = 14; at < good.size(); ++at) {
    // But for the source port and the address, all are seen; those are summed, too.
    expect_for(bench, flipped(at, 0x20), {}, "damaged");
  }
  expect_for(bench, flipped(5, 1), {}, "another station");
  for (const Bytes& source : {Bytes{127, 0, 0, 1}, Bytes{224, 0, 0, 1}, Bytes{0, 0, 0, 0}, kOurV4,
                              Bytes{255, 255, 255, 255}}) {
    expect_for(bench, udp_frame({.source = source}, payload(4)), {}, "source");
  }
  Bytes to_all = good;
  std::ranges::copy(kAll, to_all.begin());
  expect_for(bench, to_all, {}, "unicast in a broadcast frame");
  Bytes none = udp_frame({}, payload(20));
  none[14 + 26] = none[14 + 27] = 0;
  expect_for(bench, none, {0}, "no checksum");
  Bytes none6 = udp_frame({.source = kPeerV6, .destination = kOurV6}, payload(20));
  none6[14 + 46] = none6[14 + 47] = 0;
  expect_for(bench, none6, {}, "no checksum over IPv6");

  HostConfig careless = config();
  careless.verify_checksum = false;
  Bench trusting(careless);
  trusting.bind({.port = 5004});
  expect_for(trusting, flipped(60, 1), {0}, "not verified");
}
GST_END_TEST

GST_START_TEST(test_link_type_ip) {
  HostConfig ip = config();
  ip.link_type = LinkType::ip;
  Bench bench(ip);
  bench.bind({.port = 5004});
  expect_for(bench, udp_packet({}, payload(20)), {0}, "IPv4");
  expect_bytes(bench.payload(), payload(20), "IPv4");
  expect_for(bench, udp_packet({.source = kPeerV6, .destination = kOurV6}, payload(20)), {0},
             "IPv6");
  expect_for(bench, {}, {}, "nothing");
  expect_for(bench, Bytes(60, 0x50), {}, "version 5");
}
GST_END_TEST

GST_START_TEST(test_short_way_and_long_way_agree) {
  // A tag for the priority alone makes a frame take the long way.
  std::mt19937 random(5);
  const std::vector<Bytes> frames{
      udp_frame({}, payload(40)),
      udp_frame({.source = kPeerV6, .destination = kOurV6}, payload(40)),
      udp_frame({.destination = kGroup}, payload(40)),
      udp_frame({.source = kPeerV6, .destination = kGroup6}, payload(40)),
      udp_frame({.port = 9}, payload(40)),
  };
  for (const bool verify : {true, false}) {
    HostConfig with = config();
    with.verify_checksum = verify;
    Bench direct(with), tagged(with);
    for (Bench* bench : {&direct, &tagged}) {
      bench->bind({.port = 5004});
      bench->bind({.port = 5004, .group = address(kGroup)});
      bench->bind({.port = 5004, .group = address(kGroup6), .sources = {address(kPeerV6)}});
    }
    unsigned received = 0;
    for (unsigned round = 0; round < 40000; ++round) {
      Bytes frame = frames[random() % frames.size()];
      for (auto n = random() % 3; n > 0; --n) {
        frame[14 + random() % (frame.size() - 14)] ^= static_cast<std::uint8_t>(1U << random() % 8);
      }
      if (random() % 8 == 0) frame[random() % 12] ^= 1;
      if (random() % 8 == 0) frame.resize(14 + random() % (frame.size() - 13));
      const Bytes tag{0x81, 0x00, 0x60, 0x00};
      const Received short_way = direct.receive(frame);
      const Received long_way = tagged.receive(join(
          {Bytes(frame.begin(), frame.begin() + 12), tag, Bytes(frame.begin() + 12, frame.end())}));
      fail_unless(short_way == long_way, "round %u: %s", round, text(frame).c_str());
      if (short_way != Received::datagram) continue;
      ++received;
      fail_unless(direct.datagram.source.address == tagged.datagram.source.address &&
                  direct.datagram.source.port == tagged.datagram.source.port &&
                  direct.datagram.destination.address == tagged.datagram.destination.address);
      fail_unless(std::ranges::equal(direct.datagram.ports, tagged.datagram.ports));
      expect_bytes(direct.payload(), tagged.payload(), "payload");
    }
    fail_unless(received > 5000, "%u", received);
    direct.host.stats([&](const char* name, std::uint64_t value) {
      tagged.host.stats([&](const char* other, std::uint64_t long_value) {
        fail_unless(std::string(name) != other || value == long_value, "%s", name);
      });
    });
  }
}
GST_END_TEST

static Suite* ports_suite() {
  Suite* s = suite_create("ip-ports");
  TCase* tc = tcase_create("all");
  suite_add_tcase(s, tc);
  tcase_add_test(tc, test_datagrams_arrive);
  tcase_add_test(tc, test_binding);
  tcase_add_test(tc, test_groups_and_sources);
  tcase_add_test(tc, test_dropped);
  tcase_add_test(tc, test_link_type_ip);
  tcase_add_test(tc, test_short_way_and_long_way_agree);
  return s;
}

GST_CHECK_MAIN(ports);
