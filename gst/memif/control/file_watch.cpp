// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/memif/control/file_watch.hpp"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace gstmemif {

Result<FileWatch> FileWatch::make(Loop& loop, const std::string& path, Loop::Handler handler) {
  UniqueFd fd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  // The number of names is an attribute: the socket keeps the file itself alive.
  if (!fd || ::inotify_add_watch(fd.get(), path.c_str(), IN_ATTRIB | IN_MOVE_SELF) < 0) {
    return Error{ErrorCode::open, "cannot watch " + path, error_text(errno)};
  }
  FileWatch watch;
  watch.fd_ = std::make_shared<const UniqueFd>(std::move(fd));
  watch.watch_ = loop.watch(watch.fd_->get(), [fd = watch.fd_, handler = std::move(handler)] {
    const ControlLock lock;
    std::array<char, 4096> events;
    if (::read(fd->get(), events.data(), events.size()) > 0) handler();
  });
  return watch;
}

}  // namespace gstmemif
