// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Symbol visibility of the library gstmemif-1.0.
 */
#pragma once

#if __cplusplus < 202002L
#error "the C++ headers of gst-memif need C++20: -std=c++20"
#endif

// Shared memory of 4 GiB and more is mapped in one piece, and sums of what peers say must not wrap.
static_assert(sizeof(void*) >= 8, "gst-memif needs a 64-bit platform");

/** Marks what the shared library exports; everything else stays hidden. */
#define GSTMEMIF_API __attribute__((visibility("default")))
