// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Turns packets that a receiver took from the ring into the buffers that memifsrc pushes.
 */
#pragma once

#include <gst/gst.h>

#include <span>

#include "gst/memif/receiver.hpp"
#include "plugins/memif/rx_pool.hpp"

/**
 * One packet per buffer, copied: a buffer, or a list where there are several. Null if there are
 * none, and without memory.
 */
GstMiniObject* make_buffers(std::span<const gstmemif::RxSegment> segments, GstClockTime timestamp,
                            RxBufferPool& buffers, gstmemif::QueueStats& stats);

/**
 * Receives up to @p max_packets packets, one per buffer: one that is longer than the buffers of
 * @p buffers may be lent where it lies, by itself, others are copied. Null as make_buffers().
 */
GstMiniObject* receive_lending_long(gstmemif::Receiver& receiver, guint max_packets,
                                    GstClockTime timestamp, RxBufferPool& buffers);

/**
 * Receives up to @p max_packets packets, 256 at the most, in one buffer: lent where they lie if the
 * receiver lends them, copied otherwise. Null if there are none, and without memory.
 */
GstBuffer* receive_batch(gstmemif::Receiver& receiver, guint max_packets, RxBatchPool& batches);
