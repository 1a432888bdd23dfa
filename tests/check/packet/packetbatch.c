// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The C API of batches, as a program in C uses it.
 */
#include <gst/check/gstcheck.h>
#include <gst/packet/packetbatch.h>

#include <string.h>

#define assert_packet(batch, index, text) \
  assert_packet_is(batch, index, (const guint8*)(text), strlen(text))

static void assert_packet_is(GstBuffer* batch, guint index, const guint8* data, gsize size) {
  GBytes* packet = gst_packet_batch_get_packet(batch, index);
  GBytes* expected = g_bytes_new(data, size);
  fail_unless(packet != NULL && g_bytes_equal(packet, expected));
  g_bytes_unref(packet);
  g_bytes_unref(expected);
}

static gsize sum_of_sizes(GstBuffer* batch) {
  const GstPacketBatchMeta* meta = gst_buffer_get_packet_batch_meta(batch);
  gsize sum = 0;
  for (guint i = 0; i < meta->n; ++i) sum += meta->packets[i].length;
  return sum;
}

static gboolean append(GstBuffer* batch, const char* text) {
  return gst_packet_batch_append_packet(batch, (const guint8*)text, strlen(text));
}

static gboolean replace(GstBuffer* batch, guint index, const char* text) {
  return gst_packet_batch_replace_packet(batch, index, (const guint8*)text, strlen(text));
}

static gboolean overwrite(GstBuffer* batch, guint index, gsize offset, const char* text) {
  return gst_packet_batch_write_packet(batch, index, offset, (const guint8*)text, strlen(text));
}

/* "one", "", "three" */
static GstBuffer* three_packets(void) {
  GPtrArray* packets = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
  g_ptr_array_add(packets, g_bytes_new_static("one", 3));
  g_ptr_array_add(packets, g_bytes_new_static("", 0));
  g_ptr_array_add(packets, g_bytes_new_static("three", 5));
  GstBuffer* batch = gst_packet_batch_new_from_packets(packets);
  g_ptr_array_unref(packets);
  fail_unless(batch != NULL && gst_packet_batch_is_valid(batch));
  fail_unless_equals_int(gst_packet_batch_get_n_packets(batch), 3);
  fail_unless_equals_uint64(gst_buffer_get_size(batch), 8);
  return batch;
}

GST_START_TEST(test_types) {
  fail_unless(GST_PACKET_BATCH_META_INFO->api == GST_PACKET_BATCH_META_API_TYPE);
  fail_unless_equals_int(sizeof(GstPacketDesc), 16);
}
GST_END_TEST

GST_START_TEST(test_packets_are_read) {
  GstBuffer* batch = three_packets();
  assert_packet(batch, 0, "one");
  assert_packet(batch, 1, "");
  assert_packet(batch, 2, "three");
  fail_unless(gst_packet_batch_get_packet(batch, 3) == NULL);
  fail_unless(gst_packet_batch_get_packet(batch, G_MAXUINT) == NULL);
  GstPacketMapInfo info;
  fail_unless(gst_packet_batch_map_packet(batch, 2, &info, GST_MAP_READ));
  fail_unless(info.size == 5 && memcmp(info.data, "three", 5) == 0);
  /* Nobody changes what is looked at. */
  fail_if(append(batch, "four"));
  gst_packet_batch_unmap_packet(&info);
  gst_packet_batch_unmap_packet(&info);
  fail_if(gst_packet_batch_map_packet(batch, 3, &info, GST_MAP_READ));
  gst_packet_batch_unmap_packet(&info);
  fail_unless(append(batch, "four"));
  gst_buffer_unref(batch);
}
GST_END_TEST

