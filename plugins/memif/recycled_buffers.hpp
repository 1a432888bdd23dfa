// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * @file Buffers of one packet each that are used again and again.
 *
 * They come back when their last reference goes, from whichever thread that is, and outlive the
 * pool as long as somebody holds them. What does not come back as it went out is not used again.
 */
#pragma once

#include <gst/gst.h>

#include <cstddef>

/** Takes as many as there are packets: nothing waits for buffers that somebody keeps. */
class RecycledBuffers {
 public:
  /** @param size bytes of a buffer; longer packets get a buffer that is not recycled */
  explicit RecycledBuffers(std::size_t size);
  ~RecycledBuffers();
  RecycledBuffers(const RecycledBuffers&) = delete;
  RecycledBuffers& operator=(const RecycledBuffers&) = delete;

  /** A writable buffer with one memory of @p length bytes; null without memory. */
  GstBuffer* take(std::size_t length);

 private:
  const std::size_t size_;
  GstBufferPool* const pool_;
};
