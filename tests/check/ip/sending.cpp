// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Datagrams that iphost sends, byte by byte, in every form in which they come and leave.
 */
#include <algorithm>
#include <thread>

#include "host_rig.hpp"

using namespace hostrig;

namespace {

/** `size` bytes that differ by `seed`. */
Bytes data(std::size_t size, unsigned seed = 0) {
  Bytes out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::uint8_t>(i * 7 + seed);
  return out;
}

void expect_frames(const std::vector<Item>& items, const std::vector<Bytes>& wanted) {
  fail_unless_equals_uint64(items.size(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    fail_unless(items[i].bytes == wanted[i], "packet %zu differs", i);
  }
}

}  // namespace

GST_START_TEST(test_headers) {
  for (const bool batches : {false, true}) {
    Rig rig(kPackets, batches);
    Feeder& v4 = rig.send({{"host", "192.168.1.2"}, {"bind-port", "6000"}});
    Feeder& v6 = rig.send({{"host", "2001:db8::2"},
                           {"port", "99"},
                           {"bind-port", "7000"},
                           {"ttl", "3"},
                           {"qos-dscp", "46"},
                           {"checksum", "false"}});
    Feeder& bare = rig.send(
        {{"host", "192.168.1.2"}, {"bind-port", "6001"}, {"qos-dscp", "8"}, {"checksum", "false"}});
    rig.play();
    for (const std::size_t size : {0U, 1U, 2U, 3U, 63U, 64U, 65U, 1471U, 1472U}) {
      fail_unless_equals_int(v4.push(make_buffer(data(size))), GST_FLOW_OK);
      expect_frames(rig.out->take(1), {sent_frame({}, data(size))});
    }
    fail_unless_equals_int(v6.push(make_buffer(data(100))), GST_FLOW_OK);
    Udp six{kOurV6, kPeerV6, 7000, 99, 3, 46};
    expect_frames(rig.out->take(1), {sent_frame(six, data(100))});
    fail_unless_equals_int(bare.push(make_buffer(data(100))), GST_FLOW_OK);
    Udp four{kOurV4, kPeerV4, 6001, 5004, 64, 8, false};
    expect_frames(rig.out->take(1), {sent_frame(four, data(100))});
  }
}
GST_END_TEST

/** A checksum of 0 would mean none. */
GST_START_TEST(test_checksum_of_zero) {
  Rig rig;
  Feeder& in = rig.send({{"host", "192.168.1.2"}, {"bind-port", "6000"}});
  rig.play();
  unsigned zeros = 0;
  for (unsigned word = 0; word < 0x10000; word += 1) {
    const Bytes two{static_cast<std::uint8_t>(word >> 8), static_cast<std::uint8_t>(word)};
    const Bytes wanted = sent_frame({}, two);
    if (wanted[40] != 0xff || wanted[41] != 0xff) continue;
    ++zeros;
    in.push(make_buffer(two));
    expect_frames(rig.out->take(1), {wanted});
  }
  fail_unless(zeros != 0);
}
GST_END_TEST

GST_START_TEST(test_vlan_and_groups) {
  Rig rig;
  g_object_set(rig.element, "vlan", 7, "pcp", 5, nullptr);
  Feeder& in = rig.send(
      {{"clients", "239.1.2.3:5004,[ff0e::77]:5006"}, {"bind-port", "6000"}, {"ttl-mc", "9"}});
  rig.play();
  in.push(make_buffer(data(10)));
  const Bytes tag{0x81, 0x00, 0xa0, 0x07};
  const Udp v4{kOurV4, {239, 1, 2, 3}, 6000, 5004, 9};
  Bytes group(16);
  group[0] = 0xff;
  group[1] = 0x0e;
  group[15] = 0x77;
  const Udp v6{kOurV6, group, 6000, 5006, 9};
  const Bytes mac4{0x01, 0x00, 0x5e, 0x01, 0x02, 0x03}, mac6{0x33, 0x33, 0, 0, 0, 0x77};
  const auto sent = rig.out->take(2);
  expect_frames(sent, {join({mac4, kOurMac, tag, {0x08, 0x00}, udp_packet(v4, data(10))}),
                       join({mac6, kOurMac, tag, {0x86, 0xdd}, udp_packet(v6, data(10))})});
}
GST_END_TEST

GST_START_TEST(test_ip_packets) {
  Rig rig(kIpPackets);
  Feeder& in = rig.send({{"host", "192.168.1.2"}, {"bind-port", "6000"}});
  rig.play();
  in.push(make_buffer(data(33)));
  expect_frames(rig.out->take(1), {udp_packet({}, data(33))});
}
GST_END_TEST

GST_START_TEST(test_lists_equal_buffers) {
  for (const std::size_t n : {1U, 2U, 31U, 32U, 33U, 255U, 256U, 257U, 600U}) {
    std::vector<Bytes> payloads, wanted;
    for (std::size_t i = 0; i < n; ++i) {
      payloads.push_back(data(1 + i * 37 % 1400, static_cast<unsigned>(i)));
      wanted.push_back(sent_frame({}, payloads.back()));
    }
    for (const bool batches : {false, true}) {
      Rig rig(kPackets, batches);
      Feeder& in = rig.send({{"host", "192.168.1.2"}, {"bind-port", "6000"}});
      rig.play();
      fail_unless_equals_int(in.push(make_list(payloads)), GST_FLOW_OK);
      expect_frames(rig.out->take(n), wanted);
      // A list in one piece, as long as a batch can be.
      if (n <= 150) fail_unless_equals_int(rig.out->lists() + rig.out->buffers(), 1);
      for (const Bytes& payload : payloads) in.push(make_buffer(payload));
      expect_frames(rig.out->take(n), wanted);
      fail_unless_equals_uint64(Rig::stat(gst_pad_get_peer(in.pad()), "datagrams"), 2 * n);
      gst_object_unref(GST_PAD_PEER(in.pad()));
    }
  }
}
GST_END_TEST

GST_START_TEST(test_buffers_in_pieces) {
  Rig rig(kPackets, true);
  Feeder& in = rig.send({{"host", "192.168.1.2"}, {"bind-port", "6000"}});
  rig.play();
  const Bytes whole = data(1000);
  for (const std::size_t piece : {1000U, 999U, 501U, 333U, 100U, 77U}) {
    GstBuffer* buffer = gst_buffer_new();
    for (std::size_t at = 0; at < whole.size(); at += piece) {
      const std::size_t size = std::min(piece, whole.size() - at);
      GstBuffer* part = make_buffer({whole.begin() + static_cast<std::ptrdiff_t>(at),
                                     whole.begin() + static_cast<std::ptrdiff_t>(at + size)});
      buffer = gst_buffer_append(buffer, part);
    }
    in.push(buffer);
    expect_frames(rig.out->take(1), {sent_frame({}, whole)});
  }
  // Without any memory.
  in.push(gst_buffer_new());
  expect_frames(rig.out->take(1), {sent_frame({}, {})});
}
GST_END_TEST

GST_START_TEST(test_too_long) {
  Rig rig;
  Feeder& in = rig.send({{"host", "192.168.1.2"}, {"bind-port", "6000"}});
  rig.play();
  fail_unless_equals_int(in.push(make_buffer(data(1473))), GST_FLOW_ERROR);
  const std::string error = rig.message(GST_MESSAGE_ERROR);
  for (const char* part : {"1473 bytes", "mtu=1500", "1472", "fragment=true"}) {
    fail_unless(error.find(part) != std::string::npos, "%s: %s", part, error.c_str());
  }
}
GST_END_TEST

namespace {

/** The IP payload that fragments carry together, each checked. */
Bytes put_together(const std::vector<Item>& items, bool v4, std::size_t mtu) {
  Bytes whole;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Bytes& frame = items[i].bytes;
    fail_unless(frame.size() <= mtu + 14);
    const std::size_t headers = v4 ? 34 : 62;
    const unsigned word = v4 ? frame[20] << 8 | frame[21] : frame[56] << 8 | frame[57];
    const bool more = (word & (v4 ? 0x2000U : 1U)) != 0;
    fail_unless_equals_int(more, i + 1 < items.size());
    fail_unless_equals_uint64(v4 ? (word & 0x1fffU) * 8 : word & 0xfff8U, whole.size());
    if (v4) {
      fail_unless_equals_int(naive::checksum(std::span(frame).subspan(14, 20)), 0);
      fail_unless(frame[18] == items[0].bytes[18] && frame[19] == items[0].bytes[19]);
    } else {
      fail_unless_equals_int(frame[20], 44);
      fail_unless_equals_int(frame[54], 17);
    }
    whole.insert(whole.end(), frame.begin() + static_cast<std::ptrdiff_t>(headers), frame.end());
  }
  return whole;
}

}  // namespace

