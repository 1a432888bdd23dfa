// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The packets of a stream on their way into a capture, with the times of day at which they came.
 */
#pragma once

#include <gst/base/gstbasesink.h>

#include <cstdint>
#include <functional>
#include <string>

#include "gst/common/counter.hpp"
#include "plugins/pcap/arrival_clock.hpp"
#include "plugins/pcap/capture_writer.hpp"

namespace pcapplugin {

/**
 * Of the streaming thread, and of state changes while that does not run, but for what interrupts
 * the writer, and the counters.
 */
class Recording {
 public:
  /** @param closed is called with the name of each file that is complete */
  Recording(GstBaseSink* sink, std::function<void(const std::string&)> closed);

  /** Before the capture is opened. @param flushes whether a file gets at once what is recorded */
  void begin(bool flushes);

  /** Records the packets of a buffer, a batch or a list; flushes them if somebody waits. */
  Flow record(GstBuffer* buffer);
  Flow record(GstBufferList* list);

  CaptureWriter writer;
  gstcommon::Counter unreadable;

 private:
  [[nodiscard]] std::uint64_t time_of(GstBuffer* buffer);
  Flow add_batch(GstBuffer* batch, std::uint64_t time);
  Flow add(GstBuffer* buffer);
  Flow flush_for_reader();

  GstBaseSink* const sink_;
  ArrivalClock clock_;
  bool flushes_ = false;
};

}  // namespace pcapplugin
