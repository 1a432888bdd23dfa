// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The memory of a link goes soon after its peer, also where no packet follows that would show the
 * element that the link is gone.
 */
#include <gst/base/gstbasesink.h>

#include "gst/packet/batch.hpp"

#include "pipeline.hpp"

using namespace memiftest;

namespace {

constexpr std::int64_t kLimit = kPatienceNs;

Role other(Role role) {
  return role == Role::slave ? Role::master : Role::slave;
}

/** A pipeline with one memif element, `end`, and its peer, which can leave. */
class Idle {
 public:
  Idle(Role role, const std::string& before, const std::string& after, std::uint32_t queues = 1)
      : name_(unique_socket()),
        settings_(settings_for(other(role), name_)),
        pipeline_(before + (role == Role::slave ? slave_at(name_) : master_at(name_)) +
                  " name=end ring-size=64 " + after) {
    settings_.rx_queues = settings_.tx_queues = queues;
    come();
  }

  Pipeline& pipeline() { return pipeline_; }

  void play() {
    pipeline_.set(GST_STATE_PLAYING);
    fail_unless(pipeline_.link_comes_up("end"));
  }
  void come() { peer_ = started(settings_); }
  /** As one that is killed, which has no mapping either. */
  void leave() {
    fail_unless(memif_mappings() != 0);
    peer_.reset();
    fail_unless(pipeline_.link_goes_down("end"));
  }
  /** Sends packets and takes them at the other end. */
  void pass(std::uint64_t count) {
    fail_unless(come_up(peer_));
    std::vector<std::unique_ptr<Receiver>> receivers;
    for (std::uint32_t i = 0; i < settings_.rx_queues; ++i) {
      receivers.push_back(must(Receiver::open(peer_, i, RxMode::polling)));
    }
    std::uint64_t received = 0;
    const auto take = [&] {
      for (const auto& receiver : receivers) {
        received += join(receiver->receive(64)).size();
        receiver->release();
      }
      return received == count;
    };
    for (std::uint64_t i = 0; i < count; ++i) push(pipeline_, packet(i, 100));
    fail_unless(eventually(take), "only %u packets came", static_cast<unsigned>(received));
  }
  /** The peer sends so many, if the element's ring has room for them. */
  void send(std::uint64_t count) {
    fail_unless(come_up(peer_));
    auto sender = must(Sender::open(peer_, 0));
    for (std::uint64_t i = 0; i < count; ++i) {
      const Bytes bytes = packet(i, 100);
      const TxSegment segment(bytes);
      while (send_one(*sender, {&segment, 1}) != Sent::ok) {
        expect(sender->wait_for_room(kLimit) == WaitResult::ready, "no room");
      }
    }
    sender->flush();
  }

 private:
  const std::string name_;
  Settings settings_;
  std::shared_ptr<Interface> peer_;
  Pipeline pipeline_;
};

constexpr Role kRoles[] = {Role::slave, Role::master};

/** One that sends what the test pushes. */
class IdleSink : public Idle {
 public:
  explicit IdleSink(int role, const std::string& settings = "", std::uint32_t queues = 1)
      : Idle(kRoles[role], kAppSrc + std::string("memifsink "), settings, queues) {}
};

class IdleSource : public Idle {
 public:
  explicit IdleSource(int role) : Idle(kRoles[role], "memifsrc ", kAppSink) {}
};

}  // namespace

GST_START_TEST(test_a_sink_without_packets) {
  IdleSink idle(__i__);
  for (int round = 0; round < 3; ++round) {
    if (round != 0) idle.come();
    idle.play();
    idle.pass(40);
    idle.leave();
    expect_nothing_mapped();
  }
  // What comes now is dropped, as ever.
  push(idle.pipeline(), packet(0, 100));
  fail_unless(eventually([&] { return idle.pipeline().stat("end", "drop-link-down") == 1; }));
}
GST_END_TEST

GST_START_TEST(test_a_sink_of_several_queues) {
  IdleSink idle(__i__, " queue=-1 tx-queues=3 rx-queues=3 ", 3);
  idle.play();
  idle.pass(60);
  idle.leave();
  expect_nothing_mapped();
}
GST_END_TEST

