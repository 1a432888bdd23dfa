// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/ip/packet_output.hpp"

#include <algorithm>
#include <utility>

#include "gst/packet/batch.hpp"
#include "plugins/ip/packet_writer.hpp"

namespace ipplugin {

// ---- format -----------------------------------------------------------------------------------

PacketFormat::PacketFormat(GstQuery* answer, std::size_t longest) : longest_(longest) {
  batches_ = answer != nullptr && gst_query_allows_packet_batches(answer);
  if (!batches_) {
    pool_.open_buffers(longest);
    return;
  }
  const auto size = static_cast<guint>(longest);
  if (!pool_.open(gst_query_find_packet_batch_pool(answer, size))) {
    pool_.open(PacketWriter::arena_size(longest));
  }
}

// ---- pad --------------------------------------------------------------------------------------

PacketOutput::PacketOutput(GstPad* pad) : pad_(pad) {
  gchar* uuid = g_uuid_string_random();
  stream_id_ = std::string("iphost/") + uuid + "/src";
  g_free(uuid);
}

void PacketOutput::start(std::size_t longest) {
  const std::lock_guard turn(turn_);
  longest_ = longest;
  known_.store(false);
}

void PacketOutput::stop() {
  const std::lock_guard turn(turn_);
  const std::lock_guard lock(format_mutex_);
  format_.reset();
}

void PacketOutput::prepare(LinkType type) {
  type_ = type;
  known_.store(true, std::memory_order_release);
  GstCaps* caps = gstpacket::make_caps({type});
  GstEvent* start = gst_event_new_stream_start(stream_id_.c_str());
  gst_event_set_group_id(start, gst_util_group_id_next());
  // Stored, not pushed: the pad sends them before the next data, whichever thread that comes from.
  for (GstEvent* event : {start, gst_event_new_caps(caps)}) {
    gst_pad_store_sticky_event(pad_, event);
    gst_event_unref(event);
  }
  gst_caps_unref(caps);
  prepare_segment();
}

/** In turn: an EOS that another thread is about to push would else come behind it. */
void PacketOutput::prepare_again() {
  const std::lock_guard turn(turn_);
  if (known_.load(std::memory_order_acquire)) prepare(type_);
}

/** In turn: no data may come between. */
void PacketOutput::end_flush(GstEvent* event) {
  const std::lock_guard turn(turn_);
  gst_pad_push_event(pad_, event);
  if (known_.load(std::memory_order_acquire)) prepare_segment();
}

void PacketOutput::prepare_segment() {
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  GstEvent* event = gst_event_new_segment(&segment);
  gst_pad_store_sticky_event(pad_, event);
  gst_event_unref(event);
}

LinkType PacketOutput::peer_link_type() const {
  GstCaps* packets = gstpacket::make_caps();
  GstCaps* ethernet = gstpacket::make_caps({LinkType::ethernet});
  // With a filter, as memifsink takes anything, but of packets those of its mode only.
  GstCaps* possible = gst_pad_peer_query_caps(pad_, packets);
  const bool both = gst_caps_can_intersect(possible, ethernet) != FALSE;
  const bool none = gst_caps_is_empty(possible) != FALSE;
  for (GstCaps* caps : {packets, ethernet, possible}) gst_caps_unref(caps);
  return both || none ? LinkType::ethernet : LinkType::ip;
}

/** With the turn. */
PacketFormatPtr PacketOutput::negotiated() {
  {
    const std::lock_guard lock(format_mutex_);
    if (format_ && !GST_PAD_NEEDS_RECONFIGURE(pad_)) return format_;
  }
  gst_pad_check_reconfigure(pad_);
  GstCaps* caps = gst_pad_get_current_caps(pad_);
  GstQuery* query = gst_query_new_allocation(caps, TRUE);
  const bool answered = gst_pad_peer_query(pad_, query) != FALSE;
  // While the peer flushes, it says nothing about later.
  if (!answered && gst_pad_is_linked(pad_)) gst_pad_mark_reconfigure(pad_);
  auto format = std::make_shared<PacketFormat>(answered ? query : nullptr, longest_);
  gst_query_unref(query);
  gst_clear_caps(&caps);
  GST_DEBUG_OBJECT(pad_, "sending %s%s", format->batches() ? "batches" : "a packet per buffer",
                   format->prepared() ? " in memory of downstream" : "");
  const std::lock_guard lock(format_mutex_);
  format_ = std::move(format);
  return format_;
}

PacketFormatPtr PacketOutput::format() {
  {
    const std::lock_guard lock(format_mutex_);
    if (format_ && !GST_PAD_NEEDS_RECONFIGURE(pad_)) return format_;
  }
  const std::lock_guard turn(turn_);
  return negotiated();
}

GstFlowReturn PacketOutput::push(GstBuffer* buffer) {
  const std::lock_guard turn(turn_);
  if (gst_buffer_get_packet_batch_meta(buffer) != nullptr && !negotiated()->batches()) {
    return gst_pad_push_list(pad_, gst_packet_batch_unpack(buffer));
  }
  return gst_pad_push(pad_, buffer);
}

GstFlowReturn PacketOutput::push(GstBufferList* list) {
  const std::lock_guard turn(turn_);
  return gst_pad_push_list(pad_, list);
}

}  // namespace ipplugin
