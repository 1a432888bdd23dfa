// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Addresses, socket files and access control.
 */
#include "gst/memif/control/socket.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <atomic>

#include "peers.hpp"

using namespace memiftest;

namespace {

bool exists(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}
struct stat status_of(const std::string& path) {
  struct stat status {};
  fail_unless(::lstat(path.c_str(), &status) == 0);
  return status;
}

Result<ListenSocket> listen_at(const std::string& text, const ListenOptions& options = {}) {
  return ListenSocket::open(address(text), options);
}

/** A socket as systemd passes it in: with a file of its own, and named in the environment. */
UniqueFd passed_at(const std::string& path, int type) {
  UniqueFd fd(::socket(AF_UNIX, type, 0));
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  path.copy(to.sun_path, sizeof to.sun_path - 1);
  fail_unless(::bind(fd.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
  fail_unless(::listen(fd.get(), 5) == 0);
  ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
  ::setenv("LISTEN_FDS", std::to_string(fd.get() - 3 + 1).c_str(), 1);
  return fd;
}

}  // namespace

GST_START_TEST(test_addresses) {
  fail_unless(address("/run/vpp/memif.sock").text() == "/run/vpp/memif.sock");
  fail_unless(address("relative.sock").name() == "relative.sock");
  fail_if(address("/a@b").abstract());
  for (const char* text : {"@vpp/memif", "abstract:vpp/memif"}) {
    fail_unless(address(text).abstract());
    fail_unless(address(text).name() == "vpp/memif");
    fail_unless(address(text).text() == "@vpp/memif");
  }
  for (const char* text : {"", "@", "abstract:"}) {
    must_fail(SocketAddress::parse(text), "is empty", "/run/vpp/memif.sock");
  }
  const std::string longest(107, 'x');
  must(SocketAddress::parse(longest));
  must(SocketAddress::parse("@" + longest));
  must_fail(SocketAddress::parse(longest + "x"), "108 bytes", "107");
}
GST_END_TEST

GST_START_TEST(test_the_longest_abstract_name_works) {
  std::string name = unique_socket();
  name.resize(108, 'x');
  Peers peers(name);
  pass(peers.slave, peers.master, 100, 10);
}
GST_END_TEST

GST_START_TEST(test_a_socket_file_comes_and_goes) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("memif.sock");
  Settings settings = settings_for(Role::master, path);
  settings.listen.mode = 0604;
  auto master = started(settings);
  fail_unless_equals_int(status_of(path).st_mode & 07777, 0604);
  auto slave = started(settings_for(Role::slave, path));
  fail_unless(come_up(slave, master));
  pass(slave, master);
  slave->stop();
  fail_unless(exists(path));
  master->stop();
  fail_if(exists(path));
}
GST_END_TEST

GST_START_TEST(test_the_owner_of_a_socket_file) {
  if (::getuid() != 0) return;
  const TemporaryDirectory directory;
  const std::string path = directory.file("memif.sock");
  for (const char* owner : {"1234:2345", "1234", ":2345", ""}) {
    ListenOptions options;
    options.owner = owner;
    const ListenSocket socket = must(listen_at(path, options));
    const bool user = owner[0] == '1';
    const bool group = std::strchr(owner, ':') != nullptr;
    fail_unless_equals_uint64(status_of(path).st_uid, user ? 1234 : ::getuid());
    fail_unless_equals_uint64(status_of(path).st_gid, group ? 2345 : ::getgid());
  }
  ListenOptions options;
  options.owner = "root:no-such-group";
  must_fail(check_listen_options(options), "no-such-group");
}
GST_END_TEST

GST_START_TEST(test_no_file_is_left_when_its_owner_cannot_be_set) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("memif.sock");
  fail_unless(::chmod(directory.file("").c_str(), 0777) == 0);
  // This process belongs to the test, so it may change its user.
  if (::getuid() != 0 || ::seteuid(65534) != 0) return;
  ListenOptions options;
  options.owner = "0";
  must_fail(listen_at(path, options), "owner");
  const bool left = exists(path);
  fail_unless(::seteuid(0) == 0);
  fail_if(left);
}
GST_END_TEST

GST_START_TEST(test_a_stale_file_is_replaced) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("memif.sock");
  {
    // A program that died: its file is left, without a listener.
    const UniqueFd dead(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    path.copy(name.sun_path, path.size());
    fail_unless(::bind(dead.get(), reinterpret_cast<sockaddr*>(&name), sizeof name) == 0);
  }
  fail_unless(exists(path));
  Peers peers(path);
  pass(peers.slave, peers.master, 100, 10);
}
GST_END_TEST

