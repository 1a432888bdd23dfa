// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The pool that memifsink proposes as slave: its buffers lie in the memory of the link, so packets
 * written into them are sent without a copy.
 *
 * One packet per buffer, or batches with the option GST_BUFFER_POOL_OPTION_PACKET_BATCH. The pool
 * follows the interface from link to link, and never waits: without a link, and when all spare
 * buffers of the queue are out, it hands out ordinary memory, whose packets are copied.
 */
#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "gst/memif/interface.hpp"

/** Gives pools access to buffers to borrow; pools may outlive the element that made them. */
class LinkProvider {
 public:
  explicit LinkProvider(std::shared_ptr<gstmemif::Interface> interface)
      : interface_(std::move(interface)) {}

  /** See Interface::borrow(). Any thread. */
  gstmemif::Loan* borrow(std::uint32_t queue, std::uint32_t count,
                         std::uint32_t buffer_size) const {
    // The interface must not be referenced by another thread, not even briefly: dropping the last
    // reference stops it.
    const std::lock_guard lock(mutex_);
    return interface_ ? interface_->borrow(queue, count, buffer_size) : nullptr;
  }
  /** From now on there are none. */
  void close() {
    const std::lock_guard lock(mutex_);
    interface_.reset();
  }

  /** @p pool borrows here. */
  void add(GstBufferPool* pool);
  /** Returns what lies unused in pools and belongs to a link that is gone. Any thread. */
  void return_old() const;

 private:
  class WeakPool;

  mutable std::mutex mutex_;
  std::shared_ptr<gstmemif::Interface> interface_;
  std::vector<std::shared_ptr<WeakPool>> pools_;
};

/**
 * A pool out of transmit queue @p queue, whose buffers have @p buffer_size bytes, with a
 * configuration for single packets of @p size bytes and @p caps. Inactive; transfer full.
 */
GstBufferPool* gst_memif_pool_new(const std::shared_ptr<LinkProvider>& source, std::uint32_t queue,
                                  std::uint32_t buffer_size, std::uint32_t size, GstCaps* caps);
