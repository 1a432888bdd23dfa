// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/memif/link.hpp"

#include <fcntl.h>

namespace gstmemif {
namespace {

/** A counter that is full must not stop us. The peer can undo this; see Sender::interrupt(). */
void set_nonblocking(int fd) noexcept {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags >= 0) ::fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

}  // namespace

QueueStats& InterfaceStats::at(List& list, std::size_t queue) {
  const std::lock_guard lock(mutex_);
  while (list.size() <= queue) list.push_back(std::make_unique<QueueStats>());
  return *list[queue];
}

std::size_t InterfaceStats::count(const List& list) const {
  const std::lock_guard lock(mutex_);
  return list.size();
}

Link::Link(LinkPlan plan, std::shared_ptr<InterfaceStats> stats,
           std::shared_ptr<const UniqueFd> control_wake)
    : role_(plan.role),
      mode_(plan.mode),
      cache_line_(plan.cache_line),
      buffer_size_(plan.buffer_size),
      peer_name_(printable(plan.peer_interface.empty() ? plan.peer_app : plan.peer_interface)),
      stats_(std::move(stats)),
      state_(std::move(plan.regions), std::move(control_wake)) {
  // As slave the buffers of the S2M rings come first, then those of the M2S rings.
  std::uint64_t first_buffer = 0;
  for (auto* rings : {&plan.s2m, &plan.m2s}) {
    const bool sends = (rings == &plan.s2m) == (role_ == Role::slave);
    for (RingPlan& ring : *rings) {
      const std::uint32_t size = ring.size;
      set_nonblocking(ring.event_fd.get());
      if (sends) {
        add_tx(std::move(ring), first_buffer);
      } else {
        add_rx(std::move(ring), first_buffer);
      }
      first_buffer += size;
    }
  }
}

Ring Link::ring_at(const RingPlan& plan) const noexcept {
  std::byte* base = state_.regions()[plan.region].data() + plan.offset;
  return Ring(base, RingLayout{cache_line_, plan.size});
}

BufferLayout Link::buffers_from(std::uint64_t first_buffer) const noexcept {
  if (role_ == Role::master) return {};
  return BufferLayout(buffer_size_, buffers_per_region(buffer_size_), first_buffer);
}

void Link::add_rx(RingPlan plan, std::uint64_t first_buffer) {
  const Ring ring = ring_at(plan);
  rx_.push_back(std::make_unique<RxQueue>(state_, ring, std::move(plan.event_fd),
                                          stats_->rx(rx_.size()), buffers_from(first_buffer)));
  // Until somebody receives, nobody needs to be woken.
  rx_.back()->set_interrupts(false);
}

void Link::add_tx(RingPlan plan, std::uint64_t first_buffer) {
  const Ring ring = ring_at(plan);
  tx_.push_back(std::make_unique<TxQueue>(state_, ring, std::move(plan.event_fd),
                                          stats_->tx(tx_.size()), buffers_from(first_buffer)));
}

void Link::publish_buffers() noexcept {
  for (const auto& queue : rx_) queue->publish_buffers();
}

}  // namespace gstmemif
