// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Capture files as libpcap reads them, and a folder for them.
 */
#pragma once

#include <pcap/pcap.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "rig.hpp"

namespace capture {

using rig::Bytes;

struct Record {
  std::uint64_t time = 0;    // in nanoseconds
  std::uint32_t length = 0;  // of the whole packet
  Bytes bytes;
};

struct File {
  int dlt = -1;
  int snaplen = 0;
  std::vector<Record> records;
  std::string error;  // why it ended

  [[nodiscard]] std::vector<Bytes> packets() const {
    std::vector<Bytes> out;
    for (const Record& record : records) out.push_back(record.bytes);
    return out;
  }
};

inline File read(const std::string& path) {
  File out;
  char error[PCAP_ERRBUF_SIZE] = "";
  pcap_t* file =
      pcap_open_offline_with_tstamp_precision(path.c_str(), PCAP_TSTAMP_PRECISION_NANO, error);
  out.error = error;
  if (file == nullptr) return out;
  out.dlt = pcap_datalink(file);
  out.snaplen = pcap_snapshot(file);
  pcap_pkthdr* header = nullptr;
  const u_char* bytes = nullptr;
  int result = 0;
  while ((result = pcap_next_ex(file, &header, &bytes)) == 1) {
    Record record;
    record.time = static_cast<std::uint64_t>(header->ts.tv_sec) * 1'000'000'000 +
                  static_cast<std::uint64_t>(header->ts.tv_usec);
    record.length = header->len;
    record.bytes.assign(bytes, bytes + header->caplen);
    out.records.push_back(std::move(record));
  }
  if (result == PCAP_ERROR) out.error = pcap_geterr(file);
  pcap_close(file);
  return out;
}

inline std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/** Removed with all that is in it. */
class Folder {
 public:
  Folder() {
    char name[] = "/tmp/pcap-check-XXXXXX";
    fail_unless(mkdtemp(name) != nullptr);
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  /** The names of what is in it, sorted. */
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      out.push_back(entry.path().filename());
    }
    std::sort(out.begin(), out.end());
    return out;
  }

 private:
  std::string path_;
};

/** The macro for that keeps pointers, which is nothing for what a function returns. */
inline void expect_text(const std::string& text, const char* wanted) {
  fail_unless_equals_string(text.c_str(), wanted);
}

inline void fail_unless_contains(const std::string& text, const char* part) {
  fail_unless(text.find(part) != std::string::npos, "no \"%s\" in \"%s\"", part, text.c_str());
}

}  // namespace capture
