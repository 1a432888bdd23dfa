// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Packets through memifsink and memifsrc: in every form, with timestamps and counted.
 */
#include "frames.hpp"

using namespace memiftest;

namespace {

/** The two pipelines with Ethernet frames between them. */
struct Loopback : Frames {
  explicit Loopback(const std::string& sink_settings = "", const std::string& source_settings = "",
                    bool sink_is_slave = true)
      : Loopback(unique_socket(), sink_settings, source_settings, sink_is_slave) {}
  Loopback(const std::string& name, const std::string& sink_settings,
           const std::string& source_settings, bool sink_is_slave)
      : Frames(name, "application/x-packet,link-type=(string)ethernet", sink_settings,
               source_settings, sink_is_slave) {}
};

GstBuffer* in_memories(const Bytes& bytes, const std::vector<std::size_t>& lengths) {
  GstBuffer* buffer = gst_buffer_new();
  std::size_t offset = 0;
  for (const std::size_t length : lengths) {
    GstMemory* memory = gst_allocator_alloc(nullptr, length, nullptr);
    GstMapInfo map;
    fail_unless(gst_memory_map(memory, &map, GST_MAP_WRITE));
    std::memcpy(map.data, bytes.data() + offset, length);
    gst_memory_unmap(memory, &map);
    gst_buffer_append_memory(buffer, memory);
    offset += length;
  }
  fail_unless_equals_uint64(offset, bytes.size());
  return buffer;
}

}  // namespace

GST_START_TEST(test_buffers_of_many_lengths) {
  for (const bool sink_is_slave : {true, false}) {
    Loopback pair("buffer-size=256", "buffer-size=256", sink_is_slave);
    std::uint64_t number = 0;
    for (int round = 0; round < 10; ++round) {
      for (std::size_t length : {1U, 60U, 255U, 256U, 257U, 1500U, 9000U, 65536U, 100'000U}) {
        const Bytes bytes = packet(++number, length);
        push(pair.out, bytes);
        fail_unless(pull(pair.in).bytes == bytes);
      }
    }
  }
}
GST_END_TEST

GST_START_TEST(test_lists) {
  for (const bool sink_is_slave : {true, false}) {
    Loopback pair("ring-size=64", "ring-size=64", sink_is_slave);
    for (guint length : {1U, 2U, 63U, 64U, 65U, 1000U}) {
      GstBufferList* list = gst_buffer_list_new_sized(length);
      for (guint i = 0; i < length; ++i) gst_buffer_list_add(list, buffer_of(packet(i, 100 + i)));
      fail_unless(gst_app_src_push_buffer_list(GST_APP_SRC(pair.out.element("in")), list) ==
                  GST_FLOW_OK);
      for (guint i = 0; i < length; ++i) {
        expect(pull(pair.in).bytes == packet(i, 100 + i), "another packet");
      }
    }
  }
}
GST_END_TEST

GST_START_TEST(test_buffers_of_several_memories) {
  Loopback pair("buffer-size=100");
  const Bytes bytes = packet(1, 300);
  for (const std::vector<std::size_t>& lengths :
       std::vector<std::vector<std::size_t>>{{100, 200},
                                             {1, 298, 1},
                                             {100, 100, 100},
                                             {42, 0, 258},
                                             std::vector<std::size_t>(15, 20)}) {
    push(pair.out, in_memories(bytes, lengths));
    fail_unless(pull(pair.in).bytes == bytes);
  }
  // A part of a buffer: the memory begins before the packet and goes on behind it.
  GstBuffer* whole = buffer_of(bytes);
  push(pair.out, gst_buffer_copy_region(whole, GST_BUFFER_COPY_ALL, 7, 150));
  gst_buffer_unref(whole);
  fail_unless(pull(pair.in).bytes == Bytes(bytes.begin() + 7, bytes.begin() + 157));
}
GST_END_TEST

GST_START_TEST(test_empty_and_oversized_buffers_are_dropped) {
  Loopback pair("buffer-size=100 ring-size=4");
  push(pair.out, gst_buffer_new());
  push(pair.out, packet(1, 401));
  push(pair.out, packet(2, 400));
  fail_unless(pull(pair.in).bytes == packet(2, 400));
  fail_unless_equals_uint64(pair.out.stat("sink", "drop-empty"), 1);
  fail_unless_equals_uint64(pair.out.stat("sink", "drop-too-long"), 1);
  fail_unless_equals_uint64(pair.out.stat("sink", "packets-dropped"), 2);
  fail_unless_equals_uint64(pair.out.stat("sink", "packets"), 1);
  fail_if(pair.out.has_message(GST_MESSAGE_ERROR));
}
GST_END_TEST

GST_START_TEST(test_time_stamps) {
  for (const char* batch : {"batch-size=1", "batch-size=256"}) {
    Loopback pair("", batch);
    GstClockTime last = 0;
    for (std::uint64_t i = 0; i < 200; ++i) {
      push(pair.out, packet(i, 60));
      if (i % 10 != 9) continue;
      for (int k = 0; k < 10; ++k) {
        const Sample sample = pull(pair.in);
        fail_unless(GST_CLOCK_TIME_IS_VALID(sample.pts));
        fail_unless(sample.pts >= last);
        last = sample.pts;
      }
    }
    // Running time: of the time since PLAYING, not of the epoch.
    fail_unless(last != 0 && last < 60 * GST_SECOND);
  }
}
GST_END_TEST

GST_START_TEST(test_statistics_add_up) {
  Loopback pair("ring-size=4 when-full=drop");
  // The receiving pipeline does not look, so that the ring is full after four packets.
  pair.in.set(GST_STATE_PAUSED);
  pause_ms(20);
  for (std::uint64_t i = 0; i < 50; ++i) push(pair.out, packet(i, 100));
  fail_unless(eventually([&] {
    return pair.out.stat("sink", "packets") + pair.out.stat("sink", "packets-dropped") == 50;
  }));
  const std::uint64_t sent = pair.out.stat("sink", "packets");
  fail_unless(sent >= 4 && pair.out.stat("sink", "drop-ring-full") == 50 - sent);
  fail_unless_equals_uint64(pair.out.stat("sink", "bytes"), sent * 100);
  fail_unless_equals_uint64(pair.out.stat("sink", "copies"), sent);
  pair.in.set(GST_STATE_PLAYING);
  fail_unless(eventually([&] { return pair.in.stat("src", "packets") == sent; }));
  fail_unless_equals_uint64(pair.in.stat("src", "bytes"), sent * 100);
  fail_unless_equals_uint64(pair.in.stat("src", "packets-dropped"), 0);
  fail_unless_equals_uint64(pair.in.stat("src", "link-ups"), 1);
  pair.in.set(GST_STATE_NULL);
  fail_unless(pair.out.link_goes_down("sink"));
  for (int i = 0; i < 7; ++i) push(pair.out, packet(0, 10));
  fail_unless(eventually([&] { return pair.out.stat("sink", "drop-link-down") == 7; }));
  fail_unless_equals_uint64(pair.out.stat("sink", "packets-dropped"), 57 - sent);
  fail_unless_equals_uint64(pair.out.stat("sink", "link-downs"), 1);
  fail_unless(eventually([&] { return pair.out.stat("sink", "rendered") == 57; }));
  // They stay readable after the end.
  pair.out.set(GST_STATE_NULL);
  fail_unless_equals_uint64(pair.out.stat("sink", "packets"), sent);
}
GST_END_TEST

GST_START_TEST(test_both_directions_of_one_interface) {
  const std::string name = unique_socket();
  const std::string ends = slave_at(name);
  Pipeline echo("memifsrc name=src" + ends + "! memifsink name=sink" + ends);
  auto master = started(settings_for(Role::master, name));
  echo.set(GST_STATE_PLAYING);
  fail_unless(come_up(master));
  auto sender = must(Sender::open(master, 0));
  auto receiver = must(Receiver::open(master, 0, RxMode::adaptive));
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const Bytes bytes = packet(i, 60 + i);
    const TxSegment segment(bytes);
    while (send_one(*sender, {&segment, 1}) != Sent::ok) sender->wait_for_room();
    sender->flush();
    std::vector<Bytes> packets;
    while (packets.empty()) {
      expect(receiver->wait(kPatienceNs) != WaitResult::timeout, "no echo");
      packets = join(receiver->receive(1));
      receiver->release();
    }
    expect(packets == only(bytes), "another packet");
  }
}
GST_END_TEST

