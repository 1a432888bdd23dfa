// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/pcap/capture_writer.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace pcapplugin {
namespace {

bool is_file(const std::string& location) {
  struct stat status {};
  return location != "-" && (stat(location.c_str(), &status) != 0 || S_ISREG(status.st_mode));
}

}  // namespace

std::string numbered_name(const std::string& location, std::uint64_t number) {
  char text[32];
  std::snprintf(text, sizeof text, "_%05llu", static_cast<unsigned long long>(number));
  const auto slash = location.rfind('/');
  const auto name = slash == std::string::npos ? 0 : slash + 1;
  const auto dot = location.rfind('.');
  const auto at = dot == std::string::npos || dot <= name ? location.size() : dot;
  return location.substr(0, at) + text + location.substr(at);
}

CaptureWriter::CaptureWriter(std::function<bool()> go_on,
                             std::function<void(const std::string&)> closed)
    : output_(std::move(go_on)), closed_(std::move(closed)) {}

Result<void> CaptureWriter::open(CapturePlan plan) {
  abandon();
  plan_ = std::move(plan);
  rotates_ = plan_.rotates();
  if (rotates_ && !is_file(plan_.location)) {
    return Error{"\"" + plan_.location + "\"", "only files can be followed by others",
                 "Set location to a file, or max-file-size and max-file-time to 0"};
  }
  if (!block_) block_ = std::make_unique_for_overwrite<std::byte[]>(kBlock);
  number_ = 0;
  kept_.clear();
  for (auto* counter : {&packets, &bytes_written, &snapped, &files}) counter->reset();
  return open_file();
}

Result<void> CaptureWriter::open_file() {
  name_ = rotates_ ? numbered_name(plan_.location, ++number_) : plan_.location;
  begin_ = used_ = 0;
  header_written_ = packets_in_file_ = open_failed_ = false;
  file_size_ = file_start_ = 0;
  if (auto opened = output_.open(name_); !opened) return opened;
  files.add(1);
  return {};
}

bool CaptureWriter::set_link_type(LinkType type) {
  if (header_written_ && plan_.info.link_type != type) return false;
  plan_.info.link_type = type;
  return true;
}

void CaptureWriter::write_header() {
  if (header_written_) return;
  const auto header = file_header(plan_.info);
  // At the beginning of an empty block.
  std::memcpy(block_.get(), header.data(), header.size());
  used_ = file_size_ = header.size();
  header_written_ = true;
}

bool CaptureWriter::is_file_over(std::size_t needed, std::uint64_t time) const noexcept {
  if (!packets_in_file_) return false;
  const bool full = plan_.max_file_size != 0 && file_size_ + needed > plan_.max_file_size;
  const bool old =
      plan_.max_file_time != 0 && time >= file_start_ && time - file_start_ >= plan_.max_file_time;
  return full || old;
}

Flow CaptureWriter::make_room(std::size_t needed, std::uint64_t time, Tally& tally) {
  if (rotates_ && is_file_over(needed, time)) {
    count(std::exchange(tally, {}));  // before it is told that the file is complete
    if (const Flow next = next_file(); next != Flow::ok) return next;
  }
  write_header();
  if (!packets_in_file_) file_start_ = time;
  return needed > kBlock - used_ ? flush() : Flow::ok;
}

Flow CaptureWriter::next_file() {
  if (const Flow written = close(); written != Flow::ok) return written;
  forget_oldest();
  const auto opened = open_file();
  if (opened) return Flow::ok;
  open_error_ = opened.error();
  open_failed_ = true;
  return Flow::failed;
}

/** Only files of this capture are ever removed. */
void CaptureWriter::forget_oldest() {
  if (plan_.max_files == 0) return;
  kept_.push_back(name_);
  while (kept_.size() >= plan_.max_files) {
    unlink(kept_.front().c_str());
    kept_.pop_front();
  }
}

Flow CaptureWriter::flush() {
  std::span<const std::byte> left(block_.get() + begin_, used_ - begin_);
  const Flow flow = output_.write(left);
  begin_ = used_ - left.size();
  if (flow == Flow::ok) begin_ = used_ = 0;
  return flow;
}

Flow CaptureWriter::close() {
  if (!output_.is_open()) return Flow::ok;
  write_header();
  if (const Flow written = flush(); written != Flow::ok) return written;
  if (!output_.close()) return Flow::failed;
  closed_(name_);
  return Flow::ok;
}

void CaptureWriter::abandon() {
  output_.close();
  begin_ = used_ = 0;
}

Error CaptureWriter::error() const {
  if (open_failed_) return open_error_;
  const int number = output_.error_number();
  const std::string to = name_ == "-" ? "the standard output" : "\"" + name_ + "\"";
  Error error{"Cannot write to " + to, std::strerror(number)};
  if (number == EPIPE) error.remedy = "Its reader has gone: start it and the pipeline again";
  if (number == ENOSPC || number == EDQUOT) {
    error.remedy = "Make room, or limit the files with max-file-size and max-files";
  }
  return error;
}

}  // namespace pcapplugin
