// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The form packets travel in changes nothing: single buffers and lists of any length give the same
// packets, order and counters, and memory that somebody else sees is never written to.
#include <algorithm>
#include <random>

#include "gst/packet/element.hpp"
#include "rig.hpp"

using namespace gstpacket;
using rig::Bytes;

namespace {

/// Decides by the first byte, and marks and resizes what it lets through.
struct Sorter {
  enum class Drop { three, five };
  static constexpr ElementInfo info{"sorter", "Sorter", "Filter/Network", "Tests", "Tests"};
  static constexpr std::array ports{"left", "right"};
  Verdict process(Packet& packet) {
    if (packet.size() < 2) return drop();
    const auto first = std::to_integer<unsigned>(packet.bytes()[0]);
    packet.writable()[1] ^= std::byte{0xff};
    if (first % 3 == 0 && first % 5 != 0) return drop(Drop::three);
    if (first % 5 == 0) return drop(Drop::five);
    if (first % 7 == 0) return packet.extend(3) ? to(1) : drop();
    if (first % 11 == 0) return packet.pop_front(1) ? to(2) : drop();
    if (first % 13 == 0) return packet.truncate(packet.size() - 1) ? forward() : drop();
    return forward();
  }
};

/// The same decisions without touching anything, a batch at a time.
struct ReadSorter {
  enum class Drop { three, five };
  static constexpr ElementInfo info{"readsorter", "Sorter", "Filter/Network", "Tests", "Tests"};
  static constexpr std::array ports{"left", "right"};
  static constexpr Access access = Access::read;
  void process(ConstPacketBatch& batch) {
    for (std::size_t i = 0; i < batch.size(); ++i) batch.set(i, decide(batch[i]));
  }
  static Verdict decide(const Packet& packet) {
    if (packet.size() < 2) return drop();
    const auto first = std::to_integer<unsigned>(packet.bytes()[0]);
    if (first % 3 == 0 && first % 5 != 0) return drop(Drop::three);
    if (first % 5 == 0) return drop(Drop::five);
    if (first % 7 == 0) return to(1);
    return first % 11 == 0 ? to(2) : forward();
  }
};

void register_all() {
  fail_unless(register_element<Sorter>(nullptr));
  fail_unless(register_element<ReadSorter>(nullptr));
}

enum class Kind { plain, pieces, shared_buffer, shared_memory, read_only, held_list };

struct Outcome {
  std::vector<Bytes> out, left, right;
  std::string stats;
  bool operator==(const Outcome&) const = default;
};

std::vector<Bytes> some_packets(std::size_t n, bool all_forward) {
  std::mt19937 random(static_cast<unsigned>(n));
  std::vector<Bytes> packets(n);
  for (Bytes& packet : packets) {
    packet.resize(random() % 20 == 0 ? random() % 3 : 2 + random() % 100);
    for (auto& b : packet) b = static_cast<std::uint8_t>(random());
    if (all_forward) {
      packet.resize(60);
      packet[0] = 1;
    }
  }
  return packets;
}

class Feeder {
 public:
  Feeder(Kind kind, rig::Rig& rig) : kind_(kind), rig_(rig) {}
  ~Feeder() {
    for (GstBuffer* buffer : held_) gst_buffer_unref(buffer);
    for (GstBufferList* list : lists_) gst_buffer_list_unref(list);
  }

  void feed(const std::vector<Bytes>& packets, std::size_t batch) {
    for (std::size_t at = 0; at < packets.size(); at += batch) {
      if (batch == 1) {
        fail_unless_equals_int(rig_.push(make(packets[at])), GST_FLOW_OK);
        continue;
      }
      GstBufferList* list = gst_buffer_list_new();
      for (std::size_t i = at; i < std::min(at + batch, packets.size()); ++i) {
        gst_buffer_list_add(list, make(packets[i]));
      }
      if (kind_ == Kind::held_list) lists_.push_back(gst_buffer_list_ref(list));
      fail_unless_equals_int(rig_.push(list), GST_FLOW_OK);
    }
    check_untouched();
  }

