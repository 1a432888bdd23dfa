// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * A link of either role whose peer writes indexes, descriptors, flags and bytes of its choice
 * between any two calls of ours, and takes its memory away.
 */
#include <set>
#include <vector>

#include "gst/memif/data/link.hpp"
#include "memory.hpp"
#include "ring_peer.hpp"

using namespace gstmemif;
using fuzz::Input;
using fuzz::require;

namespace {

constexpr std::uint64_t kRegionSize = 16384;

UniqueFd eventfd_or_end() {
  Result<UniqueFd> fd = make_eventfd();
  require(bool(fd), "no eventfd");
  return std::move(*fd);
}

// ---- Links ----------------------------------------------------------------------------------

/** As slave: memory of our own. */
LinkPlan slave_plan(Input& input) {
  Settings offer;
  offer.ring_size = 2U << input.below(6);
  offer.buffer_size = 1 + input.get<std::uint16_t>() % 300;
  offer.cache_line = input.flag() ? 128 : 64;
  Result<LinkPlan> plan = build_slave_memory(offer);
  require(bool(plan), "no memory");
  return std::move(*plan);
}

/** As master: rings in the first of one to three regions of the peer's. */
LinkPlan master_plan(Input& input, std::vector<UniqueFd>& files) {
  LinkPlan plan;
  plan.role = Role::master;
  plan.cache_line = input.flag() ? 128 : 64;
  for (unsigned n = 1 + input.below(3); n > 0; --n) {
    const bool sealed = input.below(4) != 0;
    files.push_back(fuzz::memory_file(kRegionSize, sealed ? F_SEAL_SHRINK : 0));
    UniqueFd passed(::fcntl(files.back().get(), F_DUPFD_CLOEXEC, 0));
    const std::uint64_t size = kRegionSize - (input.flag() ? 0 : input.get<std::uint8_t>());
    Result<Region> region = Region::map(std::move(passed), size);
    require(bool(region), "no region");
    plan.regions.push_back(std::move(*region));
  }
  const std::uint32_t slots = 2U << input.below(6);
  std::uint32_t offset = 0;
  for (auto* rings : {&plan.s2m, &plan.m2s}) {
    rings->push_back({eventfd_or_end(), 0, offset, slots});
    offset += static_cast<std::uint32_t>(RingLayout{plan.cache_line, slots}.bytes());
  }
  return plan;
}

// ---- We -------------------------------------------------------------------------------------

class User {
 public:
  explicit User(std::shared_ptr<Link> link) : link_(std::move(link)) {}
  ~User() {
    while (!held_.empty()) give_back(0);
  }
  User(const User&) = delete;

  void act(Input& input) {
    switch (input.below(13)) {
      case 0:
        return receive(1 + input.below(64));
      case 1:
      case 2:
        return lend(1 + input.below(64), input.flag());
      case 3:
        return give_back(input.get<std::uint8_t>());
      case 4:
        return borrow(1 + input.below(20));
      case 5:
      case 6:
        return exchange(input);
      case 7:
        return send(input);
      case 8:
        return send_burst(input);
      case 9:
        return tx().flush();
      case 10:
        return receiver_odds(input);
      case 11:
        return sender_odds(input);
      default:
        return lend_long(1 + input.below(64), 1 + input.below(256));
    }
  }
  /** The link is given up, the packets are kept. */
  void drop_link() { link_.reset(); }
  bool has_link() const { return link_ != nullptr; }

 private:
  RxQueue& rx() { return *link_->rx(0); }
  TxQueue& tx() { return *link_->tx(0); }

  bool inside(const std::byte* data, std::uint32_t length) {
    for (const Region& region : link_->state().regions()) {
      if (data >= region.data() && data + length <= region.data() + region.size()) return true;
    }
    return false;
  }
  static void touch(const std::byte* data, std::size_t length) {
    // The ends: a sanitizer or the kernel judges.
    volatile std::byte touched = data[0];
    touched = data[length - 1];
    (void)touched;
  }

