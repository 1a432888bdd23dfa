// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include <random>

#include "everyview.hpp"
#include "gst/packet/packet.hpp"
#include "samples.hpp"

// Behind the standard library: it defines a macro fail().
#include <gst/check/gstcheck.h>

using namespace gstpacket;
using samples::Bytes;

namespace {

/** Exactly as many bytes on the heap as given: a sanitizer notices one read beyond. */
class Exact {
 public:
  Exact(const Bytes& bytes, std::size_t size) {
    bytes_.reserve(size);
    for (std::size_t i = 0; i < size; ++i) bytes_.push_back(std::byte{bytes[i]});
  }
  explicit Exact(const Bytes& bytes) : Exact(bytes, bytes.size()) {}
  [[nodiscard]] std::span<std::byte> span() const { return bytes_; }
  [[nodiscard]] std::span<const std::byte> read() const { return bytes_; }

 private:
  mutable std::vector<std::byte> bytes_;
};

}  // namespace

GST_START_TEST(test_ethernet) {
  const Exact plain(samples::echo_frame());
  const auto frame = EthernetView::at(plain.span());
  fail_unless(frame && frame->type() == ethertype::kIpv4 && frame->header_size() == 14);
  fail_unless(frame->destination().format() == "02:00:c0:a8:01:01");
  fail_unless(frame->source().format() == "02:fe:11:22:33:44");

  Bytes tagged = samples::ethernet(samples::kOurMac, samples::kPeerMac, 0x88a8);
  tagged = samples::join({tagged, {0x20, 0x64, 0x81, 0x00, 0x00, 0x0a, 0x08, 0x00, 0xaa}});
  const Exact qinq(tagged);
  const auto outer = ConstEthernetView::at(qinq.read());
  fail_unless(outer && outer->tags() == 2 && outer->type() == ethertype::kIpv4);
  fail_unless_equals_uint64(outer->vlan_id(0), 100);
  fail_unless_equals_uint64(outer->vlan_id(1), 10);
  fail_unless_equals_uint64(outer->payload().size(), 1);
  for (std::size_t size = 0; size < 22; ++size) {
    fail_if(ConstEthernetView::at(Exact(tagged, size).read()));
  }
}
GST_END_TEST

GST_START_TEST(test_ipv4) {
  const Bytes ip = samples::ipv4({}, samples::icmp_echo(8, 5));
  const Exact padded(samples::join({ip, Bytes(13, 0xee)}));
  auto view = Ipv4View::at(padded.span());
  fail_unless(view && view->checksum_valid());
  fail_unless_equals_uint64(view->payload().size(), 13);
  fail_unless_equals_uint64(view->total_length(), 33);
  fail_unless(view->dont_fragment() && !view->is_fragment());
  fail_unless(view->source().format() == "192.168.1.2");
  view->set_ttl(3);
  fail_unless(view->ttl() == 3 && view->checksum_valid());
  view->set_dscp(46);
  fail_unless(view->dscp() == 46 && view->checksum_valid());
  view->set_source(Ipv4Address{0x01020304});
  view->set_destination(Ipv4Address{0xfffefdfc});
  fail_unless(view->checksum_valid());
  view->swap_addresses();
  fail_unless(view->checksum_valid() && view->destination().value == 0x01020304);

  for (std::size_t size = 0; size < ip.size(); ++size) {
    fail_if(ConstIpv4View::at(Exact(ip, size).read()));
  }
  const auto refused = [&](std::size_t at, std::uint8_t value) {
    Bytes bad = ip;
    bad[at] = value;
    return !ConstIpv4View::at(Exact(bad).read());
  };
  fail_unless(refused(0, 0x65));  // version
  fail_unless(refused(0, 0x44));  // header shorter than 20 bytes
  fail_unless(refused(0, 0x4f));  // header longer than the packet
  fail_unless(refused(3, 19));    // total length shorter than the header
  fail_unless(refused(3, 34));    // total length beyond the end
  fail_if(ConstIpv4View::at(Exact(ip).read(), ip.size() + 1));
  fail_if(ConstIpv4View::at(Exact(ip).read(), std::size_t(-1)));
}
GST_END_TEST

