// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Reads generated packets byte by byte, with sums from naive functions; and where elements that
 * produce packets put them.
 */
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include "naive.hpp"
#include "rig.hpp"

#include "gst/packet/batch.hpp"

namespace generated {

using naive::Bytes;

inline std::uint64_t number_at(const Bytes& bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8 | bytes.at(at + i);
  return value;
}

/** CRC-32C bit by bit, without inversion at the end. */
inline std::uint32_t crc(std::uint32_t state, std::span<const std::uint8_t> bytes) {
  for (const std::uint8_t byte : bytes) {
    state ^= byte;
    for (int i = 0; i < 8; ++i) state = (state >> 1) ^ ((state & 1) != 0 ? 0x82f63b78U : 0U);
  }
  return state;
}

struct Packet {
  std::size_t upper = 0;    // offset
  std::size_t payload = 0;  // offset
  unsigned vlan = 0xffff;
  unsigned version = 0;
  unsigned protocol = 0;
  unsigned port = 0;
  std::uint64_t flow = 0;
  std::uint64_t number = 0;
  std::uint64_t time = 0;
};

/** Fails the test if anything in the packet is wrong. */
inline Packet judge(const Bytes& bytes, bool ethernet) {
  Packet out;
  std::size_t ip = 0;
  if (ethernet) {
    ip = 14;
    if (number_at(bytes, 12, 2) == 0x8100) {
      out.vlan = static_cast<unsigned>(number_at(bytes, 14, 2));
      ip = 18;
    }
    fail_unless_equals_uint64(number_at(bytes, ip - 2, 2),
                              bytes.at(ip) >> 4 == 4 ? 0x0800 : 0x86dd);
  }
  out.version = bytes.at(ip) >> 4;
  Bytes addresses;
  if (out.version == 4) {
    out.upper = ip + 20;
    fail_unless_equals_uint64(bytes.at(ip), 0x45);
    fail_unless_equals_uint64(number_at(bytes, ip + 2, 2), bytes.size() - ip);
    fail_unless_equals_uint64(naive::checksum(std::span(bytes).subspan(ip, 20)), 0);
    out.protocol = bytes.at(ip + 9);
    addresses = Bytes(bytes.begin() + ip + 12, bytes.begin() + ip + 20);
  } else {
    fail_unless_equals_uint64(out.version, 6);
    out.upper = ip + 40;
    fail_unless_equals_uint64(number_at(bytes, ip + 4, 2), bytes.size() - out.upper);
    out.protocol = bytes.at(ip + 6);
    addresses = Bytes(bytes.begin() + ip + 8, bytes.begin() + ip + 40);
  }
  const Bytes upper(bytes.begin() + static_cast<std::ptrdiff_t>(out.upper), bytes.end());
  if (out.protocol == 1) {
    fail_unless_equals_uint64(naive::checksum(upper), 0);
  } else {
    const auto protocol = static_cast<std::uint8_t>(out.protocol);
    fail_unless_equals_uint64(naive::checksum(naive::with_pseudo(addresses, protocol, upper)), 0);
  }
  out.payload = out.upper + 8;
  if (out.protocol == 17) {
    fail_unless_equals_uint64(number_at(upper, 4, 2), upper.size());
    fail_unless(number_at(upper, 6, 2) != 0);
    out.port = static_cast<unsigned>(number_at(upper, 0, 2));
  } else {
    fail_unless_equals_uint64(upper[0], out.version == 4 ? 8 : 128);
    out.port = static_cast<unsigned>(number_at(upper, 4, 2));
  }
  const std::size_t at = out.payload;
  fail_unless_equals_uint64(number_at(bytes, at, 2), 0xb7e5);
  out.flow = number_at(bytes, at + 2, 2);
  out.number = number_at(bytes, at + 4, 6);
  out.time = number_at(bytes, at + 10, 8);
  const std::uint32_t tail = crc(0xffffffff, std::span(bytes).subspan(at + 22));
  fail_unless_equals_uint64(crc(tail, std::span(bytes).subspan(at, 18)),
                            number_at(bytes, at + 18, 4));
  return out;
}

/** The packet without what differs from run to run: the time, and the sums over it. */
inline Bytes timeless(Bytes bytes, bool ethernet) {
  const Packet packet = judge(bytes, ethernet);
  const std::size_t sum = packet.upper + (packet.protocol == 17 ? 6 : 2);
  for (std::size_t i = 0; i < 2; ++i) bytes[sum + i] = 0;
  for (std::size_t i = 10; i < 22; ++i) bytes[packet.payload + i] = 0;
  return bytes;
}

enum class Form { single, list, batch };

/** Downstream of a source element, which has a thread of its own. */
class Collector {
 public:
  Collector(GstElement* element, const char* caps, bool batches) : batches_(batches) {
    GstCaps* allowed = gst_caps_from_string(caps);
    GstPadTemplate* pad_template =
        gst_pad_template_new("collect", GST_PAD_SINK, GST_PAD_ALWAYS, allowed);
    gst_object_ref_sink(pad_template);
    pad_ = gst_pad_new_from_template(pad_template, "collect");
    gst_object_unref(pad_template);
    gst_caps_unref(allowed);
    gst_pad_set_element_private(pad_, this);
    gst_pad_set_chain_function(
        pad_, [](GstPad* pad, GstObject*, GstBuffer* buffer) { return of(pad)->take(buffer); });
    gst_pad_set_chain_list_function(pad_, [](GstPad* pad, GstObject*, GstBufferList* list) {
      return of(pad)->take_list(list);
    });
    gst_pad_set_query_function(pad_, query);
    gst_pad_set_event_function(pad_, [](GstPad* pad, GstObject*, GstEvent* event) -> gboolean {
      if (GST_EVENT_TYPE(event) == GST_EVENT_EOS) of(pad)->end();
      gst_event_unref(event);
      return TRUE;
    });
    gst_pad_set_active(pad_, TRUE);
    GstPad* src = gst_element_get_static_pad(element, "src");
    fail_unless_equals_int(gst_pad_link(src, pad_), GST_PAD_LINK_OK);
    gst_object_unref(src);
  }
  ~Collector() {
    GstPad* peer = gst_pad_get_peer(pad_);
    gst_pad_unlink(peer, pad_);
    gst_object_unref(peer);
    gst_pad_set_active(pad_, FALSE);
    for (GstBuffer* buffer : held) gst_buffer_unref(buffer);
    gst_object_unref(pad_);
  }
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;

