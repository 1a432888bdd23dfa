// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Notices that a file may have been removed. Internal.
 */
#pragma once

#include <memory>
#include <string>

#include "gst/memif/control/fd.hpp"
#include "gst/memif/loop.hpp"

namespace gstmemif {

/** Watches a file in a loop, without waking up while nothing happens to it. */
class FileWatch {
 public:
  FileWatch() = default;
  /**
   * @p handler is called with the ControlLock held when the file @p path may have been removed or
   * renamed, or was changed in some other way. Fails where the system has no watches left.
   */
  static Result<FileWatch> make(Loop& loop, const std::string& path, Loop::Handler handler);

 private:
  // Shared with the handler, so that the descriptor is not reused while a call is in progress.
  std::shared_ptr<const UniqueFd> fd_;
  Watch watch_;
};

}  // namespace gstmemif
