// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * What pcapsrc makes of files by libpcap and by pcapsink, of damaged ones, and of streams.
 */
#include "plugins/pcap/capture_reader.hpp"

#include <fcntl.h>
#include <gst/check/gsttestclock.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "capture.hpp"
#include "pipeline_end.hpp"
#include "samples.hpp"
#include "tests/check/documentation.hpp"

#include "plugins/pcap/capture_format.hpp"
#include "plugins/pcap/recorded_time.hpp"

using capture::fail_unless_contains;
using capture::Folder;
using capture::Record;
using pcapplugin::FileFormat;
using rig::Bytes;

namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

struct Packet {
  Bytes bytes;
  GstClockTime pts = GST_CLOCK_TIME_NONE;
  std::uint64_t recorded = 0;
};

/** pcapsrc, and what it pushes. */
class Replay {
 public:
  explicit Replay(const std::string& location, const std::string& properties = "",
                  bool takes_batches = true)
      : takes_batches_(takes_batches) {
    GError* error = nullptr;
    element = gst_parse_launch(("pcapsrc " + properties).c_str(), &error);
    fail_unless(error == nullptr, "%s", error != nullptr ? error->message : "");
    gst_object_ref_sink(element);
    g_object_set(element, "location", location.c_str(), nullptr);
    bus = gst_bus_new();
    gst_element_set_bus(element, bus);
    GstClock* clock = gst_system_clock_obtain();
    set_clock(clock);
    gst_object_unref(clock);
    make_pad();
  }
  ~Replay() {
    stop();
    for (GstBuffer* buffer : held) gst_buffer_unref(buffer);
    GstPad* peer = gst_pad_get_peer(pad_);
    gst_pad_unlink(peer, pad_);
    gst_object_unref(peer);
    gst_pad_set_active(pad_, FALSE);
    gst_object_unref(pad_);
    gst_element_set_bus(element, nullptr);
    gst_bus_set_flushing(bus, TRUE);
    gst_object_unref(bus);
    ASSERT_OBJECT_REFCOUNT(element, "pcapsrc", 1);
    gst_object_unref(element);
  }
  Replay(const Replay&) = delete;
  Replay& operator=(const Replay&) = delete;

