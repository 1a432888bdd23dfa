// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Private. Request pads with numbers: sink_0, src_0 and so on.
 */
#pragma once

#include <gst/gst.h>

#include <memory>

namespace gstpacket::detail {

using PadPointer = std::unique_ptr<GstPad, void (*)(void*)>;

/** The number of such a pad, whatever its name is now. */
[[nodiscard]] unsigned number_of(const void* pad);

/**
 * A pad, not added yet, with the name `asked` for or, without one, the lowest number that is free
 * in its direction. Null if it is taken, or the number is too large.
 */
[[nodiscard]] PadPointer new_numbered_pad(GstElement* element, GstPadTemplate* templ,
                                          const char* asked);

/** Ends the use of a pad by other threads, without waiting for them. */
void disconnect_pad(GstPad* pad);

}  // namespace gstpacket::detail
