// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The forwarding database of a learning bridge: which station is behind which port. Fixed size, no
 * allocation after construction, any number of threads.
 */
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

#include "gst/packet/headers/address.hpp"

namespace packetplugin {

using namespace gstpacket;

/** A station is known by its MAC address within its VLAN. */
struct Station {
  std::uint16_t vlan = 0;
  Mac mac;
};

/**
 * Buckets of eight entries of two words each.
 *
 * Looking up a station, and seeing it again where it was, takes no lock: both words are read, and
 * the second contains part of the key's hash, so a torn pair is taken for unknown. A new or moved
 * station is written under a lock.
 *
 * Stations that receive traffic survive a full bucket. A newcomer takes, in this order: an entry
 * that is free or aged out; the oldest of its own port that has received no traffic; the oldest of
 * its own port; likewise of the port with the most entries. So a flood of source addresses on one
 * port displaces its own addresses and hardly any other. Buckets are selected by a keyed hash, so
 * an attacker cannot aim at the bucket of a particular station.
 */
class MacTable {
 public:
  static constexpr std::size_t kWays = 8;

  struct Counts {
    std::uint64_t learned, moved, aged, evicted;
  };

  /** As many whole buckets as fit into `max_entries`, but at least one. */
  explicit MacTable(std::size_t max_entries);
  /** With a given secret, for tests. */
  MacTable(std::size_t max_entries, std::uint64_t secret);

  /**
   * `station` was seen on `port`. `now` and `ageing` count in the same unit, and `now` may wrap;
   * an ageing of 0 means for ever.
   */
  void learn(const Station& station, unsigned port, std::uint32_t now, std::uint32_t ageing);
  /** The port of a packet's destination, which counts as receiving traffic from now on. */
  [[nodiscard]] std::optional<unsigned> find(const Station& station, std::uint32_t now,
                                             std::uint32_t ageing) noexcept;

  void forget_port(unsigned port);
  void clear();
  /** Removes aged entries; returns how many are left. */
  std::size_t expire(std::uint32_t now, std::uint32_t ageing);

  [[nodiscard]] std::size_t capacity() const noexcept { return buckets_ * kWays; }
  [[nodiscard]] Counts counts() const noexcept;

 private:
  struct Entry {
    std::atomic<std::uint64_t> key{0};    // 0: free
    std::atomic<std::uint64_t> value{0};  // see Value
  };
  struct alignas(64) Bucket {
    Entry entries[kWays];
  };
  struct Value {
    std::uint32_t check;  // 23 bits of the key's hash
    bool addressed;       // it has received traffic
    std::uint8_t port;
    std::uint32_t seen;
    [[nodiscard]] std::uint64_t pack() const noexcept;
    [[nodiscard]] static Value unpack(std::uint64_t word) noexcept;
  };
  struct Place {
    Bucket* bucket;
    std::uint64_t key;
    std::uint32_t check;
  };

  [[nodiscard]] Place place_of(const Station& station) const noexcept;
  [[nodiscard]] static Entry* find_entry(const Place& place, Value& value) noexcept;
  [[nodiscard]] static Entry& choose_victim(Bucket& bucket, unsigned port, std::uint32_t now);
  void learn_locked(const Place& place, unsigned port, std::uint32_t now, std::uint32_t ageing);
  bool free_if_aged(Entry& entry, std::uint32_t now, std::uint32_t ageing);
  static void count(std::atomic<std::uint64_t>& counter) noexcept {
    counter.fetch_add(1, std::memory_order_relaxed);
  }

  std::size_t buckets_;
  std::uint64_t secret_;
  std::unique_ptr<Bucket[]> table_;
  std::mutex mutex_;  // held to change keys
  std::atomic<std::uint64_t> learned_{0}, moved_{0}, aged_{0}, evicted_{0};
};

}  // namespace packetplugin
