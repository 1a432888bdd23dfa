// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Long packets that are lent one by one, among short ones that are copied.
 */
#include <atomic>
#include <deque>

#include "linkpair.hpp"

using namespace memiftest;

namespace {

constexpr std::uint32_t kRing = 16;
// One cache line: the buffers of a slave lie next to each other.
constexpr std::uint32_t kCapacity = 64;
constexpr std::uint32_t kLong = 50;

/** What one receive_or_lend() came to: packets, of which a lent one is the only one. */
struct Mixed {
  Loan* loan = nullptr;
  PacketDesc lent{};
  std::vector<Bytes> packets;
};

Bytes bytes_of(const Loan& loan, const PacketDesc& packet) {
  const std::byte* data = loan.base() + packet.offset;
  return Bytes(data, data + packet.length);
}

Mixed take_mixed(RxQueue& rx, const std::shared_ptr<Link>& link, std::uint32_t max_packets = 256) {
  Mixed result;
  PacketDesc packet{};
  const RxBurst burst = rx.receive_or_lend(link, max_packets, kLong, packet);
  if (burst.loan == nullptr) {
    result.packets = join(burst.segments);
    return result;
  }
  const Loan& loan = *burst.loan;
  expect(burst.segments.empty() && burst.packets.size() == 1 && loan.count == 1, "not by itself");
  expect(packet.length >= kLong && packet.token == 0 && loan.bytes == packet.length, "wrong");
  expect(std::uint64_t{packet.offset} + packet.length <= loan.size(), "outside of the region");
  const std::uint32_t begin = loan.buffers[0].offset;
  expect(packet.offset >= begin && packet.offset + packet.length <= begin + loan.buffer_size,
         "outside of what is lent");
  result.loan = burst.loan;
  result.lent = packet;
  result.packets = only(bytes_of(loan, packet));
  return result;
}

struct Held {
  Loan* loan;
  PacketDesc lent;
  std::uint64_t number;
  std::uint32_t length;
};

void expect_unchanged(const Held& held) {
  expect(bytes_of(*held.loan, held.lent) == packet(held.number, held.length),
         "a packet that is held changed");
}

Descriptor part(std::uint32_t offset, std::uint32_t length, bool more = true,
                std::uint16_t region = 1) {
  return {static_cast<std::uint16_t>(more ? kDescriptorNext : 0), region, length, offset, 0};
}

}  // namespace

/** Of all lengths in any order, while some are held for a while. */
GST_START_TEST(test_short_ones_are_copied_and_long_ones_lent) {
  for (const Direction direction : kBothDirections) {
    LinkPair pair(small_offer(kRing, kCapacity));
    RxQueue& rx = pair.rx(direction);
    TxQueue& tx = pair.tx(direction);
    Dice dice(3);
    std::deque<Held> held;
    std::deque<std::uint32_t> lengths;
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
    std::uint64_t lent = 0;
    std::uint64_t chains = 0;
    while (received < 50'000) {
      for (std::uint32_t n = dice.below(6); n != 0; --n) {
        const std::uint32_t length = 1 + dice.below(dice.below(8) == 0 ? 3 * kCapacity : kCapacity);
        if (send(tx, packet(sent, length)) != Sent::ok) break;
        lengths.push_back(length);
        ++sent;
      }
      tx.flush();
      const Mixed mixed = take_mixed(rx, pair.rx_link(direction), 1 + dice.below(8));
      for (const Bytes& bytes : mixed.packets) {
        expect(bytes == packet(received++, lengths.front()), "wrong bytes, or out of order");
        if (mixed.loan != nullptr)
          held.push_back({mixed.loan, mixed.lent, received - 1, lengths.front()});
        // As slave only what lies in one buffer can be.
        if (mixed.loan != nullptr && lengths.front() > kCapacity) ++chains;
        lengths.pop_front();
      }
      if (mixed.loan != nullptr) ++lent;
      expect(rx.release(), "not released");
      while (held.size() > dice.below(4)) {
        const auto i =
            static_cast<std::ptrdiff_t>(dice.below(static_cast<std::uint32_t>(held.size())));
        expect_unchanged(held[static_cast<std::size_t>(i)]);
        held[static_cast<std::size_t>(i)].loan->give_back();
        held.erase(held.begin() + i);
      }
    }
    for (const Held& one : held) one.loan->give_back();
    fail_unless(lent > received / 20, "%d of %d lent", static_cast<int>(lent),
                static_cast<int>(received));
    fail_unless((chains != 0) == (direction == Direction::s2m), "%d chains",
                static_cast<int>(chains));
    fail_unless_equals_uint64(rx.stats().packets.get(), received);
    fail_unless_equals_uint64(rx.stats().dropped(), 0);
  }
}
GST_END_TEST

