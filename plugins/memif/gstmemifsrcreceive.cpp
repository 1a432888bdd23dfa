// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/memif/gstmemifsrcreceive.hpp"

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>

#include "plugins/memif/gstmemifsrcstate.hpp"
#include "plugins/memif/rx_buffers.hpp"

using gstmemif::RxSegment;
using gstmemif::WaitResult;

namespace {

gint64 monotonic_ns() {
  return g_get_monotonic_time() * 1000;
}

/** The packets in the ring; null if there are none, or without memory. */
GstMiniObject* gst_memif_src_take_packets(GstMemifSrcState& state, guint most) {
  gstmemif::Receiver& receiver = *state.receiver;
  most = std::min(most, state.batch_size.load(std::memory_order_relaxed));
  if (state.send_batches) {
    GstBuffer* batch = receive_batch(receiver, most, *state.batch_pool);
    if (batch != nullptr) GST_BUFFER_PTS(batch) = state.live.running_time();
    return GST_MINI_OBJECT_CAST(batch);
  }
  if (state.lend_long) {
    return receive_lending_long(receiver, most, state.live.running_time(), *state.buffers);
  }
  const std::span<const RxSegment> segments = receiver.receive(most);
  if (segments.empty()) return nullptr;
  return make_buffers(segments, state.live.running_time(), *state.buffers, receiver.stats());
}

void gst_memif_src_warn(GstPushSrc* src, bool& warned, const std::string& text) {
  warned = true;
  GST_ELEMENT_WARNING(src, RESOURCE, SETTINGS, ("%s", text.c_str()),
                      ("there are no further warnings of this kind, also for other packets"));
}

/** Of packets that a limit of ours keeps out, once for each limit. */
void gst_memif_src_report_limits(GstPushSrc* src, GstMemifSrcState& state) {
  gstmemif::Receiver& receiver = *state.receiver;
  if (const std::uint64_t length = receiver.too_long(); !state.warned_too_long && length != 0) {
    gst_memif_src_warn(src, state.warned_too_long,
                       "A packet of " + std::to_string(length) +
                           " bytes was dropped: max-packet-size=" +
                           std::to_string(receiver.interface().settings().max_packet_size) +
                           ". Set max-packet-size=" + std::to_string(length) + ".");
  }
  if (!state.warned_no_memory && state.no_memory->get() != state.no_memory_before) {
    gst_memif_src_warn(src, state.warned_no_memory,
                       "A packet was dropped, as there is no memory to copy it: copy-limit=" +
                           std::to_string(receiver.interface().settings().copy_limit) +
                           ". Set a larger copy-limit, or let less be held downstream.");
  }
}

/** Of raw video with other caps than the sender's, which would be shown as they are not. */
void gst_memif_src_check_picture(GstPushSrc* src, GstMemifSrcState& state, GstMiniObject* packets) {
  if (state.warned_picture || !GST_IS_BUFFER(packets)) return;
  const gsize size = gst_buffer_get_size(GST_BUFFER_CAST(packets));
  if (size == state.picture_size) return;
  gst_memif_src_warn(src, state.warned_picture,
                     "A packet has " + std::to_string(size) +
                         " bytes, and a picture with the caps that are set here has " +
                         std::to_string(state.picture_size) + ". Set caps to those of the sender.");
}

// A deadline after a longer wait could not be expressed; then it begins anew.
constexpr guint64 kLongestWait = 3600 * GST_SECOND;

/** How long to wait for packets, in nanoseconds. Without a timeout no clock is read. */
gint64 gst_memif_src_patience(GstMemifSrcState& state) {
  const guint64 limit = state.timeout.load(std::memory_order_relaxed);
  if (limit == 0) return gstmemif::kForever;
  const gint64 now = monotonic_ns();
  if (state.quiet_since == kNotQuiet) state.quiet_since = now;
  const auto quiet = static_cast<guint64>(now - state.quiet_since);
  return static_cast<gint64>(std::min(limit - std::min(limit, quiet), kLongestWait));
}

/** Nothing came for the time that was set, if there is one still. */
void gst_memif_src_report_silence(GstPushSrc* src, GstMemifSrcState& state) {
  const guint64 limit = state.timeout.load(std::memory_order_relaxed);
  const gint64 now = monotonic_ns();
  if (limit == 0 || static_cast<guint64>(now - state.quiet_since) < limit) return;
  state.quiet_since = now;  // again after as long a silence
  GST_DEBUG_OBJECT(src, "no packet for %" GST_TIME_FORMAT, GST_TIME_ARGS(limit));
  gst_element_post_message(
      GST_ELEMENT_CAST(src),
      gst_message_new_element(
          GST_OBJECT_CAST(src),
          gst_structure_new("GstMemifSrcTimeout", "timeout", G_TYPE_UINT64, limit, nullptr)));
}

/** Takes packets from the ring, or waits for some. */
GstFlowReturn gst_memif_src_take(GstPushSrc* src, GstMemifSrcState& state, guint most,
                                 GstMiniObject** out) {
  gstmemif::Receiver& receiver = *state.receiver;
  gst_memif_src_count_flushed(state);
  // Of the packets before: those that come now go on first.
  gst_memif_src_report_limits(src, state);
  if (receiver.lost_link() && state.eos_on_disconnect.load()) return GST_FLOW_EOS;
  GstMiniObject* packets = gst_memif_src_take_packets(state, most);
  // Also without packets: dropped ones have slots to return.
  const bool usable = receiver.release();
  if (packets != nullptr && usable) {
    if (state.picture_size != 0) gst_memif_src_check_picture(src, state, packets);
    *out = packets;
    state.quiet_since = kNotQuiet;
    return GST_FLOW_OK;
  }
  if (packets != nullptr) gst_mini_object_unref(packets);
  gst_memif_src_report_limits(src, state);
  switch (receiver.wait(gst_memif_src_patience(state))) {
    case WaitResult::interrupted:
      return GST_FLOW_FLUSHING;
    case WaitResult::link_changed:
      state.common.check_queue(receiver, receiver.has_queue());
      break;
    case WaitResult::timeout:
      gst_memif_src_report_silence(src, state);
      break;
    case WaitResult::ready:
      break;
  }
  return GST_FLOW_OK;
}

}  // namespace

void gst_memif_src_count_flushed(GstMemifSrcState& state) {
  const guint64 packets = state.live.take_dropped();
  if (packets != 0) state.receiver->stats().drop(gstmemif::DropReason::flushed, packets);
}

GstFlowReturn gst_memif_src_create(GstPushSrc* src, GstBuffer** out) {
  GstMemifSrcState& state = gst_memif_src_state(src);
  return state.live.create(out, [src, &state](guint most, GstMiniObject** data) {
    return gst_memif_src_take(src, state, most, data);
  });
}
