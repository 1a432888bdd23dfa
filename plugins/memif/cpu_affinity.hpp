// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Binds a streaming thread to CPUs for as long as it works for an element.
 */
#pragma once

#include <sched.h>

#include <optional>
#include <string>
#include <string_view>

/** Parses "0,2-3"; nothing if it is no list of CPUs. */
std::optional<cpu_set_t> parse_cpus(std::string_view text);

/** All calls on the thread that is bound. */
class CpuAffinity {
 public:
  /** Binds the calling thread to the CPUs in @p text, if any; returns an errno, or 0. */
  int enter(const std::string& text);
  /** Threads belong to a pool, so their affinity is restored for the next user. */
  void leave();

 private:
  std::optional<cpu_set_t> before_;
};
