// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/memif/control/fd.hpp"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>

namespace gstmemif {
namespace {

Error os_error(const char* what) {
  return {ErrorCode::open, std::string(what) + " failed: " + error_text(errno)};
}

}  // namespace

void UniqueFd::reset(int fd) noexcept {
  // Cleared before close(): a number that was closed once must never be closed again.
  const int old = std::exchange(fd_, fd);
  if (old >= 0) ::close(old);
}

std::string error_text(int error) {
  const std::string text = std::strerror(error);
  switch (error) {
    case EMFILE: {
      rlimit limit{};
      ::getrlimit(RLIMIT_NOFILE, &limit);
      return text + ": the limit of this process is " + std::to_string(limit.rlim_cur) +
             ". Raise it (ulimit -n, LimitNOFILE=), or close some descriptors";
    }
    case ENFILE:
      return text + ": the limit of the whole system is reached. Raise fs.file-max";
    case ENOMEM:
    case ENOBUFS:
      return text + ": out of kernel memory. Free some, or raise the limit of the cgroup";
    default:
      return text;
  }
}

Result<UniqueFd> make_eventfd() {
  UniqueFd fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!fd) return os_error("eventfd");
  return fd;
}

Result<UniqueFd> make_timerfd() {
  UniqueFd fd(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
  if (!fd) return os_error("timerfd_create");
  return fd;
}

void arm_timerfd(int fd, std::uint64_t nanoseconds) noexcept {
  constexpr std::uint64_t kSecond = 1'000'000'000;
  itimerspec spec{};
  spec.it_value.tv_sec = static_cast<time_t>(nanoseconds / kSecond);
  spec.it_value.tv_nsec = static_cast<long>(nanoseconds % kSecond);
  ::timerfd_settime(fd, 0, &spec, nullptr);
}

bool read_timerfd(int fd) noexcept {
  std::uint64_t expirations;
  ssize_t got;
  do {
    got = ::read(fd, &expirations, sizeof expirations);
  } while (got < 0 && errno == EINTR);
  return got == sizeof expirations;
}

bool is_memory_file(int fd) noexcept {
  // Only these files have seals, even if none is set.
  return ::fcntl(fd, F_GET_SEALS) >= 0;
}

bool is_eventfd(int fd) noexcept {
  char path[64];
  char target[64];
  std::snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  const ssize_t length = ::readlink(path, target, sizeof target);
  return length > 0 &&
         std::string_view(target, static_cast<std::size_t>(length)) == "anon_inode:[eventfd]";
}

bool signal_eventfd(int fd) noexcept {
  const std::uint64_t one = 1;
  ssize_t written;
  do {
    written = ::write(fd, &one, sizeof one);
  } while (written < 0 && errno == EINTR);
  return written == sizeof one || errno == EAGAIN;
}

bool drain_eventfd(int fd) noexcept {
  std::uint64_t count;
  ssize_t got;
  do {
    got = ::read(fd, &count, sizeof count);
  } while (got < 0 && errno == EINTR);
  return got == sizeof count;
}

}  // namespace gstmemif