  void check_segments(std::span<const RxSegment> segments, std::uint32_t most) {
    bool more = false;
    std::uint32_t packets = 0;
    for (const RxSegment& segment : segments) {
      require(inside(segment.data, segment.length), "a segment outside of all regions");
      require(segment.length != 0, "an empty segment");
      packets += more ? 0 : 1;
      more = segment.more;
      touch(segment.data, segment.length);
    }
    require(!more && packets <= most, "a packet that does not end, or too many");
  }
  void receive(std::uint32_t most) {
    const auto packets = rx().stats().packets.get();
    const auto segments = rx().receive(most);
    check_segments(segments, most);
    require(segments.empty() == (rx().stats().packets.get() == packets), "packets not counted");
    rx().release();
  }
  void lend(std::uint32_t most, bool release) {
    std::vector<PacketDesc> packets(most);
    const RxBurst burst = rx().receive_lent(link_, packets);
    if (burst.loan == nullptr) {
      check_segments(burst.segments, most);
    } else {
      const std::size_t n = burst.packets.size();
      require(burst.loan->count == n && n <= most && burst.segments.empty(), "not what was lent");
      for (std::size_t i = 0; i < n; ++i) {
        const PacketDesc& packet = burst.packets[i];
        require(packet.token == i && packet.length != 0, "an empty packet, or one twice");
        require(std::uint64_t{packet.offset} + packet.length <= burst.loan->size(),
                "a packet outside of its region");
      }
      packets.resize(n);
      hold(burst.loan, std::move(packets));
    }
    if (release || burst.loan != nullptr) rx().release();
  }
  void lend_long(std::uint32_t most, std::uint32_t long_from) {
    PacketDesc packet{};
    const RxBurst burst = rx().receive_or_lend(link_, most, long_from, packet);
    if (burst.loan == nullptr) {
      check_segments(burst.segments, most);
    } else {
      require(burst.loan->count == 1 && burst.packets.size() == 1 && packet.token == 0 &&
                  packet.length >= long_from && burst.segments.empty(),
              "not one long packet");
      require(std::uint64_t{packet.offset} + packet.length <= burst.loan->size(),
              "a packet outside of its region");
      hold(burst.loan, {packet});
    }
    rx().release();
  }
  void borrow(std::uint32_t count) {
    Loan* loan = tx().borrow(link_, count);
    if (loan == nullptr) return;
    require(loan->count != 0 && loan->count <= count && loan->writable, "not what was asked for");
    std::vector<PacketDesc> packets;
    for (std::uint32_t i = 0; i < loan->count; ++i) {
      const std::uint32_t offset = loan->buffers[i].offset;
      require(std::uint64_t{offset} + loan->buffer_size <= loan->size(),
              "a buffer outside of its region");
      std::memset(loan->base() + offset, 0x5a, loan->buffer_size);
      packets.push_back({offset, loan->buffer_size, 0, i});
    }
    hold(loan, std::move(packets));
  }

  /** In place of a token: the packet is in the ring, or somewhere else. */
  static constexpr std::uint32_t kSent = ~0U;

  struct Held {
    Loan* loan;
    std::vector<PacketDesc> packets;
  };
  void hold(Loan* loan, std::vector<PacketDesc> packets) {
    require(loan->link() == link_, "a loan of another link");
    held_.push_back({loan, std::move(packets)});
    for (const PacketDesc& packet : held_.back().packets) {
      touch(loan->base() + packet.offset, packet.length);
    }
    if (held_.size() > 12) give_back(0);
    check_places();
  }
  /** As slave a buffer has one owner at a time. */
  void check_places() {
    std::set<std::uint32_t> places;
    for (const Held& held : held_) {
      if (!held.loan->writable) continue;
      for (const BufferPlace& place : held.loan->places()) {
        require(place.region == kFirstBufferRegion, "a buffer among the rings");
        require(places.insert(place.offset).second, "a buffer that two have");
      }
    }
  }
  void give_back(std::size_t i) {
    if (held_.empty()) return;
    const auto which = held_.begin() + static_cast<std::ptrdiff_t>(i % held_.size());
    // Until the end they can be read, wherever they lie by now.
    for (const PacketDesc& packet : which->packets) {
      if (packet.token != kSent) touch(which->loan->base() + packet.offset, packet.length);
    }
    which->loan->give_back();
    held_.erase(which);
  }

