// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * As master, memifsink copies packets into the slots of the peer: here an element before it can do
 * so, if it has to copy them anyway. The peer sees what is written there at once, also what is
 * dropped then: so the packets must be its own, received over the same link.
 */
#pragma once

#include <gst/base/gstbasesink.h>

#include "gst/packet/places.hpp"
#include "plugins/memif/flow_spreader.hpp"
#include "plugins/memif/rx_pool.hpp"

/** Streaming thread, and state changes while there is none. */
class SinkPlaces final : public gstpacket::detail::PacketPlaces {
 public:
  /** Offers what it has to what is linked to the pad of @p sink. */
  explicit SinkPlaces(GstBaseSink* sink);
  SinkPlaces(const SinkPlaces&) = delete;
  SinkPlaces& operator=(const SinkPlaces&) = delete;

  /** In the slots of @p queues, which must remain valid until the next call; null: none. */
  void use(FlowSpreader* queues) noexcept { queues_ = queues; }

  GstBuffer* copy(GstBuffer* batch, const gstpacket::BatchMap& from) override;

 private:
  GstBaseSink* const sink_;
  FlowSpreader* queues_ = nullptr;
  RxBatchPool batches_;
};
