// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The size of a cache line, to keep apart what different threads write.
 */
#pragma once

#include <cstddef>

namespace gstcommon {

/**
 * Bytes. A constant, as std::hardware_destructive_interference_size depends on the compiler's
 * options, and the layout of classes in headers must not.
 */
inline constexpr std::size_t kCacheLine = 64;

}  // namespace gstcommon
