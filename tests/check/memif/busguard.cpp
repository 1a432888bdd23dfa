// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The handler of SIGBUS: in threads that block signals, beside handlers of others, against signals
 * that somebody sends; and its absence where it is not wanted.
 */
#include "gst/memif/data/bus_guard.hpp"

#include <setjmp.h>
#include <signal.h>
#include <sys/resource.h>

#include <atomic>
#include <functional>

#include "unsealed.hpp"

using namespace memiftest;

namespace {

constexpr std::size_t kPage = 4096;

/** Memory under a guard, that can be taken away. */
class Guarded {
 public:
  explicit Guarded(std::size_t size = kPage)
      : file_(memory_file(size)), region_(must(Region::map(duplicate(file_.get()), size))) {
    fail_unless(region_.guarded());
  }
  /** Whether it is survived that the memory goes. */
  bool survives() {
    fail_unless(::ftruncate(file_.get(), 0) == 0);
    const bool reads_zero = sum(region_.data(), region_.size()) == 0;
    return reads_zero && region_.lost();
  }

 private:
  UniqueFd file_;
  Region region_;
};

/** Memory without a guard, whose first byte raises SIGBUS. */
class Broken {
 public:
  Broken() : file_(memory_file(kPage)) {
    base_ = ::mmap(nullptr, kPage, PROT_READ, MAP_SHARED, file_.get(), 0);
    fail_unless(base_ != MAP_FAILED && ::ftruncate(file_.get(), 0) == 0);
  }
  ~Broken() { ::munmap(base_, kPage); }
  Broken(const Broken&) = delete;
  void touch() const { sum(static_cast<const std::byte*>(base_), 1); }
  const std::byte* address() const { return static_cast<const std::byte*>(base_); }

