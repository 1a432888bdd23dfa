// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Errors as values: what failed, why, and what the user can do about it.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace gstpacket {

/// An error for people. Each part is a sentence or a part of one; `remedy` may be empty.
struct Error {
  std::string what;
  std::string why;
  std::string remedy;

  /// All three parts in one line.
  [[nodiscard]] std::string text() const {
    std::string out = what;
    if (!why.empty()) out += (out.empty() ? "" : ": ") + why;
    if (!remedy.empty()) out += (out.empty() ? "" : ". ") + remedy;
    return out;
  }
};

/// A value or the Error that says why there is none.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}      // NOLINT: implicit on purpose
  Result(Error error) : value_(std::move(error)) {}  // NOLINT
  [[nodiscard]] explicit operator bool() const noexcept { return value_.index() == 0; }
  /// Preconditions: the result holds a value, or an error.
  [[nodiscard]] T& operator*() { return std::get<0>(value_); }
  [[nodiscard]] const T& operator*() const { return std::get<0>(value_); }
  [[nodiscard]] T* operator->() { return &std::get<0>(value_); }
  [[nodiscard]] const T* operator->() const { return &std::get<0>(value_); }
  [[nodiscard]] const Error& error() const { return std::get<1>(value_); }

 private:
  std::variant<T, Error> value_;
};

/// Success, or an Error. `return {};` is success.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT: implicit on purpose
  [[nodiscard]] explicit operator bool() const noexcept { return !error_; }
  [[nodiscard]] const Error& error() const { return *error_; }

 private:
  std::optional<Error> error_;
};

}  // namespace gstpacket
