// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The bridge: what it learns, where it sends, and what happens when ports and threads come and go.
 */
#include <random>
#include <thread>

#include "bridge_rig.hpp"
#include "gst/packet/batch.hpp"
#include "gst/packet/element.hpp"
#include "gst/packet/switch_event.hpp"
#include "mac_table.hpp"
#include "tests/check/documentation.hpp"

namespace {

using rig::BridgePort;
using rig::BridgeRig;
using rig::Bytes;
using rig::frame;
using rig::kBroadcast;
using rig::station;
using rig::tagged;
using Packets = std::vector<Bytes>;

const Bytes kA = station(1), kB = station(2), kC = station(3);

/** A sends on port 0, B on port 1, both broadcast; the output is discarded. */
void introduce(BridgeRig& rig) {
  rig[0].push(frame(kBroadcast, kA));
  rig[1].push(frame(kBroadcast, kB));
  for (auto& port : rig.ports) port->take();
}

}  // namespace

// ---- forwarding -------------------------------------------------------------------------------

GST_START_TEST(test_flood_then_learn) {
  BridgeRig rig;
  rig.play();
  const Bytes question = frame(kB, kA, 1), answer = frame(kA, kB, 2);
  fail_unless_equals_int(rig[0].push(question), GST_FLOW_OK);
  fail_unless(rig[0].take().empty(), "nothing goes back");
  fail_unless(rig[1].take() == Packets{question} && rig[2].take() == Packets{question});
  rig[1].push(answer);
  fail_unless(rig[0].take() == Packets{answer} && rig[1].take().empty() && rig[2].take().empty());
  rig[0].push(question);
  fail_unless(rig[1].take() == Packets{question} && rig[2].take().empty());
  fail_unless_equals_uint64(rig.stat("learned"), 2);
  fail_unless_equals_uint64(rig.stat("stations"), 2);
  fail_unless_equals_uint64(rig.stat("flooded"), 1);
  fail_unless_equals_uint64(rig.stat("packets-in"), 3);
  fail_unless_equals_uint64(rig.stat("packets-out"), 4);
  fail_unless_equals_uint64(rig.stat("bytes-out"), 240);
  fail_unless_equals_uint64(rig.stat("dropped"), 0);
  fail_unless_equals_uint64(rig.stat("port-0-packets-in"), 2);
  fail_unless_equals_uint64(rig.stat("port-0-packets-out"), 1);
  fail_unless_equals_uint64(rig.stat("port-1-packets-out"), 2);
  fail_unless_equals_uint64(rig.stat("port-2-packets-out"), 1);
}
GST_END_TEST

GST_START_TEST(test_groups_are_flooded) {
  BridgeRig rig(4);
  rig.play();
  introduce(rig);
  const Bytes multicast{0x01, 0x00, 0x5e, 0, 0, 1}, v6{0x33, 0x33, 0, 0, 0, 1};
  for (const Bytes& group : {kBroadcast, multicast, v6}) {
    rig[1].push(frame(group, kB));
    fail_unless(rig[1].take().empty());
    for (const std::size_t port : {0, 2, 3}) fail_unless_equals_uint64(rig[port].take().size(), 1);
  }
}
GST_END_TEST

GST_START_TEST(test_no_hairpin) {
  BridgeRig rig;
  rig.play();
  introduce(rig);
  rig[0].push(frame(kBroadcast, kC));  // C is behind port 0, as A
  for (auto& port : rig.ports) port->take();
  rig[0].push(frame(kC, kA));
  for (auto& port : rig.ports) fail_unless(port->take().empty());
  fail_unless_equals_uint64(rig.stat("drop-same-port"), 1);
}
GST_END_TEST

GST_START_TEST(test_moved_station) {
  BridgeRig rig;
  rig.play();
  introduce(rig);
  rig[2].push(frame(kBroadcast, kA));  // was on port 0
  for (auto& port : rig.ports) port->take();
  rig[1].push(frame(kA, kB));
  fail_unless(rig[0].take().empty());
  fail_unless_equals_uint64(rig[2].take().size(), 1);
  fail_unless_equals_uint64(rig.stat("moved"), 1);
  fail_unless_equals_uint64(rig.stat("learned"), 2);
}
GST_END_TEST

GST_START_TEST(test_vlans_are_separate) {
  BridgeRig rig;
  rig.play();
  rig[0].push(tagged(kBroadcast, kA, 5));
  rig[1].push(tagged(kBroadcast, kA, 6));  // the same address elsewhere, in another VLAN
  for (auto& port : rig.ports) port->take();
  rig[2].push(tagged(kA, kB, 0xa005));  // priority 5, VLAN 5
  fail_unless(rig[0].take().size() == 1 && rig[1].take().empty());
  rig[2].push(tagged(kA, kB, 6));
  fail_unless(rig[0].take().empty() && rig[1].take().size() == 1);
  rig[2].push(tagged(kA, kB, 7));
  fail_unless(rig[0].take().size() == 1 && rig[1].take().size() == 1, "unknown in VLAN 7");
  fail_unless_equals_uint64(rig.stat("moved"), 0);
}
GST_END_TEST

GST_START_TEST(test_priority_tag_is_no_vlan) {
  BridgeRig rig;
  rig.play();
  rig[0].push(tagged(kBroadcast, kA, 0xe000));
  for (auto& port : rig.ports) port->take();
  rig[1].push(frame(kA, kB));
  fail_unless(rig[0].take().size() == 1 && rig[2].take().empty());
}
GST_END_TEST

