// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * An element that has to copy packets before it changes them copies them into the slots of a
 * memifsink behind it, as master: so they are copied once. Whatever gets between, the same packets
 * arrive.
 */
#include <gst/base/gstbasesink.h>
#include <sys/syscall.h>

#include <atomic>
#include <functional>
#include <mutex>

#include "gst/packet/batch.hpp"
#include "gst/packet/element.hpp"
#include "pipeline.hpp"

using namespace memiftest;

namespace {

constexpr std::size_t kLength = 900;
constexpr std::uint32_t kBatch = 16;
constexpr std::byte kMark{0xa5};

/** Between the test and the streaming thread. */
std::mutex shared;
/** Called for the first packet of the next batch, by the streaming thread. */
std::function<void()> meanwhile;

void set_meanwhile(std::function<void()> call) {
  const std::lock_guard lock(shared);
  meanwhile = std::move(call);
}
std::function<void()> take_meanwhile() {
  const std::lock_guard lock(shared);
  return std::exchange(meanwhile, nullptr);
}

/** Holds the editor up, with packets in the slots that are sent next. */
class HeldUp {
 public:
  HeldUp() {
    set_meanwhile([state = state_] {
      state->reached = true;
      expect(eventually([&] { return state->goes_on.load(); }), "it is held up");
    });
  }
  void wait_for() const {
    fail_unless(eventually([&] { return state_->reached.load(); }));
  }
  void go_on() const { state_->goes_on = true; }

 private:
  struct State {
    std::atomic<bool> reached{false}, goes_on{false};
  };
  const std::shared_ptr<State> state_ = std::make_shared<State>();
};

/** Of the packets that are left out, in one of so many; 0: none. */
std::atomic<unsigned> one_out_of{0};

/** Marks the last byte of each packet, and leaves some out. */
struct CheckEditor {
  enum class Drop { chosen };
  static constexpr gstpacket::ElementInfo info{"checkeditor", "Editor", "Filter/Network",
                                               "Marks packets", "A. Tester <test@example.org>"};
  gstpacket::Verdict process(gstpacket::Packet& packet) {
    if (const auto call = take_meanwhile()) call();
    const unsigned out = one_out_of.load();
    const std::span<std::byte> bytes = packet.writable();
    if (out != 0 && std::to_integer<unsigned>(bytes[0]) % out == 0) {
      return gstpacket::drop(Drop::chosen);
    }
    bytes.back() = kMark;
    return gstpacket::forward();
  }
};

/** What arrives of packets from number @p first on. */
std::vector<Bytes> edited(std::uint64_t first, std::uint32_t count, std::size_t length = kLength) {
  std::vector<Bytes> list;
  const unsigned out = one_out_of.load();
  for (std::uint64_t i = first; i < first + count; ++i) {
    Bytes bytes = packet(i, length);
    if (out != 0 && std::to_integer<unsigned>(bytes[0]) % out == 0) continue;
    bytes.back() = kMark;
    list.push_back(std::move(bytes));
  }
  return list;
}

GstBuffer* batch_of(std::uint64_t first, std::uint32_t count, std::size_t length = kLength) {
  GstBuffer* batch = gst_packet_batch_new(count * length);
  const gstpacket::BatchMap map(batch);
  for (std::uint32_t i = 0; i < count; ++i) {
    std::ranges::copy(packet(first + i, length), map.data() + i * length);
    map.meta().packets[map.meta().n++] = {static_cast<guint32>(i * length),
                                          static_cast<guint32>(length), 0, 0};
  }
  return batch;
}

/** The peer: sends packets and takes what becomes of them. */
class Slave {
 public:
  explicit Slave(const std::string& name)
      : interface_(started(settings_for(Role::slave, name))),
        sender_(must(Sender::open(interface_, 0))),
        receiver_(must(Receiver::open(interface_, 0, RxMode::adaptive))) {}
  void send(std::uint64_t first, std::uint32_t count, std::size_t length) {
    expect(sender_->wait_for_link(kLimit) == WaitResult::ready, "no link");
    for (std::uint64_t i = first; i < first + count; ++i) {
      const Bytes bytes = packet(i, length);
      const TxSegment segment(bytes);
      while (send_one(*sender_, {&segment, 1}) != Sent::ok) {
        expect(sender_->wait_for_room(kLimit) == WaitResult::ready, "the ring has stopped");
      }
    }
    sender_->flush();
  }
  void expect_packets(const std::vector<Bytes>& expected) {
    std::vector<Bytes> packets;
    while (packets.size() < expected.size()) {
      for (Bytes& bytes : join(receiver_->receive(256))) packets.push_back(std::move(bytes));
      receiver_->release();
      if (packets.size() < expected.size()) {
        expect(receiver_->wait(kLimit) != WaitResult::timeout, "packets are missing");
      }
    }
    expect(packets == expected, "wrong packets");
  }

