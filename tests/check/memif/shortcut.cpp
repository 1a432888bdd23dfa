// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * memifsink goes around most of GstBaseSink for each buffer: whatever the base class would do must
 * still be done.
 */
#include <gst/base/gstbasesink.h>

#include <atomic>
#include <thread>

#include "pipeline.hpp"

using namespace memiftest;

namespace {

/** A sink without a peer, which counts what it gets, and a pad before it. */
class Sink {
 public:
  Sink() : pipeline_("memifsink name=sink socket-path=" + unique_socket()) {
    GstPad* pad = gst_element_get_static_pad(get(), "sink");
    fail_unless(gst_pad_link(from_, pad) == GST_PAD_LINK_OK);
    gst_object_unref(pad);
    pipeline_.set(GST_STATE_PLAYING);
    gst_pad_set_active(from_, TRUE);
    push(gst_event_new_stream_start("test"));
    GstCaps* caps = gst_caps_from_string("application/x-packet, link-type=(string)ethernet");
    push(gst_event_new_caps(caps));
    gst_caps_unref(caps);
    push_segment(0, GST_CLOCK_TIME_NONE);
  }
  ~Sink() {
    pipeline_.set(GST_STATE_NULL);
    gst_pad_set_active(from_, FALSE);
    gst_object_unref(from_);
  }
  Sink(const Sink&) = delete;

  GstElement* get() const { return pipeline_.element("sink"); }
  Pipeline& pipeline() { return pipeline_; }
  bool push(GstEvent* event) { return gst_pad_push_event(from_, event) != FALSE; }
  void push_segment(GstClockTime start, GstClockTime stop) {
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    segment.start = segment.time = start;
    segment.stop = stop;
    push(gst_event_new_segment(&segment));
  }
  GstFlowReturn push(GstClockTime time) {
    GstBuffer* buffer = buffer_of(packet(1, 60));
    GST_BUFFER_PTS(buffer) = time;
    return gst_pad_push(from_, buffer);
  }
  GstFlowReturn push_buffer(GstBuffer* buffer) { return gst_pad_push(from_, buffer); }
  /** @p n buffers, one per millisecond from @p from on. */
  void push_all(guint from, guint n) {
    for (guint i = from; i < from + n; ++i) {
      fail_unless_equals_int(push(i * GST_MSECOND), GST_FLOW_OK);
    }
  }
  /** What render() got. */
  std::uint64_t arrived() const { return pipeline_.stat("sink", "drop-link-down"); }
  std::uint64_t rendered() const { return pipeline_.stat("sink", "rendered"); }

 private:
  Pipeline pipeline_;
  GstPad* from_ = gst_pad_new("from", GST_PAD_SRC);
};

}  // namespace

GST_START_TEST(test_all_are_rendered_and_counted) {
  Sink sink;
  sink.push_all(0, 1000);
  fail_unless_equals_uint64(sink.arrived(), 1000);
  fail_unless_equals_uint64(sink.rendered(), 1000);
  gint64 position = -1;
  fail_unless(gst_element_query_position(sink.get(), GST_FORMAT_TIME, &position));
  fail_unless(position >= gint64{900} * GST_MSECOND, "position %" G_GINT64_FORMAT, position);
  for (int i = 0; i < 10; ++i) fail_unless(sink.push(GST_CLOCK_TIME_NONE) == GST_FLOW_OK);
  fail_unless_equals_uint64(sink.rendered(), 1010);
}
GST_END_TEST

GST_START_TEST(test_what_lies_outside_of_the_segment_is_left_out) {
  Sink sink;
  sink.push_segment(0, 200 * GST_MSECOND);
  sink.push_all(90, 120);
  fail_unless_equals_uint64(sink.arrived(), 110);
}
GST_END_TEST

GST_START_TEST(test_nothing_comes_after_the_end) {
  Sink sink;
  sink.push_all(0, 10);
  sink.push(gst_event_new_eos());
  fail_unless_equals_int(sink.push(GstClockTime{10 * GST_MSECOND}), GST_FLOW_EOS);
  fail_unless_equals_uint64(sink.arrived(), 10);
}
GST_END_TEST

GST_START_TEST(test_a_flush) {
  Sink sink;
  sink.push_all(0, 10);
  sink.push(gst_event_new_flush_start());
  fail_unless_equals_int(sink.push(GstClockTime{10 * GST_MSECOND}), GST_FLOW_FLUSHING);
  sink.push(gst_event_new_flush_stop(TRUE));
  sink.push_segment(0, GST_CLOCK_TIME_NONE);
  sink.push_all(0, 10);
  fail_unless_equals_uint64(sink.arrived(), 20);
}
GST_END_TEST

GST_START_TEST(test_the_last_sample_from_when_it_is_enabled) {
  Sink sink;
  sink.push_all(0, 50);
  g_object_set(sink.get(), "enable-last-sample", TRUE, nullptr);
  sink.push_all(50, 200);
  GstSample* last = gst_base_sink_get_last_sample(GST_BASE_SINK(sink.get()));
  fail_unless(last != nullptr);
  fail_unless_equals_uint64(GST_BUFFER_PTS(gst_sample_get_buffer(last)), 249 * GST_MSECOND);
  gst_sample_unref(last);

  Sink untimed;
  for (int i = 0; i < 50; ++i) fail_unless(untimed.push(GST_CLOCK_TIME_NONE) == GST_FLOW_OK);
  g_object_set(untimed.get(), "enable-last-sample", TRUE, nullptr);
  for (int i = 0; i < 1100; ++i) fail_unless(untimed.push(GST_CLOCK_TIME_NONE) == GST_FLOW_OK);
  last = gst_base_sink_get_last_sample(GST_BASE_SINK(untimed.get()));
  fail_unless(last != nullptr);
  gst_sample_unref(last);
  fail_unless_equals_uint64(untimed.rendered(), 1150);
}
GST_END_TEST

