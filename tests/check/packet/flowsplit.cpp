// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * flowsplit, and what any element does that spreads packets over request pads.
 */
#include "flowsplit.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <thread>

#include "forms.hpp"
#include "pipeline_end.hpp"
#include "samples.hpp"
#include "tests/check/documentation.hpp"

namespace {

using rig::Bytes;
using Packets = std::vector<Bytes>;

constexpr char kEthernet[] = "application/x-packet,link-type=ethernet";
constexpr char kIp[] = "application/x-packet,link-type=ip";

/** Packet `number` of UDP flow `flow`; the number is in the payload. */
Bytes packet(unsigned flow, unsigned number, const char* caps = kEthernet) {
  Bytes udp = samples::join({{0, 0, 0, 53, 0, 12, 0, 0}, Bytes(4)});
  samples::put16(udp, 0, 10000 + flow);
  samples::put16(udp, 8, number >> 16);
  samples::put16(udp, 10, number & 0xffff);
  samples::V4 header;
  header.protocol = 17;
  const Bytes ip = samples::ipv4(header, udp);
  if (caps == kIp) return ip;
  return samples::join({samples::ethernet(samples::kOurMac, samples::kPeerMac, 0x0800), ip});
}
unsigned flow_of(const Bytes& packet) {
  const std::size_t at = packet.size() - 12;
  return static_cast<unsigned>(packet[at] << 8 | packet[at + 1]) - 10000;
}
unsigned number_of(const Bytes& packet) {
  const std::size_t at = packet.size() - 4;
  return static_cast<unsigned>(packet[at] << 24 | packet[at + 1] << 16 | packet[at + 2] << 8 |
                               packet[at + 3]);
}

/** `rounds` packets of each of `flows` flows, in turns; numbers grow within a flow. */
Packets traffic(unsigned flows, unsigned rounds, const char* caps = kEthernet) {
  Packets out;
  for (unsigned i = 0; i < rounds; ++i) {
    for (unsigned flow = 0; flow < flows; ++flow) out.push_back(packet(flow, i, caps));
  }
  return out;
}

/** A splitter that is fed by a pad of the test, with pads of the test behind its own. */
class SplitRig {
 public:
  explicit SplitRig(unsigned n, const char* factory = "flowsplit")
      : element(gst_element_factory_make(factory, nullptr)),
        bus(gst_bus_new()),
        feed(gst_pad_new("testsrc", GST_PAD_SRC)) {
    fail_unless(element != nullptr);
    gst_object_ref_sink(element);
    gst_element_set_bus(element, bus);
    GstPad* sink = gst_element_get_static_pad(element, "sink");
    fail_unless_equals_int(gst_pad_link(feed, sink), GST_PAD_LINK_OK);
    gst_object_unref(sink);
    for (unsigned i = 0; i < n; ++i) add();
  }
  ~SplitRig() {
    fail_unless_equals_int(gst_element_set_state(element, GST_STATE_NULL),
                           GST_STATE_CHANGE_SUCCESS);
    while (!sinks.empty()) release(sinks.begin()->first);
    gst_pad_set_active(feed, FALSE);
    gst_object_unref(feed);
    gst_element_set_bus(element, nullptr);
    gst_bus_set_flushing(bus, TRUE);
    gst_object_unref(bus);
    ASSERT_OBJECT_REFCOUNT(element, "element", 1);
    gst_object_unref(element);
  }
  SplitRig(const SplitRig&) = delete;
  SplitRig& operator=(const SplitRig&) = delete;

