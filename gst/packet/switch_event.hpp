// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
//
// The sticky event by which a switch, such as ethbridge, tells what is behind its ports that one
// thread sends to several of them: whoever waits there holds up the others. Each source pad of an
// element with any number of ports sends it after the segment, and again with each new stream;
// whoever acts on it forgets it when another stream starts.
//
// memifsink acts on it: with when-full=auto it then drops packets rather than wait for a peer that
// does not take them. A sink of your own that may wait for long should do the same.
#pragma once

#include <gst/gst.h>

#include "gst/packet/export.hpp"

namespace gstpacket {

/// A custom sticky event named `GstPacketSwitch`. Transfer full.
[[nodiscard]] GSTPACKET_API GstEvent* new_switch_event();

/// Whether `event` is one. Any thread.
[[nodiscard]] GSTPACKET_API bool is_switch_event(GstEvent* event);

}  // namespace gstpacket
