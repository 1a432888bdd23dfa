// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Receives from one queue of an interface.
 */
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "gst/memif/burst.hpp"
#include "gst/memif/queue_user.hpp"

namespace gstmemif {

class RxQueue;
class WakeSet;

/** How a receiver waits for packets. */
enum class RxMode {
  interrupt,  ///< sleeps until the peer wakes it: no CPU when idle
  polling,    ///< polls continuously: lowest latency, one CPU
  adaptive    ///< polls briefly after each packet, then sleeps
};

/** Receives from one queue. */
class GSTMEMIF_API Receiver final : public QueueUser {
 public:
  /** Fails if the queue has a receiver already, or is not below the interface's rx_queues. */
  static Result<std::unique_ptr<Receiver>> open(std::shared_ptr<Interface> interface,
                                                std::uint32_t queue, RxMode mode);
  ~Receiver() override;

  /**
   * Up to @p max_packets whole packets, as segments that stay valid until release(); never waits.
   * Fewer if they are long, so that a peer that describes the same bytes repeatedly cannot make us
   * hold many copies. Also none when it moves to another link: packets of two links are never in
   * one burst.
   */
  std::span<const RxSegment> receive(std::uint32_t max_packets);
  /**
   * Returns the slots of the last receive() or receive_lent() to the peer; false if the memory of
   * the packets was taken away meanwhile: copies made from it must not be used.
   */
  bool release() noexcept;

  /**
   * Receives without a copy where possible: lent packets stay valid beyond release(), until the
   * loan is given back. They are described in @p packets, which says how many may come,
   * Loan::kMax at the most; each one's token is the place of its buffer in the loan. A loan has
   * packets of one slot each, and ends before a packet that has several or has to be dropped.
   *
   * Packets come as from receive() if such a packet is next, if too many are lent already, or if
   * the peer could take the memory away. As master, the holder of the loan must not write to it.
   */
  RxBurst receive_lent(std::span<PacketDesc> packets);

  /**
   * The same as receive(), but a packet of @p long_from bytes or more is lent where possible, by
   * itself, as receive_lent() lends: described in @p packet. As master also one that takes several
   * slots, if their buffers lie next to each other in order.
   */
  RxBurst receive_or_lend(std::uint32_t max_packets, std::uint32_t long_from, PacketDesc& packet);

  /** Waits for packets. @param timeout_ns nanoseconds, or kForever */
  WaitResult wait(std::int64_t timeout_ns = kForever);

  /**
   * Whether a link has been left since the last call, after receiving everything its peer had
   * published.
   */
  bool lost_link() noexcept { return std::exchange(lost_link_, false); }

  /**
   * The same as refresh(), ahead of a wait: that returns WaitResult::link_changed all the same. For
   * another thread while the receiving one is kept out.
   */
  void refresh_ahead() { moved_on(); }

  /** Bytes of the last packet of the present link over the limit; 0 if there was none. */
  std::uint64_t too_long() const noexcept;

  /** True if the present link has this queue. */
  bool has_queue() const noexcept { return rx_ != nullptr; }
  /** Any thread. */
  void set_mode(RxMode mode) noexcept {
    mode_.store(mode, std::memory_order_release);
    wake();
  }
  QueueStats& stats() noexcept { return stats_; }

 private:
  Receiver(std::shared_ptr<Interface> interface, std::uint32_t queue);
  void use(Link* link) override;
  bool finished() noexcept override;
  bool moved_on() {
    if (!refresh()) return false;
    return changed_ = true;
  }
  bool ready() const noexcept;
  void spin_or_sleep(std::int64_t timeout_ns);
  bool spin(RxMode mode, std::int64_t duration_ns) noexcept;
  void sleep_on_ring(std::int64_t timeout_ns) noexcept;
  void sleep_for_packets(RxMode mode, std::int64_t timeout_ns) noexcept;
  RxMode apply_mode() noexcept;

  std::atomic<RxMode> mode_{RxMode::adaptive};
  RxMode applied_mode_ = RxMode::adaptive;  // what the flag in the ring was set for
  RxQueue* rx_ = nullptr;
  std::unique_ptr<WakeSet> wakes_;
  bool lost_link_ = false;
  bool changed_ = false;  // wait() has yet to say so
};

}  // namespace gstmemif
