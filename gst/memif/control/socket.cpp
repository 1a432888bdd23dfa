// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/memif/control/socket.hpp"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <optional>
#include <vector>

#include "gst/common/parse_number.hpp"
#include "gst/memif/control/channel.hpp"
#include "gst/memif/control/passed_socket.hpp"

namespace gstmemif {
namespace {

constexpr std::size_t kMaxName = sizeof(sockaddr_un::sun_path) - 1;
// As many as the kernel allows: with a long backlog a good peer gets in despite a flood.
constexpr int kBacklog = SOMAXCONN;

struct KernelAddress {
  sockaddr_un address{};
  socklen_t length;

  explicit KernelAddress(const SocketAddress& from) {
    address.sun_family = AF_UNIX;
    // An abstract name starts with a NUL and is not terminated: its length delimits it.
    const std::size_t start = from.abstract() ? 1 : 0;
    std::memcpy(address.sun_path + start, from.name().data(), from.name().size());
    const std::size_t used = from.name().size() + 1;
    length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + used);
  }
  const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(&address); }
};

ErrorCode code_of(int error) noexcept {
  switch (error) {
    case EACCES:
    case EPERM:
      return ErrorCode::not_authorized;
    case ENOENT:
    case ECONNREFUSED:
      return ErrorCode::not_found;
    case EAGAIN:
    case EADDRINUSE:
      return ErrorCode::busy;
    default:
      return ErrorCode::open;
  }
}

Error path_error(const SocketAddress& address, ErrorCode code, const std::string& why) {
  return {code, "socket-path=" + address.text() + ": " + why};
}

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

