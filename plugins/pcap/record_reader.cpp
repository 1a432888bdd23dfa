// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/pcap/record_reader.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace pcapplugin {
namespace {

constexpr std::uint32_t kMicroseconds = 0xa1b2c3d4, kNanoseconds = 0xa1b23c4d;

}  // namespace

bool RecordReader::knows(std::uint32_t magic) noexcept {
  const std::uint32_t other = __builtin_bswap32(magic);
  return magic == kMicroseconds || magic == kNanoseconds || other == kMicroseconds ||
         other == kNanoseconds;
}

void RecordReader::start(std::uint32_t magic, std::uint32_t snaplen) {
  if (!block_) block_ = std::make_unique_for_overwrite<std::byte[]>(kRoom);
  begin_ = end_ = 0;
  swapped_ = magic != kMicroseconds && magic != kNanoseconds;
  const std::uint32_t ours = swapped_ ? __builtin_bswap32(magic) : magic;
  nanoseconds_ = ours == kMicroseconds ? 1000 : 1;
  snaplen_ = snaplen;
}

std::uint32_t RecordReader::number(std::size_t offset) const noexcept {
  std::uint32_t value = 0;
  std::memcpy(&value, block_.get() + begin_ + offset, sizeof value);
  return swapped_ ? __builtin_bswap32(value) : value;
}

/** As libpcap reads it: with a sign, and without one in the other order of bytes. */
std::int64_t RecordReader::stamp(std::size_t offset) const noexcept {
  const std::uint32_t value = number(offset);
  return swapped_ ? std::int64_t{value} : std::int64_t{static_cast<std::int32_t>(value)};
}

/** Whether so many bytes are there, or can be read. */
bool RecordReader::have(FILE* stream, std::size_t size) {
  if (end_ - begin_ >= size) return true;
  std::memmove(block_.get(), block_.get() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  end_ += fread(block_.get() + end_, 1, kRoom - end_, stream);
  return end_ >= size;
}

RecordReader::Next RecordReader::fail(FILE* stream, const char* what, std::size_t wanted,
                                      std::size_t got) {
  if (ferror(stream) != 0) {
    problem_ = "error reading dump file: " + std::string(std::strerror(errno));
  } else {
    problem_ = "truncated dump file; tried to read " + std::to_string(wanted) + " " + what +
               " bytes, only got " + std::to_string(got);
  }
  return Next::failed;
}

RecordReader::Next RecordReader::next(FILE* stream, pcap_pkthdr& header, const u_char*& bytes) {
  if (!have(stream, kHeader)) {
    if (begin_ == end_ && ferror(stream) == 0) return Next::end;
    return fail(stream, "header", kHeader, end_ - begin_);
  }
  const std::uint32_t caplen = number(8);
  if (caplen > kLongest) {
    problem_ = "invalid packet capture length " + std::to_string(caplen) +
               ", bigger than maximum of " + std::to_string(kLongest);
    return Next::failed;
  }
  if (!have(stream, kHeader + caplen)) {
    const std::size_t got = end_ - begin_ - kHeader;
    return fail(stream, "captured", got < snaplen_ ? std::min(caplen, snaplen_) : caplen, got);
  }
  header.ts.tv_sec = stamp(0);
  header.ts.tv_usec = stamp(4) * nanoseconds_;
  header.caplen = std::min(caplen, snaplen_);
  header.len = number(12);
  bytes = reinterpret_cast<const u_char*>(block_.get() + begin_ + kHeader);
  begin_ += kHeader + caplen;
  return Next::record;
}

}  // namespace pcapplugin
