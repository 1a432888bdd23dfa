// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The GStreamer Data Protocol, which brings caps, events and timestamps along with the buffers.
 */
#pragma once

#include <gst/gst.h>

/** Media type of what `gdppay` makes. */
inline constexpr char kGdpMediaType[] = "application/x-gdp";

/**
 * What a receiver has to have first: the packets that `gdppay` puts into its @p caps, with the caps
 * of the stream among them. Null if there are none. Transfer full.
 */
GstBufferList* gdp_preamble(const GstCaps* caps);

/**
 * The end of the stream as a packet of the protocol, which `gdpdepay` turns into an EOS event:
 * `gdppay` puts all serialized events into the stream but this one.
 */
GstBuffer* gdp_end_of_stream();
