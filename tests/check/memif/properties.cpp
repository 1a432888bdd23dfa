// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * What applications set and hear: properties, errors with a remedy, messages, caps and queries.
 */
#include <dlfcn.h>
#include <sys/eventfd.h>

#include <atomic>
#include <functional>

#include "pipeline.hpp"
#include "tests/check/documentation.hpp"

using namespace memiftest;

namespace {

/** Called with each eventfd that this thread makes: what opens a queue makes one. */
thread_local std::function<void()> when_eventfd;

}  // namespace

extern "C" __attribute__((visibility("default"))) int eventfd(unsigned count, int flags) noexcept {
  static auto* const next = reinterpret_cast<int (*)(unsigned, int)>(dlsym(RTLD_NEXT, "eventfd"));
  if (when_eventfd) when_eventfd();
  return next(count, flags);
}

namespace {

void expect_words(const std::string& text, const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    fail_unless(text.find(word) != std::string::npos, "no '%s' in: %s", word.c_str(), text.c_str());
  }
}

/** Waits for the next news of the link from the element @p name. */
struct LinkNews {
  bool up;
  std::string peer, reason, socket;
  guint id;
};
LinkNews next_news(Pipeline& pipeline, const char* name) {
  for (;;) {
    GstMessage* message = pipeline.message(GST_MESSAGE_ELEMENT);
    const GstStructure* s = gst_message_get_structure(message);
    if (GST_MESSAGE_SRC(message) == GST_OBJECT_CAST(pipeline.element(name)) &&
        gst_structure_has_name(s, "memif-link")) {
      LinkNews news{};
      gboolean up = FALSE;
      fail_unless(gst_structure_get_boolean(s, "link-up", &up));
      fail_unless(gst_structure_get_uint(s, "id", &news.id));
      news.up = up != FALSE;
      news.peer = gst_structure_get_string(s, "peer-name");
      news.reason = gst_structure_get_string(s, "reason");
      news.socket = gst_structure_get_string(s, "socket-path");
      gst_message_unref(message);
      return news;
    }
    gst_message_unref(message);
  }
}

std::string caps_of(const Pipeline& pipeline) {
  GstPad* pad = gst_element_get_static_pad(pipeline.element("src"), "src");
  GstCaps* caps = nullptr;
  fail_unless(eventually([&] { return (caps = gst_pad_get_current_caps(pad)) != nullptr; }));
  gchar* text = gst_caps_to_string(caps);
  const std::string result = text;
  g_free(text);
  gst_caps_unref(caps);
  gst_object_unref(pad);
  return result;
}

}  // namespace

GST_START_TEST(test_documentation) {
  for (const char* factory : {"memifsrc", "memifsink"}) documentation::check(factory);
}
GST_END_TEST

GST_START_TEST(test_every_setting_is_a_property) {
  for (const char* factory : {"memifsrc", "memifsink"}) {
    GstElement* element = gst_element_factory_make(factory, nullptr);
    fail_unless(element != nullptr);
    const bool receives = std::string(factory) == "memifsrc";
    for (const SettingInfo& info : setting_infos()) {
      GParamSpec* spec = g_object_class_find_property(G_OBJECT_GET_CLASS(element), info.name);
      fail_unless_equals_int(spec != nullptr, receives || !info.receive_only);
      if (spec == nullptr) continue;
      const std::string blurb = g_param_spec_get_blurb(spec);
      fail_unless(blurb == describe(info), "%s: %s", info.name, blurb.c_str());
      fail_unless_equals_int((spec->flags & G_PARAM_READABLE) == 0, info.hidden);
      if (info.hidden) continue;
      GValue value = G_VALUE_INIT;
      g_object_get_property(G_OBJECT(element), info.name, &value);
      fail_unless(g_param_value_defaults(spec, &value), "%s is not what it is by default",
                  info.name);
      g_value_unset(&value);
    }
    gst_object_unref(element);
  }
}
GST_END_TEST

GST_START_TEST(test_roles_have_two_names) {
  Pipeline pipeline("memifsrc name=src role=server ! memifsink name=sink role=client");
  gchar* text = nullptr;
  for (const auto& [name, role] : {std::pair("src", "master"), std::pair("sink", "slave")}) {
    GValue value = G_VALUE_INIT;
    g_object_get_property(G_OBJECT(pipeline.element(name)), "role", &value);
    text = gst_value_serialize(&value);
    fail_unless_equals_string(text, role);
    g_free(text);
    g_value_unset(&value);
  }
}
GST_END_TEST

