// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/memif/channel.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace gstmemif {
namespace {

// The most descriptors that the kernel passes with one message. Room for all of them means that
// whatever a peer attaches arrives here, and is closed, rather than lost in a truncated list.
constexpr std::size_t kMaxPassedFds = 253;

struct ControlBuffer {
  alignas(cmsghdr) char bytes[CMSG_SPACE(sizeof(int) * kMaxPassedFds) + CMSG_SPACE(sizeof(ucred)) +
                              CMSG_SPACE(64)];
};

std::vector<UniqueFd> take_fds(msghdr& header) {
  std::vector<UniqueFd> fds;
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd;
      std::memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
      fds.emplace_back(fd);
    }
  }
  return fds;
}

Error socket_error(const char* what) {
  // Noticed when writing or when reading, it is the same news.
  if (errno == EPIPE || errno == ECONNRESET) {
    return {ErrorCode::closed, "the peer closed the connection"};
  }
  return {ErrorCode::closed, std::string(what) + ": " + error_text(errno)};
}

}  // namespace

Status Channel::send(const Message& message, int fd) {
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
  // One byte more than a message, so that a longer one shows.
  std::array<std::byte, kMessageSize + 1> bytes;
  ControlBuffer control;
  iovec vector{bytes.data(), bytes.size()};
  msghdr header{};
  header.msg_iov = &vector;
  header.msg_iovlen = 1;
  header.msg_control = control.bytes;
  header.msg_controllen = sizeof control.bytes;
  ssize_t got;
  do {
    got = ::recvmsg(socket_.get(), &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (got < 0 && errno == EAGAIN) return std::optional<Received>();
  if (got < 0) return socket_error("cannot receive from the peer");
  std::vector<UniqueFd> fds = take_fds(header);
  if (got == 0) return Error{ErrorCode::closed, "the peer closed the connection"};
  if ((header.msg_flags & MSG_TRUNC) != 0) {
    return Error{ErrorCode::protocol, "a message that is too long"};
  }
  if ((header.msg_flags & MSG_CTRUNC) != 0) {
    // There was room in the buffer for all that the kernel passes, so it is we who have none.
    return Error{ErrorCode::open, "cannot take a descriptor: " + error_text(EMFILE)};
  }
  Result<Message> message = decode(std::span(bytes).first(static_cast<std::size_t>(got)));
  if (!message) return message.error();
  return std::optional<Received>(Received{std::move(*message), std::move(fds)});
}

bool Channel::hung_up() const noexcept {
  pollfd poll_fd{socket_.get(), POLLIN | POLLRDHUP, 0};
  return ::poll(&poll_fd, 1, 0) == 1 && (poll_fd.revents & (POLLHUP | POLLRDHUP | POLLERR)) != 0;
}

}  // namespace gstmemif
