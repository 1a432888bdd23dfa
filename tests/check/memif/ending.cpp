// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The end of a stream: what was sent arrives, within a time; what does not is told and counted.
 */
#include <atomic>

#include "pipeline.hpp"

using namespace memiftest;

namespace {

constexpr std::int64_t kLimit = kPatienceNs;

/** A memifsink whose peer is an interface in the hands of the test. */
struct Sending {
  Sending(const std::string& settings, bool sink_is_slave)
      : Sending(settings, sink_is_slave, true) {}
  Sending(const std::string& settings, bool sink_is_slave, bool with_peer)
      : name(unique_socket()),
        peer(made(settings_for(sink_is_slave ? Role::master : Role::slave, name))),
        pipeline(kAppSrc + ("memifsink name=sink ring-size=64 " + settings) +
                 (sink_is_slave ? slave_at(name) : master_at(name))) {
    GstPad* pad = gst_element_get_static_pad(pipeline.element("sink"), "sink");
    gst_pad_add_probe(
        pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
        [](GstPad*, GstPadProbeInfo* info, gpointer ended) {
          if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_EOS) {
            *static_cast<std::atomic<bool>*>(ended) = true;
          }
          return GST_PAD_PROBE_OK;
        },
        &at_the_end, nullptr);
    gst_object_unref(pad);
    if (with_peer) must(peer->start());
    pipeline.set(GST_STATE_PLAYING);
    if (with_peer) fail_unless(pipeline.link_comes_up("sink") && come_up(peer));
  }
  std::uint64_t stat(const char* field) const { return pipeline.stat("sink", field); }
  /** Sends so many packets, and waits until all of them went where they go. */
  void send(int count) {
    for (int i = 0; i < count; ++i) push(pipeline, packet(static_cast<std::uint64_t>(i), 100));
    const auto all = static_cast<std::uint64_t>(count);
    fail_unless(eventually([&] { return stat("packets") + stat("packets-dropped") >= all; }));
  }
  /** In a pause, appsrc of GStreamer 1.24 and later takes it as an event alone. */
  void end() {
    const GstFlowReturn flow = gst_app_src_end_of_stream(GST_APP_SRC(pipeline.element("in")));
    if (flow == GST_FLOW_OK) return;
    fail_unless_equals_int(flow, GST_FLOW_FLUSHING);
    fail_unless(gst_element_send_event(pipeline.element("in"), gst_event_new_eos()));
  }
  /** Until the sink gets it, which then waits for the peer. */
  void wait_for_the_end() const {
    fail_unless(eventually([this] { return at_the_end.load(); }));
  }
  /** Whether EOS came; what was told before is kept in `told`. */
  bool ended(GstClockTime limit = kPatienceNs) {
    GstBus* bus = gst_element_get_bus(pipeline.get());
    bool eos = false;
    constexpr auto kTypes =
        static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_INFO | GST_MESSAGE_WARNING);
    while (GstMessage* message = eos ? nullptr : gst_bus_timed_pop_filtered(bus, limit, kTypes)) {
      eos = GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS;
      if (!eos && !Pipeline::is_link_news(message)) {
        fail_unless(told == nullptr, "told twice");
        told = gst_message_ref(message);
      }
      gst_message_unref(message);
    }
    gst_object_unref(bus);
    return eos;
  }
  ~Sending() { gst_clear_message(&told); }

  const std::string name;
  const std::shared_ptr<Interface> peer;
  std::atomic<bool> at_the_end{false};
  Pipeline pipeline;
  GstMessage* told = nullptr;
};

/** The next @p count packets. */
void take(Receiver& receiver, std::size_t count) {
  for (std::size_t taken = 0; taken < count;) {
    taken += join(receiver.receive(static_cast<std::uint32_t>(count - taken))).size();
    expect(receiver.release(), "lost memory");
    if (taken < count) expect(receiver.wait(kLimit) != WaitResult::timeout, "no packets");
  }
}

/** The text and the figures of the message about what was lost. */
struct Report {
  Report(const Sending& sending, GstMessageType type) {
    fail_unless(sending.told != nullptr && GST_MESSAGE_TYPE(sending.told) == type, "not told so");
    GError* error = nullptr;
    if (type == GST_MESSAGE_WARNING) {
      gst_message_parse_warning(sending.told, &error, nullptr);
      gst_message_parse_warning_details(sending.told, &details);
    } else {
      gst_message_parse_info(sending.told, &error, nullptr);
      gst_message_parse_info_details(sending.told, &details);
    }
    text = error->message;
    g_error_free(error);
    fail_unless(details != nullptr);
  }

