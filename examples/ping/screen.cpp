// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "screen.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>

Screen::Screen() : terminal_(isatty(STDOUT_FILENO) != 0) {
  // Readers of a pipe or a file see each line at once.
  if (!terminal_) std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
}

void Screen::say(const std::string& line) {
  erase();
  std::printf("%s\n", line.c_str());
  draw();
}

void Screen::show(const std::string& title, const std::vector<std::string>& table) {
  erase();
  table_.assign(1, title);
  table_.insert(table_.end(), table.begin(), table.end());
  if (terminal_) {
    draw();
    return;
  }
  for (const std::string& line : table_) std::printf("%s\n", line.c_str());
  table_.clear();
}

void Screen::leave_table() {
  table_.clear();
  drawn_ = 0;
}

void Screen::erase() {
  // Up to the first line of the table, and clear all below.
  if (drawn_ != 0) std::printf("\033[%zuA\r\033[J", drawn_);
  drawn_ = 0;
}

/** Only what fits: a line that wraps or scrolls away cannot be taken back. */
void Screen::draw() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0) size = {24, 80, 0, 0};
  std::size_t fit = table_.size();
  const std::size_t room = size.ws_row > 2 ? size.ws_row - 2U : 1U;
  if (fit > room) fit = room;
  for (std::size_t i = 0; i < fit; ++i) {
    const bool more = i + 1 == fit && fit < table_.size();
    const std::string line =
        more ? "... " + std::to_string(table_.size() - fit + 1) + " more lines" : table_[i];
    std::printf("%s\n", line.substr(0, size.ws_col).c_str());
  }
  drawn_ = fit;
  std::fflush(stdout);
}
