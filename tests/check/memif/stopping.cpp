// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * A pipeline stops at once, whatever the peer does.
 */
#include "pipeline.hpp"

using namespace memiftest;

namespace {

// It takes a few milliseconds; a busy machine may look elsewhere for longer than that.
constexpr int kPromptStop = 4000 * kSlowdown;

constexpr int kSteps = 7;  // messages of a peer in a handshake

/** Both directions of one interface; `in` sends what the test pushes. */
std::string both_ways(const std::string& end, const std::string& settings = "") {
  return kAppSrc +
         ("memifsink name=sink drain-timeout=18446744073709551615 ring-size=64 " + settings + end) +
         " memifsrc name=src ring-size=64 " + end + " ! fakesink async=false";
}

/** A pipeline of one role whose peer is made by hand. */
class Stopped {
 public:
  explicit Stopped(bool slave, const std::string& settings = "")
      : name_(unique_socket()),
        slave_(slave),
        listener_(slave ? std::optional(must(ListenSocket::open(address(name_), ListenOptions())))
                        : std::nullopt),
        pipeline_(both_ways(slave ? slave_at(name_) : master_at(name_), settings)) {
    pipeline_.set(GST_STATE_PLAYING);
  }

  Pipeline& pipeline() { return pipeline_; }
  /** A peer that is silent after so many messages; true if the link is up by then. */
  bool connect(int messages = 1000) {
    if (slave_) {
      master_.emplace(RawPeer::accepted(*listener_), MasterHandshake(admit_all()));
      if (messages == 0) return false;
      master_->peer.say(Hello{});
      if (!master_->answer(messages - 1)) return false;
      plan_ = master_->plan();
    } else {
      slave_peer_.emplace(raw_slave(name_, small_offer(64, 2048)));
      if (!slave_peer_->answer(messages)) return false;
      plan_ = slave_peer_->plan();
    }
    return true;
  }
  void come_up() {
    fail_unless(connect());
    fail_unless(pipeline_.link_comes_up("sink") && pipeline_.link_comes_up("src"));
    const RingPlan& ring = (slave_ ? plan_.s2m : plan_.m2s).front();
    event_ = duplicate(ring.event_fd.get());
    Ring to_peer(plan_.regions[ring.region].data() + ring.offset,
                 RingLayout{plan_.cache_line, ring.size});
    link_ = std::make_shared<Link>(std::move(plan_), std::make_shared<InterfaceStats>(),
                                   std::make_shared<const UniqueFd>(must(make_eventfd())));
    to_peer.mask_interrupt(false);
  }
  /** A plain write() to it hangs. */
  void block_event() {
    constexpr std::uint64_t kFull = UINT64_MAX - 1;
    fail_unless(::write(event_.get(), &kFull, sizeof kFull) == sizeof kFull);
    fail_unless(::fcntl(event_.get(), F_SETFL, 0) == 0);
  }
  void send(int count) {
    for (int i = 0; i < count; ++i) push(pipeline_, packet(static_cast<std::uint64_t>(i), 100));
  }
  std::int64_t stop() {
    const auto start = Clock::now();
    pipeline_.set(GST_STATE_NULL);
    return milliseconds_since(start);
  }

 private:
  const std::string name_;
  const bool slave_;
  std::optional<ListenSocket> listener_;
  Pipeline pipeline_;
  std::optional<RawMaster> master_;
  std::optional<RawSlave> slave_peer_;
  LinkPlan plan_;
  UniqueFd event_;  // our sink writes to it
  std::shared_ptr<Link> link_;
};

/** Stops are looked at together, so that a failure tells all of them. */
class Stops {
 public:
  ~Stops() {
    g_print("%s: %d ms at the most\n", what_, static_cast<int>(longest_));
    fail_unless(longest_ < kPromptStop, "%s: %d ms", what_, static_cast<int>(longest_));
  }
  explicit Stops(const char* what) : what_(what) {}
  void add(std::int64_t milliseconds) { longest_ = std::max(longest_, milliseconds); }

 private:
  const char* what_;
  std::int64_t longest_ = 0;
};

}  // namespace

GST_START_TEST(test_a_peer_whose_eventfd_blocks) {
  Stops stops("eventfd full and blocking");
  for (const bool seen : {false, true}) {
    Stopped stopped(__i__ != 0);
    stopped.come_up();
    stopped.block_event();
    stopped.send(50);
    if (seen) fail_unless(stopped.pipeline().link_goes_down("sink"));
    stops.add(stopped.stop());
  }
}
GST_END_TEST

GST_START_TEST(test_a_peer_that_does_not_drain) {
  Stops stops("ring full");
  for (const bool at_eos : {false, true}) {
    Stopped stopped(__i__ != 0, "when-full=block ");
    stopped.come_up();
    stopped.send(at_eos ? 64 : 100);
    fail_unless(eventually([&] { return stopped.pipeline().stat("sink", "packets") == 64; }));
    if (at_eos) gst_app_src_end_of_stream(GST_APP_SRC(stopped.pipeline().element("in")));
    pause_ms(5);  // for the sink to be in its wait, if it ever is
    stops.add(stopped.stop());
  }
}
GST_END_TEST

GST_START_TEST(test_a_peer_that_falls_silent_in_a_handshake) {
  Stops stops("silent in a handshake");
  for (int messages = 0; messages < kSteps; ++messages) {
    Stopped stopped(__i__ != 0);
    if (stopped.connect(messages)) continue;
    stopped.send(1);
    stops.add(stopped.stop());
  }
}
GST_END_TEST

static Suite* stopping_suite(void) {
  Suite* suite = suite_create("stopping");
  TCase* tests = tcase_create("pipelines");
  suite_add_tcase(suite, tests);
  tcase_add_loop_test(tests, test_a_peer_whose_eventfd_blocks, 0, 2);
  tcase_add_loop_test(tests, test_a_peer_that_does_not_drain, 0, 2);
  tcase_add_loop_test(tests, test_a_peer_that_falls_silent_in_a_handshake, 0, 2);
  return suite;
}

GST_CHECK_MAIN(stopping)