GST_START_TEST(test_fragments) {
  for (const bool batches : {false, true}) {
    for (const unsigned mtu : {1280U, 1500U}) {
      Rig rig(kPackets, batches);
      g_object_set(rig.element, "fragment", TRUE, "mtu", mtu, nullptr);
      Feeder& four = rig.send({{"host", "192.168.1.2"}, {"bind-port", "6000"}});
      Feeder& six = rig.send({{"host", "2001:db8::2"}, {"bind-port", "6000"}});
      rig.play();
      for (const std::size_t size : {1473U, 2952U, 2960U, 2961U, 9000U, 65507U}) {
        for (const bool v4 : {true, false}) {
          fail_unless_equals_int((v4 ? four : six).push(make_buffer(data(size))), GST_FLOW_OK);
          const std::size_t most = (mtu - (v4 ? 20 : 48)) / 8 * 8;
          const auto items = rig.out->take((size + 8 + most - 1) / most);
          const Udp udp = v4 ? Udp{} : Udp{kOurV6, kPeerV6};
          fail_unless(put_together(items, v4, mtu) == udp_datagram(udp, data(size)));
        }
      }
      // As long as the length fields can say, and no more.
      fail_unless_equals_int(four.push(make_buffer(data(65508))), GST_FLOW_ERROR);
      const std::string error = rig.message(GST_MESSAGE_ERROR);
      fail_unless(error.find("65507") != std::string::npos, "%s", error.c_str());
      fail_if(error.find("fragment=true") != std::string::npos, "%s", error.c_str());
    }
  }
}
GST_END_TEST

