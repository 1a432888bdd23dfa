// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Pushes the same prepared buffer lists into the element named "in" of a pipeline for a time:
 * no source could do it for less. Prints JSON; what arrived is the receiver's to say.
 */
#include <gst/gst.h>
#include <sys/resource.h>

#include <array>
#include <cstdio>

namespace {

constexpr std::size_t kLists = 16;
constexpr guint kBetweenLooks = 16;

double cpu_seconds() {
  rusage use{};
  getrusage(RUSAGE_SELF, &use);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(use.ru_utime) + seconds(use.ru_stime);
}

struct Options {
  gchar* pad = nullptr;
  double seconds = 1, warmup = 0.5;
  int size = 1400, length = 64;
};

GstBufferList* make_list(guint length, std::size_t size) {
  GstBufferList* list = gst_buffer_list_new_sized(length);
  for (guint i = 0; i < length; ++i) {
    GstBuffer* buffer = gst_buffer_new_allocate(nullptr, size, nullptr);
    gst_buffer_memset(buffer, 0, static_cast<guint8>(i), size);
    gst_buffer_list_add(list, buffer);
  }
  return list;
}

/** Owns a pipeline, and the pad that feeds it. */
class Feed {
 public:
  Feed(GstElement* pipeline, GstPad* to) : pipeline_(pipeline) {
    src_ = gst_pad_new("src", GST_PAD_SRC);
    gst_pad_set_active(src_, TRUE);
    linked_ = gst_pad_link(src_, to) == GST_PAD_LINK_OK;
  }
  ~Feed() {
    gst_element_set_state(pipeline_, GST_STATE_NULL);
    gst_object_unref(src_);
    gst_object_unref(pipeline_);
  }
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;

  bool start() {
    if (!linked_) return false;
    // Not all sinks of it may preroll: not all are fed from here.
    if (gst_element_set_state(pipeline_, GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE) {
      return false;
    }
    gst_pad_push_event(src_, gst_event_new_stream_start("lists"));
    gst_pad_push_event(src_, gst_event_new_caps(gst_caps_new_empty_simple("application/x-bench")));
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_pad_push_event(src_, gst_event_new_segment(&segment));
    return true;
  }

  /** Lists pushed in that time, or -1 if the pipeline took no more. */
  gint64 run(const std::array<GstBufferList*, kLists>& lists, double seconds) {
    const gint64 end = g_get_monotonic_time() + static_cast<gint64>(seconds * 1e6);
    gint64 pushed = 0;
    while (g_get_monotonic_time() < end) {
      for (guint i = 0; i < kBetweenLooks; ++i, ++pushed) {
        GstBufferList* list = lists[static_cast<std::size_t>(pushed) % kLists];
        if (gst_pad_push_list(src_, gst_buffer_list_ref(list)) != GST_FLOW_OK) return -1;
      }
    }
    return pushed;
  }

 private:
  GstElement* pipeline_;
  GstPad* src_;
  bool linked_;
};

int push(const Options& o, const char* description) {
  GstElement* pipeline = gst_pipeline_new(nullptr);
  GstElement* all = gst_parse_bin_from_description(description, FALSE, nullptr);
  if (all == nullptr) return 2;
  gst_bin_add(GST_BIN(pipeline), all);
  GstElement* in = gst_bin_get_by_name(GST_BIN(pipeline), "in");
  if (in == nullptr) return 2;
  GstPad* pad = gst_element_get_static_pad(in, o.pad);
  if (pad == nullptr) pad = gst_element_request_pad_simple(in, o.pad);
  gst_object_unref(in);
  if (pad == nullptr) return 2;
  Feed feed(pipeline, pad);
  gst_object_unref(pad);
  std::array<GstBufferList*, kLists> lists;
  for (auto& list : lists) {
    list = make_list(static_cast<guint>(o.length), static_cast<std::size_t>(o.size));
  }
  gint64 pushed = feed.start() ? feed.run(lists, o.warmup) : -1;
  const double cpu = cpu_seconds();
  const gint64 start = g_get_monotonic_time();
  if (pushed >= 0) pushed = feed.run(lists, o.seconds);
  const double seconds = static_cast<double>(g_get_monotonic_time() - start) / 1e6;
  const double used = cpu_seconds() - cpu;
  for (GstBufferList* list : lists) gst_buffer_list_unref(list);
  if (pushed < 0) {
    std::printf("{\"error\": \"the pipeline took nothing\"}\n");
    return 1;
  }
  const auto sent = static_cast<double>(pushed) * o.length;
  std::printf("{\"sent\": %.0f, \"seconds\": %.4f, \"tx_pps\": %.0f, \"cpu_seconds\": %.4f}\n",
              sent, seconds, sent / seconds, used);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  const GOptionEntry entries[] = {
      {"pad", 0, 0, G_OPTION_ARG_STRING, &o.pad, "Pad to push into, requested if need be", "NAME"},
      {"seconds", 0, 0, G_OPTION_ARG_DOUBLE, &o.seconds, "Time to measure (1)", "S"},
      {"warmup", 0, 0, G_OPTION_ARG_DOUBLE, &o.warmup, "Time before, not measured (0.5)", "S"},
      {"size", 0, 0, G_OPTION_ARG_INT, &o.size, "Bytes of a buffer (1400)", "BYTES"},
      {"length", 0, 0, G_OPTION_ARG_INT, &o.length, "Buffers of a list (64)", "N"},
      {nullptr, 0, 0, G_OPTION_ARG_NONE, nullptr, nullptr, nullptr}};
  GOptionContext* context = g_option_context_new("PIPELINE - pushes buffer lists");
  g_option_context_add_main_entries(context, entries, nullptr);
  g_option_context_add_group(context, gst_init_get_option_group());
  const bool parsed = g_option_context_parse(context, &argc, &argv, nullptr) != FALSE;
  g_option_context_free(context);
  if (!parsed || argc != 2 || o.size < 1 || o.length < 1) return 2;
  if (o.pad == nullptr) o.pad = g_strdup("sink");
  const int status = push(o, argv[1]);
  g_free(o.pad);
  return status;
}
