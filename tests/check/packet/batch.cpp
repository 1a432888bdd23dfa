// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * A batch as a plain buffer: its size, its copies, and parts of it.
 */
#include "gst/packet/batch.hpp"
#include "bridge_rig.hpp"

using rig::BridgeRig;
using rig::Bytes;
using rig::packets_of;

namespace {

using Packets = std::vector<Bytes>;

/** Of all lengths from 0 on, each other than the one before. */
Packets some(std::size_t n) {
  Packets packets;
  for (std::size_t i = 0; i < n; ++i) {
    packets.emplace_back(i * 7, static_cast<std::uint8_t>(i + 1));
  }
  return packets;
}
std::size_t bytes_in(const Packets& packets) {
  std::size_t bytes = 0;
  for (const Bytes& packet : packets) bytes += packet.size();
  return bytes;
}

/** In an arena with room around them, in another order than they lie. */
GstBuffer* scattered(const Packets& packets) {
  GstBuffer* batch = gst_packet_batch_new(bytes_in(packets) + 100 * packets.size() + 5000);
  {
    const gstpacket::BatchMap map(batch);
    std::size_t end = map.size() - 50;
    for (const Bytes& packet : packets) {
      end -= packet.size();
      std::ranges::copy(packet, reinterpret_cast<std::uint8_t*>(map.data()) + end);
      map.meta().packets[map.meta().n++] = {static_cast<guint32>(end),
                                            static_cast<guint32>(packet.size()), 0, 0};
      end -= 50;
    }
  }
  gst_packet_batch_update_size(batch);
  return batch;
}

/** The same in foreign memory that follows the rules. */
GstBuffer* foreign(const Packets& packets) {
  GstBuffer* batch = scattered(packets);
  GstMemory* arena = gst_buffer_peek_memory(batch, 0);
  GstMapInfo map;
  fail_unless(gst_memory_map(arena, &map, GST_MAP_READ));
  GstMemory* memory = gst_allocator_alloc(nullptr, map.maxsize, nullptr);
  GstMapInfo to;
  fail_unless(gst_memory_map(memory, &to, GST_MAP_WRITE));
  std::memcpy(to.data, map.data, map.maxsize);
  gst_memory_unmap(memory, &to);
  gst_memory_unmap(arena, &map);
  GST_MINI_OBJECT_FLAG_SET(memory, GST_MEMORY_FLAG_NO_SHARE);
  gst_buffer_replace_all_memory(batch, memory);
  gst_packet_batch_update_size(batch);
  return batch;
}

}  // namespace

// As GstV4l2Allocator: with flags of its own, and with mem_map_full() alone.
struct FlaggedAllocator {
  GstAllocator parent;
};
struct FlaggedAllocatorClass {
  GstAllocatorClass parent_class;
};
GType flagged_allocator_get_type(void);
G_DEFINE_TYPE(FlaggedAllocator, flagged_allocator, GST_TYPE_ALLOCATOR)

static int flagged_maps = 0;
static guint8 flagged_bytes[1000];

static void flagged_allocator_class_init(FlaggedAllocatorClass* klass) {
  GST_ALLOCATOR_CLASS(klass)->free = [](GstAllocator*, GstMemory* memory) { g_free(memory); };
}

static void flagged_allocator_init(FlaggedAllocator* self) {
  self->parent.mem_map_full = [](GstMemory*, GstMapInfo*, gsize) -> gpointer {
    ++flagged_maps;
    return flagged_bytes;
  };
  self->parent.mem_unmap = [](GstMemory*) { --flagged_maps; };
  for (guint i = 0; i < 10; ++i) GST_OBJECT_FLAG_SET(self, guint{GST_ALLOCATOR_FLAG_LAST} << i);
}

GST_START_TEST(test_memory_of_an_allocator_with_flags) {
  auto* allocator = static_cast<GstAllocator*>(g_object_new(flagged_allocator_get_type(), nullptr));
  gst_object_ref_sink(allocator);
  auto* memory = g_new0(GstMemory, 1);
  gst_memory_init(memory, GST_MEMORY_FLAG_NO_SHARE, allocator, nullptr, sizeof flagged_bytes, 0, 0,
                  sizeof flagged_bytes);
  GstBuffer* batch = scattered(some(1));
  gst_buffer_replace_all_memory(batch, memory);
  {
    const gstpacket::BatchMap map(batch);
    fail_unless(static_cast<bool>(map));
    fail_unless(map.data() == reinterpret_cast<std::byte*>(flagged_bytes));
    fail_unless_equals_int(flagged_maps, 1);
  }
  fail_unless_equals_int(flagged_maps, 0);
  gst_buffer_unref(batch);
  gst_object_unref(allocator);
}
GST_END_TEST