  GstPad* request(const char* name = "src_%u") const {
    GstPad* pad = gst_element_request_pad_simple(element, name);
    fail_unless(pad != nullptr, "no %s", name);
    return pad;
  }
  /** A new pad with the lowest free number. */
  unsigned add(bool takes_batches = false) {
    GstPad* pad = request();
    const auto number = static_cast<unsigned>(std::stoul(GST_PAD_NAME(pad) + 4));
    sinks[number] = std::make_unique<rig::Sink>(pad, takes_batches);
    gst_object_unref(pad);
    return number;
  }
  std::unique_ptr<rig::Sink> release(unsigned number) {
    GstPad* pad = gst_element_get_static_pad(element, ("src_" + std::to_string(number)).c_str());
    gst_element_release_request_pad(element, pad);
    gst_object_unref(pad);
    auto sink = std::move(sinks[number]);
    sinks.erase(number);
    return sink;
  }
  void play(const char* caps = kEthernet) {
    gst_pad_set_active(feed, TRUE);
    fail_unless_equals_int(gst_element_set_state(element, GST_STATE_PLAYING),
                           GST_STATE_CHANGE_SUCCESS);
    rig::send_prologue(feed, caps);
  }
  GstFlowReturn push(const Bytes& bytes) const {
    return gst_pad_push(feed, rig::make_buffer(bytes));
  }
  GstFlowReturn push(const Packets& packets) const {
    return gst_pad_push(feed, rig::make_batch(packets));
  }
  [[nodiscard]] std::uint64_t stat(const std::string& name) const {
    return rig::stat(element, name.c_str());
  }
  [[nodiscard]] std::size_t received() const {
    std::size_t sum = 0;
    for (const auto& [number, sink] : sinks) sum += sink->packets.size();
    return sum;
  }

  GstElement* element;
  GstBus* bus;
  GstPad* feed;
  std::map<unsigned, std::unique_ptr<rig::Sink>> sinks;
};

/** Which pad each flow is on; fails if one is on two, or out of order. */
std::map<unsigned, unsigned> pads_of_flows(const SplitRig& rig) {
  std::map<unsigned, unsigned> pads;
  std::map<unsigned, unsigned> next;
  for (const auto& [number, sink] : rig.sinks) {
    for (const Bytes& bytes : sink->packets) {
      const unsigned flow = flow_of(bytes);
      const auto [at, is_new] = pads.emplace(flow, number);
      fail_unless(at->second == number, "flow %u is on pads %u and %u", flow, at->second, number);
      fail_unless_equals_int(number_of(bytes), next[flow]++);
    }
  }
  return pads;
}

/** Marks the first byte, and sends it where that says: 0 to 3, to all, or nowhere. */
struct Marker {
  enum class Drop { unwanted };
  static constexpr gstpacket::ElementInfo info{"marker", "Marker", "Filter/Network", "Tests",
                                               "Tests"};
  gstpacket::Verdict process(gstpacket::Packet& packet, std::span<const unsigned> pads) {
    fail_unless(std::ranges::is_sorted(pads) && !pads.empty());
    const auto first = std::to_integer<unsigned>(packet.bytes()[0]);
    packet.writable()[1] = std::byte{0x77};
    if (first == 0xff) return gstpacket::flood();
    return first > 4 ? gstpacket::drop(Drop::unwanted) : gstpacket::to(first);
  }
};

}  // namespace

// ---- flows ------------------------------------------------------------------------------------

GST_START_TEST(test_flows_stay_and_spread) {
  for (const char* caps : {kEthernet, kIp}) {
    for (const unsigned pads : {1U, 2U, 3U, 4U, 16U}) {
      constexpr unsigned kFlows = 2000;
      SplitRig rig(pads);
      rig.play(caps);
      for (const Bytes& bytes : traffic(kFlows, 3, caps)) {
        fail_unless_equals_int(rig.push(bytes), GST_FLOW_OK);
      }
      fail_unless_equals_uint64(pads_of_flows(rig).size(), kFlows);
      for (const auto& [number, sink] : rig.sinks) {
        const std::size_t flows = sink->packets.size() / 3;
        const double share = static_cast<double>(flows) * pads / kFlows;
        fail_unless(share > 0.7 && share < 1.3, "%zu flows on 1 of %u pads", flows, pads);
        const std::string name = "port-" + std::to_string(number) + "-packets-out";
        fail_unless_equals_uint64(rig.stat(name), sink->packets.size());
      }
      fail_unless_equals_uint64(rig.stat("packets-out"), 3 * kFlows);
      fail_unless_equals_uint64(rig.stat("dropped"), 0);
    }
  }
}
GST_END_TEST

