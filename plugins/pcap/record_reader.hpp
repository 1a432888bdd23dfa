// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The records of a classic pcap file, many at a time: libpcap reads each by two calls, which cost
 * more than all the rest of a replay.
 */
#pragma once

#include <pcap/pcap.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

namespace pcapplugin {

/** Behind a header that libpcap has read and found good. One thread at a time. */
class RecordReader {
 public:
  enum class Next { record, end, failed };

  /**
   * Whether a file that begins with these four bytes, as this machine reads them, has such records:
   * of micro- or nanoseconds, in either order of bytes. All other kinds are libpcap's.
   */
  [[nodiscard]] static bool knows(std::uint32_t magic) noexcept;

  /** @param snaplen what is recorded beyond it is left out, as libpcap does */
  void start(std::uint32_t magic, std::uint32_t snaplen);
  /**
   * The next record of the file that `stream` is in, with times in nanoseconds. Its bytes are good
   * until the next call.
   */
  Next next(FILE* stream, pcap_pkthdr& header, const u_char*& bytes);
  /** After Next::failed, in libpcap's words. */
  [[nodiscard]] const std::string& problem() const noexcept { return problem_; }

 private:
  static constexpr std::size_t kHeader = 16;
  // Longer ones are damage: libpcap's limit for all link types that are replayed.
  static constexpr std::uint32_t kLongest = 262144;
  static constexpr std::size_t kRoom = 2 * std::size_t{kLongest};
  static_assert(kRoom >= kHeader + kLongest);

  bool have(FILE* stream, std::size_t size);
  [[nodiscard]] std::uint32_t number(std::size_t offset) const noexcept;
  [[nodiscard]] std::int64_t stamp(std::size_t offset) const noexcept;
  Next fail(FILE* stream, const char* what, std::size_t wanted, std::size_t got);

  std::unique_ptr<std::byte[]> block_;
  std::size_t begin_ = 0, end_ = 0;  // of what was read and not given out
  bool swapped_ = false;
  std::int64_t nanoseconds_ = 1;  // that a unit of the time stamps is
  std::uint32_t snaplen_ = 0;
  std::string problem_;
};

}  // namespace pcapplugin
