// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * What pcapsink records, judged by libpcap, and what becomes of files and streams.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>

#include "capture.hpp"
#include "forms.hpp"
#include "samples.hpp"
#include "tests/check/documentation.hpp"
#include "tests/check/slow_clock.hpp"

#include "plugins/pcap/recorded_time.hpp"

using capture::fail_unless_contains;
using capture::File;
using capture::Folder;
using forms::Feeder;
using forms::Kind;
using rig::Bytes;

namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr char kEthernet[] = "application/x-packet,link-type=ethernet";
constexpr const char* kFormats[] = {"a.pcap", "a.pcapng"};

std::uint64_t now() {
  return static_cast<std::uint64_t>(g_get_real_time()) * 1000;
}

void set_properties(GstElement* element, const std::string& text) {
  std::string rest = text;
  while (!rest.empty()) {
    const auto end = rest.find(' ');
    const std::string one = rest.substr(0, end);
    const auto equals = one.find('=');
    gst_util_set_object_arg(G_OBJECT(element), one.substr(0, equals).c_str(),
                            one.substr(equals + 1).c_str());
    rest = end == std::string::npos ? "" : rest.substr(end + 1);
  }
}

/** pcapsink behind a pad of the test. */
class Sink {
 public:
  explicit Sink(const std::string& location, const std::string& properties = "")
      : element(gst_element_factory_make("pcapsink", nullptr)), bus(gst_bus_new()) {
    gst_object_ref_sink(element);
    gst_element_set_bus(element, bus);
    g_object_set(element, "location", location.c_str(), nullptr);
    set_properties(element, properties);
    source = gst_pad_new("testsrc", GST_PAD_SRC);
    GstPad* pad = gst_element_get_static_pad(element, "sink");
    gst_pad_link(source, pad);
    gst_object_unref(pad);
  }
  ~Sink() {
    stop();
    gst_object_unref(source);
    gst_element_set_bus(element, nullptr);
    gst_bus_set_flushing(bus, TRUE);
    gst_object_unref(bus);
    ASSERT_OBJECT_REFCOUNT(element, "pcapsink", 1);
    gst_object_unref(element);
  }
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  Sink& play(const char* caps = kEthernet) {
    gst_pad_set_active(source, TRUE);
    fail_unless_equals_int(gst_element_set_state(element, GST_STATE_PLAYING),
                           GST_STATE_CHANGE_SUCCESS);
    rig::send_prologue(source, caps);
    return *this;
  }
  void stop() const {
    fail_unless_equals_int(gst_element_set_state(element, GST_STATE_NULL),
                           GST_STATE_CHANGE_SUCCESS);
    gst_pad_set_active(source, FALSE);
  }
  GstFlowReturn push(const Bytes& bytes, GstClockTime pts = GST_CLOCK_TIME_NONE) const {
    GstBuffer* buffer = rig::make_buffer(bytes);
    GST_BUFFER_PTS(buffer) = pts;
    return gst_pad_push(source, buffer);
  }
  bool eos() const { return gst_pad_push_event(source, gst_event_new_eos()) != FALSE; }
  [[nodiscard]] std::uint64_t stat(const char* name) const { return rig::stat(element, name); }
  /** The text of the next error, or an empty one. */
  [[nodiscard]] std::string error() const {
    GstMessage* message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);
    if (message == nullptr) return {};
    GError* found = nullptr;
    gst_message_parse_error(message, &found, nullptr);
    std::string text = std::to_string(found->code) + ": " + found->message;
    g_error_free(found);
    gst_message_unref(message);
    return text;
  }
  /** What the messages say about files that are complete. */
  [[nodiscard]] std::vector<std::string> closed() const {
    std::vector<std::string> out;
    while (GstMessage* message = gst_bus_pop_filtered(bus, GST_MESSAGE_ELEMENT)) {
      const GstStructure* fields = gst_message_get_structure(message);
      fail_unless(gst_structure_has_name(fields, "pcap-file-closed"));
      out.emplace_back(gst_structure_get_string(fields, "location"));
      gst_message_unref(message);
    }
    return out;
  }

  GstElement* element;
  GstBus* bus;
  GstPad* source;
};

