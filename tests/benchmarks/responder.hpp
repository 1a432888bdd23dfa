// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The bare loop that sends back, or on: the limit to hold every device against.
 */
#pragma once

#include <vector>

#include "lane.hpp"

namespace bench {

struct RespondOptions {
  bool edit = false;         ///< make ICMP echo replies; otherwise packets are not even looked at
  std::uint32_t burst = 64;  ///< packets per store of an index, at most
  double seconds = 10;       ///< ends then, or when the other side has gone
};

/** As slave, packets that go back on their link only swap descriptors; all others are copied. */
void respond(std::vector<Peer>& peers, bool forward, const RespondOptions& options);

}  // namespace bench
