// SPDX-License-Identifier: LGPL-2.1-or-later
// Peers that vanish, hang, or say the wrong thing: the interface tells why, cleans up, and goes on.
#include <sys/mman.h>

#include "peers.hpp"

using namespace memiftest;

namespace {

constexpr int kVanishSteps = 8;  // more than a handshake has messages

ListenSocket listening(const std::string& socket) {
  return must(ListenSocket::open(address(socket), ListenOptions()));
}

/** Waits until no file but those of before is open. */
void expect_files(int files) {
  fail_unless(eventually([&] { return open_files() == files; }), "%d files instead of %d",
              open_files(), files);
}

}  // namespace

GST_START_TEST(test_a_slave_that_says_the_wrong_thing_is_told) {
  const std::string name = unique_socket();
  auto master = started(settings_for(Role::master, name, 1));
  const auto told = [&](const Message& message, const char* reason) {
    RawPeer peer = RawPeer::dialled(name);
    peer.expect_message<Hello>();
    peer.say(message);
    peer.expect_goodbye(reason);
  };
  Init init;
  init.id = 99;
  told(init, "unmatched interface id 99");
  init.id = 1;
  init.mode = 1;
  told(init, "mode mismatch");
  init.mode = 200;
  told(init, "mode mismatch");
  init.version = 0x0100;
  told(init, "incompatible version");
  told(Hello{}, "unexpected message HELLO");
  told(Ack{}, "unexpected message ACK");
  told(Connect{}, "unexpected message CONNECT");
  told(AddRegion{}, "ADD_REGION");
  const std::vector<std::byte> bytes(300, std::byte{0xff});
  for (std::size_t size : {1U, 127U, 128U, 129U, 300U}) {
    RawPeer peer = RawPeer::dialled(name);
    peer.expect_message<Hello>();
    peer.say_bytes(std::span(bytes).first(size));
    peer.expect_goodbye("");
  }
  auto slave = started(settings_for(Role::slave, name, 1));
  fail_unless(come_up(slave, master));
}
GST_END_TEST

GST_START_TEST(test_hello_tells_true_limits) {
  const std::string name = unique_socket();
  Settings settings = settings_for(Role::master, name);
  settings.rx_queues = 3;
  settings.tx_queues = 2;
  auto master = started(settings);
  const auto hello = RawPeer::dialled(name).expect_message<Hello>();
  fail_unless(hello.name == "gst-memif");
  fail_unless_equals_int(hello.min_version, kVersion);
  fail_unless_equals_int(hello.max_s2m_ring, 2);
  fail_unless_equals_int(hello.max_m2s_ring, 1);
  fail_unless_equals_int(hello.max_log2_ring_size, 14);
}
GST_END_TEST

/** HELLO goes out before the id is known, and a peer is held to what it was told. */
GST_START_TEST(test_a_slave_with_more_rings_than_it_was_told_is_refused) {
  const std::string name = unique_socket();
  Settings large = settings_for(Role::master, name, 1);
  large.rx_queues = 2;
  large.tx_queues = 3;
  auto larger = started(large);
  auto master = started(settings_for(Role::master, name, 0));
  const LinkPlan plan = must(build_slave_memory(small_offer(8, 64)));
  const UniqueFd event_fd = must(make_eventfd());
  for (const auto& [direction, allowed] : {std::pair(Direction::s2m, 2), {Direction::m2s, 3}}) {
    RawPeer peer = RawPeer::dialled(name);
    peer.expect_message<Hello>();
    peer.say(Init{});
    peer.expect_message<Ack>();
    peer.say(AddRegion{0, plan.regions[0].size()}, plan.regions[0].fd());
    peer.expect_message<Ack>();
    for (std::uint16_t i = 0; i < allowed; ++i) {
      peer.say(AddRing{direction, i, 0, 0, 3, 0}, event_fd.get());
      peer.expect_message<Ack>();
    }
    peer.say(AddRing{direction, static_cast<std::uint16_t>(allowed), 0, 0, 3, 0}, event_fd.get());
    peer.expect_goodbye("than the " + std::to_string(allowed) + " that HELLO allowed");
  }
  // A good slave takes as many as it may, also of a smaller interface.
  Settings greedy = settings_for(Role::slave, name, 0);
  greedy.rx_queues = greedy.tx_queues = 255;
  greedy.ring_size = 4;
  auto slave = started(greedy);
  fail_unless(come_up(slave, master));
  fail_unless_equals_uint64(master->link()->rx_queues(), 2);
  fail_unless_equals_uint64(master->link()->tx_queues(), 3);
}
GST_END_TEST

GST_START_TEST(test_descriptors_that_nobody_asked_for_are_closed) {
  const std::string name = unique_socket();
  auto master = started(settings_for(Role::master, name));
  RawPeer::dialled(name).expect_message<Hello>();  // by now the control thread has all it needs
  const int files = settled_files();
  for (const Message& message : {Message(Init{}), Message(AddRegion{0, 64}), Message(Ack{})}) {
    RawPeer peer = RawPeer::dialled(name);
    peer.expect_message<Hello>();
    const std::vector<int> many(10, peer.fd());
    peer.say_bytes(encode(message), many);
    peer.expect_goodbye("");
  }
  expect_files(files);
}
GST_END_TEST

