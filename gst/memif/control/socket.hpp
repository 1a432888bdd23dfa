// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/** @file Socket addresses, listening and connecting. */
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

/** Access control of a listening socket. */
struct ListenOptions {
  mode_t mode = 0660;  ///< permissions of the socket file
  std::string owner;   ///< "user", "user:group" or ":group", names or numbers; empty: us
  std::vector<uid_t> allowed_uids;  ///< users whose programs may connect; empty: no restriction

  bool operator==(const ListenOptions&) const = default;
};

/** Checks before anything starts: the directory, and the file at the path. */
GSTMEMIF_API Status check_socket_path(const SocketAddress& address);

/** Checks that user and group of @p options exist. */
GSTMEMIF_API Status check_listen_options(const ListenOptions& options);

/** A new connection and its peer's credentials, 0 where this process cannot see them. */
struct Incoming {
  UniqueFd fd;
  uid_t uid = 0;
  pid_t pid = 0;
};

/** A listening socket; its file, if any, is removed with it. */
class GSTMEMIF_API ListenSocket {
 public:
  /**
   * Binds and listens. A stale socket file is replaced; a live one is left alone and is an error
   * (ErrorCode::busy).
   */
  static Result<ListenSocket> open(const SocketAddress& address, const ListenOptions& options);

  ListenSocket(ListenSocket&&) noexcept = default;
  ListenSocket& operator=(ListenSocket&&) = delete;
  ~ListenSocket();

  int fd() const noexcept { return fd_.get(); }

  /**
   * The next connection; empty if there is none; an error if this process is out of descriptors. A
   * connection of a user that is not allowed is closed and returned without its descriptor.
   */
  Result<std::optional<Incoming>> accept() const;

 private:
  ListenSocket(UniqueFd fd, SocketAddress address, ListenOptions options)
      : fd_(std::move(fd)), address_(std::move(address)), options_(std::move(options)) {}
  Status prepare_file();

  UniqueFd fd_;
  SocketAddress address_;
  ListenOptions options_;
  dev_t device_ = 0;  // of the file that we made: no other file is ever removed
  ino_t inode_ = 0;
};

/** Connects to a listening socket, without blocking. */
GSTMEMIF_API Result<UniqueFd> dial(const SocketAddress& address);

}  // namespace gstmemif
