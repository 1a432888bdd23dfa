// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The event loop: the library's own thread, a GMainContext, or the application's own poller.
 *
 * Every file descriptor of the library - control channels, listeners, timers, and the interrupt
 * channels of queues that are watched - goes through Loop::watch() and comes back through the one
 * function Loop::dispatch().
 */
#pragma once

#include <glib.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "gst/memif/export.hpp"

namespace gstmemif {

/**
 * Serialises the control plane of the process: sockets, handshakes, timers. Never taken by the data
 * plane. Recursive, since the last reference to an interface may be dropped anywhere. Calls that
 * must not run under it, such as calls into the application, are deferred until it is released.
 */
class GSTMEMIF_API ControlLock {
 public:
  ControlLock();
  ~ControlLock();
  ControlLock(const ControlLock&) = delete;

  /** Runs @p call on this thread as soon as the lock is released. Only with the lock held. */
  static void defer(std::function<void()> call);
};

class Watch;

class GSTMEMIF_API Loop : public std::enable_shared_from_this<Loop> {
 public:
  using Handler = std::function<void()>;
  /** Tells an application that polls by itself to add a descriptor to its set, or to remove it. */
  using FdUpdate = std::function<void(int fd, bool watch)>;

  /** The library's own thread, named memif-control; it runs while anyone uses it. */
  static std::shared_ptr<Loop> own_thread();

  /**
   * The caller's context, iterated by the caller: the library then has no thread. The same context
   * gives the same loop, so that interfaces which name it may share a listening socket.
   */
  static std::shared_ptr<Loop> for_context(GMainContext* context);

  /**
   * The caller's own poller, such as epoll: @p update says which descriptors to watch for input,
   * and the caller calls dispatch() when one of them is readable. @p update must not call back.
   */
  static std::shared_ptr<Loop> for_poller(FdUpdate update);

  virtual ~Loop() = default;

  /** Calls @p handler whenever @p fd is readable or hung up, until the Watch goes. Any thread. */
  Watch watch(int fd, Handler handler);

  /**
   * Handles an event on @p fd, for any kind of descriptor. Not an error if it is no longer ours:
   * events may be pending when a connection closes.
   */
  void dispatch(int fd);

 protected:
  friend class Watch;
  virtual void add(int fd) = 0;
  virtual void remove(int fd) = 0;

 private:
  void unwatch(int fd);

  std::mutex mutex_;
  std::map<int, std::shared_ptr<Handler>> handlers_;
};

/** Keeps a descriptor in its loop. Must go before the descriptor is closed. */
class GSTMEMIF_API Watch {
 public:
  Watch() = default;
  Watch(std::shared_ptr<Loop> loop, int fd) noexcept : loop_(std::move(loop)), fd_(fd) {}
  Watch(Watch&&) noexcept = default;
  Watch& operator=(Watch&& other) noexcept;
  ~Watch() { reset(); }

  void reset() noexcept;

 private:
  std::shared_ptr<Loop> loop_;
  int fd_ = -1;
};

}  // namespace gstmemif
