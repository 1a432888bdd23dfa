// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * A peer that writes to a packet between any two loads from it. For one source of a program that
 * is built with GSTPACKET_MUTATE_LOADS: it defines what is called after each load.
 */
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <random>
#include <span>
#include <vector>

#include "gst/packet/packet.hpp"
#include "naive.hpp"

// Behind the standard library: it defines a macro fail().
#include <gst/check/gstcheck.h>

#ifndef GSTPACKET_MUTATE_LOADS
#error "without changes between loads this tests nothing"
#endif

namespace mutating {

using gstpacket::Packet;
using naive::Bytes;
using Writable = std::span<std::byte>;

/** Where the headers are, in front of which a change matters most. */
inline constexpr std::size_t kHeaders = 90;

inline std::mt19937& random_source() {
  static std::mt19937 engine(11);
  return engine;
}
inline std::size_t below(std::size_t limit) {
  return random_source()() % limit;
}

/** The peer that writes to the packet under test. */
class Peer {
 public:
  /** How it goes about it: a packet that stays damaged does not get far. */
  enum class Manner { restores, rarely, always };

  void begin(Writable packet, Manner manner) {
    packet_ = packet;
    manner_ = manner;
    changed_ = nullptr;
    loads = 0;
  }
  void end() { packet_ = {}; }
  void strike() noexcept {
    if (packet_.empty()) return;
    ++loads;
    if (manner_ == Manner::restores && changed_ != nullptr) *changed_ = was_;
    if (manner_ == Manner::rarely && below(8) != 0) return;
    changed_ = &packet_[below(below(4) != 0 ? std::min(packet_.size(), kHeaders) : packet_.size())];
    was_ = *changed_;
    *changed_ = change(was_);
  }

  unsigned loads = 0;

 private:
  static std::byte change(std::byte byte) noexcept {
    switch (below(6)) {
      case 0:
        return byte ^ std::byte{0x25};  // 4 and 6 by turns, with a header as long or too short
      case 1:
        return std::byte{0x60};
      case 2:
        return std::byte{0xff};
      case 3:
        return std::byte{0};
      case 4:
        return byte ^ (std::byte{1} << below(8));
      default:
        return static_cast<std::byte>(below(256));
    }
  }

  Writable packet_;
  Manner manner_ = Manner::always;
  std::byte* changed_ = nullptr;
  std::byte was_{};
};

inline Peer peer;

/**
 * A packet and `room` bytes behind it, with nothing else in its block, which a sanitizer watches;
 * or between bytes that must not change, which shows without one.
 */
class Block {
 public:
  Block(const Bytes& bytes, std::size_t room)
      : guard_(below(2) * 64), size_(bytes.size()), room_(room) {
    block_.reserve(2 * guard_ + size_ + room_);
    block_.resize(2 * guard_ + size_ + room_, kGuard);
    std::transform(bytes.begin(), bytes.end(), block_.begin() + begin(),
                   [](std::uint8_t b) { return std::byte{b}; });
  }
  ~Block() {
    peer.end();
    const auto guards = [](auto from, auto to) {
      return std::all_of(from, to, [](std::byte b) { return b == kGuard; });
    };
    fail_unless(guards(block_.begin(), block_.begin() + begin()), "a store before the packet");
    fail_unless(guards(block_.end() - begin(), block_.end()), "a store behind the packet");
  }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  [[nodiscard]] Writable span() { return Writable(block_).subspan(guard_, size_); }
  /** From now on the peer writes. */
  [[nodiscard]] Packet open() {
    static constexpr std::array kManners{Peer::Manner::restores, Peer::Manner::restores,
                                         Peer::Manner::rarely, Peer::Manner::always};
    peer.begin(span(), kManners[below(kManners.size())]);
    return Packet(span(), 0, room_);
  }

 private:
  static constexpr std::byte kGuard{0xa7};
  [[nodiscard]] std::ptrdiff_t begin() const { return static_cast<std::ptrdiff_t>(guard_); }
  std::size_t guard_, size_, room_;
  std::vector<std::byte> block_;
};

}  // namespace mutating

void gstpacket::after_load() noexcept {
  mutating::peer.strike();
}