GST_START_TEST(test_a_sink_that_is_paused) {
  IdleSink idle(__i__);
  idle.play();
  idle.pass(1);
  idle.pipeline().set(GST_STATE_PAUSED);
  idle.leave();
  expect_nothing_mapped();
}
GST_END_TEST

GST_START_TEST(test_a_sink_that_waits_for_a_peer) {
  IdleSink idle(__i__, " queue=-1 tx-queues=3 rx-queues=3 when-down=block ", 3);
  idle.play();
  idle.pass(60);
  idle.leave();
  push(idle.pipeline(), packet(0, 100));
  expect_nothing_mapped();
  idle.come();
  fail_unless(eventually([&] { return idle.pipeline().stat("end", "packets") == 61; }));
}
GST_END_TEST

/** The packet that waited for room in the ring of the old link is not kept for the next one. */
GST_START_TEST(test_a_sink_that_is_paused_while_it_waits_for_room) {
  IdleSink idle(__i__, " when-full=block ");
  idle.play();
  constexpr guint64 kRing = 64;
  const auto sent = [&] { return idle.pipeline().stat("end", "packets"); };
  for (guint64 i = 0; i <= kRing; ++i) push(idle.pipeline(), packet(i, 100));
  // As master it has the buffers that the peer has given out, which may take a moment.
  fail_unless(eventually([&] { return sent() == kRing; }), "%" G_GUINT64_FORMAT, sent());
  idle.pipeline().set(GST_STATE_PAUSED);
  idle.leave();
  expect_nothing_mapped();
  idle.pipeline().set(GST_STATE_PLAYING);
  fail_unless(eventually([&] { return idle.pipeline().stat("end", "drop-link-down") == 1; }));
  idle.come();
  fail_unless(idle.pipeline().link_comes_up("end"));
  idle.pass(10);
}
GST_END_TEST

/** @param batches whether it has batches, or single packets */
static void check_pool(Idle& idle, bool batches) {
  GstPad* pad = gst_element_get_static_pad(idle.pipeline().element("end"), "sink");
  GstCaps* caps = gst_caps_from_string("application/x-packet,link-type=(string)ethernet");
  GstQuery* query = gst_query_new_allocation(caps, TRUE);
  fail_unless(gst_pad_query(pad, query));
  GstBufferPool* pool = nullptr;
  guint size = 0;
  gst_query_parse_nth_allocation_pool(query, 0, &pool, &size, nullptr, nullptr);
  if (batches) {
    GstStructure* config = gst_buffer_pool_get_config(pool);
    gst_buffer_pool_config_set_params(config, caps, size, 0, 0);
    gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_PACKET_BATCH);
    fail_unless(gst_buffer_pool_set_config(pool, config));
  }
  fail_unless(gst_buffer_pool_set_active(pool, TRUE));
  for (int round = 0; round < 3; ++round) {
    if (round != 0) {
      idle.come();
      fail_unless(idle.pipeline().link_comes_up("end"));
    }
    GstBuffer* taken[3];
    for (GstBuffer*& buffer : taken) {
      fail_unless_equals_int(gst_buffer_pool_acquire_buffer(pool, &buffer, nullptr), GST_FLOW_OK);
    }
    for (GstBuffer* buffer : taken) gst_buffer_unref(buffer);
    idle.leave();
    expect_nothing_mapped();
  }
  gst_buffer_pool_set_active(pool, FALSE);
  gst_object_unref(pool);
  gst_query_unref(query);
  gst_caps_unref(caps);
  gst_object_unref(pad);
}

GST_START_TEST(test_a_pool_that_rests) {
  IdleSink idle(0);
  idle.play();
  check_pool(idle, __i__ != 0);
}
GST_END_TEST

