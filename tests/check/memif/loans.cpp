// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Received packets that stay where they lie: kept, given back on any thread, sent on by exchange.
 */
#include "gst/memif/loan.hpp"

#include <algorithm>
#include <atomic>
#include <deque>
#include <mutex>

#include "linkpair.hpp"

using namespace memiftest;

namespace {

constexpr std::uint32_t kRing = 16;
constexpr std::uint32_t kCapacity = 100;

/** A slave that receives and sends, held as an interface holds it, and the master opposite. */
struct Slave {
  explicit Slave(std::uint32_t ring_size = kRing) {
    auto [ours, theirs] = agree(small_offer(ring_size, kCapacity));
    link = std::make_shared<Link>(std::move(ours), stats, wake());
    master = std::make_shared<Link>(std::move(theirs), std::make_shared<InterfaceStats>(), wake());
  }
  static std::shared_ptr<const UniqueFd> wake() {
    return std::make_shared<const UniqueFd>(must(make_eventfd()));
  }
  void feed(std::uint64_t first, std::uint32_t count, std::size_t length = kCapacity) {
    feed_to(*link, first, count, length);
  }
  /** Sends what @p receiver gets. */
  void feed_to(const Link& receiver, std::uint64_t first, std::uint32_t count,
               std::size_t length = kCapacity) {
    TxQueue& tx = *(&receiver == link.get() ? master : link)->tx(0);
    for (std::uint32_t i = 0; i < count; ++i) {
      expect(send(tx, packet(first + i, length)) == Sent::ok, "not fed");
    }
    tx.flush();
  }
  std::shared_ptr<InterfaceStats> stats = std::make_shared<InterfaceStats>();
  std::shared_ptr<Link> link;
  std::shared_ptr<Link> master;
};

/** The packets of a loan of whole buffers. */
Bytes at(const Loan& loan, std::uint32_t i) {
  const std::byte* data = loan.base() + loan.buffers[i].offset;
  return Bytes(data, data + kCapacity);
}

}  // namespace

GST_START_TEST(test_lent_packets_do_not_change_while_others_come) {
  Slave slave;
  RxQueue& rx = *slave.link->rx(0);
  slave.feed(0, 8);
  Loan* loan = lend(rx, slave.link);
  fail_unless(loan != nullptr && loan->count == 8);
  for (std::uint64_t round = 1; round < 50; ++round) {
    slave.feed(100 * round, kRing);
    const std::vector<Bytes> packets = receive(rx);
    expect(packets.size() == kRing, "the ring is short of buffers");
    for (std::uint32_t i = 0; i < kRing; ++i) {
      expect(packets[i] == packet(100 * round + i, kCapacity), "wrong bytes");
    }
  }
  for (std::uint32_t i = 0; i < 8; ++i) fail_unless(at(*loan, i) == packet(i, kCapacity));
  loan->give_back();
}
GST_END_TEST

GST_START_TEST(test_no_more_is_lent_than_there_are_spare_buffers) {
  Slave slave;
  RxQueue& rx = *slave.link->rx(0);
  std::vector<Loan*> loans;
  std::uint64_t number = 0;
  for (std::uint32_t lent = 0; lent < spare_buffers(kRing); lent += 4) {
    slave.feed(number, 4);
    number += 4;
    loans.push_back(lend(rx, slave.link));
    fail_unless(loans.back() != nullptr);
  }
  slave.feed(number, 4);
  const Taken copied = take(rx, slave.link);
  fail_unless(copied.loan == nullptr, "a buffer was lent twice");
  fail_unless_equals_uint64(copied.packets.size(), 4);
  rx.release();
  loans.front()->give_back();
  slave.feed(number, 4);
  Loan* again = lend(rx, slave.link);
  fail_unless(again != nullptr);
  again->give_back();
  for (std::size_t i = 1; i < loans.size(); ++i) loans[i]->give_back();
}
GST_END_TEST

GST_START_TEST(test_what_cannot_be_lent) {
  Slave slave;
  RxQueue& rx = *slave.link->rx(0);
  slave.feed(0, 1, kCapacity + 1);
  const Taken taken = take(rx, slave.link);
  fail_unless(taken.loan == nullptr, "a chain has two buffers for one packet");
  fail_unless(taken.packets == only(packet(0, kCapacity + 1)));
  rx.release();
}
GST_END_TEST