 private:
  GstBuffer* make(const Bytes& bytes) {
    GstBuffer* buffer =
        kind_ == Kind::pieces ? rig::make_pieces(bytes, 7) : rig::make_buffer(bytes);
    if (kind_ == Kind::read_only && !bytes.empty()) {
      GST_MINI_OBJECT_FLAG_SET(gst_buffer_peek_memory(buffer, 0), GST_MEMORY_FLAG_READONLY);
    }
    if (kind_ == Kind::shared_buffer) hold(gst_buffer_ref(buffer), bytes);
    if (kind_ == Kind::shared_memory) hold(gst_buffer_copy(buffer), bytes);
    if (kind_ == Kind::held_list) hold(gst_buffer_ref(buffer), bytes);
    return buffer;
  }
  void hold(GstBuffer* buffer, const Bytes& bytes) {
    held_.push_back(buffer);
    expected_.push_back(bytes);
  }
  void check_untouched() {
    for (std::size_t i = 0; i < held_.size(); ++i) {
      fail_unless_equals_uint64(gst_buffer_get_size(held_[i]), expected_[i].size());
      if (expected_[i].empty()) continue;
      fail_unless(gst_buffer_memcmp(held_[i], 0, expected_[i].data(), expected_[i].size()) == 0);
    }
  }

  Kind kind_;
  rig::Rig& rig_;
  std::vector<GstBuffer*> held_;
  std::vector<Bytes> expected_;
  std::vector<GstBufferList*> lists_;
};

Outcome run(const char* element, Kind kind, const std::vector<Bytes>& packets, std::size_t batch) {
  rig::Rig rig(element);
  auto left = rig.open("left");
  auto right = rig.open("right");
  rig.play();
  Feeder(kind, rig).feed(packets, batch);
  const std::uint64_t seen = rig.out->packets.size() + left->packets.size() + right->packets.size();
  fail_unless_equals_uint64(rig.stat("packets-in"), packets.size());
  fail_unless_equals_uint64(rig.stat("packets-out"), seen);
  fail_unless_equals_uint64(rig.stat("dropped"), packets.size() - seen);
  return {rig.out->packets, left->packets, right->packets, rig.stats_of_packets()};
}

constexpr Kind kKinds[] = {Kind::plain,         Kind::pieces,    Kind::shared_buffer,
                           Kind::shared_memory, Kind::read_only, Kind::held_list};
constexpr std::size_t kBatches[] = {1, 2, 3, 31, 32, 33, 255, 256, 257, 1000};

void all_forms_agree(const char* element) {
  for (const bool all_forward : {false, true}) {
    const auto packets = some_packets(1000, all_forward);
    const Outcome expected = run(element, Kind::plain, packets, 1);
    fail_if(expected.out.empty());
    fail_unless(all_forward == expected.left.empty() && all_forward == expected.right.empty());
    for (const Kind kind : kKinds) {
      for (const std::size_t batch : kBatches) {
        fail_unless(run(element, kind, packets, batch) == expected,
                    "%s: kind %d, lists of %zu differ", element, static_cast<int>(kind), batch);
      }
    }
  }
}

}  // namespace

GST_START_TEST(test_modify) {
  all_forms_agree("sorter");
}
GST_END_TEST

GST_START_TEST(test_read) {
  all_forms_agree("readsorter");
}
GST_END_TEST