GST_START_TEST(test_times) {
  for (const bool batches : {false, true}) {
    Rig rig(kPackets, batches);
    Feeder& in = rig.send({{"host", "192.168.1.2"}});
    rig.play();
    // Running time: what downstream can synchronise streams of several pads by.
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    segment.start = 10 * GST_SECOND;
    segment.base = 3 * GST_SECOND;
    in.event(gst_event_new_segment(&segment));
    GstBufferList* list = gst_buffer_list_new();
    // In order, without a time, backwards, and farther than a descriptor can say.
    const std::vector<GstClockTime> times{10 * GST_SECOND, 10 * GST_SECOND + 1, GST_CLOCK_TIME_NONE,
                                          12 * GST_SECOND, 11 * GST_SECOND,     30 * GST_SECOND};
    for (const GstClockTime time : times) gst_buffer_list_add(list, make_buffer(data(10), time));
    in.push(list);
    const auto items = rig.out->take(times.size());
    for (std::size_t i = 0; i < times.size(); ++i) {
      const GstClockTime wanted =
          GST_CLOCK_TIME_IS_VALID(times[i]) ? times[i] - 7 * GST_SECOND : times[i];
      fail_unless_equals_uint64(items[i].pts, wanted);
    }
    rig.out->wait("a segment", [](const Collector& out) { return out.segment.rate == 1.0; });
    fail_unless_equals_int(rig.out->segment.format, GST_FORMAT_TIME);
    fail_unless_equals_uint64(rig.out->segment.start, 0);
  }
}
GST_END_TEST

GST_START_TEST(test_several_clients) {
  Rig rig(kPackets, true);
  Feeder& in =
      rig.send({{"clients", "192.168.1.2:1,192.168.1.2:2,[2001:db8::2]:3"}, {"bind-port", "6000"}});
  rig.play();
  in.push(make_list({data(5), data(6)}));
  std::vector<Bytes> wanted;
  for (const std::size_t size : {5U, 6U}) {
    wanted.push_back(sent_frame({kOurV4, kPeerV4, 6000, 1}, data(size)));
    wanted.push_back(sent_frame({kOurV4, kPeerV4, 6000, 2}, data(size)));
    wanted.push_back(sent_frame({kOurV6, kPeerV6, 6000, 3}, data(size)));
  }
  expect_frames(rig.out->take(6), wanted);
  // Another one while it runs.
  GstPad* pad = gst_pad_get_peer(in.pad());
  g_object_set(pad, "host", "192.168.1.2", "port", 9, nullptr);
  gchar* clients = nullptr;
  g_object_get(pad, "clients", &clients, nullptr);
  fail_unless_equals_string(clients, "192.168.1.2:9");
  g_free(clients);
  gst_object_unref(pad);
  in.push(make_buffer(data(5)));
  expect_frames(rig.out->take(1), {sent_frame({kOurV4, kPeerV4, 6000, 9}, data(5))});
}
GST_END_TEST

