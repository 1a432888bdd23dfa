// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * An element between pads of the test that take buffers and lists alike. GstHarness is not used:
 * its pads take lists apart.
 */
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "batches.hpp"
#include "prologue.hpp"

// Behind the standard library: it defines a macro fail().
#include <gst/check/gstcheck.h>

namespace rig {

/** Where buffers go: remembers the bytes of every packet, and in which form it came. */
class Sink {
 public:
  explicit Sink(GstPad* peer, bool with_batches = false)
      : takes_batches(with_batches), pad_(make_pad()) {
    gst_pad_set_element_private(pad_, this);
    gst_pad_set_chain_function(pad_, [](GstPad* pad, GstObject*, GstBuffer* buffer) {
      Sink* self = of(pad);
      ++self->buffers;
      self->last = buffer;
      self->keep(buffer);
      gst_buffer_unref(buffer);
      return self->flow;
    });
    gst_pad_set_chain_list_function(pad_, [](GstPad* pad, GstObject*, GstBufferList* list) {
      Sink* self = of(pad);
      ++self->lists;
      self->last = list;
      for (guint i = 0; i < gst_buffer_list_length(list); ++i) {
        self->keep(gst_buffer_list_get(list, i));
      }
      gst_buffer_list_unref(list);
      return self->flow;
    });
    gst_pad_set_event_function(pad_, [](GstPad* pad, GstObject*, GstEvent* event) -> gboolean {
      of(pad)->events.push_back(GST_EVENT_TYPE(event));
      if (GST_EVENT_TYPE(event) == GST_EVENT_EOS) of(pad)->ended = true;
      gst_event_unref(event);
      return TRUE;
    });
    gst_pad_set_query_function(pad_, [](GstPad* pad, GstObject* parent, GstQuery* query) {
      return answer_query(pad, parent, query, of(pad)->takes_batches);
    });
    gst_pad_set_active(pad_, TRUE);
    fail_unless_equals_int(gst_pad_link(peer, pad_), GST_PAD_LINK_OK);
  }
  ~Sink() {
    GstPad* peer = gst_pad_get_peer(pad_);
    if (peer != nullptr) {
      gst_pad_unlink(peer, pad_);
      gst_object_unref(peer);
    }
    gst_pad_set_active(pad_, FALSE);
    gst_object_unref(pad_);
  }
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  std::vector<Bytes> packets;
  std::vector<GstEventType> events;
  unsigned buffers = 0;
  unsigned lists = 0;
  unsigned batches = 0;
  /** Answers the ALLOCATION query so; and overwrites the packets of those it may write to. */
  bool takes_batches;  // to be changed while nothing flows
  void* last = nullptr;
  GstFlowReturn flow = GST_FLOW_OK;
  std::atomic<bool> ended{false};  ///< at EOS; from then on the rest may be read on any thread

 private:
  // With a template: a pad without one accepts nothing but the caps it has.
  static GstPad* make_pad() {
    static GstStaticPadTemplate any =
        GST_STATIC_PAD_TEMPLATE("testsink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
    return gst_pad_new_from_static_template(&any, "testsink");
  }
  /** A batch says the size of its packets: what queues and statistics go by. */
  static void check_size(GstBuffer* batch) {
    const gstpacket::BatchMap map(batch);
    if (!map) return;
    std::size_t bytes = 0;
    for (guint i = 0; i < map.meta().n; ++i) {
      const GstPacketDesc& desc = map.meta().packets[i];
      bytes += map.bytes(desc) != nullptr ? desc.length : 0;
    }
    expect_size(gst_buffer_get_size(batch), std::min(bytes, map.size()));
  }
  static void expect_size(std::size_t said, std::size_t wanted) {
    if (said != wanted) fail_unless_equals_uint64(said, wanted);
  }
  static Sink* of(GstPad* pad) { return static_cast<Sink*>(gst_pad_get_element_private(pad)); }
  static void overwrite(GstBuffer* buffer) {
    const gstpacket::BatchMap map(buffer);
    if (!map || !gst_buffer_is_writable(buffer) || GST_MEMORY_IS_READONLY(map.arena())) return;
    for (guint i = 0; i < map.meta().n; ++i) {
      const GstPacketDesc& desc = map.meta().packets[i];
      if (std::byte* bytes = map.bytes(desc)) std::memset(bytes, 0xee, desc.length);
    }
  }
  void keep(GstBuffer* buffer) {
    if (gst_buffer_get_packet_batch_meta(buffer) != nullptr) {
      fail_unless(takes_batches, "a batch that was not asked for");
      check_size(buffer);
      ++batches;
    }
    for (Bytes& bytes : packets_of(buffer)) packets.push_back(std::move(bytes));
    overwrite(buffer);
  }
  GstPad* pad_;
};

/** One field of the `stats` of an element. */
inline std::uint64_t stat(GstElement* element, const char* name) {
  GstStructure* stats = nullptr;
  g_object_get(element, "stats", &stats, nullptr);
  guint64 value = 0;
  fail_unless(gst_structure_get_uint64(stats, name, &value), "no field %s", name);
  gst_structure_free(stats);
  return value;
}
/** Every field as text, but `batches` and `copies`, which depend on the form. */
inline std::string stats_of_packets(GstElement* element) {
  GstStructure* stats = nullptr;
  g_object_get(element, "stats", &stats, nullptr);
  gst_structure_remove_fields(stats, "batches", "copies", nullptr);
  gchar* text = gst_structure_to_string(stats);
  std::string result = text;
  g_free(text);
  gst_structure_free(stats);
  return result;
}

class Rig {
 public:
  explicit Rig(const char* factory) : element(gst_element_factory_make(factory, nullptr)) {
    fail_unless(element != nullptr, "no element %s", factory);
    gst_object_ref_sink(element);
    bus = gst_bus_new();
    gst_element_set_bus(element, bus);
    source_ = gst_pad_new("testsrc", GST_PAD_SRC);
    GstPad* sink = gst_element_get_static_pad(element, "sink");
    gst_pad_link(source_, sink);
    gst_object_unref(sink);
    out = open("src");
  }
  ~Rig() {
    fail_unless_equals_int(gst_element_set_state(element, GST_STATE_NULL),
                           GST_STATE_CHANGE_SUCCESS);
    out.reset();
    gst_pad_set_active(source_, FALSE);
    GstPad* sink = gst_pad_get_peer(source_);
    gst_pad_unlink(source_, sink);
    gst_object_unref(sink);
    gst_object_unref(source_);
    gst_element_set_bus(element, nullptr);
    gst_bus_set_flushing(bus, TRUE);
    gst_object_unref(bus);
    ASSERT_OBJECT_REFCOUNT(element, "element", 1);
    gst_object_unref(element);
  }
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;

