// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/memif/control/passed_socket.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "gst/common/parse_number.hpp"

namespace gstmemif {
namespace {

constexpr int kFirstPassed = 3;
constexpr int kMostPassed = 1024;

int number_in(const char* variable) {
  const char* const text = std::getenv(variable);
  return text != nullptr ? std::max(gstcommon::parse_number<int>(text).value_or(0), 0) : 0;
}

std::optional<int> option(int fd, int name) {
  int value = 0;
  socklen_t length = sizeof value;
  if (::getsockopt(fd, SOL_SOCKET, name, &value, &length) != 0) return {};
  return value;
}

/** Whether @p fd is a socket that is bound to @p address. */
bool is_bound_to(int fd, const SocketAddress& address) {
  sockaddr_un bound{};
  socklen_t length = sizeof bound;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &length) != 0 ||
      bound.sun_family != AF_UNIX || length <= offsetof(sockaddr_un, sun_path)) {
    return false;
  }
  std::string_view name(bound.sun_path, length - offsetof(sockaddr_un, sun_path));
  // An abstract name starts with a NUL, and each one in it counts; a path ends at its first.
  const bool abstract = name.front() == '\0';
  name = abstract ? name.substr(1) : name.substr(0, name.find('\0'));
  return abstract == address.abstract() && name == address.name();
}

}  // namespace

Result<UniqueFd> passed_socket(const SocketAddress& address) {
  if (number_in("LISTEN_PID") != ::getpid()) return UniqueFd();
  // No more than can be open: the variable may say anything.
  const int count = std::min(number_in("LISTEN_FDS"), kMostPassed);
  for (int i = 0; i < count; ++i) {
    const int fd = kFirstPassed + i;
    if (!is_bound_to(fd, address)) continue;
    if (option(fd, SO_TYPE) != SOCK_SEQPACKET || option(fd, SO_ACCEPTCONN) != 1) {
      return Error{ErrorCode::settings, "socket-path=" + address.text() +
                                            ": the socket that was passed in for it is no "
                                            "listening SOCK_SEQPACKET socket. In a unit of systemd "
                                            "that is ListenSequentialPacket=, with Accept=no."};
    }
    UniqueFd copy(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
    const int flags = ::fcntl(fd, F_GETFL);
    // Programs that this one starts have no use for the original.
    if (!copy || flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
        ::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
      return Error{ErrorCode::open,
                   "socket-path=" + address.text() +
                       ": the socket that was passed in cannot be used: " + error_text(errno)};
    }
    return copy;
  }
  return UniqueFd();
}

}  // namespace gstmemif
