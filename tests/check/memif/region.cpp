// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Shared memory: sealed where we make it, survived where a peer takes it away.
 */
#include "gst/memif/data/region.hpp"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>

#include <thread>
#include <vector>

#include "unsealed.hpp"

using namespace memiftest;

namespace {

sigjmp_buf escape;
volatile sig_atomic_t foreign_signals = 0;

void foreign_handler(int) {
  foreign_signals = foreign_signals + 1;
  siglongjmp(escape, 1);
}

}  // namespace

GST_START_TEST(test_own_memory_cannot_be_resized) {
  const Region region = must(Region::create(10'000));
  const int seals = ::fcntl(region.fd(), F_GET_SEALS);
  fail_unless_equals_int(seals & (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL),
                         F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
  fail_unless(::ftruncate(region.fd(), 0) != 0);
  fail_unless(::ftruncate(region.fd(), 20'000) != 0);
  fail_unless((::fcntl(region.fd(), F_GETFD) & FD_CLOEXEC) != 0);
  fail_unless_equals_uint64(region.size(), 10'000);
  fail_unless_equals_int(sum(region.data(), region.size()), 0);
  fail_if(region.guarded());
}
GST_END_TEST

GST_START_TEST(test_both_ends_see_the_same_bytes) {
  for (std::uint64_t size : {1ULL, 63ULL, 4095ULL, 4096ULL, 4097ULL, 123'457ULL}) {
    const Region ours = must(Region::create(size));
    const Region theirs = must(Region::map(duplicate(ours.fd()), size));
    fail_if(theirs.guarded());
    ours.data()[size - 1] = std::byte{42};
    fail_unless(theirs.data()[size - 1] == std::byte{42});
    theirs.data()[0] = std::byte{43};
    fail_unless(ours.data()[0] == std::byte{43});
  }
}
GST_END_TEST

GST_START_TEST(test_impossible_sizes) {
  must_fail(Region::create(0));
  must_fail(Region::create(UINT64_MAX));
  must_fail(Region::create(std::uint64_t{1} << 62));
  must_fail(Region::map(memory_file(0), 0), "0 bytes");
  must_fail(Region::map(memory_file(100), 101), "101", "100");
  // Larger than memory is possible while it is untouched, or refused; it must not crash.
  const Result<Region> sparse = Region::create(std::uint64_t{1} << 40);
  if (sparse) sparse->data()[sparse->size() - 1] = std::byte{1};
}
GST_END_TEST

GST_START_TEST(test_seals_decide_whether_memory_is_guarded) {
  fail_if(must(Region::map(memory_file(4096, true), 4096)).guarded());
  fail_unless(must(Region::map(memory_file(4096, false), 4096)).guarded());
}
GST_END_TEST

GST_START_TEST(test_memory_that_is_taken_away) {
  UniqueFd file = memory_file(1 << 20);
  const Region lost = must(Region::map(duplicate(file.get()), 1 << 20));
  UniqueFd other_file = memory_file(1 << 20);
  const Region kept = must(Region::map(duplicate(other_file.get()), 1 << 20));
  lost.data()[5000] = kept.data()[5000] = std::byte{7};
  fail_unless(::ftruncate(file.get(), 0) == 0);
  fail_if(lost.lost(), "nobody looked yet");
  fail_unless_equals_int(sum(lost.data(), lost.size()), 0);
  fail_unless(lost.lost());
  fail_if(kept.lost());
  fail_unless(kept.data()[5000] == std::byte{7});
  lost.data()[lost.size() - 1] = std::byte{1};  // writing is survived as well
}
GST_END_TEST

GST_START_TEST(test_memory_that_is_taken_away_from_several_threads) {
  for (int round = 0; round < 30; ++round) {
    UniqueFd file = memory_file(1 << 20);
    const Region region = must(Region::map(duplicate(file.get()), 1 << 20));
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int look = 0; look < 20; ++look) sum(region.data(), region.size());
      });
    }
    fail_unless(::ftruncate(file.get(), 4096 * round) == 0);
    for (std::thread& thread : threads) thread.join();
    sum(region.data(), region.size());
    fail_unless(region.lost());
  }
}
GST_END_TEST

GST_START_TEST(test_a_foreign_bus_error_goes_to_the_handler_before_ours) {
  struct sigaction action {};
  action.sa_handler = foreign_handler;
  action.sa_flags = SA_NODEFER;
  fail_unless(::sigaction(SIGBUS, &action, nullptr) == 0);
  UniqueFd guarded_file = memory_file(4096);
  const Region guarded = must(Region::map(duplicate(guarded_file.get()), 4096));

  UniqueFd file = memory_file(4096);
  void* base = ::mmap(nullptr, 4096, PROT_READ, MAP_SHARED, file.get(), 0);
  fail_unless(base != MAP_FAILED && ::ftruncate(file.get(), 0) == 0);
  if (sigsetjmp(escape, 1) == 0) sum(static_cast<const std::byte*>(base), 1);
  fail_unless_equals_int(foreign_signals, 1);
  fail_if(guarded.lost());
  // And ours still works afterwards.
  fail_unless(::ftruncate(guarded_file.get(), 0) == 0);
  sum(guarded.data(), 64);
  fail_unless(guarded.lost());
  fail_unless_equals_int(foreign_signals, 1);
  ::munmap(base, 4096);
}
GST_END_TEST

GST_START_TEST(test_a_guard_ends_with_its_region) {
  UniqueFd file = memory_file(4096);
  for (int i = 0; i < 10'000; ++i) {
    const Result<Region> region = Region::map(duplicate(file.get()), 4096);
    expect(static_cast<bool>(region), "out of guards");
  }
}
GST_END_TEST

GST_START_TEST(test_a_failing_link_says_why) {
  // The memory of a peer that did not seal it goes away below a packet that was received.
  const Settings offer = small_offer(8, 64);
  LinkPlan plan = must(build_slave_memory(offer));
  UniqueFd unsealed = memory_file(plan.regions[1].size());
  MasterHandshake master(admit_all());
  must(master.on_message(Init{}, {}));
  const auto give = [&](const Message& message, int fd) {
    std::vector<UniqueFd> fds;
    fds.push_back(duplicate(fd));
    must(master.on_message(message, std::move(fds)));
  };
  give(AddRegion{0, plan.regions[0].size()}, plan.regions[0].fd());
  give(AddRegion{1, plan.regions[1].size()}, unsealed.get());
  give(AddRing{Direction::s2m, 0, 0, plan.s2m[0].offset, 3, 0}, plan.s2m[0].event_fd.get());
  must(master.on_message(Connect{}, {}));
  auto wake = std::make_shared<const UniqueFd>(must(make_eventfd()));
  Link link(master.take_plan(), std::make_shared<InterfaceStats>(), wake);
  Ring ring(plan.regions[0].data() + plan.s2m[0].offset, RingLayout{64, 8});
  ring.write(0, Descriptor{0, 1, 64, 0, 0});
  ring.store_head(1);
  const auto segments = link.rx(0)->receive(1);
  fail_unless_equals_uint64(segments.size(), 1);
  fail_unless(::ftruncate(unsealed.get(), 0) == 0);
  fail_unless_equals_int(sum(segments[0].data, segments[0].length), 0);
  fail_if(link.rx(0)->release(), "what was read must not be used");
  fail_unless(std::strstr(link.state().failure(), "took shared memory away") != nullptr);
  fail_unless(drain_eventfd(wake->get()), "the control plane was not told");
}
GST_END_TEST

GST_START_TEST(test_nothing_is_left_behind) {
  const int files = open_files();
  const int maps = memif_mappings();
  for (int i = 0; i < 1000; ++i) {
    const Result<Region> ours = Region::create(8192);
    const Result<Region> theirs = Region::map(duplicate(ours->fd()), 8192);
    expect(ours && theirs, "no memory");
    expect(!Region::map(duplicate(ours->fd()), 10'000), "too large");
  }
  fail_unless_equals_int(open_files(), files);
  fail_unless_equals_int(memif_mappings(), maps);
}
GST_END_TEST

static Suite* region_suite(void) {
  Suite* suite = suite_create("region");
  TCase* tests = tcase_create("memory");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_own_memory_cannot_be_resized);
  tcase_add_test(tests, test_both_ends_see_the_same_bytes);
  tcase_add_test(tests, test_impossible_sizes);
  tcase_add_test(tests, test_seals_decide_whether_memory_is_guarded);
  tcase_add_test(tests, test_memory_that_is_taken_away);
  tcase_add_test(tests, test_memory_that_is_taken_away_from_several_threads);
  tcase_add_test(tests, test_a_foreign_bus_error_goes_to_the_handler_before_ours);
  tcase_add_test(tests, test_a_guard_ends_with_its_region);
  tcase_add_test(tests, test_a_failing_link_says_why);
  tcase_add_test(tests, test_nothing_is_left_behind);
  return suite;
}

GST_CHECK_MAIN(region)
