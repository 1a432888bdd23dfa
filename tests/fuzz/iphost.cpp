// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * A host that gets packets of any bytes, receives, sends, joins and leaves, while time passes. What
 * it keeps stays bounded, what it sends is right and not much more than what it got, and it never
 * wants to be called for ever.
 */
#include <map>
#include <vector>

#include "fuzz.hpp"
#include "gst/packet/headers/arp.hpp"
#include "gst/packet/headers/icmp.hpp"
#include "gst/packet/headers/udp.hpp"
#include "plugins/ip/stack/host.hpp"

using namespace ipplugin;
using fuzz::Input;
using fuzz::require;

namespace {

constexpr std::size_t kNeighbours = 8, kHeld = 6, kReassemblies = 3, kGroups = 8, kSources = 16;
constexpr unsigned kMtu = 1280;

IpAddress address(const char* text) {
  const auto parsed = IpAddress::parse(text);
  require(bool(parsed), "an address");
  return *parsed;
}

/** Addresses that matter, and any. */
IpAddress any_address(Input& input) {
  static const std::vector<IpAddress> known{
      address("192.168.1.1"),   address("192.168.1.2"), address("192.168.1.254"),
      address("192.168.1.255"), address("8.8.8.8"),     address("239.1.2.3"),
      address("224.0.0.1"),     address("2001:db8::2"), address("2001:db8::ab:cd01"),
      address("fe80::1"),       address("2001:db9::1"), address("ff15::1"),
      address("ff02::1"),       address("0.0.0.0"),     address("255.255.255.255"),
  };
  const unsigned i = input.below(static_cast<unsigned>(known.size()) + 2);
  if (i < known.size()) return known[i];
  if (i == known.size()) return Ipv4Address{0xc0a80100U | input.get<std::uint8_t>()};
  Ipv6Address v6 = known[7].v6();
  v6.bytes[15] = input.get<std::uint8_t>();
  return v6;
}

HostConfig config(Input& input) {
  HostConfig out;
  const unsigned flags = input.get<std::uint8_t>();
  if ((flags & 1) != 0) out.link_type = LinkType::ip;
  out.addresses = {*IpPrefix::parse("192.168.1.1/24"), *IpPrefix::parse("2001:db8::ab:cd01/64")};
  out.gateways = {address("192.168.1.254"), address("fe80::1")};
  out.mac = *Mac::parse("02:00:c0:a8:01:01");
  out.mtu = kMtu;
  if ((flags & 2) != 0) out.vlan = 7;
  out.verify_checksum = (flags & 4) == 0;
  if ((flags & 8) != 0)
    out.neighbours = {{address("192.168.1.3"), *Mac::parse("02:00:00:00:00:03")}};
  out.address_probes = (flags & 16) != 0 ? 0 : 2;
  out.limits.neighbours = kNeighbours;
  out.limits.held = kHeld;
  out.limits.held_per_hop = 4;
  out.limits.held_bytes = 4000;
  out.limits.reassemblies = kReassemblies;
  out.limits.groups = kGroups;
  out.limits.sources = kSources;
  out.limits.bindings = 12;
  out.limits.icmp_error_burst = 4;
  out.seed = 1;
  return out;
}

// ---- what goes in -----------------------------------------------------------------------------

void repair_upper(std::span<std::byte> message, std::uint8_t protocol, Checksum pseudo) {
  const std::size_t at = protocol == ip_protocol::kUdp ? 6 : 2;
  if (message.size() < 8) return;
  if (protocol == ip_protocol::kUdp) {
    store_be<std::uint16_t>(message, 4, static_cast<std::uint16_t>(message.size()));
  }
  store_be<std::uint16_t>(message, at, 0);
  const std::uint16_t sum = pseudo.add(message).value();
  store_be<std::uint16_t>(message, at, sum == 0 && protocol == ip_protocol::kUdp ? 0xffff : sum);
}

/** Lengths and checksums as they should be: a fuzzer does not find them by itself. */
void repair(std::span<std::byte> packet, bool ethernet) {
  std::size_t offset = 0;
  if (ethernet) {
    const auto frame = EthernetView::at(packet);
    if (!frame) return;
    offset = frame->header_size();
  }
  const auto ip = packet.subspan(offset);
  if (ip.size() < Ipv4View::kMinSize || ip.size() > 65535) return;
  const unsigned version = load_be<std::uint8_t>(ip) >> 4;
  if (version == 4) {
    const std::size_t header = (load_be<std::uint8_t>(ip) & 0xfU) * 4U;
    if (header < Ipv4View::kMinSize || header > ip.size()) return;
    store_be<std::uint16_t>(ip, 2, static_cast<std::uint16_t>(ip.size()));
    const Ipv4Header fields(ip);
    const auto message = ip.subspan(header);
    Checksum pseudo;
    if (fields.protocol() == ip_protocol::kUdp) {
      pseudo.add_pseudo(fields.source(), fields.destination(), fields.protocol(),
                        static_cast<std::uint16_t>(message.size()));
    }
    if (!fields.is_fragment()) repair_upper(message, fields.protocol(), pseudo);
    store_be<std::uint16_t>(ip, 10, 0);
    store_be<std::uint16_t>(ip, 10, checksum(ip.first(header)));
  } else if (version == 6 && ip.size() >= Ipv6View::kSize) {
    store_be<std::uint16_t>(ip, 4, static_cast<std::uint16_t>(ip.size() - Ipv6View::kSize));
    const auto view = Ipv6View::at(ip);
    if (!view || view->is_fragment()) return;
    const auto message = view->payload();
    Checksum pseudo;
    pseudo.add_pseudo(view->source(), view->destination(), view->protocol(),
                      static_cast<std::uint32_t>(message.size()));
    repair_upper(message, view->protocol(), pseudo);
  }
}

// ---- the run ----------------------------------------------------------------------------------

class Run : public Output {
 public:
  explicit Run(Input& input) : input_(input), config_(config(input)), host_(config_) {}

