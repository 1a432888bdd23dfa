// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * @file Survives a peer that takes memory away under a mapping.
 *
 * A file that is not sealed against shrinking may be truncated by the peer at any time; touching
 * the mapping then raises SIGBUS. VPP's and DPDK's zero-copy regions cannot be sealed, so refusing
 * them is no way out. Instead a SIGBUS in a guarded range replaces the whole mapping by zeroed
 * private memory, and sets a flag that the data plane looks at: the link goes down, the process
 * does not. Any other SIGBUS goes to the handler that was installed before.
 */
#pragma once

#include <atomic>
#include <cstddef>

#include "gst/memif/export.hpp"
#include "gst/memif/result.hpp"

namespace gstmemif {

/** Guards one mapping for as long as it lives. */
class GSTMEMIF_API BusGuard {
 public:
  BusGuard() = default;
  BusGuard(BusGuard&& other) noexcept : slot_(other.slot_) { other.slot_ = kNone; }
  BusGuard& operator=(BusGuard&& other) noexcept;
  BusGuard(const BusGuard&) = delete;
  ~BusGuard() { release(); }

  /** Installs the handler on first use. Fails when too many mappings are guarded already. */
  static Result<BusGuard> protect(void* base, std::size_t length);

  /** Ends the guard; call before the range is unmapped. */
  void release() noexcept;

  bool active() const noexcept { return slot_ != kNone; }

  /** True once the mapping was lost and replaced. Any thread. */
  bool lost() const noexcept;

 private:
  static constexpr int kNone = -1;
  explicit BusGuard(int slot) noexcept : slot_(slot) {}

  int slot_ = kNone;
};

}  // namespace gstmemif