GST_START_TEST(test_dropped) {
  BridgeRig rig;
  rig.play();
  introduce(rig);
  for (std::uint8_t last = 0; last < 16; ++last) {
    rig[0].push(frame({0x01, 0x80, 0xc2, 0, 0, last}, kA));
  }
  fail_unless_equals_uint64(rig.stat("drop-reserved-destination"), 16);
  for (auto& port : rig.ports) fail_unless(port->take().empty());
  rig[0].push(frame({0x01, 0x80, 0xc2, 0, 0, 0x10}, kA));
  fail_unless_equals_uint64(rig[1].take().size(), 1);
  rig[2].take();

  rig[0].push(frame(kB, kBroadcast));
  rig[0].push(frame(kB, {0x33, 0x33, 0, 0, 0, 1}));
  rig[0].push(frame(kB, Bytes(6)));
  fail_unless_equals_uint64(rig.stat("drop-bad-source"), 3);
  Bytes stub = frame(kB, kA);
  stub.resize(13);
  rig[0].push(stub);
  rig[0].push(Bytes{});
  stub = tagged(kB, kA, 5);
  stub.resize(17);
  rig[0].push(stub);
  fail_unless_equals_uint64(rig.stat("drop-too-short"), 3);
  for (auto& port : rig.ports) fail_unless(port->take().empty());
  fail_unless_equals_uint64(rig.stat("dropped"), 22);
  fail_unless_equals_uint64(rig.stat("stations"), 2);
}
GST_END_TEST

// ---- the table --------------------------------------------------------------------------------

namespace {
packetplugin::Station of(unsigned n, std::uint16_t vlan = 0) {
  packetplugin::Station out{vlan, {}};
  const Bytes mac = station(n);
  std::copy(mac.begin(), mac.end(), out.mac.bytes.begin());
  return out;
}
}  // namespace

GST_START_TEST(test_table_ageing) {
  packetplugin::MacTable table(64);
  table.learn(of(1), 3, 100, 50);
  fail_unless(table.find(of(1), 149, 50) == 3U);
  fail_unless(!table.find(of(1), 150, 50));
  fail_unless(table.find(of(1), 100000, 0) == 3U, "0 is for ever");
  fail_unless(table.find(of(1), 99, 50) == 3U, "a clock read a moment earlier");
  table.learn(of(1), 3, 140, 50);
  fail_unless(table.find(of(1), 189, 50) == 3U, "seen again");
  fail_unless_equals_uint64(table.expire(189, 50), 1);
  fail_unless_equals_uint64(table.expire(190, 50), 0);
  fail_unless_equals_uint64(table.counts().aged, 1);
  table.learn(of(1), 4, 200, 50);
  fail_unless_equals_uint64(table.counts().learned, 2);
  fail_unless_equals_uint64(table.counts().moved, 0);
  const std::uint32_t before_wrap = 0xfffffff0U;
  table.learn(of(2), 1, before_wrap, 50);
  fail_unless(table.find(of(2), before_wrap + 40, 50) == 1U);
  fail_unless(!table.find(of(2), before_wrap + 60, 50));
}
GST_END_TEST

GST_START_TEST(test_table_flood_stays_on_its_port) {
  // 200 stations on ports 1 and 2, then a flood of addresses on port 0.
  packetplugin::MacTable table(4096, 42);
  for (unsigned n = 0; n < 200; ++n) table.learn(of(n), 1 + n % 2, 0, 2400);
  for (unsigned n = 0; n < 500000; ++n) table.learn(of(1000000 + n), 0, n / 1000, 2400);
  unsigned known = 0;
  for (unsigned n = 0; n < 200; ++n) known += table.find(of(n), 500, 2400) == 1 + n % 2 ? 1U : 0U;
  fail_unless(known >= 199, "%u of 200 stations left", known);
  fail_unless(table.expire(500, 2400) <= table.capacity());
  fail_unless(table.capacity() == 4096);
  fail_unless(table.counts().evicted > 490000);
}
GST_END_TEST

GST_START_TEST(test_table_flood_spares_who_is_talked_to) {
  // The flood comes in by the port of the good stations.
  packetplugin::MacTable table(4096, 43);
  for (unsigned n = 0; n < 100; ++n) {
    table.learn(of(n), 0, 0, 2400);
    fail_unless(table.find(of(n), 0, 2400) == 0U);
  }
  for (unsigned n = 0; n < 500000; ++n) table.learn(of(1000000 + n), 0, 1 + n / 1000, 2400);
  unsigned known = 0;
  for (unsigned n = 0; n < 100; ++n) known += table.find(of(n), 600, 2400) ? 1U : 0U;
  fail_unless_equals_int(known, 100);
}
GST_END_TEST

GST_START_TEST(test_table_newcomer_after_flood) {
  packetplugin::MacTable table(64, 44);
  for (unsigned n = 0; n < 10000; ++n) table.learn(of(1000000 + n), 0, 0, 0);
  for (unsigned n = 0; n < 20; ++n) {
    table.learn(of(n), 1, 1, 0);
    fail_unless(table.find(of(n), 1, 0) == 1U, "a full table learns");
  }
}
GST_END_TEST

GST_START_TEST(test_table_smallest) {
  for (const std::size_t entries : {1, 8, 15, 16}) {
    packetplugin::MacTable table(entries);
    fail_unless_equals_uint64(table.capacity(), entries < 16 ? 8 : 16);
    for (unsigned n = 0; n < 300; ++n) table.learn(of(n), n % 200, n, 0);
    fail_unless(table.find(of(299), 300, 0) == 99U);
    table.forget_port(99);
    fail_unless(!table.find(of(299), 300, 0));
  }
}
GST_END_TEST

