// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Interfaces that meet over a socket in this process, and peers made by hand.
 */
#pragma once

#include <poll.h>
#include <sys/socket.h>

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "gst/memif/control/channel.hpp"
#include "gst/memif/control/socket.hpp"
#include "gst/memif/data/link_backlog.hpp"
#include "gst/memif/receiver.hpp"
#include "gst/memif/sender.hpp"

#include "linkpair.hpp"
#include "raw_message.hpp"

namespace memiftest {

inline SocketAddress address(const std::string& text) {
  return must(SocketAddress::parse(text));
}

inline Settings settings_for(Role role, const std::string& socket, std::uint32_t id = 0) {
  Settings settings;
  settings.role = role;
  settings.socket = address(socket);
  settings.id = id;
  settings.interface_name = role == Role::master ? "master0" : "slave0";
  settings.ring_size = 64;
  return settings;
}

inline std::shared_ptr<Interface> made(Settings settings,
                                       std::shared_ptr<Loop> loop = Loop::own_thread()) {
  return must(Interface::create(std::move(settings), std::move(loop)));
}
inline std::shared_ptr<Interface> started(Settings settings) {
  auto interface = made(std::move(settings));
  must(interface->start());
  return interface;
}

inline bool is_up(const std::shared_ptr<Interface>& interface) {
  return interface->link() != nullptr;
}
template <class... Interfaces>
bool come_up(const Interfaces&... interfaces) {
  return eventually([&] { return (is_up(interfaces) && ...); });
}
inline bool goes_down(const std::shared_ptr<Interface>& interface) {
  return eventually([&] { return !is_up(interface); });
}

/** A master and a slave that found each other. */
struct Peers {
  Peers() : Peers(unique_socket()) {}
  explicit Peers(const std::string& name)
      : Peers(settings_for(Role::master, name), settings_for(Role::slave, name)) {}
  Peers(Settings master_settings, Settings slave_settings)
      : master(started(std::move(master_settings))), slave(started(std::move(slave_settings))) {
    fail_unless(come_up(master, slave));
  }
  std::shared_ptr<Interface> master;
  std::shared_ptr<Interface> slave;
};

/** Remembers what an interface tells. */
class News : public InterfaceObserver {
 public:
  void on_link_up(const LinkInfo& link) override { add(ups_, link.peer_name); }
  void on_link_down(const std::string& reason) override { add(downs_, reason); }
  void on_refused(const Refusal& refusal) override {
    fail_if(refusal.remedy.empty());
    add(refusals_, refusal.reason + ". " + refusal.remedy);
  }
  void on_waiting(const std::string& what) override { add(waits_, what); }

  std::vector<std::string> ups() const { return get(ups_); }
  std::vector<std::string> downs() const { return get(downs_); }
  std::vector<std::string> refusals() const { return get(refusals_); }

  static bool tell(const std::vector<std::string>& list, const std::string& word) {
    for (const std::string& text : list) {
      if (text.find(word) != std::string::npos) return true;
    }
    return false;
  }
  bool refused_with(const std::string& word) const {
    return eventually([&] { return tell(refusals(), word); });
  }
  bool waits_for(const std::string& word) const {
    return eventually([&] { return tell(get(waits_), word); });
  }
  bool down_with(const std::string& word) const {
    return eventually([&] { return tell(downs(), word); });
  }

 private:
  using List = std::vector<std::string>;
  void add(List& list, const std::string& text) {
    const std::lock_guard lock(mutex_);
    list.push_back(text);
  }
  List get(const List& list) const {
    const std::lock_guard lock(mutex_);
    return list;
  }
  mutable std::mutex mutex_;
  List ups_, downs_, refusals_, waits_;
};

inline std::shared_ptr<News> news_of(const std::shared_ptr<Interface>& interface) {
  auto news = std::make_shared<News>();
  interface->add_observer(news);
  return news;
}

/** Sends @p count packets of @p length bytes from one interface to the other. */
inline void pass(const std::shared_ptr<Interface>& from, const std::shared_ptr<Interface>& to,
                 std::size_t length = 100, int count = 200, std::uint32_t queue = 0) {
  auto sender = must(Sender::open(from, queue));
  auto receiver = must(Receiver::open(to, queue, RxMode::adaptive));
  int received = 0;
  for (int i = 0; i < count; ++i) {
    const Bytes bytes = packet(static_cast<std::uint64_t>(i), length);
    const TxSegment segment(bytes);
    while (send_one(*sender, {&segment, 1}) != Sent::ok) {
      // Also while the slave has not given its first buffers out.
      expect(sender->wait_for_room(kPatienceNs) != WaitResult::timeout,
             "the peer takes no packets");
    }
    sender->flush();
    while (receiver->receive(1).empty()) {
      expect(receiver->wait(kPatienceNs) != WaitResult::timeout, "a packet was lost");
    }
    expect(join(receiver->receive(1)) == only(bytes), "wrong bytes");
    expect(receiver->release(), "lost memory");
    ++received;
  }
  fail_unless_equals_int(received, count);
}
inline void pass_both_ways(const Peers& peers, std::size_t length = 100, int count = 200) {
  pass(peers.slave, peers.master, length, count);
  pass(peers.master, peers.slave, length, count);
}

// ---- By hand --------------------------------------------------------------------------------

/** One end of a control channel, in the hands of the test. */
class RawPeer {
 public:
  explicit RawPeer(UniqueFd socket) : channel_(std::move(socket)) {}
  static RawPeer dialled(const std::string& socket) { return RawPeer(must(dial(address(socket)))); }
  /** Waits for a connection. */
  static RawPeer accepted(const ListenSocket& listener) {
    std::optional<Incoming> incoming;
    fail_unless(eventually([&] {
      incoming = must(listener.accept());
      return incoming.has_value();
    }));
    return RawPeer(std::move(incoming->fd));
  }

