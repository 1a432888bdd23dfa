// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * What is in the rings when a peer leaves: taken all the same, or counted.
 */
#include <atomic>
#include <vector>

#include "peers.hpp"

using namespace memiftest;

namespace {

constexpr std::int64_t kMillisecond = 1'000'000;
constexpr std::int64_t kLimit = kPatienceNs;

/** Peers of which one only sends and the other only receives; the sender's role is chosen. */
struct OneWay : Peers {
  /** @param memory_limit of the receiver */
  explicit OneWay(bool from_slave, std::uint64_t memory_limit = kDefaultMemoryLimit)
      : OneWay(from_slave, unique_socket(), memory_limit) {}
  OneWay(bool from_slave, const std::string& name, std::uint64_t memory_limit)
      : Peers(settings(Role::master, name, from_slave ? memory_limit : kDefaultMemoryLimit),
              settings(Role::slave, name, from_slave ? kDefaultMemoryLimit : memory_limit)),
        sends(from_slave ? slave : master),
        receives(from_slave ? master : slave) {}
  const std::shared_ptr<Interface> sends;
  const std::shared_ptr<Interface> receives;

  static Settings settings(Role role, const std::string& name, std::uint64_t memory_limit) {
    Settings settings = settings_for(role, name);
    settings.memory_limit = memory_limit;
    return settings;
  }
  const QueueStats& sent() const { return sends->stats().tx(0); }
  const QueueStats& received() const { return receives->stats().rx(0); }
  void sender_leaves() const {
    sends->stop();
    fail_unless(goes_down(receives));
  }
  void sender_returns() const {
    must(sends->start());
    fail_unless(come_up(sends, receives));
  }
};

void send(Sender& sender, std::uint64_t begin, std::uint64_t count, std::size_t length = 100) {
  for (std::uint64_t i = begin; i < begin + count; ++i) {
    const Bytes bytes = packet(i, length);
    const TxSegment segment(bytes);
    // Also while a slave has not given its begin buffers out.
    while (send_one(sender, {&segment, 1}) != Sent::ok) {
      expect(sender.wait_for_room(kLimit) == WaitResult::ready, "no room");
    }
  }
  sender.flush();
}

/** Sends from a sender that does not stay. */
void send_once(const std::shared_ptr<Interface>& from, std::uint64_t begin, std::uint64_t count) {
  send(*must(Sender::open(from, 0)), begin, count);
}

/** What is received until the link changes. */
std::vector<Bytes> receive_rest(Receiver& receiver, std::uint32_t at_a_time = 7) {
  std::vector<Bytes> all;
  for (;;) {
    for (Bytes& bytes : join(receiver.receive(at_a_time))) all.push_back(std::move(bytes));
    expect(receiver.release(), "lost memory");
    const WaitResult wake = receiver.wait(kLimit);
    if (wake == WaitResult::link_changed) return all;
    expect(wake == WaitResult::ready, "nothing happens");
  }
}

void expect_packets(const std::vector<Bytes>& packets, std::uint64_t begin, std::uint64_t count) {
  fail_unless_equals_uint64(packets.size(), count);
  for (std::uint64_t i = 0; i < count; ++i) {
    expect(packets[i] == packet(begin + i, 100), "another packet");
  }
}

}  // namespace

GST_START_TEST(test_what_a_leaving_peer_published_is_received) {
  const bool from_slave = __i__ != 0;
  OneWay pair(from_slave);
  auto receiver = must(Receiver::open(pair.receives, 0, RxMode::adaptive));
  for (std::uint64_t round = 0; round < 5; ++round) {
    send_once(pair.sends, 40 * round, 40);
    pair.sender_leaves();
    expect_packets(receive_rest(*receiver), 40 * round, 40);
    fail_unless(receiver->lost_link() && !receiver->has_queue() && receiver->link() == nullptr);
    pair.sender_returns();
    fail_unless(receiver->wait(kLimit) == WaitResult::link_changed && receiver->has_queue());
    fail_if(receiver->lost_link());
  }
  fail_unless_equals_uint64(pair.received().packets.get(), 200);
  fail_unless_equals_uint64(pair.received().dropped(), 0);
}
GST_END_TEST

