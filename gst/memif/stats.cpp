// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/memif/stats.hpp"

namespace gstmemif {

QueueStats& InterfaceStats::at(List& list, std::size_t queue) {
  const std::lock_guard lock(mutex_);
  while (list.size() <= queue) list.push_back(std::make_unique<QueueStats>());
  return *list[queue];
}

}  // namespace gstmemif
