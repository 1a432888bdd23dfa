// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/memif/queue_user.hpp"

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <utility>

#include "gst/memif/data/relax.hpp"

namespace gstmemif {
namespace {

using Clock = std::chrono::steady_clock;

// An adaptive receiver looks this long after the last packet before it goes to sleep: about what
// falling asleep and being woken costs, so that waiting never costs more than twice the best
// choice.
constexpr std::int64_t kAdaptiveSpinNs = 50'000;
// The protocol has no event for "room again", so a sender looks again after a while.
constexpr std::int64_t kFirstRoomWaitNs = 20'000;
constexpr std::int64_t kLastRoomWaitNs = 1'000'000;
// Who must not wait does so for a millisecond at the most, and for a tenth of all time. Shorter
// waits than the least would be longer than they are meant to be: waking up takes its time.
constexpr std::int64_t kMostPatienceNs = 1'000'000;
constexpr std::int64_t kLeastPatienceNs = 100'000;
constexpr std::int64_t kPatienceShare = 10;
constexpr int kLooksPerClockRead = 64;
// As master: how long packets that are lent may hold slots while nothing else happens.
constexpr std::int64_t kLoanPatienceNs = 10'000'000;

/** The time that is left of a wait. */
class Deadline {
 public:
  explicit Deadline(std::int64_t timeout_ns)
      : endless_(timeout_ns < 0), end_(Clock::now() + std::chrono::nanoseconds(timeout_ns)) {}

  bool passed() const { return !endless_ && Clock::now() >= end_; }
  std::int64_t left_ns() const {
    if (endless_) return kForever;
    return std::max<std::int64_t>(0, std::chrono::nanoseconds(end_ - Clock::now()).count());
  }
  std::int64_t shorter_of(std::int64_t other_ns) const {
    const std::int64_t left = left_ns();
    return left < 0 ? other_ns : std::min(left, other_ns);
  }

