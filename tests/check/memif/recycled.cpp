// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Buffers of memifsrc that come back: always as new, and never while they are in use.
 */
#include <algorithm>
#include <array>
#include <memory>
#include <numeric>
#include <optional>
#include <thread>
#include <vector>

#include "gst/memif/data/loan_book.hpp"
#include "gst/packet/batch.hpp"
#include "plugins/memif/rx_pool.hpp"

// Behind the standard library: it defines a macro fail().
#include <gst/check/gstcheck.h>

namespace {

constexpr std::size_t kSize = 2048;

void check_new(GstBuffer* buffer, std::size_t length) {
  fail_unless(buffer != nullptr);
  fail_unless(gst_buffer_is_writable(buffer) && gst_buffer_is_all_memory_writable(buffer));
  fail_unless_equals_int(gst_buffer_n_memory(buffer), 1);
  gsize offset = 0;
  fail_unless_equals_uint64(gst_buffer_get_sizes(buffer, &offset, nullptr), length);
  fail_unless_equals_uint64(offset, 0);
  fail_unless_equals_uint64(GST_BUFFER_PTS(buffer), GST_CLOCK_TIME_NONE);
  fail_unless_equals_uint64(GST_BUFFER_DTS(buffer), GST_CLOCK_TIME_NONE);
  fail_unless_equals_uint64(GST_BUFFER_DURATION(buffer), GST_CLOCK_TIME_NONE);
  fail_unless_equals_uint64(GST_BUFFER_OFFSET(buffer), GST_BUFFER_OFFSET_NONE);
  fail_unless_equals_uint64(GST_BUFFER_OFFSET_END(buffer), GST_BUFFER_OFFSET_NONE);
  fail_unless_equals_int(GST_BUFFER_FLAGS(buffer) & ~GST_BUFFER_FLAG_TAG_MEMORY, 0);
  gpointer state = nullptr;
  fail_unless(gst_buffer_iterate_meta(buffer, &state) == nullptr);
}

GstBuffer* take(RxBufferPool& pool, std::size_t length) {
  GstBuffer* buffer = pool.take(length).buffer;
  check_new(buffer, length);
  return buffer;
}

/** Whether a buffer that @p change was done to is used again; it must be like new either way. */
template <class Change>
bool comes_back(Change change) {
  bool freed = false;
  RxBufferPool pool(kSize);
  GstBuffer* first = take(pool, 100);
  gst_mini_object_weak_ref(
      GST_MINI_OBJECT_CAST(first),
      [](gpointer told, GstMiniObject*) { *static_cast<bool*>(told) = true; }, &freed);
  change(first);
  gst_buffer_unref(first);
  const bool came_back = !freed;
  gst_buffer_unref(take(pool, 200));
  return came_back;
}

}  // namespace

GST_START_TEST(test_used_again_as_new) {
  fail_unless(comes_back([](GstBuffer*) {}));
  fail_unless(comes_back([](GstBuffer* buffer) {
    GST_BUFFER_PTS(buffer) = GST_BUFFER_DTS(buffer) = GST_BUFFER_DURATION(buffer) = 5;
    GST_BUFFER_OFFSET(buffer) = GST_BUFFER_OFFSET_END(buffer) = 6;
    GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DISCONT | GST_BUFFER_FLAG_MARKER);
  }));
  fail_unless(comes_back([](GstBuffer* buffer) { gst_buffer_resize(buffer, 14, 60); }));
  fail_unless(comes_back([](GstBuffer* buffer) { gst_buffer_resize(buffer, 0, kSize); }));
  fail_unless(comes_back([](GstBuffer* buffer) { gst_buffer_set_size(buffer, 0); }));
  fail_unless(comes_back([](GstBuffer* buffer) {
    GstCaps* caps = gst_caps_new_empty_simple("timestamp/x-test");
    gst_buffer_add_reference_timestamp_meta(buffer, caps, 5, 6);
    GST_BUFFER_PTS(buffer) = 7;
    gst_caps_unref(caps);
  }));
}
GST_END_TEST

