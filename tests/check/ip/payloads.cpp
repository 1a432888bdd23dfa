// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The buffers that iphost lends: used again when they are as they were, and never too early.
 */
#include "plugins/ip/payload_pool.hpp"

#include <gst/net/gstnetaddressmeta.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <initializer_list>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "batches.hpp"

// Behind the standard library: it defines a macro fail().
#include <gst/check/gstcheck.h>

using namespace ipplugin;
using rig::Bytes;

namespace {

/** Counts the ends of mini objects. */
class Ends {
 public:
  void watch(gpointer object) {
    gst_mini_object_weak_ref(
        GST_MINI_OBJECT_CAST(object),
        [](gpointer self, GstMiniObject*) { static_cast<Ends*>(self)->ends_.fetch_add(1); }, this);
  }
  [[nodiscard]] int get() const { return ends_.load(); }

 private:
  std::atomic<int> ends_{0};
};

class Sender {
 public:
  explicit Sender(guint16 port)
      : address_(g_inet_socket_address_new_from_string("192.168.1.2", port)) {}
  ~Sender() { g_object_unref(address_); }
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;
  [[nodiscard]] GSocketAddress* get() const { return address_; }

 private:
  GSocketAddress* const address_;
};

/** A pool, and a batch of one packet that it holds. */
struct Rig {
  Rig() : pool(std::in_place), sender(7000) { renew(); }

  void renew() {
    GstBuffer* buffer = rig::make_batch(std::vector<Bytes>{Bytes(100, 7)});
    batches.watch(buffer);
    batch = pool->hold(buffer);
  }
  GstBuffer* lend(std::size_t size = 100) {
    GstBuffer* buffer = pool->lend(*batch, {batch->data(), size}, sender.get(), false);
    GST_BUFFER_PTS(buffer) = 5;
    return buffer;
  }
  /** A new one that tells of its end. */
  GstBuffer* lend_watched() {
    GstBuffer* buffer = lend();
    buffers.watch(buffer);
    return buffer;
  }

  std::optional<PayloadPool> pool;
  Sender sender;
  HeldBatchPtr batch;
  Ends batches, buffers;
};

const GstMetaInfo* other_meta() {
  return GST_PROTECTION_META_INFO;
}

void expect_as_new(GstBuffer* buffer, std::size_t size) {
  fail_unless_equals_uint64(gst_buffer_get_size(buffer), size);
  fail_unless_equals_int(gst_buffer_n_memory(buffer), 1);
  fail_unless_equals_int(GST_MINI_OBJECT_REFCOUNT_VALUE(buffer), 1);
  fail_unless_equals_int(GST_BUFFER_FLAGS(buffer), 0);
  fail_unless_equals_uint64(GST_BUFFER_DTS(buffer), GST_CLOCK_TIME_NONE);
  fail_unless_equals_uint64(GST_BUFFER_DURATION(buffer), GST_CLOCK_TIME_NONE);
  fail_unless_equals_uint64(GST_BUFFER_OFFSET(buffer), GST_BUFFER_OFFSET_NONE);
  fail_unless_equals_uint64(GST_BUFFER_OFFSET_END(buffer), GST_BUFFER_OFFSET_NONE);
  fail_unless(gst_buffer_get_meta(buffer, other_meta()->api) == nullptr);
}

}  // namespace