 private:
  static constexpr std::int64_t kLimit = kPatienceNs;

  std::shared_ptr<Interface> interface_;
  std::unique_ptr<Sender> sender_;
  std::unique_ptr<Receiver> receiver_;
};

/** Packets of a slave go through the editor, and back to it. */
class Chain {
 public:
  explicit Chain(const std::string& between = "", const std::string& sink = "")
      : pipeline_((gstpacket::register_element<CheckEditor>(nullptr), "memifsrc name=in ") +
                  master_at(name_) + "! checkeditor name=edit ! " + between +
                  "memifsink name=sink " + sink + master_at(name_)),
        slave_(std::make_unique<Slave>(name_)) {
    one_out_of = 0;
    play();
    // Of the first one the element does not know yet where it goes.
    pass(1);
  }
  void play() {
    pipeline_.set(GST_STATE_PLAYING);
    fail_unless(pipeline_.link_comes_up("sink"));
  }

  void send(std::uint32_t count, std::size_t length = kLength) {
    slave_->send(next_, count, length);
    next_ += count;
  }
  void pass(std::uint32_t count, std::size_t length = kLength) {
    const std::uint64_t first = next_;
    const std::uint64_t before = pipeline_.stat("edit", "packets-in");
    send(count, length);
    slave_->expect_packets(edited(first, count, length));
    // Also of packets that were all left out.
    const auto passed = [&] { return pipeline_.stat("edit", "packets-in") == before + count; };
    expect(eventually(passed), "it has stopped");
  }
  std::uint64_t copies(const char* element) const { return pipeline_.stat(element, "copies"); }
  Pipeline& pipeline() { return pipeline_; }
  const std::string& name() const { return name_; }
  std::uint64_t next() const { return next_; }
  Slave& slave() { return *slave_; }
  void set_slave(std::unique_ptr<Slave> slave) { slave_ = std::move(slave); }

 private:
  const std::string name_ = unique_socket();
  Pipeline pipeline_;
  std::unique_ptr<Slave> slave_;
  std::uint64_t next_ = 0;
};

GstPad* pad_of(const Pipeline& pipeline, const char* element, const char* name) {
  GstPad* pad = gst_element_get_static_pad(pipeline.element(element), name);
  gst_object_unref(pad);  // the element keeps it
  return pad;
}

}  // namespace

GST_START_TEST(test_packets_are_copied_once) {
  Chain chain;
  const std::uint64_t before = chain.copies("sink");
  const std::uint64_t edited_before = chain.copies("edit");
  for (std::size_t i = 0; i < 100; ++i) chain.pass(kBatch, 256 + i * 1792 / 99);
  fail_unless_equals_uint64(chain.copies("sink"), before);
  fail_unless_equals_uint64(chain.copies("edit"), edited_before + 100 * kBatch);
}
GST_END_TEST

GST_START_TEST(test_packets_are_left_out) {
  Chain chain;
  for (const unsigned out : {2U, 3U, 16U, 1U, 5U}) {
    one_out_of = out;
    for (int i = 0; i < 40; ++i) chain.pass(kBatch);
  }
  one_out_of = 0;
  const std::uint64_t before = chain.copies("sink");
  chain.pass(kBatch);
  fail_unless_equals_uint64(chain.copies("sink"), before);
}
GST_END_TEST

/** Longer than a slot, or more than there is room for. */
GST_START_TEST(test_packets_that_do_not_fit) {
  Chain chain;
  const std::uint64_t before = chain.copies("sink");
  chain.pass(4, 5000);
  chain.pass(100);
  fail_unless_equals_uint64(chain.copies("sink"), before + 104);
  chain.pass(kBatch);
  fail_unless_equals_uint64(chain.copies("sink"), before + 104);
}
GST_END_TEST

/** The peer must not see them before it is decided whether they are for it. */
GST_START_TEST(test_packets_of_others) {
  const std::string name = unique_socket();
  fail_unless(gstpacket::register_element<CheckEditor>(nullptr));
  one_out_of = 0;
  Pipeline pipeline(kAppSrc + ("checkeditor name=edit ! memifsink name=sink" + master_at(name)));
  Slave slave(name);
  pipeline.set(GST_STATE_PLAYING);
  fail_unless(pipeline.link_comes_up("sink"));
  for (std::uint64_t number = 0; number < 10 * kBatch; number += kBatch) {
    GstBuffer* batch = batch_of(number, kBatch);
    push(pipeline, gst_buffer_ref(batch));
    slave.expect_packets(edited(number, kBatch));
    gst_buffer_unref(batch);
    fail_unless_equals_uint64(pipeline.stat("sink", "copies"), number + kBatch);
  }
}
GST_END_TEST

