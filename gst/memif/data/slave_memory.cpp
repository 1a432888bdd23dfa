// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include <unistd.h>

#include <algorithm>

#include "gst/memif/control/handshake.hpp"
#include "gst/memif/data/buffer_layout.hpp"
#include "gst/memif/data/ring.hpp"

namespace gstmemif {
namespace {

std::uint64_t physical_memory() noexcept {
  return static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
         static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::uint64_t buffer_count(const SlaveOffer& offer) noexcept {
  const std::uint64_t rings = std::uint64_t{offer.tx_queues} + offer.rx_queues;
  return rings * (std::uint64_t{offer.ring_size} + spare_buffers(offer.ring_size));
}

std::uint64_t slave_memory_size(const SlaveOffer& offer) noexcept {
  return buffer_count(offer) * BufferLayout(offer.buffer_size).stride();
}

Error memory_error(const SlaveOffer& offer, const std::string& why) {
  return {ErrorCode::settings, "ring-size=" + std::to_string(offer.ring_size) +
                                   " times buffer-size=" + std::to_string(offer.buffer_size) +
                                   " times " + std::to_string(offer.tx_queues + offer.rx_queues) +
                                   " queues need " + std::to_string(slave_memory_size(offer)) +
                                   " bytes, " + why + ". Choose smaller rings or buffers."};
}

Status add_rings(LinkPlan& plan, const SlaveOffer& offer) {
  const RingLayout layout{offer.cache_line, offer.ring_size};
  const std::uint32_t rings = offer.tx_queues + offer.rx_queues;
  Result<Region> region = Region::create(layout.bytes() * rings);
  if (!region) return region.error();
  for (std::uint32_t i = 0; i < rings; ++i) {
    Result<UniqueFd> event_fd = make_eventfd();
    if (!event_fd) return event_fd.error();
    const auto offset = static_cast<std::uint32_t>(layout.bytes() * i);
    Ring ring(region->data() + offset, layout);
    ring.store_cookie(kCookie);
    const bool sends = i < offer.tx_queues;
    // The flag is the receiver's. Ours clear it when they want to be woken; a master may take it as
    // it finds it, and would wait for ever if it were set.
    ring.mask_interrupt(!sends);
    auto& list = sends ? plan.s2m : plan.m2s;
    list.push_back({std::move(*event_fd), 0, offset, offer.ring_size});
  }
  plan.regions.push_back(std::move(*region));
  return {};
}

Status add_buffers(LinkPlan& plan, const SlaveOffer& offer) {
  const BufferLayout layout(offer.buffer_size);
  const std::uint64_t per_region = layout.per_region();
  for (std::uint64_t left = buffer_count(offer); left != 0;) {
    const std::uint64_t n = std::min(left, per_region);
    Result<Region> region = Region::create(n * layout.stride());
    if (!region) return region.error();
    plan.regions.push_back(std::move(*region));
    left -= n;
  }
  return {};
}

}  // namespace

Status check_slave_memory(const SlaveOffer& offer) {
  const std::uint64_t per_region = BufferLayout(offer.buffer_size).per_region();
  const std::uint64_t regions = 1 + (buffer_count(offer) + per_region - 1) / per_region;
  if (regions > kMaxRegions) return memory_error(offer, "more than 255 regions of 4 GiB");
  if (slave_memory_size(offer) > physical_memory()) {
    return memory_error(offer, "more than this machine has");
  }
  return {};
}

Result<LinkPlan> build_slave_memory(const SlaveOffer& offer) {
  if (Status status = check_slave_memory(offer); !status) return status.error();
  LinkPlan plan;
  plan.role = Role::slave;
  plan.mode = offer.mode;
  plan.cache_line = offer.cache_line;
  plan.buffer_size = offer.buffer_size;
  if (Status status = add_rings(plan, offer); !status) return status.error();
  if (Status status = add_buffers(plan, offer); !status) return status.error();
  return plan;
}

}  // namespace gstmemif
