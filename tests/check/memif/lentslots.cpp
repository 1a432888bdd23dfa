// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Free slots of a master's sending ring, lent with copies of packets in them: these are sent as
 * they lie, and survive whatever else becomes of the slots.
 */
#include <algorithm>
#include <atomic>
#include <thread>

#include "linkpair.hpp"

using namespace memiftest;

namespace {

constexpr std::uint32_t kRing = 16;
constexpr std::uint32_t kCapacity = 100;
constexpr std::uint32_t kRest = 1024;  // bursts without loans after packets had to be moved

/** Packets of @p length bytes each that lie one behind the other. */
std::vector<PacketDesc> in_a_row(std::uint32_t count, std::uint32_t length = kCapacity) {
  std::vector<PacketDesc> packets;
  for (std::uint32_t i = 0; i < count; ++i) packets.push_back({i * length, length, 7 * i, 99});
  return packets;
}

/** A master that sends, and its slave. */
struct Master {
  explicit Master(const Settings& offer = small_offer(kRing, kCapacity)) : pair(offer) {}

  TxQueue& tx() { return pair.tx(Direction::m2s); }
  const std::shared_ptr<Link>& link() { return pair.rx_link(Direction::s2m); }
  Loan* lend(const Bytes& memory, const std::vector<PacketDesc>& packets) {
    copies.assign(packets.size(), {});
    return tx().copy_to_slots(link(), memory, packets, copies.data());
  }
  Loan* lend(std::uint32_t count, std::uint32_t length = kCapacity) {
    return lend(Bytes(count * length), in_a_row(count, length));
  }
  /** With packets from number @p first on in its places. */
  Loan* lend_filled(std::uint32_t count, std::uint64_t first) {
    Bytes memory;
    for (std::uint32_t i = 0; i < count; ++i) {
      const Bytes one = packet(first + i, kCapacity);
      memory.insert(memory.end(), one.begin(), one.end());
    }
    Loan* loan = lend(memory, in_a_row(count));
    expect(loan != nullptr && loan->count == count && loan->writable, "not lent");
    return loan;
  }
  /** Sends what is in places of @p loan, and gives it back. */
  TxBurst send_places(Loan* loan, const std::vector<std::uint32_t>& places) {
    std::vector<PacketDesc> packets;
    for (const std::uint32_t i : places) {
      packets.push_back({loan->buffers[i].offset, kCapacity, 0, i});
    }
    const TxBurst burst = tx().send_burst_zero_copy(*loan, packets);
    loan->give_back();
    return burst;
  }
  std::vector<Bytes> received() {
    tx().flush();
    return receive(pair.rx(Direction::m2s));
  }
  std::uint64_t copied() { return tx().stats().copies.get(); }

  LinkPair pair;
  std::vector<PacketDesc> copies;  // where packets of the last loan went
};

std::vector<std::uint32_t> all(std::uint32_t count) {
  std::vector<std::uint32_t> places(count);
  for (std::uint32_t i = 0; i < count; ++i) places[i] = i;
  return places;
}

std::vector<Bytes> packets(std::initializer_list<std::uint64_t> numbers) {
  std::vector<Bytes> list;
  for (const std::uint64_t number : numbers) list.push_back(packet(number, kCapacity));
  return list;
}

void expect_bytes(const Loan& loan, std::uint64_t first) {
  for (std::uint32_t i = 0; i < loan.count; ++i) {
    const std::byte* at = loan.base() + loan.buffers[i].offset;
    expect(Bytes(at, at + kCapacity) == packet(first + i, kCapacity), "a packet changed");
  }
}

/** Bursts without loans, until there are some again. */
void wait_for_loans(Master& master) {
  for (std::uint32_t i = 1; i < kRest; ++i) expect(master.lend(1) == nullptr, "lent too early");
  Loan* loan = master.lend(1);
  fail_unless(loan != nullptr);
  loan->give_back();
}

}  // namespace

