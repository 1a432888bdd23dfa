// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/pcap/output_file.hpp"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace pcapplugin {
namespace {

// There is nothing to poll for that says that a FIFO has a reader.
constexpr int kReaderIntervalMs = 50;

/** While it lives, a write to a pipe without a reader is an error and does not end the process. */
class SigpipeBlocked {
 public:
  SigpipeBlocked() {
    sigemptyset(&sigpipe_);
    sigaddset(&sigpipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &sigpipe_, &before_);
  }
  ~SigpipeBlocked() {
    const int error = errno;
    // Ours, which is this thread's alone; one that was pending before is somebody else's.
    const timespec now{};
    if (!was_pending_) {
      while (sigtimedwait(&sigpipe_, nullptr, &now) < 0 && errno == EINTR) continue;
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    errno = error;
  }
  SigpipeBlocked(const SigpipeBlocked&) = delete;
  SigpipeBlocked& operator=(const SigpipeBlocked&) = delete;

 private:
  sigset_t sigpipe_, before_;
  bool was_pending_;
};

bool has_reader(int fd, mode_t mode) {
  return S_ISFIFO(mode) || S_ISSOCK(mode) || isatty(fd) == 1;
}

Error cannot_open(const std::string& path) {
  return Error{gstcommon::ErrorCode::open, "Cannot write to \"" + path + "\"", std::strerror(errno),
               "Set location to a file, in a directory that exists and may be written to"};
}

}  // namespace

Result<void> OutputFile::open(const std::string& path) {
  close();
  path_ = path;
  struct stat status {};
  if (path == "-") {
    fd_ = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
  } else if (stat(path.c_str(), &status) == 0 && S_ISFIFO(status.st_mode)) {
    is_stream_ = waits_for_reader_ = never_blocks_ = true;
    return {};
  } else {
    constexpr mode_t kMode = 0666;  // the umask takes away from it
    fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, kMode);
  }
  if (fd_ < 0 || fstat(fd_, &status) != 0) return cannot_open(path);
  is_stream_ = has_reader(fd_, status.st_mode);
  never_blocks_ = false;
  return {};
}

Flow OutputFile::write(std::span<const std::byte>& bytes) {
  if (is_stream_) return write_stream(bytes);
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      errno_ = errno;
      return Flow::failed;
    }
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return Flow::ok;
}

/** Opens a FIFO as soon as somebody reads from it. */
Flow OutputFile::meet_reader() {
  while (waits_for_reader_) {
    fd_ = ::open(path_.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd_ >= 0) {
      waits_for_reader_ = false;
    } else if (errno != ENXIO && errno != EINTR) {
      errno_ = errno;
      return Flow::failed;
    } else if (wait_ready(wake_.fd(), POLLIN, kReaderIntervalMs) && !go_on_()) {
      return Flow::interrupted;
    }
  }
  return Flow::ok;
}

Flow OutputFile::write_stream(std::span<const std::byte>& bytes) {
  if (const Flow met = meet_reader(); met != Flow::ok) return met;
  const SigpipeBlocked blocked;
  while (!bytes.empty()) {
    if (!wait_ready(fd_, POLLOUT, -1, wake_)) {
      if (go_on_()) continue;
      return Flow::interrupted;
    }
    // A descriptor that is not ours alone cannot be told not to block, but what is ready takes so
    // much at once.
    const std::size_t most = never_blocks_ ? bytes.size() : std::size_t{PIPE_BUF};
    const ssize_t written = ::write(fd_, bytes.data(), std::min(bytes.size(), most));
    if (written < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (written < 0) {
      errno_ = errno;
      return Flow::failed;
    }
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return Flow::ok;
}

bool OutputFile::close() {
  waits_for_reader_ = is_stream_ = false;
  if (fd_ < 0 || ::close(std::exchange(fd_, -1)) == 0 || errno == EINTR) return true;
  errno_ = errno;
  return false;
}

}  // namespace pcapplugin
