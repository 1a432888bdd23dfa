// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Whole interfaces: peers come, say what they like and go, while the application opens and
 * closes ports, sends, receives, waits, changes settings, starts and stops.
 */
#include <poll.h>
#include <sys/stat.h>

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "clock.hpp"
#include "control_peer.hpp"
#include "gst/memif/control/socket.hpp"
#include "gst/memif/loop.hpp"
#include "interface_user.hpp"

using namespace gstmemif;
using fuzz::ControlPeer;
using fuzz::Input;
using fuzz::InterfaceUser;
using fuzz::NoDescriptors;
using fuzz::require;

namespace {

constexpr std::int64_t kMillisecond = 1'000'000;

/** The application's own poller: things happen when an input says so. */
class Poller {
 public:
  const std::shared_ptr<Loop>& loop() const { return loop_; }

  void handle_events() {
    bool any = true;
    for (int round = 0; any; ++round) {
      require(round < 1000, "events without end");
      any = false;
      for (const int fd : std::vector<int>(watched_->begin(), watched_->end())) {
        // One at a time: poll() takes no more of them than the process may have.
        pollfd event{fd, POLLIN, 0};
        if (::poll(&event, 1, 0) != 1) continue;
        any = true;
        loop_->dispatch(fd);
      }
    }
  }
  void pass_time(std::int64_t nanoseconds) {
    fuzz::put_clock_forward(nanoseconds);
    for (const int fd : *watched_) fuzz::put_timer_forward(fd, nanoseconds);
  }

 private:
  // Shared with the loop, which interfaces keep as long as they like.
  std::shared_ptr<std::set<int>> watched_ = std::make_shared<std::set<int>>();
  std::shared_ptr<Loop> loop_ = Loop::for_poller([watched = watched_](int fd, bool watch) {
    if (watch) {
      watched->insert(fd);
    } else {
      watched->erase(fd);
    }
  });
};

// ---- Where they meet ------------------------------------------------------------------------

/** For sockets, of this process only and gone with it. */
const std::string& directory() {
  static const auto& made = *[] {
    static char name[] = "/tmp/memif-fuzz-XXXXXX";
    require(::mkdtemp(name) != nullptr, "no directory");
    std::atexit([] { ::rmdir(name); });
    return new std::string(name);
  }();
  return made;
}

SocketAddress address_from(Input& input) {
  const std::string text =
      input.flag() ? directory() + "/socket" : "@gst-memif-fuzz-" + std::to_string(::getpid());
  return *SocketAddress::parse(text);
}

class World {
 public:
  explicit World(Input& input) : address_(address_from(input)) {
    put_something_there(input);
    for (unsigned n = 1 + input.below(2); n > 0; --n) {
      Settings settings;
      settings.socket = address_;
      settings.role = input.flag() ? Role::master : Role::slave;
      settings.ring_size = fuzz::ring_size_from(input);
      settings.buffer_size = 1 + input.below(200);
      settings.interface_name = "fuzz";
      for (unsigned changes = input.below(3); changes > 0; --changes) fuzz::change(settings, input);
      auto made = Interface::create(settings, poller_.loop());
      require(made || !validate(settings), "no interface");
      if (!made) continue;
      if (input.below(8) != 0) (void)bool((*made)->start());
      ours_.push_back(std::make_unique<InterfaceUser>(std::move(*made)));
    }
  }
  ~World() {
    ours_.clear();
    peers_.clear();
    listener_.reset();
    // Whatever was there is not ours to remove.
    if (!address_.abstract()) ::unlink(address_.name().c_str());
    fuzz::wait_for_discarded();
  }
  World(const World&) = delete;

  void act(Input& input) {
    switch (input.below(12)) {
      case 0:
        poller_.handle_events();
        break;
      case 1:
        return pass_time(input);
      case 2:
        return come(input);
      case 3:
        return peer(input, [&](ControlPeer& peer) { talk(peer, 1 + input.below(16)); });
      case 4:
        return peer(input, [&](ControlPeer& peer) { act(peer, input); });
      case 5:
        if (!peers_.empty()) peers_.erase(peers_.begin() + input.below(count()));
        break;
      case 6:
        return come_and_go(input);
      default:
        if (!ours_.empty()) ours_[input.below(2) % ours_.size()]->act(input);
    }
    for (const auto& one : ours_) one->check();
  }

 private:
  static constexpr std::size_t kMostPeers = 100;

