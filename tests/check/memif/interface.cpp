// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Interfaces that meet: in any order, with any settings, again and again.
 */
#include "gst/memif/interface.hpp"

#include <atomic>
#include <functional>
#include <mutex>
#include <string>

#include "peers.hpp"

using namespace memiftest;

namespace {

Settings changed(Settings settings, void (*change)(Settings&)) {
  change(settings);
  return settings;
}

}  // namespace

GST_START_TEST(test_either_end_may_start_first) {
  for (const bool master_first : {true, false}) {
    const std::string name = unique_socket();
    const Settings master_settings = settings_for(Role::master, name);
    const Settings slave_settings = settings_for(Role::slave, name);
    auto first = started(master_first ? master_settings : slave_settings);
    pause_ms(100);
    fail_if(is_up(first));
    auto second = started(master_first ? slave_settings : master_settings);
    fail_unless(come_up(first, second));
    pass(first, second);
    pass(second, first);
    const auto& master = master_first ? first : second;
    fail_unless(master->link()->peer_name() == "slave0");
    fail_unless(master->link()->role() == Role::master);
  }
}
GST_END_TEST

/** Packets that a fast master sends at once need buffers to go to. */
GST_START_TEST(test_a_slave_gives_its_buffers_before_the_master_connects) {
  const std::string name = unique_socket();
  const ListenSocket listener = must(ListenSocket::open(address(name), ListenOptions()));
  auto slave = started(settings_for(Role::slave, name));
  RawPeer master = RawPeer::accepted(listener);
  MasterHandshake handshake(admit_all());
  master.say(Hello{});
  Step step;
  while (!step.established) {
    std::optional<Received> received = master.hear();
    fail_unless(received.has_value());
    step = must(handshake.on_message(received->message, std::move(received->fds)));
    if (!step.established) master.say(*step.reply);
  }
  const LinkPlan plan = handshake.take_plan();
  const RingPlan& ring_plan = plan.m2s[0];
  Ring ring(plan.regions[ring_plan.region].data() + ring_plan.offset,
            RingLayout{plan.cache_line, ring_plan.size});
  fail_unless_equals_uint64(ring.load_head(), 64);
  fail_unless(ring.read(63).length == slave->settings().buffer_size);
  // As libmemif and DPDK do when they connect.
  ring.store_head(0);
  ring.store_tail(0);
  master.say(*step.reply);
  fail_unless(come_up(slave));
  fail_unless(eventually([&] { return ring.load_head() == 64; }));
  fail_unless(slave->link()->peer_name() == "eth0");
}
GST_END_TEST

/** Connections that a listener refuses at once show when the slave dials. */
GST_START_TEST(test_the_dial_interval) {
  const std::string name = unique_socket();
  const ListenSocket listener = must(ListenSocket::open(address(name), ListenOptions()));
  Settings settings = settings_for(Role::slave, name);
  settings.dial_interval = 10;
  auto often = started(settings);
  const auto start = Clock::now();
  int tries = 0;
  fail_unless(eventually([&] {
    const auto incoming = must(listener.accept());
    tries += incoming && incoming->fd ? 1 : 0;
    return tries == 20;
  }));
  // Twenty tries with the default interval take more than ten seconds.
  fail_unless(milliseconds_since(start) < 8000);
  often->stop();
  settings.dial_interval = 9;
  must_fail(Interface::create(settings, Loop::own_thread()), "dial-interval=9", "from 10 to");
}
GST_END_TEST

GST_START_TEST(test_several_ids_on_one_socket) {
  const std::string name = unique_socket();
  std::vector<std::shared_ptr<Interface>> masters, slaves;
  for (std::uint32_t id : {0U, 1U, 77U, 0xffffffffU}) {
    masters.push_back(started(settings_for(Role::master, name, id)));
    slaves.push_back(started(settings_for(Role::slave, name, id)));
  }
  for (std::size_t i = 0; i < masters.size(); ++i) {
    fail_unless(come_up(masters[i], slaves[i]));
    pass(slaves[i], masters[i], 10 + i);
  }
  masters[1]->stop();
  fail_unless(goes_down(slaves[1]));
  fail_unless(is_up(slaves[0]) && is_up(slaves[2]));
  must(masters[1]->start());
  fail_unless(come_up(masters[1], slaves[1]));
}
GST_END_TEST

