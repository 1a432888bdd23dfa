// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The pool that memifsink proposes as slave: what is written into its buffers is sent as it lies.
 */
#include "gst/packet/batch.hpp"

#include "pipeline.hpp"

using namespace memiftest;

namespace {

constexpr std::uint32_t kRing = 64;  // of settings_for() and of kSmall
constexpr char kSmall[] = " ring-size=64 ";

/** The pool that an element before `sink` finds, or null. */
class Pool {
 public:
  explicit Pool(const Pipeline& pipeline,
                const char* caps = "application/x-packet,link-type=(string)ethernet") {
    GstPad* pad = gst_element_get_static_pad(pipeline.element("sink"), "sink");
    if (caps != nullptr) caps_ = gst_caps_from_string(caps);
    query_ = gst_query_new_allocation(caps_, TRUE);
    fail_unless(gst_pad_query(pad, query_));
    gst_object_unref(pad);
    if (gst_query_get_n_allocation_pools(query_) != 0) {
      gst_query_parse_nth_allocation_pool(query_, 0, &pool_, &size_, &min_, &max_);
    }
  }
  ~Pool() {
    if (pool_ != nullptr) stop();
    gst_query_unref(query_);
    gst_clear_caps(&caps_);
    gst_clear_object(&pool_);
  }
  Pool(const Pool&) = delete;

  GstQuery* query() const { return query_; }
  GstBufferPool* get() const { return pool_; }
  guint size() const { return size_; }
  bool configure(guint size, bool batches = false, gsize prefix = 0) {
    GstStructure* config = gst_buffer_pool_get_config(pool_);
    gst_buffer_pool_config_set_params(config, caps_, size, min_, max_);
    GstAllocationParams params;
    gst_allocation_params_init(&params);
    params.prefix = prefix;
    gst_buffer_pool_config_set_allocator(config, nullptr, &params);
    if (batches) {
      gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_PACKET_BATCH);
    }
    return gst_buffer_pool_set_config(pool_, config) != FALSE;
  }
  // Of a pool that was stopped: it can be only when the sender has let the last buffer go.
  bool reconfigure(guint size, bool batches, gsize prefix = 0) {
    return eventually([&] { return configure(size, batches, prefix); });
  }
  Pool& start() {
    fail_unless(gst_buffer_pool_set_active(pool_, TRUE));
    return *this;
  }
  void stop() { gst_buffer_pool_set_active(pool_, FALSE); }
  GstBuffer* take(GstBufferPoolAcquireParams* params = nullptr) {
    GstBuffer* buffer = nullptr;
    expect(gst_buffer_pool_acquire_buffer(pool_, &buffer, params) == GST_FLOW_OK, "no buffer");
    return buffer;
  }
  /** One with a packet in it. */
  GstBuffer* take(const Bytes& bytes) {
    GstBuffer* buffer = take();
    expect(gst_buffer_fill(buffer, 0, bytes.data(), bytes.size()) == bytes.size(), "too small");
    gst_buffer_set_size(buffer, static_cast<gssize>(bytes.size()));
    return buffer;
  }

 private:
  GstCaps* caps_ = nullptr;
  GstQuery* query_ = nullptr;
  GstBufferPool* pool_ = nullptr;
  guint size_ = 0, min_ = 0, max_ = 0;
};

/** Takes what a pipeline sends. */
class Peer {
 public:
  explicit Peer(const std::string& name)
      : interface_(started(settings_for(Role::master, name))),
        receiver_(must(Receiver::open(interface_, 0, RxMode::adaptive))) {}
  /** The next @p count packets; the test ends if they do not come. */
  std::vector<Bytes> take(std::size_t count) {
    std::vector<Bytes> packets;
    while (packets.size() < count) {
      for (Bytes& bytes : join(receiver_->receive(static_cast<std::uint32_t>(count)))) {
        packets.push_back(std::move(bytes));
      }
      receiver_->release();
      if (packets.size() < count) {
        expect(receiver_->wait(kPatienceNs) != WaitResult::timeout, "packets are missing");
      }
    }
    return packets;
  }
  /** That the next packets are numbers @p first to @p first + @p count - 1 of packet(). */
  void expect_packets(std::uint64_t first, std::size_t count, std::size_t length) {
    for (const Bytes& bytes : take(count)) expect(bytes == packet(first++, length), "wrong bytes");
  }

