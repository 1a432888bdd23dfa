// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * memifsink's way around the part of GstBaseSink that packets do not need.
 *
 * For each buffer the base class works out times of four kinds, to wait for one of them, to drop
 * what is late, and to report both. With sync=false, without QoS, limits and last-sample, nothing
 * of that has an effect, and it costs more than it takes to send a small batch. So the pad has
 * chain functions of our own. They leave to the base class the first buffer after each event and
 * each change of a property, all that is not usual (another state, a flush, a step, a buffer
 * outside of the segment or with a DTS), and one buffer per 100 ms of the stream, or of 1024
 * without a time, for its position and for what an application has set by other means; between
 * these they call render() with the same lock held.
 */
#pragma once

#include <gst/base/gstbasesink.h>

#include <atomic>

#include "gst/common/counter.hpp"

/** One per sink, set up when it is made. */
class SinkShortcut {
 public:
  explicit SinkShortcut(GstBaseSink* sink) noexcept;
  SinkShortcut(const SinkShortcut&) = delete;
  SinkShortcut& operator=(const SinkShortcut&) = delete;

  // What the chain functions of the pad do. Streaming thread. They take the reference.
  GstFlowReturn chain(GstBuffer* buffer);
  GstFlowReturn chain(GstBufferList* list);

  /** There is an event, or a new setting: the base class gets the next buffer. Any thread. */
  void on_event() noexcept { usual_.store(false, std::memory_order_seq_cst); }
  /** There is a step, of which only the base class knows when it ends. Any thread. */
  void on_step() noexcept {
    stepped_.store(true, std::memory_order_seq_cst);
    on_event();
  }
  /** In READY. */
  void reset() noexcept;
  /** Buffers and lists that the base class has not counted in `rendered`. */
  guint64 rendered() const noexcept { return rendered_.get(); }

 private:
  bool is_inside(GstClockTime time) const noexcept;
  bool may_render(GstClockTime time) const noexcept;
  template <class Data, class BaseChain, class Render>
  GstFlowReturn pass(Data* data, GstClockTime time, BaseChain base_chain, Render render);
  bool is_plain() const noexcept;
  GstPad* pad() const noexcept { return GST_BASE_SINK_PAD(sink_); }

  GstBaseSink* const sink_;
  const GstPadChainFunction base_chain_;
  const GstPadChainListFunction base_chain_list_;
  std::atomic<bool> usual_{false};
  std::atomic<bool> stepped_{false};
  GstClockTime last_ = GST_CLOCK_TIME_NONE;  // of the buffer that the base class got last
  guint in_a_row_ = 0;                       // since then
  gstcommon::Counter rendered_;
};
