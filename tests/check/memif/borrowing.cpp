// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Empty buffers of a slave's sending ring: borrowed, written to on any thread, sent by exchange.
 */
#include <algorithm>
#include <atomic>
#include <deque>
#include <mutex>

#include "linkpair.hpp"

using namespace memiftest;

namespace {

constexpr std::uint32_t kRing = 16;
constexpr std::uint32_t kCapacity = 100;

/** A slave that sends, held as an interface holds it, and the master opposite. */
struct Slave {
  explicit Slave(const Settings& offer = small_offer(kRing, kCapacity)) {
    auto [ours, theirs] = agree(offer);
    link = std::make_shared<Link>(std::move(ours), stats, wake());
    master = std::make_shared<Link>(std::move(theirs), std::make_shared<InterfaceStats>(), wake());
  }
  static std::shared_ptr<const UniqueFd> wake() {
    return std::make_shared<const UniqueFd>(must(make_eventfd()));
  }
  TxQueue& tx() { return *link->tx(0); }
  Loan* borrow(std::uint32_t count) { return tx().borrow(link, count); }
  Sent send(Loan& loan, std::uint32_t i, std::uint32_t length = kCapacity) {
    return exchange(tx(), loan, i, loan.buffers[i].offset, length);
  }

  std::shared_ptr<InterfaceStats> stats = std::make_shared<InterfaceStats>();
  std::shared_ptr<Link> link;
  std::shared_ptr<Link> master;
};

std::byte* at(const Loan& loan, std::uint32_t i) {
  return loan.base() + loan.buffers[i].offset;
}
void write(const Loan& loan, std::uint32_t i, std::uint64_t number) {
  std::ranges::copy(packet(number, kCapacity), at(loan, i));
}

}  // namespace

GST_START_TEST(test_packets_go_without_a_copy) {
  Slave slave;
  for (std::uint64_t round = 0; round < 5000; ++round) {
    const std::uint32_t count = 1 + static_cast<std::uint32_t>(round % kRing);
    Loan* loan = slave.borrow(count);
    expect(loan != nullptr && loan->count == count, "buffers were lost");
    for (std::uint32_t i = 0; i < count; ++i) write(*loan, i, round + i);
    for (std::uint32_t i = 0; i < count; ++i) {
      expect(slave.send(*loan, i) == Sent::ok, "not sent");
    }
    slave.tx().flush();
    loan->give_back();
    const std::vector<Bytes> packets = receive(*slave.master->rx(0));
    expect(packets.size() == count, "packets are missing");
    for (std::uint32_t i = 0; i < count; ++i) {
      expect(packets[i] == packet(round + i, kCapacity), "wrong bytes");
    }
  }
  fail_unless_equals_uint64(slave.stats->tx(0).copies.get(), 0);
}
GST_END_TEST

GST_START_TEST(test_no_more_is_borrowed_than_there_is) {
  Slave slave;
  std::vector<Loan*> loans;
  std::vector<std::uint32_t> out;
  while (Loan* loan = slave.borrow(5)) {
    fail_unless(loan->count ==
                std::min(5U, spare_buffers(kRing) - static_cast<std::uint32_t>(out.size())));
    for (std::uint32_t i = 0; i < loan->count; ++i) out.push_back(loan->buffers[i].offset);
    loans.push_back(loan);
  }
  fail_unless_equals_uint64(out.size(), spare_buffers(kRing));
  std::ranges::sort(out);
  fail_unless(std::ranges::adjacent_find(out) == out.end(), "a buffer was borrowed twice");
  // The ring has buffers of its own, and goes on.
  for (std::uint32_t i = 0; i < kRing; ++i)
    fail_unless(send(slave.tx(), packet(i, 10)) == Sent::ok);
  slave.tx().flush();
  fail_unless_equals_uint64(receive(*slave.master->rx(0)).size(), kRing);
  loans.back()->give_back();
  loans.back() = slave.borrow(Loan::kMax);
  fail_unless(loans.back() != nullptr && loans.back()->count == 1);
  for (Loan* loan : loans) loan->give_back();
  Loan* all = slave.borrow(1000);
  fail_unless(all != nullptr && all->count == spare_buffers(kRing));
  all->give_back();
}
GST_END_TEST

GST_START_TEST(test_who_has_nothing_to_lend) {
  Slave slave;
  fail_unless(slave.master->tx(0)->borrow(slave.master, 1) == nullptr, "not the master's buffers");
  fail_unless(slave.borrow(0) == nullptr);
  // 1 GiB each, so 3 in a region: what comes in exchange could lie in another one.
  const Settings large = small_offer(2, 1 << 30);
  if (!check_slave_memory(large)) return;  // this machine is smaller than that
  Slave wide(large);
  fail_unless(wide.borrow(1) == nullptr);
}
GST_END_TEST

GST_START_TEST(test_what_is_borrowed_keeps_the_link) {
  Loan* loan = nullptr;
  std::weak_ptr<Link> link;
  {
    Slave slave;
    loan = slave.borrow(3);
    link = slave.link;
  }
  fail_if(link.expired());
  write(*loan, 2, 7);
  fail_unless(Bytes(at(*loan, 2), at(*loan, 2) + kCapacity) == packet(7, kCapacity));
  loan->give_back();
  fail_unless(link.expired());
  fail_unless_equals_int(memif_mappings(), 0);
}
GST_END_TEST