/** Not only when it is the turn of the base class anyway, which may be in an hour. */
GST_START_TEST(test_what_is_set_counts_at_once) {
  Sink sink;
  for (int i = 0; i < 50; ++i) fail_unless(sink.push(GST_CLOCK_TIME_NONE) == GST_FLOW_OK);
  g_object_set(sink.get(), "enable-last-sample", TRUE, nullptr);
  fail_unless(sink.push(GST_CLOCK_TIME_NONE) == GST_FLOW_OK);
  GstSample* last = gst_base_sink_get_last_sample(GST_BASE_SINK(sink.get()));
  fail_unless(last != nullptr);
  gst_sample_unref(last);
}
GST_END_TEST

/** Also what is set while it is looked whether there is something that the base class has to do. */
GST_START_TEST(test_what_is_set_during_a_look_counts) {
  Sink sink;
  GstBaseSink* base = GST_BASE_SINK(sink.get());
  std::atomic<bool> notified{false};
  g_signal_connect(base, "notify::enable-last-sample",
                   G_CALLBACK(+[](GObject*, GParamSpec*, gpointer seen) {
                     static_cast<std::atomic<bool>*>(seen)->store(true);
                   }),
                   &notified);
  std::atomic<pid_t> pusher{0};
  // The look at the settings of the base class takes this lock, behind that at the one that is set.
  GST_OBJECT_LOCK(base);
  std::thread pushing([&] {
    pusher = ::gettid();
    sink.push(GST_CLOCK_TIME_NONE);
  });
  const bool waits = eventually([&] { return pusher != 0 && sleeps(pusher); });
  std::thread setting([&] { g_object_set(base, "enable-last-sample", TRUE, nullptr); });
  const bool set = eventually([&] { return notified.load(); });
  GST_OBJECT_UNLOCK(base);
  setting.join();
  pushing.join();
  fail_unless(waits && set);
  // The base class keeps this one, not the one before.
  const Bytes last = packet(2, 100);
  fail_unless_equals_int(sink.push_buffer(buffer_of(last)), GST_FLOW_OK);
  GstSample* sample = gst_base_sink_get_last_sample(base);
  fail_unless(sample != nullptr && bytes_of(gst_sample_get_buffer(sample)) == last);
  gst_sample_unref(sample);
}
GST_END_TEST

/** One that has to wait blocks, and does so from the next buffer on. */
GST_START_TEST(test_sync_and_pause) {
  for (const bool pause : {false, true}) {
    Sink sink;
    sink.push_all(0, 50);
    if (pause) {
      sink.pipeline().set(GST_STATE_PAUSED);
    } else {
      g_object_set(sink.get(), "sync", TRUE, nullptr);
    }
    std::atomic<bool> done{false};
    std::thread pushing([&] {
      sink.push(GstClockTime(pause ? 50 * GST_MSECOND : 1000 * GST_SECOND));
      done = true;
    });
    GstBaseSink* base = GST_BASE_SINK(sink.get());
    fail_unless(eventually([&] {
      GST_BASE_SINK_PREROLL_LOCK(base);
      const bool waits = pause ? base->have_preroll != FALSE : base->clock_id != nullptr;
      GST_BASE_SINK_PREROLL_UNLOCK(base);
      return waits;
    }));
    fail_if(done);
    fail_unless_equals_uint64(sink.arrived(), 50);
    if (pause) {
      sink.pipeline().set(GST_STATE_PLAYING);
      fail_unless(eventually([&] { return done.load(); }));
      fail_unless_equals_uint64(sink.arrived(), 51);
    }
    sink.pipeline().set(GST_STATE_READY);
    pushing.join();
  }
}
GST_END_TEST

GST_START_TEST(test_a_step_ends) {
  Sink sink;
  sink.push_all(0, 50);
  fail_unless(gst_element_send_event(sink.get(),
                                     gst_event_new_step(GST_FORMAT_BUFFERS, 5, 1, FALSE, FALSE)));
  std::thread pushing([&] {
    for (guint i = 50; i < 70; ++i) {
      if (sink.push(i * GST_MSECOND) != GST_FLOW_OK) return;
    }
  });
  GstMessage* done = sink.pipeline().message(GST_MESSAGE_STEP_DONE);
  guint64 amount = 0;
  gst_message_parse_step_done(done, nullptr, &amount, nullptr, nullptr, nullptr, nullptr, nullptr);
  gst_message_unref(done);
  fail_unless_equals_uint64(amount, 5);
  sink.pipeline().set(GST_STATE_READY);
  pushing.join();
}
GST_END_TEST

static Suite* shortcut_suite(void) {
  Suite* suite = suite_create("shortcut");
  TCase* tests = tcase_create("sink");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_all_are_rendered_and_counted);
  tcase_add_test(tests, test_what_lies_outside_of_the_segment_is_left_out);
  tcase_add_test(tests, test_nothing_comes_after_the_end);
  tcase_add_test(tests, test_a_flush);
  tcase_add_test(tests, test_the_last_sample_from_when_it_is_enabled);
  tcase_add_test(tests, test_what_is_set_counts_at_once);
  tcase_add_test(tests, test_what_is_set_during_a_look_counts);
  tcase_add_test(tests, test_sync_and_pause);
  tcase_add_test(tests, test_a_step_ends);
  return suite;
}

GST_CHECK_MAIN(shortcut)
