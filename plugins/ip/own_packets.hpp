// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The packets of the host itself until a thread sends them: a bounded number.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "plugins/ip/stack/host.hpp"

namespace ipplugin {

/** Used with the host's mutex. */
class OwnPackets final : public Output {
 public:
  void send(std::span<const std::byte> packet) override {
    if (bytes_.size() + packet.size() > kMostBytes || ends_.size() == kMost) {
      ++lost_;
      return;
    }
    bytes_.insert(bytes_.end(), packet.begin(), packet.end());
    ends_.push_back(bytes_.size());
  }

  [[nodiscard]] bool empty() const noexcept { return ends_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return ends_.size(); }
  [[nodiscard]] std::span<const std::byte> packet(std::size_t i) const noexcept {
    const std::size_t begin = i == 0 ? 0 : ends_[i - 1];
    return std::span(bytes_).subspan(begin, ends_[i] - begin);
  }
  void clear() noexcept {
    bytes_.clear();
    ends_.clear();
  }
  /** Exchanges the packets, not the counts. */
  void swap_packets(OwnPackets& other) noexcept {
    std::swap(bytes_, other.bytes_);
    std::swap(ends_, other.ends_);
  }
  /** Packets for which there was no room. */
  [[nodiscard]] std::uint64_t lost() const noexcept { return lost_; }

 private:
  static constexpr std::size_t kMost = 1024;
  static constexpr std::size_t kMostBytes = std::size_t{1} << 20;

  std::vector<std::byte> bytes_;
  std::vector<std::size_t> ends_;
  std::uint64_t lost_ = 0;
};

}  // namespace ipplugin
