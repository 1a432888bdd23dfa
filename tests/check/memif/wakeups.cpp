// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * A million packets in bursts and pauses of all lengths: not one wake-up is lost.
 */
#include <atomic>

#include "peers.hpp"

using namespace memiftest;

namespace {

constexpr std::uint64_t kPackets = 1'000'000 / kSlowdown;
constexpr std::int64_t kLimit = kPatienceNs;  // no packet for as long is a lost wake-up

/** Long enough for a receiver that spins to fall asleep, and as short as its falling asleep. */
void random_pause(Dice& dice) {
  switch (dice.below(64)) {
    case 0:
      std::this_thread::sleep_for(std::chrono::microseconds(dice.below(200)));
      break;
    case 1:
    case 2:
    case 3: {
      const auto end = Clock::now() + std::chrono::nanoseconds(dice.below(80'000));
      while (Clock::now() < end) continue;
      break;
    }
    default:
      for (std::uint32_t i = dice.below(300); i != 0; --i) asm volatile("");
      break;
  }
}

void produce(Sender& sender, std::atomic<bool>& failed) {
  Dice dice(7);
  std::uint64_t number = 0;
  while (number < kPackets && !failed) {
    for (std::uint32_t burst = 1 + dice.below(32); burst != 0 && number < kPackets;) {
      const TxSegment segment(reinterpret_cast<const std::byte*>(&number), sizeof number);
      if (send_one(sender, {&segment, 1}) == Sent::ok) {
        ++number;
        --burst;
      } else if (sender.wait_for_room(kLimit) == WaitResult::timeout) {
        failed = true;
        return;
      }
    }
    sender.flush();
    random_pause(dice);
  }
}

void consume(Receiver& receiver, std::atomic<bool>& failed) {
  Dice dice(8);
  std::uint64_t expected = 0;
  while (expected < kPackets && !failed) {
    for (const RxSegment& segment : receiver.receive(1 + dice.below(64))) {
      std::uint64_t number = 0;
      std::memcpy(&number, segment.data, sizeof number);
      if (number != expected++) failed = true;
    }
    receiver.release();
    if (expected < kPackets && receiver.wait(kLimit) == WaitResult::timeout) failed = true;
    random_pause(dice);
  }
}

void stress(RxMode mode, bool from_slave) {
  Peers peers;
  auto sender = must(Sender::open(from_slave ? peers.slave : peers.master, 0));
  auto receiver = must(Receiver::open(from_slave ? peers.master : peers.slave, 0, mode));
  std::atomic<bool> failed{false};
  std::thread producer([&] { produce(*sender, failed); });
  consume(*receiver, failed);
  producer.join();
  fail_if(failed, "a wake-up or a packet was lost");
  fail_unless_equals_uint64(receiver->stats().packets.get(), kPackets);
  fail_unless_equals_uint64(sender->stats().packets.get(), kPackets);
}

}  // namespace

GST_START_TEST(test_interrupt_mode) {
  stress(RxMode::interrupt, true);
  stress(RxMode::interrupt, false);
}
GST_END_TEST

GST_START_TEST(test_adaptive_mode) {
  stress(RxMode::adaptive, true);
  stress(RxMode::adaptive, false);
}
GST_END_TEST

GST_START_TEST(test_modes_that_change_all_the_time) {
  Peers peers;
  auto sender = must(Sender::open(peers.slave, 0));
  auto receiver = must(Receiver::open(peers.master, 0, RxMode::interrupt));
  std::atomic<bool> failed{false};
  std::atomic<bool> done{false};
  std::thread producer([&] { produce(*sender, failed); });
  std::thread changer([&] {
    Dice dice(9);
    while (!done) {
      receiver->set_mode(static_cast<RxMode>(dice.below(3)));
      std::this_thread::sleep_for(std::chrono::microseconds(dice.below(500)));
    }
  });
  consume(*receiver, failed);
  done = true;
  producer.join();
  changer.join();
  fail_if(failed, "a wake-up or a packet was lost");
}
GST_END_TEST

static Suite* wakeups_suite(void) {
  Suite* suite = suite_create("wakeups");
  TCase* tests = tcase_create("stress");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_interrupt_mode);
  tcase_add_test(tests, test_adaptive_mode);
  tcase_add_test(tests, test_modes_that_change_all_the_time);
  return suite;
}

GST_CHECK_MAIN(wakeups)