 private:
  std::shared_ptr<Interface> interface_;
  std::unique_ptr<Receiver> receiver_;
};

/** An application that sends, as slave, to a master of the engine. */
struct Sending {
  explicit Sending(const std::string& between = "")
      : pipeline(kAppSrc + between + "memifsink name=sink" + slave_at(name) + kSmall), peer(name) {
    pipeline.set(GST_STATE_PLAYING);
    fail_unless(pipeline.link_comes_up("sink"));
  }
  std::uint64_t copies() const { return pipeline.stat("sink", "copies"); }

  const std::string name = unique_socket();
  Pipeline pipeline;
  Peer peer;
};

std::string memory_type(GstBuffer* buffer) {
  return gst_buffer_peek_memory(buffer, 0)->allocator->mem_type;
}
bool is_lent(GstBuffer* buffer) {
  return memory_type(buffer) == "MemifBuffer" || memory_type(buffer) == "MemifRegion";
}

/** Plays once the link of `sink` is up: earlier there is no memory to write into. */
void play_with_link(Pipeline& pipeline) {
  pipeline.set(GST_STATE_PAUSED);
  fail_unless(pipeline.link_comes_up("sink"));
  pipeline.set(GST_STATE_PLAYING);
}

}  // namespace

// ---- Single buffers -------------------------------------------------------------------------

GST_START_TEST(test_a_buffer_of_the_pool_is_sent_as_it_lies) {
  static constexpr const char* kBetween[] = {"", "identity ! ", "queue ! "};
  Sending sending(kBetween[__i__]);
  Pool pool(sending.pipeline);
  fail_unless(pool.get() != nullptr);
  fail_unless_equals_int(pool.size(), 2048);
  pool.start();
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const std::size_t length = 1 + i * 2047 / 999;
    GstBuffer* buffer = pool.take(packet(i, length));
    expect(memory_type(buffer) == "MemifBuffer", "not in the memory of the link");
    push(sending.pipeline, buffer);
    sending.peer.expect_packets(i, 1, length);
  }
  fail_unless_equals_uint64(sending.copies(), 0);
  fail_unless_equals_uint64(sending.pipeline.stat("sink", "packets"), 1000);
}
GST_END_TEST

GST_START_TEST(test_lists_of_such_buffers) {
  Sending sending;
  Pool pool(sending.pipeline);
  pool.start();
  for (std::uint64_t round = 0; round < 100; ++round) {
    GstBufferList* list = gst_buffer_list_new();
    for (std::uint64_t i = 0; i < 10; ++i) {
      gst_buffer_list_add(list, pool.take(packet(round + i, 300)));
    }
    fail_unless(gst_app_src_push_buffer_list(GST_APP_SRC(sending.pipeline.element("in")), list) ==
                GST_FLOW_OK);
    sending.peer.expect_packets(round, 10, 300);
  }
  fail_unless_equals_uint64(sending.copies(), 0);
}
GST_END_TEST

GST_START_TEST(test_a_part_of_a_buffer) {
  Sending sending;
  Pool pool(sending.pipeline);
  pool.start();
  const Bytes whole = packet(5, 1000);
  GstBuffer* buffer = pool.take(whole);
  gst_buffer_resize(buffer, 100, 700);
  push(sending.pipeline, buffer);
  fail_unless(sending.peer.take(1) == only(Bytes(whole.begin() + 100, whole.begin() + 800)));
  fail_unless_equals_uint64(sending.copies(), 0);
  // It has all of its room again.
  for (std::uint64_t i = 0; i < 2 * kRing; ++i) {
    push(sending.pipeline, pool.take(packet(i, 2048)));
    sending.peer.expect_packets(i, 1, 2048);
  }
}
GST_END_TEST