  std::uint64_t figure(const char* name) const {
    guint64 value = 0;
    fail_unless(gst_structure_get_uint64(details, name, &value), "no figure %s", name);
    return value;
  }
  bool says(const char* words) const { return text.find(words) != std::string::npos; }

  std::string text;
  const GstStructure* details = nullptr;
};

/** Milliseconds that a change to NULL takes. */
std::int64_t time_to_stop(Sending& sending) {
  const auto start = Clock::now();
  sending.pipeline.set(GST_STATE_NULL);
  return milliseconds_since(start);
}

/** Without an end, or nearly: a stop that waited for it would be seen. */
constexpr char kLongDrain[] = "drain-timeout=600000000000 ";
constexpr int kPromptStop = kPatienceMs;

}  // namespace

GST_START_TEST(test_eos_waits_for_a_slow_peer) {
  Sending sending(kLongDrain, __i__ != 0);
  sending.send(60);
  sending.end();
  auto receiver = must(Receiver::open(sending.peer, 0, RxMode::interrupt));
  for (std::uint64_t i = 0; i < 60; ++i) {
    fail_if(sending.ended(GST_MSECOND), "before the peer had all");
    fail_unless(receiver->wait(kLimit) == WaitResult::ready);
    fail_unless(join(receiver->receive(1)) == only(packet(i, 100)));
    fail_unless(receiver->release());
  }
  fail_unless(sending.ended());
  fail_unless(sending.told == nullptr);
  sending.pipeline.set(GST_STATE_NULL);
  fail_unless_equals_uint64(sending.stat("packets-dropped"), 0);
}
GST_END_TEST

GST_START_TEST(test_eos_gives_up_a_peer_that_stands_still) {
  for (const char* timeout : {"drain-timeout=0", "drain-timeout=50000000"}) {
    Sending sending(timeout, __i__ != 0);
    sending.send(50);
    sending.end();
    fail_unless(sending.ended());
    fail_unless_equals_uint64(sending.stat("drop-undelivered"), 50);
    const Report report(sending, GST_MESSAGE_WARNING);
    fail_unless(report.says("None of 50 packets"), "%s", report.text.c_str());
    fail_unless(report.figure("lost") == 50 && report.figure("drop-undelivered") == 50);
    sending.pipeline.set(GST_STATE_NULL);
    fail_unless_equals_uint64(sending.stat("drop-undelivered"), 50);
  }
}
GST_END_TEST

GST_START_TEST(test_eos_is_over_when_the_peer_leaves) {
  Sending sending("drain-timeout=18446744073709551615", __i__ != 0);
  sending.send(50);
  sending.end();
  sending.wait_for_the_end();
  fail_if(sending.ended(50 * GST_MSECOND), "did not wait");
  auto receiver = must(Receiver::open(sending.peer, 0, RxMode::interrupt));
  take(*receiver, 20);
  sending.peer->stop();
  fail_unless(sending.ended());
  const Report report(sending, GST_MESSAGE_INFO);
  fail_unless(report.says("30 of 50 packets"), "%s", report.text.c_str());
  fail_unless(report.figure("packets") == 50 && report.figure("lost") == 30);
}
GST_END_TEST

GST_START_TEST(test_a_stop_does_not_wait_for_a_peer_that_stands_still) {
  for (const bool at_eos : {false, true}) {
    Sending sending("drain-timeout=18446744073709551615", __i__ != 0);
    sending.send(50);
    if (at_eos) {
      sending.end();
      sending.wait_for_the_end();
      fail_if(sending.ended(50 * GST_MSECOND), "did not wait");
    }
    const std::int64_t took = time_to_stop(sending);
    fail_unless(took < kPromptStop, "%d ms", static_cast<int>(took));
    fail_unless_equals_uint64(sending.stat("drop-undelivered"), 50);
  }
}
GST_END_TEST

