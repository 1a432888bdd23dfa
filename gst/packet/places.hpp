// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Private. Where packets may be copied to that a pad gets next.
 *
 * An element that modifies packets which are not its own copies them, and a sink whose memory is
 * another one copies them again. So such a sink offers the places that it would copy to. They are
 * used only where nobody can get between: by an element whose one source pad is linked to the sink.
 */
#pragma once

#include <gst/gst.h>

#include "gst/packet/batch.hpp"
#include "gst/packet/export.hpp"

namespace gstpacket::detail {

/** Of a sink pad; lives as long as the pad is active. */
class PacketPlaces {
 public:
  /**
   * A batch with copies of the packets of `batch`, which is mapped as `from`, without flags and
   * times of the batch. Null if there is no room for all of them, if one is empty or damaged, or
   * who sees these places must not see the packets before it is decided what becomes of them. With
   * the stream lock of the pad, by the thread that is to modify the packets and to push them to the
   * pad, before anything else. Nobody else may hold the result before it is pushed. Transfer full.
   */
  virtual GstBuffer* copy(GstBuffer* batch, const BatchMap& from) = 0;

 protected:
  ~PacketPlaces() = default;
};

/** Offers `places` to whatever is linked to `pad`. */
GSTPACKET_API void offer_places(GstPad* pad, PacketPlaces* places);

/**
 * A copy of `batch` in the places of what is linked to `pad`, which it is to be pushed to next.
 * Null if there are none, and for few bytes. Transfer full.
 */
[[nodiscard]] GstBuffer* copy_to_places(GstPad* pad, GstBuffer* batch);

}  // namespace gstpacket::detail