GST_START_TEST(test_table_threads) {
  // Two ports learn and look up at once; a station is never found where it was never seen.
  packetplugin::MacTable table(256);
  std::atomic<unsigned> wrong{0};
  const auto work = [&](unsigned port) {
    std::mt19937 random(port);
    for (unsigned i = 0; i < 40000; ++i) {
      table.learn(of(static_cast<unsigned>(random() % 1000) * 2 + port), port, i / 100, 300);
      const unsigned n = static_cast<unsigned>(random() % 2000);
      const auto found = table.find(of(n), i / 100, 300);
      if (found && *found != n % 2) ++wrong;
    }
  };
  std::thread one(work, 0), two(work, 1);
  one.join();
  two.join();
  fail_unless_equals_int(wrong.load(), 0);
}
GST_END_TEST

GST_START_TEST(test_ageing_time) {
  BridgeRig rig;
  g_object_set(rig.element, "ageing-time", 0, nullptr);
  rig.play();
  introduce(rig);
  g_usleep(1300 * 1000);
  rig[0].push(frame(kB, kA));
  fail_unless(rig[2].take().empty(), "0 never forgets");
  g_object_set(rig.element, "ageing-time", 1, nullptr);  // while PLAYING
  rig[0].push(frame(kB, kA));
  fail_unless_equals_uint64(rig[2].take().size(), 1);
  // On a machine that is busy A may be as old by now.
  fail_unless(rig.stat("stations") <= 1);
  fail_unless(rig.stat("aged") >= 1);
}
GST_END_TEST

GST_START_TEST(test_mac_flood) {
  BridgeRig rig;
  g_object_set(rig.element, "max-entries", 256, nullptr);
  rig.play();
  introduce(rig);
  for (unsigned round = 0; round < 100; ++round) {
    Packets flood;
    for (unsigned i = 0; i < 200; ++i) flood.push_back(frame(kA, station(1000 + round * 200 + i)));
    rig[2].push(flood);
    for (auto& port : rig.ports) port->take();
    rig[0].push(frame(kB, kA));
    rig[1].push(frame(kA, kB));
    fail_unless(rig[2].take().empty(), "flooded in round %u", round);
  }
  fail_unless(rig.stat("stations") <= 256);
  fail_unless(rig.stat("evicted") > 19000);
}
GST_END_TEST

// ---- forms ------------------------------------------------------------------------------------

namespace {

struct Outcome {
  std::vector<Packets> ports;
  std::string stats;
  bool operator==(const Outcome&) const = default;
};

Packets mixed(std::size_t n) {
  std::mt19937 random(static_cast<unsigned>(n));
  Packets out;
  for (unsigned i = 0; i < n; ++i) {
    const unsigned kind = static_cast<unsigned>(random() % 12);
    Bytes packet = frame(station(static_cast<unsigned>(random() % 8)),
                         station(static_cast<unsigned>(20 + random() % 6)), i);
    if (kind == 0) packet = frame(kBroadcast, kA, i);
    if (kind == 1) packet = frame(kB, kBroadcast, i);
    if (kind == 2) packet.resize(9);
    if (kind == 3) packet = frame({0x01, 0x80, 0xc2, 0, 0, 3}, kA, i);
    if (kind == 4) packet = tagged(station(2), station(30), 9, i);
    out.push_back(packet);
  }
  return out;
}

enum class Form { list, batch };

Outcome forward(const Packets& packets, std::size_t batch, Form form = Form::list,
                std::span<const unsigned> taking_batches = {}) {
  BridgeRig rig(4);
  for (const unsigned port : taking_batches) rig[port].out->takes_batches = true;
  rig.play();
  for (unsigned n = 0; n < 6; ++n) rig[1 + n % 3].push(frame(station(90), station(n)));
  rig[0].push(frame(station(91), station(6)));  // behind port 0 itself; 7 is unknown
  for (auto& port : rig.ports) port->take();
  for (std::size_t at = 0; at < packets.size(); at += batch) {
    const auto end = std::min(at + batch, packets.size());
    GstFlowReturn flow = GST_FLOW_OK;
    if (form == Form::batch) {
      flow = gst_pad_push(rig[0].feed(), rig::make_batch(std::span(packets).subspan(at, end - at)));
    } else if (batch == 1) {
      flow = rig[0].push(packets[at]);
    } else {
      flow = rig[0].push(Packets(packets.begin() + static_cast<long>(at),
                                 packets.begin() + static_cast<long>(end)));
    }
    fail_unless_equals_int(flow, GST_FLOW_OK);
  }
  Outcome out;
  for (auto& port : rig.ports) out.ports.push_back(port->take());
  out.stats = rig.stats_of_packets();
  return out;
}

}  // namespace

GST_START_TEST(test_lists_are_as_singles) {
  for (const std::size_t n : {1, 2, 31, 32, 33, 255, 256, 257, 600}) {
    const Packets packets = mixed(n);
    const Outcome singles = forward(packets, 1);
    for (const std::size_t batch : {2UL, 7UL, 256UL, n}) {
      const Outcome lists = forward(packets, batch);
      fail_unless(lists == singles, "%zu packets in lists of %zu: %s, %s", n, batch,
                  lists.stats.c_str(), singles.stats.c_str());
    }
    fail_unless(singles.ports[0].empty());
  }
}
GST_END_TEST