GST_START_TEST(test_packets_are_copied_to_slots) {
  Master master;
  Bytes memory(1000);
  const Bytes one = packet(1, 33), two = packet(2, kCapacity);
  std::ranges::copy(one, memory.begin() + 900);
  std::ranges::copy(two, memory.begin() + 100);
  Loan* loan = master.lend(memory, {{900, 33, 5, 70}, {100, kCapacity, 6, 71}});
  fail_unless(loan != nullptr && loan->count == 2);
  fail_unless_equals_uint64(loan->bytes, 33 + kCapacity);
  fail_unless_equals_int(loan->buffer_size, kCapacity);
  for (std::uint32_t i = 0; i < 2; ++i) {
    const PacketDesc& copy = master.copies[i];
    fail_unless_equals_int(copy.offset, loan->buffers[i].offset);
    fail_unless_equals_int(copy.length, i == 0 ? 33 : kCapacity);
    fail_unless_equals_int(copy.unused, 5 + i);
    fail_unless_equals_int(copy.token, i);
  }
  fail_unless_equals_int(master.tx().send_burst_zero_copy(*loan, master.copies).sent, 2);
  loan->give_back();
  const std::vector<Bytes> got = master.received();
  fail_unless(got.size() == 2 && got[0] == one && got[1] == two);
  fail_unless_equals_uint64(master.copied(), 0);
}
GST_END_TEST

GST_START_TEST(test_packets_go_without_a_copy) {
  Master master;
  std::uint64_t number = 0;
  for (std::uint32_t round = 0; round < 9000; ++round) {
    const std::uint32_t count = 1 + round % kRing;
    const TxBurst burst = master.send_places(master.lend_filled(count, number), all(count));
    expect(burst.sent == count && burst.result == SendResult::ok, "not sent");
    for (const Bytes& bytes : master.received()) {
      expect(bytes == packet(number++, kCapacity), "wrong bytes");
    }
  }
  fail_unless_equals_uint64(number, 9000 / kRing * (kRing * (kRing + 1) / 2) + 36);
  fail_unless_equals_uint64(master.copied(), 0);
  fail_unless_equals_uint64(master.tx().stats().packets.get(), number);
  fail_unless_equals_uint64(master.tx().stats().bytes.get(), number * kCapacity);
}
GST_END_TEST

GST_START_TEST(test_packets_behind_those_left_out_move_up) {
  Master master;
  Dice dice(1);
  std::uint64_t copied = 0;
  for (std::uint64_t round = 0; round < 3000; ++round) {
    const std::uint32_t count = 1 + dice.below(kRing);
    Loan* loan = master.lend_filled(count, round);
    std::vector<std::uint32_t> kept;
    std::vector<Bytes> expected;
    for (std::uint32_t i = 0; i < count; ++i) {
      if (dice.below(4) == 0) continue;
      copied += kept.size() == i ? 0 : 1;
      kept.push_back(i);
      expected.push_back(packet(round + i, kCapacity));
    }
    const TxBurst burst = master.send_places(loan, kept);
    expect(burst.sent == kept.size(), "not sent");
    expect(master.received() == expected, "wrong packets");
  }
  fail_unless_equals_uint64(master.copied(), copied);
}
GST_END_TEST

GST_START_TEST(test_packets_that_became_shorter) {
  Master master;
  Loan* loan = master.lend_filled(3, 0);
  const auto at = [loan](std::uint32_t i) { return loan->buffers[i].offset; };
  // At the end; at the beginning; and to nothing.
  const std::vector<PacketDesc> sent{{at(0), 60, 0, 0}, {at(1) + 14, 86, 0, 1}, {at(2), 0, 0, 2}};
  const TxBurst burst = master.tx().send_burst_zero_copy(*loan, sent);
  loan->give_back();
  fail_unless(burst.sent == 2 && burst.dropped == 1);
  fail_unless_equals_uint64(dropped(master.tx().stats(), DropReason::empty), 1);
  const Bytes one = packet(0, kCapacity), two = packet(1, kCapacity);
  const std::vector<Bytes> got = master.received();
  fail_unless(got.size() == 2 && got[0] == Bytes(one.begin(), one.begin() + 60) &&
              got[1] == Bytes(two.begin() + 14, two.end()));
}
GST_END_TEST

