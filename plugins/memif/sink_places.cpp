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

GstBuffer* SinkPlaces::copy(GstBuffer* batch, const gstpacket::BatchMap& from) {
  const gstmemif::Loan* lent = gst_memif_arena_loan(gst_packet_batch_peek_arena(batch));
  const PrerollLock lock(sink_);
  // With several queues each packet has its own; and what is sent must not be kept.
  if (lent == nullptr || queues_ == nullptr || !queues_->single() ||
      gst_base_sink_is_last_sample_enabled(sink_) != FALSE) {
    return nullptr;
  }
  const guint n = from.meta().n;
  GstPacketBatchMeta& meta = batches_.next();
  gstmemif::Loan* loan = queues_->first().copy_to_slots(
      lent->link().get(), {from.data(), from.size()}, packet_descs(from.meta(), 0, n),
      packet_descs(meta, 0, n).data());
  if (loan == nullptr) return nullptr;
  meta.n = n;
  return batches_.lend(loan);
}
