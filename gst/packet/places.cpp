// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/packet/places.hpp"

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

GstBuffer* copy_to(PacketPlaces& places, GstBuffer* batch) {
  const BatchMap from(batch);
  GstBuffer* copy = from ? places.copy(batch, from) : nullptr;
  if (copy != nullptr) copy_flags_and_time(copy, batch);
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
