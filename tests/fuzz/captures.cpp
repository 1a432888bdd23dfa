// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Files of any bytes are read as captures, at once or in pieces; packets of any kind are written
 * and read back; filters look at packets of any bytes.
 */
#include <sys/mman.h>

#include <memory>
#include <string>
#include <vector>

#include "fuzz.hpp"
#include "plugins/pcap/bpffilter.hpp"
#include "plugins/pcap/capture_format.hpp"
#include "plugins/pcap/capture_reader.hpp"

using namespace pcapplugin;
using fuzz::Input;
using fuzz::require;
using Next = CaptureReader::Next;
using Bytes = std::span<const std::uint8_t>;

namespace {

struct Kept {
  std::uint64_t time;
  std::vector<std::byte> bytes;
  bool operator==(const Kept&) const = default;
};

int memory_file(Bytes bytes) {
  const int fd = memfd_create("capture", MFD_CLOEXEC);
  require(fd >= 0 &&
              ::write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()) &&
              lseek(fd, 0, SEEK_SET) == 0,
          "no file in memory");
  return fd;
}

/** A pipe with the bytes in it, at most as many as it holds; its writer has gone. */
int filled_pipe(Bytes bytes) {
  constexpr std::size_t kHolds = 65536;
  int ends[2];
  require(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0, "no pipe");
  bytes = bytes.first(std::min(bytes.size(), kHolds));
  require(::write(ends[1], bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()),
          "a pipe holds less");
  close(ends[1]);
  return ends[0];
}

/** Reads to the end, or to an error, which there is only one of. */
std::vector<Kept> read_all(CaptureReader& reader, std::size_t most) {
  std::vector<Kept> packets;
  for (;;) {
    const Next next = reader.next();
    require(next != Next::interrupted, "nobody interrupted it");
    if (next != Next::packet) {
      require(reader.next() == next, "an end that is none");
      require(next != Next::failed || !reader.error().text().empty(), "an error without a reason");
      break;
    }
    const Recorded& packet = reader.packet();
    require(!packet.bytes.empty(), "a packet without bytes");
    require(packet.offset <= std::uint64_t{1} << 62, "a time beyond all");
    packets.push_back({packet.time, {packet.bytes.begin(), packet.bytes.end()}});
    require(reader.next() == Next::packet && &reader.packet() == &packet, "it was not taken");
    reader.take();
    if (packets.size() == most) break;
  }
  require(reader.packets.get() >= packets.size(), "packets that are not counted");
  return packets;
}

/** The same, into rooms that are used for so many packets and then given away. */
std::vector<Kept> read_into_rooms(CaptureReader& reader, std::size_t packets_of_a_room) {
  std::vector<Kept> packets;
  while (reader.read_header() == Next::packet) {
    const auto room = std::make_unique<std::byte[]>(RecordReader::kLeastRoom);
    if (reader.reads_blocks()) reader.use({room.get(), RecordReader::kLeastRoom});
    std::vector<Recorded> there;
    const auto take = [&](const Recorded& packet) {
      require(!packet.bytes.empty(), "a packet without bytes");
      if (there.size() >= packets_of_a_room || !reader.is_in_room(packet)) return false;
      there.push_back(packet);
      return true;
    };
    bool full = false;
    while (!full && reader.next() == Next::packet) {
      full = !take(reader.packet());
      if (full) break;
      reader.take();
      reader.take_while(take);
    }
    // One that is not in the room goes by itself.
    if (full && there.empty()) {
      const Recorded& packet = reader.packet();
      packets.push_back({packet.time, {packet.bytes.begin(), packet.bytes.end()}});
      reader.take();
    }
    reader.leave();
    for (const Recorded& packet : there) {
      packets.push_back({packet.time, {packet.bytes.begin(), packet.bytes.end()}});
    }
    if (!full) break;
  }
  return packets;
}

