// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * memifsink behind a switch: a peer that takes nothing stops its own port, and no other.
 */
#include "gst/packet/switch_event.hpp"

#include "pipeline.hpp"

using namespace memiftest;

namespace {

constexpr std::uint32_t kRing = 64;  // of settings_for() and of kSmall
constexpr char kSmall[] = " ring-size=64 ";
constexpr std::int64_t kLimit = kPatienceNs;

/** To all, with a number. */
Bytes broadcast(std::uint32_t number) {
  Bytes frame(60, std::byte{0});
  std::fill_n(frame.begin(), 6, std::byte{0xff});
  const std::uint8_t rest[] = {0x02, 0, 0, 0, 0, 1, 0x88, 0xb5};
  std::memcpy(frame.data() + 6, rest, sizeof(rest));
  std::memcpy(frame.data() + 14, &number, sizeof(number));
  return frame;
}
std::uint32_t number_of(const Bytes& frame) {
  std::uint32_t number = 0;
  std::memcpy(&number, frame.data() + 14, sizeof(number));
  return number;
}

/** What is at the other end of a port. */
class Station {
 public:
  Station(Role role, const std::string& name)
      : interface_(started(settings_for(role, name))),
        sender_(must(Sender::open(interface_, 0))),
        receiver_(must(Receiver::open(interface_, 0, RxMode::adaptive))) {}

  bool is_up() const { return memiftest::is_up(interface_); }
  void send(std::uint32_t number) {
    const Bytes frame = broadcast(number);
    const TxSegment segment(frame);
    while (send_one(*sender_, {&segment, 1}) != Sent::ok) {
      expect(sender_->wait_for_room(kLimit) != WaitResult::timeout, "the bridge takes nothing");
    }
    sender_->flush();
  }
  /** The numbers of what is there, after a wait for the first; none: nothing came. */
  std::vector<std::uint32_t> take(std::uint32_t most = 256, std::int64_t limit = kLimit) {
    std::vector<std::uint32_t> numbers;
    while (numbers.empty()) {
      for (const Bytes& frame : join(receiver_->receive(most))) numbers.push_back(number_of(frame));
      receiver_->release();
      if (numbers.empty() && receiver_->wait(limit) == WaitResult::timeout) break;
    }
    return numbers;
  }
  /** That the next ones are numbers @p first to @p last - 1. */
  void expect_numbers(std::uint32_t first, std::uint32_t last) {
    while (first < last) {
      const auto numbers = take(last - first);
      expect(!numbers.empty(), "nothing comes any more");
      for (const std::uint32_t number : numbers) expect(number == first++, "lost or out of order");
    }
  }

 private:
  std::shared_ptr<Interface> interface_;
  std::unique_ptr<Sender> sender_;
  std::unique_ptr<Receiver> receiver_;
};

/** A bridge with three ports, and a station at each. */
struct Network {
  explicit Network(Role role, const std::string& between = "", const std::string& sinks = "")
      : pipeline(description(role, between, sinks)) {
    pipeline.set(GST_STATE_PLAYING);
    const Role other = role == Role::master ? Role::slave : Role::master;
    for (const std::string& name : names)
      stations.push_back(std::make_unique<Station>(other, name));
    for (int i = 0; i < 3; ++i) {
      const std::string sink = "sink" + std::to_string(i);
      fail_unless(pipeline.link_comes_up(sink.c_str()));
      fail_unless(eventually([&] { return stations[i]->is_up(); }));
    }
  }

  std::string description(Role role, const std::string& between, const std::string& sinks) const {
    std::string text = "ethbridge name=br ";
    for (std::size_t i = 0; i < 3; ++i) {
      const std::string end =
          (role == Role::master ? master_at(names[i]) : slave_at(names[i])) + kSmall;
      const std::string number = std::to_string(i);
      text += "memifsrc" + end + "! br.sink_" + number + " br.src_" + number + " ! " + between +
              "memifsink name=sink" + number + end + sinks;
    }
    return text;
  }
  std::uint64_t full(const char* sink) const { return pipeline.stat(sink, "drop-ring-full"); }

  const std::string names[3] = {unique_socket(), unique_socket(), unique_socket()};
  Pipeline pipeline;
  std::vector<std::unique_ptr<Station>> stations;
};

/** Sends without more on the way than rings hold, as long as the listener listens. */
void pass(Station& from, Station& to, std::uint32_t first, std::uint32_t last) {
  constexpr std::uint32_t kAtOnce = 32;
  for (std::uint32_t at = first; at < last; at += kAtOnce) {
    const std::uint32_t end = std::min(at + kAtOnce, last);
    for (std::uint32_t i = at; i < end; ++i) from.send(i);
    to.expect_numbers(at, end);
  }
}

}  // namespace

