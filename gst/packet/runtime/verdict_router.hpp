// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Private. Sends packets to the ports of their verdicts. An input whose packets all have the same
 * verdict is passed on as a whole. Otherwise the port of the first packet (the keeper) gets the
 * buffer, list or batch without the packets for others; those go into lists or, over the same
 * arena, into batches. Flooded buffers are shared by their ports as `tee` shares them. Packets of a
 * batch that go to several ports are copied, because a packet belongs to one batch.
 */
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

  /**
   * Begins a new input. `flood_to` are the ports to flood to, in ascending order. Both must remain
   * valid until clear().
   */
  void begin(const PortTable::Ports& ports, std::span<const unsigned> flood_to) {
    ports_ = &ports;
    flood_to_ = flood_to;
    if (outputs_.size() != ports.size()) outputs_.resize(ports.size());
    for (Output& output : outputs_) output.tally = {};
    flooded_ = {};
    keeper_ = kNoKeeper;
  }
  /** Distributes the packets of a closed burst of `input` and counts drops. */
  void apply_verdicts(PacketInput& input, Burst& burst);

  /** The packets for `port`, with and without flooded ones. */
  [[nodiscard]] Tally due(unsigned port) const {
    Tally tally = outputs_[port].tally;
    if (flooded_.packets != 0 && is_flooded_to(port)) tally += flooded_;
    return tally;
  }
  [[nodiscard]] const Tally& meant_for(unsigned port) const { return outputs_[port].tally; }
  /** Pushes the packets due. To be called once per port that has any; `last` for the last one. */
  GstFlowReturn push(PacketInput& input, SourcePort& port, bool last);
  /** Drops packets that were not pushed. */
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
    Tally tally;                   // without flooded packets
    std::vector<GstBuffer*> part;  // of a batch it is one
  };

  /** No packet was kept yet. */
  static constexpr std::uint8_t kNoKeeper = Verdict::kDrop;

  const ElementCore& core_;
  Counters& counters_;
  const PortTable::Ports* ports_ = nullptr;
  std::span<const unsigned> flood_to_;
  std::vector<Output> outputs_;  // by port
  Tally flooded_;
  std::uint8_t keeper_ = kNoKeeper;  // a port, or kFlood if all ports share the input
  bool is_split_ = false;
  bool shares_packets_ = false;  // some packets are in the parts of several ports
};

}  // namespace gstpacket::detail
