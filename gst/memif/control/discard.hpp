// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Closes unwanted descriptors that a peer passed. Internal.
 */
#pragma once

#include <cstddef>

#include "gst/memif/control/fd.hpp"

namespace gstmemif {

/**
 * Closes @p fd, which may be anything, by a thread that may wait: close() asks the daemon of a FUSE
 * file system or the server of a network one, and takes as long as a peer said for a socket that
 * lingers. Any thread; never waits.
 */
void discard(UniqueFd fd) noexcept;

/** How many more of them there is room for: many only wait if one cannot be closed. Any thread. */
GSTMEMIF_API std::size_t discard_room() noexcept;

}  // namespace gstmemif
