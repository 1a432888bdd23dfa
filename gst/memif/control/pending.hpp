// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/** @file The connections of a listener whose handshake is under way. Internal. */
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
  Interface* interface = nullptr;  ///< that took its INIT
};

/** All calls with the ControlLock held. */
class PendingConnections {
 public:
  /** Null if it is not, or not any more, one of these. */
  Pending* find(const Connection& connection);
  void add(Pending pending) { list_.push_back(std::move(pending)); }
  std::optional<Pending> take(const Connection& connection);
  /** Those whose INIT @p interface took. */
  std::vector<Pending> take_all(const Interface& interface);

  std::size_t size() const noexcept { return list_.size(); }

  /**
   * Who has to go where there is room for all but one: @p newcomer, or one of these. It is one of
   * the user that has the most of them, and of the program of that user that has the most: whoever
   * opens many connections competes with itself, not with the others. Of these it is the one that
   * has been silent for longest, unless all have just said something.
   */
  const Pending& choose(const Pending& newcomer) const;
  /** The one that has been silent for longest, if that is long enough to give it up; or null. */
  const Pending* silent() const;

  /** Until the first of them is due to be given up. Only if there is any. */
  std::chrono::milliseconds time_left() const;
  /** Gives up those that are due; their owner is told. */
  void time_out();

 private:
  std::list<Pending> list_;
};

}  // namespace gstmemif