GST_START_TEST(test_a_second_master_of_an_id_is_refused) {
  const std::string name = unique_socket();
  auto first = started(settings_for(Role::master, name, 3));
  auto second = made(settings_for(Role::master, name, 3));
  must_fail(second->start(), "id=3", name.c_str(), "Choose another id");
  first->stop();
  must(second->start());
}
GST_END_TEST

GST_START_TEST(test_a_second_slave_waits_until_the_id_is_free) {
  Peers peers;
  auto second = made(peers.slave->settings());
  auto news = news_of(second);
  must(second->start());
  fail_unless(news->refused_with("already connected"));
  fail_unless(is_up(peers.slave) && !is_up(second));
  peers.slave->stop();
  fail_unless(come_up(second));
  pass(second, peers.master);
}
GST_END_TEST

GST_START_TEST(test_secrets) {
  const std::string name = unique_socket();
  Settings master_settings = settings_for(Role::master, name);
  master_settings.secret = "0123456789abcdefghijklmn";
  auto master = started(master_settings);
  Settings slave_settings = settings_for(Role::slave, name);
  auto slave = made(slave_settings);
  auto news = news_of(slave);
  must(slave->start());
  fail_unless(news->refused_with("secret required"));
  slave_settings.secret = "0123456789abcdefghijklm";
  must(slave->reconfigure(slave_settings));
  fail_unless(news->refused_with("incorrect secret"));
  slave_settings.secret = master_settings.secret;
  must(slave->reconfigure(slave_settings));
  fail_unless(come_up(slave, master));
  // A master without secret accepts any slave.
  master_settings.secret.clear();
  must(master->reconfigure(master_settings));
  fail_unless(come_up(slave, master));
}
GST_END_TEST

GST_START_TEST(test_modes_must_match) {
  const std::string name = unique_socket();
  Settings settings = settings_for(Role::master, name);
  settings.mode = Mode::ip;
  auto master = started(settings);
  auto slave = made(settings_for(Role::slave, name));
  auto news = news_of(slave);
  must(slave->start());
  fail_unless(news->refused_with("mode mismatch"));
  must(slave->reconfigure(changed(slave->settings(), [](Settings& s) { s.mode = Mode::ip; })));
  fail_unless(come_up(slave, master));
  fail_unless(slave->link()->mode() == Mode::ip && master->link()->mode() == Mode::ip);
}
GST_END_TEST

GST_START_TEST(test_an_unknown_id_is_refused_until_it_is_there) {
  const std::string name = unique_socket();
  auto other = started(settings_for(Role::master, name, 0));
  auto slave = made(settings_for(Role::slave, name, 5));
  auto news = news_of(slave);
  must(slave->start());
  fail_unless(news->refused_with("unmatched interface id 5"));
  const auto late = news_of(slave);
  fail_unless(News::tell(late->refusals(), "unmatched interface id 5"), "told to the early only");
  auto master = started(settings_for(Role::master, name, 5));
  fail_unless(come_up(slave, master));
}
GST_END_TEST

GST_START_TEST(test_unequal_numbers_of_queues) {
  for (const bool slave_has_more : {true, false}) {
    const std::string name = unique_socket();
    Settings master = settings_for(Role::master, name);
    Settings slave = settings_for(Role::slave, name);
    Settings& larger = slave_has_more ? slave : master;
    larger.rx_queues = 3;
    larger.tx_queues = 4;
    Peers peers(master, slave);
    for (const auto& interface : {peers.master, peers.slave}) {
      fail_unless_equals_uint64(interface->link()->rx_queues(), 1);
      fail_unless_equals_uint64(interface->link()->tx_queues(), 1);
    }
    pass_both_ways(peers);
  }
}
GST_END_TEST