GST_START_TEST(test_packets_in_another_order) {
  Master master;
  fail_unless_equals_int(master.send_places(master.lend_filled(4, 0), {2, 0, 3, 1}).sent, 4);
  fail_unless(master.received() == packets({2, 0, 3, 1}));
  fail_unless_equals_uint64(master.copied(), 4);
  wait_for_loans(master);
  // One twice, and what is no place of the loan.
  fail_unless_equals_int(master.send_places(master.lend_filled(3, 10), {0, 0, 2}).sent, 3);
  fail_unless(master.received() == packets({10, 10, 12}));
  wait_for_loans(master);
  Loan* loan = master.lend_filled(2, 20);
  const PacketDesc odd[] = {{loan->buffers[0].offset, kCapacity, 0, 7},
                            {0xffffff00, kCapacity, 0, 1}};
  const TxBurst burst = master.tx().send_burst_zero_copy(*loan, odd);
  loan->give_back();
  fail_unless(burst.sent == 1 && burst.dropped == 1);
  fail_unless_equals_uint64(dropped(master.tx().stats(), DropReason::bad_descriptor), 1);
  fail_unless(master.received() == packets({20}));
}
GST_END_TEST

GST_START_TEST(test_something_else_is_sent_before) {
  Master master;
  Loan* loan = master.lend_filled(5, 0);
  fail_unless(master.lend(1) == nullptr, "lent to two at a time");
  for (std::uint64_t i = 50; i < 53; ++i) {
    fail_unless(send(master.tx(), packet(i, kCapacity)) == Sent::ok);
  }
  expect_bytes(*loan, 0);
  fail_unless_equals_int(master.send_places(loan, {0, 2, 4}).sent, 3);
  fail_unless(master.received() == packets({50, 51, 52, 0, 2, 4}));
  fail_unless_equals_uint64(master.copied(), 6);
  wait_for_loans(master);
  fail_unless_equals_int(master.send_places(master.lend_filled(3, 7), all(3)).sent, 3);
  fail_unless(master.received() == packets({7, 8, 9}));
  fail_unless_equals_uint64(master.copied(), 6);
}
GST_END_TEST

GST_START_TEST(test_somebody_keeps_them) {
  Master master;
  Loan* loan = master.lend_filled(kRing, 100);
  std::uint64_t number = 0;
  for (int round = 0; round < 200; ++round) {
    const std::uint64_t first = number;
    while (send(master.tx(), packet(number, kCapacity)) == Sent::ok) ++number;
    expect(number == first + kRing, "slots are missing");
    for (std::uint64_t next = first; const Bytes& bytes : master.received()) {
      expect(bytes == packet(next++, kCapacity), "wrong bytes");
    }
  }
  expect_bytes(*loan, 100);
  // It is written to, and returned by whoever has it last.
  std::ranges::copy(packet(5, kCapacity), loan->base() + loan->buffers[0].offset);
  std::thread([loan] { loan->give_back(); }).join();
  wait_for_loans(master);
}
GST_END_TEST

GST_START_TEST(test_they_are_not_sent) {
  Master master;
  for (std::uint64_t i = 0; i < 100; ++i) {
    master.lend_filled(kRing, i)->give_back();
    Loan* loan = master.lend_filled(3, i);
    expect(send(master.tx(), packet(i, 10)) == Sent::ok, "not sent");
    expect_bytes(*loan, i);
    loan->give_back();
    expect(master.received() == only(packet(i, 10)), "wrong bytes");
    wait_for_loans(master);
  }
}
GST_END_TEST

