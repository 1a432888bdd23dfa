// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * A peer that describes much with little: long packets, the same bytes again and again, and memory
 * that is only claimed. What we hold for it is bounded, and what that costs is counted.
 */
#include "gst/memif/copy_budget.hpp"

#include <sys/mman.h>

#include <array>

#include "pipeline.hpp"

using namespace memiftest;

namespace {

constexpr std::uint32_t kMiB = 1 << 20;
constexpr std::uint32_t kRing = 16;

/** A slave that points anywhere in 40 MiB, none of which exists until it is touched. */
class Pretender {
 public:
  Pretender() : pair_(small_offer(kRing, 40 * kMiB)) {}

  RxQueue& rx() { return pair_.rx(Direction::s2m); }
  const std::shared_ptr<Link>& link() { return pair_.rx_link(Direction::s2m); }
  const QueueStats& stats() { return pair_.master_stats().rx(0); }

  void publish(std::uint32_t length, std::uint16_t flags = 0) {
    Ring& ring = pair_.ring(Direction::s2m);
    ring.write(head_++, {flags, 1, length, 0, 0});
    ring.store_head(head_);
  }
  /** Lengths of the packets of one burst. */
  std::vector<std::uint64_t> receive() {
    std::vector<std::uint64_t> lengths;
    bool more = false;
    for (const RxSegment& segment : rx().receive(256)) {
      if (!more) lengths.push_back(0);
      lengths.back() += segment.length;
      more = segment.more;
    }
    fail_unless(rx().release());
    return lengths;
  }

 private:
  LinkPair pair_;
  std::uint16_t head_ = 0;
};

using Lengths = std::vector<std::uint64_t>;

}  // namespace

GST_START_TEST(test_packets_over_the_limit) {
  Pretender peer;
  peer.publish(kDefaultMaxPacketSize);
  fail_unless(peer.receive() == Lengths{kDefaultMaxPacketSize});
  peer.publish(kDefaultMaxPacketSize + 1);
  peer.publish(20 * kMiB, kDescriptorNext);
  peer.publish(20 * kMiB);
  peer.publish(60);
  fail_unless(peer.receive() == Lengths{60}, "the limit is that of whole packets");
  fail_unless_equals_uint64(dropped(peer.stats(), DropReason::too_long), 2);

  peer.rx().set_max_packet_size(100);
  for (const std::uint32_t length : {100, 101, 99}) peer.publish(length);
  fail_unless((peer.receive() == Lengths{100, 99}));
  fail_unless_equals_uint64(dropped(peer.stats(), DropReason::too_long), 3);
  fail_unless_equals_uint64(peer.stats().packets.get(), 4);
}
GST_END_TEST

/** All of them describe the same bytes. */
GST_START_TEST(test_a_burst_of_long_packets_is_short) {
  Pretender peer;
  for (std::uint32_t i = 0; i < kRing; ++i) peer.publish(20 * kMiB);
  for (std::uint32_t i = 0; i < kRing; ++i) fail_unless(peer.receive() == Lengths{20 * kMiB});
  fail_unless(peer.receive().empty());
  fail_unless_equals_uint64(peer.stats().dropped(), 0);
}
GST_END_TEST

/** A holder of such a loan would force us to copy them. */
GST_START_TEST(test_long_packets_of_a_peer_are_not_lent) {
  Pretender peer;
  peer.publish(16 << 10);
  Loan* loan = lend(peer.rx(), peer.link());
  fail_unless(loan != nullptr);
  loan->give_back();
  peer.publish((16 << 10) + 1);
  fail_unless(lend(peer.rx(), peer.link()) == nullptr);
}
GST_END_TEST

GST_START_TEST(test_memory_that_is_only_claimed) {
  const std::string name = unique_socket();
  auto master = started(settings_for(Role::master, name));
  RawPeer peer = RawPeer::dialled(name);
  peer.expect_message<Hello>();
  peer.say(Init{});
  peer.expect_message<Ack>();
  const std::uint64_t size = std::uint64_t{60} << 30;
  const UniqueFd file(::memfd_create("memif-peer", MFD_CLOEXEC));
  fail_unless(::ftruncate(file.get(), static_cast<off_t>(size)) == 0);
  peer.say(AddRegion{0, size}, file.get());
  peer.expect_goodbye("memory-limit");
}
GST_END_TEST