GST_START_TEST(test_what_one_end_sets_applies_to_both) {
  const std::string name = slave_at(unique_socket());
  Pipeline pipeline("memifsrc name=src ring-size=512 mode=ip" + name +
                    "! memifsink name=sink buffer-size=300 secret=x" + name);
  pipeline.set(GST_STATE_PAUSED);
  for (const char* end : {"src", "sink"}) {
    fail_unless_equals_int(pipeline.property<guint>(end, "ring-size"), 512);
    fail_unless_equals_int(pipeline.property<guint>(end, "buffer-size"), 300);
    fail_unless_equals_int(pipeline.property<gint>(end, "mode"), 1);
    fail_unless_equals_int(pipeline.property<guint>(end, "rx-queues"), 1);
  }
}
GST_END_TEST

GST_START_TEST(test_ends_may_say_the_same_in_other_words) {
  const std::string name = unique_socket().substr(1);
  Pipeline pipeline(
      "memifsrc role=master allowed-uids=0,1000 socket-path=@" + name + " ! fakesink " + kAppSrc +
      "memifsink name=sink role=server allowed-uids=\"0,1000,\" socket-path=abstract:" + name);
  pipeline.set(GST_STATE_PAUSED);
  gchar* uids = nullptr;
  g_object_get(pipeline.element("sink"), "allowed-uids", &uids, nullptr);
  fail_unless_equals_string(uids, "0,1000");
  g_free(uids);
}
GST_END_TEST

GST_START_TEST(test_contradictions_name_both_ends) {
  const std::string name = slave_at(unique_socket());
  const struct {
    const char* source;
    const char* sink;
    std::vector<std::string> words;
  } kCases[] = {
      {"ring-size=512", "ring-size=256", {"ring-size=512", "ring-size=256"}},
      {"buffer-size=1", "buffer-size=2", {"buffer-size=1", "buffer-size=2"}},
      {"mode=punt-inject", "mode=ethernet", {"mode=punt-inject", "mode=ethernet"}},
      {"secret=a", "secret=b", {"secret=(hidden) of"}},
      {"interface-name=a", "interface-name=b", {"interface-name=a", "interface-name=b"}},
      {"rx-queues=2", "rx-queues=3", {"rx-queues=2", "rx-queues=3"}},
      {"tx-queues=2", "tx-queues=3", {"tx-queues=2", "tx-queues=3"}},
  };
  for (const auto& test : kCases) {
    Pipeline pipeline("memifsrc name=alice " + std::string(test.source) + name + "! fakesink " +
                      kAppSrc + "memifsink name=bob " + test.sink + name);
    fail_unless(pipeline.try_state(GST_STATE_READY) == GST_STATE_CHANGE_FAILURE);
    const std::string error = pipeline.first_error();
    expect_words(error, test.words);
    expect_words(error, {"alice", "bob", "one memif interface"});
  }
}
GST_END_TEST

GST_START_TEST(test_wrong_settings_say_what_and_why_and_what_to_do) {
  const std::string name = slave_at(unique_socket());
  const struct {
    std::string settings;
    std::vector<std::string> words;
  } kCases[] = {
      {"ring-size=1000" + name, {"ring-size=1000", "power of two", "512 or 1024"}},
      {"ring-size=65536" + name, {"ring-size=65536", "16384"}},
      {"ring-size=1" + name, {"ring-size=1", "such as 2"}},
      {"buffer-size=0" + name, {"buffer-size=0", "1 or more", "2048"}},
      {"rx-queues=0" + name, {"rx-queues=0", "1 to 255"}},
      {"tx-queues=256" + name, {"tx-queues=256", "1 to 255"}},
      {"queue=1" + name, {"queue=1", "rx-queues=1", "at least 2"}},
      {"ring-size=16384 buffer-size=4294967295" + name, {"ring-size=16384", "smaller"}},
      {"secret=1234567890123456789012345" + name, {"secret=(hidden)", "at most 24 bytes"}},
      {"interface-name=12345678901234567890123456789012" + name,
       {"interface-name", "at most 31 bytes"}},
      {"socket-path=\"\"", {"socket-path=", "empty", "/run/vpp/memif.sock"}},
      {"socket-path=/" + std::string(120, 'x'), {"socket-path=", "too long", "shorter"}},
      {"role=master socket-path=/no/such/directory/s", {"/no/such/directory", "Create it"}},
      {"socket-path=/etc/passwd", {"/etc/passwd", "not a socket", "another path"}},
      {"cpu-affinity=0-x" + name, {"cpu-affinity=0-x", "0,2-3"}},
      {"cpu-affinity=99999" + name, {"cpu-affinity=99999", "0,2-3"}},
      {"socket-owner=nobody-at-all" + name, {"socket-owner=nobody-at-all", "no"}},
      {"allowed-uids=1,x" + name, {"allowed-uids=", "0,1000"}},
  };
  for (const auto& test : kCases) {
    Pipeline pipeline("memifsrc name=src " + test.settings + " ! fakesink");
    fail_unless(pipeline.try_state(GST_STATE_PAUSED) == GST_STATE_CHANGE_FAILURE, "%s",
                test.settings.c_str());
    expect_words(pipeline.first_error(), test.words);
  }
}
GST_END_TEST

