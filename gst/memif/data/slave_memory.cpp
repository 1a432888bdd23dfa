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

std::uint64_t buffer_count(const Settings& settings) noexcept {
  const std::uint64_t rings = std::uint64_t{settings.tx_queues} + settings.rx_queues;
  return rings * (std::uint64_t{settings.ring_size} + spare_buffers(settings.ring_size));
}

std::uint64_t slave_memory_size(const Settings& settings) noexcept {
  return buffer_count(settings) * BufferLayout(settings.buffer_size).stride();
}

Error memory_error(const Settings& settings, const std::string& why) {
  return {ErrorCode::settings,
          "Invalid ring-size=" + std::to_string(settings.ring_size) +
              " and buffer-size=" + std::to_string(settings.buffer_size),
          std::to_string(settings.tx_queues + settings.rx_queues) + " queues need " +
              std::to_string(slave_memory_size(settings)) + " bytes, " + why,
          "Use smaller rings or buffers"};
}

Result<void> add_rings(LinkPlan& plan, const Settings& settings) {
  const RingLayout layout{settings.cache_line, settings.ring_size};
  const std::uint32_t rings = settings.tx_queues + settings.rx_queues;
  Result<Region> region = Region::create(layout.bytes() * rings);
  if (!region) return region.error();
  for (std::uint32_t i = 0; i < rings; ++i) {
    Result<UniqueFd> event_fd = make_eventfd();
    if (!event_fd) return event_fd.error();
    const auto offset = static_cast<std::uint32_t>(layout.bytes() * i);
    Ring ring(region->data() + offset, layout);
    ring.store_cookie(kCookie);
    const bool sends = i < settings.tx_queues;
    // The flag is the receiver's. Ours clear it when they want to be woken; a master may take it as
    // it finds it, and would wait for ever if it were set.
    ring.mask_interrupt(!sends);
    auto& list = sends ? plan.s2m : plan.m2s;
    list.push_back({std::move(*event_fd), 0, offset, settings.ring_size});
  }
  plan.regions.push_back(std::move(*region));
  return {};
}

Result<void> add_buffers(LinkPlan& plan, const Settings& settings) {
  const BufferLayout layout(settings.buffer_size);
  const std::uint64_t per_region = layout.per_region();
  for (std::uint64_t left = buffer_count(settings); left != 0;) {
    const std::uint64_t n = std::min(left, per_region);
    Result<Region> region = Region::create(n * layout.stride());
    if (!region) return region.error();
    plan.regions.push_back(std::move(*region));
    left -= n;
  }
  return {};
}

}  // namespace

bool can_lend_buffers(const Settings& settings) noexcept {
  return buffer_count(settings) <= BufferLayout(settings.buffer_size).per_region();
}

Result<void> check_slave_memory(const Settings& settings) {
  const std::uint64_t per_region = BufferLayout(settings.buffer_size).per_region();
  const std::uint64_t regions = 1 + (buffer_count(settings) + per_region - 1) / per_region;
  if (regions > kMaxRegions) return memory_error(settings, "more than 255 regions of 4 GiB");
  if (slave_memory_size(settings) > physical_memory()) {
    return memory_error(settings, "more than this machine has");
  }
  return {};
}

Result<LinkPlan> build_slave_memory(const Settings& settings) {
  if (Result<void> status = check_slave_memory(settings); !status) return status.error();
  LinkPlan plan;
  plan.role = Role::slave;
  plan.mode = settings.mode;
  plan.cache_line = settings.cache_line;
  plan.buffer_size = settings.buffer_size;
  if (Result<void> status = add_rings(plan, settings); !status) return status.error();
  if (Result<void> status = add_buffers(plan, settings); !status) return status.error();
  return plan;
}

}  // namespace gstmemif
