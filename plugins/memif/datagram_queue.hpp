// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Datagrams on their way from the thread of a host to that of an element: what the buffer of a
 * socket is in a kernel. What does not fit is dropped and counted.
 */
#pragma once

#include <gst/gst.h>

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>

/** Any thread. */
class DatagramQueue {
 public:
  /** Bytes that wait unless it is told otherwise. */
  static constexpr std::size_t kDefaultBytes = std::size_t{16} << 20;
  /** Datagrams that wait at the most: small ones hold much more memory than they have bytes. */
  static constexpr std::size_t kMostDatagrams = 32768;

  struct Counts {
    std::uint64_t datagrams = 0, bytes = 0;  // taken out
    std::uint64_t dropped = 0;               // there was no room
    std::uint64_t flushed = 0;               // dropped by clear()
  };

  DatagramQueue() = default;
  ~DatagramQueue() { clear(); }
  DatagramQueue(const DatagramQueue&) = delete;
  DatagramQueue& operator=(const DatagramQueue&) = delete;

  /** 0: kDefaultBytes. */
  void set_limit(std::size_t bytes);
  /** Takes the reference to a buffer, or a list of buffers. */
  void add(GstMiniObject* data);
  /** Waits for data: a buffer or a list; null if the wait was interrupted. Transfer full. */
  [[nodiscard]] GstMiniObject* take();
  /** Ends a wait, and any further one until resume(). */
  void interrupt();
  void resume();
  void clear();
  /** Before a new run. */
  void reset();
  [[nodiscard]] Counts counts() const;

 private:
  struct Entry {
    GstMiniObject* data;
    std::size_t datagrams, bytes;
  };

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Entry> entries_;
  std::size_t limit_ = kDefaultBytes;
  std::size_t datagrams_ = 0, bytes_ = 0;  // that wait
  bool interrupted_ = false;
  Counts counts_;
};