GST_START_TEST(test_batches_are_as_singles) {
  const std::vector<std::vector<unsigned>> takers{{}, {0, 1, 2, 3}, {2}, {1, 3}};
  for (const std::size_t n : {1, 2, 31, 32, 33, 255, 256, 257, 600}) {
    const Packets packets = mixed(n);
    Outcome singles = forward(packets, 1);
    for (const auto& taking : takers) {
      for (const std::size_t batch : {1UL, 7UL, 256UL}) {
        const Outcome batches = forward(packets, batch, Form::batch, taking);
        for (std::size_t port = 0; port < singles.ports.size(); ++port) {
          fail_unless(batches.ports[port] == singles.ports[port],
                      "%zu packets in batches of %zu, to %zu ports that take them: port %zu", n,
                      batch, taking.size(), port);
        }
      }
    }
  }
}
GST_END_TEST

GST_START_TEST(test_damaged_batches) {
  BridgeRig rig;
  rig.play();
  const Bytes packet = rig::frame(rig::station(1), rig::station(2));
  for (const guint n : {0U, 1U, 257U}) {
    for (const unsigned memories : {0U, 2U}) {
      GstBuffer* batch = rig::make_batch({&packet, 1});
      gst_buffer_get_packet_batch_meta(batch)->n = n;
      if (memories == 0) gst_buffer_remove_all_memory(batch);
      if (memories == 2) gst_buffer_append_memory(batch, gst_allocator_alloc(nullptr, 9, nullptr));
      fail_unless_equals_int(gst_pad_push(rig[0].feed(), batch), GST_FLOW_OK);
    }
  }
  // Each is one unreadable packet, whatever its descriptors say.
  fail_unless_equals_uint64(rig.stat("drop-unreadable"), 6);
  fail_unless_equals_uint64(rig.stat("packets-in"), 6);
  fail_unless_equals_uint64(rig.stat("dropped"), 6);
}
GST_END_TEST

GST_START_TEST(test_lists_of_batches) {
  BridgeRig rig;
  rig.play();
  introduce(rig);
  const Packets two{frame(kB, kA, 1), frame(kBroadcast, kA, 2)};
  GstBufferList* both = gst_buffer_list_new();
  gst_buffer_list_add(both, rig::make_batch(two));
  gst_buffer_list_add(both, rig::make_buffer(two[0]));
  fail_unless_equals_int(gst_pad_push_list(rig[0].feed(), both), GST_FLOW_OK);
  fail_unless((rig[1].take() == Packets{two[0], two[1], two[0]}));
  fail_unless(rig[2].take() == Packets{two[1]});
}
GST_END_TEST

/** What the packets of a batch are copied for, and for nothing else. */
GST_START_TEST(test_copies_of_batches) {
  BridgeRig rig;
  for (auto& port : rig.ports) port->out->takes_batches = true;
  rig.play();
  introduce(rig);
  const auto send = [&](const Packets& packets) {
    const std::uint64_t before = rig.stat("copies");
    fail_unless_equals_int(gst_pad_push(rig[0].feed(), rig::make_batch(packets)), GST_FLOW_OK);
    for (auto& port : rig.ports) port->take();
    return rig.stat("copies") - before;
  };
  rig[2].push(frame(kBroadcast, kC));
  for (auto& port : rig.ports) port->take();
  const Bytes to_b = frame(kB, kA), to_c = frame(kC, kA), to_all = frame(kBroadcast, kA);
  fail_unless_equals_uint64(send({to_b, to_b, to_b}), 0);
  fail_unless_equals_uint64(send({to_b, to_c, to_b, to_c}), 0);
  fail_unless_equals_uint64(send({to_all, to_all}), 0);
  // Port 1 has two of them, of which one is port 2's as well.
  fail_unless_equals_uint64(send({to_b, to_all}), 2);
  // A peer that accepts no batches gets one buffer per packet.
  rig[1].out->takes_batches = false;
  gst_pad_push_event(GST_PAD_PEER(rig[1].src()), gst_event_new_reconfigure());
  fail_unless_equals_uint64(send({to_b, to_c, to_b}), 2);
}
GST_END_TEST

/** As behind a tee: ports may write to what they get, but not to what another branch reads. */
GST_START_TEST(test_a_held_batch_does_not_change) {
  for (const bool parts : {false, true}) {
    BridgeRig rig;
    for (auto& port : rig.ports) port->out->takes_batches = true;  // and overwrite what they may
    rig.play();
    introduce(rig);
    rig[2].push(frame(kBroadcast, kC));
    for (auto& port : rig.ports) port->take();
    const Packets packets{frame(kB, kA, 1), frame(parts ? kC : kB, kA, 2)};
    const std::uint64_t copies = rig.stat("copies");
    GstBuffer* batch = rig::make_batch(packets);
    fail_unless_equals_int(gst_pad_push(rig[0].feed(), gst_buffer_ref(batch)), GST_FLOW_OK);
    fail_unless_equals_uint64(rig[1].take().size() + rig[2].take().size(), 2);
    fail_unless(rig::packets_of(batch) == packets, "written to");
    fail_unless_equals_uint64(rig.stat("copies") - copies, parts ? 2 : 0);
    gst_buffer_unref(batch);
  }
}
GST_END_TEST

