// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Properties of packet elements: members that live in relaxed atomics, or a setter that may refuse.
 */
#pragma once

#include <gst/gst.h>

#include <atomic>
#include <concepts>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include "gst/packet/export.hpp"
#include "gst/packet/reflect.hpp"
#include "gst/packet/result.hpp"

namespace gstpacket {

/**
 * A member that a property sets from any thread while the streaming thread reads it: a relaxed
 * atomic. `T`: bool, an integer, or an enum class with the values 0, 1, 2, ...
 */
template <class T>
class AtomicProperty {
 public:
  constexpr AtomicProperty(T value = {}) noexcept : value_(value) {}  // NOLINT: implicit on purpose
  [[nodiscard]] T load() const noexcept { return value_.load(std::memory_order_relaxed); }
  void store(T value) noexcept { value_.store(value, std::memory_order_relaxed); }

 private:
  std::atomic<T> value_;
};

/**
 * Passes a value from one thread (a property setter) to the streaming thread, which receives it at
 * its next get() without a lock. Several put() calls must not run at once; setters do not.
 */
template <class T>
class Mailbox {
 public:
  explicit Mailbox(T value = {}) : current_(std::make_unique<const T>(std::move(value))) {}
  ~Mailbox() { delete next_.load(std::memory_order_acquire); }
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  void put(T value) {
    delete next_.exchange(new const T(std::move(value)), std::memory_order_acq_rel);
  }
  /** Streaming thread only. The reference is good until the next get(). */
  [[nodiscard]] const T& get() noexcept {
    if (next_.load(std::memory_order_relaxed) != nullptr) [[unlikely]] {
      current_.reset(next_.exchange(nullptr, std::memory_order_acq_rel));
    }
    return *current_;
  }

 private:
  std::atomic<const T*> next_{nullptr};
  std::unique_ptr<const T> current_;
};

/** When a property may change: at any time, or only in the states NULL and READY. */
enum class Mutability { playing, ready };

namespace detail {

/**
 * One property as the runtime sees it. `set` and `get` work on the author's object and are never
 * called at the same time.
 */
struct PropertySpec {
  GParamSpec* spec = nullptr;
  Result<void> (*set)(void* object, const GValue& value) = nullptr;
  void (*get)(const void* object, GValue& value) = nullptr;
};

GSTPACKET_API GType register_enum(const char* name, std::vector<std::string_view> values);
GSTPACKET_API const char* nick_of(const char* name);

template <class T>
struct MemberTraits;
template <class E, class T>
struct MemberTraits<AtomicProperty<T> E::*> {
  using Class = E;
  using Value = T;
};
template <class E, class R, class T>
struct MemberTraits<R (E::*)(T)> {
  using Class = E;
  using Value = std::remove_cvref_t<T>;
};

template <class T>
concept Integer = std::integral<T> && !std::same_as<T, bool>;
template <class T>
concept Text = std::same_as<T, std::string_view> || std::same_as<T, std::string>;

template <class T>
[[nodiscard]] T from_value(const GValue& value) {
  if constexpr (std::same_as<T, bool>) {
    return g_value_get_boolean(&value) != FALSE;
  } else if constexpr (std::is_enum_v<T>) {
    return static_cast<T>(g_value_get_enum(&value));
  } else if constexpr (Text<T>) {
    const char* text = g_value_get_string(&value);
    return T(text != nullptr ? text : "");
  } else if constexpr (sizeof(T) <= 4) {
    return std::signed_integral<T> ? static_cast<T>(g_value_get_int(&value))
                                   : static_cast<T>(g_value_get_uint(&value));
  } else {
    return std::signed_integral<T> ? static_cast<T>(g_value_get_int64(&value))
                                   : static_cast<T>(g_value_get_uint64(&value));
  }
}

template <class T>
void to_value(const T& from, GValue& value) {
  if constexpr (std::same_as<T, bool>) {
    g_value_set_boolean(&value, from);
  } else if constexpr (std::is_enum_v<T>) {
    g_value_set_enum(&value, static_cast<gint>(from));
  } else if constexpr (Text<T>) {
    g_value_set_string(&value, std::string(from).c_str());
  } else if constexpr (sizeof(T) <= 4) {
    if constexpr (std::signed_integral<T>) {
      g_value_set_int(&value, from);
    } else {
      g_value_set_uint(&value, from);
    }
  } else if constexpr (std::signed_integral<T>) {
    g_value_set_int64(&value, from);
  } else {
    g_value_set_uint64(&value, from);
  }
}

}  // namespace detail

/** A property descriptor, made by property(). */
template <auto Set, auto Get>
class Property {
 public:
  using Class = typename detail::MemberTraits<decltype(Set)>::Class;
  using Value = typename detail::MemberTraits<decltype(Set)>::Value;
  using Stored = std::conditional_t<detail::Text<Value>, const char*, Value>;

