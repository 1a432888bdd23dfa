// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/pcap/recording.hpp"

#include <cstddef>
#include <utility>

#include "gst/packet/batch.hpp"
#include "plugins/pcap/recorded_time.hpp"

namespace pcapplugin {

Recording::Recording(GstBaseSink* sink, std::function<void(const std::string&)> closed)
    : writer([sink] { return gst_base_sink_wait_preroll(sink) == GST_FLOW_OK; }, std::move(closed)),
      sink_(sink) {}

void Recording::begin(bool flushes) {
  flushes_ = flushes;
  clock_.forget();
  unreadable.reset();
}

/** Nanoseconds since 1970, of the buffer or of the PTS of a batch. */
std::uint64_t Recording::time_of(GstBuffer* buffer) {
  if (const auto recorded = recorded_time(buffer)) return *recorded;
  const GstSegment& segment = sink_->segment;
  GstClockTime running = GST_CLOCK_TIME_NONE;
  if (segment.format == GST_FORMAT_TIME && GST_BUFFER_PTS_IS_VALID(buffer)) {
    running = gst_segment_to_running_time(&segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
  }
  return clock_.time_of_day_at(GST_ELEMENT_CAST(sink_), running);
}

Flow Recording::add_batch(GstBuffer* batch, std::uint64_t time) {
  const gstpacket::BatchMap map(batch);
  if (!map) {
    unreadable.add(1);
    return Flow::ok;
  }
  Flow added = Flow::ok;
  CaptureWriter::Tally tally;
  for (guint i = 0; i < map.meta().n && added == Flow::ok; ++i) {
    const GstPacketDesc desc = map.meta().packets[i];
    const std::byte* bytes = map.bytes(desc);
    if (bytes != nullptr) {
      added = writer.add(time + desc.delay, bytes, desc.length, tally);
    } else {
      unreadable.add(1);
    }
  }
  writer.count(tally);
  return added;
}

Flow Recording::add(GstBuffer* buffer) {
  const std::uint64_t time = time_of(buffer);
  if (gst_buffer_get_packet_batch_meta(buffer) != nullptr) return add_batch(buffer, time);
  GstMapInfo map;
  if (gst_buffer_map(buffer, &map, GST_MAP_READ) == FALSE) {
    unreadable.add(1);
    return Flow::ok;
  }
  CaptureWriter::Tally tally;
  const Flow added = writer.add(time, reinterpret_cast<const std::byte*>(map.data),
                                static_cast<std::uint32_t>(map.size), tally);
  writer.count(tally);
  gst_buffer_unmap(buffer, &map);
  return added;
}

Flow Recording::flush_for_reader() {
  return flushes_ || writer.has_reader() ? writer.flush() : Flow::ok;
}

Flow Recording::record(GstBuffer* buffer) {
  const Flow added = add(buffer);
  return added == Flow::ok ? flush_for_reader() : added;
}

Flow Recording::record(GstBufferList* list) {
  const guint length = gst_buffer_list_length(list);
  for (guint i = 0; i < length; ++i) {
    const Flow added = add(gst_buffer_list_get(list, i));
    if (added != Flow::ok) return added;
  }
  return flush_for_reader();
}

}  // namespace pcapplugin
