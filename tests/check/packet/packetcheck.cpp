// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <thread>
#include <utility>

#include "packet_builder.hpp"
#include "pipeline_end.hpp"
#include "rig.hpp"
#include "samples.hpp"
#include "test_header.hpp"
#include "tests/check/documentation.hpp"

#include "gst/packet/batch.hpp"

using gstpacket::LinkType;
using packetplugin::GenSettings;
using rig::Bytes;

namespace {

using Packets = std::vector<Bytes>;

Packets make(std::size_t n, const GenSettings& settings = {},
             LinkType link_type = LinkType::ethernet) {
  auto plan = make_plan(settings);
  fail_unless(static_cast<bool>(plan));
  auto maker = packetplugin::PacketBuilder::make(*plan, link_type);
  fail_unless(static_cast<bool>(maker));
  Packets packets(n);
  for (Bytes& packet : packets) {
    packet.resize(maker->next_size());
    maker->write(std::as_writable_bytes(std::span(packet)), packetplugin::monotonic_now());
  }
  return packets;
}

class Check {
 public:
  explicit Check(const std::string& arguments = "",
                 const char* caps = "application/x-packet,link-type=ethernet") {
    element = gst_parse_launch(("packetcheck " + arguments).c_str(), nullptr);
    gst_object_ref_sink(element);
    bus = gst_bus_new();
    gst_element_set_bus(element, bus);
    source_ = gst_pad_new("testsrc", GST_PAD_SRC);
    GstPad* sink = gst_element_get_static_pad(element, "sink");
    gst_pad_link(source_, sink);
    gst_object_unref(sink);
    play(caps);
  }
  ~Check() {
    stop();
    gst_object_unref(source_);
    gst_element_set_bus(element, nullptr);
    gst_bus_set_flushing(bus, TRUE);
    gst_object_unref(bus);
    ASSERT_OBJECT_REFCOUNT(element, "packetcheck", 1);
    gst_object_unref(element);
  }
  void play(const char* caps = "application/x-packet,link-type=ethernet") {
    gst_pad_set_active(source_, TRUE);
    fail_unless_equals_int(gst_element_set_state(element, GST_STATE_PLAYING),
                           GST_STATE_CHANGE_SUCCESS);
    rig::send_prologue(source_, caps);
  }
  void stop() {
    fail_unless_equals_int(gst_element_set_state(element, GST_STATE_NULL),
                           GST_STATE_CHANGE_SUCCESS);
    gst_pad_set_active(source_, FALSE);
  }
  GstFlowReturn push(const Bytes& packet) {
    return gst_pad_push(source_, rig::make_buffer(packet));
  }
  GstFlowReturn push(const Packets& packets) {
    GstFlowReturn flow = GST_FLOW_OK;
    for (const Bytes& packet : packets) flow = push(packet);
    return flow;
  }
  GstFlowReturn push_list(const Packets& packets) {
    GstBufferList* list = gst_buffer_list_new();
    for (const Bytes& packet : packets) gst_buffer_list_add(list, rig::make_buffer(packet));
    return gst_pad_push_list(source_, list);
  }
  GstFlowReturn push_batch(const Packets& packets) {
    return gst_pad_push(source_, rig::make_batch(packets));
  }
  bool eos() { return gst_pad_push_event(source_, gst_event_new_eos()) != FALSE; }
  [[nodiscard]] GstStructure* stats() const {
    GstStructure* stats = nullptr;
    g_object_get(element, "stats", &stats, nullptr);
    return stats;
  }
  [[nodiscard]] guint64 stat(const char* name) const {
    GstStructure* all = stats();
    guint64 value = 0;
    fail_unless(gst_structure_get_uint64(all, name, &value), "no %s", name);
    gst_structure_free(all);
    return value;
  }
  /** "packets lost duplicate reordered damaged foreign". */
  [[nodiscard]] std::string account() const {
    std::string text;
    for (const char* name : {"packets", "lost", "duplicate", "reordered", "damaged", "foreign"}) {
      text += std::to_string(stat(name)) + " ";
    }
    text.pop_back();
    return text;
  }
  void expect(const std::string& expected) const {
    const std::string found = account();
    fail_unless_equals_string(found.c_str(), expected.c_str());
  }
  /** The next message of these types, waited for, or null if there is none now. */
  GstMessage* wait(int types) {
    return gst_bus_timed_pop_filtered(bus, GST_CLOCK_TIME_NONE, static_cast<GstMessageType>(types));
  }
  int count(int types) {
    int n = 0;
    while (GstMessage* message = gst_bus_pop_filtered(bus, static_cast<GstMessageType>(types))) {
      ++n;
      gst_message_unref(message);
    }
    return n;
  }
  /** Waits for the verdict, then for EOS (then the text is empty) or an error. */
  std::string verdict() {
    GstMessage* message = wait(GST_MESSAGE_ELEMENT | GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    fail_unless_equals_int(GST_MESSAGE_TYPE(message), GST_MESSAGE_ELEMENT);
    fail_unless(gst_message_has_name(message, "packet-check"));
    gboolean whole = FALSE;
    gst_structure_get_boolean(gst_message_get_structure(message), "whole", &whole);
    gst_message_unref(message);
    message = wait(GST_MESSAGE_ELEMENT | GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    std::string text;
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
      GError* error = nullptr;
      gst_message_parse_error(message, &error, nullptr);
      fail_unless(g_error_matches(error, GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED));
      text = error->message;
      g_error_free(error);
    } else {
      fail_unless_equals_int(GST_MESSAGE_TYPE(message), GST_MESSAGE_EOS);
    }
    gst_message_unref(message);
    fail_unless_equals_int(whole, text.empty());
    return text;
  }

  GstElement* element;
  GstBus* bus;

 private:
  GstPad* source_;
};

void expect(const char* account, const Packets& packets) {
  Check check;
  check.push(packets);
  check.expect(account);
}

}  // namespace

GST_START_TEST(test_all_kinds_are_whole) {
  for (const LinkType link : {LinkType::ethernet, LinkType::ip}) {
    for (const unsigned version : {4U, 6U}) {
      for (const auto protocol :
           {packetplugin::GenProtocol::udp, packetplugin::GenProtocol::icmp_echo}) {
        for (const char* size : {"88-120", "imix", "9000", "65535"}) {
          GenSettings settings;
          settings.size = size;
          settings.ip_version = version;
          settings.protocol = protocol;
          settings.flows = 5;
          settings.vlan = 3;
          Check check("", link == LinkType::ip ? "application/x-packet,link-type=ip"
                                               : "application/x-packet,link-type=ethernet");
          check.push(make(60, settings, link));
          check.expect("60 0 0 0 0 0");
          fail_unless_equals_uint64(check.stat("flows"), 5);
        }
      }
    }
  }
}
GST_END_TEST

GST_START_TEST(test_loss) {
  Packets packets = make(1000);
  packets.erase(packets.begin() + 500);
  packets.erase(packets.begin() + 10, packets.begin() + 13);
  expect("996 4 0 0 0 0", packets);
  packets = make(5000);
  packets.erase(packets.begin() + 10, packets.begin() + 3010);
  expect("2000 3000 0 0 0 0", packets);
}
GST_END_TEST

GST_START_TEST(test_duplicates) {
  Packets packets = make(100);
  packets.insert(packets.begin() + 50, packets[49]);
  packets.push_back(packets[3]);
  packets.push_back(packets[3]);
  expect("100 0 3 0 0 0", packets);
}
GST_END_TEST

GST_START_TEST(test_order) {
  Packets packets = make(2000);
  std::swap(packets[10], packets[11]);
  expect("2000 0 0 1 0 0", packets);
  std::swap(packets[0], packets[1]);  // before the first one that was seen
  expect("2000 0 0 2 0 0", packets);
  packets = make(3000);
  packets.push_back(packets[5]);  // later than anybody remembers
  packets.erase(packets.begin() + 5);
  expect("3000 0 0 1 0 0", packets);
}
GST_END_TEST

GST_START_TEST(test_flows_have_numbers_of_their_own) {
  GenSettings settings;
  settings.flows = 100;
  Packets packets = make(1000, settings);
  // Order between flows means nothing; in each of them it is kept.
  std::multimap<std::uint8_t, Bytes, std::greater<>> by_flow;
  for (const Bytes& packet : packets) by_flow.emplace(packet[35], packet);
  packets.clear();
  for (const auto& [flow, packet] : by_flow) packets.push_back(packet);
  expect("1000 0 0 0 0 0", packets);
  packets.erase(packets.begin() + 5);
  expect("999 1 0 0 0 0", packets);
}
GST_END_TEST

// A packet with any flipped bit behind the Ethernet header is never taken for an intact one.
GST_START_TEST(test_every_bit) {
  for (const unsigned version : {4U, 6U}) {
    GenSettings settings;
    settings.size = "99";
    settings.ip_version = version;
    const Packets good = make(1, settings);
    Check check;
    guint64 bad = 0;
    for (std::size_t bit = 8 * 14; bit < 8 * good[0].size(); ++bit) {
      // Class, flow label and hop limit of IPv6 are what no sum covers, and nodes may change.
      if (version == 6 && ((bit >= 116 && bit < 144) || bit / 8 == 21)) continue;
      Bytes packet = good[0];
      packet[bit / 8] = static_cast<std::uint8_t>(packet[bit / 8] ^ (0x80 >> (bit % 8)));
      check.push(packet);
      fail_unless_equals_uint64(check.stat("damaged") + check.stat("foreign"), ++bad);
    }
    fail_unless_equals_uint64(check.stat("packets"), 0);
    fail_unless(check.stat("foreign") < bad / 5);
  }
}
GST_END_TEST

GST_START_TEST(test_every_length) {
  const Packets good = make(1);
  Check check;
  for (std::size_t size = 0; size < good[0].size(); ++size) {
    check.push(Bytes(good[0].begin(), good[0].begin() + static_cast<std::ptrdiff_t>(size)));
  }
  fail_unless_equals_uint64(check.stat("packets"), 0);
  Bytes padded = good[0];
  padded.resize(200);
  check.push(padded);
  fail_unless_equals_uint64(check.stat("packets"), 1);
}
GST_END_TEST

// The end of another packet, as a wrongly chained one has it, with sums that fit it.
GST_START_TEST(test_damage_is_no_loss) {
  GenSettings settings;
  settings.size = "500";
  Packets packets = make(10, settings);
  std::copy(packets[4].begin() + 100, packets[4].end(), packets[5].begin() + 100);
  expect("9 0 0 0 1 0", packets);
  packets.erase(packets.begin() + 7);
  expect("8 1 0 0 1 0", packets);
  Check check("verify-payload=false");
  check.push(packets);
  check.expect("9 1 0 0 0 0");
}
GST_END_TEST

GST_START_TEST(test_foreign) {
  using namespace samples;
  Check check;
  check.push(join({ethernet(kOurMac, kPeerMac, 0x0806), arp(1, kPeerMac, kPeerV4, {}, kOurV4)}));
  check.push(echo_frame());
  check.push(echo_frame_v6());
  check.push(Bytes(14, 0));
  check.push(Bytes());
  check.push(make(3));
  check.expect("3 0 0 0 0 5");
  check.eos();
  fail_unless(check.verdict().empty());
}
GST_END_TEST

GST_START_TEST(test_echo_replies) {
  GenSettings settings;
  settings.protocol = packetplugin::GenProtocol::icmp_echo;
  Packets packets = make(5, settings);
  for (Bytes& packet : packets) {
    packet[34] = 0;  // an echo reply: the sum grows by what the type lost
    const unsigned sum = (packet[36] << 8 | packet[37]) + 0x0800U;
    samples::put16(packet, 36, (sum & 0xffff) + (sum >> 16));
    for (std::size_t i = 0; i < 4; ++i) std::swap(packet[26 + i], packet[30 + i]);
  }
  expect("5 0 0 0 0 0", packets);
}
GST_END_TEST

GST_START_TEST(test_forms_are_equal) {
  GenSettings settings;
  settings.flows = 3;
  settings.size = "imix";
  Packets packets = make(200, settings);
  packets.erase(packets.begin() + 20);
  std::swap(packets[40], packets[100]);
  packets.push_back(packets[7]);
  packets[60][50] ^= 1;
  packets.push_back(samples::echo_frame());
  Check single, list, batch;
  single.push(packets);
  list.push_list(packets);
  batch.push_batch(packets);
  single.expect(list.account());
  single.expect(batch.account());
  fail_unless_equals_uint64(single.stat("bytes"), batch.stat("bytes"));
  fail_unless(single.stat("lost") == 1 && single.stat("damaged") == 1);
}
GST_END_TEST

GST_START_TEST(test_batches_are_welcome_and_bad_ones_damage) {
  Check check;
  GstPad* pad = gst_element_get_static_pad(check.element, "sink");
  GstCaps* caps = gst_pad_get_current_caps(pad);
  GstQuery* query = gst_query_new_allocation(caps, FALSE);
  fail_unless(gst_pad_query(pad, query));
  fail_unless(gst_query_allows_packet_batches(query));
  gst_query_unref(query);
  gst_caps_unref(caps);
  gst_object_unref(pad);
  GstBuffer* batch = rig::make_batch(make(3));
  gst_buffer_get_packet_batch_meta(batch)->packets[1].offset = 1000000;
  GstPad* peer = gst_element_get_static_pad(check.element, "sink");
  fail_unless_equals_int(gst_pad_chain(peer, batch), GST_FLOW_OK);
  gst_object_unref(peer);
  check.expect("2 0 0 0 1 0");
}
GST_END_TEST

GST_START_TEST(test_latency) {
  Check check;
  check.push(make(10));
  fail_unless(check.stat("latency-min") <= check.stat("latency-p50"));
  fail_unless(check.stat("latency-p50") <= check.stat("latency-p99"));
  fail_unless(check.stat("latency-p99") <= check.stat("latency-p999"));
  fail_unless(check.stat("latency-p999") <= check.stat("latency-max"));
  fail_unless(check.stat("latency-max") > 0);
  GstStructure* stats = check.stats();
  double pps = 0, bps = 0;
  fail_unless(gst_structure_get_double(stats, "rate-pps", &pps) && pps > 0);
  fail_unless(gst_structure_get_double(stats, "rate-bps", &bps) && bps > pps);
  gst_structure_free(stats);
}
GST_END_TEST

// ---- The end ----------------------------------------------------------------------------------

GST_START_TEST(test_count) {
  Check check("count=10 timeout=0");
  const Packets packets = make(12);
  for (std::size_t i = 0; i < 9; ++i) fail_unless_equals_int(check.push(packets[i]), GST_FLOW_OK);
  fail_unless_equals_int(check.push(packets[9]), GST_FLOW_EOS);
  fail_unless(check.verdict().empty());
  fail_unless_equals_int(check.push(packets[10]), GST_FLOW_EOS);
  check.eos();  // what upstream then says
  fail_unless_equals_int(check.count(GST_MESSAGE_EOS | GST_MESSAGE_ERROR | GST_MESSAGE_ELEMENT), 0);
  fail_unless_equals_uint64(check.stat("packets"), 10);
  // The bin forgets in PAUSED.
  gst_element_set_state(check.element, GST_STATE_PAUSED);
  gst_element_set_state(check.element, GST_STATE_PLAYING);
  fail_unless_equals_int(check.count(GST_MESSAGE_EOS), 1);
}
GST_END_TEST

GST_START_TEST(test_count_with_faults) {
  Check check("count=10 timeout=0");
  Packets packets = make(12);
  std::swap(packets[3], packets[4]);
  packets.erase(packets.begin() + 6);
  fail_unless_equals_int(check.push_list(packets), GST_FLOW_EOS);
  const std::string text = check.verdict();
  fail_unless_equals_string(text.c_str(),
                            "11 of 10 packets arrived intact: 1 lost, 0 duplicate, 1 reordered, 0 "
                            "damaged, 0 foreign.");
  check.eos();
  fail_unless_equals_int(check.count(GST_MESSAGE_ERROR | GST_MESSAGE_ELEMENT), 0);
}
GST_END_TEST

GST_START_TEST(test_timeout) {
  Check check("count=10 timeout=0");
  check.push(make(7));
  g_object_set(check.element, "timeout", 30, nullptr);  // now that all of them are there
  const std::string text = check.verdict();
  fail_unless(text.find("7 of 10 packets arrived intact: 3 lost,") == 0, "%s", text.c_str());
  fail_unless_equals_uint64(check.stat("lost"), 3);
  fail_unless_equals_int(check.push(make(1)), GST_FLOW_EOS);
}
GST_END_TEST

namespace {

/** Upstream ends when the verdict is told, on another thread: the order of what is posted. */
class EndDuringVerdict {
 public:
  explicit EndDuringVerdict(Check& check) : check_(check) {
    gst_bus_set_sync_handler(check.bus, see, this, nullptr);
  }
  ~EndDuringVerdict() {
    gst_bus_set_sync_handler(check_.bus, nullptr, nullptr, nullptr);
    if (end_.joinable()) end_.join();
  }
  EndDuringVerdict(const EndDuringVerdict&) = delete;
  EndDuringVerdict& operator=(const EndDuringVerdict&) = delete;