  void wait_packets(std::size_t n) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return packets.size() >= n; });
  }
  void wait_eos() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return eos; });
  }

  std::vector<Bytes> packets;
  std::vector<Form> forms;
  std::vector<GstBuffer*> held;  // batches, if `hold`
  bool hold = false;
  bool eos = false;

 private:
  static Collector* of(GstPad* pad) {
    return static_cast<Collector*>(gst_pad_get_element_private(pad));
  }
  static gboolean query(GstPad* pad, GstObject* parent, GstQuery* query) {
    if (GST_QUERY_TYPE(query) != GST_QUERY_ALLOCATION) {
      return gst_pad_query_default(pad, parent, query);
    }
    if (of(pad)->batches_) {
      gst_query_add_allocation_meta(query, GST_PACKET_BATCH_META_API_TYPE, nullptr);
    }
    return TRUE;
  }
  void keep(GstBuffer* buffer) {
    Bytes bytes(gst_buffer_get_size(buffer));
    gst_buffer_extract(buffer, 0, bytes.data(), bytes.size());
    packets.push_back(std::move(bytes));
  }
  GstFlowReturn take(GstBuffer* buffer) {
    const std::lock_guard lock(mutex_);
    const GstPacketBatchMeta* meta = gst_buffer_get_packet_batch_meta(buffer);
    forms.push_back(meta != nullptr ? Form::batch : Form::single);
    fail_unless(GST_BUFFER_PTS_IS_VALID(buffer) || meta == nullptr);
    if (meta == nullptr) {
      keep(buffer);
    } else {
      fail_unless(gst_buffer_is_writable(buffer), "a batch must be ours to write");
      fail_unless_equals_uint64(gst_buffer_n_memory(buffer), 1);
      gsize size = 0;
      for (Bytes& bytes : rig::packets_of(buffer)) {
        size += bytes.size();
        packets.push_back(std::move(bytes));
      }
      fail_unless_equals_uint64(gst_buffer_get_size(buffer), size);
    }
    if (hold) {
      held.push_back(buffer);
    } else {
      gst_buffer_unref(buffer);
    }
    changed_.notify_all();
    return GST_FLOW_OK;
  }
  GstFlowReturn take_list(GstBufferList* list) {
    const std::lock_guard lock(mutex_);
    forms.push_back(Form::list);
    for (guint i = 0; i < gst_buffer_list_length(list); ++i) keep(gst_buffer_list_get(list, i));
    gst_buffer_list_unref(list);
    changed_.notify_all();
    return GST_FLOW_OK;
  }
  void end() {
    const std::lock_guard lock(mutex_);
    eos = true;
    changed_.notify_all();
  }

  GstPad* pad_;
  bool batches_;
  std::mutex mutex_;
  std::condition_variable changed_;
};

}  // namespace generated