GST_START_TEST(test_links_come_and_go_while_the_receiver_is_busy) {
  const bool from_slave = __i__ != 0;
  OneWay pair(from_slave);
  auto receiver = must(Receiver::open(pair.receives, 0, RxMode::adaptive));
  constexpr std::uint64_t kLinks = 6;
  for (std::uint64_t i = 0; i < kLinks; ++i) {
    if (i != 0) pair.sender_returns();
    send_once(pair.sends, 40 * i, 40);
    pair.sender_leaves();
  }
  pair.sender_returns();
  fail_unless_equals_uint64(pair.receives->stats().link_ups.get(), kLinks + 1);
  for (std::uint64_t i = 0; i < kLinks; ++i) {
    expect_packets(receive_rest(*receiver), 40 * i, 40);
    fail_unless(receiver->has_queue());
  }
  fail_unless(receiver->link() == pair.receives->link());
  send_once(pair.sends, 1000, 3);
  fail_unless(receiver->wait(kLimit) == WaitResult::ready);
  expect_packets(join(receiver->receive(10)), 1000, 3);
  fail_unless_equals_uint64(pair.received().dropped(), 0);
}
GST_END_TEST

GST_START_TEST(test_what_waits_is_bounded_and_counted) {
  const bool from_slave = __i__ != 0;
  OneWay pair(from_slave);
  auto receiver = must(Receiver::open(pair.receives, 0, RxMode::adaptive));
  constexpr std::uint64_t kLinks = 30;
  const int mappings = memif_mappings();
  for (std::uint64_t i = 0; i < kLinks; ++i) {
    if (i != 0) pair.sender_returns();
    send_once(pair.sends, 10 * i, 10);
    pair.sender_leaves();
  }
  fail_unless(memif_mappings() < 20 * mappings, "old links are kept without a limit");
  std::uint64_t received = 0;
  while (receiver->link()) received += receive_rest(*receiver).size();
  fail_unless(received >= 5 * 10 && received < kLinks * 10);
  fail_unless_equals_uint64(dropped(pair.received(), DropReason::undelivered),
                            kLinks * 10 - received);
}
GST_END_TEST

GST_START_TEST(test_the_memory_of_what_waits_is_bounded) {
  const bool from_slave = __i__ != 0;
  const std::uint64_t each = OneWay(from_slave).receives->link()->state().total_bytes();
  constexpr std::uint64_t kFit = 3;
  OneWay pair(from_slave, kFit * each + each / 2);
  auto receiver = must(Receiver::open(pair.receives, 0, RxMode::adaptive));
  constexpr std::uint64_t kLinks = 10;
  std::vector<std::weak_ptr<Link>> links;
  for (std::uint64_t i = 0; i < kLinks; ++i) {
    if (i != 0) pair.sender_returns();
    links.push_back(pair.receives->link());
    send_once(pair.sends, 10 * i, 10);
    pair.sender_leaves();
  }
  // The first is in use; of the others the last ones wait.
  for (std::uint64_t i = 0; i < kLinks; ++i) {
    const bool kept = i == 0 || i >= kLinks - kFit;
    fail_unless(kept || eventually([&] { return links[i].expired(); }), "too much is kept");
    expect_packets(kept ? receive_rest(*receiver) : std::vector<Bytes>(), 10 * i, kept ? 10 : 0);
  }
  fail_unless(receiver->link() == nullptr);
  fail_unless_equals_uint64(dropped(pair.received(), DropReason::undelivered),
                            (kLinks - kFit - 1) * 10);
}
GST_END_TEST

/** A link that is larger than all that may wait - as slave it is ours - is not lost for that. */
GST_START_TEST(test_one_link_may_always_wait) {
  OneWay pair(false, 1);
  auto receiver = must(Receiver::open(pair.receives, 0, RxMode::adaptive));
  for (std::uint64_t i = 0; i < 4; ++i) {
    if (i != 0) pair.sender_returns();
    send_once(pair.sends, 10 * i, 10);
    pair.sender_leaves();
  }
  expect_packets(receive_rest(*receiver), 0, 10);
  expect_packets(receive_rest(*receiver), 30, 10);
  fail_unless(receiver->link() == nullptr);
  fail_unless_equals_uint64(dropped(pair.received(), DropReason::undelivered), 20);
}
GST_END_TEST

GST_START_TEST(test_lent_packets_of_a_peer_that_left) {
  const bool from_slave = __i__ != 0;
  OneWay pair(from_slave);
  auto receiver = must(Receiver::open(pair.receives, 0, RxMode::adaptive));
  send_once(pair.sends, 0, 20);
  pair.sender_leaves();
  pair.sender_returns();
  std::array<PacketDesc, 256> room;
  const RxBurst burst = receiver->receive_lent(room);
  fail_unless(burst.loan != nullptr && receiver->release());
  fail_unless(receiver->wait(kLimit) == WaitResult::link_changed && receiver->has_queue());
  fail_unless_equals_uint64(burst.packets.size(), 20);
  for (std::size_t i = 0; i < burst.packets.size(); ++i) {
    const std::byte* start = burst.loan->base() + burst.packets[i].offset;
    expect(Bytes(start, start + burst.packets[i].length) == packet(i, 100), "another packet");
  }
  burst.loan->give_back();
}
GST_END_TEST

