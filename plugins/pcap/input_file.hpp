// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Where a capture comes from: a regular file, or a stream whose writer may be late or slow, such as
 * a FIFO.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "gst/common/result.hpp"
#include "plugins/pcap/wake_event.hpp"

namespace pcapplugin {

using gstcommon::Error;
using gstcommon::Result;

/** One thread at a time, but for the functions that wake and stop it. */
class InputFile {
 public:
  InputFile() = default;
  ~InputFile() { close(); }
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  /** "-" is the standard input. Does not wait for the writer of a FIFO. */
  Result<void> open(const std::string& path);
  /** The descriptor becomes its own. */
  void open(int fd);
  void close();
  [[nodiscard]] bool is_open() const noexcept { return fd_ >= 0; }
  /** Whether it can be read again from its beginning. */
  [[nodiscard]] bool is_regular() const noexcept { return is_regular_; }
  /** -1 if it is closed. */
  [[nodiscard]] int fd() const noexcept { return fd_; }
  /** The first four bytes of a regular file as this machine reads them; 0 if there are fewer. */
  [[nodiscard]] std::uint32_t magic() const noexcept;
  /** Back to where a regular file was when it was opened, its beginning unless it was inherited. */
  [[nodiscard]] bool rewind();

  /** The same for C, one at a time; to be closed before this. Null without memory. */
  [[nodiscard]] FILE* stream();

  /** Whether there is something to read, or the end, without a wait. */
  [[nodiscard]] bool is_ready() const noexcept;
  /** Waits for that; false if it was interrupted or stopped. Nothing is lost by either. */
  [[nodiscard]] bool wait();

  /** Whether reading was ended by stop(). */
  [[nodiscard]] bool was_stopped() const noexcept { return was_stopped_; }

  /** Any thread. Ends wait() until resume(). */
  void interrupt() noexcept { interrupt_.set(); }
  void resume() noexcept { interrupt_.clear(); }
  /** Any thread. Ends reading itself, too, also in the middle of a packet. */
  void stop() noexcept { stop_.set(); }
  void restart() noexcept { stop_.clear(); }

 private:
  static constexpr std::size_t kBlock = std::size_t{256} << 10;

  ssize_t read(char* to, std::size_t size);
  [[nodiscard]] bool is_buffered() const noexcept;
  FILE* regular_stream();
  void prepare(FILE* stream);

  int fd_ = -1;
  bool is_regular_ = false;
  off_t start_ = 0;
  bool was_stopped_ = false;
  WakeEvent interrupt_, stop_;
  std::unique_ptr<char[]> block_;
  FILE* stream_ = nullptr;  // of what is no regular file; belongs to the caller of stream()
  off64_t position_ = 0;    // behind what the stream has got
};

}  // namespace pcapplugin
