// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/** @file Addresses of sockets, listening on them and dialling them. */
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gst/memif/fd.hpp"

namespace gstmemif {

/** A path in the file system, or an abstract name. */
class GSTMEMIF_API SocketAddress {
 public:
  /** `/path/to/socket`, or `@name` (also VPP's `abstract:name`) for an abstract one. */
  static Result<SocketAddress> parse(std::string_view text);

  bool abstract() const noexcept { return abstract_; }
  /** Path or abstract name, without the mark. */
  const std::string& name() const noexcept { return name_; }
  /** As parse() takes it. */
  std::string text() const { return abstract_ ? "@" + name_ : name_; }

  bool operator==(const SocketAddress&) const = default;

 private:
  bool abstract_ = false;
  std::string name_;
};

/** Who may use a listening socket. */
struct ListenOptions {
  mode_t mode = 0660;  ///< permissions of the socket file
  std::string owner;   ///< "user", "user:group" or ":group", names or numbers; empty: us
  std::vector<uid_t> allowed_uids;  ///< users whose programs may connect; empty: all that can

  bool operator==(const ListenOptions&) const = default;
};

/** Checks what can be checked before anything starts: the directory, and what is at the path. */
GSTMEMIF_API Status check_socket_path(const SocketAddress& address);

/** Checks that user and group of @p options exist. */
GSTMEMIF_API Status check_listen_options(const ListenOptions& options);

/** A new connection, and whose it is: as far as this process can see, otherwise 0. */
struct Incoming {
  UniqueFd fd;
  uid_t uid = 0;
  pid_t pid = 0;
};

/** A listening socket; its file, if it has one, is removed with it. */
class GSTMEMIF_API ListenSocket {
 public:
  /**
   * Binds and listens. A socket file that nobody listens on any more is replaced; one that somebody
   * does listen on is an error (ErrorCode::busy), and left alone.
   */
  static Result<ListenSocket> open(const SocketAddress& address, const ListenOptions& options);

  ListenSocket(ListenSocket&&) noexcept = default;
  ListenSocket& operator=(ListenSocket&&) = delete;
  ~ListenSocket();

  int fd() const noexcept { return fd_.get(); }

  /**
   * The next connection; nothing if there is none; an error if this process has no room for it. One
   * of a user that is not allowed is closed, and comes back without its descriptor.
   */
  Result<std::optional<Incoming>> accept() const;

 private:
  ListenSocket(UniqueFd fd, SocketAddress address, ListenOptions options)
      : fd_(std::move(fd)), address_(std::move(address)), options_(std::move(options)) {}
  Status prepare_file();

  UniqueFd fd_;
  SocketAddress address_;
  ListenOptions options_;
  dev_t device_ = 0;  // of the file that we made: nobody else's is ever removed
  ino_t inode_ = 0;
};

/** Connects to a listening socket, without blocking. */
GSTMEMIF_API Result<UniqueFd> dial(const SocketAddress& address);

}  // namespace gstmemif
