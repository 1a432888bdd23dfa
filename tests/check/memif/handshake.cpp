// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Both state machines, message by message: only what is legal now is taken, and only what fits.
 */
#include "gst/memif/control/handshake.hpp"

#include <fcntl.h>
#include <sys/timerfd.h>

#include "linkpair.hpp"

using namespace memiftest;

namespace {

const Message kEveryMessage[] = {Ack{},     Hello{},     Init{},         AddRegion{0, 4096},
                                 AddRing{}, Connect{""}, Connected{"x"}, Disconnect{0, "bye"}};

std::vector<UniqueFd> one(UniqueFd fd) {
  std::vector<UniqueFd> fds;
  fds.push_back(std::move(fd));
  return fds;
}
std::vector<UniqueFd> copy_of(int fd) {
  return one(duplicate(fd));
}
UniqueFd event_fd() {
  return must(make_eventfd());
}

MasterHandshake master_with(std::uint64_t limit = kNoMemoryLimit) {
  return MasterHandshake(admit_all(limit));
}

/** A master that has admitted its slave. */
MasterHandshake admitted(std::uint64_t limit = kNoMemoryLimit) {
  MasterHandshake master = master_with(limit);
  const Step step = must(master.on_message(Init{}, {}));
  fail_unless(step.reply && std::holds_alternative<Ack>(*step.reply) && !step.established);
  return master;
}

/** An admitted master that was offered all memory of @p plan. */
MasterHandshake with_regions(const LinkPlan& plan) {
  MasterHandshake master = admitted();
  for (std::size_t i = 0; i < plan.regions.size(); ++i) {
    const AddRegion message{static_cast<std::uint16_t>(i), plan.regions[i].size()};
    must(master.on_message(message, copy_of(plan.regions[i].fd())));
  }
  return master;
}

AddRing first_ring(std::uint32_t offset = 0, std::uint8_t log2_size = 2) {
  return AddRing{Direction::s2m, 0, 0, offset, log2_size, 0};
}

/** What a master says to CONNECT when it was offered this one ring. */
Result<Step> connect_with(const LinkPlan& plan, const AddRing& ring) {
  MasterHandshake master = with_regions(plan);
  must(master.on_message(ring, one(event_fd())));
  return master.on_message(Connect{"slave0"}, {});
}

/** A slave in the state after @p steps answers of a master. */
SlaveHandshake slave_after(int steps) {
  SlaveHandshake slave(small_offer(4, 64));
  if (steps > 0) must(slave.on_message(Hello{}, {}));
  for (int i = 1; i < steps; ++i) must(slave.on_message(Ack{}, {}));
  return slave;
}

LinkPlan small_plan() {
  return must(build_slave_memory(small_offer(4, 64)));
}

}  // namespace

GST_START_TEST(test_master_takes_only_what_is_legal_now) {
  const LinkPlan plan = small_plan();
  for (const Message& message : kEveryMessage) {
    const auto fds = [&] {
      if (std::holds_alternative<AddRegion>(message)) return copy_of(plan.regions[0].fd());
      if (std::holds_alternative<AddRing>(message)) return one(event_fd());
      return std::vector<UniqueFd>();
    };
    MasterHandshake fresh = master_with();
    const bool is_init = std::holds_alternative<Init>(message);
    fail_unless(static_cast<bool>(fresh.on_message(message, fds())) == is_init);
    // Without rings there is nothing to connect, so that is not legal either.
    fail_if(admitted().on_message(message, fds()) && !std::holds_alternative<AddRegion>(message) &&
            !std::holds_alternative<AddRing>(message));
    MasterHandshake done = with_regions(plan);
    must(done.on_message(first_ring(), one(event_fd())));
    must(done.on_message(Connect{}, {}));
    must_fail(done.on_message(message, fds()), std::string(message_name(message)).c_str());
  }
}
GST_END_TEST

