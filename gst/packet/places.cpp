// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/packet/places.hpp"

#include <algorithm>

#include "gst/common/copy.hpp"
#include "gst/packet/arena.hpp"
#include "gst/packet/batch.hpp"

namespace gstpacket::detail {
namespace {

// Smaller batches are not worth the way to the places: a copy of them stays in the core's own
// cache, and is in a batch that is used again.
constexpr gsize kLeastBytes = 4096;

GQuark places_quark() {
  static const GQuark quark = g_quark_from_static_string("gstpacket-places");
  return quark;
}

/** A probe may keep what passes, or hand it to others. */
bool has_probes(GstPad* pad) {
  GST_OBJECT_LOCK(pad);
  const bool has = pad->num_probes != 0;
  GST_OBJECT_UNLOCK(pad);
  return has;
}

/** And none of them empty: there is something to send in each place. */
bool all_readable(const BatchMap& from) {
  return std::ranges::all_of(
      std::span(from.meta().packets, from.meta().n),
      [&](const GstPacketDesc& d) { return d.length != 0 && lies_within(d, from.size()); });
}

void fill(const BatchMap& from, const BatchMap& to) {
  // In locals: the packets are written over memory that could be a map's.
  const GstPacketDesc* const packets = from.meta().packets;
  GstPacketDesc* const copies = to.meta().packets;
  const guint n = from.meta().n;
  const std::byte* const arena = from.data();
  std::byte* const start = to.data();
  std::uint64_t bytes = 0;
  for (guint i = 0; i < n; ++i) {
    constexpr guint kAhead = 4;
    if (i + kAhead < n) {
      __builtin_prefetch(arena + packets[i + kAhead].offset);
      __builtin_prefetch(start + copies[i + kAhead].offset, 1);
    }
    gstcommon::copy_packet(start + copies[i].offset, arena + packets[i].offset, packets[i].length);
    copies[i].delay = packets[i].delay;
    bytes += packets[i].length;
  }
  set_packet_bytes(to.arena(), bytes);
}

GstBuffer* copy_to(PacketPlaces& places, GstBuffer* batch) {
  const BatchMap from(batch);
  if (!from || !all_readable(from)) return nullptr;
  GstBuffer* copy = places.reserve(batch, {from.meta().packets, from.meta().n});
  if (copy == nullptr) return nullptr;
  fill(from, BatchMap(copy));
  copy_flags_and_time(copy, batch);
  return copy;
}

}  // namespace

void offer_places(GstPad* pad, PacketPlaces* places) {
  g_object_set_qdata(G_OBJECT(pad), places_quark(), places);
}

GstBuffer* copy_to_places(GstPad* pad, GstBuffer* batch) {
  if (gst_buffer_n_memory(batch) != 1 || gst_buffer_peek_memory(batch, 0)->size < kLeastBytes ||
      has_probes(pad)) {
    return nullptr;
  }
  GstPad* peer = gst_pad_get_peer(pad);
  if (peer == nullptr) return nullptr;
  GstBuffer* copy = nullptr;
  // A pad that is active has an element, which does not stop meanwhile.
  GST_PAD_STREAM_LOCK(peer);
  if (GST_PAD_IS_ACTIVE(peer) && !GST_PAD_IS_FLUSHING(peer) && !has_probes(peer)) {
    auto* places = static_cast<PacketPlaces*>(g_object_get_qdata(G_OBJECT(peer), places_quark()));
    if (places != nullptr) copy = copy_to(*places, batch);
  }
  GST_PAD_STREAM_UNLOCK(peer);
  gst_object_unref(peer);
  return copy;
}

}  // namespace gstpacket::detail