GST_START_TEST(test_eos_in_a_pause_does_not_hold_up_the_state) {
  Sending sending("drain-timeout=18446744073709551615", __i__ != 0);
  sending.send(50);
  sending.pipeline.set(GST_STATE_PAUSED);
  sending.end();
  pause_ms(20);  // for it to be on its way, if it is not held back
  const auto start = Clock::now();
  sending.pipeline.set(GST_STATE_PLAYING);
  fail_unless(milliseconds_since(start) < kPromptStop);
  fail_if(sending.ended(20 * GST_MSECOND), "did not wait");
  fail_unless(time_to_stop(sending) < kPromptStop);
}
GST_END_TEST

GST_START_TEST(test_a_pause_at_eos_is_only_a_pause) {
  Sending sending("drain-timeout=18446744073709551615", __i__ != 0);
  sending.send(50);
  sending.end();
  fail_if(sending.ended(20 * GST_MSECOND), "did not wait");
  sending.pipeline.set(GST_STATE_PAUSED);
  sending.pipeline.set(GST_STATE_PLAYING);
  fail_if(sending.ended(20 * GST_MSECOND), "did not wait");
  auto receiver = must(Receiver::open(sending.peer, 0, RxMode::interrupt));
  take(*receiver, 50);
  fail_unless(sending.ended());
}
GST_END_TEST

/** Takes packets, one each tenth of a millisecond, until it goes. */
class SlowReader {
 public:
  explicit SlowReader(const std::shared_ptr<Interface>& interface)
      : receiver_(must(Receiver::open(interface, 0, RxMode::polling))), thread_([this] {
          while (!stop_) {
            receiver_->receive(1);
            receiver_->release();
            g_usleep(100);
          }
        }) {}
  ~SlowReader() {
    stop_ = true;
    thread_.join();
  }
  SlowReader(const SlowReader&) = delete;

 private:
  std::unique_ptr<Receiver> receiver_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

GST_START_TEST(test_a_stop_gives_a_peer_at_work_a_moment) {
  // On a busy machine the reader may not get its turn: once is enough.
  fail_unless(eventually([&] {
    Sending sending(kLongDrain, __i__ != 0);
    const SlowReader reader(sending.peer);
    sending.send(60);
    const std::int64_t took = time_to_stop(sending);
    fail_unless(took < kPromptStop, "%d ms", static_cast<int>(took));
    return sending.stat("drop-undelivered") == 0;
  }));
}
GST_END_TEST

GST_START_TEST(test_a_run_without_a_peer_says_so) {
  Sending sending("", __i__ != 0, false);
  sending.send(7);
  sending.end();
  fail_unless(sending.ended());
  const Report report(sending, GST_MESSAGE_WARNING);
  fail_unless(report.says("None of 7 packets") && report.says("no peer"), "%s",
              report.text.c_str());
  fail_unless(report.figure("packets") == 7 && report.figure("drop-link-down") == 7);
}
GST_END_TEST

GST_START_TEST(test_each_reason_is_told) {
  Sending sending("when-full=drop drain-timeout=0 buffer-size=10", __i__ != 0);
  push(sending.pipeline, gst_buffer_new());
  sending.send(80);
  sending.end();
  fail_unless(sending.ended());
  const Report report(sending, GST_MESSAGE_WARNING);
  fail_unless(report.says("the ring was full") && report.says("of 0 bytes"), "%s",
              report.text.c_str());
  fail_unless_equals_uint64(report.figure("packets"), 81);
  fail_unless_equals_uint64(report.figure("drop-empty"), 1);
  fail_unless_equals_uint64(report.figure("drop-ring-full") + report.figure("drop-undelivered"),
                            80);
}
GST_END_TEST

GST_START_TEST(test_what_waits_for_room_is_counted_at_a_stop) {
  Sending sending(kLongDrain, __i__ != 0);
  GstBufferList* list = gst_buffer_list_new();
  for (std::uint64_t i = 0; i < 100; ++i) gst_buffer_list_add(list, buffer_of(packet(i, 100)));
  fail_unless(gst_app_src_push_buffer_list(GST_APP_SRC(sending.pipeline.element("in")), list) ==
              GST_FLOW_OK);
  fail_unless(eventually([&] { return sending.stat("packets") == 64; }));
  fail_unless(time_to_stop(sending) < kPromptStop);
  fail_unless_equals_uint64(sending.stat("drop-flushed"), 36);
  fail_unless_equals_uint64(sending.stat("drop-undelivered"), 64);
}
GST_END_TEST

// ---- memifsrc -------------------------------------------------------------------------------

namespace {

/** A memifsrc whose peer is an interface in the hands of the test. */
struct Receiving {
  Receiving(const std::string& settings, bool source_is_slave)
      : name(unique_socket()),
        peer(started(settings_for(source_is_slave ? Role::master : Role::slave, name))),
        pipeline("memifsrc name=src " + settings +
                 (source_is_slave ? slave_at(name) : master_at(name)) + kAppSink) {
    pipeline.set(GST_STATE_PLAYING);
    fail_unless(pipeline.link_comes_up("src") && come_up(peer));
  }
  void send_and_leave(std::uint64_t begin, std::uint64_t count) const {
    {
      auto sender = must(Sender::open(peer, 0));
      for (std::uint64_t i = begin; i < begin + count; ++i) {
        const Bytes bytes = packet(i, 100);
        const TxSegment segment(bytes);
        while (send_one(*sender, {&segment, 1}) != Sent::ok) sender->wait_for_room(kLimit);
      }
      sender->flush();
    }
    peer->stop();
  }

