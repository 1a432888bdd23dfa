// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/pcap/record_reader.hpp"

#include <unistd.h>

#include <cerrno>
#include <functional>
#include <utility>

namespace pcapplugin {
namespace {

constexpr std::uint32_t kMicroseconds = 0xa1b2c3d4, kNanoseconds = 0xa1b23c4d;

}  // namespace

bool RecordReader::knows(std::uint32_t magic) noexcept {
  const std::uint32_t other = __builtin_bswap32(magic);
  return magic == kMicroseconds || magic == kNanoseconds || other == kMicroseconds ||
         other == kNanoseconds;
}

void RecordReader::start(int fd, off_t position, std::uint32_t magic, std::uint32_t snaplen) {
  if (!block_) block_ = std::make_unique_for_overwrite<std::byte[]>(kLeastRoom);
  if (room_.empty()) room_ = own();
  if (is_own()) end_ = first_ = 0;
  begin_ = end_;  // records in the caller's room stay
  fd_ = fd;
  position_ = position;
  errno_ = 0;
  swapped_ = magic != kMicroseconds && magic != kNanoseconds;
  const std::uint32_t ours = swapped_ ? __builtin_bswap32(magic) : magic;
  unit_ = ours == kMicroseconds ? 1000 : 1;
  snaplen_ = snaplen;
}

/** What follows `kept` is read again, which costs no more than a copy. */
std::span<const std::byte> RecordReader::move_to(std::span<std::byte> room,
                                                 std::span<const std::byte> kept) {
  position_ -= static_cast<off_t>(end_ - begin_);
  if (!kept.empty()) std::memmove(room.data(), kept.data(), kept.size());
  room_ = room;
  begin_ = end_ = first_ = kept.size();
  return room.first(kept.size());
}

std::span<const std::byte> RecordReader::use(std::span<std::byte> room,
                                             std::span<const std::byte> kept) {
  in_use_ = true;
  return move_to(room, kept);
}

std::span<const std::byte> RecordReader::leave(std::span<const std::byte> kept) {
  in_use_ = false;
  // As much will be wanted the next time.
  if (!is_own()) usual_ = std::clamp(begin_ - first_, kLeastRead, kLeastRoom);
  if (is_own()) return kept;
  const bool moves = is_in_room(kept);
  const auto moved = move_to(own(), moves ? kept : std::span<const std::byte>());
  return moves ? moved : kept;
}

bool RecordReader::is_in_room(std::span<const std::byte> bytes) const noexcept {
  return !is_own() && !bytes.empty() && std::less_equal<>()(room_.data(), bytes.data()) &&
         std::less<>()(bytes.data(), room_.data() + room_.size());
}

/** How many bytes are read at a time. */
std::size_t RecordReader::usual_read() const noexcept {
  // Of what is read behind a full room, only the first record is kept.
  if (is_own()) return in_use_ ? kLeastRead : kRead;
  constexpr std::size_t kParts = 8;
  return end_ == first_ ? usual_ : std::max(usual_ / kParts, kLeastRead);
}

/** Whether so many bytes are there, or can be read. */
bool RecordReader::have(std::size_t size) {
  if (end_ - begin_ >= size) return true;
  if (size > room_.size() - begin_) {
    if (is_own()) {
      std::memmove(room_.data(), room_.data() + begin_, end_ - begin_);
      end_ -= std::exchange(begin_, 0);
    } else {
      usual_ = std::max(begin_ - first_, kLeastRead);
      move_to(own(), {});
    }
  }
  while (end_ - begin_ < size) {
    const std::size_t most = std::max(size - (end_ - begin_), usual_read());
    const ssize_t got =
        pread(fd_, room_.data() + end_, std::min(most, room_.size() - end_), position_);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) errno_ = errno;
    if (got <= 0) return false;
    end_ += static_cast<std::size_t>(got);
    position_ += got;
  }
  return true;
}

RecordReader::Next RecordReader::fail(const char* what, std::size_t wanted, std::size_t got) {
  if (errno_ != 0) {
    problem_ = "error reading dump file: " + std::string(std::strerror(errno_));
  } else {
    problem_ = "truncated dump file; tried to read " + std::to_string(wanted) + " " + what +
               " bytes, only got " + std::to_string(got);
  }
  return Next::failed;
}

RecordReader::Next RecordReader::next(Record& record) {
  if (!have(kHeader)) {
    if (begin_ == end_ && errno_ == 0) return Next::end;
    return fail("header", kHeader, end_ - begin_);
  }
  const std::uint32_t caplen = swapped_ ? number<true>(begin_ + 8) : number<false>(begin_ + 8);
  if (caplen > kLongest) {
    problem_ = "invalid packet capture length " + std::to_string(caplen) +
               ", bigger than maximum of " + std::to_string(kLongest);
    return Next::failed;
  }
  if (!have(kHeader + caplen)) {
    const std::size_t got = std::max(end_ - begin_, kHeader) - kHeader;
    return fail("captured", got < snaplen_ ? std::min(caplen, snaplen_) : caplen, got);
  }
  record = swapped_ ? record_at<true>(begin_, caplen) : record_at<false>(begin_, caplen);
  begin_ += kHeader + caplen;
  return Next::record;
}

}  // namespace pcapplugin
