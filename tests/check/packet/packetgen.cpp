// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include <algorithm>
#include <chrono>
#include <map>
#include <set>

#include "generated.hpp"
#include "tests/check/documentation.hpp"

using generated::Bytes;
using generated::Collector;
using generated::Form;

namespace {

constexpr char kEthernet[] = "application/x-packet,link-type=ethernet";
constexpr char kIp[] = "application/x-packet,link-type=ip";

class Gen {
 public:
  explicit Gen(const std::string& arguments) {
    GError* error = nullptr;
    element = gst_parse_launch(("packetgen " + arguments).c_str(), &error);
    fail_unless(error == nullptr, "%s", error != nullptr ? error->message : "");
    gst_object_ref_sink(element);
    bus = gst_bus_new();
    gst_element_set_bus(element, bus);
    // There is no pipeline to choose one.
    GstClock* clock = gst_system_clock_obtain();
    gst_element_set_clock(element, clock);
    gst_object_unref(clock);
  }
  ~Gen() {
    stop();
    gst_element_set_bus(element, nullptr);
    gst_bus_set_flushing(bus, TRUE);
    gst_object_unref(bus);
    ASSERT_OBJECT_REFCOUNT(element, "packetgen", 1);
    gst_object_unref(element);
  }
  GstStateChangeReturn play() { return gst_element_set_state(element, GST_STATE_PLAYING); }
  void stop() {
    fail_unless_equals_int(gst_element_set_state(element, GST_STATE_NULL),
                           GST_STATE_CHANGE_SUCCESS);
  }
  /** Waits for it. */
  std::string error() {
    GstMessage* message = gst_bus_timed_pop_filtered(bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_ERROR);
    GError* found = nullptr;
    gst_message_parse_error(message, &found, nullptr);
    std::string text = found->message;
    fail_unless(g_error_matches(found, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS));
    g_error_free(found);
    gst_message_unref(message);
    return text;
  }
  GstElement* element;
  GstBus* bus;
};

std::vector<Bytes> generate(const std::string& arguments, const char* caps = kEthernet,
                            bool batches = true, std::vector<Form>* forms = nullptr) {
  Gen gen(arguments);
  Collector out(gen.element, caps, batches);
  gen.play();
  out.wait_eos();
  fail_unless(gst_bus_pop_filtered(gen.bus, GST_MESSAGE_ERROR) == nullptr);
  gen.stop();
  if (forms != nullptr) *forms = out.forms;
  return std::move(out.packets);
}

}  // namespace

GST_START_TEST(test_every_header) {
  for (const char* caps : {kEthernet, kIp}) {
    for (const unsigned version : {4U, 6U}) {
      for (const char* protocol : {"udp", "icmp-echo"}) {
        for (const int vlan : {-1, 0, 4094}) {
          for (const char* size : {"88", "88-97", "9000", "65535"}) {
            const bool ethernet = caps == kEthernet;
            const std::string arguments =
                std::string("count=6 flows=3 size=") + size + " protocol=" + protocol +
                " ip-version=" + std::to_string(version) + " vlan=" + std::to_string(vlan);
            const auto packets = generate(arguments, caps);
            fail_unless_equals_uint64(packets.size(), 6);
            for (std::size_t i = 0; i < packets.size(); ++i) {
              const auto p = generated::judge(packets[i], ethernet);
              fail_unless_equals_uint64(p.version, version);
              fail_unless_equals_uint64(p.vlan, vlan < 0 || !ethernet ? 0xffff : vlan);
              fail_unless_equals_uint64(p.flow, i % 3);
              fail_unless_equals_uint64(p.number, i / 3);
              fail_unless_equals_uint64(p.port, 1024 + i % 3);
              const unsigned echo = version == 4 ? 1 : 58;
              fail_unless_equals_uint64(p.protocol, protocol[0] == 'u' ? 17 : echo);
            }
          }
        }
      }
    }
  }
}
GST_END_TEST

