// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * A peer that writes anything into a ring: packets are dropped and counted, or the link fails with
 * a reason. Nothing outside of the agreed memory is touched, and what is good still arrives.
 */
#include <atomic>

#include "linkpair.hpp"

using namespace memiftest;

namespace {

constexpr std::uint32_t kRing = 8;
constexpr std::uint32_t kCapacity = 64;

Descriptor slot(std::uint16_t region, std::uint32_t offset, std::uint32_t length,
                std::uint16_t flags = 0) {
  return {flags, region, length, offset, 0};
}

/** A sending peer of one of our receivers, with full control over its ring. */
class Attack {
 public:
  explicit Attack(Direction direction)
      : pair(small_offer(kRing, kCapacity)), direction_(direction) {}

  /** The descriptor that an honest peer would write into the next slot but @p ahead. */
  Descriptor honest(std::uint32_t length, std::uint16_t flags = 0, std::uint32_t ahead = 0) {
    // S2M buffers come first, then the spare ones to send from, then those of M2S.
    const std::uint32_t first = direction_ == Direction::s2m ? 0 : kRing + spare_buffers(kRing);
    const std::uint32_t number = first + (index_ + ahead) % kRing;
    return slot(1, number * kCapacity, length, flags);
  }
  void post(const std::vector<Descriptor>& descriptors) {
    for (const Descriptor& descriptor : descriptors)
      pair.ring(direction_).write(index_++, descriptor);
    publish(index_);
  }
  void publish(std::uint16_t index) {
    Ring& ring = pair.ring(direction_);
    direction_ == Direction::s2m ? ring.store_head(index) : ring.store_tail(index);
  }
  std::vector<Bytes> receive() { return memiftest::receive(rx()); }
  RxQueue& rx() { return pair.rx(direction_); }
  std::uint64_t drops(DropReason reason) { return dropped(rx().stats(), reason); }
  bool link_failed() { return pair.rx_state(direction_).failed(); }

  LinkPair pair;

 private:
  Direction direction_;
  std::uint16_t index_ = 0;
};

}  // namespace

GST_START_TEST(test_bad_descriptors_are_dropped_between_good_ones) {
  for (const Direction direction : kBothDirections) {
    Attack attack(direction);
    const auto end = static_cast<std::uint32_t>(attack.pair.region_size(1));
    std::uint64_t bad = 0;
    for (const Descriptor& evil :
         {slot(2, 0, 10), slot(255, 0, 10), slot(65535, 0, 10), slot(1, end, 1),
          slot(1, end - 1, 2), slot(1, 0, end + 1), slot(1, 0xffffffff, 1),
          slot(1, 0xfffffff0, 0x20), slot(1, 16, 0xfffffff8), slot(1, 0, 0xffffffff)}) {
      attack.post({attack.honest(10), evil, attack.honest(11, 0, 2)});
      const std::vector<Bytes> packets = attack.receive();
      fail_unless_equals_uint64(packets.size(), 2);
      fail_unless(packets[0].size() == 10 && packets[1].size() == 11);
      fail_unless_equals_uint64(attack.drops(DropReason::bad_descriptor), ++bad);
      fail_if(attack.link_failed());
    }
  }
}
GST_END_TEST

GST_START_TEST(test_slave_takes_packets_only_from_the_buffer_of_the_slot) {
  Attack attack(Direction::m2s);
  const std::uint32_t own = attack.honest(1).offset;
  std::uint64_t bad = 0;
  for (const Descriptor& evil :
       {slot(0, 0, 16), slot(1, 0, 16), slot(1, own - 1, 16), slot(1, own + 1, kCapacity),
        slot(1, own, kCapacity + 1), slot(1, own + kCapacity, 1)}) {
    for (std::uint32_t i = 0; i < kRing; ++i) {
      // Always in slot 0, whose buffer is meant.
      attack.post({i == 0 ? evil : attack.honest(5)});
      fail_unless_equals_uint64(attack.receive().size(), i == 0 ? 0 : 1);
    }
    fail_unless_equals_uint64(attack.drops(DropReason::bad_descriptor), ++bad);
    // What the peer gets back is the buffer that belongs there, with its whole capacity.
    const Descriptor fresh = attack.pair.ring(Direction::m2s).read(0);
    fail_unless(fresh.region == 1 && fresh.offset == own && fresh.length == kCapacity);
    fail_unless_equals_int(fresh.flags, 0);
  }
  attack.post({slot(1, own + 10, kCapacity - 10)});
  fail_unless_equals_uint64(attack.receive().size(), 1);
}
GST_END_TEST