GST_START_TEST(test_a_live_listener_is_left_alone) {
  const TemporaryDirectory directory;
  for (const std::string& name : {directory.file("memif.sock"), unique_socket()}) {
    const ListenSocket other = must(listen_at(name));
    auto master = made(settings_for(Role::master, name));
    const Result<void> refused = master->start();
    must_fail(refused, "another program listens there", "role=slave");
    fail_unless(refused.error().code == ErrorCode::busy);
    fail_unless(static_cast<bool>(dial(address(name))), "the other one is gone");
  }
}
GST_END_TEST

GST_START_TEST(test_a_file_that_is_no_socket_is_left_alone) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("memif.sock");
  const UniqueFd file(::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  for (const Role role : {Role::master, Role::slave}) {
    must_fail(made(settings_for(role, path))->start(), "not a socket", "another path");
  }
  fail_unless(S_ISREG(status_of(path).st_mode));
}
GST_END_TEST

GST_START_TEST(test_a_file_that_was_replaced_is_not_removed) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("memif.sock");
  auto first = started(settings_for(Role::master, path));
  fail_unless(::unlink(path.c_str()) == 0);
  const ListenSocket second = must(listen_at(path));
  first->stop();
  fail_unless(exists(path), "somebody else's file was removed");
}
GST_END_TEST

GST_START_TEST(test_a_directory_that_is_not_there) {
  must_fail(made(settings_for(Role::master, "/no/such/place/memif.sock"))->start(),
            "/no/such/place", "Create it");
  for (const Role role : {Role::master, Role::slave}) {
    must_fail(made(settings_for(role, "/proc/self/status/memif.sock"))->start(),
              "/proc/self/status");
  }
}
GST_END_TEST

/** VPP makes /run/vpp when it starts, and either end may start first. */
GST_START_TEST(test_a_slave_waits_for_the_directory) {
  const TemporaryDirectory directory;
  const std::string later = directory.file("later");
  const std::string path = later + "/memif.sock";
  auto slave = made(settings_for(Role::slave, path));
  auto news = news_of(slave);
  must(slave->start());
  fail_unless(news->waits_for("Waiting for a master at " + path + " id 0: No such file"));
  fail_unless(::mkdir(later.c_str(), 0700) == 0);
  {
    auto master = started(settings_for(Role::master, path));
    fail_unless(come_up(master, slave));
  }
  fail_unless(goes_down(slave));
  fail_unless(::rmdir(later.c_str()) == 0);
}
GST_END_TEST

GST_START_TEST(test_a_removed_socket_file_is_made_anew) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("memif.sock");
  auto master = made(settings_for(Role::master, path));
  auto news = news_of(master);
  must(master->start());
  fail_unless(news->waits_for("Listening at " + path + " id 0 for a slave"));
  auto slave = started(settings_for(Role::slave, path));
  fail_unless(come_up(master, slave));
  // Twice: the new file is watched too. Links that are up stay.
  for (int i = 0; i < 2; ++i) {
    fail_unless(::unlink(path.c_str()) == 0);
    fail_unless(eventually([&] { return exists(path); }), "no socket file again");
    fail_unless(is_up(slave));
    slave->stop();
    must(slave->start());
    fail_unless(come_up(slave));
  }
  fail_unless(news->waits_for("Listening again at " + path));
  fail_unless(::rename(path.c_str(), directory.file("moved").c_str()) == 0);
  fail_unless(eventually([&] { return exists(path); }), "a moved file was not noticed");
  fail_unless(::unlink(directory.file("moved").c_str()) == 0);
  master->stop();
  fail_if(exists(path));
}
GST_END_TEST

GST_START_TEST(test_a_directory_that_comes_back_has_its_socket_again) {
  const TemporaryDirectory directory;
  const std::string inner = directory.file("run");
  const std::string path = inner + "/memif.sock";
  fail_unless(::mkdir(inner.c_str(), 0700) == 0);
  auto master = made(settings_for(Role::master, path));
  auto news = news_of(master);
  must(master->start());
  // The socket may be back before the directory is gone.
  fail_unless(eventually([&] {
    ::unlink(path.c_str());
    return ::rmdir(inner.c_str()) == 0;
  }));
  fail_unless(news->waits_for(
      "The socket file was removed, and cannot be made again yet: socket-path=" + path +
      ": the directory " + inner +
      " cannot be used: No such file or "
      "directory. Create it, or start the program that does (VPP makes "
      "/run/vpp)"));
  fail_unless(::mkdir(inner.c_str(), 0700) == 0);
  auto slave = started(settings_for(Role::slave, path));
  fail_unless(come_up(master, slave));
  slave->stop();
  master->stop();
  fail_unless(::rmdir(inner.c_str()) == 0);
}
GST_END_TEST