GST_START_TEST(test_of_other_memory_is_not_used_again) {
  const auto other_memory = [](GstBuffer* buffer) {
    GstMemory* memory = gst_allocator_alloc(nullptr, 10, nullptr);
    gst_buffer_replace_all_memory(buffer, memory);
  };
  fail_if(comes_back(other_memory));
  fail_if(comes_back([&](GstBuffer* buffer) {
    other_memory(buffer);
    GST_BUFFER_FLAGS(buffer) = GST_BUFFER_FLAG_LIVE;
  }));
  fail_if(comes_back([](GstBuffer* buffer) {
    gst_buffer_remove_all_memory(buffer);
    GST_BUFFER_FLAGS(buffer) = GST_BUFFER_FLAG_LIVE;
  }));
  fail_if(comes_back([](GstBuffer* buffer) {
    gst_buffer_append_memory(buffer, gst_allocator_alloc(nullptr, 10, nullptr));
    GST_BUFFER_FLAGS(buffer) = GST_BUFFER_FLAG_LIVE;
  }));
  RxBufferPool pool(kSize);
  GstBuffer* buffer = take(pool, 1);
  gst_buffer_remove_all_memory(buffer);
  gst_buffer_unref(buffer);
  gst_buffer_unref(take(pool, 1));
}
GST_END_TEST

// With a copy of the buffer, a part of its memory, or nothing but the memory.
GST_START_TEST(test_what_somebody_looks_at_does_not_change) {
  RxBufferPool pool(kSize);
  const auto taken = [&] {
    GstBuffer* buffer = take(pool, 8);
    gst_buffer_memset(buffer, 0, 1, 8);
    return buffer;
  };
  GstBuffer* buffer = taken();
  GstBuffer* copy = gst_buffer_copy(buffer);
  gst_buffer_unref(buffer);
  buffer = taken();
  GstBuffer* part = gst_buffer_copy_region(buffer, GST_BUFFER_COPY_MEMORY, 2, 4);
  gst_buffer_unref(buffer);
  buffer = taken();
  GstMemory* memory = gst_buffer_get_memory(buffer, 0);
  gst_buffer_unref(buffer);

  std::vector<GstBuffer*> others;
  for (int i = 0; i < 100; ++i) {
    others.push_back(take(pool, 8));
    gst_buffer_memset(others.back(), 0, 2, 8);
  }
  const guint8 expected[8] = {1, 1, 1, 1, 1, 1, 1, 1};
  fail_unless(gst_buffer_memcmp(copy, 0, expected, 8) == 0);
  fail_unless(gst_buffer_memcmp(part, 0, expected, 4) == 0);
  GstMapInfo map;
  fail_unless(gst_memory_map(memory, &map, GST_MAP_READ));
  fail_unless(std::equal(expected, expected + 8, map.data));
  gst_memory_unmap(memory, &map);
  gst_memory_unref(memory);
  gst_buffer_unref(part);
  gst_buffer_unref(copy);
  for (GstBuffer* other : others) gst_buffer_unref(other);
}
GST_END_TEST

// They are its bytes, also when they are put together again, and keep it until the last one goes.
GST_START_TEST(test_parts_of_a_packet) {
  const auto budget = std::make_shared<gstmemif::CopyBudget>(2 * kSize);
  std::array<guint8, 100> bytes;
  std::iota(bytes.begin(), bytes.end(), 0);
  const auto begins_with = [&](GstBuffer* buffer, std::size_t first, std::size_t length) {
    return gst_buffer_get_size(buffer) == length &&
           gst_buffer_memcmp(buffer, 0, bytes.data() + first, length) == 0;
  };
  {
    RxBufferPool pool(kSize, budget);
    GstBuffer* buffer = take(pool, bytes.size());
    gst_buffer_fill(buffer, 0, bytes.data(), bytes.size());
    GstBuffer* head = gst_buffer_copy_region(buffer, GST_BUFFER_COPY_MEMORY, 0, 40);
    GstBuffer* tail = gst_buffer_copy_region(buffer, GST_BUFFER_COPY_MEMORY, 40, 60);
    GstBuffer* middle = gst_buffer_copy_region(tail, GST_BUFFER_COPY_MEMORY, 10, 20);
    GstBuffer* own = gst_buffer_copy_deep(tail);
    const GstMemory* whole = gst_buffer_peek_memory(buffer, 0);
    gst_buffer_unref(buffer);
    fail_unless(begins_with(head, 0, 40) && begins_with(tail, 40, 60));
    fail_unless(begins_with(middle, 50, 20) && begins_with(own, 40, 60));
    fail_unless(gst_buffer_peek_memory(middle, 0)->parent == whole);
    head = gst_buffer_append(head, tail);
    GstMemory* together = gst_buffer_get_all_memory(head);
    fail_unless(together->parent == whole, "parts that are next to each other were copied");
    gst_memory_unref(together);
    fail_unless(begins_with(head, 0, 100));
    gst_buffer_unref(head);
    fail_unless_equals_uint64(budget->used(), kSize);
    gst_buffer_unref(middle);
    fail_unless_equals_uint64(budget->used(), 0);
    fail_unless(begins_with(own, 40, 60));
    gst_buffer_unref(own);
  }
}
GST_END_TEST

