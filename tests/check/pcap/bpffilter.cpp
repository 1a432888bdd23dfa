// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * What bpffilter lets through, in every form packets travel in, and what it says of expressions.
 */
#include <atomic>
#include <thread>

#include "capture.hpp"
#include "forms.hpp"
#include "samples.hpp"
#include "tests/check/documentation.hpp"

using capture::fail_unless_contains;
using forms::Feeder;
using forms::Kind;
using rig::Bytes;

namespace {

constexpr char kIp[] = "application/x-packet,link-type=ip";

Bytes datagram(std::uint16_t port, std::size_t size = 20) {
  Bytes udp(8);
  samples::put16(udp, 0, 4000);
  samples::put16(udp, 2, port);
  samples::put16(udp, 4, 8 + size);
  samples::V4 header;
  header.protocol = 17;
  return samples::ipv4(header, samples::join({udp, samples::payload(size)}));
}
Bytes framed(const Bytes& ip) {
  return samples::join({samples::ethernet(samples::kOurMac, samples::kPeerMac, 0x0800), ip});
}

std::vector<Bytes> some_frames(std::size_t n) {
  std::vector<Bytes> frames(n);
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint16_t port = i % 3 == 0 ? 5004 : 5006;
    frames[i] = i % 7 == 5   ? samples::echo_frame(i % 50)
                : i % 7 == 6 ? Bytes(i % 40, 0xff)
                             : framed(datagram(port, i % 90));
  }
  return frames;
}

bool is_ours(const Bytes& frame) {
  return frame.size() >= 42 && frame[23] == 17 && frame[36] == 5004 >> 8 &&
         frame[37] == (5004 & 0xff);
}

/** An element with this expression, and both of its outputs. */
struct Filter {
  explicit Filter(const char* expression,
                  const char* caps = "application/x-packet,link-type=ethernet")
      : rig("bpffilter"), rest(rig.open("rest")) {
    rig.out->takes_batches = rest->takes_batches = true;
    g_object_set(rig.element, "expression", expression, nullptr);
    rig.play(caps);
  }
  void push(const Bytes& bytes) const {
    fail_unless_equals_int(gst_pad_push(rig.source(), rig::make_buffer(bytes)), GST_FLOW_OK);
  }
  void expect(std::uint64_t matched, std::uint64_t others) const {
    fail_unless_equals_uint64(rig.out->packets.size(), matched);
    fail_unless_equals_uint64(rest->packets.size(), others);
    fail_unless_equals_uint64(rig.stat("matched"), matched);
    fail_unless_equals_uint64(rig.stat("rest"), others);
  }
  rig::Rig rig;
  std::unique_ptr<rig::Sink> rest;
};

std::string expression_of(const Filter& filter) {
  gchar* text = nullptr;
  g_object_get(filter.rig.element, "expression", &text, nullptr);
  std::string out = text;
  g_free(text);
  return out;
}

}  // namespace

GST_START_TEST(test_every_form) {
  const auto frames = some_frames(700);
  std::vector<Bytes> matching, others;
  for (const Bytes& frame : frames) (is_ours(frame) ? matching : others).push_back(frame);
  fail_unless(matching.size() > 100 && others.size() > 100);
  for (const Kind kind : forms::kKinds) {
    for (const std::size_t batch : {1, 2, 31, 32, 33, 255, 256, 257}) {
      const Filter filter("udp dst port 5004");
      Feeder(kind, filter.rig.source()).feed(frames, batch);
      fail_unless(filter.rig.out->packets == matching, "kind %d, %zu at a time",
                  static_cast<int>(kind), batch);
      fail_unless(filter.rest->packets == others);
      filter.expect(matching.size(), others.size());
    }
  }
}
GST_END_TEST

GST_START_TEST(test_rest_is_dropped_where_nothing_is_linked) {
  rig::Rig rig("bpffilter");
  g_object_set(rig.element, "expression", "udp port 5004", nullptr);
  rig.play();
  fail_unless_equals_int(rig.push(rig::make_buffer(framed(datagram(1)))), GST_FLOW_OK);
  fail_unless_equals_int(rig.push(rig::make_buffer(framed(datagram(5004)))), GST_FLOW_OK);
  fail_unless_equals_uint64(rig.out->packets.size(), 1);
  fail_unless_equals_uint64(rig.stat("drop-unlinked"), 1);
  fail_unless_equals_uint64(rig.stat("rest"), 1);
}
GST_END_TEST

GST_START_TEST(test_link_type_ip) {
  const Filter filter("udp port 5004 or ip6", kIp);
  filter.push(datagram(5004));
  filter.push(samples::ipv6({}, samples::icmpv6_echo(128, 3)));
  filter.push(datagram(5005));
  filter.push(framed(datagram(5004)));  // no IP packet at all
  filter.expect(2, 2);
}
GST_END_TEST

GST_START_TEST(test_empty_expression_matches_everything) {
  const Filter filter("");
  filter.push(framed(datagram(7)));
  filter.push(Bytes{1});
  filter.push(Bytes{});
  filter.expect(3, 0);
}
GST_END_TEST

GST_START_TEST(test_length_is_that_of_the_packet) {
  const Filter filter("len = 60 and ether[59] = 7");
  Bytes frame(60);
  frame[59] = 7;
  filter.push(frame);
  frame.push_back(7);
  filter.push(frame);
  frame.resize(59);
  filter.push(frame);
  filter.expect(1, 2);
}
GST_END_TEST