GST_START_TEST(test_uniform_lists_stay_whole) {
  BridgeRig rig;
  rig.play();
  introduce(rig);
  for (const std::size_t n : {1, 2, 256, 257}) {
    const unsigned lists = rig[1].out->lists;
    rig[0].push(Packets(n, frame(kB, kA)));  // a list even of one
    fail_unless_equals_uint64(rig[1].take().size(), n);
    fail_unless_equals_uint64(rig[1].out->lists, lists + 1);
    rig[0].push(Packets(n, frame(kBroadcast, kA)));
    fail_unless_equals_uint64(rig[1].take().size(), n);
    fail_unless_equals_uint64(rig[2].take().size(), n);
    fail_unless_equals_uint64(rig[1].out->lists, lists + 2);
  }
}
GST_END_TEST

GST_START_TEST(test_change_in_one_branch) {
  // An element that writes stands behind port 1: port 2 must not see it, before or after.
  for (const bool list : {false, true}) {
    BridgeRig rig(4);
    GstElement* writer = gst_element_factory_make("decttl", nullptr);
    fail_unless(writer != nullptr);
    gst_object_ref_sink(writer);
    gst_element_set_state(writer, GST_STATE_PLAYING);
    rig[1].out.reset();
    GstPad* in = gst_element_get_static_pad(writer, "sink");
    GstPad* out = gst_element_get_static_pad(writer, "src");
    rig::Sink changed(out);
    fail_unless_equals_int(gst_pad_link(rig[1].src(), in), GST_PAD_LINK_OK);
    rig.play();
    Bytes packet = samples::echo_frame(8, {.ttl = 9});
    std::fill_n(packet.begin(), 6, std::uint8_t{0xff});
    if (list) {
      rig[0].push(
          Packets{packet, frame(kBroadcast, kA), packet, frame({1, 0x80, 0xc2, 0, 0, 0}, kA)});
    } else {
      rig[0].push(packet);
    }
    Bytes decremented = samples::echo_frame(8, {.ttl = 8});
    std::fill_n(decremented.begin(), 6, std::uint8_t{0xff});
    fail_unless(changed.packets.at(0) == decremented);
    for (const std::size_t port : {2, 3}) fail_unless(rig[port].out->packets.at(0) == packet);
    gst_pad_unlink(rig[1].src(), in);
    gst_element_set_state(writer, GST_STATE_NULL);
    gst_object_unref(in);
    gst_object_unref(out);
    rig[1].release_src();
    gst_object_unref(writer);
  }
}
GST_END_TEST

GST_START_TEST(test_timestamps_pass) {
  BridgeRig rig;
  rig.play();
  introduce(rig);
  static GstClockTime seen;
  gst_pad_add_probe(
      rig[1].src(), GST_PAD_PROBE_TYPE_BUFFER,
      [](GstPad*, GstPadProbeInfo* info, gpointer) {
        seen = GST_BUFFER_PTS(GST_PAD_PROBE_INFO_BUFFER(info));
        return GST_PAD_PROBE_OK;
      },
      nullptr, nullptr);
  GstBuffer* buffer = rig::make_buffer(frame(kB, kA));
  GST_BUFFER_PTS(buffer) = 77 * GST_SECOND;
  gst_pad_push(rig[0].feed(), buffer);
  fail_unless_equals_uint64(seen, 77 * GST_SECOND);
}
GST_END_TEST

// ---- ports, events, states --------------------------------------------------------------------

GST_START_TEST(test_dead_ports_stop_nobody) {
  BridgeRig rig(6);
  rig.play();
  introduce(rig);
  rig[2].out.reset();  // not linked
  rig[3].out->flow = GST_FLOW_FLUSHING;
  rig[4].out->flow = GST_FLOW_EOS;
  rig[5].out->flow = GST_FLOW_ERROR;
  for (unsigned i = 0; i < 3; ++i) {
    fail_unless_equals_int(rig[0].push(frame(kBroadcast, kA)), GST_FLOW_OK);
    fail_unless_equals_uint64(rig[1].take().size(), 1);
  }
  fail_unless_equals_uint64(rig.stat("drop-unlinked"), 0);  // copies of flooded ones are not missed
  fail_unless_equals_uint64(rig.stat("drop-port-down"), 9);
  fail_unless_equals_uint64(rig.stat("port-3-dropped"), 3);
  rig[2].push(frame(kBroadcast, kC));
  rig[0].push(frame(kC, kA));
  fail_unless_equals_uint64(rig.stat("drop-unlinked"), 1);
  GstMessage* warning = gst_bus_pop_filtered(rig.bus, GST_MESSAGE_WARNING);
  fail_unless(warning != nullptr);
  gst_message_unref(warning);
  warning = gst_bus_pop_filtered(rig.bus, GST_MESSAGE_WARNING);
  fail_unless(warning == nullptr, "told once");
}
GST_END_TEST

GST_START_TEST(test_single_port) {
  BridgeRig rig(1);
  rig.play();
  fail_unless_equals_int(rig[0].push(frame(kBroadcast, kA)), GST_FLOW_OK);
  fail_unless_equals_uint64(rig.stat("drop-unlinked"), 1);
  fail_unless_equals_uint64(rig.stat("packets-out"), 0);
}
GST_END_TEST

