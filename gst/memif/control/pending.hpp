// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The connections of a listener whose handshake is in progress. Internal.
 */
#pragma once

#include <chrono>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "gst/memif/control/connection.hpp"

namespace gstmemif {

class Interface;

struct Pending {
  std::shared_ptr<Connection> connection;
  uid_t uid = 0;
  pid_t pid = 0;
  Interface* interface = nullptr;  ///< the one that accepted its INIT
};

/** All calls with the ControlLock held. */
class PendingConnections {
 public:
  /** Null if @p connection is not pending, or no longer. */
  Pending* find(const Connection& connection);
  void add(Pending pending) { list_.push_back(std::move(pending)); }
  std::optional<Pending> take(const Connection& connection);
  /** Removes and returns those whose INIT @p interface accepted. */
  std::vector<Pending> take_all(const Interface& interface);

  std::size_t size() const noexcept { return list_.size(); }

  /**
   * The one to drop when there is one too many: @p newcomer, or a pending one. Chosen from the user
   * with the most pending connections and, within that user, from the process with the most, so
   * that a flood of connections competes with itself. Among these it is the one that has been
   * silent longest, or the newcomer if all of them have just sent something.
   */
  const Pending& choose(const Pending& newcomer) const;
  /** The one that has been silent longest, if that is long enough to drop it; or null. */
  const Pending* silent() const;

  /** Time until the first deadline. Precondition: size() != 0. */
  std::chrono::milliseconds time_left() const;
  /** Drops those whose deadline has passed; their owner is told. */
  void time_out();

 private:
  std::list<Pending> list_;
};

}  // namespace gstmemif
