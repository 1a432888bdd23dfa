// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file One memif interface, used by several elements of a process.
 *
 * Elements with the same socket path, id and role share one interface. What one sets explicitly
 * and the others leave alone applies to all; two different explicit values are an error.
 */
#pragma once

#include <glib.h>

#include <memory>
#include <string>

#include "gst/memif/interface.hpp"

class SharedInterface;

/** What one element brings: which interface, and what it sets explicitly. */
struct MemberSettings {
  std::string socket_path;
  std::uint32_t id = 0;
  gstmemif::Role role = gstmemif::Role::slave;
  gstmemif::PartialSettings partial;
  std::shared_ptr<GMainContext> main_context;  ///< null: the library's own thread
};

/** An element's share of an interface; leaving is destruction. Any thread. */
class Membership {
 public:
  /** Joins the interface, made when its first member comes. @param name the element's, for errors
   */
  static gstmemif::Result<std::unique_ptr<Membership>> join(MemberSettings settings,
                                                            std::string name);
  ~Membership();
  Membership(const Membership&) = delete;

  /** Starts the interface, if no other member did yet. */
  gstmemif::Result<std::shared_ptr<gstmemif::Interface>> start();
  void stop();

  const std::string& name() const noexcept { return name_; }
  /** Which of its settings took joining to a running interface a new link; empty: none. */
  const std::string& ended_link_for() const noexcept { return ended_link_for_; }
  const MemberSettings& settings() const noexcept { return settings_; }

 private:
  friend class SharedInterface;
  Membership(MemberSettings settings, std::string name)
      : settings_(std::move(settings)), name_(std::move(name)) {}

  MemberSettings settings_;
  std::string name_;
  std::string ended_link_for_;
  bool started_ = false;
  std::shared_ptr<SharedInterface> shared_;
};
