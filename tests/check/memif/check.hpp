// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * What every test of the engine needs: gst-check, and waiting for things to happen.
 */
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <initializer_list>
#include <string>
#include <thread>
#include <vector>

#include "gst/memif/result.hpp"

// Behind the standard library: it defines a macro fail().
#include <gst/check/gstcheck.h>

namespace memiftest {

using Clock = std::chrono::steady_clock;

inline std::int64_t milliseconds_since(Clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start).count();
}

inline void pause_ms(int milliseconds) {
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
}

/** Sanitizers slow everything down: limits of time are that much more generous there. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr int kSlowdown = 10;
#else
inline constexpr int kSlowdown = 1;
#endif

/** Ample for what takes milliseconds, also on a machine that has much else to do. */
inline constexpr int kPatienceMs = kSlowdown == 1 ? 30'000 : 80'000;
inline constexpr std::int64_t kPatienceNs = std::int64_t{kPatienceMs} * 1'000'000;

/** Waits until @p condition holds; false if it does not within a time that is ample. */
template <class Condition>
bool eventually(Condition condition, int milliseconds = kPatienceMs) {
  const auto start = Clock::now();
  while (!condition()) {
    if (milliseconds_since(start) > milliseconds) return condition();
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  return true;
}

/** For loops that go round often: gst-check tells its parent of each assertion that it passes. */
inline void expect(bool condition, const char* what) {
  if (!condition) fail_unless(false, "%s", what);
}

/** The value, or the end of the test with the error's message. */
template <class T>
T must(gstmemif::Result<T> result) {
  fail_unless(static_cast<bool>(result), "%s", result ? "" : result.error().text().c_str());
  return std::move(*result);
}
inline void must(const gstmemif::Result<void>& status) {
  fail_unless(static_cast<bool>(status), "%s", status ? "" : status.error().text().c_str());
}

/** Ends the test unless @p failure failed with all of @p words in its message. */
template <class Failure, class... Words>
void must_fail(const Failure& failure, Words... words) {
  fail_if(static_cast<bool>(failure), "went well, but should have failed");
  const std::string message = failure.error().text();
  for (const std::string& word : std::initializer_list<std::string>{std::string(words)...}) {
    fail_unless(message.find(word) != std::string::npos, "no '%s' in: %s", word.c_str(),
                message.c_str());
  }
}

inline int count_entries(const char* directory) {
  DIR* dir = ::opendir(directory);
  int count = 0;
  while (::readdir(dir) != nullptr) ++count;
  ::closedir(dir);
  return count;
}
inline int open_files() {
  return count_entries("/proc/self/fd");
}
/** Once nothing opens or closes files any more: the control thread has its own pace. */
inline int settled_files() {
  int files = open_files();
  for (int calm = 0; calm < 10; ++calm) {
    pause_ms(5);
    const int now = open_files();
    if (now != files) calm = 0;
    files = now;
  }
  return files;
}
/** While it is there, this process has room for no more than @p left files. */
class NoDescriptors {
 public:
  explicit NoDescriptors(int left = 0) {
    fail_unless(::getrlimit(RLIMIT_NOFILE, &limit_) == 0);
    const rlimit lower{256, limit_.rlim_max};
    fail_unless(::setrlimit(RLIMIT_NOFILE, &lower) == 0);
    for (int fd = 0; (fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;) held_.push_back(fd);
    for (; left > 0; --left) {
      ::close(held_.back());
      held_.pop_back();
    }
  }
  ~NoDescriptors() {
    for (const int fd : held_) ::close(fd);
    ::setrlimit(RLIMIT_NOFILE, &limit_);
  }
  NoDescriptors(const NoDescriptors&) = delete;

 private:
  rlimit limit_{};
  std::vector<int> held_;
};

/** Mappings of shared memory that memif made: a number that nothing else disturbs. */
inline int memif_mappings() {
  std::ifstream maps("/proc/self/maps");
  int lines = 0;
  for (std::string line; std::getline(maps, line);) {
    if (line.find("memfd:memif") != std::string::npos) ++lines;
  }
  return lines;
}

/** A link is let go by whichever thread has it last, which may be the control thread. */
inline void expect_nothing_mapped() {
  fail_unless(eventually([] { return memif_mappings() == 0; }), "%d mappings are kept",
              memif_mappings());
}

/** Threads of this process with this name. */
inline int threads_named(const std::string& name) {
  int count = 0;
  DIR* dir = ::opendir("/proc/self/task");
  while (const dirent* entry = ::readdir(dir)) {
    std::ifstream comm(std::string("/proc/self/task/") + entry->d_name + "/comm");
    std::string text;
    if (std::getline(comm, text) && text == name) ++count;
  }
  ::closedir(dir);
  return count;
}

/** True if a thread of this process waits for something. */
inline bool sleeps(pid_t thread) {
  std::ifstream stat("/proc/self/task/" + std::to_string(thread) + "/stat");
  std::string line;
  std::getline(stat, line);
  return line.find(") S ") != std::string::npos;
}

/** An abstract socket name that no other test has. */
inline std::string unique_socket() {
  static int number = 0;
  return "@gst-memif-check-" + std::to_string(::getpid()) + "-" + std::to_string(++number);
}

/** A directory of its own, removed in the end. */
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    char name[] = "/tmp/memif-check-XXXXXX";
    path_ = ::mkdtemp(name);
  }
  ~TemporaryDirectory() {
    ::unlink(file("memif.sock").c_str());
    ::rmdir(path_.c_str());
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace memiftest
