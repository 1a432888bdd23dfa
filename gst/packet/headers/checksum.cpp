// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/packet/headers/checksum.hpp"

namespace gstpacket::detail {
namespace {

// Four 64-bit lanes in the compilers' portable vector type: two SSE2 or NEON registers, or one AVX2
// register in the function compiled for it.
using Lanes = std::uint64_t __attribute__((vector_size(32)));

[[gnu::always_inline]] inline std::uint64_t sum_lanes(const std::byte* data,
                                                      std::size_t size) noexcept {
  // Two pairs of accumulators hide the latency of the additions. Each lane gains less than 2^32
  // a step, so nothing overflows below 2^32 steps.
  Lanes low0{}, high0{}, low1{}, high1{};
  for (; size >= 64; data += 64, size -= 64) {
    Lanes a, b;
    std::memcpy(&a, data, 32);
    std::memcpy(&b, data + 32, 32);
    after_load();
    low0 += a & 0xffffffffU;
    high0 += a >> 32;
    low1 += b & 0xffffffffU;
    high1 += b >> 32;
  }
  const Lanes total = low0 + high0 + low1 + high1;
  return add_carry(total[0] + total[1] + total[2] + total[3], sum_short(data, size));
}

[[gnu::always_inline]] inline std::uint64_t copy_sum_lanes(std::byte* to, const std::byte* from,
                                                           std::size_t size) noexcept {
  Lanes low0{}, high0{}, low1{}, high1{};
  for (; size >= 64; to += 64, from += 64, size -= 64) {
    Lanes a, b;
    std::memcpy(&a, from, 32);
    std::memcpy(&b, from + 32, 32);
    // Nothing is loaded again behind this: what is copied is what is summed.
    asm volatile("" : : : "memory");
    after_load();
    std::memcpy(to, &a, 32);
    std::memcpy(to + 32, &b, 32);
    low0 += a & 0xffffffffU;
    high0 += a >> 32;
    low1 += b & 0xffffffffU;
    high1 += b >> 32;
  }
  const Lanes total = low0 + high0 + low1 + high1;
  return add_carry(total[0] + total[1] + total[2] + total[3], copy_sum_short(to, from, size));
}

#if defined(__x86_64__)
[[gnu::target("avx2")]] std::uint64_t sum_avx2(const std::byte* data, std::size_t size) noexcept {
  return sum_lanes(data, size);
}
[[gnu::target("avx2")]] std::uint64_t copy_sum_avx2(std::byte* to, const std::byte* from,
                                                    std::size_t size) noexcept {
  return copy_sum_lanes(to, from, size);
}
const bool have_avx2 = (__builtin_cpu_init(), __builtin_cpu_supports("avx2") != 0);
#endif

}  // namespace

std::uint64_t sum_long(const std::byte* data, std::size_t size) noexcept {
#if defined(__x86_64__)
  if (have_avx2) return sum_avx2(data, size);
#endif
  return sum_lanes(data, size);
}

std::uint64_t copy_sum_long(std::byte* to, const std::byte* from, std::size_t size) noexcept {
#if defined(__x86_64__)
  if (have_avx2) return copy_sum_avx2(to, from, size);
#endif
  return copy_sum_lanes(to, from, size);
}

}  // namespace gstpacket::detail
