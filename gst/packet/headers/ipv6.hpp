// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * IPv6 headers and the extension headers behind them (RFC 8200).
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "gst/packet/headers/address.hpp"
#include "gst/packet/headers/bytes.hpp"
#include "gst/packet/headers/ipv4.hpp"

namespace gstpacket {

/** A copy of an IPv6 header, with its fields unchecked. */
class Ipv6Header {
 public:
  static constexpr std::size_t kSize = 40;

  /** Precondition: bytes.size() >= kSize. */
  explicit Ipv6Header(std::span<const std::byte> bytes) noexcept
      : first_(bytes.data()),
        source_(Ipv6Address::load(bytes.subspan(8))),
        destination_(Ipv6Address::load(bytes.subspan(24))) {}

  [[nodiscard]] std::uint8_t version() const noexcept { return first_.get<std::uint8_t>(0) >> 4; }
  [[nodiscard]] std::uint8_t traffic_class() const noexcept {
    return static_cast<std::uint8_t>(first_.get<std::uint16_t>(0) >> 4);
  }
  /** 20 bits. */
  [[nodiscard]] std::uint32_t flow_label() const noexcept {
    return first_.get<std::uint32_t>(0) & 0xfffffU;
  }
  /** In bytes: extension headers and upper-layer packet. */
  [[nodiscard]] std::size_t payload_length() const noexcept { return first_.get<std::uint16_t>(4); }
  /** The type of what follows directly behind the IPv6 header. */
  [[nodiscard]] std::uint8_t next_header() const noexcept { return first_.get<std::uint8_t>(6); }
  [[nodiscard]] std::uint8_t hop_limit() const noexcept { return first_.get<std::uint8_t>(7); }
  [[nodiscard]] const Ipv6Address& source() const noexcept { return source_; }
  [[nodiscard]] const Ipv6Address& destination() const noexcept { return destination_; }

 protected:
  Octets<std::uint64_t> first_;
  Ipv6Address source_, destination_;
};

/** A copy of a fragment header (RFC 8200 4.5). */
class Ipv6FragmentHeader {
 public:
  static constexpr std::size_t kSize = 8;

  /** Precondition: bytes.size() >= kSize. */
  explicit Ipv6FragmentHeader(std::span<const std::byte> bytes) noexcept : bytes_(bytes.data()) {}

  /** Of the first fragment: the type of what begins behind this header. */
  [[nodiscard]] std::uint8_t next_header() const noexcept { return bytes_.get<std::uint8_t>(0); }
  /** In bytes, a multiple of 8. */
  [[nodiscard]] std::size_t offset() const noexcept {
    return bytes_.get<std::uint16_t>(2) & 0xfff8U;
  }
  [[nodiscard]] bool more_fragments() const noexcept {
    return (bytes_.get<std::uint16_t>(2) & 1U) != 0;
  }
  /** A whole packet all the same (RFC 6946). */
  [[nodiscard]] bool is_atomic() const noexcept { return offset() == 0 && !more_fragments(); }
  [[nodiscard]] std::uint32_t identification() const noexcept {
    return bytes_.get<std::uint32_t>(4);
  }

 private:
  Octets<std::uint64_t> bytes_;
};

/**
 * An IPv6 packet: header, extension headers and payload, without bytes behind its payload length.
 * The header is copied when the view is made (see packet.hpp), and hop-by-hop options,
 * routing and destination options headers are walked once; a fragment header ends the walk.
 * Jumbograms (RFC 2675) are not supported.
 */
template <ByteLike Byte>
class BasicIpv6View : public Ipv6Header {
 public:
  /**
   * Empty unless the packet is complete: version 6, a payload length that does not exceed the
   * available bytes, and every extension header and option inside the payload.
   */
  [[nodiscard]] static std::optional<BasicIpv6View> at(std::span<Byte> bytes,
                                                       std::size_t offset = 0) noexcept {
    if (offset > bytes.size() || bytes.size() - offset < kSize) return std::nullopt;
    bytes = bytes.subspan(offset);
    return of(Ipv6Header(bytes), bytes);
  }
  /** The same with a header that has been copied from the beginning of `bytes`. */
  [[nodiscard]] static std::optional<BasicIpv6View> of(const Ipv6Header& header,
                                                       std::span<Byte> bytes) noexcept {
    const std::size_t total = kSize + header.payload_length();
    if (header.version() != 6 || total > bytes.size()) return std::nullopt;
    BasicIpv6View view(header, bytes.first(total));
    return view.walk() ? std::optional(view) : std::nullopt;
  }

  /** In bytes: extension headers and upper-layer packet. */
  [[nodiscard]] std::size_t payload_length() const noexcept { return bytes_.size() - kSize; }
  /** In bytes: everything. */
  [[nodiscard]] std::size_t total_length() const noexcept { return bytes_.size(); }

