// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * What an interface hears of its connection. Internal.
 */
#pragma once

#include <utility>

#include "gst/memif/control/connection.hpp"
#include "gst/memif/interface.hpp"

namespace gstmemif {

/** Receives the events of the interface's connection; a member, so that the base stays private. */
class Interface::Owner final : public ConnectionOwner {
 public:
  explicit Owner(Interface& interface) : interface_(interface) {}
  Result<void> on_agreed(Connection&, LinkPlan plan) override {
    return interface_.agreed(std::move(plan));
  }
  void on_established(Connection& connection) override {
    interface_.established(connection.peer_interface());
  }
  void on_closed(Connection&, const Error& reason) override {
    interface_.connection_closed(reason);
  }

 private:
  Interface& interface_;
};

}  // namespace gstmemif
