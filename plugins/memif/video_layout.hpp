// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * How the rows of a picture lie in a packet: as its caps say, since no meta gets to the peer.
 */
#pragma once

#include <gst/video/video.h>

#include <optional>

/** What fixed @p caps of raw video say; nothing for others. */
std::optional<GstVideoInfo> video_layout(const GstCaps* caps);

/** Whether the picture in @p buffer lies as @p layout says. */
bool lies_as(const GstVideoInfo& layout, GstBuffer* buffer);

/** A copy of @p buffer whose picture does; null if it cannot be made. Transfer full. */
GstBuffer* copy_to_layout(const GstVideoInfo& layout, GstBuffer* buffer);
