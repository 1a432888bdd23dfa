// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The times of day that packets of a file keep on their way through a pipeline: a
 * GstReferenceTimestampMeta for the packet, or the first one of a batch.
 */
#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <optional>

namespace pcapplugin {

/** Nanoseconds since 1970. Transfer none. */
[[nodiscard]] inline GstCaps* unix_time_caps() {
  static GstCaps* const caps = [] {
    GstCaps* made = gst_caps_new_empty_simple("timestamp/x-unix");
    GST_MINI_OBJECT_FLAG_SET(made, GST_MINI_OBJECT_FLAG_MAY_BE_LEAKED);
    return made;
  }();
  return caps;
}

inline void set_recorded_time(GstBuffer* buffer, std::uint64_t time) {
  gst_buffer_add_reference_timestamp_meta(buffer, unix_time_caps(), time, GST_CLOCK_TIME_NONE);
}

[[nodiscard]] inline std::optional<std::uint64_t> recorded_time(GstBuffer* buffer) {
  const auto* meta = gst_buffer_get_reference_timestamp_meta(buffer, unix_time_caps());
  if (meta == nullptr) return std::nullopt;
  return meta->timestamp;
}

}  // namespace pcapplugin