GST_START_TEST(test_a_master_tells_whom_it_refused) {
  const std::string name = unique_socket();
  Settings settings = settings_for(Role::master, name, 7);
  settings.secret = "psst";
  settings.listen.allowed_uids = {::getuid() + 1};
  auto master = made(settings);
  auto news = news_of(master);
  must(master->start());
  fail_if(RawPeer::dialled(name).hear());
  fail_unless(news->refused_with("user " + std::to_string(::getuid())));
  settings.listen.allowed_uids.clear();
  must(master->reconfigure(settings));
  const auto says = [&](const Init& init) {
    pause_ms(1100);  // one a second is told
    RawPeer peer = RawPeer::dialled(name);
    peer.expect_message<Hello>();
    peer.say(init);
    fail_unless(std::holds_alternative<Disconnect>(peer.hear()->message));
  };
  Init init;
  init.id = 7;
  says(init);
  fail_unless(news->refused_with("secret required"));
  init.secret = "pssst";
  says(init);
  fail_unless(news->refused_with("incorrect secret"));
  init.mode = 1;
  says(init);
  fail_unless(news->refused_with("mode mismatch"));
  init.id = 8;
  says(init);
  fail_unless(news->refused_with("unmatched interface id 8"));
}
GST_END_TEST

GST_START_TEST(test_only_allowed_users_connect) {
  const std::string name = unique_socket();
  Settings settings = settings_for(Role::master, name);
  settings.listen.allowed_uids = {::getuid() + 1};
  auto master = started(settings);
  fail_if(RawPeer::dialled(name).hear(), "a stranger was greeted");
  settings.listen.allowed_uids = {::getuid() + 1, ::getuid()};
  must(master->reconfigure(settings));
  auto slave = started(settings_for(Role::slave, name));
  fail_unless(come_up(slave, master));
}
GST_END_TEST

GST_START_TEST(test_interfaces_on_one_socket_agree_on_who_may_use_it) {
  const std::string name = unique_socket();
  auto first = started(settings_for(Role::master, name, 0));
  Settings settings = settings_for(Role::master, name, 1);
  settings.listen.mode = 0666;
  auto second = made(settings);
  must_fail(second->start(), "socket-mode", "same");
}
GST_END_TEST

GST_START_TEST(test_two_that_replace_a_stale_file_at_once) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("memif.sock");
  for (int round = 0; round < 50; ++round) {
    std::vector<std::optional<ListenSocket>> sockets(4);
    std::vector<std::thread> threads;
    for (auto& socket : sockets) {
      threads.emplace_back([&socket, &path] {
        Result<ListenSocket> opened = listen_at(path);
        if (opened) socket.emplace(std::move(*opened));
      });
    }
    for (std::thread& thread : threads) thread.join();
    int listeners = 0;
    for (const auto& socket : sockets) listeners += socket ? 1 : 0;
    expect(listeners == 1, "not exactly one listens");
    expect(static_cast<bool>(dial(address(path))), "nobody can be reached");
    // The next round finds a stale file.
    for (auto& socket : sockets) {
      if (socket) ::shutdown(socket->fd(), SHUT_RDWR);
    }
  }
}
GST_END_TEST

/** A foreign lock delays only callers that start a listener in its directory. */
GST_START_TEST(test_a_locked_directory_delays_nobody_else) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("memif.sock");
  const UniqueFd stranger(::open(directory.file("").c_str(), O_RDONLY | O_CLOEXEC));
  fail_unless(::flock(stranger.get(), LOCK_EX | LOCK_NB) == 0);
  Settings settings = settings_for(Role::slave, unique_socket());
  auto slave = started(settings);
  bool undisturbed = false;
  for (int round = 0; round < 60 && !undisturbed; ++round) {
    auto master = made(settings_for(Role::master, path));
    std::atomic<pid_t> id{0};
    std::atomic<bool> done{false};
    std::thread thread([&] {
      id = ::gettid();
      const Result<void> status = master->start();
      done = true;
      expect(static_cast<bool>(status), "a stranger keeps us from listening");
    });
    fail_unless(eventually([&] { return (id != 0 && sleeps(id)) || done; }));
    Peers others;
    settings.ring_size = settings.ring_size == 64 ? 32 : 64;
    must(slave->reconfigure(settings));
    others.slave->stop();
    fail_unless(slave->settings() == settings);
    // As long as the other one still waits, what was done here did not wait for it.
    undisturbed = !done;
    thread.join();
  }
  fail_unless(undisturbed);
}
GST_END_TEST

GST_START_TEST(test_interfaces_that_start_at_once_share_a_socket) {
  const TemporaryDirectory directory;
  for (const std::string& name : {directory.file("memif.sock"), unique_socket()}) {
    for (int round = 0; round < 20; ++round) {
      std::vector<std::shared_ptr<Interface>> masters;
      for (std::uint32_t id = 0; id < 4; ++id) {
        masters.push_back(made(settings_for(Role::master, name, id)));
      }
      std::vector<std::thread> threads;
      for (const auto& master : masters) {
        threads.emplace_back(
            [&master] { expect(static_cast<bool>(master->start()), "not started"); });
      }
      for (std::thread& thread : threads) thread.join();
      auto slave = started(settings_for(Role::slave, name, 3));
      fail_unless(come_up(slave, masters[3]));
    }
  }
}
GST_END_TEST

