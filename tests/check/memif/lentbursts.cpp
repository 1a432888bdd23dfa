// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Bursts that are lent as they are received: of every size, around every end of a ring, with
 * packets in them that cannot be lent, from peers that write anything.
 */
#include <algorithm>
#include <atomic>

#include "linkpair.hpp"

using namespace memiftest;

namespace {

constexpr std::uint32_t kCapacity = 64;

std::uint64_t all_drops(RxQueue& rx) {
  return rx.stats().dropped();
}

/** Bursts of @p burst packets, each lent and given back, while 16-bit indexes wrap. */
void run_through(Direction direction, std::uint32_t ring_size, std::uint32_t burst) {
  LinkPair pair(small_offer(ring_size, kCapacity));
  TxQueue& tx = pair.tx(direction);
  RxQueue& rx = pair.rx(direction);
  std::uint64_t number = 0;
  std::uint64_t bytes = 0;
  std::uint64_t batches = 0;
  while (number < 140'000) {
    for (std::uint32_t i = 0; i < burst; ++i) {
      const Bytes sent = packet(number + i, 8 + i % 50);
      expect(send(tx, sent) == Sent::ok, "not sent");
      bytes += sent.size();
    }
    tx.flush();
    for (std::uint32_t left = burst; left != 0;) {
      const std::uint32_t expected = std::min<std::uint32_t>(left, Loan::kMax);
      const Taken taken = take(rx, pair.rx_link(direction));
      expect(taken.loan != nullptr, "not lent");
      expect(taken.packets.size() == expected, "a burst of the wrong size");
      for (std::uint32_t i = burst - left; const Bytes& one : taken.packets) {
        expect(one == packet(number + i, 8 + i % 50), "wrong bytes");
        ++i;
      }
      expect(rx.release(), "not released");
      taken.loan->give_back();
      left -= expected;
      ++batches;
    }
    number += burst;
  }
  fail_unless(take(rx, pair.rx_link(direction)).packets.empty());
  fail_unless_equals_uint64(rx.stats().packets.get(), number);
  fail_unless_equals_uint64(rx.stats().bytes.get(), bytes);
  fail_unless_equals_uint64(rx.stats().batches.get(), batches);
  fail_unless_equals_uint64(all_drops(rx), 0);
}

constexpr std::uint32_t kBursts[] = {1, 2, 3, 31, 32, 33, 255, 256, 257};

Descriptor slot(std::uint16_t region, std::uint32_t offset, std::uint32_t length,
                std::uint16_t flags = 0) {
  return {flags, region, length, offset, 0};
}

/** A sending peer that writes descriptors itself. */
class Peer {
 public:
  explicit Peer(Direction direction, std::uint32_t ring_size = 32)
      : pair(small_offer(ring_size, kCapacity)), direction_(direction) {}

  /** A packet as an honest peer would write it into the next slot. */
  Descriptor honest(std::uint32_t length, std::uint16_t flags = 0) {
    // A slave's empty buffer lies in the slot; a slave that sends may use any of its buffers.
    const std::uint32_t offset =
        direction_ == Direction::m2s ? ring().read(index_).offset : ring().slot(index_) * kCapacity;
    return slot(1, offset, length, flags);
  }
  void write(const Descriptor& descriptor) { ring().write(index_++, descriptor); }
  void write_good(std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) write(honest(10 + i % 40));
  }
  void publish(std::uint16_t more = 0) {
    const auto index = static_cast<std::uint16_t>(index_ + more);
    direction_ == Direction::s2m ? ring().store_head(index) : ring().store_tail(index);
  }
  Taken take() { return memiftest::take(rx(), pair.rx_link(direction_)); }
  /** Takes, releases and gives back; returns the number of packets. */
  std::size_t take_all(bool lent) {
    const Taken taken = take();
    expect((taken.loan != nullptr) == lent, lent ? "not lent" : "lent");
    expect(rx().release(), "not released");
    if (taken.loan != nullptr) taken.loan->give_back();
    return taken.packets.size();
  }
  Ring& ring() { return pair.ring(direction_); }
  RxQueue& rx() { return pair.rx(direction_); }
  bool link_failed() { return pair.rx_state(direction_).failed(); }

  LinkPair pair;

 private:
  Direction direction_;
  std::uint16_t index_ = 0;
};