GST_START_TEST(test_what_somebody_else_holds_is_copied) {
  Sending sending;
  Pool pool(sending.pipeline);
  pool.start();
  GstBuffer* buffer = pool.take(packet(1, 500));
  push(sending.pipeline, gst_buffer_ref(buffer));
  sending.peer.expect_packets(1, 1, 500);
  fail_unless_equals_uint64(sending.copies(), 1);
  fail_unless(bytes_of(buffer) == packet(1, 500));
  GstBuffer* copy = gst_buffer_copy_deep(buffer);
  fail_unless(bytes_of(copy) == packet(1, 500) && !is_lent(copy));
  gst_buffer_unref(copy);
  // The memory alone, in another buffer.
  GstMemory* memory = gst_buffer_get_memory(buffer, 0);
  push(sending.pipeline, buffer);
  sending.peer.expect_packets(1, 1, 500);
  GstBuffer* other = gst_buffer_new();
  gst_buffer_append_memory(other, memory);
  fail_unless(bytes_of(other) == packet(1, 500));
  push(sending.pipeline, other);
  sending.peer.expect_packets(1, 1, 500);
  fail_unless_equals_uint64(sending.copies(), 2);
}
GST_END_TEST

GST_START_TEST(test_when_all_are_out_there_is_other_memory) {
  Sending sending;
  Pool pool(sending.pipeline);
  pool.start();
  std::vector<GstBuffer*> held;
  std::uint64_t lent = 0;
  for (std::uint64_t i = 0; i < 3 * kRing; ++i) {
    held.push_back(pool.take(packet(i, 400)));
    lent += is_lent(held.back()) ? 1 : 0;
  }
  fail_unless_equals_uint64(lent, spare_buffers(kRing));
  for (std::uint64_t i = 0; i < held.size(); ++i) {
    push(sending.pipeline, held[i]);
    sending.peer.expect_packets(i, 1, 400);
  }
  const std::uint64_t copied = held.size() - lent;
  fail_unless_equals_uint64(sending.copies(), copied);
  // They come back, and the others do not stay.
  const std::uint64_t before = sending.copies();
  for (std::uint64_t i = 0; i < 5 * kRing; ++i) {
    push(sending.pipeline, pool.take(packet(i, 400)));
    sending.peer.expect_packets(i, 1, 400);
  }
  fail_unless_equals_uint64(sending.copies(), before);
}
GST_END_TEST

GST_START_TEST(test_sizes_that_a_pool_may_be_asked_for) {
  Sending sending;
  Pool pool(sending.pipeline);
  // Smaller: that much, in the memory of the link.
  fail_unless(pool.configure(1400));
  pool.start();
  GstBuffer* buffer = pool.take();
  fail_unless(gst_buffer_get_size(buffer) == 1400 && is_lent(buffer));
  gst_buffer_unref(buffer);
  pool.stop();
  // Larger, or with room before: that much, elsewhere.
  for (const gsize prefix : {0, 32}) {
    fail_unless(pool.reconfigure(prefix == 0 ? 5000 : 500, false, prefix));
    pool.start();
    for (int i = 0; i < 3; ++i) {
      buffer = pool.take();
      gsize offset = 0;
      fail_unless_equals_uint64(gst_buffer_get_sizes(buffer, &offset, nullptr),
                                prefix == 0 ? 5000 : 500);
      fail_unless(offset == prefix && !is_lent(buffer));
      gst_buffer_unref(buffer);
    }
    push(sending.pipeline, pool.take(packet(3, 300)));
    sending.peer.expect_packets(3, 1, 300);
    pool.stop();
  }
  fail_unless_equals_uint64(sending.copies(), 2);
  fail_unless(pool.reconfigure(2048, true));
  fail_if(pool.configure(2049, true), "no batches of packets that have no room");
  fail_if(pool.configure(0, true));
}
GST_END_TEST

// ---- Proposing pools ------------------------------------------------------------------------

