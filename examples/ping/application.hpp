// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Runs the pipeline, tells what happens, and ends it.
 */
#pragma once

#include <optional>
#include <set>
#include <string>

#include "network.hpp"
#include "options.hpp"
#include "screen.hpp"
#include "statistics.hpp"

class Application {
 public:
  explicit Application(const Options& options);
  ~Application();
  Application(const Application&) = delete;
  Application& operator=(const Application&) = delete;

  /** Until a signal or an error; the exit code. */
  int run();

 private:
  bool start();
  void say_what_runs();
  void set_cpus();
  void write_dot();
  void show_statistics();
  void summarize();

  void on_message(GstMessage* message);
  void on_link(GstMessage* message);
  void on_info(GstMessage* message);
  void on_warning(GstMessage* message);
  void on_error(GstMessage* message);

  const Options& options_;
  Screen screen_;
  Network network_;
  LoopPtr loop_;
  std::set<guint> sources_;  // of the default main context
  std::set<std::string> warnings_;
  Sample start_;
  Sample last_;
  bool failed_ = false;
};
