// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * An element with request pads, ports of the test on all of them. The pads of the test take buffers
 * and lists alike, from any thread.
 */
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "rig.hpp"
#include "samples.hpp"

namespace rig {

/** One port: feeds sink_n, collects what leaves src_n. */
class BridgePort {
 public:
  BridgePort(GstElement* bridge, unsigned number, bool feeds = true) : bridge_(bridge) {
    if (feeds) {
      sink_ = request("sink_" + std::to_string(number));
      feed_ = gst_pad_new("testsrc", GST_PAD_SRC);
      fail_unless_equals_int(gst_pad_link(feed_, sink_), GST_PAD_LINK_OK);
    }
    src_ = request("src_" + std::to_string(number));
    out = std::make_unique<Sink>(src_);
  }
  ~BridgePort() {
    release_sink();
    release_src();
  }
  BridgePort(const BridgePort&) = delete;
  BridgePort& operator=(const BridgePort&) = delete;

  void start(const char* caps = "application/x-packet,link-type=ethernet") {
    gst_pad_set_active(feed_, TRUE);
    rig::send_prologue(feed_, caps);
  }
  GstFlowReturn push(const Bytes& packet) { return gst_pad_push(feed_, make_buffer(packet)); }
  GstFlowReturn push(const std::vector<Bytes>& packets) {
    GstBufferList* list = gst_buffer_list_new();
    for (const Bytes& packet : packets) gst_buffer_list_add(list, make_buffer(packet));
    return gst_pad_push_list(feed_, list);
  }
  bool event(GstEvent* event) { return gst_pad_push_event(feed_, event) != FALSE; }
  /** What came out since the last call. */
  std::vector<Bytes> take() { return std::exchange(out->packets, {}); }

  void release_sink() {
    if (sink_ == nullptr) return;
    gst_pad_set_active(feed_, FALSE);
    gst_element_release_request_pad(bridge_, sink_);
    gst_clear_object(&sink_);
    gst_clear_object(&feed_);
  }
  void release_src() {
    if (src_ == nullptr) return;
    gst_element_release_request_pad(bridge_, src_);
    out.reset();
    gst_clear_object(&src_);
  }
  [[nodiscard]] GstPad* sink() const { return sink_; }
  [[nodiscard]] GstPad* src() const { return src_; }
  [[nodiscard]] GstPad* feed() const { return feed_; }

  std::unique_ptr<Sink> out;

 private:
  GstPad* request(const std::string& name) const {
    GstPad* pad = gst_element_request_pad_simple(bridge_, name.c_str());
    fail_unless(pad != nullptr, "no pad %s", name.c_str());
    return pad;
  }
  GstElement* bridge_;
  GstPad* sink_ = nullptr;
  GstPad* src_ = nullptr;
  GstPad* feed_ = nullptr;
};

class BridgeRig {
 public:
  explicit BridgeRig(unsigned n = 3, const char* factory = "ethbridge")
      : element(gst_element_factory_make(factory, nullptr)), bus(gst_bus_new()) {
    fail_unless(element != nullptr);
    gst_object_ref_sink(element);
    gst_element_set_bus(element, bus);
    for (unsigned i = 0; i < n; ++i) ports.push_back(std::make_unique<BridgePort>(element, i));
  }
  ~BridgeRig() {
    fail_unless_equals_int(gst_element_set_state(element, GST_STATE_NULL),
                           GST_STATE_CHANGE_SUCCESS);
    ports.clear();
    gst_element_set_bus(element, nullptr);
    gst_bus_set_flushing(bus, TRUE);
    gst_object_unref(bus);
    ASSERT_OBJECT_REFCOUNT(element, "element", 1);
    gst_object_unref(element);
  }
  BridgeRig(const BridgeRig&) = delete;
  BridgeRig& operator=(const BridgeRig&) = delete;

  void play() {
    fail_unless_equals_int(gst_element_set_state(element, GST_STATE_PLAYING),
                           GST_STATE_CHANGE_SUCCESS);
    for (auto& port : ports) port->start();
  }
  BridgePort& operator[](std::size_t i) { return *ports[i]; }
  [[nodiscard]] std::uint64_t stat(const std::string& name) const {
    GstStructure* stats = nullptr;
    g_object_get(element, "stats", &stats, nullptr);
    guint64 value = 0;
    fail_unless(gst_structure_get_uint64(stats, name.c_str(), &value), "no %s", name.c_str());
    gst_structure_free(stats);
    return value;
  }
  [[nodiscard]] std::string stats_of_packets() const {
    GstStructure* stats = nullptr;
    g_object_get(element, "stats", &stats, nullptr);
    gst_structure_remove_fields(stats, "batches", nullptr);
    gchar* text = gst_structure_to_string(stats);
    std::string result = text;
    g_free(text);
    gst_structure_free(stats);
    return result;
  }

  GstElement* element;
  GstBus* bus;
  std::vector<std::unique_ptr<BridgePort>> ports;
};

/** The address of station `n`. */
inline Bytes station(unsigned n) {
  return {0x02,
          0xaa,
          static_cast<std::uint8_t>(n >> 24),
          static_cast<std::uint8_t>(n >> 16),
          static_cast<std::uint8_t>(n >> 8),
          static_cast<std::uint8_t>(n)};
}
inline const Bytes kBroadcast(6, 0xff);

/** A frame of 60 bytes with a number in its payload. */
inline Bytes frame(const Bytes& to, const Bytes& from, unsigned number = 0) {
  Bytes out = samples::ethernet(to, from, 0x88b5);
  out.resize(60);
  for (unsigned i = 0; i < 4; ++i) out[20 + i] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
  return out;
}
inline Bytes tagged(const Bytes& to, const Bytes& from, unsigned vlan, unsigned number = 0) {
  Bytes out = frame(to, from, number);
  const Bytes tag{0x81, 0, static_cast<std::uint8_t>(vlan >> 8), static_cast<std::uint8_t>(vlan)};
  out.insert(out.begin() + 12, tag.begin(), tag.end());
  return out;
}
inline unsigned number_of(const Bytes& frame) {
  return static_cast<unsigned>(frame[20]) << 24 | static_cast<unsigned>(frame[21]) << 16 |
         static_cast<unsigned>(frame[22]) << 8 | frame[23];
}

}  // namespace rig