GST_START_TEST(test_a_port_that_stands_still) {
  static constexpr struct {
    Role role;
    const char* between;
  } kCases[] = {{Role::master, ""},
                {Role::slave, ""},
                {Role::master, "queue max-size-buffers=4 ! "},
                {Role::slave, "queue max-size-buffers=4 ! identity ! "}};
  const auto& test = kCases[__i__];
  constexpr std::uint32_t kCount = 6400;
  Network net(test.role, test.between);
  Station& from = *net.stations[0];
  Station& still = *net.stations[1];
  Station& to = *net.stations[2];
  pass(from, to, 0, kCount);
  // Whether a queue is in between or not: all that had no room is counted.
  fail_unless(eventually([&] { return net.full("sink1") == kCount - kRing; }), "%u dropped",
              static_cast<unsigned>(net.full("sink1")));
  fail_unless_equals_uint64(net.full("sink2"), 0);
  // What went out is there, and once it was taken, all that follows.
  still.expect_numbers(0, kRing);
  for (std::uint32_t round = 0; round < 10; ++round) {
    const std::uint32_t first = kCount + 32 * round;
    pass(from, to, first, first + 32);
    still.expect_numbers(first, first + 32);
  }
  fail_unless_equals_uint64(net.full("sink1"), kCount - kRing);
  // And then it stands still again.
  pass(from, to, kCount, 2 * kCount);
  fail_unless(eventually([&] { return net.full("sink1") == 2 * (kCount - kRing); }));
}
GST_END_TEST

/** One packet now and then is no way either to hold up the others. */
GST_START_TEST(test_a_port_that_creeps) {
  Network net(Role::master);
  std::uint32_t sent = 0;
  std::uint32_t taken = 0;
  for (; taken < 200; ++taken) {
    pass(*net.stations[0], *net.stations[2], sent, sent + kRing);
    sent += kRing;
    fail_unless_equals_uint64(net.stations[1]->take(1).size(), 1);
  }
  fail_unless(eventually(
      [&] { return net.full("sink1") + net.pipeline.stat("sink1", "packets") == sent; }));
  fail_unless(net.pipeline.stat("sink1", "packets") <= kRing + taken);
  fail_unless_equals_uint64(net.full("sink2"), 0);
}
GST_END_TEST

GST_START_TEST(test_who_says_block_waits) {
  Network net(Role::master, "", " when-full=block ");
  constexpr std::uint32_t kCount = 20 * kRing;
  std::thread sender([&] {
    for (std::uint32_t i = 0; i < kCount; ++i) net.stations[0]->send(i);
  });
  std::thread listener([&] { net.stations[2]->expect_numbers(0, kCount); });
  // The last one has to wait for the one that takes its time.
  for (std::uint32_t i = 0; i < kCount; ++i) {
    if (i % kRing == 0) pause_ms(5);
    net.stations[1]->expect_numbers(i, i + 1);
  }
  sender.join();
  listener.join();
  for (const char* sink : {"sink1", "sink2"}) fail_unless_equals_uint64(net.full(sink), 0);
}
GST_END_TEST

/** The event is that of a stream: the next one may come from elsewhere. */
GST_START_TEST(test_only_what_is_behind_a_switch_is_dropped) {
  const std::string name = unique_socket();
  Pipeline pipeline(kAppSrc + ("queue name=q ! memifsink name=sink" + master_at(name)));
  pipeline.set(GST_STATE_PLAYING);
  Station station(Role::slave, name);
  fail_unless(pipeline.link_comes_up("sink"));
  std::uint32_t sent = 0;
  const auto push_some = [&](std::uint32_t count) {
    for (const std::uint32_t end = sent + count; sent < end; ++sent)
      push(pipeline, broadcast(sent));
  };
  const auto dropped = [&] { return pipeline.stat("sink", "drop-ring-full"); };
  const auto packets = [&] { return pipeline.stat("sink", "packets"); };
  const auto say = [&](GstEvent* event) {
    GstPad* pad = gst_element_get_static_pad(pipeline.element("q"), "src");
    fail_unless(gst_pad_push_event(pad, event));
    gst_object_unref(pad);
  };

  // No switch: it waits.
  push_some(kRing + 20);
  fail_unless(eventually([&] { return packets() == kRing; }));
  pause_ms(50);
  fail_unless_equals_uint64(dropped(), 0);
  station.expect_numbers(0, sent);

  // Behind one, also after a flush.
  say(gstpacket::new_switch_event());
  for (int round = 1; round <= 2; ++round) {
    const std::uint32_t first = sent;
    push_some(kRing + 20);
    fail_unless(eventually([&] { return dropped() == 20U * round; }));
    station.expect_numbers(first, first + kRing);
    pipeline.send(gst_event_new_flush_start());
    pipeline.send(gst_event_new_flush_stop(FALSE));
    pipeline.set(GST_STATE_PLAYING);
  }

  // And another stream.
  say(gst_event_new_stream_start("another"));
  const std::uint32_t from = sent;
  const std::uint64_t before = packets();
  push_some(kRing + 20);
  fail_unless(eventually([&] { return packets() == before + kRing; }));
  pause_ms(50);
  fail_unless_equals_uint64(dropped(), 40);
  station.expect_numbers(from, sent);
}
GST_END_TEST

static Suite* switching_suite(void) {
  Suite* suite = suite_create("switching");
  TCase* tests = tcase_create("ports");
  suite_add_tcase(suite, tests);
  tcase_add_loop_test(tests, test_a_port_that_stands_still, 0, 4);
  tcase_add_test(tests, test_a_port_that_creeps);
  tcase_add_test(tests, test_who_says_block_waits);
  tcase_add_test(tests, test_only_what_is_behind_a_switch_is_dropped);
  return suite;
}

GST_CHECK_MAIN(switching)
