// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/memif/sender.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "gst/memif/data/deadline.hpp"
#include "gst/memif/data/link.hpp"

namespace gstmemif {
namespace {

// The protocol has no event for "room again", so a sender polls at intervals.
constexpr std::int64_t kFirstRoomWaitNs = 20'000;
constexpr std::int64_t kLastRoomWaitNs = 1'000'000;
// Senders that must not block wait for a millisecond at most, and a tenth of the time. Waits
// shorter than the minimum would overrun, since waking up takes longer.
constexpr std::int64_t kMostPatienceNs = 1'000'000;
constexpr std::int64_t kLeastPatienceNs = 100'000;
constexpr std::int64_t kPatienceShare = 10;

}  // namespace

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
  if (Result<void> status = sender->claim(); !status) return status.error();
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

/** Or packets would go into the ring of a link that is gone. */
void Sender::prepare() {
  if (stale()) refresh();
  enter();
}

TxBurst Sender::send_burst(std::span<const TxPacket> packets) {
  prepare();
  if (tx_ == nullptr) return {0, 0, SendResult::link_lost};
  return tx_->send_burst(packets);
}

TxBurst Sender::send_burst(TxSegment memory, std::span<const PacketDesc> packets) {
  prepare();
  if (tx_ == nullptr) return {0, 0, SendResult::link_lost};
  return tx_->send_burst(memory, packets);
}

TxBurst Sender::send_burst_zero_copy(Loan& loan, std::span<const PacketDesc> packets) {
  prepare();
  if (tx_ == nullptr) return {0, 0, SendResult::link_lost};
  if (loan.writable && loan.link() == link()) return tx_->send_burst_zero_copy(loan, packets);
  return tx_->send_burst({loan.base(), loan.size()}, packets);
}

Loan* Sender::copy_to_slots(const Link* link, TxSegment memory, std::span<const PacketDesc> packets,
                            PacketDesc* copies) {
  prepare();
  if (tx_ == nullptr || this->link().get() != link) return nullptr;
  return tx_->copy_to_slots(this->link(), memory, packets, copies);
}

Oversize Sender::oversize() const noexcept {
  return tx_ != nullptr ? tx_->oversize() : Oversize();
}

void Sender::flush() noexcept {
  enter();
  if (tx_ != nullptr) tx_->flush();
}

void Sender::prefetch_next() const noexcept {
  if (tx_ != nullptr) tx_->prefetch_next();
}

void Sender::abandon() noexcept {
  if (tx_ != nullptr) tx_->abandon();
}

WaitResult Sender::wait_for_room(std::int64_t timeout_ns) {
  flush();
  const Deadline deadline(timeout_ns);
  std::int64_t pause = kFirstRoomWaitNs;
  for (;;) {
    if (interrupted()) return WaitResult::interrupted;
    if (std::exchange(changed_, false) || refresh() || was_roused()) {
      return WaitResult::link_changed;
    }
    if (tx_ != nullptr && tx_->has_room()) return WaitResult::ready;
    if (deadline.passed()) return WaitResult::timeout;
    const bool lost = tx_ == nullptr || link()->state().failed();
    sleep(-1, lost ? deadline.left_ns() : deadline.shorter_of(pause));
    pause = std::min(2 * pause, kLastRoomWaitNs);
  }
}

WaitResult Sender::wait_briefly_for_room() {
  flush();
  const auto now = [] {
    return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
  };
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
    if (was_roused()) return WaitResult::link_changed;
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