GST_START_TEST(test_settings_may_change_in_ready) {
  const std::string name = unique_socket();
  auto master = started(settings_for(Role::master, name, 9));
  Pipeline pipeline("memifsrc name=src ring-size=64" + slave_at(name) + "! fakesink async=false");
  pipeline.set(GST_STATE_READY);
  g_object_set(pipeline.element("src"), "id", 9, "ring-size", 128, nullptr);
  pipeline.set(GST_STATE_PLAYING);
  fail_unless(pipeline.link_comes_up("src"));
  fail_unless_equals_uint64(master->link()->rx(0)->ring_size(), 128);
  // And what is wrong is told then.
  pipeline.set(GST_STATE_READY);
  g_object_set(pipeline.element("src"), "ring-size", 100, nullptr);
  fail_unless(pipeline.try_state(GST_STATE_PAUSED) == GST_STATE_CHANGE_FAILURE);
  expect_words(pipeline.first_error(), {"ring-size=100"});
  pipeline.set(GST_STATE_NULL);
}
GST_END_TEST

GST_START_TEST(test_an_end_that_joins_does_not_disturb_the_link) {
  const std::string name = unique_socket();
  auto master = started(settings_for(Role::master, name));
  Pipeline first_end("memifsrc name=src" + slave_at(name) + "! fakesink async=false");
  first_end.set(GST_STATE_PLAYING);
  fail_unless(first_end.link_comes_up("src"));
  Pipeline second_end(kAppSrc + ("memifsink name=sink" + slave_at(name)));
  second_end.set(GST_STATE_PLAYING);
  fail_unless(next_news(second_end, "sink").up, "who comes late hears of the link there is");
  push(second_end, packet(1, 10));
  fail_unless(eventually([&] { return second_end.stat("sink", "packets") == 1; }));
  second_end.set(GST_STATE_NULL);
  fail_unless_equals_uint64(first_end.stat("src", "link-downs"), 0);
  fail_unless_equals_uint64(first_end.stat("src", "link-ups"), 1);
}
GST_END_TEST

/** A link is worth more than a setting that it does not need. */
GST_START_TEST(test_an_end_that_joins_with_settings) {
  static constexpr struct {
    Role role;
    const char* settings;
    const char* reason;  // for a new link, or null
    bool many = false;   // another interface of the socket has three queues each way
  } kCases[] = {
      {Role::slave, "rx-queues=1", nullptr},
      {Role::slave, "interface-name=late", nullptr},
      {Role::slave, "rx-queues=3", "rx-queues=3"},
      {Role::slave, "tx-queues=2", "tx-queues=2"},
      {Role::slave, "buffer-size=512", "buffer-size=512"},
      {Role::slave, "ring-size=128", "ring-size=128"},
      {Role::master, "ring-size=128 buffer-size=512", nullptr},  // the slave's value counts
      {Role::master, "tx-queues=2", "tx-queues=2"},
      {Role::master, "rx-queues=2 tx-queues=3", nullptr, true},  // as many as there are
      {Role::master, "tx-queues=4", "tx-queues=4", true},
  };
  const auto& test = kCases[__i__];
  const std::string name = unique_socket();
  const std::string end = test.role == Role::slave ? slave_at(name) : master_at(name);
  std::string more;
  if (test.many) more = "memifsrc id=7 rx-queues=3 tx-queues=3" + end + "! fakesink async=false";
  Pipeline one("memifsrc name=src" + end + "! fakesink async=false " + more);
  one.set(GST_STATE_PLAYING);
  Settings settings = settings_for(test.role == Role::slave ? Role::master : Role::slave, name);
  settings.rx_queues = settings.tx_queues = 3;
  auto peer = started(settings);
  fail_unless(one.link_comes_up("src"));
  Pipeline other(kAppSrc + ("memifsink name=sink " + std::string(test.settings) + end));
  other.set(GST_STATE_PLAYING);
  if (test.reason != nullptr) {
    expect_words(other.text_of(GST_MESSAGE_INFO), {test.reason, name, "restarted"});
  } else {
    fail_if(other.has_message(GST_MESSAGE_INFO));
  }
  fail_unless(other.link_comes_up("sink"));
  fail_unless_equals_uint64(one.stat("src", "link-downs"), test.reason != nullptr ? 1 : 0);
  push(other, packet(1, 10));
  fail_unless(eventually([&] { return other.stat("sink", "packets") == 1; }));
}
GST_END_TEST