/** Writes what cannot be lent into the next slot, or several. */
using Odd = void (*)(Peer& peer);
constexpr Odd kOdd[] = {
    [](Peer& peer) {
      peer.write(peer.honest(10, kDescriptorNext));
      peer.write(peer.honest(20));
    },
    [](Peer& peer) { peer.write(peer.honest(0)); },
    [](Peer& peer) { peer.write(slot(2, peer.honest(1).offset, 9)); },
    [](Peer& peer) { peer.write(slot(0xffff, peer.honest(1).offset, 9)); },
    [](Peer& peer) { peer.write(slot(1, 0xffffffff, 1)); },
    [](Peer& peer) { peer.write(slot(1, 0xfffffff0, 0x20)); },
    [](Peer& peer) { peer.write(slot(1, 16, 0xfffffff8)); },
    [](Peer& peer) { peer.write(slot(1, peer.honest(1).offset, 0xffffffff)); },
};

/** Good memory, for a master, but of another region: a loan has one. */
constexpr Odd kOtherRegion = [](Peer& peer) { peer.write(slot(0, 0, 9)); };

/** What only a slave knows to be wrong: its own buffer belongs to each slot. */
constexpr Odd kOutside[] = {
    kOtherRegion,
    [](Peer& peer) { peer.write(slot(1, peer.honest(1).offset - 1, 16)); },
    [](Peer& peer) { peer.write(slot(1, peer.honest(1).offset + 1, kCapacity)); },
    [](Peer& peer) { peer.write(slot(1, peer.honest(1).offset, kCapacity + 1)); },
    [](Peer& peer) { peer.write(slot(1, peer.honest(1).offset + kCapacity, 1)); },
    [](Peer& peer) { peer.write(slot(1, 0, 16)); },
};

/**
 * Something odd between good packets: those before are lent, the rest comes as from receive(), and
 * is counted as if all had; then packets are lent again.
 */
void check_odd(Direction direction, Odd odd, std::uint32_t before, std::uint32_t after) {
  Peer peer(direction);
  Peer plain(direction);
  for (Peer* each : {&peer, &plain}) {
    each->write_good(before);
    odd(*each);
    each->write_good(after);
    each->publish();
  }
  const std::size_t expected = receive(plain.rx()).size();
  std::size_t got = 0;
  if (before != 0) got += peer.take_all(true);
  fail_unless_equals_uint64(got, before);
  got += peer.take_all(false);
  fail_unless_equals_uint64(got, expected);
  fail_unless_equals_uint64(peer.rx().stats().packets.get(), plain.rx().stats().packets.get());
  fail_unless_equals_uint64(peer.rx().stats().bytes.get(), plain.rx().stats().bytes.get());
  for (std::size_t i = 0; i < std::size(peer.rx().stats().drops); ++i) {
    fail_unless_equals_uint64(peer.rx().stats().drops[i].get(), plain.rx().stats().drops[i].get());
  }
  fail_unless_equals_uint64(peer.take().packets.size(), 0);
  peer.write_good(5);
  peer.publish();
  fail_unless_equals_uint64(peer.take_all(true), 5);
  fail_if(peer.link_failed());
}

}  // namespace

GST_START_TEST(test_every_burst_in_rings_that_wrap) {
  const std::uint32_t burst = kBursts[__i__];
  for (const Direction direction : kBothDirections) {
    // As master, no more than half of a ring is lent.
    run_through(direction, 1024, burst);
    if (burst <= 32) run_through(direction, 64, burst);
  }
}
GST_END_TEST

GST_START_TEST(test_odd_packets_in_a_burst) {
  for (const Direction direction : kBothDirections) {
    for (const Odd odd : kOdd) {
      check_odd(direction, odd, 0, 0);
      check_odd(direction, odd, 0, 3);
      check_odd(direction, odd, 1, 0);
      check_odd(direction, odd, 7, 6);
    }
  }
  check_odd(Direction::s2m, kOtherRegion, 7, 6);
  for (const Odd odd : kOutside) {
    check_odd(Direction::m2s, odd, 0, 3);
    check_odd(Direction::m2s, odd, 7, 6);
  }
}
GST_END_TEST

