// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * What an application does with an interface and its ports, in any order.
 */
#pragma once

#include <sys/resource.h>
#include <sys/stat.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fuzz.hpp"
#include "gst/memif/control/protocol.hpp"
#include "gst/memif/receiver.hpp"
#include "gst/memif/sender.hpp"

namespace fuzz {

using namespace gstmemif;

/** While it is there, this process gets no new descriptor: the first three are taken. */
class NoDescriptors {
 public:
  NoDescriptors() {
    require(::getrlimit(RLIMIT_NOFILE, &limit_) == 0, "no limit");
    const rlimit lower{3, limit_.rlim_max};
    require(::setrlimit(RLIMIT_NOFILE, &lower) == 0, "no other limit");
  }
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &limit_); }
  NoDescriptors(const NoDescriptors&) = delete;

 private:
  rlimit limit_{};
};

/** What is told must make sense: a link comes up, goes down, comes up. */
class Observer : public InterfaceObserver {
 public:
  void on_link_up(const LinkInfo& link) override {
    require(printable(link.peer_name) == link.peer_name, "a name that must not be shown");
    require(!std::exchange(up_, true), "a link came up twice");
  }
  void on_link_down(const std::string& reason) override {
    require(!reason.empty() && printable(reason) == reason, "no reason that can be shown");
    require(std::exchange(up_, false), "a link went down twice");
  }
  void on_refused(const Refusal& refusal) override {
    const std::string& reason = refusal.reason;
    require(!reason.empty() && printable(reason) == reason, "no reason that can be shown");
    require(!refusal.remedy.empty(), "no remedy");
  }
  bool up() const { return up_; }

 private:
  bool up_ = false;
};

inline std::uint32_t ring_size_from(Input& input) {
  return 2U << input.below(6);
}

/** Any of them, to what may be impossible. */
inline void change(Settings& settings, Input& input) {
  switch (input.below(13)) {
    case 0:
      settings.id = input.below(3);
      break;
    case 1:
      settings.mode = static_cast<Mode>(input.below(3));
      break;
    case 2:
      settings.secret = input.flag() ? "secret" : "";
      break;
    case 3:
      settings.rx_queues = input.below(4);
      break;
    case 4:
      settings.tx_queues = input.below(4);
      break;
    case 5:
      settings.ring_size = ring_size_from(input);
      break;
    case 6:
      settings.buffer_size = 1 + input.below(200);
      break;
    case 7:
      settings.memory_limit = input.around<std::uint32_t>({0, 4096, 1 << 16});
      break;
    case 8:
      settings.max_packet_size = input.around<std::uint16_t>({60, 1, 0});
      break;
    case 9:
      settings.copy_limit = input.around<std::uint16_t>({0, 60, 4096});
      break;
    case 10:
      settings.unsealed_memory = input.flag() ? UnsealedMemory::guard : UnsealedMemory::refuse;
      break;
    case 11:
      settings.listen.mode = input.around<std::uint16_t>({0600, 0}) & 0777;
      break;
    default:
      settings.listen.allowed_uids = {::getuid() + (input.flag() ? 1 : 0)};
  }
}

/** One of our interfaces, and its ports. */
class InterfaceUser {
 public:
  explicit InterfaceUser(std::shared_ptr<Interface> interface) : interface_(std::move(interface)) {
    interface_->add_observer(observer_);
  }
  ~InterfaceUser() {
    give_back_all();
    rx_.clear();
    tx_.clear();
    interface_->stop();
    require(!observer_->up() && !interface_->link(), "a link without an end");
    const InterfaceStats& stats = *interface_->shared_stats();
    require(stats.link_ups.get() == stats.link_downs.get(), "links that are counted otherwise");
  }
  InterfaceUser(const InterfaceUser&) = delete;

  void check() const {
    require(observer_->up() == (interface_->link() != nullptr), "a link that nobody heard of");
  }

  void act(Input& input) {
    switch (input.below(12)) {
      case 0:
        return start_or_stop(input);
      case 1:
        return reconfigure(input);
      case 2:
        return open(input);
      case 3:
        return close(input);
      case 4:
        return observe();
      case 5:
      case 6:
      case 7:
        return receive(input);
      case 8:
        return wait(input);
      default:
        return send(input);
    }
  }

 private:
  void start_or_stop(Input& input) {
    switch (input.below(4)) {
      case 0:
        interface_->stop();
        require(!interface_->started() && !interface_->link(), "not stopped");
        break;
      case 1: {
        const NoDescriptors none;
        (void)bool(interface_->start());
        break;
      }
      default:
        (void)bool(interface_->start());
    }
  }
  void reconfigure(Input& input) {
    Settings settings = interface_->settings();
    for (unsigned n = 1 + input.below(3); n > 0; --n) change(settings, input);
    (void)interface_->reason_for_new_link(settings);
    const bool valid = bool(validate(settings));
    const Result<void> status = interface_->reconfigure(settings);
    require(valid || !status, "settings that are not possible");
    require(!valid || interface_->settings() == settings, "other settings");
  }
  void open(Input& input) {
    const std::uint32_t queue = input.below(3);
    if (input.flag()) {
      const RxMode mode = static_cast<RxMode>(input.below(3));
      auto opened = Receiver::open(interface_, queue, mode);
      if (opened) rx_.push_back(std::move(*opened));
    } else {
      auto opened = Sender::open(interface_, queue);
      if (opened) tx_.push_back(std::move(*opened));
    }
  }
  void close(Input& input) {
    const unsigned i = input.below(4);
    if (input.flag()) {
      if (i < rx_.size()) rx_.erase(rx_.begin() + i);
    } else {
      if (i < tx_.size()) tx_.erase(tx_.begin() + i);
    }
  }
  void observe() {
    const auto late = std::make_shared<Observer>();
    interface_->add_observer(late);
    require(late->up() == (interface_->link() != nullptr), "a link that nobody heard of");
  }

