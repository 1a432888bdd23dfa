// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Copying what is too large to be still in a cache when it is read.
 */
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace gstmemif {

/** From so many bytes on stream_copy() is worth it: megabytes, such as a frame of video. */
inline constexpr std::size_t kStreamedSize = std::size_t{4} << 20;

#ifdef __SSE2__

/**
 * memcpy() past the caches, which neither reads the memory that is written to nor drives out what
 * is in them. Others see the bytes in the order of later stores only after finish_stream_copies().
 */
inline void stream_copy(std::byte* to, const std::byte* from, std::size_t size) noexcept {
  constexpr std::size_t kLine = 64;
  const std::size_t before = (0 - reinterpret_cast<std::uintptr_t>(to)) % kLine;
  const std::size_t head = std::min(before, size);
  if (head != 0) std::memcpy(to, from, head);
  std::size_t at = head;
  for (; size - at >= kLine; at += kLine) {
    // All of a line one after the other, so that it goes to memory as one.
    const auto* in = reinterpret_cast<const __m128i*>(from + at);
    auto* out = reinterpret_cast<__m128i*>(to + at);
    const __m128i a = _mm_loadu_si128(in), b = _mm_loadu_si128(in + 1);
    const __m128i c = _mm_loadu_si128(in + 2), d = _mm_loadu_si128(in + 3);
    _mm_stream_si128(out, a);
    _mm_stream_si128(out + 1, b);
    _mm_stream_si128(out + 2, c);
    _mm_stream_si128(out + 3, d);
  }
  if (at != size) std::memcpy(to + at, from + at, size - at);
}

inline void finish_stream_copies() noexcept {
  _mm_sfence();
}

#else

inline void stream_copy(std::byte* to, const std::byte* from, std::size_t size) noexcept {
  if (size != 0) std::memcpy(to, from, size);
}
inline void finish_stream_copies() noexcept {}

#endif

}  // namespace gstmemif
