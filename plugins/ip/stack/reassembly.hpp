// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Datagrams put together from their fragments (RFC 791, RFC 8200 4.5).
 *
 * A datagram of which two fragments overlap is dropped whole, with all that come later (RFC 5722),
 * in both versions of IP; but a fragment that repeats bytes that are there already says nothing
 * new, and is ignored. Memory is bounded: there are so many places, each with room for the largest
 * datagram, and who comes when all are taken gets the one that was begun first.
 */
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "plugins/ip/stack/config.hpp"
#include "plugins/ip/stack/counters.hpp"

namespace ipplugin {

/** A fragment, and which datagram it is of. */
struct ReceivedFragment {
  IpAddress source, destination;
  std::uint32_t identification = 0;
  /** Of the datagram: of IPv4 a part of its name, of IPv6 only right in the first fragment. */
  std::uint8_t protocol = 0;
  std::uint8_t ttl = 0;
  std::size_t offset = 0;  // in bytes, a multiple of 8
  bool more = false;
  std::span<const std::byte> data;
};

class Reassembly {
 public:
  Reassembly(const HostLimits& limits, Counters& counters);

  /**
   * The whole packet, if this was all that was missing: an IP header without options or extension
   * headers, and the payload. Valid until the next call.
   */
  std::optional<std::span<std::byte>> add(const ReceivedFragment& fragment, GstClockTime now);
  /** A packet that is its own only fragment (RFC 6946), in the same form. */
  std::optional<std::span<std::byte>> atomic(const ReceivedFragment& fragment);

  GstClockTime tick(GstClockTime now);
  [[nodiscard]] GstClockTime due() const noexcept { return due_; }
  /** Datagrams that are not complete. */
  [[nodiscard]] std::size_t size() const noexcept { return in_use_; }
  /** Bytes of memory, whether in use or not. */
  [[nodiscard]] std::size_t memory() const noexcept;

 private:
  static constexpr std::size_t kMaxHeader = 40;
  static constexpr std::size_t kMaxRanges = 64;
  static constexpr std::size_t kRoom = kMaxHeader + 65536;
  struct Range {
    std::size_t begin, end;
  };
  struct Place {
    bool used = false;
    bool spoilt = false;  // fragments contradict each other
    IpAddress source, destination;
    std::uint32_t identification = 0;
    std::uint8_t protocol = 0;
    std::uint8_t ttl = 0;
    std::size_t total = 0;  // 0: not known yet
    std::uint64_t pieces = 0;
    GstClockTime expires = 0;
    std::size_t n = 0;
    std::array<Range, kMaxRanges> ranges;  // sorted, and apart from each other
    std::unique_ptr<std::byte[]> memory;
  };
  enum class Put { fits, repeats, contradicts, too_many };

  [[nodiscard]] static bool is_of(const Place& place, const ReceivedFragment& fragment) noexcept;
  [[nodiscard]] static bool is_possible(const ReceivedFragment& fragment) noexcept;
  Place& place_for(const ReceivedFragment& fragment, GstClockTime now);
  [[nodiscard]] static Put put(Place& place, const ReceivedFragment& fragment) noexcept;
  [[nodiscard]] static bool contradicts_end(const Place& place,
                                            const ReceivedFragment& fragment) noexcept;
  static std::span<std::byte> finish(Place& place) noexcept;
  void release(Place& place, Count why) noexcept;

  const HostLimits limits_;
  Counters& counters_;
  std::vector<Place> places_;
  Place atomic_;
  std::size_t in_use_ = 0;
  GstClockTime due_ = GST_CLOCK_TIME_NONE;
};

}  // namespace ipplugin