GST_START_TEST(test_events_of_source_pads) {
  BridgeRig rig;
  rig.play();
  for (auto& port : rig.ports) fail_unless(port->out->events.empty());
  introduce(rig);
  for (std::size_t i = 0; i < 3; ++i) {
    const std::vector<GstEventType> wanted{GST_EVENT_STREAM_START, GST_EVENT_CAPS,
                                           GST_EVENT_SEGMENT, GST_EVENT_CUSTOM_DOWNSTREAM_STICKY};
    fail_unless(rig[i].out->events == wanted, "port %zu", i);
    GstEvent* event = gst_pad_get_sticky_event(rig[i].src(), GST_EVENT_CUSTOM_DOWNSTREAM_STICKY, 0);
    fail_unless(gstpacket::is_switch_event(event));
    gst_event_unref(event);
  }
  gchar* one = gst_pad_get_stream_id(rig[0].src());
  gchar* two = gst_pad_get_stream_id(rig[1].src());
  fail_unless(one != nullptr && two != nullptr && g_strcmp0(one, two) != 0);
  g_free(one);
  g_free(two);
}
GST_END_TEST

GST_START_TEST(test_end_of_stream) {
  BridgeRig rig;
  rig.play();
  introduce(rig);
  const auto ended = [&](std::size_t i) { return rig[i].out->events.back() == GST_EVENT_EOS; };
  rig[0].event(gst_event_new_eos());
  rig[2].event(gst_event_new_eos());
  fail_unless(!ended(0) && !ended(1) && !ended(2));
  fail_unless_equals_int(rig[1].push(frame(kA, kB)), GST_FLOW_OK);
  fail_unless_equals_uint64(rig[0].take().size(), 1);
  rig[1].event(gst_event_new_eos());
  fail_unless(ended(0) && ended(1) && ended(2));
  rig[0].start();  // a new stream
  rig[1].out->events.clear();
  fail_unless_equals_int(rig[0].push(frame(kB, kA)), GST_FLOW_OK);
  fail_unless_equals_uint64(rig[1].take().size(), 1);
  const std::vector<GstEventType> anew{GST_EVENT_STREAM_START, GST_EVENT_CAPS, GST_EVENT_SEGMENT,
                                       GST_EVENT_CUSTOM_DOWNSTREAM_STICKY};
  fail_unless(rig[1].out->events == anew, "all that comes before data");
}
GST_END_TEST

GST_START_TEST(test_end_when_the_last_is_released) {
  BridgeRig rig;
  rig.play();
  introduce(rig);
  rig[0].event(gst_event_new_eos());
  rig[1].event(gst_event_new_eos());
  rig[2].release_sink();
  fail_unless(rig[0].out->events.back() == GST_EVENT_EOS);
}
GST_END_TEST

GST_START_TEST(test_wrong_caps_and_none) {
  BridgeRig rig(2);
  gst_element_set_state(rig.element, GST_STATE_PLAYING);
  rig[0].start(nullptr);
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  rig[0].event(gst_event_new_segment(&segment));
  fail_unless_equals_int(rig[0].push(frame(kB, kA)), GST_FLOW_NOT_NEGOTIATED);
  GstMessage* error = gst_bus_pop_filtered(rig.bus, GST_MESSAGE_ERROR);
  fail_unless(error != nullptr);
  gst_message_unref(error);
  rig[1].start("application/x-packet,link-type=ip");
  fail_unless_equals_int(rig[1].push(frame(kB, kA)), GST_FLOW_NOT_NEGOTIATED);
}
GST_END_TEST

GST_START_TEST(test_allocation_is_answered_here) {
  BridgeRig rig(2);
  rig.play();
  GstCaps* caps = gst_caps_from_string("application/x-packet,link-type=ethernet");
  GstQuery* query = gst_query_new_allocation(caps, TRUE);
  fail_unless(gst_pad_peer_query(rig[0].feed(), query));
  fail_unless_equals_int(gst_query_get_n_allocation_metas(query), 1);
  fail_unless(gst_query_allows_packet_batches(query));
  fail_unless_equals_int(gst_query_get_n_allocation_pools(query), 0);
  gst_query_unref(query);
  gst_caps_unref(caps);
}
GST_END_TEST

GST_START_TEST(test_pad_names) {
  GstElement* bridge = gst_element_factory_make("ethbridge", nullptr);
  const auto name = [&](const char* wanted) -> std::string {
    GstPad* pad = gst_element_request_pad_simple(bridge, wanted);
    if (pad == nullptr) return "";
    const std::string out = GST_OBJECT_NAME(pad);
    gst_object_unref(pad);
    return out;
  };
  fail_unless(name("sink_%u") == "sink_0");
  fail_unless(name("src_%u") == "src_0");
  fail_unless(name("src_2") == "src_2");
  fail_unless(name("src_%u") == "src_1");
  fail_unless(name("src_%u") == "src_3");
  fail_unless(name("sink_252") == "sink_252");
  fail_unless(name("sink_253") == "");
  fail_unless(name("src_x") == "");
  gst_object_unref(bridge);  // with its pads
}
GST_END_TEST

GST_START_TEST(test_all_state_changes) {
  BridgeRig rig;
  for (unsigned round = 0; round < 3; ++round) {
    rig.play();
    introduce(rig);
    rig[0].push(frame(kB, kA));
    fail_unless_equals_uint64(rig[1].take().size(), 1);
    fail_unless_equals_uint64(rig.stat("learned"), 2);
    for (const GstState state :
         {GST_STATE_PAUSED, GST_STATE_PLAYING, GST_STATE_PAUSED, GST_STATE_READY}) {
      fail_unless_equals_int(gst_element_set_state(rig.element, state), GST_STATE_CHANGE_SUCCESS);
    }
    fail_unless_equals_uint64(rig.stat("learned"), 2);  // readable until the next start
    fail_unless_equals_int(rig[0].push(frame(kB, kA)), GST_FLOW_FLUSHING);
    if (round == 1) gst_element_set_state(rig.element, GST_STATE_NULL);
  }
}
GST_END_TEST

