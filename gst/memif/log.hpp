// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/** @file Where the messages of the engine go: sockets, handshakes, links. None is per packet. */
#pragma once

#include <cstdarg>

#include "gst/memif/export.hpp"

namespace gstmemif {

enum class LogLevel {
  warning,  ///< something that a user has to see to; repeated ones are held back
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
 * Sets where messages go, for the whole process; the last one set counts. Null, the default: to
 * GLib's log, in the domain `gstmemif`, warnings as messages. For what a peer can bring about must
 * not end a program that runs with G_DEBUG=fatal-warnings. Any thread.
 */
GSTMEMIF_API void set_log_handler(LogHandler handler) noexcept;

}  // namespace gstmemif