GST_START_TEST(test_a_master_proposes_none) {
  const std::string name = unique_socket();
  Pipeline pipeline(kAppSrc + ("memifsink name=sink" + master_at(name)));
  auto slave = started(settings_for(Role::slave, name));
  pipeline.set(GST_STATE_PLAYING);
  fail_unless(pipeline.link_comes_up("sink"));
  Pool pool(pipeline);
  fail_unless(pool.get() == nullptr);
  fail_unless(gst_query_allows_packet_batches(pool.query()));
  push(pipeline, packet(1, 100));
  fail_unless(come_up(slave));
  auto receiver = must(Receiver::open(slave, 0, RxMode::adaptive));
  fail_unless(receiver->wait(kPatienceNs) == WaitResult::ready);
  fail_unless(join(receiver->receive(1)) == only(packet(1, 100)));
  receiver->release();
}
GST_END_TEST

/** They would fill a buffer as far as their own data goes, and leave the rest as it was. */
GST_START_TEST(test_no_pool_for_who_knows_nothing_of_packets) {
  Sending sending;
  for (const char* caps :
       {static_cast<const char*>(nullptr), "video/x-raw,format=(string)GRAY8,width=65,height=32",
        "video/x-raw,format=(string)GRAY8,width=[1,64],height=16", "video/x-vp8,width=4,height=4",
        "audio/x-raw,format=(string)S16LE,rate=8000,channels=1", "application/x-rtp",
        "application/x-packet", "application/x-packet,link-type=(string)other"}) {
    Pool pool(sending.pipeline, caps);
    fail_unless(pool.get() == nullptr, "%s", caps != nullptr ? caps : "no caps");
    const bool packets = caps == nullptr || g_str_has_prefix(caps, "application/x-packet");
    fail_unless_equals_int(gst_query_allows_packet_batches(pool.query()), packets);
  }
  fail_if(Pool(sending.pipeline).get() == nullptr);
}
GST_END_TEST

/** Its size follows from the caps, and its rows lie as the caps say. */
GST_START_TEST(test_a_pool_of_pictures) {
  Sending sending;
  for (const auto& [caps, size] : std::vector<std::pair<const char*, guint>>{
           {"video/x-raw,format=(string)GRAY8,width=64,height=16", 1024},
           {"video/x-raw,format=(string)GRAY8,width=64,height=32", 2048},
           {"video/x-raw,format=(string)I420,width=33,height=21", 36 * 22 + 2 * 20 * 11}}) {
    Pool pool(sending.pipeline, caps);
    fail_if(pool.get() == nullptr, "%s", caps);
    guint proposed = 0;
    gst_query_parse_nth_allocation_pool(pool.query(), 0, nullptr, &proposed, nullptr, nullptr);
    fail_unless_equals_int(proposed, size);
    GType video_meta = g_type_from_name("GstVideoMetaAPI");
    fail_if(video_meta != 0 && gst_query_find_allocation_meta(pool.query(), video_meta, nullptr));
  }
}
GST_END_TEST

/** Buffers of a source without caps become packets behind a capsfilter. */
GST_START_TEST(test_a_file_is_sent_as_it_is) {
  TemporaryDirectory directory;
  const std::string file = directory.file("memif.sock");
  std::ofstream(file, std::ios::binary) << std::string(2 * 4096 + 100, 'x');
  const std::string name = unique_socket();
  Peer peer(name);
  Pipeline pipeline("filesrc blocksize=4096 location=" + file +
                    " ! application/x-packet,link-type=ethernet ! memifsink name=sink" +
                    slave_at(name) + "when-down=block");
  pipeline.set(GST_STATE_PLAYING);
  std::vector<std::size_t> lengths;
  for (const Bytes& bytes : peer.take(3)) lengths.push_back(bytes.size());
  fail_unless((lengths == std::vector<std::size_t>{4096, 4096, 100}));
}
GST_END_TEST

GST_START_TEST(test_a_pool_without_an_element) {
  auto sending = std::make_unique<Sending>();
  Pool pool(sending->pipeline);
  pool.start();
  GstBuffer* lent = pool.take(packet(1, 100));
  fail_unless(is_lent(lent));
  sending.reset();
  GstBuffer* plain = pool.take(packet(2, 100));
  fail_if(is_lent(plain));
  fail_unless(bytes_of(lent) == packet(1, 100));
  gst_buffer_unref(lent);
  gst_buffer_unref(plain);
  pool.stop();
  expect_nothing_mapped();
}
GST_END_TEST

