// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The UDP ports of a host that somebody receives on.
 */
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "plugins/ip/stack/config.hpp"

namespace ipplugin {

/**
 * A port that receives: without a group what is sent to an address of the host or to all hosts,
 * with one what is sent to that group. The group is joined.
 */
struct Binding {
  std::uint16_t port = 0;  // 1 to 65535
  std::optional<IpAddress> group;
  /** The only sources wanted, each once (source-specific multicast); empty: all. Only with a group.
   */
  std::vector<IpAddress> sources;
};

class PortTable {
 public:
  explicit PortTable(std::size_t limit);

  /**
   * The number of the new binding: the smallest free one, from 0. An error if the binding makes no
   * sense, if there is one of the same port, group and sources, or if there are too many.
   */
  Result<unsigned> bind(const Binding& binding);
  /** Its binding is gone; nothing if there was none. */
  std::optional<Binding> unbind(unsigned number);

  /** That without a group, or none. Valid until the next call. */
  [[nodiscard]] std::span<const unsigned> find(std::uint16_t port) const noexcept {
    for (unsigned i = first_[bucket_of(port)]; i != kNone; i = slots_[i].next) {
      const Slot& slot = slots_[i];
      if (slot.binding.port == port && !slot.binding.group) return {&slot.number, 1};
    }
    return {};
  }
  /** Those of the group that want packets of that source. Valid until the next call. */
  std::span<const unsigned> find(std::uint16_t port, const IpAddress& group,
                                 const IpAddress& source) noexcept;
  /** All there are, in no order. */
  template <class Visit>
  void each(Visit visit) const {
    for (const Slot& slot : slots_) {
      if (slot.used) visit(slot.binding);
    }
  }

 private:
  static constexpr unsigned kNone = ~0U;
  struct Slot {
    Binding binding;
    unsigned number = 0;
    unsigned next = kNone;  // of the same bucket
    bool used = false;
  };
  [[nodiscard]] static std::size_t bucket_of(std::uint16_t port) noexcept {
    return (port ^ port >> 8) & 0xffU;
  }
  [[nodiscard]] Result<void> check(const Binding& binding) const;

  std::size_t limit_, bound_ = 0;
  std::array<unsigned, 256> first_;
  std::vector<Slot> slots_;
  std::vector<unsigned> found_;  // with room for all
};

}  // namespace ipplugin
