// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The way in of iphost: from packets to the datagrams of each port.
 */
#pragma once

#include <gst/gst.h>

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "gst/common/counter.hpp"
#include "plugins/ip/ip_host.hpp"
#include "plugins/ip/payload_pool.hpp"
#include "plugins/ip/udp_receiver.hpp"

namespace ipplugin {

/** Of the streaming thread of the sink pad. */
class PacketReceiver {
 public:
  explicit PacketReceiver(IpHost& host) : host_(host) {}

  /** Both take the reference. */
  GstFlowReturn receive(GstBuffer* buffer);
  GstFlowReturn receive(GstBufferList* list);

  void set_link_type(LinkType type) noexcept { link_type_ = type; }
  void set_segment(const GstSegment& segment) noexcept { segment_ = segment; }
  /** Before streaming. */
  void reset();
  /** Whether nobody takes datagrams any more: all pads that receive have ended. */
  [[nodiscard]] bool all_ended() const;

  // Any thread.
  [[nodiscard]] std::uint64_t packets() const noexcept { return packets_.get(); }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_.get(); }
  [[nodiscard]] std::uint64_t damaged() const noexcept { return damaged_.get(); }

 private:
  static constexpr std::size_t kMost = GST_PACKET_BATCH_MAX;
  /** A receiver, held while there is something for it. */
  struct Target {
    std::shared_ptr<UdpReceiver> receiver;
    GstPad* pad;
  };
  /** A datagram for one receiver, in a buffer of one packet that is still mapped. */
  struct Found {
    unsigned packet;
    unsigned target;
    std::size_t offset, size;
    Endpoint source;
    bool shared;       // with other receivers
    GstBuffer* whole;  // made of fragments; null: in the packet
  };

  GstFlowReturn receive_batch(GstBuffer* batch);
  GstFlowReturn receive_buffers(std::span<GstBuffer*> buffers);
  template <class Use>
  void look(IpHost::Lock& lock, std::span<std::byte> bytes, GstClockTime pts, bool writable,
            Use use);
  template <class Use>
  void for_receivers(const Datagram& datagram, Use use);
  void lend(HeldBatch& batch, std::span<const std::byte> packet, GstClockTime pts, bool read_only,
            const Datagram& datagram);
  unsigned target_of(const std::shared_ptr<UdpReceiver>& receiver) {
    const bool again = !targets_.empty() && targets_.back().receiver.get() == receiver.get();
    return again ? static_cast<unsigned>(targets_.size() - 1) : other_target(receiver);
  }
  unsigned other_target(const std::shared_ptr<UdpReceiver>& receiver);
  [[nodiscard]] static GstBuffer* payload(GstBuffer*& packet, const Found& found);
  GstFlowReturn push_all();
  [[nodiscard]] GstClockTime running_time(GstClockTime pts) const;

  IpHost& host_;
  LinkType link_type_ = LinkType::ethernet;
  GstSegment segment_{};
  PayloadPool pool_;
  Datagram datagram_;  // the one that is looked at: to clear it each time would cost more
  std::vector<Found> found_;
  std::vector<Target> targets_;
  std::vector<std::byte> scratch_;
  std::vector<GstBuffer*> buffers_;
  gstcommon::Counter packets_, bytes_, damaged_;
};

}  // namespace ipplugin
