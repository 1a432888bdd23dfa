// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * How memifsrc receives packets: on its streaming thread.
 */
#pragma once

#include <gst/base/gstpushsrc.h>

struct GstMemifSrcState;

/** The create() of the class. */
GstFlowReturn gst_memif_src_create(GstPushSrc* src, GstBuffer** out);
/** Counts packets that were received, and that a flush or a stop kept from going on. */
void gst_memif_src_count_flushed(GstMemifSrcState& state);
