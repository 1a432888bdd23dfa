// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Numbers in text.
 */
#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

namespace gstcommon {

/** The decimal number that @p text is, all of it; nothing if it is none, or not one of type T. */
template <class T>
std::optional<T> parse_number(std::string_view text) noexcept {
  T number{};
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || rest != end) return std::nullopt;
  return number;
}

}  // namespace gstcommon
