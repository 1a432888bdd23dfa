// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/memif/data/link_memory.hpp"

#include <algorithm>

namespace gstmemif {
namespace {

constexpr char kTakenAway[] = "the peer took shared memory away";

}  // namespace

LinkMemory::LinkMemory(std::vector<Region> regions, std::shared_ptr<const UniqueFd> control_wake)
    : regions_(std::move(regions)), control_wake_(std::move(control_wake)) {
  for (const Region& region : regions_) {
    views_.push_back({region.data(), region.size()});
    total_bytes_ += region.size();
    if (region.guarded()) unsealed_.push_back(&region);
  }
}

void LinkMemory::fail(const char* reason) noexcept {
  // Data read from memory that is gone may look like any other error.
  if (lost()) reason = kTakenAway;
  const char* none = nullptr;
  if (failure_.compare_exchange_strong(none, reason, std::memory_order_acq_rel)) {
    signal_eventfd(control_wake_->get());
  }
}

bool LinkMemory::lost() const noexcept {
  return std::any_of(unsealed_.begin(), unsealed_.end(),
                     [](const Region* region) { return region->lost(); });
}

bool LinkMemory::check_unsealed() noexcept {
  if (!lost()) return true;
  fail(kTakenAway);
  return false;
}

}  // namespace gstmemif
