// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The instance of memifsrc, for the files that it is written in.
 */
#pragma once

#include <gst/base/gstpushsrc.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "gst/common/cache_line.hpp"
#include "gst/memif/receiver.hpp"
#include "plugins/common/live_source.hpp"
#include "plugins/memif/cpu_affinity.hpp"
#include "plugins/memif/memif_element.hpp"
#include "plugins/memif/rx_pool.hpp"

GST_DEBUG_CATEGORY_EXTERN(memifsrc_debug);
#define GST_CAT_DEFAULT memifsrc_debug

/** Which packets may be lent that are longer than a recycled buffer, when each has its own. */
enum class LendPolicy : gint { never, raw, always };

/** Of GstMemifSrcState::quiet_since: packets came last. */
inline constexpr gint64 kNotQuiet = -1;

struct alignas(gstcommon::kCacheLine) GstMemifSrcState {
  explicit GstMemifSrcState(GstPushSrc* src);
  ~GstMemifSrcState() { gst_clear_caps(&caps); }

  MemifElement common;
  LiveSource live;
  std::mutex mutex;  // guards what follows; the streaming thread needs no lock for the receiver
  std::unique_ptr<gstmemif::Receiver> receiver;
  gstmemif::RxMode rx_mode = gstmemif::RxMode::adaptive;
  std::string cpu_affinity;
  GstCaps* caps = nullptr;
  std::atomic<guint> batch_size{guint{GST_PACKET_BATCH_MAX}};
  std::atomic<bool> batches{true};
  std::atomic<bool> eos_on_disconnect{false};
  std::atomic<LendPolicy> lend_frames{LendPolicy::raw};
  std::atomic<guint64> timeout{0};  // nanoseconds; 0: none
  // Streaming thread only.
  CpuAffinity affinity;
  bool send_batches = false;
  bool lend_long = false;
  gint64 quiet_since = kNotQuiet;  // nanoseconds of the monotonic clock
  // The drops that there was a warning about, of any number.
  bool warned_too_long = false;
  bool warned_no_memory = false;
  bool warned_picture = false;
  gsize picture_size = 0;                        // that raw video should have, or 0
  const gstmemif::Counter* no_memory = nullptr;  // of the receiver
  std::uint64_t no_memory_before = 0;            // counted so in earlier runs
  std::optional<RxBatchPool> batch_pool;         // while sending batches
  std::optional<RxBufferPool> buffers;           // while not sending batches
};

struct GstMemifSrc {
  GstPushSrc parent;
  GstMemifSrcState* state;
};

inline GstMemifSrcState& gst_memif_src_state(gpointer instance) {
  return *static_cast<GstMemifSrc*>(instance)->state;
}