GST_START_TEST(test_who_gets_none) {
  Master master;
  fail_unless(master.lend(0) == nullptr);
  fail_unless(master.lend(1, 0) == nullptr);
  fail_unless(master.lend(1, kCapacity + 1) == nullptr, "longer than a slot");
  fail_unless(master.lend(kRing + 1) == nullptr);
  fail_unless(send(master.tx(), packet(0, 1)) == Sent::ok);
  fail_unless(master.lend(kRing) == nullptr);
  Loan* rest = master.lend(kRing - 1);
  fail_unless(rest != nullptr);
  rest->give_back();
  std::vector<PacketDesc> copies(1);
  fail_unless(master.pair.tx(Direction::s2m)
                      .copy_to_slots(master.pair.rx_link(Direction::m2s), Bytes(kCapacity),
                                     in_a_row(1), copies.data()) == nullptr,
              "a slave's are lent by borrow()");
  // What reaches beyond the memory that it lies in: by one byte, and where the sum wraps.
  for (const PacketDesc& packet : {PacketDesc{1, kCapacity, 0, 0}, {0xffffffff, 2, 0, 0}}) {
    fail_unless(master.lend(Bytes(kCapacity), {packet}) == nullptr);
    fail_unless(master.lend(Bytes(kCapacity), {{0, 1, 0, 0}, packet}) == nullptr);
  }
  Master wide(small_offer(1024, kCapacity));
  fail_unless(wide.lend(Loan::kMax + 1) == nullptr);
  Master large(small_offer(2, 70000));
  fail_unless(large.lend(1, 65536) == nullptr, "longer than a place can say");
  Loan* longest = large.lend(1, 65535);
  fail_unless(longest != nullptr);
  longest->give_back();
}
GST_END_TEST

GST_START_TEST(test_they_keep_the_link) {
  Loan* loan = nullptr;
  std::weak_ptr<Link> link;
  {
    Master master;
    loan = master.lend_filled(3, 9);
    link = master.link();
  }
  fail_if(link.expired());
  expect_bytes(*loan, 9);
  // Another link sends them.
  Master other;
  fail_unless_equals_int(other.send_places(loan, all(3)).sent, 3);
  fail_unless(other.received() == packets({9, 10, 11}));
  fail_unless(link.expired());
}
GST_END_TEST

/** What a peer may do to a slot. */
struct Trick {
  void (*change)(Descriptor& slot, const Descriptor& next);
  bool usable;  // for a packet that is copied there
};
constexpr Trick kTricks[] = {
    {[](Descriptor& slot, const Descriptor& next) { slot.offset = next.offset; }, true},
    {[](Descriptor& slot, const Descriptor&) { ++slot.offset, --slot.length; }, true},
    {[](Descriptor& slot, const Descriptor&) { slot.length = 40; }, true},
    {[](Descriptor& slot, const Descriptor&) { slot.region = 0, slot.offset = 0; }, true},
    {[](Descriptor& slot, const Descriptor&) { slot.region = 9; }, false},
    {[](Descriptor& slot, const Descriptor&) { slot.offset = 0xfffffff0; }, false},
    {[](Descriptor& slot, const Descriptor&) { slot.length = 0xffffffff; }, false},
    {[](Descriptor& slot, const Descriptor&) { slot.length = 0; }, false},
};

static void change_slot(Master& master, const Trick& trick) {
  Ring& ring = master.pair.ring(Direction::m2s);
  Descriptor slot = ring.read(1);
  trick.change(slot, ring.read(2));
  ring.write(1, slot);
}

GST_START_TEST(test_slots_that_were_changed_before) {
  const Trick& trick = kTricks[__i__];
  Master master;
  change_slot(master, trick);
  Loan* loan = master.lend(4);
  if (loan == nullptr) return;  // the same as without: send_burst() sees to it
  fail_unless(trick.usable);
  fail_unless_equals_int(master.send_places(loan, all(4)).sent, 4);
  master.tx().flush();
  fail_if(master.pair.tx_state(Direction::m2s).failed());
}
GST_END_TEST