GST_START_TEST(test_wrong_destinations) {
  struct Case {
    std::pair<const char*, const char*> set;
    const char* error;
  };
  for (const Case& wrong :
       std::initializer_list<Case>{{{"ttl", "1"}, "Set host"},
                                   {{"host", "localhost"}, "names are not resolved"},
                                   {{"host", "10.9.9.9"}, "Set gateway"},
                                   {{"clients", "192.168.1.2"}, "host:port"},
                                   {{"clients", "192.168.1.2:0"}, "1 to 65535"},
                                   {{"clients", "192.168.1.2:5,"}, "host:port"},
                                   {{"host", "0.0.0.0"}, "no host"}}) {
    Rig rig;
    Feeder& in = rig.send({wrong.set});
    rig.play();
    fail_unless_equals_int(in.push(make_buffer(data(5))), GST_FLOW_ERROR);
    const std::string error = rig.message(GST_MESSAGE_ERROR);
    fail_unless(error.find(wrong.error) != std::string::npos, "%s=%s: %s", wrong.set.first,
                wrong.set.second, error.c_str());
  }
}
GST_END_TEST

/** A datagram to a neighbour that is not known waits for its answer, also at the end of the stream.
 */
GST_START_TEST(test_waits_for_the_next_hop) {
  Rig rig;
  g_object_set(rig.element, "neighbours", "", nullptr);
  Feeder& in = rig.send({{"host", "192.168.1.2"}, {"bind-port", "6000"}});
  rig.play();
  fail_unless_equals_int(in.push(make_list({data(5), data(6)})), GST_FLOW_OK);
  const auto asks = [](const Bytes& frame) {
    const Bytes target(frame.begin() + 38, frame.begin() + 42);
    return frame[12] == 8 && frame[13] == 6 && frame[21] == 1 && target == kPeerV4;
  };
  rig.out->find("an ARP request", asks);
  std::thread end([&in] { in.event(gst_event_new_eos()); });
  const Bytes reply =
      join({ethernet(kOurMac, kPeerMac, 0x0806), arp(2, kPeerMac, kPeerV4, kOurMac, kOurV4)});
  fail_unless_equals_int(rig.in->push(make_buffer(reply)), GST_FLOW_OK);
  expect_frames(rig.out->take(2), {sent_frame({}, data(5)), sent_frame({}, data(6))});
  rig.out->wait_for_eos();
  end.join();
}
GST_END_TEST

/** What is sent fast until the answer comes does not push out what was sent first. */
GST_START_TEST(test_many_wait_for_the_next_hop) {
  Rig rig;
  g_object_set(rig.element, "neighbours", "", nullptr);
  Feeder& in = rig.send({{"host", "192.168.1.2"}, {"bind-port", "6000"}});
  rig.play();
  std::vector<Bytes> payloads, wanted;
  for (unsigned i = 0; i < 100; ++i) {
    payloads.push_back(data(10, i));
    wanted.push_back(sent_frame({}, payloads.back()));
  }
  std::thread sender([&] { fail_unless_equals_int(in.push(make_list(payloads)), GST_FLOW_OK); });
  rig.out->find("an ARP request", [](const Bytes& frame) {
    return frame[12] == 8 && frame[13] == 6 && frame[21] == 1 && frame[41] == 2;
  });
  const Bytes reply =
      join({ethernet(kOurMac, kPeerMac, 0x0806), arp(2, kPeerMac, kPeerV4, kOurMac, kOurV4)});
  fail_unless_equals_int(rig.in->push(make_buffer(reply)), GST_FLOW_OK);
  expect_frames(rig.out->take(100), wanted);
  sender.join();
}
GST_END_TEST

GST_START_TEST(test_end_of_stream) {
  Rig rig;
  Feeder& one = rig.send({{"host", "192.168.1.2"}, {"bind-port", "6000"}});
  Feeder& two = rig.send({{"host", "192.168.1.2"}, {"bind-port", "6001"}});
  rig.play();
  one.push(make_buffer(data(5)));
  one.event(gst_event_new_eos());
  fail_unless_equals_int(one.push(make_buffer(data(5))), GST_FLOW_EOS);
  two.push(make_buffer(data(6)));
  rig.out->take(2);
  const auto events = rig.out->seen_events();
  fail_unless(std::ranges::find(events, GST_EVENT_EOS) == events.end());
  // Nothing is received, so packets that come are no reason to go on.
  two.event(gst_event_new_eos());
  rig.out->wait_for_eos();
  // A new stream.
  one.event(gst_event_new_stream_start("again"));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  one.event(gst_event_new_segment(&segment));
  fail_unless_equals_int(one.push(make_buffer(data(7))), GST_FLOW_OK);
  expect_frames(rig.out->take(1), {sent_frame({}, data(7))});
}
GST_END_TEST

