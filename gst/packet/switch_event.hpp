// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The sticky event by which a switch, such as ethbridge, tells elements behind its ports that one
 * thread sends to several of them: an element that waits delays the other ports. Each source pad of
 * an element with any number of ports sends it after the segment, and again with each new stream;
 * it expires when another stream starts.
 *
 * memifsink handles it: with when-full=auto it then drops packets rather than wait for a peer that
 * does not take them. Other sinks that may block for long should do the same.
 */
#pragma once

#include <gst/gst.h>

#include "gst/packet/export.hpp"

namespace gstpacket {

/** A custom sticky event named `GstPacketSwitch`. Transfer full. */
[[nodiscard]] GSTPACKET_API GstEvent* new_switch_event();

/** Whether `event` is one. Any thread. */
[[nodiscard]] GSTPACKET_API bool is_switch_event(GstEvent* event);

}  // namespace gstpacket