  void set_clock(GstClock* clock) const {
    gst_element_set_clock(element, clock);
    gst_element_set_base_time(element, gst_clock_get_time(clock));
  }
  GstStateChangeReturn play() const { return gst_element_set_state(element, GST_STATE_PLAYING); }
  void stop() const {
    fail_unless_equals_int(gst_element_set_state(element, GST_STATE_NULL),
                           GST_STATE_CHANGE_SUCCESS);
  }
  /** Plays to the end, or to an error, which it returns. */
  std::string run() const {
    if (play() == GST_STATE_CHANGE_FAILURE) return error();
    return end();
  }
  /** Waits for either; an empty string for EOS. */
  std::string end() const {
    const auto wanted = static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    for (;;) {
      // No bin makes a message of the event. An error comes before it, so it is looked for after.
      const bool ended = has_ended();
      if (GstMessage* message = gst_bus_timed_pop_filtered(bus, GST_MSECOND, wanted)) {
        return text_of(message);
      }
      if (ended) return {};
    }
  }
  [[nodiscard]] bool has_ended() const {
    const std::lock_guard lock(mutex_);
    return ended_;
  }
  std::string error() const {
    GstMessage* message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);
    return message != nullptr ? text_of(message) : "";
  }
  void wait_packets(std::size_t n) const {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return packets.size() >= n; });
  }
  [[nodiscard]] std::size_t seen() const {
    const std::lock_guard lock(mutex_);
    return packets.size();
  }
  [[nodiscard]] std::vector<Bytes> bytes() const {
    std::vector<Bytes> out;
    for (const Packet& packet : packets) out.push_back(packet.bytes);
    return out;
  }
  [[nodiscard]] std::uint64_t stat(const char* name) const { return rig::stat(element, name); }

  GstElement* element;
  GstBus* bus;
  std::vector<Packet> packets;
  std::vector<std::size_t> pushes;  // packets in each
  bool holds = false;               // keeps the buffers, too
  std::vector<GstBuffer*> held;
  std::string caps;

 private:
  static Replay* of(GstPad* pad) { return static_cast<Replay*>(gst_pad_get_element_private(pad)); }
  static std::string text_of(GstMessage* message) {
    std::string text;
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
      GError* found = nullptr;
      gst_message_parse_error(message, &found, nullptr);
      text = found->message;
      g_error_free(found);
    }
    gst_message_unref(message);
    return text;
  }
  void make_pad() {
    static GstStaticPadTemplate any =
        GST_STATIC_PAD_TEMPLATE("collect", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
    pad_ = gst_pad_new_from_static_template(&any, "collect");
    gst_pad_set_element_private(pad_, this);
    gst_pad_set_chain_function(
        pad_, [](GstPad* pad, GstObject*, GstBuffer* buffer) { return of(pad)->take(buffer); });
    gst_pad_set_chain_list_function(pad_, [](GstPad* pad, GstObject*, GstBufferList* list) {
      return of(pad)->take_list(list);
    });
    gst_pad_set_query_function(pad_, [](GstPad* pad, GstObject* parent, GstQuery* query) {
      if (GST_QUERY_TYPE(query) != GST_QUERY_ALLOCATION) {
        return gst_pad_query_default(pad, parent, query);
      }
      if (of(pad)->takes_batches_) {
        gst_query_add_allocation_meta(query, GST_PACKET_BATCH_META_API_TYPE, nullptr);
      }
      return gboolean{TRUE};
    });
    gst_pad_set_event_function(pad_, [](GstPad* pad, GstObject*, GstEvent* event) -> gboolean {
      of(pad)->take_event(event);
      return TRUE;
    });
    gst_pad_set_active(pad_, TRUE);
    GstPad* src = gst_element_get_static_pad(element, "src");
    fail_unless_equals_int(gst_pad_link(src, pad_), GST_PAD_LINK_OK);
    gst_object_unref(src);
  }
  void take_event(GstEvent* event) {
    const std::lock_guard lock(mutex_);
    if (GST_EVENT_TYPE(event) == GST_EVENT_EOS) ended_ = true;
    if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS) {
      GstCaps* set = nullptr;
      gst_event_parse_caps(event, &set);
      gchar* text = gst_caps_to_string(set);
      caps = text;
      g_free(text);
    }
    gst_event_unref(event);
  }
  void keep(GstBuffer* buffer) {
    if (holds) held.push_back(gst_buffer_ref(buffer));
    const auto recorded = pcapplugin::recorded_time(buffer);
    const GstPacketBatchMeta* meta = gst_buffer_get_packet_batch_meta(buffer);
    std::size_t i = 0;
    for (Bytes& bytes : rig::packets_of(buffer)) {
      const guint32 delay = meta != nullptr ? meta->packets[i++].delay : 0;
      packets.push_back(
          {std::move(bytes), GST_BUFFER_PTS(buffer) + delay, recorded ? *recorded + delay : 0});
    }
  }
  /** Nothing in the memory of a batch that was pushed is pcapsrc's any more. */
  static void overwrite(GstBuffer* buffer) {
    const gstpacket::BatchMap map(buffer);
    if (map && gst_buffer_is_writable(buffer)) std::memset(map.data(), 0xee, map.size());
  }
  GstFlowReturn take(GstBuffer* buffer) {
    const std::lock_guard lock(mutex_);
    const std::size_t before = packets.size();
    keep(buffer);
    pushes.push_back(packets.size() - before);
    if (!holds) overwrite(buffer);
    gst_buffer_unref(buffer);
    changed_.notify_all();
    return GST_FLOW_OK;
  }
  GstFlowReturn take_list(GstBufferList* list) {
    const std::lock_guard lock(mutex_);
    pushes.push_back(gst_buffer_list_length(list));
    for (guint i = 0; i < gst_buffer_list_length(list); ++i) keep(gst_buffer_list_get(list, i));
    gst_buffer_list_unref(list);
    changed_.notify_all();
    return GST_FLOW_OK;
  }

  bool takes_batches_;
  GstPad* pad_ = nullptr;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  bool ended_ = false;
};

/** Writes a file by the functions of pcapsink, which has tests of its own. */
std::string file_of(const std::vector<Record>& records, FileFormat format) {
  pcapplugin::FileInfo info;
  info.format = format;
  std::string out;
  const auto append = [&out](const std::vector<std::byte>& bytes) {
    out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  };
  append(pcapplugin::file_header(info));
  for (const Record& record : records) {
    const auto kept = static_cast<std::uint32_t>(record.bytes.size());
    std::vector<std::byte> bytes(pcapplugin::record_size(format, kept));
    pcapplugin::write_record(format, bytes.data(), record.time,
                             reinterpret_cast<const std::byte*>(record.bytes.data()), kept,
                             std::max(kept, record.length));
    append(bytes);
  }
  return out;
}

std::string write_file(const std::string& path, const std::string& contents) {
  std::ofstream(path, std::ios::binary) << contents;
  return path;
}

std::vector<Record> some_records(std::size_t n, std::uint64_t step = 1'234'567) {
  std::vector<Record> records(n);
  for (std::size_t i = 0; i < n; ++i) {
    records[i].time = 1'700'000'000 * kSecond + i * step;
    records[i].bytes = samples::payload(1 + i * 41 % 1600);
  }
  return records;
}

