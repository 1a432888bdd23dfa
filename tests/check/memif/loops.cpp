// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Where events are handled: the library's thread, a context, or a poller of the application.
 */
#include "gst/memif/control/timer.hpp"

#include <sys/epoll.h>

#include <set>

#include "peers.hpp"

using namespace memiftest;

namespace {

constexpr char kThreadName[] = "memif-control";

struct Context {
  Context() : get(g_main_context_new()) {}
  ~Context() { g_main_context_unref(get); }
  Context(const Context&) = delete;
  template <class Condition>
  bool iterate_until(Condition condition) {
    return eventually([&] {
      while (g_main_context_iteration(get, FALSE)) continue;
      return condition();
    });
  }
  GMainContext* get;
};

/** An application's own event loop, with one function for events of every kind. */
class Poller {
 public:
  Poller() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    loop = Loop::for_poller([this](int fd, bool watch) {
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.fd = fd;
      const int operation = watch ? EPOLL_CTL_ADD : EPOLL_CTL_DEL;
      fail_unless(::epoll_ctl(epoll_.get(), operation, fd, &event) == 0);
      watch ? (void)watched.insert(fd) : (void)watched.erase(fd);
    });
  }
  template <class Condition>
  bool poll_until(Condition condition) {
    const auto start = Clock::now();
    while (!condition()) {
      if (milliseconds_since(start) > kPatienceMs) return false;
      epoll_event events[8];
      const int count = ::epoll_wait(epoll_.get(), events, 8, 10);
      for (int i = 0; i < count; ++i) loop->dispatch(events[i].data.fd);
    }
    return true;
  }
  std::set<int> watched;
  std::shared_ptr<Loop> loop;

 private:
  UniqueFd epoll_;
};

/** The only timer of this process, or -1. */
int timer_descriptor() {
  for (int fd = 0; fd < 1024; ++fd) {
    char target[64] = {};
    const std::string path = "/proc/self/fd/" + std::to_string(fd);
    if (::readlink(path.c_str(), target, sizeof target - 1) > 0 &&
        std::strcmp(target, "anon_inode:[timerfd]") == 0) {
      return fd;
    }
  }
  return -1;
}

}  // namespace

GST_START_TEST(test_one_thread_for_all_while_there_is_any) {
  fail_unless_equals_int(threads_named(kThreadName), 0);
  {
    Peers one;
    Peers two;
    fail_unless_equals_int(threads_named(kThreadName), 1);
    pass_both_ways(one);
  }
  fail_unless(eventually([] { return threads_named(kThreadName) == 0; }));
  Peers again;
  fail_unless_equals_int(threads_named(kThreadName), 1);
}
GST_END_TEST

GST_START_TEST(test_a_context_of_the_application) {
  Context context;
  const std::string name = unique_socket();
  auto master = made(settings_for(Role::master, name), Loop::for_context(context.get));
  auto slave = made(settings_for(Role::slave, name), Loop::for_context(context.get));
  auto news = news_of(master);
  must(master->start());
  must(slave->start());
  pause_ms(20);
  fail_if(is_up(master) || is_up(slave), "nobody iterated the context");
  fail_unless(context.iterate_until([&] { return is_up(master) && is_up(slave); }));
  fail_unless(News::tell(news->ups(), "slave0"));
  pass(slave, master);
  fail_unless_equals_int(threads_named(kThreadName), 0);
  slave.reset();
  fail_unless(context.iterate_until([&] { return !is_up(master); }));
  fail_unless_equals_int(threads_named(kThreadName), 0);
}
GST_END_TEST

GST_START_TEST(test_two_interfaces_on_one_socket_and_one_context) {
  Context context;
  const std::string name = unique_socket();
  // Each asks for a loop on its own, and it is the same context: so they may share the socket.
  auto first_id = made(settings_for(Role::master, name, 0), Loop::for_context(context.get));
  auto second_id = made(settings_for(Role::master, name, 1), Loop::for_context(context.get));
  must(first_id->start());
  must(second_id->start());
  auto other_loop = made(settings_for(Role::master, name, 2));
  must_fail(other_loop->start(), "main-context", "same");
}
GST_END_TEST

