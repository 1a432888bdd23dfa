// SPDX-License-Identifier: LGPL-2.1-or-later
/** @file A control connection: a channel, its handshake and its time limit. Internal. */
#pragma once

#include <memory>
#include <variant>

#include "gst/memif/channel.hpp"
#include "gst/memif/handshake.hpp"
#include "gst/memif/loop.hpp"

namespace gstmemif {

class Connection;

/** Who a connection reports to: a listener until its slave is admitted, then the interface. */
class ConnectionOwner {
 public:
  /** The handshake is complete; fails if no link can be made of it. The peer is told afterwards. */
  virtual Status on_agreed(Connection& connection, LinkPlan plan) = 0;
  /** The peer was told: packets may flow. */
  virtual void on_established(Connection& connection) = 0;
  /** The connection is over, by the peer or by us. The last call; the owner drops it. */
  virtual void on_closed(Connection& connection, const Error& reason) = 0;

 protected:
  ~ConnectionOwner() = default;
};

/** All calls with the ControlLock held. */
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Handshake = std::variant<SlaveHandshake, MasterHandshake>;

  Connection(std::shared_ptr<Loop> loop, UniqueFd socket, ConnectionOwner& owner);

  /** Starts to listen to the peer; as master, greets it first. */
  Status start(Handshake handshake, const Hello* greeting);

  /** Stops listening to the peer, and tells it why. Does not call the owner. */
  void close(const std::string& reason);

  void set_owner(ConnectionOwner& owner) noexcept { owner_ = &owner; }
  bool hung_up() const noexcept { return channel_.hung_up(); }
  /** True if a slave's INIT was acknowledged: an end of file right after means "no such id". */
  bool admitted() const noexcept;

 private:
  void on_readable();
  void on_timeout();
  Status handle(Received received);
  void fail(const Error& error);
  void stop();

  std::shared_ptr<Loop> loop_;
  Channel channel_;
  Watch watch_;  // after channel_: gone before the socket is closed
  Timer timer_;
  ConnectionOwner* owner_;
  std::optional<Handshake> handshake_;
  bool established_ = false;
  bool closed_ = false;
};

}  // namespace gstmemif