GST_START_TEST(test_long_packets_and_kept_buffers) {
  std::vector<GstBuffer*> kept;
  {
    RxBufferPool pool(kSize);
    for (const std::size_t length : {kSize, kSize + 1, std::size_t{100'000}}) {
      kept.push_back(take(pool, length));
      gst_buffer_memset(kept.back(), 0, 7, length);
    }
    for (int i = 0; i < 2000; ++i) kept.push_back(take(pool, 1));
    for (int i = 0; i < 1000; ++i) {
      gst_buffer_unref(kept.back());
      kept.pop_back();
    }
  }
  // The pool is gone, what is kept is not.
  for (GstBuffer* buffer : kept) {
    gst_buffer_memset(buffer, 0, 9, 1);
    gst_buffer_unref(buffer);
  }
}
GST_END_TEST

GST_START_TEST(test_given_back_by_another_thread) {
  RxBufferPool pool(kSize);
  for (int round = 0; round < 200; ++round) {
    GstBufferList* lists[2];
    for (GstBufferList*& list : lists) {
      list = gst_buffer_list_new_sized(256);
      for (int i = 0; i < 256; ++i) gst_buffer_list_add(list, take(pool, 64));
    }
    std::thread first([&] { gst_buffer_list_unref(lists[0]); });
    std::thread second([&] { gst_buffer_list_unref(lists[1]); });
    GstBuffer* meanwhile = take(pool, 10);
    first.join();
    second.join();
    gst_buffer_unref(meanwhile);
  }
}
GST_END_TEST

/** Loans of nothing, counted when they come back. */
struct Lender {
  ~Lender() { fail_unless_equals_int(back(), out); }
  GstBuffer* take() {
    ++out;
    GstBuffer* batch = pool.lend(book.lend(nullptr));
    fail_unless(gst_buffer_is_writable(batch));
    fail_unless_equals_int(gst_buffer_n_memory(batch), 1);
    fail_unless_equals_uint64(GST_BUFFER_PTS(batch), GST_CLOCK_TIME_NONE);
    fail_unless_equals_int(GST_BUFFER_FLAGS(batch) & ~GST_BUFFER_FLAG_TAG_MEMORY, 0);
    GstPacketBatchMeta* meta = gst_buffer_get_packet_batch_meta(batch);
    fail_unless(meta != nullptr && meta->n == 0);
    gpointer state = nullptr;
    fail_unless(gst_buffer_iterate_meta(batch, &state) == &meta->meta);
    fail_unless(gst_buffer_iterate_meta(batch, &state) == nullptr);
    meta->n = 5;
    return batch;
  }
  int back() {
    book.collect([this](const gstmemif::Loan&) { ++returned; });
    return returned;
  }
  gstmemif::LoanBook book;
  RxBatchPool pool;
  int out = 0;
  int returned = 0;
};

GST_START_TEST(test_batches_come_back) {
  Lender lender;
  GstBuffer* batch = lender.take();
  gst_buffer_unref(batch);
  fail_unless_equals_int(lender.back(), 1);
  GstBuffer* again = lender.take();
  fail_unless(again == batch);
  GstBuffer* other = lender.take();
  fail_if(other == batch);
  GST_BUFFER_PTS(other) = 7;
  GST_BUFFER_FLAG_SET(other, GST_BUFFER_FLAG_DISCONT);
  gst_buffer_add_protection_meta(other, gst_structure_new_empty("test"));
  gst_buffer_unref(other);
  fail_unless(lender.take() == other);
  gst_buffer_unref(other);
  gst_buffer_unref(again);
}
GST_END_TEST

GST_START_TEST(test_changed_batches_do_not_come_back) {
  Lender lender;
  GstBuffer* batch = lender.take();
  gst_buffer_remove_meta(batch, &gst_buffer_get_packet_batch_meta(batch)->meta);
  gst_buffer_unref(batch);
  batch = lender.take();
  gst_buffer_replace_all_memory(batch, gst_allocator_alloc(nullptr, 10, nullptr));
  fail_unless_equals_int(lender.back(), 2);
  gst_buffer_unref(batch);
  // The arena is kept: so is the loan.
  batch = lender.take();
  GstMemory* arena = gst_buffer_get_memory(batch, 0);
  gst_buffer_unref(batch);
  fail_unless_equals_int(lender.back(), 2);
  batch = lender.take();
  fail_if(gst_buffer_peek_memory(batch, 0) == arena);
  gst_buffer_unref(batch);
  fail_unless_equals_int(lender.back(), 3);
  gst_memory_unref(arena);
  fail_unless_equals_int(lender.back(), 4);
  // Nothing says any more that it has other memory.
  batch = lender.take();
  gst_buffer_replace_all_memory(batch, gst_allocator_alloc(nullptr, 10, nullptr));
  GST_BUFFER_FLAGS(batch) = GST_BUFFER_FLAG_LIVE;
  gst_buffer_unref(batch);
  fail_unless_equals_int(lender.back(), 5);
  batch = lender.take();
  gst_buffer_remove_all_memory(batch);
  GST_BUFFER_FLAGS(batch) = GST_BUFFER_FLAG_LIVE;
  gst_buffer_unref(batch);
  fail_unless_equals_int(lender.back(), 6);
  batch = lender.take();
  gst_buffer_append_memory(batch, gst_allocator_alloc(nullptr, 10, nullptr));
  GST_BUFFER_FLAGS(batch) = GST_BUFFER_FLAG_LIVE;
  gst_buffer_unref(batch);
  gst_buffer_unref(lender.take());
}
GST_END_TEST

GST_START_TEST(test_kept_batches) {
  gstmemif::LoanBook book;
  GstBuffer* batch;
  {
    RxBatchPool pool;
    pool.next();
    batch = pool.lend(book.lend(nullptr));
  }
  int returned = 0;
  const auto count = [&](const gstmemif::Loan&) { ++returned; };
  book.collect(count);
  fail_unless_equals_int(returned, 0);
  gst_buffer_unref(batch);
  book.collect(count);
  fail_unless_equals_int(returned, 1);
}
GST_END_TEST

/** While their pool goes: each is freed by one of both, with its loan. */
GST_START_TEST(test_batches_that_come_back_to_a_pool_that_goes) {
  gstmemif::LoanBook book;
  for (int round = 0; round < 200; ++round) {
    std::optional<RxBatchPool> pool(std::in_place);
    GstBufferList* list = gst_buffer_list_new_sized(64);
    for (int i = 0; i < 64; ++i) gst_buffer_list_add(list, pool->lend(book.lend(nullptr)));
    std::thread other([&] { gst_buffer_list_unref(list); });
    pool.reset();
    other.join();
  }
  int returned = 0;
  book.collect([&](const gstmemif::Loan&) { ++returned; });
  fail_unless_equals_int(returned, 200 * 64);
}
GST_END_TEST

static Suite* recycled_suite(void) {
  Suite* suite = suite_create("recycled");
  TCase* tests = tcase_create("buffers");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_used_again_as_new);
  tcase_add_test(tests, test_of_other_memory_is_not_used_again);
  tcase_add_test(tests, test_what_somebody_looks_at_does_not_change);
  tcase_add_test(tests, test_parts_of_a_packet);
  tcase_add_test(tests, test_long_packets_and_kept_buffers);
  tcase_add_test(tests, test_given_back_by_another_thread);
  tcase_add_test(tests, test_batches_come_back);
  tcase_add_test(tests, test_changed_batches_do_not_come_back);
  tcase_add_test(tests, test_kept_batches);
  tcase_add_test(tests, test_batches_that_come_back_to_a_pool_that_goes);
  return suite;
}

GST_CHECK_MAIN(recycled)
