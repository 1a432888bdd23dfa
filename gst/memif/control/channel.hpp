// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * One control channel: whole messages, and the descriptors that travel with them.
 */
#pragma once

#include <optional>
#include <vector>

#include "gst/memif/control/fd.hpp"
#include "gst/memif/control/protocol.hpp"

namespace gstmemif {

/**
 * A received message. Unclaimed descriptors are closed with it. A descriptor that is neither a
 * memory file nor an eventfd is useless, and closing it may block: it has been discarded and is
 * invalid here.
 */
struct Received {
  Message message;
  std::vector<UniqueFd> fds;
};

/** A connected AF_UNIX SEQPACKET socket. Never blocks, never raises SIGPIPE. */
class GSTMEMIF_API Channel {
 public:
  explicit Channel(UniqueFd socket) noexcept : socket_(std::move(socket)) {}
  Channel(Channel&&) noexcept = default;
  Channel& operator=(Channel&& other) noexcept {
    hang_up();
    socket_ = std::move(other.socket_);
    return *this;
  }
  /** Ends the connection and discards the descriptors in unread messages. */
  ~Channel() { hang_up(); }

  int fd() const noexcept { return socket_.get(); }

  /**
   * Sends one message, with one descriptor if @p fd is not negative. The protocol is lock-step, so
   * a full socket means that the peer does not read: an error like any other.
   */
  Result<void> send(const Message& message, int fd = -1);

  /** The next message; empty if none is waiting; an error at end of file or on bad input. */
  Result<std::optional<Received>> receive();

  /** True if the peer has closed its end. */
  bool hung_up() const noexcept;

 private:
  void hang_up() noexcept;

  UniqueFd socket_;
};

}  // namespace gstmemif
