// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The eventfd of a ring, shared with the peer: signalling and clearing it without ever blocking.
 *
 * O_NONBLOCK belongs to the file description. A peer can clear it and fill the counter, even
 * between a check and a write(), so nothing here depends on that flag. All functions may be
 * called by any thread.
 */
#pragma once

#include "gst/memif/export.hpp"

namespace gstmemif {

/**
 * Adds one to the counter without blocking. Returns null, or the reason why that is impossible
 * here, as a string literal.
 */
GSTMEMIF_API const char* signal_peer(int event_fd) noexcept;

/** False if the counter is full, which 2^64 wake-ups without a read would take. */
GSTMEMIF_API bool takes_signals(int event_fd) noexcept;

/**
 * Takes the counter back to zero, or one off if the peer made it a semaphore. Returns null, or why
 * that cannot be done here, as a string literal.
 */
GSTMEMIF_API const char* clear_signal(int event_fd) noexcept;

}  // namespace gstmemif
