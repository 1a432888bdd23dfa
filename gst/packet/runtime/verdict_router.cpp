// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/packet/runtime/verdict_router.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "gst/packet/batch.hpp"
#include "gst/packet/runtime/element_core.hpp"

namespace gstpacket::detail {
namespace {

/** As one buffer or one list; empties `buffers`. */
GstFlowReturn push_buffers(GstPad* pad, std::vector<GstBuffer*>& buffers) {
  if (buffers.size() == 1) {
    GstBuffer* buffer = buffers.front();
    buffers.clear();
    return gst_pad_push(pad, buffer);
  }
  GstBufferList* list = gst_buffer_list_new_sized(static_cast<guint>(buffers.size()));
  for (GstBuffer* buffer : buffers) gst_buffer_list_add(list, buffer);
  buffers.clear();
  return gst_pad_push_list(pad, list);
}

}  // namespace

// ---- verdicts ---------------------------------------------------------------------------------

void VerdictRouter::apply_verdicts(PacketInput& input, Burst& burst) {
  const std::uint8_t port = burst.verdict(0).port;
  if (burst.is_uniform() && leads_somewhere(port) && (keeper_ == kNoKeeper || keeper_ == port))
      [[likely]] {
    keeper_ = port;
    count(port, {burst.size(), burst.bytes_out()});
    return;
  }
  split(input, burst);
}

void VerdictRouter::count(std::uint8_t port, const Tally& tally) {
  if (port != Verdict::kFlood) {
    outputs_[port].tally += tally;
    return;
  }
  flooded_ += tally;
  counters_[Count::flooded].add(tally.packets);
}

/** The verdict, or drop() if it cannot be carried out; counts drops. */
Verdict VerdictRouter::check(Verdict verdict) {
  if (verdict == kUnreadable) {
    counters_[Count::drop_unreadable].add(1);
  } else if (verdict.port == Verdict::kDrop) {
    if (verdict.reason < kMaxEnumerators) counters_.reason(verdict.reason).add(1);
  } else if (leads_somewhere(verdict.port)) {
    return verdict;
  } else {
    counters_[Count::drop_unlinked].add(1);
    if (core_.shape() == Shape::filter) {
      GST_CAT_ERROR_OBJECT(core_.cls().category, core_.element(),
                           "no source pad %u: packet dropped", verdict.port);
    }
  }
  counters_[Count::dropped].add(1);
  return drop();
}

void VerdictRouter::split(PacketInput& input, Burst& burst) {
  std::size_t left = 0;
  for (std::size_t i = 0; i < burst.size(); ++i) {
    Verdict& verdict = burst.verdicts()[i];
    verdict = check(verdict);
    if (verdict.port == Verdict::kDrop) continue;
    count(verdict.port, {1, burst.length(i)});
    ++left;
  }
  // Before descriptors are moved. A copy has others than the burst, which is not used from here on.
  if (input.is_batch() && left != 0) input.own_batch();
  std::array<bool, Burst::kCapacity> kept;
  for (std::size_t i = 0; i < burst.size(); ++i) {
    const std::uint8_t port = burst.verdict(i).port;
    if (keeper_ == kNoKeeper) keeper_ = port;
    if (keeper_ == Verdict::kFlood && port < Verdict::kFlood) {
      // The input can no longer be shared: the last port keeps it.
      keeper_ = static_cast<std::uint8_t>(flood_to_.back());
      for (std::size_t before = 0; before < input.first() + i; ++before) {
        if (before < input.first() || kept[before - input.first()]) {
          place(input, before, Verdict::kFlood);
        }
      }
    }
    kept[i] = place(input, input.first() + i, port);
  }
  input.keep(std::span(kept).first(burst.size()));
}

/** Whether packet `i` stays in the input. */
bool VerdictRouter::place(PacketInput& input, std::size_t i, std::uint8_t port) {
  if (port == Verdict::kDrop) return false;
  if (port == keeper_) return true;
  if (port != Verdict::kFlood) {
    hand_to(port, input, i);
    return false;
  }
  is_split_ = shares_packets_ = true;
  for (const unsigned to : flood_to_) {
    if (to != keeper_) hand_to(to, input, i);
  }
  return is_flooded_to(keeper_);
}

void VerdictRouter::hand_to(unsigned port, PacketInput& input, std::size_t i) {
  is_split_ = true;
  std::vector<GstBuffer*>& part = outputs_[port].part;
  if (!input.is_batch()) {
    part.push_back(gst_buffer_ref(input.buffer(i)));
    return;
  }
  GstBuffer* batch = input.buffer(0);
  if (batch == nullptr) return;
  if (part.empty()) part.push_back(gst_packet_batch_new_part(batch));
  GstPacketBatchMeta* to = gst_buffer_get_packet_batch_meta(part.front());
  to->packets[to->n++] = gst_buffer_get_packet_batch_meta(batch)->packets[i];
}

bool VerdictRouter::is_flooded_to(unsigned port) const {
  return std::ranges::binary_search(flood_to_, port);
}

// ---- pads -------------------------------------------------------------------------------------

GstFlowReturn VerdictRouter::push(PacketInput& input, SourcePort& port, bool last) {
  const bool for_all = keeper_ == Verdict::kFlood;
  if (!for_all && keeper_ != port.number()) return push_part(input, port, last);
  const bool take = last || !for_all;
  if (!input.is_batch()) return input.push(port.pad(), take);
  return push_batch(input.take_batch(take), port, shares_packets_ && !last);
}

GstFlowReturn VerdictRouter::push_part(const PacketInput& input, SourcePort& port, bool last) {
  std::vector<GstBuffer*>& part = outputs_[port.number()].part;
  if (!input.is_batch()) return push_buffers(port.pad(), part);
  if (part.empty()) return GST_FLOW_ERROR;  // there was no memory
  GstBuffer* batch = part.front();
  part.clear();
  gst_packet_batch_update_size(batch);
  return push_batch(batch, port, shares_packets_ && !last);
}

/** `shares_packets`: flooded packets are also in batches that are yet to be pushed. */
GstFlowReturn VerdictRouter::push_batch(GstBuffer* batch, SourcePort& port, bool shares_packets) {
  if (batch == nullptr) return GST_FLOW_ERROR;  // there was no memory
  if (!port.takes_batches()) {
    count_copies(batch);
    return gst_pad_push_list(port.pad(), gst_packet_batch_unpack(batch));
  }
  if (shares_packets && is_flooded_to(port.number())) {
    GstBuffer* own = gst_packet_batch_copy(batch, 0, 0);
    gst_buffer_unref(batch);
    if (own == nullptr) return GST_FLOW_ERROR;
    count_copies(own);
    batch = own;
  }
  return gst_pad_push(port.pad(), batch);
}

void VerdictRouter::count_copies(GstBuffer* batch) {
  counters_[Count::copies].add(gst_buffer_get_packet_batch_meta(batch)->n);
}

void VerdictRouter::drop_parts() noexcept {
  is_split_ = shares_packets_ = false;
  for (Output& output : outputs_) {
    for (GstBuffer* buffer : output.part) gst_buffer_unref(buffer);
    output.part.clear();
  }
}

}  // namespace gstpacket::detail