UniqueFd new_socket() {
  return UniqueFd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

/** Accepts a connection, if there is one; leaves the cause in errno. */
UniqueFd next_at(int socket) {
  int fd;
  do {
    fd = ::accept4(socket, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  } while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
  return UniqueFd(fd);
}

/**
 * Excludes other processes of ours that probe the same stale file: between the probe and the
 * replacement, another process may create a live one. The lock is on the directory, so it leaves
 * no file behind; a foreign holder delays us only briefly.
 */
class DirectoryLock {
 public:
  explicit DirectoryLock(const std::string& path)
      : fd_(::open(directory_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    constexpr int kTries = 100;
    for (int i = 0; fd_ && i < kTries && ::flock(fd_.get(), LOCK_EX | LOCK_NB) != 0; ++i) {
      ::usleep(5000);
    }
  }

 private:
  UniqueFd fd_;
};

constexpr unsigned kUnchanged = static_cast<unsigned>(-1);

struct Owner {
  uid_t user = kUnchanged;
  gid_t group = kUnchanged;
};

Error unknown_owner(const std::string& owner, const std::string& what) {
  return {ErrorCode::settings, "socket-owner=" + owner + ": there is no " + what +
                                   ". Give user:group with names or numbers that exist."};
}

/** Looks up @p name in a system database with @p look, which needs a buffer. */
template <class Entry, class Look>
std::optional<Entry> looked_up(Look look, const std::string& name, std::vector<char>& buffer) {
  Entry entry{};
  Entry* found = nullptr;
  buffer.resize(1024);
  constexpr std::size_t kLargest = 1 << 20;
  while (look(name.c_str(), &entry, buffer.data(), buffer.size(), &found) == ERANGE &&
         buffer.size() < kLargest) {
    buffer.resize(2 * buffer.size());
  }
  return found != nullptr ? std::optional(entry) : std::nullopt;
}

/** May query a directory service, and block. */
Result<Owner> parse_owner(const std::string& text) {
  Owner owner;
  std::vector<char> buffer;
  const std::size_t colon = text.find(':');
  const std::string user = text.substr(0, colon);
  const std::string group = colon == std::string::npos ? "" : text.substr(colon + 1);
  if (const auto number = gstcommon::parse_number<unsigned>(user)) {
    owner.user = *number;
  } else if (!user.empty()) {
    const auto entry = looked_up<passwd>(::getpwnam_r, user, buffer);
    if (!entry) return unknown_owner(text, "user '" + user + "'");
    owner.user = entry->pw_uid;
  }
  if (const auto number = gstcommon::parse_number<unsigned>(group)) {
    owner.group = *number;
  } else if (!group.empty()) {
    const auto entry = looked_up<struct group>(::getgrnam_r, group, buffer);
    if (!entry) return unknown_owner(text, "group '" + group + "'");
    owner.group = entry->gr_gid;
  }
  return owner;
}

bool same_file(const struct stat& a, const struct stat& b) noexcept {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/**
 * Removes a stale socket file. Between the last check and unlink(), which takes names only, the
 * name may be given to another file. Programs of ours exclude each other by the DirectoryLock, and
 * anyone else with write access to the directory can remove any socket anyway.
 */
Result<void> remove_stale(const SocketAddress& address) {
  if (Result<void> status = check_socket_path(address, Role::master); !status) return status;
  const char* path = address.name().c_str();
  struct stat probed {};
  const bool there = ::lstat(path, &probed) == 0;
  Result<UniqueFd> probe = dial(address);
  if (probe) Channel(std::move(*probe));
  if (probe || probe.error().code == ErrorCode::busy) {
    return path_error(address, ErrorCode::busy,
                      "another program listens there. Use role=slave to connect to it, or another "
                      "socket-path.");
  }
  if (probe.error().code != ErrorCode::not_found) {
    return path_error(address, probe.error().code,
                      "a program that does not speak memif uses the path (" + probe.error().why +
                          "). Choose another socket-path.");
  }
  struct stat now {};
  if (!there || ::lstat(path, &now) != 0 || !same_file(probed, now)) return {};
  if (::unlink(path) != 0 && errno != ENOENT) {
    return path_error(address, code_of(errno),
                      "cannot remove the stale socket file: " + error_text(errno));
  }
  return {};
}

/** True if the name is taken by a socket that no longer accepts connections. */
bool is_closing(const SocketAddress& address) {
  Result<UniqueFd> probe = dial(address);
  if (probe) Channel(std::move(*probe));
  return !probe && probe.error().code == ErrorCode::not_found;
}

/**
 * An abstract name is free once its socket is gone, which may be shortly after it was closed, since
 * another thread's poll() may still hold it.
 */
void wait_for_name(const SocketAddress& address) {
  constexpr int kTries = 100;
  for (int i = 0; i < kTries && is_closing(address); ++i) ::usleep(1000);
}

}  // namespace

Result<SocketAddress> SocketAddress::parse(std::string_view text) {
  constexpr std::string_view kVppPrefix = "abstract:";
  SocketAddress address;
  std::string_view name = text;
  if (text.starts_with('@')) {
    address.abstract_ = true;
    name.remove_prefix(1);
  } else if (text.starts_with(kVppPrefix)) {
    address.abstract_ = true;
    name.remove_prefix(kVppPrefix.size());
  }
  const std::string shown(text);
  if (name.empty()) {
    return Error{ErrorCode::settings, "socket-path=" + shown +
                                          " is empty. Give a path such as /run/vpp/memif.sock, or "
                                          "@name for an abstract socket."};
  }
  if (name.size() > kMaxName) {
    return Error{ErrorCode::settings,
                 "socket-path=" + shown + " is too long: " + std::to_string(name.size()) +
                     " bytes, where a UNIX socket takes " + std::to_string(kMaxName) +
                     ". Use a shorter path, a relative one or an abstract name (@name)."};
  }
  address.name_ = name;
  return address;
}

Result<void> check_socket_path(const SocketAddress& address, Role role) {
  if (address.abstract()) return {};
  const std::string directory = directory_of(address.name());
  struct stat status {};
  if (::stat(directory.c_str(), &status) != 0) {
    if (role == Role::slave && errno == ENOENT) return {};
    return path_error(address, code_of(errno),
                      "the directory " + directory + " cannot be used: " + error_text(errno) +
                          ". Create it, or start the program that does (VPP makes /run/vpp).");
  }
  if (!S_ISDIR(status.st_mode)) {
    return path_error(address, ErrorCode::settings,
                      directory + " is not a directory. Correct the path.");
  }
  if (::lstat(address.name().c_str(), &status) == 0 && S_ISLNK(status.st_mode) &&
      ::stat(address.name().c_str(), &status) != 0) {
    return {};  // a dangling link: its target may appear later
  }
  if (::stat(address.name().c_str(), &status) == 0 && !S_ISSOCK(status.st_mode)) {
    return path_error(address, ErrorCode::settings,
                      "the file there is not a socket. Remove it, or choose another path.");
  }
  return {};
}

Result<void> check_listen_options(const ListenOptions& options) {
  if (Result<Owner> owner = parse_owner(options.owner); !owner) return owner.error();
  return {};
}

/**
 * Owner and mode are applied to the file that was opened, not to the path. There is no way to ask
 * whether it is the one that bind() made; but it is a socket, it is ours and it has no other name,
 * so no foreign file is ever changed.
 */
Result<void> ListenSocket::prepare_file() {
  const auto failed = [&](int error) {
    return path_error(address_, code_of(error),
                      "cannot set owner and mode of the socket file: " + error_text(error));
  };
  Result<Owner> owner = parse_owner(options_.owner);
  const UniqueFd file(::open(address_.name().c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!file) return failed(errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return failed(errno);
  if (!S_ISSOCK(status.st_mode) || status.st_uid != ::geteuid() || status.st_nlink != 1) {
    return path_error(address_, ErrorCode::busy, "another program has replaced the socket file.");
  }
  // Recorded first: if what follows fails, the file is removed too.
  device_ = status.st_dev;
  inode_ = status.st_ino;
  if (!owner) return owner.error();
  // No peer can connect before listen(), so there is no race after bind().
  if (::fchownat(file.get(), "", owner->user, owner->group, AT_EMPTY_PATH) != 0) {
    return failed(errno);
  }
  // fchmod() refuses an O_PATH descriptor, but its name in /proc refers to the same file.
  const std::string name = "/proc/self/fd/" + std::to_string(file.get());
  if (::chmod(name.c_str(), options_.mode) != 0) return failed(errno);
  return {};
}

Result<ListenSocket> ListenSocket::open(const SocketAddress& address,
                                        const ListenOptions& options) {
  Result<UniqueFd> passed = passed_socket(address);
  if (!passed) return passed.error();
  if (*passed) return ListenSocket(std::move(*passed), address, options, true);
  UniqueFd fd = new_socket();
  if (!fd) return path_error(address, ErrorCode::open, "no socket: " + error_text(errno));
  const KernelAddress kernel(address);
  std::optional<DirectoryLock> lock;
  if (!address.abstract()) lock.emplace(address.name());
  int bound = ::bind(fd.get(), kernel.get(), kernel.length);
  if (bound != 0 && errno == EADDRINUSE) {
    if (address.abstract()) {
      wait_for_name(address);
    } else if (Result<void> status = remove_stale(address); !status) {
      return status.error();
    }
    bound = ::bind(fd.get(), kernel.get(), kernel.length);
  }
  if (bound != 0) {
    const int error = errno;
    return path_error(address, code_of(error),
                      error == EADDRINUSE
                          ? "another program listens there. Use role=slave to connect to it, or "
                            "another socket-path."
                          : "cannot listen: " + error_text(error) +
                                ". Choose a directory that this user may write to.");
  }
  ListenSocket socket(std::move(fd), address, options, false);
  if (!address.abstract()) {
    if (Result<void> status = socket.prepare_file(); !status) return status.error();
  }
  if (::listen(socket.fd(), kBacklog) != 0) {
    return path_error(address, code_of(errno), "cannot listen: " + error_text(errno));
  }
  return socket;
}

ListenSocket::~ListenSocket() {
  if (passed_) return;
  const char* path = address_.name().c_str();
  // No peer may connect to a socket that is never read again; see wait_for_name().
  if (fd_) ::shutdown(fd_.get(), SHUT_RDWR);
  // Nor may closing wait for descriptors in messages of peers that were not accepted yet.
  for (UniqueFd left = fd_ ? next_at(fd_.get()) : UniqueFd(); left; left = next_at(fd_.get())) {
    Channel(std::move(left));
  }
  if (fd_ && inode_ != 0 && in_place()) ::unlink(path);
  // Wakes a poll() that would otherwise keep the socket, and an abstract name.
  if (fd_) ::shutdown(fd_.get(), SHUT_RDWR);
}

Result<std::optional<Incoming>> ListenSocket::accept() const {
  Incoming incoming;
  incoming.fd = next_at(fd_.get());
  if (!incoming.fd && errno == EAGAIN) return std::optional<Incoming>();
  if (!incoming.fd) {
    return path_error(address_, ErrorCode::open, "cannot accept: " + error_text(errno));
  }
  ucred peer{};
  socklen_t length = sizeof peer;
  const bool known = ::getsockopt(incoming.fd.get(), SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0;
  incoming.uid = peer.uid;
  incoming.pid = peer.pid;
  const auto& allowed = options_.allowed_uids;
  if (!allowed.empty() &&
      (!known || std::find(allowed.begin(), allowed.end(), peer.uid) == allowed.end())) {
    Channel(std::move(incoming.fd));
  }
  return std::optional(std::move(incoming));
}

Result<UniqueFd> dial(const SocketAddress& address) {
  UniqueFd fd = new_socket();
  if (!fd) return path_error(address, ErrorCode::open, "no socket: " + error_text(errno));
  const KernelAddress kernel(address);
  int connected;
  do {
    connected = ::connect(fd.get(), kernel.get(), kernel.length);
  } while (connected != 0 && errno == EINTR);
  if (connected == 0) return fd;
  const int error = errno;
  return Error{code_of(error), "socket-path=" + address.text() + ": cannot connect",
               error_text(error)};
}

bool ListenSocket::in_place() const noexcept {
  struct stat status {};
  return passed_ || address_.abstract() ||
         (::lstat(address_.name().c_str(), &status) == 0 && status.st_dev == device_ &&
          status.st_ino == inode_);
}

}  // namespace gstmemif
