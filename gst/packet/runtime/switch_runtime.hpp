// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
//
// Private. The C++ half of an element with any number of ports.
//
// Each sink pad has a Lane, which belongs to whoever holds the pad's stream lock. Lanes share
// nothing but the table of ports, which is replaced as a whole when a port comes or goes: a lane
// keeps the table it last saw and looks at one number per chain call to learn of a new one.
#pragma once

#include <gst/gst.h>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "gst/packet/burst.hpp"
#include "gst/packet/runtime/arrival.hpp"
#include "gst/packet/runtime/author.hpp"
#include "gst/packet/runtime/counters.hpp"
#include "gst/packet/runtime/outbox.hpp"

namespace gstpacket::detail {

/// Where packets leave. Any lane.
class SwitchOutlet {
 public:
  SwitchOutlet(unsigned number, GstPad* pad)
      : number_(number), pad_(static_cast<GstPad*>(gst_object_ref(pad))) {}
  ~SwitchOutlet() { gst_object_unref(pad_); }
  SwitchOutlet(const SwitchOutlet&) = delete;
  SwitchOutlet& operator=(const SwitchOutlet&) = delete;

  [[nodiscard]] unsigned number() const { return number_; }
  [[nodiscard]] GstPad* pad() const { return pad_; }
  /// Calls `push` with the pad, one lane after the other: a pad first sends the events that come
  /// before data, and a second thread would not wait for that. The peer takes one thread at a time
  /// anyway. Recursive, because a loop of links leads back here.
  template <class Push>
  auto in_turn(Push push) {
    const std::lock_guard lock(push_mutex_);
    return push(pad_);
  }
  /// Whether batches may be pushed. In turn only.
  [[nodiscard]] bool takes_batches() {
    if (gst_pad_check_reconfigure(pad_)) takes_batches_ = peer_takes_batches(pad_);
    return takes_batches_;
  }
  /// True the first time after a success.
  bool failed_now() { return !failed_.exchange(true, std::memory_order_relaxed); }
  void works() {
    if (failed_.load(std::memory_order_relaxed)) failed_.store(false, std::memory_order_relaxed);
  }

  // Several lanes count here, once per batch.
  std::atomic<std::uint64_t> packets{0};
  std::atomic<std::uint64_t> bytes{0};
  std::atomic<std::uint64_t> dropped{0};

 private:
  unsigned number_;
  GstPad* pad_;

  std::recursive_mutex push_mutex_;
  bool takes_batches_ = false;
  std::atomic<bool> failed_{false};
};

/// All outlets of a moment; never changes.
struct SwitchTable {
  std::vector<std::shared_ptr<SwitchOutlet>> outlets;  // by number; null: no src pad
};

struct SwitchCounters {
  Counters common;
  Counter flooded, port_down, loop;
  void reset() noexcept {
    common.reset();
    for (Counter* c : {&flooded, &port_down, &loop}) c->reset();
  }
  void add(const SwitchCounters& other) noexcept {
    common.add(other.common);
    flooded.add(other.flooded.get());
    port_down.add(other.port_down.get());
    loop.add(other.loop.get());
  }
};

class SwitchRuntime;

/// Where packets come in.
class Lane {
 public:
  Lane(SwitchRuntime& runtime, GstPad* pad, unsigned number);

  // With the pad's stream lock.
  template <class Load>
  GstFlowReturn receive(Load* load);
  void set_caps_known(bool known) { have_caps_ = known; }

  [[nodiscard]] unsigned number() const { return number_; }
  [[nodiscard]] GstPad* pad() const { return pad_; }
  [[nodiscard]] const SwitchCounters& counters() const { return counters_; }

 private:
  friend class SwitchRuntime;
  struct Tally {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
    void count(std::size_t size) {
      ++packets;
      bytes += size;
    }
  };

  template <class Load>
  void refuse_loop(Load* load);
  void see_ports();
  bool process_all();
  void settle_verdicts();
  Verdict settle(std::size_t i);
  void count_drop(Verdict verdict);
  void push_all();
  void push_to(SwitchOutlet& outlet, bool last);
  [[nodiscard]] Tally due(unsigned port) const;
  GstFlowReturn no_caps();

  SwitchRuntime& runtime_;
  GstPad* pad_;  // owns the lane
  unsigned number_;
  unsigned seen_ = 0;  // generation of table_
  std::shared_ptr<const SwitchTable> table_;
  std::vector<unsigned> others_;  // the outlets of all other ports
  Burst burst_{Access::read};
  Outbox outbox_;
  std::vector<Tally> tallies_;  // by port, without what is flooded
  Tally flooded_;
  SwitchCounters counters_;
  bool have_caps_ = false;
  bool busy_ = false;
  bool eos_ = false;  // ports_mutex_ of the runtime
};

class SwitchRuntime final : public Author {
 public:
  SwitchRuntime(GstElement* element, const ElementClass& cls);

  // Pads come and go in any thread.
  /// The number a new pad gets: the one asked for, or the lowest that is free in this direction.
  /// Negative if it is taken or too large.
  [[nodiscard]] int choose_number(GstPadDirection direction, const char* name) const;
  void add_sink(GstPad* pad, unsigned number);
  void add_source(GstPad* pad, unsigned number);
  void remove(GstPad* pad);
  /// Gives a source pad that begins the events that come before data.
  void prepare_source(GstPad* pad, unsigned number);
  [[nodiscard]] bool running() const { return running_.load(std::memory_order_acquire); }

  // Events of a lane.
  bool accept_caps(GstCaps* caps) const;
  void stream_starts(Lane& lane);
  void end_of_stream(Lane& lane);

  bool start() override;
  void stop() override;
  [[nodiscard]] GstStructure* stats() const override;

 private:
  friend class Lane;
  using Outlets = std::vector<std::shared_ptr<SwitchOutlet>>;

  [[nodiscard]] Outlets outlets_if_all_ended();
  void push_eos(const Outlets& outlets);
  void publish(Outlets outlets);

  mutable std::mutex ports_mutex_;
  std::map<unsigned, Lane*> lanes_;  // by port; each lives as long as its pad is here
  std::shared_ptr<const SwitchTable> table_ = std::make_shared<SwitchTable>();
  std::atomic<unsigned> generation_{1};
  SwitchCounters retired_;  // of lanes that are gone
  bool ended_ = false;      // EOS was pushed; ports_mutex_
  std::string stream_prefix_;
  guint group_id_ = gst_util_group_id_next();
  std::atomic<bool> running_{false};
};

}  // namespace gstpacket::detail
