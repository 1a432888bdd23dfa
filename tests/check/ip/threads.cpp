// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * What several threads do to an iphost at the same moment: streams that begin and end, flushes,
 * settings.
 */
#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "host_rig.hpp"

using namespace hostrig;

namespace {

GstEvent* new_segment() {
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  return gst_event_new_segment(&segment);
}

template <class Condition>
bool within(std::chrono::steady_clock::duration time, Condition condition) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

/** Holds the thread that pushes the next packet to a pad. */
class HeldPush {
 public:
  explicit HeldPush(GstPad* pad) {
    const auto packets =
        static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST);
    gst_pad_add_probe(
        pad, packets,
        [](GstPad*, GstPadProbeInfo*, gpointer self) {
          auto& held = *static_cast<HeldPush*>(self);
          held.came_ = true;
          (void)within(kDeadline, [&] { return held.released_.load(); });
          return GST_PAD_PROBE_REMOVE;
        },
        this, nullptr);
  }
  void wait() const {
    fail_unless(within(kDeadline, [&] { return came_.load(); }));
  }
  void release() { released_ = true; }

 private:
  std::atomic<bool> came_{false}, released_{false};
};

}  // namespace

/** One stream begins while the other one ends: nothing has ended. */
GST_START_TEST(test_a_stream_begins_while_the_last_one_ends) {
  Rig rig;
  Feeder& one = rig.send({{"host", "192.168.1.2"}});
  rig.receive({});
  rig.play();
  one.event(gst_event_new_eos());
  // The host still sends something of its own, which goes before the end.
  HeldPush held(rig.out->pad());
  rig.in->push(make_buffer(echo_frame()));
  held.wait();
  std::thread ends([&] { rig.in->event(gst_event_new_eos()); });
  g_usleep(20'000);  // until it waits for that
  std::atomic<bool> has_begun{false};
  std::thread begins([&] {
    one.event(gst_event_new_stream_start("again"));
    has_begun = true;
  });
  (void)within(std::chrono::milliseconds(100), [&] { return has_begun.load(); });
  held.release();
  ends.join();
  begins.join();
  one.event(new_segment());
  fail_unless_equals_int(one.push(make_buffer({1})), GST_FLOW_OK);
}
GST_END_TEST

namespace {

/** Who asks what is possible behind a pad gets an answer when there are two who ask. */
class Meeting {
 public:
  explicit Meeting(GstPad* pad) {
    gst_pad_add_probe(
        pad, GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM,
        [](GstPad*, GstPadProbeInfo* info, gpointer self) {
          const bool push = (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_PUSH) != 0;
          if (push && GST_QUERY_TYPE(GST_PAD_PROBE_INFO_QUERY(info)) == GST_QUERY_CAPS) {
            static_cast<Meeting*>(self)->wait();
          }
          return GST_PAD_PROBE_OK;
        },
        this, nullptr);
  }

 private:
  void wait() {
    ++came_;
    (void)within(kDeadline, [&] { return came_ >= 2; });
  }
  std::atomic<int> came_{0};
};

}  // namespace

/** There is one beginning, however many want to send. */
GST_START_TEST(test_two_begin_at_once) {
  for (int i = 0; i < 60; ++i) {
    Rig rig;
    Feeder& one = rig.send({{"host", "192.168.1.2"}});
    Feeder& two = rig.send({{"host", "192.168.1.2"}});
    fail_unless_equals_int(gst_element_set_state(rig.element, GST_STATE_PLAYING),
                           GST_STATE_CHANGE_SUCCESS);
    one.start();
    two.start();
    Meeting meeting(rig.out->pad());
    std::thread other([&] { two.push(make_buffer({2})); });
    one.push(make_buffer({1}));
    other.join();
    one.push(make_buffer({3}));
    rig.out->take(3);
    const auto events = rig.out->seen_events();
    fail_unless_equals_int64(std::ranges::count(events, GST_EVENT_STREAM_START), 1);
    fail_unless_equals_int64(std::ranges::count(events, GST_EVENT_SEGMENT), 1);
  }
}
GST_END_TEST

/** What the host sends by itself does not get between the end of a flush and the segment. */
GST_START_TEST(test_answers_at_the_end_of_a_flush) {
  struct Watch {
    Rig rig;
    std::atomic<bool> sends{false};
  } watch;
  Rig& rig = watch.rig;
  Feeder& sender = rig.send({{"host", "192.168.1.2"}});
  rig.play();
  fail_unless_equals_int(sender.push(make_buffer({1})), GST_FLOW_OK);
  rig.out->take(1);
  GstPad* src = gst_pad_get_peer(rig.out->pad());
  const auto packets =
      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST);
  gst_pad_add_probe(
      src, packets,
      [](GstPad*, GstPadProbeInfo*, gpointer self) {
        static_cast<Watch*>(self)->sends = true;
        return GST_PAD_PROBE_OK;
      },
      &watch, nullptr);
  // The answer is on its way when the flush ends.
  gst_pad_add_probe(
      rig.out->pad(), GST_PAD_PROBE_TYPE_EVENT_FLUSH,
      [](GstPad*, GstPadProbeInfo* info, gpointer self) {
        auto& of = *static_cast<Watch*>(self);
        if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_FLUSH_STOP) {
          of.sends = false;
          of.rig.in->push(make_buffer(echo_frame()));
          (void)within(std::chrono::milliseconds(30), [&] { return of.sends.load(); });
        }
        return GST_PAD_PROBE_OK;
      },
      &watch, nullptr);
  gst_object_unref(src);
  for (int i = 0; i < 6; ++i) {
    sender.event(gst_event_new_flush_start());
    sender.event(gst_event_new_flush_stop(TRUE));
  }
  const auto is_reply = [](const Bytes& frame) {
    return frame.size() > 34 && frame[23] == 1 && frame[34] == 0;
  };
  rig.out->find("an echo reply", is_reply);
}
GST_END_TEST