std::vector<Record> short_records(std::size_t n) {
  auto records = some_records(n);
  for (std::size_t i = 0; i < n; ++i) records[i].bytes.resize(1 + i * 3);
  return records;
}

/** By libpcap. */
void write_with_libpcap(const std::string& path, int dlt, std::size_t packets) {
  pcap_t* pcap = pcap_open_dead(dlt, 65535);
  pcap_dumper_t* dumper = pcap_dump_open(pcap, path.c_str());
  fail_unless(dumper != nullptr, "%s", pcap_geterr(pcap));
  for (std::size_t i = 0; i < packets; ++i) {
    const Bytes bytes = samples::payload(40 + i);
    pcap_pkthdr header{};
    header.ts.tv_sec = 1000;
    header.ts.tv_usec = static_cast<suseconds_t>(i);
    header.caplen = header.len = static_cast<bpf_u_int32>(bytes.size());
    pcap_dump(reinterpret_cast<u_char*>(dumper), &header, bytes.data());
  }
  pcap_dump_close(dumper);
  pcap_close(pcap);
}

constexpr FileFormat kFormats[] = {FileFormat::pcap, FileFormat::pcapng};

}  // namespace

GST_START_TEST(test_every_form_and_batch_size) {
  const Folder folder;
  const auto records = some_records(700);
  for (const FileFormat format : kFormats) {
    const std::string path = write_file(folder / "a", file_of(records, format));
    for (const bool batches : {true, false}) {
      for (const unsigned size : {1U, 2U, 31U, 32U, 33U, 255U, 256U}) {
        Replay replay(path, "batch-size=" + std::to_string(size), batches);
        capture::expect_text(replay.run(), "");
        fail_unless_equals_uint64(replay.packets.size(), records.size());
        for (std::size_t i = 0; i < records.size(); ++i) {
          const Packet& packet = replay.packets[i];
          fail_unless(packet.bytes == records[i].bytes);
          fail_unless_equals_uint64(packet.pts, records[i].time - records[0].time);
          fail_unless_equals_uint64(packet.recorded, records[i].time);
        }
        // Limited by the size of batches, and by that of our own memory.
        for (std::size_t i = 0; i + 1 < replay.pushes.size(); ++i) {
          fail_unless(replay.pushes[i] <= size && (replay.pushes[i] == size || size > 100));
        }
        capture::expect_text(replay.caps, "application/x-packet, link-type=(string)ethernet");
      }
    }
  }
}
GST_END_TEST

/** pcapsrc and pcapsink in one pipeline make the same file again. */
GST_START_TEST(test_round_trip) {
  const Folder folder;
  for (const FileFormat format : kFormats) {
    const std::string name = format == FileFormat::pcap ? "a.pcap" : "a.pcapng";
    for (const std::size_t n : {0, 1, 2, 31, 32, 33, 255, 256, 257, 1000}) {
      const std::string path = write_file(folder / name, file_of(some_records(n), format));
      const std::string copy = folder / ("copy-" + name);
      for (const char* options : {"", "batches=false", "batch-size=33"}) {
        const std::string line =
            "pcapsrc location=" + path + " " + options + " ! queue ! pcapsink location=" + copy;
        GstElement* pipeline = gst_parse_launch(line.c_str(), nullptr);
        gst_element_set_state(pipeline, GST_STATE_PLAYING);
        fail_unless(rig::reaches_eos(pipeline));
        gst_element_set_state(pipeline, GST_STATE_NULL);
        gst_object_unref(pipeline);
        fail_unless(capture::contents(copy) == capture::contents(path), "%s, %zu packets, %s",
                    name.c_str(), n, options);
      }
    }
  }
}
GST_END_TEST

GST_START_TEST(test_link_types) {
  const Folder folder;
  const std::pair<int, const char*> kTypes[] = {{DLT_EN10MB, "ethernet"},
                                                {DLT_RAW, "ip"},
                                                {DLT_IPV4, "ip"},
                                                {DLT_IPV6, "ip"},
                                                {DLT_USER0, "punt"}};
  for (const auto& [dlt, name] : kTypes) {
    write_with_libpcap(folder / "a", dlt, 3);
    Replay replay(folder / "a");
    capture::expect_text(replay.run(), "");
    fail_unless_contains(replay.caps, name);
    fail_unless_equals_uint64(replay.packets.size(), 3);
    fail_unless_equals_uint64(replay.packets[2].pts, 2000);  // from microseconds
  }
}
GST_END_TEST

GST_START_TEST(test_other_link_types_are_refused_by_name) {
  const Folder folder;
  for (const auto& [dlt, name] : {std::pair{DLT_LINUX_SLL, "LINUX_SLL"},
                                  std::pair{DLT_IEEE802_11_RADIO, "IEEE802_11_RADIO"}}) {
    write_with_libpcap(folder / "a", dlt, 3);
    Replay replay(folder / "a");
    fail_unless_equals_int(replay.play(), GST_STATE_CHANGE_FAILURE);
    const std::string error = replay.error();
    fail_unless_contains(error, name);
    fail_unless_contains(error, "convert");
  }
}
GST_END_TEST

