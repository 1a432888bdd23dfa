// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
//
// The data path of a switch: one batch from one port to the others.
#include "gst/packet/batch.hpp"
#include "gst/packet/runtime/switch_runtime.hpp"

namespace gstpacket::detail {

Lane::Lane(SwitchRuntime& runtime, GstPad* pad, unsigned number)
    : runtime_(runtime), pad_(pad), number_(number) {}

template <class Load>
GstFlowReturn Lane::receive(Load* load) {
  // The stream lock is recursive: only this very thread can come back here, through a loop of
  // links that would never end.
  if (busy_) [[unlikely]] {
    refuse_loop(load);
    return GST_FLOW_OK;
  }
  if (!have_caps_) [[unlikely]] {
    gst_mini_object_unref(GST_MINI_OBJECT_CAST(load));
    return no_caps();
  }
  busy_ = true;
  see_ports();
  flooded_ = {};
  for (Tally& tally : tallies_) tally = {};
  outbox_.load(load, table_->outlets.size(), others_);
  const bool done = process_all();
  counters_.common.batches.add(1);
  if (done) push_all();
  counters_.common.copies.add(outbox_.take_copies());
  outbox_.clear();
  busy_ = false;
  return done ? GST_FLOW_OK : GST_FLOW_ERROR;
}

template GstFlowReturn Lane::receive(GstBuffer*);
template GstFlowReturn Lane::receive(GstBufferList*);

template <class Load>
void Lane::refuse_loop(Load* load) {
  guint64 packets = 1;
  if constexpr (std::is_same_v<Load, GstBufferList>) {
    packets = gst_buffer_list_length(load);
  } else if (const auto* batch = gst_buffer_get_packet_batch_meta(load)) {
    packets = batch->n;
  }
  counters_.loop.add(packets);
  counters_.common.dropped.add(packets);
  GST_CAT_WARNING_OBJECT(runtime_.cls().category, pad_,
                         "packets came back while they were sent: the ports are linked in a loop");
  gst_mini_object_unref(GST_MINI_OBJECT_CAST(load));
}

void Lane::see_ports() {
  if (runtime_.generation_.load(std::memory_order_acquire) == seen_) return;
  {
    const std::lock_guard lock(runtime_.ports_mutex_);
    table_ = runtime_.table_;
    seen_ = runtime_.generation_.load(std::memory_order_relaxed);
  }
  others_.clear();
  for (const auto& outlet : table_->outlets) {
    if (outlet && outlet->number() != number_) others_.push_back(outlet->number());
  }
  tallies_.resize(table_->outlets.size());
}

bool Lane::process_all() {
  const ElementSpec& spec = runtime_.spec();
  for (;;) {
    burst_.clear();
    outbox_.open(burst_);
    if (burst_.size() == 0) return true;
    counters_.common.packets_in.add(burst_.size());
    const bool done = guarded(runtime_.element(), "process()",
                              [&] { spec.process(runtime_.object(), burst_, number_); });
    if (done) settle_verdicts();
    burst_.close();
    counters_.common.bytes_in.add(burst_.bytes_in());
    counters_.common.copies.add(burst_.take_copies());
    if (!done) return false;
    outbox_.take(burst_);
  }
}

void Lane::settle_verdicts() {
  std::uint64_t flooded = 0;
  for (std::size_t i = 0; i < burst_.size(); ++i) {
    const Verdict verdict = burst_.verdicts()[i] = settle(i);
    const std::size_t size = burst_.length(i);
    if (verdict.port == Verdict::kFlood) {
      ++flooded;
      flooded_.count(size);
    } else if (verdict.port != Verdict::kDrop) {
      tallies_[verdict.port].count(size);
    }
  }
  counters_.flooded.add(flooded);
}

/// What can be done of what was decided about packet `i`.
Verdict Lane::settle(std::size_t i) {
  const Verdict verdict = burst_.verdict(i);
  if (verdict == kUnreadable) [[unlikely]] {
    counters_.common.unreadable.add(1);
    count_drop(drop());
    return drop();
  }
  if (verdict.port == Verdict::kDrop) {
    count_drop(verdict);
    return drop();
  }
  const auto& outlets = table_->outlets;
  const bool somewhere = verdict.port == Verdict::kFlood
                             ? !others_.empty()
                             : verdict.port < outlets.size() && outlets[verdict.port];
  if (somewhere) return verdict;
  counters_.common.unlinked.add(1);
  count_drop(drop());
  return drop();
}

void Lane::count_drop(Verdict verdict) {
  counters_.common.dropped.add(1);
  if (verdict.reason < runtime_.spec().reasons.size()) {
    counters_.common.reasons[verdict.reason].add(1);
  }
}

Lane::Tally Lane::due(unsigned port) const {
  Tally tally = tallies_[port];
  if (port != number_) {
    tally.packets += flooded_.packets;
    tally.bytes += flooded_.bytes;
  }
  return tally;
}

void Lane::push_all() {
  SwitchOutlet* previous = nullptr;
  for (const auto& outlet : table_->outlets) {
    if (!outlet || due(outlet->number()).packets == 0) continue;
    if (previous != nullptr) push_to(*previous, false);
    previous = outlet.get();
  }
  if (previous != nullptr) push_to(*previous, true);
}

void Lane::push_to(SwitchOutlet& outlet, bool last) {
  const Tally tally = due(outlet.number());
  const GstFlowReturn flow = outlet.in_turn([&](GstPad* pad) {
    return outbox_.push(pad, outlet.number(), outlet.takes_batches(), last);
  });
  if (flow == GST_FLOW_OK) [[likely]] {
    counters_.common.packets_out.add(tally.packets);
    counters_.common.bytes_out.add(tally.bytes);
    outlet.packets.fetch_add(tally.packets, std::memory_order_relaxed);
    outlet.bytes.fetch_add(tally.bytes, std::memory_order_relaxed);
    outlet.works();
    return;
  }
  // A port that takes nothing is no reason to stop the others, or whoever sends to them.
  const std::uint64_t meant = tallies_[outlet.number()].packets;
  if (flow == GST_FLOW_NOT_LINKED) {
    // Copies of flooded packets are not missed where nobody is.
    counters_.common.unlinked.add(meant);
    counters_.common.dropped.add(meant);
    outlet.dropped.fetch_add(meant, std::memory_order_relaxed);
    return;
  }
  counters_.port_down.add(tally.packets);
  counters_.common.dropped.add(tally.packets);
  outlet.dropped.fetch_add(tally.packets, std::memory_order_relaxed);
  if (flow < GST_FLOW_EOS && outlet.failed_now()) {
    GST_ELEMENT_WARNING(runtime_.element(), STREAM, FAILED,
                        ("Port %u takes no packets (%s): they are dropped. The other ports go on. "
                         "Look for what failed behind src_%u.",
                         outlet.number(), gst_flow_get_name(flow), outlet.number()),
                        (nullptr));
  }
}

GstFlowReturn Lane::no_caps() {
  GST_ELEMENT_ERROR(runtime_.element(), CORE, NEGOTIATION,
                    ("Packets arrived on sink_%u without caps. Set application/x-packet, "
                     "link-type=%s on the source, or put a capsfilter behind it.",
                     number_, link_type_name(runtime_.spec().link_types.front())),
                    ("no CAPS event before the first buffer"));
  return GST_FLOW_NOT_NEGOTIATED;
}

}  // namespace gstpacket::detail