GST_START_TEST(test_used_again) {
  Rig rig;
  GstBuffer* buffer = rig.lend_watched();
  const GstBuffer* before = buffer;
  // What downstream does to its buffers.
  GST_BUFFER_DTS(buffer) = GST_BUFFER_DURATION(buffer) = 6;
  GST_BUFFER_OFFSET(buffer) = GST_BUFFER_OFFSET_END(buffer) = 7;
  GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DISCONT | GST_BUFFER_FLAG_MARKER);
  gst_buffer_resize(buffer, 12, 20);
  gst_buffer_add_meta(buffer, other_meta(), nullptr);
  gst_buffer_unref(buffer);
  fail_unless_equals_int(rig.buffers.get(), 0);
  rig.batch.reset();
  fail_unless_equals_int(rig.batches.get(), 1);
  rig.renew();
  const Sender other(7001);
  buffer = rig.pool->lend(*rig.batch, {rig.batch->data(), 60}, other.get(), true);
  fail_unless(buffer == before);
  expect_as_new(buffer, 60);
  fail_unless(gst_buffer_get_net_address_meta(buffer)->addr == other.get());
  fail_unless(GST_MEMORY_IS_READONLY(gst_buffer_peek_memory(buffer, 0)));
  gst_buffer_unref(buffer);
}
GST_END_TEST

GST_START_TEST(test_outlives_pool) {
  Rig rig;
  GstBuffer* kept = rig.lend_watched();
  GstBuffer* returned = rig.lend_watched();
  gst_buffer_unref(returned);
  rig.batch.reset();
  rig.pool.reset();
  // The batch is held, and so is what its buffers go back to.
  fail_unless_equals_int(rig.batches.get(), 0);
  fail_unless_equals_int(rig.buffers.get(), 0);
  GstMapInfo map;
  fail_unless(gst_buffer_map(kept, &map, GST_MAP_READ));
  fail_unless(map.size == 100 && map.data[99] == 7);
  gst_buffer_unmap(kept, &map);
  gst_buffer_unref(kept);
  fail_unless_equals_int(rig.batches.get(), 1);
  fail_unless_equals_int(rig.buffers.get(), 2);
}
GST_END_TEST

GST_START_TEST(test_parts_in_use) {
  Rig rig;
  GstBuffer* buffer = rig.lend_watched();
  GstBuffer* part = gst_buffer_copy_region(buffer, GST_BUFFER_COPY_MEMORY, 10, 20);
  gst_buffer_unref(buffer);
  rig.batch.reset();
  // Not to be used again, with a part of its memory out.
  fail_unless_equals_int(rig.buffers.get(), 1);
  fail_unless_equals_int(rig.batches.get(), 0);
  fail_unless_equals_int(gst_buffer_memcmp(part, 0, Bytes(20, 7).data(), 20), 0);
  gst_buffer_unref(part);
  fail_unless_equals_int(rig.batches.get(), 1);
}
GST_END_TEST

GST_START_TEST(test_changed_beyond_use) {
  const auto replace = [](GstBuffer* buffer) {
    gst_buffer_replace_all_memory(buffer, gst_allocator_alloc(nullptr, 10, nullptr));
  };
  const auto append = [](GstBuffer* buffer) {
    gst_buffer_append_memory(buffer, gst_allocator_alloc(nullptr, 10, nullptr));
  };
  const auto empty = [](GstBuffer* buffer) { gst_buffer_remove_all_memory(buffer); };
  const auto strip = [](GstBuffer* buffer) {
    gst_buffer_remove_meta(buffer, &gst_buffer_get_net_address_meta(buffer)->meta);
  };
  const auto lock = [](GstBuffer* buffer) {
    GstMeta* meta = gst_buffer_add_meta(buffer, other_meta(), nullptr);
    meta->flags = static_cast<GstMetaFlags>(meta->flags | GST_META_FLAG_LOCKED);
  };
  const auto twice = [](GstBuffer* buffer) {
    gst_buffer_add_meta(buffer, GST_NET_ADDRESS_META_INFO, nullptr);
  };
  const auto try_with = [](void (*change)(GstBuffer*), bool says_so) {
    Rig rig;
    GstBuffer* buffer = rig.lend_watched();
    change(buffer);
    if (!says_so) GST_BUFFER_FLAGS(buffer) = GST_BUFFER_FLAG_LIVE;
    gst_buffer_unref(buffer);
    fail_unless_equals_int(rig.buffers.get(), 1);
    buffer = rig.lend();
    expect_as_new(buffer, 100);
    fail_unless(gst_buffer_get_net_address_meta(buffer)->addr == rig.sender.get());
    gst_buffer_unref(buffer);
    rig.batch.reset();
    fail_unless_equals_int(rig.batches.get(), 1);
  };
  for (void (*const change)(GstBuffer*) :
       std::initializer_list<void (*)(GstBuffer*)>{replace, append, empty, strip, lock, twice}) {
    try_with(change, true);
    try_with(change, false);
  }
}
GST_END_TEST

