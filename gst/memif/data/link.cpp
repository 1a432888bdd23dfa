// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/memif/data/link.hpp"

#include <algorithm>

namespace gstmemif {
namespace {

/** Deals out the buffers of a slave: one run for the slots of each ring, and one to spare. */
class SlaveBuffers {
 public:
  explicit SlaveBuffers(const LinkPlan& plan) {
    if (plan.role == Role::slave) {
      layout_ = BufferLayout(plan.buffer_size);
    }
  }
  QueueBuffers take(std::uint32_t slots) {
    if (layout_.buffer_size() == 0) return {};
    QueueBuffers buffers{layout_.buffer_size(), run(slots), {}};
    buffers.spares = run(spare_buffers(slots));
    return buffers;
  }

 private:
  std::vector<BufferPlace> run(std::uint32_t count) {
    const std::uint64_t first = next_;
    next_ += count;
    return layout_.places(first, count);
  }

  BufferLayout layout_;
  std::uint64_t next_ = 0;
};

}  // namespace

Link::Link(LinkPlan plan, std::shared_ptr<InterfaceStats> stats,
           std::shared_ptr<const UniqueFd> control_wake)
    : role_(plan.role),
      mode_(plan.mode),
      cache_line_(plan.cache_line),
      max_packet_size_(plan.max_packet_size),
      buffer_size_(plan.buffer_size),
      peer_name_(printable(plan.peer_interface.empty() ? plan.peer_app : plan.peer_interface)),
      peer_app_(printable(plan.peer_app)),
      stats_(std::move(stats)),
      state_(std::move(plan.regions), std::move(control_wake)) {
  SlaveBuffers buffers(plan);
  const BusErrorScope scope(state_.guarded());
  for (auto* rings : {&plan.s2m, &plan.m2s}) {
    const bool sends = (rings == &plan.s2m) == (role_ == Role::slave);
    for (RingPlan& ring : *rings) {
      ring_size_ = std::max(ring_size_, ring.size);
      QueueBuffers own = buffers.take(ring.size);
      if (sends) {
        add_tx(std::move(ring), std::move(own));
      } else {
        add_rx(std::move(ring), std::move(own));
      }
    }
  }
}

Ring Link::ring_at(const RingPlan& plan) const noexcept {
  std::byte* base = state_.regions()[plan.region].data() + plan.offset;
  return Ring(base, RingLayout{cache_line_, plan.size});
}

void Link::add_rx(RingPlan plan, QueueBuffers buffers) {
  const Ring ring = ring_at(plan);
  rx_.push_back(std::make_unique<RxQueue>(state_, ring, std::move(plan.event_fd),
                                          stats_->rx(rx_.size()), std::move(buffers)));
  rx_.back()->set_max_packet_size(max_packet_size_);
  // Without a receiver there is no need for wake-ups.
  rx_.back()->set_interrupts(false);
  if (role_ == Role::slave) rx_.back()->publish_buffers();
}

void Link::add_tx(RingPlan plan, QueueBuffers buffers) {
  const Ring ring = ring_at(plan);
  tx_.push_back(std::make_unique<TxQueue>(state_, ring, std::move(plan.event_fd),
                                          stats_->tx(tx_.size()), std::move(buffers)));
}

LinkInfo Link::info() const {
  LinkInfo info;
  info.peer_name = peer_name_;
  info.peer_app = peer_app_;
  info.rx_queues = rx_.size();
  info.tx_queues = tx_.size();
  info.role = role_;
  info.ring_size = ring_size_;
  info.buffer_size = buffer_size_;
  info.regions = state_.regions().size();
  info.memory = state_.total_bytes();
  info.unsealed = state_.guarded();
  return info;
}

std::optional<RingFill> Link::ring_fill(bool receives, std::uint32_t queue) const noexcept {
  const BusErrorScope scope(state_.guarded());
  if (receives && queue < rx_.size()) return rx_[queue]->filled();
  if (!receives && queue < tx_.size()) return tx_[queue]->filled();
  return {};
}

void Link::publish_buffers_again() noexcept {
  for (const auto& queue : rx_) queue->publish_buffers_again();
}

}  // namespace gstmemif
