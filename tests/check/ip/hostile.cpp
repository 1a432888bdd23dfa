// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Floods of every kind: what the host keeps, and what it sends, stays bounded.
 */
#include <random>

#include "bench.hpp"

using namespace bench;

namespace {

Bytes random_bytes(std::mt19937& random, std::size_t size) {
  Bytes out(size);
  for (auto& b : out) b = static_cast<std::uint8_t>(random());
  return out;
}
Bytes some_v4(std::mt19937& random) {
  return {192, 168, 1, static_cast<std::uint8_t>(2 + random() % 250)};
}
Bytes some_v6(std::mt19937& random) {
  Bytes out = kPeerV6;
  std::ranges::copy(random_bytes(random, 8), out.begin() + 8);
  return out;
}
Bytes some_mac(std::mt19937& random) {
  Bytes out = random_bytes(random, 6);
  out[0] = 2;
  return out;
}

/** A host that talks to some neighbours, receives from a group, and has limits that are reached. */
struct Busy : Bench {
  Busy() : Bench(small()) {
    host.link_up(now, *this);
    bind({.port = 5004});
    bind({.port = 5004, .group = address(Bytes{239, 1, 2, 3})});
    pass(20 * kSecond);
    for (std::uint8_t i = 2; i <= 4; ++i) {
      const IpAddress to = address(Bytes{192, 168, 1, i});
      route(to);
      hold(to, ipv4({.source = kOurV4, .destination = {192, 168, 1, i}}, Bytes(100, i)));
    }
    take();
  }
  static HostConfig small() {
    HostConfig out = config();
    out.address_probes = 1;
    out.limits.neighbours = 16;
    out.limits.reassemblies = 4;
    return out;
  }
  void check(const char* what) const {
    const Host::Kept kept = host.kept();
    fail_unless(kept.neighbours <= 16 && kept.held <= 3 && kept.groups <= 3, "%s", what);
    fail_unless(kept.reassemblies <= 4 && kept.reassembly_bytes <= 5 * 66000, "%s", what);
  }
};

template <class Make>
void flood(const char* what, Make make) {
  std::mt19937 random(7);
  Busy bench;
  std::size_t sent = 0;
  for (unsigned i = 0; i < 20000; ++i) {
    bench.receive(make(random), 8);
    if (i % 10 == 0) bench.pass(kMillisecond);
    sent += bench.take().size();
    bench.check(what);
  }
  // Two seconds: errors, probes of what is doubted, announcements in defence and reports.
  fail_unless(sent < 350, "%s: %zu packets were sent", what, sent);
  fail_unless(bench.receive(udp_frame({}, payload(9))) == Received::datagram, "%s: deaf", what);
}

}  // namespace

