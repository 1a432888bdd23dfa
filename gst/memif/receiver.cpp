// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/memif/receiver.hpp"

#include <utility>

#include "gst/memif/data/deadline.hpp"
#include "gst/memif/data/link.hpp"
#include "gst/memif/data/relax.hpp"
#include "gst/memif/data/wake_set.hpp"

namespace gstmemif {
namespace {

// An adaptive receiver polls this long after the last packet before it sleeps: about the cost of
// sleeping and waking up, so that waiting never costs more than twice the optimum.
constexpr std::int64_t kAdaptiveSpinNs = 50'000;
constexpr int kLooksPerClockRead = 64;
// As master: how long lent packets may hold slots while no other event occurs. A long one is
// expensive to copy, and often in use until the next one comes, as pictures are.
constexpr std::int64_t kLoanPatienceNs = 10'000'000;
constexpr std::int64_t kLongLoanPatienceNs = 100'000'000;

}  // namespace

Result<std::unique_ptr<Receiver>> Receiver::open(std::shared_ptr<Interface> interface,
                                                 std::uint32_t queue, RxMode mode) {
  const std::uint32_t count = interface->settings().rx_queues;
  if (queue >= count) return no_such_queue("rx-queues", queue, count);
  std::unique_ptr<Receiver> receiver(new Receiver(std::move(interface), queue));
  if (Result<void> status = receiver->claim(); !status) return status.error();
  receiver->wakes_ = std::make_unique<WakeSet>(receiver->wake_fd());
  receiver->set_mode(mode);
  receiver->refresh();
  return receiver;
}

Receiver::Receiver(std::shared_ptr<Interface> interface, std::uint32_t queue)
    : QueueUser(std::move(interface), queue, true) {}

Receiver::~Receiver() {
  const BusErrorScope scope(guarded());
  if (rx_ != nullptr) rx_->set_interrupts(false);
}

bool Receiver::finished() noexcept {
  if (rx_ == nullptr || link()->state().failed()) return true;
  rx_->close();
  return !rx_->pending();
}

void Receiver::use(Link* link) {
  if (this->link() != nullptr && this->link().get() != link) lost_link_ = true;
  rx_ = link != nullptr ? link->rx(queue_) : nullptr;
  wakes_->watch(rx_ != nullptr ? rx_->event_fd() : -1);
  // Written by us on every link: a peer may have left anything in the flag.
  applied_mode_ = mode_.load(std::memory_order_acquire);
  if (rx_ != nullptr) rx_->set_interrupts(applied_mode_ == RxMode::interrupt);
}

RxMode Receiver::apply_mode() noexcept {
  const RxMode mode = mode_.load(std::memory_order_acquire);
  if (mode != applied_mode_) use(link().get());
  return mode;
}

bool Receiver::ready() const noexcept {
  return rx_ != nullptr && !link()->state().failed() && rx_->pending();
}

std::span<const RxSegment> Receiver::receive(std::uint32_t max_packets) {
  if (stale() && moved_on()) return {};
  enter();
  if (rx_ == nullptr) return {};
  return rx_->receive(max_packets);
}

RxBurst Receiver::receive_lent(std::span<PacketDesc> packets) {
  if (stale() && moved_on()) return {};
  enter();
  if (rx_ == nullptr) return {};
  return rx_->receive_lent(link(), packets);
}

RxBurst Receiver::receive_or_lend(std::uint32_t max_packets, std::uint32_t long_from,
                                  PacketDesc& packet) {
  if (stale() && moved_on()) return {};
  enter();
  if (rx_ == nullptr) return {};
  return rx_->receive_or_lend(link(), max_packets, long_from, packet);
}

std::uint64_t Receiver::too_long() const noexcept {
  return rx_ != nullptr ? rx_->too_long() : 0;
}

bool Receiver::release() noexcept {
  enter();
  return rx_ == nullptr || rx_->release();
}

/** Polls until there are packets, the wait is interrupted, or the time is over. */
bool Receiver::spin(RxMode mode, std::int64_t duration_ns) noexcept {
  const Deadline deadline(duration_ns);
  do {
    for (int i = 0; i < kLooksPerClockRead; ++i) {
      if (ready()) {
        rx_->prefetch_next();
        return true;
      }
      if (interrupted() || stale() || link()->state().failed()) return false;
      if (mode_.load(std::memory_order_relaxed) != mode) return false;
      relax();
    }
  } while (!deadline.passed());
  return false;
}

void Receiver::sleep_on_ring(std::int64_t timeout_ns) noexcept {
  if (!wakes_->watches(rx_->event_fd())) {
    if (sleep(rx_->event_fd(), timeout_ns)) rx_->acknowledge_interrupt();
    return;
  }
  const WakeSet::Woken woken = wakes_->wait(timeout_ns);
  rx_->prefetch_next();
  if (woken.own) drain_wake();
  if (woken.ring) rx_->count_interrupt();
}

void Receiver::sleep_for_packets(RxMode mode, std::int64_t timeout_ns) noexcept {
  if (rx_ == nullptr || link()->state().failed()) {
    sleep(-1, timeout_ns);
    return;
  }
  rx_->set_interrupts(true);
  // Unmask, then look: with the sender's fence between its index and the flag, one of us sees the
  // other, so no wake-up is lost.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (!rx_->pending() && !interrupted() && !stale()) sleep_on_ring(timeout_ns);
  if (mode == RxMode::adaptive) rx_->set_interrupts(false);
}

WaitResult Receiver::wait(std::int64_t timeout_ns) {
  const Deadline deadline(timeout_ns);
  enter();
  for (;;) {
    if (interrupted()) return WaitResult::interrupted;
    if (std::exchange(changed_, false) || (stale() && refresh())) return WaitResult::link_changed;
    if (ready()) return WaitResult::ready;
    if (deadline.passed()) return WaitResult::timeout;
    if (rx_ == nullptr || !rx_->lends_slots()) {
      spin_or_sleep(deadline.left_ns());
      continue;
    }
    // There is no event for returned packets, and the peer may need their slots.
    spin_or_sleep(
        deadline.shorter_of(rx_->burst_was_long() ? kLongLoanPatienceNs : kLoanPatienceNs));
    if (!ready() && !stale()) rx_->vacate_slots();
  }
}

/** Waits as the mode says, for a time at most. */
void Receiver::spin_or_sleep(std::int64_t timeout_ns) {
  const RxMode mode = apply_mode();
  const Deadline deadline(timeout_ns);
  const bool can_spin = rx_ != nullptr && !link()->state().failed();
  if (can_spin && mode == RxMode::polling) {
    spin(mode, timeout_ns);
    return;
  }
  // It takes a peer longer to write another long packet.
  const bool soon = can_spin && !rx_->burst_was_long();
  if (soon && mode == RxMode::adaptive && spin(mode, deadline.shorter_of(kAdaptiveSpinNs))) {
    return;
  }
  sleep_for_packets(mode, deadline.left_ns());
}

}  // namespace gstmemif