GST_START_TEST(test_slots_that_are_changed_while_they_are_lent) {
  const Trick& trick = kTricks[__i__];
  Master master;
  const Descriptor before = master.pair.ring(Direction::m2s).read(1);
  Loan* loan = master.lend_filled(4, 0);
  change_slot(master, trick);
  // They are not read again: the peer gets what it offered.
  fail_unless_equals_int(master.send_places(loan, all(4)).sent, 4);
  const Descriptor sent = master.pair.ring(Direction::m2s).read(1);
  fail_unless(sent.region == before.region && sent.offset == before.offset &&
              sent.length == kCapacity && sent.flags == 0);
  fail_unless(master.received() == packets({0, 1, 2, 3}));
  fail_if(master.pair.tx_state(Direction::m2s).failed());
}
GST_END_TEST

GST_START_TEST(test_packets_move_up_to_slots_that_were_changed) {
  const Trick& trick = kTricks[__i__];
  Master master;
  Loan* loan = master.lend_filled(4, 0);
  change_slot(master, trick);
  // Into the second slot, which is read and checked for that.
  const TxBurst burst = master.send_places(loan, {0, 2, 3});
  const bool lost = burst.result == SendResult::link_lost;
  fail_unless_equals_int(!lost, trick.usable);
  fail_unless(lost || burst.done() == 3);
  fail_unless_equals_int(lost, master.pair.tx_state(Direction::m2s).failed());
  master.tx().flush();
}
GST_END_TEST

GST_START_TEST(test_packets_that_grew) {
  Master master;
  // More than was lent, as far as the slot goes: here it ends where the next one begins, or the
  // memory does.
  Loan* loan = master.lend(Bytes(20, std::byte{7}), in_a_row(2, 10));
  std::vector<PacketDesc> grown = master.copies;
  grown[0].length = kCapacity;
  grown[1].length = kCapacity + 1;
  const TxBurst burst = master.tx().send_burst_zero_copy(*loan, grown);
  loan->give_back();
  fail_unless(burst.done() == 2 && burst.result == SendResult::ok);
  const std::vector<Bytes> got = master.received();
  fail_unless(!got.empty() && got[0].size() == kCapacity);
  for (std::size_t i = 0; i < 10; ++i) fail_unless(got[0][i] == std::byte{7});
  fail_if(master.pair.tx_state(Direction::m2s).failed());
}
GST_END_TEST

/** Slots that change between any two looks at them, mostly to what a slot may be. */
GST_START_TEST(test_a_peer_that_changes_slots_all_the_time) {
  Dice dice(3);
  for (unsigned seed = 0; seed < 300; ++seed) {
    Master master;
    Ring& ring = master.pair.ring(Direction::m2s);
    std::atomic<bool> stop{false};
    std::thread peer([&ring, &stop, seed] {
      Dice odd(seed);
      for (Ring other = ring; !stop.load();) {
        Descriptor slot = other.read(static_cast<std::uint16_t>(odd.below(kRing)));
        slot.length = odd.below(kCapacity + 1);
        if (odd.below(1000) == 0) slot.offset = 0xfffffff0;
        other.write(static_cast<std::uint16_t>(odd.below(kRing)), slot);
      }
    });
    LinkMemory& state = master.pair.tx_state(Direction::m2s);
    for (int round = 0; round < 6 && !state.failed(); ++round) {
      const std::uint32_t length = 1 + dice.below(kCapacity / 4);
      Loan* loan = master.lend(1 + dice.below(kRing), length);
      if (loan == nullptr) {
        send(master.tx(), packet(0, length));
      } else {
        std::vector<PacketDesc> sent;
        for (std::uint32_t i = 0; i < loan->count; ++i) {
          const std::uint32_t offset = loan->buffers[i].offset;
          std::ranges::copy(packet(i, length), loan->base() + offset);
          if (dice.below(3) != 0) sent.push_back({offset, length, 0, i});
        }
        const TxBurst burst = master.tx().send_burst_zero_copy(*loan, sent);
        loan->give_back();
        expect(burst.done() == sent.size() || burst.result != SendResult::ok, "not all are done");
      }
      master.tx().flush();
      receive(master.pair.rx(Direction::m2s));
    }
    stop = true;
    peer.join();
  }
}
GST_END_TEST

