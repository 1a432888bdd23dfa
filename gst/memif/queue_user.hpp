// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file Receiver and Sender: how a thread of the application uses one queue of an interface.
 *
 * They follow the interface from link to link. All calls belong to one thread at a time, except
 * interrupt() and resume(), which any thread may use.
 */
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <utility>

#include "gst/memif/data/link_backlog.hpp"
#include "gst/memif/interface.hpp"

namespace gstmemif {

/** How a receiver learns of packets. */
enum class RxMode {
  interrupt,  ///< sleeps until the peer wakes it: no CPU when idle
  polling,    ///< looks all the time: lowest latency, one CPU
  adaptive    ///< looks for a moment after each packet, then sleeps
};

/** Why a wait ended. */
enum class WaitResult { ready, link_changed, interrupted, timeout };

/** Time-out of a wait that has none. */
inline constexpr std::int64_t kForever = -1;

/**
 * What Receiver and Sender have in common. Where the peer can take the memory of the link away,
 * SIGBUS stays unblocked in a thread that receives or sends; see BusGuard.
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
   * Takes over a new link of the interface, if there is one; true if something changed. A receiver
   * does so when nothing is left that the peer of the old one had published.
   */
  bool refresh();

  Interface& interface() noexcept { return *interface_; }
  std::uint32_t queue() const noexcept { return queue_; }

 protected:
  friend class Interface;

  QueueUser(std::shared_ptr<Interface> interface, std::uint32_t queue, bool receives);
  Status claim();
  void wake() noexcept { signal_eventfd(wake_.get()); }
  virtual void use(Link* link) = 0;
  /** Whether the link in use, which is down, may be left now. */
  virtual bool finished() noexcept { return true; }
  /** To be called by the thread that is going to touch the memory of the link. */
  void enter() noexcept {
    if (guarded_) [[unlikely]]
      BusGuard::admit_thread();
  }
  /** Whether there is memory that the peer can take away. */
  bool guarded() const noexcept { return guarded_; }

  bool interrupted() const noexcept { return interrupted_.load(std::memory_order_acquire); }
  bool stale() const noexcept { return interface_->generation() != generation_; }
  /** Sleeps until woken, for a time, or until @p event_fd (if not negative) is readable: true. */
  bool sleep(int event_fd, std::int64_t timeout_ns) noexcept;

  const std::shared_ptr<Interface> interface_;
  const std::uint32_t queue_;
  const bool receives_;

 private:
  bool attached_ = false;
  bool guarded_ = false;  // of the link
  UniqueFd wake_;
  std::atomic<bool> interrupted_{false};
  std::uint32_t generation_ = 0;
  std::shared_ptr<Link> link_;
  LinkBacklog backlog_;  // of a receiver; guarded by the interface
};

/** Receives from one queue. */
class GSTMEMIF_API Receiver : public QueueUser {
 public:
  /** Fails if the queue has a receiver already, or is not below the interface's rx_queues. */
  static Result<std::unique_ptr<Receiver>> open(std::shared_ptr<Interface> interface,
                                                std::uint32_t queue, RxMode mode);
  ~Receiver() override;

  /**
   * Up to @p max_packets packets, never waits; see RxQueue::receive(). None, too, where it went
   * over to another link: packets of two links are never in one burst.
   */
  std::span<const RxSegment> receive(std::uint32_t max_packets);
  /** Gives them back; false if they must not be used after all. See RxQueue::release(). */
  bool release() noexcept {
    enter();
    return rx_ == nullptr || rx_->release();
  }

  /** As receive(), and lends if possible; see RxQueue::receive_lent(). */
  template <class Begin>
  RxBurst receive_lent(std::uint32_t max_packets, Begin begin) {
    if (stale() && moved_on()) return {};
    enter();
    return rx_ != nullptr ? rx_->receive_lent(link(), max_packets, begin) : RxBurst{};
  }
  /** Waits for packets. @param timeout_ns nanoseconds, or kForever */
  WaitResult wait(std::int64_t timeout_ns = kForever);

  /** Whether a link was left since the last call: all that its peer had published was received. */
  bool lost_link() noexcept { return std::exchange(lost_link_, false); }

  /** True if the present link has this queue. */
  bool has_queue() const noexcept { return rx_ != nullptr; }
  /** Any thread. */
  void set_mode(RxMode mode) noexcept {
    mode_.store(mode, std::memory_order_release);
    wake();
  }
  QueueStats& stats() noexcept { return interface_->stats().rx(queue_); }