GST_START_TEST(test_ipv6) {
  // Hop-by-hop (PadN), destination options (Pad1s), routing with nothing left.
  const Bytes extensions{60, 0, 1, 4, 0, 0, 0, 0, 43, 0, 0, 0, 0, 0, 0, 0, 58, 0, 0, 0, 9, 9, 9, 9};
  const Bytes ip =
      samples::ipv6({.extensions = extensions, .next = 0}, samples::icmpv6_echo(128, 3));
  const Exact whole(samples::join({ip, Bytes(9, 0xee)}));
  const auto view = Ipv6View::at(whole.span());
  fail_unless(view && view->protocol() == 58);
  fail_unless_equals_uint64(view->header_size(), 64);
  fail_unless_equals_uint64(view->payload().size(), 11);
  fail_unless_equals_uint64(view->traffic_class(), 0xab);
  fail_unless_equals_uint64(view->flow_label(), 0x12345);
  fail_if(view->is_fragment() || view->is_source_routed() || view->has_mandatory_option());
  for (std::size_t size = 0; size < ip.size(); ++size) {
    fail_if(ConstIpv6View::at(Exact(ip, size).read()));
  }

  const auto with = [](std::uint8_t next, const Bytes& extension) {
    return Exact(samples::ipv6({.extensions = extension, .next = next}, {}));
  };
  fail_unless(ConstIpv6View::at(with(44, {58, 0, 0, 1, 0, 0, 0, 1}).read())->is_fragment());
  fail_unless(ConstIpv6View::at(with(43, {58, 0, 0, 1, 0, 0, 0, 0}).read())->is_source_routed());
  fail_unless(
      ConstIpv6View::at(with(60, {58, 0, 0x41, 4, 0, 0, 0, 0}).read())->has_mandatory_option());
  fail_if(ConstIpv6View::at(with(60, {58, 0, 1, 4, 0, 0, 0, 0}).read())->has_router_alert());
  fail_unless(ConstIpv6View::at(with(0, {58, 0, 5, 2, 0, 0, 1, 0}).read())->has_router_alert());
  fail_if(ConstIpv6View::at(with(60, {58, 1, 1, 4, 0, 0, 0, 0}).read()));  // extension too long
  fail_if(ConstIpv6View::at(with(60, {58, 0, 1, 5, 0, 0, 0, 0}).read()));  // option too long
  fail_if(ConstIpv6View::at(with(60, {58, 0, 1, 3, 0, 0, 0, 1}).read()));  // option cut
  fail_if(ConstIpv6View::at(with(44, {58, 0, 0, 1}).read()));              // fragment header cut
  // Hop-by-hop options behind another extension header are not looked into.
  const Bytes late{0, 0, 1, 4, 0, 0, 0, 0, 58, 0, 0xc2, 4, 0, 0, 0, 0};
  fail_unless_equals_uint64(ConstIpv6View::at(with(60, late).read())->protocol(), 0);

  const Exact fragments({58, 0, 0x12, 0x39, 1, 2, 3, 4, 17, 0, 0, 0x06, 0, 0, 0, 5});
  const Ipv6FragmentHeader part(fragments.read());
  fail_unless(part.next_header() == 58 && part.offset() == 0x1238 && part.more_fragments());
  fail_unless(part.identification() == 0x01020304 && !part.is_atomic());
  fail_unless(Ipv6FragmentHeader(fragments.read().subspan(8)).is_atomic());
}
GST_END_TEST

GST_START_TEST(test_neighbour_messages) {
  const Bytes target(16, 7), option{2, 1, 2, 0, 0, 0, 0, 9};
  const auto advertisement = [&](std::uint8_t flags, const Bytes& options, std::uint8_t code = 0) {
    const Bytes head{136, code, 0, 0, flags, 0, 0, 0};
    return NeighbourAdvertisement::at(Exact(samples::join({head, target, options})).read());
  };
  const auto all = advertisement(0xe0, samples::join({{14, 1, 0, 0, 0, 0, 0, 0}, option}));
  fail_unless(all && all->is_router() && all->is_solicited() && all->is_override());
  fail_unless(all->target().bytes[0] == 7 && all->target_mac()->format() == "02:00:00:00:00:09");
  const auto none = advertisement(0, {});
  fail_unless(none && !none->is_router() && !none->is_solicited() && !none->is_override());
  fail_if(none->target_mac());
  // That of a solicitation is another option, and one of 16 bytes is no MAC address.
  fail_if(advertisement(0, {1, 1, 2, 0, 0, 0, 0, 9})->target_mac());
  fail_if(advertisement(0, samples::join({{2, 2}, Bytes(14, 1)}))->target_mac());
  fail_if(advertisement(0, {2, 0, 0, 0, 0, 0, 0, 0}));
  fail_if(advertisement(0, {2, 2, 0, 0, 0, 0, 0, 0}));
  fail_if(advertisement(0, {2}));
  fail_if(advertisement(0, {}, 1));
  fail_if(NeighbourAdvertisement::at(Exact(Bytes(23, 0)).read()));
}
GST_END_TEST

