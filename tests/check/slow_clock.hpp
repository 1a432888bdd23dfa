// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * A clock as a thread sees it on a busy machine.
 */
#pragma once

#include <gst/gst.h>

#include <atomic>

/** It holds up whoever reads it, now and then, once it has been read. */
inline GType slow_clock_type() {
  static const GType type = g_type_register_static_simple(
      GST_TYPE_CLOCK, "TestSlowClock", sizeof(GstClockClass),
      [](gpointer klass, gpointer) {
        static_cast<GstClockClass*>(klass)->get_internal_time = [](GstClock*) -> GstClockTime {
          static std::atomic<unsigned> reads{0};
          const gint64 now = g_get_monotonic_time();
          if (reads++ % 4 == 0) g_usleep(20'000);
          return static_cast<GstClockTime>(now) * GST_USECOND;
        };
      },
      sizeof(GstClock), nullptr, static_cast<GTypeFlags>(0));
  return type;
}