GST_START_TEST(test_empty_packets_are_dropped) {
  for (const Direction direction : kBothDirections) {
    Attack attack(direction);
    attack.post({attack.honest(0), attack.honest(0, kDescriptorNext, 1), attack.honest(0, 0, 2),
                 attack.honest(7, 0, 3)});
    fail_unless_equals_uint64(attack.receive().size(), 1);
    fail_unless_equals_uint64(attack.drops(DropReason::empty), 2);
    // A fragment of no bytes within a packet does no harm.
    attack.post({attack.honest(3, kDescriptorNext), attack.honest(0, kDescriptorNext, 1),
                 attack.honest(4, 0, 2)});
    const std::vector<Bytes> packets = attack.receive();
    fail_unless(packets.size() == 1 && packets[0].size() == 7);
  }
}
GST_END_TEST

GST_START_TEST(test_a_chain_with_a_bad_slot_is_dropped_whole) {
  for (const Direction direction : kBothDirections) {
    Attack attack(direction);
    attack.post({attack.honest(3, kDescriptorNext), slot(99, 0, 3, kDescriptorNext),
                 attack.honest(3, kDescriptorNext, 2), attack.honest(3, 0, 3),
                 attack.honest(9, 0, 4)});
    const std::vector<Bytes> packets = attack.receive();
    fail_unless(packets.size() == 1 && packets[0].size() == 9);
    fail_unless_equals_uint64(attack.drops(DropReason::bad_descriptor), 1);
    fail_unless_equals_uint64(attack.rx().stats().packets.get(), 1);
    fail_unless_equals_uint64(attack.rx().stats().bytes.get(), 9);
  }
}
GST_END_TEST

GST_START_TEST(test_a_chain_without_end_does_not_block_the_ring) {
  for (const Direction direction : kBothDirections) {
    Attack attack(direction);
    for (int round = 1; round <= 3; ++round) {
      std::vector<Descriptor> endless;
      for (std::uint32_t i = 0; i < kRing; ++i) {
        endless.push_back(attack.honest(5, kDescriptorNext, i));
      }
      attack.post(endless);
      fail_unless_equals_uint64(attack.receive().size(), 0);
      fail_unless_equals_uint64(attack.drops(DropReason::bad_chain), round);
      // Its rest belongs to the packet that was dropped; the next one is good again.
      attack.post(
          {attack.honest(5, kDescriptorNext), attack.honest(6, 0, 1), attack.honest(7, 0, 2)});
      const std::vector<Bytes> packets = attack.receive();
      fail_unless(packets.size() == 1 && packets[0].size() == 7);
      fail_unless_equals_uint64(attack.drops(DropReason::bad_chain), round);
    }
    fail_if(attack.link_failed());
  }
}
GST_END_TEST

GST_START_TEST(test_a_chain_is_not_longer_than_all_memory) {
  Attack attack(Direction::s2m);
  const auto all = static_cast<std::uint32_t>(attack.pair.region_size(1));
  attack.post({slot(1, 0, all, kDescriptorNext), slot(1, 0, all, kDescriptorNext), slot(1, 0, all),
               attack.honest(4, 0, 3)});
  fail_unless_equals_uint64(attack.receive().size(), 1);
  fail_unless_equals_uint64(attack.drops(DropReason::bad_chain), 1);
}
GST_END_TEST

