// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/ip/stack/reassembly.hpp"

#include <algorithm>
#include <cstring>

#include "plugins/ip/stack/ip_writer.hpp"

namespace ipplugin {
namespace {

// A total length of 16 bits includes the header of IPv4, and not that of IPv6.
constexpr std::size_t largest(bool v4) noexcept {
  return v4 ? 65535 - Ipv4View::kMinSize : 65535;
}

}  // namespace

Reassembly::Reassembly(const HostLimits& limits, Counters& counters)
    : limits_(limits), counters_(counters) {
  places_.reserve(limits.reassemblies);
}

std::size_t Reassembly::memory() const noexcept {
  return (places_.size() + (atomic_.memory ? 1 : 0)) * kRoom;
}

bool Reassembly::is_of(const Place& place, const ReceivedFragment& fragment) noexcept {
  return place.used && place.identification == fragment.identification &&
         place.source == fragment.source && place.destination == fragment.destination &&
         (!place.source.is_v4() || place.protocol == fragment.protocol);
}

bool Reassembly::is_possible(const ReceivedFragment& fragment) noexcept {
  const std::size_t size = fragment.data.size();
  if (size == 0 || (fragment.more && size % 8 != 0)) return false;
  return fragment.offset + size <= largest(fragment.source.is_v4());
}

Reassembly::Place& Reassembly::place_for(const ReceivedFragment& fragment, GstClockTime now) {
  Place* free = nullptr;
  Place* oldest = nullptr;
  for (Place& place : places_) {
    if (is_of(place, fragment)) return place;
    if (!place.used) {
      free = &place;
    } else if (oldest == nullptr || place.expires < oldest->expires) {
      oldest = &place;
    }
  }
  if (free == nullptr && places_.size() < std::max<std::size_t>(limits_.reassemblies, 1)) {
    free = &places_.emplace_back();
    free->memory = std::make_unique_for_overwrite<std::byte[]>(kRoom);
  }
  if (free == nullptr) {
    release(*oldest, Count::fragment_limit);
    free = oldest;
  }
  free->used = true;
  free->spoilt = false;
  free->source = fragment.source;
  free->destination = fragment.destination;
  free->identification = fragment.identification;
  free->protocol = fragment.protocol;
  free->total = free->n = 0;
  free->pieces = 0;
  free->expires = now + limits_.reassembly_time;
  due_ = std::min(due_, free->expires);
  ++in_use_;
  return *free;
}

void Reassembly::release(Place& place, Count why) noexcept {
  counters_.add(why, place.pieces);
  place.used = false;
  --in_use_;
}

// Whether it reaches beyond the end, or tells another one.
bool Reassembly::contradicts_end(const Place& place, const ReceivedFragment& fragment) noexcept {
  const std::size_t end = fragment.offset + fragment.data.size();
  if (place.total != 0) return fragment.more ? end > place.total : end != place.total;
  return !fragment.more && place.n != 0 && place.ranges[place.n - 1].end > end;
}

Reassembly::Put Reassembly::put(Place& place, const ReceivedFragment& fragment) noexcept {
  const Range range{fragment.offset, fragment.offset + fragment.data.size()};
  const auto begin = place.ranges.begin(), end = begin + static_cast<std::ptrdiff_t>(place.n);
  std::byte* const to = place.memory.get() + kMaxHeader + range.begin;
  // The first one that ends behind our beginning.
  const auto next = std::find_if(begin, end, [&](const Range& r) { return r.end > range.begin; });
  if (next != end && next->begin < range.end) {
    const bool inside = next->begin <= range.begin && range.end <= next->end;
    const bool same = inside && std::memcmp(to, fragment.data.data(), fragment.data.size()) == 0;
    return same ? Put::repeats : Put::contradicts;
  }
  const bool joins_last = next != begin && std::prev(next)->end == range.begin;
  const bool joins_next = next != end && next->begin == range.end;
  if (!joins_last && !joins_next && place.n == kMaxRanges) return Put::too_many;
  std::memcpy(to, fragment.data.data(), fragment.data.size());
  if (joins_last && joins_next) {
    std::prev(next)->end = next->end;
    std::move(next + 1, end, next);
    --place.n;
  } else if (joins_last) {
    std::prev(next)->end = range.end;
  } else if (joins_next) {
    next->begin = range.begin;
  } else {
    std::move_backward(next, end, end + 1);
    *next = range;
    ++place.n;
  }
  return Put::fits;
}

std::optional<std::span<std::byte>> Reassembly::add(const ReceivedFragment& fragment,
                                                    GstClockTime now) {
  if (!is_possible(fragment)) {
    counters_.add(Count::bad_fragment);
    return std::nullopt;
  }
  Place& place = place_for(fragment, now);
  if (place.spoilt) {
    counters_.add(Count::fragment_overlap);
    return std::nullopt;
  }
  const Put what = contradicts_end(place, fragment) ? Put::contradicts : put(place, fragment);
  if (what == Put::repeats) {
    counters_.add(Count::fragment_repeated);
    return std::nullopt;
  }
  if (what != Put::fits) {
    // It stays, so that what comes later is not taken for a datagram of its own.
    counters_.add(what == Put::too_many ? Count::fragment_limit : Count::fragment_overlap,
                  place.pieces + 1);
    place.pieces = 0;
    place.spoilt = true;
    return std::nullopt;
  }
  counters_.add(Count::fragments);
  ++place.pieces;
  if (!fragment.more) place.total = fragment.offset + fragment.data.size();
  if (fragment.offset == 0) {
    place.protocol = fragment.protocol;
    place.ttl = fragment.ttl;
  }
  const bool complete = place.total != 0 && place.n == 1 && place.ranges[0].begin == 0 &&
                        place.ranges[0].end == place.total;
  if (!complete) return std::nullopt;
  place.used = false;
  --in_use_;
  counters_.add(Count::reassembled);
  return finish(place);
}

std::span<std::byte> Reassembly::finish(Place& place) noexcept {
  const bool v4 = place.source.is_v4();
  const std::size_t header = v4 ? Ipv4View::kMinSize : Ipv6View::kSize;
  const std::span<std::byte> packet(place.memory.get() + kMaxHeader - header, header + place.total);
  if (v4) {
    write_header(packet, Ipv4Fields{.source = place.source.v4(),
                                    .destination = place.destination.v4(),
                                    .protocol = place.protocol,
                                    .ttl = place.ttl,
                                    .payload_size = place.total,
                                    .fragment = 0});
  } else {
    write_header(packet, Ipv6Fields{.source = place.source.v6(),
                                    .destination = place.destination.v6(),
                                    .next_header = place.protocol,
                                    .hop_limit = place.ttl,
                                    .payload_size = place.total});
  }
  return packet;
}

std::optional<std::span<std::byte>> Reassembly::atomic(const ReceivedFragment& fragment) {
  if (fragment.data.empty() || fragment.data.size() > largest(fragment.source.is_v4())) {
    counters_.add(Count::bad_fragment);
    return std::nullopt;
  }
  if (!atomic_.memory) atomic_.memory = std::make_unique_for_overwrite<std::byte[]>(kRoom);
  atomic_.source = fragment.source;
  atomic_.destination = fragment.destination;
  atomic_.protocol = fragment.protocol;
  atomic_.ttl = fragment.ttl;
  atomic_.total = fragment.data.size();
  std::memcpy(atomic_.memory.get() + kMaxHeader, fragment.data.data(), fragment.data.size());
  return finish(atomic_);
}

GstClockTime Reassembly::tick(GstClockTime now) {
  if (now < due_) return due_;
  due_ = GST_CLOCK_TIME_NONE;
  for (Place& place : places_) {
    if (!place.used) continue;
    if (place.expires <= now) {
      release(place, Count::fragment_timeout);
    } else {
      due_ = std::min(due_, place.expires);
    }
  }
  return due_;
}

}  // namespace ipplugin
