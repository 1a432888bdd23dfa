// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * A sink's report of lost packets at the end of the stream.
 */
#pragma once

#include <gst/gst.h>

#include <array>
#include <cstdint>

#include "gst/memif/stats.hpp"

/** Counts from the time it was created. */
class DeliveryReport {
 public:
  DeliveryReport() = default;
  explicit DeliveryReport(const gstmemif::QueueStats& start) noexcept;

  /**
   * Posts a message for @p element if packets were lost by @p now: a warning if all were, an info
   * otherwise. Its details hold the figures: `packets`, `lost`, and a `drop-<reason>` each.
   */
  void post(GstElement* element, const gstmemif::QueueStats& now) const;

 private:
  std::uint64_t packets_ = 0;
  std::array<std::uint64_t, gstmemif::kDropReasonNames.size()> drops_{};
};
