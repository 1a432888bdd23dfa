// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Batches that memifsrc receives without a copy, held by an application for as long as it likes.
 */
#include <mutex>

#include "gst/packet/batch.hpp"
#include "pipeline.hpp"

using namespace memiftest;

namespace {

constexpr std::uint32_t kRing = 64;
constexpr std::size_t kLength = 200;

/** A pad that accepts batches and keeps every buffer, like a queue that is never emptied. */
class Keeper {
 public:
  explicit Keeper(GstElement* source) : pad_(gst_pad_new("sink", GST_PAD_SINK)) {
    gst_object_ref_sink(pad_);
    g_object_set_data(G_OBJECT(pad_), "keeper", this);
    gst_pad_set_chain_function(pad_, chain);
    gst_pad_set_query_function(pad_, query);
    gst_pad_set_active(pad_, TRUE);
    GstPad* peer = gst_element_get_static_pad(source, "src");
    fail_unless_equals_int(gst_pad_link(peer, pad_), GST_PAD_LINK_OK);
    gst_object_unref(peer);
  }
  ~Keeper() {
    let_go();
    gst_object_unref(pad_);
  }
  Keeper(const Keeper&) = delete;

  std::uint64_t packets() {
    const std::lock_guard lock(mutex_);
    return packets_;
  }
  /** Looks at every packet of every buffer. */
  void expect_consecutive() {
    const std::lock_guard lock(mutex_);
    std::uint64_t number = 0;
    for (GstBuffer* buffer : kept_) {
      const gstpacket::BatchMap map(buffer);
      expect(static_cast<bool>(map), "no batch");
      for (guint i = 0; i < map.meta().n; ++i) {
        const GstPacketDesc& desc = map.meta().packets[i];
        const std::byte* bytes = map.bytes(desc);
        expect(Bytes(bytes, bytes + desc.length) == packet(number++, kLength), "a packet changed");
      }
    }
    fail_unless_equals_uint64(number, packets_);
  }
  /** How many of the buffers lie in the link's memory. */
  std::size_t lent() {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(std::ranges::count_if(kept_, [](GstBuffer* buffer) {
      return gst_memory_is_type(gst_buffer_peek_memory(buffer, 0), "MemifRegion") != FALSE;
    }));
  }
  GstBuffer* first() { return kept_.front(); }
  void let_go() {
    const std::lock_guard lock(mutex_);
    for (GstBuffer* buffer : kept_) gst_buffer_unref(buffer);
    kept_.clear();
  }

 private:
  static GstFlowReturn chain(GstPad* pad, GstObject*, GstBuffer* buffer) {
    auto& self = *static_cast<Keeper*>(g_object_get_data(G_OBJECT(pad), "keeper"));
    const GstPacketBatchMeta* meta = gst_buffer_get_packet_batch_meta(buffer);
    expect(meta != nullptr, "no batch");
    const std::lock_guard lock(self.mutex_);
    expect(gst_buffer_get_size(buffer) == meta->n * kLength, "not the size of the packets");
    self.kept_.push_back(buffer);
    self.packets_ += meta->n;
    return GST_FLOW_OK;
  }
  static gboolean query(GstPad* pad, GstObject* parent, GstQuery* query) {
    if (GST_QUERY_TYPE(query) != GST_QUERY_ALLOCATION)
      return gst_pad_query_default(pad, parent, query);
    gst_query_add_allocation_meta(query, GST_PACKET_BATCH_META_API_TYPE, nullptr);
    return TRUE;
  }

  GstPad* pad_;
  std::mutex mutex_;
  std::vector<GstBuffer*> kept_;
  std::uint64_t packets_ = 0;
};

/** memifsrc in one role, and a peer that sends. */
struct Receiving {
  explicit Receiving(Role role)
      : source("memifsrc name=src ring-size=64" + ends(role)), keeper(source.element("src")) {
    source.set(GST_STATE_PLAYING);
    Settings settings = settings_for(role == Role::master ? Role::slave : Role::master, name);
    settings.ring_size = kRing;
    peer = started(std::move(settings));
    fail_unless(come_up(peer));
    sender = must(Sender::open(peer, 0));
  }
  std::string ends(Role role) const {
    return role == Role::master ? master_at(name) : slave_at(name);
  }
  void send_packets(std::uint64_t count) {
    const std::uint64_t end = sent + count;
    for (; sent < end; ++sent) {
      const Bytes bytes = packet(sent, kLength);
      const TxSegment segment(bytes);
      while (send_one(*sender, {&segment, 1}) != Sent::ok) {
        expect(sender->wait_for_room(kPatienceNs) == WaitResult::ready, "the ring has stopped");
      }
      if (sent % 7 == 0) sender->flush();
    }
    sender->flush();
  }
  bool all_arrive() {
    return eventually([&] { return keeper.packets() == sent; });
  }
  const std::string name = unique_socket();
  Pipeline source;
  Keeper keeper;
  std::shared_ptr<Interface> peer;
  std::unique_ptr<Sender> sender;
  std::uint64_t sent = 0;
};

constexpr Role kRoles[] = {Role::slave, Role::master};

}  // namespace

