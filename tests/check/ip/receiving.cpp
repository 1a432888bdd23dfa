// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Datagrams that iphost receives: every form of packets, every kind of port, what each buffer says.
 */
#include <algorithm>
#include <atomic>
#include <thread>

#include "host_rig.hpp"

using namespace hostrig;

namespace {

Bytes data(std::size_t size, unsigned seed = 0) {
  Bytes out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::uint8_t>(i * 5 + seed);
  return out;
}

enum class Form { buffers, list, batch, list_of_batches, shared_batch, pieces };
constexpr std::initializer_list<Form> kForms{Form::buffers,      Form::list,
                                             Form::batch,        Form::list_of_batches,
                                             Form::shared_batch, Form::pieces};

void push(Rig& rig, Form form, const std::vector<Bytes>& packets) {
  const auto batch_of = [&](std::size_t from, std::size_t to) {
    return rig::make_batch(std::span(packets).subspan(from, to - from));
  };
  GstFlowReturn flow = GST_FLOW_OK;
  switch (form) {
    case Form::buffers:
      for (const Bytes& packet : packets) flow = rig.in->push(make_buffer(packet));
      break;
    case Form::list:
      flow = rig.in->push(make_list(packets));
      break;
    case Form::batch:
      for (std::size_t at = 0; at < packets.size(); at += GST_PACKET_BATCH_MAX) {
        flow = rig.in->push(
            batch_of(at, std::min<std::size_t>(packets.size(), at + GST_PACKET_BATCH_MAX)));
      }
      break;
    case Form::list_of_batches: {
      GstBufferList* list = gst_buffer_list_new();
      for (std::size_t at = 0; at < packets.size(); at += 20) {
        gst_buffer_list_add(list, batch_of(at, std::min(packets.size(), at + 20)));
      }
      flow = rig.in->push(list);
      break;
    }
    case Form::shared_batch: {
      GstBuffer* batch = batch_of(0, std::min<std::size_t>(packets.size(), GST_PACKET_BATCH_MAX));
      flow = rig.in->push(gst_buffer_ref(batch));
      gst_buffer_unref(batch);
      break;
    }
    case Form::pieces:
      for (const Bytes& packet : packets) {
        const auto half = static_cast<std::ptrdiff_t>(packet.size() / 2);
        flow = rig.in->push(gst_buffer_append(make_buffer({packet.begin(), packet.begin() + half}),
                                              make_buffer({packet.begin() + half, packet.end()})));
      }
      break;
  }
  fail_unless_equals_int(flow, GST_FLOW_OK);
}

void expect(const std::vector<Item>& items, const std::vector<Bytes>& wanted) {
  fail_unless_equals_uint64(items.size(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    fail_unless(items[i].bytes == wanted[i], "datagram %zu differs", i);
  }
}

}  // namespace

GST_START_TEST(test_forms) {
  for (const Form form : kForms) {
    for (const std::size_t n : {1U, 2U, 31U, 32U, 33U, 63U, 64U, 65U, 255U, 256U, 257U}) {
      if (form == Form::shared_batch && n > GST_PACKET_BATCH_MAX) continue;
      Rig rig;
      Collector& here = rig.receive({{"port", "5004"}});
      Collector& there = rig.receive({{"port", "5006"}});
      rig.play();
      std::vector<Bytes> packets, even, odd;
      for (std::size_t i = 0; i < n; ++i) {
        const Bytes one = data(i * 41 % 1300, static_cast<unsigned>(i));
        packets.push_back(received_frame(from_peer(i % 2 == 0 ? 5004 : 5006), one));
        (i % 2 == 0 ? even : odd).push_back(one);
      }
      push(rig, form, packets);
      expect(here.take(even.size()), even);
      expect(there.take(odd.size()), odd);
      fail_unless_equals_uint64(Rig::stat(rig.element, "packets-in"), n);
    }
  }
}
GST_END_TEST

GST_START_TEST(test_addresses_and_times) {
  for (const Form form : kForms) {
    Rig rig;
    Collector& in = rig.receive({{"caps", "application/x-rtp"}});
    rig.play();
    Udp six{kPeerV6, kOurV6, 7001, 5004};
    push(rig, form, {received_frame(from_peer(), data(5)), received_frame(six, data(6))});
    const auto items = in.take(2);
    fail_unless_equals_string(items[0].from.c_str(), "192.168.1.2 7000");
    fail_unless_equals_string(items[1].from.c_str(), "2001:db8::2 7001");
    GstCaps* caps = gst_pad_get_current_caps(in.pad());
    fail_unless(gst_structure_has_name(gst_caps_get_structure(caps, 0), "application/x-rtp"));
    gst_caps_unref(caps);
    fail_unless_equals_int(in.segment.format, GST_FORMAT_TIME);
  }
  Rig rig;
  Collector& in = rig.receive({});
  rig.play();
  GstBuffer* batch = rig::make_batch(std::vector<Bytes>{received_frame(from_peer(), data(1)),
                                                        received_frame(from_peer(), data(2))});
  GST_BUFFER_PTS(batch) = 5 * GST_SECOND;
  gst_packet_batch_set_packet_pts(batch, 1, 5 * GST_SECOND + 77);
  rig.in->push(batch);
  rig.in->push(make_buffer(received_frame(from_peer(), data(3)), 6 * GST_SECOND));
  const auto items = in.take(3);
  fail_unless_equals_uint64(items[0].pts, 5 * GST_SECOND);
  fail_unless_equals_uint64(items[1].pts, 5 * GST_SECOND + 77);
  fail_unless_equals_uint64(items[2].pts, 6 * GST_SECOND);
}
GST_END_TEST

/** A batch lives as long as one of its datagrams, and these as long as they are held. */
GST_START_TEST(test_lends) {
  Rig rig;
  Collector& in = rig.receive({});
  in.hold_buffers();
  rig.play();
  const std::vector<Bytes> packets{received_frame(from_peer(), data(300)),
                                   received_frame(from_peer(), data(400))};
  GstBuffer* batch = rig::make_batch(packets);
  static std::atomic<int> gone{0};
  gone = 0;
  gst_mini_object_weak_ref(
      GST_MINI_OBJECT_CAST(batch), [](gpointer, GstMiniObject*) { ++gone; }, nullptr);
  rig.in->push(batch);
  const auto items = in.take(2);
  // Its own memory, to write to as well.
  fail_unless(items[0].writable);
  fail_unless_equals_int(gone, 0);
  in.let_go();
  fail_unless_equals_int(gone, 1);
}
GST_END_TEST

/** Whoever else has the packets does not see what becomes of them. */
GST_START_TEST(test_shared_packets_stay) {
  for (const bool answers : {false, true}) {
    Rig rig;
    Collector& in = rig.receive({});
    rig.play();
    const Bytes packet = answers ? echo_frame() : received_frame(from_peer(), data(99));
    GstBuffer* batch = rig::make_batch(std::vector<Bytes>{packet});
    GstBuffer* single = make_buffer(packet);
    rig.in->push(gst_buffer_ref(batch));
    rig.in->push(gst_buffer_ref(single));
    fail_unless(rig::packets_of(batch)[0] == packet);
    fail_unless(rig::packets_of(single)[0] == packet);
    if (!answers) {
      for (const Item& item : in.take(2)) fail_if(item.writable && item.bytes.empty());
    }
    gst_buffer_unref(batch);
    gst_buffer_unref(single);
  }
}
GST_END_TEST

GST_START_TEST(test_groups) {
  const Bytes group{239, 1, 2, 3}, mac{0x01, 0, 0x5e, 1, 2, 3};
  for (const Form form : kForms) {
    Rig rig;
    Collector& all = rig.receive({{"multicast-group", "239.1.2.3"}});
    Collector& some =
        rig.receive({{"multicast-group", "239.1.2.3"}, {"multicast-source", "192.168.1.2"}});
    Collector& none = rig.receive({{"port", "5004"}});
    rig.play();
    Udp heard = from_peer(), other = from_peer();
    heard.destination = other.destination = group;
    other.source = {192, 168, 1, 9};
    push(rig, form, {received_frame(heard, data(50), mac), received_frame(other, data(60), mac)});
    expect(all.take(2), {data(50), data(60)});
    const auto items = some.take(1);
    expect(items, {data(50)});
    none.take(0);
  }
}
GST_END_TEST

/** What several have cannot be written to by one of them. */
GST_START_TEST(test_shared_datagrams_are_read_only) {
  const Bytes group{239, 1, 2, 3}, mac{0x01, 0, 0x5e, 1, 2, 3};
  Rig rig;
  Collector& one = rig.receive({{"multicast-group", "239.1.2.3"}});
  Collector& two =
      rig.receive({{"multicast-group", "239.1.2.3"}, {"multicast-source", "192.168.1.2"}});
  rig.play();
  Udp heard = from_peer();
  heard.destination = group;
  rig.in->push(rig::make_batch(std::vector<Bytes>{received_frame(heard, data(50), mac)}));
  fail_if(one.take(1)[0].writable);
  fail_if(two.take(1)[0].writable);
}
GST_END_TEST

GST_START_TEST(test_damaged_batches) {
  Rig rig;
  Collector& in = rig.receive({});
  rig.play();
  const std::vector<Bytes> packets(3, received_frame(from_peer(), data(50)));
  GstBuffer* batch = rig::make_batch(packets);
  gst_buffer_get_packet_batch_meta(batch)->packets[1].offset = G_MAXUINT32;
  rig.in->push(batch);
  expect(in.take(2), {data(50), data(50)});
  batch = rig::make_batch(packets);
  gst_buffer_get_packet_batch_meta(batch)->n = 1000;
  fail_unless_equals_int(rig.in->push(batch), GST_FLOW_OK);
  batch = rig::make_batch(packets);
  gst_buffer_append_memory(batch, gst_allocator_alloc(nullptr, 5, nullptr));
  fail_unless_equals_int(rig.in->push(batch), GST_FLOW_OK);
  in.take(0);
  fail_unless_equals_uint64(Rig::stat(rig.element, "drop-damaged"), 3);
}
GST_END_TEST

/** The host answers, in every form, and with datagrams between. */
GST_START_TEST(test_answers) {
  for (const Form form : kForms) {
    for (const bool batches : {false, true}) {
      Rig rig(kPackets, batches);
      Collector& in = rig.receive({});
      rig.play();
      push(rig, form,
           {received_frame(from_peer(), data(10)), echo_frame(),
            received_frame(from_peer(), data(11))});
      const auto is_reply = [](const Bytes& frame) {
        return frame.size() > 34 && frame[23] == 1 && frame[34] == 0;
      };
      const Bytes reply = rig.out->find("an echo reply", is_reply);
      fail_unless(std::equal(kPeerMac.begin(), kPeerMac.end(), reply.begin()));
      expect(in.take(2), {data(10), data(11)});
    }
  }
}
GST_END_TEST

/** One that fails does not stop the others. */
GST_START_TEST(test_dead_receiver) {
  Rig rig;
  Collector& dead = rig.receive({{"port", "1"}});
  Collector& alive = rig.receive({{"port", "2"}});
  GstPad* unlinked = rig.request("udp_src_%u", {{"port", "3"}});
  rig.play();
  for (const GstFlowReturn flow : {GST_FLOW_ERROR, GST_FLOW_EOS, GST_FLOW_FLUSHING}) {
    dead.set_flow(flow);
    push(rig, Form::batch,
         {received_frame(from_peer(1), data(1)), received_frame(from_peer(2), data(2)),
          received_frame(from_peer(3), data(3))});
    dead.take(1);
    expect(alive.take(1), {data(2)});
  }
  fail_unless_equals_uint64(Rig::stat(GST_PAD_PEER(dead.pad()), "dropped"), 3);
  fail_unless_equals_uint64(Rig::stat(unlinked, "datagrams"), 0);
  // When all have had enough, so has the host.
  alive.set_flow(GST_FLOW_EOS);
  dead.set_flow(GST_FLOW_EOS);
  fail_unless_equals_int(rig.in->push(make_buffer(received_frame(from_peer(1), data(1)))),
                         GST_FLOW_OK);
  fail_unless_equals_int(rig.in->push(make_buffer(received_frame(from_peer(2), data(1)))),
                         GST_FLOW_EOS);
}
GST_END_TEST

GST_START_TEST(test_end_and_flush) {
  Rig rig;
  Collector& in = rig.receive({});
  rig.play();
  rig.in->event(gst_event_new_flush_start());
  rig.in->event(gst_event_new_flush_stop(TRUE));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  rig.in->event(gst_event_new_segment(&segment));
  push(rig, Form::buffers, {received_frame(from_peer(), data(7))});
  expect(in.take(1), {data(7)});
  const auto events = in.seen_events();
  fail_unless(std::ranges::find(events, GST_EVENT_FLUSH_STOP) != events.end());
  fail_unless(events.back() == GST_EVENT_SEGMENT, "no segment behind the flush");
  rig.in->event(gst_event_new_eos());
  in.wait_for_eos();
  rig.out->wait_for_eos();
}
GST_END_TEST

GST_START_TEST(test_timeout) {
  Rig rig;
  Collector& in = rig.receive({{"timeout", "20000000"}});
  rig.play();
  GstMessage* message = gst_bus_timed_pop_filtered(rig.bus, 20 * GST_SECOND, GST_MESSAGE_ELEMENT);
  fail_unless(message != nullptr, "no message");
  const GstStructure* news = gst_message_get_structure(message);
  fail_unless(gst_structure_has_name(news, "GstIpHostTimeout"));
  fail_unless_equals_string(gst_structure_get_string(news, "pad"), "udp_src_0");
  guint64 timeout = 0;
  fail_unless(gst_structure_get_uint64(news, "timeout", &timeout));
  fail_unless_equals_uint64(timeout, 20'000'000);
  gst_message_unref(message);
  push(rig, Form::buffers, {received_frame(from_peer(), data(7))});
  in.take(1);
}
GST_END_TEST

GST_START_TEST(test_settings_change) {
  Rig rig;
  Collector& in = rig.receive({});
  rig.play();
  // Not before there is a datagram, so a pad that is active already may still get its caps.
  GstPad* pad = GST_PAD_PEER(in.pad());
  for (const char* text : {"text/plain", "text/html"}) {
    GstCaps* caps = gst_caps_from_string(text);
    g_object_set(pad, "caps", caps, nullptr);
    push(rig, Form::buffers, {received_frame(from_peer(), data(3))});
    in.take(1);
    GstCaps* now = gst_pad_get_current_caps(in.pad());
    fail_unless(gst_caps_is_equal(now, caps));
    gst_caps_unref(now);
    gst_caps_unref(caps);
  }
  g_object_set(pad, "port", 6000, nullptr);
  push(rig, Form::buffers,
       {received_frame(from_peer(5004), data(1)), received_frame(from_peer(6000), data(2))});
  expect(in.take(1), {data(2)});
}
GST_END_TEST

/** Two pads cannot have the same port; pads that are not linked have none. */
GST_START_TEST(test_taken_port) {
  Rig rig;
  rig.receive({});
  rig.request("udp_src_%u", {});
  rig.play();
  fail_unless(rig.message(GST_MESSAGE_ERROR).empty());
  rig.receive({});
  const std::string error = rig.message(GST_MESSAGE_ERROR);
  fail_unless(error.find("udp_src_2") != std::string::npos, "%s", error.c_str());
}
GST_END_TEST

static Suite* receiving_suite() {
  Suite* suite = suite_create("receiving");
  TCase* tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_forms);
  tcase_add_test(tests, test_addresses_and_times);
  tcase_add_test(tests, test_lends);
  tcase_add_test(tests, test_shared_packets_stay);
  tcase_add_test(tests, test_groups);
  tcase_add_test(tests, test_shared_datagrams_are_read_only);
  tcase_add_test(tests, test_damaged_batches);
  tcase_add_test(tests, test_answers);
  tcase_add_test(tests, test_dead_receiver);
  tcase_add_test(tests, test_end_and_flush);
  tcase_add_test(tests, test_timeout);
  tcase_add_test(tests, test_settings_change);
  tcase_add_test(tests, test_taken_port);
  return suite;
}

GST_CHECK_MAIN(receiving)
