// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The form packets travel in changes nothing: single buffers, lists and batches of any length give
 * the same packets, order and counters, and shared memory is never written to.
 */
#include "forms.hpp"

using namespace forms;

namespace {

struct Outcome {
  std::vector<Bytes> out, left, right;
  std::string stats;
  bool operator==(const Outcome&) const = default;
};

Outcome run(const char* element, Kind kind, const std::vector<Bytes>& packets, std::size_t batch) {
  rig::Rig rig(element);
  auto left = rig.open("left");
  auto right = rig.open("right");
  for (rig::Sink* sink : {rig.out.get(), left.get(), right.get()}) sink->takes_batches = true;
  rig.play();
  Feeder(kind, rig.source()).feed(packets, batch);
  const std::uint64_t seen = rig.out->packets.size() + left->packets.size() + right->packets.size();
  fail_unless_equals_uint64(rig.stat("packets-in"), packets.size());
  fail_unless_equals_uint64(rig.stat("packets-out"), seen);
  fail_unless_equals_uint64(rig.stat("dropped"), packets.size() - seen);
  return {rig.out->packets, left->packets, right->packets, rig.stats_of_packets()};
}

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
                    "%s: kind %d, %zu at a time differ", element, static_cast<int>(kind), batch);
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
    rig.out->takes_batches = true;
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
    // So with batches.
    GstBuffer* batch = rig::make_batch(std::vector<Bytes>(200, Bytes{1, 2}));
    rig.push(batch);
    fail_unless(rig.out->last == batch);
    batch = rig::make_batch(std::vector<Bytes>{{1, 2}, {3, 2}, {1, 2}});
    rig.push(batch);
    fail_unless(rig.out->last == batch);
    fail_unless_equals_uint64(rig.out->packets.size(), 501 + 200 + 2);
    fail_unless_equals_uint64(rig.stat("copies"), 0);
    // Nothing left: nothing pushed.
    rig.push(rig::make_batch(std::vector<Bytes>{{3, 3}, {5, 3}}));
    rig.push(rig::make_batch({}));
    fail_unless(rig.out->last == batch);
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
    rig.out->takes_batches = true;
    rig.play();
    Feeder(kind, rig.source()).feed(std::vector<Bytes>(40, Bytes(30, 1)), batch);
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
    fail_unless_equals_uint64(copies("sorter", Kind::batch, batch), 0);
    fail_unless_equals_uint64(copies("sorter", Kind::split_batch, batch), 0);
    fail_unless_equals_uint64(copies("sorter", Kind::copied_batch, batch), 0);
    fail_unless_equals_uint64(copies("sorter", Kind::shared_batch, batch), 40);
    fail_unless_equals_uint64(copies("readsorter", Kind::shared_batch, batch), 0);
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

/** The producer of the batch queried another peer: it takes a while until it asks again. */
GST_START_TEST(test_a_new_neighbour_is_asked) {
  const auto ask = [](rig::Rig& rig, rig::Sink& taker, bool takes, std::uint8_t start) {
    taker.takes_batches = takes;  // fails if it gets one without
    const std::uint64_t copies = rig.stat("copies");
    const std::vector<Bytes> packets(20, Bytes{start, 2});
    fail_unless_equals_int(rig.push(rig::make_batch(packets)), GST_FLOW_OK);
    fail_unless(taker.packets == packets);
    fail_unless_equals_uint64(rig.stat("copies") - copies, takes ? 0 : 20);
  };
  rig::Rig rig("readsorter");
  rig.play();
  for (const bool takes : {true, false, true, false}) {
    rig.out.reset();
    rig.out = rig.open("src");
    ask(rig, *rig.out, takes, 1);
  }
  for (const bool takes : {true, false, true, false}) {
    const std::unique_ptr<rig::Sink> left = rig.open("left");
    ask(rig, *left, takes, 7);
  }
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
  tcase_add_test(tc, test_a_new_neighbour_is_asked);
  return s;
}

GST_CHECK_MAIN(forms)
