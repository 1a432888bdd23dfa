// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * What the threads of the queues of one interface have in common: nothing that they write.
 */
#include <map>

#include "gst/common/cache_line.hpp"

#include "peers.hpp"

using namespace memiftest;

namespace {

constexpr std::uint32_t kQueues = 5;

/** Cache lines, and which object has them. */
class Lines {
 public:
  /** @param owner the thread that writes the object */
  template <class Object>
  void add(const Object& object, std::size_t owner) {
    const auto first = reinterpret_cast<std::uintptr_t>(&object);
    const std::uintptr_t last = (first + sizeof object - 1) / gstcommon::kCacheLine;
    for (std::uintptr_t line = first / gstcommon::kCacheLine; line <= last; ++line) {
      const auto [entry, fresh] = owners_.emplace(line, owner);
      if (!fresh && entry->second != owner) ++shared_;
    }
  }
  int shared() const { return shared_; }

 private:
  std::map<std::uintptr_t, std::size_t> owners_;
  int shared_ = 0;
};

Settings with_queues(Settings settings) {
  settings.rx_queues = settings.tx_queues = kQueues;
  return settings;
}

}  // namespace

GST_START_TEST(test_queues_share_no_line) {
  LinkPair pair(with_queues(small_offer(16, 2048)));
  for (const Direction direction : kBothDirections) {
    Lines lines;
    for (std::uint32_t i = 0; i < kQueues; ++i) {
      lines.add(pair.rx(direction, i), i);
      lines.add(pair.rx(direction, i).stats(), i);
      lines.add(pair.tx(direction, i), kQueues + i);
      lines.add(pair.tx(direction, i).stats(), kQueues + i);
    }
    fail_unless_equals_int(lines.shared(), 0);
  }
}
GST_END_TEST

GST_START_TEST(test_loans_share_no_line) {
  LinkPair pair(with_queues(small_offer(16, 2048)));
  std::vector<Loan*> loans;
  Lines lines;
  for (std::uint32_t i = 0; i < kQueues; ++i) {
    expect(send(pair.tx(Direction::m2s, i), packet(i, 100)) == Sent::ok, "not sent");
    pair.tx(Direction::m2s, i).flush();
    Loan* const loan = lend(pair.rx(Direction::m2s, i), pair.rx_link(Direction::m2s));
    fail_unless(loan != nullptr);
    lines.add(*loan, i);
    loans.push_back(loan);
  }
  fail_unless_equals_int(lines.shared(), 0);
  for (Loan* loan : loans) loan->give_back();
}
GST_END_TEST

GST_START_TEST(test_receivers_and_senders_share_no_line) {
  const auto interface = made(with_queues(settings_for(Role::slave, unique_socket())));
  std::vector<std::unique_ptr<QueueUser>> users;
  Lines lines;
  for (std::uint32_t i = 0; i < kQueues; ++i) {
    auto receiver = must(Receiver::open(interface, i, RxMode::polling));
    lines.add(*receiver, i);
    users.push_back(std::move(receiver));
    auto sender = must(Sender::open(interface, i));
    lines.add(*sender, kQueues + i);
    users.push_back(std::move(sender));
  }
  fail_unless_equals_int(lines.shared(), 0);
}
GST_END_TEST

// A loan keeps its link by a count that only this receiver's thread and the holder write.
GST_START_TEST(test_loans_leave_the_count_of_the_link_alone) {
  Peers peers;
  auto receiver = must(Receiver::open(peers.slave, 0, RxMode::polling));
  auto sender = must(Sender::open(peers.master, 0));
  std::shared_ptr<Link> link = peers.slave->link();
  // While the control thread does nothing with it.
  const auto count_users = [&link] {
    const ControlLock lock;
    return link.use_count();
  };
  const long users = count_users();
  const Bytes bytes = packet(1, 100);
  const TxSegment segment(bytes);
  expect(send_one(*sender, {&segment, 1}) == Sent::ok, "not sent");
  sender->flush();
  fail_unless(receiver->wait(kPatienceNs) == WaitResult::ready);
  std::array<PacketDesc, 4> packets;
  const RxBurst burst = receiver->receive_lent(packets);
  fail_unless(burst.loan != nullptr && burst.loan->link().get() == link.get());
  fail_unless(count_users() == users);
  receiver->release();

  // And keeps it, when all others have let it go.
  std::weak_ptr<Link> alive = link;
  link.reset();
  receiver.reset();
  peers.slave->stop();
  fail_if(alive.expired());
  const std::byte* const at = burst.loan->base() + burst.packets[0].offset;
  fail_unless(Bytes(at, at + bytes.size()) == bytes);
  burst.loan->give_back();
  fail_unless(eventually([&] { return alive.expired(); }));
}
GST_END_TEST

static Suite* sharing_suite(void) {
  Suite* suite = suite_create("sharing");
  TCase* tests = tcase_create("lines");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_queues_share_no_line);
  tcase_add_test(tests, test_loans_share_no_line);
  tcase_add_test(tests, test_receivers_and_senders_share_no_line);
  tcase_add_test(tests, test_loans_leave_the_count_of_the_link_alone);
  return suite;
}

GST_CHECK_MAIN(sharing)
