// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The host that the elements on one memif interface share. Internal; elements see HostUser.
 */
#pragma once

#include <gst/gst.h>

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "plugins/memif/host_user.hpp"

/**
 * Starting and stopping take turns; users and their settings have a mutex of their own, which is
 * never held while an element is called.
 */
class SharedHost : public std::enable_shared_from_this<SharedHost> {
 public:
  /** Fails if its settings contradict those of another user. */
  gstmemif::Result<void> add(HostUser& user);
  void remove(HostUser& user) {
    const std::lock_guard lock(mutex_);
    std::erase(users_, &user);
  }

  /** False, with an error posted by the user, if it cannot be. */
  bool start(HostUser& user);
  void stop(HostUser& user);
  /** One at a time: what is the lowest free number is looked up before it is taken. */
  GstPad* request_pad(const char* templ) {
    const std::lock_guard lock(requests_);
    return gst_element_request_pad_simple(host_, templ);
  }
  void set_pad(HostUser& user, std::string name) {
    const std::lock_guard lock(mutex_);
    user.pad_ = std::move(name);
  }

  /** Has the user tell of the link, if it is up, and of each change. */
  void follow_link(HostUser& user);

 private:
  gstmemif::Result<void> make();
  gstmemif::Result<GstElement*> add_element(const char* factory, const std::string& name);
  void set_host(const PropertyValues& settings);
  void spare_senders();
  void discard();
  gstmemif::Result<void> check_late(const HostUser& user) const;
  HostRequest merged() const;
  bool run(HostUser& user);
  gstmemif::Result<void> admit(HostUser& user);
  void lend(HostUser& user) const;

  void forward(GstMessage* message);
  void forward_error(GstMessage* message);
  void forward_report(GstMessage* message, const char* pad);
  void forward_structure(GstMessage* message);
  void forward_link(const GstStructure* link);
  void forward_timeout(const GstStructure* timeout);
  std::vector<GstElement*> receivers(const char* pad) const;

  std::mutex requests_;
  std::mutex turn_;  // guards what follows
  GstElement* pipeline_ = nullptr;
  GstElement* source_ = nullptr;
  GstElement* host_ = nullptr;
  GstElement* sink_ = nullptr;
  GstClock* clock_ = nullptr;
  unsigned running_ = 0;
  std::string starter_;  // the user that has started it
  HostRequest used_;

  mutable std::mutex mutex_;  // guards what follows
  std::vector<HostUser*> users_;
  std::string broken_;                  // an error has ended the host
  std::shared_ptr<GstStructure> link_;  // the last news of it; null while it is down
};