GST_START_TEST(test_a_jump_of_the_index_fails_the_receiving_link) {
  for (const Direction direction : kBothDirections) {
    for (const std::uint16_t jump : std::initializer_list<std::uint16_t>{9, 100, 32768, 65535}) {
      Attack attack(direction);
      attack.post({attack.honest(5)});
      fail_unless_equals_uint64(attack.receive().size(), 1);
      attack.publish(static_cast<std::uint16_t>(1 + jump));
      fail_unless_equals_uint64(attack.rx().receive(10).size(), 0);
      fail_unless(attack.link_failed());
      fail_unless(std::strstr(attack.pair.rx_state(direction).failure(), "index") != nullptr);
      // Failed is failed, also when the peer thinks better of it.
      attack.publish(2);
      fail_unless_equals_uint64(attack.rx().receive(10).size(), 0);
      attack.rx().release();
    }
  }
}
GST_END_TEST

GST_START_TEST(test_a_jump_of_the_index_fails_the_sending_link) {
  for (const Direction direction : kBothDirections) {
    for (int what = 0; what < 3; ++what) {
      LinkPair pair(small_offer(4, kCapacity));
      TxQueue& tx = pair.tx(direction);
      for (int i = 0; i < 4; ++i) fail_unless(send(tx, packet(i, 9)) == Sent::ok);
      if (what != 0) tx.flush();
      Ring& ring = pair.ring(direction);
      // Gives back what was not flushed, more than was sent, or less than nothing.
      const std::uint16_t given_back = what == 0 ? 1 : what == 1 ? 5 : 65535;
      if (direction == Direction::s2m) {
        ring.store_tail(given_back);
      } else {
        ring.store_head(static_cast<std::uint16_t>(what == 2 ? 3 : 4 + 4 + given_back));
      }
      fail_unless(send(tx, packet(9, 9)) == Sent::link_lost, "case %d", what);
      fail_unless(pair.tx_state(direction).failed());
      fail_unless(send(tx, packet(9, 9)) == Sent::link_lost);
      tx.flush();
      fail_unless_equals_uint64(dropped(tx.stats(), DropReason::link_down), what == 0 ? 4 : 0);
    }
  }
}
GST_END_TEST

GST_START_TEST(test_master_checks_a_buffer_before_it_writes_to_it) {
  LinkPair probe(small_offer(4, kCapacity));
  const auto end = static_cast<std::uint32_t>(probe.region_size(1));
  for (const Descriptor& evil :
       {slot(1, 0, 0), slot(2, 0, 64), slot(65535, 0, 64), slot(1, end, 64), slot(1, end - 63, 64),
        slot(1, 0xfffffff0, 64), slot(1, 0, end + 1), slot(1, 64, 0xffffffff)}) {
    LinkPair pair(small_offer(4, kCapacity));
    TxQueue& tx = pair.tx(Direction::m2s);
    pair.ring(Direction::m2s).write(1, evil);
    fail_unless(send(tx, packet(0, 10)) == Sent::ok);
    fail_unless(send(tx, packet(1, 10)) == Sent::link_lost);
    fail_unless(std::strstr(pair.tx_state(Direction::m2s).failure(), "outside") != nullptr);
  }
  // Also in the middle of a chain.
  LinkPair pair(small_offer(4, kCapacity));
  pair.ring(Direction::m2s).write(2, slot(1, end, 64));
  fail_unless(send(pair.tx(Direction::m2s), packet(0, 4 * kCapacity)) == Sent::link_lost);
}
GST_END_TEST

GST_START_TEST(test_master_uses_buffers_of_any_size) {
  LinkPair pair(small_offer(4, kCapacity));
  Ring& ring = pair.ring(Direction::m2s);
  const std::uint32_t base = ring.read(0).offset;
  ring.write(0, slot(1, base + 3, 1));
  ring.write(1, slot(1, base + 64, 61));
  ring.write(2, slot(1, base + 130, 2));
  ring.write(3, slot(1, base + 192, 64));
  const Bytes bytes = packet(5, 1 + 61 + 2 + 10);
  fail_unless(send(pair.tx(Direction::m2s), bytes) == Sent::ok);
  pair.tx(Direction::m2s).flush();
  fail_unless(receive(pair.rx(Direction::m2s)) == only(bytes));
}
GST_END_TEST