GST_START_TEST(test_packets_that_are_kept_do_not_keep_ever_more_memory) {
  const std::uint64_t each = OneWay(true).receives->link()->state().total_bytes();
  OneWay pair(true, 2 * each);
  auto receiver = must(Receiver::open(pair.receives, 0, RxMode::adaptive));
  auto news = news_of(pair.sends);
  std::vector<Loan*> kept;
  const auto keep_one = [&] {
    send_once(pair.sends, 0, 1);
    fail_unless(eventually([&] { return receiver->wait(kLimit) == WaitResult::ready; }));
    std::array<PacketDesc, 256> room;
    Loan* loan = receiver->receive_lent(room).loan;
    fail_unless(loan != nullptr && receiver->release());
    kept.push_back(loan);
    pair.sender_leaves();
  };
  constexpr int kFit = 5;  // twice the limit, and the one that was let in last
  for (int i = 0; i < kFit; ++i) {
    if (i != 0) pair.sender_returns();
    keep_one();
  }
  must(pair.sends->start());
  fail_unless(news->refused_with("memory-limit"));
  fail_if(is_up(pair.receives));
  for (Loan* loan : kept) loan->give_back();
  // It tries again by itself.
  fail_unless(come_up(pair.sends, pair.receives));
}
GST_END_TEST

GST_START_TEST(test_packets_of_two_links_are_in_two_bursts) {
  OneWay pair(true);
  auto receiver = must(Receiver::open(pair.receives, 0, RxMode::adaptive));
  send_once(pair.sends, 0, 5);
  pair.sender_leaves();
  pair.sender_returns();
  send_once(pair.sends, 5, 5);
  std::uint64_t expected = 0;
  int links = 0;
  // Without wait(): a caller that polls by itself follows too.
  fail_unless(eventually([&] {
    for (const Bytes& bytes : join(receiver->receive(100))) {
      expect(bytes == packet(expected, 100), "another packet");
      expect((expected++ < 5) == (links == 0), "a packet of the other link");
    }
    expect(receiver->release(), "lost memory");
    if (receiver->lost_link()) ++links;
    return expected == 10;
  }));
  fail_unless_equals_int(links, 1);
}
GST_END_TEST

/** A slave by hand with a receiver at the other end. */
struct HandMade {
  HandMade()
      : name(unique_socket()),
        master(started(settings_for(Role::master, name))),
        receiver(must(Receiver::open(master, 0, RxMode::interrupt))),
        slave(raw_slave(name)) {
    fail_unless(slave.answer() && come_up(master));
    plan = slave.plan();
    for (std::uint16_t i = 0; i < 8; ++i) ring().write(i, {0, 1, 60, std::uint32_t{i} * 64, 0});
    receiver->refresh();
  }
  Ring ring() {
    return Ring(plan.regions[0].data() + plan.s2m[0].offset, RingLayout{plan.cache_line, 8});
  }
  void hang_up() {
    slave.peer = RawPeer(UniqueFd());
    fail_unless(goes_down(master));
  }
  const QueueStats& stats() { return master->stats().rx(0); }

  const std::string name;
  std::shared_ptr<Interface> master;
  std::unique_ptr<Receiver> receiver;
  RawSlave slave;
  LinkPlan plan;
};

GST_START_TEST(test_what_is_published_after_the_end_is_not_received) {
  HandMade peer;
  peer.ring().store_head(3);
  peer.hang_up();
  fail_unless(peer.receiver->wait(kLimit) == WaitResult::ready);
  std::uint16_t head = 3;
  std::size_t received = 0;
  for (int i = 0; i < 100; ++i) {
    peer.ring().store_head(++head);
    received += join(peer.receiver->receive(1)).size();
    fail_unless(peer.receiver->release());
    peer.receiver->refresh();
  }
  fail_unless_equals_uint64(received, 3);
  fail_unless(peer.receiver->link() == nullptr);
}
GST_END_TEST