GST_START_TEST(test_what_is_in_use_is_read_back) {
  const std::string name = unique_socket();
  Pipeline pipeline("memifsrc name=src id=3 rx-queues=2 queue=1 ring-size=64" + master_at(name) +
                    "! fakesink async=false");
  pipeline.set(GST_STATE_PLAYING);
  GObject* source = G_OBJECT(pipeline.element("src"));
  GMainContext* context = g_main_context_new();
  g_object_set(source, "socket-path", "@another", "id", 4, "role", 0, "queue", 0, "ring-size", 128,
               "allowed-uids", "1", "main-context", context, nullptr);
  const auto expect_settings = [&](const std::string& path, guint id, gint role, guint queue,
                                   guint ring_size, const char* uids, GMainContext* loop) {
    gchar* text = pipeline.property<gchar*>("src", "socket-path");
    fail_unless_equals_string(text, path.c_str());
    g_free(text);
    text = pipeline.property<gchar*>("src", "allowed-uids");
    fail_unless_equals_string(text, uids);
    g_free(text);
    fail_unless_equals_int(pipeline.property<guint>("src", "id"), id);
    fail_unless_equals_int(pipeline.property<gint>("src", "role"), role);
    fail_unless_equals_int(pipeline.property<guint>("src", "queue"), queue);
    fail_unless_equals_int(pipeline.property<guint>("src", "ring-size"), ring_size);
    auto* found = pipeline.property<GMainContext*>("src", "main-context");
    fail_unless(found == loop);
    if (found != nullptr) g_main_context_unref(found);
  };
  expect_settings(name, 3, static_cast<gint>(Role::master), 1, 64, "", nullptr);
  Settings settings = settings_for(Role::slave, name, 3);
  settings.tx_queues = 2;
  auto peer = started(settings);
  fail_unless(pipeline.link_comes_up("src"));
  // The slave's side is up a moment later.
  fail_unless(eventually([&] { return peer->link() != nullptr; }));
  auto sender = must(Sender::open(peer, 1));
  const Bytes bytes = packet(1, 60);
  const TxSegment segment(bytes);
  fail_unless(send_one(*sender, {&segment, 1}) == Sent::ok);
  sender->flush();
  fail_unless(eventually([&] { return pipeline.stat("src", "packets") == 1; }));
  pipeline.set(GST_STATE_READY);
  expect_settings("@another", 4, static_cast<gint>(Role::slave), 0, 128, "1", context);
  g_object_set(source, "main-context", nullptr, nullptr);
  g_main_context_unref(context);
}
GST_END_TEST

/** What gst-inspect shows is what is taken: the bounds are, and what is beyond them is an error. */
GST_START_TEST(test_ranges_are_the_real_ones) {
  const struct {
    const char* name;
    const char* with;
  } kCases[] = {{"ring-size", ""},
                {"rx-queues", "ring-size=2"},
                {"tx-queues", "ring-size=2"},
                {"socket-mode", ""},
                {"queue", "rx-queues=255 tx-queues=255 ring-size=2"}};
  for (const char* factory : {"memifsrc", "memifsink"}) {
    for (const auto& test : kCases) {
      const auto ready = [&](std::int64_t value) {
        const std::string end = std::string(factory) + " name=end " + test.with + " " + test.name +
                                "=" + std::to_string(value) + master_at(unique_socket());
        Pipeline pipeline(factory == std::string("memifsrc") ? end + "! fakesink async=false"
                                                             : kAppSrc + end);
        return pipeline.try_state(GST_STATE_PAUSED) != GST_STATE_CHANGE_FAILURE;
      };
      GstElement* element = gst_element_factory_make(factory, nullptr);
      GParamSpec* spec = g_object_class_find_property(G_OBJECT_GET_CLASS(element), test.name);
      const bool is_signed = G_IS_PARAM_SPEC_INT(spec);
      const std::int64_t low = is_signed ? G_PARAM_SPEC_INT(spec)->minimum
                                         : std::int64_t{G_PARAM_SPEC_UINT(spec)->minimum};
      const std::int64_t high = is_signed ? G_PARAM_SPEC_INT(spec)->maximum
                                          : std::int64_t{G_PARAM_SPEC_UINT(spec)->maximum};
      gst_object_unref(element);
      fail_unless(ready(low) && ready(high), "%s %s", factory, test.name);
      fail_if(ready(high + 1), "%s %s=%" G_GINT64_FORMAT, factory, test.name, high + 1);
      fail_if((low > 0 || is_signed) && ready(low - 1), "%s %s", factory, test.name);
    }
  }
}
GST_END_TEST

