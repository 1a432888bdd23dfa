// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Log messages of the engine, about sockets, handshakes and links. None is per packet.
 */
#pragma once

#include <cstdarg>

#include "gst/memif/export.hpp"

namespace gstmemif {

enum class LogLevel {
  warning,  ///< a problem that needs attention; repetitions are suppressed
  info,     ///< a link came up or went down
  debug     ///< all other changes
};

/** Where in the source a message is from. */
struct LogPlace {
  const char* file;
  const char* function;
  int line;
};

/**
 * Takes a message, as printf() does. Called on any thread, also with locks of the engine held: it
 * must not call the engine.
 */
using LogHandler = void (*)(LogLevel level, const LogPlace& place, const char* format,
                            std::va_list args);

/**
 * Sets the log handler of the process; the last call counts. Null, the default: GLib's log, in the
 * domain `gstmemif`, with warnings as messages, since a peer must not be able to end a program that
 * runs with G_DEBUG=fatal-warnings. Any thread.
 */
GSTMEMIF_API void set_log_handler(LogHandler handler) noexcept;

}  // namespace gstmemif