GST_START_TEST(test_same_object_when_all_forward) {
  for (const char* element : {"sorter", "readsorter"}) {
    rig::Rig rig(element);
    rig.play();
    GstBuffer* buffer = rig::make_buffer(Bytes{1, 2, 3});
    rig.push(buffer);
    fail_unless(rig.out->last == buffer);
    GstBufferList* list = gst_buffer_list_new();
    for (int i = 0; i < 300; ++i) gst_buffer_list_add(list, rig::make_buffer(Bytes{1, 2, 3}));
    rig.push(list);
    fail_unless(rig.out->last == list && rig.out->lists == 1 && rig.out->buffers == 1);
    // Drops shorten the same list.
    list = gst_buffer_list_new();
    for (int i = 0; i < 300; ++i) {
      gst_buffer_list_add(list, rig::make_buffer(Bytes{static_cast<std::uint8_t>(i % 3 + 1), 2}));
    }
    rig.push(list);
    fail_unless(rig.out->last == list);
    fail_unless_equals_uint64(rig.out->packets.size(), 1 + 300 + 200);
    fail_unless_equals_uint64(rig.stat("copies"), 0);
    // Nothing left: nothing pushed.
    list = gst_buffer_list_new();
    gst_buffer_list_add(list, rig::make_buffer(Bytes{3, 3}));
    rig.push(list);
    rig.push(gst_buffer_list_new());
    fail_unless(rig.out->lists == 2);
  }
}
GST_END_TEST

GST_START_TEST(test_copies_are_counted) {
  const auto copies = [](const char* element, Kind kind, std::size_t batch) {
    rig::Rig rig(element);
    rig.play();
    Feeder(kind, rig).feed(std::vector<Bytes>(40, Bytes(30, 1)), batch);
    return rig.stat("copies");
  };
  for (const std::size_t batch : {std::size_t{1}, std::size_t{40}}) {
    fail_unless_equals_uint64(copies("sorter", Kind::plain, batch), 0);
    fail_unless_equals_uint64(copies("sorter", Kind::pieces, batch), 40);
    fail_unless_equals_uint64(copies("sorter", Kind::shared_buffer, batch), 40);
    fail_unless_equals_uint64(copies("sorter", Kind::shared_memory, batch), 40);
    fail_unless_equals_uint64(copies("readsorter", Kind::shared_memory, batch), 0);
    fail_unless_equals_uint64(copies("readsorter", Kind::shared_buffer, batch), 0);
    fail_unless_equals_uint64(copies("readsorter", Kind::pieces, batch), 40);
  }
}
GST_END_TEST

GST_START_TEST(test_timestamps_stay) {
  rig::Rig rig("sorter");
  rig.play();
  GstBufferList* list = gst_buffer_list_new();
  GstBuffer* buffer = rig::make_pieces(Bytes(30, 1), 7);
  GST_BUFFER_PTS(buffer) = 77;
  gst_buffer_list_add(list, buffer);
  GstBufferList* held = gst_buffer_list_ref(list);
  static GstClockTime seen;
  GstPad* pad = gst_element_get_static_pad(rig.element, "src");
  gst_pad_add_probe(
      pad, GST_PAD_PROBE_TYPE_BUFFER_LIST,
      [](GstPad*, GstPadProbeInfo* info, gpointer) {
        seen = GST_BUFFER_PTS(gst_buffer_list_get(GST_PAD_PROBE_INFO_BUFFER_LIST(info), 0));
        return GST_PAD_PROBE_OK;
      },
      nullptr, nullptr);
  gst_object_unref(pad);
  rig.push(list);
  gst_buffer_list_unref(held);
  fail_unless_equals_uint64(seen, 77);
}
GST_END_TEST

static Suite* forms_suite() {
  Suite* s = suite_create("forms");
  TCase* tc = tcase_create("general");
  suite_add_tcase(s, tc);
  tcase_add_checked_fixture(tc, register_all, nullptr);
  tcase_add_test(tc, test_modify);
  tcase_add_test(tc, test_read);
  tcase_add_test(tc, test_same_object_when_all_forward);
  tcase_add_test(tc, test_copies_are_counted);
  tcase_add_test(tc, test_timestamps_stay);
  return s;
}

GST_CHECK_MAIN(forms)
