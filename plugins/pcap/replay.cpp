// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/pcap/replay.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "plugins/pcap/recorded_time.hpp"

namespace pcapplugin {
namespace {

constexpr std::size_t kArena = RecordReader::kLeastRoom;
// What downstream's pool is asked to have room for: the longest frame of most networks. A longer
// packet, of which most files say that they may have some, comes in memory of ours.
constexpr guint kUsualPacket = 1518;

}  // namespace

// ---- Start and end --------------------------------------------------------------------------

void Replay::begin(double speed, bool keeps_times) {
  pace_ = speed;
  keeps_times_ = keeps_times;
  start_ = GST_CLOCK_TIME_NONE;
  for (gstcommon::Counter* counter : {&packets, &bytes, &pushes}) counter->reset();
}

void Replay::end() {
  drop_block();
  reader.close();
  places_.close();
  arenas_.close();
}

bool Replay::use_memory(GstQuery* query) {
  drop_block();
  places_.close();
  arenas_.close();
  if (reader.has_header()) {
    const guint size = std::clamp(reader.snaplen(), 1U, kUsualPacket);
    place_size_ = std::numeric_limits<std::size_t>::max();
    places_.open(gst_query_find_packet_batch_pool(query, size));
  }
  return arenas_.open(kArena);
}

// ---- Time -----------------------------------------------------------------------------------

/** The PTS of a packet. */
GstClockTime Replay::due(const Recorded& packet) const {
  if (pace_ == 0) return packet.offset;
  if (pace_ == 1) return start_ + packet.offset;
  // Years at most, whatever the file says and however slow it is replayed.
  constexpr double kMost = 4e18;
  return start_ +
         static_cast<GstClockTime>(std::min(static_cast<double>(packet.offset) / pace_, kMost));
}

bool Replay::wait(GstElement* element, GstClockTime running_time) {
  if (!GST_CLOCK_TIME_IS_VALID(start_)) {
    start_ = GST_CLOCK_TIME_IS_VALID(running_time) ? running_time : 0;
  }
  const GstClockTime then = due(reader.packet());
  now_ = GST_CLOCK_TIME_IS_VALID(running_time) ? std::max(running_time, then) : then;
  return running_time >= then || clock.wait(element, then);
}

/** The times of a batch, of which the present packet is the first. */
class Replay::BatchTimes {
 public:
  explicit BatchTimes(const Replay& replay)
      : replay_(replay),
        first_time_(replay.reader.packet().time),
        first_due_(replay.due(replay.reader.packet())),
        paced_(replay.is_paced()),
        keeps_times_(replay.keeps_times_) {}

  /** From the first packet to another one; none if it cannot be told, or that is not due. */
  [[nodiscard]] std::optional<guint32> delay(const Recorded& packet) const {
    const GstClockTime due = paced_ ? replay_.due(packet) : packet.offset;
    const GstClockTime delay = due - first_due_;
    if (due < first_due_ || delay > std::numeric_limits<guint32>::max()) return {};
    if (keeps_times_ && packet.time - first_time_ != delay) return {};
    if (paced_ && due > replay_.now_) return {};
    return static_cast<guint32>(delay);
  }

 private:
  const Replay& replay_;
  const std::uint64_t first_time_;
  const GstClockTime first_due_;
  const bool paced_, keeps_times_;
};

/** Adds the present packet and those that can follow it in the same batch. */
void Replay::fill(guint most, BatchFiller& filler) {
  const BatchTimes times(*this);
  // The compiler would rather have one copy of it than be fast.
  const auto add = [&](const Recorded& packet) __attribute__((always_inline)) {
    if (filler.packets() >= most || !filler.fits(packet.bytes)) return false;
    const std::optional<guint32> delay = times.delay(packet);
    if (delay) filler.add(packet.bytes, *delay);
    return delay.has_value();
  };
  while (add(reader.packet())) {
    reader.take();
    reader.take_while(add);
    // What is there is not kept back while the writer of a FIFO is awaited.
    if (filler.packets() >= most || !reader.is_ready()) return;
    if (reader.next() != CaptureReader::Next::packet) return;  // said again when it is asked next
  }
}

void Replay::prepare_block(guint most) {
  // For a few packets it is not worth a system call for each time.
  constexpr guint kFew = 32;
  if (block_ != nullptr || places_.prepared() || pace_ != 0 || most < kFew ||
      !reader.reads_blocks()) {
    return;
  }
  block_ = arenas_.take();
  if (block_ == nullptr) return;
  const gstpacket::BatchMap map(block_);
  reader.use({map.data(), map.size()});
}

void Replay::drop_block() {
  reader.leave();
  gst_clear_buffer(&block_);
}

/** Memory for a batch with the present packet in front. */
GstBuffer* Replay::take_memory(BatchFiller::Way& way) {
  const std::size_t size = reader.packet().bytes.size();
  if (block_ != nullptr) {
    way = reader.is_in_room(reader.packet()) ? BatchFiller::Way::in_place
                                             : BatchFiller::Way::in_a_row;
    return std::exchange(block_, nullptr);
  }
  way = BatchFiller::Way::prepared;
  if (places_.prepared() && size <= place_size_) {
    GstBuffer* batch = places_.take();
    const GstPacketBatchMeta* meta =
        batch != nullptr ? gst_buffer_get_packet_batch_meta(batch) : nullptr;
    if (meta != nullptr && meta->n != 0 && size <= meta->packets[0].length) return batch;
    if (meta != nullptr) place_size_ = meta->packets[0].length;
    gst_clear_buffer(&batch);
  }
  way = BatchFiller::Way::in_a_row;
  return size <= kArena ? arenas_.take() : gst_packet_batch_new(size);
}

GstBuffer* Replay::make_batch(guint most) {
  BatchFiller::Way way{};
  GstBuffer* batch = take_memory(way);
  if (batch == nullptr) return nullptr;
  const Recorded& packet = reader.packet();
  GST_BUFFER_PTS(batch) = due(packet);
  if (keeps_times_) set_recorded_time(batch, packet.time);
  const gstpacket::BatchMap map(batch);
  BatchFiller filler(map, way);
  fill(most, filler);
  // The rest of the arena is not ours any more when the batch is pushed.
  reader.leave();
  map.meta().n = filler.packets();
  gstpacket::set_packet_bytes(map.arena(), filler.bytes());
  packets.add(filler.packets());
  bytes.add(filler.bytes());
  pushes.add(1);
  return batch;
}

}  // namespace pcapplugin
