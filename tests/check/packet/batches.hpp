// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Batches made and read by tests, descriptor by descriptor.
 */
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "gst/packet/batch.hpp"

namespace rig {

using Bytes = std::vector<std::uint8_t>;

/** A batch of packets, which lie one behind the other. */
inline GstBuffer* make_batch(std::span<const Bytes> packets) {
  std::size_t size = 0;
  for (const Bytes& packet : packets) size += packet.size();
  GstBuffer* batch = gst_packet_batch_new(size);
  const gstpacket::BatchMap map(batch);
  guint32 offset = 0;
  for (const Bytes& packet : packets) {
    const auto length = static_cast<guint32>(packet.size());
    if (length != 0) std::memcpy(map.data() + offset, packet.data(), length);
    map.meta().packets[map.meta().n++] = {offset, length, 0, 0};
    offset += length;
  }
  return batch;
}

/** Moves the packets of `batch` from number `first` on to another batch in the same arena. */
inline GstBuffer* split_batch(GstBuffer* batch, guint first) {
  GstBuffer* rest = gst_packet_batch_new_part(batch);
  GstPacketBatchMeta* to = gst_buffer_get_packet_batch_meta(rest);
  GstPacketBatchMeta* from = gst_buffer_get_packet_batch_meta(batch);
  for (guint i = first; i < from->n; ++i) to->packets[to->n++] = from->packets[i];
  from->n = first;
  gst_packet_batch_update_size(batch);
  gst_packet_batch_update_size(rest);
  return rest;
}

/** The query function of a pad that takes batches, or does not. */
inline gboolean answer_query(GstPad* pad, GstObject* parent, GstQuery* query, bool takes_batches) {
  if (GST_QUERY_TYPE(query) != GST_QUERY_ALLOCATION || !takes_batches) {
    return gst_pad_query_default(pad, parent, query);
  }
  gst_query_add_allocation_meta(query, GST_PACKET_BATCH_META_API_TYPE, nullptr);
  return TRUE;
}

/** What a buffer holds: many packets if it is a batch, otherwise one. */
inline std::vector<Bytes> packets_of(GstBuffer* buffer) {
  if (const gstpacket::BatchMap map(buffer); map) {
    std::vector<Bytes> packets;
    for (guint i = 0; i < map.meta().n; ++i) {
      const GstPacketDesc& desc = map.meta().packets[i];
      const auto* bytes = reinterpret_cast<const std::uint8_t*>(map.bytes(desc));
      packets.emplace_back(bytes, bytes + (bytes != nullptr ? desc.length : 0));
    }
    return packets;
  }
  Bytes bytes(gst_buffer_get_size(buffer));
  if (!bytes.empty()) gst_buffer_extract(buffer, 0, bytes.data(), bytes.size());
  return {bytes};
}

}  // namespace rig
