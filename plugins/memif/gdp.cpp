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

GstBufferList* gdp_preamble(const GstCaps* caps) {
  const GstStructure* fields = gst_caps_get_structure(caps, 0);
  const GValue* packets = gst_structure_get_value(fields, "streamheader");
  if (packets == nullptr || !GST_VALUE_HOLDS_ARRAY(packets)) return nullptr;
  GstBufferList* list = gst_buffer_list_new();
  const guint n = gst_value_array_get_size(packets);
  for (guint i = 0; i < n; ++i) {
    const GValue* packet = gst_value_array_get_value(packets, i);
    if (!GST_VALUE_HOLDS_BUFFER(packet)) continue;
    gst_buffer_list_add(list, gst_buffer_ref(gst_value_get_buffer(packet)));
  }
  return list;
}

GstBuffer* gdp_end_of_stream() {
  std::array<guint8, kHeaderSize> header{1, 0};
  GST_WRITE_UINT16_BE(header.data() + kPayloadType, kFirstEventType + GST_EVENT_EOS);
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, header.size(), nullptr);
  gst_buffer_fill(buffer, 0, header.data(), header.size());
  return buffer;
}
