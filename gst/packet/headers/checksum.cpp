// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/packet/headers/checksum.hpp"

#include <algorithm>
#include <array>

#include "gst/packet/headers/sum_variants.hpp"
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace gstpacket::detail {
namespace {

// ---- any processor ----------------------------------------------------------------------------

// Four 64-bit lanes in the compilers' portable vector type: two SSE2 or NEON registers.
using Lanes = std::uint64_t __attribute__((vector_size(32)));

std::uint64_t sum_portable(const std::byte* data, std::size_t size) noexcept {
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

std::uint64_t copy_sum_portable(std::byte* to, const std::byte* from, std::size_t size) noexcept {
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

// Instructions add pairs of signed words. With its sign bit flipped, an unsigned word is a signed
// one that is kBias smaller, and how many words there are is known.
constexpr std::uint64_t kBias = 0x8000;
// In bytes: below 2^15 words, so that 32 bits hold their sum in any order.
constexpr std::size_t kBlock = std::size_t{1} << 16;

constexpr std::uint64_t unbiased(int sum, std::size_t bytes) noexcept {
  return static_cast<std::uint64_t>(sum + static_cast<std::int64_t>(kBias * (bytes / 2)));
}

// ---- AVX2 -------------------------------------------------------------------------------------

template <bool kCopies>
[[gnu::target("avx2"), gnu::always_inline]] inline __m256i step_avx2(
    __m256i sum, std::byte* to, const std::byte* from) noexcept {
  __m256i words = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  after_load();
  if constexpr (kCopies) {
    // As in load_word(): what is copied is what is summed.
    asm("" : "+x"(words));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), words);
  }
  const __m256i flipped = _mm256_xor_si256(words, _mm256_set1_epi16(-0x8000));
  return _mm256_add_epi32(sum, _mm256_madd_epi16(flipped, _mm256_set1_epi16(1)));
}

[[gnu::target("avx2"), gnu::always_inline]] inline int total_avx2(__m256i lanes) noexcept {
  __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(lanes), _mm256_extracti128_si256(lanes, 1));
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4e));
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xb1));
  return _mm_cvtsi128_si32(sum);
}

template <bool kCopies>
[[gnu::target("avx2"), gnu::always_inline]] inline std::uint64_t run_avx2(
    std::byte* to, const std::byte* from, std::size_t size) noexcept {
  constexpr std::size_t kStep = 32;
  std::uint64_t total = 0;
  while (size >= kStep) {
    const std::size_t block = std::min(size, kBlock) & ~(kStep - 1);
    __m256i a = _mm256_setzero_si256(), b = a, c = a, d = a;
    for (std::size_t n = block / (4 * kStep); n != 0; --n) {
      a = step_avx2<kCopies>(a, to, from);
      b = step_avx2<kCopies>(b, to + kStep, from + kStep);
      c = step_avx2<kCopies>(c, to + 2 * kStep, from + 2 * kStep);
      d = step_avx2<kCopies>(d, to + 3 * kStep, from + 3 * kStep);
      if constexpr (kCopies) to += 4 * kStep;
      from += 4 * kStep;
    }
    for (std::size_t n = block / kStep % 4; n != 0; --n) {
      a = step_avx2<kCopies>(a, to, from);
      if constexpr (kCopies) to += kStep;
      from += kStep;
    }
    const __m256i all = _mm256_add_epi32(_mm256_add_epi32(a, b), _mm256_add_epi32(c, d));
    total += unbiased(total_avx2(all), block);
    size -= block;
  }
  return add_carry(total, kCopies ? copy_sum_short(to, from, size) : sum_short(from, size));
}

[[gnu::target("avx2")]] std::uint64_t sum_avx2(const std::byte* data, std::size_t size) noexcept {
  return run_avx2<false>(nullptr, data, size);
}
[[gnu::target("avx2")]] std::uint64_t copy_sum_avx2(std::byte* to, const std::byte* from,
                                                    std::size_t size) noexcept {
  return run_avx2<true>(to, from, size);
}

// ---- AVX-512 ----------------------------------------------------------------------------------

#define GSTPACKET_AVX512 "avx512f,avx512bw,avx512vnni"

