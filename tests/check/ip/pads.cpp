// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The pads of iphost: names, properties, gst-launch-1.0's way to set them; pads that come and go
 * while packets flow; starts, stops and news of the link.
 */
#include <atomic>
#include <thread>

#include "gst/packet/link_event.hpp"
#include "host_rig.hpp"
#include "tests/check/documentation.hpp"

using namespace hostrig;

GST_START_TEST(test_documentation) {
  documentation::check("iphost");
  Rig rig;
  rig.send({{"host", "192.168.1.2"}});
  rig.receive({});
  rig.play();
  documentation::check_stats(rig.element);
  for (GstPad* pad : {GST_PAD_PEER(rig.senders[0]->pad()), GST_PAD_PEER(rig.receivers[0]->pad())}) {
    guint n = 0;
    GParamSpec** specs = g_object_class_list_properties(G_OBJECT_GET_CLASS(pad), &n);
    for (guint i = 0; i < n; ++i) {
      if (specs[i]->owner_type == G_OBJECT_TYPE(pad)) documentation::check_property(specs[i]);
    }
    g_free(specs);
  }
}
GST_END_TEST

GST_START_TEST(test_names) {
  Rig rig;
  const auto name_of = [&](const char* asked) {
    gchar* name = gst_pad_get_name(rig.request(asked, {}));
    std::string text = name;
    g_free(name);
    return text;
  };
  fail_unless(name_of("udp_sink_%u") == "udp_sink_0");
  fail_unless(name_of("udp_sink_7") == "udp_sink_7");
  fail_unless(name_of("udp_src_%u") == "udp_src_0");
  fail_unless(name_of("udp_sink_%u") == "udp_sink_1");
  for (const char* wrong : {"udp_sink_x", "udp_src_-1", "udp_sink_99999999999"}) {
    fail_unless(gst_element_request_pad_simple(rig.element, wrong) == nullptr, "%s", wrong);
  }
}
GST_END_TEST

GST_START_TEST(test_child_proxy) {
  Rig rig;
  GstPad* pad = rig.request("udp_sink_3", {});
  gst_child_proxy_set(GST_CHILD_PROXY(rig.element), "udp_sink_3::host", "10.0.0.9",
                      "udp_sink_3::port", 7, nullptr);
  gchar* clients = nullptr;
  g_object_get(pad, "clients", &clients, nullptr);
  fail_unless_equals_string(clients, "10.0.0.9:7");
  g_free(clients);
  fail_unless_equals_int(gst_child_proxy_get_children_count(GST_CHILD_PROXY(rig.element)), 1);
}
GST_END_TEST

/** What gst-launch-1.0 makes of properties of pads that are requested later. */
GST_START_TEST(test_launch_syntax) {
  for (const char* text :
       {"iphost name=h address=10.0.0.1/24 udp_sink_0::host=10.0.0.2 udp_sink_0::port=99 "
        "udp_src_0::port=77 fakesrc ! h.udp_sink_0 h.udp_src_0 ! fakesink",
        "fakesrc ! h.udp_sink_0 iphost name=h udp_sink_0::host=10.0.0.2 udp_sink_0::port=99 "
        "udp_src_0::port=77 address=10.0.0.1/24 h.udp_src_0 ! fakesink"}) {
    GError* error = nullptr;
    GstElement* pipeline = gst_parse_launch(text, &error);
    fail_unless(error == nullptr, "%s", error != nullptr ? error->message : "");
    GstElement* host = gst_bin_get_by_name(GST_BIN(pipeline), "h");
    gchar* address = nullptr;
    guint to = 0, from = 0;
    gst_child_proxy_get(GST_CHILD_PROXY(host), "udp_sink_0::host", &address, "udp_sink_0::port",
                        &to, "udp_src_0::port", &from, nullptr);
    fail_unless_equals_string(address, "10.0.0.2");
    fail_unless_equals_int(to, 99);
    fail_unless_equals_int(from, 77);
    g_free(address);
    gst_object_unref(host);
    gst_object_unref(pipeline);
  }
}
GST_END_TEST

GST_START_TEST(test_wrong_settings) {
  struct Case {
    const char* property;
    const char* value;
    const char* error;
  };
  for (const Case& wrong : std::initializer_list<Case>{
           {"address", "", "needs an address"},
           {"address", "10.0.0.1/33", "10.0.0.1/33"},
           {"address", "10.0.0.1/24,", "address="},
           {"address", "224.0.0.1/24", "not the address of a host"},
           {"address", "10.0.0.1/24,10.0.0.1/16", "given twice"},
           {"gateway", "10.0.0.1", "not on any network"},
           {"gateway", "192.168.1.7,192.168.1.8", "same version"},
           {"mac", "03:00:00:00:00:01", "one station"},
           {"mac", "nonsense", "mac="},
           {"neighbours", "192.168.1.2", "IP=MAC"},
           {"neighbours", "192.168.1.2=x", "neighbours="},
           {"mtu", "1279", "1280"},
       }) {
    Rig rig;
    gst_util_set_object_arg(G_OBJECT(rig.element), wrong.property, wrong.value);
    fail_unless_equals_int(gst_element_set_state(rig.element, GST_STATE_PAUSED),
                           GST_STATE_CHANGE_FAILURE);
    const std::string error = rig.message(GST_MESSAGE_ERROR);
    fail_unless(error.find(wrong.error) != std::string::npos, "%s=%s: %s", wrong.property,
                wrong.value, error.c_str());
  }
}
GST_END_TEST