/** Where others could keep the packets, or hand them to another thread. */
GST_START_TEST(test_others_between) {
  static constexpr const char* kBranches =
      "tee name=t ! queue ! fakesink async=false sync=false t. ! queue ! ";
  static constexpr const char* kBetween[] = {"queue ! ", "identity ! ", kBranches};
  Chain chain(kBetween[__i__]);
  for (int i = 0; i < 50; ++i) chain.pass(kBatch);
}
GST_END_TEST

GST_START_TEST(test_a_sink_that_keeps_the_last_packets) {
  Chain chain("", "enable-last-sample=true");
  std::vector<Bytes> kept;
  for (int i = 0; i < 10; ++i) {
    const std::uint64_t first = chain.next();
    chain.pass(kBatch);
    auto* sample = chain.pipeline().property<GstSample*>("sink", "last-sample");
    if (sample == nullptr) continue;  // it is kept after it was sent
    const gstpacket::BatchMap map(gst_sample_get_buffer(sample));
    for (std::uint32_t at = 0; at < map.meta().n && map.meta().n == kBatch; ++at) {
      const std::byte* bytes = map.bytes(map.meta().packets[at]);
      const Bytes now(bytes, bytes + kLength);
      expect(now == edited(first + at, 1)[0] ||
                 (first > kBatch && now == edited(first - kBatch + at, 1)[0]),
             "the last packets changed");
    }
    gst_sample_unref(sample);
  }
}
GST_END_TEST

/** A probe that keeps every batch: they stay as they were, whatever becomes of the slots. */
GST_START_TEST(test_a_probe_keeps_them) {
  Chain chain;
  static std::vector<GstBuffer*> kept;
  GstPad* pad = __i__ == 0 ? pad_of(chain.pipeline(), "edit", "src")
                           : pad_of(chain.pipeline(), "sink", "sink");
  const std::uint64_t start = chain.next();
  const auto keep = [](GstPad*, GstPadProbeInfo* info, gpointer) {
    const std::lock_guard lock(shared);
    kept.push_back(gst_buffer_ref(GST_PAD_PROBE_INFO_BUFFER(info)));
    return GST_PAD_PROBE_OK;
  };
  // Also one that comes when the packets are in their places already.
  static std::atomic<gulong> probe;
  set_meanwhile([pad, keep] {
    probe = gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, keep, nullptr, nullptr);
  });
  for (int i = 0; i < 20; ++i) chain.pass(kBatch);
  gst_pad_remove_probe(pad, probe);
  const std::lock_guard lock(shared);
  fail_unless_equals_uint64(kept.size(), 20);
  for (std::uint64_t number = start; GstBuffer * buffer : std::exchange(kept, {})) {
    {
      const gstpacket::BatchMap map(buffer);
      for (guint i = 0; i < map.meta().n; ++i) {
        const std::byte* bytes = map.bytes(map.meta().packets[i]);
        expect(Bytes(bytes, bytes + kLength) == edited(number++, 1)[0], "a kept packet changed");
      }
    }
    gst_buffer_unref(buffer);
  }
}
GST_END_TEST

/** A probe that keeps the batch from the sink: others take its slots. */
GST_START_TEST(test_a_probe_takes_them_away) {
  Chain chain;
  static GstBuffer* taken;
  GstPad* pad = pad_of(chain.pipeline(), "edit", "src");
  const std::uint64_t start = chain.next();
  static std::atomic<gulong> probe;
  set_meanwhile([pad] {
    probe = gst_pad_add_probe(
        pad, GST_PAD_PROBE_TYPE_BUFFER,
        [](GstPad*, GstPadProbeInfo* info, gpointer) {
          const std::lock_guard lock(shared);
          taken = GST_PAD_PROBE_INFO_BUFFER(info);
          return GST_PAD_PROBE_HANDLED;
        },
        nullptr, nullptr);
  });
  chain.send(kBatch);
  fail_unless(eventually([&] { return chain.pipeline().stat("edit", "packets-out") > kBatch; }));
  gst_pad_remove_probe(pad, probe);
  for (int i = 0; i < 20; ++i) chain.pass(kBatch);
  const std::lock_guard lock(shared);
  {
    const gstpacket::BatchMap map(taken);
    fail_unless_equals_int(map.meta().n, kBatch);
    for (guint i = 0; i < kBatch; ++i) {
      const std::byte* bytes = map.bytes(map.meta().packets[i]);
      expect(Bytes(bytes, bytes + kLength) == edited(start + i, 1)[0], "a kept packet changed");
    }
  }
  gst_buffer_unref(taken);
}
GST_END_TEST