template <bool kCopies>
[[gnu::target(GSTPACKET_AVX512), gnu::always_inline]] inline __m512i step_avx512(
    __m512i sum, __mmask64 bytes, std::byte* to, const std::byte* from) noexcept {
  // With a mask of ones the compilers take the plain instructions.
  __m512i words = _mm512_maskz_loadu_epi8(bytes, from);
  after_load();
  if constexpr (kCopies) {
    asm("" : "+v"(words));
    _mm512_mask_storeu_epi8(to, bytes, words);
  }
  const __m512i flipped = _mm512_xor_si512(words, _mm512_set1_epi16(-0x8000));
  return _mm512_dpwssd_epi32(sum, flipped, _mm512_set1_epi16(1));
}

template <bool kCopies>
[[gnu::target(GSTPACKET_AVX512), gnu::always_inline]] inline std::uint64_t run_avx512(
    std::byte* to, const std::byte* from, std::size_t size) noexcept {
  constexpr std::size_t kStep = 64;
  constexpr __mmask64 kAll = ~__mmask64{0};
  std::uint64_t total = 0;
  while (size > 0) {
    const std::size_t block = std::min(size, kBlock);
    __m512i a = _mm512_setzero_si512(), b = a, c = a, d = a;
    for (std::size_t n = block / (4 * kStep); n != 0; --n) {
      a = step_avx512<kCopies>(a, kAll, to, from);
      b = step_avx512<kCopies>(b, kAll, to + kStep, from + kStep);
      c = step_avx512<kCopies>(c, kAll, to + 2 * kStep, from + 2 * kStep);
      d = step_avx512<kCopies>(d, kAll, to + 3 * kStep, from + 3 * kStep);
      if constexpr (kCopies) to += 4 * kStep;
      from += 4 * kStep;
    }
    for (std::size_t n = block / kStep % 4; n != 0; --n) {
      a = step_avx512<kCopies>(a, kAll, to, from);
      if constexpr (kCopies) to += kStep;
      from += kStep;
    }
    if (const std::size_t rest = block % kStep; rest != 0) {
      // What is beyond the end is neither read nor written, and counts as zero.
      b = step_avx512<kCopies>(b, kAll >> (kStep - rest), to, from);
    }
    const __m512i all = _mm512_add_epi32(_mm512_add_epi32(a, b), _mm512_add_epi32(c, d));
    // The forms with a mask: g++ 12 takes the others to read what they only leave undefined.
    const __m256i low = _mm512_maskz_extracti64x4_epi64(0xff, all, 0);
    const __m256i high = _mm512_maskz_extracti64x4_epi64(0xff, all, 1);
    const std::size_t summed = (block + kStep - 1) & ~(kStep - 1);
    total += unbiased(total_avx2(_mm256_add_epi32(low, high)), summed);
    size -= block;
  }
  return total;
}

[[gnu::target(GSTPACKET_AVX512)]] std::uint64_t sum_avx512(const std::byte* data,
                                                           std::size_t size) noexcept {
  return run_avx512<false>(nullptr, data, size);
}
[[gnu::target(GSTPACKET_AVX512)]] std::uint64_t copy_sum_avx512(std::byte* to,
                                                                const std::byte* from,
                                                                std::size_t size) noexcept {
  return run_avx512<true>(to, from, size);
}

#undef GSTPACKET_AVX512
#endif

// ---- choice -----------------------------------------------------------------------------------

constexpr std::array kVariants {
  SumVariant{"portable", sum_portable, copy_sum_portable},
#if defined(__x86_64__)
      SumVariant{"avx2", sum_avx2, copy_sum_avx2},
      SumVariant{"avx512", sum_avx512, copy_sum_avx512},
#endif
};

std::size_t count_usable() noexcept {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2")) return 1;
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512vnni");
  return avx512 ? 3 : 2;
#else
  return 1;
#endif
}

// Whoever is initialized before this gets the portable ones.
constinit SumVariant chosen = kVariants.front();
[[maybe_unused]] const bool chosen_now = (chosen = sum_variants().back(), true);

}  // namespace

std::span<const SumVariant> sum_variants() noexcept {
  return std::span(kVariants).first(count_usable());
}

std::uint64_t sum_long(const std::byte* data, std::size_t size) noexcept {
  return chosen.sum(data, size);
}

std::uint64_t copy_sum_long(std::byte* to, const std::byte* from, std::size_t size) noexcept {
  return chosen.copy_sum(to, from, size);
}

}  // namespace gstpacket::detail