GST_START_TEST(test_meta_of_another) {
  Rig rig;
  GstBuffer* buffer = rig.lend_watched();
  gst_buffer_remove_meta(buffer, &gst_buffer_get_net_address_meta(buffer)->meta);
  const Sender other(7002);
  gst_buffer_add_net_address_meta(buffer, other.get());
  gst_buffer_unref(buffer);
  fail_unless_equals_int(rig.buffers.get(), 0);
  buffer = rig.lend();
  fail_unless(gst_buffer_get_net_address_meta(buffer)->addr == rig.sender.get());
  gst_buffer_unref(buffer);
}
GST_END_TEST

GST_START_TEST(test_bounded) {
  constexpr int kMany = 40000;
  Rig rig;
  std::vector<GstBuffer*> out(kMany);
  for (GstBuffer*& buffer : out) buffer = rig.lend_watched();
  for (GstBuffer* buffer : out) gst_buffer_unref(buffer);
  // Many rest, not all.
  fail_unless(rig.buffers.get() > kMany / 2 && rig.buffers.get() < kMany);
  rig.batch.reset();
  rig.pool.reset();
  fail_unless_equals_int(rig.buffers.get(), kMany);
}
GST_END_TEST

namespace {

/** Hands buffers to a thread that drops them, as a queue does. */
class Dropper {
 public:
  Dropper() : thread_([this] { run(); }) {}
  ~Dropper() {
    give(nullptr);
    thread_.join();
  }
  Dropper(const Dropper&) = delete;
  Dropper& operator=(const Dropper&) = delete;

  void give(GstBuffer* buffer) {
    {
      const std::lock_guard lock(mutex_);
      buffers_.push_back(buffer);
    }
    given_.notify_one();
  }

 private:
  void run() {
    for (;;) {
      std::vector<GstBuffer*> taken;
      {
        std::unique_lock lock(mutex_);
        given_.wait(lock, [this] { return !buffers_.empty(); });
        taken.swap(buffers_);
      }
      for (GstBuffer* buffer : taken) {
        if (buffer == nullptr) return;
        gst_buffer_unref(buffer);
      }
    }
  }

  std::mutex mutex_;
  std::condition_variable given_;
  std::vector<GstBuffer*> buffers_;
  std::thread thread_;
};

}  // namespace

GST_START_TEST(test_threads) {
  constexpr int kRounds = 1000, kBurst = 16;
  Rig rig;
  {
    std::array<Dropper, 3> droppers;
    for (int round = 0; round < kRounds; ++round) {
      for (int i = 0; i < kBurst; ++i) {
        droppers[static_cast<std::size_t>(round) % droppers.size()].give(rig.lend());
      }
      rig.renew();
    }
    rig.batch.reset();
    rig.pool.reset();
  }
  fail_unless_equals_int(rig.batches.get(), kRounds + 1);
}
GST_END_TEST

static Suite* payloads_suite() {
  Suite* s = suite_create("payloads");
  TCase* tc = tcase_create("general");
  suite_add_tcase(s, tc);
  tcase_add_test(tc, test_used_again);
  tcase_add_test(tc, test_outlives_pool);
  tcase_add_test(tc, test_parts_in_use);
  tcase_add_test(tc, test_changed_beyond_use);
  tcase_add_test(tc, test_meta_of_another);
  tcase_add_test(tc, test_bounded);
  tcase_add_test(tc, test_threads);
  return s;
}

GST_CHECK_MAIN(payloads)
