// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Damaged batches: no element crashes or gives up, and each damaged packet is
 * counted, be it that it lies outside of the arena, has no bytes, or its token is another's.
 */
#include <algorithm>

#include "../packet/batches.hpp"
#include "../packet/samples.hpp"
#include "pipeline.hpp"

using namespace memiftest;

namespace {

constexpr int kRounds = 300;
constexpr std::int64_t kMillisecond = 1'000'000;

/** What is to be counted of a batch. */
struct Damage {
  std::uint64_t packets = 0;
  std::uint64_t outside = 0;  ///< of the arena
  std::uint64_t empty = 0;
};

/** Descriptors that no element may follow, at random places of a batch. */
class Vandal {
 public:
  explicit Vandal(unsigned seed) : dice_(seed) {}

  GstBuffer* next() {
    const samples::Bytes frame = samples::echo_frame(22);
    GstBuffer* batch = rig::make_batch(std::vector<samples::Bytes>(1 + dice_.below(256), frame));
    return damage(batch);
  }
  /** Takes and returns the reference. */
  GstBuffer* damage(GstBuffer* batch) {
    GstPacketBatchMeta* meta = gst_buffer_get_packet_batch_meta(batch);
    // A whole batch that is not to be believed.
    if (dice_.below(10) == 0) {
      meta->n = dice_.coin() ? GST_PACKET_BATCH_MAX + 1 + dice_.below(100) : G_MAXUINT;
      done_.packets += 1;
      done_.outside += 1;
      return batch;
    }
    for (std::uint32_t i = dice_.below(8); i > 0; --i) {
      spoil(meta->packets[dice_.below(meta->n)], arena_size(batch));
    }
    count(*meta, arena_size(batch));
    return batch;
  }
  const Damage& done() const { return done_; }

 private:
  static gsize arena_size(GstBuffer* batch) { return gst_buffer_peek_memory(batch, 0)->maxsize; }
  void spoil(GstPacketDesc& desc, gsize size) {
    const auto end = static_cast<guint32>(size);
    switch (dice_.below(6)) {
      case 0:
        desc.offset = end + dice_.below(3);
        break;
      case 1:
        desc.offset = G_MAXUINT32 - dice_.below(3);
        break;
      case 2:
        desc.length = G_MAXUINT32 - dice_.below(100);
        break;
      case 3:
        desc.length = 0;
        break;
      case 4:
        desc.offset = dice_.below(end);  // of another packet, and beyond it
        break;
      default:
        desc.token = dice_.coin() ? dice_.below(256) : G_MAXUINT32;
        break;
    }
  }
  void count(const GstPacketBatchMeta& meta, gsize size) {
    for (guint i = 0; i < meta.n; ++i) {
      const GstPacketDesc& desc = meta.packets[i];
      const bool outside = gsize{desc.offset} + desc.length > size;
      done_.outside += outside ? 1 : 0;
      done_.empty += !outside && desc.length == 0 ? 1 : 0;
    }
    done_.packets += meta.n;
  }

  Dice dice_;
  Damage done_;
};

/** Now and then the batch is shared. */
void feed(const Pipeline& pipeline, Vandal& vandal) {
  std::vector<GstBuffer*> shared;
  for (int i = 0; i < kRounds; ++i) {
    GstBuffer* batch = vandal.next();
    if (i % 3 == 0) shared.push_back(gst_buffer_ref(batch));
    if (i % 5 == 0) gst_buffer_unref(gst_buffer_copy(batch));
    push(pipeline, batch);
  }
  for (GstBuffer* batch : shared) gst_buffer_unref(batch);
}

void expect_stat(const Pipeline& pipeline, const char* field, std::uint64_t value) {
  if (eventually([&] { return pipeline.stat("x", field) >= value; })) {
    fail_unless_equals_uint64(pipeline.stat("x", field), value);
  } else {
    fail("%s is %d, not %d", field, static_cast<int>(pipeline.stat("x", field)),
         static_cast<int>(value));
  }
}

/** An engine that takes what a sink sends. */
class Taker {
 public:
  explicit Taker(Settings settings)
      : interface_(started(std::move(settings))),
        receiver_(must(Receiver::open(interface_, 0, RxMode::polling))) {}
  const std::shared_ptr<Interface>& interface() const { return interface_; }
  /** Until @p done. */
  template <class Done>
  bool take_until(Done done) {
    return eventually([&] {
      receiver_->wait(0);
      while (!receiver_->receive(256).empty()) receiver_->release();
      return done();
    });
  }

 private:
  std::shared_ptr<Interface> interface_;
  std::unique_ptr<Receiver> receiver_;
};

}  // namespace

