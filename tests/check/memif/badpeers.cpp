// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Peers that vanish, hang, or say the wrong thing: the interface tells why, cleans up, and goes on.
 */
#include <netinet/in.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <algorithm>
#include <set>

#include "gst/memif/log.hpp"
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

/** Another program that opens connections, reads nothing and says nothing, until it is killed. */
class Crowd {
 public:
  Crowd(const std::string& name, int size) {
    int ready[2];
    fail_unless(::pipe(ready) == 0);
    const SocketAddress where = address(name);
    program_ = ::fork();
    fail_unless(program_ >= 0);
    if (program_ == 0) {
      // Nothing of the test's is kept open, and nothing told to it.
      for (int fd = 3; fd < 1024; ++fd) {
        if (fd != ready[1]) ::close(fd);
      }
      std::vector<UniqueFd> connections;
      while (connections.size() < static_cast<std::size_t>(size)) {
        Result<UniqueFd> connection = dial(where);
        if (connection) connections.push_back(std::move(*connection));
      }
      (void)!::write(ready[1], "x", 1);
      for (;;) ::pause();
    }
    const UniqueFd in(ready[0]);
    const UniqueFd out(ready[1]);
    char byte;
    fail_unless(::read(in.get(), &byte, 1) == 1);
  }
  ~Crowd() {
    ::kill(program_, SIGKILL);
    ::waitpid(program_, nullptr, 0);
  }
  Crowd(const Crowd&) = delete;

 private:
  pid_t program_;
};

/** The engine's warnings, while it is there. */
class LogLines {
 public:
  LogLines() {
    present = this;
    gstmemif::set_log_handler(keep);
  }
  ~LogLines() {
    gstmemif::set_log_handler(nullptr);
    const std::lock_guard lock(mutex);
    present = nullptr;
  }
  LogLines(const LogLines&) = delete;

  int with(const std::string& word) const {
    const std::lock_guard lock(mutex);
    return static_cast<int>(std::count_if(lines_.begin(), lines_.end(), [&](const auto& line) {
      return line.find(word) != std::string::npos;
    }));
  }
  int count() const { return with(""); }

 private:
  static void keep(gstmemif::LogLevel level, const gstmemif::LogPlace&, const char* format,
                   std::va_list args) {
    if (level != gstmemif::LogLevel::warning) return;
    gchar* const text = g_strdup_vprintf(format, args);
    const std::lock_guard lock(mutex);
    if (present != nullptr) present->lines_.emplace_back(text);
    g_free(text);
  }

  static inline std::mutex mutex;
  static inline LogLines* present = nullptr;
  std::vector<std::string> lines_;
};

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

