// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Ethernet II headers with up to two VLAN tags, and ARP for IPv4 over them.
 */
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "gst/packet/headers/address.hpp"
#include "gst/packet/headers/bytes.hpp"

namespace gstpacket {

/** EtherType values (IEEE 802 Numbers). */
namespace ethertype {
inline constexpr std::uint16_t kIpv4 = 0x0800;
inline constexpr std::uint16_t kArp = 0x0806;
inline constexpr std::uint16_t kVlan = 0x8100;
inline constexpr std::uint16_t kQinQ = 0x88a8;
inline constexpr std::uint16_t kIpv6 = 0x86dd;
}  // namespace ethertype

/**
 * An Ethernet header and the VLAN tags behind it, copied when the view is made (see packet.hpp).
 * Not thread safe, does not own its bytes.
 */
template <ByteLike Byte>
class BasicEthernetView {
 public:
  /** Without tags. */
  static constexpr std::size_t kSize = 14;
  /** A customer tag in a service tag; a third one is seen as an unknown type. */
  static constexpr std::size_t kMaxTags = 2;
  /** The shortest frame Ethernet carries, without its checksum. */
  static constexpr std::size_t kMinFrame = 60;

  /** Empty if `bytes` ends within the header or its tags. */
  [[nodiscard]] static std::optional<BasicEthernetView> at(std::span<Byte> bytes,
                                                           std::size_t offset = 0) noexcept {
    if (offset > bytes.size() || bytes.size() - offset < kSize) return std::nullopt;
    BasicEthernetView view(bytes.subspan(offset));
    return view.walk_tags() ? std::optional(view) : std::nullopt;
  }

  [[nodiscard]] const Mac& destination() const noexcept { return destination_; }
  [[nodiscard]] const Mac& source() const noexcept { return source_; }
  /** The type behind the tags, or an IEEE 802.3 length if below 0x600. */
  [[nodiscard]] std::uint16_t type() const noexcept { return type_; }
  [[nodiscard]] std::size_t tags() const noexcept { return tags_; }
  /** Tag control information of tag `index` (0 is the outermost). Precondition: index < tags(). */
  [[nodiscard]] std::uint16_t tag(std::size_t index) const noexcept { return tag_[index]; }
  /** 0 to 4095; 0 means a priority tag only. */
  [[nodiscard]] std::uint16_t vlan_id(std::size_t index) const noexcept {
    return tag(index) & 0x0fffU;
  }
  /** The header with its tags, in bytes: where the payload starts. */
  [[nodiscard]] std::size_t header_size() const noexcept { return kSize + 4 * tags_; }
  /** The bytes behind the header, padding included. */
  [[nodiscard]] std::span<Byte> payload() const noexcept { return bytes_.subspan(header_size()); }

  void set_destination(const Mac& mac) noexcept requires(!std::is_const_v<Byte>) {
    destination_ = mac;
    mac.store(bytes_);
  }
  void set_source(const Mac& mac) noexcept requires(!std::is_const_v<Byte>) {
    source_ = mac;
    mac.store(bytes_.subspan(Mac::kSize));
  }

 private:
  explicit BasicEthernetView(std::span<Byte> bytes) noexcept
      : bytes_(bytes),
        destination_(Mac::load(bytes)),
        source_(Mac::load(bytes.subspan(Mac::kSize))),
        type_(load_be<std::uint16_t>(bytes, 2 * Mac::kSize)) {}

  bool walk_tags() noexcept {
    while ((type_ == ethertype::kVlan || type_ == ethertype::kQinQ) && tags_ < kMaxTags) {
      if (bytes_.size() < header_size() + 4) return false;
      const auto tag_and_type = load_be<std::uint32_t>(bytes_, header_size());
      tag_[tags_++] = static_cast<std::uint16_t>(tag_and_type >> 16);
      type_ = static_cast<std::uint16_t>(tag_and_type);
    }
    return true;
  }

  std::span<Byte> bytes_;
  std::size_t tags_ = 0;
  Mac destination_, source_;
  std::uint16_t type_;
  std::array<std::uint16_t, kMaxTags> tag_{};
};

using EthernetView = BasicEthernetView<std::byte>;
using ConstEthernetView = BasicEthernetView<const std::byte>;

}  // namespace gstpacket
