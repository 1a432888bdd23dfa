// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The links that one receiver has yet to receive from.
 */
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>

#include "gst/memif/data/link.hpp"

namespace gstmemif {

/**
 * A peer may send a burst and leave, and the next one connect, before a busy receiver has read any
 * of it. So links are queued here, oldest first, while their rings hold packets; only the last one
 * may be up. Not thread-safe.
 */
class LinkBacklog {
 public:
  /** A link that came up. */
  void add(std::shared_ptr<Link> link) { links_.push_back(std::move(link)); }

  /** @p link is down: it stays only if it was not taken yet, and its @p queue holds packets. */
  void went_down(Link& link, std::uint32_t queue) {
    if (links_.empty() || links_.back().get() != &link) return;
    RxQueue* const rx = link.rx(queue);
    if (rx != nullptr) rx->close();
    if (rx == nullptr || link.state().failed() || !rx->pending()) {
      links_.pop_back();
    } else if (links_.size() > kMost) {
      drop(*links_.front(), queue);
    }
  }

  bool holds(const Link& link) const noexcept { return find(link) != links_.end(); }

  /** @p link, if it is one of these and down, waits no longer: what it holds is lost. */
  void drop(Link& link, std::uint32_t queue) {
    const auto entry = find(link);
    if (entry == links_.end()) return;
    lost_ += link.rx(queue)->pending_packets();
    links_.erase(entry);
  }

  /** The next one; null if there is none. */
  std::shared_ptr<Link> take() {
    if (links_.empty()) return nullptr;
    std::shared_ptr<Link> link = std::move(links_.front());
    links_.pop_front();
    return link;
  }

  /** Packets that were in links which had to go since the last call. */
  std::uint64_t take_lost() noexcept { return std::exchange(lost_, 0); }

  /** Forgets all; returns how many packets that loses. What is in a link that is up stays there. */
  std::uint64_t abandon(std::uint32_t queue) {
    std::uint64_t lost = take_lost();
    for (const auto& link : links_) {
      if (!link->up()) lost += link->rx(queue)->pending_packets();
    }
    links_.clear();
    return lost;
  }

 private:
  // As many as a receiver that is only slow needs. Each keeps its memory: see
  // Interface::bound_waiting().
  static constexpr std::size_t kMost = 16;

  using Links = std::deque<std::shared_ptr<Link>>;
  Links::const_iterator find(const Link& link) const noexcept {
    return std::find_if(links_.begin(), links_.end(),
                        [&](const auto& l) { return l.get() == &link; });
  }

  Links links_;
  std::uint64_t lost_ = 0;
};

}  // namespace gstmemif
