// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "responder.hpp"

#include "generator.hpp"

namespace bench {

namespace {

constexpr std::uint32_t kCrumbs = 16;
constexpr std::uint32_t kAhead = 8;
constexpr std::int64_t kLookInterval = 1'000'000;

struct Path {
  Receiving rx;
  Sending tx;
  bool swaps;
  std::uint32_t crumbs = 0;
};

void pass(Path& path, const RespondOptions& options) {
  auto& [rx, tx, swaps, crumbs] = path;
  std::uint32_t n = rx.waiting();
  // A short wait for a whole burst, as the generator does.
  if (n == 0 || (n < options.burst && ++crumbs < kCrumbs)) return;
  crumbs = 0;
  n = std::min({n, tx.room(), options.burst});
  for (std::uint32_t i = 0; i < n; ++i) {
    // Asked for ahead of time: the other core has just written it.
    if (options.edit && i + kAhead < n) __builtin_prefetch(rx.bytes(rx.peek(i + kAhead)).data(), 1);
    const gstmemif::Descriptor d = rx.peek(i);
    const std::span<std::byte> bytes = rx.bytes(d);
    if (swaps && d.region == 1) {
      if (options.edit) turn_around(bytes);
      rx.swap(i, tx.send_swapped(d.offset, static_cast<std::uint32_t>(bytes.size())));
    } else {
      const std::span<std::byte> copy = tx.send_copy(bytes);
      if (options.edit) turn_around(copy);
    }
  }
  if (n == 0) return;
  rx.release(n);
  tx.publish();
}

}  // namespace

void respond(std::vector<Peer>& peers, bool forward, const RespondOptions& options) {
  std::vector<Path> paths;
  const std::size_t step = forward ? 2 : 1;
  for (std::size_t i = 0; i + step <= peers.size(); i += step) {
    Peer& in = peers[i];
    Peer& out = peers[i + step - 1];
    const bool swaps = !forward && in.plan.role == gstmemif::Role::slave;
    const std::size_t queues = std::min(in.plan.s2m.size(), in.plan.m2s.size());
    for (std::size_t q = 0; q < queues; ++q) {
      paths.push_back({Receiving(in, q), Sending(out, q), swaps, 0});
    }
  }
  const std::int64_t end = now_ns() + static_cast<std::int64_t>(options.seconds * 1e9);
  std::int64_t next_look = 0;
  for (std::uint32_t i = 0;; ++i) {
    for (Path& path : paths) pass(path, options);
    if (i % 1024 != 0) continue;
    const std::int64_t now = now_ns();
    if (now < next_look) continue;
    next_look = now + kLookInterval;
    if (now >= end) return;
    for (const Peer& peer : peers) {
      if (peer.channel.hung_up()) return;
    }
  }
}

}  // namespace bench
