// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/ip/packet_receiver.hpp"

#include <gst/net/gstnetaddressmeta.h>

#include <algorithm>
#include <utility>

#include "gst/packet/batch.hpp"
#include "gst/packet/headers/bytes.hpp"
#include "gst/packet/headers/ethernet.hpp"
#include "gst/packet/headers/ipv4.hpp"
#include "plugins/ip/debug.hpp"

namespace ipplugin {
namespace {

// Buffers of one packet that are mapped at the same time.
constexpr std::size_t kMostMapped = 64;
// What another core has just written is in no cache of this one.
constexpr guint kReadAhead = 4;

/**
 * Whether the host will only read it: not so ARP, ICMP and the like, which it answers in place.
 * Only decides about a copy.
 */
bool only_read(std::span<const std::byte> packet, LinkType link_type) {
  std::size_t ip = 0;
  if (link_type == LinkType::ethernet) {
    const auto frame = ConstEthernetView::at(packet);
    if (!frame) return true;
    if (frame->type() != ethertype::kIpv4 && frame->type() != ethertype::kIpv6) return false;
    ip = frame->header_size();
  }
  if (packet.size() < ip + Ipv4Header::kMinSize) return true;
  const bool v4 = load_be<std::uint8_t>(packet, ip) >> 4 == 4;
  return load_be<std::uint8_t>(packet, ip + (v4 ? 9 : 6)) == ip_protocol::kUdp;
}

/** One packet, mapped for reading. */
class MappedBuffer {
 public:
  MappedBuffer() = default;
  ~MappedBuffer() {
    if (buffer_ != nullptr) gst_buffer_unmap(buffer_, &map_);
  }
  MappedBuffer(const MappedBuffer&) = delete;
  MappedBuffer& operator=(const MappedBuffer&) = delete;

  bool map(GstBuffer* buffer) {
    for (guint i = 0; i < gst_buffer_n_memory(buffer); ++i) {
      // A part of a batch that was copied as if it were a packet.
      if (gst_is_packet_arena_memory(gst_buffer_peek_memory(buffer, i))) return false;
    }
    if (gst_buffer_map(buffer, &map_, GST_MAP_READ) == FALSE) return false;
    buffer_ = buffer;
    return true;
  }
  explicit operator bool() const { return buffer_ != nullptr; }
  [[nodiscard]] std::span<std::byte> bytes() const {
    return {reinterpret_cast<std::byte*>(map_.data), map_.size};
  }

