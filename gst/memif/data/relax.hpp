// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Pausing in a loop that waits for another core.
 */
#pragma once

namespace gstmemif {

/** Leaves the core's resources to its other hardware thread for a moment. */
inline void relax() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace gstmemif