GST_START_TEST(test_only_flows_that_must_move_do) {
  constexpr unsigned kFlows = 2000;
  SplitRig rig(4);
  rig.play();
  const auto where = [&] {
    for (auto& [number, sink] : rig.sinks) sink->packets.clear();
    fail_unless_equals_int(rig.push(traffic(1, 1)), GST_FLOW_OK);
    for (auto& [number, sink] : rig.sinks) sink->packets.clear();
    for (const Bytes& bytes : traffic(kFlows, 1)) rig.push(bytes);
    return pads_of_flows(rig);
  };
  const auto of_four = where();
  fail_unless_equals_int(rig.add(), 4);
  const auto of_five = where();
  unsigned moved = 0;
  for (const auto& [flow, pad] : of_five) {
    if (pad == of_four.at(flow)) continue;
    fail_unless_equals_int(pad, 4);
    ++moved;
  }
  fail_unless(moved > kFlows / 8 && moved < kFlows / 3, "%u moved", moved);
  rig.release(4);
  fail_unless(where() == of_four, "what the pads are decides, not their history");
  rig.release(1);
  for (const auto& [flow, pad] : where()) {
    fail_unless(pad == of_four.at(flow) || of_four.at(flow) == 1);
  }
}
GST_END_TEST

GST_START_TEST(test_packets_without_a_flow) {
  SplitRig rig(3);
  rig.play();
  const Packets odd{{}, {1}, Bytes(13, 2), Bytes(60, 3)};
  for (int i = 0; i < 2; ++i) fail_unless_equals_int(rig.push(odd), GST_FLOW_OK);
  fail_unless_equals_uint64(rig.received(), 8);
  fail_unless_equals_uint64(rig.stat("dropped"), 0);
}
GST_END_TEST

// ---- forms ------------------------------------------------------------------------------------

namespace {

std::vector<Packets> split(forms::Kind kind, std::size_t batch, bool batches_out) {
  SplitRig rig(0);
  for (int i = 0; i < 4; ++i) rig.add(batches_out);
  rig.play();
  const Packets all = traffic(30, 20);
  forms::Feeder(kind, rig.feed).feed(all, batch);
  std::vector<Packets> out;
  for (const auto& [number, sink] : rig.sinks) {
    out.push_back(sink->packets);
    const std::string name = "port-" + std::to_string(number);
    fail_unless_equals_uint64(rig.stat(name + "-packets-out"), sink->packets.size());
    fail_unless_equals_uint64(rig.stat(name + "-bytes-out"), sink->packets.size() * all[0].size());
  }
  fail_unless_equals_uint64(rig.stat("packets-in"), all.size());
  fail_unless_equals_uint64(rig.stat("bytes-in"), all.size() * all[0].size());
  fail_unless_equals_uint64(rig.stat("packets-out"), all.size());
  fail_unless_equals_uint64(rig.stat("bytes-out"), all.size() * all[0].size());
  return out;
}

}  // namespace

GST_START_TEST(test_forms_agree) {
  const auto expected = split(forms::Kind::plain, 1, false);
  for (const forms::Kind kind : forms::kKinds) {
    for (const std::size_t batch : {1U, 2U, 31U, 33U, 255U, 256U, 257U}) {
      for (const bool out : {false, true}) {
        fail_unless(split(kind, batch, out) == expected, "kind %d, %zu at a time differ",
                    static_cast<int>(kind), batch);
      }
    }
  }
}
GST_END_TEST

