// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * What memifsrc and memifsink tell of their link.
 */
#pragma once

#include <gst/gst.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "gst/memif/interface.hpp"
#include "plugins/memif/memif_element.hpp"
#include "plugins/memif/news_limit.hpp"

/**
 * Posts link changes to the application. Holds the element weakly: a change may be in flight while
 * the element goes away.
 */
class LinkObserver final : public gstmemif::InterfaceObserver {
 public:
  using LeaveLink = MemifElement::LeaveLink;

  /** @param speaks whether this element is the one that says it in words, too */
  LinkObserver(GstElement* element, LeaveLink leave_link, std::string socket_path, guint id,
               gstmemif::Role role, std::function<bool()> speaks);
  ~LinkObserver() override;

  void on_link_up(const gstmemif::LinkInfo& link) override;
  void on_link_down(const std::string& reason) override;
  void on_refused(const gstmemif::Refusal& refusal) override;
  void on_waiting(const std::string& what) override;

  /**
   * Nothing is told any more. What other threads tell just now is waited for: they hold the element
   * meanwhile. But not for ever, for the application they tell it to may wait for this thread.
   */
  void close();

 private:
  class LeavingLater;

  template <class Tell>
  void with_element(Tell tell_it);
  /** For people. */
  void say(GstElement* element, const std::string& sentence);
  /** @param link null if it went down */
  void tell(GstElement* element, const gstmemif::LinkInfo* link, const std::string& reason) const;

  std::mutex mutex_;
  std::condition_variable told_;
  bool closed_ = false;
  std::vector<std::thread::id> tellers_;  // an entry for each call
  NewsLimit news_limit_;                  // with the mutex
  GWeakRef element_;
  const LeaveLink leave_link_;
  const std::shared_ptr<LeavingLater> leaving_later_;
  const std::string socket_path_;
  const guint id_;
  const gstmemif::Role role_;
  const std::function<bool()> speaks_;
};
