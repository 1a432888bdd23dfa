// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Pipelines of memif elements, as an application has them.
 */
#pragma once

#include <gst/app/app.h>

#include <string>
#include <utility>
#include <vector>

#include "peers.hpp"

namespace memiftest {

/** A pipeline from a description; NULL and gone at the end. */
class Pipeline {
 public:
  explicit Pipeline(const std::string& description) {
    GError* error = nullptr;
    get_ = gst_parse_launch(description.c_str(), &error);
    fail_unless(error == nullptr, "%s", error != nullptr ? error->message : "");
    if (!GST_IS_PIPELINE(get_)) {
      GstElement* only = get_;
      get_ = gst_pipeline_new(nullptr);
      gst_bin_add(GST_BIN(get_), only);
    }
    gst_object_ref_sink(get_);
    bus_ = gst_element_get_bus(get_);
  }
  ~Pipeline() {
    gst_element_set_state(get_, GST_STATE_NULL);
    gst_bus_set_flushing(bus_, TRUE);
    gst_object_unref(bus_);
    // A bin goes on after a preroll on a thread of GStreamer's pool, which holds the pipeline.
    eventually([this] { return GST_OBJECT_REFCOUNT_VALUE(get_) == 1; });
    ASSERT_OBJECT_REFCOUNT(get_, "pipeline", 1);
    gst_object_unref(get_);
  }
  Pipeline(const Pipeline&) = delete;

  GstElement* get() const { return get_; }
  GstBus* bus() const { return bus_; }
  GstStateChangeReturn try_state(GstState state) { return gst_element_set_state(get_, state); }
  void set(GstState state) {
    fail_if(try_state(state) == GST_STATE_CHANGE_FAILURE, "%s", first_error().c_str());
  }
  /**
   * To all of its sources. Not to one alone: with a flush GStreamer locks the state of that one and
   * then of the pipeline, which goes on with its state in the other order after the flush.
   */
  void send(GstEvent* event) { fail_unless(gst_element_send_event(get_, event)); }
  /** Borrowed: the pipeline keeps it. */
  GstElement* element(const char* name) const {
    GstElement* found = gst_bin_get_by_name(GST_BIN(get_), name);
    fail_unless(found != nullptr);
    gst_object_unref(found);
    return found;
  }
  template <class T>
  T property(const char* name, const char* property_name) const {
    T value{};
    g_object_get(element(name), property_name, &value, nullptr);
    return value;
  }
  std::uint64_t stat(const char* name, const char* field) const {
    auto* stats = property<GstStructure*>(name, "stats");
    guint64 value = 0;
    fail_unless(gst_structure_get_uint64(stats, field, &value), "no field %s", field);
    gst_structure_free(stats);
    return value;
  }
  bool link_comes_up(const char* name) const {
    return eventually([&] { return property<gboolean>(name, "link-up") != FALSE; });
  }
  bool link_goes_down(const char* name) const {
    return eventually([&] { return property<gboolean>(name, "link-up") == FALSE; });
  }

  /** The next message of these types; the test ends if there is none. The caller unrefs it. */
  GstMessage* message(GstMessageType types, GstClockTime limit = kPatienceNs) {
    GstMessage* found = gst_bus_timed_pop_filtered(bus_, limit, types);
    fail_unless(found != nullptr, "no message");
    return found;
  }
  /** Other than what tells of a link. */
  bool has_message(GstMessageType types) {
    while (GstMessage* found = gst_bus_pop_filtered(bus_, types)) {
      const bool news = is_link_news(found);
      gst_message_unref(found);
      if (!news) return true;
    }
    return false;
  }
  /** Whether the message informs of a link that came, went, or is waited for. */
  static bool is_link_news(GstMessage* message) {
    if (GST_MESSAGE_TYPE(message) != GST_MESSAGE_INFO) return false;
    const std::string text = parsed(message, gst_message_parse_info);
    return text.starts_with("Link ") || text.starts_with("Listening ") ||
           text.starts_with("Waiting ");
  }
  /** The text of the next such message; of INFO, of one that is not about a link. */
  std::string text_of(GstMessageType type) {
    GstMessage* found = message(type);
    while (is_link_news(found)) {
      gst_message_unref(found);
      found = message(type);
    }
    const std::string text = parsed(found, type == GST_MESSAGE_WARNING ? gst_message_parse_warning
                                           : type == GST_MESSAGE_INFO  ? gst_message_parse_info
                                                                       : gst_message_parse_error);
    gst_message_unref(found);
    return text;
  }
  /** The next INFO that is about a link. */
  std::string link_news() {
    for (;;) {
      GstMessage* found = message(GST_MESSAGE_INFO);
      const bool news = is_link_news(found);
      const std::string text = parsed(found, gst_message_parse_info);
      gst_message_unref(found);
      if (news) return text;
    }
  }
  std::string first_error() { return text_of(GST_MESSAGE_ERROR); }

 private:
  template <class Parse>
  static std::string parsed(GstMessage* message, Parse parse) {
    GError* error = nullptr;
    parse(message, &error, nullptr);
    const std::string text = error->message;
    g_error_free(error);
    return text;
  }

  GstElement* get_;
  GstBus* bus_;
};

inline std::string master_at(const std::string& socket) {
  return " socket-path=" + socket + " role=master ";
}
inline std::string slave_at(const std::string& socket) {
  return " socket-path=" + socket + " role=slave ";
}

inline GstBuffer* buffer_of(const Bytes& bytes) {
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, bytes.size(), nullptr);
  gst_buffer_fill(buffer, 0, bytes.data(), bytes.size());
  return buffer;
}
inline Bytes bytes_of(GstBuffer* buffer) {
  Bytes bytes(gst_buffer_get_size(buffer));
  gst_buffer_extract(buffer, 0, bytes.data(), bytes.size());
  return bytes;
}

/** Its only reference, as a buffer that somebody else has is not sent as it lies. */
inline void push(const Pipeline& pipeline, GstBuffer* buffer) {
  fail_unless(gst_app_src_push_buffer(GST_APP_SRC(pipeline.element("in")), buffer) == GST_FLOW_OK);
}
/** After a pause, appsrc of GStreamer 1.24 on refuses buffers until its thread runs again. */
inline void push(const Pipeline& pipeline, const Bytes& bytes) {
  GstAppSrc* const in = GST_APP_SRC(pipeline.element("in"));
  GstFlowReturn flow = GST_FLOW_OK;
  eventually([&] {
    flow = gst_app_src_push_buffer(in, buffer_of(bytes));
    return flow != GST_FLOW_FLUSHING;
  });
  fail_unless_equals_int(flow, GST_FLOW_OK);
}

struct Sample {
  Bytes bytes;
  GstClockTime pts = GST_CLOCK_TIME_NONE;
};
/** What the element `out` got next; the test ends if it gets nothing. */
inline Sample pull(const Pipeline& pipeline) {
  GstSample* sample =
      gst_app_sink_try_pull_sample(GST_APP_SINK(pipeline.element("out")), kPatienceNs);
  fail_unless(sample != nullptr, "no packet");
  GstBuffer* buffer = gst_sample_get_buffer(sample);
  Sample result{bytes_of(buffer), GST_BUFFER_PTS(buffer)};
  gst_sample_unref(sample);
  return result;
}

inline constexpr char kAppSrc[] =
    "appsrc name=in is-live=true format=time "
    "caps=application/x-packet,link-type=(string)ethernet ! ";
inline constexpr char kAppSink[] = " ! appsink name=out sync=false ";

}  // namespace memiftest