GST_START_TEST(test_floods) {
  flood("ARP requests", [](std::mt19937& random) {
    const Bytes from = some_mac(random);
    return arp_frame(kAll, from, arp(1, from, some_v4(random), kNobody, kOurV4));
  });
  flood("ARP replies",
        [](std::mt19937& random) { return arp_reply(some_v4(random), some_mac(random)); });
  flood("gratuitous ARP", [](std::mt19937& random) {
    const Bytes from = some_mac(random), sender = random() % 8 == 0 ? kOurV4 : some_v4(random);
    return arp_frame(kAll, from, arp(2, from, sender, kAll, sender));
  });
  flood("solicitations", [](std::mt19937& random) {
    const Bytes from = some_mac(random), source = some_v6(random), to = solicited_node(kOurV6);
    return join({ethernet(multicast_mac(to), from, 0x86dd),
                 ipv6({.source = source, .destination = to, .hop_limit = 255},
                      with_icmpv6_sum(solicitation(kOurV6, join({{1, 1}, from})), source, to))});
  });
  flood("advertisements", [](std::mt19937& random) {
    const Bytes from = some_mac(random), source = some_v6(random);
    const Bytes target = random() % 8 == 0 ? kOurV6 : source;
    return join({ethernet(kOurMac, from, 0x86dd),
                 ipv6({.source = source, .hop_limit = 255},
                      with_icmpv6_sum(join({{136, 0, 0, 0, 0x60, 0, 0, 0}, target, {2, 1}, from}),
                                      source, kOurV6))});
  });
  flood("unknown ports", [](std::mt19937& random) {
    const auto port = static_cast<std::uint16_t>(1 + random() % 5000);
    return udp_frame({.source = some_v4(random), .port = port}, payload(random() % 1400),
                     some_mac(random));
  });
  flood("unknown groups", [](std::mt19937& random) {
    const Bytes group{239, 1, 3, static_cast<std::uint8_t>(random())};
    return udp_frame({.source = some_v4(random), .destination = group}, payload(20));
  });
  flood("fragments", [](std::mt19937& random) {
    const auto word = static_cast<std::uint16_t>(0x2000 | random() % 0x1000);
    return join({ethernet(kOurMac, kPeerMac, 0x0800),
                 ipv4({.source = some_v4(random), .fragment = word, .protocol = 17},
                      random_bytes(random, 8 * (1 + random() % 100)))});
  });
  flood("queries", [](std::mt19937& random) {
    Bytes message{0x11, 1, 0, 0, 239, 1, 2, 3, 7, 1, 0, 1};
    if (random() % 2 == 0) std::fill_n(message.begin() + 4, 4, std::uint8_t{0});
    if (random() % 3 == 0) message.resize(8);
    if (message.size() == 12) message = join({message, some_v4(random)});
    if (message[4] == 0 && message.size() > 12)
      message = Bytes(message.begin(), message.begin() + 8);
    return join(
        {ethernet({1, 0, 0x5e, 0, 0, 1}, kPeerMac, 0x0800),
         ipv4({.source = some_v4(random), .destination = {224, 0, 0, 1}, .ttl = 1, .protocol = 2},
              with_icmp_sum(message))});
  });
  flood("noise", [](std::mt19937& random) { return random_bytes(random, random() % 200); });
  flood("noise for us", [](std::mt19937& random) {
    static const std::vector<Bytes> starts{
        {8, 0, 0x45}, {0x86, 0xdd, 0x60}, {8, 6, 0, 1, 8, 0, 6, 4}};
    return join({kOurMac, kPeerMac, starts[random() % 3], random_bytes(random, random() % 100)});
  });
}
GST_END_TEST

GST_START_TEST(test_every_truncation) {
  // A sanitizer sees the first byte too far: the block ends with the packet.
  const Bytes to = solicited_node(kOurV6);
  const std::vector<Bytes> whole{
      udp_frame({}, payload(9)),
      udp_frame({.source = kPeerV6, .destination = kOurV6}, payload(9)),
      echo_frame(),
      echo_frame_v6(),
      arp_reply(kPeerV4),
      join({ethernet(multicast_mac(to), kPeerMac, 0x86dd),
            ipv6({.destination = to, .hop_limit = 255},
                 with_icmpv6_sum(solicitation(kOurV6, join({{1, 1}, kPeerMac})), kPeerV6, to))}),
      join({ethernet(kOurMac, kPeerMac, 0x86dd),
            ipv6({.extensions = {17, 0, 0, 1, 0, 0, 0, 1}, .next = 44}, payload(40))}),
      join({ethernet(kOurMac, kPeerMac, 0x0800), ipv4({.fragment = 0x2000}, payload(40))}),
  };
  Busy bench;
  for (const Bytes& packet : whole) {
    for (std::size_t size = 0; size <= packet.size(); ++size) {
      Bytes cut(packet.begin(), packet.begin() + static_cast<long>(size));
      bench.receive(cut);
      // The same with lengths that fit to what is there.
      if (size > 34 && cut[12] == 8 && cut[13] == 0) {
        put16(cut, 16, size - 14);
        put16(cut, 24, 0);
        put16(cut, 24, naive::checksum(std::span(cut).subspan(14, 20)));
      } else if (size > 54 && cut[12] == 0x86) {
        put16(cut, 18, size - 54);
      }
      bench.receive(cut, 8);
      bench.check("truncated");
    }
  }
}
GST_END_TEST

static Suite* hostile_suite() {
  Suite* s = suite_create("ip-hostile");
  TCase* tc = tcase_create("all");
  suite_add_tcase(s, tc);
  tcase_add_test(tc, test_floods);
  tcase_add_test(tc, test_every_truncation);
  return s;
}

GST_CHECK_MAIN(hostile);