  void send(std::span<const std::byte> packet) override {
    sent_ += packet.size();
    check_sent(packet);
  }

  void go() {
    while (!input_.ended()) {
      step();
      check_kept();
      // Errors and answers are about as long as what they answer, and a frame has a shortest size.
      require(sent_ <= allowed_, "it sends more than it got");
    }
  }

 private:
  void step() {
    switch (input_.below(10)) {
      case 0:
        return pass();
      case 1:
        return send_to(any_address(input_));
      case 2:
        return bind();
      case 3:
        host_.unbind(input_.below(16), now_, *this);
        allowed_ += kReports;
        return;
      case 4:
        link(input_.below(4) != 0);
        return;
      default:
        return receive();
    }
  }

  void pass() {
    static constexpr std::array<GstClockTime, 8> kSteps{
        kMillisecond, 100 * kMillisecond, kSecond,       3 * kSecond,
        10 * kSecond, 40 * kSecond,       300 * kSecond, 1000 * kSecond};
    const GstClockTime end = now_ + kSteps[input_.below(8)];
    for (unsigned calls = 0; host_.due() <= end; ++calls) {
      require(calls < 20000, "it wants to be called for ever");
      now_ = std::max(now_, host_.due());
      allowed_ += kTick;
      host_.tick(now_, *this);
      require(host_.due() > now_, "it has not done what was due");
    }
    now_ = end;
  }

  void send_to(const IpAddress& to) {
    allowed_ += 100;
    const Route route = host_.route(to, now_, *this);
    require(route.generation == host_.generation(), "an old generation");
    require(route.state != Route::State::ready || route.link_size == link_size(), "link header");
    if (route.state != Route::State::pending) return;
    const std::size_t size = 28 + input_.get<std::uint16_t>() % 1200U;
    std::vector<std::byte> packet(size);
    packet[0] = to.is_v4() ? std::byte{0x45} : std::byte{0x60};
    held_ = true;
    allowed_ += size + link_size() + 60;
    host_.hold(to, packet);
  }

  void bind() {
    Binding binding;
    binding.port = static_cast<std::uint16_t>(input_.below(4));
    if (input_.flag()) binding.group = any_address(input_);
    for (unsigned n = input_.below(5); n > 0; --n) binding.sources.push_back(any_address(input_));
    allowed_ += kReports;
    (void)host_.bind(binding, now_, *this);
  }

  void link(bool up) {
    allowed_ += kReports + kTick;
    if (up) {
      host_.link_up(now_, *this);
    } else {
      host_.link_down();
    }
    while (host_.take_conflict()) {
    }
  }

