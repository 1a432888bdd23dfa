// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * A memif interface: makes one link after another with its peer, for as long as it is
 * started.
 */
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "gst/common/cache_line.hpp"
#include "gst/memif/copy_budget.hpp"
#include "gst/memif/loop.hpp"
#include "gst/memif/settings.hpp"
#include "gst/memif/stats.hpp"

namespace gstmemif {

class Connection;
class Link;
class Listener;
class LogLimit;
class ObserverQueue;
class QueueUser;
class RefusedRings;
class Timer;
class UniqueFd;
struct Admission;
struct Init;
struct LinkPlan;
struct Loan;

/**
 * Observes an interface. Called without locks, on the thread where the event occurs, mostly the
 * loop's. An observer hears of one event at a time, in their order: those that occur meanwhile,
 * also on other threads, it hears of on the thread that has called it.
 */
class InterfaceObserver {
 public:
  virtual ~InterfaceObserver() = default;
  virtual void on_link_up(const LinkInfo& link) = 0;
  virtual void on_link_down(const std::string& reason) = 0;
  /**
   * As slave: the master has refused us, and the interface keeps trying. As master: a slave was
   * refused, at most once a second. Once for each reason in a row.
   */
  virtual void on_refused(const Refusal& refusal) = 0;
  /** There is no peer: what is waited for, and where. Once per change. */
  virtual void on_waiting(const std::string& what) { (void)what; }
};

/**
 * One interface. Thread-safe, but for what a QueueUser does.
 *
 * A master listens, a slave connects and retries with jittered back-off, so peers may start, stop
 * and die in any order.
 */
class GSTMEMIF_API Interface : public std::enable_shared_from_this<Interface> {
 public:
  static Result<std::shared_ptr<Interface>> create(Settings settings, std::shared_ptr<Loop> loop);
  ~Interface();

  /**
   * Starts listening or connecting. Fails at once if no peer could ever connect. This examines
   * files and may wait for other users of the same directory, at most half a second, so not with
   * the ControlLock held.
   */
  Result<void> start();
  /** Takes the link down and stops. The interface may be started again. */
  void stop();
  bool started() const;

  /**
   * Changes settings. A link that is up stays unless reason_for_new_link() names a reason. Like
   * start(), not with the ControlLock held.
   */
  Result<void> reconfigure(Settings settings);
  /**
   * The first of @p settings that the present link does not satisfy, such as `tx-queues=2`; empty
   * if there is none, or no link. Fewer queues than offered satisfy a setting, since a new link
   * would have no more.
   */
  std::string reason_for_new_link(const Settings& settings) const;

  /** A restart that is due, unless the interface is stopped meanwhile. */
  using Change = std::optional<std::uint32_t>;
  /**
   * The first half of reconfigure(): ends a link that cannot stay. Never waits, so that it
   * may be one step with others under the ControlLock. @param settings as validate() wants them
   */
  Change change(Settings settings);
  /** The second half. Not with the ControlLock held. */
  Result<void> finish(Change change);

  /** The present link, or null. It stays valid for as long as it is held. */
  std::shared_ptr<Link> link() const;
  /** What there is to know of it; nothing if there is none. */
  std::optional<LinkInfo> link_info() const;
  /**
   * Slots of the ring of @p queue that hold packets, or that their receiver has not given back, as
   * the indexes in shared memory say now: the peer writes one of them. Nothing without a link, or
   * with fewer queues. Any thread.
   */
  std::optional<RingFill> ring_fill(bool receives, std::uint32_t queue) const;
  /** Changes whenever link() does. Cheap enough to check per batch. */
  std::uint32_t generation() const noexcept { return generation_.load(std::memory_order_acquire); }

  /** Does not take the ControlLock, so that a streaming thread may ask. */
  Settings settings() const;
  InterfaceStats& stats() noexcept { return *stats_; }
  /** To read the counters when the interface is gone. */
  std::shared_ptr<InterfaceStats> shared_stats() const noexcept { return stats_; }