GST_START_TEST(test_wrong_descriptors_of_a_peer_that_left) {
  HandMade peer;
  peer.ring().write(1, {0, 1, 60, 0xfffffff0, 0});
  peer.ring().write(3, {kDescriptorNext, 1, 60, 0, 0});
  peer.ring().store_head(4);
  peer.hang_up();
  fail_unless_equals_uint64(receive_rest(*peer.receiver).size(), 2);
  fail_unless_equals_uint64(dropped(peer.stats(), DropReason::bad_descriptor), 1);
  fail_unless_equals_uint64(dropped(peer.stats(), DropReason::bad_chain), 1);
}
GST_END_TEST

GST_START_TEST(test_a_link_that_failed_is_left_at_once) {
  HandMade peer;
  peer.ring().store_head(9);
  fail_unless(peer.receiver->wait(kLimit) == WaitResult::ready);
  fail_unless(peer.receiver->receive(10).empty());
  fail_unless(goes_down(peer.master));
  peer.ring().store_head(3);
  fail_unless(peer.receiver->receive(10).empty());
  fail_unless(peer.receiver->link() == nullptr);
  fail_unless_equals_uint64(peer.stats().packets.get(), 0);
}
GST_END_TEST

GST_START_TEST(test_what_nobody_receives_is_counted) {
  const bool from_slave = __i__ != 0;
  enum class Who { nobody, leaves_before, leaves_after, busy };
  for (const Who who : {Who::nobody, Who::leaves_before, Who::leaves_after, Who::busy}) {
    OneWay pair(from_slave);
    std::unique_ptr<Receiver> receiver;
    if (who != Who::nobody) receiver = must(Receiver::open(pair.receives, 0, RxMode::adaptive));
    {
      auto sender = must(Sender::open(pair.sends, 0));
      send(*sender, 0, 10);
      send(*sender, 10, 2, 5000);  // chains
    }
    if (who == Who::leaves_before) receiver.reset();
    if (who == Who::busy) {
      fail_unless(receiver->wait(kLimit) == WaitResult::ready);
      fail_unless_equals_uint64(join(receiver->receive(4)).size(), 4);
      fail_unless(receiver->release());
    }
    fail_unless_equals_uint64(pair.received().dropped(), 0);
    pair.sender_leaves();
    pair.sender_returns();
    receiver.reset();
    fail_unless_equals_uint64(dropped(pair.received(), DropReason::undelivered),
                              who == Who::busy ? 8 : 12);
    fail_unless_equals_uint64(pair.received().packets.get(), who == Who::busy ? 4 : 0);
    fail_unless_equals_uint64(dropped(pair.sent(), DropReason::undelivered),
                              who == Who::busy ? 8 : 12);
  }
}
GST_END_TEST

GST_START_TEST(test_a_link_that_stays_keeps_its_packets_for_the_next_receiver) {
  const bool from_slave = __i__ != 0;
  OneWay pair(from_slave);
  auto receiver = must(Receiver::open(pair.receives, 0, RxMode::adaptive));
  send_once(pair.sends, 0, 10);
  receiver.reset();
  receiver = must(Receiver::open(pair.receives, 0, RxMode::adaptive));
  fail_unless(receiver->wait(kLimit) == WaitResult::ready);
  expect_packets(join(receiver->receive(100)), 0, 10);
  fail_unless(receiver->release());
  fail_unless_equals_uint64(pair.received().dropped(), 0);
}
GST_END_TEST

// ---- Senders --------------------------------------------------------------------------------

namespace {

using Senders = std::vector<std::unique_ptr<Sender>>;

Senders one_sender(const std::shared_ptr<Interface>& interface) {
  Senders senders;
  senders.push_back(must(Sender::open(interface, 0)));
  return senders;
}

}  // namespace

GST_START_TEST(test_drain_ends_when_a_slow_peer_has_all) {
  constexpr int kPackets = 60;
  constexpr std::int64_t kPauseMs = 20;
  // Less than all takes: it is the time without progress.
  constexpr std::int64_t kPatience = kPackets * kPauseMs * 3 / 4;
  const bool from_slave = __i__ != 0;
  // On a busy machine the reader may not get its turn for so long: once is enough.
  fail_unless(eventually([&] {
    OneWay pair(from_slave);
    auto senders = one_sender(pair.sends);
    auto receiver = must(Receiver::open(pair.receives, 0, RxMode::adaptive));
    fail_unless(Sender::drain(senders, 0) == WaitResult::ready, "nothing was sent");
    send(*senders.front(), 0, kPackets);
    std::atomic<int> taken{0};
    std::atomic<std::int64_t> longest{0};
    std::thread slow([&] {
      for (int i = 0; i < kPackets; ++i) {
        const auto start = Clock::now();
        pause_ms(kPauseMs);
        ++taken;
        receiver->receive(1);
        receiver->release();
        longest = std::max(longest.load(), milliseconds_since(start));
      }
    });
    const WaitResult wake = Sender::drain(senders, kPatience * kMillisecond);
    const int taken_then = taken;
    slow.join();
    if (wake == WaitResult::timeout && longest >= kPatience / 2) return false;
    fail_unless(wake == WaitResult::ready);
    fail_unless_equals_int(taken_then, kPackets);
    senders.front()->abandon();
    fail_unless_equals_uint64(pair.sent().dropped(), 0);
    return true;
  }));
}
GST_END_TEST