/** Some are sent and some are not, in any order, beside packets that are copied. */
GST_START_TEST(test_buffers_are_neither_lost_nor_doubled) {
  Slave slave;
  Dice dice(5);
  std::deque<Loan*> held;
  for (std::uint64_t round = 0; round < 20'000; ++round) {
    if (Loan* loan = slave.borrow(1 + dice.below(8))) held.push_back(loan);
    for (Loan* loan : held) {
      if (dice.coin()) slave.send(*loan, dice.below(loan->count));
    }
    if (dice.coin()) send(slave.tx(), packet(round, 250));
    slave.tx().flush();
    receive(*slave.master->rx(0), 1 + dice.below(20));
    while (!held.empty() && dice.coin()) {
      held.front()->give_back();
      held.pop_front();
    }
  }
  for (Loan* loan : held) loan->give_back();
  receive(*slave.master->rx(0));
  Loan* all = slave.borrow(Loan::kMax);
  fail_unless(all != nullptr && all->count == spare_buffers(kRing));
  // All spare ones and all of the ring's: every buffer is in one place.
  std::vector<std::uint32_t> places;
  for (std::uint32_t i = 0; i < all->count; ++i) places.push_back(all->buffers[i].offset);
  for (std::uint32_t i = 0; i < kRing; ++i) {
    fail_unless(send(slave.tx(), packet(i, kCapacity)) == Sent::ok);
  }
  slave.tx().flush();
  const std::byte* base = slave.master->state().regions()[1].data();
  for (const RxSegment& segment : slave.master->rx(0)->receive(kRing)) {
    places.push_back(static_cast<std::uint32_t>(segment.data - base));
  }
  fail_unless_equals_uint64(places.size(), kRing + spare_buffers(kRing));
  std::ranges::sort(places);
  fail_unless(std::ranges::adjacent_find(places) == places.end(), "a buffer is in two places");
  all->give_back();
}
GST_END_TEST

namespace {

/** Loans on their way from one thread to another. */
class Belt {
 public:
  void put(Loan* loan) {
    const std::lock_guard lock(mutex_);
    loans_.push_back(loan);
  }
  /** Null once there is nothing more to come. */
  Loan* take() {
    for (;;) {
      {
        const std::lock_guard lock(mutex_);
        if (!loans_.empty()) {
          Loan* loan = loans_.front();
          loans_.pop_front();
          return loan;
        }
      }
      if (done) return nullptr;
      std::this_thread::yield();
    }
  }
  std::atomic<bool> done{false};

 private:
  std::mutex mutex_;
  std::deque<Loan*> loans_;
};

}  // namespace

/** Written on one thread, sent on another, given back on a third. */
GST_START_TEST(test_threads_of_their_own) {
  Slave slave(small_offer(64, kCapacity));
  const std::uint64_t total = 200'000U / kSlowdown;
  Belt written;
  Belt sent;
  std::thread writer([&] {
    for (std::uint64_t number = 0; number < total;) {
      Loan* loan =
          slave.borrow(static_cast<std::uint32_t>(std::min<std::uint64_t>(total - number, 8)));
      if (loan == nullptr) {
        std::this_thread::yield();
        continue;
      }
      for (std::uint32_t i = 0; i < loan->count; ++i) write(*loan, i, number++);
      written.put(loan);
    }
    written.done = true;
  });
  std::thread sender([&] {
    while (Loan* loan = written.take()) {
      for (std::uint32_t i = 0; i < loan->count; ++i) {
        while (slave.send(*loan, i) == Sent::full) {
          slave.tx().flush();
          std::this_thread::yield();
        }
      }
      slave.tx().flush();
      sent.put(loan);
    }
    sent.done = true;
  });
  std::thread giver([&] {
    while (Loan* loan = sent.take()) loan->give_back();
  });
  for (std::uint64_t number = 0; number < total;) {
    for (const Bytes& bytes : receive(*slave.master->rx(0))) {
      expect(bytes == packet(number++, kCapacity), "wrong bytes");
    }
    std::this_thread::yield();
  }
  for (std::thread* thread : {&writer, &sender, &giver}) thread->join();
  fail_unless_equals_uint64(slave.stats->tx(0).copies.get(), 0);
}
GST_END_TEST

static Suite* borrowing_suite(void) {
  Suite* suite = suite_create("borrowing");
  TCase* tests = tcase_create("buffers");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_packets_go_without_a_copy);
  tcase_add_test(tests, test_no_more_is_borrowed_than_there_is);
  tcase_add_test(tests, test_who_has_nothing_to_lend);
  tcase_add_test(tests, test_what_is_borrowed_keeps_the_link);
  tcase_add_test(tests, test_buffers_are_neither_lost_nor_doubled);
  tcase_add_test(tests, test_threads_of_their_own);
  return suite;
}

GST_CHECK_MAIN(borrowing)
