// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The events that a pad has to send before data.
 */
#pragma once

#include <gst/gst.h>

namespace rig {

/** Sends stream-start, caps (unless null) and an open segment. */
inline void send_prologue(GstPad* pad,
                          const char* caps = "application/x-packet,link-type=ethernet") {
  gst_pad_push_event(pad, gst_event_new_stream_start("test"));
  if (caps != nullptr) {
    GstCaps* parsed = gst_caps_from_string(caps);
    gst_pad_push_event(pad, gst_event_new_caps(parsed));
    gst_caps_unref(parsed);
  }
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_pad_push_event(pad, gst_event_new_segment(&segment));
}

}  // namespace rig
