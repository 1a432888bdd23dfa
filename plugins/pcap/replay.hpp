// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * A capture as batches of packets, with the times at which they are due.
 */
#pragma once

#include <gst/gst.h>

#include <cstddef>

#include "gst/common/counter.hpp"
#include "plugins/common/packet_pool.hpp"
#include "plugins/pcap/batch_filler.hpp"
#include "plugins/pcap/capture_reader.hpp"
#include "plugins/pcap/replay_clock.hpp"

namespace pcapplugin {

/**
 * Of the streaming thread, and of state changes while that does not run, but for what interrupts
 * the reader and the clock, and the counters.
 */
class Replay {
 public:
  /** Before the capture is opened. @param speed 0: as fast as possible */
  void begin(double speed, bool keeps_times);
  /** Closes the capture, and lets all memory go. */
  void end();

  /** Whether packets are waited for until they are due. */
  [[nodiscard]] bool is_paced() const noexcept { return pace_ != 0; }
  /** Where it is paced: waits until the present packet is due. False if that was interrupted. */
  [[nodiscard]] bool wait(GstElement* element, GstClockTime running_time);

  /** What comes next is read into the memory of the batch that is made next, if that is of use. */
  void prepare_block(guint most);
  /** A batch of the present packet and others that can follow; null without memory. */
  [[nodiscard]] GstBuffer* make_batch(guint most);

  /**
   * Packets go to memory of a pool that @p query offers, or else to memory of its own. False
   * without memory.
   */
  bool use_memory(GstQuery* query);
  [[nodiscard]] bool uses_pool() const { return places_.prepared(); }

  CaptureReader reader;
  ReplayClock clock;
  gstcommon::Counter packets, bytes, pushes;

 private:
  class BatchTimes;

  [[nodiscard]] GstClockTime due(const Recorded& packet) const;
  void fill(guint most, BatchFiller& filler);
  void drop_block();
  [[nodiscard]] GstBuffer* take_memory(BatchFiller::Way& way);

  double pace_ = 0;  // the speed of this run
  bool keeps_times_ = false;
  GstClockTime start_ = GST_CLOCK_TIME_NONE;  // the running time of the first packet, with a pace
  GstClockTime now_ = 0;                      // the running time up to which packets are due
  PacketPool places_;                         // of downstream
  PacketPool arenas_;
  GstBuffer* block_ = nullptr;  // of them, which the reader reads into
  std::size_t place_size_ = 0;  // of all places, as far as is known
};

}  // namespace pcapplugin