GST_START_TEST(test_packets_are_written) {
  GstBuffer* batch = three_packets();
  fail_unless(overwrite(batch, 2, 1, "HRE"));
  assert_packet(batch, 2, "tHREe");
  fail_unless(overwrite(batch, 2, 5, ""));
  fail_if(overwrite(batch, 2, 3, "EEE"));
  fail_if(overwrite(batch, 2, G_MAXSIZE, "E"));
  fail_if(overwrite(batch, 3, 0, "E"));
  fail_if(overwrite(batch, 1, 0, "E"));
  GstPacketMapInfo info;
  fail_unless(gst_packet_batch_map_packet(batch, 0, &info, GST_MAP_READWRITE));
  memcpy(info.data, "ONE", 3);
  gst_packet_batch_unmap_packet(&info);
  assert_packet(batch, 0, "ONE");
  assert_packet(batch, 1, "");
  assert_packet(batch, 2, "tHREe");
  gst_buffer_unref(batch);
}
GST_END_TEST

GST_START_TEST(test_packets_are_truncated_and_removed) {
  GstBuffer* batch = three_packets();
  fail_if(gst_packet_batch_truncate_packet(batch, 2, 6));
  fail_unless(gst_packet_batch_truncate_packet(batch, 2, 5));
  fail_unless(gst_packet_batch_truncate_packet(batch, 2, 2));
  fail_if(gst_packet_batch_truncate_packet(batch, 2, 3));
  fail_if(gst_packet_batch_truncate_packet(batch, 3, 0));
  assert_packet(batch, 2, "th");
  fail_unless_equals_uint64(gst_buffer_get_size(batch), 5);
  fail_unless(gst_packet_batch_remove_packet(batch, 0));
  fail_if(gst_packet_batch_remove_packet(batch, 2));
  fail_unless_equals_int(gst_packet_batch_get_n_packets(batch), 2);
  assert_packet(batch, 1, "th");
  fail_unless_equals_uint64(gst_buffer_get_size(batch), 2);
  gst_buffer_unref(batch);
}
GST_END_TEST

/* From an arena without any room on. */
GST_START_TEST(test_packets_are_appended_until_the_batch_is_full) {
  GstBuffer* batch = gst_packet_batch_new(0);
  for (guint i = 0; i < GST_PACKET_BATCH_MAX; ++i) {
    gchar* text = g_strdup_printf("packet number %u", i * i);
    fail_unless(append(batch, text));
    g_free(text);
  }
  fail_if(append(batch, "one more"));
  fail_unless_equals_int(gst_packet_batch_get_n_packets(batch), GST_PACKET_BATCH_MAX);
  for (guint i = 0; i < GST_PACKET_BATCH_MAX; ++i) {
    gchar* text = g_strdup_printf("packet number %u", i * i);
    assert_packet(batch, i, text);
    g_free(text);
  }
  fail_unless_equals_uint64(gst_buffer_get_size(batch), sum_of_sizes(batch));
  gst_buffer_unref(batch);
}
GST_END_TEST

GST_START_TEST(test_packets_are_replaced) {
  GstBuffer* batch = three_packets();
  fail_unless(replace(batch, 2, "3"));
  fail_unless(replace(batch, 0, "number one is longer now"));
  fail_unless(replace(batch, 1, "2"));
  fail_if(replace(batch, 3, "4"));
  assert_packet(batch, 0, "number one is longer now");
  assert_packet(batch, 1, "2");
  assert_packet(batch, 2, "3");
  fail_unless_equals_uint64(gst_buffer_get_size(batch), sum_of_sizes(batch));
  gst_buffer_unref(batch);
}
GST_END_TEST

GST_START_TEST(test_sizes_have_an_end) {
  GstBuffer* batch = three_packets();
  fail_if(gst_packet_batch_append_packet(batch, NULL, G_MAXSIZE));
  fail_if(gst_packet_batch_replace_packet(batch, 0, NULL, (gsize)G_MAXUINT32 + 1));
  fail_unless(gst_packet_batch_copy(batch, G_MAXSIZE, 1) == NULL);
  fail_unless(gst_packet_batch_copy(batch, 1, G_MAXSIZE) == NULL);
  fail_unless(gst_packet_batch_append_packet(batch, NULL, 0));
  GBytes* packet = g_bytes_new_static("one", 3);
  GPtrArray* packets = g_ptr_array_new();
  while (packets->len <= GST_PACKET_BATCH_MAX) g_ptr_array_add(packets, packet);
  fail_unless(gst_packet_batch_new_from_packets(packets) == NULL);
  g_ptr_array_unref(packets);
  g_bytes_unref(packet);
  assert_packet(batch, 2, "three");
  gst_buffer_unref(batch);
}
GST_END_TEST