/** The peer goes, and another one comes, while the packets lie in slots of the first. */
GST_START_TEST(test_the_link_changes_meanwhile) {
  Chain chain;
  const bool comes_back = __i__ == 1;
  const HeldUp editor;
  const std::uint64_t start = chain.next();
  const std::uint64_t lost = chain.pipeline().stat("sink", "drop-link-down");
  chain.send(kBatch);
  editor.wait_for();
  chain.set_slave(nullptr);
  fail_unless(chain.pipeline().link_goes_down("sink"));
  if (comes_back) {
    chain.set_slave(std::make_unique<Slave>(chain.name()));
    fail_unless(chain.pipeline().link_comes_up("sink"));
  }
  editor.go_on();
  if (!comes_back) {
    fail_unless(eventually(
        [&] { return chain.pipeline().stat("sink", "drop-link-down") == lost + kBatch; }));
    chain.set_slave(std::make_unique<Slave>(chain.name()));
    fail_unless(chain.pipeline().link_comes_up("sink"));
  } else {
    chain.slave().expect_packets(edited(start, kBatch));
  }
  chain.pass(1);  // the first of a link
  const std::uint64_t before = chain.copies("sink");
  for (int i = 0; i < 20; ++i) chain.pass(kBatch);
  fail_unless_equals_uint64(chain.copies("sink"), before);
}
GST_END_TEST

/** While another thread leaves a link that is gone, which the lock of a sink is for. */
GST_START_TEST(test_slots_are_lent_under_the_lock_of_the_sink) {
  Chain chain;
  std::atomic<pid_t> thread{0};
  set_meanwhile([&thread] { thread = static_cast<pid_t>(::syscall(SYS_gettid)); });
  chain.pass(kBatch);
  std::atomic<bool> reached{false};
  set_meanwhile([&reached] { reached = true; });
  auto* sink = GST_BASE_SINK(chain.pipeline().element("sink"));
  const std::uint64_t before = chain.pipeline().stat("in", "packets");
  const std::uint64_t first = chain.next();
  GST_BASE_SINK_PREROLL_LOCK(sink);
  chain.send(kBatch);
  const auto came = [&] { return chain.pipeline().stat("in", "packets") > before; };
  const bool waits = eventually([&] { return reached.load() || (came() && sleeps(thread)); });
  const bool lent = reached.load();
  GST_BASE_SINK_PREROLL_UNLOCK(sink);
  fail_unless(waits && !lent, "slots are lent while the link may go");
  chain.slave().expect_packets(edited(first, kBatch));
}
GST_END_TEST

/** A flush between copying and sending: the slots are used by what follows. */
GST_START_TEST(test_a_flush_meanwhile) {
  Chain chain;
  const HeldUp editor;
  const std::uint64_t start = chain.next();
  chain.send(kBatch);
  editor.wait_for();
  chain.pipeline().send(gst_event_new_flush_start());
  editor.go_on();
  const auto flushed = [&] { return chain.pipeline().stat("edit", "packets-in") - start; };
  fail_unless(eventually([&] { return flushed() != 0; }));
  const auto gone = static_cast<std::uint32_t>(flushed());
  chain.pipeline().send(gst_event_new_flush_stop(TRUE));
  // A batch may have been made before all packets were there: the others come now.
  chain.slave().expect_packets(edited(start + gone, kBatch - gone));
  for (int i = 0; i < 20; ++i) chain.pass(kBatch);
}
GST_END_TEST

/** To READY and back, with packets in places that nobody sends. */
GST_START_TEST(test_a_stop) {
  Chain chain;
  for (int i = 0; i < 3; ++i) {
    chain.pass(kBatch);
    chain.send(kBatch);
    chain.pipeline().set(GST_STATE_READY);
    chain.set_slave(nullptr);
    chain.set_slave(std::make_unique<Slave>(chain.name()));
    chain.pipeline().set(GST_STATE_PLAYING);
    fail_unless(chain.pipeline().link_comes_up("sink"));
  }
}
GST_END_TEST

static Suite* onecopy_suite(void) {
  Suite* suite = suite_create("onecopy");
  TCase* tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_packets_are_copied_once);
  tcase_add_test(tests, test_packets_are_left_out);
  tcase_add_test(tests, test_packets_that_do_not_fit);
  tcase_add_test(tests, test_packets_of_others);
  tcase_add_loop_test(tests, test_others_between, 0, 3);
  tcase_add_test(tests, test_a_sink_that_keeps_the_last_packets);
  tcase_add_loop_test(tests, test_a_probe_keeps_them, 0, 2);
  tcase_add_test(tests, test_a_probe_takes_them_away);
  tcase_add_loop_test(tests, test_the_link_changes_meanwhile, 0, 2);
  tcase_add_test(tests, test_slots_are_lent_under_the_lock_of_the_sink);
  tcase_add_test(tests, test_a_flush_meanwhile);
  tcase_add_test(tests, test_a_stop);
  return suite;
}

GST_CHECK_MAIN(onecopy)