GST_START_TEST(test_sizes) {
  for (const Bytes& packet : generate("count=300 size=64")) {
    fail_unless_equals_uint64(packet.size(), 64);
  }
  std::set<std::size_t> seen;
  for (const Bytes& packet : generate("count=1000 size=64-67")) seen.insert(packet.size());
  fail_unless(seen == (std::set<std::size_t>{64, 65, 66, 67}));
  std::map<std::size_t, int> mix;
  std::vector<std::size_t> order;
  for (const Bytes& packet : generate("count=96 size=imix")) {
    ++mix[packet.size()];
    order.push_back(packet.size());
    generated::judge(packet, true);
  }
  fail_unless(mix == (std::map<std::size_t, int>{{64, 56}, {570, 32}, {1518, 8}}));
  std::vector<std::size_t> again, other;
  for (const Bytes& packet : generate("count=96 size=imix")) again.push_back(packet.size());
  for (const Bytes& packet : generate("count=96 size=imix seed=2")) other.push_back(packet.size());
  fail_unless(order == again);
  fail_unless(order != other);
  mix.clear();
  for (const Bytes& packet : generate("count=48 size=imix ip-version=6")) ++mix[packet.size()];
  fail_unless(mix == (std::map<std::size_t, int>{{84, 28}, {570, 16}, {1518, 4}}));
}
GST_END_TEST

GST_START_TEST(test_forms_are_equal) {
  for (const char* size : {"64", "imix", "64-2000", "9000"}) {
    const std::string arguments = std::string("count=1000 flows=7 size=") + size;
    const auto reference = generate(arguments);
    fail_unless_equals_uint64(reference.size(), 1000);
    for (const char* batch_size : {"1", "7", "256"}) {
      for (const bool batches : {true, false}) {
        std::vector<Form> forms;
        const auto packets =
            generate(arguments + " batch-size=" + batch_size, kEthernet, batches, &forms);
        fail_unless_equals_uint64(packets.size(), reference.size());
        for (std::size_t i = 0; i < packets.size(); ++i) {
          fail_unless(generated::timeless(packets[i], true) ==
                      generated::timeless(reference[i], true));
        }
        const Form expected = batches                ? Form::batch
                              : batch_size[0] == '1' ? Form::single
                                                     : Form::list;
        fail_unless(forms.front() == expected);
      }
    }
    std::vector<Form> forms;
    generate(arguments + " batches=false", kEthernet, true, &forms);
    fail_unless(std::find(forms.begin(), forms.end(), Form::batch) == forms.end());
  }
}
GST_END_TEST

GST_START_TEST(test_addresses) {
  const auto packets = generate(
      "count=1 source-mac=02:01:02:03:04:05 destination-mac=0a:0b:0c:0d:0e:0f "
      "source-address=10.1.2.3 destination-address=10.3.2.1 source-port=7 destination-port=65535");
  const Bytes start{0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 2, 1, 2, 3, 4, 5, 8, 0};
  fail_unless(std::equal(start.begin(), start.end(), packets[0].begin()));
  const Bytes rest{10, 1, 2, 3, 10, 3, 2, 1, 0, 7, 0xff, 0xff};
  fail_unless(std::equal(rest.begin(), rest.end(), packets[0].begin() + 26));
  // Those that the responder makes of the same address.
  const Bytes made{2, 0, 0xc0, 0xa8, 1, 1, 2, 0, 0xc0, 0xa8, 1, 2};
  fail_unless(std::equal(made.begin(), made.end(), generate("count=1")[0].begin()));
}
GST_END_TEST

