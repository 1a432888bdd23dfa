// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Runs a pipeline and counts the buffers that reach the element named "count", for elements
 * that are no memif peers. pipecount SECONDS WARMUP PIPELINE. Prints JSON.
 */
#include <gst/gst.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace {

GstPadProbeReturn on_data(GstPad*, GstPadProbeInfo* info, gpointer counter) {
  auto& packets = *static_cast<std::atomic<guint64>*>(counter);
  guint64 n = 1;
  if ((info->type & GST_PAD_PROBE_TYPE_BUFFER_LIST) != 0) {
    n = gst_buffer_list_length(GST_PAD_PROBE_INFO_BUFFER_LIST(info));
  }
  packets.fetch_add(n, std::memory_order_relaxed);
  return GST_PAD_PROBE_OK;
}

void sleep_for(double seconds) {
  g_usleep(static_cast<gulong>(seconds * 1e6));
}

}  // namespace

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  if (argc != 4) return 2;
  GstElement* pipeline = gst_parse_launch(argv[3], nullptr);
  GstElement* end = pipeline ? gst_bin_get_by_name(GST_BIN(pipeline), "count") : nullptr;
  if (end == nullptr) return 2;
  std::atomic<guint64> packets{0};
  GstPad* pad = gst_element_get_static_pad(end, "sink");
  gst_pad_add_probe(
      pad, static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST),
      on_data, &packets, nullptr);
  gst_object_unref(pad);
  gst_object_unref(end);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  sleep_for(std::atof(argv[2]));
  const guint64 before = packets;
  const gint64 start = g_get_monotonic_time();
  sleep_for(std::atof(argv[1]));
  const guint64 n = packets - before;
  const double seconds = static_cast<double>(g_get_monotonic_time() - start) / 1e6;
  if (n == 0) {
    std::printf("{\"error\": \"nothing came through\"}\n");
  } else {
    std::printf("{\"rx_pps\": %.0f, \"lost\": 0, \"wrong\": 0}\n",
                static_cast<double>(n) / seconds);
  }
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
  return 0;
}