GST_START_TEST(test_traffic_goes_on_while_everything_is_kept) {
  for (const Role role : kRoles) {
    Receiving link(role);
    // Few: a whole ring at once, which comes if the receiver is late, is more than may be lent.
    link.send_packets(8);
    fail_unless(link.all_arrive());
    fail_unless(link.keeper.lent() != 0, "nothing came without a copy");
    link.send_packets(100 * kRing);
    fail_unless(link.all_arrive());
    link.keeper.expect_consecutive();
    fail_unless_equals_uint64(link.source.stat("src", "packets-dropped"), 0);
    fail_unless(link.source.stat("src", "copies") < link.sent);
  }
}
GST_END_TEST

GST_START_TEST(test_what_is_given_back_is_lent_again) {
  for (const Role role : kRoles) {
    Receiving link(role);
    for (int i = 0; i < 50; ++i) {
      link.send_packets(8);
      fail_unless(link.all_arrive());
      link.keeper.let_go();
    }
    fail_unless_equals_uint64(link.source.stat("src", "copies"), 0);
  }
}
GST_END_TEST

GST_START_TEST(test_kept_packets_outlive_pipeline_and_peer) {
  for (const Role role : kRoles) {
    Receiving link(role);
    link.send_packets(8);
    fail_unless(link.all_arrive());
    link.sender.reset();
    link.peer.reset();
    fail_unless(link.source.link_goes_down("src"));
    link.keeper.expect_consecutive();
    link.source.set(GST_STATE_NULL);
    link.keeper.expect_consecutive();
  }
  expect_nothing_mapped();
}
GST_END_TEST

/** As master the bytes are the peer's: an element that writes to them gets a copy. */
GST_START_TEST(test_a_peers_packets_are_copied_to_be_written) {
  Receiving link(Role::master);
  link.send_packets(1);
  fail_unless(link.all_arrive());
  GstBuffer* buffer = link.keeper.first();
  GstMapInfo map;
  fail_if(gst_memory_map(gst_buffer_peek_memory(buffer, 0), &map, GST_MAP_WRITE));
  fail_unless(gst_buffer_map(buffer, &map, GST_MAP_READWRITE));
  const guint32 offset = gst_buffer_get_packet_batch_meta(buffer)->packets[0].offset;
  fail_unless(std::memcmp(map.data + offset, packet(0, kLength).data(), kLength) == 0);
  std::memset(map.data + offset, 0, kLength);
  gst_buffer_unmap(buffer, &map);
}
GST_END_TEST

/** A queue counts bytes: of the packets, not of the memory that they lie in. */
GST_START_TEST(test_a_queue_holds_as_much_as_of_other_buffers) {
  for (const Role role : kRoles) {
    const std::string name = unique_socket();
    Pipeline pipeline("memifsrc name=src" +
                      (role == Role::master ? master_at(name) : slave_at(name)) +
                      "! queue name=q max-size-time=0 ! packetcheck timeout=0");
    GstPad* pad = gst_element_get_static_pad(pipeline.element("q"), "src");
    const gulong probe = gst_pad_add_probe(
        pad, static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BLOCK | GST_PAD_PROBE_TYPE_BUFFER),
        [](GstPad*, GstPadProbeInfo*, gpointer) { return GST_PAD_PROBE_OK; }, nullptr, nullptr);
    pipeline.set(GST_STATE_PLAYING);
    auto peer = started(settings_for(role == Role::master ? Role::slave : Role::master, name));
    fail_unless(come_up(peer) && pipeline.link_comes_up("src"));
    auto sender = must(Sender::open(peer, 0));
    constexpr guint kBursts = 150;
    constexpr guint kPackets = 4;
    const Bytes bytes = packet(1, kLength);
    const TxSegment segment(bytes);
    for (guint burst = 1; burst <= kBursts; ++burst) {
      for (guint i = 0; i < kPackets; ++i) {
        expect(send_one(*sender, {&segment, 1}) == Sent::ok, "the ring is full");
      }
      sender->flush();
      fail_unless(eventually([&] { return pipeline.stat("src", "packets") == burst * kPackets; }),
                  "the queue takes no more after %u batches", burst);
    }
    const auto level = [&](const char* unit) { return pipeline.property<guint>("q", unit); };
    // One waits at the pad.
    fail_unless(eventually([&] { return level("current-level-buffers") == kBursts - 1; }));
    fail_unless_equals_uint64(level("current-level-bytes"), (kBursts - 1) * kPackets * kLength);
    gst_pad_remove_probe(pad, probe);
    gst_object_unref(pad);
  }
}
GST_END_TEST

static Suite* lending_suite(void) {
  Suite* suite = suite_create("lending");
  TCase* tests = tcase_create("batches");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_traffic_goes_on_while_everything_is_kept);
  tcase_add_test(tests, test_what_is_given_back_is_lent_again);
  tcase_add_test(tests, test_kept_packets_outlive_pipeline_and_peer);
  tcase_add_test(tests, test_a_peers_packets_are_copied_to_be_written);
  tcase_add_test(tests, test_a_queue_holds_as_much_as_of_other_buffers);
  return suite;
}

GST_CHECK_MAIN(lending)