GST_START_TEST(test_udp) {
  Bytes udp{0x12, 0x34, 0x00, 0x35, 0x00, 0x0b, 0x00, 0x00, 'a', 'b', 'c', 0xee};
  const Exact bytes(udp);
  auto view = UdpView::at(bytes.span());
  fail_unless(view && view->payload().size() == 3 && view->destination_port() == 53);
  const auto v4 = Ipv4Address{0x0a000001};
  const auto v6 = *Ipv6Address::parse("2001:db8::1");
  fail_unless(view->checksum_valid(v4, v4));  // 0: none over IPv4
  fail_if(view->checksum_valid(v6, v6));      // an error over IPv6
  view->update_checksum(v6, v6);
  fail_unless(view->checksum_valid(v6, v6));
  view->update_checksum(v4, v4);
  fail_unless(view->checksum() != 0 && view->checksum_valid(v4, v4));
  view->set_source_port(1);
  fail_if(view->checksum_valid(v4, v4));

  // Ports that make the sum ffff: the checksum is 0 and must be sent as ffff.
  const Exact zero(Bytes{0, 0, 0, 0, 0, 8, 0, 0});
  auto empty = UdpView::at(zero.span());
  empty->set_source_port(static_cast<std::uint16_t>(0xffff - 17 - 8 - 8));
  empty->update_checksum(Ipv4Address{0}, Ipv4Address{0});
  fail_unless_equals_uint64(empty->checksum(), 0xffff);

  for (std::size_t size = 0; size < 11; ++size) fail_if(ConstUdpView::at(Exact(udp, size).read()));
  udp[5] = 7;
  fail_if(ConstUdpView::at(Exact(udp).read()));
}
GST_END_TEST

GST_START_TEST(test_arp) {
  const Bytes arp =
      samples::arp(1, samples::kPeerMac, samples::kPeerV4, Bytes(6, 0), samples::kOurV4);
  const Exact bytes(arp);
  auto view = ArpView::at(bytes.span());
  fail_unless(view && view->operation() == ArpView::kRequest);
  view->make_reply(*Mac::parse("02:00:c0:a8:01:01"));
  const Bytes reply =
      samples::arp(2, samples::kOurMac, samples::kOurV4, samples::kPeerMac, samples::kPeerV4);
  fail_unless(std::memcmp(reply.data(), bytes.span().data(), reply.size()) == 0);
  for (std::size_t size = 0; size < 28; ++size) fail_if(ConstArpView::at(Exact(arp, size).read()));
  for (std::size_t at : {0, 1, 2, 3, 4, 5}) {
    Bytes bad = arp;
    bad[at] ^= 0x40;
    fail_if(ConstArpView::at(Exact(bad).read()));
  }
}
GST_END_TEST

GST_START_TEST(test_every_truncation_and_random_bytes) {
  const Bytes valid[] = {
      samples::echo_frame(30), samples::echo_frame_v6(30),
      samples::join(
          {samples::ethernet(samples::kOurMac, samples::kPeerMac, 0x0806),
           samples::arp(1, samples::kPeerMac, samples::kPeerV4, Bytes(6, 0), samples::kOurV4)}),
      samples::join(
          {samples::ethernet(samples::kOurMac, samples::kPeerMac, 0x86dd),
           samples::ipv6({.hop_limit = 255},
                         samples::solicitation(samples::kOurV6, {1, 1, 2, 3, 4, 5, 6, 7}))})};
  unsigned seen = 0;
  for (const Bytes& packet : valid) {
    for (std::size_t size = 0; size <= packet.size(); ++size) {
      seen += everyview::visit(Exact(packet, size).read());
    }
  }
  std::mt19937 random(5);
  for (int round = 0; round < 100000; ++round) {
    // Damaged packets go deeper than noise.
    Bytes bytes = round % 4 == 0 ? Bytes(random() % 120) : valid[random() % 4];
    for (unsigned i = round % 4 == 0 ? static_cast<unsigned>(bytes.size()) : 3; i > 0; --i) {
      bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
    }
    const std::size_t size = random() % (bytes.size() + 1);
    seen += everyview::visit(Exact(bytes, round % 2 == 0 ? size : bytes.size()).read());
  }
  fail_unless(seen != 0);
}
GST_END_TEST

