// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The transmit queues that one memifsink fills: one, or all with flows spread over them.
 */
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "gst/memif/sender.hpp"
#include "gst/packet/caps.hpp"

/**
 * Used like a Sender: by one thread at a time, but for interrupt(), resume() and rouse().
 *
 * With all queues, a packet's queue follows from a hash of its flow, so packets of one flow keep
 * their order. Only the queues that the peer agreed to are used.
 */
class FlowSpreader {
 public:
  /** Instead of the number of a queue. */
  static constexpr std::int64_t kAll = -1;

  /** @param queue a number, or kAll */
  static gstmemif::Result<std::unique_ptr<FlowSpreader>> open(
      const std::shared_ptr<gstmemif::Interface>& interface, std::int64_t queue);

  /**
   * Switches to the present link of the interface. To be called before each batch and after a wait.
   */
  void refresh() noexcept {
    if (senders_.size() > 1) [[unlikely]] {
      refresh_all();
    }
  }
  /** Whether what follows has no flows: it goes to the first queue then, in order. */
  void set_opaque(bool opaque) noexcept {
    hashed_as_ = opaque ? gstpacket::LinkType::punt : link_type_;
  }
  /** Whether all packets go to first(). */
  bool single() const noexcept { return in_use_ == 1; }
  gstmemif::Sender& pick(gstmemif::TxPacket packet) const noexcept {
    return single() ? *senders_.front() : pick_by_flow(packet);
  }
  /** The one to ask whether there is a link at all. */
  gstmemif::Sender& first() const noexcept { return *senders_.front(); }

  /**
   * Leaves a link that is gone, and with it its memory, ahead of the next packet. For another
   * thread while the one that sends is kept out.
   */
  void refresh_ahead() noexcept {
    for (auto& sender : senders_) sender->refresh_ahead();
    refresh();
  }
  /** Waits for a link, without keeping the memory of one that is gone. */
  gstmemif::WaitResult wait_for_link();

  void flush() noexcept {
    for (auto& sender : senders_) sender->flush();
  }
  /** Waits until the peer has taken everything; see Sender::drain(). */
  gstmemif::WaitResult drain(std::int64_t patience_ns, std::int64_t limit_ns) {
    return gstmemif::Sender::drain(senders_, patience_ns, limit_ns);
  }
  /** Counts packets that it has not taken. */
  void abandon() noexcept {
    for (auto& sender : senders_) sender->abandon();
  }
  void interrupt() noexcept {
    for (auto& sender : senders_) sender->interrupt();
  }
  void resume() noexcept {
    for (auto& sender : senders_) sender->resume();
  }
  /** Ends a wait for room or for a link, so that it is decided anew whether to wait. Any thread. */
  void rouse() noexcept {
    for (auto& sender : senders_) sender->rouse();
  }

 private:
  void refresh_all() noexcept;
  gstmemif::Sender& pick_by_flow(gstmemif::TxPacket packet) const noexcept;

  std::vector<std::unique_ptr<gstmemif::Sender>> senders_;
  std::uint32_t in_use_ = 1;  // the first so many are part of the link
  gstpacket::LinkType link_type_ = gstpacket::LinkType::ethernet;
  gstpacket::LinkType hashed_as_ = gstpacket::LinkType::ethernet;
};