// Written against the element API: one that writes, with one source pad and with ports.
GST_START_TEST(test_elements) {
  for (const char* element : {"icmpresponder", "ethbridge"}) {
    Pipeline pipeline(kAppSrc + std::string(element) + " name=x ! fakesink sync=false async=false");
    pipeline.set(GST_STATE_PLAYING);
    Vandal vandal(1);
    feed(pipeline, vandal);
    expect_stat(pipeline, "packets-in", vandal.done().packets);
    expect_stat(pipeline, "drop-unreadable", vandal.done().outside);
    fail_if(pipeline.has_message(GST_MESSAGE_ERROR));
  }
}
GST_END_TEST

GST_START_TEST(test_packetcheck) {
  Pipeline pipeline(kAppSrc + std::string("packetcheck name=x"));
  pipeline.set(GST_STATE_PLAYING);
  Vandal vandal(2);
  feed(pipeline, vandal);
  // The others were not made by packetgen.
  fail_unless(eventually([&] {
    return pipeline.stat("x", "damaged") + pipeline.stat("x", "foreign") == vandal.done().packets;
  }));
  fail_unless(pipeline.stat("x", "damaged") >= vandal.done().outside);
  fail_if(pipeline.has_message(GST_MESSAGE_ERROR));
}
GST_END_TEST

GST_START_TEST(test_memifsink) {
  for (const bool slave : {true, false}) {
    const std::string name = unique_socket();
    Taker taker(settings_for(slave ? Role::master : Role::slave, name));
    Pipeline pipeline(kAppSrc + std::string("memifsink name=x when-down=block") +
                      (slave ? slave_at(name) : master_at(name)));
    pipeline.set(GST_STATE_PLAYING);
    fail_unless(pipeline.link_comes_up("x") && come_up(taker.interface()));
    Vandal vandal(3);
    feed(pipeline, vandal);
    const auto seen = [&] {
      return pipeline.stat("x", "packets") + pipeline.stat("x", "packets-dropped");
    };
    fail_unless(taker.take_until([&] { return seen() >= vandal.done().packets; }), "%d of %d",
                static_cast<int>(seen()), static_cast<int>(vandal.done().packets));
    fail_unless_equals_uint64(seen(), vandal.done().packets);
    expect_stat(pipeline, "drop-bad-descriptor", vandal.done().outside);
    expect_stat(pipeline, "drop-empty", vandal.done().empty);
    fail_if(pipeline.has_message(GST_MESSAGE_ERROR));
  }
}
GST_END_TEST

// Buffers of the ring that are lent and go back into it: whatever the tokens and descriptors say,
// none is lost or doubled, so that traffic goes on.
GST_START_TEST(test_lent_packets) {
  for (const bool slave : {true, false}) {
    const std::string name = unique_socket();
    Settings settings = settings_for(slave ? Role::master : Role::slave, name);
    auto peer = started(std::move(settings));
    auto sender = must(Sender::open(peer, 0));
    auto receiver = must(Receiver::open(peer, 0, RxMode::polling));
    const std::string at = slave ? slave_at(name) : master_at(name);
    Pipeline pipeline("memifsrc name=src rx-mode=polling" + at + "! memifsink name=x" + at);
    Vandal vandal(4);
    std::atomic<bool> spoils{true};
    std::pair<Vandal*, std::atomic<bool>*> both(&vandal, &spoils);
    GstPad* pad = gst_element_get_static_pad(pipeline.element("src"), "src");
    gst_pad_add_probe(
        pad, GST_PAD_PROBE_TYPE_BUFFER,
        [](GstPad*, GstPadProbeInfo* info, gpointer data) {
          auto& [who, when] = *static_cast<decltype(both)*>(data);
          if (*when) who->damage(GST_PAD_PROBE_INFO_BUFFER(info));
          return GST_PAD_PROBE_OK;
        },
        &both, nullptr);
    gst_object_unref(pad);
    pipeline.set(GST_STATE_PLAYING);
    fail_unless(pipeline.link_comes_up("x") && come_up(peer));

    const samples::Bytes frame = samples::echo_frame(22);
    const TxSegment segment = std::as_bytes(std::span(frame));
    const auto rounds = [&](int n) {
      for (int i = 0; i < n; ++i) {
        sender->wait_for_room(kMillisecond);
        send_copies(*sender, segment, 32);
        sender->flush();
        receiver->wait(kMillisecond);
        receiver->receive(256);
        receiver->release();
      }
    };
    rounds(1000);
    spoils = false;
    const std::uint64_t before = pipeline.stat("x", "packets");
    fail_unless(eventually([&] {
      rounds(10);
      return pipeline.stat("x", "packets") > before + 2000;
    }));
    fail_unless(is_up(peer));
    fail_if(pipeline.has_message(GST_MESSAGE_ERROR));
  }
}
GST_END_TEST

static Suite* damaged_suite(void) {
  Suite* suite = suite_create("damaged");
  TCase* tests = tcase_create("batches");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_elements);
  tcase_add_test(tests, test_packetcheck);
  tcase_add_test(tests, test_memifsink);
  tcase_add_test(tests, test_lent_packets);
  return suite;
}

GST_CHECK_MAIN(damaged)