GST_START_TEST(test_a_loan_keeps_the_link) {
  Loan* loan = nullptr;
  std::weak_ptr<Link> link;
  {
    Slave slave;
    slave.feed(3, 1);
    loan = lend(*slave.link->rx(0), slave.link);
    link = slave.link;
  }
  fail_if(link.expired());
  fail_unless(at(*loan, 0) == packet(3, kCapacity));
  loan->give_back();
  fail_unless(link.expired());
  fail_unless_equals_int(memif_mappings(), 0);
}
GST_END_TEST

// ---- As master: slots come back in order ------------------------------------------------------

namespace {

/** A master that receives what the slave opposite sends. */
struct Master : Slave {
  explicit Master(std::uint32_t ring_size = kRing) : Slave(ring_size), rx(*master->rx(0)) {}

  /** Sends packets with consecutive numbers, as many as find room. */
  std::uint32_t send_some(std::uint32_t count, std::size_t length = kCapacity) {
    std::uint32_t sent = 0;
    while (sent < count && send(*link->tx(0), packet(next, length)) == Sent::ok) {
      ++sent;
      ++next;
    }
    link->tx(0)->flush();
    return sent;
  }
  /** Takes all there is; lent if possible. */
  Loan* take(std::uint32_t expected) {
    const Taken taken = memiftest::take(rx, master);
    expect(taken.packets.size() == expected, "packets are missing");
    rx.release();
    return taken.loan;
  }
  RxQueue& rx;
  std::uint64_t next = 0;
};

}  // namespace

GST_START_TEST(test_a_master_lends_up_to_half_of_its_ring) {
  Master m;
  m.send_some(kRing / 2);
  Loan* half = m.take(kRing / 2);
  fail_unless(half != nullptr && !half->writable);
  for (std::uint32_t i = 0; i < half->count; ++i) {
    fail_unless(at(*half, i) == packet(i, kCapacity));
  }
  // The rest of the ring still works, and is copied.
  fail_unless_equals_uint64(m.send_some(kRing), kRing / 2);
  fail_unless(m.rx.lends_slots());
  half->give_back();
  Loan* again = m.take(kRing / 2);
  fail_unless(again != nullptr, "what came back is not noticed");
  again->give_back();
  m.rx.reclaim_slots();
  fail_if(m.rx.lends_slots());
  fail_unless_equals_uint64(m.send_some(2 * kRing), kRing);
}
GST_END_TEST

/** Packets are held for ever: the ring goes on, and the held ones do not change. */
GST_START_TEST(test_kept_packets_do_not_stop_a_master) {
  Master m;
  std::vector<std::pair<Loan*, std::uint64_t>> kept;
  for (std::uint64_t round = 0; round < 5000; ++round) {
    const std::uint64_t number = m.next;
    const std::uint32_t count = 1 + static_cast<std::uint32_t>(round % (kRing / 2));
    fail_unless_equals_uint64(m.send_some(count), count);
    const Taken taken = take(m.rx, m.master);
    fail_unless_equals_uint64(taken.packets.size(), count);
    for (std::uint32_t i = 0; i < count; ++i) {
      fail_unless(taken.packets[i] == packet(number + i, kCapacity));
    }
    m.rx.release();
    if (taken.loan != nullptr) kept.emplace_back(taken.loan, number);
  }
  fail_unless(kept.size() > 2, "after packets were kept, nothing was ever lent again");
  // Each is a mapping of its own, of which there must not be any number.
  fail_unless(kept.size() <= 64, "%d loans are out", static_cast<int>(kept.size()));
  for (const auto& [loan, number] : kept) {
    for (std::uint32_t i = 0; i < loan->count; ++i) {
      fail_unless(at(*loan, i) == packet(number + i, kCapacity), "a kept packet changed");
    }
    loan->give_back();
  }
}
GST_END_TEST

/** Loans come back in any order, and some never while the test looks. */
GST_START_TEST(test_slots_come_back_in_order) {
  Master m;
  Dice dice(11);
  std::deque<Loan*> held;
  std::uint64_t expected = 0;
  for (std::uint64_t round = 0; round < 20'000; ++round) {
    m.send_some(1 + dice.below(5));
    const Taken taken = take(m.rx, m.master);
    for (const Bytes& bytes : taken.packets) {
      expect(bytes == packet(expected++, kCapacity), "a packet was overwritten, or out of order");
    }
    m.rx.release();
    if (taken.loan != nullptr) held.push_back(taken.loan);
    while (held.size() > dice.below(4)) {
      const auto i =
          static_cast<std::ptrdiff_t>(dice.below(static_cast<std::uint32_t>(held.size())));
      held[static_cast<std::size_t>(i)]->give_back();
      held.erase(held.begin() + i);
    }
  }
  fail_unless_equals_uint64(expected, m.next);
  for (Loan* loan : held) loan->give_back();
}
GST_END_TEST

