// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "values.hpp"

namespace {

cpu_set_t usable() {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  sched_getaffinity(0, sizeof cpus, &cpus);
  return cpus;
}

/** Adds `2` or `2-5`; false if it is neither, or a CPU of it cannot be used. */
bool add_range(std::string_view text, const cpu_set_t& usable, cpu_set_t& cpus) {
  const std::size_t dash = text.find('-');
  const auto first = parse_number<unsigned>(text.substr(0, dash));
  const auto last =
      dash == std::string_view::npos ? first : parse_number<unsigned>(text.substr(dash + 1));
  if (!first || !last || *last < *first || *last >= CPU_SETSIZE) return false;
  for (unsigned cpu = *first; cpu <= *last; ++cpu) {
    if (!CPU_ISSET(cpu, &usable)) return false;
    CPU_SET(cpu, &cpus);
  }
  return true;
}

}  // namespace

std::optional<std::vector<std::string>> split_list(std::string_view text) {
  std::vector<std::string> items(1);
  bool inside = false;
  for (const char c : text) {
    if (c == '{' || c == '}') {
      if (inside == (c == '{')) return std::nullopt;
      inside = c == '{';
    }
    if (c == ',' && !inside) {
      items.emplace_back();
    } else {
      items.back() += c;
    }
  }
  if (inside) return std::nullopt;
  return items;
}

std::string_view without_braces(std::string_view text) {
  if (text.size() < 2 || text.front() != '{' || text.back() != '}') return text;
  return text.substr(1, text.size() - 2);
}

std::optional<cpu_set_t> parse_cpus(std::string_view text) {
  const auto items = split_list(without_braces(text));
  if (!items) return std::nullopt;
  const cpu_set_t all = usable();
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  for (const std::string& item : *items) {
    if (!add_range(item, all, cpus)) return std::nullopt;
  }
  return cpus;
}

std::string usable_cpus() {
  const cpu_set_t cpus = usable();
  std::string text;
  for (unsigned first = 0; first < CPU_SETSIZE; ++first) {
    if (!CPU_ISSET(first, &cpus)) continue;
    unsigned last = first;
    while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, &cpus)) ++last;
    text += (text.empty() ? "" : ",") + std::to_string(first);
    if (last != first) text += "-" + std::to_string(last);
    first = last;
  }
  return text;
}