/** As by another thread of the application, while the element opens its queue. */
GST_START_TEST(test_an_rx_mode_that_is_set_during_the_start_counts) {
  const std::string name = unique_socket();
  auto peer = started(settings_for(Role::master, name));
  auto sender = must(Sender::open(peer, 0));
  Pipeline pipeline("memifsrc name=src" + slave_at(name) + kAppSink);
  GObject* src = G_OBJECT(pipeline.element("src"));
  // How many it makes, and what is done at the last one.
  const auto start = [&](int last) {
    int made = 0;
    gst_util_set_object_arg(src, "rx-mode", "interrupt");
    when_eventfd = [&] {
      if (++made == last) gst_util_set_object_arg(src, "rx-mode", "polling");
    };
    pipeline.set(GST_STATE_PAUSED);
    when_eventfd = nullptr;
    return made;
  };
  // The first time there may be more of them.
  int last = 0;
  for (int i = 0; i < 2; ++i) {
    last = start(0);
    pipeline.set(GST_STATE_NULL);
  }
  fail_unless(last > 0 && start(last) == last);
  pipeline.set(GST_STATE_PLAYING);
  fail_unless(come_up(peer) && pipeline.link_comes_up("src"));
  // One that polls wants no wake-ups from the time on that it does.
  const Bytes bytes = packet(1, 100);
  const TxSegment segment(bytes);
  fail_unless(eventually([&] {
    const std::uint64_t before = sender->stats().interrupts.get();
    fail_unless(send_one(*sender, {&segment, 1}) == Sent::ok);
    sender->flush();
    pull(pipeline);
    return sender->stats().interrupts.get() == before;
  }));
}
GST_END_TEST

GST_START_TEST(test_a_secret_is_not_shown) {
  Pipeline pipeline("memifsrc name=src secret=psst" + slave_at(unique_socket()) + "! fakesink");
  gchar* dot = gst_debug_bin_to_dot_data(GST_BIN(pipeline.get()), GST_DEBUG_GRAPH_SHOW_ALL);
  fail_if(strstr(dot, "psst") != nullptr);
  fail_unless(strstr(dot, "socket-path") != nullptr);
  g_free(dot);
  GParamSpec* spec =
      g_object_class_find_property(G_OBJECT_GET_CLASS(pipeline.element("src")), "secret");
  fail_if((spec->flags & G_PARAM_READABLE) != 0);
}
GST_END_TEST

GST_START_TEST(test_names_that_the_peer_sees) {
  const std::string name = unique_socket();
  const ListenSocket listener = must(ListenSocket::open(address(name), ListenOptions()));
  Pipeline pipeline("memifsrc name=left" + slave_at(name) + "! fakesink async=false " + kAppSrc +
                    "memifsink name=right app-name=vision" + slave_at(name));
  pipeline.set(GST_STATE_PLAYING);
  RawPeer caller = RawPeer::accepted(listener);
  caller.say(Hello{});
  fail_unless(caller.expect_message<Init>().name == "vision");
  { const RawPeer gone = std::move(caller); }
  RawMaster master = raw_master(listener);
  fail_unless(master.answer());
  const std::string shown = master.plan().peer_interface;
  fail_unless(shown == "left" || shown == "right", "%s", shown.c_str());
}
GST_END_TEST

GST_START_TEST(test_a_secret_that_libmemif_cuts_is_a_warning) {
  const std::string secret(24, 's');
  for (const bool longest : {false, true}) {
    Pipeline pipeline("memifsrc name=src secret=" + secret.substr(longest ? 0 : 1) +
                      slave_at(unique_socket()) + "! fakesink async=false");
    pipeline.set(GST_STATE_READY);
    if (longest) {
      expect_words(pipeline.text_of(GST_MESSAGE_WARNING), {"libmemif keeps 23"});
    } else {
      fail_if(pipeline.has_message(GST_MESSAGE_WARNING));
    }
  }
}
GST_END_TEST

