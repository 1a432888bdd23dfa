// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The logic of packetcheck: finds the test headers of packetgen and accounts for sequence numbers,
 * damage and delay. One thread at a time.
 */
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "gst/packet/caps.hpp"
#include "plugins/packet/histogram.hpp"
#include "plugins/packet/test_header.hpp"

namespace packetplugin {

using namespace gstpacket;

/**
 * The sequence numbers seen in one flow. Remembers the last 1024: a packet that is later than that
 * counts as reordered, even if it is a duplicate.
 */
class SequenceWindow {
 public:
  enum class Seen { in_order, reordered, duplicate };
  /**
   * Updates `missing`: adds the numbers that were skipped, or subtracts this one if it had been.
   */
  Seen add(std::uint64_t number, std::uint64_t& missing) noexcept;

 private:
  static constexpr std::uint64_t kWindow = 1024;

  void mark(std::uint64_t number) noexcept { word(number) |= bit(number); }
  [[nodiscard]] bool marked(std::uint64_t number) noexcept {
    return (word(number) & bit(number)) != 0;
  }
  void advance(std::uint64_t number) noexcept;
  [[nodiscard]] std::uint64_t& word(std::uint64_t number) noexcept {
    return window_[number % kWindow / 64];
  }
  [[nodiscard]] static constexpr std::uint64_t bit(std::uint64_t number) noexcept {
    return std::uint64_t{1} << (number % 64);
  }

  std::array<std::uint64_t, kWindow / 64> window_{};
  std::uint64_t first_ = 0;
  std::uint64_t highest_ = 0;
  bool any_ = false;
};

/** Totals of all packets so far. */
struct Account {
  std::uint64_t packets = 0;  // intact, without duplicates
  std::uint64_t bytes = 0;    // of these
  std::uint64_t missing = 0;  // skipped numbers, including damaged packets
  std::uint64_t duplicate = 0;
  std::uint64_t reordered = 0;
  std::uint64_t damaged = 0;
  std::uint64_t foreign = 0;
  std::uint64_t flows = 0;
  // First and last arrival, and what came with the first: the rate excludes it.
  std::uint64_t first_time = 0;
  std::uint64_t last_time = 0;
  std::uint64_t first_packets = 0;
  std::uint64_t first_bytes = 0;

  /** A damaged packet also leaves a gap, which is not a loss. */
  [[nodiscard]] std::uint64_t lost() const noexcept {
    return missing > damaged ? missing - damaged : 0;
  }
  /** Counts packets as missing if the sender has sent at least `count`. */
  void expect(std::uint64_t count) noexcept {
    if (packets + missing < count) missing = count - packets;
  }
  [[nodiscard]] bool whole() const noexcept {
    return missing == 0 && duplicate == 0 && reordered == 0 && damaged == 0;
  }
};

class PacketChecker {
 public:
  void clear();
  void set_link_type(LinkType type) noexcept { link_type_ = type; }
  /** If false, checksums are ignored and only truncated packets count as damaged. */
  void set_verify(bool verify) noexcept { verify_ = verify; }

  /** Judges one packet that arrived at `now`. */
  void judge(std::span<const std::byte> packet, std::uint64_t now);
  /** Counts a packet whose bytes cannot be read. */
  void unreadable() noexcept { ++account_.damaged; }

  [[nodiscard]] const Account& account() const noexcept { return account_; }
  [[nodiscard]] const Histogram& latency() const noexcept { return latency_; }

 private:
  void count(const TestHeader& probe, std::size_t size, std::uint64_t now);
  SequenceWindow& flow(std::uint16_t number);

  LinkType link_type_ = LinkType::ethernet;
  bool verify_ = true;
  Account account_;
  Histogram latency_;
  std::vector<std::unique_ptr<SequenceWindow>> flows_;
};

}  // namespace packetplugin