/** The odd one lies in the last slot of the ring, or the first of the next round. */
GST_START_TEST(test_odd_packets_where_the_ring_wraps) {
  for (const Direction direction : kBothDirections) {
    for (const std::uint32_t before : {5U, 6U, 7U}) {
      Peer peer(direction, 32);
      for (int i = 0; i < 5; ++i) {
        peer.write_good(5);
        peer.publish();
        fail_unless_equals_uint64(peer.take_all(true), 5);
      }
      // 25 of 32 slots are done.
      peer.write_good(before);
      peer.write(peer.honest(0));
      peer.write_good(2);
      peer.publish();
      fail_unless_equals_uint64(peer.take_all(true), before);
      fail_unless_equals_uint64(peer.take_all(false), 2);
      fail_unless_equals_uint64(dropped(peer.rx().stats(), DropReason::empty), 1);
    }
  }
}
GST_END_TEST

/** A chain that does not end is dropped, and so is its rest, which looks like a packet. */
GST_START_TEST(test_the_rest_of_a_dropped_chain_is_not_lent) {
  for (const Direction direction : kBothDirections) {
    Peer peer(direction);
    peer.write(peer.honest(5, kDescriptorNext));
    peer.publish();
    fail_unless_equals_uint64(peer.take_all(false), 0);
    peer.write(peer.honest(6));
    peer.write_good(3);
    peer.publish();
    fail_unless_equals_uint64(peer.take_all(false), 3);
    fail_unless_equals_uint64(dropped(peer.rx().stats(), DropReason::bad_chain), 1);
    peer.write_good(3);
    peer.publish();
    fail_unless_equals_uint64(peer.take_all(true), 3);
  }
}
GST_END_TEST

GST_START_TEST(test_a_jump_of_the_index_lends_nothing) {
  for (const Direction direction : kBothDirections) {
    for (const std::uint16_t jump : std::initializer_list<std::uint16_t>{30, 100, 32768, 65532}) {
      Peer peer(direction);
      peer.write_good(3);
      peer.publish(jump);
      const Taken taken = peer.take();
      fail_unless(taken.loan == nullptr && taken.packets.empty());
      fail_unless(peer.link_failed());
      fail_unless_equals_uint64(peer.rx().stats().packets.get(), 0);
    }
  }
}
GST_END_TEST

/** What a slave gives back after a loan: whole buffers, each in one place, flags cleared. */
GST_START_TEST(test_slots_of_lent_packets_get_other_buffers) {
  constexpr std::uint32_t kRing = 32;
  Peer peer(Direction::m2s, kRing);
  std::vector<std::uint32_t> lent;
  std::vector<Loan*> loans;
  for (const std::uint32_t count : {3U, 20U, 9U}) {
    std::vector<std::uint32_t> written;
    for (std::uint32_t i = 0; i < count; ++i) {
      Descriptor moved = peer.honest(10, 0xfffe);
      written.push_back(moved.offset);
      moved.offset += i % 8;  // as senders do who keep room for a header
      peer.write(moved);
    }
    peer.publish();
    const Taken taken = peer.take();
    fail_unless(taken.loan != nullptr && taken.loan->count == count);
    for (std::uint32_t i = 0; i < count; ++i) {
      fail_unless_equals_int(taken.loan->buffers[i].offset, written[i]);
      fail_unless_equals_int(taken.loan->buffers[i].region, 1);
      lent.push_back(written[i]);
    }
    fail_unless(peer.rx().release());
    loans.push_back(taken.loan);
  }
  for (std::uint16_t i = 0; i < kRing; ++i) {
    const Descriptor fresh = peer.ring().read(i);
    fail_unless(fresh.flags == 0 && fresh.region == 1 && fresh.length == kCapacity);
    lent.push_back(fresh.offset);
  }
  std::ranges::sort(lent);
  fail_unless(std::ranges::adjacent_find(lent) == lent.end(), "a buffer is in two places");
  // No spare is left: the next burst is not lent, and arrives all the same.
  peer.write_good(4);
  peer.publish();
  fail_unless_equals_uint64(peer.take_all(false), 4);
  for (Loan* loan : loans) loan->give_back();
  peer.write_good(4);
  peer.publish();
  fail_unless_equals_uint64(peer.take_all(true), 4);
  fail_unless_equals_uint64(peer.rx().stats().packets.get(), 40);
  fail_unless_equals_uint64(all_drops(peer.rx()), 0);
}
GST_END_TEST

