// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * What goes into a ring comes out of it: the same packets, in order, in both directions, however
 * they are cut up, batched and chained, while 16-bit indexes wrap around several times.
 */
#include "gst/common/copy.hpp"
#include "gst/memif/data/rx_queue.hpp"
#include "gst/memif/data/stream_copy.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/mman.h>

#include <deque>

#include "gst/memif/data/tx_queue.hpp"

#include "linkpair.hpp"

using namespace memiftest;

namespace {

constexpr std::uint64_t kPackets = 140'000;  // 16-bit indexes wrap twice

/** Bursts of @p batch, as far as the ring has room, received in bursts of another size. */
void run_through(Direction direction, std::uint32_t ring_size, std::uint32_t batch) {
  LinkPair pair(small_offer(ring_size, 64));
  TxQueue& tx = pair.tx(direction);
  RxQueue& rx = pair.rx(direction);
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  while (received < kPackets) {
    for (std::uint32_t i = 0; i < batch; ++i) {
      const std::uint64_t number = sent;
      const TxSegment segment(reinterpret_cast<const std::byte*>(&number), sizeof number);
      const Sent result = send_one(tx, {&segment, 1});
      if (result == Sent::full) break;
      expect(result == Sent::ok, "not sent");
      ++sent;
    }
    tx.flush();
    const std::uint32_t most = batch + static_cast<std::uint32_t>(received % 3);
    std::uint64_t packets = 0;
    for (const RxSegment& segment : rx.receive(most)) {
      std::uint64_t number;
      std::memcpy(&number, segment.data, sizeof number);
      expect(segment.length == sizeof number && !segment.more, "not one packet");
      expect(number == received, "out of order");
      ++received;
      ++packets;
    }
    expect(packets != 0 && packets <= most, "a batch of the wrong size");
    expect(rx.release(), "not released");
  }
  fail_unless_equals_uint64(tx.stats().packets.get(), sent);
  fail_unless_equals_uint64(tx.stats().bytes.get(), sent * sizeof sent);
  fail_unless_equals_uint64(rx.stats().packets.get(), received);
  fail_unless_equals_uint64(rx.stats().bytes.get(), received * sizeof sent);
  fail_unless_equals_uint64(tx.stats().dropped() + rx.stats().dropped(), 0);
}

constexpr std::uint32_t kBatches[] = {1, 2, 31, 32, 33, 255, 256, 257};

/** Hands @p bytes over in pieces, some of them empty. */
Sent send_in_pieces(TxQueue& tx, const Bytes& bytes, Dice& dice) {
  std::vector<TxSegment> segments;
  std::span<const std::byte> left(bytes);
  while (!left.empty()) {
    if (dice.below(3) == 0) segments.emplace_back();
    const auto size = static_cast<std::uint32_t>(left.size());
    const std::size_t n = dice.coin() ? size : 1 + dice.below(size);
    segments.push_back(left.first(n));
    left = left.subspan(n);
  }
  if (dice.coin()) segments.emplace_back();
  return send_one(tx, segments);
}

std::uint64_t counter_of(int event_fd) {
  std::uint64_t count = 0;
  return ::read(event_fd, &count, sizeof count) == sizeof count ? count : 0;
}

}  // namespace

GST_START_TEST(test_every_batch_in_every_ring) {
  const std::uint32_t batch = kBatches[__i__];
  for (const Direction direction : kBothDirections) {
    for (std::uint32_t ring_size : {2U, 32U, 256U, 16384U}) {
      run_through(direction, ring_size, batch);
    }
  }
}
GST_END_TEST

GST_START_TEST(test_every_ring_size) {
  for (const Direction direction : kBothDirections) {
    for (std::uint32_t ring_size = 2; ring_size <= 16384; ring_size *= 2) {
      run_through(direction, ring_size, 100);
    }
  }
}
GST_END_TEST

