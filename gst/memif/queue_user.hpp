// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The common part of Receiver and Sender: one thread's use of one queue of an interface.
 */
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "gst/common/cache_line.hpp"
#include "gst/memif/interface.hpp"

namespace gstmemif {

class LinkBacklog;

/** Why a wait ended. */
enum class WaitResult { ready, link_changed, interrupted, timeout };

/** Time-out of a wait that has none. */
inline constexpr std::int64_t kForever = -1;

/**
 * The common part of Receiver and Sender, which follow the interface from link to link. All calls
 * belong to one thread at a time, except interrupt() and resume(), which any thread may use. Where
 * the peer can take the memory of the link away, SIGBUS stays unblocked in a thread that receives
 * or sends.
 */
class GSTMEMIF_API QueueUser {
 public:
  QueueUser(const QueueUser&) = delete;
  virtual ~QueueUser();

  /** Ends the present wait, and any further one until resume(). Any thread. */
  void interrupt() noexcept;
  void resume() noexcept { interrupted_.store(false, std::memory_order_release); }

  /** The link in use; null while there is none. It may have gone down since. */
  const std::shared_ptr<Link>& link() const noexcept { return link_; }
  /**
   * Switches to a new link of the interface, if there is one; true if it did. A receiver switches
   * when it has received everything that the peer of the old link had published.
   *
   * Until then a link that is gone keeps its memory: a thread that has nothing to send, or that
   * does not receive for a while, should call this when it hears that the link went down.
   */
  bool refresh();

  /** Information about link(), which must not be null. */
  LinkInfo link_info() const;

  Interface& interface() noexcept { return *interface_; }
  std::uint32_t queue() const noexcept { return queue_; }

 protected:
  friend class Interface;

  QueueUser(std::shared_ptr<Interface> interface, std::uint32_t queue, bool receives);
  Result<void> claim();
  static Error no_such_queue(const char* setting, std::uint32_t queue, std::uint32_t count);
  void wake() noexcept;
  virtual void use(Link* link) = 0;
  /** Whether the link in use, which is down, may be left now. */
  virtual bool finished() noexcept { return true; }
  /** To be called by each thread before it accesses the memory of the link. */
  void enter() noexcept {
    if (guarded_) [[unlikely]]
      admit_thread();
  }
  static void admit_thread() noexcept;
  /** Whether there is memory that the peer can take away. */
  bool guarded() const noexcept { return guarded_; }

  bool interrupted() const noexcept { return interrupted_.load(std::memory_order_acquire); }
  bool stale() const noexcept { return interface_->generation() != generation_; }
  /** Sleeps until woken, for a time, or until @p event_fd (if not negative) is readable: true. */
  bool sleep(int event_fd, std::int64_t timeout_ns) noexcept;
  /** What wake() makes readable, and interrupt(). */
  int wake_fd() const noexcept;
  void drain_wake() noexcept;

  // In a line of its own: another thread may have what lies before it.
  alignas(gstcommon::kCacheLine) const std::shared_ptr<Interface> interface_;
  const std::uint32_t queue_;
  const bool receives_;
  QueueStats& stats_;  // looked up once: that takes a lock of the interface

 private:
  bool attached_ = false;
  bool guarded_ = false;  // of the link
  std::unique_ptr<UniqueFd> wake_;
  std::atomic<bool> interrupted_{false};
  std::uint32_t generation_ = 0;
  std::shared_ptr<Link> link_;  // counted apart from other users of the link; see refresh()
  std::unique_ptr<LinkBacklog> backlog_;  // of a receiver; guarded by the interface
};

}  // namespace gstmemif