// The numbers of a count do not depend on how it divides into batches; each run starts anew.
GST_START_TEST(test_count_and_states) {
  Gen gen("count=257");
  Collector out(gen.element, kEthernet, true);
  for (int round = 0; round < 3; ++round) {
    out.packets.clear();
    out.eos = false;
    gen.play();
    out.wait_eos();
    fail_unless_equals_uint64(out.packets.size(), 257);
    for (std::size_t i = 0; i < 257; ++i) {
      fail_unless_equals_uint64(generated::judge(out.packets[i], true).number, i);
    }
    GstStructure* stats = nullptr;
    g_object_get(gen.element, "stats", &stats, nullptr);
    guint64 packets = 0, bytes = 0;
    gst_structure_get(stats, "packets-out", G_TYPE_UINT64, &packets, "bytes-out", G_TYPE_UINT64,
                      &bytes, nullptr);
    fail_unless_equals_uint64(packets, 257);
    fail_unless_equals_uint64(bytes, 257 * 64);
    gst_structure_free(stats);
    gst_element_set_state(gen.element, round == 1 ? GST_STATE_NULL : GST_STATE_READY);
  }
}
GST_END_TEST

// A recycled arena is not shared any more.
GST_START_TEST(test_held_batches_stay) {
  Gen gen("count=5120");
  Collector out(gen.element, kEthernet, true);
  out.hold = true;
  gen.play();
  out.wait_eos();
  gen.stop();
  std::size_t i = 0;
  for (GstBuffer* batch : out.held) {
    for (const Bytes& bytes : rig::packets_of(batch)) fail_unless(bytes == out.packets.at(i++));
  }
  fail_unless_equals_uint64(i, 5120);
}
GST_END_TEST

// Nor is one of which some packets are still in another buffer.
GST_START_TEST(test_held_parts_stay) {
  struct Held {
    GstBuffer* part;
    std::vector<Bytes> packets;
  };
  std::vector<Held> held;
  Gen gen("count=5120");
  Collector out(gen.element, kEthernet, true);
  GstPad* pad = gst_element_get_static_pad(gen.element, "src");
  gst_pad_add_probe(
      pad, GST_PAD_PROBE_TYPE_BUFFER,
      [](GstPad*, GstPadProbeInfo* info, gpointer all) {
        GstBuffer* batch = GST_PAD_PROBE_INFO_BUFFER(info);
        const GstPacketBatchMeta* from = gst_buffer_get_packet_batch_meta(batch);
        GstBuffer* part = gst_packet_batch_new_part(batch);
        GstPacketBatchMeta* to = gst_buffer_get_packet_batch_meta(part);
        to->packets[to->n++] = from->packets[0];
        static_cast<std::vector<Held>*>(all)->push_back({part, rig::packets_of(part)});
        return GST_PAD_PROBE_OK;
      },
      &held, nullptr);
  gst_object_unref(pad);
  gen.play();
  out.wait_eos();
  gen.stop();
  fail_unless(held.size() >= 20);
  for (const auto& [part, packets] : held) {
    fail_unless(rig::packets_of(part) == packets);
    gst_buffer_unref(part);
  }
  // And what became of the arenas meanwhile was right.
  for (std::size_t i = 0; i < 5120; ++i) {
    fail_unless_equals_uint64(generated::judge(out.packets.at(i), true).number, i);
  }
}
GST_END_TEST

// Never faster than asked for, which no busy machine can break.
GST_START_TEST(test_rate_is_a_limit) {
  for (const char* rate : {"20000", "20kpps", "0.02Mpps", "10.24Mbps"}) {
    // The first may be late, which the others make up for: so from before the start.
    const auto start = static_cast<std::uint64_t>(g_get_monotonic_time()) * 1000;
    const auto packets = generate(std::string("count=2001 rate=") + rate);
    const auto last = generated::judge(packets.back(), true).time;
    fail_unless(last - start >= 99'900'000, "%s: %" G_GUINT64_FORMAT, rate, last - start);
  }
}
GST_END_TEST

GST_START_TEST(test_slow_rate_is_interrupted) {
  Gen gen("rate=0.0001pps");
  Collector out(gen.element, kEthernet, true);
  gen.play();
  out.wait_packets(1);
  gst_element_set_state(gen.element, GST_STATE_PAUSED);
  gen.play();
  gst_element_send_event(gen.element, gst_event_new_eos());
  out.wait_eos();
  gen.stop();
  gen.play();
  gen.stop();
}
GST_END_TEST

