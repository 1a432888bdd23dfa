// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Eventfds shared with a peer: no thread hangs on them, whatever the peer does.
 */
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <atomic>

#include "gst/memif/data/peer_signal.hpp"

#include "peers.hpp"

using namespace memiftest;

namespace {

constexpr std::uint64_t kFull = UINT64_MAX - 1;

UniqueFd new_eventfd(std::uint64_t count, int flags) {
  UniqueFd fd(::eventfd(0, flags | EFD_CLOEXEC));
  if (count != 0) expect(::write(fd.get(), &count, sizeof count) == sizeof count, "eventfd");
  return fd;
}

std::uint64_t counter_of(const UniqueFd& fd) {
  ::fcntl(fd.get(), F_SETFL, O_NONBLOCK);
  std::uint64_t count = 0;
  return ::read(fd.get(), &count, sizeof count) == sizeof count ? count : 0;
}

/** Our interface, its sender, and the ring that it sends into, in the hands of the peer. */
struct Victim {
  explicit Victim(Role role) : Victim(role, unique_socket()) {}
  Victim(Role role, const std::string& name)
      : listener(role == Role::slave
                     ? std::optional(must(ListenSocket::open(address(name), ListenOptions())))
                     : std::nullopt),
        interface(made(settings_for(role, name))),
        news(news_of(interface)) {
    must(interface->start());
    sender = must(Sender::open(interface, 0));
    LinkPlan plan;
    if (role == Role::master) {
      slave.emplace(raw_slave(name));
      fail_unless(slave->answer());
      plan = slave->plan();
    } else {
      master.emplace(raw_master(*listener));
      fail_unless(master->answer());
      plan = master->plan();
    }
    fail_unless(come_up(interface));
    const RingPlan& ring_plan = role == Role::master ? plan.m2s[0] : plan.s2m[0];
    event_fd = duplicate(ring_plan.event_fd.get());
    ring.emplace(plan.regions[ring_plan.region].data() + ring_plan.offset,
                 RingLayout{plan.cache_line, ring_plan.size});
    link = std::make_shared<Link>(std::move(plan), std::make_shared<InterfaceStats>(),
                                  std::make_shared<const UniqueFd>(must(make_eventfd())));
    ring->mask_interrupt(false);
  }

  void fill_event() {
    ::fcntl(event_fd.get(), F_SETFL, O_NONBLOCK);
    std::uint64_t count;
    (void)!::read(event_fd.get(), &count, sizeof count);
    expect(::write(event_fd.get(), &kFull, sizeof kFull) == sizeof kFull, "eventfd");
  }
  void make_event_blocking() { expect(::fcntl(event_fd.get(), F_SETFL, 0) == 0, "fcntl"); }

  /** One packet, on a thread of its own: it must not take long. */
  void expect_prompt_flush() {
    std::atomic<bool> done{false};
    std::thread thread([&] {
      const Bytes bytes = packet(1, 10);
      const TxSegment segment(bytes);
      while (send_one(*sender, {&segment, 1}) == Sent::full) sender->wait_for_room();
      sender->flush();
      done = true;
    });
    const bool ended = eventually([&] { return done.load(); });
    if (!ended) counter_of(event_fd);  // so that the test can end
    thread.join();
    fail_unless(ended, "the sender hangs");
  }

  std::optional<ListenSocket> listener;
  std::shared_ptr<Interface> interface;
  std::shared_ptr<News> news;
  std::unique_ptr<Sender> sender;
  std::optional<RawSlave> slave;
  std::optional<RawMaster> master;
  UniqueFd event_fd;
  std::optional<Ring> ring;
  std::shared_ptr<Link> link;  // the peer's end: its memory
};

/** Goes through the handshake of a slave with the memory and the first S2M ring of @p plan. */
void offer(RawPeer& slave, const LinkPlan& plan) {
  slave.expect_message<Hello>();
  slave.say(Init{});
  slave.expect_message<Ack>();
  for (std::size_t i = 0; i < plan.regions.size(); ++i) {
    const Region& region = plan.regions[i];
    slave.say(AddRegion{static_cast<std::uint16_t>(i), region.size()}, region.fd());
    slave.expect_message<Ack>();
  }
  const RingPlan& ring = plan.s2m[0];
  const auto log2 = static_cast<std::uint8_t>(std::countr_zero(ring.size));
  slave.say(AddRing{Direction::s2m, 0, ring.region, ring.offset, log2, 0}, ring.event_fd.get());
  slave.expect_message<Ack>();
  slave.say(Connect{"slave0"});
  slave.expect_message<Connected>();
}

/** From now on @p call fails with @p error in this process. */
void forbid(long call, int error) {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call), 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{G_N_ELEMENTS(program), program};
  fail_unless(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
  fail_unless(::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter) ==
              0);
}

}  // namespace

