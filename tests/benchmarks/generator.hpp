// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Offers load, and judges what comes back. One thread, which polls.
 */
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "lane.hpp"

namespace bench {

/** Nanoseconds of the monotonic clock. */
std::int64_t now_ns() noexcept;

/** How much load. */
struct Load {
  double rate = 0;           ///< packets per second over all lanes; 0: as much as goes
  std::uint32_t window = 0;  ///< packets under way per lane; 0: as many as the ring has slots
  std::uint32_t burst = 64;  ///< packets per store of an index, at most
  std::int64_t gap_ns = 0;   ///< pause after each answer, with a window of 1
  bool stamps = false;       ///< take the round trip of the first packet of each burst
};

struct Totals {
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  std::uint64_t lost = 0;
  std::uint64_t wrong = 0;    ///< of a length that none of ours has, or damaged
  std::uint64_t checked = 0;  ///< replies of which every byte was looked at
};

/** One queue pair under load; for a forwarder, the sending and receiving queue of two links. */
class Lane {
 public:
  Lane(Sending tx, Receiving rx, const Frames& frames);

  /**
   * Sends a ring full, again until anything comes back: a device may be connected and not running
   * yet. Finds out whether the device writes into our memory. False if nothing came back in time.
   */
  bool first_lap(std::int64_t timeout_ns);
  /** Takes what came back, then sends up to @p allowed packets; returns how many. */
  std::uint64_t step(const Load& load, std::uint64_t allowed, std::int64_t now);
  /** Takes what came back; true if anything did. */
  bool take();
  /** What is under way is lost. */
  void give_up() noexcept;
  /** Forgets what was counted, but not what is under way. */
  void reset() noexcept;

  std::uint64_t under_way() const noexcept { return next_tx_ - next_rx_; }
  const Totals& totals() const noexcept { return totals_; }
  const std::vector<std::uint32_t>& round_trips() const noexcept { return round_trips_; }
  bool refreshes() const noexcept { return refreshes_; }
  std::int64_t last_receipt() const noexcept { return last_receipt_; }

 private:
  struct Stamp {
    std::uint64_t packet;
    std::size_t frame;
    std::int64_t sent_at;
  };

  void judge(const gstmemif::Descriptor& descriptor, bool look_closely) noexcept;
  void match_stamps(std::uint32_t n, std::int64_t now);

  Sending tx_;
  Receiving rx_;
  const Frames* frames_;
  Totals totals_;
  std::uint64_t next_tx_ = 0;  // packets ever sent, and returned or given up
  std::uint64_t next_rx_ = 0;
  std::uint32_t chained_ = 0;  // bytes of a packet whose end is yet to come
  std::deque<Stamp> stamps_;
  std::vector<std::uint32_t> round_trips_;
  std::uint32_t until_check_ = 0;
  std::uint32_t crumbs_ = 0;
  std::int64_t last_receipt_ = 0;
  bool refreshes_ = false;
};

/** Keeps all lanes under load for a time; false if a device went away (its @p channel closed). */
bool run_load(std::vector<Lane>& lanes, const Load& load, std::int64_t duration_ns,
              const gstmemif::Channel& channel);

/** Waits for what is under way, for a moment; the rest is lost. */
void drain(std::vector<Lane>& lanes);

}  // namespace bench