// ---- Life -----------------------------------------------------------------------------------

GST_START_TEST(test_buffers_that_are_kept_stay_valid) {
  GstBuffer* single = nullptr;
  GstBuffer* batch = nullptr;
  {
    Sending sending;
    Pool singles(sending.pipeline);
    singles.start();
    single = singles.take(packet(1, 1000));
    Pool batches(sending.pipeline);
    fail_unless(batches.configure(2048, true));
    batches.start();
    batch = batches.take();
    fail_unless(is_lent(single) && is_lent(batch));
    const gstpacket::BatchMap map(batch);
    fail_unless(map.meta().n > 1);
    std::ranges::copy(packet(2, 2048), map.bytes(map.meta().packets[1]));
  }
  // Element, peer and pools are gone.
  fail_unless(bytes_of(single) == packet(1, 1000));
  {
    const gstpacket::BatchMap map(batch);
    const std::byte* bytes = map.bytes(map.meta().packets[1]);
    fail_unless(Bytes(bytes, bytes + 2048) == packet(2, 2048));
    for (guint i = 0; i < map.meta().n; ++i) std::memset(map.bytes(map.meta().packets[i]), 1, 2048);
  }
  fail_if(memif_mappings() == 0);
  gst_buffer_unref(single);
  gst_buffer_unref(batch);
  expect_nothing_mapped();
}
GST_END_TEST

GST_START_TEST(test_stopping_a_pool_whose_buffers_are_out) {
  Sending sending;
  Pool pool(sending.pipeline);
  pool.start();
  GstBuffer* sent = pool.take(packet(1, 100));
  GstBuffer* dropped = pool.take(packet(2, 100));
  pool.stop();
  GstBuffer* none = nullptr;
  fail_unless(gst_buffer_pool_acquire_buffer(pool.get(), &none, nullptr) == GST_FLOW_FLUSHING);
  push(sending.pipeline, sent);
  sending.peer.expect_packets(1, 1, 100);
  gst_buffer_unref(dropped);
  pool.start();
  gst_buffer_pool_set_flushing(pool.get(), TRUE);
  fail_unless(gst_buffer_pool_acquire_buffer(pool.get(), &none, nullptr) == GST_FLOW_FLUSHING);
  gst_buffer_pool_set_flushing(pool.get(), FALSE);
  push(sending.pipeline, pool.take(packet(3, 100)));
  sending.peer.expect_packets(3, 1, 100);
  fail_unless_equals_uint64(sending.copies(), 0);
}
GST_END_TEST

/** Buffers of a link that is gone are copied; new ones are of the new link. */
GST_START_TEST(test_the_peer_goes_and_comes_back) {
  const std::string name = unique_socket();
  Pipeline pipeline(kAppSrc + ("memifsink name=sink when-down=block" + slave_at(name)) + kSmall);
  auto peer = std::make_unique<Peer>(name);
  pipeline.set(GST_STATE_PLAYING);
  fail_unless(pipeline.link_comes_up("sink"));
  Pool pool(pipeline);
  pool.start();
  for (std::uint64_t round = 0; round < 5; ++round) {
    const std::uint64_t before = pipeline.stat("sink", "copies");
    GstBuffer* old = pool.take(packet(round, 600));
    // These lie in the pool when the peer goes.
    for (std::uint64_t i = 0; i < 10; ++i) push(pipeline, pool.take(packet(i, 60)));
    peer->expect_packets(0, 10, 60);
    fail_unless(is_lent(old));
    peer.reset();
    fail_unless(pipeline.link_goes_down("sink"));
    GstBuffer* meanwhile = pool.take(packet(round + 1, 600));
    fail_if(is_lent(meanwhile));
    peer = std::make_unique<Peer>(name);
    fail_unless(pipeline.link_comes_up("sink"));
    for (GstBuffer* buffer : {old, meanwhile}) push(pipeline, buffer);
    peer->expect_packets(round, 2, 600);
    fail_unless_equals_uint64(pipeline.stat("sink", "copies"), before + 2);
    for (std::uint64_t i = 0; i < 2 * kRing; ++i) {
      push(pipeline, pool.take(packet(i, 600)));
      peer->expect_packets(i, 1, 600);
    }
    fail_unless_equals_uint64(pipeline.stat("sink", "copies"), before + 2);
  }
  // Nothing holds the links of old.
  fail_unless(eventually([] { return memif_mappings() <= 4; }), "%d mappings", memif_mappings());
}
GST_END_TEST