GST_START_TEST(test_many_queues) {
  const std::string name = unique_socket();
  Settings master = settings_for(Role::master, name);
  Settings slave = settings_for(Role::slave, name);
  master.rx_queues = slave.tx_queues = 255;
  master.tx_queues = slave.rx_queues = 2;
  slave.ring_size = 4;
  Peers peers(master, slave);
  fail_unless_equals_uint64(peers.master->link()->rx_queues(), 255);
  fail_unless_equals_uint64(peers.slave->link()->rx_queues(), 2);
  pass(peers.slave, peers.master, 64, 10, 254);
  pass(peers.master, peers.slave, 64, 10, 1);
}
GST_END_TEST

GST_START_TEST(test_buffer_sizes) {
  for (std::uint32_t size : {1U, 64U, 2048U, 65536U, 100'000U}) {
    const std::string name = unique_socket();
    Settings slave = settings_for(Role::slave, name);
    slave.buffer_size = size;
    Peers peers(settings_for(Role::master, name), slave);
    pass_both_ways(peers, 64, 100);
    pass_both_ways(peers, size, 100);
    if (size > 1) pass_both_ways(peers, 3 * std::size_t{size} + 1, 20);
  }
}
GST_END_TEST

GST_START_TEST(test_buffers_over_several_regions) {
  // 6 GiB of untouched memory: only buffers that are used become resident.
  const std::string name = unique_socket();
  Settings slave = settings_for(Role::slave, name);
  slave.buffer_size = 384 << 20;
  slave.ring_size = 4;
  auto probe = Interface::create(slave, Loop::own_thread());
  if (!probe) return;  // this machine is smaller than that
  Settings master = settings_for(Role::master, name);
  master.memory_limit = std::uint64_t{16} << 30;
  Peers peers(master, slave);
  fail_unless(peers.master->link()->state().regions().size() >= 3);
  pass_both_ways(peers, 5000, 20);
}
GST_END_TEST

GST_START_TEST(test_a_thousand_links) {
  const std::string name = unique_socket();
  auto master = started(settings_for(Role::master, name));
  {
    auto slave = started(settings_for(Role::slave, name));
    fail_unless(come_up(slave, master));
  }
  fail_unless(goes_down(master));
  const int files = settled_files();
  for (int i = 0; i < 1000; ++i) {
    auto slave = made(settings_for(Role::slave, name));
    must(slave->start());
    expect(come_up(slave, master), "no link");
    if (i % 100 == 0) pass(slave, master, 100, 10);
    slave.reset();
  }
  fail_unless(goes_down(master));
  fail_unless(eventually([&] { return open_files() == files; }), "%d files instead of %d",
              open_files(), files);
  expect_nothing_mapped();
  fail_unless_equals_uint64(master->stats().link_ups.get(), 1001);
  fail_unless_equals_uint64(master->stats().link_downs.get(), 1001);
  fail_unless_equals_uint64(master->stats().handshakes_failed.get(), 0);
}
GST_END_TEST

GST_START_TEST(test_a_restarted_master_is_found_again) {
  Peers peers;
  for (int i = 0; i < 20; ++i) {
    peers.master->stop();
    fail_unless(goes_down(peers.slave));
    must(peers.master->start());
    fail_unless(come_up(peers.master, peers.slave));
  }
  pass_both_ways(peers);
}
GST_END_TEST

GST_START_TEST(test_a_slave_without_descriptors_dials_again_when_it_has_some) {
  const std::string name = unique_socket();
  auto slave = made(settings_for(Role::slave, name));
  auto news = news_of(slave);
  must(slave->start());
  settled_files();  // GLib ends the process if it gets none when its thread starts
  {
    const NoDescriptors none;
    fail_unless(news->refused_with("Too many open files"));
    fail_unless(news->refused_with("ulimit -n"));
    fail_unless_equals_uint64(news->refusals().size(), 1);
  }
  auto master = started(settings_for(Role::master, name));
  fail_unless(come_up(slave, master));
}
GST_END_TEST

GST_START_TEST(test_a_link_stays_readable_while_it_is_held) {
  Peers peers;
  auto sender = must(Sender::open(peers.slave, 0));
  auto receiver = must(Receiver::open(peers.master, 0, RxMode::polling));
  const Bytes bytes = packet(1, 1000);
  const TxSegment segment(bytes);
  fail_unless(send_one(*sender, {&segment, 1}) == Sent::ok);
  sender->flush();
  fail_unless(receiver->wait(kPatienceNs) == WaitResult::ready);
  const std::shared_ptr<Link> held = receiver->link();
  const std::span<const RxSegment> segments = receiver->receive(1);
  peers.slave.reset();
  sender.reset();
  fail_unless(goes_down(peers.master));
  receiver->refresh();
  fail_if(held->up());
  fail_unless(join(segments) == only(bytes), "the packet changed");
  fail_unless(held->rx(0)->release());
  fail_unless(memif_mappings() != 0);
}
GST_END_TEST

GST_START_TEST(test_reconfigure_takes_effect_at_once) {
  Peers peers;
  auto news = news_of(peers.slave);
  must(peers.slave->reconfigure(
      changed(peers.slave->settings(), [](Settings& s) { s.ring_size = 256; })));
  fail_unless(come_up(peers.slave, peers.master));
  fail_unless_equals_uint64(peers.slave->link()->rx(0)->ring_size(), 256);
  fail_unless(news->down_with("settings changed"));
  must_fail(peers.slave->reconfigure(
                changed(peers.slave->settings(), [](Settings& s) { s.ring_size = 100; })),
            "ring-size=100", "64 or 128");
  fail_unless(is_up(peers.slave), "a wrong setting changes nothing");
  peers.slave->stop();
  must(peers.slave->reconfigure(peers.slave->settings()));
  fail_if(peers.slave->started());
}
GST_END_TEST

GST_START_TEST(test_a_copy_limit_applies_to_the_link_that_is_up) {
  Peers peers;
  auto news = news_of(peers.slave);
  must(peers.slave->reconfigure(
      changed(peers.slave->settings(), [](Settings& s) { s.copy_limit = 100; })));
  fail_if(peers.slave->copy_budget()->take(101));
  fail_unless(peers.slave->copy_budget()->take(100));
  fail_unless(is_up(peers.slave) && news->downs().empty(), "the link ended for it");
}
GST_END_TEST

/** The last call decides, and nothing is left of the others. */
GST_START_TEST(test_starting_stopping_and_changing_at_once) {
  const std::string name = unique_socket();
  for (const Role role : {Role::master, Role::slave}) {
    auto interface = made(settings_for(role, name));
    auto peer = started(settings_for(role == Role::master ? Role::slave : Role::master, name));
    std::vector<std::thread> threads;
    for (std::uint32_t i = 0; i < 4; ++i) {
      threads.emplace_back([&, i] {
        for (std::uint32_t round = 0; round < 100; ++round) {
          Settings settings = settings_for(role, name);
          settings.ring_size = 16U << (round % 4);
          const Result<void> status = i == 0   ? interface->reconfigure(settings)
                                      : i == 1 ? Result<void>()
                                               : interface->start();
          if (i == 1) interface->stop();
          expect(static_cast<bool>(status), "failed");
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    must(interface->start());
    fail_unless(come_up(interface, peer));
    pass(interface, peer);
    interface->stop();
    fail_if(interface->started());
    fail_unless(goes_down(peer));
  }
}
GST_END_TEST

GST_START_TEST(test_settings_and_the_link_are_read_while_the_control_plane_works) {
  Peers peers;
  std::atomic<bool> read{false};
  const ControlLock lock;
  std::thread streaming([&] {
    read = peers.slave->settings().role == Role::slave && peers.slave->link_info().has_value();
  });
  fail_unless(eventually([&] { return read.load(); }));
  streaming.join();
}
GST_END_TEST

GST_START_TEST(test_observers) {
  Peers peers;
  auto forgotten = news_of(peers.slave);
  std::weak_ptr<News> gone = forgotten;
  forgotten.reset();
  fail_unless(gone.expired(), "the interface keeps its observers alive");
  auto news = news_of(peers.master);
  fail_unless(News::tell(news->ups(), "slave0"), "who comes late hears of the link there is");
  peers.slave->stop();
  fail_unless(news->down_with("interface deleted"));
  must(peers.slave->start());
  fail_unless(eventually([&] { return news->ups().size() == 2; }));
  fail_unless_equals_uint64(news->downs().size(), 1);
}
GST_END_TEST

namespace {

/** What an observer was told of links, in this order. */
class Story : public InterfaceObserver {
 public:
  using Meanwhile = std::function<void()>;
  /** @param meanwhile done while it is told that a link is up */
  explicit Story(Meanwhile meanwhile = [] {}) : meanwhile_(std::move(meanwhile)) {}

  void on_link_up(const LinkInfo&) override {
    add("up");
    meanwhile_();
    add("told");
  }
  void on_link_down(const std::string&) override { add("down"); }
  void on_refused(const Refusal&) override {}

  std::string text() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }
  bool becomes(const std::string& text) const {
    return eventually([&] { return this->text() == text; });
  }

 private:
  void add(const std::string& word) {
    const std::lock_guard lock(mutex_);
    text_ += " " + word;
  }
  const Meanwhile meanwhile_;
  mutable std::mutex mutex_;
  std::string text_;
};

/** Two observers of a master: its link goes down @p meanwhile, as the first hears that it is up. */
void expect_order_of_events(const std::shared_ptr<Interface>& master, Story::Meanwhile meanwhile,
                            const std::function<void(const Story&)>& other_thread) {
  const auto first = std::make_shared<Story>(std::move(meanwhile));
  const auto second = std::make_shared<Story>();
  master->add_observer(first);
  master->add_observer(second);
  must(master->start());
  const auto slave = started(settings_for(Role::slave, master->settings().socket.text()));
  other_thread(*first);
  fail_unless(first->becomes(" up told down"), "%s", first->text().c_str());
  fail_unless(second->becomes(" up told down"), "%s", second->text().c_str());
  master->stop();
}

}  // namespace

/** Whoever causes events, and while others are told: the last that is heard is what is so. */
GST_START_TEST(test_observers_hear_of_events_in_their_order) {
  const std::string name = unique_socket();
  const auto master = made(settings_for(Role::master, name));
  expect_order_of_events(
      master, [&] { master->stop(); }, [](const Story&) {});
  std::atomic<bool> stopped{false};
  expect_order_of_events(
      master, [&] { fail_unless(eventually([&] { return stopped.load(); })); },
      [&](const Story& first) {
        fail_unless(first.becomes(" up"));
        master->stop();
        stopped = true;
      });
}
GST_END_TEST

/** One that holds up a call for long hears of the last events, and not of all. */
GST_START_TEST(test_an_observer_that_is_busy_hears_of_the_last_events) {
  constexpr int kRounds = 1000;
  const auto interface = made(settings_for(Role::master, unique_socket()));
  std::atomic<int> heard{0};
  class Waiter : public Story {
   public:
    Waiter(Interface& interface, std::atomic<int>& heard) : interface_(interface), heard_(heard) {}
    void on_waiting(const std::string&) override {
      if (heard_++ != 0) return;
      for (int i = 0; i < kRounds; ++i) {
        interface_.stop();
        must(interface_.start());
      }
    }

   private:
    Interface& interface_;
    std::atomic<int>& heard_;
  };
  const auto waiter = std::make_shared<Waiter>(*interface, heard);
  interface->add_observer(waiter);
  must(interface->start());
  fail_unless(heard > 1 && heard < kRounds, "%d events", heard.load());
}
GST_END_TEST

GST_START_TEST(test_wrong_settings) {
  const auto rejects = [](void (*change)(Settings&), const char* word, const char* remedy) {
    Settings settings = settings_for(Role::slave, unique_socket());
    change(settings);
    must_fail(Interface::create(settings, Loop::own_thread()), word, remedy);
  };
  rejects([](Settings& s) { s.ring_size = 0; }, "ring-size=0", "such as 2");
  rejects([](Settings& s) { s.ring_size = 1000; }, "ring-size=1000", "such as 512 or 1024");
  rejects([](Settings& s) { s.ring_size = 32768; }, "ring-size=32768", "such as 16384");
  rejects([](Settings& s) { s.ring_size = 0xffffffff; }, "ring-size=4294967295", "such as 16384");
  rejects([](Settings& s) { s.buffer_size = 0; }, "buffer-size=0", "2048");
  rejects([](Settings& s) { s.rx_queues = 0; }, "rx-queues=0", "1 to 255");
  rejects([](Settings& s) { s.tx_queues = 256; }, "tx-queues=256", "1 to 255");
  rejects([](Settings& s) { s.secret = std::string(25, 'x'); }, "secret=", "at most 24 bytes");
  rejects([](Settings& s) { s.interface_name = std::string(32, 'x'); },
          "interface-name=", "at most 31 bytes");
  rejects([](Settings& s) { s.listen.owner = "no-such-user"; }, "no-such-user", "socket-owner");
}
GST_END_TEST

GST_START_TEST(test_a_memory_limit_is_that_of_its_interface) {
  const std::string name = unique_socket();
  Settings tight = settings_for(Role::master, name, 0);
  tight.memory_limit = 1000;
  auto generous_master = started(settings_for(Role::master, name, 1));
  auto tight_master = started(tight);
  auto refused = made(settings_for(Role::slave, name, 0));
  auto news = news_of(refused);
  must(refused->start());
  auto slave = started(settings_for(Role::slave, name, 1));
  fail_unless(news->refused_with("1000 bytes allowed"));
  fail_unless(come_up(slave, generous_master));
}
GST_END_TEST

static Suite* interface_suite(void) {
  Suite* suite = suite_create("interface");
  TCase* tests = tcase_create("links");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_either_end_may_start_first);
  tcase_add_test(tests, test_a_slave_gives_its_buffers_before_the_master_connects);
  tcase_add_test(tests, test_the_dial_interval);
  tcase_add_test(tests, test_several_ids_on_one_socket);
  tcase_add_test(tests, test_a_second_master_of_an_id_is_refused);
  tcase_add_test(tests, test_a_second_slave_waits_until_the_id_is_free);
  tcase_add_test(tests, test_secrets);
  tcase_add_test(tests, test_modes_must_match);
  tcase_add_test(tests, test_an_unknown_id_is_refused_until_it_is_there);
  tcase_add_test(tests, test_unequal_numbers_of_queues);
  tcase_add_test(tests, test_many_queues);
  tcase_add_test(tests, test_buffer_sizes);
  tcase_add_test(tests, test_buffers_over_several_regions);
  tcase_add_test(tests, test_a_thousand_links);
  tcase_add_test(tests, test_a_restarted_master_is_found_again);
  tcase_add_test(tests, test_a_slave_without_descriptors_dials_again_when_it_has_some);
  tcase_add_test(tests, test_a_link_stays_readable_while_it_is_held);
  tcase_add_test(tests, test_reconfigure_takes_effect_at_once);
  tcase_add_test(tests, test_a_copy_limit_applies_to_the_link_that_is_up);
  tcase_add_test(tests, test_starting_stopping_and_changing_at_once);
  tcase_add_test(tests, test_settings_and_the_link_are_read_while_the_control_plane_works);
  tcase_add_test(tests, test_observers);
  tcase_add_test(tests, test_observers_hear_of_events_in_their_order);
  tcase_add_test(tests, test_an_observer_that_is_busy_hears_of_the_last_events);
  tcase_add_test(tests, test_wrong_settings);
  tcase_add_test(tests, test_a_memory_limit_is_that_of_its_interface);
  return suite;
}

GST_CHECK_MAIN(interface)
