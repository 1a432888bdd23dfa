// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Batches that an element has to copy before it changes their packets: the copies are used again,
 * but never while anybody has them.
 */
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "decttl.hpp"
#include "rig.hpp"
#include "samples.hpp"

namespace {

using rig::Bytes;

void register_decttl() {
  fail_unless(register_element<DecTtl>(nullptr));
}

/** An element that copies what it is given, as it may not write to that. */
class Copier {
 public:
  Copier() {
    rig_.out->takes_batches = true;
    rig_.play();
    pad_ = gst_element_get_static_pad(rig_.element, "src");
  }
  ~Copier() { gst_object_unref(pad_); }
  Copier(const Copier&) = delete;
  Copier& operator=(const Copier&) = delete;

  /** What it makes of @p n packets; transfer full. */
  GstBuffer* copy(std::size_t n, std::uint8_t ttl, std::size_t size = 20) {
    GstBuffer* batch =
        rig::make_batch(std::vector<Bytes>(n, samples::echo_frame(size, {.ttl = ttl})));
    GST_MINI_OBJECT_FLAG_SET(gst_buffer_peek_memory(batch, 0), GST_MEMORY_FLAG_READONLY);
    GST_BUFFER_PTS(batch) = ttl;
    GstBuffer* seen = nullptr;
    const gulong probe = gst_pad_add_probe(
        pad_, GST_PAD_PROBE_TYPE_BUFFER,
        [](GstPad*, GstPadProbeInfo* info, gpointer to) {
          *static_cast<GstBuffer**>(to) = gst_buffer_ref(GST_PAD_PROBE_INFO_BUFFER(info));
          return GST_PAD_PROBE_OK;
        },
        &seen, nullptr);
    fail_unless_equals_int(rig_.push(batch), GST_FLOW_OK);
    gst_pad_remove_probe(pad_, probe);
    check(seen, n, ttl, size);
    return seen;
  }
  /** That it is a batch as a new one would be, with the packets that it should have. */
  static void check(GstBuffer* copy, std::size_t n, std::uint8_t ttl, std::size_t size = 20) {
    const Bytes expected = samples::echo_frame(size, {.ttl = static_cast<std::uint8_t>(ttl - 1)});
    fail_unless(rig::packets_of(copy) == std::vector<Bytes>(n, expected));
    fail_unless_equals_uint64(gst_buffer_get_size(copy), n * expected.size());
    fail_unless_equals_uint64(GST_BUFFER_PTS(copy), ttl);
    fail_unless_equals_uint64(GST_BUFFER_DTS(copy), GST_CLOCK_TIME_NONE);
    fail_unless_equals_uint64(GST_BUFFER_DURATION(copy), GST_CLOCK_TIME_NONE);
    fail_unless_equals_int(GST_BUFFER_FLAGS(copy) & ~GST_BUFFER_FLAG_TAG_MEMORY, 0);
    fail_unless_equals_int(gst_buffer_get_n_meta(copy, GST_PACKET_BATCH_META_API_TYPE), 1);
    fail_unless(gst_buffer_get_reference_timestamp_meta(copy, nullptr) == nullptr);
    GstMemory* arena = gst_buffer_peek_memory(copy, 0);
    fail_if(GST_MEMORY_IS_READONLY(arena));
    fail_unless(GST_MEMORY_IS_NO_SHARE(arena));
    fail_unless_equals_uint64(arena->maxsize, n * expected.size());
  }
  std::uint64_t copies() const { return rig_.stat("copies"); }

 private:
  rig::Rig rig_{"decttl"};
  GstPad* pad_ = nullptr;
};

GstMemory* arena_of(GstBuffer* batch) {
  return gst_buffer_peek_memory(batch, 0);
}

/** Lets go of @p copy, and counts it in @p freed when it is freed. */
void drop(GstBuffer* copy, std::size_t& freed) {
  gst_mini_object_weak_ref(
      GST_MINI_OBJECT_CAST(copy),
      [](gpointer count, GstMiniObject*) { ++*static_cast<std::size_t*>(count); }, &freed);
  gst_buffer_unref(copy);
}

/** From one thread to another. ThreadSanitizer does not know what a GAsyncQueue orders. */
class Way {
 public:
  void push(GstBuffer* copy) {
    {
      const std::lock_guard lock(mutex_);
      copies_.push_back(copy);
    }
    changed_.notify_one();
  }
  GstBuffer* pop() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !copies_.empty(); });
    GstBuffer* copy = copies_.front();
    copies_.pop_front();
    return copy;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<GstBuffer*> copies_;
};

}  // namespace

