// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * What one more element in a chain costs: pushes batches through 0 to 16 pass-through
 * elements. One batch goes round and round, so nothing but the elements is measured. Prints JSON.
 */
#include <gst/gst.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "gst/packet/batch.hpp"
#include "gst/packet/element.hpp"

namespace {

using namespace gstpacket;

constexpr std::size_t kFrame = 64;

/** The least that an element can do. */
struct Pass {
  static constexpr ElementInfo info{"benchpass", "Pass-through", "Filter/Network",
                                    "Forwards every packet", "The gst-memif developers"};
  Verdict process(Packet&) { return forward(); }
};

/** The end of a chain, which gives the batch back to its start. */
struct End {
  GstPad* pad;
  GstBuffer* buffer = nullptr;
};

GstFlowReturn on_buffer(GstPad* pad, GstObject*, GstBuffer* buffer) {
  static_cast<End*>(pad->chaindata)->buffer = buffer;
  return GST_FLOW_OK;
}

gboolean on_query(GstPad* pad, GstObject* parent, GstQuery* query) {
  if (GST_QUERY_TYPE(query) != GST_QUERY_ALLOCATION) {
    return gst_pad_query_default(pad, parent, query);
  }
  gst_query_add_allocation_meta(query, GST_PACKET_BATCH_META_API_TYPE, nullptr);
  return TRUE;
}

class Chain {
 public:
  explicit Chain(int length) {
    pipeline_ = gst_pipeline_new(nullptr);
    GstElement* last = nullptr;
    GstElement* first = nullptr;
    for (int i = 0; i < length; ++i) {
      GstElement* element = gst_element_factory_make("benchpass", nullptr);
      gst_bin_add(GST_BIN(pipeline_), element);
      if (last != nullptr) gst_element_link(last, element);
      if (first == nullptr) first = element;
      last = element;
    }
    start_ = gst_pad_new("start", GST_PAD_SRC);
    end_.pad = gst_pad_new("end", GST_PAD_SINK);
    gst_pad_set_chain_function_full(end_.pad, on_buffer, &end_, nullptr);
    gst_pad_set_query_function(end_.pad, on_query);
    link(start_, first == nullptr ? nullptr : gst_element_get_static_pad(first, "sink"), end_.pad);
    if (last != nullptr) {
      GstPad* src = gst_element_get_static_pad(last, "src");
      gst_pad_link(src, end_.pad);
      gst_object_unref(src);
    }
    gst_pad_set_active(end_.pad, TRUE);
    gst_element_set_state(pipeline_, GST_STATE_PLAYING);
    gst_pad_set_active(start_, TRUE);
    gst_pad_push_event(start_, gst_event_new_stream_start("bench"));
    GstCaps* caps = gst_caps_from_string("application/x-packet, link-type=(string)ethernet");
    gst_pad_push_event(start_, gst_event_new_caps(caps));
    gst_caps_unref(caps);
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_pad_push_event(start_, gst_event_new_segment(&segment));
  }
  ~Chain() {
    gst_pad_set_active(start_, FALSE);
    gst_element_set_state(pipeline_, GST_STATE_NULL);
    gst_object_unref(pipeline_);
    gst_pad_set_active(end_.pad, FALSE);
    gst_object_unref(start_);
    gst_object_unref(end_.pad);
  }
  Chain(const Chain&) = delete;
  Chain& operator=(const Chain&) = delete;

  /** Nanoseconds per packet; negative if the chain does not pass batches. */
  double measure(guint batch, gint64 duration_us) {
    GstBuffer* buffer = gst_packet_batch_new(std::size_t{batch} * kFrame);
    GstPacketBatchMeta* meta = gst_buffer_get_packet_batch_meta(buffer);
    for (guint i = 0; i < batch; ++i) meta->packets[i] = {i * guint{kFrame}, kFrame, 0, 0};
    meta->n = batch;
    guint64 rounds = 0;
    const gint64 start = g_get_monotonic_time();
    gint64 now = start;
    while (now - start < duration_us) {
      for (int i = 0; i < 64; ++i, ++rounds) {
        end_.buffer = nullptr;
        gst_pad_push(start_, buffer);
        buffer = end_.buffer;
        if (buffer == nullptr) return -1;
      }
      now = g_get_monotonic_time();
    }
    const bool whole = gst_buffer_get_packet_batch_meta(buffer) != nullptr &&
                       gst_buffer_get_packet_batch_meta(buffer)->n == batch;
    gst_buffer_unref(buffer);
    if (!whole) return -1;
    return static_cast<double>(now - start) * 1000.0 / static_cast<double>(rounds * batch);
  }

 private:
  static void link(GstPad* from, GstPad* to_owned, GstPad* otherwise) {
    gst_pad_link(from, to_owned != nullptr ? to_owned : otherwise);
    if (to_owned != nullptr) gst_object_unref(to_owned);
  }

  GstElement* pipeline_;
  GstPad* start_;
  End end_{};
};

}  // namespace

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  if (!register_element<Pass>(nullptr)) return 1;
  const gint64 duration = argc > 1 ? std::atoi(argv[1]) * gint64{1000} : 100'000;
  const char* separator = "{\"points\": [";
  for (const guint batch : {1U, 32U, 256U}) {
    for (const int length : {0, 1, 2, 4, 8, 16}) {
      Chain chain(length);
      chain.measure(batch, duration / 4);  // warm-up
      std::printf("%s{\"batch\": %u, \"elements\": %d, \"ns\": %.3f}", separator, batch, length,
                  chain.measure(batch, duration));
      separator = ", ";
    }
  }
  std::printf("]}\n");
  return 0;
}
