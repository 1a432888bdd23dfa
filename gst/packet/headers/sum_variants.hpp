// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The routines behind long checksums, of which the processor gets the best it can run. Not
 * installed: for the library itself and the tests of each.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace gstpacket::detail {

/** Both return what ones_complement_sum() and copy_and_sum() do, for any size. */
struct SumVariant {
  const char* name;
  std::uint64_t (*sum)(const std::byte* data, std::size_t size) noexcept;
  std::uint64_t (*copy_sum)(std::byte* to, const std::byte* from, std::size_t size) noexcept;
};

/** Those that this processor can run, the best one last. Any thread. */
[[nodiscard]] std::span<const SumVariant> sum_variants() noexcept;

}  // namespace gstpacket::detail