GST_START_TEST(test_a_copy_is_used_again) {
  std::size_t freed = 0;
  {
    Copier copier;
    GstBuffer* copy = copier.copy(3, 9);
    GstMemory* const arena = arena_of(copy);
    GstBuffer* const place = copy;
    drop(copy, freed);
    copy = copier.copy(2, 7);
    fail_unless(copy == place && arena_of(copy) == arena);
    fail_unless_equals_uint64(freed, 0);
    gst_buffer_unref(copy);
    fail_unless_equals_uint64(copier.copies(), 5);
  }
  fail_unless_equals_uint64(freed, 1);
}
GST_END_TEST

/** What somebody did to a copy is not found on the next one. */
GST_START_TEST(test_nothing_is_left_of_the_last_use) {
  Copier copier;
  GstBuffer* copy = copier.copy(3, 9);
  GstBuffer* const place = copy;
  GstCaps* reference = gst_caps_new_empty_simple("timestamp/x-test");
  gst_buffer_add_reference_timestamp_meta(copy, reference, 5, GST_CLOCK_TIME_NONE);
  gst_caps_unref(reference);
  GST_BUFFER_DTS(copy) = GST_BUFFER_DURATION(copy) = 5;
  GST_BUFFER_FLAG_SET(copy, GST_BUFFER_FLAG_DISCONT | GST_BUFFER_FLAG_DROPPABLE);
  GST_MINI_OBJECT_FLAG_SET(arena_of(copy), GST_MEMORY_FLAG_READONLY);
  gst_buffer_get_packet_batch_meta(copy)->n = G_MAXUINT;
  gst_buffer_unref(copy);
  copy = copier.copy(1, 7);
  fail_unless(copy == place);
  gst_buffer_unref(copy);
}
GST_END_TEST

/**
 * To let go of what was copied takes time that the copy does not wait for; but whoever else has it
 * may be waiting to have it alone.
 */
GST_START_TEST(test_when_what_was_copied_is_let_go) {
  struct Seen {
    GstBuffer* batch = nullptr;
    bool gone = false;
    bool gone_before = false;
    gint references = 0;
  } seen;
  rig::Rig rig("decttl");
  rig.out->takes_batches = true;
  rig.play();
  GstPad* pad = gst_element_get_static_pad(rig.element, "src");
  gst_pad_add_probe(
      pad, GST_PAD_PROBE_TYPE_BUFFER,
      [](GstPad*, GstPadProbeInfo*, gpointer to) {
        auto& at = *static_cast<Seen*>(to);
        at.gone_before = at.gone;
        at.references = at.gone ? 0 : GST_MINI_OBJECT_REFCOUNT_VALUE(at.batch);
        return GST_PAD_PROBE_OK;
      },
      &seen, nullptr);
  gst_object_unref(pad);
  for (const bool shared : {false, true}) {
    seen.batch = rig::make_batch(std::vector<Bytes>{samples::echo_frame(20, {.ttl = 9})});
    seen.gone = false;
    GST_MINI_OBJECT_FLAG_SET(gst_buffer_peek_memory(seen.batch, 0), GST_MEMORY_FLAG_READONLY);
    gst_mini_object_weak_ref(
        GST_MINI_OBJECT_CAST(seen.batch),
        [](gpointer to, GstMiniObject*) { *static_cast<bool*>(to) = true; }, &seen.gone);
    if (shared) gst_buffer_ref(seen.batch);
    fail_unless_equals_int(rig.push(seen.batch), GST_FLOW_OK);
    fail_if(seen.gone_before);
    fail_unless_equals_int(seen.references, 1);
    fail_unless(seen.gone == !shared);
    if (shared) gst_buffer_unref(seen.batch);
  }
}
GST_END_TEST

/** Each has its own packets for as long as it lives, also beyond the life of the element. */
GST_START_TEST(test_copies_that_are_held) {
  std::vector<GstBuffer*> held;
  {
    Copier copier;
    for (std::uint8_t ttl = 2; ttl < 50; ++ttl) held.push_back(copier.copy(ttl, ttl));
  }
  std::uint8_t ttl = 2;
  for (GstBuffer* copy : held) {
    Copier::check(copy, ttl, ttl);
    ++ttl;
    gst_buffer_unref(copy);
  }
}
GST_END_TEST

