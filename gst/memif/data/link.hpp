// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * A link: the memory and queues that one finished handshake agreed on.
 *
 * Immutable and shared. **A link lives as long as anyone holds it**: disconnecting marks it down
 * and wakes its waiters, unmapping happens when the last holder lets go. This rule replaces every
 * lock between the control plane and the data plane.
 */
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gst/memif/control/handshake.hpp"
#include "gst/memif/data/link_memory.hpp"
#include "gst/memif/data/rx_queue.hpp"
#include "gst/memif/data/tx_queue.hpp"
#include "gst/memif/stats.hpp"

namespace gstmemif {

class GSTMEMIF_API Link {
 public:
  /**
   * Builds the queues of @p plan. As slave, publishes the buffers of the receiving rings, so that
   * a fast master finds them when it learns of the link.
   */
  Link(LinkPlan plan, std::shared_ptr<InterfaceStats> stats,
       std::shared_ptr<const UniqueFd> control_wake);

  /**
   * As slave, once the master has sent CONNECTED: publishes the buffers again, since some masters
   * set the indexes to 0 when they connect. Before anyone receives.
   */
  void publish_buffers_again() noexcept;
  /** As slave, where the name came after everything else. Before the link is shared. */
  void set_peer_interface(const std::string& name) { peer_name_ = printable(name); }

  /** A queue, or nullptr if the peers agreed on fewer. */
  RxQueue* rx(std::size_t queue) noexcept {
    return queue < rx_.size() ? rx_[queue].get() : nullptr;
  }
  TxQueue* tx(std::size_t queue) noexcept {
    return queue < tx_.size() ? tx_[queue].get() : nullptr;
  }
  std::size_t rx_queues() const noexcept { return rx_.size(); }
  std::size_t tx_queues() const noexcept { return tx_.size(); }

  Role role() const noexcept { return role_; }
  Mode mode() const noexcept { return mode_; }
  /** Name of the peer's interface, or of its program where the interface has none. Printable. */
  const std::string& peer_name() const noexcept { return peer_name_; }
  LinkInfo info() const;
  /** Nothing if there is no such queue. Any thread. */
  std::optional<RingFill> ring_fill(bool receives, std::uint32_t queue) const noexcept;
  LinkMemory& state() noexcept { return state_; }

  /** False once the control plane has taken the link down. Any thread. */
  bool up() const noexcept { return up_.load(std::memory_order_acquire); }
  void mark_down() noexcept { up_.store(false, std::memory_order_release); }

 private:
  void add_rx(RingPlan plan, QueueBuffers buffers);
  void add_tx(RingPlan plan, QueueBuffers buffers);
  Ring ring_at(const RingPlan& plan) const noexcept;

  Role role_;
  Mode mode_;
  std::uint32_t cache_line_;
  std::uint32_t max_packet_size_;
  std::uint32_t buffer_size_;
  std::uint32_t ring_size_ = 0;
  std::string peer_name_;
  const std::string peer_app_;
  std::shared_ptr<InterfaceStats> stats_;
  LinkMemory state_;
  std::vector<std::unique_ptr<RxQueue>> rx_;
  std::vector<std::unique_ptr<TxQueue>> tx_;
  std::atomic<bool> up_{true};
};

}  // namespace gstmemif