GST_START_TEST(test_slave_sends_from_its_own_buffers_whatever_the_ring_says) {
  LinkPair pair(small_offer(4, kCapacity));
  for (int round = 0; round < 8; ++round) {
    for (std::uint16_t i = 0; i < 4; ++i) {
      pair.ring(Direction::s2m).write(i, slot(77, 0xffffff00, 0xffffffff, 0xffff));
    }
    const Bytes bytes = packet(static_cast<std::uint64_t>(round), 3 * kCapacity);
    fail_unless(send(pair.tx(Direction::s2m), bytes) == Sent::ok);
    pair.tx(Direction::s2m).flush();
    fail_unless(receive(pair.rx(Direction::s2m)) == only(bytes));
  }
}
GST_END_TEST

/** Descriptors that change while we look: each is looked at once, or checked again. */
GST_START_TEST(test_descriptors_that_change_all_the_time) {
  for (const Direction direction : kBothDirections) {
    LinkPair pair(small_offer(16, kCapacity));
    Ring ring = pair.ring(direction);
    const Descriptor good = ring.read(0).length != 0 ? ring.read(0) : slot(1, 0, 10);
    std::atomic<bool> stop{false};
    std::thread attacker([&] {
      Dice dice(1);
      while (!stop) {
        const auto i = static_cast<std::uint16_t>(dice.below(16));
        Descriptor changed = good;
        changed.region = static_cast<std::uint16_t>(dice.below(3));
        changed.length = dice.coin() ? dice.below(100) : 0xffffffff;
        changed.flags = static_cast<std::uint16_t>(dice.below(2));
        ring.write(i, changed);
      }
    });
    const auto start = Clock::now();
    while (milliseconds_since(start) < 100 && !pair.tx_state(direction).failed()) {
      for (int i = 0; i < 5; ++i) send(pair.tx(direction), packet(1, 3 * kCapacity));
      pair.tx(direction).flush();
      for (const RxSegment& segment : pair.rx(direction).receive(100)) {
        const volatile std::byte* const data = segment.data;  // each byte is read
        for (std::uint32_t i = 0; i < segment.length; ++i) static_cast<void>(data[i]);
      }
      pair.rx(direction).release();
    }
    stop = true;
    attacker.join();
    fail_if(pair.rx_state(direction).failed());
  }
}
GST_END_TEST

static Suite* hostile_suite(void) {
  Suite* suite = suite_create("hostile");
  TCase* tests = tcase_create("rings");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_bad_descriptors_are_dropped_between_good_ones);
  tcase_add_test(tests, test_slave_takes_packets_only_from_the_buffer_of_the_slot);
  tcase_add_test(tests, test_empty_packets_are_dropped);
  tcase_add_test(tests, test_a_chain_with_a_bad_slot_is_dropped_whole);
  tcase_add_test(tests, test_a_chain_without_end_does_not_block_the_ring);
  tcase_add_test(tests, test_a_chain_is_not_longer_than_all_memory);
  tcase_add_test(tests, test_a_jump_of_the_index_fails_the_receiving_link);
  tcase_add_test(tests, test_a_jump_of_the_index_fails_the_sending_link);
  tcase_add_test(tests, test_master_checks_a_buffer_before_it_writes_to_it);
  tcase_add_test(tests, test_master_uses_buffers_of_any_size);
  tcase_add_test(tests, test_slave_sends_from_its_own_buffers_whatever_the_ring_says);
  tcase_add_test(tests, test_descriptors_that_change_all_the_time);
  return suite;
}

GST_CHECK_MAIN(hostile)