GST_START_TEST(test_places_that_cannot_be_read) {
  const Folder folder;
  const std::string fifo = folder / "fifo";
  fail_unless_equals_int(mkfifo(fifo.c_str(), 0600), 0);
  write_file(folder / "text", "This is no capture file at all.\n");
  write_file(folder / "nothing", "");
  const struct {
    std::string location;
    const char* properties;
    const char* says;
  } kCases[] = {{"", "", "Set location"},
                {folder / "no-such", "", "No such file or directory"},
                {folder / "", "", "Is a directory"},
                {folder / "text", "", "unknown file format"},
                {folder / "nothing", "", "truncated dump file"},
                {fifo, "loops=2", "only a file can be read more than once"}};
  for (const auto& wrong : kCases) {
    Replay replay(wrong.location, wrong.properties);
    fail_unless_equals_int(replay.play(), GST_STATE_CHANGE_FAILURE);
    fail_unless_contains(replay.error(), wrong.says);
  }
}
GST_END_TEST

/** Cut at any byte, all whole packets come, and only between two packets it is no error. */
GST_START_TEST(test_truncated_at_every_byte) {
  const Folder folder;
  const std::vector<Record> records = short_records(4);
  for (const FileFormat format : kFormats) {
    std::vector<std::size_t> ends;
    for (std::size_t n = 0; n <= records.size(); ++n) {
      ends.push_back(
          file_of({records.begin(), records.begin() + static_cast<long>(n)}, format).size());
    }
    const std::string whole = file_of(records, format);
    for (std::size_t size = 0; size <= whole.size(); ++size) {
      const std::string path = write_file(folder / "a", whole.substr(0, size));
      Replay replay(path);
      const std::string error = replay.run();
      std::size_t complete = 0;
      while (complete + 1 < ends.size() && ends[complete + 1] <= size) ++complete;
      fail_unless_equals_uint64(replay.packets.size(), complete);
      const bool between = std::find(ends.begin(), ends.end(), size) != ends.end();
      fail_unless_equals_int(error.empty(), between);
      if (!between && complete != 0) {
        fail_unless_contains(error, ("before that, " + std::to_string(complete)).c_str());
      }
    }
  }
}
GST_END_TEST

/** Whatever byte is wrong, what comes out is packets and then EOS or an error. */
GST_START_TEST(test_damaged_at_every_byte) {
  const Folder folder;
  for (const FileFormat format : kFormats) {
    const std::string whole = file_of(short_records(3), format);
    for (std::size_t at = 0; at < whole.size(); ++at) {
      for (const char flip : {'\x01', '\x80', '\xff'}) {
        std::string damaged = whole;
        damaged[at] = static_cast<char>(damaged[at] ^ flip);
        Replay replay(write_file(folder / "a", damaged));
        (void)replay.run();
        fail_unless(replay.packets.size() <= 3);
      }
    }
  }
}
GST_END_TEST

namespace {

/** What a file of these bytes is read as; through a pipe, it is libpcap that reads it. */
std::string read_as(const std::string& bytes, bool pipe) {
  int fds[2] = {-1, -1};
  if (pipe) {
    fail_unless(pipe2(fds, O_CLOEXEC) == 0);
  } else {
    fds[0] = fds[1] = memfd_create("capture", MFD_CLOEXEC);
  }
  const auto size = static_cast<ssize_t>(bytes.size());
  fail_unless(::write(fds[1], bytes.data(), bytes.size()) == size);
  if (pipe) {
    ::close(fds[1]);
  } else {
    fail_unless(::lseek(fds[0], 0, SEEK_SET) == 0);
  }
  pcapplugin::CaptureReader reader;
  reader.open(fds[0], 1);
  using Next = pcapplugin::CaptureReader::Next;
  std::string out;
  Next next = reader.next();
  for (; next == Next::packet; next = reader.next()) {
    const auto& packet = reader.packet();
    out += std::to_string(packet.time) + ":" +
           std::string(reinterpret_cast<const char*>(packet.bytes.data()), packet.bytes.size());
    reader.take();
  }
  out += " snapped " + std::to_string(reader.snapped.get());
  if (next == Next::end) return out + ", end";
  // Which limit of two equal ones it names is the same to us.
  const std::string why = reader.error().why;
  return out + ", " + why.substr(0, why.find(", bigger than"));
}

void expect_same(const std::string& file) {
  const std::string ours = read_as(file, false), libpcaps = read_as(file, true);
  fail_unless(ours == libpcaps, "%s\nnot as libpcap reads it:\n%s", ours.c_str(), libpcaps.c_str());
}

/** A classic file in the other order of bytes, all of whose fields are known to be there. */
std::string swapped(std::string file) {
  const auto swap = [&](std::size_t at, std::size_t size) {
    std::reverse(file.begin() + static_cast<long>(at), file.begin() + static_cast<long>(at + size));
  };
  std::size_t at = 24;
  while (at < file.size()) {
    std::uint32_t length = 0;
    std::memcpy(&length, file.data() + at + 8, sizeof length);
    for (std::size_t field = 0; field < 16; field += 4) swap(at + field, 4);
    at += 16 + length;
  }
  swap(0, 4);
  swap(4, 2);
  swap(6, 2);
  for (std::size_t field = 8; field < 24; field += 4) swap(field, 4);
  return file;
}

}  // namespace

