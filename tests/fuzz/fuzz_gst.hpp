// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * GStreamer, as far as a fuzzer needs it.
 */
#pragma once

#include <gst/gst.h>

namespace fuzz {

/** Once: GStreamer without any plugins, which are not what is looked at. */
inline void init_gstreamer() {
  static const bool done = [] {
    g_setenv("GST_REGISTRY_DISABLE", "yes", TRUE);
    gst_init(nullptr, nullptr);
    return true;
  }();
  (void)done;
}

}  // namespace fuzz
