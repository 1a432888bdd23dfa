// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * What the fuzzers share: values out of an input, and what every input must leave behind.
 */
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <span>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace fuzz {

/** Ends the program if @p condition does not hold, in all builds. */
inline void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

/** Values out of the input; zeros when it has ended. */
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : left_(data, size) {}
  bool ended() const { return left_.empty(); }

  template <class T>
  T get() {
    T value{};
    const std::size_t n = std::min(sizeof value, left_.size());
    if (n != 0) std::memcpy(&value, left_.data(), n);
    left_ = left_.subspan(n);
    return value;
  }
  /** 0 to @p limit - 1, from one byte. */
  unsigned below(unsigned limit) { return get<std::uint8_t>() % limit; }
  bool flag() { return (get<std::uint8_t>() & 1) != 0; }
  /** One value of several that matter, or any. */
  template <class T>
  T around(std::initializer_list<T> interesting) {
    const unsigned i = below(static_cast<unsigned>(2 * interesting.size()));
    return i < interesting.size() ? interesting.begin()[i] : get<T>();
  }
  /** Up to @p n bytes. */
  std::span<const std::uint8_t> bytes(std::size_t n) {
    const auto taken = left_.first(std::min(n, left_.size()));
    left_ = left_.subspan(taken.size());
    return taken;
  }
  std::span<const std::uint8_t> rest() { return bytes(left_.size()); }
  /** Up to the next line feed, or all that is left. */
  std::string line() {
    const auto end = std::find(left_.begin(), left_.end(), '\n');
    const auto text = bytes(static_cast<std::size_t>(end - left_.begin()));
    bytes(1);
    return std::string(text.begin(), text.end());
  }

 private:
  std::span<const std::uint8_t> left_;
};

/**
 * Every descriptor that is opened for an input is closed with it. Libraries may keep one, made when
 * it is first needed.
 */
class NoLeakedFds {
 public:
  NoLeakedFds() = default;
  ~NoLeakedFds() {
    static int kept = 0;
    kept += open_fds() - before_;
    require(kept <= 1, "a descriptor was left open");
  }
  NoLeakedFds(const NoLeakedFds&) = delete;

 private:
  static int open_fds() {
    constexpr int kMost = 512;
    std::array<pollfd, kMost> fds{};
    for (int i = 0; i < kMost; ++i) fds[static_cast<std::size_t>(i)].fd = i;
    require(::poll(fds.data(), fds.size(), 0) >= 0, "descriptors cannot be counted");
    return kMost - static_cast<int>(std::count_if(fds.begin(), fds.end(), [](const pollfd& fd) {
             return (fd.revents & POLLNVAL) != 0;
           }));
  }
  const int before_ = open_fds();
};

}  // namespace fuzz
