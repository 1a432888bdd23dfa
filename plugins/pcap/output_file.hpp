// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Where a capture goes: a regular file, or a stream that has a reader, which may be late, slow, or
 * gone: a FIFO, a pipe, a socket or a terminal.
 */
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <span>
#include <string>

#include "gst/common/result.hpp"
#include "plugins/pcap/wake_event.hpp"

namespace pcapplugin {

using gstcommon::Error;
using gstcommon::Result;

/** How writing went. */
enum class Flow { ok, interrupted, failed };

/** One thread at a time, but for interrupt() and resume(). */
class OutputFile {
 public:
  /**
   * `go_on` is called when a write to a stream was interrupted, and returns whether to continue
   * with it, after resume().
   */
  explicit OutputFile(std::function<bool()> go_on) : go_on_(std::move(go_on)) {}
  ~OutputFile() { close(); }
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  /** Replaces what is there. "-" is the standard output. A FIFO is opened when there is a reader.
   */
  Result<void> open(const std::string& path);
  /** Whether a reader waits for what is written. */
  [[nodiscard]] bool is_stream() const noexcept { return is_stream_; }
  [[nodiscard]] bool is_open() const noexcept { return fd_ >= 0 || waits_for_reader_; }
  /**
   * Writes all of `bytes` and takes off what was written. Waits for the reader of a stream, who may
   * be yet to come. If it failed, error_number() says why.
   */
  Flow write(std::span<const std::byte>& bytes);
  [[nodiscard]] int error_number() const noexcept { return errno_; }
  /** False if the system says that something written before was lost; as write(). */
  bool close();

  /** Ends a write() to a stream and all further ones until resume(). Any thread. */
  void interrupt() noexcept { wake_.set(); }
  void resume() noexcept { wake_.clear(); }

 private:
  Flow write_stream(std::span<const std::byte>& bytes);
  Flow meet_reader();

  std::function<bool()> go_on_;
  WakeEvent wake_;
  std::string path_;
  int fd_ = -1;
  int errno_ = 0;
  bool is_stream_ = false;
  bool never_blocks_ = false;
  bool waits_for_reader_ = false;
};

}  // namespace pcapplugin
