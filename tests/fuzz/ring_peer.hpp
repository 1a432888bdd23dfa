// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * A peer that writes indexes, descriptors, flags and bytes of its choice.
 */
#pragma once

#include <vector>

#include "fuzz.hpp"
#include "gst/memif/data/link.hpp"

namespace fuzz {

using namespace gstmemif;

/** Where the two rings lie, for whoever shares the memory. */
struct SharedRing {
  Ring ring;
  std::uint16_t regions;
  std::uint32_t usual_length;

  void move_index(Input& input, bool head) {
    const std::uint16_t now = head ? ring.load_head() : ring.load_tail();
    const auto step = input.around<std::uint16_t>({1, 2, 4, 64});
    const auto to = static_cast<std::uint16_t>(now + step);
    head ? ring.store_head(to) : ring.store_tail(to);
  }
  void write_descriptor(Input& input) {
    const auto slot = static_cast<std::uint16_t>(input.get<std::uint8_t>());
    Descriptor d = ring.read(slot);
    const unsigned what = input.below(16);
    if ((what & 1) != 0) d.flags = input.around<std::uint16_t>({0, kDescriptorNext});
    if ((what & 2) != 0) d.region = input.around<std::uint16_t>({0, 1, 2, regions});
    if ((what & 4) != 0) d.length = input.around<std::uint32_t>({60, usual_length, 0, 0xffffffff});
    if ((what & 8) != 0) d.offset = input.around<std::uint32_t>({0, 64, 4096, 0xffffffff});
    ring.write(slot, d);
  }
};

/** Writes to the memory of a link what it should not, or at the wrong time. */
class RingPeer {
 public:
  RingPeer(const LinkPlan& plan, std::vector<UniqueFd> files) : files_(std::move(files)) {
    for (const auto* rings : {&plan.s2m, &plan.m2s}) {
      const RingPlan& ring = rings->front();
      std::byte* base = plan.regions[ring.region].data() + ring.offset;
      rings_.push_back({Ring(base, RingLayout{plan.cache_line, ring.size}),
                        static_cast<std::uint16_t>(plan.regions.size()), plan.buffer_size});
    }
  }

  void act(Link& link, Input& input) {
    SharedRing& ring = rings_[input.below(2)];
    switch (input.below(8)) {
      case 0:
        return ring.move_index(input, true);
      case 1:
        return ring.move_index(input, false);
      case 2:
        return ring.ring.mask_interrupt(input.flag());
      case 3:
        return scribble(link, input);
      case 4:
        return fill(input);
      case 5:
        return shrink(input);
      default:
        return ring.write_descriptor(input);
    }
  }

 private:
  static void scribble(Link& link, Input& input) {
    const auto regions = link.state().regions();
    const Region& region = regions[input.below(static_cast<unsigned>(regions.size()))];
    const std::uint64_t at = input.get<std::uint16_t>() % region.size();
    const auto bytes = input.bytes(1 + input.below(16));
    const std::size_t n = std::min<std::uint64_t>(bytes.size(), region.size() - at);
    if (n != 0) std::memcpy(region.data() + at, bytes.data(), n);
  }
  /** All slots of a ring at once: buffers in a row, or packets. */
  void fill(Input& input) {
    Ring& ring = rings_[input.below(2)].ring;
    const std::uint16_t region = input.around<std::uint16_t>({0, 1, 1, 1});
    const std::uint32_t length = input.around<std::uint32_t>({60, 128});
    for (std::uint32_t i = 0; i < ring.size(); ++i) {
      ring.write_slot(i, {0, region, length, 4096 + 128 * i, 0});
    }
  }
  void shrink(Input& input) {
    // Sealed files refuse it; a slave's regions are not among these.
    if (files_.empty() || input.below(8) != 0) return;
    const unsigned i = input.below(static_cast<unsigned>(files_.size()));
    shrunk_ = ::ftruncate(files_[i].get(), 4096) == 0 || shrunk_;
  }

  std::vector<UniqueFd> files_;
  std::vector<SharedRing> rings_;
  bool shrunk_ = false;
};

}  // namespace fuzz