/** What began to flush ends with it, also if there is another stream by then. */
GST_START_TEST(test_a_sender_comes_during_a_flush) {
  Rig rig;
  Feeder& one = rig.send({{"host", "192.168.1.2"}});
  rig.play();
  one.event(gst_event_new_flush_start());
  Feeder& two = rig.send({{"host", "192.168.1.2"}});
  one.event(gst_event_new_flush_stop(TRUE));
  fail_unless_equals_int(two.push(make_buffer({2})), GST_FLOW_OK);
  one.event(new_segment());
  fail_unless_equals_int(one.push(make_buffer({1})), GST_FLOW_OK);
  rig.out->take(2);
}
GST_END_TEST

/** Each property has the value that it was set to, whoever sets another one meanwhile. */
GST_START_TEST(test_rate_and_burst_are_set_at_once) {
  Rig rig;
  GstPad* pad = rig.request("udp_sink_%u", {});
  std::atomic<bool> stop{false};
  std::thread other([&] {
    for (guint64 burst = 1; !stop; ++burst) g_object_set(pad, "max-burst", burst % 1000, nullptr);
  });
  for (guint64 i = 1; i <= 3000; ++i) {
    guint64 rate = 0;
    g_object_set(pad, "max-bitrate", i, nullptr);
    g_object_get(pad, "max-bitrate", &rate, nullptr);
    if (rate != i) fail_unless_equals_uint64(rate, i);
  }
  stop = true;
  other.join();
}
GST_END_TEST

namespace {

/** When a time-out of so long was first told of; 0: not yet. */
struct Posted {
  std::atomic<guint64> limit{0};
  std::atomic<gint64> at{0};

  static GstBusSyncReply see(GstBus*, GstMessage* message, gpointer self) {
    auto& posted = *static_cast<Posted*>(self);
    guint64 limit = 0;
    if (gst_message_has_name(message, "GstIpHostTimeout") != FALSE &&
        gst_structure_get_uint64(gst_message_get_structure(message), "timeout", &limit) != FALSE &&
        limit == posted.limit) {
      gint64 none = 0;
      posted.at.compare_exchange_strong(none, g_get_monotonic_time());
    }
    gst_message_unref(message);
    return GST_BUS_DROP;
  }
};

}  // namespace

/** A time-out that is set counts from then on, not from the last datagram. */
GST_START_TEST(test_a_timeout_counts_from_when_it_is_set) {
  Rig rig;
  Posted posted;
  gst_bus_set_sync_handler(rig.bus, Posted::see, &posted, nullptr);
  rig.receive({{"port", "1"}});
  rig.receive({{"port", "2"}});
  GstPad* pad = GST_PAD_PEER(rig.receivers[0]->pad());
  GstPad* other = GST_PAD_PEER(rig.receivers[1]->pad());
  rig.play();
  // The thread of the host looks all the time.
  std::atomic<bool> stop{false};
  std::thread waker([&] {
    while (!stop) g_object_set(other, "timeout", guint64{0}, nullptr);
  });
  constexpr gint64 kLeastUs = 20;
  for (guint64 i = 0; i < 150; ++i) {
    g_object_set(pad, "timeout", guint64{0}, nullptr);
    (void)within(std::chrono::microseconds(2 * kLeastUs), [] { return false; });
    posted.limit = kLeastUs * GST_USECOND + i;
    posted.at = 0;
    const gint64 set = g_get_monotonic_time();
    g_object_set(pad, "timeout", posted.limit.load(), nullptr);
    if (!within(kDeadline, [&] { return posted.at != 0; })) fail("no message");
    if (posted.at < set + kLeastUs) fail("%d us after it was set", int(posted.at - set));
  }
  stop = true;
  waker.join();
}
GST_END_TEST

static Suite* threads_suite() {
  Suite* suite = suite_create("threads");
  TCase* tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_a_stream_begins_while_the_last_one_ends);
  tcase_add_test(tests, test_two_begin_at_once);
  tcase_add_test(tests, test_answers_at_the_end_of_a_flush);
  tcase_add_test(tests, test_a_sender_comes_during_a_flush);
  tcase_add_test(tests, test_rate_and_burst_are_set_at_once);
  tcase_add_test(tests, test_a_timeout_counts_from_when_it_is_set);
  return suite;
}

GST_CHECK_MAIN(threads)
