// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/memif/data/snapshot_mapping.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>

namespace gstmemif {

bool SnapshotMapping::attach(const Region& region, bool for_writing) noexcept {
  if (region_ == &region && for_writing_ == for_writing) return true;
  unmap();
  // A view has no guard: reading it must be safe for as long as it is mapped.
  if (region.guarded()) return false;
  // An old size of 0 makes a second mapping of the same shared pages.
  void* base = ::mremap(region.data(), 0, region.size(), MREMAP_MAYMOVE);
  if (base == MAP_FAILED) return false;
  base_ = static_cast<std::byte*>(base);
  size_ = region.size();
  // What is received is never written, whatever its readers do.
  if (!for_writing && ::mprotect(base_, size_, PROT_READ) != 0) {
    unmap();
    return false;
  }
  region_ = &region;
  for_writing_ = for_writing;
  return true;
}

bool SnapshotMapping::detach(std::span<const BufferPlace> places, std::uint32_t length) noexcept {
  if (region_ == nullptr) return base_ != nullptr;
  // Without reserve: only the pages that packets lie in are ever touched.
  void* mapped = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) return false;
  auto* copy = static_cast<std::byte*>(mapped);
  for (const BufferPlace& place : places) {
    const std::size_t n = std::min<std::size_t>(length, size_ - place.offset);
    std::memcpy(copy + place.offset, base_ + place.offset, n);
  }
  // In one step: a reader sees the old pages or the new ones, which hold the same.
  if (::mremap(copy, size_, size_, MREMAP_MAYMOVE | MREMAP_FIXED, base_) == MAP_FAILED) {
    ::munmap(copy, size_);
    return false;
  }
  region_ = nullptr;
  return true;
}

void SnapshotMapping::unmap() noexcept {
  if (base_ != nullptr) ::munmap(base_, size_);
  base_ = nullptr;
  region_ = nullptr;
  size_ = 0;
}

}  // namespace gstmemif