GST_START_TEST(test_batches_stay_batches) {
  SplitRig rig(0);
  for (int i = 0; i < 3; ++i) rig.add(true);
  rig.play();
  const Packets all = traffic(200, 1);
  fail_unless_equals_int(rig.push(all), GST_FLOW_OK);
  for (const auto& [number, sink] : rig.sinks) {
    fail_unless_equals_int(sink->batches, 1);
    fail_unless_equals_int(sink->buffers, 1);
  }
  fail_unless_equals_uint64(rig.stat("copies"), 0);
  // One pad that does not take them gets lists; the others are not concerned.
  rig.add(false);
  fail_unless_equals_int(rig.push(all), GST_FLOW_OK);
  fail_unless_equals_int(rig.sinks[3]->lists, 1);
  fail_unless_equals_int(rig.sinks[0]->batches, 2);
  fail_unless_equals_uint64(rig.stat("copies"), rig.sinks[3]->packets.size());
  // What goes one way as a whole stays what it is.
  GstBuffer* batch = rig::make_batch(Packets(100, packet(7, 0)));
  fail_unless_equals_int(gst_pad_push(rig.feed, batch), GST_FLOW_OK);
  fail_unless(std::ranges::any_of(rig.sinks, [&](auto& s) { return s.second->last == batch; }));
}
GST_END_TEST

GST_START_TEST(test_modifying_and_flooding) {
  gstpacket::register_element<Marker>(nullptr);
  for (const bool batches : {false, true}) {
    SplitRig rig(0, "marker");
    for (int i = 0; i < 3; ++i) rig.add(batches);
    rig.play();
    const Packets all{{0, 1}, {1, 1}, {0xff, 1}, {2, 1}, {4, 1}, {9, 1}, {0xff, 2}};
    if (batches) {
      fail_unless_equals_int(rig.push(all), GST_FLOW_OK);
    } else {
      for (const Bytes& bytes : all) fail_unless_equals_int(rig.push(bytes), GST_FLOW_OK);
    }
    for (const auto& [number, sink] : rig.sinks) {
      const auto own = static_cast<std::uint8_t>(number);
      const Packets expected = number == 2 ? Packets{{0xff, 0x77}, {2, 0x77}, {0xff, 0x77}}
                                           : Packets{{own, 0x77}, {0xff, 0x77}, {0xff, 0x77}};
      fail_unless(sink->packets == expected, "pad %u", number);
    }
    fail_unless_equals_uint64(rig.stat("flooded"), 2);
    fail_unless_equals_uint64(rig.stat("drop-unwanted"), 1);
    fail_unless_equals_uint64(rig.stat("drop-unlinked"), 1);  // there is no pad 4
    fail_unless_equals_uint64(rig.stat("packets-out"), 9);
  }
}
GST_END_TEST

// ---- branches ---------------------------------------------------------------------------------

GST_START_TEST(test_one_branch_that_is_down) {
  for (const GstFlowReturn down : {GST_FLOW_FLUSHING, GST_FLOW_EOS}) {
    SplitRig rig(3);
    rig.play();
    rig.sinks[1]->flow = down;
    const Packets all = traffic(100, 1);
    for (int i = 0; i < 3; ++i) fail_unless_equals_int(rig.push(all), GST_FLOW_OK);
    const std::size_t lost = rig.sinks[1]->packets.size();
    fail_unless(lost > 0);
    fail_unless_equals_uint64(rig.received(), 300);
    fail_unless_equals_uint64(rig.stat("drop-port-down"), lost);
    fail_unless_equals_uint64(rig.stat("dropped"), lost);
    fail_unless_equals_uint64(rig.stat("port-1-dropped"), lost);
    fail_unless_equals_uint64(rig.stat("port-1-packets-out"), 0);
    fail_unless_equals_uint64(rig.stat("packets-out"), 300 - lost);
    // All are down: upstream need not go on.
    for (auto& [number, sink] : rig.sinks) sink->flow = down;
    fail_unless_equals_int(rig.push(all), down);
    for (auto& [number, sink] : rig.sinks) sink->flow = GST_FLOW_OK;
    fail_unless_equals_int(rig.push(all), GST_FLOW_OK);
  }
}
GST_END_TEST

