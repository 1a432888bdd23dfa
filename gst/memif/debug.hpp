// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/** @file The debug category `memif` of the engine. Internal. */
#pragma once

#include <gst/gst.h>

namespace gstmemif {

/** The category, made on first use; works before gst_init() too. */
GstDebugCategory* debug_category();

}  // namespace gstmemif

#define MEMIF_LOG_AT(level, ...) \
  GST_CAT_LEVEL_LOG(gstmemif::debug_category(), level, nullptr, __VA_ARGS__)
#define MEMIF_WARNING(...) MEMIF_LOG_AT(GST_LEVEL_WARNING, __VA_ARGS__)
#define MEMIF_INFO(...) MEMIF_LOG_AT(GST_LEVEL_INFO, __VA_ARGS__)
#define MEMIF_DEBUG(...) MEMIF_LOG_AT(GST_LEVEL_DEBUG, __VA_ARGS__)
