// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * An IP host on a memif interface, used by several elements of a process.
 *
 * Elements with the same socket path, id and role share one host: a pipeline `memifsrc ! iphost !
 * memifsink` of its own, which runs from the time the first of them goes to PAUSED until the last
 * one goes to READY. So no pipeline of the application, nor its clock, its states or its end, has
 * anything to do with the link. A setting that one element sets explicitly applies to all; two
 * different explicit values are an error.
 */
#pragma once

#include <gst/gst.h>

#include <memory>
#include <string>

#include "gst/common/call_queue.hpp"
#include "gst/memif/settings.hpp"
#include "plugins/memif/property_value.hpp"

class SharedHost;

/** What an element sets explicitly. */
struct HostRequest {
  gstmemif::PartialSettings link;  // of memifsrc and memifsink
  PropertyValues host;             // of iphost
};

/** An element's use of a shared host, which ends with the object. Any thread, one at a time. */
class HostUser {
 public:
  /**
   * Joins the host, which is created with its first user. Nothing runs yet.
   * @param element posts the messages of the host: links, warnings, errors
   */
  static gstmemif::Result<std::unique_ptr<HostUser>> join(GstElement* element, HostRequest given);
  ~HostUser();
  HostUser(const HostUser&) = delete;
  HostUser& operator=(const HostUser&) = delete;

  /** Starts the host, if no other user did yet. False, with an error posted, if that cannot be. */
  bool start();
  /** With the last one that was started the host stops. */
  void stop();
  /**
   * From now on until stop() the element tells of the link: first that it is up, if it is. To be
   * called when its properties are those of the host.
   */
  void follow_link();

  // Between start() and stop().
  [[nodiscard]] GstElement* host() const noexcept { return host_; }      ///< the iphost
  [[nodiscard]] GstElement* source() const noexcept { return source_; }  ///< the memifsrc
  [[nodiscard]] GstElement* sink() const noexcept { return sink_; }      ///< the memifsink
  /** What the running time of the host is measured by: its base time is 0. */
  [[nodiscard]] GstClock* clock() const noexcept { return clock_; }
  /**
   * A request pad of the host, which is used from the time on that it is linked. Null, with an
   * error posted, if there is none. Transfer full; to be given back by release_pad().
   */
  [[nodiscard]] GstPad* request_pad(const char* templ);
  void release_pad(GstPad* pad);

  /** While this lives, what the host posts from this thread is for this user alone. */
  class Acting {
   public:
    explicit Acting(HostUser& user) noexcept;
    ~Acting();
    Acting(const Acting&) = delete;
    Acting& operator=(const Acting&) = delete;

    /** The one of this thread that was made last, or null. */
    [[nodiscard]] static const Acting* now() noexcept;
    [[nodiscard]] HostUser& user() const noexcept { return user_; }
    /** Whether an error was posted. */
    [[nodiscard]] bool failed() const noexcept { return failed_; }
    void set_failed() const noexcept { failed_ = true; }

   private:
    HostUser& user_;
    mutable bool failed_ = false;
    const Acting* const before_;
  };

 private:
  friend class SharedHost;
  HostUser(GstElement* element, HostRequest given);

  GstElement* const element_;
  const HostRequest given_;
  const std::string name_;
  std::shared_ptr<SharedHost> shared_;
  bool started_ = false;       // written with the mutex of shared_
  bool follows_link_ = false;  // with the mutex of shared_
  // Of the link. It may be at work when the user is gone.
  const std::shared_ptr<gstcommon::CallQueue> news_ = std::make_shared<gstcommon::CallQueue>();
  // References while started.
  GstElement* host_ = nullptr;
  GstElement* source_ = nullptr;
  GstElement* sink_ = nullptr;
  GstClock* clock_ = nullptr;
  std::string pad_;  // whose messages are for this user; with the mutex of shared_
};