/** A program gets all of it, and people no more than they can read. */
GST_START_TEST(test_a_peer_that_comes_and_goes) {
  const std::string name = unique_socket();
  Pipeline pipeline("memifsrc name=src" + master_at(name) + "! fakesink async=false");
  const auto start = Clock::now();
  pipeline.set(GST_STATE_PLAYING);
  constexpr unsigned kLinks = 40;
  for (unsigned i = 0; i < kLinks; ++i) {
    const auto slave = started(settings_for(Role::slave, name));
    fail_unless(pipeline.link_comes_up("src"));
    slave->stop();
    fail_unless(pipeline.link_goes_down("src"));
  }
  unsigned told = 0, changes = 0;
  while (changes < 2 * kLinks) {
    GstMessage* message =
        pipeline.message(static_cast<GstMessageType>(GST_MESSAGE_INFO | GST_MESSAGE_ELEMENT));
    if (Pipeline::is_link_news(message)) ++told;
    if (gst_message_has_name(message, "memif-link") != FALSE) ++changes;
    gst_message_unref(message);
  }
  const auto seconds = static_cast<unsigned>(milliseconds_since(start) / 1000);
  fail_unless(told >= 20 && told <= 20 + seconds, "%u messages in %u s", told, seconds);
}
GST_END_TEST

GST_START_TEST(test_a_peer_with_too_few_queues_that_comes_and_goes) {
  const std::string name = unique_socket();
  Pipeline pipeline("memifsrc name=src queue=1 rx-queues=2" + master_at(name) +
                    "! fakesink async=false");
  const auto start = Clock::now();
  pipeline.set(GST_STATE_PLAYING);
  unsigned warnings = 1;
  for (unsigned i = 0; i < 60; ++i) {
    const auto slave = started(settings_for(Role::slave, name));
    fail_unless(pipeline.link_comes_up("src"));
    if (i == 0) gst_message_unref(pipeline.message(GST_MESSAGE_WARNING));
    slave->stop();
    fail_unless(pipeline.link_goes_down("src"));
  }
  pipeline.set(GST_STATE_READY);
  while (GstMessage* message = gst_bus_pop_filtered(pipeline.bus(), GST_MESSAGE_WARNING)) {
    ++warnings;
    gst_message_unref(message);
  }
  const auto seconds = static_cast<unsigned>(milliseconds_since(start) / 1000);
  fail_unless(warnings <= 20 + seconds, "%u in %u s", warnings, seconds);
}
GST_END_TEST

/** Each change once, although two elements have the interface. */
GST_START_TEST(test_people_are_told_of_the_link) {
  const std::string name = unique_socket();
  Pipeline pipeline("memifsrc name=src app-name=ours" + slave_at(name) + "! fakesink async=false " +
                    kAppSrc + "memifsink name=sink ring-size=128" + slave_at(name));
  pipeline.set(GST_STATE_PLAYING);
  const auto expect_news = [&](const std::string& expected) {
    const std::string news = pipeline.link_news();
    fail_unless_equals_string(news.c_str(), expected.c_str());
  };
  const std::string waiting =
      "Waiting for a master at " + name +
      " id 0: Connection refused. If it runs, set the same socket-path on both ends (" +
      name.substr(1) + " would be a file), and role=master on one end.";
  expect_news(waiting);
  GstStructure* link = pipeline.property<GstStructure*>("src", "link");
  fail_unless(link != nullptr && gst_structure_n_fields(link) == 0, "printed by gst-launch -v");
  gst_structure_free(link);
  Settings settings = settings_for(Role::master, name);
  settings.app_name = "master's program";
  auto master = started(settings);
  expect_news(
      "Link up as slave with master0: 1 queue each way, ring 128, buffers 2048, zero-copy.");
  for (const char* element : {"src", "sink"}) {
    link = pipeline.property<GstStructure*>(element, "link");
    guint ring_size = 0;
    fail_unless(gst_structure_get_uint(link, "ring-size", &ring_size) && ring_size == 128);
    fail_unless_equals_string(gst_structure_get_string(link, "role"), "slave");
    fail_unless_equals_string(gst_structure_get_string(link, "copies"), "zero-copy");
    fail_unless_equals_string(gst_structure_get_string(link, "peer-app-name"), "master's program");
    fail_unless_equals_string(gst_structure_get_string(link, "app-name"), "ours");
    fail_if(gst_structure_get_string(link, "interface-name") == nullptr);
    gst_structure_free(link);
  }
  // Nobody takes them.
  for (std::uint64_t i = 0; i < 3; ++i) push(pipeline, packet(i, 60));
  const auto slots_in_use = [&] {
    GstStructure* now = pipeline.property<GstStructure*>("sink", "link");
    guint64 slots = 0;
    fail_unless(gst_structure_get_uint64(now, "ring-fill", &slots));
    gst_structure_free(now);
    return slots;
  };
  fail_unless(eventually([&] { return slots_in_use() == 3; }));
  GstStructure* stats = pipeline.property<GstStructure*>("sink", "stats");
  guint head = 0, tail = 1;
  fail_unless(gst_structure_get(stats, "ring-head", G_TYPE_UINT, &head, "ring-tail", G_TYPE_UINT,
                                &tail, nullptr));
  fail_unless(head == 3 && tail == 0, "%u and %u", head, tail);
  gst_structure_free(stats);
  master->stop();
  expect_news("Link down: the peer disconnected: interface deleted.");
  expect_news(waiting);
  pause_ms(200);  // for tries that must not be told
  fail_if(pipeline.has_message(GST_MESSAGE_WARNING));
  GstBus* bus = gst_element_get_bus(pipeline.get());
  fail_unless(gst_bus_pop_filtered(bus, GST_MESSAGE_INFO) == nullptr, "told twice");
  gst_object_unref(bus);
}
GST_END_TEST