GST_START_TEST(test_one_branch_that_fails) {
  for (const GstFlowReturn wrong : {GST_FLOW_ERROR, GST_FLOW_NOT_NEGOTIATED}) {
    SplitRig rig(3);
    rig.play();
    rig.sinks[1]->flow = wrong;
    fail_unless_equals_int(rig.push(traffic(100, 1)), wrong);
    fail_unless_equals_uint64(rig.received(), 100);  // the others got theirs all the same
    fail_unless_equals_uint64(rig.stat("port-1-dropped"), rig.sinks[1]->packets.size());
  }
}
GST_END_TEST

GST_START_TEST(test_pads_that_lead_nowhere) {
  SplitRig rig(0);
  rig.play();
  fail_unless_equals_int(rig.push(traffic(5, 1)), GST_FLOW_NOT_LINKED);
  fail_unless_equals_uint64(rig.stat("drop-unlinked"), 5);
  GstPad* pad = rig.request();
  fail_unless_equals_int(rig.push(traffic(5, 1)), GST_FLOW_NOT_LINKED);
  fail_unless_equals_uint64(rig.stat("drop-unlinked"), 10);
  rig.add();
  fail_unless_equals_int(rig.push(traffic(100, 1)), GST_FLOW_OK);
  fail_unless_equals_uint64(rig.stat("drop-unlinked") + rig.received(), 110);
  fail_unless(rig.received() > 20 && rig.received() < 80);
  gst_element_release_request_pad(rig.element, pad);
  gst_object_unref(pad);
  fail_unless_equals_uint64(rig.stat("packets-in"), 110);
}
GST_END_TEST

// ---- events and states ------------------------------------------------------------------------

GST_START_TEST(test_events_reach_all_pads) {
  using Events = std::vector<GstEventType>;
  const Events prologue{GST_EVENT_STREAM_START, GST_EVENT_CAPS, GST_EVENT_SEGMENT};
  SplitRig rig(2);
  rig.play();
  for (const auto& [number, sink] : rig.sinks) fail_unless(sink->events == prologue);
  // A pad that is added later gets them before its first packet.
  rig.add();
  while (rig.sinks[2]->packets.empty()) rig.push(traffic(100, 1));
  fail_unless(rig.sinks[2]->events == prologue);
  gst_pad_push_event(rig.feed, gst_event_new_flush_start());
  gst_pad_push_event(rig.feed, gst_event_new_flush_stop(TRUE));
  rig::send_prologue(rig.feed);
  fail_unless_equals_int(rig.push(traffic(100, 1)), GST_FLOW_OK);
  gst_pad_push_event(rig.feed, gst_event_new_eos());
  for (const auto& [number, sink] : rig.sinks) fail_unless(sink->ended);
  fail_unless_equals_int(rig.push(traffic(1, 1)), GST_FLOW_EOS);
}
GST_END_TEST

GST_START_TEST(test_flush_forgets_what_was_down) {
  SplitRig rig(1);
  rig.play();
  rig.sinks[0]->flow = GST_FLOW_EOS;
  fail_unless_equals_int(rig.push(traffic(1, 1)), GST_FLOW_EOS);
  gst_pad_push_event(rig.feed, gst_event_new_flush_start());
  gst_pad_push_event(rig.feed, gst_event_new_flush_stop(TRUE));
  rig.sinks[0]->flow = GST_FLOW_OK;
  rig::send_prologue(rig.feed);
  fail_unless_equals_int(rig.push(traffic(1, 1)), GST_FLOW_OK);
}
GST_END_TEST