GST_START_TEST(test_vacated_packets_outlive_the_link) {
  Loan* loan = nullptr;
  {
    Master m;
    m.send_some(3);
    loan = m.take(3);
    m.rx.vacate_slots();
    fail_if(m.rx.lends_slots());
    fail_unless_equals_uint64(m.send_some(2 * kRing), kRing);
  }
  for (std::uint32_t i = 0; i < 3; ++i) fail_unless(at(*loan, i) == packet(i, kCapacity));
  loan->give_back();
  fail_unless_equals_int(memif_mappings(), 0);
}
GST_END_TEST

GST_START_TEST(test_a_master_does_not_lend_chains) {
  Master m;
  m.send_some(1, kCapacity + 1);
  const Taken taken = take(m.rx, m.master);
  fail_unless(taken.loan == nullptr && taken.packets == only(packet(0, kCapacity + 1)));
  m.rx.release();
}
GST_END_TEST

GST_START_TEST(test_packets_are_sent_on_by_exchange) {
  Slave slave;
  RxQueue& rx = *slave.link->rx(0);
  TxQueue& tx = *slave.link->tx(0);
  for (std::uint64_t round = 0; round < 5000; ++round) {
    const std::uint32_t count = 1 + static_cast<std::uint32_t>(round % kRing);
    slave.feed(round, count);
    Loan* loan = lend(rx, slave.link);
    expect(loan != nullptr, "nothing is lent any more: buffers were lost");
    for (std::uint32_t i = 0; i < count; ++i) {
      BufferPlace& place = loan->buffers[i];
      const BufferPlace before = place;
      expect(exchange(tx, *loan, i, place.offset + 1, kCapacity - 1) == Sent::ok, "not sent");
      expect(!(place == before), "the ring and the application have the same buffer");
    }
    tx.flush();
    loan->give_back();
    const std::vector<Bytes> packets = receive(*slave.master->rx(0));
    expect(packets.size() == count, "packets are missing");
    for (std::uint32_t i = 0; i < count; ++i) {
      const Bytes whole = packet(round + i, kCapacity);
      expect(packets[i] == Bytes(whole.begin() + 1, whole.end()), "wrong bytes");
    }
  }
  fail_unless_equals_uint64(slave.stats->tx(0).copies.get(), 0);
}
GST_END_TEST

GST_START_TEST(test_exchange_refuses_what_it_cannot_send) {
  Slave slave(2);
  slave.feed(0, 2);
  RxQueue& rx = *slave.link->rx(0);
  TxQueue& tx = *slave.link->tx(0);
  Loan* loan = lend(rx, slave.link);
  BufferPlace& place = loan->buffers[0];
  const BufferPlace before = place;
  fail_unless(exchange(tx, *loan, 0, place.offset, 0) == Sent::dropped);
  fail_unless(exchange(tx, *loan, 0, place.offset, kCapacity + 1) == Sent::dropped);
  fail_unless(exchange(tx, *loan, 0, place.offset + kCapacity, 1) == Sent::dropped);
  fail_unless(place.offset == 0 || exchange(tx, *loan, 0, place.offset - 1, 2) == Sent::dropped);
  fail_unless(exchange(tx, *loan, 0, 0xffffffff, 0xffffffff) == Sent::dropped);
  fail_unless(place == before);
  for (int i = 0; i < 2; ++i) fail_unless(send(tx, packet(1, 10)) == Sent::ok);
  fail_unless(exchange(tx, *loan, 0, place.offset, 10) == Sent::full);
  fail_unless(place == before);
  loan->give_back();
}
GST_END_TEST

