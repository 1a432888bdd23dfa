// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/packet/test_header.hpp"

#include <array>
#include <chrono>
#include <cstring>

#include "gst/packet/headers/bytes.hpp"

namespace packetplugin {

using namespace gstpacket;

namespace {

constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78U : 0U);
    table[i] = crc;
  }
  return table;
}
constexpr auto kTable = make_table();

std::uint32_t crc_bytes(std::uint32_t crc, const std::byte* data, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) {
    crc = (crc >> 8) ^ kTable[(crc ^ load_word<std::uint8_t>(data + i)) & 0xff];
  }
  return crc;
}

template <class T>
std::uint32_t crc_value(std::uint32_t crc, T value) {
  std::array<std::byte, sizeof value> bytes;
  std::memcpy(bytes.data(), &value, sizeof value);
  return crc_bytes(crc, bytes.data(), bytes.size());
}

#if defined(__x86_64__)
const bool have_crc = (__builtin_cpu_init(), __builtin_cpu_supports("sse4.2") != 0);

[[gnu::target("sse4.2")]] std::uint32_t crc_bytes_fast(std::uint32_t crc, const std::byte* data,
                                                       std::size_t size) {
  std::uint64_t state = crc;
  for (; size >= 8; data += 8, size -= 8) {
    state = __builtin_ia32_crc32di(state, load_word<std::uint64_t>(data));
  }
  return crc_bytes(static_cast<std::uint32_t>(state), data, size);
}
[[gnu::target("sse4.2")]] std::uint32_t crc_fields_fast(std::uint32_t crc, std::uint16_t magic,
                                                        std::uint64_t flow_and_number,
                                                        std::uint64_t time) {
  std::uint64_t state = __builtin_ia32_crc32hi(crc, magic);
  state = __builtin_ia32_crc32di(state, flow_and_number);
  return static_cast<std::uint32_t>(__builtin_ia32_crc32di(state, time));
}
#endif

}  // namespace

std::uint32_t crc_of_tail(std::uint32_t state, std::span<const std::byte> bytes) {
#if defined(__x86_64__)
  if (have_crc) return crc_bytes_fast(state, bytes.data(), bytes.size());
#endif
  return crc_bytes(state, bytes.data(), bytes.size());
}

std::uint32_t crc_of_fields(std::uint32_t state, std::uint16_t magic, std::uint64_t flow_and_number,
                            std::uint64_t time) {
#if defined(__x86_64__)
  if (have_crc) return crc_fields_fast(state, magic, flow_and_number, time);
#endif
  return crc_value(crc_value(crc_value(state, magic), flow_and_number), time);
}

std::optional<TestHeader> TestHeader::read(std::span<const std::byte> payload) noexcept {
  if (payload.size() < kSize || load_be<std::uint16_t>(payload) != kMagic) return std::nullopt;
  const auto word = load_be<std::uint64_t>(payload, 2);
  TestHeader probe;
  probe.flow = static_cast<std::uint16_t>(word >> 48);
  probe.number = word & kNumberMask;
  probe.time = load_be<std::uint64_t>(payload, 10);
  probe.crc = load_be<std::uint32_t>(payload, 18);
  return probe;
}

bool TestHeader::matches(std::span<const std::byte> payload) const noexcept {
  const std::uint32_t tail = crc_of_tail(kCrcStart, payload.subspan(kSize));
  return crc == crc_of_fields(tail, swap_if_little(kMagic), swap_if_little(flow_and_number()),
                              swap_if_little(time));
}

std::uint64_t monotonic_now() noexcept {
  // Not g_get_monotonic_time(): its microseconds are too coarse here.
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                        std::chrono::steady_clock::now().time_since_epoch())
                                        .count());
}

}  // namespace packetplugin
