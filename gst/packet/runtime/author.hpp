// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
//
// Private. The author's object inside an element: it is made, set, started and stopped here, the
// same for every kind of element. What the author's code throws becomes an error message.
#pragma once

#include <gst/gst.h>

#include <exception>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "gst/packet/element.hpp"

namespace gstpacket::detail {

/// One registered element: lives as long as the process.
struct ElementClass {
  const ElementSpec* spec = nullptr;
  GstDebugCategory* category = nullptr;
  std::vector<PropertySpec> properties;
};

/// Runs author code; what it throws becomes an error message and false.
template <class F>
bool guarded(GstElement* element, const char* where, F&& function) noexcept {
  try {
    function();
    return true;
  } catch (const std::exception& e) {
    GST_ELEMENT_ERROR(element, LIBRARY, FAILED, ("The element failed: %s", e.what()),
                      ("exception in %s", where));
  } catch (...) {
    GST_ELEMENT_ERROR(element, LIBRARY, FAILED, ("The element failed."),
                      ("exception of unknown type in %s", where));
  }
  return false;
}

class Author {
 public:
  Author(GstElement* element, const ElementClass& cls);
  virtual ~Author();
  Author(const Author&) = delete;
  Author& operator=(const Author&) = delete;

  [[nodiscard]] const ElementClass& cls() const { return cls_; }
  [[nodiscard]] const ElementSpec& spec() const { return *cls_.spec; }
  [[nodiscard]] GstElement* element() const { return element_; }
  [[nodiscard]] void* object() const { return object_; }

  // Any thread.
  void set_property(std::size_t index, const GValue& value);
  void get_property(std::size_t index, GValue& value);
  /// Transfer full.
  [[nodiscard]] virtual GstStructure* stats() const = 0;

  // State changes. start() posts a message when it fails; stop() comes after the pads have stopped.
  virtual bool start() = 0;
  virtual void stop() = 0;
  bool check_settings();
  void set_configured(bool configured);

 protected:
  bool start_object();
  void stop_object();
  /// What the author's stats() adds.
  void add_stats(GstStructure* out) const;

 private:
  struct Refused {
    std::string value;
    Error error;
  };
  Result<void> try_set(std::size_t index, const GValue& value);

  GstElement* element_;
  const ElementClass& cls_;
  void* object_;
  bool started_ = false;

  std::mutex settings_mutex_;
  std::map<std::size_t, Refused> refused_;  // by property; settings_mutex_
  bool configured_ = false;                 // beyond NULL; settings_mutex_
};

/// "drop-too-short" for the reason "too_short".
[[nodiscard]] std::string drop_field(std::string_view reason);

}  // namespace gstpacket::detail
