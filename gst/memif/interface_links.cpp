// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The links of an interface as the users of its queues see them: which one is up, and those that
 * are down with packets left.
 */
#include <algorithm>
#include <utility>

#include "gst/memif/data/link.hpp"
#include "gst/memif/data/link_backlog.hpp"
#include "gst/memif/interface.hpp"
#include "gst/memif/queue_user.hpp"

namespace gstmemif {

std::shared_ptr<Link> Interface::link() const {
  const std::lock_guard lock(data_mutex_);
  return link_;
}

std::optional<LinkInfo> Interface::link_info() const {
  const std::shared_ptr<Link> present = link();
  if (!present) return {};
  return present->info();
}

std::optional<RingFill> Interface::ring_fill(bool receives, std::uint32_t queue) const {
  const std::shared_ptr<Link> present = link();
  return present ? present->ring_fill(receives, queue) : std::nullopt;
}

Loan* Interface::borrow(std::uint32_t queue, std::uint32_t count, std::uint32_t buffer_size) const {
  const std::shared_ptr<Link> present = link();
  TxQueue* const tx = present ? present->tx(queue) : nullptr;
  if (tx == nullptr || tx->buffer_size() < buffer_size) return nullptr;
  return tx->borrow(present, std::min(count, std::max(tx->ring_size() / 4, 1U)));
}

void Interface::publish(std::shared_ptr<Link> link) {
  link_ = std::move(link);
  generation_.fetch_add(1, std::memory_order_release);
  for (QueueUser* user : users_) {
    if (user->receives_ && link_) user->backlog_->add(link_);
    user->wake();
  }
}

/** Handles packets in the rings of a link that is down: they are received, or counted as lost. */
void Interface::leave(const std::shared_ptr<Link>& link) {
  for (QueueUser* user : users_) {
    if (user->receives_) user->backlog_->went_down(*link, user->queue_);
  }
  for (std::uint32_t i = 0; i < link->rx_queues(); ++i) {
    if (!claimed_.contains({true, i})) link->rx(i)->abandon();
  }
  for (std::uint32_t i = 0; i < link->tx_queues(); ++i) {
    if (!claimed_.contains({false, i})) link->tx(i)->abandon();
  }
  left_.push_back(link);
  bound_waiting();
}

/** Drops the oldest queued links if together they have more memory than one peer may bring. */
void Interface::bound_waiting() {
  std::erase_if(left_, [](const auto& link) { return link.expired(); });
  std::uint64_t bytes = 0;
  bool newest = true;
  for (auto weak = left_.rbegin(); weak != left_.rend(); ++weak) {
    const std::shared_ptr<Link> link = weak->lock();
    const auto holds = [&](const QueueUser* user) { return user->backlog_->holds(*link); };
    if (!link || std::none_of(users_.begin(), users_.end(), holds)) continue;
    bytes += link->state().total_bytes();
    const bool keep = std::exchange(newest, false) || bytes <= settings_.memory_limit;
    if (keep) continue;
    for (QueueUser* user : users_) user->backlog_->drop(*link, user->queue_);
  }
}

/** Bytes of links that are down but still held. */
std::uint64_t Interface::memory_left() const {
  const std::lock_guard lock(data_mutex_);
  std::uint64_t bytes = 0;
  for (const auto& weak : left_) {
    if (const std::shared_ptr<Link> link = weak.lock()) bytes += link->state().total_bytes();
  }
  return bytes;
}

/** The link that @p user goes on with: for a receiver, perhaps an old one with packets left. */
std::shared_ptr<Link> Interface::next_link(QueueUser& user) {
  const std::lock_guard lock(data_mutex_);
  std::shared_ptr<Link> next = user.receives_ ? user.backlog_->take() : link_;
  if (const std::uint64_t lost = user.backlog_->take_lost(); lost != 0) {
    stats_->rx(user.queue_).drop(DropReason::undelivered, lost);
  }
  user.generation_ = generation_.load(std::memory_order_relaxed);
  if (next != link_) --user.generation_;  // and not for long
  return next;
}

Result<void> Interface::attach(QueueUser& user, bool receives, std::uint32_t queue) {
  const std::lock_guard lock(data_mutex_);
  if (!claimed_.emplace(receives, queue).second) {
    return Error{ErrorCode::busy,
                 "queue=" + std::to_string(queue) + " of this interface has a " +
                     (receives ? "receiver" : "sender") +
                     " already. Choose another queue: each belongs to one thread."};
  }
  users_.push_back(&user);
  if (receives && link_) user.backlog_->add(link_);
  return {};
}

void Interface::detach(QueueUser& user, bool receives, std::uint32_t queue) {
  const std::lock_guard lock(data_mutex_);
  claimed_.erase({receives, queue});
  std::erase(users_, &user);
  // A link that is up is left to the next user that comes.
  if (user.link_ && !user.link_->up()) {
    if (receives && user.link_->rx(queue) != nullptr) user.link_->rx(queue)->abandon();
    if (!receives && user.link_->tx(queue) != nullptr) user.link_->tx(queue)->abandon();
  }
  if (receives) stats_->rx(queue).drop(DropReason::undelivered, user.backlog_->abandon(queue));
}

}  // namespace gstmemif