  void receive(Input& input) {
    if (rx_.empty()) return;
    Receiver& rx = *rx_[input.below(static_cast<unsigned>(rx_.size()))];
    switch (input.below(8)) {
      case 0:
        rx.interrupt();
        require(rx.wait() == WaitResult::interrupted, "not interrupted");
        return rx.resume();
      case 1:
        return rx.set_mode(static_cast<RxMode>(input.below(3)));
      case 2:
        give_back_all();
        (void)rx.lost_link();
        return;
      case 3:
        return lend(rx, 1 + input.below(64));
      default:
        for (const RxSegment& segment : rx.receive(1 + input.below(64))) {
          volatile std::byte touched = segment.data[segment.length - 1];
          (void)touched;
        }
        (void)rx.release();
    }
  }
  void lend(Receiver& rx, unsigned most) {
    std::vector<PacketDesc> packets(most);
    const RxBurst burst = rx.receive_lent(packets);
    (void)rx.release();
    if (burst.loan == nullptr) return;
    packets.resize(burst.packets.size());
    loans_.push_back({burst.loan, std::move(packets)});
    if (loans_.size() > 8) give_back_all();
  }
  void give_back_all() {
    for (const Lent& lent : loans_) {
      for (const PacketDesc& packet : lent.packets) {
        volatile std::byte touched = *(lent.loan->base() + packet.offset + packet.length - 1);
        (void)touched;
      }
      lent.loan->give_back();
    }
    loans_.clear();
  }
  /** For no longer than it takes to look. */
  void wait(Input& input) {
    const std::int64_t limit = input.below(3) * 1000;
    for (const auto& rx : rx_) (void)rx->wait(limit);
    for (const auto& tx : tx_) (void)tx->wait_for_link(limit);
    if (!tx_.empty()) (void)Sender::drain(tx_, 10 * limit, limit);
  }

  void send(Input& input) {
    if (tx_.empty()) return;
    Sender& tx = *tx_[input.below(static_cast<unsigned>(tx_.size()))];
    static constexpr std::byte kPacket[60]{};
    switch (input.below(12)) {
      case 0:
        tx.interrupt();
        require(tx.wait_for_room() == WaitResult::interrupted, "not interrupted");
        require(tx.wait_for_link() == WaitResult::interrupted, "not interrupted");
        require(Sender::drain(tx_, kForever) != WaitResult::timeout, "not interrupted");
        return tx.resume();
      case 1:
        (void)tx.wait_for_room(1000);
        return;
      case 2:
        (void)tx.wait_briefly_for_room();
        return;
      case 3:
        return exchange(tx, input.flag());
      case 4:
        return tx.abandon();
      case 5:
      case 6:
        return tx.flush();
      case 7:
        send_many(tx, kPacket, 1 + input.below(64));
        return tx.flush();
      default: {
        const TxSegment segments[] = {kPacket, kPacket};
        const TxPacket packet(segments, 1 + input.below(2));
        (void)tx.send_burst({&packet, 1});
      }
    }
  }
  static void send_many(Sender& tx, TxSegment bytes, unsigned n) {
    const std::vector<PacketDesc> packets(n, {0, static_cast<std::uint32_t>(bytes.size()), 0, 0});
    const TxBurst burst = tx.send_burst(bytes, packets);
    require((burst.done() == n) == (burst.result == SendResult::ok), "packets without a fate");
  }
  /** What was received goes back, on the same link or on another one. */
  void exchange(Sender& tx, bool one_by_one) {
    if (loans_.empty()) return;
    Loan& loan = *loans_.back().loan;
    std::vector<PacketDesc>& packets = loans_.back().packets;
    if (one_by_one) {
      while (!packets.empty() && tx.send_burst_zero_copy(loan, {&packets.back(), 1}).done() == 1) {
        packets.pop_back();
      }
      return;
    }
    const std::uint32_t done = tx.send_burst_zero_copy(loan, packets).done();
    require(done <= packets.size(), "more than there were");
    packets.erase(packets.begin(), packets.begin() + done);
  }

  struct Lent {
    Loan* loan;
    std::vector<PacketDesc> packets;
  };

  std::shared_ptr<Interface> interface_;
  std::shared_ptr<Observer> observer_ = std::make_shared<Observer>();
  std::vector<std::unique_ptr<Receiver>> rx_;
  std::vector<std::unique_ptr<Sender>> tx_;
  std::vector<Lent> loans_;
};

}  // namespace fuzz