GST_START_TEST(test_other_link_type) {
  Rig rig;
  Feeder& in = rig.send({{"host", "192.168.1.2"}});
  fail_unless_equals_int(gst_element_set_state(rig.element, GST_STATE_PLAYING),
                         GST_STATE_CHANGE_SUCCESS);
  in.start();
  // Where nothing says otherwise, frames leave; then packets of the other kind come.
  fail_unless_equals_int(in.push(make_buffer({1})), GST_FLOW_OK);
  GstCaps* caps = gst_caps_from_string(kIpPackets);
  rig.in->event(gst_event_new_stream_start("ip"));
  rig.in->event(gst_event_new_caps(caps));
  gst_caps_unref(caps);
  const std::string error = rig.message(GST_MESSAGE_ERROR);
  fail_unless(error.find("same mode") != std::string::npos, "%s", error.c_str());
}
GST_END_TEST

namespace {

/** The first of it: a probe for another station with our address. */
bool announces(const Bytes& frame) {
  return frame.size() >= 42 && frame[12] == 8 && frame[13] == 6 &&
         Bytes(frame.begin() + 38, frame.begin() + 42) == kOurV4;
}

std::size_t announcements(Collector& out) {
  std::size_t n = 0;
  out.wait("nothing", [&](const Collector& self) {
    n = static_cast<std::size_t>(std::ranges::count_if(
        self.chatter, [](const Item& item) { return announces(item.bytes); }));
    return true;
  });
  return n;
}

}  // namespace

/** The host claims its addresses when the link comes up, and each time it is up again. */
GST_START_TEST(test_link_events) {
  for (const bool from_behind : {false, true}) {
    Rig rig;
    rig.play();
    const auto tell = [&](bool up) {
      GstEvent* event = gstpacket::new_link_event(up);
      const bool told =
          from_behind ? gst_pad_push_event(rig.out->pad(), event) != FALSE : rig.in->event(event);
      fail_unless(told);
    };
    tell(true);
    rig.out->find("a probe", announces);
    tell(false);
    const std::size_t before = announcements(*rig.out);
    tell(true);
    rig.out->wait("another probe", [before](const Collector& out) {
      const auto n = std::ranges::count_if(out.chatter,
                                           [](const Item& item) { return announces(item.bytes); });
      return static_cast<std::size_t>(n) > before;
    });
  }
}
GST_END_TEST

GST_START_TEST(test_conflict) {
  Rig rig;
  rig.play();
  rig.in->event(gstpacket::new_link_event(true));
  // Another station says that it has our address.
  const Bytes claim = join(
      {ethernet(Bytes(6, 0xff), kPeerMac, 0x0806), arp(1, kPeerMac, kOurV4, Bytes(6, 0), kOurV4)});
  for (int i = 0; i < 3; ++i) rig.in->push(make_buffer(claim));
  GstMessage* message = gst_bus_timed_pop_filtered(rig.bus, 20 * GST_SECOND, GST_MESSAGE_WARNING);
  fail_unless(message != nullptr, "no warning");
  GError* error = nullptr;
  gst_message_parse_warning(message, &error, nullptr);
  fail_unless(std::string(error->message).find("192.168.1.1") != std::string::npos);
  fail_unless(std::string(error->message).find("02:fe:11:22:33:44") != std::string::npos);
  g_error_free(error);
  gst_message_unref(message);
}
GST_END_TEST

GST_START_TEST(test_starts_and_stops) {
  Rig rig;
  Feeder& in = rig.send({{"host", "192.168.1.2"}, {"bind-port", "6000"}});
  Collector& got = rig.receive({});
  for (int i = 0; i < 5; ++i) {
    rig.play();
    fail_unless_equals_int(in.push(make_buffer({1, 2, 3})), GST_FLOW_OK);
    fail_unless(rig.out->take(1)[0].bytes == sent_frame({}, {1, 2, 3}));
    rig.in->push(make_buffer(received_frame(from_peer(), {4, 5})));
    fail_unless(got.take(1)[0].bytes == Bytes({4, 5}));
    fail_unless_equals_int(gst_element_set_state(rig.element, GST_STATE_READY),
                           GST_STATE_CHANGE_SUCCESS);
    fail_unless_equals_int(in.push(make_buffer({1})), GST_FLOW_FLUSHING);
    // What was counted stays until the next start.
    fail_unless_equals_uint64(Rig::stat(rig.element, "datagrams"), 1);
  }
}
GST_END_TEST