/** Nothing is ever given back: the ring goes on, with copies. */
GST_START_TEST(test_more_is_held_than_may_be_lent) {
  for (const Direction direction : kBothDirections) {
    std::vector<Held> held;
    {
      LinkPair pair(small_offer(kRing, kCapacity));
      RxQueue& rx = pair.rx(direction);
      std::uint64_t copied = 0;
      for (std::uint64_t i = 0; i < 1000; ++i) {
        expect(send(pair.tx(direction), packet(i, kCapacity)) == Sent::ok, "the ring has stopped");
        pair.tx(direction).flush();
        const Mixed mixed = take_mixed(rx, pair.rx_link(direction));
        expect(mixed.packets == only(packet(i, kCapacity)), "wrong bytes");
        rx.release();
        if (mixed.loan == nullptr) {
          ++copied;
        } else {
          held.push_back({mixed.loan, mixed.lent, i, kCapacity});
        }
      }
      fail_unless(held.size() >= kRing / 2 && held.size() <= 64, "%d lent",
                  static_cast<int>(held.size()));
      fail_unless_equals_uint64(copied, 1000 - held.size());
    }
    // Each holds its link.
    for (const Held& one : held) {
      expect_unchanged(one);
      one.loan->give_back();
    }
    fail_unless_equals_int(memif_mappings(), 0);
  }
}
GST_END_TEST

/** What one run of bytes is not, or not within bounds, is copied or dropped as ever. */
GST_START_TEST(test_chains_that_are_no_run_of_bytes) {
  struct Case {
    const char* what;
    std::vector<Descriptor> parts;
    bool lent;
    bool copied;
  };
  const std::uint32_t end = [] {
    LinkPair pair(small_offer(kRing, kCapacity));
    return static_cast<std::uint32_t>(pair.region_size(1));
  }();
  const std::vector<Case> cases = {
      {"a run", {part(0, 64), part(64, 64), part(128, 10, false)}, true, false},
      {"parts of any length", {part(7, 1), part(8, 100), part(108, 3, false)}, true, false},
      {"up to the end", {part(end - 100, 50), part(end - 50, 50, false)}, true, false},
      {"a gap", {part(0, 64), part(65, 64, false)}, false, true},
      {"an overlap", {part(0, 64), part(63, 64, false)}, false, true},
      {"the wrong order", {part(64, 64), part(0, 64, false)}, false, true},
      {"an empty part", {part(0, 64), part(64, 0), part(64, 64, false)}, false, true},
      {"another region", {part(0, 64), part(64, 64, false, 0)}, false, true},
      {"no region", {part(0, 64), part(64, 64, false, 9)}, false, false},
      {"beyond the end", {part(end - 64, 64), part(end, 64, false)}, false, false},
      {"far beyond", {part(0, 64), part(64, 0xffffffff, false)}, false, false},
      {"no end", {part(0, 64), part(64, 64)}, false, false},
      {"over the limit", {part(0, 500), part(500, 501, false)}, false, false},
      {"more than half of the ring",
       {part(0, 8), part(8, 8), part(16, 8), part(24, 8), part(32, 8), part(40, 8), part(48, 8),
        part(56, 8), part(64, 8, false)},
       false,
       true}};
  for (const Case& test : cases) {
    LinkPair pair(small_offer(kRing, kCapacity));
    RxQueue& rx = pair.rx(Direction::s2m);
    rx.set_max_packet_size(1000);
    std::uint16_t index = 0;
    for (const Descriptor& descriptor : test.parts) {
      pair.ring(Direction::s2m).write(index++, descriptor);
    }
    pair.ring(Direction::s2m).store_head(index);
    const Mixed mixed = take_mixed(rx, pair.rx_link(Direction::s2m));
    fail_unless((mixed.loan != nullptr) == test.lent, "%s", test.what);
    fail_unless(mixed.packets.size() == (test.lent || test.copied ? 1 : 0), "%s", test.what);
    fail_unless_equals_uint64(rx.stats().dropped(), test.lent || test.copied ? 0 : 1);
    fail_unless(rx.release());
    if (mixed.loan != nullptr) mixed.loan->give_back();
    rx.reclaim_slots();
    fail_unless_equals_int(pair.ring(Direction::s2m).load_tail(), index);
    fail_if(pair.rx_state(Direction::s2m).failed(), "%s", test.what);
  }
}
GST_END_TEST

