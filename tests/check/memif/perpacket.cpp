// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The work for a packet: no memory is allocated, no lock taken, no system call made. What there is
 * of them belongs to a batch. Measured over ten million packets, on the streaming thread.
 */
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <optional>

#include "../packet/samples.hpp"
#include "pipeline.hpp"
#include "workcount.hpp"

using namespace memiftest;

namespace {

constexpr std::uint64_t kStep = 100'000;
constexpr std::uint64_t kWarmUp = 200'000;
constexpr std::uint64_t kPackets = 10'000'000;
constexpr std::uint64_t kSinglePackets = 2'000'000;  // one per buffer

// Of a whole batch, from the ring to the ring: a few, and not more when it holds more packets.
constexpr double kMostAllocations = 10;
constexpr double kMostLocks = 30;
constexpr std::uint64_t kPacketsPerCall = 10'000;

/** Sends echo requests to the pipeline, and counts what comes back. */
class Asker {
 public:
  explicit Asker(Settings settings)
      : interface_(started(std::move(settings))),
        sender_(must(Sender::open(interface_, 0))),
        receiver_(must(Receiver::open(interface_, 0, RxMode::polling))),
        request_(samples::echo_frame(22)) {
    fail_unless_equals_uint64(request_.size(), 64);
  }
  const std::shared_ptr<Interface>& interface() const { return interface_; }

  void ask(std::uint64_t packets) {
    const TxSegment request = std::as_bytes(std::span(request_));
    std::uint64_t sent = 0;
    std::uint64_t answered = 0;
    receiver_->wait(0);  // takes the link
    while (answered < packets) {
      const std::uint64_t room = std::min(packets - sent, kWindow - (sent - answered));
      sent += send_copies(*sender_, request, static_cast<std::uint32_t>(std::min(room, kBurst)));
      sender_->flush();
      const std::size_t replies = receiver_->receive(kBurst).size();
      expect(receiver_->release(), "lost memory");
      answered += replies;
      if (replies == 0) ::sched_yield();
    }
  }

 private:
  static constexpr std::uint64_t kBurst = 256;
  static constexpr std::uint64_t kWindow = 768;  // of a ring of 1024

  std::shared_ptr<Interface> interface_;
  std::unique_ptr<Sender> sender_;
  std::unique_ptr<Receiver> receiver_;
  samples::Bytes request_;
};

/** Waits for the first packet that passes a pad, counts its thread from then on. */
class StreamingThread {
 public:
  explicit StreamingThread(GstElement* source) {
    GstPad* pad = gst_element_get_static_pad(source, "src");
    gst_pad_add_probe(
        pad,
        static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST),
        [](GstPad*, GstPadProbeInfo*, gpointer self) {
          workcount::count_this_thread();
          static_cast<StreamingThread*>(self)->id_ = ::gettid();
          return GST_PAD_PROBE_REMOVE;
        },
        this, nullptr);
    gst_object_unref(pad);
  }
  pid_t id() const { return id_; }

 private:
  std::atomic<pid_t> id_{0};
};

struct Form {
  const char* name;
  const char* settings;
  std::uint64_t packets;
};
constexpr Form kBatches{"batches", "", kPackets};
constexpr Form kBuffers{"buffers", "batches=false ", kSinglePackets};

struct Measured {
  std::uint64_t packets = 0;
  double batches = 0;
  workcount::Work work;
  std::optional<std::uint64_t> calls;  // none where tracing is not allowed
};

Measured measure(const Pipeline& pipeline, Asker& asker, pid_t thread, std::uint64_t packets) {
  const workcount::SystemCalls calls(thread);
  const workcount::Work before = workcount::so_far();
  const std::uint64_t batches = pipeline.stat("responder", "batches");
  std::uint64_t asked = 0;
  // A call takes long under observation: if there are many, they are not awaited.
  while (asked < packets && calls.so_far() <= packets / kPacketsPerCall) {
    asker.ask(kStep);
    asked += kStep;
  }
  const workcount::Work after = workcount::so_far();
  Measured measured;
  measured.packets = asked;
  measured.batches = static_cast<double>(pipeline.stat("responder", "batches") - batches);
  measured.work = {after.allocations - before.allocations, after.locks - before.locks};
  if (calls.error() == 0) {
    measured.calls = calls.so_far();
  } else {
    std::printf("system calls are not counted: %s\n", g_strerror(calls.error()));
  }
  return measured;
}