/** Only the one direction: without a pad for packets there is nothing to find neighbours by. */
GST_START_TEST(test_unlinked_packet_pads) {
  Rig rig;
  Collector& got = rig.receive({});
  Feeder& in = rig.send({{"host", "192.168.1.2"}});
  rig.play();
  GstPad* src = gst_pad_get_peer(rig.out->pad());
  gst_pad_unlink(src, rig.out->pad());
  rig.in->push(make_buffer(received_frame(from_peer(), {4, 5})));
  got.take(1);
  rig.in->push(make_buffer(echo_frame()));
  // The answer cannot leave, and that is counted.
  const auto end = std::chrono::steady_clock::now() + kDeadline;
  while (Rig::stat(rig.element, "drop-unsent") == 0) {
    fail_unless(std::chrono::steady_clock::now() < end, "not counted");
    std::this_thread::yield();
  }
  fail_unless_equals_int(in.push(make_buffer({1})), GST_FLOW_NOT_LINKED);
  gst_object_unref(src);
}
GST_END_TEST

/** Threads send and receive while pads come and go. */
GST_START_TEST(test_pads_come_and_go) {
  for (const bool batches : {false, true}) {
    Rig rig(kPackets, batches);
    Collector& got = rig.receive({{"port", "1"}});
    Feeder& one = rig.send({{"host", "192.168.1.2"}});
    Feeder& two = rig.send({{"host", "2001:db8::2"}});
    rig.play();
    std::atomic<bool> stop{false};
    const auto sends = [&](Feeder& in) {
      while (!stop) fail_unless_equals_int(in.push(make_list({{1}, {2}, {3}})), GST_FLOW_OK);
    };
    std::thread thread1([&] { sends(one); }), thread2([&] { sends(two); });
    std::thread thread3([&] {
      const std::vector<Bytes> packets{received_frame(from_peer(1), {1}), echo_frame(),
                                       received_frame(from_peer(2), {2})};
      while (!stop) {
        fail_unless_equals_int(rig.in->push(rig::make_batch(packets)), GST_FLOW_OK);
        rig.in->push(make_list(packets));
      }
    });
    for (int i = 0; i < 50; ++i) {
      Collector& more = rig.receive({{"port", "2"}});
      GstPad* receives = GST_PAD_PEER(more.pad());
      more.wait("a datagram", [](const Collector& self) { return !self.items.empty(); });
      Feeder& sender = rig.send({{"host", "192.168.1.2"}});
      GstPad* sink = GST_PAD_PEER(sender.pad());
      fail_unless_equals_int(sender.push(make_buffer({9})), GST_FLOW_OK);
      GstStructure* stats = nullptr;
      g_object_get(rig.element, "stats", &stats, nullptr);
      gst_structure_free(stats);
      rig.release(receives);
      rig.release(sink);
      rig.receivers.pop_back();
      rig.senders.pop_back();
    }
    stop = true;
    thread1.join();
    thread2.join();
    thread3.join();
    fail_unless(Rig::stat(GST_PAD_PEER(got.pad()), "datagrams") > 0);
  }
}
GST_END_TEST

/** A stop ends what waits: for a bit rate, for a neighbour, for a push. */
GST_START_TEST(test_stops_while_waiting) {
  Rig rig;
  Feeder& slow = rig.send({{"host", "192.168.1.2"}, {"max-bitrate", "8"}, {"max-burst", "0"}});
  Feeder& unknown = rig.send({{"host", "192.168.1.77"}});
  rig.play();
  std::thread thread1([&] {
    fail_unless_equals_int(slow.push(make_list({{1}, {2}, {3}, {4}})), GST_FLOW_FLUSHING);
  });
  fail_unless_equals_int(unknown.push(make_buffer({1})), GST_FLOW_OK);
  std::thread thread2([&] { unknown.event(gst_event_new_eos()); });
  rig.out->wait("the first", [](const Collector& out) { return !out.items.empty(); });
  fail_unless_equals_int(gst_element_set_state(rig.element, GST_STATE_NULL),
                         GST_STATE_CHANGE_SUCCESS);
  thread1.join();
  thread2.join();
}
GST_END_TEST

static Suite* pads_suite() {
  Suite* suite = suite_create("pads");
  TCase* tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_documentation);
  tcase_add_test(tests, test_names);
  tcase_add_test(tests, test_child_proxy);
  tcase_add_test(tests, test_launch_syntax);
  tcase_add_test(tests, test_wrong_settings);
  tcase_add_test(tests, test_other_link_type);
  tcase_add_test(tests, test_link_events);
  tcase_add_test(tests, test_conflict);
  tcase_add_test(tests, test_starts_and_stops);
  tcase_add_test(tests, test_unlinked_packet_pads);
  tcase_add_test(tests, test_pads_come_and_go);
  tcase_add_test(tests, test_stops_while_waiting);
  return suite;
}

GST_CHECK_MAIN(pads)
