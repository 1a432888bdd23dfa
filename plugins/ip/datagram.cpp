// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/ip/datagram.hpp"

#include <algorithm>
#include <cstring>

#include "gst/common/copy.hpp"
#include "gst/packet/headers/bytes.hpp"
#include "gst/packet/headers/ipv4.hpp"

namespace ipplugin {
namespace {

constexpr std::uint16_t kDontFragment = 0x4000;
constexpr std::uint16_t kMoreFragments = 0x2000;
constexpr std::uint8_t kFragmentNext = 44;  // IPv6's next header

void put(std::byte* at, std::uint16_t value) noexcept {
  const std::uint16_t swapped = swap_if_little(value);
  std::memcpy(at, &swapped, sizeof swapped);
}

}  // namespace

DatagramTemplate::DatagramTemplate(const DatagramFlow& flow) noexcept
    : ip_(std::min(flow.link_header.size(), kMaxLinkHeader)),
      v6_(!flow.destination.is_v4()),
      checksum_(flow.checksum || v6_) {
  std::copy_n(flow.link_header.begin(), ip_, bytes_.begin());
  make_ip(flow);
  const std::span<std::byte> udp = std::span(bytes_).subspan(udp_, kUdpHeader);
  store_be<std::uint16_t>(udp, 0, flow.source_port);
  store_be<std::uint16_t>(udp, 2, flow.destination_port);
  udp_sum_ += ones_complement_sum(udp) + swap_if_little(std::uint16_t{ip_protocol::kUdp});
}

void DatagramTemplate::make_ip(const DatagramFlow& flow) noexcept {
  const std::span<std::byte> out = std::span(bytes_).subspan(ip_);
  const auto traffic_class = static_cast<std::uint8_t>(flow.dscp << 2);
  if (v6_) {
    udp_ = ip_ + kV6Header;
    store_be<std::uint32_t>(out, 0, 0x60000000U | std::uint32_t{traffic_class} << 20);
    out[6] = std::byte{ip_protocol::kUdp};
    out[7] = std::byte{flow.hop_limit};
    flow.source.v6().store(out.subspan(8));
    flow.destination.v6().store(out.subspan(24));
    udp_sum_ = ones_complement_sum(out.subspan(8, 32));
    return;
  }
  udp_ = ip_ + kV4Header;
  out[0] = std::byte{0x45};
  out[1] = std::byte{traffic_class};
  out[8] = std::byte{flow.hop_limit};
  out[9] = std::byte{ip_protocol::kUdp};
  flow.source.v4().store(out.subspan(12));
  flow.destination.v4().store(out.subspan(16));
  ip_sum_ = ones_complement_sum(out.first(kV4Header));
  udp_sum_ = ones_complement_sum(out.subspan(12, 8));
}

/** `length` is that of the packet from the IP header on. */
[[gnu::always_inline]] inline void DatagramTemplate::finish_ip(
    std::byte* ip, std::size_t length, std::uint16_t fragment,
    std::uint16_t identification) const noexcept {
  if (v6_) return put(ip + 4, static_cast<std::uint16_t>(length - kV6Header));
  const auto total = static_cast<std::uint16_t>(length);
  const std::uint64_t sum =
      ip_sum_ + swap_if_little(total) + swap_if_little(fragment) + swap_if_little(identification);
  const auto checksum = static_cast<std::uint16_t>(~fold_sum(sum));
  put(ip + 2, total);
  put(ip + 4, identification);
  put(ip + 6, fragment);
  std::memcpy(ip + 10, &checksum, sizeof checksum);
}

/** As it stands in memory. */
[[gnu::always_inline]] inline std::uint16_t DatagramTemplate::udp_checksum(
    std::size_t length, std::uint64_t sum) const noexcept {
  if (!checksum_) return 0;
  // The length counts twice: in the pseudo header and in that of UDP.
  const std::uint64_t rest =
      udp_sum_ + 2 * std::uint64_t{swap_if_little(static_cast<std::uint16_t>(length))};
  const auto value = static_cast<std::uint16_t>(~fold_sum(gstpacket::detail::add_carry(sum, rest)));
  return value == 0 ? 0xffff : value;  // 0 would mean none (RFC 768)
}

void DatagramTemplate::write(std::span<std::byte> packet, std::uint64_t sum) const noexcept {
  std::byte* const out = packet.data();
  gstcommon::copy_packet(out, bytes_.data(), size());
  // Never fragmented on its way, so the identification may stay 0 (RFC 6864).
  finish_ip(out + ip_, packet.size() - ip_, kDontFragment, 0);
  const std::size_t length = packet.size() - udp_;
  const std::uint16_t checksum = udp_checksum(length, sum);
  put(out + udp_ + 4, static_cast<std::uint16_t>(length));
  std::memcpy(out + udp_ + 6, &checksum, sizeof checksum);
}

void DatagramTemplate::write_udp(std::span<std::byte> udp, std::uint64_t sum) const noexcept {
  std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(udp_), 4, udp.begin());
  const std::uint16_t checksum = udp_checksum(udp.size(), sum);
  put(udp.data() + 4, static_cast<std::uint16_t>(udp.size()));
  std::memcpy(udp.data() + 6, &checksum, sizeof checksum);
}

void DatagramTemplate::write_fragment(std::span<std::byte> packet,
                                      const Fragment& fragment) const noexcept {
  std::byte* const out = packet.data();
  std::byte* const ip = out + ip_;
  std::memcpy(out, bytes_.data(), udp_);
  const std::size_t length = packet.size() - ip_;
  if (!v6_) {
    const auto word =
        static_cast<std::uint16_t>(fragment.offset / 8 | (fragment.more ? kMoreFragments : 0U));
    return finish_ip(ip, length, word, static_cast<std::uint16_t>(fragment.identification));
  }
  finish_ip(ip, length, 0, 0);
  ip[6] = std::byte{kFragmentNext};
  const std::span<std::byte> header(out + udp_, kFragmentHeader);
  store_be<std::uint16_t>(header, 0, std::uint16_t{ip_protocol::kUdp} << 8);
  store_be<std::uint16_t>(header, 2,
                          static_cast<std::uint16_t>(fragment.offset | (fragment.more ? 1U : 0U)));
  store_be<std::uint32_t>(header, 4, fragment.identification);
}

}  // namespace ipplugin