GST_START_TEST(test_signals_add_up) {
  for (const int flags : {0, int{EFD_NONBLOCK}, int{EFD_SEMAPHORE}}) {
    const UniqueFd fd = new_eventfd(0, flags);
    for (int i = 0; i < 1000; ++i) expect(signal_peer(fd.get()) == nullptr, "no signal");
    fail_unless(takes_signals(fd.get()));
    fail_unless_equals_uint64(counter_of(fd), flags == EFD_SEMAPHORE ? 1 : 1000);
  }
}
GST_END_TEST

GST_START_TEST(test_signals_of_many_threads) {
  constexpr std::uint64_t kThreads = 16;
  constexpr std::uint64_t kEach = 20'000 / kSlowdown;
  const UniqueFd fd = new_eventfd(0, 0);
  std::atomic<bool> failed{false};
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (std::uint64_t i = 0; i < kEach; ++i) {
        if (signal_peer(fd.get()) != nullptr) failed = true;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  fail_if(failed);
  fail_unless_equals_uint64(counter_of(fd), kThreads * kEach);
}
GST_END_TEST

GST_START_TEST(test_a_full_counter_holds_nobody) {
  const UniqueFd fd = new_eventfd(kFull, 0);
  fail_if(takes_signals(fd.get()));
  for (int i = 0; i < 1000; ++i) expect(signal_peer(fd.get()) == nullptr, "no signal");
  fail_if(takes_signals(fd.get()));
  fail_unless(clear_signal(fd.get()) == nullptr);
  fail_unless(takes_signals(fd.get()));
  // Nothing to take, and O_NONBLOCK is not set.
  fail_unless(clear_signal(fd.get()) == nullptr);
}
GST_END_TEST

/** Filled again whenever it was emptied, and blocking from one moment to the next. */
GST_START_TEST(test_an_eventfd_that_changes_all_the_time) {
  const UniqueFd fd = new_eventfd(0, EFD_NONBLOCK);
  std::atomic<bool> done{false};
  std::thread peer([&] {
    while (!done) {
      ::fcntl(fd.get(), F_SETFL, O_NONBLOCK);
      (void)!::write(fd.get(), &kFull, sizeof kFull);
      ::fcntl(fd.get(), F_SETFL, 0);
    }
  });
  std::thread victim([&] {
    for (int i = 0; i < 50'000 / kSlowdown; ++i) {
      expect(signal_peer(fd.get()) == nullptr, "no signal");
      if (i % 16 == 0) expect(clear_signal(fd.get()) == nullptr, "not cleared");
    }
    done = true;
  });
  const bool ended = eventually([&] { return done.load(); });
  while (!done) counter_of(fd);  // so that the test can end
  victim.join();
  peer.join();
  fail_unless(ended, "the victim hangs");
}
GST_END_TEST

GST_START_TEST(test_a_child_process_signals) {
  const UniqueFd fd = new_eventfd(0, 0);
  fail_unless(signal_peer(fd.get()) == nullptr);
  const pid_t child = ::fork();
  if (child == 0) ::_exit(signal_peer(fd.get()) == nullptr ? 0 : 1);
  int status = -1;
  fail_unless(::waitpid(child, &status, 0) == child);
  fail_unless(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  fail_unless_equals_uint64(counter_of(fd), 2);
}
GST_END_TEST

/** The peer shares the eventfd: it can fill it, and make it blocking. */
GST_START_TEST(test_a_peer_that_fills_the_eventfd_loses_its_link) {
  for (const Role role : {Role::master, Role::slave}) {
    for (const bool blocking : {false, true}) {
      Victim victim(role);
      victim.fill_event();
      if (blocking) victim.make_event_blocking();
      victim.expect_prompt_flush();
      fail_unless(victim.news->down_with("keeps the eventfd of a ring full"));
    }
  }
}
GST_END_TEST

/** If a peer cannot be woken without the risk to hang, there is no link. */
GST_START_TEST(test_without_aio_a_link_that_needs_it_says_so) {
  const int error = __i__ == 0 ? EAGAIN : ENOSYS;
  forbid(SYS_io_setup, error);
  Victim victim(Role::master);
  victim.ring->mask_interrupt(true);
  victim.expect_prompt_flush();
  fail_unless(is_up(victim.interface), "a peer that polls needs no wake-ups");
  victim.ring->mask_interrupt(false);
  victim.expect_prompt_flush();
  fail_unless(victim.news->down_with(error == EAGAIN ? "aio-max-nr" : "io_setup"));
}
GST_END_TEST

/** Edge-triggered, an eventfd need not be read. */
GST_START_TEST(test_without_rwf_nowait_packets_arrive) {
  Peers peers;
  auto sender = must(Sender::open(peers.slave, 0));
  auto receiver = must(Receiver::open(peers.master, 0, RxMode::interrupt));
  forbid(SYS_preadv2, EOPNOTSUPP);
  constexpr std::uint64_t kPackets = 100;
  std::atomic<std::uint64_t> received{0};
  std::thread thread([&] {
    while (receiver->wait() != WaitResult::interrupted) {
      received += receiver->receive(16).size();
      receiver->release();
    }
  });
  const Bytes bytes = packet(1, 10);
  const TxSegment segment(bytes);
  for (std::uint64_t i = 1; i <= kPackets; ++i) {
    expect(send_one(*sender, {&segment, 1}) == Sent::ok, "full");
    sender->flush();
    expect(eventually([&] { return received == i; }), "a packet did not wake the receiver");
  }
  receiver->interrupt();
  thread.join();
  fail_unless(is_up(peers.master));
}
GST_END_TEST

GST_START_TEST(test_without_epoll_and_rwf_nowait_a_link_says_so) {
  Peers peers;
  forbid(SYS_epoll_create1, EMFILE);
  auto news = news_of(peers.master);
  auto sender = must(Sender::open(peers.slave, 0));
  auto receiver = must(Receiver::open(peers.master, 0, RxMode::interrupt));
  forbid(SYS_preadv2, EOPNOTSUPP);
  std::thread thread([&] {
    while (receiver->wait() != WaitResult::interrupted) {
      receiver->receive(1);
      receiver->release();
    }
  });
  const Bytes bytes = packet(1, 10);
  const TxSegment segment(bytes);
  const bool down = eventually([&] {
    send_one(*sender, {&segment, 1});
    sender->flush();
    return News::tell(news->downs(), "RWF_NOWAIT");
  });
  receiver->interrupt();
  thread.join();
  fail_unless(down);
}
GST_END_TEST

GST_START_TEST(test_what_the_budget_forgives) {
  constexpr std::int64_t kStart = 5'000'000'000;
  const auto wakes_until_spent = [](std::int64_t slots, std::int64_t pause_ns) {
    WakeBudget budget;
    std::int64_t now = kStart;
    std::int64_t wakes = 0;
    while (wakes < 10'000 && budget.spend(slots, now += pause_ns)) ++wakes;
    return wakes;
  };
  fail_unless_equals_int64(wakes_until_spent(0, 0), WakeBudget::kMost);
  fail_unless(wakes_until_spent(0, 1'000'000) < 2 * WakeBudget::kMost, "a thousand a second");
  fail_unless_equals_int64(wakes_until_spent(0, WakeBudget::kNsPerWake), 10'000);
  fail_unless_equals_int64(wakes_until_spent(1, 0), 10'000);
  // A packet now and then is no excuse.
  WakeBudget budget;
  std::int64_t wakes = 0;
  while (wakes < 10'000 && budget.spend(wakes % 3 == 0 ? 1 : 0, kStart)) ++wakes;
  fail_unless(wakes < 2 * WakeBudget::kMost, "%d wake-ups", static_cast<int>(wakes));
}
GST_END_TEST

/** One that is a semaphore with a huge count wakes a receiver that sees its edges once. */
GST_START_TEST(test_an_eventfd_that_stays_readable_wakes_once) {
  const std::string name = unique_socket();
  auto master = made(settings_for(Role::master, name));
  must(master->start());
  auto receiver = must(Receiver::open(master, 0, RxMode::interrupt));
  LinkPlan plan = must(build_slave_memory(small_offer(64, 64)));
  plan.s2m[0].event_fd = new_eventfd(kFull, EFD_NONBLOCK | EFD_SEMAPHORE);
  RawPeer slave = RawPeer::dialled(name);
  offer(slave, plan);
  fail_unless(come_up(master));
  fail_unless(eventually([&] { return receiver->refresh() || receiver->link() != nullptr; }));
  for (int i = 0; i < 20; ++i) {
    const WaitResult result = receiver->wait(10'000'000);
    fail_unless(result == WaitResult::timeout || result == WaitResult::link_changed);
  }
  fail_unless(receiver->stats().interrupts.get() <= 1);
  fail_unless(is_up(master));
}
GST_END_TEST

/**
 * An eventfd that is a semaphore never runs dry for one who has to read it, without epoll; another
 * one may be written to all the time.
 */
GST_START_TEST(test_a_peer_that_floods_us_with_wake_ups_loses_its_link) {
  const RxMode mode = __i__ % 2 == 0 ? RxMode::interrupt : RxMode::adaptive;
  const bool trickles = __i__ >= 2;
  if (!trickles) forbid(SYS_epoll_create1, EMFILE);
  const std::string name = unique_socket();
  auto master = made(settings_for(Role::master, name));
  auto news = news_of(master);
  must(master->start());
  auto receiver = must(Receiver::open(master, 0, mode));
  LinkPlan plan = must(build_slave_memory(small_offer(64, 64)));
  plan.s2m[0].event_fd = new_eventfd(trickles ? 0 : kFull, EFD_NONBLOCK | EFD_SEMAPHORE);
  RawPeer slave = RawPeer::dialled(name);
  offer(slave, plan);
  fail_unless(come_up(master));
  const UniqueFd event_fd = duplicate(plan.s2m[0].event_fd.get());
  Ring ring(plan.regions[0].data() + plan.s2m[0].offset, RingLayout{plan.cache_line, 64});
  std::atomic<bool> done{false};
  std::thread flood([&] {
    std::uint16_t head = 0;
    std::uint64_t due = 0;
    while (trickles && !done) {
      // A packet for every ten wake-ups, as the receiver counts them.
      if (receiver->stats().interrupts.get() >= due &&
          static_cast<std::uint16_t>(head - ring.load_tail()) < 64) {
        ring.write(head, {0, 1, 10, 0, 0});
        ring.store_head(++head);
        due += 10;
      }
      const std::uint64_t one = 1;
      (void)!::write(event_fd.get(), &one, sizeof one);
      std::this_thread::sleep_for(std::chrono::microseconds(20));
    }
  });
  std::thread receiving([&] {
    while (receiver->wait() != WaitResult::interrupted) {
      receiver->receive(16);
      receiver->release();
    }
  });
  const bool down = news->down_with("keeps waking us without packets");
  done = true;
  receiver->interrupt();
  flood.join();
  receiving.join();
  fail_unless(down);
  if (!trickles) {
    fail_unless(receiver->stats().interrupts.get() <= 2 * WakeBudget::kMost);
  }
}
GST_END_TEST

/** One late wake-up per burst, after its packets were seen: no link is lost. */
GST_START_TEST(test_late_wake_ups_are_forgiven) {
  LinkPair pair(small_offer(64, 64));
  RxQueue& rx = pair.rx(Direction::s2m);
  TxQueue& tx = pair.tx(Direction::s2m);
  rx.set_interrupts(true);
  for (int i = 0; i < 10'000; ++i) {
    expect(send(tx, packet(1, 10)) == Sent::ok, "full");
    tx.flush();
    expect(receive(rx).size() == 1, "nothing");
    rx.acknowledge_interrupt();
  }
  fail_if(pair.rx_state(Direction::s2m).failed());
  for (int i = 0; i < 10'000; ++i) rx.acknowledge_interrupt();
  fail_unless(pair.rx_state(Direction::s2m).failed());
}
GST_END_TEST

static Suite* signals_suite(void) {
  Suite* suite = suite_create("signals");
  TCase* tests = tcase_create("eventfds");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_signals_add_up);
  tcase_add_test(tests, test_signals_of_many_threads);
  tcase_add_test(tests, test_a_full_counter_holds_nobody);
  tcase_add_test(tests, test_an_eventfd_that_changes_all_the_time);
  tcase_add_test(tests, test_a_child_process_signals);
  tcase_add_test(tests, test_a_peer_that_fills_the_eventfd_loses_its_link);
  tcase_add_loop_test(tests, test_without_aio_a_link_that_needs_it_says_so, 0, 2);
  tcase_add_test(tests, test_without_rwf_nowait_packets_arrive);
  tcase_add_test(tests, test_without_epoll_and_rwf_nowait_a_link_says_so);
  tcase_add_test(tests, test_what_the_budget_forgives);
  tcase_add_test(tests, test_an_eventfd_that_stays_readable_wakes_once);
  tcase_add_loop_test(tests, test_a_peer_that_floods_us_with_wake_ups_loses_its_link, 0, 4);
  tcase_add_test(tests, test_late_wake_ups_are_forgiven);
  return suite;
}

GST_CHECK_MAIN(signals)
