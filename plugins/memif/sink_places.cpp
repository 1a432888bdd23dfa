// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/memif/sink_places.hpp"

#include "gst/packet/batch.hpp"
#include "plugins/memif/gstmemifarena.hpp"
#include "plugins/memif/packet_descs.hpp"

namespace {

/** With which the base class has packets sent, and another thread leaves a link that is gone. */
class PrerollLock {
 public:
  explicit PrerollLock(GstBaseSink* sink) noexcept : sink_(sink) {
    GST_BASE_SINK_PREROLL_LOCK(sink_);
  }
  ~PrerollLock() { GST_BASE_SINK_PREROLL_UNLOCK(sink_); }
  PrerollLock(const PrerollLock&) = delete;
  PrerollLock& operator=(const PrerollLock&) = delete;

 private:
  GstBaseSink* const sink_;
};

}  // namespace

SinkPlaces::SinkPlaces(GstBaseSink* sink) : sink_(sink) {
  gstpacket::detail::offer_places(GST_BASE_SINK_PAD(sink), this);
}

GstBuffer* SinkPlaces::reserve(GstBuffer* batch, std::span<const GstPacketDesc> packets) {
  const gstmemif::Loan* from = gst_memif_arena_loan(gst_packet_batch_peek_arena(batch));
  const PrerollLock lock(sink_);
  // With several queues each packet has its own; and what is sent must not be kept.
  if (from == nullptr || queues_ == nullptr || !queues_->single() ||
      from->link() != queues_->first().link() ||
      gst_base_sink_is_last_sample_enabled(sink_) != FALSE) {
    return nullptr;
  }
  gstmemif::Loan* loan = queues_->first().lend_slots(packet_descs(packets));
  if (loan == nullptr) return nullptr;
  if (loan->link() != from->link()) {  // there is another one since
    loan->give_back();
    return nullptr;
  }
  GstBuffer* places = gst_buffer_new();
  gst_buffer_append_memory(places, gst_memif_arena_new(loan));
  GstPacketBatchMeta& meta = *gst_buffer_add_packet_batch_meta(places);
  meta.n = loan->count;
  for (guint i = 0; i < meta.n; ++i) {
    meta.packets[i] = {loan->buffers[i].offset, packets[i].length, 0, i};
  }
  return places;
}
