// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Listening on sockets and dialling them.
 */
#pragma once

#include <sys/types.h>

#include <optional>

#include "gst/memif/control/fd.hpp"
#include "gst/memif/socket_address.hpp"

namespace gstmemif {

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
   * Binds and listens, or takes a copy of the socket that was passed to this process for the
   * address (see passed_socket.hpp): its owner made it, so it is neither shut down nor removed at
   * the end, and has the permissions that its owner gave it. A stale socket file is replaced; a
   * live one is left alone and is an error (ErrorCode::busy).
   */
  static Result<ListenSocket> open(const SocketAddress& address, const ListenOptions& options);

  ListenSocket(ListenSocket&&) noexcept = default;
  ListenSocket& operator=(ListenSocket&&) = delete;
  ~ListenSocket();

  int fd() const noexcept { return fd_.get(); }
  const SocketAddress& address() const noexcept { return address_; }
  /** False if the file was removed or replaced, so that nobody can connect any more. */
  bool in_place() const noexcept;

  /**
   * The next connection; empty if there is none; an error if this process is out of descriptors. A
   * connection of a user that is not allowed is closed and returned without its descriptor.
   */
  Result<std::optional<Incoming>> accept() const;

 private:
  ListenSocket(UniqueFd fd, SocketAddress address, ListenOptions options, bool passed)
      : fd_(std::move(fd)),
        address_(std::move(address)),
        options_(std::move(options)),
        passed_(passed) {}
  Result<void> prepare_file();

  UniqueFd fd_;
  SocketAddress address_;
  ListenOptions options_;
  bool passed_ = false;
  dev_t device_ = 0;  // of the file that we made: no other file is ever removed
  ino_t inode_ = 0;
};

/** Connects to a listening socket, without blocking. */
GSTMEMIF_API Result<UniqueFd> dial(const SocketAddress& address);

}  // namespace gstmemif