  void receive() {
    const bool right = input_.below(8) != 0;
    const std::size_t room = input_.below(16);
    const auto bytes = input_.bytes(input_.get<std::uint16_t>());
    // Exactly as large as said, so that a sanitizer sees the first byte too far.
    std::vector<std::byte> block(bytes.size() + room);
    if (!bytes.empty()) std::memcpy(block.data(), bytes.data(), bytes.size());
    const auto span = std::span<std::byte>(block).first(bytes.size());
    if (right) repair(span, is_ethernet());
    allowed_ += 2 * bytes.size() + 200;
    Packet packet(span, 0, room);
    Datagram datagram;
    const Received what = host_.receive(packet, now_, *this, datagram);
    if (what == Received::reply) send(packet.bytes());
    if (what == Received::datagram) check_datagram(datagram, packet);
    while (host_.take_conflict()) {
    }
  }

  // ---- what must be so

  void check_datagram(const Datagram& datagram, const Packet& packet) const {
    require(!datagram.ports.empty(), "for nobody");
    for (const unsigned number : datagram.ports) require(number < 12, "not a binding");
    require(datagram.destination.port < 4 && datagram.destination.port != 0, "not a port");
    if (datagram.whole.empty()) {
      require(datagram.offset <= packet.size(), "offset");
      require(datagram.size <= packet.size() - datagram.offset, "size");
    } else {
      require(datagram.size == datagram.whole.size(), "size");
      std::byte all{};
      for (const std::byte b : datagram.whole) all ^= b;
      volatile std::byte seen = all;
      (void)seen;
    }
  }

  void check_kept() const {
    const Host::Kept kept = host_.kept();
    require(kept.neighbours <= kNeighbours + 1, "neighbours");
    require(kept.held <= kHeld && kept.held_bytes <= 4000, "held packets");
    require(kept.reassemblies <= kReassemblies, "reassemblies");
    require(kept.reassembly_bytes <= (kReassemblies + 1) * 66000, "memory");
    // One that was left is there until it has been said.
    require(kept.groups <= 2 * kGroups + 12, "groups");
  }

  void check_sent(std::span<const std::byte> packet) const {
    std::size_t offset = 0;
    if (is_ethernet()) {
      const auto frame = ConstEthernetView::at(packet);
      require(frame.has_value(), "no Ethernet header");
      require(frame->source() == config_.mac, "not from us");
      require(frame->destination() != config_.mac, "to us");
      require(!config_.vlan || frame->vlan_id(0) == *config_.vlan, "another VLAN");
      if (frame->type() == ethertype::kArp) {
        require(ConstArpView::at(frame->payload()).has_value(), "no ARP message");
        return;
      }
      offset = frame->header_size();
    }
    // Replies are as long as their requests.
    if (const auto v4 = ConstIpv4View::at(packet, offset)) return check_v4(*v4);
    if (const auto v6 = ConstIpv6View::at(packet, offset)) return check_v6(*v6);
    require(held_, "neither IPv4 nor IPv6");
  }
  // What was held has no checksum; what is not verified need not have one that is right.
  void check_v4(const ConstIpv4View& ip) const {
    if (held_ || !config_.verify_checksum) return;
    require(ip.checksum_valid(), "IPv4 checksum");
    require(ip.source() != ip.destination(), "to us");
    if (ip.protocol() != ip_protocol::kIcmp || ip.is_fragment()) return;
    const auto icmp = ConstIcmpView::at(ip.payload());
    require(icmp && icmp->checksum_valid(), "ICMP checksum");
    require(icmp->type() == ConstIcmpView::kEchoReply ||
                icmp->type() == ConstIcmpView::kDestinationUnreachable,
            "ICMP type");
  }
  void check_v6(const ConstIpv6View& ip) const {
    if (held_ || !config_.verify_checksum || ip.protocol() != ip_protocol::kIcmpv6) return;
    const auto icmp = ConstIcmpv6View::at(ip.payload());
    require(icmp && icmp->checksum_valid(ip.source(), ip.destination()), "ICMPv6 checksum");
  }

  [[nodiscard]] bool is_ethernet() const { return config_.link_type == LinkType::ethernet; }
  [[nodiscard]] std::size_t link_size() const {
    if (!is_ethernet()) return 0;
    return config_.vlan ? 18 : 14;
  }

  // All neighbours are asked and all addresses announced; all groups are reported.
  static constexpr std::size_t kReports = 2 * (kGroups + 12) * 100 + kSources * 20;
  static constexpr std::size_t kTick = (kNeighbours + 4) * 100 + kReports;

  Input& input_;
  const HostConfig config_;
  Host host_;
  GstClockTime now_ = kSecond;
  std::size_t sent_ = 0, allowed_ = 0;
  bool held_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  Run(input).go();
  return 0;
}
