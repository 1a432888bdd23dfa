// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * How the engine logs.
 */
#pragma once

#include "gst/memif/log.hpp"

namespace gstmemif {

[[gnu::format(printf, 3, 4)]] void log_message(LogLevel level, const LogPlace& place,
                                               const char* format, ...) noexcept;

}  // namespace gstmemif

#define MEMIF_LOG_AT(level, ...) \
  gstmemif::log_message(level, {__FILE__, __func__, __LINE__}, __VA_ARGS__)
#define MEMIF_WARNING(...) MEMIF_LOG_AT(gstmemif::LogLevel::warning, __VA_ARGS__)
#define MEMIF_INFO(...) MEMIF_LOG_AT(gstmemif::LogLevel::info, __VA_ARGS__)
#define MEMIF_DEBUG(...) MEMIF_LOG_AT(gstmemif::LogLevel::debug, __VA_ARGS__)