GST_START_TEST(test_rate_changes_while_playing) {
  Gen gen("rate=0.0001pps count=100");
  Collector out(gen.element, kEthernet, true);
  gen.play();
  out.wait_packets(1);
  g_object_set(gen.element, "rate", "nonsense", nullptr);
  GstMessage* warning = gst_bus_pop_filtered(gen.bus, GST_MESSAGE_WARNING);
  fail_unless(warning != nullptr);
  gst_message_unref(warning);
  g_object_set(gen.element, "rate", "1Mpps", nullptr);
  out.wait_eos();
  fail_unless_equals_uint64(out.packets.size(), 100);
}
GST_END_TEST

GST_START_TEST(test_wrong_values) {
  const char* wrong[][2] = {{"size=", "size="},
                            {"size=abc", "size=abc"},
                            {"size=100-64", "size=100-64"},
                            {"size=65536", "size=65536"},
                            {"size=-5", "size=-5"},
                            {"size=0", "size=0"},
                            {"rate=fast", "rate=fast"},
                            {"rate=-1", "rate=-1"},
                            {"rate=10Gb", "rate=10Gb"},
                            {"rate=nan", "rate=nan"},
                            {"ip-version=5", "ip-version=5"},
                            {"source-mac=1:2:3", "source-mac=1:2:3"},
                            {"destination-mac=xx", "destination-mac=xx"},
                            {"source-address=::1", "source-address=::1"},
                            {"ip-version=6 destination-address=10.0.0.1", "destination-address=10"},
                            {"flows=3 source-port=65534", "flows=3"}};
  for (const auto& [arguments, expected] : wrong) {
    Gen gen(*expected != '\0' && std::string(arguments) == "size=" ? "size=\"\"" : arguments);
    Collector out(gen.element, kEthernet, true);
    fail_unless_equals_int(gen.play(), GST_STATE_CHANGE_FAILURE);
    const std::string text = gen.error();
    fail_unless(text.find(expected) == 0, "%s", text.c_str());
    fail_unless(text.find("Give ") != std::string::npos, "%s", text.c_str());
  }
}
GST_END_TEST

// How long headers are is known only when downstream has said what it takes.
GST_START_TEST(test_size_without_room) {
  for (const auto& [arguments, caps] : {std::pair{"size=63", kEthernet},
                                        {"size=67 vlan=1", kEthernet},
                                        {"size=83 ip-version=6", kEthernet},
                                        {"size=49-90", kIp}}) {
    Gen gen(arguments);
    Collector out(gen.element, caps, true);
    gen.play();
    const std::string text = gen.error();
    fail_unless(text.find("size=") == 0 && text.find("Give ") != std::string::npos);
    out.wait_eos();
  }
  fail_unless_equals_uint64(generate("count=1 size=50", kIp)[0].size(), 50);
  fail_unless_equals_uint64(generate("count=1 size=68 vlan=1")[0].size(), 68);
  fail_unless_equals_uint64(generate("count=1 size=84 ip-version=6")[0].size(), 84);
}
GST_END_TEST

GST_START_TEST(test_documentation) {
  documentation::check("packetgen");
}
GST_END_TEST

static Suite* packetgen_suite() {
  Suite* suite = suite_create("packetgen");
  TCase* tcase = tcase_create("all");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, test_every_header);
  tcase_add_test(tcase, test_sizes);
  tcase_add_test(tcase, test_forms_are_equal);
  tcase_add_test(tcase, test_addresses);
  tcase_add_test(tcase, test_count_and_states);
  tcase_add_test(tcase, test_held_batches_stay);
  tcase_add_test(tcase, test_held_parts_stay);
  tcase_add_test(tcase, test_rate_is_a_limit);
  tcase_add_test(tcase, test_slow_rate_is_interrupted);
  tcase_add_test(tcase, test_rate_changes_while_playing);
  tcase_add_test(tcase, test_wrong_values);
  tcase_add_test(tcase, test_size_without_room);
  tcase_add_test(tcase, test_documentation);
  return suite;
}
GST_CHECK_MAIN(packetgen)