GST_START_TEST(test_traffic_goes_on_when_the_peer_is_back) {
  const std::string name = unique_socket();
  Pipeline in("memifsrc name=src" + slave_at(name) + kAppSink);
  in.set(GST_STATE_PLAYING);
  for (std::uint64_t i = 0; i < 5; ++i) {
    Pipeline out(kAppSrc + ("memifsink name=sink when-down=block" + master_at(name)));
    out.set(GST_STATE_PLAYING);
    push(out, packet(i, 100));
    fail_unless(pull(in).bytes == packet(i, 100));
  }
  fail_if(in.has_message(GST_MESSAGE_ERROR));
  fail_if(in.has_message(GST_MESSAGE_EOS));
}
GST_END_TEST

GST_START_TEST(test_a_sample_may_be_kept_for_ever) {
  GstSample* sample = nullptr;
  {
    Loopback pair;
    push(pair.out, packet(5, 500));
    sample = gst_app_sink_try_pull_sample(GST_APP_SINK(pair.in.element("out")), kPatienceNs);
    fail_unless(sample != nullptr);
  }
  fail_unless(bytes_of(gst_sample_get_buffer(sample)) == packet(5, 500));
  gst_sample_unref(sample);
}
GST_END_TEST

static Suite* transfer_suite(void) {
  Suite* suite = suite_create("transfer");
  TCase* tests = tcase_create("packets");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_buffers_of_many_lengths);
  tcase_add_test(tests, test_lists);
  tcase_add_test(tests, test_buffers_of_several_memories);
  tcase_add_test(tests, test_empty_and_oversized_buffers_are_dropped);
  tcase_add_test(tests, test_time_stamps);
  tcase_add_test(tests, test_statistics_add_up);
  tcase_add_test(tests, test_both_directions_of_one_interface);
  tcase_add_test(tests, test_traffic_goes_on_when_the_peer_is_back);
  tcase_add_test(tests, test_a_sample_may_be_kept_for_ever);
  return suite;
}

GST_CHECK_MAIN(transfer)
