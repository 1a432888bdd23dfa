// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The bytes of capture files: classic pcap and pcapng, with times in nanoseconds and in the byte
 * order of this machine, which both formats allow. libpcap does not write pcapng; of that format
 * only what one interface needs is here.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "gst/common/copy.hpp"
#include "plugins/pcap/link_types.hpp"

namespace pcapplugin {

enum class FileFormat { pcap, pcapng };

/** What the beginning of a file says. */
struct FileInfo {
  FileFormat format = FileFormat::pcap;
  LinkType link_type = LinkType::ethernet;
  std::uint32_t snaplen = kLongestPacket;
  std::string comment;         // pcapng only; empty: none
  std::string interface_name;  // the same
};

/** The file header; in pcapng a section header and an interface description. */
[[nodiscard]] std::vector<std::byte> file_header(const FileInfo& info);

/** How many bytes the record of a packet takes of which `kept` bytes are stored. */
[[nodiscard]] constexpr std::size_t record_size(FileFormat format, std::size_t kept) noexcept {
  constexpr std::size_t kPcap = 16, kEnhancedPacket = 32;
  return format == FileFormat::pcap ? kPcap + kept
                                    : kEnhancedPacket + ((kept + 3) & ~std::size_t{3});
}

namespace detail {

inline std::byte* put(std::byte* out, std::initializer_list<std::uint32_t> words) noexcept {
  for (const std::uint32_t word : words) {
    std::memcpy(out, &word, sizeof word);
    out += sizeof word;
  }
  return out;
}

}  // namespace detail

/**
 * Writes the record of a packet of `size` bytes, the first `kept` of which are stored, that arrived
 * `time` nanoseconds after 1970. `out` has record_size() bytes.
 */
inline void write_record(FileFormat format, std::byte* out, std::uint64_t time,
                         const std::byte* bytes, std::uint32_t kept, std::uint32_t size) noexcept {
  constexpr std::uint64_t kSecond = 1'000'000'000;
  if (format == FileFormat::pcap) {
    out = detail::put(out, {static_cast<std::uint32_t>(time / kSecond),
                            static_cast<std::uint32_t>(time % kSecond), kept, size});
    if (kept != 0) gstcommon::copy_packet(out, bytes, kept);
    return;
  }
  constexpr std::uint32_t kEnhancedPacketBlock = 6, kInterface = 0;
  const auto whole = static_cast<std::uint32_t>(record_size(format, kept));
  out = detail::put(
      out, {kEnhancedPacketBlock, whole, kInterface, static_cast<std::uint32_t>(time >> 32),
            static_cast<std::uint32_t>(time), kept, size});
  const std::uint32_t padding = whole - 32 - kept;
  if (kept != 0) gstcommon::copy_packet(out, bytes, kept);
  std::memset(out + kept, 0, padding);
  detail::put(out + kept + padding, {whole});
}

}  // namespace pcapplugin
