// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * A control connection: a channel, its handshake and its time limits. Internal.
 */
#pragma once

#include <chrono>
#include <memory>
#include <variant>

#include "gst/memif/control/channel.hpp"
#include "gst/memif/control/handshake.hpp"
#include "gst/memif/loop.hpp"

namespace gstmemif {

class Connection;

/** Receives a connection's events: a listener until the slave is admitted, then the interface. */
class ConnectionOwner {
 public:
  /**
   * Nothing is left to agree on; fails if no link can be made. The peer is told afterwards: it may
   * send as soon as it knows.
   */
  virtual Result<void> on_agreed(Connection& connection, LinkPlan plan) = 0;
  /** Both ends know: packets may flow. */
  virtual void on_established(Connection& connection) = 0;
  /** The connection was closed by either side. The last call; the owner drops the connection. */
  virtual void on_closed(Connection& connection, const Error& reason) = 0;

 protected:
  ~ConnectionOwner() = default;
};

/**
 * All calls with the ControlLock held. A connection uses one descriptor and no timer: its owner
 * watches the deadline.
 */
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Handshake = std::variant<SlaveHandshake, MasterHandshake>;
  using Clock = std::chrono::steady_clock;

  Connection(std::shared_ptr<Loop> loop, UniqueFd socket, ConnectionOwner& owner);

  /** Starts to receive; as master, sends HELLO first. */
  Result<void> start(Handshake handshake, const Hello* greeting);

  /** Stops receiving and tells the peer why. Does not call the owner. */
  void close(const std::string& reason);

  void set_owner(ConnectionOwner& owner) noexcept { owner_ = &owner; }
  bool hung_up() const noexcept { return channel_.hung_up(); }

  bool established() const noexcept { return established_; }
  /** Name of the master's interface; empty if unnamed, before CONNECTED, and as master. */
  std::string peer_interface() const;

  /** Time since the last message that advanced the handshake. */
  Clock::duration silence() const noexcept { return Clock::now() - heard_; }
  /** Time left for the handshake; 0 or less: time_out() is due. */
  std::chrono::milliseconds time_left() const noexcept;
  /** Closes the connection and tells the owner, unless a message has arrived meanwhile. */
  void time_out();
  /** Handles pending messages, if any; the connection may be closed afterwards. */
  void on_readable();
  /** As slave: the handshake so far; null as master, and before start(). */
  const SlaveHandshake* as_slave() const noexcept;

 private:
  Result<void> handle(Received received);
  void fail(const Error& error);
  void stop();

  std::shared_ptr<Loop> loop_;
  Channel channel_;
  Watch watch_;  // after channel_: gone before the socket is closed
  const Clock::time_point started_ = Clock::now();
  Clock::time_point heard_ = started_;
  ConnectionOwner* owner_;
  std::optional<Handshake> handshake_;
  bool established_ = false;
  bool closed_ = false;
};

}  // namespace gstmemif
