// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Runs a pipeline and counts the buffers that reach the element named "count", for elements
 * that are no memif peers. pipecount SECONDS WARMUP PIPELINE. Prints JSON. If SECONDS is 0: all
 * that arrive until the end of the stream, or of its input, and RTP packets that are missing in
 * front of an element named "rtp".
 */
#include <gst/gst.h>
#include <sys/resource.h>
#include <unistd.h>

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

/** Gaps in the sequence numbers of what comes in order. */
struct Sequence {
  guint64 packets = 0, lost = 0;
  int next = -1;

  void see(GstBuffer* buffer) {
    guint8 head[4];
    if (gst_buffer_extract(buffer, 0, head, sizeof head) != sizeof head) return;
    const int number = GST_READ_UINT16_BE(head + 2);
    if (next >= 0) lost += static_cast<guint16>(number - next);
    next = (number + 1) & 0xffff;
    ++packets;
  }
};

GstPadProbeReturn on_rtp(GstPad*, GstPadProbeInfo* info, gpointer data) {
  auto& sequence = *static_cast<Sequence*>(data);
  if ((info->type & GST_PAD_PROBE_TYPE_BUFFER_LIST) == 0) {
    sequence.see(GST_PAD_PROBE_INFO_BUFFER(info));
    return GST_PAD_PROBE_OK;
  }
  GstBufferList* list = GST_PAD_PROBE_INFO_BUFFER_LIST(info);
  for (guint i = 0; i < gst_buffer_list_length(list); ++i) {
    sequence.see(gst_buffer_list_get(list, i));
  }
  return GST_PAD_PROBE_OK;
}

void probe(GstElement* element, GstPadProbeCallback callback, gpointer data) {
  GstPad* pad = gst_element_get_static_pad(element, "sink");
  gst_pad_add_probe(
      pad, static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST),
      callback, data, nullptr);
  gst_object_unref(pad);
  gst_object_unref(element);
}

double cpu_seconds() {
  rusage use{};
  getrusage(RUSAGE_SELF, &use);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(use.ru_utime) + seconds(use.ru_stime);
}

/** Until the end of the stream or of the input; false after an error. */
bool run_to_end(GstElement* pipeline) {
  GMainLoop* loop = g_main_loop_new(nullptr, FALSE);
  struct State {
    GMainLoop* loop;
    bool failed;
  } state{loop, false};
  GstBus* bus = gst_element_get_bus(pipeline);
  gst_bus_add_watch(
      bus,
      [](GstBus*, GstMessage* message, gpointer data) -> gboolean {
        auto& s = *static_cast<State*>(data);
        s.failed |= GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR;
        if (s.failed || GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS) g_main_loop_quit(s.loop);
        return G_SOURCE_CONTINUE;
      },
      &state);
  GIOChannel* input = g_io_channel_unix_new(STDIN_FILENO);
  g_io_add_watch(
      input, static_cast<GIOCondition>(G_IO_IN | G_IO_HUP),
      [](GIOChannel*, GIOCondition, gpointer data) -> gboolean {
        g_main_loop_quit(static_cast<GMainLoop*>(data));
        return G_SOURCE_REMOVE;
      },
      loop);
  g_io_channel_unref(input);
  g_main_loop_run(loop);
  gst_bus_remove_watch(bus);
  gst_object_unref(bus);
  g_main_loop_unref(loop);
  return !state.failed;
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
  probe(end, on_data, &packets);
  Sequence sequence;
  GstElement* rtp = gst_bin_get_by_name(GST_BIN(pipeline), "rtp");
  if (rtp != nullptr) probe(rtp, on_rtp, &sequence);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  if (std::atof(argv[1]) == 0) {
    const bool well = run_to_end(pipeline);
    gst_element_set_state(pipeline, GST_STATE_READY);  // no probe runs any more
    std::printf("{%s\"received\": %" G_GUINT64_FORMAT ", \"rtp_packets\": %" G_GUINT64_FORMAT
                ", \"rtp_lost\": %" G_GUINT64_FORMAT ", \"cpu_seconds\": %.4f}\n",
                well ? "" : "\"error\": \"the pipeline failed\", ", packets.load(),
                sequence.packets, sequence.lost, cpu_seconds());
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(pipeline);
    return well ? 0 : 1;
  }
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