/** What moves up and needs two slots there, as one has become too short, spares those behind it. */
GST_START_TEST(test_a_slot_that_became_shorter) {
  Master master;
  Ring& ring = master.pair.ring(Direction::m2s);
  Loan* loan = master.lend_filled(5, 0);
  Descriptor slot = ring.read(1);
  slot.length = 40;
  ring.write(1, slot);
  fail_unless_equals_int(master.send_places(loan, {0, 2, 3, 4}).sent, 4);
  fail_unless(master.received() == packets({0, 2, 3, 4}));
  fail_unless_equals_uint64(master.copied(), 3);
  wait_for_loans(master);
}
GST_END_TEST

/** Slots of different lengths: one that moves up does not fit, and then takes some of its own. */
GST_START_TEST(test_slots_of_different_lengths) {
  constexpr std::uint32_t kShort = 3900, kLong = 8000;
  Master master(small_offer(kRing, kLong));
  Ring& ring = master.pair.ring(Direction::m2s);
  Descriptor slot = ring.read(0);
  slot.length = kShort;
  ring.write(0, slot);
  std::vector<PacketDesc> packets = in_a_row(4, kLong);
  packets[0].length = kShort;
  Bytes memory;
  std::vector<Bytes> expected;
  for (std::uint64_t i = 0; i < 4; ++i) {
    const Bytes one = packet(i, kLong);
    memory.insert(memory.end(), one.begin(), one.end());
    if (i != 0) expected.push_back(one);
  }
  Loan* loan = master.lend(memory, packets);
  fail_unless(loan != nullptr);
  const std::vector<PacketDesc> sent(master.copies.begin() + 1, master.copies.end());
  fail_unless_equals_int(master.tx().send_burst_zero_copy(*loan, sent).sent, 3);
  loan->give_back();
  fail_unless(master.received() == expected);
}
GST_END_TEST

GST_START_TEST(test_a_peer_with_one_buffer_for_all_slots) {
  Master master;
  Ring& ring = master.pair.ring(Direction::m2s);
  for (std::uint16_t i = 0; i < kRing; ++i) ring.write(i, ring.read(0));
  fail_unless_equals_int(master.send_places(master.lend_filled(kRing, 0), {1, 3, 5, 7}).sent, 4);
  master.tx().flush();
  fail_if(master.pair.tx_state(Direction::m2s).failed());
}
GST_END_TEST

static Suite* lentslots_suite(void) {
  Suite* suite = suite_create("lentslots");
  TCase* tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_packets_are_copied_to_slots);
  tcase_add_test(tests, test_packets_go_without_a_copy);
  tcase_add_test(tests, test_packets_behind_those_left_out_move_up);
  tcase_add_test(tests, test_packets_that_became_shorter);
  tcase_add_test(tests, test_packets_in_another_order);
  tcase_add_test(tests, test_something_else_is_sent_before);
  tcase_add_test(tests, test_somebody_keeps_them);
  tcase_add_test(tests, test_they_are_not_sent);
  tcase_add_test(tests, test_who_gets_none);
  tcase_add_test(tests, test_they_keep_the_link);
  tcase_add_test(tests, test_a_peer_that_changes_slots_all_the_time);
  tcase_add_test(tests, test_a_slot_that_became_shorter);
  tcase_add_test(tests, test_slots_of_different_lengths);
  tcase_add_loop_test(tests, test_slots_that_were_changed_before, 0, std::size(kTricks));
  tcase_add_loop_test(tests, test_slots_that_are_changed_while_they_are_lent, 0,
                      std::size(kTricks));
  tcase_add_loop_test(tests, test_packets_move_up_to_slots_that_were_changed, 0,
                      std::size(kTricks));
  tcase_add_test(tests, test_packets_that_grew);
  tcase_add_test(tests, test_a_peer_with_one_buffer_for_all_slots);
  return suite;
}

GST_CHECK_MAIN(lentslots)
