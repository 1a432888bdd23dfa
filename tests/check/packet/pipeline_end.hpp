// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The end of a whole pipeline.
 */
#pragma once

#include <gst/gst.h>

namespace rig {

/** Waits until a pipeline that was started has ended: false after an error, or if it does not. */
[[nodiscard]] inline bool reaches_eos(GstElement* pipeline) {
  constexpr auto kTypes = static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  GstBus* bus = gst_element_get_bus(pipeline);
  GstMessage* message = gst_bus_timed_pop_filtered(bus, 60 * GST_SECOND, kTypes);
  gst_object_unref(bus);
  const bool ended = message != nullptr && GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS;
  if (message != nullptr) gst_message_unref(message);
  return ended;
}

}  // namespace rig
