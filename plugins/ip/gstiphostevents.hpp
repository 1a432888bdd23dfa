// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * What iphost does with the events of its pads, and when its own stream ends.
 */
#pragma once

#include <gst/gst.h>

#include "plugins/ip/gstiphoststate.hpp"

/** Ends the stream of the source pad if all that leaves there has ended. Any thread. */
void gst_ip_host_look_for_end(GstIpHost* self);

// Event functions: of the sink pads for data, of the sink pad for packets, and of the source pad
// for packets, which gets what comes from behind it.
gboolean gst_ip_host_data_event(GstPad* pad, GstObject* parent, GstEvent* event);
gboolean gst_ip_host_packet_event(GstPad* pad, GstObject* parent, GstEvent* event);
gboolean gst_ip_host_upstream_event(GstPad* pad, GstObject* parent, GstEvent* event);
