// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "generator.hpp"

#include <ctime>

#include "gst/memif/data/relax.hpp"

namespace bench {

namespace {

constexpr std::uint32_t kCheckEvery = 1021;  // a prime: no frame of the cycle is left out
constexpr std::uint32_t kCrumbs = 16;        // looks at a ring before less than a burst is taken
constexpr std::size_t kMostStamps = 4'000'000;
constexpr std::int64_t kStall = 100'000'000;  // silence after which packets under way are lost
constexpr std::int64_t kFirstLap = 300'000'000;
constexpr std::int64_t kHangupInterval = 1'000'000;

}  // namespace

std::int64_t now_ns() noexcept {
  timespec t;
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

Lane::Lane(Sending tx, Receiving rx, const Frames& frames)
    : tx_(std::move(tx)), rx_(std::move(rx)), frames_(&frames) {
  tx_.prepare(frames);
  round_trips_.reserve(1 << 16);
}

void Lane::judge(const gstmemif::Descriptor& d, bool look_closely) noexcept {
  const std::size_t length = chained_ + std::size_t{d.length};
  if ((d.flags & gstmemif::kDescriptorNext) != 0) {
    chained_ = static_cast<std::uint32_t>(length);
    return;
  }
  ++totals_.received;
  if (next_rx_ != next_tx_) {
    ++next_rx_;
  } else if (totals_.lost != 0) {
    --totals_.lost;  // given up too early
  }
  if (!frames_->length_right(length)) {
    ++totals_.wrong;
  } else if (look_closely && chained_ == 0) {
    ++totals_.checked;
    if (!frames_->right(rx_.bytes(d))) ++totals_.wrong;
  }
  chained_ = 0;
}

/** Order is kept on a lane, so packets are told by counting; a lost one must not deceive us. */
void Lane::match_stamps(std::uint32_t n, std::int64_t now) {
  while (!stamps_.empty() && stamps_.front().packet < next_rx_ + n) {
    const Stamp stamp = stamps_.front();
    stamps_.pop_front();
    if (stamp.packet < next_rx_ || round_trips_.size() >= kMostStamps) continue;
    const auto d = rx_.peek(static_cast<std::uint32_t>(stamp.packet - next_rx_));
    if (frames_->number(rx_.bytes(d)) != stamp.frame) continue;
    round_trips_.push_back(static_cast<std::uint32_t>(now - stamp.sent_at));
  }
}

bool Lane::take() {
  const std::uint32_t n = rx_.waiting();
  if (n == 0) return false;
  if (!stamps_.empty()) match_stamps(n, now_ns());
  const bool check = until_check_ < n;
  for (std::uint32_t i = 0; i < n; ++i) judge(rx_.peek(i), check && i == until_check_);
  until_check_ = check ? kCheckEvery : until_check_ - n;
  rx_.release(n);
  return true;
}

std::uint64_t Lane::step(const Load& load, std::uint64_t allowed, std::int64_t now) {
  // Under full load, crumbs would make both ends fetch the same lines again and again.
  const bool full_load = load.rate == 0 && load.window == 0;
  if (full_load && rx_.waiting() < load.burst && ++crumbs_ < kCrumbs) {
    // Where both CPUs are threads of one core, a loop without a pause takes half of it.
    gstmemif::relax();
    return 0;
  }
  crumbs_ = 0;
  if (take()) last_receipt_ = now;
  const std::uint64_t window = load.window == 0 ? tx_.size() : load.window;
  const std::uint64_t under = under_way();
  if (under >= window) {
    if (now - last_receipt_ > kStall) give_up();
    return 0;
  }
  if (load.gap_ns != 0 && now - last_receipt_ < load.gap_ns) return 0;
  const auto n = static_cast<std::uint32_t>(
      std::min({window - under, std::uint64_t{load.burst}, allowed, std::uint64_t{tx_.room()}}));
  if (n == 0) return 0;
  if (under == 0) last_receipt_ = now;
  const Stamp stamp{next_tx_, tx_.frame_number(tx_.next()), 0};
  tx_.send_frames(n);
  if (load.stamps) {
    stamps_.push_back(stamp);
    stamps_.back().sent_at = now_ns();
  }
  tx_.publish();
  next_tx_ += n;
  totals_.sent += n;
  return n;
}

void Lane::give_up() noexcept {
  totals_.lost += under_way();
  next_rx_ = next_tx_;
  stamps_.clear();
}

void Lane::reset() noexcept {
  totals_ = {};
  round_trips_.clear();
}

bool Lane::first_lap(std::int64_t timeout_ns) {
  const std::int64_t end = now_ns() + timeout_ns;
  const Load load;
  while (totals_.received == 0 && now_ns() < end) {
    const std::int64_t lap_end = now_ns() + kFirstLap;
    std::uint64_t sent = 0;
    while (now_ns() < lap_end && (sent < tx_.size() || under_way() != 0)) {
      sent += step(load, tx_.size() - sent, now_ns());
    }
    give_up();
  }
  if (tx_.spoiled()) {
    refreshes_ = true;
    tx_.set_refresh(true);
  }
  return totals_.received != 0;
}

bool run_load(std::vector<Lane>& lanes, const Load& load, std::int64_t duration_ns,
              const gstmemif::Channel& channel) {
  constexpr std::uint64_t kNoLimit = ~std::uint64_t{0};
  const std::int64_t start = now_ns();
  std::int64_t next_look = start + kHangupInterval;
  std::uint64_t sent = 0;
  for (;;) {
    const std::int64_t now = now_ns();
    if (now - start >= duration_ns) return true;
    if (now >= next_look) {
      if (channel.hung_up()) return false;
      next_look = now + kHangupInterval;
    }
    std::uint64_t allowed = kNoLimit;
    if (load.rate != 0) {
      const auto due =
          static_cast<std::uint64_t>(load.rate * static_cast<double>(now - start) / 1e9);
      // What could not be sent in time is not made up for: a late burst is no steady load.
      if (due > sent + 4096) sent = due - 4096;
      allowed = due - std::min(due, sent);
    }
    for (Lane& lane : lanes) {
      const std::uint64_t n = lane.step(load, allowed, now);
      sent += n;
      if (allowed != kNoLimit) allowed -= n;
    }
  }
}

void drain(std::vector<Lane>& lanes) {
  for (Lane& lane : lanes) {
    const std::int64_t end = now_ns() + kStall;
    while (lane.under_way() != 0 && now_ns() < end) lane.take();
    lane.give_up();
  }
}

}  // namespace bench