// ---- Batches --------------------------------------------------------------------------------

/** Like a third-party element: uses some of the places, in another order. */
GST_START_TEST(test_a_producer_of_batches) {
  Sending sending;
  Pool pool(sending.pipeline);
  GstBufferPool* found = gst_query_find_packet_batch_pool(pool.query(), 1000);
  fail_unless(found == pool.get());
  gst_object_unref(found);
  pool.start();
  std::uint64_t number = 0;
  for (int round = 0; round < 200; ++round) {
    GstBuffer* batch = pool.take();
    guint used = 0;
    {
      const gstpacket::BatchMap map(batch);
      GstPacketBatchMeta& meta = map.meta();
      expect(is_lent(batch) && meta.n > 4, "no places");
      used = meta.n - 2;
      std::swap(meta.packets[0], meta.packets[2]);
      for (guint i = 0; i < used; ++i) {
        GstPacketDesc& desc = meta.packets[i];
        expect(desc.length >= 1000, "no room");
        desc.offset += i;
        desc.length = 900;
        std::ranges::copy(packet(number + i, 900), map.bytes(desc));
      }
      meta.n = used;
    }
    expect(gst_buffer_get_size(batch) >= std::size_t{1000} * used, "less than the places have");
    gst_packet_batch_update_size(batch);
    expect(gst_buffer_get_size(batch) == std::size_t{900} * used, "not the size of the packets");
    push(sending.pipeline, batch);
    sending.peer.expect_packets(number, used, 900);
    number += used;
  }
  fail_unless_equals_uint64(sending.copies(), 0);
  fail_unless_equals_uint64(sending.pipeline.stat("sink", "packets"), number);
}
GST_END_TEST

/** Places that nobody will use need not be written. */
GST_START_TEST(test_so_many_places_as_asked_for) {
  Sending sending;
  Pool pool(sending.pipeline);
  fail_unless(pool.configure(1000, true));
  pool.start();
  const auto places = [&](GstBufferPoolAcquireParams* params) {
    GstBuffer* batch = pool.take(params);
    fail_unless(is_lent(batch));
    const guint n = gst_buffer_get_packet_batch_meta(batch)->n;
    fail_unless(gst_buffer_get_size(batch) >= gsize{1000} * n);
    push(sending.pipeline, batch);
    sending.peer.take(n);
    return n;
  };
  const guint all = places(nullptr);
  fail_unless(all > 4);
  for (const gint64 asked : {gint64{1}, gint64{4}, gint64{0}, gint64{-3}, G_MAXINT64}) {
    GstBufferPoolAcquireParams params{};
    params.format = GST_FORMAT_BUFFERS;
    params.stop = asked;
    const auto wanted = static_cast<guint>(std::clamp<gint64>(asked, 1, all));
    fail_unless_equals_int(places(&params), wanted);
    params.format = GST_FORMAT_BYTES;
    fail_unless_equals_int(places(&params), all);
  }
}
GST_END_TEST

GST_START_TEST(test_batches_when_all_are_out) {
  Sending sending;
  Pool pool(sending.pipeline);
  fail_unless(pool.configure(500, true));
  pool.start();
  std::vector<GstBuffer*> held;
  std::uint64_t lent = 0;
  std::uint64_t count = 0;
  std::uint64_t plain = 0;
  while (plain < 3) {
    held.push_back(pool.take());
    if (!is_lent(held.back())) ++plain;
    const gstpacket::BatchMap map(held.back());
    for (guint i = 0; i < map.meta().n; ++i) {
      GstPacketDesc& desc = map.meta().packets[i];
      fail_unless(desc.length >= 500 && map.bytes(desc) != nullptr);
      desc.length = 500;
      std::ranges::copy(packet(count++, 500), map.bytes(desc));
      lent += plain == 0 ? 1 : 0;
    }
  }
  fail_unless_equals_uint64(lent, spare_buffers(kRing));
  for (GstBuffer* batch : held) push(sending.pipeline, batch);
  sending.peer.expect_packets(0, count, 500);
  fail_unless_equals_uint64(sending.copies(), count - lent);
}
GST_END_TEST

