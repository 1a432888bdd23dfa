// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Memory that a peer can take away, and a slave that has such.
 */
#pragma once

#include <sys/mman.h>

#include "peers.hpp"

namespace memiftest {

inline UniqueFd memory_file(std::uint64_t size, bool sealed = false, unsigned flags = 0) {
  UniqueFd fd(::memfd_create("memif-peer", MFD_CLOEXEC | MFD_ALLOW_SEALING | flags));
  fail_unless(fd && ::ftruncate(fd.get(), static_cast<off_t>(size)) == 0);
  if (sealed) fail_unless(::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK) == 0);
  return fd;
}

inline unsigned sum(const std::byte* data, std::size_t size) {
  unsigned total = 0;
  for (std::size_t i = 0; i < size; i += 64) {
    total += static_cast<unsigned>(*static_cast<const volatile std::byte*>(data + i));
  }
  return total;
}

/** A slave by hand, with one sending ring, that can take its memory away at any time. */
class UnsealedSlave {
 public:
  UnsealedSlave(const std::string& socket, const Settings& offer)
      : peer_(RawPeer::dialled(socket)), offer_(offer), plan_(must(build_slave_memory(offer))) {
    for (const Region& region : plan_.regions) {
      files_.push_back(memory_file(region.size()));
      fail_unless(::pwrite(files_.back().get(), region.data(), region.size(), 0) ==
                  static_cast<ssize_t>(region.size()));
    }
  }

  /** Up to the message that ends the handshake, which the other end answers or refuses. */
  RawPeer& offer() {
    peer_.expect_message<Hello>();
    say(Init{});
    for (std::size_t i = 0; i < files_.size(); ++i) {
      say(AddRegion{static_cast<std::uint16_t>(i), plan_.regions[i].size()}, files_[i].get());
    }
    const RingPlan& ring = plan_.s2m[0];
    const auto log2_size = static_cast<std::uint8_t>(std::countr_zero(ring.size));
    say(AddRing{Direction::s2m, 0, 0, ring.offset, log2_size, 0}, ring.event_fd.get());
    peer_.say(Connect{});
    return peer_;
  }
  void connect() { offer().expect_message<Connected>(); }

  /** Publishes one packet. */
  void send(const Bytes& bytes) {
    auto* base = static_cast<std::byte*>(::mmap(
        nullptr, plan_.regions[0].size(), PROT_READ | PROT_WRITE, MAP_SHARED, files_[0].get(), 0));
    fail_unless(base != MAP_FAILED);
    fail_unless(::pwrite(files_[1].get(), bytes.data(), bytes.size(), 0) ==
                static_cast<ssize_t>(bytes.size()));
    Ring ring(base + plan_.s2m[0].offset, RingLayout{offer_.cache_line, offer_.ring_size});
    ring.write(head_++, {0, 1, static_cast<std::uint32_t>(bytes.size()), 0, 0});
    ring.store_head(head_);
    ::munmap(base, plan_.regions[0].size());
    signal_eventfd(plan_.s2m[0].event_fd.get());
  }
  void take_away() {
    for (const UniqueFd& file : files_) fail_unless(::ftruncate(file.get(), 0) == 0);
    signal_eventfd(plan_.s2m[0].event_fd.get());
  }

 private:
  void say(const Message& message, int fd = -1) {
    peer_.say(message, fd);
    peer_.expect_message<Ack>();
  }

  RawPeer peer_;
  Settings offer_;
  LinkPlan plan_;
  std::vector<UniqueFd> files_;
  std::uint16_t head_ = 0;
};

}  // namespace memiftest
