// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Names of classes and enumerators, read by the compiler from the text of __PRETTY_FUNCTION__.
 */
#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

namespace gstpacket::detail {

template <class T>
[[nodiscard]] constexpr const char* class_text() noexcept {
  return __PRETTY_FUNCTION__;
}

/** "EthBridge" for bridges::EthBridge, without what a template was made with. */
template <class T>
[[nodiscard]] constexpr std::string_view class_name() noexcept {
  std::string_view text = class_text<T>();
  text.remove_suffix(1);
  text.remove_prefix(text.find("T = ") + 4);
  text = text.substr(0, text.find('<'));
  return text.substr(text.find_last_of(':') + 1);
}
static_assert(class_name<std::string_view>() == "basic_string_view");

// The return type names no alias, so that the text ends with the value in g++ and in clang++.
template <auto Value>
[[nodiscard]] constexpr const char* enumerator_text() noexcept {
  return __PRETTY_FUNCTION__;
}

/**
 * "too_short" for Drop::too_short; empty for a value that no enumerator has, which the compilers
 * show as a cast: "(Drop)7".
 */
template <auto Value>
[[nodiscard]] constexpr std::string_view enumerator_name() noexcept {
  std::string_view text = enumerator_text<Value>();
  text.remove_suffix(1);
  text.remove_prefix(text.find_last_of(":)= ") + 1);
  return text.empty() || text[0] == '-' || (text[0] >= '0' && text[0] <= '9') ? std::string_view{}
                                                                              : text;
}

inline constexpr std::size_t kMaxEnumerators = 64;

template <class E, std::size_t... I>
[[nodiscard]] constexpr auto enumerator_names(std::index_sequence<I...>) noexcept {
  return std::array<std::string_view, sizeof...(I)>{enumerator_name<static_cast<E>(I)>()...};
}

template <class E, std::size_t... I>
[[nodiscard]] constexpr std::size_t count_enumerators(std::index_sequence<I...>) noexcept {
  return (std::size_t{0} + ... + (enumerator_name<static_cast<E>(I)>().empty() ? 0U : 1U));
}

/**
 * The names of E's enumerators, in order. They must have the values 0, 1, 2, and so on, at
 * most 64.
 */
template <class E>
requires std::is_enum_v<E>
[[nodiscard]] constexpr auto enum_names() noexcept {
  constexpr auto kCount = count_enumerators<E>(std::make_index_sequence<kMaxEnumerators>{});
  constexpr auto kNames = enumerator_names<E>(std::make_index_sequence<kCount>{});
  static_assert(kCount == 0 || !kNames[kCount - 1].empty(),
                "the enumerators must be 0, 1, 2, ... without gaps");
  static_assert(enumerator_name<static_cast<E>(kMaxEnumerators)>().empty(), "too many enumerators");
  return kNames;
}

}  // namespace gstpacket::detail
