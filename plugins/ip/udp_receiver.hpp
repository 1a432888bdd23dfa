// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * A source pad for the datagrams of a port.
 */
#pragma once

#include <gio/gio.h>
#include <gst/gst.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "gst/common/counter.hpp"
#include "plugins/ip/payload_pool.hpp"
#include "plugins/ip/stack/host.hpp"

namespace ipplugin {

/** The socket addresses of senders, each made once and kept while datagrams of it come. */
class SocketAddresses {
 public:
  SocketAddresses() = default;
  ~SocketAddresses() { clear(); }
  SocketAddresses(const SocketAddresses&) = delete;
  SocketAddresses& operator=(const SocketAddresses&) = delete;

  /** Transfer none: valid until the next call. */
  [[nodiscard]] GSocketAddress* find(const Endpoint& endpoint) {
    // Mostly it is the one before.
    const Entry& last = entries_[last_];
    return last.is(endpoint) ? last.address : find_other(endpoint);
  }
  void clear();

 private:
  struct Entry {
    [[nodiscard]] bool is(const Endpoint& other) const noexcept {
      return address != nullptr && endpoint.port == other.port && endpoint.address == other.address;
    }
    Endpoint endpoint;
    GSocketAddress* address = nullptr;
  };
  GSocketAddress* find_other(const Endpoint& endpoint);
  // As many senders at once as are fast; more take each other's places.
  std::array<Entry, 64> entries_;
  std::size_t last_ = 0;
};

class UdpReceiver {
 public:
  explicit UdpReceiver(GstPad* pad) : pad_(pad) {}
  ~UdpReceiver();
  UdpReceiver(const UdpReceiver&) = delete;
  UdpReceiver& operator=(const UdpReceiver&) = delete;

  // ---- settings, any thread ----

  std::mutex mutex;  // guards what follows
  guint port = 5004;
  std::string group;    // as given; empty: none
  std::string sources;  // of the group, with commas
  GstCaps* caps = nullptr;
  guint64 timeout = 0;  // nanoseconds; 0: none

  /** What to bind. The error names the property. */
  [[nodiscard]] Result<Binding> binding();
  [[nodiscard]] std::string name() const;
  void set_caps(GstCaps* other);

  // ---- streaming ----

  /** A new stream begins with the next datagram. */
  void prepare(std::string stream_id);
  /** The same stream goes on behind a flush. */
  void prepare_segment();

  /** The thread of the sink pad: collects a datagram of `size` bytes. */
  void add(GstBuffer* buffer, std::size_t size);
  [[nodiscard]] SocketAddresses& addresses() noexcept { return addresses_; }
  /** The same thread: pushes what was collected. */
  GstFlowReturn push(GstClockTime now);
  [[nodiscard]] GstFlowReturn last_flow() const noexcept { return flow_.load(); }
  [[nodiscard]] GstPad* pad() const noexcept { return pad_; }
  /** Behind what comes before data, if it is serialized; takes it. */
  void push_event(GstEvent* event);

  /** Posts a message if nothing has come for `timeout`; when to look again. */
  [[nodiscard]] GstClockTime check_timeout(GstClockTime now);
  void restart_timeout(GstClockTime now) { heard_.store(now, std::memory_order_relaxed); }

  void add_stats(GstStructure* stats) const;
  void reset_stats();

 private:
  enum class Prologue { none, segment, all };

  void store_prologue();
  void push_new_caps();

  GstPad* const pad_;      // owns this, or a part of it
  std::string stream_id_;  // mutex
  std::atomic<Prologue> prologue_{Prologue::none};
  std::atomic<bool> caps_changed_{false};
  bool has_caps_ = false;  // the stream has
  std::atomic<GstClockTime> heard_{0};
  std::atomic<GstFlowReturn> flow_{GST_FLOW_OK};

  SocketAddresses addresses_;
  GstBuffer* first_ = nullptr;
  GstBufferList* list_ = nullptr;
  std::uint64_t bytes_collected_ = 0;
  std::uint64_t collected_ = 0;
  gstcommon::Counter datagrams_, bytes_, dropped_;
};

}  // namespace ipplugin