 private:
  using QueueUser::QueueUser;
  void use(Link* link) override;
  bool finished() noexcept override;
  bool moved_on() {
    if (!refresh()) return false;
    return changed_ = true;
  }
  bool ready() const noexcept;
  void spin_or_sleep(std::int64_t timeout_ns);
  bool spin(RxMode mode, std::int64_t duration_ns) noexcept;
  void sleep_for_packets(RxMode mode, std::int64_t timeout_ns) noexcept;
  RxMode apply_mode() noexcept;

  std::atomic<RxMode> mode_{RxMode::adaptive};
  RxMode applied_mode_ = RxMode::adaptive;  // what the flag in the ring was set for
  RxQueue* rx_ = nullptr;
  bool lost_link_ = false;
  bool changed_ = false;  // wait() has yet to say so
};

/** How long a sender may wait that must not. */
class GSTMEMIF_API Patience {
 public:
  /** In nanoseconds; 0: not at all. @param now nanoseconds @param sent packets so far */
  std::int64_t left(std::int64_t now, std::uint64_t sent) noexcept;
  /** After a wait from the last left() until @p now. */
  void waited(std::int64_t now, bool in_vain) noexcept;

 private:
  std::int64_t budget_ = 0;
  std::int64_t since_ = 0;  // when it was so large
  std::uint64_t sent_ = 0;  // as of the last left() that was not 0
  bool fresh_ = true;
  bool in_vain_ = false;
};

/** Sends into one queue. */
class GSTMEMIF_API Sender : public QueueUser {
 public:
  /** Fails if the queue has a sender already, or is not below the interface's tx_queues. */
  static Result<std::unique_ptr<Sender>> open(std::shared_ptr<Interface> interface,
                                              std::uint32_t queue);
  /** What was not flushed is dropped. */
  ~Sender() override;

  /** Writes one packet; the peer sees it after flush(). link_lost also where there is no link. */
  SendResult send(std::span<const TxSegment> segments);
  /** Writes many packets; see TxQueue::send_burst(). */
  template <class Piece>
  std::uint32_t send_burst(std::uint32_t n, Piece piece) {
    if (stale()) refresh();
    enter();
    return tx_ == nullptr ? 0 : tx_->send_burst(n, piece);
  }
  /** Sends a lent packet without a copy, see TxQueue::exchange(). Only if owns() its loan. */
  SendResult exchange(const LentPacket& packet) {
    return tx_ == nullptr ? SendResult::link_lost : tx_->exchange(packet);
  }
  /** Many of them; see TxQueue::send_burst_zero_copy(). */
  template <class Packet>
  std::uint32_t send_burst_zero_copy(std::uint32_t n, Packet packet) {
    return tx_ == nullptr ? 0 : tx_->send_burst_zero_copy(n, packet);
  }
  /** Whether @p loan is of the link in use, so that its buffers can go into its rings. */
  bool owns(const Loan& loan) {
    if (stale()) refresh();  // or its packets would go into the ring of a link that is gone
    return tx_ != nullptr && loan.link() == link();
  }
  void flush() noexcept {
    enter();
    if (tx_ != nullptr) tx_->flush();
  }

  /** After SendResult::full: flushes, and waits until the peer has room. */
  WaitResult wait_for_room(std::int64_t timeout_ns = kForever);
  /**
   * The same, for a thread that others depend on: waits for a millisecond at the most, no more than
   * a tenth of all time, and after a wait in vain not until the peer has taken something. Otherwise
   * WaitResult::timeout, at once.
   */
  WaitResult wait_briefly_for_room();
  /** After SendResult::link_lost: waits for a link with this queue. */
  WaitResult wait_for_link(std::int64_t timeout_ns = kForever);

  /**
   * Flushes, and waits until the peer has taken all packets from the rings of @p senders, which are
   * of one interface and belong to the calling thread. WaitResult::ready: it has; link_changed: it
   * is gone; timeout: it took none for @p patience_ns, or not all within @p limit_ns.
   */
  static WaitResult drain(std::span<const std::unique_ptr<Sender>> senders,
                          std::int64_t patience_ns, std::int64_t limit_ns = kForever);
  /** Counts what the peer has not taken as undelivered; it may take it all the same. */
  void abandon() noexcept {
    if (tx_ != nullptr) tx_->abandon();
  }

  bool has_queue() const noexcept { return tx_ != nullptr; }
  QueueStats& stats() noexcept { return interface_->stats().tx(queue_); }

 private:
  using QueueUser::QueueUser;
  void use(Link* link) override;

  TxQueue* tx_ = nullptr;
  Patience patience_;
};

}  // namespace gstmemif