GST_START_TEST(test_the_size_is_that_of_the_packets) {
  for (const auto make : {scattered, foreign}) {
    for (const std::size_t n : {0, 1, 2, 100, 256}) {
      const Packets packets = some(n);
      GstBuffer* batch = make(packets);
      fail_unless_equals_uint64(gst_buffer_get_size(batch), bytes_in(packets));
      fail_unless(packets_of(batch) == packets);
      gst_buffer_unref(batch);
    }
  }
}
GST_END_TEST

/** However large the lengths are: the memory has no more than it has. */
GST_START_TEST(test_the_size_is_one_that_can_be_read) {
  GstBuffer* batch = scattered(some(3));
  GstPacketBatchMeta* meta = gst_buffer_get_packet_batch_meta(batch);
  const gsize arena = gst_buffer_peek_memory(batch, 0)->maxsize;
  meta->n = 0;
  while (meta->n < GST_PACKET_BATCH_MAX) {
    meta->packets[meta->n++] = {0, static_cast<guint32>(arena), 0, 0};
  }
  meta->packets[7].length = G_MAXUINT32;  // outside
  gst_packet_batch_update_size(batch);
  fail_unless_equals_uint64(gst_buffer_get_size(batch), arena);
  meta->n = GST_PACKET_BATCH_MAX + 1;
  gst_packet_batch_update_size(batch);
  fail_unless_equals_uint64(gst_buffer_get_size(batch), arena);
  gst_buffer_unref(batch);
}
GST_END_TEST

GST_START_TEST(test_copies_of_the_whole_have_the_packets) {
  for (const auto make : {scattered, foreign}) {
    for (const std::size_t n : {1, 2, 100}) {
      const Packets packets = some(n);
      GstBuffer* batch = make(packets);
      for (GstBuffer* copy :
           {gst_buffer_copy(batch), gst_buffer_copy_deep(batch),
            gst_buffer_make_writable(gst_buffer_ref(batch)),
            gst_buffer_copy_region(batch, GST_BUFFER_COPY_ALL, 0, static_cast<gsize>(-1)),
            gst_packet_batch_copy(batch, 20, 30)}) {
        fail_unless(copy != batch && packets_of(copy) == packets);
        fail_unless(gst_buffer_peek_memory(copy, 0) != gst_buffer_peek_memory(batch, 0));
        fail_unless_equals_uint64(gst_buffer_get_size(copy), bytes_in(packets));
        // And so has a copy of the copy.
        GstBuffer* again = gst_buffer_copy(copy);
        gst_buffer_unref(copy);
        fail_unless(packets_of(again) == packets);
        gst_buffer_unref(again);
      }
      // The memory alone, as it is copied to be written.
      GstMemory* memory = gst_memory_copy(gst_buffer_peek_memory(batch, 0), 0, -1);
      if (make == scattered) {
        gst_buffer_replace_all_memory(batch, memory);
        fail_unless(packets_of(batch) == packets);
      } else {
        gst_memory_unref(memory);
      }
      gst_buffer_unref(batch);
    }
  }
}
GST_END_TEST

GST_START_TEST(test_other_memory_is_not_described) {
  GstBuffer* batch = scattered(some(10));
  GstBuffer* frame = gst_buffer_new_allocate(nullptr, 1000, nullptr);
  fail_unless(
      gst_buffer_copy_into(frame, batch, GST_BUFFER_COPY_METADATA, 0, static_cast<gsize>(-1)));
  fail_unless(gst_buffer_get_packet_batch_meta(frame) == nullptr);
  fail_unless(gst_meta_api_type_has_tag(GST_PACKET_BATCH_META_API_TYPE,
                                        g_quark_from_static_string(GST_META_TAG_MEMORY_STR)));
  gst_buffer_unref(frame);
  gst_buffer_unref(batch);
}
GST_END_TEST

