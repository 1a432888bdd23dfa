// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The other end of a device under test: the engine's handshake, and nothing of its data path.
 */
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "gst/memif/control/channel.hpp"
#include "gst/memif/control/handshake.hpp"
#include "gst/memif/control/socket.hpp"
#include "gst/memif/data/ring.hpp"

namespace bench {

/** A finished handshake. */
struct Peer {
  gstmemif::Channel channel;
  gstmemif::LinkPlan plan;

  gstmemif::Ring ring(const gstmemif::RingPlan& ring) const noexcept {
    return gstmemif::Ring(plan.regions[ring.region].data() + ring.offset,
                          gstmemif::RingLayout{plan.cache_line, ring.size});
  }
};

struct PeerSettings {
  gstmemif::SocketAddress address;
  gstmemif::Role role = gstmemif::Role::slave;
  std::uint32_t interfaces = 1;  ///< with ids from 0 on
  std::uint32_t queues = 1;      ///< of each, in both directions
  std::uint32_t ring_size = 1024;
  std::uint32_t buffer_size = 2048;
};

/** Connects all interfaces, in the order of their ids. */
gstmemif::Result<std::vector<Peer>> connect_peers(const PeerSettings& settings,
                                                  std::chrono::milliseconds timeout);

}  // namespace bench
