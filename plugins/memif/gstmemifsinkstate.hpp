// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The instance of memifsink, for the files that it is written in.
 */
#pragma once

#include <gst/base/gstbasesink.h>
#include <gst/video/video.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "gst/common/cache_line.hpp"
#include "plugins/memif/delivery_report.hpp"
#include "plugins/memif/flow_spreader.hpp"
#include "plugins/memif/gstmemifpool.hpp"
#include "plugins/memif/memif_element.hpp"
#include "plugins/memif/sink_caps.hpp"
#include "plugins/memif/sink_places.hpp"
#include "plugins/memif/sink_shortcut.hpp"
#include "plugins/memif/tx_path.hpp"

GST_DEBUG_CATEGORY_EXTERN(memifsink_debug);
#define GST_CAT_DEFAULT memifsink_debug

struct alignas(gstcommon::kCacheLine) GstMemifSinkState {
  explicit GstMemifSinkState(GstElement* element);

  MemifElement common;
  std::mutex mutex;  // guards what follows against unlock() and queries from other threads
  std::unique_ptr<FlowSpreader> queues;
  std::shared_ptr<LinkProvider> link_provider;  // as slave only
  std::uint32_t buffer_size = 0;
  std::string refusal;  // of the present caps; empty: they are taken
  std::atomic<bool> any_caps{false};
  // Of the streaming thread.
  SinkContent content = SinkContent::refused;
  std::optional<GstVideoInfo> video;  // what the pictures of the stream are
  TxPath path;
  SinkPlaces places;
  SinkShortcut shortcut;
  DeliveryReport report;        // streaming thread, and state changes while there is none
  std::int64_t sent_until = 0;  // monotonic time, microseconds
};

struct GstMemifSink {
  GstBaseSink parent;
  GstMemifSinkState* state;
};

inline GstMemifSinkState& gst_memif_sink_state(gpointer instance) {
  return *static_cast<GstMemifSink*>(instance)->state;
}