namespace {

/** A socket whose close() takes longer than any test, if it is the last one, until it is freed. */
class Lingering {
 public:
  Lingering() : theirs_(tcp_socket()) {
    const UniqueFd listener = tcp_socket();
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof at;
    auto* const where = reinterpret_cast<sockaddr*>(&at);
    fail_unless(::bind(listener.get(), where, length) == 0 && ::listen(listener.get(), 1) == 0);
    fail_unless(::getsockname(listener.get(), where, &length) == 0);
    fail_unless(::connect(theirs_.get(), where, length) == 0);
    reads_nothing_.reset(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    const linger forever{1, 1000};
    fail_unless(::setsockopt(theirs_.get(), SOL_SOCKET, SO_LINGER, &forever, sizeof forever) == 0);
    const std::vector<char> data(1 << 16);
    while (::send(theirs_.get(), data.data(), data.size(), MSG_DONTWAIT) > 0) {
    }
  }
  Lingering(const Lingering&) = delete;

  /** Passes it on, so that the receiver holds the last reference. */
  void pass_to(RawPeer& peer, std::span<const std::byte> bytes) {
    // Until the lock is free it is under way, and to close ours takes no time.
    const ControlLock lock;
    peer.say_bytes(bytes, {theirs_.get()});
    theirs_.reset();
  }
  void free() { reads_nothing_.reset(); }

 private:
  static UniqueFd tcp_socket() {
    return UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  }

  UniqueFd theirs_;
  UniqueFd reads_nothing_;
};

/** In any time that eventually() allows for, which is far less than close() takes. */
void expect_a_good_peer(const std::string& name, const std::shared_ptr<Interface>& master) {
  auto slave = started(settings_for(Role::slave, name));
  fail_unless(come_up(master, slave));
  slave.reset();
  fail_unless(goes_down(master), "a close() held others up");
}

}  // namespace

GST_START_TEST(test_descriptors_that_cannot_be_closed_hold_nobody_up) {
  enum Way { unasked, as_region, as_ring, empty_message, unread, ways };
  const std::string name = unique_socket();
  auto master = started(settings_for(Role::master, name));
  expect_a_good_peer(name, master);
  const int files = settled_files();
  std::vector<std::unique_ptr<Lingering>> all;
  for (int way = unasked; way < ways; ++way) {
    Lingering& lingering = *all.emplace_back(std::make_unique<Lingering>());
    RawPeer peer = RawPeer::dialled(name);
    peer.expect_message<Hello>();
    if (way == as_region || way == as_ring) {
      peer.say(Init{});
      peer.expect_message<Ack>();
    }
    if (way == unread) {
      // Here it is over; what follows is not read, and some of it looks like an end of file.
      const ControlLock lock;
      peer.say(Ack{});
      peer.say_bytes({});
      lingering.pass_to(peer, encode(Ack{}));
    } else if (way == empty_message) {
      lingering.pass_to(peer, {});
    } else {
      const Message ring = AddRing{Direction::s2m, 0, 0, 0, 3, 0};
      lingering.pass_to(peer, encode(way == as_ring ? ring : Message(AddRegion{0, 64})));
    }
    expect_a_good_peer(name, master);
  }
  all.clear();
  expect_files(files);
}
GST_END_TEST

GST_START_TEST(test_what_is_said_at_the_door_holds_nobody_up) {
  const std::string name = unique_socket();
  const int files = settled_files();
  std::vector<std::unique_ptr<Lingering>> all;
  {
    const ListenSocket door = listening(name);
    for (int i = 0; i < 20; ++i) {
      RawPeer peer = RawPeer::dialled(name);
      all.emplace_back(std::make_unique<Lingering>())->pass_to(peer, encode(Ack{}));
    }
  }
  fail_unless(open_files() > files + 20, "they were closed in time, so this has tested nothing");
  all.clear();
  expect_files(files);
}
GST_END_TEST

GST_START_TEST(test_descriptors_that_cannot_be_closed_are_bounded) {
  const std::string name = unique_socket();
  auto master = started(settings_for(Role::master, name));
  expect_a_good_peer(name, master);
  const int files = settled_files();
  Lingering lingering;
  RawPeer first = RawPeer::dialled(name);
  first.expect_message<Hello>();
  lingering.pass_to(first, encode(Ack{}));
  first.expect_goodbye("ACK");
  std::string reason;
  for (int i = 0; i < 60; ++i) {
    RawPeer peer = RawPeer::dialled(name);
    peer.expect_message<Hello>();
    peer.say_bytes(encode(Ack{}), std::vector<int>(16, STDERR_FILENO));
    reason = peer.expect_message<Disconnect>().reason;
  }
  fail_unless(reason.find("stuck in close()") != std::string::npos, "%s", reason.c_str());
  fail_unless(open_files() < files + 600, "as many as they like");
  lingering.free();
  expect_files(files + 1);  // that of the first connection
  expect_a_good_peer(name, master);
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
    expect_nothing_mapped();
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

/** As libmemif's, whose HELLO says nothing of how many queues it has. */
GST_START_TEST(test_a_master_that_closes_at_a_ring_is_offered_fewer) {
  const std::string name = unique_socket();
  const ListenSocket listener = listening(name);
  Settings settings = settings_for(Role::slave, name);
  settings.tx_queues = 3;
  settings.rx_queues = 4;
  auto slave = made(settings);
  auto news = news_of(slave);
  must(slave->start());
  // One queue from us to it, two from it to us.
  const auto takes = [](const AddRing& ring) {
    return ring.index < (ring.direction == Direction::s2m ? 1 : 2);
  };
  for (int connections = 0;; ++connections) {
    fail_unless(connections < 10, "no link");
    RawMaster master = raw_master(listener);
    const auto refuses = [&](const Message& message) {
      const auto* ring = std::get_if<AddRing>(&message);
      return ring != nullptr && !takes(*ring);
    };
    if (!master.answer_unless(refuses)) continue;
    fail_unless(come_up(slave));
    fail_unless_equals_uint64(slave->link()->tx_queues(), 1);
    fail_unless_equals_uint64(slave->link()->rx_queues(), 2);
    fail_unless_equals_int(connections, 4);
    break;  // and the link ends, which the slave may see at once or later
  }
  fail_unless(news->refused_with("closes at ring 1 from us to it"));
  fail_unless(news->refused_with("Lower tx-queues or ring-size"));
  fail_unless(news->refused_with("closes at ring 2 from it to us"));
  fail_unless(news->refused_with("Lower rx-queues or ring-size"));
  // The next master may have more.
  fail_unless(goes_down(slave));
  RawMaster good = raw_master(listener);
  fail_unless(good.answer() && come_up(slave));
  fail_unless_equals_uint64(slave->link()->rx_queues(), 4);
}
GST_END_TEST

/** A peer that stalls in its handshake does not block its id for others. */
GST_START_TEST(test_a_slave_that_stops_after_init_is_overtaken) {
  const std::string name = unique_socket();
  auto master = started(settings_for(Role::master, name));
  std::vector<RawSlave> squatters;
  for (const int steps : {1, 2, 3, 4}) {
    squatters.push_back(raw_slave(name));
    squatters.back().answer(steps);
  }
  auto good = started(settings_for(Role::slave, name));
  fail_unless(come_up(good, master));
  for (RawSlave& squatter : squatters) {
    std::optional<Received> last;
    for (auto received = squatter.peer.hear(); received; received = squatter.peer.hear()) {
      last = std::move(received);
    }
    const std::string reason = std::get<Disconnect>(last->message).reason;
    fail_unless(reason == "already connected", "only when they were given up: %s", reason.c_str());
  }
  // And a later peer does not take the link away.
  RawPeer late = RawPeer::dialled(name);
  late.expect_message<Hello>();
  late.say(Init{});
  late.expect_goodbye("already connected");
  fail_unless(is_up(good));
  pass(good, master);
}
GST_END_TEST

/** A crowd of another program competes with itself; a good peer may even be slow. */
GST_START_TEST(test_a_crowd_does_not_push_out_a_good_peer) {
  const std::string name = unique_socket();
  auto master = started(settings_for(Role::master, name));
  RawSlave good = raw_slave(name);
  good.answer(1);
  RawPeer slow = RawPeer::dialled(name);
  slow.expect_message<Hello>();
  const Crowd crowd(name, 300);
  fail_unless(good.answer() && come_up(master));
  slow.say(Init{});
  slow.expect_goodbye("already connected");
}
GST_END_TEST

GST_START_TEST(test_a_crowd_is_let_in_bit_by_bit) {
  const std::string name = unique_socket();
  std::set<int> watched;
  auto loop = Loop::for_poller(
      [&](int fd, bool watch) { watch ? (void)watched.insert(fd) : (void)watched.erase(fd); });
  auto master = made(settings_for(Role::master, name), loop);
  must(master->start());
  std::vector<RawPeer> crowd;
  for (int i = 0; i < 40; ++i) crowd.push_back(RawPeer::dialled(name));
  const auto greeted = [&] {
    return std::count_if(crowd.begin(), crowd.end(), [](RawPeer& peer) { return peer.has_news(); });
  };
  long before = 0;
  for (int rounds = 0; rounds < 10 && before < 40; ++rounds) {
    for (const int fd : std::set<int>(watched)) loop->dispatch(fd);
    const long now = greeted();
    fail_unless(now > before && now <= before + 20, "%ld at once", now - before);
    before = now;
  }
  fail_unless_equals_uint64(static_cast<std::uint64_t>(before), 40);
}
GST_END_TEST

/** Out of descriptors, a master waits; it neither spins nor floods the log. */
GST_START_TEST(test_a_master_without_descriptors_waits_for_some) {
  for (const int left : {0, 1, 2}) {
    const std::string name = unique_socket();
    GMainContext* context = g_main_context_new();
    auto master = made(settings_for(Role::master, name), Loop::for_context(context));
    must(master->start());
    std::vector<RawPeer> peers;
    for (int i = 0; i < 5; ++i) peers.push_back(RawPeer::dialled(name));
    const LogLines lines;
    int rounds = 0;
    {
      const NoDescriptors none(left);
      const auto start = Clock::now();
      for (; milliseconds_since(start) < 500; pause_ms(1)) {
        while (g_main_context_iteration(context, FALSE)) ++rounds;
      }
    }
    fail_unless(rounds < 100, "spins: %d rounds", rounds);
    fail_unless_equals_int(lines.with("Too many open files"), 1);
    fail_unless_equals_int(lines.with("ulimit -n"), 1);
    const auto iterate_until = [&](auto condition) {
      return eventually([&] {
        while (g_main_context_iteration(context, FALSE)) continue;
        return condition();
      });
    };
    fail_unless(iterate_until([&] {
      return std::all_of(peers.begin(), peers.end(), [](RawPeer& peer) { return peer.has_news(); });
    }));
    fail_unless(iterate_until([&] { return lines.with("accepting connections again") == 1; }));
    fail_unless_equals_int(lines.count(), 2);
    master.reset();
    g_main_context_unref(context);
  }
}
GST_END_TEST

GST_START_TEST(test_no_room_for_what_a_peer_passes) {
  const std::string name = unique_socket();
  auto master = started(settings_for(Role::master, name));
  const LinkPlan plan = must(build_slave_memory(small_offer(8, 64)));
  RawPeer peer = RawPeer::dialled(name);
  peer.expect_message<Hello>();
  peer.say(Init{});
  peer.expect_message<Ack>();
  {
    const NoDescriptors none;
    peer.say(AddRegion{0, plan.regions[0].size()}, plan.regions[0].fd());
    peer.expect_goodbye("Too many open files");
  }
  auto good = started(settings_for(Role::slave, name));
  fail_unless(come_up(good, master));
}
GST_END_TEST

GST_START_TEST(test_refusals_do_not_flood_the_log) {
  const std::string name = unique_socket();
  auto master = started(settings_for(Role::master, name));
  const LogLines lines;
  const auto start = Clock::now();
  for (int i = 0; i < 300; ++i) {
    RawSlave slave = raw_slave(name);
    slave.answer(2);
    // Another reason each time.
    slave.peer.say(i % 2 == 0 ? Message(Hello{}) : Message(Init{}));
  }
  fail_unless(eventually([&] { return master->stats().handshakes_failed.get() == 300; }));
  const int count = lines.with("no link");
  // One a second.
  fail_unless(count >= 1 && count < 20 + milliseconds_since(start) / 1000, "%d lines", count);
}
GST_END_TEST

/** Stalled connections are closed after five seconds; meanwhile good peers get in. */
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
  auto good = started(settings_for(Role::slave, name, 1));
  fail_unless(come_up(good, other));
  fail_unless(milliseconds_since(start) < 4900 * kSlowdown, "only when the others were closed");
  // There is not room for all of those that say nothing.
  fail_unless(std::any_of(crowd.begin(), crowd.end(), [](RawPeer& peer) {
    std::optional<Received> received = peer.hear();
    if (received && std::holds_alternative<Hello>(received->message)) {
      if (!peer.has_news()) return false;
      received = peer.hear();
    }
    return received && std::get<Disconnect>(received->message).reason.starts_with("too many");
  }));

  // Of one program, newcomers get in when another has been silent for a tenth of a second.
  pause_ms(150);
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
  fail_unless(milliseconds_since(start) < kPatienceMs);
  auto late = started(settings_for(Role::slave, name, 0));
  fail_unless(come_up(late, master));
  RawMaster found = raw_master(silent_master);
  fail_unless(found.answer() && come_up(slave));
}
GST_END_TEST

/** A delay of our own thread does not count against the peer. */
GST_START_TEST(test_a_peer_that_spoke_in_time_but_was_not_heard) {
  const std::string name = unique_socket();
  GMainContext* context = g_main_context_new();
  auto master = made(settings_for(Role::master, name), Loop::for_context(context));
  must(master->start());
  RawPeer peer = RawPeer::dialled(name);
  fail_unless(eventually([&] {
    g_main_context_iteration(context, FALSE);
    return peer.has_news();
  }));
  peer.expect_message<Hello>();
  peer.say(Init{});
  pause_ms(5200);
  fail_unless(eventually([&] {
    g_main_context_iteration(context, FALSE);
    return peer.has_news();
  }));
  peer.expect_message<Ack>();
  master.reset();
  g_main_context_unref(context);
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
  dead.reset();  // and the context is not iterated until the next one is there
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
  fail_unless(receiver->wait(0) == WaitResult::link_changed);
  Ring(plan.regions[0].data(), RingLayout{plan.cache_line, 8}).store_head(1000);
  fail_unless(receiver->receive(1).empty());
  slave.peer.expect_goodbye("index");
  fail_unless(news->down_with("moved the index of a ring"));
  fail_unless(receiver->wait(kPatienceNs) == WaitResult::link_changed);
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
  fail_unless(come_up(master) && receiver->wait(0) == WaitResult::link_changed);
  fail_unless(::ftruncate(file.get(), 0) == 0);
  // The index reads as zero now, so nothing arrives; the next look at the memory finds out.
  fail_unless(eventually([&] {
    receiver->receive(1);
    receiver->release();
    return !is_up(master);
  }));
  fail_unless(news->down_with("took shared memory away"));
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
  tcase_add_test(tests, test_descriptors_that_cannot_be_closed_hold_nobody_up);
  tcase_add_test(tests, test_what_is_said_at_the_door_holds_nobody_up);
  tcase_add_test(tests, test_descriptors_that_cannot_be_closed_are_bounded);
  tcase_add_test(tests, test_a_slave_that_vanishes_at_any_step);
  tcase_add_test(tests, test_a_master_that_vanishes_at_any_step);
  tcase_add_test(tests, test_a_master_that_closes_after_its_ack_has_no_such_id);
  tcase_add_test(tests, test_a_master_that_closes_at_a_ring_is_offered_fewer);
  tcase_add_test(tests, test_a_slave_that_stops_after_init_is_overtaken);
  tcase_add_test(tests, test_a_crowd_does_not_push_out_a_good_peer);
  tcase_add_test(tests, test_a_crowd_is_let_in_bit_by_bit);
  tcase_add_test(tests, test_a_master_without_descriptors_waits_for_some);
  tcase_add_test(tests, test_no_room_for_what_a_peer_passes);
  tcase_add_test(tests, test_refusals_do_not_flood_the_log);
  tcase_add_test(tests, test_half_open_connections);
  tcase_add_test(tests, test_a_peer_that_spoke_in_time_but_was_not_heard);
  tcase_add_test(tests, test_messages_on_a_link_that_is_up);
  tcase_add_test(tests, test_a_peer_that_is_back_before_its_end_was_seen);
  tcase_add_test(tests, test_a_peer_that_breaks_a_ring_loses_its_link);
  tcase_add_test(tests, test_a_peer_that_takes_its_memory_away_loses_its_link);
  return suite;
}

GST_CHECK_MAIN(badpeers)
