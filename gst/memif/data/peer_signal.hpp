// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file The eventfd of a ring, which the peer shares: to signal it and to clear it without ever
 * waiting.
 *
 * O_NONBLOCK belongs to the file description. A peer can take it away and fill the counter, also
 * between a look at it and a write(); so nothing here depends on that flag. All functions may be
 * called by any thread.
 */
#pragma once

#include "gst/memif/export.hpp"

namespace gstmemif {

/**
 * Adds one to the counter, whatever the peer does meanwhile. Returns null, or why that cannot be
 * done here, as a string literal.
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