/** A master lends no more of a place than there is: also if the longest packet would go on. */
GST_START_TEST(test_a_short_packet_at_the_end_of_a_region) {
  Peer peer(Direction::s2m);
  const auto size = static_cast<std::uint32_t>(peer.pair.region_size(1));
  std::byte* const region = peer.pair.slave().state().resolve(1, 0, size);
  const Bytes bytes = packet(7, size);
  std::ranges::copy(bytes, region);
  peer.write(slot(1, size - 3, 3));
  peer.write(slot(1, 5, kCapacity));
  peer.publish();
  const Taken taken = peer.take();
  fail_unless(taken.loan != nullptr && taken.packets.size() == 2);
  fail_unless(peer.rx().release());
  // Cut off from the region, which may change then, the loan holds the same.
  peer.rx().vacate_slots();
  fail_if(peer.rx().lends_slots());
  std::fill_n(region, size, std::byte{0});
  const Loan& loan = *taken.loan;
  fail_unless(std::equal(bytes.end() - 3, bytes.end(), loan.base() + loan.buffers[0].offset));
  fail_unless(std::equal(bytes.begin() + 5, bytes.begin() + 5 + kCapacity,
                         loan.base() + loan.buffers[1].offset));
  taken.loan->give_back();
}
GST_END_TEST

/** The slots are the peer's again after release(), and not before. */
GST_START_TEST(test_nothing_is_given_back_before_release) {
  Peer peer(Direction::m2s, 32);
  const std::uint16_t head = peer.ring().load_head();
  peer.write_good(6);
  peer.publish();
  const Taken taken = peer.take();
  fail_unless_equals_int(peer.ring().load_head(), head);
  peer.rx().release();
  fail_unless_equals_int(peer.ring().load_head(), head + 6);
  taken.loan->give_back();
}
GST_END_TEST

/** Each descriptor is looked at once: what is checked is what is lent. */
GST_START_TEST(test_descriptors_that_change_all_the_time) {
  for (const Direction direction : kBothDirections) {
    constexpr std::uint32_t kRing = 32;
    LinkPair pair(small_offer(kRing, kCapacity));
    Ring ring = pair.ring(direction);
    std::atomic<bool> stop{false};
    std::thread attacker([&] {
      Dice dice(2);
      while (!stop) {
        const auto i = static_cast<std::uint16_t>(dice.below(kRing));
        Descriptor changed = ring.read(i);
        changed.region = dice.below(4) == 0 ? static_cast<std::uint16_t>(dice.below(3)) : 1;
        changed.offset += dice.below(4) == 0 ? dice.below(200) : 0;
        changed.length = dice.coin() ? dice.below(kCapacity) : 0xffffffff;
        changed.flags = static_cast<std::uint16_t>(dice.below(8) == 0);
        ring.write(i, changed);
      }
    });
    const auto start = Clock::now();
    while (milliseconds_since(start) < 200 && !pair.tx_state(direction).failed()) {
      for (int i = 0; i < 9; ++i) send(pair.tx(direction), packet(1, kCapacity));
      pair.tx(direction).flush();
      // It looks at all that is lent.
      Loan* loan = lend(pair.rx(direction), pair.rx_link(direction));
      if (loan != nullptr) loan->give_back();
    }
    stop = true;
    attacker.join();
    fail_if(pair.rx_state(direction).failed());
  }
}
GST_END_TEST

static Suite* lentbursts_suite(void) {
  Suite* suite = suite_create("lentbursts");
  TCase* tests = tcase_create("bursts");
  suite_add_tcase(suite, tests);
  tcase_add_loop_test(tests, test_every_burst_in_rings_that_wrap, 0, G_N_ELEMENTS(kBursts));
  tcase_add_test(tests, test_odd_packets_in_a_burst);
  tcase_add_test(tests, test_odd_packets_where_the_ring_wraps);
  tcase_add_test(tests, test_the_rest_of_a_dropped_chain_is_not_lent);
  tcase_add_test(tests, test_a_jump_of_the_index_lends_nothing);
  tcase_add_test(tests, test_slots_of_lent_packets_get_other_buffers);
  tcase_add_test(tests, test_a_short_packet_at_the_end_of_a_region);
  tcase_add_test(tests, test_nothing_is_given_back_before_release);
  tcase_add_test(tests, test_descriptors_that_change_all_the_time);
  return suite;
}

GST_CHECK_MAIN(lentbursts)
