// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * A slave and a master that agreed on memory in this process, without any socket.
 */
#pragma once

#include <fcntl.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "gst/memif/control/handshake.hpp"
#include "gst/memif/data/link.hpp"

#include "check.hpp"

namespace memiftest {

using namespace gstmemif;

inline UniqueFd duplicate(int fd) {
  return UniqueFd(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
}

inline constexpr std::uint64_t kNoMemoryLimit = std::uint64_t{1} << 40;

inline MasterHandshake::Admit admit_all(std::uint64_t memory_limit = kNoMemoryLimit) {
  return [memory_limit](const Init&) -> Result<Settings> {
    Settings settings;
    settings.interface_name = "eth0";
    settings.memory_limit = memory_limit;
    return settings;
  };
}

/** Lets two handshakes talk until both are done; returns the plans of slave and master. */
inline std::pair<LinkPlan, LinkPlan> agree(const Settings& offer) {
  SlaveHandshake slave(offer);
  MasterHandshake master(admit_all());
  std::optional<Message> to_slave = Hello{};
  bool slave_done = false;
  bool master_done = false;
  while (to_slave) {
    Step from_slave = must(slave.on_message(*to_slave, {}));
    slave_done = slave_done || from_slave.established;
    to_slave.reset();
    if (!from_slave.reply) break;
    std::vector<UniqueFd> fds;
    if (from_slave.fd >= 0) fds.push_back(duplicate(from_slave.fd));
    Step from_master = must(master.on_message(*from_slave.reply, std::move(fds)));
    master_done = master_done || from_master.established;
    to_slave = from_master.reply;
  }
  fail_unless(slave_done && master_done);
  return {slave.take_plan(), master.take_plan()};
}

/** Two links over the same memory, and a view of each ring that lies in it. */
class LinkPair {
 public:
  explicit LinkPair(const Settings& offer) : LinkPair(agree(offer)) {}

  Link& slave() { return *slave_; }
  Link& master() { return *master_; }
  InterfaceStats& slave_stats() { return *slave_stats_; }
  InterfaceStats& master_stats() { return *master_stats_; }

  /** The receiving and the sending end of queue @p queue in one direction. */
  RxQueue& rx(Direction direction, std::size_t queue = 0) {
    return direction == Direction::s2m ? *master_->rx(queue) : *slave_->rx(queue);
  }
  TxQueue& tx(Direction direction, std::size_t queue = 0) {
    return direction == Direction::s2m ? *slave_->tx(queue) : *master_->tx(queue);
  }
  const std::shared_ptr<Link>& rx_link(Direction direction) {
    return direction == Direction::s2m ? master_ : slave_;
  }
  LinkMemory& rx_state(Direction direction) {
    return direction == Direction::s2m ? master_->state() : slave_->state();
  }
  LinkMemory& tx_state(Direction direction) {
    return direction == Direction::s2m ? slave_->state() : master_->state();
  }
  /** What a hostile peer would write to. */
  Ring& ring(Direction direction, std::size_t queue = 0) {
    return (direction == Direction::s2m ? s2m_ : m2s_)[queue];
  }
  std::uint64_t region_size(std::size_t region) {
    return master_->state().regions()[region].size();
  }
  std::size_t region_count() { return master_->state().regions().size(); }

 private:
  explicit LinkPair(std::pair<LinkPlan, LinkPlan> plans) {
    for (auto [rings, views] : {std::pair(&plans.first.s2m, &s2m_), {&plans.first.m2s, &m2s_}}) {
      for (const RingPlan& ring : *rings) {
        std::byte* base = plans.first.regions[ring.region].data() + ring.offset;
        views->emplace_back(base, RingLayout{plans.first.cache_line, ring.size});
      }
    }
    slave_ = std::make_shared<Link>(std::move(plans.first), slave_stats_, wake());
    master_ = std::make_shared<Link>(std::move(plans.second), master_stats_, wake());
  }
  static std::shared_ptr<const UniqueFd> wake() {
    return std::make_shared<const UniqueFd>(must(make_eventfd()));
  }

  std::shared_ptr<InterfaceStats> slave_stats_ = std::make_shared<InterfaceStats>();
  std::shared_ptr<InterfaceStats> master_stats_ = std::make_shared<InterfaceStats>();
  std::shared_ptr<Link> slave_;
  std::shared_ptr<Link> master_;
  std::vector<Ring> s2m_;
  std::vector<Ring> m2s_;
};

inline Settings small_offer(std::uint32_t ring_size, std::uint32_t buffer_size) {
  Settings offer;
  offer.ring_size = ring_size;
  offer.buffer_size = buffer_size;
  return offer;
}

inline constexpr Direction kBothDirections[] = {Direction::s2m, Direction::m2s};

// ---- Packets --------------------------------------------------------------------------------

using Bytes = std::vector<std::byte>;

/** Bytes that tell packet @p number from all others, at every place. */
inline Bytes packet(std::uint64_t number, std::size_t length) {
  Bytes bytes(length);
  for (std::size_t i = 0; i < length; ++i) {
    bytes[i] = static_cast<std::byte>((number * 131 + i * 7 + (i >> 8)) & 0xff);
  }
  return bytes;
}

/** What became of one packet that was to be sent. */
enum class Sent { ok, full, dropped, link_lost };

inline Sent outcome(const TxBurst& burst) {
  if (burst.result == SendResult::full) return Sent::full;
  if (burst.result == SendResult::link_lost) return Sent::link_lost;
  expect(burst.done() == 1, "neither sent nor dropped");
  return burst.dropped != 0 ? Sent::dropped : Sent::ok;
}

/** @param queue a TxQueue or a Sender */
template <class Queue>
Sent send_one(Queue& queue, TxPacket packet) {
  return outcome(queue.send_burst({&packet, 1}));
}

inline Sent send(TxQueue& tx, const Bytes& bytes) {
  const TxSegment segment(bytes);
  return send_one(tx, {&segment, 1});
}

/** Sends @p length bytes from @p offset on, in the buffer at place @p i of the loan. */
inline Sent exchange(TxQueue& tx, Loan& loan, std::uint32_t i, std::uint32_t offset,
                     std::uint32_t length) {
  const PacketDesc packet{offset, length, 0, i};
  return outcome(tx.send_burst_zero_copy(loan, {&packet, 1}));
}

/** @p bytes as often as @p n times, in one burst. */
template <class Queue>
std::uint32_t send_copies(Queue& queue, TxSegment bytes, std::uint32_t n) {
  const std::vector<PacketDesc> packets(n, {0, static_cast<std::uint32_t>(bytes.size()), 0, 0});
  return queue.send_burst(bytes, packets).sent;
}

/** The packets that segments of one receive() make up. */
inline std::vector<Bytes> join(std::span<const RxSegment> segments) {
  std::vector<Bytes> packets;
  bool more = false;
  for (const RxSegment& segment : segments) {
    if (!more) packets.emplace_back();
    packets.back().insert(packets.back().end(), segment.data, segment.data + segment.length);
    more = segment.more;
  }
  expect(!more, "the last packet does not end");
  return packets;
}

inline std::vector<Bytes> receive(RxQueue& rx, std::uint32_t max_packets = 65536) {
  std::vector<Bytes> packets = join(rx.receive(max_packets));
  expect(rx.release(), "packets that must not be used");
  return packets;
}

/** What one receive_lent() came to. */
struct Taken {
  Loan* loan = nullptr;  ///< none: the packets were not lent
  std::vector<Bytes> packets;
};

/** Receives, if possible without a copy, and looks at each packet. It is to be released yet. */
inline Taken take(RxQueue& rx, const std::shared_ptr<Link>& link,
                  std::uint32_t max_packets = 65536) {
  static thread_local std::vector<PacketDesc> room(65536);
  const RxBurst burst = rx.receive_lent(link, std::span(room).first(max_packets));
  if (burst.loan == nullptr) return {nullptr, join(burst.segments)};
  const Loan& loan = *burst.loan;
  expect(burst.segments.empty() && loan.count == burst.packets.size(), "lent, and not lent");
  Taken taken{burst.loan, {}};
  for (std::uint32_t i = 0; i < loan.count; ++i) {
    const auto [offset, length, unused, token] = burst.packets[i];
    expect(unused == 0 && token == i, "packets out of order");
    const std::uint64_t reach = std::uint64_t{loan.buffers[i].offset} + loan.buffer_size;
    // A buffer is lent whole. The longest packet may be longer than what follows a short one.
    if (loan.writable) expect(reach <= loan.size(), "a buffer outside of what is lent");
    expect(length != 0 && offset >= loan.buffers[i].offset &&
               std::uint64_t{offset} + length <= std::min<std::uint64_t>(reach, loan.size()),
           "a packet outside of what is lent");
    taken.packets.emplace_back(loan.base() + offset, loan.base() + offset + length);
  }
  return taken;
}

/** Takes and releases. The loan, if there is one, is still out. */
inline Loan* lend(RxQueue& rx, const std::shared_ptr<Link>& link,
                  std::uint32_t max_packets = 65536) {
  Loan* loan = take(rx, link, max_packets).loan;
  rx.release();
  return loan;
}

/** One packet, to compare with what was received. */
inline std::vector<Bytes> only(Bytes bytes) {
  std::vector<Bytes> packets;
  packets.push_back(std::move(bytes));
  return packets;
}

/** Numbers below a limit, the same ones at every run. */
class Dice {
 public:
  explicit Dice(unsigned seed) : random_(seed) {}
  std::uint32_t below(std::uint32_t limit) { return static_cast<std::uint32_t>(random_() % limit); }
  bool coin() { return below(2) == 0; }

 private:
  std::mt19937 random_;
};

inline std::uint64_t dropped(const QueueStats& stats, DropReason reason) {
  return stats.drops[static_cast<std::size_t>(reason)].get();
}

}  // namespace memiftest