void read_any(Input& input) {
  const unsigned loops = input.below(4);
  const bool streamed = input.flag();
  const Bytes bytes = input.rest();
  CaptureReader reader;
  if (!streamed) {
    reader.open(memory_file(bytes), loops);
    (void)read_all(reader, 1000);
    return;
  }
  // By libpcap from a stream, and in blocks from a file.
  constexpr std::size_t kAll = 65536;
  reader.open(filled_pipe(bytes), 1);
  const std::vector<Kept> piped = read_all(reader, kAll);
  reader.open(memory_file(bytes), 1);
  if (bytes.size() > kAll) return;
  require(read_all(reader, kAll) == piped, "a file is read differently");
  for (const std::size_t packets_of_a_room : {1, 3, 256}) {
    reader.open(memory_file(bytes), 1);
    require(read_into_rooms(reader, packets_of_a_room) == piped, "a file is read differently");
  }
}

void write_and_read(Input& input) {
  FileInfo info;
  info.format = input.flag() ? FileFormat::pcapng : FileFormat::pcap;
  info.comment = input.line();
  info.interface_name = input.line();
  std::vector<std::byte> file = file_header(info);
  std::vector<Kept> written;
  while (!input.ended() && written.size() < 50) {
    // Up to 2038, as libpcap takes seconds for numbers with a sign.
    const std::uint64_t time = input.get<std::uint64_t>() % 2'000'000'000'000'000'000;
    const auto bytes = std::as_bytes(input.bytes(1 + input.below(200)));
    const auto kept = static_cast<std::uint32_t>(bytes.size());
    const std::size_t at = file.size();
    file.resize(at + record_size(info.format, kept));
    write_record(info.format, file.data() + at, time, bytes.data(), kept, kept + input.below(3));
    if (kept != 0) written.push_back({time, {bytes.begin(), bytes.end()}});
  }
  CaptureReader reader;
  reader.open(memory_file({reinterpret_cast<const std::uint8_t*>(file.data()), file.size()}), 1);
  const std::vector<Kept> read = read_all(reader, file.size());
  require(read.size() == written.size(), "packets are missing");
  for (std::size_t i = 0; i < read.size(); ++i) {
    require(read[i].time == written[i].time && read[i].bytes == written[i].bytes,
            "a packet has changed");
  }
}

/** Each in a block of exactly its size, beyond which a sanitizer sees every byte. */
void filter(Input& input) {
  static constexpr const char* kExpressions[] = {
      "udp port 5004",  "tcp[tcpflags] & tcp-syn != 0", "ip6 protochain 17", "vlan 7 and icmp",
      "ether[60] = 1",  "ip[ip[0] & 15] = 7",           "len > 20",          "dst net 10.0.0.0/8",
      "mpls and icmp6", "ip6[6 + ip6[50]] != 3"};
  static std::unique_ptr<BpfFilter> filters[std::size(kExpressions)];
  const unsigned which = input.below(std::size(kExpressions));
  std::unique_ptr<BpfFilter>& filter = filters[which];
  if (!filter) {
    filter = std::make_unique<BpfFilter>();
    require(bool(filter->set_expression(kExpressions[which])), "libpcap refuses it");
  }
  const bool ip = input.flag();
  if (!filter->set_caps({ip ? LinkType::ip : LinkType::ethernet})) return;
  const auto bytes = input.rest();
  auto block = std::make_unique<std::byte[]>(bytes.size());
  if (!bytes.empty()) std::memcpy(block.get(), bytes.data(), bytes.size());
  const gstpacket::Packet packet({block.get(), bytes.size()});
  const gstpacket::Verdict verdict = filter->process(packet);
  require(verdict == gstpacket::forward() || verdict == gstpacket::to(1), "neither of the two");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::NoLeakedFds fds;
  Input input(data, size);
  switch (input.below(4)) {
    case 0:
      write_and_read(input);
      break;
    case 1:
      filter(input);
      break;
    default:
      read_any(input);
  }
  return 0;
}