GST_START_TEST(test_a_budget) {
  CopyBudget budget(100);
  fail_unless(budget.take(60));
  fail_if(budget.take(41));
  fail_unless(budget.take(40));
  fail_if(budget.take(1));
  fail_if(budget.take(UINT64_MAX), "a sum that wraps");
  budget.give_back(60);
  fail_unless_equals_uint64(budget.used(), 40);
  budget.set_limit(10);
  fail_if(budget.take(0), "more is in use than there may be now");
}
GST_END_TEST

/** An application keeps all it gets; each packet is delivered, or counted. */
GST_START_TEST(test_copies_are_bounded) {
  const bool batches = __i__ == 1;
  constexpr std::uint64_t kPackets = 100;
  constexpr std::uint64_t kLength = 20'000;  // longer than what is lent
  const std::string name = unique_socket();
  Settings settings = settings_for(Role::slave, name);
  settings.buffer_size = 32'768;
  auto peer = started(settings);
  auto sender = must(Sender::open(peer, 0));
  Pipeline pipeline("memifsrc name=src copy-limit=500000" + master_at(name) +
                    (batches ? "! queue name=q max-size-bytes=0 max-size-time=0 ! icmpresponder "
                               "address=10.0.0.1 ! fakesink"
                             : "! appsink name=sink sync=false"));
  pipeline.set(GST_STATE_PLAYING);
  fail_unless(pipeline.link_comes_up("src") && come_up(peer));
  if (batches) {
    // No packet leaves the queue. The allocation query does, which may be later than the link.
    constexpr auto kBuffers = static_cast<GstPadProbeType>(
        GST_PAD_PROBE_TYPE_BLOCK | GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST);
    GstPad* pad = gst_element_get_static_pad(pipeline.element("q"), "src");
    gst_pad_add_probe(
        pad, kBuffers, [](GstPad*, GstPadProbeInfo*, gpointer) { return GST_PAD_PROBE_OK; },
        nullptr, nullptr);
    gst_object_unref(pad);
  }
  const Bytes bytes = packet(1, kLength);
  const TxSegment segment(bytes);
  for (std::uint64_t i = 0; i < kPackets; ++i) {
    while (send_one(*sender, {&segment, 1}) != Sent::ok) sender->wait_for_room(1'000'000);
    sender->flush();
  }
  fail_unless(eventually([&] { return pipeline.stat("src", "packets") == kPackets; }));
  const auto is_settled = [&] {
    return pipeline.stat("src", "drop-no-memory") + pipeline.stat("src", "copies") == kPackets;
  };
  fail_unless(eventually(is_settled));
  fail_unless(pipeline.stat("src", "copies") >= 10);
  fail_unless(pipeline.stat("src", "copies") * kLength <= 500'000);
}
GST_END_TEST

/** With each link another ring that a packet is too long for: what is said of that has a pace. */
GST_START_TEST(test_warnings_of_small_rings) {
  constexpr unsigned kLinks = 60;
  const std::string socket = unique_socket();
  Pipeline pipeline(kAppSrc + ("memifsink name=sink" + master_at(socket)));
  pipeline.set(GST_STATE_PLAYING);
  const auto dropped = [&] { return pipeline.stat("sink", "drop-too-long"); };
  for (unsigned i = 0; i < kLinks; ++i) {
    Settings settings = settings_for(Role::slave, socket);
    settings.ring_size = i % 2 == 0 ? 2 : 4;
    settings.buffer_size = 64;
    auto slave = started(std::move(settings));
    fail_unless(pipeline.link_comes_up("sink"));
    const std::uint64_t before = dropped();
    push(pipeline, Bytes(1000));
    fail_unless(eventually([&] { return dropped() > before; }));
    slave.reset();
    fail_unless(pipeline.link_goes_down("sink"));
  }
  unsigned warnings = 0;
  while (GstMessage* message = gst_bus_pop_filtered(pipeline.bus(), GST_MESSAGE_WARNING)) {
    gst_message_unref(message);
    ++warnings;
  }
  fail_unless(warnings >= 2 && warnings < kLinks / 2, "%u warnings", warnings);
}
GST_END_TEST

static Suite* amplification_suite(void) {
  Suite* suite = suite_create("amplification");
  TCase* tests = tcase_create("memory");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_packets_over_the_limit);
  tcase_add_test(tests, test_a_burst_of_long_packets_is_short);
  tcase_add_test(tests, test_long_packets_of_a_peer_are_not_lent);
  tcase_add_test(tests, test_memory_that_is_only_claimed);
  tcase_add_test(tests, test_a_budget);
  tcase_add_loop_test(tests, test_copies_are_bounded, 0, 2);
  tcase_add_test(tests, test_warnings_of_small_rings);
  return suite;
}

GST_CHECK_MAIN(amplification)
