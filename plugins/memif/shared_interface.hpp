// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * One memif interface, used by several elements of a process.
 *
 * Elements with the same socket path, id and role share one interface. A setting that one of them
 * sets explicitly applies to all; two different explicit values are an error.
 */
#pragma once

#include <glib.h>

#include <functional>
#include <memory>
#include <string>

#include "gst/memif/interface.hpp"

class SharedInterface;

using MainContext = std::shared_ptr<GMainContext>;

/** An element's membership of an interface, which ends with the object. Any thread. */
class Membership {
 public:
  /**
   * Joins the interface, which is created with its first member.
   * @param given what the element sets explicitly
   * @param main_context null: the library's own thread
   * @param name the element's, for errors
   */
  static gstmemif::Result<std::unique_ptr<Membership>> join(gstmemif::PartialSettings given,
                                                            MainContext main_context,
                                                            std::string name);
  ~Membership();
  Membership(const Membership&) = delete;

  /**
   * Starts the interface, if no other member did yet.
   * @param audience whom the member tells of it; only compared
   */
  gstmemif::Result<std::shared_ptr<gstmemif::Interface>> start(const void* audience);
  void stop();
  /**
   * Whether a member that is running is the one to tell its audience of the interface: the first
   * of those that have the same. To be asked from any thread, also when the member is gone.
   */
  std::function<bool()> speaker() const;

  const std::string& name() const noexcept { return name_; }
  /** The setting that forced a new link when a running interface was joined; empty: none. */
  const std::string& ended_link_for() const noexcept { return ended_link_for_; }
  /** What the element sets explicitly. */
  const gstmemif::PartialSettings& given() const noexcept { return given_; }
  /** The same over defaults: what others set is not in it. */
  const gstmemif::Settings& settings() const noexcept { return settings_; }
  const MainContext& main_context() const noexcept { return main_context_; }

 private:
  friend class SharedInterface;
  Membership(gstmemif::PartialSettings given, gstmemif::Settings settings, MainContext main_context,
             std::string name)
      : given_(std::move(given)),
        settings_(std::move(settings)),
        main_context_(std::move(main_context)),
        name_(std::move(name)) {}

  const gstmemif::PartialSettings given_;
  const gstmemif::Settings settings_;
  const MainContext main_context_;
  const std::string name_;
  std::string ended_link_for_;
  std::shared_ptr<const void*> seat_;  // while it is started: its audience
  std::shared_ptr<SharedInterface> shared_;
};