GST_START_TEST(test_wrong_caps_and_none) {
  for (const char* caps : {"application/x-packet,link-type=punt", "audio/x-raw"}) {
    SplitRig rig(1);
    rig.play(caps);
    fail_unless_equals_int(rig.push(packet(1, 1)), GST_FLOW_NOT_NEGOTIATED);
    fail_unless(rig.sinks[0]->packets.empty());
  }
  SplitRig rig(1);
  rig.play(nullptr);
  fail_unless_equals_int(rig.push(packet(1, 1)), GST_FLOW_NOT_NEGOTIATED);
}
GST_END_TEST

GST_START_TEST(test_caps_of_all_pads_count) {
  GstElement* bin = gst_parse_bin_from_description(
      "flowsplit name=s  s. ! application/x-packet,link-type=ip ! fakesink  s. ! fakesink", FALSE,
      nullptr);
  gst_object_ref_sink(bin);
  GstElement* element = gst_bin_get_by_name(GST_BIN(bin), "s");
  GstPad* sink = gst_element_get_static_pad(element, "sink");
  GstCaps* caps = gst_pad_query_caps(sink, nullptr);
  GstCaps* ip = gst_caps_from_string(kIp);
  fail_unless(gst_caps_is_equal(caps, ip), "%s", gst_caps_to_string(caps));
  gst_caps_unref(ip);
  gst_caps_unref(caps);
  gst_object_unref(sink);
  gst_object_unref(element);
  gst_object_unref(bin);
}
GST_END_TEST

GST_START_TEST(test_allocation_is_answered_here) {
  SplitRig rig(2);
  rig.play();
  GstCaps* caps = gst_caps_from_string(kEthernet);
  GstQuery* query = gst_query_new_allocation(caps, TRUE);
  fail_unless(gst_pad_peer_query(rig.feed, query));
  fail_unless(gst_query_allows_packet_batches(query));
  fail_unless_equals_int(gst_query_get_n_allocation_pools(query), 0);
  gst_query_unref(query);
  gst_caps_unref(caps);
}
GST_END_TEST

GST_START_TEST(test_pad_names) {
  SplitRig rig(0);
  const auto name = [&](const char* wanted) -> std::string {
    GstPad* pad = gst_element_request_pad_simple(rig.element, wanted);
    if (pad == nullptr) return "";
    const std::string out = GST_OBJECT_NAME(pad);
    gst_object_unref(pad);
    return out;
  };
  fail_unless(name("src_%u") == "src_0");
  fail_unless(name("src_2") == "src_2");
  fail_unless(name("src_%u") == "src_1");
  fail_unless(name("src_252") == "src_252");
  fail_unless(name("src_253") == "");
}
GST_END_TEST

GST_START_TEST(test_all_state_changes) {
  SplitRig rig(2);
  for (unsigned round = 0; round < 3; ++round) {
    rig.play();
    fail_unless_equals_int(rig.push(traffic(50, 1)), GST_FLOW_OK);
    fail_unless_equals_uint64(rig.stat("packets-in"), 50);
    for (const GstState state : {GST_STATE_PAUSED, GST_STATE_PLAYING, GST_STATE_READY}) {
      fail_unless_equals_int(gst_element_set_state(rig.element, state), GST_STATE_CHANGE_SUCCESS);
    }
    fail_unless_equals_int(rig.push(packet(1, 1)), GST_FLOW_FLUSHING);
    if (round == 1) gst_element_set_state(rig.element, GST_STATE_NULL);
  }
}
GST_END_TEST

// ---- threads ----------------------------------------------------------------------------------

