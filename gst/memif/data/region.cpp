// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/memif/data/region.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>

namespace gstmemif {
namespace {

Error os_error(std::string what, int error = errno) {
  return {ErrorCode::open, std::move(what) + ": " + error_text(error)};
}

Error refused(std::string why) {
  return {ErrorCode::protocol, std::move(why)};
}

Result<std::byte*> map_shared(int fd, std::size_t length) {
  void* base = ::mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (base == MAP_FAILED) {
    return os_error("cannot map " + std::to_string(length) + " bytes of shared memory");
  }
  return static_cast<std::byte*>(base);
}

/** Page size of what backs @p status: hugetlbfs wants whole huge pages at mmap and munmap. */
std::uint64_t page_size_of(const struct stat& status) {
  const auto system = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return std::max(system, static_cast<std::uint64_t>(status.st_blksize));
}

/** What the descriptor of a region is. */
struct PeerFile {
  std::uint64_t size;
  std::uint64_t page_size;
  bool huge_pages;
};

Result<PeerFile> examine(int fd) {
  // First: for any other file, a foreign process would answer the calls below, or not.
  if (!is_memory_file(fd)) return refused("the descriptor of a region is not a memory file");
  struct stat status {};
  struct statfs filesystem {};
  if (::fstat(fd, &status) != 0 || ::fstatfs(fd, &filesystem) != 0) {
    return os_error("cannot examine the descriptor of a region");
  }
  const bool huge_pages = filesystem.f_type == HUGETLBFS_MAGIC;
  return PeerFile{static_cast<std::uint64_t>(status.st_size), page_size_of(status), huge_pages};
}

/**
 * Whether a file stays readable and writable regardless of the peer. A hole in a sealed
 * memfd reads as zero; that in a file of huge pages takes pages of a pool that may be empty by
 * then, and a file on a mounted tmpfs, which cannot be sealed, is subject to the size of that one.
 */
bool stays(int fd, const PeerFile& file) noexcept {
  // Asked before mapping, and seals cannot be taken back: no window in which the file may shrink.
  const int seals = ::fcntl(fd, F_GET_SEALS);
  return seals >= 0 && (seals & F_SEAL_SHRINK) != 0 && !file.huge_pages;
}

}  // namespace

Region::Region(Region&& other) noexcept
    : fd_(std::move(other.fd_)),
      base_(std::exchange(other.base_, nullptr)),
      size_(other.size_),
      mapped_(other.mapped_),
      guard_(std::move(other.guard_)) {}

Region::~Region() {
  guard_.release();
  if (base_ != nullptr) ::munmap(base_, mapped_);
}

Result<Region> Region::create(std::uint64_t size) {
  UniqueFd fd(::memfd_create("memif", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) return os_error("memfd_create failed");
  if (size > static_cast<std::uint64_t>(std::numeric_limits<off_t>::max()) ||
      ::ftruncate(fd.get(), static_cast<off_t>(size)) != 0) {
    return os_error("cannot make " + std::to_string(size) + " bytes of shared memory");
  }
  if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    return os_error("cannot seal the shared memory");
  }
  Result<std::byte*> base = map_shared(fd.get(), size);
  if (!base) return base.error();
  return Region(std::move(fd), *base, size, size);
}

Result<Region> Region::map(UniqueFd fd, std::uint64_t size, UnsealedMemory unsealed) {
  const Result<PeerFile> file = examine(fd.get());
  if (!file) return file.error();
  if (size == 0) return refused("a region of 0 bytes");
  if (file->size < size) {
    return refused("a region of " + std::to_string(size) + " bytes in a file of " +
                   std::to_string(file->size));
  }
  const bool guarded = !stays(fd.get(), *file);
  if (guarded && unsealed == UnsealedMemory::refuse) {
    return refused(file->huge_pages ? "unsealed-memory=refuse, and a region is of huge pages"
                                    : "unsealed-memory=refuse, and a region is not sealed");
  }
  const std::uint64_t length = (size + file->page_size - 1) / file->page_size * file->page_size;
  Result<std::byte*> base = map_shared(fd.get(), length);
  if (!base) return base.error();
  Region region(std::move(fd), *base, size, length);
  if (guarded) {
    Result<BusGuard> guard = BusGuard::protect(*base, length);
    if (!guard) return guard.error();
    region.guard_ = std::move(*guard);
  }
  region.close_file();
  return region;
}

}  // namespace gstmemif