  constexpr Property(const char* name, const char* blurb, Stored initial, Stored low, Stored high)
      : name_(name), blurb_(blurb), initial_(initial), low_(low), high_(high) {}

  /** The same property, but changeable in the states NULL and READY only. */
  [[nodiscard]] constexpr Property ready_only() const {
    Property out = *this;
    out.mutability_ = Mutability::ready;
    return out;
  }

  [[nodiscard]] detail::PropertySpec spec(const char* factory) const {
    return {make(factory), &set, &get};
  }

 private:
  static constexpr bool kMember = !std::is_member_function_pointer_v<decltype(Set)>;

  static Result<void> set(void* object, const GValue& value) {
    auto& self = *static_cast<Class*>(object);
    if constexpr (kMember) {
      (self.*Set).store(detail::from_value<Value>(value));
      return {};
    } else {
      return (self.*Set)(detail::from_value<Value>(value));
    }
  }
  static void get(const void* object, GValue& value) {
    const auto& self = *static_cast<const Class*>(object);
    if constexpr (kMember) {
      detail::to_value((self.*Set).load(), value);
    } else {
      detail::to_value((self.*Get)(), value);
    }
  }

  GParamSpec* make(const char* factory) const {
    const auto flags = static_cast<GParamFlags>(
        G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
        (mutability_ == Mutability::playing ? GST_PARAM_MUTABLE_PLAYING : GST_PARAM_MUTABLE_READY));
    const char* nick = detail::nick_of(name_);
    if constexpr (std::same_as<Value, bool>) {
      return g_param_spec_boolean(name_, nick, blurb_, initial_, flags);
    } else if constexpr (std::is_enum_v<Value>) {
      constexpr auto kNames = detail::enum_names<Value>();
      const GType type = detail::register_enum((std::string(factory) + "-" + name_).c_str(),
                                               {kNames.begin(), kNames.end()});
      return g_param_spec_enum(name_, nick, blurb_, type, static_cast<gint>(initial_), flags);
    } else if constexpr (detail::Text<Value>) {
      return g_param_spec_string(name_, nick, blurb_, initial_, flags);
    } else if constexpr (sizeof(Value) <= 4 && std::signed_integral<Value>) {
      return g_param_spec_int(name_, nick, blurb_, low_, high_, initial_, flags);
    } else if constexpr (sizeof(Value) <= 4) {
      return g_param_spec_uint(name_, nick, blurb_, low_, high_, initial_, flags);
    } else if constexpr (std::signed_integral<Value>) {
      return g_param_spec_int64(name_, nick, blurb_, low_, high_, initial_, flags);
    } else {
      return g_param_spec_uint64(name_, nick, blurb_, low_, high_, initial_, flags);
    }
  }

  const char* name_;
  const char* blurb_;
  Stored initial_;
  Stored low_;
  Stored high_;
  Mutability mutability_ = Mutability::playing;
};

/**
 * A property kept in a AtomicProperty member. `name` has dashes; `blurb` starts with a capital,
 * names the unit and has no full stop; both must live forever (literals). `initial` is set on every
 * new object.
 */
template <auto Member>
[[nodiscard]] constexpr auto property(const char* name, const char* blurb,
                                      typename Property<Member, nullptr>::Stored initial) {
  static_assert(!detail::Integer<typename Property<Member, nullptr>::Value>,
                "an integer property needs a range: name, blurb, initial, lowest, highest");
  return Property<Member, nullptr>(name, blurb, initial, initial, initial);
}
/** The same for an integer from `low` to `high`. */
template <auto Member>
[[nodiscard]] constexpr auto property(const char* name, const char* blurb,
                                      typename Property<Member, nullptr>::Stored initial,
                                      typename Property<Member, nullptr>::Stored low,
                                      typename Property<Member, nullptr>::Stored high) {
  return Property<Member, nullptr>(name, blurb, initial, low, high);
}

/**
 * A property behind member functions: `Result<void> set(T)`, which may refuse with an Error, and
 * `U get() const`. Strings come as std::string_view and go as std::string. Both are called from
 * application threads, never both at once; what the streaming thread needs goes through
 * AtomicProperty or Mailbox.
 */
template <auto Set, auto Get>
[[nodiscard]] constexpr auto property(const char* name, const char* blurb,
                                      typename Property<Set, Get>::Stored initial) {
  static_assert(!detail::Integer<typename Property<Set, Get>::Value>,
                "an integer property needs a range: name, blurb, initial, lowest, highest");
  return Property<Set, Get>(name, blurb, initial, initial, initial);
}
template <auto Set, auto Get>
[[nodiscard]] constexpr auto property(const char* name, const char* blurb,
                                      typename Property<Set, Get>::Stored initial,
                                      typename Property<Set, Get>::Stored low,
                                      typename Property<Set, Get>::Stored high) {
  return Property<Set, Get>(name, blurb, initial, low, high);
}

}  // namespace gstpacket
