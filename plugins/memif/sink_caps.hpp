// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The caps that memifsink takes.
 *
 * Upstream gets to know all that it may offer, so that a CAPS event comes in any case: only then
 * can the element say in an error what to put in between. A link that fails, says nothing.
 */
#pragma once

#include <gst/gst.h>

#include <string>

/**
 * The answer to a CAPS query: of packets those of @p packets, which come first, and whatever else
 * @p filter has. Transfer full.
 * @param filter may be null
 */
GstCaps* offered_sink_caps(const GstCaps* packets, GstCaps* filter);

/** What the buffers of a stream are. */
enum class SinkContent {
  packets,  ///< of the interface's link type
  gdp,      ///< the GStreamer Data Protocol
  opaque,   ///< of any other type: for a memifsrc, which is told what they are
  refused
};

/** Whether @p caps, which have a structure, are of packets of any link type. */
bool are_packets(const GstCaps* caps);

/** @param packets caps of the packets that the interface carries @param any any others, too */
SinkContent content_of(const GstCaps* caps, const GstCaps* packets, bool any);

/** Why @p caps are refused, and what to do. */
std::string explain_refusal(const GstCaps* caps, const GstCaps* packets);
