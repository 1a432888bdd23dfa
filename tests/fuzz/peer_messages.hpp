// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * What a peer may say on a control channel, and pass along.
 */
#pragma once

#include <sys/eventfd.h>

#include <vector>

#include "gst/memif/control/discard.hpp"
#include "gst/memif/control/protocol.hpp"
#include "memory.hpp"

namespace fuzz {

using namespace gstmemif;

inline constexpr std::uint64_t kFileSize = 8192;

inline UniqueFd region_file(Input& input) {
  switch (input.below(8)) {
    case 0:
      return memory_file(input.get<std::uint16_t>(), 0);
    case 1:
      return memory_file(kFileSize, 0);
    case 2:
      return memory_file(kFileSize, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
    case 3:
      return memory_file(kFileSize, F_SEAL_WRITE);
    case 4:
      return UniqueFd(::open("/", O_RDONLY | O_CLOEXEC | O_DIRECTORY));
    case 5:
      return UniqueFd(::open("/dev/zero", O_RDWR | O_CLOEXEC));
    default:
      return memory_file(kFileSize, F_SEAL_SHRINK);
  }
}

inline UniqueFd wake_file(Input& input) {
  switch (input.below(6)) {
    case 0: {
      int ends[2];
      require(::pipe2(ends, O_CLOEXEC) == 0, "no pipe");
      ::close(ends[input.below(2)]);
      // One of the two; the other one was closed just now.
      return UniqueFd(::fcntl(ends[0], F_GETFD) >= 0 ? ends[0] : ends[1]);
    }
    case 1:
      return UniqueFd(::eventfd(input.get<std::uint16_t>(), EFD_CLOEXEC | EFD_SEMAPHORE));
    default:
      return UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  }
}

/** What belongs to @p message, mostly. */
inline std::vector<UniqueFd> descriptors(Input& input, const Message& message) {
  std::vector<UniqueFd> fds;
  const unsigned what = input.below(16);
  if (what == 0) return fds;
  if (what == 1) {
    for (unsigned n = input.below(200); n > 0; --n) fds.emplace_back(::dup(STDERR_FILENO));
    return fds;
  }
  const bool region = std::holds_alternative<AddRegion>(message) != (what == 2);
  const bool ring = std::holds_alternative<AddRing>(message) != (what == 3);
  if (region) fds.push_back(region_file(input));
  if (ring) fds.push_back(wake_file(input));
  return fds;
}

inline std::string name_from(Input& input) {
  const auto bytes = input.bytes(input.below(40));
  return std::string(bytes.begin(), bytes.end());
}

inline Message add_ring_from(Input& input) {
  AddRing ring;
  ring.direction = input.flag() ? Direction::m2s : Direction::s2m;
  ring.index = input.around<std::uint16_t>({0, 1});
  ring.region = input.around<std::uint16_t>({0, 1});
  ring.offset = input.around<std::uint32_t>({0, 256, 384, 1024, 8192 - 256});
  ring.log2_size = input.around<std::uint8_t>({1, 3, 8});
  ring.private_header_size = input.around<std::uint16_t>({0, 0, 0});
  return ring;
}

inline Message hello_from(Input& input) {
  Hello hello;
  hello.name = name_from(input);
  hello.min_version = input.around<std::uint16_t>({kVersion, kVersion, kVersion});
  hello.max_version = input.around<std::uint16_t>({kVersion, kVersion, kVersion});
  hello.max_region = input.around<std::uint16_t>({255, 1, 0});
  hello.max_s2m_ring = input.around<std::uint16_t>({0, 1});
  hello.max_m2s_ring = input.around<std::uint16_t>({0, 1});
  hello.max_log2_ring_size = input.around<std::uint8_t>({14, 3, 0});
  return hello;
}

inline Message message_from(Input& input) {
  switch (input.below(10)) {
    case 0:
      return Ack{};
    case 1:
      return hello_from(input);
    case 2: {
      Init init;
      init.version = input.around<std::uint16_t>({kVersion, kVersion});
      init.id = input.get<std::uint32_t>();
      init.secret = name_from(input);
      init.name = name_from(input);
      return init;
    }
    case 3:
    case 4:
      return AddRegion{input.around<std::uint16_t>({0, 1}),
                       input.around<std::uint64_t>({kFileSize, 4096, 1})};
    case 5:
    case 6:
      return add_ring_from(input);
    case 7:
      return Connect{name_from(input)};
    case 8:
      return Connected{name_from(input)};
    default:
      return Disconnect{input.get<std::uint32_t>(), name_from(input)};
  }
}

/** What was passed and is not wanted is closed by another thread, which an input has to wait for.
 */
inline void wait_for_discarded() {
  constexpr std::size_t kAll = 512;
  for (int i = 0; i < 10000 && discard_room() != kAll; ++i) ::usleep(100);
  require(discard_room() == kAll, "a descriptor that cannot be closed");
}

}  // namespace fuzz