  /** The type of the payload behind the extension headers. */
  [[nodiscard]] std::uint8_t protocol() const noexcept { return protocol_; }
  /** The IPv6 header and its extension headers, in bytes. */
  [[nodiscard]] std::size_t header_size() const noexcept { return header_size_; }
  /** The upper-layer packet. */
  [[nodiscard]] std::span<Byte> payload() const noexcept { return bytes_.subspan(header_size_); }
  /**
   * Whether there is a fragment header, even of an unfragmented packet; payload() starts with it.
   */
  [[nodiscard]] bool is_fragment() const noexcept { return fragment_; }
  /** Whether a routing header directs the packet to another node. */
  [[nodiscard]] bool is_source_routed() const noexcept { return source_routed_; }
  /** Whether an unknown option requires the packet to be discarded (RFC 8200 4.2). */
  [[nodiscard]] bool has_mandatory_option() const noexcept { return mandatory_option_; }
  /** Whether there is a router alert option (RFC 2711), of any value. */
  [[nodiscard]] bool has_router_alert() const noexcept { return router_alert_; }

  void set_hop_limit(std::uint8_t value) noexcept requires(!std::is_const_v<Byte>) {
    first_.set<std::uint8_t>(7, value);
    store_be<std::uint8_t>(bytes_, 7, value);
  }
  void set_next_header(std::uint8_t value) noexcept requires(!std::is_const_v<Byte>) {
    first_.set<std::uint8_t>(6, value);
    store_be<std::uint8_t>(bytes_, 6, value);
  }
  /** In bytes; the view itself keeps its size. */
  void set_payload_length(std::uint16_t value) noexcept requires(!std::is_const_v<Byte>) {
    first_.set<std::uint16_t>(4, value);
    store_be<std::uint16_t>(bytes_, 4, value);
  }
  void set_source(const Ipv6Address& address) noexcept requires(!std::is_const_v<Byte>) {
    source_ = address;
    address.store(bytes_.subspan(8));
  }
  void set_destination(const Ipv6Address& address) noexcept requires(!std::is_const_v<Byte>) {
    destination_ = address;
    address.store(bytes_.subspan(24));
  }
  /** Exchanges source and destination, which no checksum notices. */
  void swap_addresses() noexcept requires(!std::is_const_v<Byte>) {
    const Ipv6Address was = source_;
    set_source(destination_);
    set_destination(was);
  }

 private:
  static constexpr std::uint8_t kHopByHop = 0;
  static constexpr std::uint8_t kRouting = 43;
  static constexpr std::uint8_t kDestinationOptions = 60;
  static constexpr std::uint8_t kRouterAlert = 5;

  BasicIpv6View(const Ipv6Header& header, std::span<Byte> bytes) noexcept
      : Ipv6Header(header), bytes_(bytes) {}

  bool walk() noexcept {
    protocol_ = next_header();
    for (;;) {
      if (protocol_ == ip_protocol::kFragment) {
        fragment_ = true;
        return bytes_.size() - header_size_ >= 8;
      }
      // Hop-by-hop options are only allowed directly behind the IPv6 header; anywhere else they
      // are an unknown protocol.
      const bool options =
          protocol_ == kDestinationOptions || (protocol_ == kHopByHop && header_size_ == kSize);
      if (!options && protocol_ != kRouting) return true;
      if (bytes_.size() - header_size_ < 8) return false;
      const auto type_and_size = load_be<std::uint16_t>(bytes_, header_size_);
      const std::size_t length = ((type_and_size & 0xffU) + 1) * std::size_t{8};
      if (bytes_.size() - header_size_ < length) return false;
      const auto extension = bytes_.subspan(header_size_, length);
      if (options) {
        if (!walk_options(extension.subspan(2))) return false;
      } else if (load_be<std::uint8_t>(extension, 3) != 0) {
        source_routed_ = true;
      }
      protocol_ = static_cast<std::uint8_t>(type_and_size >> 8);
      header_size_ += length;
    }
  }

  bool walk_options(std::span<const std::byte> options) noexcept {
    while (!options.empty()) {
      const auto type = load_be<std::uint8_t>(options);
      if (type == 0) {  // Pad1 has no length.
        options = options.subspan(1);
        continue;
      }
      if (options.size() < 2) return false;
      const std::size_t size = load_be<std::uint8_t>(options, 1) + std::size_t{2};
      if (size > options.size()) return false;
      mandatory_option_ |= (type & 0xc0U) != 0;
      router_alert_ |= type == kRouterAlert;
      options = options.subspan(size);
    }
    return true;
  }

  std::span<Byte> bytes_;
  std::size_t header_size_ = kSize;
  std::uint8_t protocol_ = 0;
  bool fragment_ = false;
  bool source_routed_ = false;
  bool mandatory_option_ = false;
  bool router_alert_ = false;
};

using Ipv6View = BasicIpv6View<std::byte>;
using ConstIpv6View = BasicIpv6View<const std::byte>;

}  // namespace gstpacket