GST_START_TEST(test_a_part_of_the_bytes_is_no_packet) {
  BridgeRig net(2);
  net.play();
  GstBuffer* batch = scattered(some(100));
  std::uint64_t pushed = 0;
  for (const gsize offset : {0, 1, 500}) {
    GstBuffer* part = gst_buffer_copy_region(batch, GST_BUFFER_COPY_ALL, offset, 64);
    fail_unless(gst_buffer_get_packet_batch_meta(part) == nullptr);
    fail_unless_equals_uint64(gst_buffer_get_size(part), 64);
    fail_unless_equals_int(gst_pad_push(net[0].feed(), part), GST_FLOW_OK);
    fail_unless_equals_uint64(net.stat("drop-unreadable"), ++pushed);
  }
  // Beside something else, too.
  GstBuffer* both = gst_buffer_append(rig::make_buffer(Bytes(60)),
                                      gst_buffer_copy_region(batch, GST_BUFFER_COPY_ALL, 3, 64));
  fail_unless_equals_int(gst_pad_push(net[0].feed(), both), GST_FLOW_OK);
  fail_unless_equals_uint64(net.stat("drop-unreadable"), ++pushed);
  fail_unless(net[1].take().empty());
  gst_buffer_unref(batch);
}
GST_END_TEST

/** Each port of a bridge gets a batch of its own in the same arena, and of its own size. */
namespace {

/** When the packet in `buffer`, or the first of a batch, was recorded; GST_CLOCK_TIME_NONE:
 * unknown. */
GstClockTime recorded(GstBuffer* buffer) {
  const auto* meta = gst_buffer_get_reference_timestamp_meta(buffer, nullptr);
  return meta != nullptr ? meta->timestamp : GST_CLOCK_TIME_NONE;
}

}  // namespace

GST_START_TEST(test_recorded_times_go_with_the_packets) {
  GstBuffer* batch = rig::make_batch(std::vector<rig::Bytes>{{1}, {2}, {3}});
  gst_buffer_get_packet_batch_meta(batch)->packets[1].delay = 20;
  GstCaps* caps = gst_caps_new_empty_simple("timestamp/x-unix");
  gst_buffer_add_reference_timestamp_meta(batch, caps, 1000, GST_CLOCK_TIME_NONE);
  gst_caps_unref(caps);
  for (GstBuffer* other : {gst_packet_batch_new_part(batch), gst_packet_batch_copy(batch, 0, 0),
                           gst_buffer_copy(batch)}) {
    fail_unless_equals_uint64(recorded(other), 1000);
    gst_buffer_unref(other);
  }
  GstBufferList* list = gst_packet_batch_unpack(batch);
  fail_unless_equals_uint64(recorded(gst_buffer_list_get(list, 0)), 1000);
  fail_unless_equals_uint64(recorded(gst_buffer_list_get(list, 1)), 1020);
  gst_buffer_list_unref(list);
}
GST_END_TEST

GST_START_TEST(test_parts_say_their_own_size) {
  BridgeRig net(3);
  for (auto& port : net.ports) port->out->takes_batches = true;
  net.play();
  for (unsigned i = 0; i < 3; ++i) net[i].push(rig::frame(rig::kBroadcast, rig::station(i)));
  Packets packets;
  for (unsigned i = 0; i < 30; ++i) {
    packets.push_back(rig::frame(rig::station(1 + i % 3 / 2), rig::station(0), i));
    packets.back().resize(60 + i);
  }
  for (unsigned i = 0; i < 3; ++i) net[i].take();
  fail_unless_equals_int(gst_pad_push(net[0].feed(), scattered(packets)), GST_FLOW_OK);
  // The sinks have compared sizes.
  fail_unless_equals_uint64(net[1].take().size(), 20);
  fail_unless_equals_uint64(net[2].take().size(), 10);
  for (const unsigned port : {1, 2}) fail_unless_equals_int(net[port].out->batches, 1);
}
GST_END_TEST

static Suite* batch_suite(void) {
  Suite* suite = suite_create("batch");
  TCase* tests = tcase_create("buffers");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_the_size_is_that_of_the_packets);
  tcase_add_test(tests, test_the_size_is_one_that_can_be_read);
  tcase_add_test(tests, test_copies_of_the_whole_have_the_packets);
  tcase_add_test(tests, test_memory_of_an_allocator_with_flags);
  tcase_add_test(tests, test_other_memory_is_not_described);
  tcase_add_test(tests, test_a_part_of_the_bytes_is_no_packet);
  tcase_add_test(tests, test_parts_say_their_own_size);
  tcase_add_test(tests, test_recorded_times_go_with_the_packets);
  return suite;
}

GST_CHECK_MAIN(batch)
