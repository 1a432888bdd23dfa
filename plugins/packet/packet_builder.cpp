// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/packet/packet_builder.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "gst/packet/headers/checksum.hpp"
#include "gst/packet/headers/ethernet.hpp"
#include "gst/packet/headers/icmp.hpp"
#include "gst/packet/headers/ipv4.hpp"
#include "gst/packet/headers/ipv6.hpp"
#include "gst/packet/headers/udp.hpp"
#include "plugins/packet/test_header.hpp"

namespace packetplugin {
namespace {

constexpr std::uint8_t kHopLimit = 64;

/** The contribution of `value`, stored big-endian at an even offset, to a sum in host order. */
constexpr std::uint64_t sum_of(std::uint64_t stored) noexcept {
  return (stored & 0xffffffffU) + (stored >> 32);
}

void store_swapped(std::byte* at, std::uint16_t value) noexcept {
  std::memcpy(at, &value, sizeof value);
}

}  // namespace

Result<PacketBuilder> PacketBuilder::make(const GenPlan& plan, LinkType link_type) {
  PacketBuilder maker;
  maker.build_headers(plan, link_type);
  if (const auto fit = maker.fit_sizes(plan); !fit) return fit.error();
  maker.random_ = (std::uint64_t{plan.seed} << 32) | 0x9e3779b9U;
  maker.shuffle();
  maker.build_tails();
  maker.first_port_ = plan.source_port;
  maker.numbers_.assign(plan.flows, 0);
  return maker;
}

// ---- Headers ----------------------------------------------------------------------------------

void PacketBuilder::build_headers(const GenPlan& plan, LinkType link_type) {
  if (link_type == LinkType::ethernet) build_ethernet(plan);
  build_ip(plan);
  build_upper(plan);
}

void PacketBuilder::build_ethernet(const GenPlan& plan) {
  const std::span<std::byte> out(headers_);
  plan.destination_mac.store(out);
  plan.source_mac.store(out.subspan(6));
  ip_ = 12;
  if (plan.vlan >= 0) {
    store_be<std::uint16_t>(out, ip_, ethertype::kVlan);
    store_be<std::uint16_t>(out, ip_ + 2, static_cast<std::uint16_t>(plan.vlan));
    ip_ += 4;
  }
  store_be<std::uint16_t>(out, ip_, plan.ip_version == 4 ? ethertype::kIpv4 : ethertype::kIpv6);
  ip_ += 2;
}

void PacketBuilder::build_ip(const GenPlan& plan) {
  ipv6_ = plan.ip_version == 6;
  udp_ = plan.protocol == GenProtocol::udp;
  const std::span<std::byte> out = std::span(headers_).subspan(ip_);
  if (ipv6_) {
    upper_ = ip_ + Ipv6View::kSize;
    out[0] = std::byte{0x60};
    out[6] = std::byte{udp_ ? ip_protocol::kUdp : ip_protocol::kIcmpv6};
    out[7] = std::byte{kHopLimit};
    plan.source_v6.store(out.subspan(8));
    plan.destination_v6.store(out.subspan(24));
    return;
  }
  upper_ = ip_ + Ipv4View::kMinSize;
  out[0] = std::byte{0x45};
  // Never fragmented, so the identification may stay 0 (RFC 6864).
  store_be<std::uint16_t>(out, 6, 0x4000);
  out[8] = std::byte{kHopLimit};
  out[9] = std::byte{udp_ ? ip_protocol::kUdp : ip_protocol::kIcmp};
  plan.source_v4.store(out.subspan(12));
  plan.destination_v4.store(out.subspan(16));
  ip_sum_ = ones_complement_sum(out.first(Ipv4View::kMinSize));
}

void PacketBuilder::build_upper(const GenPlan& plan) {
  headers_size_ = upper_ + UdpView::kSize;
  const std::span<std::byte> out = std::span(headers_).subspan(upper_, UdpView::kSize);
  const std::span<const std::byte> ip = std::span(headers_).subspan(ip_);
  if (udp_) {
    store_be<std::uint16_t>(out, 2, plan.destination_port);
  } else {
    out[0] = std::byte{ipv6_ ? Icmpv6View::kEchoRequest : IcmpView::kEchoRequest};
  }
  upper_sum_ = ones_complement_sum(out);
  if (!udp_ && !ipv6_) return;  // ICMP has no pseudo header
  const auto protocol = udp_ ? ip_protocol::kUdp : ip_protocol::kIcmpv6;
  upper_sum_ += swap_if_little(std::uint16_t{protocol});
  upper_sum_ +=
      ipv6_ ? ones_complement_sum(ip.subspan(8, 32)) : ones_complement_sum(ip.subspan(12, 8));
  length_times_ = udp_ ? 2 : 1;
}

// ---- Sizes and tails --------------------------------------------------------------------------

Result<void> PacketBuilder::fit_sizes(const GenPlan& plan) {
  const auto least = static_cast<std::uint32_t>(headers_size_ + TestHeader::kSize);
  sizes_ = plan.sizes;
  for (std::uint32_t& size : sizes_.mix) size = std::max(size, least);
  if (sizes_.is_mix()) sizes_.low = std::max(sizes_.low, least);
  if (sizes_.low >= least) return {};
  return Error{"size=" + std::to_string(sizes_.low),
               std::to_string(headers_size_) + " bytes of headers and " +
                   std::to_string(TestHeader::kSize) + " for number and time need more",
               "Give " + std::to_string(least) + " or more"};
}

std::uint32_t PacketBuilder::random() noexcept {
  random_ ^= random_ >> 12;
  random_ ^= random_ << 25;
  random_ ^= random_ >> 27;
  return static_cast<std::uint32_t>((random_ * 0x2545f4914f6cdd1dU) >> 32);
}

void PacketBuilder::shuffle() {
  for (std::size_t i = sizes_.mix.size(); i > 1; --i) {
    std::swap(sizes_.mix[i - 1], sizes_.mix[random() % i]);
  }
}

void PacketBuilder::build_tails() {
  const std::size_t longest = sizes_.high - headers_size_ - TestHeader::kSize;
  pattern_.resize(longest + (kPhases - 1) * kPhaseStep);
  for (std::byte& byte : pattern_) byte = static_cast<std::byte>(random());
  tails_.reserve(kPhases * (longest + 1));
  for (std::size_t phase = 0; phase < kPhases; ++phase) {
    const auto from = std::span<const std::byte>(pattern_).subspan(phase * kPhaseStep, longest);
    Tail whole{kCrcStart, 0};
    tails_.push_back(whole);
    for (std::size_t size = 1; size <= longest; ++size) {
      whole.crc = crc_of_tail(whole.crc, from.subspan(size - 1, 1));
      // Only pairs of bytes continue a sum; a single last one counts for itself.
      const auto word = from.subspan((size - 1) & ~std::size_t{1}, size % 2 == 0 ? 2 : 1);
      const std::uint64_t sum = whole.sum + ones_complement_sum(word);
      tails_.push_back({whole.crc, fold_sum(sum)});
      if (size % 2 == 0) whole.sum = fold_sum(sum);
    }
  }
}

// ---- Packets ----------------------------------------------------------------------------------

std::uint32_t PacketBuilder::next_size() noexcept {
  if (sizes_.is_mix()) {
    const std::uint32_t size = sizes_.mix[mix_next_];
    mix_next_ = mix_next_ + 1 == sizes_.mix.size() ? 0 : mix_next_ + 1;
    return size;
  }
  if (sizes_.low == sizes_.high) return sizes_.low;
  const std::uint64_t span = sizes_.high - sizes_.low + 1;
  return sizes_.low + static_cast<std::uint32_t>((random() * span) >> 32);
}

void PacketBuilder::finish_ip(std::byte* headers, std::uint32_t size) const noexcept {
  std::byte* const ip = headers + ip_;
  if (ipv6_) {
    store_swapped(ip + 4, swap_if_little(static_cast<std::uint16_t>(size - upper_)));
    return;
  }
  const auto length = swap_if_little(static_cast<std::uint16_t>(size - ip_));
  store_swapped(ip + 2, length);
  store_swapped(ip + 10, static_cast<std::uint16_t>(~fold_sum(ip_sum_ + length)));
}

void PacketBuilder::write(std::span<std::byte> out, std::uint64_t time) noexcept {
  const auto size = static_cast<std::uint32_t>(out.size());
  const auto flow = static_cast<std::uint16_t>(flow_);
  std::byte* const headers = out.data();
  std::memcpy(headers, headers_.data(), headers_size_);
  finish_ip(headers, size);

  // Everything below is kept in memory order, and summed before it is stored: loading a word that
  // was just stored in parts would stall.
  TestHeader probe;
  probe.flow = flow;
  probe.number = numbers_[flow_]++;
  flow_ = flow_ + 1 == numbers_.size() ? 0 : flow_ + 1;
  constexpr std::uint16_t kMagic = swap_if_little(TestHeader::kMagic);
  const std::uint64_t name = swap_if_little(probe.flow_and_number());
  const std::uint64_t sent = swap_if_little(time);
  const std::size_t tail_size = size - headers_size_ - TestHeader::kSize;
  const std::size_t phase = probe.number % kPhases;
  const Tail& tail = tails_[phase * (tails_.size() / kPhases) + tail_size];
  const std::uint32_t crc = swap_if_little(crc_of_fields(tail.crc, kMagic, name, sent));

  const auto port = swap_if_little(static_cast<std::uint16_t>(first_port_ + flow));
  const auto length = swap_if_little(static_cast<std::uint16_t>(size - upper_));
  const auto sequence = swap_if_little(static_cast<std::uint16_t>(probe.number));
  const std::uint64_t sum = upper_sum_ + port + std::uint64_t{length} * length_times_ +
                            (udp_ ? 0U : sequence) + kMagic + sum_of(name) + sum_of(sent) + crc +
                            tail.sum;
  auto checksum = static_cast<std::uint16_t>(~fold_sum(sum));
  std::byte* const upper = headers + upper_;
  if (udp_) {
    if (checksum == 0) checksum = 0xffff;  // 0 would mean none (RFC 768)
    store_swapped(upper, port);
    store_swapped(upper + 4, length);
    store_swapped(upper + 6, checksum);
  } else {
    store_swapped(upper + 2, checksum);
    store_swapped(upper + 4, port);
    store_swapped(upper + 6, sequence);
  }
  std::byte* const payload = headers + headers_size_;
  store_swapped(payload, kMagic);
  std::memcpy(payload + 2, &name, sizeof name);
  std::memcpy(payload + 10, &sent, sizeof sent);
  std::memcpy(payload + 18, &crc, sizeof crc);
  if (tail_size != 0) {
    std::memcpy(payload + TestHeader::kSize, pattern_.data() + phase * kPhaseStep, tail_size);
  }
}

}  // namespace packetplugin
