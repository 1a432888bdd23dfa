// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Copying packets, most of which are short.
 */
#pragma once

#include <cstddef>
#include <cstring>

namespace gstcommon {

/** memcpy(), without a call for 32 to 128 bytes: the beginning and the end, which may overlap. */
inline void copy_packet(std::byte* to, const std::byte* from, std::size_t size) noexcept {
  const auto both_ends = [=](std::size_t n) {
    std::memcpy(to, from, n);
    std::memcpy(to + size - n, from + size - n, n);
  };
  if (size >= 32 && size <= 64) {
    both_ends(32);
  } else if (size > 64 && size <= 128) {
    both_ends(64);
  } else {
    std::memcpy(to, from, size);
  }
}

}  // namespace gstcommon