  void put_something_there(Input& input) {
    if (address_.abstract()) return;
    const char* path = address_.name().c_str();
    switch (input.below(8)) {
      case 0: {
        auto stale = ListenSocket::open(address_, {});
        // Moved away and back, it is not removed with its socket.
        const std::string aside = address_.name() + "-";
        ::rename(path, aside.c_str());
        { auto gone = std::move(stale); }
        ::rename(aside.c_str(), path);
        break;
      }
      case 1:
        ::close(::open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
        break;
      case 2:
        require(::symlink("nowhere", path) == 0, "no link");
        break;
      default:
        break;
    }
  }
  void pass_time(Input& input) {
    static constexpr std::int64_t kTimes[] = {25, 150, 1100, 5100, 31000};  // milliseconds
    poller_.pass_time(kTimes[input.below(std::size(kTimes))] * kMillisecond);
    if (input.below(8) == 0) {
      const NoDescriptors none;
      poller_.handle_events();
    } else {
      poller_.handle_events();
    }
  }

  void come(Input& input) {
    switch (input.below(8)) {
      case 0:
        if (listener_) {
          listener_.reset();
        } else if (auto opened = ListenSocket::open(address_, {})) {
          listener_.emplace(std::move(*opened));
        }
        return;
      case 1:
      case 2:
      case 3:
        return accept();
      case 4: {  // a crowd at the door
        for (unsigned n = 70; n > 0; --n) dial(Settings{});
        if (!input.flag()) return poller_.handle_events();
        const NoDescriptors none;
        return poller_.handle_events();
      }
      default:
        dial(offer_from(input));
    }
  }
  static Settings offer_from(Input& input) {
    Settings offer;
    offer.id = input.below(3);
    offer.secret = input.below(4) == 0 ? "secret" : "";
    offer.mode = input.below(8) == 0 ? Mode::ip : Mode::ethernet;
    offer.tx_queues = 1 + input.below(2);
    offer.rx_queues = 1 + input.below(2);
    offer.ring_size = fuzz::ring_size_from(input);
    offer.buffer_size = 1 + input.below(200);
    return offer;
  }
  void dial(Settings offer) {
    if (peers_.size() >= kMostPeers) return;
    Result<UniqueFd> socket = gstmemif::dial(address_);
    if (socket) {
      peers_.push_back(
          std::make_unique<ControlPeer>(std::move(*socket), SlaveHandshake(std::move(offer))));
    }
  }
  void accept() {
    if (!listener_ || peers_.size() >= kMostPeers) return;
    auto incoming = listener_->accept();
    if (!incoming || !*incoming || !(*incoming)->fd) return;
    const auto admit = [](const Init& init) -> Result<Settings> {
      Settings settings;
      settings.mode = static_cast<Mode>(init.mode);
      settings.memory_limit = 1 << 24;
      return settings;
    };
    peers_.push_back(
        std::make_unique<ControlPeer>(std::move((*incoming)->fd), MasterHandshake(admit)));
    peers_.back()->greet();
  }
  void talk(ControlPeer& peer, unsigned messages) {
    for (; messages > 0; --messages) {
      poller_.handle_events();
      if (!peer.talk()) break;
    }
    poller_.handle_events();
  }
  void act(ControlPeer& peer, Input& input) {
    switch (input.below(8)) {
      case 0:
        return peer.say(input);
      case 1:
        (void)peer.talk();
        return;
      case 2:
        return peer.write_memory(input);
      case 3:
        return peer.set_interrupts(input.flag());
      case 4:
        return peer.receive(input.below(64));
      default:
        return peer.send(input.below(64));
    }
  }
  /** Links that come and go with packets in them, while nobody looks. */
  void come_and_go(Input& input) {
    Settings offer;
    offer.id = input.below(2);
    offer.ring_size = 4;
    offer.buffer_size = 60;
    const unsigned packets = input.below(3);
    for (unsigned n = input.below(20); n > 0; --n) {
      const std::size_t before = peers_.size();
      dial(offer);
      if (peers_.size() == before) return;
      talk(*peers_.back(), 16);
      peers_.back()->send(packets);
      peers_.pop_back();
      poller_.handle_events();
    }
  }

  unsigned count() const { return static_cast<unsigned>(peers_.size()); }
  template <class Act>
  void peer(Input& input, Act act) {
    if (!peers_.empty()) act(*peers_[peers_.size() - 1 - input.below(count())]);
  }

  const SocketAddress address_;
  Poller poller_;
  std::vector<std::unique_ptr<InterfaceUser>> ours_;
  std::vector<std::unique_ptr<ControlPeer>> peers_;
  std::optional<ListenSocket> listener_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::NoLeakedFds no_leaks;
  Input input(data, size);
  World world(input);
  for (int step = 0; step < 200 && !input.ended(); ++step) world.act(input);
  return 0;
}
