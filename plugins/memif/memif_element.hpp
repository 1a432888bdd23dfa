// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The common part of memifsrc and memifsink: properties, membership of an interface, link messages,
 * statistics.
 */
#pragma once

#include <gst/gst.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "gst/memif/queue_user.hpp"
#include "plugins/memif/news_limit.hpp"
#include "plugins/memif/shared_interface.hpp"

class LinkObserver;

/**
 * Numbers of the common properties: those of the table of settings, then these. Each element goes
 * on from kPropCommonLast.
 */
enum MemifProperty : guint {
  kPropFirstSetting = 1,
  kPropQueue = 100,
  kPropMainContext,
  kPropLinkUp,
  kPropPeerName,
  kPropLink,
  kPropStats,
  kPropCommonLast
};

/** The common part of an element; one is owned by each. Thread-safe. */
class MemifElement {
 public:
  enum class Direction { receive, send };
  /**
   * Leaves a link that is gone, and with it its memory, without waiting: false if the streaming
   * thread is at work just now. Any thread.
   */
  using LeaveLink = bool (*)(GstElement*);

  MemifElement(GstElement* element, Direction direction, LeaveLink leave_link);
  ~MemifElement();
  MemifElement(const MemifElement&) = delete;

  /** Adds the common properties to an element class. */
  static void install_properties(GObjectClass* klass, Direction direction);

  /** False if the property is not one of the common ones. */
  bool set_property(guint id, const GValue* value);
  bool get_property(guint id, GValue* value);

  /** NULL to READY: joins the interface; posts an error and returns false if that cannot be. */
  bool join();
  /** READY to NULL. */
  void leave();
  /** READY to PAUSED: starts the interface. Posts an error and returns null if that cannot be. */
  std::shared_ptr<gstmemif::Interface> start();
  /** PAUSED to READY. The element's receiver or senders must be gone. */
  void stop();

  /** The number of a queue; a sender may have -1, for all. Not checked. */
  std::int64_t queue() const;
  /** Nothing while it is open: not set here, and the other end was not asked yet. */
  std::optional<gstmemif::Mode> mode() const;

  /** Posts @p error as an element error. */
  void post_error(const gstmemif::Error& error) const;
  /** Caps of the packets of the mode, fixed once that is known; transfer full. */
  GstCaps* packet_caps() const;
  /** Adds the counters of the queues that the element uses to @p sum. */
  void add_counters(gstmemif::QueueStats& sum);
  /**
   * Warns if the link has fewer queues than this element's number asks for: once per link, but as
   * often as people can read.
   */
  void check_queue(const gstmemif::QueueUser& user, bool has_queue);

 private:
  bool settings_changed() const;
  void get_setting(const gstmemif::SettingInfo& info, GValue* value) const;
  GstStructure* stats();
  GstStructure* link();
  /** Null unless it is started. */
  std::shared_ptr<gstmemif::Interface> interface() const;
  gstmemif::RingFill ring_fill(const gstmemif::Interface* interface, std::uint32_t queue) const;
  template <class Call>
  std::shared_ptr<gstmemif::InterfaceStats> for_each_queue(Call call);
  std::uint32_t queue_count(const gstmemif::Settings& settings) const {
    return direction_ == Direction::receive ? settings.rx_queues : settings.tx_queues;
  }

  GstElement* const element_;
  const Direction direction_;
  const LeaveLink leave_link_;
  mutable std::mutex mutex_;
  gstmemif::PartialSettings given_;
  MainContext main_context_;
  bool changed_ = false;  // they are not those that the interface was joined with
  std::int64_t queue_ = 0;
  std::shared_ptr<gstmemif::Interface> interface_;
  std::int64_t used_queue_ = 0;  // with interface_ and stats_; queue_ may be for the next start
  std::shared_ptr<gstmemif::InterfaceStats> stats_;  // stays readable after stop()
  std::uint32_t stats_queues_ = 0;                   // how many there are of our direction
  std::unique_ptr<Membership> membership_;
  std::shared_ptr<LinkObserver> observer_;
  // Streaming thread only.
  std::weak_ptr<gstmemif::Link> warned_link_;
  NewsLimit queue_warnings_;
};

GType gst_memif_role_get_type(void);
GType gst_memif_mode_get_type(void);
GType gst_memif_unsealed_memory_get_type(void);
