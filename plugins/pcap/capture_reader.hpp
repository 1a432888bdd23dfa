// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The packets of a capture file, once or several times, as libpcap reads them. Records of regular
 * files in the classic format are read in blocks, without it.
 */
#pragma once

#include <pcap/pcap.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>

#include "gst/common/counter.hpp"
#include "plugins/pcap/input_file.hpp"
#include "plugins/pcap/link_types.hpp"
#include "plugins/pcap/record_reader.hpp"

namespace pcapplugin {

/** One packet as it was recorded. Its bytes are good until the next one is read. */
struct Recorded {
  std::span<const std::byte> bytes;
  std::uint64_t time = 0;    // in nanoseconds since 1970
  std::uint64_t offset = 0;  // the same since the first packet, through all loops
};

/** One thread at a time, but for what InputFile says, and the counters. */
class CaptureReader {
 public:
  /** What comes next. */
  enum class Next { packet, end, interrupted, failed };

  /** Opens the file; the header is read with the first packet, or by read_header(). */
  Result<void> open(const std::string& location, unsigned loops);
  /** The same of a descriptor, which becomes its own. */
  void open(int fd, unsigned loops);
  void close();

  /** Reads the header, unless that was done. `packet` says that it was read. */
  Next read_header();
  [[nodiscard]] bool has_header() const noexcept { return pcap_ != nullptr; }
  /** After the header. */
  [[nodiscard]] LinkType link_type() const noexcept { return link_type_; }
  /** The longest packet that the file says it has, in bytes. */
  [[nodiscard]] std::uint32_t snaplen() const noexcept { return snaplen_; }

  /** Makes the next packet the present one, unless there is one that was not taken. */
  Next next() { return has_packet_ ? Next::packet : read_packet(); }
  [[nodiscard]] const Recorded& packet() const noexcept { return packet_; }
  void take() noexcept { has_packet_ = false; }
  /**
   * Takes the packets that follow the last one that was taken, and that need not be waited for, as
   * long as `accept` returns true for them. The first that it refuses is the next one.
   */
  template <class Accept>
  void take_while(Accept accept);

  /** Whether packets can be read into memory of the caller's. */
  [[nodiscard]] bool reads_blocks() const noexcept { return in_blocks_; }
  /**
   * Reads packets into `room`, RecordReader::kLeastRoom bytes or more, from now on; also the
   * present one. They stay there, until a packet() has bytes elsewhere, as the room is full.
   */
  void use(std::span<std::byte> room) { packet_.bytes = records_.use(room, present()); }
  /** Whether a packet has its bytes there: it has not if the room was full before. */
  [[nodiscard]] bool is_in_room(const Recorded& packet) const noexcept {
    return records_.is_in_room(packet.bytes);
  }
  /** Reads nothing more into the room; the present packet is elsewhere then. */
  void leave() { packet_.bytes = records_.leave(present()); }
  /** Whether next() would not have to wait for the writer of a FIFO. */
  [[nodiscard]] bool is_ready() const noexcept { return has_packet_ || input_.is_ready(); }

  /** After Next::failed. */
  [[nodiscard]] const Error& error() const noexcept { return error_; }
  [[nodiscard]] InputFile& input() noexcept { return input_; }

  gstcommon::Counter packets, snapped, empty, rounds;

 private:
  struct PcapClose {
    void operator()(pcap_t* pcap) const { pcap_close(pcap); }
  };

  Next read_packet();
  Next next_record(RecordReader::Record& record);
  Next next_of_libpcap(RecordReader::Record& record);
  [[nodiscard]] Recorded placed(const RecordReader::Record& record) const noexcept;
  Next set_packet(const RecordReader::Record& record);
  [[nodiscard]] std::span<const std::byte> present() const noexcept {
    return has_packet_ ? packet_.bytes : std::span<const std::byte>();
  }
  Next at_end();
  Next fail(const std::string& problem);
  void start(unsigned loops);

  InputFile input_;
  std::unique_ptr<pcap_t, PcapClose> pcap_;
  RecordReader records_;
  bool in_blocks_ = false;  // whether that reads them
  std::string location_;
  LinkType link_type_ = LinkType::ethernet;
  std::uint32_t snaplen_ = 0;
  Recorded packet_;
  bool has_packet_ = false;
  Next outcome_ = Next::packet;  // end or failed for good
  Error error_;

  unsigned loops_left_ = 0;
  bool endless_ = false;
  std::uint64_t first_time_ = 0;
  std::uint64_t round_packets_ = 0;
  std::uint64_t round_offset_ = 0;  // of the first packet of the present round
};

/** A record as a packet: with times between 1970 and 2106, whatever the file says. */
inline Recorded CaptureReader::placed(const RecordReader::Record& record) const noexcept {
  constexpr std::int64_t kSecond = 1'000'000'000;
  // Half of what a running time can be.
  constexpr std::uint64_t kLongestReplay = std::uint64_t{1} << 62;
  // Of pcap 32 bits without a sign, which libpcap takes for a number with one.
  const auto seconds = static_cast<std::uint32_t>(
      std::min<std::int64_t>(record.seconds, std::numeric_limits<std::uint32_t>::max()));
  // Less than nothing or a second and more is no part of one: versions of libpcap make different
  // numbers of it.
  const bool wrong = record.nanoseconds < 0 || record.nanoseconds >= kSecond;
  const std::int64_t rest = wrong ? 0 : record.nanoseconds;
  const std::uint64_t time = std::uint64_t{seconds} * kSecond + static_cast<std::uint64_t>(rest);
  // One that was recorded before the first comes with it.
  const std::uint64_t since_first = time - std::min(time, first_time_);
  return {record.bytes, time, std::min(round_offset_ + since_first, kLongestReplay)};
}

template <class Accept>
void CaptureReader::take_while(Accept accept) {
  if (!in_blocks_ || has_packet_ || round_packets_ == 0) return;
  std::uint64_t taken = 0, cut = 0;
  Recorded last = packet_;
  records_.run([&](const RecordReader::Record& record) {
    const Recorded packet = placed(record);
    if (!accept(packet)) return false;
    last = packet;
    ++taken;
    cut += record.bytes.size() < record.length ? 1 : 0;
    return true;
  });
  packet_ = last;
  round_packets_ += taken;
  packets.add(taken);
  snapped.add(cut);
}

}  // namespace pcapplugin