GST_START_TEST(test_slave_takes_only_what_is_legal_now) {
  // HELLO, then one ACK for INIT, two regions and two rings, then CONNECTED.
  for (int state = 0; state <= 7; ++state) {
    for (const Message& message : kEveryMessage) {
      SlaveHandshake slave = slave_after(std::min(state, 6));
      if (state == 7) must(slave.on_message(Connected{}, {}));
      const bool legal = (state == 0 && std::holds_alternative<Hello>(message)) ||
                         (state >= 1 && state <= 5 && std::holds_alternative<Ack>(message)) ||
                         (state == 6 && std::holds_alternative<Connected>(message));
      const Result<Step> step = slave.on_message(message, {});
      fail_unless(static_cast<bool>(step) == legal, "%s in state %d",
                  std::string(message_name(message)).c_str(), state);
      if (!legal) must_fail(step, "unexpected message");
    }
  }
}
GST_END_TEST

GST_START_TEST(test_slave_says_everything_in_order) {
  Settings offer = small_offer(4, 64);
  offer.id = 7;
  offer.secret = "psst";
  offer.tx_queues = 2;
  offer.interface_name = "slave0";
  offer.app_name = "app";
  SlaveHandshake slave(offer);
  const Step init_step = must(slave.on_message(Hello{}, {}));
  const auto& init = std::get<Init>(*init_step.reply);
  fail_unless(init.id == 7 && init.secret == "psst" && init.name == "app" && init_step.fd < 0);
  fail_unless(slave.meaning_of_closing().empty());
  for (std::uint16_t i = 0; i < 2; ++i) {
    const Step step = must(slave.on_message(Ack{}, {}));
    const auto& region = std::get<AddRegion>(*step.reply);
    fail_unless(region.index == i && step.fd >= 0);
    // Four buffers for each of three rings, and as many to spare.
    fail_unless_equals_uint64(region.size, i == 0 ? 3 * (128 + 4 * 16) : 3 * (4 + 4) * 64);
    fail_if(slave.meaning_of_closing().empty());
  }
  for (std::uint16_t i = 0; i < 3; ++i) {
    const Step step = must(slave.on_message(Ack{}, {}));
    const auto& ring = std::get<AddRing>(*step.reply);
    fail_unless(ring.direction == (i < 2 ? Direction::s2m : Direction::m2s));
    fail_unless(ring.index == (i < 2 ? i : 0) && ring.region == 0 && ring.log2_size == 2);
    fail_unless(ring.offset == i * (128U + 4 * 16) && is_eventfd(step.fd));
  }
  const Step connect = must(slave.on_message(Ack{}, {}));
  fail_unless(std::get<Connect>(*connect.reply).interface_name == "slave0");
  fail_unless(connect.agreed && !connect.established);
  const Step done = must(slave.on_message(Connected{"master0"}, {}));
  fail_unless(done.established && !done.reply);
  fail_unless(slave.peer_interface() == "master0");
}
GST_END_TEST

GST_START_TEST(test_limits_of_hello_are_indexes) {
  Settings offer = small_offer(1024, 64);
  offer.tx_queues = 4;
  offer.rx_queues = 3;
  const auto plan_for = [&](Hello hello) {
    SlaveHandshake slave(offer);
    must(slave.on_message(hello, {}));
    return slave.take_plan();
  };
  Hello hello;
  hello.max_s2m_ring = 0;
  hello.max_m2s_ring = 1;
  hello.max_log2_ring_size = 3;
  const LinkPlan limited = plan_for(hello);
  fail_unless_equals_uint64(limited.s2m.size(), 1);
  fail_unless_equals_uint64(limited.m2s.size(), 2);
  fail_unless_equals_uint64(limited.s2m[0].size, 8);
  hello.max_s2m_ring = hello.max_m2s_ring = 0xffff;
  hello.max_log2_ring_size = 255;
  const LinkPlan wished = plan_for(hello);
  fail_unless_equals_uint64(wished.s2m.size(), 4);
  fail_unless_equals_uint64(wished.m2s.size(), 3);
  fail_unless_equals_uint64(wished.m2s[0].size, 1024);
  hello.max_log2_ring_size = 0;
  must_fail(SlaveHandshake(offer).on_message(hello, {}), "2 slots");
  hello.max_log2_ring_size = 14;
  hello.max_region = 0;
  must_fail(SlaveHandshake(offer).on_message(hello, {}), "regions");
}
GST_END_TEST