static void assert_unchangeable(GstBuffer* batch) {
  GstPacketMapInfo info;
  fail_if(gst_packet_batch_map_packet(batch, 0, &info, GST_MAP_WRITE));
  fail_if(overwrite(batch, 0, 0, "x"));
  fail_if(append(batch, "x"));
  fail_if(replace(batch, 0, "x"));
  fail_if(gst_packet_batch_truncate_packet(batch, 0, 0));
  fail_if(gst_packet_batch_remove_packet(batch, 0));
  fail_if(gst_packet_batch_set_packet_pts(batch, 0, 0));
}

GST_START_TEST(test_what_others_see_is_copied) {
  GstBuffer* shared = three_packets();
  gst_buffer_ref(shared);
  assert_unchangeable(shared);
  GstBuffer* batch = gst_packet_batch_make_writable(shared);
  fail_unless(batch != NULL && batch != shared);
  fail_unless(replace(batch, 0, "mine"));
  assert_packet(shared, 0, "one");
  assert_packet(batch, 0, "mine");
  fail_unless(gst_packet_batch_make_writable(batch) == batch);
  gst_buffer_unref(batch);
  gst_buffer_unref(shared);
}
GST_END_TEST

/* As a master's: the descriptors are ours, the bytes are not. */
GST_START_TEST(test_memory_for_reading_is_copied) {
  GstBuffer* batch = three_packets();
  GST_MINI_OBJECT_FLAG_SET(gst_buffer_peek_memory(batch, 0), GST_MEMORY_FLAG_READONLY);
  fail_if(overwrite(batch, 0, 0, "x"));
  fail_unless(gst_packet_batch_truncate_packet(batch, 0, 2));
  /* Into an arena of its own. */
  gst_buffer_ref(batch);
  GstBuffer* copy = gst_packet_batch_make_writable(batch);
  fail_unless(copy != batch && overwrite(copy, 0, 0, "x"));
  assert_packet(copy, 0, "xn");
  gst_buffer_unref(copy);
  fail_unless(replace(batch, 2, "3"));
  assert_packet(batch, 0, "on");
  assert_packet(batch, 2, "3");
  gst_buffer_unref(batch);
}
GST_END_TEST

/* What lies between the packets of a part belongs to the others. */
GST_START_TEST(test_parts_leave_each_other_alone) {
  GstBuffer* batch = three_packets();
  GstBuffer* part = gst_packet_batch_new_part(batch);
  GstPacketBatchMeta* from = gst_buffer_get_packet_batch_meta(batch);
  GstPacketBatchMeta* to = gst_buffer_get_packet_batch_meta(part);
  fail_unless(gst_packet_batch_peek_arena(part) == gst_packet_batch_peek_arena(batch));
  to->packets[to->n++] = from->packets[0];
  fail_unless(gst_packet_batch_remove_packet(batch, 0));
  gst_packet_batch_update_size(part);
  fail_unless(overwrite(part, 0, 0, "O"));
  fail_unless(append(part, "another"));
  fail_unless(append(batch, "fourth"));
  fail_unless(replace(part, 0, "longer than before"));
  assert_packet(batch, 0, "");
  assert_packet(batch, 1, "three");
  assert_packet(batch, 2, "fourth");
  assert_packet(part, 0, "longer than before");
  assert_packet(part, 1, "another");
  gst_buffer_unref(batch);
  assert_packet(part, 1, "another");
  gst_buffer_unref(part);
}
GST_END_TEST

