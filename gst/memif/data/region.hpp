// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * A shared memory region of a link: made by us as slave, mapped from the peer as master.
 */
#pragma once

#include <cstddef>
#include <cstdint>

#include "gst/memif/control/fd.hpp"
#include "gst/memif/data/bus_guard.hpp"
#include "gst/memif/types.hpp"

namespace gstmemif {

/** One mapping of shared memory; unmapped when the object goes. */
class GSTMEMIF_API Region {
 public:
  Region(Region&& other) noexcept;
  Region& operator=(Region&&) = delete;
  Region(const Region&) = delete;
  ~Region();

  /** Creates @p size bytes of zeroed memory: a memfd, sealed against resizing. */
  static Result<Region> create(std::uint64_t size);

  /**
   * Maps @p size bytes of a file that the peer passed. Accepts only memory files (tmpfs, hugetlbfs)
   * of at least that size: any other file could block or fail on access. Memory that the peer can
   * take away (files not sealed against shrinking, and huge pages) is watched by a BusGuard, or
   * refused.
   */
  static Result<Region> map(UniqueFd fd, std::uint64_t size,
                            UnsealedMemory unsealed = UnsealedMemory::guard);

  std::byte* data() const noexcept { return base_; }
  std::uint64_t size() const noexcept { return size_; }
  /** To pass to the peer; -1 after close_file(), and for memory of the peer. */
  int fd() const noexcept { return fd_.get(); }
  /** The mapping keeps the memory: once the peer has the descriptor, we need none. */
  void close_file() noexcept { fd_.reset(); }
  /** True if the peer can take the memory away, so that lost() has to be checked. */
  bool guarded() const noexcept { return guard_.active(); }
  /** True if the peer took the memory away; it reads as zero from then on. Any thread. */
  bool lost() const noexcept { return guard_.lost(); }

 private:
  Region(UniqueFd fd, std::byte* base, std::uint64_t size, std::size_t mapped) noexcept
      : fd_(std::move(fd)), base_(base), size_(size), mapped_(mapped) {}

  UniqueFd fd_;
  std::byte* base_;
  std::uint64_t size_;
  std::size_t mapped_;  // size_ rounded up to whole pages
  BusGuard guard_;
};

}  // namespace gstmemif