std::vector<Bytes> some_packets(std::size_t n) {
  std::vector<Bytes> packets(n);
  for (std::size_t i = 0; i < n; ++i) packets[i] = samples::payload(1 + i * 37 % 1600);
  return packets;
}

void in_child(const std::function<void()>& test) {
  const pid_t child = fork();
  if (child == 0) {
    test();
    _exit(0);
  }
  int status = -1;
  fail_unless_equals_int(waitpid(child, &status, 0), child);
  fail_unless(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child ended with %x", status);
}

bool eventually(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

}  // namespace

GST_START_TEST(test_every_form) {
  const Folder folder;
  const auto packets = some_packets(600);
  for (const char* name : kFormats) {
    const std::string path = folder / name;
    for (const Kind kind : forms::kKinds) {
      for (const std::size_t batch : {1, 2, 31, 32, 33, 255, 256, 257}) {
        Sink sink(path);
        sink.play();
        Feeder(kind, sink.source).feed(packets, batch);
        fail_unless(sink.eos());
        const File file = capture::read(path);
        capture::expect_text(file.error, "");
        fail_unless_equals_int(file.dlt, DLT_EN10MB);
        fail_unless(file.packets() == packets, "%s: kind %d, %zu at a time", name,
                    static_cast<int>(kind), batch);
        fail_unless_equals_uint64(sink.stat("packets-in"), packets.size());
      }
    }
  }
}
GST_END_TEST

GST_START_TEST(test_blocks_are_written_whole) {
  const Folder folder;
  // More than a block, and records that end anywhere in it.
  const std::vector<Bytes> packets(2000, samples::payload(1499));
  for (const char* name : kFormats) {
    Sink sink(folder / name);
    sink.play();
    for (const Bytes& packet : packets) fail_unless_equals_int(sink.push(packet), GST_FLOW_OK);
    sink.stop();  // without EOS
    fail_unless(capture::read(folder / name).packets() == packets);
  }
}
GST_END_TEST

GST_START_TEST(test_link_types) {
  const Folder folder;
  const std::pair<const char*, int> kTypes[] = {
      {"ethernet", DLT_EN10MB}, {"ip", DLT_RAW}, {"punt", DLT_USER0}};
  for (const char* name : kFormats) {
    for (const auto& [type, dlt] : kTypes) {
      Sink sink(folder / name);
      sink.play((std::string("application/x-packet,link-type=") + type).c_str());
      sink.push({1, 2, 3});
      sink.eos();
      fail_unless_equals_int(capture::read(folder / name).dlt, dlt);
    }
  }
}
GST_END_TEST

GST_START_TEST(test_change_of_link_type_is_refused) {
  const Folder folder;
  Sink sink(folder / "a.pcap");
  sink.play();
  sink.push({1, 2, 3});
  GstCaps* caps = gst_caps_from_string("application/x-packet,link-type=ip");
  gst_pad_push_event(sink.source, gst_event_new_caps(caps));
  gst_caps_unref(caps);
  fail_unless_contains(sink.error(), "link-type=ip");
}
GST_END_TEST

GST_START_TEST(test_files_without_packets) {
  const Folder folder;
  for (const char* name : kFormats) {
    for (const char* caps : {kEthernet, static_cast<const char*>(nullptr)}) {
      Sink sink(folder / name);
      sink.play(caps);
      sink.eos();
      const File file = capture::read(folder / name);
      fail_unless_equals_int(file.dlt, DLT_EN10MB);
      fail_unless(file.records.empty());
      capture::expect_text(file.error, "");
    }
  }
}
GST_END_TEST

GST_START_TEST(test_format_and_texts) {
  const Folder folder;
  const std::string name = folder / "a.pcap";
  {
    Sink sink(name, "format=pcapng interface-name=memif7 comment=seven");
    sink.play().eos();
  }
  const std::string bytes = capture::contents(name);
  fail_unless(bytes.starts_with("\x0a\x0d\x0d\x0a"));
  fail_unless_contains(bytes, "memif7");
  fail_unless_contains(bytes, "seven");
  Sink sink(folder / "b.pcapng", "format=pcap");
  sink.play().eos();
  fail_unless(capture::contents(folder / "b.pcapng").starts_with("\x4d\x3c\xb2\xa1"));
}
GST_END_TEST

/** Their lengths have 16 bits. */
GST_START_TEST(test_long_texts_are_cut) {
  const Folder folder;
  const std::string text(100'000, 'x');
  Sink sink(folder / "a.pcapng");
  g_object_set(sink.element, "comment", text.c_str(), "interface-name", text.c_str(), nullptr);
  sink.play();
  sink.push({1, 2, 3});
  sink.eos();
  const File file = capture::read(folder / "a.pcapng");
  capture::expect_text(file.error, "");
  fail_unless_equals_uint64(file.records.size(), 1);
}
GST_END_TEST

GST_START_TEST(test_snaplen) {
  const Folder folder;
  for (const char* name : kFormats) {
    Sink sink(folder / name, "snaplen=61");
    sink.play();
    for (const std::size_t size : {60, 61, 62, 1500}) sink.push(samples::payload(size));
    sink.eos();
    fail_unless_equals_uint64(sink.stat("snapped"), 2);
    const File file = capture::read(folder / name);
    fail_unless_equals_int(file.snaplen, 61);
    fail_unless_equals_uint64(file.records.size(), 4);
    fail_unless(file.records[1].bytes == samples::payload(61));
    fail_unless(file.records[3].bytes == samples::payload(61));
    fail_unless_equals_uint64(file.records[3].length, 1500);
  }
}
GST_END_TEST

/** What readers would take for damage is cut as well. */
GST_START_TEST(test_longest_packet) {
  const Folder folder;
  for (const char* name : kFormats) {
    Sink sink(folder / name);
    sink.play();
    for (const std::size_t size : {262143, 262144, 262145, 600'000}) {
      sink.push(samples::payload(size));
    }
    sink.eos();
    fail_unless_equals_uint64(sink.stat("snapped"), 2);
    const File file = capture::read(folder / name);
    capture::expect_text(file.error, "");
    fail_unless_equals_uint64(file.records.size(), 4);
    fail_unless_equals_uint64(file.records[3].length, 600'000);
  }
}
GST_END_TEST

/** The time of day at which it was that time in the pipeline. */
GST_START_TEST(test_times) {
  const Folder folder;
  for (const char* name : kFormats) {
    Sink sink(folder / name);
    GstClock* clock = gst_system_clock_obtain();
    gst_element_set_clock(sink.element, clock);
    const std::uint64_t before = now();
    const GstClockTime base = gst_clock_get_time(clock) - 100 * GST_SECOND;
    gst_element_set_base_time(sink.element, base);
    sink.play();
    sink.push({1}, 40 * GST_SECOND);
    sink.push({2}, 40 * GST_SECOND + 123'456'789);
    GstBuffer* batch = rig::make_batch(std::vector<Bytes>{{3}, {4}});
    GST_BUFFER_PTS(batch) = 41 * GST_SECOND;
    gst_buffer_get_packet_batch_meta(batch)->packets[1].delay = 4'000'000'001;
    gst_pad_push(sink.source, batch);
    sink.push({5});
    const std::uint64_t after = now();
    sink.eos();
    gst_object_unref(clock);
    const auto records = capture::read(folder / name).records;
    fail_unless_equals_uint64(records.size(), 5);
    fail_unless(records[0].time + 60 * kSecond >= before - kSecond);
    fail_unless(records[0].time + 60 * kSecond <= after + kSecond);
    fail_unless_equals_uint64(records[1].time - records[0].time, 123'456'789);
    fail_unless_equals_uint64(records[3].time - records[2].time, 4'000'000'001);
    fail_unless(records[4].time >= before - 1000 && records[4].time <= after + 1000);
  }
}
GST_END_TEST

/** Nor are they wrong by what a busy machine takes between the reading of two clocks. */
GST_START_TEST(test_times_of_a_thread_that_is_held_up) {
  const Folder folder;
  Sink sink(folder / "a.pcap");
  auto* clock = static_cast<GstClock*>(g_object_new(slow_clock_type(), nullptr));
  gst_object_ref_sink(clock);
  gst_element_set_clock(sink.element, clock);
  gst_element_set_base_time(sink.element, 0);
  sink.play();
  // Far enough apart that the clocks are read each time.
  for (unsigned i = 1; i <= 6; ++i) sink.push({1}, i * 10 * GST_SECOND);
  sink.eos();
  gst_element_set_clock(sink.element, nullptr);
  gst_object_unref(clock);
  const auto records = capture::read(folder / "a.pcap").records;
  fail_unless_equals_uint64(records.size(), 6);
  for (std::size_t i = 1; i < 6; ++i) {
    fail_unless_equals_uint64(records[i].time - records[i - 1].time, 10 * kSecond);
  }
}
GST_END_TEST

GST_START_TEST(test_recorded_times_are_kept) {
  const Folder folder;
  Sink sink(folder / "a.pcap");
  sink.play();
  GstBuffer* batch = rig::make_batch(std::vector<Bytes>{{3}, {4}});
  gst_buffer_get_packet_batch_meta(batch)->packets[1].delay = 7;
  pcapplugin::set_recorded_time(batch, 1234 * kSecond + 5);
  gst_pad_push(sink.source, batch);
  sink.eos();
  const auto records = capture::read(folder / "a.pcap").records;
  fail_unless_equals_uint64(records.at(0).time, 1234 * kSecond + 5);
  fail_unless_equals_uint64(records.at(1).time, 1234 * kSecond + 12);
}
GST_END_TEST

GST_START_TEST(test_rotation_by_size) {
  const Folder folder;
  const std::vector<Bytes> packets(10, samples::payload(84));
  {
    // A header of 24 bytes and three records of 100.
    Sink sink(folder / "dir.x.pcap", "max-file-size=324");
    sink.play();
    for (const Bytes& packet : packets) sink.push(packet);
    sink.eos();
    fail_unless_equals_uint64(sink.stat("files"), 4);
    fail_unless_equals_uint64(sink.closed().size(), 4);
  }
  const std::vector<std::string> names{"dir.x_00001.pcap", "dir.x_00002.pcap", "dir.x_00003.pcap",
                                       "dir.x_00004.pcap"};
  fail_unless(folder.names() == names);
  std::size_t all = 0;
  for (const std::string& name : names) {
    const std::string path = folder / name;
    fail_unless(capture::contents(path).size() <= 324);
    all += capture::read(path).records.size();
  }
  fail_unless_equals_uint64(all, 10);
}
GST_END_TEST

/** When it is told that a file is complete, its packets have been counted. */
GST_START_TEST(test_figures_of_files_that_are_complete) {
  const Folder folder;
  Sink sink(folder / "a.pcap", "max-file-size=324");
  std::vector<std::uint64_t> figures;
  const auto see = [](GstBus*, GstMessage* message, gpointer counts) {
    if (gst_message_has_name(message, "pcap-file-closed") != FALSE) {
      static_cast<std::vector<std::uint64_t>*>(counts)->push_back(
          rig::stat(GST_ELEMENT_CAST(GST_MESSAGE_SRC(message)), "packets-in"));
    }
    return GST_BUS_PASS;
  };
  gst_bus_set_sync_handler(sink.bus, see, &figures, nullptr);
  sink.play();
  gst_pad_push(sink.source, rig::make_batch(std::vector<Bytes>(10, samples::payload(84))));
  sink.eos();
  fail_unless(figures == std::vector<std::uint64_t>({3, 6, 9, 10}));
  gst_bus_set_sync_handler(sink.bus, nullptr, nullptr, nullptr);
}
GST_END_TEST

/** A packet that is longer than the limit has a file of its own. */
GST_START_TEST(test_rotation_of_long_packets) {
  const Folder folder;
  Sink sink(folder / "a", "max-file-size=10");
  sink.play();
  for (int i = 0; i < 3; ++i) sink.push(samples::payload(50));
  sink.eos();
  const std::vector<std::string> names{"a_00001", "a_00002", "a_00003"};
  fail_unless(folder.names() == names);
  for (const std::string& name : names) {
    fail_unless_equals_uint64(capture::read(folder / name).records.size(), 1);
  }
}
GST_END_TEST

GST_START_TEST(test_rotation_by_time_keeps_the_last_files) {
  const Folder folder;
  Sink sink(folder / "a.pcapng", "max-file-time=1000000000 max-files=2");
  sink.play();
  for (std::uint64_t i = 0; i < 40; ++i) {
    GstBuffer* buffer = rig::make_buffer(Bytes{1});
    pcapplugin::set_recorded_time(buffer, 1000 * kSecond + i * kSecond / 10);
    gst_pad_push(sink.source, buffer);
  }
  sink.eos();
  const std::vector<std::string> names{"a_00003.pcapng", "a_00004.pcapng"};
  fail_unless(folder.names() == names);
  const auto records = capture::read(folder / "a_00004.pcapng").records;
  fail_unless_equals_uint64(records.size(), 10);
  fail_unless_equals_uint64(records[0].time, 1003 * kSecond);
}
GST_END_TEST

GST_START_TEST(test_places_that_cannot_be_written) {
  const Folder folder;
  const std::string fifo = folder / "fifo";
  fail_unless_equals_int(mkfifo(fifo.c_str(), 0600), 0);
  const struct {
    std::string location;
    const char* properties;
    const char* says;
  } kCases[] = {{"", "", "Set location"},
                {folder / "no/such/a.pcap", "", "No such file or directory"},
                {folder / "", "", "Is a directory"},
                {fifo, "max-file-size=100", "only files can be followed by others"},
                {"-", "max-file-time=100", "only files can be followed by others"}};
  for (const auto& wrong : kCases) {
    Sink sink(wrong.location, wrong.properties);
    fail_unless_equals_int(gst_element_set_state(sink.element, GST_STATE_PAUSED),
                           GST_STATE_CHANGE_FAILURE);
    fail_unless_contains(sink.error(), wrong.says);
  }
}
GST_END_TEST

GST_START_TEST(test_full_disk) {
  Sink sink("/dev/full");
  sink.play();
  fail_unless_equals_int(sink.push({1, 2, 3}), GST_FLOW_ERROR);
  const std::string error = sink.error();
  fail_unless_contains(error, "No space left on device");
  fail_unless_contains(error, std::to_string(GST_RESOURCE_ERROR_NO_SPACE_LEFT).c_str());
}
GST_END_TEST

GST_START_TEST(test_full_disk_later) {
  const Folder folder;
  const std::string path = folder / "a.pcap";
  in_child([&path] {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{100'000, 100'000};
    setrlimit(RLIMIT_FSIZE, &limit);
    Sink sink(path, "unbuffered=true");
    sink.play();
    GstFlowReturn flow = GST_FLOW_OK;
    int pushed = 0;
    for (; flow == GST_FLOW_OK && pushed < 1000; ++pushed) flow = sink.push(samples::payload(984));
    fail_unless_equals_int(flow, GST_FLOW_ERROR);
    fail_unless_equals_int(pushed, 100);
    fail_unless_contains(sink.error(), "File too large");
    fail_unless_equals_int(sink.push({1}), GST_FLOW_ERROR);
  });
  fail_unless_equals_uint64(capture::read(path).records.size(), 99);
}
GST_END_TEST

GST_START_TEST(test_full_disk_at_the_end) {
  const Folder folder;
  const std::string path = folder / "a.pcap";
  in_child([&path] {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1000, 1000};
    setrlimit(RLIMIT_FSIZE, &limit);
    Sink sink(path);
    sink.play();
    fail_unless_equals_int(sink.push(samples::payload(2000)), GST_FLOW_OK);
    fail_if(sink.eos());
    fail_unless_contains(sink.error(), "File too large");
  });
}
GST_END_TEST

GST_START_TEST(test_nothing_after_eos) {
  const Folder folder;
  Sink sink(folder / "a.pcap");
  sink.play();
  sink.push({1});
  sink.eos();
  fail_unless_equals_int(sink.push({2}), GST_FLOW_EOS);
  sink.stop();
  fail_unless_equals_uint64(capture::read(folder / "a.pcap").records.size(), 1);
  // A new run is a new file.
  sink.play();
  sink.push({3});
  sink.push({4});
  sink.stop();
  fail_unless_equals_uint64(capture::read(folder / "a.pcap").records.size(), 2);
}
GST_END_TEST

// ---- Streams ----------------------------------------------------------------------------------

GST_START_TEST(test_reader_of_a_fifo_sees_packets_at_once) {
  const Folder folder;
  const std::string fifo = folder / "fifo";
  fail_unless_equals_int(mkfifo(fifo.c_str(), 0600), 0);
  Sink sink(fifo);
  const int reader = open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  fail_unless(reader >= 0);
  sink.play();
  char bytes[4096];
  fail_unless_equals_int64(read(reader, bytes, sizeof bytes), 24);
  for (int i = 0; i < 3; ++i) {
    fail_unless_equals_int(sink.push(samples::payload(60)), GST_FLOW_OK);
    fail_unless_equals_int64(read(reader, bytes, sizeof bytes), 16 + 60);
  }
  // With the end of the stream the reader is told.
  sink.eos();
  fail_unless_equals_int64(read(reader, bytes, sizeof bytes), 0);
  close(reader);
}
GST_END_TEST

GST_START_TEST(test_reader_that_goes_away) {
  const Folder folder;
  const std::string fifo = folder / "fifo";
  fail_unless_equals_int(mkfifo(fifo.c_str(), 0600), 0);
  Sink sink(fifo);
  const int reader = open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  sink.play();
  fail_unless_equals_int(sink.push(samples::payload(60)), GST_FLOW_OK);
  close(reader);
  fail_unless_equals_int(sink.push(samples::payload(60)), GST_FLOW_ERROR);
  const std::string error = sink.error();
  fail_unless_contains(error, "Broken pipe");
  fail_unless_contains(error, "reader has gone");
}
GST_END_TEST

/** Neither a reader that never comes nor one that does not read keeps the element from stopping. */
GST_START_TEST(test_stops_while_it_waits_for_a_reader) {
  for (const bool comes : {false, true}) {
    const Folder folder;
    const std::string fifo = folder / "fifo";
    fail_unless_equals_int(mkfifo(fifo.c_str(), 0600), 0);
    Sink sink(fifo);
    const int reader = comes ? open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC) : -1;
    std::atomic<int> pushed{0};
    std::atomic<bool> ended{false};
    std::thread streaming([&] {
      sink.play();
      while (sink.push(samples::payload(1000)) == GST_FLOW_OK) ++pushed;
      ended = true;
    });
    fail_unless(eventually(
        [&] { return comes ? pushed > 30 : GST_STATE(sink.element) == GST_STATE_PLAYING; }));
    // And a pause on the way there.
    fail_unless_equals_int(gst_element_set_state(sink.element, GST_STATE_PAUSED),
                           GST_STATE_CHANGE_SUCCESS);
    fail_unless_equals_int(gst_element_set_state(sink.element, GST_STATE_PLAYING),
                           GST_STATE_CHANGE_SUCCESS);
    fail_unless_equals_int(gst_element_set_state(sink.element, GST_STATE_NULL),
                           GST_STATE_CHANGE_SUCCESS);
    streaming.join();
    fail_unless(ended);
    if (reader >= 0) close(reader);
  }
}
GST_END_TEST

/** What was half written when the pause came is written whole afterwards. */
GST_START_TEST(test_slow_reader_loses_nothing_in_a_pause) {
  const Folder folder;
  const std::string fifo = folder / "fifo", copy = folder / "copy";
  fail_unless_equals_int(mkfifo(fifo.c_str(), 0600), 0);
  Sink sink(fifo);
  const int reader = open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  constexpr int kPackets = 300;
  std::atomic<int> pushed{0};
  std::thread streaming([&] {
    sink.play();
    while (pushed < kPackets && sink.push(samples::payload(1000)) == GST_FLOW_OK) ++pushed;
    sink.eos();
  });
  fail_unless(eventually([&] { return pushed > 30; }));
  gst_element_set_state(sink.element, GST_STATE_PAUSED);
  gst_element_set_state(sink.element, GST_STATE_PLAYING);
  {
    std::ofstream out(copy, std::ios::binary);
    fcntl(reader, F_SETFL, 0);
    char bytes[4096];
    ssize_t got = 0;
    while ((got = read(reader, bytes, sizeof bytes)) > 0) out.write(bytes, got);
  }
  close(reader);
  streaming.join();
  const File file = capture::read(copy);
  capture::expect_text(file.error, "");
  fail_unless(file.packets() == std::vector<Bytes>(kPackets, samples::payload(1000)));
}
GST_END_TEST

GST_START_TEST(test_damaged_packets_are_left_out) {
  const Folder folder;
  Sink sink(folder / "a.pcap");
  sink.play();
  GstBuffer* batch = rig::make_batch(std::vector<Bytes>{{1}, {2}, {3}});
  gst_buffer_get_packet_batch_meta(batch)->packets[1].offset = 0xffffffff;
  gst_pad_push(sink.source, batch);
  batch = rig::make_batch(std::vector<Bytes>{{1}});
  gst_buffer_get_packet_batch_meta(batch)->n = 1000;
  gst_pad_push(sink.source, batch);
  sink.eos();
  const std::vector<Bytes> whole{{1}, {3}};
  fail_unless(capture::read(folder / "a.pcap").packets() == whole);
  fail_unless_equals_uint64(sink.stat("unreadable"), 2);
}
GST_END_TEST

GST_START_TEST(test_documentation) {
  documentation::check("pcapsink");
}
GST_END_TEST

static Suite* pcapsink_suite() {
  Suite* s = suite_create("pcapsink");
  TCase* tc = tcase_create("general");
  suite_add_tcase(s, tc);
  tcase_add_test(tc, test_every_form);
  tcase_add_test(tc, test_blocks_are_written_whole);
  tcase_add_test(tc, test_link_types);
  tcase_add_test(tc, test_change_of_link_type_is_refused);
  tcase_add_test(tc, test_files_without_packets);
  tcase_add_test(tc, test_format_and_texts);
  tcase_add_test(tc, test_long_texts_are_cut);
  tcase_add_test(tc, test_snaplen);
  tcase_add_test(tc, test_longest_packet);
  tcase_add_test(tc, test_times);
  tcase_add_test(tc, test_times_of_a_thread_that_is_held_up);
  tcase_add_test(tc, test_recorded_times_are_kept);
  tcase_add_test(tc, test_rotation_by_size);
  tcase_add_test(tc, test_figures_of_files_that_are_complete);
  tcase_add_test(tc, test_rotation_of_long_packets);
  tcase_add_test(tc, test_rotation_by_time_keeps_the_last_files);
  tcase_add_test(tc, test_places_that_cannot_be_written);
  tcase_add_test(tc, test_full_disk);
  tcase_add_test(tc, test_full_disk_later);
  tcase_add_test(tc, test_full_disk_at_the_end);
  tcase_add_test(tc, test_nothing_after_eos);
  tcase_add_test(tc, test_damaged_packets_are_left_out);
  TCase* streams = tcase_create("streams");
  suite_add_tcase(s, streams);
  tcase_add_test(streams, test_reader_of_a_fifo_sees_packets_at_once);
  tcase_add_test(streams, test_reader_that_goes_away);
  tcase_add_test(streams, test_stops_while_it_waits_for_a_reader);
  tcase_add_test(streams, test_slow_reader_loses_nothing_in_a_pause);
  tcase_add_test(streams, test_documentation);
  return s;
}

GST_CHECK_MAIN(pcapsink)
