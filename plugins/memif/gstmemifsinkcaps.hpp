// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * What memifsink agrees on with upstream: caps, and the memory for packets.
 */
#pragma once

#include <gst/base/gstbasesink.h>

GstCaps* gst_memif_sink_get_caps(GstBaseSink* sink, GstCaps* filter);
gboolean gst_memif_sink_set_caps(GstBaseSink* sink, GstCaps* caps);
gboolean gst_memif_sink_propose_allocation(GstBaseSink* sink, GstQuery* query);
/**
 * False if caps were refused in PAUSED. gst-launch-1.0 does not end for an error that comes before
 * it waits for messages, as one from another thread may: so it gets that again, and no PLAYING.
 */
bool gst_memif_sink_may_play(GstElement* element);
