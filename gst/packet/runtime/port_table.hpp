// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Private. The source pads of an element. The table is replaced as a whole when a pad comes or
 * goes; a data path keeps the table it last saw and compares one number to notice a new one.
 */
#pragma once

#include <gst/gst.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "gst/packet/runtime/counters.hpp"

namespace gstpacket::detail {

/** Whether what is linked to `pad` takes batches: an ALLOCATION query. */
[[nodiscard]] bool peer_takes_batches(GstPad* pad, GstCaps* caps);

class SourcePort {
 public:
  /** What a port is to its element. */
  enum class Use {
    plain,
    counted,  // with counts of its own
    shared,   // so, and several threads push here
  };
  SourcePort(unsigned number, GstPad* pad, Use use)
      : number_(number), pad_(static_cast<GstPad*>(gst_object_ref(pad))), use_(use) {}
  ~SourcePort() { gst_object_unref(pad_); }
  SourcePort(const SourcePort&) = delete;
  SourcePort& operator=(const SourcePort&) = delete;

  [[nodiscard]] unsigned number() const { return number_; }
  [[nodiscard]] GstPad* pad() const { return pad_; }
  /**
   * Calls `push`, in one thread at a time if the port is shared: a pad first sends its sticky
   * events, and a second thread would not wait for them.
   */
  template <class Push>
  auto in_turn(Push push) {
    std::unique_lock lock(push_mutex_, std::defer_lock);
    if (use_ == Use::shared) lock.lock();
    return push();
  }
  /** Whether batches may be pushed. To be called in turn. */
  [[nodiscard]] bool takes_batches() {
    // The flag first: clearing it takes a lock.
    if (GST_PAD_NEEDS_RECONFIGURE(pad_)) ask_peer();
    return takes_batches_;
  }
  /** True the first time after a success. */
  bool failed_now() { return !failed_.exchange(true, std::memory_order_relaxed); }

  // Counts, unless the port is plain.
  void count_out(const Tally& tally) {
    if (use_ == Use::plain) return;
    packets_.fetch_add(tally.packets, std::memory_order_relaxed);
    bytes_.fetch_add(tally.bytes, std::memory_order_relaxed);
    if (failed_.load(std::memory_order_relaxed)) failed_.store(false, std::memory_order_relaxed);
  }
  void count_dropped(std::uint64_t packets) {
    if (use_ != Use::plain) dropped_.fetch_add(packets, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t packets() const { return packets_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }
  void reset_counts() { packets_ = bytes_ = dropped_ = 0; }

 private:
  void ask_peer();

  unsigned number_;
  GstPad* pad_;
  Use use_;
  bool takes_batches_ = false;
  std::atomic<bool> failed_{false};
  // Several threads count here, once per input.
  std::atomic<std::uint64_t> packets_{0};
  std::atomic<std::uint64_t> bytes_{0};
  std::atomic<std::uint64_t> dropped_{0};
  std::recursive_mutex push_mutex_;  // a loop of links leads back here
};

class PortTable {
 public:
  /** By number; null: no source pad. Never changes. */
  using Ports = std::vector<std::shared_ptr<SourcePort>>;
  struct View {
    std::shared_ptr<const Ports> ports;
    unsigned generation = 0;
  };

  // Any thread.
  void add(std::shared_ptr<SourcePort> port);
  /** Null if it is not there. */
  std::shared_ptr<SourcePort> remove(GstPad* pad);
  [[nodiscard]] std::shared_ptr<const Ports> ports() const;
  [[nodiscard]] bool has(std::size_t number) const {
    const auto all = ports();
    return number < all->size() && (*all)[number] != nullptr;
  }
  /** True if the table has changed. */
  bool update(View& view) const {
    return generation_.load(std::memory_order_acquire) != view.generation && replace(view);
  }

 private:
  bool replace(View& view) const;
  void publish(Ports ports);

  mutable std::mutex mutex_;
  std::shared_ptr<const Ports> ports_ = std::make_shared<Ports>();
  std::atomic<unsigned> generation_{1};
};

}  // namespace gstpacket::detail
