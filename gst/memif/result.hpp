// SPDX-License-Identifier: LGPL-2.1-or-later
/** @file How functions of gstmemif report failure: a value or an Error, never an exception. */
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace gstmemif {

/** What kind of thing went wrong, so that callers can pick their own way to report it. */
enum class ErrorCode {
  settings,        ///< a value the user gave is wrong or contradicts another one
  not_found,       ///< a path, queue or interface does not exist
  busy,            ///< somebody else uses it
  not_authorized,  ///< permission or secret
  open,            ///< the operating system refused a resource
  protocol,        ///< the peer broke the memif protocol
  closed,          ///< the peer went away
  timeout,         ///< the peer did not answer in time
};

/** A failure: its kind, and one sentence that says what, why and - where there is one - the remedy.
 */
struct Error {
  ErrorCode code;
  std::string message;
};

/** Either a T or an Error. Check with `if (!result)` before `*result`. */
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit
  Result(Error error) : value_(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const noexcept { return value_.index() == 0; }
  T& operator*() noexcept { return *std::get_if<0>(&value_); }
  const T& operator*() const noexcept { return *std::get_if<0>(&value_); }
  T* operator->() noexcept { return std::get_if<0>(&value_); }
  const T* operator->() const noexcept { return std::get_if<0>(&value_); }
  /** Only where the result is a failure. */
  const Error& error() const noexcept { return *std::get_if<1>(&value_); }

 private:
  std::variant<T, Error> value_;
};

/** Success, or an Error. */
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Error error) : error_(std::move(error)) {}  // NOLINT: implicit

  explicit operator bool() const noexcept { return !error_; }
  /** Only where the status is a failure. */
  const Error& error() const noexcept { return *error_; }

 private:
  std::optional<Error> error_;
};

}  // namespace gstmemif