/** What is detached is memory of ours: 256 MiB of it at most. */
GST_START_TEST(test_long_packets_that_are_kept_take_bounded_memory) {
  constexpr std::uint32_t kLength = 32 << 20;
  std::vector<Loan*> kept;
  {
    LinkPair pair(small_offer(8, kLength));
    RxQueue& rx = pair.rx(Direction::s2m);
    Ring& ring = pair.ring(Direction::s2m);
    std::uint64_t taken = 0;
    for (std::uint16_t i = 0; i < 100; ++i) {
      ring.write(i, part(ring.slot(i) * kLength, kLength, false));
      ring.store_head(static_cast<std::uint16_t>(i + 1));
      PacketDesc packet{};
      const RxBurst burst = rx.receive_or_lend(pair.rx_link(Direction::s2m), 1, kLong, packet);
      taken += burst.loan != nullptr ? 1 : burst.segments.size();
      if (burst.loan != nullptr) kept.push_back(burst.loan);
      rx.release();
    }
    fail_unless_equals_uint64(taken, 100);
    fail_unless_equals_uint64(kept.size(), 8);
    // What comes back may be lent again.
    kept.back()->give_back();
    kept.pop_back();
    for (std::uint16_t i = 100; i < 120; ++i) {
      ring.write(i, part(ring.slot(i) * kLength, kLength, false));
      ring.store_head(static_cast<std::uint16_t>(i + 1));
      PacketDesc packet{};
      const RxBurst burst = rx.receive_or_lend(pair.rx_link(Direction::s2m), 1, kLong, packet);
      if (burst.loan != nullptr) kept.push_back(burst.loan);
      rx.release();
    }
    fail_unless_equals_uint64(kept.size(), 8);
  }
  for (Loan* loan : kept) loan->give_back();
  fail_unless_equals_int(memif_mappings(), 0);
}
GST_END_TEST

/** What is checked is what is lent, whatever the peer writes meanwhile. */
GST_START_TEST(test_descriptors_that_change_all_the_time) {
  for (const Direction direction : kBothDirections) {
    LinkPair pair(small_offer(kRing, kCapacity));
    Ring ring = pair.ring(direction);
    std::atomic<bool> stop{false};
    std::thread attacker([&] {
      Dice dice(2);
      while (!stop) {
        const auto i = static_cast<std::uint16_t>(dice.below(kRing));
        Descriptor changed = ring.read(i);
        changed.region = dice.below(8) == 0 ? static_cast<std::uint16_t>(dice.below(3)) : 1;
        changed.offset += dice.below(4) == 0 ? kCapacity * dice.below(4) : 0;
        changed.length = dice.coin() ? kCapacity : 0xffffffff;
        changed.flags = static_cast<std::uint16_t>(dice.coin());
        ring.write(i, changed);
      }
    });
    const auto start = Clock::now();
    while (milliseconds_since(start) < 200 && !pair.tx_state(direction).failed()) {
      for (int i = 0; i < 9; ++i) send(pair.tx(direction), packet(1, kCapacity));
      pair.tx(direction).flush();
      // It looks at all that is lent.
      const Mixed mixed = take_mixed(pair.rx(direction), pair.rx_link(direction));
      pair.rx(direction).release();
      if (mixed.loan != nullptr) mixed.loan->give_back();
    }
    stop = true;
    attacker.join();
    fail_if(pair.rx_state(direction).failed());
  }
}
GST_END_TEST

static Suite* longpackets_suite(void) {
  Suite* suite = suite_create("longpackets");
  TCase* tests = tcase_create("packets");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_short_ones_are_copied_and_long_ones_lent);
  tcase_add_test(tests, test_more_is_held_than_may_be_lent);
  tcase_add_test(tests, test_chains_that_are_no_run_of_bytes);
  tcase_add_test(tests, test_long_packets_that_are_kept_take_bounded_memory);
  tcase_add_test(tests, test_descriptors_that_change_all_the_time);
  return suite;
}

GST_CHECK_MAIN(longpackets)