GST_START_TEST(test_addresses) {
  fail_unless(Mac::parse("02:00:C0:a8:01:01")->format() == "02:00:c0:a8:01:01");
  fail_unless(Mac::parse("02-00-c0-a8-01-01")->format() == "02:00:c0:a8:01:01");
  for (const char* bad : {"", "02:00:c0:a8:01", "02:00:c0:a8:01:1", "02:00:c0:a8:01:0g",
                          "02:00-c0:a8:01:01", "02 00 c0 a8 01 01", "02:00:c0:a8:01:01:"}) {
    const auto mac = Mac::parse(bad);
    fail_if(mac);
    fail_unless(mac.error().text().find("Expected six") != std::string::npos);
  }
  fail_unless(Ipv4Address::parse("10.0.0.255")->value == 0x0a0000ff);
  fail_unless(Ipv4Address{0x0a0000ff}.format() == "10.0.0.255");
  for (const char* bad : {"", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.4 ", "a.b.c.d", "::1"}) {
    fail_if(Ipv4Address::parse(bad));
  }
  fail_unless(Ipv6Address::parse("2001:DB8:0:0::1")->format() == "2001:db8::1");
  for (const char* bad : {"", "1.2.3.4", "2001::db8::1", "fe80::1%eth0", "12345::"}) {
    fail_if(Ipv6Address::parse(bad));
  }
  const auto a = *Ipv6Address::parse("2001:db8::1:2ab:cdef");
  fail_unless(a.solicited_node().format() == "ff02::1:ffab:cdef");
  fail_unless(a.solicited_node().multicast_mac().format() == "33:33:ff:ab:cd:ef");
  fail_if(*Mac::parse("01:02:00:00:00:00") < *Mac::parse("01:01:00:00:00:00"));
  for (std::uint32_t network = 0; network < 256; ++network) {
    const Ipv4Address of{network << 24 | 0x010203};
    const bool no_host =
        of.is_this_network() || of.is_loopback() || of.is_multicast() || of.is_class_e();
    fail_unless(of.is_host() != no_host);
  }
  for (const char* no : {"0.1.2.3", "127.0.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"}) {
    fail_if(Ipv4Address::parse(no)->is_host());
  }
  for (const char* no : {"::", "::1", "ff02::1", "::ffff:1.2.3.4"}) {
    fail_if(Ipv6Address::parse(no)->is_host());
  }
  fail_unless(a.is_host() && Ipv4Address{0x0a0000ff}.is_host());
}
GST_END_TEST

GST_START_TEST(test_addresses_of_either_version) {
  const auto v4 = *IpAddress::parse("192.0.2.129");
  const auto v6 = *IpAddress::parse("2001:db8::81");
  fail_unless(v4.is_v4() && v4.v4().value == 0xc0000281 && v4.format() == "192.0.2.129");
  fail_unless(!v6.is_v4() && v6.format() == "2001:db8::81");
  fail_unless(v4 != v6 && v4 == *IpAddress::parse("::ffff:192.0.2.129"));
  fail_unless(v4.hash(1) == IpAddress(v4.v4()).hash(1) && v4.hash(1) != v4.hash(2));
  fail_if(v4.hash(1) == v6.hash(1));
  for (const char* bad : {"", "1.2.3", "::1%eth0", "10.0.0.1/24", "host"}) {
    fail_if(IpAddress::parse(bad), "%s", bad);
  }
  fail_unless(v4.is_host() && v6.is_host() && !IpAddress().is_host());
  fail_unless(IpAddress().is_unspecified() && IpAddress::parse("0.0.0.0")->is_unspecified());
  fail_unless(IpAddress::parse("239.129.2.3")->is_multicast() && !v4.is_multicast());
  fail_unless(IpAddress::parse("239.129.2.3")->multicast_mac().format() == "01:00:5e:01:02:03");
  fail_unless(IpAddress::parse("ff15::81")->multicast_mac().format() == "33:33:00:00:00:81");
  const auto mac = *Mac::parse("02:00:c0:a8:01:01");
  fail_unless(Ipv6Address::link_local(mac).format() == "fe80::c0ff:fea8:101");
  fail_unless(Ipv6Address::link_local(mac).is_link_local() && !v6.v6().is_link_local());
}
GST_END_TEST

GST_START_TEST(test_prefixes) {
  for (const char* text : {"192.0.2.129/25", "0.0.0.0/0", "2001:db8::81/127", "::/0"}) {
    fail_unless(IpPrefix::parse(text)->format() == text, "%s", text);
  }
  fail_unless(IpPrefix::parse("10.0.0.1")->length == 32 && IpPrefix::parse("::1")->length == 128);
  for (const char* bad : {"", "/24", "10.0.0.1/", "10.0.0.1/33", "10.0.0.1/-1", "10.0.0.1/+1",
                          "10.0.0.1/8 ", "10.0.0.1/0x8", "::1/129", "10.0.0.1/24/24"}) {
    fail_if(IpPrefix::parse(bad), "%s", bad);
  }
  const auto has = [](const char* prefix, const char* address) {
    return IpPrefix::parse(prefix)->contains(*IpAddress::parse(address));
  };
  fail_unless(has("192.0.2.129/25", "192.0.2.255") && !has("192.0.2.129/25", "192.0.2.127"));
  fail_unless(has("10.1.2.3/32", "10.1.2.3") && !has("10.1.2.3/32", "10.1.2.2"));
  fail_unless(has("0.0.0.0/0", "255.0.0.1") && !has("0.0.0.0/0", "2001:db8::1"));
  fail_unless(has("2001:db8::81/127", "2001:db8::80") && !has("2001:db8::81/127", "2001:db8::82"));
  fail_unless(has("::/0", "2001:db8::1") && !has("::/0", "10.0.0.1"));
  const auto reaches_all = [](const char* prefix, const char* address) {
    return IpPrefix::parse(prefix)->is_directed_broadcast(*Ipv4Address::parse(address));
  };
  fail_unless(reaches_all("10.0.1.1/23", "10.0.1.255") && reaches_all("10.0.0.1/23", "10.0.1.255"));
  fail_if(reaches_all("10.0.0.1/23", "10.0.0.255") || reaches_all("10.0.0.1/31", "10.0.0.1"));
  fail_if(reaches_all("10.0.0.1/32", "10.0.0.1") || reaches_all("::/0", "255.255.255.255"));
}
GST_END_TEST

GST_START_TEST(test_packet) {
  std::array<std::byte, 32> block{};
  const std::span<std::byte> all = block;
  Packet packet(all.subspan(4, 8), 4, 20);
  fail_unless(packet.push_front(4) && packet.size() == 12 && packet.headroom() == 0);
  fail_if(packet.push_front(1));  // there is no carrier to make room
  fail_unless(packet.pop_front(5) && packet.size() == 7 && packet.headroom() == 5);
  fail_if(packet.pop_front(8));
  fail_unless(packet.extend(20) && packet.size() == 27 && packet.tailroom() == 0);
  fail_if(packet.extend(1));
  fail_unless(packet.truncate(0) && packet.size() == 0 && packet.tailroom() == 27);
  fail_if(packet.truncate(1));
}
GST_END_TEST

static Suite* views_suite() {
  Suite* s = suite_create("views");
  TCase* tc = tcase_create("general");
  suite_add_tcase(s, tc);
  tcase_add_test(tc, test_ethernet);
  tcase_add_test(tc, test_ipv4);
  tcase_add_test(tc, test_ipv6);
  tcase_add_test(tc, test_neighbour_messages);
  tcase_add_test(tc, test_udp);
  tcase_add_test(tc, test_arp);
  tcase_add_test(tc, test_every_truncation_and_random_bytes);
  tcase_add_test(tc, test_addresses);
  tcase_add_test(tc, test_addresses_of_either_version);
  tcase_add_test(tc, test_prefixes);
  tcase_add_test(tc, test_packet);
  return s;
}

GST_CHECK_MAIN(views)
