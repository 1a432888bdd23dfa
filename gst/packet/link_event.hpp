// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The event by which the end of a link tells the elements beside it that the link went up or down:
 * memifsrc sends it downstream and memifsink upstream, out of band, at any time, also before the
 * first buffer. iphost announces its addresses then. Elements that do not know it pass it on.
 */
#pragma once

#include <gst/gst.h>

#include <optional>

#include "gst/packet/export.hpp"

namespace gstpacket {

/** A custom event named `GstPacketLink`, for both directions. Transfer full. */
[[nodiscard]] GSTPACKET_API GstEvent* new_link_event(bool up);

/** Whether the link is up; nothing if `event` is another one. Any thread. */
[[nodiscard]] GSTPACKET_API std::optional<bool> link_event_state(GstEvent* event);

}  // namespace gstpacket