/** Each is read and dropped by another thread, while the element makes the next ones. */
GST_START_TEST(test_copies_on_another_thread) {
  Copier copier;
  Way way;
  std::thread reader([&way] {
    for (std::size_t i = 0; i < 2000; ++i) {
      GstBuffer* copy = way.pop();
      Copier::check(copy, 1 + i % 5, static_cast<std::uint8_t>(2 + i % 200));
      gst_buffer_unref(copy);
    }
  });
  for (std::size_t i = 0; i < 2000; ++i) {
    way.push(copier.copy(1 + i % 5, static_cast<std::uint8_t>(2 + i % 200)));
  }
  reader.join();
}
GST_END_TEST

/** Packets that were moved to another batch, or taken as memory, are not overwritten. */
GST_START_TEST(test_an_arena_that_is_in_use) {
  Copier copier;
  GstBuffer* copy = copier.copy(4, 9);
  GstBuffer* part = rig::split_batch(copy, 0);
  gst_buffer_unref(copy);
  gst_buffer_unref(copier.copy(4, 7));
  const Bytes expected = samples::echo_frame(20, {.ttl = 8});
  fail_unless(rig::packets_of(part) == std::vector<Bytes>(4, expected));
  gst_buffer_unref(part);

  copy = copier.copy(1, 9);
  GstMemory* memory = gst_buffer_get_memory(copy, 0);
  gst_buffer_unref(copy);
  gst_buffer_unref(copier.copy(1, 7));
  GstMapInfo map;
  fail_unless(gst_memory_map(memory, &map, GST_MAP_READ));
  fail_unless(Bytes(map.data, map.data + map.size) == expected);
  gst_memory_unmap(memory, &map);
  gst_memory_unref(memory);
}
GST_END_TEST

GST_START_TEST(test_memory_that_was_replaced) {
  Copier copier;
  GstBuffer* copy = copier.copy(4, 9);
  gst_buffer_replace_all_memory(copy, gst_allocator_alloc(nullptr, 10, nullptr));
  gst_buffer_unref(copy);
  gst_buffer_unref(copier.copy(4, 7));
  copy = copier.copy(4, 6);
  gst_buffer_remove_all_memory(copy);
  gst_buffer_unref(copy);
  gst_buffer_unref(copier.copy(4, 5));
  copy = copier.copy(4, 4);
  gst_buffer_remove_meta(copy, &gst_buffer_get_packet_batch_meta(copy)->meta);
  gst_buffer_unref(copy);
  gst_buffer_unref(copier.copy(4, 3));
}
GST_END_TEST

/** Of any size after any other: in an arena that has the size of its packets. */
GST_START_TEST(test_sizes) {
  Copier copier;
  for (const std::size_t n : {1, 200, 1, 40, 256, 2}) {
    for (const std::size_t size : {20, 1400, 8000, 64}) {
      gst_buffer_unref(copier.copy(n, 9, size));
    }
  }
}
GST_END_TEST

/** The memory of a few rests, whatever was held at once. */
GST_START_TEST(test_no_more_than_a_few_rest) {
  std::size_t freed = 0;
  Copier copier;
  std::vector<GstBuffer*> held;
  for (int i = 0; i < 100; ++i) held.push_back(copier.copy(1, 9));
  for (GstBuffer* copy : held) drop(copy, freed);
  fail_unless(freed >= held.size() - 8, "%zu of %zu were freed", freed, held.size());
}
GST_END_TEST

static Suite* copies_suite() {
  Suite* s = suite_create("copies");
  TCase* tc = tcase_create("general");
  suite_add_tcase(s, tc);
  tcase_add_checked_fixture(tc, register_decttl, nullptr);
  tcase_add_test(tc, test_a_copy_is_used_again);
  tcase_add_test(tc, test_nothing_is_left_of_the_last_use);
  tcase_add_test(tc, test_when_what_was_copied_is_let_go);
  tcase_add_test(tc, test_copies_that_are_held);
  tcase_add_test(tc, test_copies_on_another_thread);
  tcase_add_test(tc, test_an_arena_that_is_in_use);
  tcase_add_test(tc, test_memory_that_was_replaced);
  tcase_add_test(tc, test_sizes);
  tcase_add_test(tc, test_no_more_than_a_few_rest);
  return s;
}

GST_CHECK_MAIN(copies)
