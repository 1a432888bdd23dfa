// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * States of memifsrc and memifsink, with and without a peer: nothing hangs, nothing is left over.
 */
#include <fcntl.h>
#include <sys/file.h>

#include <atomic>

#include "pipeline.hpp"

using namespace memiftest;

namespace {

constexpr GstState kStates[] = {GST_STATE_NULL, GST_STATE_READY, GST_STATE_PAUSED,
                                GST_STATE_PLAYING};
constexpr int kPrompt = 50 * kSlowdown;  // milliseconds

std::string source_and_sink(const std::string& role_and_socket) {
  return "memifsrc name=src " + role_and_socket + " ! memifsink name=sink " + role_and_socket;
}

/** Milliseconds that it takes to go to NULL; the best of many tries, for the machine is shared. */
template <class Prepare>
std::int64_t quickest_stop(Prepare prepare) {
  std::int64_t best = INT64_MAX;
  for (int i = 0; i < 5 || (best >= kPrompt && i < 200); ++i) {
    auto pipeline = prepare();
    pause_ms(30);
    const auto start = Clock::now();
    fail_unless_equals_int(pipeline->try_state(GST_STATE_NULL), GST_STATE_CHANGE_SUCCESS);
    best = std::min(best, milliseconds_since(start));
    fail_if(pipeline->has_message(GST_MESSAGE_ERROR));
  }
  return best;
}

}  // namespace

GST_START_TEST(test_every_order_of_states_without_a_peer) {
  for (const char* role : {"role=slave", "role=master"}) {
    Pipeline pipeline(source_and_sink(std::string(role) + " socket-path=" + unique_socket()));
    for (const GstState a : kStates) {
      for (const GstState b : kStates) {
        for (const GstState c : kStates) {
          for (const GstState state : {a, b, c}) pipeline.set(state);
        }
      }
    }
    fail_if(pipeline.has_message(GST_MESSAGE_ERROR));
  }
}
GST_END_TEST

GST_START_TEST(test_playing_and_back_again_and_again) {
  const std::string name = unique_socket();
  Pipeline master(source_and_sink(master_at(name)));
  Pipeline slave(source_and_sink(slave_at(name)));
  for (int i = 0; i < 20; ++i) {
    master.set(GST_STATE_PLAYING);
    slave.set(GST_STATE_PLAYING);
    if (i % 2 == 0) fail_unless(master.link_comes_up("src") && slave.link_comes_up("sink"));
    slave.set(GST_STATE_NULL);
    master.set(GST_STATE_NULL);
  }
}
GST_END_TEST