 private:
  UniqueFd file_;
  void* base_;
};

sigjmp_buf escape;
volatile sig_atomic_t first_calls = 0;
volatile sig_atomic_t second_calls = 0;
struct sigaction before_second {};

void escape_handler(int) {
  first_calls = first_calls + 1;
  siglongjmp(escape, 1);
}
void counting_handler(int) {
  first_calls = first_calls + 1;
}
/** As a crash reporter: looks, and calls what was there before. */
void chaining_handler(int number, siginfo_t* info, void* context) {
  second_calls = second_calls + 1;
  if (second_calls > 10) _exit(99);
  if ((before_second.sa_flags & SA_SIGINFO) != 0) {
    before_second.sa_sigaction(number, info, context);
  } else if (before_second.sa_handler != SIG_DFL) {
    before_second.sa_handler(number);
  }
}
/** As an application that has never heard of us. */
void lonely_handler(int) {
  second_calls = second_calls + 1;
  siglongjmp(escape, 1);
}

/** Touches memory whose fault ends up in a handler that escapes. */
[[gnu::noinline]] void touch(const Broken& broken) {
  if (sigsetjmp(escape, 1) == 0) broken.touch();
}

struct sigaction install(void (*handler)(int), int flags = 0) {
  struct sigaction action {};
  struct sigaction before {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  fail_unless(::sigaction(SIGBUS, &action, &before) == 0);
  return before;
}
struct sigaction present() {
  struct sigaction action {};
  fail_unless(::sigaction(SIGBUS, nullptr, &action) == 0);
  return action;
}

void block_all_signals() {
  sigset_t all;
  ::sigfillset(&all);
  fail_unless(::pthread_sigmask(SIG_BLOCK, &all, nullptr) == 0);
}
bool blocks_sigbus() {
  sigset_t mask;
  ::pthread_sigmask(SIG_BLOCK, nullptr, &mask);
  return ::sigismember(&mask, SIGBUS) == 1;
}

}  // namespace

// ---- threads that block signals -----------------------------------------------------------------

GST_START_TEST(test_threads_that_block_all_signals) {
  // Before the control thread is made, which inherits it.
  block_all_signals();
  const std::string name = unique_socket();
  auto master = started(settings_for(Role::master, name));
  auto news = news_of(master);
  UnsealedSlave slave(name, small_offer(8, 64));
  slave.connect();
  fail_unless(come_up(master));
  auto receiver = must(Receiver::open(master, 0, __i__ == 0 ? RxMode::interrupt : RxMode::polling));
  fail_unless(blocks_sigbus(), "who only opens a receiver keeps its signals");
  std::thread streaming([&] {
    slave.send(packet(1, 60));
    fail_unless(receiver->wait() == WaitResult::ready);
    fail_unless(join(receiver->receive(8)) == only(packet(1, 60)));
    fail_unless(receiver->release());
    slave.take_away();
    fail_unless(eventually([&] {
      expect(receiver->receive(8).empty() || !receiver->release(),
             "packets of memory that is gone");
      return receiver->wait(1'000'000) == WaitResult::link_changed;
    }));
  });
  streaming.join();
  fail_unless(news->down_with("took shared memory away"));
  fail_unless(blocks_sigbus());
}
GST_END_TEST

GST_START_TEST(test_a_port_is_closed_by_a_thread_that_blocks_all_signals) {
  const std::string name = unique_socket();
  auto master = started(settings_for(Role::master, name));
  UnsealedSlave slave(name, small_offer(8, 64));
  slave.connect();
  fail_unless(come_up(master));
  auto receiver = must(Receiver::open(master, 0, RxMode::interrupt));
  block_all_signals();
  slave.take_away();
  receiver.reset();
  fail_unless(blocks_sigbus());
}
GST_END_TEST

GST_START_TEST(test_memory_that_goes_during_the_handshake) {
  block_all_signals();
  const std::string name = unique_socket();
  auto master = started(settings_for(Role::master, name));
  for (int round = 0; round < 20; ++round) {
    UnsealedSlave slave(name, small_offer(8, 64));
    RawPeer& peer = slave.offer();
    slave.take_away();
    const std::optional<Received> answer = peer.hear();
    fail_unless(answer && (std::holds_alternative<Connected>(answer->message) ||
                           std::holds_alternative<Disconnect>(answer->message)));
  }
}
GST_END_TEST

// ---- signals sent by kill() ---------------------------------------------------------------------

GST_START_TEST(test_a_signal_that_is_ignored) {
  install(SIG_IGN);
  Guarded guarded;
  for (int i = 0; i < 3; ++i) fail_unless(::kill(::getpid(), SIGBUS) == 0);
  fail_unless(guarded.survives());
}
GST_END_TEST

GST_START_TEST(test_a_signal_that_is_handled) {
  install(counting_handler);
  Guarded guarded;
  for (int i = 1; i <= 3; ++i) {
    fail_unless(::raise(SIGBUS) == 0);
    fail_unless_equals_int(first_calls, i);
  }
  fail_unless(guarded.survives());
}
GST_END_TEST

/** Ends the process with this signal, as it would without us. */
GST_START_TEST(test_a_signal_with_the_default_action) {
  Guarded guarded;
  ::raise(SIGBUS);
  _exit(0);
}
GST_END_TEST

GST_START_TEST(test_a_fault_with_the_default_action) {
  Guarded guarded;
  if (__i__ == 1) install(SIG_IGN);
  Broken().touch();
  _exit(0);
}
GST_END_TEST

/** A handler for one time is not called again and again where it returns to the fault. */
GST_START_TEST(test_a_fault_with_a_handler_for_one_time) {
  install(counting_handler, static_cast<int>(SA_RESETHAND));
  Guarded guarded;
  Broken().touch();
  _exit(0);
}
GST_END_TEST

// ---- handlers of others -------------------------------------------------------------------------

GST_START_TEST(test_a_handler_that_was_there_before) {
  install(escape_handler, SA_NODEFER);
  Guarded guarded;
  const Broken broken;
  for (int i = 1; i <= 3; ++i) {
    touch(broken);
    fail_unless_equals_int(first_calls, i);
  }
  fail_unless(guarded.survives());
}
GST_END_TEST

GST_START_TEST(test_a_handler_that_comes_later_and_calls_ours) {
  install(escape_handler);
  Guarded early;
  struct sigaction action {};
  action.sa_sigaction = chaining_handler;
  action.sa_flags = SA_SIGINFO;
  fail_unless(::sigaction(SIGBUS, &action, &before_second) == 0);
  fail_unless(early.survives());
  fail_unless_equals_int(second_calls, 1);
  // Ours goes in front, theirs still calls ours: that must come to an end.
  Guarded late;
  fail_unless(present().sa_sigaction != chaining_handler);
  const Broken broken;
  for (int i = 1; i <= 3; ++i) {
    touch(broken);
    fail_unless_equals_int(first_calls, i);
    fail_unless_equals_int(second_calls, 1 + i);
  }
  fail_unless(late.survives());
  fail_unless_equals_int(second_calls, 4);
}
GST_END_TEST

GST_START_TEST(test_a_handler_that_comes_later_and_knows_nothing_of_ours) {
  Guarded early;
  install(lonely_handler);
  Guarded late;
  fail_unless(early.survives(), "guards that were made before are in force again");
  fail_unless(late.survives());
  fail_unless_equals_int(second_calls, 0);
  const Broken broken;
  touch(broken);
  fail_unless_equals_int(second_calls, 1);
  fail_unless(Guarded().survives());
}
GST_END_TEST

/** A handler for a while, after which what was there before is put back. */
GST_START_TEST(test_a_handler_for_a_while) {
  Guarded guarded;
  for (int i = 0; i < 1000; ++i) {
    const struct sigaction ours = install(lonely_handler);
    fail_unless(::sigaction(SIGBUS, &ours, nullptr) == 0);
    fail_unless(Region::map(memory_file(kPage), kPage));
  }
  fail_unless(guarded.survives());
}
GST_END_TEST

GST_START_TEST(test_handlers_without_end) {
  for (int i = 0; i < 100; ++i) {
    install(i % 2 == 0 ? lonely_handler : counting_handler);
    const Result<Region> region = Region::map(memory_file(kPage), kPage);
    if (region) continue;
    fail_unless(i > 3);
    must_fail(region, "SIGBUS", "replaced");
    fail_unless(Region::map(memory_file(kPage, true), kPage), "sealed memory needs no handler");
    return;
  }
  fail("any number of handlers");
}
GST_END_TEST

// ---- one range or the other ---------------------------------------------------------------------

/**
 * A short range below the broken page and a long one above it have the same place in turn. Together
 * they would reach over that page, whose faults are not ours.
 */
GST_START_TEST(test_a_range_is_read_as_one) {
  install(escape_handler, SA_NODEFER);
  Guarded keeps_the_handler;
  const Broken broken;
  auto* const page = const_cast<std::byte*>(broken.address());
  std::atomic<bool> stop{false};
  std::thread other([&] {
    while (!stop) {
      expect(static_cast<bool>(BusGuard::protect(page - kPage, kPage)), "no guard");
      expect(static_cast<bool>(BusGuard::protect(page + kPage, 1 << 20)), "no guard");
    }
  });
  // To leave a handler by siglongjmp() takes AddressSanitizer a millisecond.
  constexpr int kMostLooks = 100'000;
  const gint64 end = g_get_monotonic_time() + 2 * G_USEC_PER_SEC;
  int looks = 0;
  for (; looks < kMostLooks && g_get_monotonic_time() < end; ++looks) touch(broken);
  stop = true;
  other.join();
  fail_unless_equals_int(first_calls, looks);
}
GST_END_TEST

// ---- without a handler --------------------------------------------------------------------------

GST_START_TEST(test_memory_that_can_go_may_be_refused) {
  const auto refuse = UnsealedMemory::refuse;
  must_fail(Region::map(memory_file(kPage), kPage, refuse), "unsealed-memory=refuse", "not sealed");
  fail_unless(Region::map(memory_file(kPage, true), kPage, refuse));

  const std::string name = unique_socket();
  Settings settings = settings_for(Role::master, name);
  settings.unsealed_memory = refuse;
  auto master = started(std::move(settings));
  RawPeer peer = RawPeer::dialled(name);
  peer.expect_message<Hello>();
  peer.say(Init{});
  peer.expect_message<Ack>();
  peer.say(AddRegion{0, kPage}, memory_file(kPage).get());
  peer.expect_goodbye("unsealed-memory=refuse");
  auto slave = started(settings_for(Role::slave, name));
  fail_unless(come_up(master, slave), "sealed memory is welcome");
  pass(slave, master);
  pass(master, slave);
  fail_unless(present().sa_handler == SIG_DFL, "a handler that nobody wanted");
}
GST_END_TEST

static Suite* busguard_suite(void) {
  // Some tests are to die: a core of all that a sanitizer has mapped would take a minute each.
  const rlimit no_core{};
  ::setrlimit(RLIMIT_CORE, &no_core);
  Suite* suite = suite_create("busguard");
  TCase* tests = tcase_create("signals");
  suite_add_tcase(suite, tests);
  tcase_add_loop_test(tests, test_threads_that_block_all_signals, 0, 2);
  tcase_add_test(tests, test_a_port_is_closed_by_a_thread_that_blocks_all_signals);
  tcase_add_test(tests, test_memory_that_goes_during_the_handshake);
  tcase_add_test(tests, test_a_signal_that_is_ignored);
  tcase_add_test(tests, test_a_signal_that_is_handled);
  tcase_add_test_raise_signal(tests, test_a_signal_with_the_default_action, SIGBUS);
  tcase_add_loop_test_raise_signal(tests, test_a_fault_with_the_default_action, SIGBUS, 0, 2);
  tcase_add_test_raise_signal(tests, test_a_fault_with_a_handler_for_one_time, SIGBUS);
  tcase_add_test(tests, test_a_handler_that_was_there_before);
  tcase_add_test(tests, test_a_handler_that_comes_later_and_calls_ours);
  tcase_add_test(tests, test_a_handler_that_comes_later_and_knows_nothing_of_ours);
  tcase_add_test(tests, test_a_handler_for_a_while);
  tcase_add_test(tests, test_handlers_without_end);
  tcase_add_test(tests, test_a_range_is_read_as_one);
  tcase_add_test(tests, test_memory_that_can_go_may_be_refused);
  return suite;
}

GST_CHECK_MAIN(busguard)
