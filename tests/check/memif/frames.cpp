// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Buffers of any caps between two pipelines: what is taken, what is refused, and how it arrives.
 */
#include <string>
#include <utility>
#include <vector>

#include "frames.hpp"

using namespace memiftest;

namespace {

constexpr char kGray[] =
    "video/x-raw,format=(string)GRAY8,width=(int)64,height=(int)16,framerate=(fraction)30/1";

void expect_words(const std::string& text, const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    fail_unless(text.find(word) != std::string::npos, "no '%s' in: %s", word.c_str(), text.c_str());
  }
}

/** The number behind the last @p name in @p text. */
std::uint64_t value_of(const std::string& text, const std::string& name) {
  const std::size_t at = text.rfind(name + "=");
  fail_unless(at != std::string::npos, "no %s in: %s", name.c_str(), text.c_str());
  return std::stoull(text.substr(at + name.size() + 1));
}

}  // namespace

// ---- What is taken --------------------------------------------------------------------------

/** Pads link, so that it is the element that says what to do instead. */
GST_START_TEST(test_what_is_no_packet_is_refused_by_name) {
  for (const char* caps : {"application/x-rtp,media=(string)video,clock-rate=(int)90000", kGray,
                           "video/mpegts,systemstream=true"}) {
    Pipeline pipeline(appsrc(caps) + "memifsink name=sink" + slave_at(unique_socket()));
    pipeline.set(GST_STATE_PLAYING);
    gst_app_src_push_buffer(GST_APP_SRC(pipeline.element("in")), buffer_of(packet(1, 100)));
    const std::string type(caps, std::string(caps).find(','));
    expect_words(pipeline.first_error(),
                 {type, "memifudpsink", "iphost", "any-caps=true", "gdppay"});
    fail_unless_equals_uint64(pipeline.stat("sink", "packets-dropped"), 0);
  }
}
GST_END_TEST

GST_START_TEST(test_packets_of_another_link_type_are_refused) {
  for (const char* more : {"", " any-caps=true"}) {
    Pipeline pipeline(appsrc("application/x-packet,link-type=(string)ip") +
                      "memifsink name=sink mode=ethernet" + more + slave_at(unique_socket()));
    pipeline.set(GST_STATE_PLAYING);
    gst_app_src_push_buffer(GST_APP_SRC(pipeline.element("in")), buffer_of(packet(1, 100)));
    expect_words(pipeline.first_error(), {"link-type=ethernet", "ip", "mode"});
    // Elements upstream may repeat caps: that is said once.
    GstPad* pad = gst_element_get_static_pad(pipeline.element("sink"), "sink");
    for (int i = 0; i < 2; ++i) {
      GstCaps* caps = gst_caps_from_string("application/x-packet,link-type=(string)ip");
      fail_if(gst_pad_send_event(pad, gst_event_new_caps(caps)));
      gst_caps_unref(caps);
    }
    gst_object_unref(pad);
    const GstObject* sink = GST_OBJECT_CAST(pipeline.element("sink"));
    while (GstMessage* error = gst_bus_pop_filtered(pipeline.bus(), GST_MESSAGE_ERROR)) {
      fail_if(GST_MESSAGE_SRC(error) == sink, "said again");
      gst_message_unref(error);
    }
  }
}
GST_END_TEST

/** What has a choice gets to know which packets are wanted, and that they come first. */
GST_START_TEST(test_caps_on_offer) {
  Pipeline pipeline("memifsink name=sink mode=ip" + slave_at(unique_socket()));
  GstPad* pad = gst_element_get_static_pad(pipeline.element("sink"), "sink");
  const auto offered = [&](const char* filter) {
    GstCaps* asked = gst_caps_from_string(filter);
    GstCaps* caps = gst_pad_query_caps(pad, asked);
    gchar* text = gst_caps_to_string(caps);
    const std::string result = text;
    g_free(text);
    gst_caps_unref(caps);
    gst_caps_unref(asked);
    return result;
  };
  fail_unless(offered("application/x-packet,link-type={(string)ethernet,(string)ip}") ==
              "application/x-packet, link-type=(string)ip");
  fail_unless(offered("audio/x-raw; application/x-packet") ==
              "application/x-packet, link-type=(string)ip; audio/x-raw");
  fail_unless(offered("application/x-rtp") == "application/x-rtp");
  gst_object_unref(pad);
}
GST_END_TEST

