// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include <algorithm>

#include "gst/memif/control/handshake.hpp"
#include "gst/memif/data/ring.hpp"

namespace gstmemif {
namespace {

Error violation(std::string what) {
  return {ErrorCode::protocol, std::move(what)};
}

/** @param max_index as in HELLO, so one less than the count */
Error too_many(const char* what, std::uint16_t max_index) {
  return violation("more " + std::string(what) + " than the " + std::to_string(max_index + 1) +
                   " that HELLO allowed");
}

Step reply(Message message) {
  Step step;
  step.reply = std::move(message);
  return step;
}

/** The single descriptor that a message must carry, or an error. */
Result<UniqueFd> only_fd(const Message& message, std::vector<UniqueFd>& fds) {
  const bool wants_one =
      std::holds_alternative<AddRegion>(message) || std::holds_alternative<AddRing>(message);
  if (fds.size() != (wants_one ? 1U : 0U)) {
    return violation(std::string(message_name(message)) + " with " + std::to_string(fds.size()) +
                     " descriptors instead of " + (wants_one ? "1" : "0"));
  }
  return wants_one ? std::move(fds.front()) : UniqueFd();
}

/**
 * The cache line size of the peer's build. It is not in the protocol, but rings lie back to back,
 * so the distance between two of them reveals it.
 */
std::uint32_t infer_cache_line(const LinkPlan& plan) {
  std::vector<const RingPlan*> rings;
  for (const RingPlan& ring : plan.s2m) rings.push_back(&ring);
  for (const RingPlan& ring : plan.m2s) rings.push_back(&ring);
  std::sort(rings.begin(), rings.end(), [](const RingPlan* a, const RingPlan* b) {
    return std::pair(a->region, a->offset) < std::pair(b->region, b->offset);
  });
  for (std::size_t i = 1; i < rings.size(); ++i) {
    if (rings[i]->region != rings[i - 1]->region) continue;
    const std::uint64_t gap = rings[i]->offset - rings[i - 1]->offset;
    for (const std::uint32_t line : {64U, 128U}) {
      if (gap == RingLayout{line, rings[i - 1]->size}.bytes()) return line;
    }
  }
  return kDefaultCacheLine;
}

Result<void> check_ring(const LinkPlan& plan, const RingPlan& ring) {
  if (ring.region >= plan.regions.size()) {
    return violation("a ring in region " + std::to_string(ring.region) + ", which does not exist");
  }
  // Back to back rings are at least multiples of 32 bytes apart; atomics need 8.
  if (ring.offset % sizeof(Descriptor) != 0) return violation("a ring at an unaligned offset");
  const RingLayout layout{plan.cache_line, ring.size};
  const Region& region = plan.regions[ring.region];
  if (std::uint64_t{ring.offset} + layout.bytes() > region.size()) {
    return violation("a ring that does not fit into its region");
  }
  if (Ring(region.data() + ring.offset, layout).cookie() != kCookie) {
    return violation("wrong cookie in a ring");
  }
  return {};
}

}  // namespace

Result<Step> MasterHandshake::on_init(const Init& init) {
  if (state_ != State::wait_init) return violation("a second INIT");
  if (init.version != kVersion) return violation("incompatible version");
  Result<Settings> settings = admit_(init);
  if (!settings) return settings.error();
  settings_ = std::move(*settings);
  state_ = State::setup;
  plan_.role = Role::master;
  plan_.mode = settings_.mode;
  plan_.peer_app = init.name;
  return reply(Ack{});
}

Result<Step> MasterHandshake::on_add_region(const AddRegion& message, UniqueFd fd) {
  if (message.index != plan_.regions.size()) {
    return violation("unexpected region index " + std::to_string(message.index));
  }
  if (message.index > greeting_.max_region || message.index >= kMaxRegions) {
    return too_many("regions", greeting_.max_region);
  }
  if (message.size > settings_.memory_limit - mapped_) {
    return violation("the regions are larger than the " + std::to_string(settings_.memory_limit) +
                     " bytes allowed (memory-limit)");
  }
  Result<Region> region = Region::map(std::move(fd), message.size, settings_.unsealed_memory);
  if (!region) return region.error();
  mapped_ += message.size;
  plan_.regions.push_back(std::move(*region));
  return reply(Ack{});
}

Result<Step> MasterHandshake::on_add_ring(const AddRing& message, UniqueFd fd) {
  auto& rings = message.direction == Direction::s2m ? plan_.s2m : plan_.m2s;
  const bool s2m = message.direction == Direction::s2m;
  const std::uint16_t max_index = s2m ? greeting_.max_s2m_ring : greeting_.max_m2s_ring;
  if (message.index != rings.size()) {
    return violation("unexpected ring index " + std::to_string(message.index));
  }
  if (message.index > max_index || message.index >= kMaxQueues) {
    return too_many(s2m ? "S2M rings" : "M2S rings", max_index);
  }
  const std::uint8_t max_log2 = std::min(greeting_.max_log2_ring_size, kMaxLog2RingSize);
  if (message.log2_size < 1 || message.log2_size > max_log2) {
    return violation("a ring of 2^" + std::to_string(message.log2_size) + " slots; 2^1 to 2^" +
                     std::to_string(max_log2) + " are possible");
  }
  if (message.private_header_size != 0) return violation("private headers are not supported");
  // Writing to any other file could block, or raise a fatal signal.
  if (!is_eventfd(fd.get())) return violation("the descriptor of a ring is not an eventfd");
  rings.push_back({std::move(fd), message.region, message.offset, 1U << message.log2_size});
  return reply(Ack{});
}

Result<Step> MasterHandshake::on_connect(const Connect& message) {
  plan_.cache_line = infer_cache_line(plan_);
  if (plan_.s2m.empty() && plan_.m2s.empty()) return violation("CONNECT without any ring");
  const BusErrorScope scope(std::any_of(plan_.regions.begin(), plan_.regions.end(),
                                        [](const Region& region) { return region.guarded(); }));
  for (const auto* rings : {&plan_.s2m, &plan_.m2s}) {
    for (const RingPlan& ring : *rings) {
      if (Result<void> status = check_ring(plan_, ring); !status) return status.error();
    }
  }
  plan_.peer_interface = message.interface_name;
  state_ = State::done;
  Step step = reply(Connected{settings_.interface_name});
  step.agreed = step.established = true;
  return step;
}

Result<Step> MasterHandshake::on_message(const Message& message, std::vector<UniqueFd> fds) {
  Result<UniqueFd> fd = only_fd(message, fds);
  if (!fd) return fd.error();
  if (const auto* init = std::get_if<Init>(&message)) return on_init(*init);
  if (state_ == State::setup) {
    if (const auto* region = std::get_if<AddRegion>(&message)) {
      return on_add_region(*region, std::move(*fd));
    }
    if (const auto* ring = std::get_if<AddRing>(&message)) {
      return on_add_ring(*ring, std::move(*fd));
    }
    if (const auto* connect = std::get_if<Connect>(&message)) return on_connect(*connect);
  }
  return violation("unexpected message " + std::string(message_name(message)));
}

}  // namespace gstmemif