GST_START_TEST(test_damaged_descriptors) {
  const GstPacketDesc damaged[] = {{9, 1, 0, 0}, {G_MAXUINT32, 1, 0, 0}, {1, G_MAXUINT32, 0, 0}};
  for (guint i = 0; i < G_N_ELEMENTS(damaged); ++i) {
    GstBuffer* batch = three_packets();
    gst_buffer_get_packet_batch_meta(batch)->packets[1] = damaged[i];
    fail_if(gst_packet_batch_is_valid(batch));
    fail_unless(gst_packet_batch_get_packet(batch, 1) == NULL);
    fail_if(overwrite(batch, 1, 0, ""));
    fail_if(gst_packet_batch_truncate_packet(batch, 1, 0));
    /* The others are as good as before, also in another arena. */
    fail_unless(append(batch, "a packet that makes all of them move"));
    fail_unless(gst_packet_batch_get_packet(batch, 1) == NULL);
    fail_if(gst_packet_batch_is_valid(batch));
    fail_unless(replace(batch, 1, "mended"));
    fail_unless(gst_packet_batch_is_valid(batch));
    assert_packet(batch, 0, "one");
    assert_packet(batch, 1, "mended");
    assert_packet(batch, 2, "three");
    gst_buffer_unref(batch);
  }
}
GST_END_TEST

static void assert_no_batch(GstBuffer* buffer) {
  fail_if(gst_packet_batch_is_valid(buffer));
  fail_unless_equals_int(gst_packet_batch_get_n_packets(buffer), 0);
  fail_unless(gst_packet_batch_get_packet(buffer, 0) == NULL);
  fail_unless(gst_packet_batch_get_packet_pts(buffer, 0) == GST_CLOCK_TIME_NONE);
  assert_unchangeable(buffer);
  fail_unless(gst_packet_batch_copy(buffer, 0, 0) == NULL);
  fail_unless(gst_packet_batch_make_writable(buffer) == NULL);
}

GST_START_TEST(test_other_buffers_are_no_batches) {
  assert_no_batch(gst_buffer_new());
  assert_no_batch(gst_buffer_new_allocate(NULL, 100, NULL));
  GstBuffer* batch = three_packets();
  gst_buffer_get_packet_batch_meta(batch)->n = GST_PACKET_BATCH_MAX + 1;
  assert_no_batch(batch);
  batch = three_packets();
  gst_buffer_append_memory(batch, gst_allocator_alloc(NULL, 10, NULL));
  assert_no_batch(batch);
  GstBuffer* empty = gst_buffer_new();
  gst_buffer_add_packet_batch_meta(empty);
  fail_unless(gst_packet_batch_new_part(empty) == NULL);
  fail_unless(gst_packet_batch_peek_arena(empty) == NULL);
  assert_no_batch(empty);
}
GST_END_TEST

GST_START_TEST(test_packets_have_times) {
  GstBuffer* batch = three_packets();
  fail_unless(gst_packet_batch_get_packet_pts(batch, 0) == GST_CLOCK_TIME_NONE);
  fail_if(gst_packet_batch_set_packet_pts(batch, 0, GST_SECOND));
  GST_BUFFER_PTS(batch) = GST_SECOND;
  fail_unless(gst_packet_batch_set_packet_pts(batch, 1, 3 * GST_SECOND));
  fail_if(gst_packet_batch_set_packet_pts(batch, 2, GST_SECOND - 1));
  fail_if(gst_packet_batch_set_packet_pts(batch, 2, 6 * GST_SECOND));
  fail_if(gst_packet_batch_set_packet_pts(batch, 3, GST_SECOND));
  fail_unless_equals_uint64(gst_packet_batch_get_packet_pts(batch, 1), 3 * GST_SECOND);
  fail_unless_equals_uint64(gst_packet_batch_get_packet_pts(batch, 2), GST_SECOND);
  /* They move along. */
  fail_unless(append(batch, "a packet that makes all of them move"));
  fail_unless_equals_uint64(gst_packet_batch_get_packet_pts(batch, 1), 3 * GST_SECOND);
  gst_buffer_unref(batch);
}
GST_END_TEST