GST_START_TEST(test_generated_packets_are_not_copied) {
  static const struct {
    const char* packets;
    const char* between;
  } kCases[] = {{"size=64 ", " ! "},
                {"size=64-1500 ", " ! "},
                {"size=imix flows=7 ", " ! "},
                {"size=2048 batch-size=5 ", " ! "},
                {"size=1500 rate=50kpps ", " ! "},
                // A thread of its own: never more on the way than there are batches.
                {"size=570 ", " ! queue max-size-buffers=1 max-size-bytes=0 max-size-time=0 ! "},
                // These have no room in the buffers of the pool, or do not ask for it.
                {"size=5000 ", " ! "},
                {"size=570 batches=false ", " ! "}};
  constexpr int kCopied = 6;  // the first of those that are copied
  const auto& test = kCases[__i__];
  const std::string name = unique_socket();
  const std::string count = "count=20000 ";
  Pipeline master("memifsrc" + master_at(name) + "! packetcheck name=check timeout=60000 " + count);
  Pipeline slave("packetgen " + count + test.packets + test.between + "memifsink name=sink" +
                 slave_at(name));
  master.set(GST_STATE_PLAYING);
  play_with_link(slave);
  gst_message_unref(master.message(GST_MESSAGE_EOS, 60 * kSlowdown * GST_SECOND));
  fail_if(master.has_message(GST_MESSAGE_ERROR));
  fail_unless_equals_uint64(slave.stat("sink", "packets"), 20000);
  fail_unless_equals_uint64(slave.stat("sink", "copies"), __i__ < kCopied ? 0 : 20000);
  for (const char* fault : {"lost", "damaged", "duplicate", "reordered"}) {
    fail_unless_equals_uint64(master.stat("check", fault), 0);
  }
}
GST_END_TEST

GST_START_TEST(test_generated_packets_over_all_queues) {
  const std::string name = unique_socket();
  Pipeline master(
      "funnel name=all ! packetcheck name=check timeout=60000 count=20000 memifsrc queue=0 "
      "rx-queues=2" +
      master_at(name) + "! all. memifsrc queue=1" + master_at(name) + "! all.");
  Pipeline slave("packetgen count=20000 flows=64 ! memifsink name=sink queue=-1 tx-queues=2" +
                 slave_at(name));
  master.set(GST_STATE_PLAYING);
  play_with_link(slave);
  gst_message_unref(master.message(GST_MESSAGE_EOS, 60 * kSlowdown * GST_SECOND));
  fail_if(master.has_message(GST_MESSAGE_ERROR));
  fail_unless_equals_uint64(slave.stat("sink", "copies"), 0);
  fail_if(slave.stat("sink", "queue-0-packets") == 0 || slave.stat("sink", "queue-1-packets") == 0);
}
GST_END_TEST

/** With more batches on the way than there is memory for, some are copied, and all arrive. */
GST_START_TEST(test_a_long_queue_of_batches) {
  const std::string name = unique_socket();
  Pipeline master("memifsrc" + master_at(name) +
                  "! packetcheck name=check timeout=60000 count=50000");
  Pipeline slave("packetgen count=50000 size=64-1500 ! queue ! memifsink name=sink" +
                 slave_at(name) + kSmall);
  master.set(GST_STATE_PLAYING);
  play_with_link(slave);
  gst_message_unref(master.message(GST_MESSAGE_EOS, 60 * kSlowdown * GST_SECOND));
  fail_if(master.has_message(GST_MESSAGE_ERROR));
  fail_unless_equals_uint64(slave.stat("sink", "packets"), 50000);
}
GST_END_TEST

