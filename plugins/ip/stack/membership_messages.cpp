// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/ip/stack/membership_messages.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "gst/packet/headers/icmp.hpp"
#include "plugins/ip/stack/ip_writer.hpp"

namespace ipplugin {
namespace {

constexpr std::size_t kHeader = 8;  // of a report, and of what IGMPv2 has
constexpr std::uint8_t kIgmpV1Report = 0x12, kIgmpV2Report = 0x16, kIgmpLeave = 0x17,
                       kIgmpV3Report = 0x22;
constexpr std::uint8_t kInternetControl = 0xc0;  // the type of service of IGMP
// Each router on the way looks into the packet (RFC 2113, RFC 2711).
constexpr std::array kRouterAlertV4{std::byte{0x94}, std::byte{4}, std::byte{0}, std::byte{0}};
constexpr std::array kRouterAlertV6{std::byte{ip_protocol::kIcmpv6},
                                    std::byte{0},
                                    std::byte{5},
                                    std::byte{2},
                                    std::byte{0},
                                    std::byte{0},
                                    std::byte{1},
                                    std::byte{0}};

// RFC 3376 4.1.1 and RFC 3810 5.1.3: large values are floating point.
template <unsigned Bits>
unsigned decode(unsigned code) noexcept {
  constexpr unsigned kMantissa = Bits - 4;
  if (code < 1U << (Bits - 1)) return code;
  const unsigned exponent = code >> kMantissa & 7;
  return ((code & ((1U << kMantissa) - 1)) | 1U << kMantissa) << (exponent + 3);
}

template <class Address>
bool load_sources(MembershipQuery& query, std::span<const std::byte> from, std::size_t n) {
  if (from.size() < n * Address::kSize) return false;
  if (n > MembershipQuery::kMaxSources) return true;
  for (std::size_t i = 0; i < n; ++i) {
    query.sources.emplace_back(Address::load(from.subspan(i * Address::kSize)));
  }
  return true;
}

Ipv4Address v4_address(std::uint8_t last) noexcept {
  return Ipv4Address{0xe0000000U | last};
}
Ipv6Address v6_address(std::uint8_t last) noexcept {
  Ipv6Address out{{0xff, 2}};
  out.bytes[15] = last;
  return out;
}

}  // namespace

std::optional<MembershipQuery> MembershipQuery::parse_igmp(std::span<const std::byte> message) {
  if (message.size() < kHeader) return std::nullopt;
  const auto code = load_be<std::uint8_t>(message, 1);
  const auto group = Ipv4Address::load(message.subspan(4));
  if (!group.is_unspecified() && !group.is_multicast()) return std::nullopt;
  MembershipQuery out;
  if (!group.is_unspecified()) out.group = group;
  constexpr GstClockTime kTenth = 100 * kMillisecond;
  if (message.size() < 12) {
    // RFC 3376 7.1: of other lengths there is none.
    if (message.size() != kHeader) return std::nullopt;
    out.version = code == 0 ? MembershipVersion::v1 : MembershipVersion::v2;
    out.max_response = code == 0 ? 10 * kSecond : code * kTenth;
    return out;
  }
  out.max_response = decode<8>(code) * kTenth;
  const auto more = load_be<std::uint32_t>(message, 8);  // flags, QQIC, number of sources
  out.robustness = more >> 24 & 7;
  const std::size_t n = more & 0xffff;
  if (group.is_unspecified() && n != 0) return std::nullopt;
  return load_sources<Ipv4Address>(out, message.subspan(12), n) ? std::optional(out) : std::nullopt;
}

std::optional<MembershipQuery> MembershipQuery::parse_mld(std::span<const std::byte> message) {
  constexpr std::size_t kV1 = 24, kV2 = 28;
  if (message.size() < kV1 || (message.size() > kV1 && message.size() < kV2)) return std::nullopt;
  const auto code = load_be<std::uint16_t>(message, 4);
  const auto group = Ipv6Address::load(message.subspan(8));
  if (!group.is_unspecified() && !group.is_multicast()) return std::nullopt;
  MembershipQuery out;
  out.group = group;
  if (message.size() == kV1) {
    out.version = MembershipVersion::v2;
    out.max_response = code * kMillisecond;
    return out;
  }
  out.max_response = decode<16>(code) * kMillisecond;
  const auto more = load_be<std::uint32_t>(message, kV1);
  out.robustness = more >> 24 & 7;
  const std::size_t n = more & 0xffff;
  if (group.is_unspecified() && n != 0) return std::nullopt;
  return load_sources<Ipv6Address>(out, message.subspan(kV2), n) ? std::optional(out)
                                                                 : std::nullopt;
}

// ---- reports ----------------------------------------------------------------------------------

ReportWriter::ReportWriter(bool v4, unsigned mtu, Wire& wire, const Identity& us,
                           Counters& counters, Output& output)
    : v4_(v4),
      width_(v4 ? Ipv4Address::kSize : Ipv6Address::kSize),
      room_(mtu -
            (v4 ? Ipv4View::kMinSize + kRouterAlertV4.size()
                : Ipv6View::kSize + kRouterAlertV6.size()) -
            kHeader),
      wire_(wire),
      us_(us),
      counters_(counters),
      output_(output) {}

void ReportWriter::store(std::span<std::byte> to, const IpAddress& address) const {
  if (v4_) {
    address.v4().store(to);
  } else {
    address.v6().store(to);
  }
}

void ReportWriter::add(RecordType type, const IpAddress& group,
                       std::span<const IpAddress> sources) {
  const std::size_t fixed = 4 + width_;
  do {
    if (records_.size() + fixed + (sources.empty() ? 0 : width_) > room_) flush();
    const std::size_t fit = (room_ - records_.size() - fixed) / width_;
    const auto some = sources.first(std::min(sources.size(), fit));
    append(type, group, some);
    sources = sources.subspan(some.size());
  } while (!sources.empty());
}

void ReportWriter::append(RecordType type, const IpAddress& group,
                          std::span<const IpAddress> sources) {
  const std::size_t start = records_.size();
  records_.resize(start + 4 + width_ * (1 + sources.size()));
  const auto record = std::span(records_).subspan(start);
  store_be<std::uint8_t>(record, 0, static_cast<std::uint8_t>(type));
  store_be<std::uint16_t>(record, 2, static_cast<std::uint16_t>(sources.size()));
  store(record.subspan(4), group);
  for (std::size_t i = 0; i < sources.size(); ++i) {
    store(record.subspan(4 + width_ * (1 + i)), sources[i]);
  }
  ++n_;
}

void ReportWriter::flush() {
  if (n_ == 0) return;
  std::vector<std::byte> message(kHeader + records_.size());
  std::ranges::copy(records_, message.begin() + kHeader);
  const std::span<std::byte> bytes = message;
  store_be<std::uint8_t>(bytes, 0, v4_ ? kIgmpV3Report : Icmpv6View::kListenerReportV2);
  store_be<std::uint16_t>(bytes, 6, n_);
  records_.clear();
  n_ = 0;
  // To all routers that speak it.
  send(bytes, v4_ ? IpAddress(v4_address(22)) : IpAddress(v6_address(22)));
}

void ReportWriter::report(const IpAddress& group, MembershipVersion version) {
  const std::uint8_t type = !v4_                               ? Icmpv6View::kListenerReport
                            : version == MembershipVersion::v1 ? kIgmpV1Report
                                                               : kIgmpV2Report;
  send_short(type, group, group);
}

void ReportWriter::leave(const IpAddress& group) {
  // To all routers.
  if (v4_) {
    send_short(kIgmpLeave, group, v4_address(2));
  } else {
    send_short(Icmpv6View::kListenerDone, group, v6_address(2));
  }
}

void ReportWriter::send_short(std::uint8_t type, const IpAddress& group, const IpAddress& to) {
  std::array<std::byte, kHeader + Ipv6Address::kSize> message{};
  const auto bytes = std::span(message).first(v4_ ? kHeader : message.size());
  store_be<std::uint8_t>(bytes, 0, type);
  store(bytes.subspan(v4_ ? 4 : 8), group);
  send(bytes, to);
}

void ReportWriter::send(std::span<std::byte> message, const IpAddress& to) {
  std::vector<std::byte> packet(Ipv6View::kSize + kRouterAlertV6.size() + message.size());
  const std::span<std::byte> bytes = packet;
  std::size_t header = 0;
  if (v4_) {
    const auto from = us_.source_for(to);
    store_be<std::uint16_t>(message, 2, checksum(message));
    header = write_header(bytes, Ipv4Fields{.source = from ? from->v4() : Ipv4Address{},
                                            .destination = to.v4(),
                                            .protocol = ip_protocol::kIgmp,
                                            .ttl = 1,
                                            .tos = kInternetControl,
                                            .payload_size = message.size(),
                                            .options = kRouterAlertV4});
  } else {
    const Ipv6Address from = us_.link_local().value_or(Ipv6Address{});
    const auto length = static_cast<std::uint32_t>(message.size());
    const Checksum sum =
        Checksum().add_pseudo(from, to.v6(), ip_protocol::kIcmpv6, length).add(message);
    store_be<std::uint16_t>(message, 2, sum.value());
    header =
        write_header(bytes, Ipv6Fields{.source = from,
                                       .destination = to.v6(),
                                       .hop_limit = 1,
                                       .payload_size = kRouterAlertV6.size() + message.size()});
    std::ranges::copy(kRouterAlertV6, packet.begin() + static_cast<std::ptrdiff_t>(header));
    header += kRouterAlertV6.size();
  }
  std::ranges::copy(message, packet.begin() + static_cast<std::ptrdiff_t>(header));
  counters_.add(Count::reports_sent);
  wire_.send(output_, wire_.ip_header(to.multicast_mac(), v4_),
             bytes.first(header + message.size()));
}

}  // namespace ipplugin