GST_START_TEST(test_pads_come_and_go_while_packets_flow) {
  SplitRig rig(2);
  rig.play();
  std::atomic<bool> stop{false};
  std::atomic<int> flow{GST_FLOW_OK};
  std::atomic<std::uint64_t> sent{0};
  std::thread feeder([&] {
    const Packets all = traffic(64, 1);
    for (unsigned i = 0; !stop; ++i) {
      const GstFlowReturn now = i % 2 == 0 ? rig.push(all) : rig.push(all[i % 64]);
      if (now != GST_FLOW_OK) flow = now;
      sent += i % 2 == 0 ? all.size() : 1;
    }
  });
  std::vector<std::unique_ptr<rig::Sink>> gone;  // the last packets may still be on their way
  for (unsigned i = 0; i < 100; ++i) {
    // Without waiting, and after some packets.
    const unsigned number = rig.add(i % 3 == 0);
    const std::uint64_t before = sent;
    while (i % 4 != 0 && sent < before + 200) std::this_thread::yield();
    gone.push_back(rig.release(number));
    fail_unless_equals_int(number, 2);
  }
  stop = true;
  feeder.join();
  fail_unless_equals_int(flow.load(), GST_FLOW_OK);
  std::uint64_t received = rig.received();
  for (const auto& sink : gone) received += sink->packets.size();
  // What was on its way to a pad that went is counted.
  fail_unless_equals_uint64(received + rig.stat("dropped"), sent.load());
  fail_unless_equals_uint64(rig.stat("drop-port-down") + rig.stat("drop-unlinked"),
                            rig.stat("dropped"));
  // The others have more than half of the flows, whatever becomes of this one's.
  fail_unless(received > 2000 && rig.stat("dropped") < received);
}
GST_END_TEST

GST_START_TEST(test_queues_behind_it) {
  GstElement* pipeline = gst_parse_launch(
      "packetgen count=20000 flows=64 ! flowsplit name=s  packetcheck name=c0  packetcheck name=c1 "
      " packetcheck name=c2  s. ! queue ! c0.  s. ! queue ! c1.  s. ! queue ! c2.",
      nullptr);
  fail_unless(pipeline != nullptr);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  fail_unless(rig::reaches_eos(pipeline));
  std::uint64_t packets = 0, flows = 0;
  for (const char* name : {"c0", "c1", "c2"}) {
    GstElement* check = gst_bin_get_by_name(GST_BIN(pipeline), name);
    packets += rig::stat(check, "packets");
    flows += rig::stat(check, "flows");
    for (const char* wrong : {"lost", "reordered", "duplicate", "damaged"}) {
      fail_unless_equals_uint64(rig::stat(check, wrong), 0);
    }
    gst_object_unref(check);
  }
  fail_unless_equals_uint64(packets, 20000);
  fail_unless_equals_uint64(flows, 64);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
}
GST_END_TEST

GST_START_TEST(test_documentation) {
  // It has no property of its own but that one.
  const SplitRig rig(0);
  documentation::check_stats(rig.element);
}
GST_END_TEST

static Suite* flowsplit_suite() {
  Suite* s = suite_create("flowsplit");
  TCase* tc = tcase_create("general");
  suite_add_tcase(s, tc);
  tcase_add_test(tc, test_flows_stay_and_spread);
  tcase_add_test(tc, test_only_flows_that_must_move_do);
  tcase_add_test(tc, test_packets_without_a_flow);
  tcase_add_test(tc, test_forms_agree);
  tcase_add_test(tc, test_batches_stay_batches);
  tcase_add_test(tc, test_modifying_and_flooding);
  tcase_add_test(tc, test_one_branch_that_is_down);
  tcase_add_test(tc, test_one_branch_that_fails);
  tcase_add_test(tc, test_pads_that_lead_nowhere);
  tcase_add_test(tc, test_events_reach_all_pads);
  tcase_add_test(tc, test_flush_forgets_what_was_down);
  tcase_add_test(tc, test_wrong_caps_and_none);
  tcase_add_test(tc, test_caps_of_all_pads_count);
  tcase_add_test(tc, test_allocation_is_answered_here);
  tcase_add_test(tc, test_pad_names);
  tcase_add_test(tc, test_all_state_changes);
  tcase_add_test(tc, test_pads_come_and_go_while_packets_flow);
  tcase_add_test(tc, test_queues_behind_it);
  tcase_add_test(tc, test_documentation);
  return s;
}

GST_CHECK_MAIN(flowsplit)
