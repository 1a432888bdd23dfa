// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/pcap/input_file.hpp"

#include <fcntl.h>
#include <stdio_ext.h>
#include <sys/stat.h>
#include <unistd.h>

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
  start_ = is_regular_ ? std::max<off_t>(lseek(fd_, 0, SEEK_CUR), 0) : 0;
  was_stopped_ = false;
  stream_ = nullptr;
  if (!block_) block_ = std::make_unique_for_overwrite<char[]>(kBlock);
}

void InputFile::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

std::uint32_t InputFile::magic() const noexcept {
  std::uint32_t value = 0;
  return pread(fd_, &value, sizeof value, start_) == sizeof value ? value : 0;
}

bool InputFile::rewind() {
  return lseek(fd_, start_, SEEK_SET) == start_;
}

/** Whether the stream has something left that it got. */
bool InputFile::is_buffered() const noexcept {
  return stream_ != nullptr && ftello(stream_) != position_;
}

bool InputFile::is_ready() const noexcept {
  return is_regular_ || is_buffered() || wait_ready(fd_, POLLIN, 0);
}

bool InputFile::wait() {
  return is_regular_ || is_buffered() || wait_ready(fd_, POLLIN, -1, interrupt_, stop_);
}

ssize_t InputFile::read(char* to, std::size_t size) {
  for (;;) {
    if (!wait_ready(fd_, POLLIN, -1, stop_)) {
      was_stopped_ = true;
      errno = ECANCELED;
      return -1;
    }
    const ssize_t got = ::read(fd_, to, size);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got > 0) position_ += got;
    return got;
  }
}

/** Large blocks; and one thread at a time reads, so that no lock is taken twice per packet. */
void InputFile::prepare(FILE* stream) {
  setvbuf(stream, block_.get(), _IOFBF, kBlock);
  __fsetlocking(stream, FSETLOCKING_BYCALLER);
}

/** The C library's own, whose functions are faster. It shares the place in the file. */
FILE* InputFile::regular_stream() {
  const int fd = fcntl(fd_, F_DUPFD_CLOEXEC, 0);
  FILE* stream = fd >= 0 ? fdopen(fd, "r") : nullptr;
  if (stream != nullptr) {
    prepare(stream);
  } else if (fd >= 0) {
    ::close(fd);
  }
  return stream;
}

FILE* InputFile::stream() {
  if (is_regular_) return regular_stream();
  constexpr auto kRead = [](void* self, char* to, std::size_t size) {
    return static_cast<InputFile*>(self)->read(to, size);
  };
  // Only tells where it is: how much of it the stream has passed on is known by that.
  constexpr auto kSeek = [](void* self, off64_t* offset, int whence) {
    if (whence != SEEK_CUR || *offset != 0) return -1;
    *offset = static_cast<InputFile*>(self)->position_;
    return 0;
  };
  constexpr auto kClose = [](void* self) {
    static_cast<InputFile*>(self)->stream_ = nullptr;
    return 0;
  };
  position_ = 0;
  stream_ = fopencookie(this, "r", {kRead, nullptr, kSeek, kClose});
  if (stream_ != nullptr) prepare(stream_);
  return stream_;
}

}  // namespace pcapplugin
