// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include <algorithm>
#include <bit>

#include "gst/memif/control/handshake.hpp"

namespace gstmemif {
namespace {

Error violation(std::string what) {
  return {ErrorCode::protocol, std::move(what)};
}

Error unexpected(const Message& message) {
  return violation("unexpected message " + std::string(message_name(message)));
}

AddRing ring_message(const LinkPlan& plan, Direction direction, std::size_t index) {
  const RingPlan& ring = (direction == Direction::s2m ? plan.s2m : plan.m2s)[index];
  AddRing message;
  message.direction = direction;
  message.index = static_cast<std::uint16_t>(index);
  message.region = ring.region;
  message.offset = ring.offset;
  message.log2_size = static_cast<std::uint8_t>(std::countr_zero(ring.size));
  return message;
}

}  // namespace

Result<Step> SlaveHandshake::on_hello(const Hello& hello) {
  if (hello.min_version > kVersion || hello.max_version < kVersion) {
    return violation("incompatible protocol version: 2.0 is supported");
  }
  // The limits are the highest indexes that the master accepts: counts minus one.
  settings_.tx_queues = std::min<std::uint32_t>(settings_.tx_queues, hello.max_s2m_ring + 1U);
  settings_.rx_queues = std::min<std::uint32_t>(settings_.rx_queues, hello.max_m2s_ring + 1U);
  const std::uint32_t log2 = std::min<std::uint32_t>(hello.max_log2_ring_size, kMaxLog2RingSize);
  if (log2 == 0) return violation("the master allows no rings of 2 slots or more");
  settings_.ring_size = std::min<std::uint32_t>(settings_.ring_size, 1U << log2);

  Result<LinkPlan> plan = build_slave_memory(settings_);
  if (!plan) return plan.error();
  plan_ = std::move(*plan);
  plan_.peer_app = hello.name;
  if (plan_.regions.size() - 1 > hello.max_region) {
    return violation("our buffers need " + std::to_string(plan_.regions.size()) +
                     " regions, the master allows " + std::to_string(hello.max_region + 1U));
  }
  Init init;
  init.id = settings_.id;
  init.mode = static_cast<std::uint8_t>(settings_.mode);
  init.secret = settings_.secret;
  init.name = settings_.app_name;
  state_ = State::wait_init_ack;
  Step step;
  step.reply = std::move(init);
  return step;
}

/** Regions, rings of both directions, CONNECT: one reply for each message of the master. */
Step SlaveHandshake::next_setup_message() {
  Step step;
  std::size_t i = sent_++;
  if (i < plan_.regions.size()) {
    step.reply = AddRegion{static_cast<std::uint16_t>(i), plan_.regions[i].size()};
    step.fd = plan_.regions[i].fd();
    return step;
  }
  i -= plan_.regions.size();
  if (i < plan_.s2m.size()) {
    step.reply = ring_message(plan_, Direction::s2m, i);
    step.fd = plan_.s2m[i].event_fd.get();
    return step;
  }
  i -= plan_.s2m.size();
  if (i < plan_.m2s.size()) {
    step.reply = ring_message(plan_, Direction::m2s, i);
    step.fd = plan_.m2s[i].event_fd.get();
    return step;
  }
  // The peer has all regions. A process may have hundreds of interfaces.
  for (Region& region : plan_.regions) region.close_file();
  state_ = State::wait_connected;
  step.agreed = true;
  step.reply = Connect{settings_.interface_name};
  return step;
}

std::optional<RingOffer> SlaveHandshake::offered_ring() const noexcept {
  if (state_ != State::wait_setup_ack || sent_ <= plan_.regions.size()) return {};
  const std::size_t ring = sent_ - plan_.regions.size() - 1;
  if (ring < plan_.s2m.size()) return RingOffer{Direction::s2m, ring};
  return RingOffer{Direction::m2s, ring - plan_.s2m.size()};
}

std::string SlaveHandshake::meaning_of_closing() const {
  if (const std::optional<RingOffer> ring = offered_ring()) {
    return "a master that closes at ring " + std::to_string(ring->index) +
           (ring->direction == Direction::s2m ? " from us to it" : " from it to us") +
           " takes fewer or smaller ones";
  }
  // libmemif's masters look for the id when they are asked for memory.
  if (state_ == State::wait_setup_ack && sent_ == 1) {
    return "a master that closes right after INIT has no interface with id " +
           std::to_string(settings_.id);
  }
  if (state_ == State::wait_hello) {
    return "a master that closes before HELLO admits other users only, or is no memif master";
  }
  if (state_ == State::wait_setup_ack) {
    return "a master that closes at region " + std::to_string(sent_ - 1) +
           " takes fewer or smaller ones";
  }
  return {};
}

Result<Step> SlaveHandshake::on_message(const Message& message, std::vector<UniqueFd> fds) {
  if (!fds.empty()) {
    return violation("descriptors came with " + std::string(message_name(message)));
  }
  switch (state_) {
    case State::wait_hello:
      if (const auto* hello = std::get_if<Hello>(&message)) return on_hello(*hello);
      break;
    case State::wait_init_ack:
      if (!std::holds_alternative<Ack>(message)) break;
      state_ = State::wait_setup_ack;
      return next_setup_message();
    case State::wait_setup_ack:
      if (!std::holds_alternative<Ack>(message)) break;
      return next_setup_message();
    case State::wait_connected:
      if (const auto* connected = std::get_if<Connected>(&message)) {
        peer_interface_ = connected->interface_name;
        state_ = State::done;
        Step step;
        step.established = true;
        return step;
      }
      break;
    case State::done:
      break;
  }
  return unexpected(message);
}

}  // namespace gstmemif