GST_START_TEST(test_a_slave_that_vanishes_at_any_step) {
  const std::string name = unique_socket();
  auto master = started(settings_for(Role::master, name));
  raw_slave(name).answer();
  fail_unless(goes_down(master));
  const int files = settled_files();
  for (int steps = 0; steps < kVanishSteps; ++steps) {
    raw_slave(name).answer(steps);
    auto slave = started(settings_for(Role::slave, name));
    fail_unless(come_up(slave), "not after a slave that left at step %d", steps);
    slave.reset();
    expect_files(files);
    fail_unless_equals_int(memif_mappings(), 0);
  }
}
GST_END_TEST

GST_START_TEST(test_a_master_that_vanishes_at_any_step) {
  const std::string name = unique_socket();
  const ListenSocket listener = listening(name);
  auto slave = started(settings_for(Role::slave, name));
  raw_master(listener).answer();
  fail_unless(goes_down(slave));
  for (int steps = 0; steps < kVanishSteps; ++steps) {
    RawMaster master = raw_master(listener);
    const bool done = master.answer(std::min(steps, 6));
    fail_unless(done == (steps >= 6));
  }
  RawMaster master = raw_master(listener);
  fail_unless(master.answer());
  fail_unless(come_up(slave));
  slave->stop();
  fail_unless(std::get<Disconnect>(master.peer.hear()->message).reason == "interface deleted");
}
GST_END_TEST

GST_START_TEST(test_a_master_that_closes_after_its_ack_has_no_such_id) {
  const std::string name = unique_socket();
  const ListenSocket listener = listening(name);
  auto slave = made(settings_for(Role::slave, name, 12));
  auto news = news_of(slave);
  must(slave->start());
  for (int i = 0; i < 3; ++i) {
    RawPeer master = RawPeer::accepted(listener);
    master.say(Hello{});
    fail_unless_equals_uint64(master.expect_message<Init>().id, 12);
    master.say(Ack{});
  }
  fail_unless(news->refused_with("no interface with id 12"));
  fail_unless_equals_uint64(news->refusals().size(), 1);
  RawMaster good = raw_master(listener);
  fail_unless(good.answer() && come_up(slave));
}
GST_END_TEST

/** Everybody who hangs is shown the door after five seconds; meanwhile good peers get in. */
GST_START_TEST(test_half_open_connections) {
  const std::string name = unique_socket();
  const std::string silent_name = unique_socket();
  auto master = started(settings_for(Role::master, name, 0));
  auto other = started(settings_for(Role::master, name, 1));
  const ListenSocket silent_master = listening(silent_name);
  auto slave = made(settings_for(Role::slave, silent_name));
  auto news = news_of(slave);
  must(slave->start());
  RawPeer silence = RawPeer::accepted(silent_master);

  const auto start = Clock::now();
  std::vector<RawPeer> crowd;
  for (int i = 0; i < 100; ++i) crowd.push_back(RawPeer::dialled(name));
  // The oldest of those that say nothing had to go for the younger ones.
  crowd[0].expect_message<Hello>();
  crowd[0].expect_goodbye("too many");
  auto good = started(settings_for(Role::slave, name, 1));
  fail_unless(come_up(good, other));
  fail_unless(milliseconds_since(start) < 2000 * kSlowdown);

  RawPeer last = RawPeer::dialled(name);
  RawSlave halfway = raw_slave(name);
  halfway.answer(3);  // knows its id, and keeps it from others
  last.expect_message<Hello>();
  last.expect_goodbye("5 seconds");
  for (std::optional<Received> received = halfway.peer.hear(); received;) {
    received = halfway.peer.hear();
  }
  fail_unless(news->refused_with("5 seconds"));
  fail_unless(milliseconds_since(start) >= 4900);
  fail_unless(milliseconds_since(start) < 7000 * kSlowdown);
  auto late = started(settings_for(Role::slave, name, 0));
  fail_unless(come_up(late, master));
  RawMaster found = raw_master(silent_master);
  fail_unless(found.answer() && come_up(slave));
}
GST_END_TEST

GST_START_TEST(test_messages_on_a_link_that_is_up) {
  const std::string name = unique_socket();
  auto master = made(settings_for(Role::master, name));
  auto news = news_of(master);
  must(master->start());
  RawSlave rude = raw_slave(name);
  fail_unless(rude.answer() && come_up(master));
  rude.peer.say(Init{});
  rude.peer.expect_goodbye("unexpected message INIT");
  fail_unless(news->down_with("unexpected message INIT"));

  RawSlave polite = raw_slave(name);
  fail_unless(polite.answer() && come_up(master));
  polite.peer.say(Disconnect{0, "lunch\x1b[0m\n"});
  fail_unless(news->down_with("the peer disconnected: lunch?[0m?"));

  fail_unless(raw_slave(name).answer());
  fail_unless(news->down_with("closed the connection"));
  fail_unless_equals_uint64(master->stats().link_downs.get(), 3);
}
GST_END_TEST