  [[nodiscard]] std::unique_ptr<Sink> open(const char* pad_name) const {
    GstPad* pad = gst_element_get_static_pad(element, pad_name);
    auto sink = std::make_unique<Sink>(pad);
    gst_object_unref(pad);
    return sink;
  }
  void play(const char* caps = "application/x-packet,link-type=ethernet") {
    gst_pad_set_active(source_, TRUE);
    fail_unless_equals_int(gst_element_set_state(element, GST_STATE_PLAYING),
                           GST_STATE_CHANGE_SUCCESS);
    send_prologue(source_, caps);
  }
  /** A refusal only shows in the flow return of the next push: caps are sticky. */
  void set_caps(const char* text) {
    GstCaps* caps = gst_caps_from_string(text);
    gst_pad_push_event(source_, gst_event_new_caps(caps));
    gst_caps_unref(caps);
  }
  GstFlowReturn push(GstBuffer* buffer) { return gst_pad_push(source_, buffer); }
  GstFlowReturn push(GstBufferList* list) { return gst_pad_push_list(source_, list); }
  bool event(GstEvent* event) { return gst_pad_push_event(source_, event) != FALSE; }
  [[nodiscard]] GstPad* source() const { return source_; }

  [[nodiscard]] std::uint64_t stat(const char* name) const { return rig::stat(element, name); }
  [[nodiscard]] std::string stats_of_packets() const { return rig::stats_of_packets(element); }
  /** The text of the next message of `type`, or an empty one. */
  [[nodiscard]] std::string message(GstMessageType type) const {
    GstMessage* found = gst_bus_pop_filtered(bus, type);
    if (found == nullptr) return {};
    GError* error = nullptr;
    if (type == GST_MESSAGE_ERROR) {
      gst_message_parse_error(found, &error, nullptr);
    } else {
      gst_message_parse_warning(found, &error, nullptr);
    }
    std::string text = std::string(g_quark_to_string(error->domain)) + "/" +
                       std::to_string(error->code) + ": " + error->message;
    g_error_free(error);
    gst_message_unref(found);
    return text;
  }

  GstElement* element;
  GstBus* bus;
  std::unique_ptr<Sink> out;

 private:
  GstPad* source_;
};

/** One memory, exactly as large as the packet: no room around it. */
inline GstBuffer* make_buffer(std::span<const std::uint8_t> bytes) {
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, bytes.size(), nullptr);
  gst_buffer_fill(buffer, 0, bytes.data(), bytes.size());
  return buffer;
}

/** The packet in pieces of `piece` bytes. */
inline GstBuffer* make_pieces(std::span<const std::uint8_t> bytes, std::size_t piece) {
  GstBuffer* buffer = gst_buffer_new();
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    const auto part = bytes.subspan(at, std::min(piece, bytes.size() - at));
    GstMemory* memory = gst_allocator_alloc(nullptr, part.size(), nullptr);
    GstMapInfo map;
    gst_memory_map(memory, &map, GST_MAP_WRITE);
    std::memcpy(map.data, part.data(), part.size());
    gst_memory_unmap(memory, &map);
    gst_buffer_append_memory(buffer, memory);
  }
  return buffer;
}

}  // namespace rig
