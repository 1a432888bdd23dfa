// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/memif/queue_user.hpp"

#include <poll.h>

#include <ctime>
#include <utility>

#include "gst/memif/control/fd.hpp"
#include "gst/memif/data/link.hpp"
#include "gst/memif/data/link_backlog.hpp"

namespace gstmemif {

QueueUser::QueueUser(std::shared_ptr<Interface> interface, std::uint32_t queue, bool receives)
    : interface_(std::move(interface)),
      queue_(queue),
      receives_(receives),
      stats_(receives ? interface_->stats().rx(queue) : interface_->stats().tx(queue)),
      wake_(std::make_unique<UniqueFd>()),
      backlog_(std::make_unique<LinkBacklog>()) {}

Result<void> QueueUser::claim() {
  Result<UniqueFd> wake = make_eventfd();
  if (!wake) return wake.error();
  *wake_ = std::move(*wake);
  Result<void> status = interface_->attach(*this, receives_, queue_);
  attached_ = static_cast<bool>(status);
  return status;
}

QueueUser::~QueueUser() {
  if (attached_) interface_->detach(*this, receives_, queue_);
}

LinkInfo QueueUser::link_info() const {
  return link_->info();
}

void QueueUser::wake() noexcept {
  signal_eventfd(wake_->get());
}

void QueueUser::admit_thread() noexcept {
  BusGuard::admit_thread();
}

void QueueUser::interrupt() noexcept {
  interrupted_.store(true, std::memory_order_release);
  wake();
}

namespace {

/**
 * A reference with a count of its own. Each loan has one, so with a common count all threads of a
 * link would write to the same line, twice a burst.
 */
std::shared_ptr<Link> counted_apart(std::shared_ptr<Link> link) {
  Link* const address = link.get();
  if (address == nullptr) return nullptr;
  return {address, [kept = std::move(link)](Link*) mutable { kept.reset(); }};
}

}  // namespace

bool QueueUser::refresh() {
  if (!stale()) return false;
  const BusErrorScope old_scope(guarded_);
  if (!finished()) return false;
  std::shared_ptr<Link> next = interface_->next_link(*this);
  guarded_ = next && next->state().guarded();
  const BusErrorScope new_scope(guarded_);
  // The old link stays until its queue was left.
  use(next.get());
  link_ = counted_apart(std::move(next));
  return true;
}

bool QueueUser::sleep(int event_fd, std::int64_t timeout_ns) noexcept {
  pollfd fds[2] = {{wake_->get(), POLLIN, 0}, {event_fd, POLLIN, 0}};
  constexpr std::int64_t kSecond = 1'000'000'000;
  const timespec limit{static_cast<time_t>(timeout_ns / kSecond),
                       static_cast<long>(timeout_ns % kSecond)};
  ::ppoll(fds, event_fd >= 0 ? 2 : 1, timeout_ns < 0 ? nullptr : &limit, nullptr);
  if (fds[0].revents != 0) drain_wake();
  return fds[1].revents != 0;
}

int QueueUser::wake_fd() const noexcept {
  return wake_->get();
}

void QueueUser::drain_wake() noexcept {
  drain_eventfd(wake_->get());
}

Error QueueUser::no_such_queue(const char* setting, std::uint32_t queue, std::uint32_t count) {
  return {ErrorCode::settings,
          "queue=" + std::to_string(queue) + " does not exist: the interface has " + setting + "=" +
              std::to_string(count) + ", so queues 0 to " + std::to_string(count - 1) + ". Set " +
              setting + " to at least " + std::to_string(queue + 1) + ", or choose another queue."};
}

}  // namespace gstmemif