GST_START_TEST(test_buffers_of_any_caps) {
  for (const bool sink_is_slave : {true, false}) {
    for (const std::string caps : {kGray, "application/x-rtp", "text/x-raw,format=(string)utf8"}) {
      Frames pair(caps, "any-caps=true buffer-size=256", "buffer-size=256 caps=" + caps,
                  sink_is_slave);
      for (const std::size_t length : {1U, 255U, 256U, 257U, 1024U, 100'000U}) {
        const Bytes bytes = packet(length, length);
        push(pair.out, bytes);
        fail_unless(pull(pair.in).bytes == bytes);
      }
      GstCaps* wanted = gst_caps_from_string(caps.c_str());
      GstPad* pad = gst_element_get_static_pad(pair.in.element("src"), "src");
      GstCaps* got = gst_pad_get_current_caps(pad);
      fail_unless(gst_caps_is_equal(got, wanted));
      gst_caps_unref(got);
      gst_caps_unref(wanted);
      gst_object_unref(pad);
    }
  }
}
GST_END_TEST

/** Bytes that look like the headers of many flows are no flows. */
GST_START_TEST(test_frames_stay_in_order_with_several_queues) {
  Frames pair(kGray, "any-caps=true tx-queues=4 queue=-1", std::string("rx-queues=4 caps=") + kGray,
              true);
  for (std::uint64_t i = 0; i < 200; ++i) push(pair.out, packet(i, 1024));
  for (std::uint64_t i = 0; i < 200; ++i) fail_unless(pull(pair.in).bytes == packet(i, 1024));
  fail_unless_equals_uint64(pair.out.stat("sink", "queue-0-packets"), 200);
}
GST_END_TEST

// ---- GDP ------------------------------------------------------------------------------------

/** With plain links: caps, times and the end of the stream, while the sender goes on. */
GST_START_TEST(test_gdp_brings_everything_along) {
  for (const bool sink_is_slave : {true, false}) {
    const std::string name = unique_socket();
    Pipeline in("memifsrc name=src" + (sink_is_slave ? master_at(name) : slave_at(name)) +
                "! gdpdepay" + kAppSink);
    Pipeline out(appsrc(kGray) + "gdppay ! memifsink name=sink when-down=block" +
                 (sink_is_slave ? slave_at(name) : master_at(name)));
    in.set(GST_STATE_PLAYING);
    out.set(GST_STATE_PLAYING);
    constexpr std::uint64_t kFrames = 50;
    for (std::uint64_t i = 0; i < kFrames; ++i) {
      GstBuffer* frame = buffer_of(packet(i, 1024));
      GST_BUFFER_PTS(frame) = i * 33 * GST_MSECOND;
      GST_BUFFER_DURATION(frame) = 33 * GST_MSECOND;
      push(out, frame);
    }
    gst_app_src_end_of_stream(GST_APP_SRC(out.element("in")));
    GstAppSink* sink = GST_APP_SINK(in.element("out"));
    for (std::uint64_t i = 0; i < kFrames; ++i) {
      GstSample* sample = gst_app_sink_try_pull_sample(sink, kPatienceNs);
      fail_unless(sample != nullptr);
      GstBuffer* frame = gst_sample_get_buffer(sample);
      fail_unless(bytes_of(frame) == packet(i, 1024));
      fail_unless_equals_uint64(GST_BUFFER_PTS(frame), i * 33 * GST_MSECOND);
      fail_unless_equals_uint64(GST_BUFFER_DURATION(frame), 33 * GST_MSECOND);
      GstCaps* wanted = gst_caps_from_string(kGray);
      fail_unless(gst_caps_is_subset(gst_sample_get_caps(sample), wanted));
      gst_caps_unref(wanted);
      gst_sample_unref(sample);
    }
    gst_message_unref(in.message(GST_MESSAGE_EOS));
    gst_message_unref(out.message(GST_MESSAGE_EOS));
    fail_unless(in.property<gboolean>("src", "link-up"));
  }
}
GST_END_TEST

/** Caps come once in the stream, and are sent again to each receiver that comes later. */
GST_START_TEST(test_gdp_is_understood_by_who_comes_later) {
  for (const bool sink_is_slave : {true, false}) {
    for (const char* when_down : {"drop", "block"}) {
      const std::string name = unique_socket();
      Pipeline out(appsrc(kGray) + "gdppay ! memifsink name=sink ring-size=16 when-down=" +
                   when_down + (sink_is_slave ? slave_at(name) : master_at(name)));
      out.set(GST_STATE_PLAYING);
      std::uint64_t sent = 0;
      for (int i = 0; i < 3; ++i) push(out, packet(sent++, 1024));
      for (int receiver = 0; receiver < 4; ++receiver) {
        Pipeline in("memifsrc name=src" + (sink_is_slave ? master_at(name) : slave_at(name)) +
                    "! gdpdepay" + kAppSink);
        in.set(GST_STATE_PLAYING);
        fail_unless(in.link_comes_up("src"));
        // And not still the one of the receiver before.
        const auto links = static_cast<std::uint64_t>(receiver) + 1;
        fail_unless(eventually([&] { return out.stat("sink", "link-ups") == links; }));
        fail_unless(out.link_comes_up("sink"));
        push(out, packet(sent++, 1024));
        GstAppSink* sink = GST_APP_SINK(in.element("out"));
        GstSample* sample = gst_app_sink_try_pull_sample(sink, kPatienceNs);
        fail_unless(sample != nullptr, "receiver %d understands nothing", receiver);
        GstCaps* wanted = gst_caps_from_string(kGray);
        fail_unless(gst_caps_is_subset(gst_sample_get_caps(sample), wanted));
        gst_caps_unref(wanted);
        gst_sample_unref(sample);
        // More than the ring holds: with block, this is in the middle of a frame when it leaves.
        for (int i = 0; i < 40; ++i) push(out, packet(sent++, 1024));
        fail_if(in.has_message(GST_MESSAGE_ERROR));
      }
      fail_if(out.has_message(GST_MESSAGE_ERROR));
    }
  }
}
GST_END_TEST

// ---- What is too long -----------------------------------------------------------------------

GST_START_TEST(test_a_packet_that_no_ring_holds_is_reported_once) {
  for (const bool sink_is_slave : {true, false}) {
    Frames pair(kGray, "any-caps=true buffer-size=100 ring-size=4",
                std::string("buffer-size=100 ring-size=4 caps=") + kGray, sink_is_slave);
    for (int i = 0; i < 3; ++i) push(pair.out, packet(1, 401));
    push(pair.out, packet(2, 400));
    fail_unless(pull(pair.in).bytes == packet(2, 400));
    fail_unless_equals_uint64(pair.out.stat("sink", "drop-too-long"), 3);
    const std::string text = pair.out.text_of(GST_MESSAGE_WARNING);
    expect_words(text, {"401", "buffer-size=100", "ring-size=4 ", "buffer-size=401", "ring-size=16",
                        sink_is_slave ? "here" : "on the peer"});
    fail_if(pair.out.has_message(GST_MESSAGE_WARNING));
    // The last value stands for what is to be set with the buffers as they are.
    const std::string ring =
        "buffer-size=100 ring-size=" + std::to_string(value_of(text, "ring-size"));
    Frames larger(kGray, "any-caps=true " + ring, ring + " caps=" + kGray, sink_is_slave);
    push(larger.out, packet(3, 401));
    fail_unless(pull(larger.in).bytes == packet(3, 401));
  }
}
GST_END_TEST

GST_START_TEST(test_new_caps_and_much_longer_packets_are_reported_again) {
  Frames pair(kGray, "any-caps=true buffer-size=100 ring-size=4",
              "buffer-size=100 ring-size=4 caps=application/x-any", true);
  push(pair.out, packet(1, 401));
  expect_words(pair.out.text_of(GST_MESSAGE_WARNING), {"401"});
  push(pair.out, packet(1, 803));
  expect_words(pair.out.text_of(GST_MESSAGE_WARNING), {"803"});
  GstCaps* other = gst_caps_from_string("audio/x-raw");
  gst_app_src_set_caps(GST_APP_SRC(pair.out.element("in")), other);
  gst_caps_unref(other);
  push(pair.out, packet(1, 402));
  expect_words(pair.out.text_of(GST_MESSAGE_WARNING), {"402"});
}
GST_END_TEST

GST_START_TEST(test_what_a_receiver_keeps_out_is_reported_once) {
  for (const auto& [setting, length] : std::vector<std::pair<std::string, std::size_t>>{
           {"max-packet-size", 1001}, {"copy-limit", 100'000}}) {
    Frames pair(kGray, "any-caps=true", std::string("caps=") + kGray + " " + setting + "=1000",
                true);
    for (int i = 0; i < 3; ++i) push(pair.out, packet(1, length));
    expect_words(pair.in.text_of(GST_MESSAGE_WARNING), {setting + "=1000"});
    fail_unless(eventually([&] { return pair.in.stat("src", "packets-dropped") == 3; }));
    fail_if(pair.in.has_message(GST_MESSAGE_WARNING));
  }
}
GST_END_TEST

static Suite* frames_suite(void) {
  Suite* suite = suite_create("frames");
  TCase* tests = tcase_create("frames");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_what_is_no_packet_is_refused_by_name);
  tcase_add_test(tests, test_packets_of_another_link_type_are_refused);
  tcase_add_test(tests, test_caps_on_offer);
  tcase_add_test(tests, test_buffers_of_any_caps);
  tcase_add_test(tests, test_frames_stay_in_order_with_several_queues);
  tcase_add_test(tests, test_gdp_brings_everything_along);
  tcase_add_test(tests, test_gdp_is_understood_by_who_comes_later);
  tcase_add_test(tests, test_a_packet_that_no_ring_holds_is_reported_once);
  tcase_add_test(tests, test_new_caps_and_much_longer_packets_are_reported_again);
  tcase_add_test(tests, test_what_a_receiver_keeps_out_is_reported_once);
  return suite;
}

GST_CHECK_MAIN(frames)
