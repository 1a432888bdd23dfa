// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/memif/gdp.hpp"

#include <array>

namespace {

// A header of version 1.0: version, flags, type and length of the payload, times, and checksums,
// which the flags say are not there.
constexpr gsize kHeaderSize = 62;
constexpr gsize kPayloadType = 4;  // where it stands, in network order
// Payload types of events are those of GstEventType, from here on.
constexpr guint16 kFirstEventType = 64;

}  // namespace

GstBuffer* gdp_end_of_stream() {
  std::array<guint8, kHeaderSize> header{1, 0};
  GST_WRITE_UINT16_BE(header.data() + kPayloadType, kFirstEventType + GST_EVENT_EOS);
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, header.size(), nullptr);
  gst_buffer_fill(buffer, 0, header.data(), header.size());
  return buffer;
}
