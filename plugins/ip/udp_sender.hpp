// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * What a sink pad for datagrams does: sends each buffer to its clients.
 */
#pragma once

#include <gst/gst.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "gst/common/counter.hpp"
#include "plugins/ip/datagram.hpp"
#include "plugins/ip/host_settings.hpp"
#include "plugins/ip/ip_host.hpp"
#include "plugins/ip/pacer.hpp"
#include "plugins/ip/packet_writer.hpp"

namespace ipplugin {

/** The settings of a sender, as given: its first use checks them. */
struct SenderSettings {
  std::string host;
  guint port = 5004;
  std::string clients;  // as given; empty: host and port
  guint bind_port = 0;  // 0: any
  guint ttl = 64;
  guint ttl_mc = 1;
  gint dscp = -1;
  bool checksum = true;
};

/** The data of a datagram. */
struct Payload {
  GstBuffer* buffer;
  GstMemory* only;  // its memory, if there is one
  std::size_t size;
};

class UdpSender {
 public:
  UdpSender(GstPad* pad, IpHost& host) : pad_(pad), host_(host), writer_(host.output()) {}

  // ---- any thread ----

  /** Calls `change` with the settings; takes effect with the next buffer. */
  template <class Change>
  void change(Change change) {
    const std::lock_guard lock(mutex_);
    change(settings_);
    version_.fetch_add(1, std::memory_order_release);
  }
  [[nodiscard]] SenderSettings settings() const;
  [[nodiscard]] Pacer& pacer() noexcept { return pacer_; }
  /** Ends a wait, and any until resume(). */
  void interrupt() { pacer_.interrupt(); }
  void resume() { pacer_.resume(); }
  void add_stats(GstStructure* stats) const;

  // ---- streaming thread ----

  void set_segment(const GstSegment& segment) { segment_ = segment; }
  /** Both take the reference. */
  GstFlowReturn send(GstBuffer* buffer);
  GstFlowReturn send(GstBufferList* list);
  /** Before streaming. */
  void reset();
  /**
   * The stream has ended: waits until what is held for a next hop has left or is given up, for a
   * bounded time.
   */
  void drain();

  /** Under the mutex of the element. */
  bool at_eos = false;
  /** The source pad flushes with this stream. */
  std::atomic<bool> flushes_source{false};

 private:
  struct Destination {
    Destination(const IpAddress& to, std::uint16_t number) : address(to), port(number) {}

    IpAddress address;
    std::uint16_t port;
    Route::State state = Route::State::unreachable;
    std::optional<DatagramTemplate> headers;
    std::size_t longest = 0;  // payload in one packet
    std::size_t waiting = 0;  // packets since the next hop is asked for
    bool patient = false;     // it was waited for
  };

  GstFlowReturn prepare();
  bool resolve(IpHost::Lock& lock);
  [[nodiscard]] std::string pad_name() const;
  bool refuse(const Error& error);
  bool make_destinations(const SenderSettings& settings);
  void make_headers(Destination& to, const Route& route);

  GstFlowReturn send_one(GstBuffer* buffer);
  GstFlowReturn send_to(Destination& to, const Payload& payload, GstClockTime pts);
  GstFlowReturn send_whole(const Destination& to, const Payload& payload, GstClockTime pts);
  GstFlowReturn send_fragments(const Destination& to, const Payload& payload, GstClockTime pts);
  GstFlowReturn wait_for_hop(Destination& to);
  GstFlowReturn make_packets(const Destination& to, const Payload& payload);
  GstFlowReturn send_later(Destination& to, const Payload& payload, GstClockTime pts);
  GstFlowReturn send_datagram(Destination& to, const Payload& payload, GstClockTime pts);
  GstFlowReturn too_long(const Destination& to, std::size_t size);
  GstFlowReturn no_place();
  GstFlowReturn unreadable();
  template <class Send>
  GstFlowReturn for_each_fragment(const Destination& to, const Payload& payload, Send send);

  GstPad* const pad_;  // owns this
  IpHost& host_;
  mutable std::mutex mutex_;
  SenderSettings settings_;  // mutex_

  std::atomic<unsigned> version_{1};

  // Streaming thread.
  GstSegment segment_{};
  unsigned seen_version_ = 0;
  unsigned generation_ = 0;
  bool pending_ = false;  // some destination is
  std::uint16_t source_port_ = 0;
  SenderSettings used_;
  std::vector<Destination> destinations_;
  std::vector<std::byte> scratch_;
  std::vector<std::vector<std::byte>> packets_;  // that have to wait
  PacketWriter writer_;
  Pacer pacer_;
  gstcommon::Counter datagrams_, bytes_, held_, unreachable_;
};

}  // namespace ipplugin
