// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/memif/cpu_affinity.hpp"

#include <pthread.h>

#include <cerrno>
#include <charconv>

std::optional<cpu_set_t> parse_cpus(std::string_view text) {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    unsigned first = 0;
    auto parsed = std::from_chars(at, end, first);
    unsigned last = first;
    if (parsed.ec == std::errc() && parsed.ptr != end && *parsed.ptr == '-') {
      parsed = std::from_chars(parsed.ptr + 1, end, last);
    }
    if (parsed.ec != std::errc() || last < first || last >= CPU_SETSIZE) return {};
    for (unsigned cpu = first; cpu <= last; ++cpu) CPU_SET(cpu, &cpus);
    at = parsed.ptr;
    if (at == end) return cpus;
    if (*at++ != ',') return {};
  }
  return {};
}

int CpuAffinity::enter(const std::string& text) {
  before_.reset();
  if (text.empty()) return 0;
  cpu_set_t before;
  if (pthread_getaffinity_np(pthread_self(), sizeof before, &before) == 0) before_ = before;
  const std::optional<cpu_set_t> cpus = parse_cpus(text);
  return cpus ? pthread_setaffinity_np(pthread_self(), sizeof *cpus, &*cpus) : EINVAL;
}

void CpuAffinity::leave() {
  if (before_) pthread_setaffinity_np(pthread_self(), sizeof *before_, &*before_);
  before_.reset();
}