GST_START_TEST(test_a_pad_accepts_batches) {
  GstElement* sink = gst_check_setup_element("fakesink");
  GstPad* pad = gst_element_get_static_pad(sink, "sink");
  GstPad* source = gst_pad_new("src", GST_PAD_SRC);
  fail_unless_equals_int(gst_pad_link(source, pad), GST_PAD_LINK_OK);
  GstCaps* caps = gst_caps_new_empty_simple("application/x-packet");
  for (gulong probe = 0;; probe = gst_pad_accept_packet_batches(pad)) {
    GstQuery* query = gst_query_new_allocation(caps, FALSE);
    const gboolean answered = gst_pad_peer_query(source, query);
    fail_unless_equals_int(answered && gst_query_allows_packet_batches(query), probe != 0);
    gst_query_unref(query);
    /* Other queries are answered by the element. */
    fail_unless(gst_pad_peer_query_accept_caps(source, caps));
    if (probe != 0) break;
  }
  fail_unless(gst_pad_accept_packet_batches(source) == 0);
  gst_caps_unref(caps);
  gst_object_unref(source);
  gst_object_unref(pad);
  gst_check_teardown_element(sink);
}
GST_END_TEST

static GstPadProbeReturn put_another(GstPad* pad, GstPadProbeInfo* info, gpointer data) {
  (void)pad;
  const gboolean is_buffer = (info->type & GST_PAD_PROBE_TYPE_BUFFER) != 0;
  fail_unless_equals_int(gst_pad_probe_info_set_packet_batch(info, data), is_buffer);
  return GST_PAD_PROBE_OK;
}

GST_START_TEST(test_a_probe_puts_another_batch) {
  static GstStaticPadTemplate any_sink =
      GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
  static GstStaticPadTemplate any_src =
      GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
  GstElement* element = gst_check_setup_element("identity");
  GstPad* source = gst_check_setup_src_pad(element, &any_src);
  GstPad* sink = gst_check_setup_sink_pad(element, &any_sink);
  gst_pad_set_active(source, TRUE);
  gst_pad_set_active(sink, TRUE);
  GstBuffer* other = three_packets();
  gst_pad_add_probe(source, GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
                    put_another, other, NULL);
  fail_unless_equals_int(gst_element_set_state(element, GST_STATE_PLAYING),
                         GST_STATE_CHANGE_SUCCESS);
  gst_check_setup_events(source, element, NULL, GST_FORMAT_TIME);
  fail_unless_equals_int(gst_pad_push(source, gst_buffer_new()), GST_FLOW_OK);
  fail_unless_equals_int(g_list_length(buffers), 1);
  /* As identity passes it on: a copy, as the test still holds it. */
  assert_packet(buffers->data, 2, "three");
  gst_check_drop_buffers();
  /* Nobody else holds it any more. */
  fail_unless(gst_buffer_is_writable(other));
  gst_buffer_unref(other);
  gst_check_teardown_src_pad(element);
  gst_check_teardown_sink_pad(element);
  gst_check_teardown_element(element);
}
GST_END_TEST

static Suite* packetbatch_suite(void) {
  Suite* suite = suite_create("packetbatch");
  TCase* tests = tcase_create("c");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_types);
  tcase_add_test(tests, test_packets_are_read);
  tcase_add_test(tests, test_packets_are_written);
  tcase_add_test(tests, test_packets_are_truncated_and_removed);
  tcase_add_test(tests, test_packets_are_appended_until_the_batch_is_full);
  tcase_add_test(tests, test_packets_are_replaced);
  tcase_add_test(tests, test_sizes_have_an_end);
  tcase_add_test(tests, test_what_others_see_is_copied);
  tcase_add_test(tests, test_memory_for_reading_is_copied);
  tcase_add_test(tests, test_parts_leave_each_other_alone);
  tcase_add_test(tests, test_damaged_descriptors);
  tcase_add_test(tests, test_other_buffers_are_no_batches);
  tcase_add_test(tests, test_packets_have_times);
  tcase_add_test(tests, test_a_pad_accepts_batches);
  tcase_add_test(tests, test_a_probe_puts_another_batch);
  return suite;
}

GST_CHECK_MAIN(packetbatch)