GST_START_TEST(test_states_while_packets_come) {
  const std::string name = unique_socket();
  Settings settings = settings_for(Role::slave, name);
  auto slave = started(settings);
  auto sender = must(Sender::open(slave, 0));
  std::atomic<bool> stop{false};
  std::thread traffic([&] {
    const Bytes bytes = packet(1, 60);
    const TxSegment segment(bytes);
    while (!stop) {
      for (int i = 0; i < 8; ++i) send_one(*sender, {&segment, 1});
      sender->flush();
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
  });
  Pipeline pipeline("memifsrc name=src batch-size=4" + master_at(name) +
                    " ! fakesink sync=false async=false");
  pipeline.set(GST_STATE_PLAYING);
  fail_unless(pipeline.link_comes_up("src"));
  for (int i = 0; i < 100; ++i) {
    pipeline.set(GST_STATE_PLAYING);
    if (i % 10 == 0) {
      fail_unless(eventually([&] { return pipeline.stat("src", "packets") != 0; }));
    }
    pipeline.set(GST_STATE_PAUSED);
    if (i % 3 == 0) pause_ms(1);
    pipeline.set(i % 2 == 0 ? GST_STATE_READY : GST_STATE_PAUSED);
  }
  fail_if(pipeline.has_message(GST_MESSAGE_ERROR));
  pipeline.set(GST_STATE_NULL);
  stop = true;
  traffic.join();
}
GST_END_TEST

// gst_debug_add_log_function() leaks its previous list, as other threads may read it.
#if !defined(__SANITIZE_ADDRESS__)
namespace {

/** Counts a line at level INFO of the category `memif`. */
void count_link_up(GstDebugCategory* category, GstDebugLevel level, const gchar*, const gchar*,
                   gint, GObject*, GstDebugMessage* message, gpointer count) {
  if (level == GST_LEVEL_INFO && std::string(gst_debug_category_get_name(category)) == "memif" &&
      std::string(gst_debug_message_get(message)).find("link up") != std::string::npos) {
    ++*static_cast<std::atomic<int>*>(count);
  }
}

}  // namespace

GST_START_TEST(test_the_engine_logs_in_a_category_of_gstreamer) {
  std::atomic<int> lines{0};
  gst_debug_set_threshold_from_string("memif:INFO", FALSE);
  gst_debug_add_log_function(count_link_up, &lines, nullptr);
  const std::string name = unique_socket();
  auto master = started(settings_for(Role::master, name));
  Pipeline slave("memifsrc name=src " + slave_at(name) + "! fakesink async=false");
  slave.set(GST_STATE_PLAYING);
  fail_unless(slave.link_comes_up("src") && eventually([&] { return lines == 2; }));
  slave.set(GST_STATE_NULL);
  master->stop();
  fail_unless_equals_int(gst_debug_remove_log_function_by_data(&lines), 1);
  // Both ends are in this process.
  fail_unless_equals_int(lines, 2);
}
GST_END_TEST
#endif

GST_START_TEST(test_a_waiting_source_stops_at_once) {
  static constexpr const char* kModes[] = {"interrupt", "polling", "adaptive"};
  const std::string name = unique_socket();
  for (const bool with_peer : {true, false}) {
    std::shared_ptr<Interface> peer;
    if (with_peer) peer = started(settings_for(Role::master, name));
    const std::int64_t took = quickest_stop([&] {
      auto pipeline =
          std::make_unique<Pipeline>("memifsrc name=src rx-mode=" + std::string(kModes[__i__]) +
                                     slave_at(name) + "! fakesink async=false");
      pipeline->set(GST_STATE_PLAYING);
      if (with_peer) fail_unless(pipeline->link_comes_up("src"));
      return pipeline;
    });
    fail_unless(took < kPrompt, "took %d ms", static_cast<int>(took));
  }
}
GST_END_TEST

GST_START_TEST(test_a_sink_that_waits_stops_at_once) {
  const std::string name = unique_socket();
  auto deaf = started(settings_for(Role::master, name));
  const auto blocked = [&](const std::string& socket, const std::string& settings, bool up) {
    auto pipeline =
        std::make_unique<Pipeline>(kAppSrc + ("memifsink name=sink" + slave_at(socket)) + settings);
    pipeline->set(GST_STATE_PLAYING);
    if (up) fail_unless(pipeline->link_comes_up("sink"));
    for (int i = 0; i < 20; ++i) push(*pipeline, packet(0, 100));
    return pipeline;
  };
  std::int64_t took =
      quickest_stop([&] { return blocked(name, "ring-size=4 when-full=block", true); });
  fail_unless(took < kPrompt, "full ring: took %d ms", static_cast<int>(took));
  took = quickest_stop([&] { return blocked(unique_socket(), "when-down=block", false); });
  fail_unless(took < kPrompt, "no link: took %d ms", static_cast<int>(took));
}
GST_END_TEST

/** What waits by the policy of before does not wait any longer. */
GST_START_TEST(test_a_sink_that_waits_learns_of_another_policy) {
  const std::string name = unique_socket();
  auto deaf = started(settings_for(Role::master, name));
  Pipeline full(kAppSrc + ("memifsink name=sink ring-size=4 when-full=block" + slave_at(name)));
  full.set(GST_STATE_PLAYING);
  fail_unless(full.link_comes_up("sink"));
  for (int i = 0; i < 20; ++i) push(full, packet(0, 100));
  fail_unless(eventually([&] { return full.stat("sink", "packets") == 4; }));
  gst_util_set_object_arg(G_OBJECT(full.element("sink")), "when-full", "drop");
  fail_unless(eventually([&] { return full.stat("sink", "drop-ring-full") == 16; }));

  Pipeline alone(kAppSrc + ("memifsink name=sink" + slave_at(unique_socket())));
  alone.set(GST_STATE_PLAYING);
  for (std::uint64_t i = 0; i < 10; ++i) {
    gst_util_set_object_arg(G_OBJECT(alone.element("sink")), "when-down", "block");
    push(alone, packet(0, 100));
    pause_ms(2);  // so that it waits, mostly
    gst_util_set_object_arg(G_OBJECT(alone.element("sink")), "when-down", "drop");
    fail_unless(eventually([&] { return alone.stat("sink", "drop-link-down") == i + 1; }));
  }
}
GST_END_TEST

GST_START_TEST(test_a_sink_that_waits_can_pause_and_go_on) {
  const std::string name = unique_socket();
  Pipeline pipeline(kAppSrc + ("memifsink name=sink when-down=block" + slave_at(name)));
  pipeline.set(GST_STATE_PLAYING);
  for (std::uint64_t i = 0; i < 10; ++i) push(pipeline, packet(i, 100));
  for (int i = 0; i < 5; ++i) {
    pause_ms(10);
    pipeline.set(GST_STATE_PAUSED);
    pipeline.set(GST_STATE_PLAYING);
  }
  auto master = started(settings_for(Role::master, name));
  auto receiver = must(Receiver::open(master, 0, RxMode::adaptive));
  std::uint64_t received = 0;
  while (received < 10) {
    for (const Bytes& bytes : join(receiver->receive(100))) {
      fail_unless(bytes == packet(received++, 100));
    }
    receiver->release();
    if (received < 10) fail_unless(receiver->wait(kPatienceNs) != WaitResult::timeout);
  }
  fail_unless_equals_uint64(pipeline.stat("sink", "packets-dropped"), 0);
}
GST_END_TEST

GST_START_TEST(test_end_of_stream) {
  for (const bool with_peer : {true, false}) {
    const std::string name = unique_socket();
    std::shared_ptr<Interface> peer;
    if (with_peer) peer = started(settings_for(Role::master, name));
    for (const char* mode : {"interrupt", "polling", "adaptive"}) {
      Pipeline pipeline("memifsrc name=src rx-mode=" + std::string(mode) + slave_at(name) +
                        "! fakesink");
      pipeline.set(GST_STATE_PLAYING);
      if (with_peer) fail_unless(pipeline.link_comes_up("src"));
      fail_unless(gst_element_send_event(pipeline.get(), gst_event_new_eos()));
      gst_message_unref(pipeline.message(GST_MESSAGE_EOS));
    }
  }
}
GST_END_TEST

/** An application may send EOS from any thread, also while another one changes the state. */
GST_START_TEST(test_end_of_stream_at_any_time) {
  Pipeline pipeline("memifsrc name=src" + slave_at(unique_socket()) + "! fakesink async=false");
  std::atomic<bool> stop{false};
  std::thread sender([&] {
    while (!stop) gst_element_send_event(pipeline.element("src"), gst_event_new_eos());
  });
  for (int i = 0; i < 200; ++i) {
    pipeline.set(GST_STATE_PLAYING);
    pipeline.set(GST_STATE_READY);
  }
  stop = true;
  sender.join();
}
GST_END_TEST

GST_START_TEST(test_threads_and_files_are_gone_after_null) {
  const std::string name = unique_socket();
  const auto run = [&] {
    Pipeline master("memifsrc name=src" + master_at(name) + "! fakesink async=false");
    Pipeline slave("memifsrc name=src" + slave_at(name) + "! fakesink async=false");
    master.set(GST_STATE_PLAYING);
    slave.set(GST_STATE_PLAYING);
    fail_unless(master.link_comes_up("src") && slave.link_comes_up("src"));
    fail_unless_equals_int(threads_named("memif-control"), 1);
  };
  run();
  fail_unless(eventually([] { return threads_named("memif-control") == 0; }));
  const int files = settled_files();
  for (int i = 0; i < 10; ++i) run();
  fail_unless(eventually([] { return threads_named("memif-control") == 0; }));
  fail_unless(eventually([&] { return open_files() <= files; }));
  expect_nothing_mapped();
}
GST_END_TEST

/** Posting link messages holds the element: it must be over when the element has stopped. */
GST_START_TEST(test_stopping_waits_for_news_that_are_told) {
  struct Handler {
    std::atomic<int> begun{0};
    std::atomic<int> over{0};
    static GstBusSyncReply handle(GstBus*, GstMessage* message, gpointer self) {
      if (!gst_message_has_name(message, "memif-link")) return GST_BUS_PASS;
      ++static_cast<Handler*>(self)->begun;
      pause_ms(50);
      ++static_cast<Handler*>(self)->over;
      gst_message_unref(message);
      return GST_BUS_DROP;
    }
  };
  for (const char* role : {"slave", "master"}) {
    const std::string name = unique_socket();
    Handler handler;
    auto peer =
        started(settings_for(std::strcmp(role, "slave") == 0 ? Role::master : Role::slave, name));
    Pipeline pipeline(source_and_sink("socket-path=" + name + " role=" + role));
    GstBus* bus = gst_element_get_bus(pipeline.get());
    gst_bus_set_sync_handler(bus, Handler::handle, &handler, nullptr);
    for (int i = 1; i <= 5; ++i) {
      pipeline.set(GST_STATE_PLAYING);
      fail_unless(eventually([&] { return handler.begun != 0; }));
      pipeline.set(GST_STATE_NULL);
      fail_unless_equals_int(handler.begun, handler.over);
      ASSERT_OBJECT_REFCOUNT(pipeline.element("src"), "source", 1);
      handler.begun = handler.over = 0;
    }
    gst_bus_set_sync_handler(bus, nullptr, nullptr, nullptr);
    gst_object_unref(bus);
  }
}
GST_END_TEST

/** From the very call that tells, too. */
GST_START_TEST(test_stopping_when_news_are_told) {
  const std::string name = unique_socket();
  auto pipeline =
      std::make_unique<Pipeline>("memifsrc name=src" + slave_at(name) + "! fakesink async=false");
  std::atomic<bool> stopped{false};
  g_signal_connect(pipeline->element("src"), "notify::link-up",
                   G_CALLBACK(+[](GstElement* source, GParamSpec*, gpointer done) {
                     gst_element_set_locked_state(source, TRUE);
                     gst_element_set_state(source, GST_STATE_NULL);
                     *static_cast<std::atomic<bool>*>(done) = true;
                   }),
                   &stopped);
  pipeline->set(GST_STATE_PLAYING);
  // Only now: news that are told by the start itself are no place to stop in.
  auto peer = started(settings_for(Role::master, name));
  fail_unless(eventually([&] { return stopped.load(); }));
}
GST_END_TEST

GST_START_TEST(test_a_main_context_of_the_application) {
  GMainContext* context = g_main_context_new();
  {
    const std::string name = unique_socket();
    Pipeline pipeline(source_and_sink(slave_at(name)));
    g_object_set(pipeline.element("src"), "main-context", context, nullptr);
    fail_unless(pipeline.try_state(GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE);
    const std::string error = pipeline.first_error();
    fail_unless(error.find("main-context") != std::string::npos, "%s", error.c_str());
    pipeline.set(GST_STATE_NULL);
    g_object_set(pipeline.element("sink"), "main-context", context, nullptr);
    auto master = made(settings_for(Role::master, name), Loop::for_context(context));
    must(master->start());
    pipeline.set(GST_STATE_PLAYING);
    fail_unless(eventually([&] {
      while (g_main_context_iteration(context, FALSE)) continue;
      return pipeline.property<gboolean>("src", "link-up") != FALSE;
    }));
    fail_unless_equals_int(threads_named("memif-control"), 0);
  }
  g_main_context_unref(context);
}
GST_END_TEST

GST_START_TEST(test_buffers_without_caps_are_refused) {
  static constexpr struct {
    const char* mode;
    const char* link_type;
  } kCases[] = {{"ethernet", "ethernet"}, {"ip", "ip"}, {"punt-inject", "punt"}};
  for (const auto& test : kCases) {
    // A list, and buffers one by one.
    for (const char* source : {"fakesrc sizetype=fixed sizemax=60", "appsrc name=in"}) {
      Pipeline pipeline(std::string(source) + " ! memifsink name=sink mode=" + test.mode +
                        slave_at(unique_socket()));
      pipeline.set(GST_STATE_PLAYING);
      if (std::strstr(source, "appsrc") != nullptr) {
        GstBufferList* list = gst_buffer_list_new();
        gst_buffer_list_add(list, buffer_of(packet(1, 60)));
        gst_app_src_push_buffer_list(GST_APP_SRC(pipeline.element("in")), list);
      }
      const std::string error = pipeline.first_error();
      const std::string caps = std::string("application/x-packet,link-type=") + test.link_type;
      for (const std::string& word : {std::string("without caps"), caps + " "}) {
        fail_unless(error.find(word) != std::string::npos, "no '%s' in: %s", word.c_str(),
                    error.c_str());
      }
      fail_unless_equals_uint64(pipeline.stat("sink", "packets-dropped"), 0);
    }
  }
}
GST_END_TEST

/** A foreign lock on a directory delays a listener in that directory, and nothing else. */
GST_START_TEST(test_a_locked_directory_delays_no_other_element) {
  const TemporaryDirectory directory;
  const std::string name = unique_socket();
  const UniqueFd stranger(::open(directory.file("").c_str(), O_RDONLY | O_CLOEXEC));
  fail_unless(::flock(stranger.get(), LOCK_EX | LOCK_NB) == 0);
  Pipeline waiting(source_and_sink(master_at(directory.file("memif.sock"))));
  bool undisturbed = false;
  for (int round = 0; round < 60 && !undisturbed; ++round) {
    std::atomic<pid_t> id{0};
    std::atomic<bool> done{false};
    std::thread thread([&] {
      id = ::gettid();
      waiting.set(GST_STATE_PLAYING);
      done = true;
    });
    fail_unless(eventually([&] { return (id != 0 && sleeps(id)) || done; }));
    {
      Pipeline master(source_and_sink(master_at(name)));
      Pipeline slave(source_and_sink(slave_at(name)));
      master.set(GST_STATE_PLAYING);
      slave.set(GST_STATE_PLAYING);
      fail_unless(master.link_comes_up("src") && slave.link_comes_up("sink"));
      undisturbed = !done;
    }
    thread.join();
    waiting.set(GST_STATE_NULL);
  }
  fail_unless(undisturbed);
}
GST_END_TEST

/** They share one interface, which comes and goes with them. */
GST_START_TEST(test_elements_of_one_interface_that_start_and_stop_at_once) {
  const std::string name = unique_socket();
  Pipeline peer("memifsrc name=src rx-queues=4" + master_at(name) + " ! fakesink");
  peer.set(GST_STATE_PLAYING);
  const auto sink = [&](int queue) {
    return std::string(kAppSrc) + "memifsink name=sink tx-queues=4" + slave_at(name) +
           "queue=" + std::to_string(queue);
  };
  std::vector<std::thread> threads;
  for (int queue = 0; queue < 4; ++queue) {
    threads.emplace_back([&, queue] {
      for (int round = 0; round < 20; ++round) {
        Pipeline own(sink(queue));
        own.set(GST_STATE_PLAYING);
        if (round % 4 == queue) expect(own.link_comes_up("sink"), "no link");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  fail_unless(peer.link_goes_down("src"));
  Pipeline last(sink(0));
  last.set(GST_STATE_PLAYING);
  fail_unless(last.link_comes_up("sink"));
}
GST_END_TEST

static Suite* elements_suite(void) {
  Suite* suite = suite_create("elements");
  TCase* tests = tcase_create("states");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_every_order_of_states_without_a_peer);
  tcase_add_test(tests, test_playing_and_back_again_and_again);
  tcase_add_test(tests, test_states_while_packets_come);
#if !defined(__SANITIZE_ADDRESS__)
  tcase_add_test(tests, test_the_engine_logs_in_a_category_of_gstreamer);
#endif
  tcase_add_loop_test(tests, test_a_waiting_source_stops_at_once, 0, 3);
  tcase_add_test(tests, test_a_sink_that_waits_stops_at_once);
  tcase_add_test(tests, test_a_sink_that_waits_learns_of_another_policy);
  tcase_add_test(tests, test_a_sink_that_waits_can_pause_and_go_on);
  tcase_add_test(tests, test_end_of_stream);
  tcase_add_test(tests, test_end_of_stream_at_any_time);
  tcase_add_test(tests, test_threads_and_files_are_gone_after_null);
  tcase_add_test(tests, test_stopping_waits_for_news_that_are_told);
  tcase_add_test(tests, test_stopping_when_news_are_told);
  tcase_add_test(tests, test_a_main_context_of_the_application);
  tcase_add_test(tests, test_buffers_without_caps_are_refused);
  tcase_add_test(tests, test_a_locked_directory_delays_no_other_element);
  tcase_add_test(tests, test_elements_of_one_interface_that_start_and_stop_at_once);
  return suite;
}

GST_CHECK_MAIN(elements)
