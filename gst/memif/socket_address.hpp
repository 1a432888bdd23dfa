// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The socket of an interface: address and access control.
 */
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "gst/memif/export.hpp"
#include "gst/memif/result.hpp"
#include "gst/memif/types.hpp"

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

/**
 * Checks before anything starts: the directory, and the file at the path. A slave may wait for
 * both: what does not exist is no error then.
 */
GSTMEMIF_API Result<void> check_socket_path(const SocketAddress& address, Role role);

/** Checks that user and group of @p options exist. */
GSTMEMIF_API Result<void> check_listen_options(const ListenOptions& options);

}  // namespace gstmemif