  const std::string name;
  const std::shared_ptr<Interface> peer;
  Pipeline pipeline;
};

}  // namespace

GST_START_TEST(test_a_disconnect_ends_the_stream_if_asked_to) {
  const bool source_is_slave = __i__ % 2 != 0;
  Receiving receiving(__i__ < 2 ? "eos-on-disconnect=true batches=false" : "eos-on-disconnect=true",
                      source_is_slave);
  receiving.send_and_leave(0, 60);
  must(receiving.peer->start());  // the next link is not part of the stream
  for (std::uint64_t i = 0; i < 60; ++i) {
    fail_unless(pull(receiving.pipeline).bytes == packet(i, 100));
  }
  gst_message_unref(receiving.pipeline.message(GST_MESSAGE_EOS));
  fail_unless(gst_app_sink_is_eos(GST_APP_SINK(receiving.pipeline.element("out"))));
  fail_if(receiving.pipeline.has_message(GST_MESSAGE_ERROR));
}
GST_END_TEST

GST_START_TEST(test_a_disconnect_does_not_end_the_stream_otherwise) {
  Receiving receiving("", __i__ != 0);
  for (std::uint64_t round = 0; round < 3; ++round) {
    receiving.send_and_leave(60 * round, 60);
    for (std::uint64_t i = 0; i < 60; ++i) {
      fail_unless(pull(receiving.pipeline).bytes == packet(60 * round + i, 100));
    }
    must(receiving.peer->start());
    fail_unless(come_up(receiving.peer));
  }
  fail_if(receiving.pipeline.has_message(GST_MESSAGE_EOS));
  fail_unless_equals_uint64(receiving.pipeline.stat("src", "packets"), 180);
}
GST_END_TEST

static Suite* ending_suite(void) {
  Suite* suite = suite_create("ending");
  TCase* tests = tcase_create("elements");
  suite_add_tcase(suite, tests);
  tcase_add_loop_test(tests, test_eos_waits_for_a_slow_peer, 0, 2);
  tcase_add_loop_test(tests, test_eos_gives_up_a_peer_that_stands_still, 0, 2);
  tcase_add_loop_test(tests, test_eos_is_over_when_the_peer_leaves, 0, 2);
  tcase_add_loop_test(tests, test_a_stop_does_not_wait_for_a_peer_that_stands_still, 0, 2);
  tcase_add_loop_test(tests, test_eos_in_a_pause_does_not_hold_up_the_state, 0, 2);
  tcase_add_loop_test(tests, test_a_pause_at_eos_is_only_a_pause, 0, 2);
  tcase_add_loop_test(tests, test_a_stop_gives_a_peer_at_work_a_moment, 0, 2);
  tcase_add_loop_test(tests, test_a_run_without_a_peer_says_so, 0, 2);
  tcase_add_loop_test(tests, test_each_reason_is_told, 0, 2);
  tcase_add_loop_test(tests, test_what_waits_for_room_is_counted_at_a_stop, 0, 2);
  tcase_add_loop_test(tests, test_a_disconnect_ends_the_stream_if_asked_to, 0, 4);
  tcase_add_loop_test(tests, test_a_disconnect_does_not_end_the_stream_otherwise, 0, 2);
  return suite;
}

GST_CHECK_MAIN(ending)