GST_START_TEST(test_loop_of_links) {
  // What leaves by port 1 comes back in by port 0, in the same thread.
  BridgeRig rig(2);
  rig.play();
  gst_pad_add_probe(
      rig[1].src(), GST_PAD_PROBE_TYPE_BUFFER,
      [](GstPad*, GstPadProbeInfo* info, gpointer feed) {
        GstBuffer* buffer = gst_buffer_ref(GST_PAD_PROBE_INFO_BUFFER(info));
        fail_unless_equals_int(gst_pad_push(static_cast<GstPad*>(feed), buffer), GST_FLOW_OK);
        return GST_PAD_PROBE_OK;
      },
      rig[0].feed(), nullptr);
  for (unsigned i = 0; i < 3; ++i) {
    fail_unless_equals_int(rig[0].push(frame(kBroadcast, kA)), GST_FLOW_OK);
  }
  fail_unless_equals_uint64(rig[1].take().size(), 3);
  fail_unless_equals_uint64(rig.stat("drop-loop"), 3);
}
GST_END_TEST

GST_START_TEST(test_answer_in_the_same_thread) {
  // A responder without a queue: its reply comes in by port 1 while port 0 still sends.
  BridgeRig rig;
  rig.play();
  introduce(rig);
  static unsigned asked;
  asked = 0;
  gst_pad_add_probe(
      rig[1].src(), GST_PAD_PROBE_TYPE_BUFFER,
      [](GstPad*, GstPadProbeInfo*, gpointer feed) {
        gst_pad_push(static_cast<GstPad*>(feed), rig::make_buffer(frame(kA, kB, ++asked)));
        return GST_PAD_PROBE_OK;
      },
      rig[1].feed(), nullptr);
  for (unsigned i = 0; i < 3; ++i) rig[0].push(frame(kB, kA));
  fail_unless_equals_uint64(rig[0].take().size(), 3);
  fail_unless(rig[2].take().empty());
}
GST_END_TEST

GST_START_TEST(test_ports_come_and_go) {
  BridgeRig rig(2);
  rig.play();
  introduce(rig);
  rig.ports.push_back(std::make_unique<BridgePort>(rig.element, 2));
  rig[2].start();
  rig[2].push(frame(kBroadcast, kC));
  for (auto& port : rig.ports) port->take();
  rig[0].push(frame(kC, kA));
  fail_unless_equals_uint64(rig[2].take().size(), 1);
  rig[2].release_src();
  fail_unless_equals_int(rig[0].push(frame(kC, kA)), GST_FLOW_OK);
  fail_unless_equals_uint64(rig[1].take().size(), 1);  // forgotten with its port, so flooded
  const auto in = rig.stat("packets-in");
  rig.ports.pop_back();
  fail_unless_equals_uint64(rig.stat("packets-in"), in);
}
GST_END_TEST

/** What its sink pad still takes, when nothing can leave by it any more, is forgotten with it. */
GST_START_TEST(test_a_port_goes_while_packets_come) {
  BridgeRig rig;
  rig.play();
  introduce(rig);
  rig[2].release_src();
  rig[2].push(frame(kBroadcast, kC));
  rig[2].release_sink();
  for (const std::size_t port : {0, 1}) rig[port].take();
  rig[0].push(frame(kC, kA));
  fail_unless_equals_uint64(rig[1].take().size(), 1);
}
GST_END_TEST

// ---- threads ----------------------------------------------------------------------------------

namespace {

/** Bursts from port `from`, some to a station on the other port, some to all. */
void stream(BridgeRig& rig, unsigned from, unsigned rounds) {
  for (unsigned round = 0; round < rounds; ++round) {
    Packets burst;
    for (unsigned i = 0; i < 16; ++i) {
      const unsigned number = round * 16 + i;
      const Bytes to = i % 8 == 7 ? kBroadcast : station(1 + (1 - from));
      burst.push_back(frame(to, station(1 + from), number));
    }
    if (round % 3 == 0) {
      for (const Bytes& packet : burst) rig[from].push(packet);
    } else {
      rig[from].push(burst);
    }
  }
}

}  // namespace

GST_START_TEST(test_two_threads) {
  BridgeRig rig;
  rig.play();
  introduce(rig);
  constexpr unsigned kRounds = 300;
  std::thread one(stream, std::ref(rig), 0U, kRounds), two(stream, std::ref(rig), 1U, kRounds);
  for (unsigned i = 0; i < 50; ++i) {
    (void)rig.stats_of_packets();
    g_object_set(rig.element, "ageing-time", 300 + i, nullptr);
  }
  one.join();
  two.join();
  for (const std::size_t port : {0, 1}) {
    const Packets got = rig[port].take();
    fail_unless_equals_uint64(got.size(), kRounds * 16);
    for (unsigned i = 0; i < got.size(); ++i) fail_unless_equals_uint64(rig::number_of(got[i]), i);
  }
  fail_unless_equals_uint64(rig[2].take().size(), 2 * kRounds * 2);  // what was flooded, no more
  fail_unless_equals_uint64(rig.stat("packets-in"), 2 + 2 * kRounds * 16);
  fail_unless_equals_uint64(rig.stat("dropped"), 0);
}
GST_END_TEST

