// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Writes packets to one capture file after the other, in large blocks.
 */
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "gst/common/counter.hpp"
#include "plugins/pcap/capture_format.hpp"
#include "plugins/pcap/output_file.hpp"

namespace pcapplugin {

/** What to write where. */
struct CapturePlan {
  std::string location;
  FileInfo info;
  // When to begin the next file, 0: never. In bytes, and in nanoseconds.
  std::uint64_t max_file_size = 0;
  std::uint64_t max_file_time = 0;
  std::uint32_t max_files = 0;  // to keep, 0: all

  [[nodiscard]] bool rotates() const noexcept { return max_file_size != 0 || max_file_time != 0; }
};

/** The name of file `number` of a rotating capture: "a.pcap" is followed by "a_00002.pcap". */
[[nodiscard]] std::string numbered_name(const std::string& location, std::uint64_t number);

/** One thread at a time, but for interrupt() and resume(), and the counters. */
class CaptureWriter {
 public:
  /** `go_on`: see OutputFile. `closed` is called with the name of each file that is complete. */
  CaptureWriter(std::function<bool()> go_on, std::function<void(const std::string&)> closed);

  /** Opens the first file. */
  Result<void> open(CapturePlan plan);
  /** Before the first packet. False if packets of another type have been written. */
  bool set_link_type(LinkType type);

  /** What is added to the counters once for several packets. */
  struct Tally {
    std::uint64_t packets = 0, bytes = 0, snapped = 0;
  };
  /** Adds a packet that arrived `time` nanoseconds after 1970; `tally` is to be count()ed. */
  [[gnu::always_inline]] Flow add(std::uint64_t time, const std::byte* bytes, std::uint32_t size,
                                  Tally& tally) {
    const std::uint32_t kept = std::min(size, plan_.info.snaplen);
    const std::size_t needed = record_size(plan_.info.format, kept);
    if (rotates_ || needed > room()) [[unlikely]] {
      if (const Flow made = make_room(needed, time, tally); made != Flow::ok) return made;
    }
    write_record(plan_.info.format, block_.get() + used_, time, bytes, kept, size);
    used_ += needed;
    file_size_ += needed;
    packets_in_file_ = true;
    ++tally.packets;
    tally.bytes += kept;
    tally.snapped += kept != size ? 1 : 0;
    return Flow::ok;
  }
  void count(const Tally& tally) noexcept {
    packets.add(tally.packets);
    bytes_written.add(tally.bytes);
    snapped.add(tally.snapped);
  }
  /** Writes the header of the file, as soon as the link type is known. */
  Flow begin() {
    write_header();
    return flush();
  }
  /** Whether what was added should be flushed now, as somebody waits for it. */
  [[nodiscard]] bool has_reader() const noexcept { return output_.is_stream(); }
  /** Writes out everything. */
  Flow flush();
  /** Flushes and closes the file, which has at least a header. */
  Flow close();
  /** Closes without a wait for readers. */
  void abandon();
  [[nodiscard]] bool is_open() const noexcept { return output_.is_open(); }

  /** After Flow::failed. */
  [[nodiscard]] Error error() const;
  [[nodiscard]] int error_number() const noexcept { return output_.error_number(); }

  void interrupt() noexcept { output_.interrupt(); }
  void resume() noexcept { output_.resume(); }

  gstcommon::Counter packets, bytes_written, snapped, files;

 private:
  static constexpr std::size_t kBlock = std::size_t{512} << 10;
  static_assert(kBlock >= 2 * kLongestPacket, "a record has to fit, and so has a header");

  [[nodiscard]] std::size_t room() const noexcept { return header_written_ ? kBlock - used_ : 0; }
  Flow make_room(std::size_t needed, std::uint64_t time, Tally& tally);
  [[nodiscard]] bool is_file_over(std::size_t needed, std::uint64_t time) const noexcept;
  Flow next_file();
  Result<void> open_file();
  void write_header();
  void forget_oldest();

  OutputFile output_;
  std::function<void(const std::string&)> closed_;
  CapturePlan plan_;
  bool rotates_ = false;
  std::unique_ptr<std::byte[]> block_;
  std::size_t begin_ = 0;  // of what is not written yet
  std::size_t used_ = 0;
  bool header_written_ = false;  // to the block
  bool packets_in_file_ = false;
  std::uint64_t file_size_ = 0;
  std::uint64_t file_start_ = 0;  // the time of its first packet
  std::uint64_t number_ = 0;
  std::string name_;
  std::deque<std::string> kept_;
  Error open_error_;
  bool open_failed_ = false;
};

}  // namespace pcapplugin
