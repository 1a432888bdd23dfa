// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/memif/log.hpp"

#include <glib.h>

#include <atomic>

#include "gst/memif/control/log_message.hpp"

namespace gstmemif {
namespace {

constexpr char kDomain[] = "gstmemif";

GLogLevelFlags glib_level(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::warning:
      return G_LOG_LEVEL_MESSAGE;
    case LogLevel::info:
      return G_LOG_LEVEL_INFO;
    case LogLevel::debug:
      break;
  }
  return G_LOG_LEVEL_DEBUG;
}

[[gnu::format(printf, 3, 0)]] void log_to_glib(LogLevel level, const LogPlace&, const char* format,
                                               std::va_list args) {
  g_logv(kDomain, glib_level(level), format, args);
}

std::atomic<LogHandler> current_handler{log_to_glib};

}  // namespace

void set_log_handler(LogHandler handler) noexcept {
  current_handler.store(handler != nullptr ? handler : log_to_glib, std::memory_order_release);
}

void log_message(LogLevel level, const LogPlace& place, const char* format, ...) noexcept {
  std::va_list args;
  va_start(args, format);
  current_handler.load(std::memory_order_acquire)(level, place, format, args);
  va_end(args);
}

}  // namespace gstmemif
