// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/memif/gstmemifsinkcaps.hpp"

#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "gst/packet/batch.hpp"
#include "gst/packet/caps.hpp"
#include "plugins/memif/gdp.hpp"
#include "plugins/memif/gstmemifsinkstate.hpp"
#include "plugins/memif/video_layout.hpp"

GstCaps* gst_memif_sink_get_caps(GstBaseSink* sink, GstCaps* filter) {
  GstCaps* packets = gst_memif_sink_state(sink).common.packet_caps();
  GstCaps* caps = offered_sink_caps(packets, filter);
  gst_caps_unref(packets);
  return caps;
}

namespace {

/** @param text empty: caps are taken. Returns whether that is news. */
bool gst_memif_sink_set_refusal(GstMemifSinkState& state, const std::string& text) {
  const std::lock_guard lock(state.mutex);
  return std::exchange(state.refusal, text) != text;
}

}  // namespace

gboolean gst_memif_sink_set_caps(GstBaseSink* sink, GstCaps* caps) {
  GstMemifSinkState& state = gst_memif_sink_state(sink);
  GstCaps* packets = state.common.packet_caps();
  state.content = content_of(caps, packets, state.any_caps.load());
  state.video = state.content == SinkContent::opaque ? video_layout(caps) : std::nullopt;
  const bool taken = state.content != SinkContent::refused;
  const std::string refusal = taken ? "" : explain_refusal(caps, packets);
  const bool news = gst_memif_sink_set_refusal(state, refusal);
  if (taken) {
    state.path.set_opaque(state.content != SinkContent::packets);
    state.path.set_preamble(state.content == SinkContent::gdp ? gdp_preamble(caps) : nullptr);
  } else if (news) {  // an element upstream may try the same caps again and again
    GST_ELEMENT_ERROR(sink, STREAM, WRONG_TYPE, ("%s", refusal.c_str()),
                      ("refused %" GST_PTR_FORMAT, caps));
  }
  gst_caps_unref(packets);
  return taken;
}

bool gst_memif_sink_may_play(GstElement* element) {
  std::string refusal;
  {
    GstMemifSinkState& state = gst_memif_sink_state(element);
    const std::lock_guard lock(state.mutex);
    refusal = state.refusal;
  }
  if (refusal.empty()) return true;
  GST_ELEMENT_ERROR(element, STREAM, WRONG_TYPE, ("%s", refusal.c_str()), ("refused in PAUSED"));
  return false;
}

namespace {

/**
 * The size of buffers with @p caps; 0 if their producer does not set the size of each. Producers of
 * packets do. Others use buffers at the size that a pool gives them, and would send garbage behind
 * what they have written; for video it follows from the caps.
 */
std::uint32_t size_in_pool(const GstCaps* caps, std::uint32_t buffer_size) {
  if (gstpacket::parse_caps(caps)) return buffer_size;
  const std::optional<GstVideoInfo> video = video_layout(caps);
  return video && video->size <= buffer_size ? static_cast<std::uint32_t>(video->size) : 0;
}

/**
 * Adds a pool of buffers that lie in the memory of the link; as master there is none. The answer
 * does not list GstVideoMeta: rows lie where the caps say, as no meta gets to the peer.
 */
void gst_memif_sink_propose_pool(GstMemifSinkState& state, GstQuery* query, GstCaps* caps) {
  const std::lock_guard lock(state.mutex);
  if (!state.link_provider) return;
  const std::uint32_t size = size_in_pool(caps, state.buffer_size);
  if (size == 0) return;
  const std::uint32_t queue = state.queues->first().queue();
  GstBufferPool* pool =
      gst_memif_pool_new(state.link_provider, queue, state.buffer_size, size, caps);
  gst_query_add_allocation_pool(query, pool, size, 0, 0);
  GST_DEBUG("proposing %" GST_PTR_FORMAT " with buffers of %u bytes", pool, size);
  gst_object_unref(pool);
}

}  // namespace

gboolean gst_memif_sink_propose_allocation(GstBaseSink* sink, GstQuery* query) {
  GstCaps* caps = nullptr;
  gboolean need_pool = FALSE;
  gst_query_parse_allocation(query, &caps, &need_pool);
  // Frames come one by one: a batch of long ones is lent by a slave only, and given back as a
  // whole.
  if (caps == nullptr || are_packets(caps)) {
    gst_query_add_allocation_meta(query, GST_PACKET_BATCH_META_API_TYPE, nullptr);
  }
  if (need_pool) gst_memif_sink_propose_pool(gst_memif_sink_state(sink), query, caps);
  return TRUE;
}