GST_START_TEST(test_lengths_around_the_buffer_size) {
  constexpr std::uint32_t kRing = 8;
  for (const Direction direction : kBothDirections) {
    for (std::uint32_t capacity : {1U, 64U, 100U, 2048U, 100'000U}) {
      LinkPair pair(small_offer(kRing, capacity));
      TxQueue& tx = pair.tx(direction);
      RxQueue& rx = pair.rx(direction);
      std::uint64_t number = 0;
      for (int round = 0; round < 20; ++round) {
        for (std::uint32_t length : {1U, capacity - 1, capacity, capacity + 1, 3 * capacity,
                                     kRing * capacity - 1, kRing * capacity}) {
          if (length == 0) continue;
          const Bytes bytes = packet(++number, length);
          fail_unless(send(tx, bytes) == Sent::ok);
          tx.flush();
          const std::vector<Bytes> packets = receive(rx);
          fail_unless_equals_uint64(packets.size(), 1);
          fail_unless(packets[0] == bytes, "%u bytes in buffers of %u", length, capacity);
        }
      }
      fail_unless_equals_uint64(rx.stats().packets.get(), number);
    }
  }
}
GST_END_TEST

/** Megabytes are copied past the caches, into one buffer or many. */
GST_START_TEST(test_lengths_around_the_size_that_is_streamed) {
  constexpr std::uint32_t kRing = 128, kStreamed = kStreamedSize;
  for (const Direction direction : kBothDirections) {
    for (const auto& [ring, capacity] :
         {std::pair{4U, kStreamed + 100'000}, std::pair{kRing, kStreamed / 100}}) {
      LinkPair pair(small_offer(ring, capacity));
      std::uint64_t number = 0;
      for (std::uint32_t length : {kStreamed - 1, kStreamed, kStreamed + 1, kStreamed + 77'777}) {
        const Bytes bytes = packet(++number, length);
        fail_unless(send(pair.tx(direction), bytes) == Sent::ok);
        pair.tx(direction).flush();
        const std::vector<Bytes> packets = receive(pair.rx(direction));
        fail_unless_equals_uint64(packets.size(), 1);
        fail_unless(packets[0] == bytes, "%u bytes in buffers of %u", length, capacity);
      }
    }
  }
}
GST_END_TEST

GST_START_TEST(test_a_packet_longer_than_the_ring_is_dropped) {
  for (const Direction direction : kBothDirections) {
    LinkPair pair(small_offer(4, 64));
    TxQueue& tx = pair.tx(direction);
    fail_unless(send(tx, packet(1, 4 * 64 + 1)) == Sent::dropped);
    fail_unless(send(tx, packet(1, 100'000)) == Sent::dropped);
    fail_unless_equals_uint64(dropped(tx.stats(), DropReason::too_long), 2);
    // Not even while others wait in the ring: it would wait for ever.
    fail_unless(send(tx, packet(2, 64)) == Sent::ok);
    fail_unless(send(tx, packet(1, 4 * 64 + 1)) == Sent::dropped);
    tx.flush();
    fail_unless(receive(pair.rx(direction)) == only(packet(2, 64)));
  }
}
GST_END_TEST

GST_START_TEST(test_an_empty_packet_is_dropped) {
  for (const Direction direction : kBothDirections) {
    LinkPair pair(small_offer(4, 64));
    TxQueue& tx = pair.tx(direction);
    const TxSegment nothing[2] = {};
    fail_unless(send_one(tx, {}) == Sent::dropped);
    fail_unless(send_one(tx, nothing) == Sent::dropped);
    fail_unless_equals_uint64(dropped(tx.stats(), DropReason::empty), 2);
    tx.flush();
    fail_if(pair.rx(direction).pending());
  }
}
GST_END_TEST

GST_START_TEST(test_full_ring) {
  for (const Direction direction : kBothDirections) {
    LinkPair pair(small_offer(4, 64));
    TxQueue& tx = pair.tx(direction);
    RxQueue& rx = pair.rx(direction);
    for (int i = 0; i < 4; ++i) fail_unless(send(tx, packet(i, 10)) == Sent::ok);
    fail_unless(send(tx, packet(9, 10)) == Sent::full);
    fail_if(tx.has_room());
    tx.flush();
    fail_unless_equals_uint64(join(rx.receive(1)).size(), 1);
    fail_unless(send(tx, packet(9, 10)) == Sent::full, "a slot was used before it was released");
    fail_unless(rx.release());
    fail_unless(tx.has_room());
    fail_unless(send(tx, packet(4, 65)) == Sent::full, "a chain needs all of its slots");
    fail_unless(send(tx, packet(4, 64)) == Sent::ok);
    tx.flush();
    const std::vector<Bytes> packets = receive(rx);
    fail_unless_equals_uint64(packets.size(), 4);
    for (int i = 0; i < 4; ++i) fail_unless(packets[i] == packet(i + 1, i == 3 ? 64 : 10));
  }
}
GST_END_TEST

GST_START_TEST(test_waiting_for_room_waits_for_enough) {
  for (const Direction direction : kBothDirections) {
    LinkPair pair(small_offer(4, 64));
    TxQueue& tx = pair.tx(direction);
    RxQueue& rx = pair.rx(direction);
    for (int i = 0; i < 2; ++i) fail_unless(send(tx, packet(i, 64)) == Sent::ok);
    tx.flush();
    fail_unless(send(tx, packet(9, 4 * 64)) == Sent::full);
    fail_if(tx.has_room(), "two slots are not room for a packet of four");
    receive(rx, 1);
    fail_if(tx.has_room(), "three slots are not room for a packet of four");
    receive(rx, 1);
    fail_unless(tx.has_room());
    fail_unless(send(tx, packet(9, 4 * 64)) == Sent::ok);
  }
}
GST_END_TEST

GST_START_TEST(test_nothing_is_seen_before_flush) {
  for (const Direction direction : kBothDirections) {
    LinkPair pair(small_offer(8, 64));
    fail_unless(send(pair.tx(direction), packet(1, 200)) == Sent::ok);
    fail_if(pair.rx(direction).pending());
    fail_unless_equals_uint64(pair.rx(direction).receive(10).size(), 0);
    pair.tx(direction).flush();
    fail_unless_equals_uint64(receive(pair.rx(direction)).size(), 1);
  }
}
GST_END_TEST

/** Random sends, flushes and receives against a queue of what should be in the ring. */
GST_START_TEST(test_random_sequences_against_a_model) {
  Dice dice(static_cast<unsigned>(__i__));
  const std::uint32_t capacity = 1 + dice.below(200);
  const std::uint32_t ring_size = 2U << dice.below(7);
  for (const Direction direction : kBothDirections) {
    LinkPair pair(small_offer(ring_size, capacity));
    TxQueue& tx = pair.tx(direction);
    RxQueue& rx = pair.rx(direction);
    std::deque<Bytes> written;
    std::deque<Bytes> published;
    std::uint32_t used = 0;
    const auto slots = [&](std::size_t length) {
      return static_cast<std::uint32_t>((length + capacity - 1) / capacity);
    };
    for (int step = 0; step < 30'000; ++step) {
      const unsigned what = dice.below(10);
      if (what < 6) {
        const std::uint32_t most = dice.below(4) == 0 ? (ring_size + 1) * capacity : capacity;
        Bytes bytes = packet(static_cast<std::uint64_t>(step), 1 + dice.below(most));
        const std::uint32_t needed = slots(bytes.size());
        const Sent expected = needed > ring_size          ? Sent::dropped
                              : needed > ring_size - used ? Sent::full
                                                          : Sent::ok;
        const Sent sent = send_in_pieces(tx, bytes, dice);
        // In a full ring a packet that is too long may be told so now or later.
        expect(sent == expected || (needed > ring_size && sent == Sent::full), "wrong answer");
        if (sent != Sent::ok) continue;
        used += needed;
        written.push_back(std::move(bytes));
      } else if (what < 8) {
        tx.flush();
        for (Bytes& bytes : written) published.push_back(std::move(bytes));
        written.clear();
      } else {
        const std::uint32_t most = 1 + dice.below(40);
        const std::vector<Bytes> packets = receive(rx, most);
        expect(packets.size() == std::min<std::size_t>(most, published.size()), "wrong number");
        for (const Bytes& bytes : packets) {
          expect(bytes == published.front(), "wrong bytes");
          used -= slots(bytes.size());
          published.pop_front();
        }
      }
    }
    fail_unless_equals_uint64(rx.stats().dropped(), 0);
  }
}
GST_END_TEST

GST_START_TEST(test_flags_of_a_slot_are_written_anew) {
  for (const Direction direction : kBothDirections) {
    LinkPair pair(small_offer(4, 64));
    for (std::uint16_t i = 0; i < 4; ++i) {
      Descriptor stale = pair.ring(direction).read(i);
      stale.flags = 0xffff;
      pair.ring(direction).write(i, stale);
    }
    for (int i = 0; i < 2; ++i) fail_unless(send(pair.tx(direction), packet(i, 9)) == Sent::ok);
    fail_unless(send(pair.tx(direction), packet(2, 65)) == Sent::ok);
    pair.tx(direction).flush();
    for (std::uint16_t i = 0; i < 4; ++i) {
      fail_unless_equals_int(pair.ring(direction).read(i).flags, i == 2 ? kDescriptorNext : 0);
    }
    fail_unless_equals_uint64(receive(pair.rx(direction)).size(), 3);
  }
}
GST_END_TEST

GST_START_TEST(test_one_wake_up_per_flush_and_none_when_masked) {
  for (const Direction direction : kBothDirections) {
    LinkPair pair(small_offer(64, 64));
    TxQueue& tx = pair.tx(direction);
    RxQueue& rx = pair.rx(direction);
    const auto burst = [&] {
      for (int i = 0; i < 5; ++i) fail_unless(send(tx, packet(i, 9)) == Sent::ok);
      tx.flush();
      tx.flush();
    };
    rx.set_interrupts(true);
    burst();
    fail_unless_equals_uint64(counter_of(rx.event_fd()), 1);
    fail_unless_equals_uint64(tx.stats().interrupts.get(), 1);
    rx.set_interrupts(false);
    burst();
    fail_unless_equals_uint64(counter_of(rx.event_fd()), 0);
    rx.set_interrupts(true);
    tx.flush();
    fail_unless_equals_uint64(counter_of(rx.event_fd()), 0);
    burst();
    fail_unless_equals_uint64(counter_of(rx.event_fd()), 1);
    fail_unless_equals_uint64(tx.stats().interrupts.get(), 2);
    fail_unless_equals_uint64(tx.stats().batches.get(), 3);
  }
}
GST_END_TEST

GST_START_TEST(test_queues_do_not_disturb_each_other) {
  Settings offer = small_offer(16, 128);
  offer.tx_queues = 3;
  offer.rx_queues = 2;
  LinkPair pair(offer);
  for (const Direction direction : kBothDirections) {
    const std::size_t queues = direction == Direction::s2m ? 3 : 2;
    for (int round = 0; round < 100; ++round) {
      for (std::size_t q = 0; q < queues; ++q) {
        fail_unless(send(pair.tx(direction, q), packet(q, 100 + q)) == Sent::ok);
        pair.tx(direction, q).flush();
      }
      for (std::size_t q = 0; q < queues; ++q) {
        fail_unless(receive(pair.rx(direction, q)) == only(packet(q, 100 + q)));
      }
    }
  }
  fail_unless(pair.slave().rx(2) == nullptr && pair.master().tx(2) == nullptr);
}
GST_END_TEST

namespace {

void expect_copied(const Bytes& from, const Bytes& to, std::size_t at, std::size_t size) {
  const auto begin = to.begin() + static_cast<std::ptrdiff_t>(at);
  const auto end = begin + static_cast<std::ptrdiff_t>(size);
  const auto untouched = [](std::byte b) { return b == std::byte{0xaa}; };
  expect(std::equal(begin, end, from.begin()), "wrong bytes");
  expect(std::all_of(to.begin(), begin, untouched) && std::all_of(end, to.end(), untouched),
         "bytes beside them");
}

}  // namespace

// Around the sizes that are copied without a call: every byte, and none besides.
GST_START_TEST(test_copies_of_every_size) {
  constexpr std::size_t kMost = 300;
  const Bytes from = packet(5, kMost);
  for (std::size_t size = 1; size <= kMost; ++size) {
    Bytes to(kMost + 2, std::byte{0xaa});
    gstcommon::copy_packet(to.data() + 1, from.data(), size);
    expect_copied(from, to, 1, size);
  }
}
GST_END_TEST

/** From and to any place in a cache line. */
GST_START_TEST(test_streamed_copies_of_every_size) {
  constexpr std::size_t kMost = 200, kLine = 64;
  const Bytes from = packet(6, kMost);
  for (std::size_t at = 0; at < kLine; ++at) {
    for (std::size_t size = 0; size <= kMost; ++size) {
      Bytes to(kMost + kLine, std::byte{0xaa});
      stream_copy(to.data() + at, from.data(), size);
      finish_stream_copies();
      expect_copied(from, to, at, size);
    }
  }
}
GST_END_TEST

/** Of packets, as either end sees it, until their slots are given back. */
GST_START_TEST(test_how_full_a_ring_is) {
  for (const Direction direction : {Direction::s2m, Direction::m2s}) {
    LinkPair pair(small_offer(8, 64));
    const bool to_master = direction == Direction::s2m;
    const auto expect_fill = [&](std::uint32_t slots) {
      for (Link* link : {&pair.slave(), &pair.master()}) {
        const bool receives = (link == &pair.master()) == to_master;
        const auto fill = link->ring_fill(receives, 0);
        fail_unless(fill && fill->slots == slots && fill->ring_size == 8, "%u slots",
                    fill ? fill->slots : 0);
        fail_unless_equals_int(fill->head, pair.ring(direction).load_head());
        fail_unless_equals_int(fill->tail, pair.ring(direction).load_tail());
      }
    };
    expect_fill(0);
    for (int i = 0; i < 3; ++i) fail_unless(send(pair.tx(direction), packet(1, 20)) == Sent::ok);
    expect_fill(0);
    pair.tx(direction).flush();
    expect_fill(3);
    fail_unless_equals_uint64(pair.rx(direction).receive(2).size(), 2);
    expect_fill(3);
    fail_unless(pair.rx(direction).release());
    expect_fill(1);
    fail_if(pair.slave().ring_fill(to_master, 1) || pair.master().ring_fill(to_master, 1));
    // What a hostile peer writes is no more than the ring holds.
    pair.ring(direction).store_head(30'000);
    expect_fill(to_master ? 8 : 0);
  }
}
GST_END_TEST

namespace {

/** The counters of a sending queue at the moment of the first write to a region. */
class AtFirstWrite {
 public:
  AtFirstWrite(const Region& region, const QueueStats& stats) : region_(region), stats_(stats) {
    present_ = this;
    struct sigaction action {};
    action.sa_handler = look;
    fail_unless(::sigaction(SIGSEGV, &action, &before_) == 0);
    fail_unless(::mprotect(region.data(), region.size(), PROT_READ) == 0);
  }
  ~AtFirstWrite() {
    ::sigaction(SIGSEGV, &before_, nullptr);
    present_ = nullptr;
  }
  AtFirstWrite(const AtFirstWrite&) = delete;

  bool came = false;
  std::uint64_t packets = 0, bytes = 0, copies = 0;

 private:
  static void look(int) {
    present_->came = true;
    present_->packets = present_->stats_.packets.get();
    present_->bytes = present_->stats_.bytes.get();
    present_->copies = present_->stats_.copies.get();
    ::mprotect(present_->region_.data(), present_->region_.size(), PROT_READ | PROT_WRITE);
  }

  static inline AtFirstWrite* present_;
  const Region& region_;
  const QueueStats& stats_;
  struct sigaction before_ {};
};

}  // namespace

/** So that a peer's answer never finds a counter behind. */
GST_START_TEST(test_what_is_published_has_been_counted) {
  for (const Direction direction : kBothDirections) {
    LinkPair pair(small_offer(16, 64));
    TxQueue& tx = pair.tx(direction);
    for (std::uint64_t i = 0; i < 3; ++i) expect(send(tx, packet(i, 10)) == Sent::ok, "not sent");
    // The rings are in the first one.
    const AtFirstWrite publication(pair.tx_state(direction).regions()[0], tx.stats());
    tx.flush();
    fail_unless(publication.came);
    fail_unless_equals_uint64(publication.packets, 3);
    fail_unless_equals_uint64(publication.bytes, 30);
    fail_unless_equals_uint64(publication.copies, 3);
    fail_unless_equals_uint64(receive(pair.rx(direction)).size(), 3);
  }
}
GST_END_TEST

static Suite* rings_suite(void) {
  Suite* suite = suite_create("rings");
  TCase* tests = tcase_create("properties");
  suite_add_tcase(suite, tests);
  tcase_add_loop_test(tests, test_every_batch_in_every_ring, 0, G_N_ELEMENTS(kBatches));
  tcase_add_test(tests, test_every_ring_size);
  tcase_add_test(tests, test_lengths_around_the_buffer_size);
  tcase_add_test(tests, test_lengths_around_the_size_that_is_streamed);
  tcase_add_test(tests, test_a_packet_longer_than_the_ring_is_dropped);
  tcase_add_test(tests, test_an_empty_packet_is_dropped);
  tcase_add_test(tests, test_full_ring);
  tcase_add_test(tests, test_waiting_for_room_waits_for_enough);
  tcase_add_test(tests, test_nothing_is_seen_before_flush);
  tcase_add_loop_test(tests, test_random_sequences_against_a_model, 0, 12);
  tcase_add_test(tests, test_flags_of_a_slot_are_written_anew);
  tcase_add_test(tests, test_one_wake_up_per_flush_and_none_when_masked);
  tcase_add_test(tests, test_queues_do_not_disturb_each_other);
  tcase_add_test(tests, test_copies_of_every_size);
  tcase_add_test(tests, test_streamed_copies_of_every_size);
  tcase_add_test(tests, test_how_full_a_ring_is);
  tcase_add_test(tests, test_what_is_published_has_been_counted);
  return suite;
}

GST_CHECK_MAIN(rings)
