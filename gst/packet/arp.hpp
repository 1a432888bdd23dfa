// SPDX-License-Identifier: LGPL-2.1-or-later
//
// ARP for IPv4 over Ethernet (RFC 826).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "gst/packet/address.hpp"
#include "gst/packet/bytes.hpp"

namespace gstpacket {

/// An ARP packet that resolves IPv4 addresses to MAC addresses; no other kind is accepted.
template <ByteLike Byte>
class BasicArpView {
 public:
  static constexpr std::size_t kSize = 28;
  static constexpr std::uint16_t kRequest = 1;
  static constexpr std::uint16_t kReply = 2;

  /// Nothing if there are fewer than 28 bytes or the hardware type, protocol type or one of the
  /// address lengths is not that of IPv4 over Ethernet.
  [[nodiscard]] static std::optional<BasicArpView> at(std::span<Byte> bytes,
                                                      std::size_t offset = 0) noexcept {
    if (offset > bytes.size() || bytes.size() - offset < kSize) return std::nullopt;
    const BasicArpView view(bytes.subspan(offset, kSize));
    constexpr std::uint64_t kEthernetIpv4 = 0x000108000604;
    if (load_be<std::uint64_t>(view.bytes_) >> 16 != kEthernetIpv4) return std::nullopt;
    return view;
  }

  [[nodiscard]] std::uint16_t operation() const noexcept {
    return load_be<std::uint16_t>(bytes_, 6);
  }
  [[nodiscard]] Mac sender_mac() const noexcept { return Mac::load(bytes_.subspan(8)); }
  [[nodiscard]] Ipv4Address sender() const noexcept {
    return Ipv4Address::load(bytes_.subspan(14));
  }
  [[nodiscard]] Mac target_mac() const noexcept { return Mac::load(bytes_.subspan(18)); }
  [[nodiscard]] Ipv4Address target() const noexcept {
    return Ipv4Address::load(bytes_.subspan(24));
  }

  /// Turns the request into the reply of the host that owns `target()`.
  void make_reply(const Mac& mac) const noexcept requires(!std::is_const_v<Byte>) {
    const Ipv4Address ours = target();
    sender_mac().store(bytes_.subspan(18));
    sender().store(bytes_.subspan(24));
    mac.store(bytes_.subspan(8));
    ours.store(bytes_.subspan(14));
    store_be<std::uint16_t>(bytes_, 6, kReply);
  }

 private:
  explicit BasicArpView(std::span<Byte> bytes) noexcept : bytes_(bytes) {}
  std::span<Byte> bytes_;
};

using ArpView = BasicArpView<std::byte>;
using ConstArpView = BasicArpView<const std::byte>;

}  // namespace gstpacket