void check(const Measured& measured, const Form& form, const char* role) {
  const double allocations = static_cast<double>(measured.work.allocations) / measured.batches;
  const double locks = static_cast<double>(measured.work.locks) / measured.batches;
  const auto packets = static_cast<double>(measured.packets);
  std::printf("%s, %s: %.0f packets, %.1f a batch; a batch: %.2f allocations, %.2f locks",
              form.name, role, packets, packets / measured.batches, allocations, locks);
  if (measured.calls) std::printf("; system calls: %d", static_cast<int>(*measured.calls));
  std::printf("\n");
  std::fflush(stdout);
  fail_unless(allocations < kMostAllocations, "%f allocations a batch", allocations);
  fail_unless(locks < kMostLocks, "%f locks a batch", locks);
  if (measured.calls) {
    fail_unless(*measured.calls < measured.packets / kPacketsPerCall, "%d system calls",
                static_cast<int>(*measured.calls));
  }
}

void measure_chain(const Form& form, bool slave) {
  const std::string name = unique_socket();
  const std::string at = slave ? slave_at(name) : master_at(name);
  Pipeline pipeline("memifsrc name=src rx-mode=polling " + std::string(form.settings) + at +
                    "! icmpresponder name=responder ! memifsink" + at);
  Settings settings = settings_for(slave ? Role::master : Role::slave, name);
  settings.ring_size = 1024;
  Asker asker(std::move(settings));
  const StreamingThread thread(pipeline.element("src"));
  pipeline.set(GST_STATE_PLAYING);
  fail_unless(pipeline.link_comes_up("src") && come_up(asker.interface()));
  asker.ask(kWarmUp);
  const Measured measured = measure(pipeline, asker, thread.id(), form.packets);
  check(measured, form, slave ? "slave" : "master");
  // Counted when the push is over, which the peer does not wait for.
  fail_unless(eventually(
      [&] { return pipeline.stat("responder", "packets-out") == kWarmUp + form.packets; }));
}

}  // namespace

// It must be able to fail.
GST_START_TEST(test_counters_count) {
  workcount::count_this_thread();
  const workcount::Work before = workcount::so_far();
  g_free(g_malloc(1));
  GMutex plain;
  g_mutex_init(&plain);
  g_mutex_lock(&plain);
  g_mutex_unlock(&plain);
  g_mutex_clear(&plain);
  GRecMutex recursive;
  g_rec_mutex_init(&recursive);
  g_rec_mutex_lock(&recursive);
  g_rec_mutex_unlock(&recursive);
  g_rec_mutex_clear(&recursive);
  const workcount::Work after = workcount::so_far();
  fail_unless(after.allocations > before.allocations);
  fail_unless_equals_uint64(after.locks - before.locks, 2);

  const workcount::SystemCalls calls(::gettid());
  const std::uint64_t calls_before = calls.so_far();
  for (int i = 0; i < 10; ++i) sched_yield();
  const std::uint64_t made = calls.so_far() - calls_before;
  fail_unless(calls.error() != 0 || (made >= 10 && made < 20), "%d", static_cast<int>(made));
}
GST_END_TEST

// The counters of a queue are in a table of the interface, which has a lock for all its queues.
GST_START_TEST(test_counters_are_at_hand) {
  Peers peers;
  const auto receiver = must(Receiver::open(peers.slave, 0, RxMode::polling));
  const auto sender = must(Sender::open(peers.slave, 0));
  fail_unless(&receiver->stats() == &peers.slave->stats().rx(0));
  fail_unless(&sender->stats() == &peers.slave->stats().tx(0));
  workcount::count_this_thread();
  const workcount::Work before = workcount::so_far();
  receiver->stats().copies.add(1);
  sender->stats().copies.add(1);
  fail_unless_equals_uint64(workcount::so_far().locks, before.locks);
}
GST_END_TEST

GST_START_TEST(test_batches_as_slave) {
  measure_chain(kBatches, true);
}
GST_END_TEST

GST_START_TEST(test_batches_as_master) {
  measure_chain(kBatches, false);
}
GST_END_TEST

GST_START_TEST(test_buffers_as_slave) {
  measure_chain(kBuffers, true);
}
GST_END_TEST

GST_START_TEST(test_buffers_as_master) {
  measure_chain(kBuffers, false);
}
GST_END_TEST

static Suite* perpacket_suite(void) {
  Suite* suite = suite_create("perpacket");
  TCase* tests = tcase_create("work");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_counters_count);
  tcase_add_test(tests, test_counters_are_at_hand);
  tcase_add_test(tests, test_batches_as_slave);
  tcase_add_test(tests, test_batches_as_master);
  tcase_add_test(tests, test_buffers_as_slave);
  tcase_add_test(tests, test_buffers_as_master);
  return suite;
}

GST_CHECK_MAIN(perpacket)
