// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * @file Base class of live packet sources.
 *
 * A push source that hands out single buffers or buffer lists. It is not a GstBaseSrc: that one (up
 * to 1.22.11) unrefs NULL when a live source is stopped in PAUSED while a list is on its way, and
 * it takes a lock three times for each thing it pushes.
 */
#pragma once

#include <gst/gst.h>

#include "gst/packet/export.hpp"

G_BEGIN_DECLS

struct GstPacketSrcState;

/** Instance; derived types follow it with their own members. */
struct GstPacketSrc {
  GstElement element;
  GstPad* pad;
  GstPacketSrcState* state;
};

/** All functions are optional except create. None may throw. */
struct GstPacketSrcClass {
  GstElementClass parent_class;

  /** READY to PAUSED: gets everything ready, or posts an error and returns FALSE. */
  gboolean (*start)(GstPacketSrc* self);
  /** PAUSED to READY, after the streaming thread has ended. */
  void (*stop)(GstPacketSrc* self);
  /** Runs once at the start of each streaming thread, on it. */
  void (*enter_thread)(GstPacketSrc* self);
  /** Caps of what create() yields; transfer full. NULL: those of the pad template. */
  GstCaps* (*get_caps)(GstPacketSrc* self);
  /** Told the answer of downstream to an ALLOCATION query, at each negotiation. */
  void (*decide_allocation)(GstPacketSrc* self, GstQuery* query);
  /**
   * Waits for packets and stores a GstBuffer or GstBufferList in @p out (transfer full).
   * GST_FLOW_FLUSHING after unlock(); anything else but OK ends the stream.
   */
  GstFlowReturn (*create)(GstPacketSrc* self, GstMiniObject** out);
  /** Makes create() return, now and until unlock_stop(). Any thread. */
  void (*unlock)(GstPacketSrc* self);
  void (*unlock_stop)(GstPacketSrc* self);

  gpointer reserved[GST_PADDING];
};

GSTPACKET_API GType gst_packet_src_get_type(void);

/** Asks for a new caps and allocation negotiation before the next packet. Any thread. */
GSTPACKET_API void gst_packet_src_reconfigure(GstPacketSrc* self);

/** Running time now; GST_CLOCK_TIME_NONE without a clock. Streaming thread, PLAYING. */
GSTPACKET_API GstClockTime gst_packet_src_running_time(GstPacketSrc* self);

G_END_DECLS
