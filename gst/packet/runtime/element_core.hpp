// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Private. The C++ half of a packet element: the object of the author's class with its properties,
 * start and stop, the data paths of the sink pads, the table of source pads, and the statistics.
 * Exceptions of the author's code become error messages.
 */
#pragma once

#include <gst/gst.h>

#include <atomic>
#include <exception>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "gst/packet/element.hpp"
#include "gst/packet/runtime/counters.hpp"
#include "gst/packet/runtime/port_table.hpp"

namespace gstpacket::detail {

class DataPath;

/** One registered element: lives as long as the process. */
struct ElementClass {
  const ElementSpec* spec = nullptr;
  GstDebugCategory* category = nullptr;
  std::vector<PropertySpec> properties;
};

/** Runs author code; an exception becomes an error message and false. */
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

class ElementCore {
 public:
  ElementCore(GstElement* element, const ElementClass& cls);
  virtual ~ElementCore();
  ElementCore(const ElementCore&) = delete;
  ElementCore& operator=(const ElementCore&) = delete;

  [[nodiscard]] const ElementClass& cls() const { return cls_; }
  [[nodiscard]] const ElementSpec& spec() const { return *cls_.spec; }
  [[nodiscard]] Shape shape() const { return cls_.spec->shape; }
  /** Between start() and stop(); any thread. */
  [[nodiscard]] bool running() const { return running_.load(std::memory_order_acquire); }
  [[nodiscard]] GstElement* element() const { return element_; }
  [[nodiscard]] void* object() const { return object_; }

  // Any thread.
  void set_property(std::size_t index, const GValue& value);
  void get_property(std::size_t index, GValue& value);
  /** Transfer full. */
  [[nodiscard]] GstStructure* stats() const;
  [[nodiscard]] PortTable& ports() { return ports_; }
  void add_path(DataPath& path);
  void add_port(GstPad* pad, unsigned number);
  /** The pad must be inactive. */
  virtual void remove(GstPad* pad);

  /** Streaming thread. Posts or logs the reason for a refusal. */
  bool accept_caps(GstCaps* caps);

  // State changes. start() posts a message when it fails; stop() comes after the pads have stopped.
  virtual bool start();
  void stop();
  bool check_settings();
  void set_configured(bool configured);

 protected:
  mutable std::mutex paths_mutex_;
  std::map<unsigned, DataPath*> paths_;  // by number; each lives as long as its pad is here

 private:
  struct Refused {
    std::string value;
    Error error;
  };
  Result<void> try_set(std::size_t index, const GValue& value);
  void caution();
  void port_removed(unsigned number);
  void add_port_stats(const StatsFields& fields) const;

  GstElement* element_;
  const ElementClass& cls_;
  void* object_;
  std::atomic<bool> running_{false};
  PortTable ports_;
  Counters retired_;  // of paths that are gone; paths_mutex_

  std::mutex settings_mutex_;
  std::map<std::size_t, Refused> refused_;  // by property; settings_mutex_
  bool configured_ = false;                 // beyond NULL; settings_mutex_
};

/** "drop-too-short" for the reason "too_short". */
[[nodiscard]] std::string drop_field(std::string_view reason);

}  // namespace gstpacket::detail
