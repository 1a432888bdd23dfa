// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "frames.hpp"

#include <algorithm>
#include <array>

#include "gst/packet/headers/checksum.hpp"
#include "gst/packet/headers/ethernet.hpp"
#include "gst/packet/headers/icmp.hpp"
#include "gst/packet/headers/ipv4.hpp"
#include "gst/packet/headers/udp.hpp"

namespace bench {

using namespace gstpacket;

namespace {

constexpr Ipv4Address kOurs{0xc0a80102};    // 192.168.1.2
constexpr Ipv4Address kTarget{0xc0a80101};  // 192.168.1.1, as icmpresponder has it by default
constexpr Mac kOurMac{{0x02, 0, 0xc0, 0xa8, 1, 2}};
constexpr Mac kTargetMac{{0x02, 0, 0xc0, 0xa8, 1, 1}};
constexpr std::uint16_t kIdentifier = 0x6d69;
constexpr std::uint16_t kPort = 4789;
constexpr std::size_t kIp = ConstEthernetView::kSize;
constexpr std::size_t kMessage = kIp + ConstIpv4View::kMinSize;
constexpr std::size_t kPayload = kMessage + 8;
constexpr std::array<std::size_t, Frames::kMix> kMixedSizes{64, 570, 64, 64,   570, 64,
                                                            64, 570, 64, 1518, 64,  570};

std::vector<std::byte> make_frame(Task task, std::size_t size, std::size_t number) {
  std::vector<std::byte> frame(std::max(size, kPayload));
  const std::span<std::byte> bytes(frame);
  kTargetMac.store(bytes);
  kOurMac.store(bytes.subspan(6));
  store_be<std::uint16_t>(bytes, 12, ethertype::kIpv4);
  for (std::size_t i = kPayload; i < frame.size(); ++i) {
    frame[i] = static_cast<std::byte>(i * 7 + number);
  }
  const std::span<std::byte> ip = bytes.subspan(kIp);
  store_be<std::uint8_t>(ip, 0, 0x45);
  store_be<std::uint16_t>(ip, 2, static_cast<std::uint16_t>(ip.size()));
  store_be<std::uint8_t>(ip, 8, 64);
  store_be<std::uint8_t>(ip, 9, task == Task::echo ? ip_protocol::kIcmp : ip_protocol::kUdp);
  kOurs.store(ip.subspan(12));
  kTarget.store(ip.subspan(16));
  store_be<std::uint16_t>(ip, 10, checksum(ip.first(ConstIpv4View::kMinSize)));
  const std::span<std::byte> message = bytes.subspan(kMessage);
  const auto sequence = static_cast<std::uint16_t>(number);
  if (task == Task::echo) {
    store_be<std::uint8_t>(message, 0, ConstIcmpView::kEchoRequest);
    store_be<std::uint16_t>(message, 4, kIdentifier);
    store_be<std::uint16_t>(message, 6, sequence);
    store_be<std::uint16_t>(message, 2, checksum(message));
  } else {
    store_be<std::uint16_t>(message, 0, static_cast<std::uint16_t>(kPort + sequence));
    store_be<std::uint16_t>(message, 2, kPort);
    store_be<std::uint16_t>(message, 4, static_cast<std::uint16_t>(message.size()));
    UdpView::at(message)->update_checksum(kOurs, kTarget);
  }
  return frame;
}

bool macs_swapped(std::span<const std::byte> frame, std::span<const std::byte> sent) {
  return std::ranges::equal(frame.first(6), sent.subspan(6, 6)) &&
         std::ranges::equal(frame.subspan(6, 6), sent.first(6));
}

/** Everything of a reply but what a responder may choose: its TTL, and hence the IP checksum. */
bool is_reply(std::span<const std::byte> frame, std::span<const std::byte> request) {
  const auto ip = ConstIpv4View::at(frame, kIp);
  if (!ip || !ip->checksum_valid() || ip->source() != kTarget || ip->destination() != kOurs) {
    return false;
  }
  const std::span<const std::byte> message = frame.subspan(kMessage);
  return macs_swapped(frame, request) && checksum_valid(message) &&
         load_be<std::uint16_t>(message) == ConstIcmpView::kEchoReply << 8 &&
         std::ranges::equal(message.subspan(4), request.subspan(kMessage + 4));
}

bool is_forwarded(std::span<const std::byte> frame, std::span<const std::byte> sent) {
  const bool macs =
      std::ranges::equal(frame.first(12), sent.first(12)) || macs_swapped(frame, sent);
  return macs && std::ranges::equal(frame.subspan(12), sent.subspan(12));
}

}  // namespace

Frames::Frames(Task task, std::size_t size) : task_(task) {
  const std::size_t n = size == 0 ? kMix : kSame;
  for (std::size_t i = 0; i < n; ++i) {
    frames_.push_back(make_frame(task, size == 0 ? kMixedSizes[i] : size, i));
    longest_ = std::max(longest_, frames_.back().size());
    mean_ += static_cast<double>(frames_.back().size()) / static_cast<double>(n);
  }
}

bool Frames::mixed_length_right(std::size_t length) const noexcept {
  return std::ranges::find(kMixedSizes, length) != kMixedSizes.end();
}

std::optional<std::size_t> Frames::number(std::span<const std::byte> frame) const noexcept {
  if (frame.size() < kPayload) return std::nullopt;
  const std::size_t n = task_ == Task::echo
                            ? load_be<std::uint16_t>(frame, kMessage + 6)
                            : std::size_t{load_be<std::uint16_t>(frame, kMessage)} - kPort;
  if (n >= frames_.size()) return std::nullopt;
  return n;
}

bool Frames::right(std::span<const std::byte> frame) const {
  const auto n = number(frame);
  if (!n || frame.size() != frames_[*n].size()) return false;
  const std::span<const std::byte> sent = frames_[*n];
  return task_ == Task::echo ? is_reply(frame, sent) : is_forwarded(frame, sent);
}

bool turn_around(std::span<std::byte> frame) noexcept {
  if (frame.size() < kPayload || frame[kMessage] != std::byte{ConstIcmpView::kEchoRequest}) {
    return false;
  }
  std::swap_ranges(frame.begin(), frame.begin() + 6, frame.begin() + 6);
  std::swap_ranges(frame.begin() + kIp + 12, frame.begin() + kIp + 16, frame.begin() + kIp + 16);
  frame[kMessage] = std::byte{ConstIcmpView::kEchoReply};
  // The type went from 8 to 0, so the complement of the sum grows by 0x0800.
  std::uint32_t sum = load_be<std::uint16_t>(frame, kMessage + 2) + 0x0800U;
  sum = (sum & 0xffffU) + (sum >> 16);
  store_be<std::uint16_t>(frame, kMessage + 2, static_cast<std::uint16_t>(sum));
  return true;
}

}  // namespace bench
