// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Bursts of packets received from, or to be sent into, a ring.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "gst/memif/loan.hpp"

namespace gstmemif {

/** Where a packet lies in the memory of a burst. */
struct PacketDesc {
  std::uint32_t offset;  ///< bytes from the beginning of the memory
  std::uint32_t length;  ///< bytes
  std::uint32_t unused;  ///< the application's; received: 0
  std::uint32_t token;   ///< its buffer's place in the loan
};

/** A run of bytes of a received packet, in shared memory: the peer may still write to it. */
struct RxSegment {
  std::byte* data;
  std::uint32_t length;
  bool more;  ///< the packet continues in the next segment
};

/** A received burst: packets in a loan, or else segments that are valid until release(). */
struct RxBurst {
  Loan* loan = nullptr;                 ///< the caller's, to be given back
  std::span<const PacketDesc> packets;  ///< in the loan's memory; the peer may still write to it
  std::span<const RxSegment> segments;
};

/** A run of bytes of a packet to send. */
using TxSegment = std::span<const std::byte>;
/** A packet to send, gathered from its segments. */
using TxPacket = std::span<const TxSegment>;

/** Why a send call stopped. */
enum class SendResult {
  ok,        ///< all are done
  full,      ///< no room for the next one: flush, wait and retry
  link_lost  ///< there is no link, or it has failed
};

struct TxBurst {
  std::uint32_t sent = 0;     ///< written; the peer sees them after a flush
  std::uint32_t dropped = 0;  ///< counted: they can never be sent
  SendResult result = SendResult::ok;

  /** The number of packets, from the first one on, that are done. */
  std::uint32_t done() const noexcept { return sent + dropped; }
};

/** A packet that is longer than all buffers of a ring together. */
struct Oversize {
  std::uint64_t length = 0;       ///< bytes of the packet; 0: there was none
  std::uint32_t buffer_size = 0;  ///< bytes of the largest buffer
  std::uint32_t ring_size = 0;    ///< slots
};

}  // namespace gstmemif