GST_START_TEST(test_versions) {
  Hello hello;
  hello.min_version = 0x0100;
  hello.max_version = 0x0300;
  must(SlaveHandshake(small_offer(4, 64)).on_message(hello, {}));
  hello.min_version = 0x0201;
  must_fail(SlaveHandshake(small_offer(4, 64)).on_message(hello, {}), "version");
  hello.min_version = 0x0100;
  hello.max_version = 0x01ff;
  must_fail(SlaveHandshake(small_offer(4, 64)).on_message(hello, {}), "version");
  for (const std::uint16_t version :
       std::initializer_list<std::uint16_t>{0x0100, 0x01ff, 0x0201, 0x0300}) {
    Init init;
    init.version = version;
    must_fail(master_with().on_message(init, {}), "version");
  }
}
GST_END_TEST

GST_START_TEST(test_indexes_come_in_order) {
  const LinkPlan plan = small_plan();
  for (const std::uint16_t index : std::initializer_list<std::uint16_t>{1, 200, 255, 256, 65535}) {
    must_fail(admitted().on_message(AddRegion{index, 64}, copy_of(plan.regions[0].fd())),
              "region index");
    AddRing ring = first_ring();
    ring.index = index;
    must_fail(admitted().on_message(ring, one(event_fd())), "ring index");
  }
  MasterHandshake twice = with_regions(plan);
  must_fail(twice.on_message(AddRegion{0, 64}, copy_of(plan.regions[0].fd())), "region index");
  MasterHandshake many = admitted();
  for (std::uint16_t i = 0; i < kMaxRegions; ++i) {
    must(many.on_message(AddRegion{i, 64}, copy_of(plan.regions[0].fd())));
  }
  must_fail(many.on_message(AddRegion{256, 64}, copy_of(plan.regions[0].fd())), "256 that");
  for (std::uint16_t i = 0; i < kMaxQueues; ++i) {
    AddRing ring = first_ring();
    ring.index = i;
    must(many.on_message(ring, one(event_fd())));
  }
  AddRing ring = first_ring();
  ring.index = kMaxQueues;
  must_fail(many.on_message(ring, one(event_fd())), "255 that");
}
GST_END_TEST

GST_START_TEST(test_no_more_is_taken_than_hello_allowed) {
  const LinkPlan plan = small_plan();
  Hello greeting;
  greeting.max_region = 1;
  greeting.max_s2m_ring = 2;
  greeting.max_m2s_ring = 0;
  greeting.max_log2_ring_size = 3;
  const auto after_init = [&] {
    MasterHandshake master(admit_all(), greeting);
    must(master.on_message(Init{}, {}));
    return master;
  };
  const auto region = [&](MasterHandshake& master, std::uint16_t index) {
    return master.on_message(AddRegion{index, 64}, copy_of(plan.regions[0].fd()));
  };
  const auto ring = [&](MasterHandshake& master, Direction direction, std::uint16_t index,
                        std::uint8_t log2_size = 3) {
    return master.on_message(AddRing{direction, index, 0, 0, log2_size, 0}, one(event_fd()));
  };
  MasterHandshake regions = after_init();
  for (std::uint16_t i = 0; i <= 1; ++i) must(region(regions, i));
  must_fail(region(regions, 2), "more regions", "than the 2 that HELLO allowed");

  MasterHandshake s2m = after_init();
  for (std::uint16_t i = 0; i <= 2; ++i) must(ring(s2m, Direction::s2m, i));
  must(ring(s2m, Direction::m2s, 0));
  must_fail(ring(s2m, Direction::s2m, 3), "more S2M rings", "than the 3 that HELLO allowed");
  MasterHandshake m2s = after_init();
  must(ring(m2s, Direction::m2s, 0));
  must_fail(ring(m2s, Direction::m2s, 1), "more M2S rings", "than the 1 that HELLO allowed");
  MasterHandshake size = after_init();
  must_fail(ring(size, Direction::s2m, 0, 4), "2^4", "2^3");
}
GST_END_TEST

