// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Numbers and lists as they are typed.
 */
#pragma once

#include <sched.h>

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/** A decimal number that is all of the text and fits into T. */
template <class T>
std::optional<T> parse_number(std::string_view text) {
  T number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/** Splits at commas, but not within braces; nothing if braces do not match. */
std::optional<std::vector<std::string>> split_list(std::string_view text);

/** `{a,b}` without its braces, other text as it is. */
std::string_view without_braces(std::string_view text);

/** CPUs as `0`, `0-3`, `{0,2-3}`, all of them usable by this process; nothing otherwise. */
std::optional<cpu_set_t> parse_cpus(std::string_view text);

/** The CPUs that this process may use, as `0,2-3`. */
std::string usable_cpus();
