// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Waiting for packets, room and links: ends in time, and costs nothing where it should not.
 */
#include "gst/memif/data/link.hpp"
#include "gst/memif/receiver.hpp"
#include "gst/memif/sender.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <functional>

#include "peers.hpp"

using namespace memiftest;

namespace {

constexpr RxMode kModes[] = {RxMode::interrupt, RxMode::polling, RxMode::adaptive};
constexpr std::int64_t kMillisecond = 1'000'000;
constexpr int kPrompt = 50 * kSlowdown;  // milliseconds

/** Milliseconds of CPU that the calling thread has used. */
std::int64_t cpu_ms() {
  rusage usage{};
  ::getrusage(RUSAGE_THREAD, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
         (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
}

/** Waits on a thread of its own, and remembers how that ended. */
class Waiter {
 public:
  explicit Waiter(std::function<WaitResult()> wait)
      : thread_([this, wait = std::move(wait)] {
          const std::int64_t before = cpu_ms();
          result_ = wait();
          used_ = cpu_ms() - before;
          done_ = true;
        }) {}
  ~Waiter() { thread_.join(); }
  Waiter(const Waiter&) = delete;

  bool done() const { return done_; }
  /** How the wait ended; the test ends if it does not. */
  WaitResult ended() {
    fail_unless(eventually([&] { return done_.load(); }));
    return result_;
  }
  std::int64_t cpu_used_ms() const { return used_; }

 private:
  std::atomic<bool> done_{false};
  WaitResult result_ = WaitResult::ready;
  std::int64_t used_ = 0;
  std::thread thread_;
};

/** That something is prompt: the best of many tries, for the machine is shared. */
class Quickest {
 public:
  void begin() { start_ = Clock::now(); }
  void end() { best_ = std::min(best_, milliseconds_since(start_)); }
  /** Whether to try it once more, after @p tries. */
  bool goes_on(int tries) const { return tries < 5 || (best_ > kPrompt && tries < 200); }
  void expect_prompt() const {
    fail_unless(best_ <= kPrompt, "at best after %d ms", static_cast<int>(best_));
  }

 private:
  Clock::time_point start_;
  std::int64_t best_ = INT64_MAX;
};

std::shared_ptr<Interface> lonely() {
  return started(settings_for(Role::slave, unique_socket()));
}

/** A receiver that has taken notice of its link. */
std::unique_ptr<Receiver> settled(const std::shared_ptr<Interface>& interface, RxMode mode) {
  auto receiver = must(Receiver::open(interface, 0, mode));
  receiver->refresh();
  return receiver;
}

void fill(Sender& sender) {
  const Bytes bytes = packet(0, 10);
  const TxSegment segment(bytes);
  for (;;) {
    const Sent sent = send_one(sender, {&segment, 1});
    if (sent == Sent::full && sender.link()->state().failed() == false) {
      sender.flush();
      // A slave may not have given out its buffers yet: full, but not for good.
      if (sender.wait_for_room(20 * kMillisecond) == WaitResult::timeout) return;
    }
  }
}

}  // namespace

GST_START_TEST(test_interrupt_ends_a_wait_for_packets) {
  const RxMode mode = kModes[__i__];
  Peers peers;
  for (const auto& interface : {peers.master, lonely()}) {
    auto receiver = settled(interface, mode);
    Quickest quickest;
    for (int round = 0; quickest.goes_on(round); ++round) {
      Waiter waiter([&] { return receiver->wait(); });
      pause_ms(5 * (round % 5));
      quickest.begin();
      receiver->interrupt();
      fail_unless(waiter.ended() == WaitResult::interrupted);
      quickest.end();
      fail_unless(receiver->wait() == WaitResult::interrupted, "until resume()");
      receiver->resume();
    }
    quickest.expect_prompt();
    fail_unless(receiver->wait(kMillisecond) == WaitResult::timeout);
  }
}
GST_END_TEST

GST_START_TEST(test_interrupt_ends_a_wait_to_send) {
  Peers peers;
  auto sender = must(Sender::open(peers.slave, 0));
  fill(*sender);
  auto alone = must(Sender::open(lonely(), 0));
  for (Sender* port : {sender.get(), alone.get()}) {
    for (const bool for_link : {false, true}) {
      if (for_link && port == sender.get()) continue;
      Quickest quickest;
      for (int round = 0; quickest.goes_on(round); ++round) {
        Waiter waiter([&] { return for_link ? port->wait_for_link() : port->wait_for_room(); });
        pause_ms(20);
        fail_if(waiter.done());
        quickest.begin();
        port->interrupt();
        fail_unless(waiter.ended() == WaitResult::interrupted);
        quickest.end();
        port->resume();
      }
      quickest.expect_prompt();
    }
  }
}
GST_END_TEST

/** Never earlier, and later only as far as the machine is busy with something else. */
template <class Wait>
static void expect_30_ms(Wait wait) {
  std::int64_t best = INT64_MAX;
  for (int round = 0; round < 5 || (best >= 30 + kPrompt && round < 200); ++round) {
    const auto start = Clock::now();
    fail_unless(wait() == WaitResult::timeout);
    const std::int64_t took = milliseconds_since(start);
    fail_unless(took >= 30, "after %d ms", static_cast<int>(took));
    best = std::min(best, took);
  }
  fail_unless(best < 30 + kPrompt, "at best after %d ms", static_cast<int>(best));
}

GST_START_TEST(test_time_outs) {
  Peers peers;
  for (const auto& interface : {peers.master, lonely()}) {
    for (const RxMode mode : kModes) {
      auto receiver = settled(interface, mode);
      fail_unless(receiver->wait(0) == WaitResult::timeout);
      expect_30_ms([&] { return receiver->wait(30 * kMillisecond); });
    }
  }
  auto sender = must(Sender::open(peers.slave, 0));
  fill(*sender);
  expect_30_ms([&] { return sender->wait_for_room(30 * kMillisecond); });
}
GST_END_TEST

GST_START_TEST(test_news_of_the_link_end_a_wait) {
  const RxMode mode = kModes[__i__];
  const std::string name = unique_socket();
  auto master = started(settings_for(Role::master, name));
  auto slave = made(settings_for(Role::slave, name));
  auto receiver = settled(master, mode);
  {
    Waiter waiter([&] { return receiver->wait(); });
    must(slave->start());
    fail_unless(waiter.ended() == WaitResult::link_changed);
    fail_unless(receiver->has_queue() && receiver->link());
  }
  {
    Waiter waiter([&] { return receiver->wait(); });
    pause_ms(20);
    fail_if(waiter.done());
    slave->stop();
    fail_unless(waiter.ended() == WaitResult::link_changed);
    fail_if(receiver->has_queue() || receiver->link());
  }
  auto sender = must(Sender::open(master, 0));
  Waiter waiter([&] { return sender->wait_for_link(); });
  must(slave->start());
  fail_unless(waiter.ended() == WaitResult::ready);
}
GST_END_TEST

GST_START_TEST(test_a_queue_has_one_user_in_each_direction) {
  Settings settings = settings_for(Role::slave, unique_socket());
  settings.rx_queues = 2;
  auto interface = made(settings);
  auto receiver = must(Receiver::open(interface, 0, RxMode::adaptive));
  must_fail(Receiver::open(interface, 0, RxMode::adaptive), "queue=0", "receiver already");
  auto other = must(Receiver::open(interface, 1, RxMode::adaptive));
  auto sender = must(Sender::open(interface, 0));
  must_fail(Sender::open(interface, 0), "queue=0", "sender already");
  receiver.reset();
  sender.reset();
  must(Receiver::open(interface, 0, RxMode::adaptive));
  must(Sender::open(interface, 0));
}
GST_END_TEST

GST_START_TEST(test_a_queue_that_does_not_exist) {
  auto interface = made(settings_for(Role::slave, unique_socket()));
  must_fail(Receiver::open(interface, 1, RxMode::adaptive), "queue=1", "rx-queues=1", "at least 2");
  must_fail(Sender::open(interface, 9), "queue=9", "tx-queues=1", "at least 10");
}
GST_END_TEST

GST_START_TEST(test_a_queue_that_the_peer_did_not_agree_to) {
  const std::string name = unique_socket();
  Settings slave = settings_for(Role::slave, name);
  slave.rx_queues = slave.tx_queues = 2;
  Peers peers(settings_for(Role::master, name), slave);
  auto receiver = must(Receiver::open(peers.slave, 1, RxMode::adaptive));
  auto sender = must(Sender::open(peers.slave, 1));
  fail_if(receiver->has_queue() || sender->has_queue());
  fail_unless(receiver->receive(10).empty() && receiver->release());
  fail_unless(receiver->wait(kMillisecond) == WaitResult::timeout);
  const Bytes bytes = packet(1, 10);
  const TxSegment segment(bytes);
  fail_unless(send_one(*sender, {&segment, 1}) == Sent::link_lost);
  fail_unless(sender->wait_for_link(kMillisecond) == WaitResult::timeout);
}
GST_END_TEST

GST_START_TEST(test_idle_receivers_use_no_cpu) {
  Peers peers;
  for (const auto& interface : {peers.master, lonely()}) {
    for (const RxMode mode : {RxMode::interrupt, RxMode::adaptive}) {
      auto receiver = settled(interface, mode);
      Waiter waiter([&] { return receiver->wait(500 * kMillisecond); });
      fail_unless(waiter.ended() == WaitResult::timeout);
      fail_unless(waiter.cpu_used_ms() <= 5 * kSlowdown, "%d ms of CPU",
                  static_cast<int>(waiter.cpu_used_ms()));
    }
  }
}
GST_END_TEST

GST_START_TEST(test_a_change_of_mode_takes_effect_while_waiting) {
  Peers peers;
  auto receiver = settled(peers.master, RxMode::polling);
  std::int64_t used = 0;
  // The change may come late on a busy machine: once is enough.
  fail_unless(eventually([&] {
                receiver->set_mode(RxMode::polling);
                Waiter waiter([&] { return receiver->wait(2000 * kMillisecond); });
                pause_ms(50);
                receiver->set_mode(RxMode::interrupt);
                fail_unless(waiter.ended() == WaitResult::timeout);
                used = waiter.cpu_used_ms();
                return used < 1000;
              }),
              "still polling: %d ms of CPU", static_cast<int>(used));
}
GST_END_TEST

GST_START_TEST(test_what_was_not_flushed_is_counted_when_the_link_goes) {
  for (const bool at_the_end : {false, true}) {
    Peers peers;
    auto sender = must(Sender::open(peers.slave, 0));
    const Bytes bytes = packet(1, 10);
    const TxSegment segment(bytes);
    for (int i = 0; i < 3; ++i) fail_unless(send_one(*sender, {&segment, 1}) == Sent::ok);
    peers.master->stop();
    fail_unless(goes_down(peers.slave));
    if (at_the_end) {
      sender.reset();
    } else {
      fail_unless(send_one(*sender, {&segment, 1}) == Sent::link_lost);
      sender->flush();
    }
    const QueueStats& stats = peers.slave->stats().tx(0);
    fail_unless_equals_uint64(stats.packets.get(), 0);
    fail_unless_equals_uint64(dropped(stats, DropReason::link_down), 3);
  }
}
GST_END_TEST

static Suite* ports_suite(void) {
  Suite* suite = suite_create("ports");
  TCase* tests = tcase_create("waiting");
  suite_add_tcase(suite, tests);
  tcase_add_loop_test(tests, test_interrupt_ends_a_wait_for_packets, 0, G_N_ELEMENTS(kModes));
  tcase_add_test(tests, test_interrupt_ends_a_wait_to_send);
  tcase_add_test(tests, test_time_outs);
  tcase_add_loop_test(tests, test_news_of_the_link_end_a_wait, 0, G_N_ELEMENTS(kModes));
  tcase_add_test(tests, test_a_queue_has_one_user_in_each_direction);
  tcase_add_test(tests, test_a_queue_that_does_not_exist);
  tcase_add_test(tests, test_a_queue_that_the_peer_did_not_agree_to);
  tcase_add_test(tests, test_idle_receivers_use_no_cpu);
  tcase_add_test(tests, test_a_change_of_mode_takes_effect_while_waiting);
  tcase_add_test(tests, test_what_was_not_flushed_is_counted_when_the_link_goes);
  return suite;
}

GST_CHECK_MAIN(ports)