GST_START_TEST(test_a_source_that_is_paused) {
  const bool before = __i__ / 2 != 0;  // it is played
  IdleSource idle(__i__ % 2);
  if (before) {
    idle.play();
    idle.send(3);
    for (int i = 0; i < 3; ++i) pull(idle.pipeline());
  }
  idle.pipeline().set(GST_STATE_PAUSED);
  fail_unless(idle.pipeline().link_comes_up("end"));
  idle.leave();
  expect_nothing_mapped();
  idle.come();
  idle.play();
  idle.send(2);
  for (std::uint64_t i = 0; i < 2; ++i) fail_unless(pull(idle.pipeline()).bytes == packet(i, 100));
}
GST_END_TEST

/** Its memory stays for as long as there are packets in it. */
GST_START_TEST(test_what_came_in_a_pause_is_received) {
  IdleSource idle(__i__);
  idle.pipeline().set(GST_STATE_PAUSED);
  fail_unless(idle.pipeline().link_comes_up("end"));
  idle.send(5);
  idle.leave();
  idle.pipeline().set(GST_STATE_PLAYING);
  for (std::uint64_t i = 0; i < 5; ++i) fail_unless(pull(idle.pipeline()).bytes == packet(i, 100));
  expect_nothing_mapped();
}
GST_END_TEST

/** However often peers come and go while it cannot be left, one thread tries to. */
GST_START_TEST(test_a_sink_that_is_busy_while_peers_come_and_go) {
  IdleSink idle(__i__);
  idle.play();
  idle.pass(1);
  auto* sink = GST_BASE_SINK(idle.pipeline().element("end"));
  const int threads = count_entries("/proc/self/task");
  GST_BASE_SINK_PREROLL_LOCK(sink);
  idle.leave();
  for (int i = 0; i < 12; ++i) {
    idle.come();
    fail_unless(idle.pipeline().link_comes_up("end"));
    idle.leave();
  }
  const int now = count_entries("/proc/self/task");
  GST_BASE_SINK_PREROLL_UNLOCK(sink);
  // There may be one that closes descriptors, too, and some of GStreamer that have nothing to do.
  fail_unless(now <= threads + 5, "%d threads, and %d before", now, threads);
  idle.come();
  fail_unless(idle.pipeline().link_comes_up("end"));
  idle.leave();
  expect_nothing_mapped();
}
GST_END_TEST

/** Peers come and go while packets are pushed: each link is left by one thread or another. */
GST_START_TEST(test_links_are_left_while_packets_come) {
  IdleSink idle(__i__, " queue=-1 tx-queues=2 rx-queues=2 ", 2);
  idle.play();
  std::atomic<bool> stop{false};
  std::thread pushing([&] {
    for (std::uint64_t i = 0; !stop.load(); ++i) {
      push(idle.pipeline(), packet(i, 100));
      if (i % 16 == 0) g_usleep(200);
    }
  });
  for (int round = 0; round < 10; ++round) {
    pause_ms(round);
    idle.leave();
    idle.come();
    fail_unless(idle.pipeline().link_comes_up("end"));
  }
  stop.store(true);
  pushing.join();
  idle.leave();
  expect_nothing_mapped();
}
GST_END_TEST

static Suite* idle_suite(void) {
  Suite* suite = suite_create("idle");
  TCase* tests = tcase_create("memory");
  suite_add_tcase(suite, tests);
  tcase_add_loop_test(tests, test_a_sink_without_packets, 0, 2);
  tcase_add_loop_test(tests, test_a_sink_of_several_queues, 0, 2);
  tcase_add_loop_test(tests, test_a_sink_that_is_paused, 0, 2);
  tcase_add_loop_test(tests, test_a_sink_that_waits_for_a_peer, 0, 2);
  tcase_add_loop_test(tests, test_a_sink_that_is_paused_while_it_waits_for_room, 0, 2);
  tcase_add_loop_test(tests, test_a_pool_that_rests, 0, 2);
  tcase_add_loop_test(tests, test_a_source_that_is_paused, 0, 4);
  tcase_add_loop_test(tests, test_what_came_in_a_pause_is_received, 0, 2);
  tcase_add_loop_test(tests, test_a_sink_that_is_busy_while_peers_come_and_go, 0, 2);
  tcase_add_loop_test(tests, test_links_are_left_while_packets_come, 0, 2);
  return suite;
}

GST_CHECK_MAIN(idle)