GST_START_TEST(test_a_remedy_fits_its_refusal) {
  const std::string name = unique_socket();
  const struct {
    const char* master;
    const char* slave;
    std::vector<std::string> words;
  } kCases[] = {
      {"secret=a", "secret=b", {"incorrect secret", "Set the same secret on both ends"}},
      {"secret=a", "", {"secret required", "Set the secret of the master on the slave"}},
      {"mode=ip", "", {"mode mismatch", "Set the same mode"}},
      {"id=1", "", {"unmatched interface id", "Set the same id"}},
      {"memory-limit=1", "", {"memory-limit", "raise memory-limit of the master"}},
      {"allowed-uids=4242424", "", {"before HELLO", "allowed-uids"}},
  };
  for (const auto& test : kCases) {
    Pipeline master("memifsrc name=src " + std::string(test.master) + master_at(name) +
                    "! fakesink async=false");
    master.set(GST_STATE_PLAYING);
    Pipeline slave("memifsrc name=src " + std::string(test.slave) + slave_at(name) +
                   "! fakesink async=false");
    slave.set(GST_STATE_PLAYING);
    expect_words(slave.text_of(GST_MESSAGE_WARNING), test.words);
    // The master's own user learns of it too.
    expect_words(master.text_of(GST_MESSAGE_WARNING), {"A slave could not connect to " + name});
    fail_if(master.has_message(GST_MESSAGE_ERROR) || slave.has_message(GST_MESSAGE_ERROR));
  }
}
GST_END_TEST

GST_START_TEST(test_news_of_the_link) {
  const std::string name = unique_socket();
  Pipeline pipeline("memifsrc name=src id=4" + slave_at(name) + "! fakesink async=false");
  std::atomic<int> notified{0};
  for (const char* signal : {"notify::link-up", "notify::peer-name"}) {
    g_signal_connect(pipeline.element("src"), signal,
                     G_CALLBACK(+[](GObject* object, GParamSpec* spec, gpointer count) {
                       // A handler of the message may read the properties.
                       GValue value = G_VALUE_INIT;
                       g_object_get_property(object, spec->name, &value);
                       g_value_unset(&value);
                       ++*static_cast<std::atomic<int>*>(count);
                     }),
                     &notified);
  }
  pipeline.set(GST_STATE_PLAYING);
  fail_if(pipeline.property<gboolean>("src", "link-up"));
  Settings settings = settings_for(Role::master, name, 4);
  auto master = started(settings);
  const LinkNews up = next_news(pipeline, "src");
  fail_unless(up.up && up.peer == "master0" && up.socket == name && up.id == 4);
  fail_unless(eventually([&] { return notified == 2; }));
  gchar* peer = pipeline.property<gchar*>("src", "peer-name");
  fail_unless_equals_string(peer, "master0");
  g_free(peer);
  master->stop();
  const LinkNews down = next_news(pipeline, "src");
  fail_unless(!down.up && down.reason == "the peer disconnected: interface deleted");
  fail_unless(eventually([&] { return notified == 4; }));
  fail_if(pipeline.property<gboolean>("src", "link-up"));
}
GST_END_TEST