 private:
  static GstBusSyncReply see(GstBus*, GstMessage* message, gpointer data) {
    auto& self = *static_cast<EndDuringVerdict*>(data);
    const GstMessageType type = GST_MESSAGE_TYPE(message);
    if (type == GST_MESSAGE_EOS) self.ended_ = true;
    if (type == GST_MESSAGE_ELEMENT) {
      self.end_ = std::thread([&self] { self.check_.eos(); });
      for (int i = 0; i < 100 && !self.ended_; ++i) g_usleep(1000);
    }
    return GST_BUS_PASS;
  }

  Check& check_;
  std::atomic<bool> ended_{false};
  std::thread end_;
};

}  // namespace

/** What waits for the end of a pipeline learns of the error first. */
GST_START_TEST(test_upstream_ends_while_the_verdict_is_told) {
  Check check("count=10 timeout=0");
  check.push(make(7));
  const EndDuringVerdict end(check);
  g_object_set(check.element, "timeout", 10, nullptr);
  fail_unless(check.verdict().find("7 of 10") == 0);
  gst_message_unref(check.wait(GST_MESSAGE_EOS));
}
GST_END_TEST

GST_START_TEST(test_timeout_without_count_or_packets) {
  Check silent("timeout=30");
  fail_unless(silent.verdict().empty());
  Check nothing("timeout=30 count=1");
  fail_unless(nothing.verdict().find("0 of 1 packet arrived") == 0);
}
GST_END_TEST

GST_START_TEST(test_upstream_ends) {
  Check whole("count=10 timeout=0");
  whole.push(make(9));
  whole.eos();
  fail_unless(whole.verdict().find("9 of 10") == 0);
  Check open;
  open.push(make(9));
  open.eos();
  fail_unless(open.verdict().empty());
}
GST_END_TEST

GST_START_TEST(test_states_start_anew) {
  Check check("count=5 timeout=1000000");
  for (int round = 0; round < 3; ++round) {
    fail_unless_equals_int(check.push(make(5)), GST_FLOW_EOS);
    fail_unless(check.verdict().empty());
    check.stop();
    fail_unless_equals_uint64(check.stat("packets"), 5);  // readable behind the end
    check.play();
    fail_unless_equals_uint64(check.stat("packets"), 0);
  }
}
GST_END_TEST

GST_START_TEST(test_reports) {
  Check check("report-interval=5");
  check.push(make(5));
  for (int i = 0; i < 3; ++i) {
    GstMessage* message = check.wait(GST_MESSAGE_ELEMENT);
    fail_unless(gst_message_has_name(message, "packet-check-progress"));
    gst_message_unref(message);
  }
}
GST_END_TEST

// Two branches that know nothing of each other end the pipeline together.
GST_START_TEST(test_two_branches) {
  for (const char* line :
       {"packetgen count=100 ! fakesink packetgen ! packetcheck count=5000 timeout=0",
        "packetgen count=100 ! fakesink packetgen rate=1Mpps ! queue ! "
        "packetcheck count=5000 timeout=0",
        "packetgen count=5000 size=imix flows=9 ! queue ! packetcheck",
        "packetgen batches=false count=5000 ! packetcheck count=5000 timeout=0",
        "packetgen protocol=icmp-echo count=5000 ! icmpresponder ! "
        "packetcheck count=5000 timeout=0"}) {
    GstElement* pipeline = gst_parse_launch(line, nullptr);
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    fail_unless(rig::reaches_eos(pipeline));
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(pipeline);
  }
}
GST_END_TEST

GST_START_TEST(test_documentation) {
  documentation::check("packetcheck");
}
GST_END_TEST

static Suite* packetcheck_suite() {
  Suite* suite = suite_create("packetcheck");
  TCase* tcase = tcase_create("all");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, test_all_kinds_are_whole);
  tcase_add_test(tcase, test_loss);
  tcase_add_test(tcase, test_duplicates);
  tcase_add_test(tcase, test_order);
  tcase_add_test(tcase, test_flows_have_numbers_of_their_own);
  tcase_add_test(tcase, test_every_bit);
  tcase_add_test(tcase, test_every_length);
  tcase_add_test(tcase, test_damage_is_no_loss);
  tcase_add_test(tcase, test_foreign);
  tcase_add_test(tcase, test_echo_replies);
  tcase_add_test(tcase, test_forms_are_equal);
  tcase_add_test(tcase, test_batches_are_welcome_and_bad_ones_damage);
  tcase_add_test(tcase, test_latency);
  tcase_add_test(tcase, test_count);
  tcase_add_test(tcase, test_count_with_faults);
  tcase_add_test(tcase, test_timeout);
  tcase_add_test(tcase, test_upstream_ends_while_the_verdict_is_told);
  tcase_add_test(tcase, test_timeout_without_count_or_packets);
  tcase_add_test(tcase, test_upstream_ends);
  tcase_add_test(tcase, test_states_start_anew);
  tcase_add_test(tcase, test_reports);
  tcase_add_test(tcase, test_two_branches);
  tcase_add_test(tcase, test_documentation);
  return suite;
}
GST_CHECK_MAIN(packetcheck)
