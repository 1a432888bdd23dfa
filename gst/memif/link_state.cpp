// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/memif/link_state.hpp"

namespace gstmemif {

LinkState::LinkState(std::vector<Region> regions, std::shared_ptr<const UniqueFd> control_wake)
    : regions_(std::move(regions)), control_wake_(std::move(control_wake)) {
  for (const Region& region : regions_) {
    views_.push_back({region.data(), region.size()});
    total_bytes_ += region.size();
    if (region.guarded()) unsealed_.push_back(&region);
  }
}

void LinkState::fail(const char* reason) noexcept {
  const char* none = nullptr;
  if (failure_.compare_exchange_strong(none, reason, std::memory_order_acq_rel)) {
    signal_eventfd(control_wake_->get());
  }
}

bool LinkState::check_unsealed() noexcept {
  for (const Region* region : unsealed_) {
    if (!region->lost()) continue;
    fail("the peer shrank a shared memory region");
    return false;
  }
  return true;
}

}  // namespace gstmemif
