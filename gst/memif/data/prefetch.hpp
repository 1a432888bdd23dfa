// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Prefetching of memory that another core has. Internal.
 */
#pragma once

namespace gstmemif {

/**
 * Prefetches a cache line that will be read and written, so that it is taken from the other core
 * once, and not first to be read and then to be written. The address may be any.
 */
inline void prefetch_to_change(const void* address) noexcept {
#if defined(__x86_64__)
  // Compilers prefetch for reading here unless told that the processor has this instruction. Those
  // of this kind that lack it do nothing.
  asm volatile("prefetchw (%0)" : : "r"(address));
#else
  __builtin_prefetch(address, 1);
#endif
}

}  // namespace gstmemif
