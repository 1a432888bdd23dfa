// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * What the pads of an iphost share: the host with its mutex, the way out, and the thread that sends
 * what is due while nothing else happens.
 */
#pragma once

#include <gst/gst.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "plugins/ip/host_settings.hpp"
#include "plugins/ip/own_packets.hpp"
#include "plugins/ip/packet_output.hpp"
#include "plugins/ip/packet_writer.hpp"
#include "plugins/ip/stack/host.hpp"

namespace ipplugin {

class UdpReceiver;

/** Monotonic, in nanoseconds. */
[[nodiscard]] GstClockTime monotonic_time() noexcept;

/** Any thread, unless said otherwise. The element must outlive streaming. */
class IpHost {
 public:
  IpHost(GstElement* element, GstPad* source);
  ~IpHost();
  IpHost(const IpHost&) = delete;
  IpHost& operator=(const IpHost&) = delete;

  /**
   * The host, locked: taken once per burst. When it goes, the thread learns what is due, and
   * conflicts are told.
   */
  class Lock {
   public:
    explicit Lock(IpHost& owner);
    ~Lock();
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;

    /** Whether there is a host: from the time on that the link type is known until the stop. */
    explicit operator bool() const noexcept { return owner_.running_ && owner_.host_; }
    Host* operator->() const noexcept { return &*owner_.host_; }
    [[nodiscard]] Output& output() const noexcept { return owner_.own_; }
    [[nodiscard]] GstClockTime now() const noexcept { return now_; }

   private:
    IpHost& owner_;
    std::unique_lock<std::mutex> lock_;
    GstClockTime now_;
  };

  // ---- state changes ----

  /** False, and an error is posted, if the settings make no host. */
  bool start(const HostSettings& settings, bool fragment);
  /** When the pads have stopped. */
  void stop();

  [[nodiscard]] bool running() const {
    const std::lock_guard lock(mutex_);
    return running_;
  }

  // ---- the link ----

  /**
   * Packets of this type come, or are to be sent: makes the host if there is none yet. False, with
   * an error posted, if the type is another one than before.
   */
  bool use_link_type(LinkType type);
  /** The same for what is behind the source pad; for senders. */
  bool find_link_type();
  /** Packets flow, so the link must be up, unless we are told of it. */
  void see_traffic() {
    if (link_.load(std::memory_order_relaxed) == Link::unknown) set_link(true, false);
  }
  /** News of the link. */
  void tell_link(bool up) { set_link(up, true); }

  // ---- settings of the present run ----

  [[nodiscard]] unsigned mtu() const noexcept { return config_.mtu; }
  [[nodiscard]] bool fragments() const noexcept { return fragment_; }
  /** Whether an address or gateway is there for it, used or not. */
  [[nodiscard]] bool may_reach(const IpAddress& to) const noexcept;
  /** For the fragments of a datagram. */
  [[nodiscard]] std::uint32_t next_identification() noexcept { return identification_++; }
  /** A source port that no other pad got. */
  [[nodiscard]] std::uint16_t next_port() noexcept;

  // ---- receivers ----

  /** Binds it when there is a host; false, with an error posted, if that cannot be. */
  bool add(const std::shared_ptr<UdpReceiver>& receiver);
  void remove(const UdpReceiver& receiver);
  /** Its port or group is another one now. */
  bool bind_again(const std::shared_ptr<UdpReceiver>& receiver);
  /** With the lock: that of a binding; null if it is gone. */
  [[nodiscard]] const std::shared_ptr<UdpReceiver>* bound(unsigned binding) const {
    return binding < bound_.size() && bound_[binding] ? &bound_[binding] : nullptr;
  }
  /** A receiver whose pad is kept, too. */
  struct Held {
    std::shared_ptr<UdpReceiver> receiver;
    std::unique_ptr<GstPad, void (*)(void*)> pad;
  };
  /** All there are. */
  [[nodiscard]] std::vector<Held> receivers() const;

  /** Whether any pad for sending is there. */
  [[nodiscard]] bool has_senders() const noexcept { return senders_.load() != 0; }
  void count_sender(int change) noexcept { senders_ += change; }

  // ---- sending ----

  [[nodiscard]] PacketOutput& output() noexcept { return output_; }
  /** Sends what the host itself has to send, unless another thread is about to. */
  void send_own() {
    if (own_waits_.load(std::memory_order_relaxed)) send_own_packets(false);
  }
  /** The same, and waits for another thread that is at it: for packets that have to leave before.
   */
  void send_own_before() { send_own_packets(true); }
  /** Time-outs of receivers have changed. */
  void wake();

  [[nodiscard]] GstElement* element() const noexcept { return element_; }
  /** Fields of the host itself. */
  void add_stats(GstStructure* stats) const;

 private:
  enum class Link { unknown, up, down };

  void set_link(bool up, bool told);
  bool make_host(LinkType type);
  Result<void> bind(const std::shared_ptr<UdpReceiver>& receiver, Lock& lock);
  void unbind(const UdpReceiver& receiver, Lock& lock);
  bool check_bound(const UdpReceiver& receiver, const Result<void>& bound) const;
  void send_own_packets(bool wait);
  void run();
  GstClockTime tick();
  GstClockTime tell_timeouts(GstClockTime now);
  void tell(const std::vector<Conflict>& conflicts) const;

  GstElement* const element_;
  PacketOutput output_;
  HostConfig config_;      // from start() on
  bool fragment_ = false;  // the same
  std::atomic<Link> link_{Link::unknown};
  std::atomic<int> senders_{0};
  std::atomic<std::uint32_t> identification_;
  std::atomic<std::uint16_t> port_;

  mutable std::mutex mutex_;  // guards what follows
  std::optional<Host> host_;  // kept after a stop, for what it has counted
  std::optional<LinkType> link_type_;
  bool running_ = false;
  OwnPackets own_;
  std::vector<std::shared_ptr<UdpReceiver>> receivers_;
  std::vector<std::shared_ptr<UdpReceiver>> bound_;  // by binding
  std::atomic<bool> own_waits_{false};               // written with it

  mutable std::mutex own_turn_;  // guards what follows
  OwnPackets own_sending_;
  PacketWriter own_writer_;
  std::uint64_t own_unsent_ = 0;

  std::thread thread_;
  std::mutex thread_mutex_;  // guards what follows
  std::condition_variable thread_wakes_;
  bool thread_stops_ = false;
  bool thread_has_work_ = false;
  std::atomic<GstClockTime> thread_due_{GST_CLOCK_TIME_NONE};
};

}  // namespace ipplugin