/** Every buffer is in exactly one place: the slots, the spares or the loans. */
GST_START_TEST(test_buffers_are_neither_lost_nor_doubled) {
  Slave slave;
  RxQueue& rx = *slave.link->rx(0);
  TxQueue& tx = *slave.link->tx(0);
  Dice dice(3);
  std::deque<Loan*> held;
  for (std::uint64_t round = 0; round < 20'000; ++round) {
    const std::uint32_t count = 1 + dice.below(8);
    slave.feed(round, count);
    const Taken taken = take(rx, slave.link);
    expect(taken.packets.size() == count, "packets are missing");
    rx.release();
    Loan* loan = taken.loan;
    if (loan != nullptr) {
      held.push_back(loan);
      if (dice.coin()) exchange(tx, *loan, 0, loan->buffers[0].offset, kCapacity);
      if (dice.coin()) send(tx, packet(round, 250));
      tx.flush();
      receive(*slave.master->rx(0), 1 + dice.below(20));
    }
    // When nothing could be lent, one at least must come back.
    bool wanted = loan == nullptr;
    while (!held.empty() && (wanted || dice.below(3) == 0)) {
      held.front()->give_back();
      held.pop_front();
      wanted = false;
    }
    std::vector<std::uint32_t> out;
    for (const Loan* other : held) {
      for (std::uint32_t i = 0; i < other->count; ++i) out.push_back(other->buffers[i].offset);
    }
    for (std::uint16_t i = 0; i < kRing; ++i) {
      const std::size_t ring_bytes = RingLayout{kDefaultCacheLine, kRing}.bytes();
      Ring ring(slave.link->state().regions()[0].data() + ring_bytes,
                RingLayout{kDefaultCacheLine, kRing});
      out.push_back(ring.read(i).offset / kCapacity * kCapacity);
    }
    std::sort(out.begin(), out.end());
    expect(std::adjacent_find(out.begin(), out.end()) == out.end(), "a buffer is in two places");
  }
  for (Loan* loan : held) loan->give_back();
}
GST_END_TEST

namespace {

/** Lends three packets at a time, which other threads read and give back. */
void lend_to_threads(Slave& pair, Link& link, const std::shared_ptr<Link>& holder) {
  RxQueue& rx = *link.rx(0);
  std::mutex mutex;
  std::deque<std::pair<Loan*, std::uint64_t>> loans;
  std::atomic<bool> done{false};
  std::atomic<bool> damaged{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      while (!done) {
        std::pair<Loan*, std::uint64_t> mine;
        {
          const std::lock_guard lock(mutex);
          if (loans.empty()) continue;
          mine = loans.front();
          loans.pop_front();
        }
        auto [loan, number] = mine;
        for (std::uint32_t n = 0; n < loan->count; ++n) {
          if (at(*loan, n) != packet(number + n, kCapacity)) damaged = true;
        }
        loan->give_back();
      }
    });
  }
  std::uint64_t lent = 0;
  for (std::uint64_t round = 0; round < 20'000U / kSlowdown; ++round) {
    pair.feed_to(link, round, 3);
    const Taken taken = take(rx, holder);
    expect(taken.packets.size() == 3, "packets are missing");
    rx.release();
    Loan* loan = taken.loan;
    if (loan == nullptr) continue;
    ++lent;
    const std::lock_guard lock(mutex);
    loans.emplace_back(loan, round);
  }
  done = true;
  for (std::thread& thread : threads) thread.join();
  for (auto& [loan, number] : loans) loan->give_back();
  fail_unless(lent != 0);
  fail_if(damaged, "a lent packet changed");
}

}  // namespace

GST_START_TEST(test_loans_come_back_on_another_thread) {
  Slave slave(256);
  lend_to_threads(slave, *slave.link, slave.link);
}
GST_END_TEST

GST_START_TEST(test_slots_come_back_on_another_thread) {
  Slave pair(256);
  lend_to_threads(pair, *pair.master, pair.master);
}
GST_END_TEST

static Suite* loans_suite(void) {
  Suite* suite = suite_create("loans");
  TCase* tests = tcase_create("buffers");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_lent_packets_do_not_change_while_others_come);
  tcase_add_test(tests, test_no_more_is_lent_than_there_are_spare_buffers);
  tcase_add_test(tests, test_what_cannot_be_lent);
  tcase_add_test(tests, test_a_loan_keeps_the_link);
  tcase_add_test(tests, test_packets_are_sent_on_by_exchange);
  tcase_add_test(tests, test_exchange_refuses_what_it_cannot_send);
  tcase_add_test(tests, test_buffers_are_neither_lost_nor_doubled);
  tcase_add_test(tests, test_loans_come_back_on_another_thread);
  tcase_add_test(tests, test_slots_come_back_on_another_thread);
  TCase* slots = tcase_create("slots");
  suite_add_tcase(suite, slots);
  tcase_add_test(slots, test_a_master_lends_up_to_half_of_its_ring);
  tcase_add_test(slots, test_kept_packets_do_not_stop_a_master);
  tcase_add_test(slots, test_slots_come_back_in_order);
  tcase_add_test(slots, test_vacated_packets_outlive_the_link);
  tcase_add_test(slots, test_a_master_does_not_lend_chains);
  return suite;
}

GST_CHECK_MAIN(loans)
