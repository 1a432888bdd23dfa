// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Counters of the data plane. One thread writes a counter, any thread reads it.
 */
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "gst/common/cache_line.hpp"
#include "gst/common/counter.hpp"
#include "gst/memif/export.hpp"

namespace gstmemif {

using gstcommon::Counter;

/** Why the engine dropped a packet. */
enum class DropReason : std::uint8_t {
  bad_descriptor,  ///< region, offset or length outside of what was agreed, or of a batch to send
  bad_chain,       ///< received: a chain that does not end within what was published
  empty,           ///< received: a packet of 0 bytes
  too_long,        ///< to send: needs more slots than the ring has; received: over the limit
  ring_full,       ///< to send: no free slot, and waiting was not asked for
  link_down,       ///< to send: no peer
  no_memory,       ///< received: the copy budget is used up, or there is no memory
  undelivered,     ///< published, but left in the ring when the link ended
  flushed,         ///< received or to send: discarded by a flush or a stop
  count
};
inline constexpr std::array<std::string_view, static_cast<std::size_t>(DropReason::count)>
    kDropReasonNames = {"bad-descriptor", "bad-chain", "empty",       "too-long", "ring-full",
                        "link-down",      "no-memory", "undelivered", "flushed"};

/** Counters of one queue in one direction, over all links that an interface had. */
struct alignas(gstcommon::kCacheLine) QueueStats {
  Counter packets;
  Counter bytes;
  Counter batches;     ///< bursts with at least one packet
  Counter interrupts;  ///< received: wake-ups taken; sent: wake-ups given
  Counter copies;      ///< packets whose bytes were copied between shared memory and a buffer
  std::array<Counter, static_cast<std::size_t>(DropReason::count)> drops;

  void drop(DropReason reason, std::uint64_t n = 1) noexcept {
    drops[static_cast<std::size_t>(reason)].add(n);
  }
  std::uint64_t dropped() const noexcept {
    std::uint64_t sum = 0;
    for (const Counter& counter : drops) sum += counter.get();
    return sum;
  }
};

/** Counters of an interface over all its links. Kept alive by its users. */
class GSTMEMIF_API InterfaceStats {
 public:
  /** The counters of one queue; made on first use, at the same address for ever. Any thread. */
  QueueStats& rx(std::size_t queue) { return at(rx_, queue); }
  QueueStats& tx(std::size_t queue) { return at(tx_, queue); }

  Counter link_ups;
  Counter link_downs;
  Counter handshakes_failed;

 private:
  using List = std::vector<std::unique_ptr<QueueStats>>;
  QueueStats& at(List& list, std::size_t queue);

  std::mutex mutex_;
  List rx_;
  List tx_;
};

}  // namespace gstmemif
