// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/pcap/capture_reader.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace pcapplugin {
Result<void> CaptureReader::open(const std::string& location, unsigned loops) {
  close();
  location_ = location == "-" ? "the standard input" : "\"" + location + "\"";
  if (auto opened = input_.open(location); !opened) return opened;
  if (loops != 1 && !input_.is_regular()) {
    input_.close();
    return Error{location_, "only a file can be read more than once",
                 "Set loops to 1, or location to a file"};
  }
  start(loops);
  return {};
}

void CaptureReader::open(int fd, unsigned loops) {
  close();
  location_ = "the descriptor";
  input_.open(fd);
  start(loops);
}

void CaptureReader::start(unsigned loops) {
  endless_ = loops == 0;
  loops_left_ = loops;
  first_time_ = round_packets_ = round_offset_ = 0;
  packet_ = {};
  outcome_ = Next::packet;
  for (auto* counter : {&packets, &snapped, &empty, &rounds}) counter->reset();
}

void CaptureReader::close() {
  leave();
  pcap_.reset();
  input_.close();
  has_packet_ = false;
}

CaptureReader::Next CaptureReader::fail(const std::string& problem) {
  error_ = Error{"Cannot read " + location_, problem,
                 packets.get() != 0 ? "The packets before that, " + std::to_string(packets.get()) +
                                          ", were delivered"
                                    : "capinfos tells more about the file"};
  return outcome_ = Next::failed;
}

CaptureReader::Next CaptureReader::read_header() {
  if (pcap_) return Next::packet;
  // Between two packets nothing is lost by an interruption; after the first byte only the end of
  // everything ends reading.
  if (!input_.wait()) return Next::interrupted;
  const std::uint32_t magic = input_.is_regular() ? input_.magic() : 0;
  FILE* stream = input_.stream();
  if (stream == nullptr) return fail("there is no memory");
  char problem[PCAP_ERRBUF_SIZE] = "";
  pcap_.reset(
      pcap_fopen_offline_with_tstamp_precision(stream, PCAP_TSTAMP_PRECISION_NANO, problem));
  if (!pcap_) {
    fclose(stream);
    return input_.was_stopped() ? Next::interrupted : fail(problem);
  }
  const int dlt = pcap_datalink(pcap_.get());
  const auto type = link_type_of(dlt);
  if (type && rounds.get() != 0 && *type != link_type_) return fail("it has changed meanwhile");
  if (!type) {
    pcap_.reset();
    outcome_ = Next::failed;
    error_ = Error{"Cannot replay " + location_, "its packets are of the type " + describe_dlt(dlt),
                   "Record on an interface with Ethernet or IP packets, or convert the file, such "
                   "as by tcprewrite"};
    return outcome_;
  }
  link_type_ = *type;
  snaplen_ = static_cast<std::uint32_t>(pcap_snapshot(pcap_.get()));
  // The order of fields in older versions is libpcap's business.
  const bool usual = pcap_major_version(pcap_.get()) == 2 && pcap_minor_version(pcap_.get()) == 4;
  in_blocks_ = usual && input_.is_regular() && RecordReader::knows(magic);
  if (in_blocks_) {
    records_.start(input_.fd(), ftello(pcap_file(pcap_.get())), magic, snaplen_);
  }
  return Next::packet;
}

/** `end` says that the file is at its end. */
CaptureReader::Next CaptureReader::next_record(RecordReader::Record& record) {
  if (!in_blocks_) return next_of_libpcap(record);
  switch (records_.next(record)) {
    case RecordReader::Next::record:
      return Next::packet;
    case RecordReader::Next::end:
      return Next::end;
    case RecordReader::Next::failed:
      break;
  }
  return fail(records_.problem());
}

CaptureReader::Next CaptureReader::next_of_libpcap(RecordReader::Record& record) {
  pcap_pkthdr* header = nullptr;
  const u_char* bytes = nullptr;
  const int result = pcap_next_ex(pcap_.get(), &header, &bytes);
  if (result == 1) {
    record = {header->ts.tv_sec, header->ts.tv_usec,
              std::as_bytes(std::span(bytes, header->caplen)), header->len};
    return Next::packet;
  }
  if (result == PCAP_ERROR_BREAK) return Next::end;
  return input_.was_stopped() ? Next::interrupted : fail(pcap_geterr(pcap_.get()));
}

CaptureReader::Next CaptureReader::read_packet() {
  if (outcome_ != Next::packet) return outcome_;
  for (;;) {
    if (!pcap_) {
      if (const Next header = read_header(); header != Next::packet) return header;
    }
    if (!input_.wait()) return Next::interrupted;
    RecordReader::Record record{};
    const Next found = next_record(record);
    if (found == Next::packet) {
      if (!record.bytes.empty()) return set_packet(record);
      empty.add(1);
      continue;
    }
    if (found != Next::end) return found;
    if (const Next next = at_end(); next != Next::packet) return next;
  }
}

CaptureReader::Next CaptureReader::set_packet(const RecordReader::Record& record) {
  // Until the first there is no time that others are compared with.
  if (packets.get() == 0) first_time_ = placed(record).time;
  packet_ = placed(record);
  if (record.bytes.size() < record.length) snapped.add(1);
  packets.add(1);
  ++round_packets_;
  has_packet_ = true;
  return Next::packet;
}

/** `packet` says that the file begins again. */
CaptureReader::Next CaptureReader::at_end() {
  rounds.add(1);
  if (round_packets_ == 0 && packets.get() != 0) return fail("its packets have gone meanwhile");
  // A file without packets would be read for ever.
  if (round_packets_ == 0 || (!endless_ && --loops_left_ == 0)) return outcome_ = Next::end;
  // After as much time as there is between packets.
  const std::uint64_t duration = packet_.offset - std::min(packet_.offset, round_offset_);
  round_offset_ = packet_.offset + duration / std::max<std::uint64_t>(round_packets_ - 1, 1);
  round_packets_ = 0;
  pcap_.reset();
  return input_.rewind() ? Next::packet : fail("it cannot be read again");
}

}  // namespace pcapplugin