GST_START_TEST(test_sizes_of_rings) {
  for (const std::uint8_t log2 : std::initializer_list<std::uint8_t>{0, 15, 16, 31, 32, 64, 255}) {
    must_fail(admitted().on_message(first_ring(0, log2), one(event_fd())), "slots");
  }
  AddRing ring = first_ring();
  ring.private_header_size = 1;
  must_fail(admitted().on_message(ring, one(event_fd())), "private header");
}
GST_END_TEST

GST_START_TEST(test_a_ring_lies_in_its_region) {
  const LinkPlan plan = small_plan();
  const auto size = static_cast<std::uint32_t>(plan.regions[0].size());
  must(connect_with(plan, first_ring(0)));
  must(connect_with(plan, first_ring(size / 2)));
  must_fail(connect_with(plan, first_ring(size / 2 + 16)), "does not fit");
  must_fail(connect_with(plan, first_ring(0xfffffff0)), "does not fit");
  must_fail(connect_with(plan, first_ring(0, 14)), "does not fit");
  must_fail(connect_with(plan, first_ring(8)), "unaligned");
  must_fail(connect_with(plan, first_ring(1)), "unaligned");
  must_fail(connect_with(plan, first_ring(16)), "cookie");
  for (const std::uint16_t region : std::initializer_list<std::uint16_t>{2, 255, 65535}) {
    AddRing ring = first_ring();
    ring.region = region;
    must_fail(connect_with(plan, ring), "does not exist");
  }
  Ring(plan.regions[0].data(), RingLayout{64, 4}).store_cookie(kCookie + 1);
  must_fail(connect_with(plan, first_ring(0)), "cookie");
}
GST_END_TEST

GST_START_TEST(test_descriptors_of_messages) {
  const LinkPlan plan = small_plan();
  const int region_fd = plan.regions[0].fd();
  must_fail(admitted().on_message(AddRegion{0, 64}, {}), "ADD_REGION", "0 descriptors");
  std::vector<UniqueFd> two = copy_of(region_fd);
  two.push_back(duplicate(region_fd));
  must_fail(admitted().on_message(AddRegion{0, 64}, std::move(two)), "2 descriptors");
  must_fail(admitted().on_message(first_ring(), {}), "ADD_RING", "0 descriptors");
  must_fail(master_with().on_message(Init{}, copy_of(region_fd)), "INIT", "1 descriptors");
  must_fail(slave_after(0).on_message(Hello{}, copy_of(region_fd)), "descriptors");

  const UniqueFd timer = must(make_timerfd());
  must_fail(admitted().on_message(first_ring(), copy_of(region_fd)), "not an eventfd");
  must_fail(admitted().on_message(first_ring(), copy_of(timer.get())), "not an eventfd");
  must_fail(admitted().on_message(AddRegion{0, 64}, one(event_fd())), "not a memory file");
  for (const char* path : {"/dev/zero", "/dev/null", "/proc/self/exe", "/proc/self/status", "/"}) {
    UniqueFd fd(::open(path, O_RDONLY | O_CLOEXEC));
    must_fail(admitted().on_message(AddRegion{0, 64}, one(std::move(fd))), "not a memory file");
  }
  int ends[2];
  fail_unless(::pipe(ends) == 0);
  const UniqueFd other(ends[1]);
  must_fail(admitted().on_message(AddRegion{0, 64}, one(UniqueFd(ends[0]))), "not a memory file");
}
GST_END_TEST

GST_START_TEST(test_regions_are_as_large_as_claimed) {
  const LinkPlan plan = small_plan();
  const std::uint64_t size = plan.regions[0].size();
  must(admitted().on_message(AddRegion{0, size}, copy_of(plan.regions[0].fd())));
  for (std::uint64_t claim : {std::uint64_t{0}, size + 1, size + 4096, UINT64_MAX}) {
    must_fail(admitted().on_message(AddRegion{0, claim}, copy_of(plan.regions[0].fd())), "bytes");
  }
}
GST_END_TEST