  void say(const Message& message, int fd = -1) { must(channel_.send(message, fd)); }
  void say_bytes(std::span<const std::byte> bytes, const std::vector<int>& fds = {}) {
    fail_unless(send_raw(channel_.fd(), bytes, fds));
  }

  /** The next message; nothing once the other end has closed. */
  std::optional<Received> hear(int milliseconds = kPatienceMs) {
    pollfd poll_fd{channel_.fd(), POLLIN, 0};
    fail_unless(::poll(&poll_fd, 1, milliseconds) == 1, "nothing was said");
    Result<std::optional<Received>> received = channel_.receive();
    return received ? std::move(*received) : std::nullopt;
  }
  /** Whether there is something to hear. */
  bool has_news() {
    pollfd poll_fd{channel_.fd(), POLLIN, 0};
    return ::poll(&poll_fd, 1, 0) == 1;
  }
  template <class T>
  T expect_message() {
    std::optional<Received> received = hear();
    fail_unless(received && std::holds_alternative<T>(received->message), "another message");
    return std::get<T>(received->message);
  }
  /** A goodbye that says @p word, and then the end. */
  void expect_goodbye(const std::string& word, int milliseconds = kPatienceMs) {
    std::optional<Received> received = hear(milliseconds);
    fail_unless(received && std::holds_alternative<Disconnect>(received->message));
    const std::string reason = std::get<Disconnect>(received->message).reason;
    fail_unless(reason.find(word) != std::string::npos, "another reason: %s", reason.c_str());
    fail_if(hear(), "not closed");
  }
  int fd() const { return channel_.fd(); }

 private:
  Channel channel_;
};

/** A slave or master by hand that goes through the handshake as far as it is told. */
template <class Handshake>
class RawHandshake {
 public:
  RawHandshake(RawPeer raw, Handshake handshake)
      : peer(std::move(raw)), handshake_(std::move(handshake)) {}

  /** Answers up to @p messages messages; true once the handshake is complete. */
  bool answer(int messages = 1000) {
    for (int i = 0; i < messages; ++i) {
      std::optional<Received> received = peer.hear();
      fail_unless(received.has_value(), "closed during the handshake");
      Step step = must(handshake_.on_message(received->message, std::move(received->fds)));
      if (step.reply) peer.say(*step.reply, step.fd);
      if (step.established) return true;
    }
    return false;
  }
  /** Answers until @p refuses says so; true once the handshake is complete. */
  template <class Refuses>
  bool answer_unless(Refuses refuses) {
    for (;;) {
      std::optional<Received> received = peer.hear();
      fail_unless(received.has_value(), "closed during the handshake");
      if (refuses(received->message)) return false;
      Step step = must(handshake_.on_message(received->message, std::move(received->fds)));
      if (step.reply) peer.say(*step.reply, step.fd);
      if (step.established) return true;
    }
  }
  LinkPlan plan() { return handshake_.take_plan(); }

  RawPeer peer;

 private:
  Handshake handshake_;
};
using RawSlave = RawHandshake<SlaveHandshake>;
using RawMaster = RawHandshake<MasterHandshake>;

inline RawSlave raw_slave(const std::string& socket, Settings offer = small_offer(8, 64)) {
  return RawSlave(RawPeer::dialled(socket), SlaveHandshake(std::move(offer)));
}
inline RawMaster raw_master(const ListenSocket& listener) {
  RawMaster master(RawPeer::accepted(listener), MasterHandshake(admit_all()));
  master.peer.say(Hello{});
  return master;
}

}  // namespace memiftest