GST_START_TEST(test_release_while_streaming) {
  BridgeRig rig(2);
  rig.play();
  introduce(rig);
  std::atomic<bool> stop{false};
  std::thread one([&] {
    while (!stop) stream(rig, 0, 3);
  });
  std::thread two([&] {
    while (!stop) stream(rig, 1, 3);
  });
  for (unsigned i = 0; i < 60; ++i) {
    BridgePort third(rig.element, 2);
    third.start();
    third.push(Packets(5, frame(kBroadcast, kC)));
    g_usleep(500);
  }
  stop = true;
  one.join();
  two.join();
  fail_unless_equals_uint64(rig.stat("port-0-packets-in") + rig.stat("port-1-packets-in") + 60 * 5,
                            rig.stat("packets-in"));
}
GST_END_TEST

GST_START_TEST(test_stop_while_streaming) {
  BridgeRig rig(2);
  for (unsigned i = 0; i < 10; ++i) {
    rig.play();
    // A pad that is deactivated during its first push loses the events that go before the data.
    introduce(rig);
    std::thread one(stream, std::ref(rig), 0U, 50U), two(stream, std::ref(rig), 1U, 50U);
    g_usleep(300);
    gst_element_set_state(rig.element, GST_STATE_READY);
    one.join();
    two.join();
  }
}
GST_END_TEST

/** Port 1 gets what another thread sends it, though the end of all is on its way to it. */
GST_START_TEST(test_a_stream_begins_while_the_last_one_ends) {
  struct Hold {
    std::atomic<bool> came{false}, released{false};
  } hold;
  const auto within = [](int milliseconds, const std::atomic<bool>& condition) {
    for (int i = 0; i < milliseconds && !condition; ++i) g_usleep(1000);
    return condition.load();
  };
  BridgeRig rig(2);
  rig.play();
  introduce(rig);
  rig[0].event(gst_event_new_eos());
  // The end comes to port 0 first, and is held there.
  gst_pad_add_probe(
      rig[0].src(), GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
      [](GstPad*, GstPadProbeInfo* info, gpointer self) {
        if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) != GST_EVENT_EOS)
          return GST_PAD_PROBE_OK;
        auto& held = *static_cast<Hold*>(self);
        held.came = true;
        for (int i = 0; i < 20'000 && !held.released; ++i) g_usleep(1000);
        return GST_PAD_PROBE_REMOVE;
      },
      &hold, nullptr);
  std::thread ends([&] { rig[1].event(gst_event_new_eos()); });
  fail_unless(within(20'000, hold.came));
  std::atomic<bool> begun{false};
  std::thread begins([&] {
    rig[0].event(gst_event_new_stream_start("again"));
    begun = true;
  });
  (void)within(100, begun);
  hold.released = true;
  ends.join();
  begins.join();
  rig[0].start();
  rig[0].push(frame(kB, kA));
  fail_unless_equals_uint64(rig[1].take().size(), 1);
}
GST_END_TEST

GST_START_TEST(test_documentation) {
  documentation::check("ethbridge");
}
GST_END_TEST

static Suite* ethbridge_suite() {
  Suite* s = suite_create("ethbridge");
  TCase* tc = tcase_create("general");
  suite_add_tcase(s, tc);
  tcase_add_test(tc, test_flood_then_learn);
  tcase_add_test(tc, test_groups_are_flooded);
  tcase_add_test(tc, test_no_hairpin);
  tcase_add_test(tc, test_moved_station);
  tcase_add_test(tc, test_vlans_are_separate);
  tcase_add_test(tc, test_priority_tag_is_no_vlan);
  tcase_add_test(tc, test_dropped);
  tcase_add_test(tc, test_table_ageing);
  tcase_add_test(tc, test_table_flood_stays_on_its_port);
  tcase_add_test(tc, test_table_flood_spares_who_is_talked_to);
  tcase_add_test(tc, test_table_newcomer_after_flood);
  tcase_add_test(tc, test_table_smallest);
  tcase_add_test(tc, test_table_threads);
  tcase_add_test(tc, test_ageing_time);
  tcase_add_test(tc, test_mac_flood);
  tcase_add_test(tc, test_lists_are_as_singles);
  tcase_add_test(tc, test_batches_are_as_singles);
  tcase_add_test(tc, test_lists_of_batches);
  tcase_add_test(tc, test_damaged_batches);
  tcase_add_test(tc, test_copies_of_batches);
  tcase_add_test(tc, test_a_held_batch_does_not_change);
  tcase_add_test(tc, test_uniform_lists_stay_whole);
  tcase_add_test(tc, test_change_in_one_branch);
  tcase_add_test(tc, test_timestamps_pass);
  tcase_add_test(tc, test_dead_ports_stop_nobody);
  tcase_add_test(tc, test_single_port);
  tcase_add_test(tc, test_events_of_source_pads);
  tcase_add_test(tc, test_end_of_stream);
  tcase_add_test(tc, test_end_when_the_last_is_released);
  tcase_add_test(tc, test_wrong_caps_and_none);
  tcase_add_test(tc, test_allocation_is_answered_here);
  tcase_add_test(tc, test_pad_names);
  tcase_add_test(tc, test_all_state_changes);
  tcase_add_test(tc, test_loop_of_links);
  tcase_add_test(tc, test_answer_in_the_same_thread);
  tcase_add_test(tc, test_ports_come_and_go);
  tcase_add_test(tc, test_a_port_goes_while_packets_come);
  tcase_add_test(tc, test_two_threads);
  tcase_add_test(tc, test_release_while_streaming);
  tcase_add_test(tc, test_stop_while_streaming);
  tcase_add_test(tc, test_a_stream_begins_while_the_last_one_ends);
  tcase_add_test(tc, test_documentation);
  return s;
}

GST_CHECK_MAIN(ethbridge)