  /**
   * As slave: lends empty buffers of @p queue, for packets that a Sender then sends without a copy.
   * Up to @p count of them, Loan::kMax and a quarter of the ring at the most, so that several loans
   * can be on their way. Null if none is left, if there is no link, if its buffers have fewer than
   * @p buffer_size bytes, and as master. Any thread.
   */
  Loan* borrow(std::uint32_t queue, std::uint32_t count, std::uint32_t buffer_size) const;

  /** The budget for copies of received packets. */
  const std::shared_ptr<CopyBudget>& copy_budget() const noexcept { return copy_budget_; }

  /**
   * Adds @p observer, for as long as it lives. A link that is up, or a standing refusal, is
   * reported before this returns.
   */
  void add_observer(std::weak_ptr<InterfaceObserver> observer);

 private:
  friend class Listener;
  friend class QueueUser;
  class Owner;

  Interface(Settings settings, std::shared_ptr<Loop> loop);

  // Control plane, with the ControlLock held.
  Result<void> start_from(std::uint32_t epoch);
  Result<void> start_locked(std::shared_ptr<Listener> listener);
  void set_settings(Settings settings);
  void stop_locked(const std::string& reason);
  void seek_peer();
  Result<void> make_timer();
  void on_timer();
  void watch_deadline();
  void dial_now();
  void dialled(Result<UniqueFd> socket);
  void retry_later();
  void learn_from(const Error& error);
  Result<Settings> admit(const Init& init);
  void adopt(std::shared_ptr<Connection> connection);
  Result<void> agreed(LinkPlan plan);
  void established(const std::string& peer_interface);
  void connection_closed(const Error& error);
  void handshake_failed(const Error& error);
  void drop_link(const std::string& reason);
  void report_refusal(const Error& error);
  void wait_for(const std::string& what);
  std::string where() const;
  void on_control_wake();
  template <class Call>
  void notify(Call call) const;

  // Data plane. The first with data_mutex_ held, the others take it.
  void publish(std::shared_ptr<Link> link);
  void leave(const std::shared_ptr<Link>& link);
  void bound_waiting();
  std::uint64_t memory_left() const;
  std::shared_ptr<Link> next_link(QueueUser& user);
  Result<void> attach(QueueUser& user, bool receives, std::uint32_t queue);
  void detach(QueueUser& user, bool receives, std::uint32_t queue);

  Settings settings_;  // written with the ControlLock and data_mutex_ held, read with either
  const std::shared_ptr<Loop> loop_;
  const std::shared_ptr<InterfaceStats> stats_;
  const std::shared_ptr<CopyBudget> copy_budget_;
  bool started_ = false;
  std::uint32_t epoch_ = 0;  // of what was begun before and looks whether it still counts
  std::shared_ptr<const UniqueFd> control_wake_;
  Watch wake_watch_;
  std::unique_ptr<Timer> timer_;  // as slave: to dial again, or for the deadline of a handshake
  std::uint32_t retry_ms_ = 0;
  std::optional<Refusal> last_refusal_;
  std::string waiting_for_;  // empty while there is a link
  std::unique_ptr<LogLimit> refusals_log_;
  const std::unique_ptr<RefusedRings> refused_rings_;
  std::shared_ptr<Listener> listener_;
  std::shared_ptr<Listener> kept_listener_;  // between the two halves of reconfigure()
  std::unique_ptr<Owner> owner_;
  std::shared_ptr<Connection> connection_;
  std::shared_ptr<Link>
      agreed_link_;  // made, but the peer does not know yet, or we do not know that it does
  std::vector<std::shared_ptr<ObserverQueue>> observers_;

  mutable std::mutex data_mutex_;
  std::shared_ptr<Link> link_;
  std::vector<QueueUser*> users_;
  std::set<std::pair<bool, std::uint32_t>> claimed_;  // (receives, queue)
  std::vector<std::weak_ptr<Link>> left_;             // links that are down, the oldest first
  // All receivers and senders read it for each burst, so nothing else lies in its line.
  alignas(gstcommon::kCacheLine) std::atomic<std::uint32_t> generation_{0};
};

}  // namespace gstmemif
