// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/packet/mac_table.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <random>

namespace packetplugin {
namespace {

constexpr unsigned kCheckBits = 23;
constexpr auto kRelaxed = std::memory_order_relaxed;

// Keys are never 0, not even that of the zero address in no VLAN.
constexpr std::uint64_t kInUse = std::uint64_t{1} << 60;

std::uint64_t key_of(const Station& station) noexcept {
  std::uint64_t mac = 0;
  std::memcpy(&mac, station.mac.bytes.data(), Mac::kSize);
  return kInUse | (std::uint64_t{station.vlan} & 0xfff) << 48 | swap_if_little(mac) >> 16;
}

// Rounds of multiply and shift, with the secret mixed in before and between them, so that
// collisions cannot be predicted without it.
std::uint64_t mix(std::uint64_t key, std::uint64_t secret) noexcept {
  std::uint64_t h = key ^ secret;
  h = (h ^ (h >> 32)) * 0x9e3779b97f4a7c15ULL;
  h ^= (secret << 17 | secret >> 47);
  h = (h ^ (h >> 29)) * 0xbf58476d1ce4e5b9ULL;
  return h ^ (h >> 32);
}

std::uint64_t random_secret() {
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

bool is_aged(std::uint32_t seen, std::uint32_t now, std::uint32_t ageing) noexcept {
  // Another thread may have read the clock a moment later than we did.
  const auto age = static_cast<std::int32_t>(now - seen);
  return ageing != 0 && age > 0 && static_cast<std::uint32_t>(age) >= ageing;
}

}  // namespace

std::uint64_t MacTable::Value::pack() const noexcept {
  return std::uint64_t{check} << 41 | std::uint64_t{addressed} << 40 | std::uint64_t{port} << 32 |
         seen;
}

MacTable::Value MacTable::Value::unpack(std::uint64_t word) noexcept {
  return {static_cast<std::uint32_t>(word >> 41), (word >> 40 & 1) != 0,
          static_cast<std::uint8_t>(word >> 32), static_cast<std::uint32_t>(word)};
}

MacTable::MacTable(std::size_t max_entries) : MacTable(max_entries, random_secret()) {}

MacTable::MacTable(std::size_t max_entries, std::uint64_t secret)
    : buckets_(std::max<std::size_t>(1, max_entries / kWays)),
      secret_(secret),
      table_(std::make_unique<Bucket[]>(buckets_)) {}

MacTable::Place MacTable::place_of(const Station& station) const noexcept {
  const std::uint64_t key = key_of(station);
  const std::uint64_t hash = mix(key, secret_);
  const std::uint64_t bucket = ((hash & 0xffffffffU) * buckets_) >> 32;
  return {&table_[bucket], key, static_cast<std::uint32_t>(hash >> (64 - kCheckBits))};
}

MacTable::Entry* MacTable::find_entry(const Place& place, Value& value) noexcept {
  for (Entry& entry : place.bucket->entries) {
    if (entry.key.load(kRelaxed) != place.key) continue;
    value = Value::unpack(entry.value.load(kRelaxed));
    if (value.check == place.check) return &entry;
  }
  return nullptr;
}

std::optional<unsigned> MacTable::find(const Station& station, std::uint32_t now,
                                       std::uint32_t ageing) noexcept {
  const Place place = place_of(station);
  Value value{};
  Entry* entry = find_entry(place, value);
  if (entry == nullptr || is_aged(value.seen, now, ageing)) return std::nullopt;
  if (!value.addressed) {
    std::uint64_t before = value.pack();
    value.addressed = true;
    // If it has changed in the meantime, the next packet will report it again.
    entry->value.compare_exchange_strong(before, value.pack(), kRelaxed);
  }
  return value.port;
}

void MacTable::learn(const Station& station, unsigned port, std::uint32_t now,
                     std::uint32_t ageing) {
  const Place place = place_of(station);
  Value value{};
  if (Entry* entry = find_entry(place, value); entry != nullptr && value.port == port) {
    if (value.seen == now) return;
    if (!is_aged(value.seen, now, ageing)) {
      std::uint64_t before = value.pack();
      value.seen = now;
      entry->value.compare_exchange_strong(before, value.pack(), kRelaxed);
      return;
    }
  }
  const std::lock_guard lock(mutex_);
  learn_locked(place, port, now, ageing);
}

void MacTable::learn_locked(const Place& place, unsigned port, std::uint32_t now,
                            std::uint32_t ageing) {
  for (Entry& entry : place.bucket->entries) free_if_aged(entry, now, ageing);
  const Value fresh{place.check, false, static_cast<std::uint8_t>(port), now};
  Value value{};
  if (Entry* entry = find_entry(place, value); entry != nullptr) {
    if (value.port == port) return;
    Value moved = fresh;
    moved.addressed = value.addressed;
    entry->value.store(moved.pack(), kRelaxed);
    count(moved_);
    return;
  }
  Entry& victim = choose_victim(*place.bucket, port, now);
  if (victim.key.load(kRelaxed) != 0) count(evicted_);
  // In between, the two words do not match, so no thread finds the entry.
  victim.key.store(place.key, kRelaxed);
  victim.value.store(fresh.pack(), kRelaxed);
  count(learned_);
}

MacTable::Entry& MacTable::choose_victim(Bucket& bucket, unsigned port, std::uint32_t now) {
  std::array<unsigned, 256> held{};
  for (Entry& entry : bucket.entries) {
    if (entry.key.load(kRelaxed) == 0) return entry;
    ++held[Value::unpack(entry.value.load(kRelaxed)).port];
  }
  if (held[port] == 0) {
    port = static_cast<unsigned>(std::max_element(held.begin(), held.end()) - held.begin());
  }
  Entry* victim = nullptr;
  std::uint64_t worst = 0;
  for (Entry& entry : bucket.entries) {
    const Value value = Value::unpack(entry.value.load(kRelaxed));
    if (value.port != port) continue;
    // Unaddressed before addressed, then by age.
    const auto age = static_cast<std::uint32_t>(
        std::max<std::int32_t>(0, static_cast<std::int32_t>(now - value.seen)));
    const std::uint64_t rank = (std::uint64_t{!value.addressed} << 32 | age) + 1;
    if (rank <= worst) continue;
    worst = rank;
    victim = &entry;
  }
  // Other threads may refresh ages concurrently, but never change ports: there is a victim.
  return *victim;
}

/** With the lock. */
bool MacTable::free_if_aged(Entry& entry, std::uint32_t now, std::uint32_t ageing) {
  if (entry.key.load(kRelaxed) == 0) return true;
  if (!is_aged(Value::unpack(entry.value.load(kRelaxed)).seen, now, ageing)) return false;
  entry.key.store(0, kRelaxed);
  count(aged_);
  return true;
}

void MacTable::forget_port(unsigned port) {
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < buckets_; ++i) {
    for (Entry& entry : table_[i].entries) {
      if (Value::unpack(entry.value.load(kRelaxed)).port == port) entry.key.store(0, kRelaxed);
    }
  }
}

void MacTable::clear() {
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < buckets_; ++i) {
    for (Entry& entry : table_[i].entries) entry.key.store(0, kRelaxed);
  }
  learned_ = moved_ = aged_ = evicted_ = 0;
}

std::size_t MacTable::expire(std::uint32_t now, std::uint32_t ageing) {
  const std::lock_guard lock(mutex_);
  std::size_t left = 0;
  for (std::size_t i = 0; i < buckets_; ++i) {
    for (Entry& entry : table_[i].entries) left += free_if_aged(entry, now, ageing) ? 0U : 1U;
  }
  return left;
}

MacTable::Counts MacTable::counts() const noexcept {
  return {learned_.load(kRelaxed), moved_.load(kRelaxed), aged_.load(kRelaxed),
          evicted_.load(kRelaxed)};
}

}  // namespace packetplugin