GST_START_TEST(test_flush) {
  Rig rig;
  Feeder& in = rig.send({{"host", "192.168.1.2"}, {"bind-port", "6000"}});
  rig.play();
  in.push(make_buffer(data(5)));
  rig.out->take(1);
  in.event(gst_event_new_flush_start());
  fail_unless_equals_int(in.push(make_buffer(data(5))), GST_FLOW_FLUSHING);
  in.event(gst_event_new_flush_stop(TRUE));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  in.event(gst_event_new_segment(&segment));
  fail_unless_equals_int(in.push(make_buffer(data(6))), GST_FLOW_OK);
  expect_frames(rig.out->take(1), {sent_frame({}, data(6))});
  const auto events = rig.out->seen_events();
  fail_unless(std::ranges::find(events, GST_EVENT_FLUSH_START) != events.end());
  fail_unless(std::ranges::count(events, GST_EVENT_SEGMENT) == 2);
}
GST_END_TEST

/** What is behind says how it goes on. */
GST_START_TEST(test_flow_returns) {
  Rig rig;
  Feeder& in = rig.send({{"host", "192.168.1.2"}});
  rig.play();
  for (const GstFlowReturn flow : {GST_FLOW_ERROR, GST_FLOW_NOT_NEGOTIATED, GST_FLOW_EOS}) {
    rig.out->set_flow(flow);
    fail_unless_equals_int(in.push(make_buffer(data(5))), flow);
  }
  rig.out->set_flow(GST_FLOW_OK);
  fail_unless_equals_int(in.push(make_buffer(data(5))), GST_FLOW_OK);
}
GST_END_TEST

GST_START_TEST(test_paces) {
  Rig rig;
  // 1000 bytes take 80 ms; 40 ms of them may leave at once.
  Feeder& in =
      rig.send({{"host", "192.168.1.2"}, {"max-bitrate", "100000"}, {"max-burst", "40000000"}});
  rig.play();
  const gint64 begin = g_get_monotonic_time();
  in.push(make_list({data(1000), data(1000), data(1000), data(1000)}));
  // Three intervals, less the burst; a machine that is busy only makes it longer.
  fail_unless(g_get_monotonic_time() - begin >= 3 * 80'000 - 40'000 - 1'000);
  rig.out->take(4);
  // A flush does not wait for what is due in an hour.
  g_object_set(GST_PAD_PEER(in.pad()), "max-bitrate", guint64{8}, nullptr);
  std::thread sender([&in] {
    fail_unless_equals_int(in.push(make_list({data(1000), data(1000)})), GST_FLOW_FLUSHING);
  });
  rig.out->wait("the first", [](const Collector& out) { return !out.items.empty(); });
  in.event(gst_event_new_flush_start());
  sender.join();
}
GST_END_TEST

/** The latency of what is before the pads for data. */
GST_START_TEST(test_latency) {
  Rig rig;
  Feeder& in = rig.send({{"host", "192.168.1.2"}});
  gst_pad_set_query_function(in.pad(), [](GstPad* pad, GstObject* parent, GstQuery* query) {
    if (GST_QUERY_TYPE(query) != GST_QUERY_LATENCY)
      return gst_pad_query_default(pad, parent, query);
    gst_query_set_latency(query, TRUE, 5 * GST_MSECOND, GST_CLOCK_TIME_NONE);
    return gboolean{TRUE};
  });
  rig.play();
  GstQuery* query = gst_query_new_latency();
  fail_unless(gst_pad_peer_query(rig.out->pad(), query));
  gboolean live = FALSE;
  GstClockTime least = 0;
  gst_query_parse_latency(query, &live, &least, nullptr);
  gst_query_unref(query);
  fail_unless(live);
  fail_unless_equals_uint64(least, 5 * GST_MSECOND);
}
GST_END_TEST

static Suite* sending_suite() {
  Suite* suite = suite_create("sending");
  TCase* tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_headers);
  tcase_add_test(tests, test_checksum_of_zero);
  tcase_add_test(tests, test_vlan_and_groups);
  tcase_add_test(tests, test_ip_packets);
  tcase_add_test(tests, test_lists_equal_buffers);
  tcase_add_test(tests, test_buffers_in_pieces);
  tcase_add_test(tests, test_too_long);
  tcase_add_test(tests, test_fragments);
  tcase_add_test(tests, test_times);
  tcase_add_test(tests, test_several_clients);
  tcase_add_test(tests, test_wrong_destinations);
  tcase_add_test(tests, test_waits_for_the_next_hop);
  tcase_add_test(tests, test_many_wait_for_the_next_hop);
  tcase_add_test(tests, test_end_of_stream);
  tcase_add_test(tests, test_flush);
  tcase_add_test(tests, test_flow_returns);
  tcase_add_test(tests, test_paces);
  tcase_add_test(tests, test_latency);
  return suite;
}

GST_CHECK_MAIN(sending)
