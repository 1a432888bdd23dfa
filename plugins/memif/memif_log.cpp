// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/memif/memif_log.hpp"

#include <gst/gst.h>

#include "gst/memif/log.hpp"

GST_DEBUG_CATEGORY_STATIC(memif_debug);

namespace {

GstDebugLevel gst_level(gstmemif::LogLevel level) {
  switch (level) {
    case gstmemif::LogLevel::warning:
      return GST_LEVEL_WARNING;
    case gstmemif::LogLevel::info:
      return GST_LEVEL_INFO;
    case gstmemif::LogLevel::debug:
      break;
  }
  return GST_LEVEL_DEBUG;
}

[[gnu::format(printf, 3, 0)]] void log_to_gst(gstmemif::LogLevel level,
                                              const gstmemif::LogPlace& place, const char* format,
                                              std::va_list args) {
  const GstDebugLevel wanted = gst_level(level);
  if (gst_debug_category_get_threshold(memif_debug) < wanted) return;
  gst_debug_log_valist(memif_debug, wanted, place.file, place.function, place.line, nullptr, format,
                       args);
}

}  // namespace

void gst_memif_log_init() {
  static const bool done = [] {
    GST_DEBUG_CATEGORY_INIT(memif_debug, "memif", 0, "memif engine: sockets, handshakes, links");
    gstmemif::set_log_handler(log_to_gst);
    return true;
  }();
  (void)done;
}