GST_START_TEST(test_a_peer_that_is_back_before_its_end_was_seen) {
  const std::string name = unique_socket();
  GMainContext* context = g_main_context_new();
  auto master = made(settings_for(Role::master, name), Loop::for_context(context));
  must(master->start());
  const auto iterate_while = [&](const std::thread& thread, std::atomic<bool>& busy) {
    (void)thread;
    while (busy) g_main_context_iteration(context, FALSE);
  };
  const auto connect = [&] {
    std::atomic<bool> busy{true};
    std::optional<RawSlave> slave;
    std::thread thread([&] {
      slave.emplace(raw_slave(name));
      slave->answer();
      busy = false;
    });
    iterate_while(thread, busy);
    thread.join();
    return slave;
  };
  std::optional<RawSlave> dead = connect();
  fail_unless(is_up(master));
  dead.reset();  // and nobody iterates the context until the next one is there
  std::optional<RawSlave> alive = connect();
  while (g_main_context_iteration(context, FALSE)) continue;
  fail_unless(is_up(master));
  fail_unless_equals_uint64(master->stats().link_ups.get(), 2);
  master.reset();
  g_main_context_unref(context);
}
GST_END_TEST

GST_START_TEST(test_a_peer_that_breaks_a_ring_loses_its_link) {
  const std::string name = unique_socket();
  auto master = made(settings_for(Role::master, name));
  auto news = news_of(master);
  must(master->start());
  auto receiver = must(Receiver::open(master, 0, RxMode::interrupt));
  RawSlave slave = raw_slave(name);
  fail_unless(slave.answer() && come_up(master));
  const LinkPlan plan = slave.plan();
  fail_unless(receiver->wait(0) == Wake::link_changed);
  Ring(plan.regions[0].data(), RingLayout{plan.cache_line, 8}).store_head(1000);
  fail_unless(receiver->receive(1).empty());
  slave.peer.expect_goodbye("index");
  fail_unless(news->down_with("moved the index of a ring"));
  fail_unless(receiver->wait(1'000'000'000) == Wake::link_changed);
  auto good = started(settings_for(Role::slave, name));
  fail_unless(come_up(good, master));
}
GST_END_TEST

GST_START_TEST(test_a_peer_that_takes_its_memory_away_loses_its_link) {
  const std::string name = unique_socket();
  auto master = made(settings_for(Role::master, name));
  auto news = news_of(master);
  must(master->start());
  auto receiver = must(Receiver::open(master, 0, RxMode::polling));
  const LinkPlan plan = must(build_slave_memory(small_offer(8, 64)));
  const UniqueFd file(::memfd_create("unsealed", MFD_CLOEXEC));
  fail_unless(::ftruncate(file.get(), static_cast<off_t>(plan.regions[0].size())) == 0);
  fail_unless(::pwrite(file.get(), plan.regions[0].data(), plan.regions[0].size(), 0) > 0);
  RawPeer slave = RawPeer::dialled(name);
  slave.expect_message<Hello>();
  slave.say(Init{});
  slave.expect_message<Ack>();
  slave.say(AddRegion{0, plan.regions[0].size()}, file.get());
  slave.expect_message<Ack>();
  slave.say(AddRing{Direction::s2m, 0, 0, 0, 3, 0}, plan.s2m[0].event_fd.get());
  slave.expect_message<Ack>();
  slave.say(Connect{"evil"});
  slave.expect_message<Connected>();
  fail_unless(come_up(master) && receiver->wait(0) == Wake::link_changed);
  fail_unless(::ftruncate(file.get(), 0) == 0);
  // The index reads as zero now, so nothing arrives; the next look at the memory finds out.
  fail_unless(eventually([&] {
    receiver->receive(1);
    receiver->release();
    return !is_up(master);
  }));
  fail_unless(news->down_with("shrank"));
}
GST_END_TEST

static Suite* badpeers_suite(void) {
  Suite* suite = suite_create("badpeers");
  TCase* tests = tcase_create("control");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_a_slave_that_says_the_wrong_thing_is_told);
  tcase_add_test(tests, test_hello_tells_true_limits);
  tcase_add_test(tests, test_a_slave_with_more_rings_than_it_was_told_is_refused);
  tcase_add_test(tests, test_descriptors_that_nobody_asked_for_are_closed);
  tcase_add_test(tests, test_a_slave_that_vanishes_at_any_step);
  tcase_add_test(tests, test_a_master_that_vanishes_at_any_step);
  tcase_add_test(tests, test_a_master_that_closes_after_its_ack_has_no_such_id);
  tcase_add_test(tests, test_half_open_connections);
  tcase_add_test(tests, test_messages_on_a_link_that_is_up);
  tcase_add_test(tests, test_a_peer_that_is_back_before_its_end_was_seen);
  tcase_add_test(tests, test_a_peer_that_breaks_a_ring_loses_its_link);
  tcase_add_test(tests, test_a_peer_that_takes_its_memory_away_loses_its_link);
  return suite;
}

GST_CHECK_MAIN(badpeers)
