// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * How many rings a master takes, as the slave learns it. Internal.
 */
#pragma once

#include <cstdint>
#include <optional>

#include "gst/memif/control/handshake.hpp"
#include "gst/memif/settings.hpp"

namespace gstmemif {

/**
 * What the master, as we know it, does not take. Some have fewer queues than their HELLO allows,
 * and close without a word when they are offered more. Once may be chance; a master that does it
 * twice at the same ring is offered fewer.
 */
class RefusedRings {
 public:
  /** @p wanted with no more rings than the master takes. */
  Settings offer(Settings wanted) const;

  /**
   * Notes that a connection came to nothing. @param ring the one that the master was offered when
   * it closed without a word; nothing if it closed otherwise. True if it is the first of those that
   * are not offered any more.
   */
  bool learn(std::optional<RingOffer> ring);

 private:
  std::optional<RingOffer> last_;  // refused by the last connection
  std::uint32_t max_s2m_ = kMaxQueues;
  std::uint32_t max_m2s_ = kMaxQueues;
};

}  // namespace gstmemif
