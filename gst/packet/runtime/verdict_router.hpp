// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
//
// Private. Brings packets to the pads that verdicts name. As long as all verdicts are the same, an
// input is passed on as it came. When they part, the port of the first packet keeps the buffer,
// list or batch with what is left in it; the others get lists, or batches in the same arena.
// Buffers are only handed on: a flooded one is shared by its ports as `tee` shares it. Only packets
// of a batch that several ports get are copied, for they belong to one buffer.
#pragma once

#include <gst/gst.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "gst/packet/burst.hpp"
#include "gst/packet/runtime/counters.hpp"
#include "gst/packet/runtime/packet_input.hpp"
#include "gst/packet/runtime/port_table.hpp"

namespace gstpacket::detail {

class ElementCore;

class VerdictRouter {
 public:
  VerdictRouter(const ElementCore& core, Counters& counters) : core_(core), counters_(counters) {}
  ~VerdictRouter() { clear(); }
  VerdictRouter(const VerdictRouter&) = delete;
  VerdictRouter& operator=(const VerdictRouter&) = delete;

  /// Begins a new input. What is flooded goes to all of `flood_to`, which are in order and in
  /// `ports`. Both must stay until clear().
  void begin(const PortTable::Ports& ports, std::span<const unsigned> flood_to) {
    ports_ = &ports;
    flood_to_ = flood_to;
    if (outputs_.size() != ports.size()) outputs_.resize(ports.size());
    for (Output& output : outputs_) output.tally = {};
    flooded_ = {};
    keeper_ = kNobody;
  }
  /// Does what the verdicts on a closed burst of `input` say, and counts what is dropped.
  void apply_verdicts(PacketInput& input, Burst& burst);

  /// What goes to `port`, and what of it is meant for that port alone.
  [[nodiscard]] Tally due(unsigned port) const {
    Tally tally = outputs_[port].tally;
    if (flooded_.packets != 0 && is_flooded_to(port)) tally += flooded_;
    return tally;
  }
  [[nodiscard]] const Tally& meant_for(unsigned port) const { return outputs_[port].tally; }
  /// Pushes what is due. To be called once for each such port; `last` if none comes after it.
  GstFlowReturn push(PacketInput& input, SourcePort& port, bool last);
  /// Drops what was not pushed.
  void clear() noexcept {
    if (is_split_) drop_parts();
  }

 private:
  [[nodiscard]] bool leads_somewhere(std::uint8_t port) const {
    return port == Verdict::kFlood ? !flood_to_.empty()
                                   : port < ports_->size() && (*ports_)[port] != nullptr;
  }
  [[nodiscard]] bool is_flooded_to(unsigned port) const;
  void drop_parts() noexcept;
  void count(std::uint8_t port, const Tally& tally);
  Verdict check(Verdict verdict);
  void split(PacketInput& input, Burst& burst);
  bool place(PacketInput& input, std::size_t i, std::uint8_t port);
  void hand_to(unsigned port, PacketInput& input, std::size_t i);
  GstFlowReturn push_part(const PacketInput& input, SourcePort& port, bool last);
  void count_copies(GstBuffer* batch);
  GstFlowReturn push_batch(GstBuffer* batch, SourcePort& port, bool shares_packets);

  struct Output {
    Tally tally;                   // without what is flooded
    std::vector<GstBuffer*> part;  // of a batch it is one
  };

  /// Not a port, nor Verdict::kFlood: nothing was kept yet.
  static constexpr std::uint8_t kNobody = Verdict::kDrop;

  const ElementCore& core_;
  Counters& counters_;
  const PortTable::Ports* ports_ = nullptr;
  std::span<const unsigned> flood_to_;
  std::vector<Output> outputs_;  // by port
  Tally flooded_;
  std::uint8_t keeper_ = kNobody;  // who gets what is left in the input: a port, or all by kFlood
  bool is_split_ = false;
  bool shares_packets_ = false;  // some of what was split goes to several ports
};

}  // namespace gstpacket::detail
