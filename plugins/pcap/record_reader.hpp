// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The records of a classic pcap file, many at a time: libpcap reads each by two calls, which cost
 * more than all the rest of a replay.
 */
#pragma once

#include <sys/types.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>

namespace pcapplugin {

/**
 * Behind a header that libpcap has read and found good. It reads with pread(2), and so does not map
 * the file: one that is cut meanwhile would end the process. One thread at a time.
 */
class RecordReader {
 public:
  enum class Next { record, end, failed };

  struct Record {
    std::int64_t seconds, nanoseconds;
    std::span<const std::byte> bytes;
    std::uint32_t length;  // that the packet had
  };

  /**
   * Whether a file that begins with these four bytes, as this machine reads them, has such records:
   * of micro- or nanoseconds, in either order of bytes. All other kinds are libpcap's.
   */
  [[nodiscard]] static bool knows(std::uint32_t magic) noexcept;

  /**
   * @param fd remains the caller's, whose position is not used
   * @param position in the file, of the first record
   * @param snaplen what is recorded beyond it is left out, as libpcap does
   */
  void start(int fd, off_t position, std::uint32_t magic, std::uint32_t snaplen);

  /** Enough for the longest record, in bytes. */
  static constexpr std::size_t kLeastRoom = (std::size_t{256} << 10) + 4096;
  /**
   * Reads into `room`, of kLeastRoom bytes or more, from now on, where records stay until leave().
   * What does not fit behind the others goes to memory of its own. Returns `kept`, as copied there.
   */
  std::span<const std::byte> use(std::span<std::byte> room, std::span<const std::byte> kept);
  /** Reads into memory of its own again, with a copy of `kept`. */
  std::span<const std::byte> leave(std::span<const std::byte> kept);

  /** Whether `bytes` are in the room that use() said. */
  [[nodiscard]] bool is_in_room(std::span<const std::byte> bytes) const noexcept;

  /** The next record. In memory of its own its bytes are good until the next call. */
  Next next(Record& record);
  /**
   * Gives `accept` the records that follow, as long as it returns true, down to the first that is
   * not there as a whole or is without bytes: that, and one that was refused, is the next one. Of a
   * file in the other order of bytes it gives none: they are rare, and next() reads them.
   */
  template <class Accept>
  void run(Accept accept);
  /** After Next::failed, in libpcap's words. */
  [[nodiscard]] const std::string& problem() const noexcept { return problem_; }

 private:
  static constexpr std::size_t kHeader = 16;
  // Longer ones are damage: libpcap's limit for all link types that are replayed.
  static constexpr std::uint32_t kLongest = 262144;
  static_assert(kLeastRoom >= kHeader + kLongest);
  // At a time: what a core's own cache holds, and at least a page.
  static constexpr std::size_t kRead = std::size_t{64} << 10;
  static constexpr std::size_t kLeastRead = 4096;

  bool have(std::size_t size);
  [[nodiscard]] std::size_t usual_read() const noexcept;
  [[nodiscard]] bool is_own() const noexcept { return room_.data() == block_.get(); }
  [[nodiscard]] std::span<std::byte> own() const noexcept { return {block_.get(), kLeastRoom}; }
  std::span<const std::byte> move_to(std::span<std::byte> room, std::span<const std::byte> kept);
  Next fail(const char* what, std::size_t wanted, std::size_t got);

  template <bool kSwapped>
  [[nodiscard]] std::uint32_t number(std::size_t at) const noexcept {
    std::uint32_t value = 0;
    std::memcpy(&value, room_.data() + at, sizeof value);
    return kSwapped ? __builtin_bswap32(value) : value;
  }
  /** As libpcap reads it: with a sign, and without one in the other order of bytes. */
  template <bool kSwapped>
  [[nodiscard]] std::int64_t stamp(std::size_t at) const noexcept {
    const std::uint32_t value = number<kSwapped>(at);
    return kSwapped ? std::int64_t{value} : std::int64_t{static_cast<std::int32_t>(value)};
  }
  /** Of a header at `begin`, behind which `caplen` bytes are there. */
  template <bool kSwapped>
  [[nodiscard]] Record record_at(std::size_t begin, std::uint32_t caplen) const noexcept {
    return {stamp<kSwapped>(begin),
            stamp<kSwapped>(begin + 4) * unit_,
            {room_.data() + begin + kHeader, std::min(caplen, snaplen_)},
            number<kSwapped>(begin + 12)};
  }
  int fd_ = -1;
  off_t position_ = 0;  // in the file, of what comes at `end_`
  int errno_ = 0;
  std::unique_ptr<std::byte[]> block_;
  std::span<std::byte> room_;        // the block, or the caller's
  std::size_t begin_ = 0, end_ = 0;  // of what was read and not given out
  std::size_t first_ = 0;            // where reading into the room began
  std::size_t usual_ = kRead;        // bytes of records that a room of the caller's gets
  bool in_use_ = false;              // from use() to leave()
  bool swapped_ = false;
  std::int64_t unit_ = 1;  // of the time stamps, in nanoseconds
  std::uint32_t snaplen_ = 0;
  std::string problem_;
};

template <class Accept>
void RecordReader::run(Accept accept) {
  if (swapped_) return;
  std::size_t begin = begin_;
  const std::size_t end = end_;
  while (end - begin >= kHeader) {
    const std::uint32_t caplen = number<false>(begin + 8);
    if (caplen == 0 || caplen > kLongest || caplen > end - begin - kHeader) break;
    if (!accept(record_at<false>(begin, caplen))) break;
    begin += kHeader + caplen;
  }
  begin_ = begin;
}

}  // namespace pcapplugin
