// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Errors as values: what failed, why, and what the user can do about it. Never exceptions.
 */
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace gstcommon {

/** What kind of thing went wrong, so that callers can pick their own way to report it. */
enum class ErrorCode {
  settings,        ///< a value the user gave is wrong or contradicts another one
  not_found,       ///< a path, queue or interface does not exist
  busy,            ///< in use by another program
  not_authorized,  ///< permission or secret
  open,            ///< the operating system refused a resource
  protocol,        ///< the peer broke the memif protocol
  closed,          ///< the peer went away
  timeout,         ///< the peer did not answer in time
};

/** An error for people. Each part is a sentence or a part of one; all but `what` may be empty. */
struct Error {
  ErrorCode code = ErrorCode::settings;
  std::string what;
  std::string why;
  std::string remedy;

  Error() = default;
  /** A value that the user gave. */
  Error(std::string what_, std::string why_ = {}, std::string remedy_ = {})  // NOLINT: implicit
      : what(std::move(what_)), why(std::move(why_)), remedy(std::move(remedy_)) {}
  Error(ErrorCode code_, std::string what_, std::string why_ = {}, std::string remedy_ = {})
      : code(code_), what(std::move(what_)), why(std::move(why_)), remedy(std::move(remedy_)) {}

  /** All parts in one line: "what: why. remedy". */
  [[nodiscard]] std::string text() const {
    std::string out = what;
    if (!why.empty()) out += (out.empty() ? "" : ": ") + why;
    if (!remedy.empty()) out += (out.empty() ? "" : ". ") + remedy;
    return out;
  }
};

/** A value, or the Error that says why there is none. Check with `if (!result)` before `*result`.
 */
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit
  Result(Error error) : value_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit

  [[nodiscard]] explicit operator bool() const noexcept { return value_.index() == 0; }
  [[nodiscard]] T& operator*() & noexcept { return *std::get_if<0>(&value_); }
  [[nodiscard]] const T& operator*() const& noexcept { return *std::get_if<0>(&value_); }
  [[nodiscard]] T&& operator*() && noexcept { return std::move(*std::get_if<0>(&value_)); }
  [[nodiscard]] T* operator->() noexcept { return std::get_if<0>(&value_); }
  [[nodiscard]] const T* operator->() const noexcept { return std::get_if<0>(&value_); }
  /** Only where the result is a failure. */
  [[nodiscard]] const Error& error() const noexcept { return *std::get_if<1>(&value_); }

 private:
  std::variant<T, Error> value_;
};

/** Success, or an Error. `return {};` is success. */
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT: implicit

  [[nodiscard]] explicit operator bool() const noexcept { return !error_; }
  /** Only where it is a failure. */
  [[nodiscard]] const Error& error() const noexcept { return *error_; }

 private:
  std::optional<Error> error_;
};

}  // namespace gstcommon
