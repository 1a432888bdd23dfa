// SPDX-License-Identifier: LGPL-2.1-or-later
/** @file The one listening socket that several interfaces of a process share. Internal. */
#pragma once

#include <deque>
#include <map>
#include <memory>

#include "gst/memif/connection.hpp"
#include "gst/memif/socket.hpp"

namespace gstmemif {

class Interface;

/** All calls with the ControlLock held. Lives as long as one of its interfaces is started. */
class Listener final : public std::enable_shared_from_this<Listener>, public ConnectionOwner {
 public:
  /** The listener of @p address: the one there is, or a new one. */
  static Result<std::shared_ptr<Listener>> get(const SocketAddress& address,
                                               const ListenOptions& options,
                                               std::shared_ptr<Loop> loop);

  Listener(ListenSocket socket, ListenOptions options, std::shared_ptr<Loop> loop);

  /** Fails if another interface has this id. */
  Status add(Interface& interface);
  void remove(Interface& interface);

  Status on_agreed(Connection& connection, LinkPlan plan) override;
  void on_established(Connection& connection) override;
  void on_closed(Connection& connection, const Error& reason) override;

 private:
  Status make_pause_timer();
  void watch();
  void on_readable();
  void welcome(UniqueFd socket);
  Hello hello() const;
  Result<Admission> admit(Connection& connection, const Init& init);
  std::shared_ptr<Connection> take_pending(const Connection& connection);

  ListenSocket socket_;
  const ListenOptions options_;
  const std::shared_ptr<Loop> loop_;
  Watch watch_;
  Timer pause_;
  std::map<std::uint32_t, Interface*> interfaces_;
  std::deque<std::shared_ptr<Connection>> pending_;  // oldest first
};

}  // namespace gstmemif