/** The records of a file are read in blocks, not by libpcap: to the same effect. */
GST_START_TEST(test_blocks_are_read_as_libpcap_reads_them) {
  auto records = some_records(40);
  records[1].length = 5000;
  records[2].bytes.clear();
  records[3].time = 0xf0000000 * kSecond;
  const std::string nanoseconds = file_of(records, FileFormat::pcap);
  std::string microseconds = nanoseconds;
  const std::uint32_t magic = 0xa1b2c3d4;
  std::memcpy(microseconds.data(), &magic, sizeof magic);
  std::string few = nanoseconds;
  const std::uint32_t snaplen = 61;
  std::memcpy(few.data() + 16, &snaplen, sizeof snaplen);
  for (const std::string& whole :
       {nanoseconds, microseconds, few, swapped(nanoseconds), swapped(microseconds)}) {
    expect_same(whole);
    for (std::size_t at = 0; at < 400; ++at) {
      for (const char flip : {'\x01', '\x04', '\x80', '\xff'}) {
        std::string damaged = whole;
        damaged[at] = static_cast<char>(damaged[at] ^ flip);
        expect_same(damaged);
      }
      const std::string cut = whole.substr(0, at);
      expect_same(cut);
    }
  }
}
GST_END_TEST

/** As an inherited standard input may be: again it begins where it began. */
GST_START_TEST(test_file_in_the_middle_of_another) {
  const std::string bytes = "something" + file_of(short_records(3), FileFormat::pcap);
  const int fd = memfd_create("capture", MFD_CLOEXEC);
  const auto size = static_cast<ssize_t>(bytes.size());
  fail_unless(::write(fd, bytes.data(), bytes.size()) == size);
  fail_unless(::lseek(fd, 9, SEEK_SET) == 9);
  pcapplugin::CaptureReader reader;
  reader.open(fd, 2);
  std::size_t packets = 0;
  for (; reader.next() == pcapplugin::CaptureReader::Next::packet; ++packets) reader.take();
  fail_unless_equals_uint64(packets, 6);
}
GST_END_TEST

GST_START_TEST(test_snapped_and_empty_packets) {
  const Folder folder;
  auto records = some_records(5);
  records[1].length = 5000;
  records[2].bytes.clear();
  records[3].length = 5000;
  Replay replay(write_file(folder / "a", file_of(records, FileFormat::pcap)));
  capture::expect_text(replay.run(), "");
  fail_unless_equals_uint64(replay.packets.size(), 4);
  fail_unless(replay.packets[1].bytes == records[1].bytes);
  fail_unless_equals_uint64(replay.stat("snapped"), 2);
  fail_unless_equals_uint64(replay.stat("empty"), 1);
  fail_unless_equals_uint64(replay.stat("packets-out"), 4);
}
GST_END_TEST