GST_START_TEST(test_changes_while_playing) {
  const Filter filter("udp port 5004");
  filter.push(framed(datagram(5004)));
  g_object_set(filter.rig.element, "expression", "icmp", nullptr);
  filter.push(framed(datagram(5004)));
  filter.push(samples::echo_frame());
  filter.expect(2, 1);
  capture::expect_text(filter.rig.message(GST_MESSAGE_WARNING), "");
}
GST_END_TEST

GST_START_TEST(test_wrong_expression_while_playing) {
  const Filter filter("udp port 5004");
  g_object_set(filter.rig.element, "expression", "udp or tcp prot 80", nullptr);
  const std::string warning = filter.rig.message(GST_MESSAGE_WARNING);
  fail_unless_contains(warning, "syntax error");
  fail_unless_contains(warning, "behind \"udp or tcp\"");
  fail_unless_contains(warning, "The old value stays");
  capture::expect_text(expression_of(filter), "udp port 5004");
  filter.push(framed(datagram(5004)));
  filter.push(framed(datagram(80)));
  filter.expect(1, 1);
}
GST_END_TEST

GST_START_TEST(test_wrong_expression_before_the_start) {
  rig::Rig rig("bpffilter");
  g_object_set(rig.element, "expression", "host", nullptr);
  fail_unless_equals_int(gst_element_set_state(rig.element, GST_STATE_PAUSED),
                         GST_STATE_CHANGE_FAILURE);
  const std::string error = rig.message(GST_MESSAGE_ERROR);
  fail_unless_contains(error, "\"host\"");
  fail_unless_contains(error, "syntax error");
}
GST_END_TEST

/** Before caps it may be for either; with them it has to suit them. */
GST_START_TEST(test_expression_of_the_other_link_type) {
  {
    rig::Rig rig("bpffilter");
    g_object_set(rig.element, "expression", "ether host 02:00:00:00:00:01", nullptr);
    rig.play(kIp);
    fail_unless_equals_int(rig.push(rig::make_buffer(datagram(5004))), GST_FLOW_NOT_NEGOTIATED);
    const std::string error = rig.message(GST_MESSAGE_ERROR);
    fail_unless_contains(error, "link-type=ip");
  }
  const Filter filter("udp", kIp);
  g_object_set(filter.rig.element, "expression", "ether host 02:00:00:00:00:01", nullptr);
  fail_if(filter.rig.message(GST_MESSAGE_WARNING).empty());
  filter.push(datagram(5004));
  filter.expect(1, 0);
}
GST_END_TEST

/** When both are set at once, whoever is second is told: nothing passes for want of a program. */
GST_START_TEST(test_expression_and_caps_at_once) {
  rig::Rig rig("bpffilter");
  for (unsigned i = 0; i < 400; ++i) {
    g_object_set(rig.element, "expression", "udp", nullptr);
    gst_pad_set_active(rig.source(), TRUE);
    gst_element_set_state(rig.element, GST_STATE_PLAYING);
    rig.event(gst_event_new_stream_start("test"));
    std::atomic<unsigned> ready{0};
    std::thread setter([&] {
      ++ready;
      while (ready != 2) std::this_thread::yield();
      g_object_set(rig.element, "expression", "ether host 02:00:00:00:00:01", nullptr);
    });
    ++ready;
    while (ready != 2) std::this_thread::yield();
    for (std::atomic<unsigned> wait{0}; wait < i * 97 % 9973; ++wait) continue;
    rig.set_caps(kIp);
    setter.join();
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    rig.event(gst_event_new_segment(&segment));
    (void)rig.push(rig::make_buffer(datagram(5004)));
    GstMessage* told = gst_bus_pop_filtered(
        rig.bus, static_cast<GstMessageType>(GST_MESSAGE_WARNING | GST_MESSAGE_ERROR));
    fail_unless(told != nullptr, "neither of them was told in round %u", i);
    gst_message_unref(told);
    while ((told = gst_bus_pop(rig.bus)) != nullptr) gst_message_unref(told);
    gst_element_set_state(rig.element, GST_STATE_READY);
    gst_pad_set_active(rig.source(), FALSE);
  }
}
GST_END_TEST

/** After a run with packets of one link type the next one may have others. */
GST_START_TEST(test_link_type_is_forgotten_at_the_end) {
  const Filter filter("udp", kIp);
  filter.push(datagram(5004));
  fail_unless_equals_int(gst_element_set_state(filter.rig.element, GST_STATE_READY),
                         GST_STATE_CHANGE_SUCCESS);
  g_object_set(filter.rig.element, "expression", "ether host 02:00:00:00:00:01", nullptr);
  capture::expect_text(filter.rig.message(GST_MESSAGE_WARNING), "");
}
GST_END_TEST

GST_START_TEST(test_documentation) {
  documentation::check("bpffilter");
}
GST_END_TEST

static Suite* bpffilter_suite() {
  Suite* s = suite_create("bpffilter");
  TCase* tc = tcase_create("general");
  suite_add_tcase(s, tc);
  tcase_add_test(tc, test_every_form);
  tcase_add_test(tc, test_rest_is_dropped_where_nothing_is_linked);
  tcase_add_test(tc, test_link_type_ip);
  tcase_add_test(tc, test_empty_expression_matches_everything);
  tcase_add_test(tc, test_length_is_that_of_the_packet);
  tcase_add_test(tc, test_changes_while_playing);
  tcase_add_test(tc, test_wrong_expression_while_playing);
  tcase_add_test(tc, test_wrong_expression_before_the_start);
  tcase_add_test(tc, test_expression_of_the_other_link_type);
  tcase_add_test(tc, test_expression_and_caps_at_once);
  tcase_add_test(tc, test_link_type_is_forgotten_at_the_end);
  tcase_add_test(tc, test_documentation);
  return s;
}

GST_CHECK_MAIN(bpffilter)
