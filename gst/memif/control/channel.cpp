// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/memif/control/channel.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "gst/memif/control/discard.hpp"

namespace gstmemif {
namespace {

// The most descriptors that the kernel passes with one message. With room for all of them, every
// descriptor that a peer attaches arrives here and is closed, rather than lost by truncation.
constexpr std::size_t kMaxPassedFds = 253;

constexpr std::size_t kCredentials = CMSG_SPACE(sizeof(ucred));

std::vector<UniqueFd> take_fds(msghdr& header) {
  std::vector<UniqueFd> fds;
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd;
      std::memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
      fds.emplace_back(fd);
      if (!is_memory_file(fd) && !is_eventfd(fd)) discard(std::move(fds.back()));
    }
  }
  return fds;
}

/** What one recvmsg() brought. */
struct Raw {
  // One byte more than a message, to detect longer ones.
  std::array<std::byte, kMessageSize + 1> bytes;
  ssize_t got;  // as recvmsg() returns it
  int flags;
  std::size_t room;           // for descriptors
  std::size_t control_bytes;  // that came along
  std::vector<UniqueFd> fds;
};

/** Never blocks. Leaves the cause in errno. @param other bytes of control messages besides fds */
Raw read_message(int socket, std::size_t other = 0) {
  Raw raw;
  // Descriptors without room are dropped by the kernel before this process ever owns them.
  raw.room = std::min(kMaxPassedFds, discard_room());
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMaxPassedFds) + kCredentials];
  iovec vector{raw.bytes.data(), raw.bytes.size()};
  msghdr header{};
  header.msg_iov = &vector;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = other + (raw.room != 0 ? CMSG_LEN(sizeof(int) * raw.room) : 0);
  do {
    raw.got = ::recvmsg(socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  } while (raw.got < 0 && errno == EINTR);
  if (raw.got < 0) return raw;
  raw.flags = header.msg_flags;
  raw.control_bytes = header.msg_controllen;
  raw.fds = take_fds(header);
  return raw;
}

Error socket_error(const char* what) {
  // The same event, whether noticed on write or on read.
  if (errno == EPIPE || errno == ECONNRESET) {
    return {ErrorCode::closed, "the peer closed the connection"};
  }
  return {ErrorCode::closed, std::string(what) + ": " + error_text(errno)};
}

}  // namespace

Result<void> Channel::send(const Message& message, int fd) {
  MessageBytes bytes = encode(message);
  iovec vector{bytes.data(), bytes.size()};
  msghdr header{};
  header.msg_iov = &vector;
  header.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  if (fd >= 0) {
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    cmsghdr* c = CMSG_FIRSTHDR(&header);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(c), &fd, sizeof fd);
  }
  ssize_t sent;
  do {
    sent = ::sendmsg(socket_.get(), &header, MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (sent < 0 && errno == EINTR);
  if (sent == static_cast<ssize_t>(bytes.size())) return {};
  if (errno == EAGAIN) return Error{ErrorCode::protocol, "the peer does not read its messages"};
  return socket_error("cannot send to the peer");
}

Result<std::optional<Received>> Channel::receive() {
  Raw raw = read_message(socket_.get());
  if (raw.got < 0 && errno == EAGAIN) return std::optional<Received>();
  if (raw.got < 0) return socket_error("cannot receive from the peer");
  if (raw.got == 0) return Error{ErrorCode::closed, "the peer closed the connection"};
  if ((raw.flags & MSG_TRUNC) != 0) {
    return Error{ErrorCode::protocol, "a message that is too long"};
  }
  if ((raw.flags & MSG_CTRUNC) != 0) {
    if (raw.room < kMaxPassedFds) {
      return Error{
          ErrorCode::open,
          "cannot accept a descriptor: too many descriptors passed by peers are stuck in close(). "
          "End the program that serves their file system"};
    }
    // The buffer has room for all that the kernel passes, so this process ran out of descriptors.
    return Error{ErrorCode::open, "cannot accept a descriptor: " + error_text(EMFILE)};
  }
  Result<Message> message = decode(std::span(raw.bytes).first(static_cast<std::size_t>(raw.got)));
  if (!message) return message.error();
  return std::optional<Received>(Received{std::move(*message), std::move(raw.fds)});
}

void Channel::hang_up() noexcept {
  if (!socket_) return;
  // The peer cannot write any more, so the unread messages end. Credentials tell an empty message
  // from that end.
  const int on = 1;
  ::shutdown(socket_.get(), SHUT_RDWR);
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
  for (bool more = true; more;) {
    const Raw raw = read_message(socket_.get(), kCredentials);
    more = raw.got > 0 || (raw.got == 0 && raw.control_bytes != 0);
  }
  socket_.reset();
}

bool Channel::hung_up() const noexcept {
  pollfd poll_fd{socket_.get(), POLLIN | POLLRDHUP, 0};
  return ::poll(&poll_fd, 1, 0) == 1 && (poll_fd.revents & (POLLHUP | POLLRDHUP | POLLERR)) != 0;
}

}  // namespace gstmemif
