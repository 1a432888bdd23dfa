// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * One end of a control connection that behaves well, or not, as an input wants it.
 */
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "gst/memif/control/channel.hpp"
#include "gst/memif/control/handshake.hpp"
#include "peer_messages.hpp"
#include "raw_message.hpp"
#include "ring_peer.hpp"

namespace fuzz {

/** A slave that dialled, or a master that accepted: well-behaved as long as an input wants it. */
class ControlPeer {
 public:
  using Handshake = std::variant<SlaveHandshake, MasterHandshake>;

  ControlPeer(UniqueFd socket, Handshake handshake)
      : channel_(std::move(socket)), handshake_(std::move(handshake)) {}

  void greet() { (void)bool(channel_.send(Hello{})); }

  /** The next message, answered as it has to be; false if there was none, or nothing to say. */
  bool talk() {
    Result<std::optional<Received>> received = channel_.receive();
    if (!received || !*received || link_) return false;
    Result<Step> step = std::visit(
        [&](auto& handshake) {
          return handshake.on_message((*received)->message, std::move((*received)->fds));
        },
        handshake_);
    if (!step) return false;
    if (step->established) {
      const auto plan_of = [](auto& handshake) { return handshake.take_plan(); };
      LinkPlan plan = std::visit(plan_of, handshake_);
      memory_.emplace(plan, std::vector<UniqueFd>());
      link_ = std::make_shared<Link>(std::move(plan), std::make_shared<InterfaceStats>(),
                                     std::make_shared<const UniqueFd>(std::move(*make_eventfd())));
    }
    return step->reply && channel_.send(*step->reply, step->fd);
  }
  void say(Input& input) {
    std::size_t size = kMessageSize;
    if (input.below(16) == 0) size = std::size_t{127} + input.below(3);
    const Message message = message_from(input);
    const std::vector<UniqueFd> fds = descriptors(input, message);
    std::vector<int> numbers;
    for (const UniqueFd& fd : fds) numbers.push_back(fd.get());
    std::array<std::byte, kMessageSize + 1> bytes{};
    std::ranges::copy(encode(message), bytes.begin());
    // It may have been closed by now.
    (void)memiftest::send_raw(channel_.fd(), std::span(bytes).first(size), numbers);
  }
  void write_memory(Input& input) {
    if (memory_) memory_->act(*link_, input);
  }
  void send(unsigned packets) {
    if (!link_) return;
    static constexpr std::byte kPacket[60]{};
    for (std::size_t queue = 0; queue < link_->tx_queues(); ++queue) {
      const std::vector<PacketDesc> descs(packets, {0, sizeof kPacket, 0, 0});
      link_->tx(queue)->send_burst(kPacket, descs);
      link_->tx(queue)->flush();
    }
  }
  void receive(unsigned packets) {
    if (!link_) return;
    for (std::size_t queue = 0; queue < link_->rx_queues(); ++queue) {
      link_->rx(queue)->receive(packets);
      link_->rx(queue)->release();
    }
  }
  void set_interrupts(bool enabled) {
    if (link_ && link_->rx(0) != nullptr) link_->rx(0)->set_interrupts(enabled);
  }

 private:
  Channel channel_;
  Handshake handshake_;
  std::shared_ptr<Link> link_;
  std::optional<RingPeer> memory_;
};

}  // namespace fuzz