/** As long as files may have them, beside short ones. */
GST_START_TEST(test_longest_packets) {
  const Folder folder;
  auto records = some_records(6);
  records[2].bytes = samples::payload(262'144);
  records[3].bytes = samples::payload(262'143);
  for (const FileFormat format : kFormats) {
    Replay replay(write_file(folder / "a", file_of(records, format)));
    capture::expect_text(replay.run(), "");
    for (std::size_t i = 0; i < 6; ++i) fail_unless(replay.packets.at(i).bytes == records[i].bytes);
  }
}
GST_END_TEST

/** Packets that are held do not change while others are read, also behind records of nothing. */
GST_START_TEST(test_held_packets_stay) {
  const Folder folder;
  std::vector<Record> records(20'000, Record{1'700'000'000 * kSecond, 0, {}});
  records.push_back({1'700'000'000 * kSecond, 0, samples::payload(100'000)});
  for (Record& record : some_records(1'000, 10)) records.push_back(std::move(record));
  for (std::size_t i = 0; i < 1'000; ++i) {
    records.push_back(records[records.size() - 1'000]);
    records.back().bytes.resize(60);
  }
  for (const char* options : {"", "loops=2", "batch-size=40", "batch-size=2"}) {
    Replay replay(write_file(folder / "a", file_of(records, FileFormat::pcap)), options);
    replay.holds = true;
    capture::expect_text(replay.run(), "");
    std::vector<Bytes> held;
    for (GstBuffer* buffer : replay.held) {
      for (Bytes& bytes : rig::packets_of(buffer)) held.push_back(std::move(bytes));
    }
    fail_unless(held == replay.bytes());
    fail_unless_equals_int64(std::count(replay.pushes.begin(), replay.pushes.end(), 0U), 0);
    fail_unless_equals_uint64(held.size() % 2'001, 0);
    for (std::size_t i = 0; i < held.size(); ++i) {
      fail_unless(held[i] == records[20'000 + i % 2'001].bytes, "packet %zu", i);
    }
  }
}
GST_END_TEST

/** It is not mapped: one that ends earlier than it did is an error as any other. */
GST_START_TEST(test_file_that_is_cut_while_it_is_read) {
  const Folder folder;
  const std::string path =
      write_file(folder / "a", file_of(some_records(2'000, 10), FileFormat::pcap));
  Replay replay(path, "loops=0");
  replay.play();
  replay.wait_packets(3'000);
  std::filesystem::resize_file(path, 10'000);
  std::filesystem::resize_file(path, 10);
  fail_unless_contains(replay.end(), "Cannot read");
}
GST_END_TEST

/** Also if nothing but its header is left when it begins again. */
GST_START_TEST(test_file_that_is_emptied_while_it_is_repeated) {
  const Folder folder;
  const std::string path = write_file(folder / "a", file_of(some_records(10), FileFormat::pcap));
  Replay replay(path, "loops=0");
  replay.play();
  replay.wait_packets(30);
  constexpr std::uintmax_t kHeader = 24;
  std::filesystem::resize_file(path, kHeader);
  fail_unless_contains(replay.end(), "Cannot read");
}
GST_END_TEST

/** What a batch cannot say of its packets begins another one. */
GST_START_TEST(test_times_that_jump) {
  const Folder folder;
  std::vector<Record> records = some_records(6);
  const std::uint64_t start = 1000 * kSecond;
  const std::uint64_t times[] = {start,
                                 start + 4 * kSecond,
                                 start + 5 * kSecond,
                                 start + 3 * kSecond,   // back
                                 start - 10 * kSecond,  // before the first
                                 start + 4'000'000 * kSecond};
  for (std::size_t i = 0; i < 6; ++i) records[i].time = times[i];
  for (const FileFormat format : kFormats) {
    Replay replay(write_file(folder / "a", file_of(records, format)));
    capture::expect_text(replay.run(), "");
    for (std::size_t i = 0; i < 6; ++i) {
      fail_unless(replay.packets.at(i).bytes == records[i].bytes);
      fail_unless_equals_uint64(replay.packets[i].recorded, times[i]);
      fail_unless_equals_uint64(replay.packets[i].pts, std::max(times[i], start) - start);
    }
    fail_unless(replay.pushes == std::vector<std::size_t>({2, 1, 1, 1, 1}));
  }
}
GST_END_TEST

GST_START_TEST(test_times_of_any_kind) {
  const Folder folder;
  std::vector<Record> records = some_records(3);
  records[0].time = 0;
  records[1].time = G_MAXUINT64;
  records[2].time = G_MAXINT64;
  for (const FileFormat format : kFormats) {
    for (const char* options : {"", "loops=3"}) {
      Replay replay(write_file(folder / "a", file_of(records, format)), options);
      capture::expect_text(replay.run(), "");
      for (const Packet& packet : replay.packets) fail_unless(packet.pts <= G_MAXUINT64 / 2);
    }
  }
}
GST_END_TEST

GST_START_TEST(test_loops) {
  const Folder folder;
  const auto records = some_records(10, 1000);
  const std::string path = write_file(folder / "a", file_of(records, FileFormat::pcap));
  Replay replay(path, "loops=3");
  capture::expect_text(replay.run(), "");
  fail_unless_equals_uint64(replay.packets.size(), 30);
  for (std::size_t i = 0; i < 30; ++i) {
    fail_unless(replay.packets[i].bytes == records[i % 10].bytes);
    fail_unless_equals_uint64(replay.packets[i].pts, i * 1000);
    fail_unless_equals_uint64(replay.packets[i].recorded, 0);  // it would repeat
  }
  fail_unless_equals_uint64(replay.stat("loops"), 3);
  fail_unless_equals_uint64(replay.pushes.size(), 1);
}
GST_END_TEST

GST_START_TEST(test_loops_without_end) {
  const Folder folder;
  Replay replay(write_file(folder / "a", file_of(some_records(3), FileFormat::pcapng)), "loops=0");
  replay.play();
  replay.wait_packets(10'000);
  replay.stop();
  // Nothing but the end can come of a file without packets.
  Replay empty(write_file(folder / "b", file_of({}, FileFormat::pcapng)), "loops=0");
  capture::expect_text(empty.run(), "");
}
GST_END_TEST

/** What is waited for is the time of each packet, in the time of the replay. */
GST_START_TEST(test_speed) {
  const Folder folder;
  const auto records = some_records(4, 100'000'000);
  const std::string path = write_file(folder / "a", file_of(records, FileFormat::pcap));
  for (const auto& [speed, step] :
       {std::pair{"1", 100}, std::pair{"2", 50}, std::pair{"0.5", 200}}) {
    Replay replay(path, std::string("speed=") + speed);
    GstClock* clock = gst_test_clock_new_with_start_time(50 * GST_SECOND);
    replay.set_clock(clock);
    replay.play();
    replay.wait_packets(1);
    for (std::size_t i = 1; i < 4; ++i) {
      GstClockID id = nullptr;
      gst_test_clock_wait_for_next_pending_id(GST_TEST_CLOCK(clock), &id);
      fail_unless_equals_uint64(gst_clock_id_get_time(id),
                                50 * GST_SECOND + i * static_cast<guint64>(step) * GST_MSECOND);
      gst_clock_id_unref(id);
      fail_unless_equals_uint64(replay.seen(), i);
      fail_unless(gst_test_clock_crank(GST_TEST_CLOCK(clock)));
      replay.wait_packets(i + 1);
    }
    capture::expect_text(replay.end(), "");
    for (std::size_t i = 0; i < 4; ++i) {
      fail_unless_equals_uint64(replay.packets[i].pts,
                                i * static_cast<guint64>(step) * GST_MSECOND);
      fail_unless_equals_uint64(replay.packets[i].recorded, 0);
    }
    replay.stop();
    gst_object_unref(clock);
  }
}
GST_END_TEST

/** After a stall, and at high rates, all that are due come together. */
GST_START_TEST(test_what_is_due_comes_at_once) {
  const Folder folder;
  const auto records = some_records(20, 100'000'000);
  Replay replay(write_file(folder / "a", file_of(records, FileFormat::pcap)), "speed=1");
  GstClock* clock = gst_test_clock_new_with_start_time(0);
  replay.set_clock(clock);
  replay.play();
  gst_test_clock_wait_for_next_pending_id(GST_TEST_CLOCK(clock), nullptr);
  gst_test_clock_set_time(GST_TEST_CLOCK(clock), 950 * GST_MSECOND);
  GstClockID id = gst_test_clock_process_next_clock_id(GST_TEST_CLOCK(clock));
  gst_clock_id_unref(id);
  gst_test_clock_wait_for_next_pending_id(GST_TEST_CLOCK(clock), nullptr);
  fail_unless_equals_uint64(replay.seen(), 10);
  replay.stop();
  gst_object_unref(clock);
}
GST_END_TEST

GST_START_TEST(test_stops_while_it_waits_for_the_clock) {
  const Folder folder;
  const auto records = some_records(2, 1'000'000 * kSecond);
  Replay replay(write_file(folder / "a", file_of(records, FileFormat::pcap)), "speed=1");
  for (int i = 0; i < 3; ++i) {
    replay.play();
    replay.wait_packets(static_cast<std::size_t>(i) + 1);
    gst_element_set_state(replay.element, GST_STATE_PAUSED);
    replay.play();
    replay.stop();
  }
}
GST_END_TEST

// ---- Streams ----------------------------------------------------------------------------------

namespace {

struct Fifo {
  explicit Fifo(const Folder& folder) : path(folder / "fifo") {
    fail_unless_equals_int(mkfifo(path.c_str(), 0600), 0);
  }
  ~Fifo() { close_writer(); }
  void open_writer() { fd = open(path.c_str(), O_WRONLY | O_CLOEXEC); }
  void close_writer() {
    if (fd >= 0) close(fd);
    fd = -1;
  }
  void write(const std::string& bytes) const {
    fail_unless_equals_int64(::write(fd, bytes.data(), bytes.size()),
                             static_cast<gint64>(bytes.size()));
  }
  std::string path;
  int fd = -1;
};

}  // namespace

/** In pieces of any size, and each packet as soon as it is whole. */
GST_START_TEST(test_fifo) {
  const auto records = some_records(3);
  for (const FileFormat format : kFormats) {
    const Folder folder;
    Fifo fifo(folder);
    Replay replay(fifo.path);
    replay.play();
    fifo.open_writer();
    std::string before = file_of({}, format);
    for (const char byte : before) fifo.write({byte});
    for (std::size_t n = 1; n <= records.size(); ++n) {
      const std::string now =
          file_of({records.begin(), records.begin() + static_cast<long>(n)}, format);
      fifo.write(now.substr(before.size(), 5));
      fifo.write(now.substr(before.size() + 5));
      replay.wait_packets(n);
      before = now;
    }
    fifo.close_writer();
    capture::expect_text(replay.end(), "");
    fail_unless(replay.packets[2].bytes == records[2].bytes);
    fail_unless_contains(replay.caps, "ethernet");
  }
}
GST_END_TEST

/** A pause falls between the parts of a packet. */
GST_START_TEST(test_pause_loses_nothing_of_a_fifo) {
  const Folder folder;
  Fifo fifo(folder);
  const auto records = some_records(3);
  const std::string all = file_of(records, FileFormat::pcapng);
  const std::size_t half =
      file_of({records.begin(), records.begin() + 1}, FileFormat::pcapng).size();
  Replay replay(fifo.path);
  replay.play();
  fifo.open_writer();
  fifo.write(all.substr(0, half + 20));
  for (int i = 0; i < 3; ++i) {
    gst_element_set_state(replay.element, GST_STATE_PAUSED);
    replay.play();
  }
  fifo.write(all.substr(half + 20));
  fifo.close_writer();
  capture::expect_text(replay.end(), "");
  fail_unless_equals_uint64(replay.packets.size(), 3);
  fail_unless(replay.packets[2].bytes == records[2].bytes);
}
GST_END_TEST

/** Wherever the writer is: not there, before, in and behind the header, within a packet. */
GST_START_TEST(test_stops_while_it_waits_for_a_writer) {
  const std::string all = file_of(some_records(2), FileFormat::pcapng);
  const std::size_t header = file_of({}, FileFormat::pcapng).size();
  for (const std::size_t written : {std::size_t{0}, std::size_t{10}, header, header + 10}) {
    for (const bool there : {false, true}) {
      const Folder folder;
      Fifo fifo(folder);
      Replay replay(fifo.path);
      for (int i = 0; i < 2; ++i) {
        replay.play();
        if (there) {
          fifo.open_writer();
          fifo.write(all.substr(0, written));
        }
        replay.stop();
        fifo.close_writer();
      }
    }
  }
}
GST_END_TEST

GST_START_TEST(test_eos_while_it_waits_for_a_writer) {
  for (const bool there : {false, true}) {
    const Folder folder;
    Fifo fifo(folder);
    Replay replay(fifo.path);
    replay.play();
    if (there) {
      fifo.open_writer();
      fifo.write(file_of(some_records(1), FileFormat::pcap));
      replay.wait_packets(1);
    }
    fail_unless(gst_element_send_event(replay.element, gst_event_new_eos()));
    capture::expect_text(replay.end(), "");
  }
}
GST_END_TEST

GST_START_TEST(test_documentation) {
  documentation::check("pcapsrc");
}
GST_END_TEST

static Suite* pcapsrc_suite() {
  Suite* s = suite_create("pcapsrc");
  TCase* tc = tcase_create("files");
  suite_add_tcase(s, tc);
  tcase_add_test(tc, test_every_form_and_batch_size);
  tcase_add_test(tc, test_round_trip);
  tcase_add_test(tc, test_link_types);
  tcase_add_test(tc, test_other_link_types_are_refused_by_name);
  tcase_add_test(tc, test_places_that_cannot_be_read);
  tcase_add_test(tc, test_truncated_at_every_byte);
  tcase_add_test(tc, test_blocks_are_read_as_libpcap_reads_them);
  tcase_add_test(tc, test_damaged_at_every_byte);
  tcase_add_test(tc, test_file_in_the_middle_of_another);
  tcase_add_test(tc, test_snapped_and_empty_packets);
  tcase_add_test(tc, test_longest_packets);
  tcase_add_test(tc, test_held_packets_stay);
  tcase_add_test(tc, test_file_that_is_cut_while_it_is_read);
  tcase_add_test(tc, test_file_that_is_emptied_while_it_is_repeated);
  tcase_add_test(tc, test_times_that_jump);
  tcase_add_test(tc, test_times_of_any_kind);
  tcase_add_test(tc, test_loops);
  tcase_add_test(tc, test_loops_without_end);
  tcase_add_test(tc, test_documentation);
  TCase* clock = tcase_create("clock");
  suite_add_tcase(s, clock);
  tcase_add_test(clock, test_speed);
  tcase_add_test(clock, test_what_is_due_comes_at_once);
  tcase_add_test(clock, test_stops_while_it_waits_for_the_clock);
  TCase* streams = tcase_create("streams");
  suite_add_tcase(s, streams);
  tcase_add_test(streams, test_fifo);
  tcase_add_test(streams, test_pause_loses_nothing_of_a_fifo);
  tcase_add_test(streams, test_stops_while_it_waits_for_a_writer);
  tcase_add_test(streams, test_eos_while_it_waits_for_a_writer);
  return s;
}

GST_CHECK_MAIN(pcapsrc)
