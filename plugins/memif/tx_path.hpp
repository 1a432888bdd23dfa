// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The path of packets from memifsink's pad into the rings of its queues.
 */
#pragma once

#include <gst/base/gstbasesink.h>

#include <atomic>
#include <cstdint>
#include <memory>

#include "gst/packet/packetbatch.h"
#include "plugins/memif/flow_spreader.hpp"
#include "plugins/memif/memif_element.hpp"
#include "plugins/memif/news_limit.hpp"

/** How to handle a packet that cannot be sent now. */
enum class TxPolicy : gint { block, drop, automatic };

/**
 * Sends buffers, lists and batches; waits or drops while a ring is full or there is no peer. Any
 * thread may set the policies and the timeout. Everything else belongs to the streaming thread, and
 * to state changes while there is none.
 */
class TxPath {
 public:
  static constexpr guint64 kDrainTimeout = GST_SECOND;

  TxPath(GstBaseSink* sink, MemifElement& common) noexcept : sink_(sink), common_(common) {}
  ~TxPath() { set_preamble(nullptr); }
  TxPath(const TxPath&) = delete;
  TxPath& operator=(const TxPath&) = delete;

  /** Sends through @p queues, which must remain valid until the next call; null: no more. */
  void use(FlowSpreader* queues) noexcept {
    queues_ = queues;
    reported_ = {};
    set_preamble(nullptr);
    behind_switch_ = false;
  }
  /** Whether packets come through a switch, whose other ports would wait with us. */
  void set_behind_switch(bool behind) noexcept { behind_switch_ = behind; }

  /** Whether the buffers that follow are no packets, and have no flows. */
  void set_opaque(bool opaque) noexcept {
    queues_->set_opaque(opaque);
    reported_ = {};
  }

  /** What each peer gets before anything else; takes @p packets, null: nothing. */
  void set_preamble(GstBufferList* packets) noexcept {
    if (preamble_ != nullptr) gst_buffer_list_unref(preamble_);
    preamble_ = packets;
  }

  GstFlowReturn send(GstBuffer* buffer);
  GstFlowReturn send(GstBufferList* list);

  /** Waits until the peer has taken what is in the ring, and counts what it has not. */
  GstFlowReturn drain();
  /**
   * The same for a stop without an end of the stream: for a moment only, counted from monotonic
   * time @p since_us in microseconds, and while the peer is at work.
   */
  void drain_briefly(std::int64_t since_us);

  std::atomic<TxPolicy> when_full{TxPolicy::automatic};
  std::atomic<TxPolicy> when_down{TxPolicy::drop};
  std::atomic<guint64> drain_timeout{kDrainTimeout};

 private:
  [[nodiscard]] bool spares_others() const;
  template <class Wait>
  GstFlowReturn wait_until(Wait wait);
  GstFlowReturn on_full(gstmemif::Sender& sender, bool& again);
  GstFlowReturn on_link_lost(bool& again);
  GstFlowReturn on_stop(gstmemif::Sender& sender, gstmemif::SendResult reason, bool& again);
  template <class Packet, class Send>
  GstFlowReturn send_in_order(guint n, Packet packet, Send send);
  template <class Send>
  GstFlowReturn send_until_done(gstmemif::TxPacket packet, Send send);
  GstFlowReturn introduce();
  GstFlowReturn send_buffer(GstBuffer* buffer);
  GstFlowReturn send_batch(GstBuffer* buffer, GstPacketBatchMeta& meta);
  GstFlowReturn send_segment(GstBuffer* buffer, GstMemory* memory);
  GstFlowReturn send_segments(GstBuffer* buffer);
  GstFlowReturn send_some(GstBufferList* list, guint& i);
  GstFlowReturn unreadable();
  GstFlowReturn drop_damaged();
  void give_up(std::uint64_t packets);
  void report_oversize(const gstmemif::Sender& sender);

  GstBaseSink* const sink_;
  MemifElement& common_;
  FlowSpreader* queues_ = nullptr;
  bool behind_switch_ = false;
  GstBufferList* preamble_ = nullptr;
  std::weak_ptr<gstmemif::Link> introduced_;  // whose peer has got it
  bool introducing_ = false;
  gstmemif::Oversize reported_;  // the last one there was a warning about
  NewsLimit oversize_warnings_;
};
