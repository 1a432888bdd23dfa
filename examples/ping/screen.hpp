// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Where lines and tables go: one after another, or, on a terminal, a table that stays.
 */
#pragma once

#include <string>
#include <vector>

class Screen {
 public:
  Screen();

  /** A line of its own; a table on a terminal moves down below it. */
  void say(const std::string& line);
  /** On a terminal in the place of the one before, otherwise below @p title. */
  void show(const std::string& title, const std::vector<std::string>& table);
  /** What follows goes below the table. */
  void leave_table();

 private:
  void erase();
  void draw();

  const bool terminal_;
  std::vector<std::string> table_;
  std::size_t drawn_ = 0;  // lines of the table that are on the terminal
};