GST_START_TEST(test_one_dispatch_function_for_control_and_interrupts) {
  Poller poller;
  const std::string name = unique_socket();
  auto master = made(settings_for(Role::master, name), poller.loop);
  auto slave = made(settings_for(Role::slave, name), poller.loop);
  must(master->start());
  must(slave->start());
  fail_unless(poller.poll_until([&] { return is_up(master) && is_up(slave); }));
  fail_unless_equals_int(threads_named(kThreadName), 0);

  const std::shared_ptr<Link> link = master->link();
  RxQueue& rx = *link->rx(0);
  std::vector<Bytes> received;
  const Watch watch = poller.loop->watch(rx.event_fd(), [&] {
    rx.acknowledge_interrupt();
    for (Bytes& bytes : receive(rx)) received.push_back(std::move(bytes));
  });
  rx.set_interrupts(true);
  auto sender = must(Sender::open(slave, 0));
  for (int round = 0; round < 100; ++round) {
    for (int i = 0; i < 3; ++i) {
      const Bytes bytes = packet(static_cast<std::uint64_t>(i), 50);
      const TxSegment segment(bytes);
      fail_unless(send_one(*sender, {&segment, 1}) == Sent::ok);
    }
    sender->flush();
    const std::size_t expected = 3 * (static_cast<std::size_t>(round) + 1);
    fail_unless(poller.poll_until([&] { return received.size() == expected; }));
  }
  slave->stop();
  fail_unless(poller.poll_until([&] { return !is_up(master); }));
  poller.loop->dispatch(12345);  // an event that was on its way when its descriptor was closed
}
GST_END_TEST

GST_START_TEST(test_nothing_stays_in_the_poller) {
  Poller poller;
  const std::string name = unique_socket();
  {
    auto master = made(settings_for(Role::master, name), poller.loop);
    auto slave = made(settings_for(Role::slave, name), poller.loop);
    must(master->start());
    must(slave->start());
    fail_unless(poller.poll_until([&] { return is_up(master) && is_up(slave); }));
    fail_if(poller.watched.empty());
  }
  fail_unless(poller.watched.empty(), "%zu descriptors are left", poller.watched.size());
}
GST_END_TEST

