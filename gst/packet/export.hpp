// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Symbol visibility of the library gstpacket-1.0.
 */
#pragma once

#if __cplusplus < 202002L
#error "the C++ headers of gst-memif need C++20: -std=c++20"
#endif

// Sums of 32-bit offsets and lengths must not wrap in a std::size_t.
static_assert(sizeof(void*) >= 8, "gst-memif needs a 64-bit platform");

/** Marks the symbols that libgstpacket-1.0 exports; everything else stays hidden. */
#define GSTPACKET_API __attribute__((visibility("default")))
