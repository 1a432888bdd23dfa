// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/pcap/input_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace pcapplugin {

Result<void> InputFile::open(const std::string& path) {
  // Not waiting for a writer; a FIFO without one is not ready, and not at its end.
  const int fd = path == "-" ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                             : ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  struct stat status {};
  const bool known = fd >= 0 && fstat(fd, &status) == 0;
  if (!known || S_ISDIR(status.st_mode)) {
    const char* why = std::strerror(known ? EISDIR : errno);
    if (fd >= 0) ::close(fd);
    return Error{gstcommon::ErrorCode::open, "Cannot read \"" + path + "\"", why,
                 "Set location to a capture file that exists and may be read"};
  }
  open(fd);
  return {};
}

void InputFile::open(int fd) {
  close();
  struct stat status {};
  fd_ = fd;
  is_regular_ = fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
  was_stopped_ = false;
  begin_ = end_ = 0;
  if (!block_) block_ = std::make_unique_for_overwrite<char[]>(kBlock);
}

void InputFile::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

bool InputFile::rewind() {
  begin_ = end_ = 0;
  return lseek(fd_, 0, SEEK_SET) == 0;
}

bool InputFile::is_ready() const noexcept {
  return is_regular_ || begin_ != end_ || wait_ready(fd_, POLLIN, 0);
}

bool InputFile::wait() {
  return is_regular_ || begin_ != end_ || wait_ready(fd_, POLLIN, -1, interrupt_, stop_);
}

/** False with errno set if it fails; begin_ == end_ at the end. */
bool InputFile::fill() {
  for (;;) {
    if (!is_regular_ && !wait_ready(fd_, POLLIN, -1, stop_)) {
      was_stopped_ = true;
      errno = ECANCELED;
      return false;
    }
    const ssize_t got = ::read(fd_, block_.get(), kBlock);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    begin_ = 0;
    end_ = got > 0 ? static_cast<std::size_t>(got) : 0;
    return got >= 0;
  }
}

ssize_t InputFile::read(char* to, std::size_t size) {
  if (begin_ == end_ && !fill()) return -1;
  const std::size_t most = std::min(size, end_ - begin_);
  std::memcpy(to, block_.get() + begin_, most);
  begin_ += most;
  return static_cast<ssize_t>(most);
}

FILE* InputFile::stream() {
  constexpr auto kRead = [](void* self, char* to, std::size_t size) {
    return static_cast<InputFile*>(self)->read(to, size);
  };
  FILE* file = fopencookie(this, "r", {kRead, nullptr, nullptr, nullptr});
  // The block is here, so that what is left in it is known.
  if (file != nullptr) setvbuf(file, nullptr, _IONBF, 0);
  return file;
}

}  // namespace pcapplugin