GST_START_TEST(test_timers) {
  Context context;
  const auto loop = Loop::for_context(context.get);
  int fired = 0;
  const auto start = Clock::now();
  Timer timer = must(Timer::make(*loop, [&] { ++fired; }));
  Timer gone = must(Timer::make(*loop, [&] { fired += 100; }));
  Timer disarmed = must(Timer::make(*loop, [&] { fired += 100; }));
  Timer sooner = must(Timer::make(*loop, [&] { fired += 10; }));
  {
    const ControlLock lock;
    timer.arm(30);
    gone.arm(10);
    gone = Timer();
    disarmed.arm(10);
    disarmed.disarm();
    sooner.arm(10'000);
    sooner.arm(1);
  }
  fail_unless(context.iterate_until([&] { return fired == 11; }));
  fail_unless(milliseconds_since(start) >= 30);
  pause_ms(20);
  while (g_main_context_iteration(context.get, FALSE)) continue;
  fail_unless_equals_int(fired, 11);
  {
    const ControlLock lock;
    sooner.arm(1);
  }
  fail_unless(context.iterate_until([&] { return fired == 21; }), "a timer is used more than once");
}
GST_END_TEST

/** The event is pending when the timer is disarmed: the holder of the lock decides. */
GST_START_TEST(test_a_timer_that_is_gone_does_not_fire_any_more) {
  Context context;
  const auto loop = Loop::for_context(context.get);
  bool fired = false;
  for (const bool destroyed : {false, true}) {
    Timer timer = must(Timer::make(*loop, [&] { fired = true; }));
    const int fd = timer_descriptor();
    std::thread thread;
    {
      const ControlLock lock;
      timer.arm(1);
      pollfd poll_fd{fd, POLLIN, 0};
      fail_unless(::poll(&poll_fd, 1, 10'000) == 1);
      std::atomic<pid_t> id{0};
      thread = std::thread([&] {
        id = ::gettid();
        loop->dispatch(fd);  // gets as far as the lock
      });
      fail_unless(eventually([&] { return id != 0 && sleeps(id); }));
      if (destroyed) {
        timer = Timer();
        fail_unless_equals_int(timer_descriptor(), fd);  // the number is still in use
      } else {
        timer.disarm();
      }
    }
    thread.join();
    fail_if(fired);
    fail_unless_equals_int(timer_descriptor(), destroyed ? -1 : fd);
  }
}
GST_END_TEST

GST_START_TEST(test_a_handler_may_end_its_own_watch_and_loop) {
  const UniqueFd event_fd = must(make_eventfd());
  auto loop = Loop::own_thread();
  std::atomic<bool> called{false};
  auto watch = std::make_unique<Watch>();
  *watch = loop->watch(event_fd.get(), [&] {
    pause_ms(50);  // by now this watch is the last user of the loop
    watch.reset();
    called = true;
  });
  loop.reset();
  signal_eventfd(event_fd.get());
  fail_unless(eventually([&] { return called.load(); }));
  fail_unless(eventually([] { return threads_named(kThreadName) == 0; }));
}
GST_END_TEST

/** What an application does when it hears of a link is its own affair: it may even stop it. */
GST_START_TEST(test_observers_may_call_the_interface) {
  class Stopper : public News {
   public:
    explicit Stopper(Interface& interface) : interface_(interface) {}
    void on_link_up(const LinkInfo& link) override {
      interface_.stop();
      News::on_link_up(link);
    }

   private:
    Interface& interface_;
  };
  const std::string name = unique_socket();
  auto master = made(settings_for(Role::master, name));
  auto stopper = std::make_shared<Stopper>(*master);
  master->add_observer(stopper);
  must(master->start());
  auto slave = started(settings_for(Role::slave, name));
  fail_unless(eventually([&] { return stopper->ups().size() == 1; }));
  fail_unless(goes_down(slave) && !is_up(master));
  fail_if(master->started());
  must(master->start());
  fail_unless(eventually([&] { return stopper->ups().size() == 2; }));
}
GST_END_TEST

GST_START_TEST(test_threads_that_start_and_stop_at_once) {
  const std::string name = unique_socket();
  auto master = started(settings_for(Role::master, name));
  std::vector<std::thread> threads;
  for (std::uint32_t id = 1; id <= 4; ++id) {
    threads.emplace_back([&, id] {
      for (int i = 0; i < 50; ++i) {
        auto own = made(settings_for(Role::master, name, id));
        expect(static_cast<bool>(own->start()), "not started");
        auto slave = made(settings_for(Role::slave, name, id));
        expect(static_cast<bool>(slave->start()), "not started");
        if (i % 2 == 0) expect(come_up(slave), "no link");
        if (i % 3 == 0) own.reset();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  fail_unless(master->started());
}
GST_END_TEST

static Suite* loops_suite(void) {
  Suite* suite = suite_create("loops");
  TCase* tests = tcase_create("events");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_one_thread_for_all_while_there_is_any);
  tcase_add_test(tests, test_a_context_of_the_application);
  tcase_add_test(tests, test_two_interfaces_on_one_socket_and_one_context);
  tcase_add_test(tests, test_one_dispatch_function_for_control_and_interrupts);
  tcase_add_test(tests, test_nothing_stays_in_the_poller);
  tcase_add_test(tests, test_timers);
  tcase_add_test(tests, test_a_timer_that_is_gone_does_not_fire_any_more);
  tcase_add_test(tests, test_a_handler_may_end_its_own_watch_and_loop);
  tcase_add_test(tests, test_observers_may_call_the_interface);
  tcase_add_test(tests, test_threads_that_start_and_stop_at_once);
  return suite;
}

GST_CHECK_MAIN(loops)