/** After bind(), the socket is replaced by a link to another file. */
GST_START_TEST(test_owner_and_mode_are_given_to_the_socket_only) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("memif.sock");
  const std::string victim = directory.file("victim");
  const std::string link = directory.file("link");
  const UniqueFd file(::open(victim.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  std::atomic<bool> stop{false};
  std::thread attacker([&] {
    while (!stop) {
      struct stat status {};
      if (::lstat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) continue;
      (void)!::symlink(victim.c_str(), link.c_str());
      ::rename(link.c_str(), path.c_str());
    }
  });
  ListenOptions options;
  options.mode = 0666;
  const auto start = Clock::now();
  while (milliseconds_since(start) < 500) {
    (void)static_cast<bool>(listen_at(path, options));
    ::unlink(path.c_str());
  }
  stop = true;
  attacker.join();
  const auto mode = static_cast<int>(status_of(victim).st_mode & 07777);
  ::unlink(link.c_str());
  ::unlink(victim.c_str());
  fail_unless_equals_int(mode, 0600);
}
GST_END_TEST

/** Its owner's file stays, and who connects while nobody accepts is served afterwards. */
GST_START_TEST(test_a_socket_that_was_passed_in) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("memif.sock");
  const UniqueFd passed = passed_at(path, SOCK_SEQPACKET);
  const ino_t inode = status_of(path).st_ino;
  auto slave = started(settings_for(Role::slave, path));
  for (int i = 0; i < 3; ++i) {
    auto master = started(settings_for(Role::master, path));
    fail_unless(come_up(slave, master));
    pass(slave, master);
    master->stop();
    fail_unless_equals_uint64(status_of(path).st_ino, inode);
  }
  ::unlink(path.c_str());
}
GST_END_TEST

GST_START_TEST(test_sockets_that_were_passed_in_for_others) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("memif.sock");
  const std::string other = directory.file("other.sock");
  const UniqueFd passed = passed_at(path, SOCK_SEQPACKET);
  must(listen_at(other));
  // Of another process: its variables are not for us, and the name is taken.
  ::setenv("LISTEN_PID", "1", 1);
  must_fail(listen_at(path), "another program listens there");
  ::unlink(path.c_str());
}
GST_END_TEST

GST_START_TEST(test_a_passed_socket_of_another_kind) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("memif.sock");
  const UniqueFd passed = passed_at(path, SOCK_STREAM);
  must_fail(listen_at(path), "SOCK_SEQPACKET", "ListenSequentialPacket=");
  ::unlink(path.c_str());
}
GST_END_TEST

static Suite* sockets_suite(void) {
  Suite* suite = suite_create("sockets");
  TCase* tests = tcase_create("sockets");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_addresses);
  tcase_add_test(tests, test_the_longest_abstract_name_works);
  tcase_add_test(tests, test_a_socket_file_comes_and_goes);
  tcase_add_test(tests, test_the_owner_of_a_socket_file);
  tcase_add_test(tests, test_no_file_is_left_when_its_owner_cannot_be_set);
  tcase_add_test(tests, test_a_stale_file_is_replaced);
  tcase_add_test(tests, test_a_live_listener_is_left_alone);
  tcase_add_test(tests, test_a_file_that_is_no_socket_is_left_alone);
  tcase_add_test(tests, test_a_file_that_was_replaced_is_not_removed);
  tcase_add_test(tests, test_a_directory_that_is_not_there);
  tcase_add_test(tests, test_a_slave_waits_for_the_directory);
  tcase_add_test(tests, test_a_removed_socket_file_is_made_anew);
  tcase_add_test(tests, test_a_directory_that_comes_back_has_its_socket_again);
  tcase_add_test(tests, test_a_master_tells_whom_it_refused);
  tcase_add_test(tests, test_only_allowed_users_connect);
  tcase_add_test(tests, test_interfaces_on_one_socket_agree_on_who_may_use_it);
  tcase_add_test(tests, test_two_that_replace_a_stale_file_at_once);
  tcase_add_test(tests, test_a_locked_directory_delays_nobody_else);
  tcase_add_test(tests, test_interfaces_that_start_at_once_share_a_socket);
  tcase_add_test(tests, test_owner_and_mode_are_given_to_the_socket_only);
  tcase_add_test(tests, test_a_socket_that_was_passed_in);
  tcase_add_test(tests, test_sockets_that_were_passed_in_for_others);
  tcase_add_test(tests, test_a_passed_socket_of_another_kind);
  return suite;
}

GST_CHECK_MAIN(sockets)
