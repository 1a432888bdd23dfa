// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/memif/flow_spreader.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "gst/packet/headers/flow_hash.hpp"
#include "plugins/memif/link_type.hpp"

using gstmemif::Sender;
using gstmemif::TxPacket;
using gstmemif::TxSegment;

namespace {

/** The hash of a packet in pieces, whose headers may lie in several. */
std::uint32_t hash_pieces(TxPacket packet, gstpacket::LinkType link) noexcept {
  std::array<std::byte, gstpacket::kFlowHashBytes> beginning;
  std::size_t size = 0;
  for (const TxSegment& piece : packet) {
    const std::size_t part = std::min<std::size_t>(piece.size(), beginning.size() - size);
    if (part != 0) std::memcpy(beginning.data() + size, piece.data(), part);
    size += part;
  }
  return gstpacket::flow_hash(std::span(beginning).first(size), link);
}

gstmemif::Error no_such_queue(std::int64_t queue) {
  return {gstmemif::ErrorCode::settings,
          "queue=" + std::to_string(queue) +
              " does not exist. Give the number of a queue, 0 to tx-queues - 1, or -1 to spread "
              "flows over all of them."};
}

}  // namespace

gstmemif::Result<std::unique_ptr<FlowSpreader>> FlowSpreader::open(
    const std::shared_ptr<gstmemif::Interface>& interface, std::int64_t queue) {
  if (queue < kAll) return no_such_queue(queue);
  const gstmemif::Settings settings = interface->settings();
  auto queues = std::make_unique<FlowSpreader>();
  queues->link_type_ = link_type_of(settings.mode);
  queues->set_opaque(false);
  const bool all = queue == kAll;
  const auto first = all ? std::uint32_t{0} : static_cast<std::uint32_t>(queue);
  const std::uint32_t count = all ? settings.tx_queues : 1;
  for (std::uint32_t i = 0; i < count; ++i) {
    auto sender = Sender::open(interface, first + i);
    if (!sender) return sender.error();
    queues->senders_.push_back(std::move(*sender));
  }
  queues->refresh();
  return queues;
}

void FlowSpreader::refresh_all() noexcept {
  std::uint32_t in_use = 0;
  for (auto& sender : senders_) {
    sender->refresh();
    if (sender->has_queue()) ++in_use;
  }
  // Without a link the first queue reports it.
  in_use_ = std::max(in_use, 1U);
}

gstmemif::WaitResult FlowSpreader::wait_for_link() {
  using gstmemif::WaitResult;
  // Only the first is woken: the others look again until they have left the old link.
  constexpr std::int64_t kLookNs = 10'000'000;
  const auto keeps = [](const auto& sender) { return sender->link() != nullptr; };
  for (;;) {
    refresh();
    const bool look = senders_.size() > 1 && std::ranges::any_of(senders_, keeps);
    const WaitResult wake = first().wait_for_link(look ? kLookNs : gstmemif::kForever);
    if (wake != WaitResult::timeout) return wake;
  }
}

Sender& FlowSpreader::pick_by_flow(TxPacket packet) const noexcept {
  const std::uint32_t hash = packet.size() == 1 ? gstpacket::flow_hash(packet.front(), hashed_as_)
                                                : hash_pieces(packet, hashed_as_);
  return *senders_[gstpacket::pick_of(hash, in_use_)];
}
