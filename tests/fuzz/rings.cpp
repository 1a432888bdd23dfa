// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file A link of either role whose peer writes indexes, descriptors, flags and bytes of its choice
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
  SlaveOffer offer;
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
    switch (input.below(12)) {
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
      default:
        return sender_odds(input);
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
    std::uint32_t n = 0;
    std::uint64_t end = 0;
    std::vector<LentPacket> packets;
    const RxBurst burst = rx().receive_lent(link_, most, [&] {
      return [&](std::size_t i, std::uint32_t offset, std::uint32_t length) {
        require(i == n++ && length != 0, "an empty packet, or one twice");
        end = std::max(end, std::uint64_t{offset} + length);
        packets.push_back({nullptr, offset, length});
      };
    });
    if (burst.loan == nullptr) {
      check_segments(burst.segments, most);
    } else {
      require(burst.loan->count == n && n <= most && burst.segments.empty(), "not what was lent");
      require(end <= burst.loan->size(), "a packet outside of its region");
      for (std::size_t i = 0; i < n; ++i) packets[i].buffer = &burst.loan->buffers[i];
      hold(burst.loan, std::move(packets));
    }
    if (release || burst.loan != nullptr) rx().release();
  }
  void borrow(std::uint32_t count) {
    Loan* loan = tx().borrow(link_, count);
    if (loan == nullptr) return;
    require(loan->count != 0 && loan->count <= count && loan->ours, "not what was asked for");
    std::vector<LentPacket> packets;
    for (std::uint32_t i = 0; i < loan->count; ++i) {
      const std::uint32_t offset = loan->buffers[i].offset;
      require(std::uint64_t{offset} + loan->reach <= loan->size(),
              "a buffer outside of its region");
      std::memset(loan->base() + offset, 0x5a, loan->reach);
      packets.push_back({&loan->buffers[i], offset, loan->reach});
    }
    hold(loan, std::move(packets));
  }

  struct Held {
    Loan* loan;
    std::vector<LentPacket> packets;
  };
  void hold(Loan* loan, std::vector<LentPacket> packets) {
    require(loan->link() == link_, "a loan of another link");
    held_.push_back({loan, std::move(packets)});
    for (const LentPacket& packet : held_.back().packets) {
      touch(loan->base() + packet.offset, packet.length);
    }
    if (held_.size() > 12) give_back(0);
    check_places();
  }
  /** As slave a buffer has one owner at a time. */
  void check_places() {
    std::set<std::uint32_t> places;
    for (const Held& held : held_) {
      if (!held.loan->ours) continue;
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
    for (const LentPacket& packet : which->packets) {
      if (packet.buffer != nullptr) touch(which->loan->base() + packet.offset, packet.length);
    }
    which->loan->give_back();
    held_.erase(which);
  }

  void exchange(Input& input) {
    if (held_.empty()) return;
    Held& held = held_[input.below(static_cast<unsigned>(held_.size()))];
    if (!held.loan->ours || held.packets.empty()) return;
    LentPacket& packet = held.packets[input.below(static_cast<unsigned>(held.packets.size()))];
    if (packet.buffer == nullptr) return;
    LentPacket sent = packet;
    if (input.below(8) == 0) {
      sent.offset = input.around<std::uint32_t>({0, packet.offset + 1, packet.offset - 1});
      sent.length = input.around<std::uint32_t>({0, packet.length + 1});
    }
    // Nobody has the packet afterwards: another buffer is in its place.
    if (tx().exchange(sent) == SendResult::ok) packet.buffer = nullptr;
    check_places();
  }
  void send(Input& input) {
    std::vector<TxSegment> segments;
    for (unsigned n = input.below(4); n > 0; --n) segments.push_back(some(input));
    const auto dropped = tx().stats().dropped();
    const SendResult sent = tx().send(segments);
    require((sent == SendResult::dropped) == (tx().stats().dropped() != dropped),
            "a drop not counted");
  }
  void send_burst(Input& input) {
    const std::uint32_t n = input.below(80);
    const TxSegment piece = some(input);
    require(tx().send_burst(n, [&](std::size_t) { return piece; }) <= n, "more than there were");
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
  if (link->role() == Role::slave) link->publish_buffers();
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
