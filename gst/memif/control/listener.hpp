// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * A listening socket, shared by the interfaces of a process that name it. Internal.
 */
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "gst/memif/control/file_watch.hpp"
#include "gst/memif/control/log_limit.hpp"
#include "gst/memif/control/pending.hpp"
#include "gst/memif/control/socket.hpp"
#include "gst/memif/control/timer.hpp"

namespace gstmemif {

class Interface;

/**
 * All calls but get() with the ControlLock held, and so must the last reference be dropped. Lives
 * as long as one of its interfaces is started.
 */
class Listener final : public std::enable_shared_from_this<Listener>, public ConnectionOwner {
 public:
  /**
   * The listener of @p address, existing or new. May wait for other users of the same directory,
   * so not with the ControlLock held.
   */
  static Result<std::shared_ptr<Listener>> get(const SocketAddress& address,
                                               const ListenOptions& options,
                                               std::shared_ptr<Loop> loop);

  Listener(ListenSocket socket, ListenOptions options, std::shared_ptr<Loop> loop);

  /** Fails if another interface has this id. */
  Result<void> add(Interface& interface);
  void remove(Interface& interface, const std::string& reason);

  Result<void> on_agreed(Connection& connection, LinkPlan plan) override;
  void on_established(Connection& connection) override;
  void on_closed(Connection& connection, const Error& reason) override;

 private:
  Result<void> make_timers();
  void watch();
  void on_readable();
  void pause(const Error& error);
  void on_pause_timer();
  void welcome(Incoming incoming);
  bool make_room(const Pending& newcomer);
  void give_up(const Connection& connection, const std::string& reason);
  void watch_deadlines();
  void watch_file();
  void on_file_event();
  void listen_anew();
  void replace(ListenSocket socket);
  Hello hello() const;
  Result<Settings> admit(Connection& connection, const Init& init);

  std::optional<ListenSocket> socket_;  // always one
  const ListenOptions options_;
  const std::shared_ptr<Loop> loop_;
  Watch watch_;
  std::map<std::uint32_t, Interface*> interfaces_;
  PendingConnections pending_;
  Timer deadline_timer_;
  bool deadline_armed_ = false;
  LogLimit failures_log_;

  // While connections cannot be accepted: pausing, then trying again.
  Timer pause_timer_;
  bool paused_ = false;
  unsigned shortages_ = 0;

  // Of the socket file, which others may remove.
  FileWatch file_watch_;
  Timer anew_timer_;
};

}  // namespace gstmemif
