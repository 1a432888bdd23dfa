// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * What a host reports of its groups: when it joins and leaves, and when it is asked, in all
 * versions of IGMP and MLD.
 */
#include <set>

#include "bench.hpp"

using namespace bench;

namespace {

const Bytes kGroup{239, 1, 2, 3}, kOther{239, 1, 2, 4};
const Bytes kGroup6{0xff, 0x15, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2};
const Bytes kQuerier{192, 168, 1, 254};
const Bytes kQuerier6{0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
const Bytes kS1{10, 0, 0, 1}, kS2{10, 0, 0, 2}, kS3{10, 0, 0, 3};
const IpAddress kA1 = address(kS1), kA2 = address(kS2), kA3 = address(kS3);

enum Type : std::uint8_t { kIsIn = 1, kIsEx, kToIn, kToEx, kAllow, kBlock };

/** A record, or of older versions a type, as text: "4 239.1.2.3 []". */
std::string record(unsigned type, const Bytes& group, std::vector<Bytes> sources = {}) {
  std::string out = std::to_string(type) + " " + address(group).format();
  std::set<std::string> texts;
  for (const Bytes& source : sources) texts.insert(address(source).format());
  for (const std::string& source : texts) out += " " + source;
  return out;
}
Bytes cut(const Bytes& from, std::size_t at, std::size_t size) {
  fail_unless(at + size <= from.size(), "too short");
  return Bytes(from.begin() + long(at), from.begin() + long(at + size));
}

void read_records(const Bytes& message, std::size_t width, std::vector<std::string>& out) {
  std::size_t at = 8;
  for (unsigned n = unsigned{message[6]} << 8 | message[7]; n > 0; --n) {
    const std::size_t sources = std::size_t{cut(message, at, 4)[2]} << 8 | message[at + 3];
    std::vector<Bytes> of;
    for (std::size_t i = 0; i < sources; ++i)
      of.push_back(cut(message, at + 4 + width * (1 + i), width));
    out.push_back(record(message[at], cut(message, at + 4, width), of));
    at += 4 + width * (1 + sources);
  }
  fail_unless(at == message.size(), "bytes behind the records");
}

/** Everything that was reported, in order; and that each packet is as it has to be. */
std::vector<std::string> reports(Bench& bench) {
  std::vector<std::string> out;
  for (const Bytes& frame : bench.take()) {
    fail_unless(frame.size() <= 14 + 1500, "%zu bytes", frame.size());
    if (frame[12] == 0x08 && frame[13] == 0x06) continue;
    const bool v4 = frame[12] == 0x08;
    const Bytes ip(frame.begin() + 14, frame.end());
    if (v4) {
      const std::size_t size = std::size_t{ip[2]} << 8 | ip[3];
      expect_bytes(cut(ip, 20, 4), {0x94, 4, 0, 0}, "router alert");
      fail_unless(ip[0] == 0x46 && ip[8] == 1 && ip[9] == 2 && ip[1] == 0xc0);
      fail_unless_equals_int(naive::checksum(std::span(ip).first(24)), 0);
      const Bytes message = cut(ip, 24, size - 24), to = cut(ip, 16, 4);
      fail_unless_equals_int(naive::checksum(message), 0);
      expect_bytes(cut(frame, 0, 6), group_mac(to), "MAC address");
      expect_bytes(cut(ip, 12, 4), kOurV4, "source");
      if (message[0] == 0x22) {
        expect_bytes(to, {224, 0, 0, 22}, "to whom");
        read_records(message, 4, out);
      } else {
        const Bytes group = cut(message, 4, 4);
        expect_bytes(to, message[0] == 0x17 ? Bytes{224, 0, 0, 2} : group, "to whom");
        out.push_back(record(message[0], group));
      }
      continue;
    }
    if (ip[6] != 0) continue;  // neighbour discovery
    const Bytes source = cut(ip, 8, 16), to = cut(ip, 24, 16);
    expect_bytes(cut(ip, 40, 8), {58, 0, 5, 2, 0, 0, 1, 0}, "router alert");
    fail_unless_equals_int(ip[7], 1);
    fail_unless(address(source).v6().is_link_local());
    const Bytes message = cut(ip, 48, (std::size_t{ip[4]} << 8 | ip[5]) - 8);
    expect_bytes(with_icmpv6_sum(message, source, to), message, "checksum");
    expect_bytes(cut(frame, 0, 6), multicast_mac(to), "MAC address");
    if (message[0] == 143) {
      fail_unless_equals_int(to[15], 22);
      read_records(message, 16, out);
    } else {
      const Bytes group = cut(message, 8, 16);
      if (message[0] == 132) fail_unless_equals_int(to[15], 2);
      if (message[0] == 131) expect_bytes(to, group, "to whom");
      out.push_back(record(message[0], group));
    }
  }
  return out;
}
void expect_reports(Bench& bench, const std::vector<std::string>& wanted, const char* what) {
  const auto is = reports(bench);
  std::string text;
  for (const std::string& one : is) text += one + "; ";
  fail_unless(is == wanted, "%s: %s", what, text.c_str());
}

/** IPv4 alone, and up. */
struct GroupBench : Bench {
  explicit GroupBench(bool v4 = true, HostConfig with = config()) : Bench(only(v4, with)) {
    host.link_up(now, *this);
    pass(20 * kSecond);
    take();
  }
  static HostConfig only(bool v4, HostConfig with) {
    with.addresses.erase(with.addresses.begin() + (v4 ? 1 : 0));
    return with;
  }
  unsigned join_group(const Bytes& group, std::vector<IpAddress> sources = {},
                      std::uint16_t port = 5004) {
    return bind({.port = port, .group = address(group), .sources = std::move(sources)});
  }
  void leave(unsigned number) { host.unbind(number, now, *this); }
};

Bytes igmp(Bytes message, const Bytes& to = {224, 0, 0, 1}, const Bytes& from = kQuerier,
           std::uint8_t ttl = 1) {
  message = with_icmp_sum(message);
  return bench::join({ethernet(group_mac(to), kPeerMac, 0x0800), ipv4({.source = from,
                                                                       .destination = to,
                                                                       .options = {0x94, 4, 0, 0},
                                                                       .ttl = ttl,
                                                                       .protocol = 2},
                                                                      message)});
}
Bytes query3(std::uint8_t code, const Bytes& group = {0, 0, 0, 0}, std::vector<Bytes> sources = {},
             std::uint8_t robustness = 2) {
  Bytes message = bench::join({{0x11, code, 0, 0}, group, {robustness, 125, 0, 0}});
  message[11] = static_cast<std::uint8_t>(sources.size());
  for (const Bytes& source : sources) message = bench::join({message, source});
  const Bytes all{224, 0, 0, 1};
  return igmp(message, group == Bytes(4, 0) ? all : group);
}
Bytes mld(std::uint16_t code, const Bytes& group = Bytes(16, 0), bool second = true,
          const Bytes& from = kQuerier6, std::uint8_t hop_limit = 1, bool alert = true) {
  Bytes message = bench::join({{130, 0, 0, 0, 0, 0, 0, 0}, group});
  put16(message, 4, code);
  if (second) message = bench::join({message, {2, 125, 0, 0}});
  const Bytes all{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  const Bytes& to = group == Bytes(16, 0) ? all : group;
  const Bytes extension = alert ? Bytes{58, 0, 5, 2, 0, 0, 1, 0} : Bytes{58, 0, 1, 4, 0, 0, 0, 0};
  return bench::join(
      {ethernet(multicast_mac(to), kPeerMac, 0x86dd), ipv6({.source = from,
                                                            .destination = to,
                                                            .extensions = extension,
                                                            .next = 0,
                                                            .hop_limit = hop_limit},
                                                           with_icmpv6_sum(message, from, to))});
}

}  // namespace

GST_START_TEST(test_join_and_leave) {
  GroupBench bench;
  const unsigned number = bench.join_group(kGroup);
  expect_reports(bench, {record(kToEx, kGroup)}, "joined");
  bench.pass(kSecond);
  expect_reports(bench, {record(kToEx, kGroup)}, "once more, within a second");
  bench.pass(1000 * kSecond);
  expect_reports(bench, {}, "not again");
  const unsigned two = bench.join_group(kGroup, {}, 5005);
  bench.pass(10 * kSecond);
  expect_reports(bench, {}, "joined already");
  bench.leave(number);
  bench.pass(10 * kSecond);
  expect_reports(bench, {}, "still wanted");
  bench.leave(two);
  expect_reports(bench, {record(kToIn, kGroup)}, "left");
  bench.pass(10 * kSecond);
  expect_reports(bench, {record(kToIn, kGroup)}, "once more");
  fail_unless_equals_uint64(bench.host.kept().groups, 0);
  fail_unless(bench.host.due() == GST_CLOCK_TIME_NONE);
}
GST_END_TEST

GST_START_TEST(test_sources) {
  GroupBench bench;
  const unsigned one = bench.join_group(kGroup, {kA2, kA1});
  expect_reports(bench, {record(kAllow, kGroup, {kS1, kS2})}, "allowed");
  bench.pass(2 * kSecond);
  expect_reports(bench, {record(kAllow, kGroup, {kS1, kS2})}, "once more");
  const unsigned two = bench.join_group(kGroup, {kA2, kA3});
  expect_reports(bench, {record(kAllow, kGroup, {kS3})}, "one more");
  bench.pass(2 * kSecond);
  expect_reports(bench, {record(kAllow, kGroup, {kS3})}, "once more");
  const unsigned all = bench.join_group(kGroup);
  expect_reports(bench, {record(kToEx, kGroup)}, "everything");
  bench.leave(all);
  expect_reports(bench, {record(kToIn, kGroup, {kS1, kS2, kS3})}, "only those again");
  bench.pass(2 * kSecond);
  expect_reports(bench, {record(kToIn, kGroup, {kS1, kS2, kS3})}, "once more");
  bench.leave(one);
  expect_reports(bench, {record(kBlock, kGroup, {kS1})}, "one less");
  bench.leave(two);
  expect_reports(bench, {record(kBlock, kGroup, {kS1, kS2, kS3})}, "none");
  bench.pass(kSecond);
  expect_reports(bench, {record(kBlock, kGroup, {kS2, kS3})}, "once more");
}
GST_END_TEST

GST_START_TEST(test_general_query) {
  GroupBench bench;
  bench.join_group(kGroup);
  bench.join_group(kOther, {kA1});
  bench.pass(10 * kSecond);
  bench.take();
  std::set<GstClockTime> delays;
  for (unsigned i = 0; i < 20; ++i) {
    fail_unless(bench.receive(query3(50)) == Received::used);
    expect_reports(bench, {}, "after a while");
    const GstClockTime asked = bench.now;
    // One answer, whoever asks meanwhile.
    bench.receive(query3(50));
    while (bench.sent.empty() && bench.now < asked + 6 * kSecond) bench.pass(kMillisecond * 50);
    delays.insert((bench.now - asked) / (500 * kMillisecond));
    expect_reports(bench, {record(kIsEx, kGroup), record(kIsIn, kOther, {kS1})}, "all");
    fail_unless(bench.now <= asked + 5050 * kMillisecond, "too late");
    bench.pass(20 * kSecond);
    expect_reports(bench, {}, "once");
  }
  fail_unless(delays.size() > 4, "not at random");
  fail_unless_equals_uint64(bench.count(Count::queries), 40);
}
GST_END_TEST

GST_START_TEST(test_specific_queries) {
  GroupBench bench;
  bench.join_group(kGroup);
  bench.join_group(kOther, {kA1, kA2});
  bench.pass(10 * kSecond);
  bench.take();
  const auto answer = [&](const Bytes& query) {
    bench.receive(query);
    bench.pass(2 * kSecond);
    return reports(bench);
  };
  using Texts = std::vector<std::string>;
  fail_unless(answer(query3(10, kGroup)) == Texts{record(kIsEx, kGroup)});
  fail_unless(answer(query3(10, kOther)) == Texts{record(kIsIn, kOther, {kS1, kS2})});
  fail_unless(answer(query3(10, {239, 9, 9, 9})).empty());
  fail_unless(answer(query3(10, kGroup, {kS1, kS3})) == Texts{record(kIsIn, kGroup, {kS1, kS3})});
  fail_unless(answer(query3(10, kOther, {kS1, kS3})) == Texts{record(kIsIn, kOther, {kS1})});
  fail_unless(answer(query3(10, kOther, {kS3})).empty());
  // Together: the sources add up, and a query for the group makes it one.
  bench.receive(query3(10, kOther, {kS1}));
  fail_unless(answer(query3(10, kOther, {kS2})) == Texts{record(kIsIn, kOther, {kS1, kS2})});
  bench.receive(query3(10, kGroup, {kS1}));
  fail_unless(answer(query3(10, kGroup)) == Texts{record(kIsEx, kGroup)});
}
GST_END_TEST

GST_START_TEST(test_older_queriers) {
  GroupBench bench;
  const unsigned number = bench.join_group(kGroup);
  bench.join_group(kOther, {kA1});
  bench.pass(10 * kSecond);
  bench.take();
  bench.receive(igmp({0x11, 100, 0, 0, 0, 0, 0, 0}));
  bench.pass(10 * kSecond);
  expect_reports(bench, {record(0x16, kGroup), record(0x16, kOther)}, "version 2");
  bench.receive(igmp(bench::join({{0x11, 10, 0, 0}, kGroup}), kGroup));
  bench.pass(kSecond);
  expect_reports(bench, {record(0x16, kGroup)}, "of the group");
  // Whatever is asked in version 3 meanwhile.
  bench.receive(query3(10));
  bench.pass(kSecond);
  expect_reports(bench, {record(0x16, kGroup), record(0x16, kOther)}, "still version 2");
  bench.leave(number);
  expect_reports(bench, {record(0x17, kGroup)}, "left");
  bench.pass(20 * kSecond);
  expect_reports(bench, {}, "once");
  bench.join_group(kGroup);
  expect_reports(bench, {record(0x16, kGroup)}, "joined");
  bench.pass(11 * kSecond);
  expect_reports(bench, {record(0x16, kGroup)}, "once more");
  // Until the older one has not been heard for a while.
  bench.pass(260 * kSecond);
  bench.receive(query3(10));
  bench.pass(kSecond);
  expect_reports(bench, {record(kIsIn, kOther, {kS1}), record(kIsEx, kGroup)}, "version 3");

  bench.receive(igmp({0x11, 0, 0, 0, 0, 0, 0, 0}));
  bench.pass(10 * kSecond);
  expect_reports(bench, {record(0x12, kOther), record(0x12, kGroup)}, "version 1");
}
GST_END_TEST

GST_START_TEST(test_mld) {
  GroupBench bench(false);
  const Bytes ours = solicited_node(kOurV6),
              local = {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0xa8, 1, 1};
  Bench fresh(GroupBench::only(false, config()));
  fresh.host.link_up(fresh.now, fresh);
  expect_reports(fresh, {record(kToEx, ours), record(kToEx, local)}, "solicited-node groups");
  const unsigned number = bench.join_group(kGroup6);
  expect_reports(bench, {record(kToEx, kGroup6)}, "joined");
  bench.pass(kSecond);
  expect_reports(bench, {record(kToEx, kGroup6)}, "once more");
  bench.receive(mld(5000));
  bench.pass(5 * kSecond);
  expect_reports(bench, {record(kIsEx, ours), record(kIsEx, local), record(kIsEx, kGroup6)}, "all");
  bench.receive(mld(1000, kGroup6));
  bench.pass(kSecond);
  expect_reports(bench, {record(kIsEx, kGroup6)}, "of the group");
  bench.receive(mld(1000, Bytes(16, 0), false));
  bench.pass(kSecond);
  expect_reports(bench, {record(131, ours), record(131, local), record(131, kGroup6)}, "version 1");
  bench.leave(number);
  expect_reports(bench, {record(132, kGroup6)}, "done");
  // Groups that are not for routers.
  bench.pass(20 * kSecond);
  bench.take();
  bench.join_group({0xff, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9});
  bench.join_group({0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
  bench.pass(20 * kSecond);
  expect_reports(bench, {}, "not reported");
}
GST_END_TEST

GST_START_TEST(test_invalid_queries) {
  GroupBench bench;
  bench.join_group(kGroup);
  bench.pass(10 * kSecond);
  bench.take();
  const auto ignored = [](Bench& at, const Bytes& query, const char* what) {
    at.receive(query);
    at.pass(20 * kSecond);
    expect_reports(at, {}, what);
  };
  const Bytes general{0x11, 10, 0, 0, 0, 0, 0, 0};
  ignored(bench, igmp(general, {224, 0, 0, 1}, kQuerier, 2), "TTL");
  ignored(bench, igmp(general, {224, 0, 0, 1}, kOurV4), "from us");
  ignored(bench, igmp(general, {224, 0, 0, 1}, {224, 0, 0, 9}), "from a group");
  ignored(bench, igmp(bench::join({general, {0}})), "9 bytes");
  ignored(bench, igmp({0x11, 10, 0, 0, 0, 0, 0}), "7 bytes");
  ignored(bench, igmp(bench::join({{0x11, 10, 0, 0}, kPeerV4})), "no group");
  ignored(bench, igmp(bench::join({general, {2, 125, 0, 1}, kS1})), "sources of no group");
  ignored(bench, igmp(bench::join({{0x11, 10, 0, 0}, kGroup, {2, 125, 0, 2}, kS1}), kGroup),
          "sources cut");
  Bytes damaged = igmp(general);
  damaged.back() ^= 1;
  ignored(bench, damaged, "checksum");
  fail_unless_equals_uint64(bench.count(Count::bad_membership), 9);
  // A querier without an address is one.
  bench.receive(igmp(general, {224, 0, 0, 1}, {0, 0, 0, 0}));
  bench.pass(2 * kSecond);
  expect_reports(bench, {record(0x16, kGroup)}, "from 0.0.0.0");

  GroupBench six(false);
  six.join_group(kGroup6);
  six.pass(20 * kSecond);
  six.take();
  ignored(six, mld(1000, Bytes(16, 0), true, kPeerV6), "not from the link");
  ignored(six, mld(1000, Bytes(16, 0), true, kQuerier6, 2), "hop limit");
  ignored(six, mld(1000, Bytes(16, 0), true, kQuerier6, 1, false), "no router alert");
  Bytes damaged6 = mld(1000);
  damaged6.back() ^= 1;
  ignored(six, damaged6, "checksum");
  fail_unless_equals_uint64(six.count(Count::bad_membership), 4);
}
GST_END_TEST

GST_START_TEST(test_link_and_bounds) {
  HostConfig few = config();
  few.addresses.resize(1);
  few.limits.groups = 200;
  few.limits.sources = 1000;
  Bench bench(few);
  // Nothing is said before the link is up; then everything, in as few packets as it fits.
  for (std::uint8_t i = 0; i < 200; ++i) {
    bench.bind({.port = 5004, .group = address(Bytes{239, 0, 1, i})});
  }
  fail_if(bool(
      bench.host.bind({.port = 5004, .group = address(Bytes{239, 0, 2, 0})}, bench.now, bench)));
  std::vector<IpAddress> sources;
  for (std::uint16_t i = 0; i < 1001; ++i) {
    sources.push_back(Ipv4Address{0x0a000001U + i});
  }
  const Binding many{.port = 5005, .group = address(Bytes{239, 0, 1, 1}), .sources = sources};
  fail_if(bool(bench.host.bind(many, bench.now, bench)));
  expect_silence(bench, "no link");
  bench.host.link_up(bench.now, bench);
  fail_unless(bench.sent.size() <= 4, "%zu packets", bench.sent.size());
  const auto all = reports(bench);
  fail_unless_equals_uint64(all.size(), 200);
  // Queries as fast as they come are answered so often and no more.
  bench.pass(10 * kSecond);
  bench.take();
  for (unsigned i = 0; i < 10000; ++i) {
    bench.receive(query3(0));
    bench.receive(query3(0, {239, 0, 1, 7}));
    bench.pass(kMillisecond);
  }
  // Ten times a second the one, and once a second all of them, in two packets.
  fail_unless(bench.sent.size() <= 101 + 11 * 2, "%zu packets", bench.sent.size());
  bench.host.link_down();
  bench.take();
  bench.receive(query3(1));
  bench.pass(100 * kSecond);
  expect_silence(bench, "down");

  // Sources that do not fit into one packet go into several.
  few.limits.groups = 1;
  Bench wide(few);
  wide.host.link_up(wide.now, wide);
  wide.pass(10 * kSecond);
  wide.take();
  sources.resize(1000);
  wide.bind({.port = 5005, .group = address(kGroup), .sources = sources});
  fail_unless_equals_uint64(wide.sent.size(), 3);
  std::size_t told = 0;
  for (const std::string& one : reports(wide))
    told += std::size_t(std::ranges::count(one, ' ')) - 1;
  fail_unless_equals_uint64(told, 1000);
}
GST_END_TEST

static Suite* membership_suite() {
  Suite* s = suite_create("ip-membership");
  TCase* tc = tcase_create("all");
  suite_add_tcase(s, tc);
  tcase_add_test(tc, test_join_and_leave);
  tcase_add_test(tc, test_sources);
  tcase_add_test(tc, test_general_query);
  tcase_add_test(tc, test_specific_queries);
  tcase_add_test(tc, test_older_queriers);
  tcase_add_test(tc, test_mld);
  tcase_add_test(tc, test_invalid_queries);
  tcase_add_test(tc, test_link_and_bounds);
  return s;
}

GST_CHECK_MAIN(membership);
