// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Random numbers for delays, identifiers and the secrets of tables: not for keys.
 */
#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <optional>

namespace ipplugin {

class Random {
 public:
  explicit Random(std::optional<std::uint64_t> seed)
      : state_(seed ? *seed : std::uint64_t{g_random_int()} << 32 | g_random_int()) {}

  std::uint64_t next() noexcept {
    // SplitMix64: any state is a good one.
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15ULL;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  /** 0 to limit - 1; 0 if limit is. */
  std::uint64_t below(std::uint64_t limit) noexcept { return limit == 0 ? 0 : next() % limit; }
  /** first to last. */
  std::uint64_t between(std::uint64_t first, std::uint64_t last) noexcept {
    return first + below(last - first + 1);
  }

 private:
  std::uint64_t state_;
};

}  // namespace ipplugin