  void exchange(Input& input) {
    if (held_.empty()) return;
    Held& held = held_[input.below(static_cast<unsigned>(held_.size()))];
    if (!held.loan->writable || held.packets.empty()) return;
    PacketDesc& packet = held.packets[input.below(static_cast<unsigned>(held.packets.size()))];
    if (packet.token == kSent) return;
    PacketDesc sent = packet;
    if (input.below(8) == 0) {
      sent.offset = input.around<std::uint32_t>({0, packet.offset + 1, packet.offset - 1});
      sent.length = input.around<std::uint32_t>({0, packet.length + 1});
    }
    // Nobody has the packet afterwards: another buffer is in its place.
    if (tx().send_burst_zero_copy(*held.loan, {&sent, 1}).sent == 1) packet.token = kSent;
    check_places();
  }
  void send(Input& input) {
    std::vector<TxSegment> segments;
    for (unsigned n = input.below(4); n > 0; --n) segments.push_back(some(input));
    const auto dropped = tx().stats().dropped();
    const TxPacket packet(segments);
    const TxBurst burst = tx().send_burst({&packet, 1});
    require(burst.dropped == tx().stats().dropped() - dropped, "a drop not counted");
    require((burst.done() == 1) == (burst.result == SendResult::ok), "a packet without a fate");
  }
  void send_burst(Input& input) {
    const std::uint32_t n = input.below(80);
    const TxSegment memory = some(input);
    const auto dropped = tx().stats().dropped();
    const std::vector<PacketDesc> packets(
        n, {input.below(4), input.around<std::uint16_t>({60, 1, 0, 130}), 0, 0});
    const TxBurst burst = tx().send_burst(memory, packets);
    require(burst.done() <= n && (burst.done() == n) == (burst.result == SendResult::ok),
            "more than there were, or fewer");
    require(burst.dropped == tx().stats().dropped() - dropped, "a drop not counted");
  }
  static TxSegment some(Input& input) {
    static const std::vector<std::byte> bytes(1 << 16, std::byte{0xa5});
    return std::span(bytes).first(input.around<std::uint16_t>({60, 1, 0, 130}));
  }
  void receiver_odds(Input& input) {
    switch (input.below(5)) {
      case 0:
        rx().release();
        break;
      case 1:
        rx().vacate_slots();
        break;
      case 2:
        rx().reclaim_slots();
        break;
      case 3:
        rx().set_interrupts(input.flag());
        break;
      default:
        (void)(rx().pending() || rx().lends_slots());
    }
  }
  void sender_odds(Input& input) {
    switch (input.below(8)) {
      case 0:
        return tx().discard();
      case 1:
        return link_->mark_down();
      default:
        (void)tx().has_room();
    }
  }

  std::shared_ptr<Link> link_;
  std::vector<Held> held_;
};

void check_counters(InterfaceStats& stats) {
  require(stats.rx(0).packets.get() <= stats.rx(0).bytes.get(), "packets without bytes");
  require(stats.tx(0).packets.get() <= stats.tx(0).bytes.get(), "packets without bytes");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::NoLeakedFds no_leaks;
  Input input(data, size);
  std::vector<UniqueFd> files;
  LinkPlan plan = input.flag() ? master_plan(input, files) : slave_plan(input);
  fuzz::RingPeer peer(plan, std::move(files));
  const auto stats = std::make_shared<InterfaceStats>();
  auto link = std::make_shared<Link>(std::move(plan), stats,
                                     std::make_shared<const UniqueFd>(eventfd_or_end()));
  User user(link);
  for (int step = 0; step < 300 && !input.ended(); ++step) {
    if (input.below(2) == 0) {
      peer.act(*link, input);
    } else {
      user.act(input);
    }
  }
  check_counters(*stats);
  // Packets that are held keep the memory.
  link.reset();
  user.drop_link();
  return 0;
}
