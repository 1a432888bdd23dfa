// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/packet/packet_checker.hpp"

#include <algorithm>

#include "gst/packet/headers/checksum.hpp"
#include "gst/packet/headers/ethernet.hpp"
#include "gst/packet/headers/icmp.hpp"
#include "gst/packet/headers/ipv4.hpp"
#include "gst/packet/headers/ipv6.hpp"
#include "gst/packet/headers/udp.hpp"

namespace packetplugin {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::size_t kUpperSize = 8;  // UDP's header and that of ICMP echo

template <class Address>
bool upper_valid(Bytes upper, std::uint8_t protocol, const Address& from, const Address& to) {
  if (protocol == ip_protocol::kUdp) {
    const auto udp = ConstUdpView::at(upper);
    return udp && udp->length() == upper.size() && udp->checksum_valid(from, to);
  }
  if constexpr (std::same_as<Address, Ipv4Address>) {
    return protocol == ip_protocol::kIcmp && checksum_valid(upper);
  } else {
    const auto icmp = ConstIcmpv6View::at(upper);
    return protocol == ip_protocol::kIcmpv6 && icmp && icmp->checksum_valid(from, to);
  }
}

/**
 * A copy of a packet's headers, if they resemble generated ones. As lenient as possible: a packet
 * with a test header but wrong headers is damaged, not foreign.
 */
class Headers {
 public:
  static std::optional<Headers> find(Bytes packet, LinkType link_type) {
    if (link_type == LinkType::ethernet) {
      const auto frame = ConstEthernetView::at(packet);
      if (!frame || (frame->type() != ethertype::kIpv4 && frame->type() != ethertype::kIpv6)) {
        return std::nullopt;
      }
      packet = frame->payload();
    }
    Headers headers(packet);
    return headers.copy() ? std::optional(headers) : std::nullopt;
  }

  /** The payload behind the headers, as far as present, without the padding of short frames. */
  [[nodiscard]] Bytes payload() const {
    const std::size_t length =
        v6_ ? v6_->payload_length() + Ipv6Header::kSize : v4_->total_length();
    const std::size_t end = std::min(ip_.size(), length);
    const std::size_t begin = upper_ + kUpperSize;
    return end > begin ? ip_.subspan(begin, end - begin) : Bytes{};
  }
  /** Whether lengths and checksums of the headers are correct. */
  [[nodiscard]] bool valid() const {
    if (v6_) {
      const auto ip = ConstIpv6View::of(*v6_, ip_);
      return ip && upper_valid(ip->payload(), ip->next_header(), ip->source(), ip->destination());
    }
    const auto ip = ConstIpv4View::of(*v4_, ip_);
    return ip && ip->checksum_valid() &&
           upper_valid(ip->payload(), ip->protocol(), ip->source(), ip->destination());
  }
  /** Whether the packet is complete: all that can be checked without checksums. */
  [[nodiscard]] bool complete() const {
    return v6_ ? ConstIpv6View::of(*v6_, ip_).has_value()
               : ConstIpv4View::of(*v4_, ip_).has_value();
  }

 private:
  explicit Headers(Bytes ip) : ip_(ip) {}

  bool copy() {
    if (ip_.size() < Ipv4Header::kMinSize) return false;
    // Only selects the parser.
    if (load_be<std::uint8_t>(ip_) >> 4 == 6) {
      if (ip_.size() < Ipv6Header::kSize) return false;
      v6_.emplace(ip_);
      upper_ = Ipv6Header::kSize;
    } else {
      v4_.emplace(ip_);
      upper_ = v4_->header_size();
    }
    return ip_.size() >= upper_ + kUpperSize;
  }

  Bytes ip_;
  std::size_t upper_ = 0;  // where the header behind that of IP begins
  // One of them.
  std::optional<Ipv4Header> v4_;
  std::optional<Ipv6Header> v6_;
};

}  // namespace

// ---- Numbers ----------------------------------------------------------------------------------

void SequenceWindow::advance(std::uint64_t number) noexcept {
  if (number - highest_ >= kWindow) {
    window_.fill(0);
  } else {
    for (std::uint64_t skipped = highest_ + 1; skipped < number; ++skipped) {
      word(skipped) &= ~bit(skipped);
    }
  }
  highest_ = number;
  mark(number);
}

SequenceWindow::Seen SequenceWindow::add(std::uint64_t number, std::uint64_t& missing) noexcept {
  if (!any_) {
    any_ = true;
    first_ = highest_ = number;
    mark(number);
    return Seen::in_order;
  }
  if (number > highest_) {
    missing += number - highest_ - 1;
    advance(number);
    return Seen::in_order;
  }
  if (highest_ - number < kWindow) {
    if (marked(number)) return Seen::duplicate;
    mark(number);
  }
  if (number < first_) {
    missing += first_ - number - 1;
    first_ = number;
  } else if (missing > 0) {
    --missing;
  }
  return Seen::reordered;
}

// ---- Packets ----------------------------------------------------------------------------------

void PacketChecker::clear() {
  account_ = {};
  latency_.clear();
  flows_.clear();
}

SequenceWindow& PacketChecker::flow(std::uint16_t number) {
  if (number >= flows_.size()) flows_.resize(number + std::size_t{1});
  auto& flow = flows_[number];
  if (!flow) {
    flow = std::make_unique<SequenceWindow>();
    ++account_.flows;
  }
  return *flow;
}

void PacketChecker::judge(Bytes packet, std::uint64_t now) {
  const auto headers = Headers::find(packet, link_type_);
  if (!headers) {
    ++account_.foreign;
    return;
  }
  const Bytes payload = headers->payload();
  const auto probe = TestHeader::read(payload);
  if (!probe) {
    ++account_.foreign;
    return;
  }
  const bool valid = verify_ ? headers->valid() && probe->matches(payload) : headers->complete();
  if (valid) {
    count(*probe, packet.size(), now);
  } else {
    ++account_.damaged;
  }
}

void PacketChecker::count(const TestHeader& probe, std::size_t size, std::uint64_t now) {
  const auto seen = flow(probe.flow).add(probe.number, account_.missing);
  if (seen == SequenceWindow::Seen::duplicate) {
    ++account_.duplicate;
    return;
  }
  if (seen == SequenceWindow::Seen::reordered) ++account_.reordered;
  if (account_.packets == 0) account_.first_time = now;
  if (account_.first_time == now) {
    ++account_.first_packets;
    account_.first_bytes += size;
  }
  account_.last_time = now;
  ++account_.packets;
  account_.bytes += size;
  latency_.add(now > probe.time ? now - probe.time : 0);
}

}  // namespace packetplugin