 private:
  GstBuffer* buffer_ = nullptr;
  GstMapInfo map_;
};

GstClockTime time_of(GstBuffer* buffer) {
  return GST_BUFFER_PTS_IS_VALID(buffer) ? GST_BUFFER_PTS(buffer) : GST_BUFFER_DTS(buffer);
}

}  // namespace

void PacketReceiver::reset() {
  gst_segment_init(&segment_, GST_FORMAT_TIME);
  for (gstcommon::Counter* counter : {&packets_, &bytes_, &damaged_}) counter->reset();
  found_.reserve(kMost);
}

GstClockTime PacketReceiver::running_time(GstClockTime pts) const {
  if (!GST_CLOCK_TIME_IS_VALID(pts) || segment_.format != GST_FORMAT_TIME) return pts;
  return gst_segment_to_running_time(&segment_, GST_FORMAT_TIME, pts);
}

// ---- under the lock ---------------------------------------------------------------------------

/** Calls `use` with what is for somebody. */
template <class Use>
void PacketReceiver::look(IpHost::Lock& lock, std::span<std::byte> bytes, GstClockTime pts,
                          bool writable, Use use) {
  const bool copy = !writable && !only_read(bytes, link_type_);
  if (copy) {
    scratch_.assign(bytes.begin(), bytes.end());
    bytes = scratch_;
  }
  Packet packet(bytes, 0, 0, pts);
  Datagram& datagram = datagram_;
  switch (lock->receive(packet, lock.now(), lock.output(), datagram)) {
    case Received::used:
      break;
    case Received::reply:
      lock.output().send(packet.bytes());
      break;
    case Received::datagram:
      // A copy is gone with the next packet.
      if (copy && datagram.whole.empty() && datagram.offset <= bytes.size() &&
          datagram.size <= bytes.size() - datagram.offset) {
        datagram.whole = std::span<const std::byte>(bytes).subspan(datagram.offset, datagram.size);
      }
      use(datagram);
      break;
  }
}

/** Calls `use` with each receiver of it, as target_of() numbers them. */
template <class Use>
void PacketReceiver::for_receivers(const Datagram& datagram, Use use) {
  for (const unsigned binding : datagram.ports) {
    if (const auto* receiver = host_.bound(binding)) use(target_of(*receiver));
  }
}

unsigned PacketReceiver::other_target(const std::shared_ptr<UdpReceiver>& receiver) {
  for (std::size_t i = targets_.size(); i > 0; --i) {
    if (targets_[i - 1].receiver == receiver) return static_cast<unsigned>(i - 1);
  }
  // With the lock its pad is there.
  auto* pad = static_cast<GstPad*>(gst_object_ref(receiver->pad()));
  targets_.push_back({receiver, pad});
  return static_cast<unsigned>(targets_.size() - 1);
}

// ---- batches ----------------------------------------------------------------------------------

void PacketReceiver::lend(HeldBatch& batch, std::span<const std::byte> packet, GstClockTime pts,
                          bool read_only, const Datagram& datagram) {
  const bool shared = read_only || datagram.ports.size() > 1;
  for_receivers(datagram, [&](unsigned target) {
    UdpReceiver& receiver = *targets_[target].receiver;
    GSocketAddress* address = receiver.addresses().find(datagram.source);
    GstBuffer* buffer = nullptr;
    if (!datagram.whole.empty()) {
      buffer = gst_buffer_new_memdup(datagram.whole.data(), datagram.whole.size());
      gst_buffer_add_net_address_meta(buffer, address);
    } else if (datagram.offset <= packet.size() &&
               datagram.size <= packet.size() - datagram.offset) {
      buffer = pool_.lend(batch, packet.subspan(datagram.offset, datagram.size), address, shared);
    } else {
      return;
    }
    GST_BUFFER_PTS(buffer) = pts;
    receiver.add(buffer, datagram.size);
  });
}

GstFlowReturn PacketReceiver::receive_batch(GstBuffer* batch) {
  const GstPacketBatchMeta* meta = gst_buffer_get_packet_batch_meta(batch);
  const GstClockTime pts = running_time(GST_BUFFER_PTS(batch));
  const guint n = meta->n;
  const bool writable = gst_buffer_is_writable(batch) && gst_buffer_n_memory(batch) == 1 &&
                        !GST_MEMORY_IS_READONLY(gst_buffer_peek_memory(batch, 0));
  const GstPacketDesc* descs = meta->packets;
  // From here on the batch lives as long as its packets are used.
  const HeldBatchPtr held = pool_.hold(batch);
  if (!held || n > GST_PACKET_BATCH_MAX) {
    damaged_.add(1);
    return GST_FLOW_OK;
  }
  std::byte* const arena = held->data();
  const std::size_t size = held->size();
  {
    IpHost::Lock lock(host_);
    if (!lock) return GST_FLOW_FLUSHING;
    std::uint64_t packets = 0, bytes = 0;
    for (guint i = 0; i < n; ++i) {
      if (i + kReadAhead < n) __builtin_prefetch(arena + descs[i + kReadAhead].offset);
      const GstPacketDesc desc = descs[i];
      if (!gstpacket::lies_within(desc, size)) {
        damaged_.add(1);
        continue;
      }
      ++packets;
      bytes += desc.length;
      const std::span<std::byte> packet(arena + desc.offset, desc.length);
      const GstClockTime time = GST_CLOCK_TIME_IS_VALID(pts) ? pts + desc.delay : pts;
      look(lock, packet, pts, writable,
           [&](const Datagram& datagram) { lend(*held, packet, time, !writable, datagram); });
    }
    packets_.add(packets);
    bytes_.add(bytes);
  }
  return push_all();
}

// ---- buffers of one packet --------------------------------------------------------------------

/** The buffer itself without the headers, if it is ours alone, or one of its own. */
GstBuffer* PacketReceiver::payload(GstBuffer*& packet, const Found& found) {
  if (found.whole != nullptr) return found.whole;
  const gsize size = gst_buffer_get_size(packet);
  if (found.offset > size || found.size > size - found.offset) return nullptr;
  if (found.shared || gst_buffer_is_writable(packet) == FALSE) {
    return gst_buffer_copy_region(packet, GST_BUFFER_COPY_MEMORY, found.offset, found.size);
  }
  GstBuffer* buffer = std::exchange(packet, nullptr);
  gst_buffer_resize(buffer, static_cast<gssize>(found.offset), static_cast<gssize>(found.size));
  GST_BUFFER_DTS(buffer) = GST_BUFFER_DURATION(buffer) = GST_CLOCK_TIME_NONE;
  return buffer;
}

GstFlowReturn PacketReceiver::receive_buffers(std::span<GstBuffer*> buffers) {
  {
    std::array<MappedBuffer, kMostMapped> maps;
    for (std::size_t i = 0; i < buffers.size(); ++i) {
      if (!maps[i].map(buffers[i])) damaged_.add(1);
    }
    IpHost::Lock lock(host_);
    if (!lock) return GST_FLOW_FLUSHING;
    for (std::size_t i = 0; i < buffers.size(); ++i) {
      if (!maps[i]) continue;
      packets_.add(1);
      bytes_.add(maps[i].bytes().size());
      look(lock, maps[i].bytes(), time_of(buffers[i]), false, [&](const Datagram& datagram) {
        for_receivers(datagram, [&](unsigned target) {
          GstBuffer* whole = nullptr;
          if (!datagram.whole.empty()) {
            whole = gst_buffer_new_memdup(datagram.whole.data(), datagram.whole.size());
          }
          found_.push_back({static_cast<unsigned>(i), target, datagram.offset, datagram.size,
                            datagram.source, datagram.ports.size() > 1, whole});
        });
      });
    }
  }
  for (const Found& found : found_) {
    GstBuffer*& packet = buffers[found.packet];
    const GstClockTime pts = running_time(time_of(packet));
    GstBuffer* buffer = payload(packet, found);
    if (buffer == nullptr) continue;
    UdpReceiver& receiver = *targets_[found.target].receiver;
    gst_buffer_add_net_address_meta(buffer, receiver.addresses().find(found.source));
    GST_BUFFER_PTS(buffer) = pts;
    receiver.add(buffer, found.size);
  }
  found_.clear();
  return push_all();
}

// ---- both -------------------------------------------------------------------------------------

bool PacketReceiver::all_ended() const {
  const auto receivers = host_.receivers();
  return !receivers.empty() && std::ranges::all_of(receivers, [](const auto& held) {
    return held.receiver->last_flow() == GST_FLOW_EOS;
  });
}

GstFlowReturn PacketReceiver::push_all() {
  bool ended = false;
  const GstClockTime now = targets_.empty() ? 0 : monotonic_time();
  for (const Target& target : targets_) ended |= target.receiver->push(now) == GST_FLOW_EOS;
  for (const Target& target : targets_) gst_object_unref(target.pad);
  targets_.clear();
  // A failing pad does not stop the others, nor the answers of the host.
  return ended && !host_.has_senders() && all_ended() ? GST_FLOW_EOS : GST_FLOW_OK;
}

GstFlowReturn PacketReceiver::receive(GstBuffer* buffer) {
  host_.see_traffic();
  if (gst_buffer_get_packet_batch_meta(buffer) != nullptr) return receive_batch(buffer);
  const GstFlowReturn flow = receive_buffers({&buffer, 1});
  gst_clear_buffer(&buffer);
  return flow;
}

GstFlowReturn PacketReceiver::receive(GstBufferList* list) {
  host_.see_traffic();
  const guint length = gst_buffer_list_length(list);
  for (guint i = 0; i < length; ++i) {
    buffers_.push_back(gst_buffer_ref(gst_buffer_list_get(list, i)));
  }
  // First, so that the buffers are ours alone.
  gst_buffer_list_unref(list);
  GstFlowReturn flow = GST_FLOW_OK;
  for (std::size_t i = 0; i < buffers_.size() && flow == GST_FLOW_OK;) {
    if (gst_buffer_get_packet_batch_meta(buffers_[i]) != nullptr) {
      flow = receive_batch(std::exchange(buffers_[i++], nullptr));
      continue;
    }
    const std::size_t first = i;
    while (i < buffers_.size() && i - first < kMostMapped &&
           gst_buffer_get_packet_batch_meta(buffers_[i]) == nullptr) {
      ++i;
    }
    flow = receive_buffers(std::span(buffers_).subspan(first, i - first));
  }
  for (GstBuffer*& buffer : buffers_) gst_clear_buffer(&buffer);
  buffers_.clear();
  return flow;
}

}  // namespace ipplugin
