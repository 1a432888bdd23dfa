// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The packets of a capture file, once or several times, as libpcap reads them. Records of regular
 * files in the classic format are read in blocks, without it.
 */
#pragma once

#include <pcap/pcap.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
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
  Next next_record(pcap_pkthdr& header, const u_char*& bytes);
  Next next_of_libpcap(pcap_pkthdr& header, const u_char*& bytes);
  Next set_packet(const pcap_pkthdr& header, const u_char* bytes);
  Next at_end();
  Next fail(const std::string& problem);
  void start(unsigned loops);

  InputFile input_;
  std::unique_ptr<pcap_t, PcapClose> pcap_;
  std::optional<RecordReader> records_;  // where it can read them
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

}  // namespace pcapplugin
