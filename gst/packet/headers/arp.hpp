// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * ARP for IPv4 over Ethernet (RFC 826).
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "gst/packet/headers/address.hpp"
#include "gst/packet/headers/bytes.hpp"

namespace gstpacket {

/**
 * An ARP packet that resolves IPv4 addresses to MAC addresses; no other kind is accepted. Copied
 * when the view is made (see packet.hpp).
 */
template <ByteLike Byte>
class BasicArpView {
 public:
  static constexpr std::size_t kSize = 28;
  static constexpr std::uint16_t kRequest = 1;
  static constexpr std::uint16_t kReply = 2;

  /**
   * Empty if there are fewer than 28 bytes or the hardware type, protocol type or one of the
   * address lengths is not that of IPv4 over Ethernet.
   */
  [[nodiscard]] static std::optional<BasicArpView> at(std::span<Byte> bytes,
                                                      std::size_t offset = 0) noexcept {
    if (offset > bytes.size() || bytes.size() - offset < kSize) return std::nullopt;
    const BasicArpView view(bytes.subspan(offset, kSize));
    constexpr std::uint64_t kEthernetIpv4 = 0x000108000604;
    if (view.kind_ >> 16 != kEthernetIpv4) return std::nullopt;
    return view;
  }

  [[nodiscard]] std::uint16_t operation() const noexcept {
    return static_cast<std::uint16_t>(kind_);
  }
  [[nodiscard]] const Mac& sender_mac() const noexcept { return sender_mac_; }
  [[nodiscard]] Ipv4Address sender() const noexcept { return sender_; }
  [[nodiscard]] const Mac& target_mac() const noexcept { return target_mac_; }
  [[nodiscard]] Ipv4Address target() const noexcept { return target_; }

  /** Turns the request into the reply of the host that owns `target()`. */
  void make_reply(const Mac& mac) noexcept requires(!std::is_const_v<Byte>) {
    kind_ = (kind_ & ~std::uint64_t{0xffff}) | kReply;
    target_mac_ = std::exchange(sender_mac_, mac);
    std::swap(sender_, target_);
    store_be<std::uint64_t>(bytes_, 0, kind_);
    sender_mac_.store(bytes_.subspan(8));
    sender_.store(bytes_.subspan(14));
    target_mac_.store(bytes_.subspan(18));
    target_.store(bytes_.subspan(24));
  }

 private:
  explicit BasicArpView(std::span<Byte> bytes) noexcept
      : bytes_(bytes),
        kind_(load_be<std::uint64_t>(bytes)),
        sender_mac_(Mac::load(bytes.subspan(8))),
        target_mac_(Mac::load(bytes.subspan(18))),
        sender_(Ipv4Address::load(bytes.subspan(14))),
        target_(Ipv4Address::load(bytes.subspan(24))) {}

  std::span<Byte> bytes_;
  // All of it, copied.
  std::uint64_t kind_;  // of addresses, and the operation
  Mac sender_mac_, target_mac_;
  Ipv4Address sender_, target_;
};

using ArpView = BasicArpView<std::byte>;
using ConstArpView = BasicArpView<const std::byte>;

}  // namespace gstpacket