GST_START_TEST(test_memory_limit_counts_all_regions) {
  const LinkPlan plan = small_plan();
  MasterHandshake master = admitted(300);
  must(master.on_message(AddRegion{0, 200}, copy_of(plan.regions[0].fd())));
  must_fail(master.on_message(AddRegion{1, 101}, copy_of(plan.regions[0].fd())), "300", "allowed");
  MasterHandshake another = admitted(300);
  must(another.on_message(AddRegion{0, 200}, copy_of(plan.regions[0].fd())));
  must(another.on_message(AddRegion{1, 100}, copy_of(plan.regions[0].fd())));
  must_fail(another.on_message(AddRegion{2, 1}, copy_of(plan.regions[0].fd())), "allowed");
}
GST_END_TEST

GST_START_TEST(test_cache_line_shows_in_the_distance_of_rings) {
  for (std::uint32_t line : {64U, 128U}) {
    for (std::uint32_t queues : {1U, 3U}) {
      Settings offer = small_offer(16, 64);
      offer.cache_line = line;
      offer.rx_queues = offer.tx_queues = queues;
      const auto [slave, master] = agree(offer);
      fail_unless_equals_uint64(master.cache_line, line);
    }
  }
  // One ring alone says nothing: then it is what this machine would use.
  MasterHandshake master = with_regions(small_plan());
  must(master.on_message(first_ring(), one(event_fd())));
  must(master.on_message(Connect{}, {}));
  fail_unless_equals_uint64(master.take_plan().cache_line, kDefaultCacheLine);
}
GST_END_TEST

GST_START_TEST(test_interrupt_flags_of_a_fresh_ring_belong_to_its_receiver) {
  const LinkPlan plan = small_plan();
  const auto flags_masked = [&](const RingPlan& ring) {
    return Ring(plan.regions[0].data() + ring.offset, RingLayout{64, 4}).interrupt_masked();
  };
  // A master may never write the flag and still wait for events: it must find it clear.
  fail_if(flags_masked(plan.s2m[0]));
  fail_unless(flags_masked(plan.m2s[0]));
}
GST_END_TEST

GST_START_TEST(test_refusals_pass_through) {
  MasterHandshake master([](const Init& init) -> Result<Settings> {
    return Error{ErrorCode::busy, "taken by " + init.name};
  });
  Init init;
  init.name = "another";
  must_fail(master.on_message(init, {}), "taken by another");
}
GST_END_TEST

GST_START_TEST(test_impossible_memory_names_the_settings) {
  Settings offer = small_offer(16384, 0xffffffff);
  must_fail(check_slave_memory(offer), "ring-size=16384", "buffer-size=4294967295");
  must_fail(build_slave_memory(offer), "ring-size=16384");
}
GST_END_TEST

static Suite* handshake_suite(void) {
  Suite* suite = suite_create("handshake");
  TCase* tests = tcase_create("messages");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_master_takes_only_what_is_legal_now);
  tcase_add_test(tests, test_slave_takes_only_what_is_legal_now);
  tcase_add_test(tests, test_slave_says_everything_in_order);
  tcase_add_test(tests, test_limits_of_hello_are_indexes);
  tcase_add_test(tests, test_versions);
  tcase_add_test(tests, test_indexes_come_in_order);
  tcase_add_test(tests, test_no_more_is_taken_than_hello_allowed);
  tcase_add_test(tests, test_sizes_of_rings);
  tcase_add_test(tests, test_a_ring_lies_in_its_region);
  tcase_add_test(tests, test_descriptors_of_messages);
  tcase_add_test(tests, test_regions_are_as_large_as_claimed);
  tcase_add_test(tests, test_memory_limit_counts_all_regions);
  tcase_add_test(tests, test_cache_line_shows_in_the_distance_of_rings);
  tcase_add_test(tests, test_interrupt_flags_of_a_fresh_ring_belong_to_its_receiver);
  tcase_add_test(tests, test_refusals_pass_through);
  tcase_add_test(tests, test_impossible_memory_names_the_settings);
  return suite;
}

GST_CHECK_MAIN(handshake)