 private:
  bool endless_;
  Clock::time_point end_;
};

Error no_such_queue(const char* setting, std::uint32_t queue, std::uint32_t count) {
  return {ErrorCode::settings,
          "queue=" + std::to_string(queue) + " does not exist: the interface has " + setting + "=" +
              std::to_string(count) + ", so queues 0 to " + std::to_string(count - 1) + ". Set " +
              setting + " to at least " + std::to_string(queue + 1) + ", or choose another queue."};
}

}  // namespace

QueueUser::QueueUser(std::shared_ptr<Interface> interface, std::uint32_t queue, bool receives)
    : interface_(std::move(interface)), queue_(queue), receives_(receives) {}

Status QueueUser::claim() {
  Result<UniqueFd> wake = make_eventfd();
  if (!wake) return wake.error();
  wake_ = std::move(*wake);
  Status status = interface_->attach(*this, receives_, queue_);
  attached_ = static_cast<bool>(status);
  return status;
}

QueueUser::~QueueUser() {
  if (attached_) interface_->detach(*this, receives_, queue_);
}

void QueueUser::interrupt() noexcept {
  interrupted_.store(true, std::memory_order_release);
  wake();
}

bool QueueUser::refresh() {
  if (!stale()) return false;
  const BusErrorScope old_scope(guarded_);
  if (!finished()) return false;
  std::shared_ptr<Link> next = interface_->next_link(*this);
  guarded_ = next && next->state().guarded();
  const BusErrorScope new_scope(guarded_);
  // The old link stays until its queue was left.
  use(next.get());
  link_ = std::move(next);
  return true;
}

bool QueueUser::sleep(int event_fd, std::int64_t timeout_ns) noexcept {
  pollfd fds[2] = {{wake_.get(), POLLIN, 0}, {event_fd, POLLIN, 0}};
  constexpr std::int64_t kSecond = 1'000'000'000;
  const timespec limit{static_cast<time_t>(timeout_ns / kSecond),
                       static_cast<long>(timeout_ns % kSecond)};
  ::ppoll(fds, event_fd >= 0 ? 2 : 1, timeout_ns < 0 ? nullptr : &limit, nullptr);
  if (fds[0].revents != 0) drain_eventfd(wake_.get());
  return fds[1].revents != 0;
}

// ---- Receiver -------------------------------------------------------------------------------

Result<std::unique_ptr<Receiver>> Receiver::open(std::shared_ptr<Interface> interface,
                                                 std::uint32_t queue, RxMode mode) {
  const std::uint32_t count = interface->settings().rx_queues;
  if (queue >= count) return no_such_queue("rx-queues", queue, count);
  std::unique_ptr<Receiver> receiver(new Receiver(std::move(interface), queue, true));
  if (Status status = receiver->claim(); !status) return status.error();
  receiver->set_mode(mode);
  receiver->refresh();
  return receiver;
}

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

/** Looks for packets until there are some, something else happens, or the time is over. */
bool Receiver::spin(RxMode mode, std::int64_t duration_ns) noexcept {
  const Deadline deadline(duration_ns);
  do {
    for (int i = 0; i < kLooksPerClockRead; ++i) {
      if (ready()) return true;
      if (interrupted() || stale() || link()->state().failed()) return false;
      if (mode_.load(std::memory_order_relaxed) != mode) return false;
      relax();
    }
  } while (!deadline.passed());
  return false;
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
  if (!rx_->pending() && !interrupted() && !stale() && sleep(rx_->event_fd(), timeout_ns)) {
    rx_->acknowledge_interrupt();
  }
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
    // Nobody says when packets come back, and the peer may need their slots.
    spin_or_sleep(deadline.shorter_of(kLoanPatienceNs));
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
  if (can_spin && mode == RxMode::adaptive && spin(mode, deadline.shorter_of(kAdaptiveSpinNs))) {
    return;
  }
  sleep_for_packets(mode, deadline.left_ns());
}

// ---- Patience -------------------------------------------------------------------------------

std::int64_t Patience::left(std::int64_t now, std::uint64_t sent) noexcept {
  // The ring was full: what went in since then, the peer has made room for.
  if (in_vain_ && sent == sent_) return 0;
  if (fresh_) {
    budget_ = kMostPatienceNs;
  } else {
    budget_ = std::min(budget_ + (now - since_) / kPatienceShare, kMostPatienceNs);
  }
  fresh_ = false;
  since_ = now;
  if (budget_ < kLeastPatienceNs) return 0;
  sent_ = sent;
  return budget_;
}

void Patience::waited(std::int64_t now, bool in_vain) noexcept {
  // Below zero where the wait was longer than it was meant to be: that is made up for.
  budget_ -= now - since_;
  since_ = now;
  in_vain_ = in_vain;
}

// ---- Sender ---------------------------------------------------------------------------------

Result<std::unique_ptr<Sender>> Sender::open(std::shared_ptr<Interface> interface,
                                             std::uint32_t queue) {
  const std::uint32_t count = interface->settings().tx_queues;
  if (queue >= count) return no_such_queue("tx-queues", queue, count);
  std::unique_ptr<Sender> sender(new Sender(std::move(interface), queue, false));
  if (Status status = sender->claim(); !status) return status.error();
  sender->refresh();
  return sender;
}

Sender::~Sender() {
  if (tx_ != nullptr) tx_->discard();
}

void Sender::use(Link* link) {
  if (tx_ != nullptr) {
    tx_->discard();
    tx_->abandon();
  }
  tx_ = link != nullptr ? link->tx(queue_) : nullptr;
  patience_ = Patience();
}

SendResult Sender::send(std::span<const TxSegment> segments) {
  if (stale()) refresh();
  enter();
  if (tx_ == nullptr) return SendResult::link_lost;
  return tx_->send(segments);
}

WaitResult Sender::wait_for_room(std::int64_t timeout_ns) {
  flush();
  const Deadline deadline(timeout_ns);
  std::int64_t pause = kFirstRoomWaitNs;
  for (;;) {
    if (interrupted()) return WaitResult::interrupted;
    if (refresh()) return WaitResult::link_changed;
    if (tx_ != nullptr && tx_->has_room()) return WaitResult::ready;
    if (deadline.passed()) return WaitResult::timeout;
    const bool lost = tx_ == nullptr || link()->state().failed();
    sleep(-1, lost ? deadline.left_ns() : deadline.shorter_of(pause));
    pause = std::min(2 * pause, kLastRoomWaitNs);
  }
}

WaitResult Sender::wait_briefly_for_room() {
  flush();
  const auto now = [] { return std::chrono::nanoseconds(Clock::now().time_since_epoch()).count(); };
  const std::int64_t patience = patience_.left(now(), stats().packets.get());
  if (patience == 0) return WaitResult::timeout;
  const WaitResult wake = wait_for_room(patience);
  if (wake != WaitResult::link_changed) patience_.waited(now(), wake == WaitResult::timeout);
  return wake;
}

WaitResult Sender::wait_for_link(std::int64_t timeout_ns) {
  const Deadline deadline(timeout_ns);
  for (;;) {
    if (interrupted()) return WaitResult::interrupted;
    refresh();
    if (tx_ != nullptr && !link()->state().failed()) return WaitResult::ready;
    if (deadline.passed()) return WaitResult::timeout;
    sleep(-1, deadline.left_ns());
  }
}

WaitResult Sender::drain(std::span<const std::unique_ptr<Sender>> senders, std::int64_t patience_ns,
                         std::int64_t limit_ns) {
  for (const auto& sender : senders) sender->flush();
  const Deadline limit(limit_ns);
  Deadline patience(patience_ns);
  std::int64_t pause = kFirstRoomWaitNs;
  std::uint64_t before = 0;
  for (;;) {
    std::uint64_t unread = 0;
    for (const auto& sender : senders) {
      if (sender->interrupted()) return WaitResult::interrupted;
      if (sender->refresh()) return WaitResult::link_changed;
      if (sender->tx_ == nullptr) continue;
      unread += sender->tx_->unread();
      if (sender->link()->state().failed()) return WaitResult::link_changed;
    }
    if (unread == 0) return WaitResult::ready;
    if (unread != before) {
      before = unread;
      patience = Deadline(patience_ns);
      pause = kFirstRoomWaitNs;
    }
    if (patience.passed() || limit.passed()) return WaitResult::timeout;
    senders.front()->sleep(-1, patience.shorter_of(limit.shorter_of(pause)));
    pause = std::min(2 * pause, kLastRoomWaitNs);
  }
}

}  // namespace gstmemif
