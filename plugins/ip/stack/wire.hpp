// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The link layer of a host: headers in front of its own packets, and where those go.
 */
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "plugins/ip/stack/config.hpp"

namespace ipplugin {

/** Where a host's own packets go. */
class Output {
 public:
  virtual ~Output() = default;
  /** One packet of the host's link type, whose bytes are valid during the call. */
  virtual void send(std::span<const std::byte> packet) = 0;
};

/** An Ethernet header with or without a tag, or nothing. */
struct LinkHeader {
  static constexpr std::size_t kMaxSize = 18;
  std::array<std::byte, kMaxSize> bytes{};
  std::size_t size = 0;
  [[nodiscard]] std::span<const std::byte> span() const noexcept {
    return std::span(bytes).first(size);
  }
};

class Wire {
 public:
  explicit Wire(const HostConfig& config);

  [[nodiscard]] bool is_ethernet() const noexcept { return ethernet_; }
  [[nodiscard]] const Mac& mac() const noexcept { return mac_; }
  [[nodiscard]] LinkHeader header(const Mac& to, std::uint16_t type) const noexcept;
  [[nodiscard]] LinkHeader ip_header(const Mac& to, bool v4) const noexcept;
  /** Puts the header in front of `content` and pads to the shortest frame of Ethernet. */
  void send(Output& output, const LinkHeader& header, std::span<const std::byte> content);

 private:
  bool ethernet_;
  Mac mac_;
  bool tagged_;
  std::uint16_t tag_ = 0;
  std::vector<std::byte> frame_;
};

}  // namespace ipplugin