GST_START_TEST(test_drain_ends_in_time) {
  const bool from_slave = __i__ != 0;
  OneWay pair(from_slave);
  auto senders = one_sender(pair.sends);
  send(*senders.front(), 0, 10);
  const auto start = Clock::now();
  fail_unless(Sender::drain(senders, 30 * kMillisecond) == WaitResult::timeout);
  fail_unless(Sender::drain(senders, kForever, 30 * kMillisecond) == WaitResult::timeout);
  fail_unless(milliseconds_since(start) >= 60 && milliseconds_since(start) < kPatienceMs);
  // Each packet is counted exactly once.
  senders.front()->abandon();
  senders.front()->abandon();
  send(*senders.front(), 10, 5);
  pair.receives->stop();
  fail_unless(goes_down(pair.sends));
  fail_unless(Sender::drain(senders, kForever) == WaitResult::link_changed);
  fail_unless_equals_uint64(dropped(pair.sent(), DropReason::undelivered), 15);
  fail_unless(Sender::drain(senders, kForever) == WaitResult::ready, "there is no link");
}
GST_END_TEST

GST_START_TEST(test_drain_ends_when_something_happens) {
  const bool from_slave = __i__ != 0;
  OneWay pair(from_slave);
  auto senders = one_sender(pair.sends);
  send(*senders.front(), 0, 10);
  for (const bool interrupted : {true, false}) {
    std::atomic<bool> done{false};
    WaitResult wake = WaitResult::ready;
    std::thread drains([&] {
      wake = Sender::drain(senders, kForever);
      done = true;
    });
    pause_ms(30);
    fail_if(done.load());
    if (interrupted) {
      senders.front()->interrupt();
    } else {
      pair.receives->stop();
    }
    fail_unless(eventually([&] { return done.load(); }));
    drains.join();
    fail_unless(wake == (interrupted ? WaitResult::interrupted : WaitResult::link_changed));
    senders.front()->resume();
  }
}
GST_END_TEST

static Suite* leaving_suite(void) {
  Suite* suite = suite_create("leaving");
  TCase* tests = tcase_create("rings of a peer that left");
  suite_add_tcase(suite, tests);
  tcase_add_loop_test(tests, test_what_a_leaving_peer_published_is_received, 0, 2);
  tcase_add_loop_test(tests, test_links_come_and_go_while_the_receiver_is_busy, 0, 2);
  tcase_add_loop_test(tests, test_what_waits_is_bounded_and_counted, 0, 2);
  tcase_add_loop_test(tests, test_the_memory_of_what_waits_is_bounded, 0, 2);
  tcase_add_test(tests, test_one_link_may_always_wait);
  tcase_add_loop_test(tests, test_lent_packets_of_a_peer_that_left, 0, 2);
  tcase_add_test(tests, test_packets_that_are_kept_do_not_keep_ever_more_memory);
  tcase_add_test(tests, test_packets_of_two_links_are_in_two_bursts);
  tcase_add_test(tests, test_what_is_published_after_the_end_is_not_received);
  tcase_add_test(tests, test_wrong_descriptors_of_a_peer_that_left);
  tcase_add_test(tests, test_a_link_that_failed_is_left_at_once);
  tcase_add_loop_test(tests, test_what_nobody_receives_is_counted, 0, 2);
  tcase_add_loop_test(tests, test_a_link_that_stays_keeps_its_packets_for_the_next_receiver, 0, 2);
  tcase_add_loop_test(tests, test_drain_ends_when_a_slow_peer_has_all, 0, 2);
  tcase_add_loop_test(tests, test_drain_ends_in_time, 0, 2);
  tcase_add_loop_test(tests, test_drain_ends_when_something_happens, 0, 2);
  return suite;
}

GST_CHECK_MAIN(leaving)