GST_START_TEST(test_generating_while_peers_come_and_go) {
  const std::string name = unique_socket();
  Pipeline slave("packetgen name=gen ! memifsink name=sink" + slave_at(name) +
                 (__i__ == 0 ? "when-down=drop" : "when-down=block"));
  slave.set(GST_STATE_PLAYING);
  for (int i = 0; i < 5; ++i) {
    Pipeline master("memifsrc" + master_at(name) + "! packetcheck name=check");
    master.set(GST_STATE_PLAYING);
    fail_unless(slave.link_comes_up("sink"));
    const auto flows = [&](std::uint64_t more) {
      const std::uint64_t now = master.stat("check", "packets");
      return eventually([&] { return master.stat("check", "packets") >= now + more; });
    };
    fail_unless(flows(10'000));
    const std::uint64_t copies = slave.stat("sink", "copies");
    fail_unless(flows(10'000));
    fail_unless_equals_uint64(slave.stat("sink", "copies"), copies);
    fail_unless_equals_uint64(master.stat("check", "damaged"), 0);
    master.set(GST_STATE_NULL);
    fail_unless(slave.link_goes_down("sink"));
  }
  fail_if(slave.has_message(GST_MESSAGE_ERROR));
}
GST_END_TEST

GST_START_TEST(test_playing_and_stopping_in_the_middle) {
  const std::string name = unique_socket();
  Pipeline master("memifsrc" + master_at(name) + "! fakesink async=false");
  Pipeline slave("packetgen name=gen ! queue ! memifsink name=sink" + slave_at(name));
  master.set(GST_STATE_PLAYING);
  for (int i = 0; i < 30; ++i) {
    slave.set(GST_STATE_PLAYING);
    fail_unless(eventually([&] { return slave.stat("sink", "packets") != 0; }));
    slave.set(GST_STATE_PAUSED);
    if (i % 2 == 0) slave.set(GST_STATE_PLAYING);
    // Another negotiation, with batches of the old pool still on their way.
    g_object_set(slave.element("gen"), "batches", i % 3 != 0, nullptr);
    pause_ms(3);
    slave.set(GST_STATE_NULL);
  }
  fail_if(slave.has_message(GST_MESSAGE_ERROR));
  master.set(GST_STATE_NULL);
  expect_nothing_mapped();
}
GST_END_TEST

static Suite* pool_suite(void) {
  Suite* suite = suite_create("pool");
  TCase* singles = tcase_create("singles");
  suite_add_tcase(suite, singles);
  tcase_add_loop_test(singles, test_a_buffer_of_the_pool_is_sent_as_it_lies, 0, 3);
  tcase_add_test(singles, test_lists_of_such_buffers);
  tcase_add_test(singles, test_a_part_of_a_buffer);
  tcase_add_test(singles, test_what_somebody_else_holds_is_copied);
  tcase_add_test(singles, test_when_all_are_out_there_is_other_memory);
  tcase_add_test(singles, test_sizes_that_a_pool_may_be_asked_for);
  tcase_add_test(singles, test_a_master_proposes_none);
  tcase_add_test(singles, test_no_pool_for_who_knows_nothing_of_packets);
  tcase_add_test(singles, test_a_pool_of_pictures);
  tcase_add_test(singles, test_a_file_is_sent_as_it_is);
  tcase_add_test(singles, test_a_pool_without_an_element);
  tcase_add_test(singles, test_buffers_that_are_kept_stay_valid);
  tcase_add_test(singles, test_stopping_a_pool_whose_buffers_are_out);
  tcase_add_test(singles, test_the_peer_goes_and_comes_back);
  TCase* batches = tcase_create("batches");
  suite_add_tcase(suite, batches);
  tcase_add_test(batches, test_a_producer_of_batches);
  tcase_add_test(batches, test_so_many_places_as_asked_for);
  tcase_add_test(batches, test_batches_when_all_are_out);
  tcase_add_loop_test(batches, test_generated_packets_are_not_copied, 0, 8);
  tcase_add_test(batches, test_generated_packets_over_all_queues);
  tcase_add_test(batches, test_a_long_queue_of_batches);
  tcase_add_loop_test(batches, test_generating_while_peers_come_and_go, 0, 2);
  tcase_add_test(batches, test_playing_and_stopping_in_the_middle);
  return suite;
}

GST_CHECK_MAIN(pool)