GST_START_TEST(test_a_refusal_is_a_warning) {
  const std::string name = unique_socket();
  Settings settings = settings_for(Role::master, name);
  settings.secret = "right";
  auto master = started(settings);
  Pipeline pipeline("memifsrc name=src secret=wrong" + slave_at(name) + "! fakesink async=false");
  pipeline.set(GST_STATE_PLAYING);
  expect_words(pipeline.text_of(GST_MESSAGE_WARNING), {name, "id 0", "incorrect secret"});
  fail_if(pipeline.has_message(GST_MESSAGE_ERROR));
}
GST_END_TEST

GST_START_TEST(test_caps) {
  const struct {
    const char* settings;
    const char* caps;
  } kCases[] = {
      {"mode=ethernet", "application/x-packet, link-type=(string)ethernet"},
      {"mode=ip", "application/x-packet, link-type=(string)ip"},
      {"mode=punt-inject", "application/x-packet, link-type=(string)punt"},
      {"caps=application/x-rtp,media=video", "application/x-rtp, media=(string)video"},
  };
  const std::string name = unique_socket();
  auto master = made(settings_for(Role::master, name));
  for (const auto& test : kCases) {
    Settings settings = settings_for(Role::master, name);
    if (std::strstr(test.settings, "mode=ip") != nullptr) settings.mode = Mode::ip;
    if (std::strstr(test.settings, "punt") != nullptr) settings.mode = Mode::punt_inject;
    master->stop();
    must(master->reconfigure(settings));
    must(master->start());
    Pipeline pipeline("memifsrc name=src " + std::string(test.settings) + slave_at(name) +
                      kAppSink);
    pipeline.set(GST_STATE_PLAYING);
    const std::string caps = caps_of(pipeline);
    fail_unless(caps == test.caps, "%s", caps.c_str());
  }
}
GST_END_TEST

GST_START_TEST(test_latency) {
  Pipeline pipeline("memifsrc name=src" + slave_at(unique_socket()) + "! fakesink async=false");
  pipeline.set(GST_STATE_PLAYING);
  GstQuery* query = gst_query_new_latency();
  fail_unless(gst_element_query(pipeline.element("src"), query));
  gboolean live = FALSE;
  GstClockTime least = GST_CLOCK_TIME_NONE;
  gst_query_parse_latency(query, &live, &least, nullptr);
  fail_unless(live && least == 0);
  gst_query_unref(query);
}
GST_END_TEST

static Suite* properties_suite(void) {
  Suite* suite = suite_create("properties");
  TCase* tests = tcase_create("interface");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_documentation);
  tcase_add_test(tests, test_every_setting_is_a_property);
  tcase_add_test(tests, test_roles_have_two_names);
  tcase_add_test(tests, test_what_one_end_sets_applies_to_both);
  tcase_add_test(tests, test_ends_may_say_the_same_in_other_words);
  tcase_add_test(tests, test_contradictions_name_both_ends);
  tcase_add_test(tests, test_wrong_settings_say_what_and_why_and_what_to_do);
  tcase_add_test(tests, test_settings_may_change_in_ready);
  tcase_add_test(tests, test_an_end_that_joins_does_not_disturb_the_link);
  tcase_add_loop_test(tests, test_an_end_that_joins_with_settings, 0, 10);
  tcase_add_test(tests, test_what_is_in_use_is_read_back);
  tcase_add_test(tests, test_ranges_are_the_real_ones);
  tcase_add_test(tests, test_an_rx_mode_that_is_set_during_the_start_counts);
  tcase_add_test(tests, test_a_secret_is_not_shown);
  tcase_add_test(tests, test_names_that_the_peer_sees);
  tcase_add_test(tests, test_a_secret_that_libmemif_cuts_is_a_warning);
  tcase_add_test(tests, test_a_peer_that_comes_and_goes);
  tcase_add_test(tests, test_a_peer_with_too_few_queues_that_comes_and_goes);
  tcase_add_test(tests, test_people_are_told_of_the_link);
  tcase_add_test(tests, test_a_remedy_fits_its_refusal);
  tcase_add_test(tests, test_news_of_the_link);
  tcase_add_test(tests, test_a_refusal_is_a_warning);
  tcase_add_test(tests, test_caps);
  tcase_add_test(tests, test_latency);
  return suite;
}

GST_CHECK_MAIN(properties)
