// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/memif/control/refused_rings.hpp"

#include <algorithm>
#include <utility>

namespace gstmemif {

Settings RefusedRings::offer(Settings wanted) const {
  wanted.tx_queues = std::min(wanted.tx_queues, max_s2m_);
  wanted.rx_queues = std::min(wanted.rx_queues, max_m2s_);
  return wanted;
}

bool RefusedRings::learn(std::optional<RingOffer> ring) {
  const auto before = std::exchange(last_, ring);
  if (!ring || ring != before || ring->index == 0) return false;
  (ring->direction == Direction::s2m ? max_s2m_ : max_m2s_) =
      static_cast<std::uint32_t>(ring->index);
  return true;
}

}  // namespace gstmemif
