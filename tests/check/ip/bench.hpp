// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * A host on the bench: packets written byte by byte go in, what it sends is kept, and time is a
 * number.
 */
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "plugins/ip/stack/host.hpp"
#include "samples.hpp"

// Behind the standard library: it defines a macro fail().
#include <gst/check/gstcheck.h>

namespace bench {

using namespace ipplugin;
using namespace samples;

inline IpAddress address(const char* text) {
  const auto parsed = IpAddress::parse(text);
  fail_unless(bool(parsed), "%s is not an address", text);
  return *parsed;
}
inline IpAddress address(const Bytes& bytes) {
  const auto raw = std::as_bytes(std::span(bytes));
  return bytes.size() == 4 ? IpAddress(Ipv4Address::load(raw)) : IpAddress(Ipv6Address::load(raw));
}
inline Mac mac(const Bytes& bytes) {
  return Mac::load(std::as_bytes(std::span(bytes)));
}
inline Bytes bytes_of(std::span<const std::byte> from) {
  Bytes out(from.size());
  if (!from.empty()) std::memcpy(out.data(), from.data(), from.size());
  return out;
}
inline Bytes bytes_of(const Mac& mac) {
  return Bytes(mac.bytes.begin(), mac.bytes.end());
}

inline const Bytes kAll(6, 0xff);
inline const Bytes kNobody(6, 0);
inline const Bytes kGatewayV4{192, 168, 1, 254};
inline const Bytes kOtherMac{0x02, 0xfe, 0x66, 0x66, 0x66, 0x66};

/** The host of the samples, with a gateway for both versions. */
inline HostConfig config() {
  HostConfig out;
  out.addresses = {*IpPrefix::parse("192.168.1.1/24"), *IpPrefix::parse("2001:db8::ab:cd01/64")};
  out.gateways = {address(kGatewayV4), address("fe80::1")};
  out.mac = mac(kOurMac);
  out.address_probes = 0;
  out.seed = 1;
  return out;
}

class Bench : public Output {
 public:
  explicit Bench(const HostConfig& config = bench::config()) : host(config) {}

  void send(std::span<const std::byte> packet) override { sent.push_back(bytes_of(packet)); }

  /** The packet in a block of exactly its size and `room`. */
  Received receive(const Bytes& packet, std::size_t room = 0) {
    block_.assign(packet.size() + room, std::byte{});
    if (!packet.empty()) std::memcpy(block_.data(), packet.data(), packet.size());
    Packet view(std::span<std::byte>(block_).first(packet.size()), 0, room);
    datagram = {};
    const Received what = host.receive(view, now, *this, datagram);
    after = bytes_of(view.bytes());
    return what;
  }
  /** The payload of the datagram that was received last. */
  [[nodiscard]] Bytes payload() const {
    if (!datagram.whole.empty()) return bytes_of(datagram.whole);
    const auto first = after.begin() + static_cast<std::ptrdiff_t>(datagram.offset);
    return Bytes(first, first + static_cast<std::ptrdiff_t>(datagram.size));
  }
  Route route(const IpAddress& to) { return host.route(to, now, *this); }
  void hold(const IpAddress& to, const Bytes& packet) {
    host.hold(to, std::as_bytes(std::span(packet)));
  }
  unsigned bind(const Binding& binding) {
    const auto number = host.bind(binding, now, *this);
    fail_unless(bool(number), "%s", number ? "" : number.error().text().c_str());
    return *number;
  }
  /** Lets time pass, calling the host whenever it wants to be called. */
  void pass(GstClockTime time) {
    const GstClockTime end = now + time;
    for (unsigned calls = 0; host.due() <= end; ++calls) {
      fail_unless(calls < 100000, "the host wants to be called for ever");
      now = std::max(now, host.due());
      host.tick(now, *this);
    }
    now = end;
  }
  std::vector<Bytes> take() { return std::exchange(sent, {}); }
  [[nodiscard]] std::uint64_t count(Count what) const { return host.counters()[what]; }

  Host host;
  GstClockTime now = 1000 * kSecond;
  std::vector<Bytes> sent;
  Datagram datagram;
  Bytes after;

 private:
  std::vector<std::byte> block_;
};

inline std::string text(const Bytes& bytes) {
  std::string out;
  for (const std::uint8_t b : bytes) {
    char two[4];
    std::snprintf(two, sizeof two, "%02x ", b);
    out += two;
  }
  return out;
}
inline void expect_bytes(const Bytes& is, const Bytes& wanted, const char* what) {
  fail_unless(is == wanted, "%s: %s, not %s", what, text(is).c_str(), text(wanted).c_str());
}
/** That the host sent one packet, this one. */
inline void expect_sent(Bench& bench, const Bytes& wanted, const char* what) {
  const auto sent = bench.take();
  fail_unless(sent.size() == 1, "%s: %zu packets", what, sent.size());
  expect_bytes(sent[0], wanted, what);
}
inline void expect_silence(Bench& bench, const char* what) {
  const auto sent = bench.take();
  fail_unless(sent.empty(), "%s: %s", what, sent.empty() ? "" : text(sent[0]).c_str());
}

/** As Ethernet wants it: no shorter than 60 bytes. */
inline Bytes padded(Bytes frame) {
  if (frame.size() < 60) frame.resize(60);
  return frame;
}
inline Bytes arp_frame(const Bytes& to, const Bytes& from, const Bytes& message) {
  return padded(join({ethernet(to, from, 0x0806), message}));
}
inline Bytes arp_request(const Bytes& target, const Bytes& to = kAll) {
  return arp_frame(to, kOurMac, arp(1, kOurMac, kOurV4, kNobody, target));
}
inline Bytes arp_reply(const Bytes& sender, const Bytes& sender_mac = kPeerMac) {
  return arp_frame(kOurMac, sender_mac, arp(2, sender_mac, sender, kOurMac, kOurV4));
}

/** A UDP datagram with its checksum; addresses of either version. */
struct Udp {
  Bytes source = kPeerV4;
  Bytes destination = kOurV4;
  std::uint16_t source_port = 4000;
  std::uint16_t port = 5004;
};
inline Bytes udp(const Udp& h, const Bytes& body) {
  Bytes out(8);
  put16(out, 0, h.source_port);
  put16(out, 2, h.port);
  put16(out, 4, 8 + body.size());
  out = join({out, body});
  const std::uint16_t sum =
      naive::checksum(naive::with_pseudo(join({h.source, h.destination}), 17, out));
  put16(out, 6, sum == 0 ? 0xffff : sum);
  return out;
}
inline Bytes udp_packet(const Udp& h, const Bytes& body) {
  const Bytes datagram = udp(h, body);
  if (h.source.size() == 4) {
    return ipv4({.source = h.source, .destination = h.destination, .protocol = 17}, datagram);
  }
  return ipv6({.source = h.source, .destination = h.destination, .next = 17}, datagram);
}
inline Bytes group_mac(const Bytes& group) {
  if (group.size() == 4) {
    return {1, 0, 0x5e, static_cast<std::uint8_t>(group[1] & 0x7f), group[2], group[3]};
  }
  return multicast_mac(group);
}
inline Bytes udp_frame(const Udp& h, const Bytes& body, const Bytes& from = kPeerMac) {
  const bool multicast =
      h.destination.size() == 4 ? h.destination[0] >> 4 == 0xe : h.destination[0] == 0xff;
  const Bytes to = multicast ? group_mac(h.destination) : kOurMac;
  const std::uint16_t type = h.source.size() == 4 ? 0x0800 : 0x86dd;
  return join({ethernet(to, from, type), udp_packet(h, body)});
}

}  // namespace bench
