// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Memory and descriptors as a peer of any kind may pass them.
 */
#pragma once

#include <sys/mman.h>

#include "fuzz.hpp"
#include "gst/memif/control/fd.hpp"
#include "gst/memif/control/protocol.hpp"

namespace fuzz {

/** A memory file that looks like a ring wherever one looks: cookies every 64 bytes. */
inline gstmemif::UniqueFd memory_file(std::uint64_t size, int seals) {
  gstmemif::UniqueFd fd(::memfd_create("memif-fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  require(fd && ::ftruncate(fd.get(), static_cast<off_t>(size)) == 0, "no memory file");
  constexpr std::size_t kFilled = 8192;
  std::byte block[kFilled]{};
  for (std::size_t at = 0; at + sizeof gstmemif::kCookie <= kFilled; at += 64) {
    std::memcpy(block + at, &gstmemif::kCookie, sizeof gstmemif::kCookie);
  }
  const std::size_t filled = std::min<std::uint64_t>(size, kFilled);
  require(::pwrite(fd.get(), block, filled, 0) == static_cast<ssize_t>(filled), "pwrite");
  if (seals != 0) require(::fcntl(fd.get(), F_ADD_SEALS, seals) == 0, "no seals");
  return fd;
}

}  // namespace fuzz
