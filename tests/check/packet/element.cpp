// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * What the runtime promises an element besides packets: hooks, properties, errors, states, caps.
 */
#include "gst/packet/element.hpp"

#include <stdexcept>

#include "decttl.hpp"
#include "rig.hpp"
#include "samples.hpp"

namespace {

using rig::Bytes;

enum class Colour { red, dark_green, blue };

/** Has one of everything. */
struct Everything {
  static constexpr ElementInfo info{"everything", "Everything", "Filter/Network", "Tests", "Tests"};
  static constexpr std::array ports{"odd"};
  static constexpr std::array link_types{LinkType::ethernet, LinkType::ip};
  enum class Drop { empty };

  static auto properties() {
    return std::tuple{
        property<&Everything::flag>("flag", "A bool.", true),
        property<&Everything::colour>("colour", "An enum.", Colour::dark_green),
        property<&Everything::big>("big", "A large integer.", std::int64_t{-5}, std::int64_t{-9},
                                   std::int64_t{1} << 40),
        property<&Everything::set_even, &Everything::even>("even", "An even integer.", 2, 0, 100),
        property<&Everything::set_word, &Everything::word>("word", "A word.", "hello").ready_only(),
    };
  }
  Result<void> set_even(int value) {
    if (value % 2 != 0) return Error{std::to_string(value), "not even", "Give an even number"};
    even_ = value;
    return {};
  }
  [[nodiscard]] int even() const { return even_; }
  Result<void> set_word(std::string_view value) {
    if (value == "throw") throw std::runtime_error("thrown by a setter");
    if (value.empty()) return Error{"The word", "it is empty", "Give a word"};
    word_ = value;
    return {};
  }
  [[nodiscard]] std::string word() const { return word_; }

  Result<void> start() {
    if (word_ == "nostart") return Error{"Cannot start", "the word says so", "Change the word"};
    if (word_ == "throwstart") throw std::runtime_error("thrown by start");
    ++starts;
    return {};
  }
  void stop() { ++stops; }
  Result<void> set_caps(const PacketCaps& caps) {
    if (caps.link_type == LinkType::ip && word_ == "noip") {
      return Error{"link-type=ip", "the word says so", "Send frames"};
    }
    return {};
  }
  Verdict process(Packet& packet) {
    if (packet.size() == 0) return drop(Drop::empty);
    const auto first = std::to_integer<unsigned>(packet.bytes()[0]);
    if (first == 0xff) throw std::runtime_error("thrown by process");
    if (first == 0xfe) throw 7;
    if (first == 0xfd) return to(9);
    return first % 2 != 0 ? to(1) : forward();
  }

  AtomicProperty<bool> flag;
  AtomicProperty<Colour> colour;
  AtomicProperty<std::int64_t> big;
  int even_ = 0;
  std::string word_;
  static inline int starts = 0, stops = 0;
};

struct ReadBatch {
  static constexpr ElementInfo info{"readbatch", "Read batch", "Filter/Network", "Tests", "Tests"};
  static constexpr Access access = Access::read;
  void process(ConstPacketBatch& batch) {
    for (std::size_t i = 0; i < batch.size(); ++i) {
      if (batch[i].size() == 0) batch.set(i, drop());
    }
  }
};

struct Pusher {
  static constexpr ElementInfo info{"pusher", "Pusher", "Filter/Network", "Tests", "Tests"};
  static constexpr auto link_types = kAnyLinkType;
  static auto properties() {
    return std::tuple{property<&Pusher::front>("front", "Bytes to add in front.", 0U, 0U, 5000U),
                      property<&Pusher::back>("back", "Bytes to add behind.", 0U, 0U, 5000U),
                      property<&Pusher::pop>("pop", "Bytes to take from the front.", 0U, 0U, 9U)};
  }
  Verdict process(Packet& packet) {
    if (!packet.pop_front(pop.load()) || !packet.push_front(front.load()) ||
        !packet.extend(back.load())) {
      return drop();
    }
    if (front.load() != 0) packet.writable()[0] = std::byte{0xf0};
    if (back.load() != 0) packet.writable().back() = std::byte{0xba};
    return forward();
  }
  AtomicProperty<unsigned> front, back, pop;
};

static_assert(ScalarElement<DecTtl> && ScalarElement<Everything> && BatchElement<ReadBatch>);
static_assert(gstpacket::detail::enum_names<DecTtl::Drop>()[0] == "too_short");
static_assert(gstpacket::detail::enum_names<DecTtl::Drop>()[1] == "expired");
static_assert(gstpacket::detail::enum_names<Colour>().size() == 3);

void register_all() {
  fail_unless(register_element<DecTtl>(nullptr));
  fail_unless(register_element<Everything>(nullptr));
  fail_unless(register_element<ReadBatch>(nullptr));
  fail_unless(register_element<Pusher>(nullptr));
}

bool contains(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

GST_START_TEST(test_decttl) {
  rig::Rig rig("decttl");
  rig.play();
  fail_unless_equals_int(rig.push(rig::make_buffer(samples::echo_frame(8, {.ttl = 9}))),
                         GST_FLOW_OK);
  fail_unless(rig.out->packets.at(0) == samples::echo_frame(8, {.ttl = 8}));
  rig.push(rig::make_buffer(samples::echo_frame(8, {.ttl = 1})));
  rig.push(rig::make_buffer(Bytes(33)));
  g_object_set(rig.element, "floor", 100, nullptr);  // while PLAYING
  rig.push(rig::make_buffer(samples::echo_frame(8, {.ttl = 100})));
  fail_unless_equals_uint64(rig.out->packets.size(), 1);
  fail_unless_equals_uint64(rig.stat("drop-expired"), 2);
  fail_unless_equals_uint64(rig.stat("drop-too-short"), 1);
  fail_unless_equals_uint64(rig.stat("dropped"), 3);
  fail_unless_equals_uint64(rig.stat("packets-in"), 4);
  fail_unless_equals_uint64(rig.stat("packets-out"), 1);
  fail_unless_equals_uint64(rig.stat("bytes-in"), 3 * 50 + 33);
  fail_unless_equals_uint64(rig.stat("bytes-out"), 50);
  fail_unless_equals_uint64(rig.stat("batches"), 4);
  fail_unless_equals_uint64(rig.stat("copies"), 0);
}
GST_END_TEST

/** An element that reads behind an Ethernet header and says nothing of link types. */
GST_START_TEST(test_other_link_types_are_refused) {
  for (const char* caps :
       {"application/x-packet,link-type=ip", "application/x-packet,link-type=punt"}) {
    rig::Rig rig("decttl");
    rig.play(caps);
    fail_unless_equals_int(rig.push(rig::make_buffer(samples::echo_frame(8))),
                           GST_FLOW_NOT_NEGOTIATED);
    fail_unless_equals_uint64(rig.stat("packets-in"), 0);
  }
  rig::Rig rig("pusher");  // says that it takes any
  for (const LinkType type : kAnyLinkType) {
    GstCaps* caps = make_caps({type});
    GstPad* sink = gst_element_get_static_pad(rig.element, "sink");
    fail_unless(gst_pad_query_accept_caps(sink, caps));
    gst_object_unref(sink);
    gst_caps_unref(caps);
  }
}
GST_END_TEST

GST_START_TEST(test_defaults_and_types) {
  rig::Rig rig("everything");
  gboolean flag = FALSE;
  gint colour = 0, even = 0;
  gint64 big = 0;
  gchar* word = nullptr;
  g_object_get(rig.element, "flag", &flag, "colour", &colour, "big", &big, "even", &even, "word",
               &word, nullptr);
  fail_unless(flag && colour == 1 && big == -5 && even == 2);
  fail_unless_equals_string(word, "hello");
  g_free(word);
  gst_util_set_object_arg(G_OBJECT(rig.element), "colour", "dark-green");
  gst_util_set_object_arg(G_OBJECT(rig.element), "colour", "blue");
  g_object_get(rig.element, "colour", &colour, nullptr);
  fail_unless_equals_int(colour, 2);
  GParamSpec* spec = g_object_class_find_property(G_OBJECT_GET_CLASS(rig.element), "word");
  fail_unless((spec->flags & GST_PARAM_MUTABLE_READY) != 0);
  spec = g_object_class_find_property(G_OBJECT_GET_CLASS(rig.element), "flag");
  fail_unless((spec->flags & GST_PARAM_MUTABLE_PLAYING) != 0);
}
GST_END_TEST

GST_START_TEST(test_wrong_value_before_start) {
  rig::Rig rig("everything");
  g_object_set(rig.element, "even", 7, nullptr);
  fail_unless_equals_int(gst_element_set_state(rig.element, GST_STATE_READY),
                         GST_STATE_CHANGE_FAILURE);
  const std::string error = rig.message(GST_MESSAGE_ERROR);
  fail_unless(contains(error, g_quark_to_string(GST_RESOURCE_ERROR)), "%s", error.c_str());
  fail_unless(contains(error, ("/" + std::to_string(GST_RESOURCE_ERROR_SETTINGS)).c_str()));
  fail_unless(
      contains(error, "\"even\"") && contains(error, "7") && contains(error, "Give an even number"),
      "%s", error.c_str());
  gst_element_set_state(rig.element, GST_STATE_NULL);
  g_object_set(rig.element, "even", 8, nullptr);
  rig.play();
}
GST_END_TEST

GST_START_TEST(test_wrong_value_while_running) {
  rig::Rig rig("everything");
  rig.play();
  g_object_set(rig.element, "even", 7, nullptr);
  const std::string warning = rig.message(GST_MESSAGE_WARNING);
  fail_unless(contains(warning, "\"even\"") && contains(warning, "not even"), "%s",
              warning.c_str());
  g_object_set(rig.element, "word", "later", nullptr);  // only up to READY
  fail_unless(contains(rig.message(GST_MESSAGE_WARNING), "the element is running"));
  gint even = 0;
  gchar* word = nullptr;
  g_object_get(rig.element, "even", &even, "word", &word, nullptr);
  fail_unless_equals_int(even, 2);
  fail_unless_equals_string(word, "hello");
  g_free(word);
  // Nothing of this stops the element the next time.
  gst_element_set_state(rig.element, GST_STATE_NULL);
  rig.play();
  fail_unless(rig.message(GST_MESSAGE_ERROR).empty());
}
GST_END_TEST

GST_START_TEST(test_setter_throws) {
  rig::Rig rig("everything");
  g_object_set(rig.element, "word", "throw", nullptr);
  fail_unless_equals_int(gst_element_set_state(rig.element, GST_STATE_READY),
                         GST_STATE_CHANGE_FAILURE);
  fail_unless(contains(rig.message(GST_MESSAGE_ERROR), "thrown by a setter"));
}
GST_END_TEST

GST_START_TEST(test_start_and_stop) {
  Everything::starts = Everything::stops = 0;
  rig::Rig rig("everything");
  for (const char* word : {"nostart", "throwstart"}) {
    g_object_set(rig.element, "word", word, nullptr);
    fail_unless_equals_int(gst_element_set_state(rig.element, GST_STATE_PAUSED),
                           GST_STATE_CHANGE_FAILURE);
    fail_if(rig.message(GST_MESSAGE_ERROR).empty());
    fail_unless_equals_int(gst_element_set_state(rig.element, GST_STATE_NULL),
                           GST_STATE_CHANGE_SUCCESS);
  }
  fail_unless(Everything::starts == 0 && Everything::stops == 0);
  g_object_set(rig.element, "word", "go", nullptr);
  for (int round = 1; round < 4; ++round) {
    for (const GstState state : {GST_STATE_READY, GST_STATE_PAUSED, GST_STATE_PLAYING,
                                 GST_STATE_PAUSED, GST_STATE_READY, GST_STATE_NULL}) {
      fail_unless_equals_int(gst_element_set_state(rig.element, state), GST_STATE_CHANGE_SUCCESS);
    }
    fail_unless(Everything::starts == round && Everything::stops == round);
  }
}
GST_END_TEST

GST_START_TEST(test_every_state_sequence) {
  const GstState states[] = {GST_STATE_NULL, GST_STATE_READY, GST_STATE_PAUSED, GST_STATE_PLAYING};
  rig::Rig rig("everything");
  for (const GstState a : states) {
    for (const GstState b : states) {
      for (const GstState c : states) {
        for (const GstState state : {a, b, c, GST_STATE_NULL}) {
          fail_unless_equals_int(gst_element_set_state(rig.element, state),
                                 GST_STATE_CHANGE_SUCCESS);
        }
      }
    }
  }
  fail_unless(Everything::starts == Everything::stops);
}
GST_END_TEST

GST_START_TEST(test_exceptions_become_errors) {
  for (const std::uint8_t bad : {std::uint8_t{0xff}, std::uint8_t{0xfe}}) {
    rig::Rig rig("everything");
    rig.play();
    GstBufferList* list = gst_buffer_list_new();
    for (const std::uint8_t byte : {std::uint8_t{2}, std::uint8_t{1}, bad, std::uint8_t{4}}) {
      gst_buffer_list_add(list, rig::make_buffer(Bytes{byte}));
    }
    fail_unless_equals_int(rig.push(list), GST_FLOW_ERROR);
    fail_unless(contains(rig.message(GST_MESSAGE_ERROR), "failed"));
    fail_unless(rig.out->packets.empty());
  }
}
GST_END_TEST

GST_START_TEST(test_ports) {
  rig::Rig rig("everything");
  rig.play();
  // Nothing linked to the extra pad: a counted drop and no error.
  fail_unless_equals_int(rig.push(rig::make_buffer(Bytes{1})), GST_FLOW_OK);
  fail_unless_equals_uint64(rig.stat("drop-unlinked"), 1);
  // A port that does not exist is an error of the author, and one packet lost.
  fail_unless_equals_int(rig.push(rig::make_buffer(Bytes{0xfd})), GST_FLOW_OK);
  fail_unless_equals_uint64(rig.stat("drop-unlinked"), 2);
  {
    const auto odd = rig.open("odd");
    fail_unless_equals_int(rig.push(rig::make_buffer(Bytes{3})), GST_FLOW_OK);
    fail_unless(odd->packets == std::vector<Bytes>{{3}});
    fail_unless_equals_int(odd->buffers, 1);
    // Its end alone is not the end of the stream; an error is.
    odd->flow = GST_FLOW_EOS;
    fail_unless_equals_int(rig.push(rig::make_buffer(Bytes{3})), GST_FLOW_OK);
    rig.event(gst_event_new_flush_start());
    rig.event(gst_event_new_flush_stop(FALSE));
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    rig.event(gst_event_new_segment(&segment));
    odd->flow = GST_FLOW_ERROR;
    fail_unless_equals_int(rig.push(rig::make_buffer(Bytes{3})), GST_FLOW_ERROR);
  }
}
GST_END_TEST

GST_START_TEST(test_nothing_linked) {
  rig::Rig rig("everything");
  rig.out.reset();
  rig.play();
  fail_unless_equals_int(rig.push(rig::make_buffer(Bytes{2})), GST_FLOW_NOT_LINKED);
  fail_unless_equals_uint64(rig.stat("drop-unlinked"), 1);
  fail_unless_equals_uint64(rig.stat("dropped"), 1);
  const auto odd = rig.open("odd");
  fail_unless_equals_int(rig.push(rig::make_buffer(Bytes{2})), GST_FLOW_OK);
  fail_unless_equals_int(rig.push(rig::make_buffer(Bytes{3})), GST_FLOW_OK);
  fail_unless_equals_uint64(odd->packets.size(), 1);
  rig.out = rig.open("src");
}
GST_END_TEST

GST_START_TEST(test_flow_returns) {
  rig::Rig rig("readbatch");
  rig.play();
  for (const GstFlowReturn flow : {GST_FLOW_EOS, GST_FLOW_FLUSHING, GST_FLOW_ERROR, GST_FLOW_OK}) {
    rig.out->flow = flow;
    fail_unless_equals_int(rig.push(rig::make_buffer(Bytes{1})), flow);
  }
}
GST_END_TEST

GST_START_TEST(test_caps) {
  {
    rig::Rig rig("everything");
    rig.play(nullptr);
    fail_unless_equals_int(rig.push(rig::make_buffer(Bytes{2})), GST_FLOW_NOT_NEGOTIATED);
    fail_unless(contains(rig.message(GST_MESSAGE_ERROR), "without caps"));
  }
  {
    rig::Rig rig("everything");
    rig.play("application/x-packet,link-type=ip");
    fail_unless_equals_int(rig.push(rig::make_buffer(Bytes{2})), GST_FLOW_OK);
    rig.set_caps("application/x-packet,link-type=punt");
    fail_unless_equals_int(rig.push(rig::make_buffer(Bytes{2})),
                           GST_FLOW_NOT_NEGOTIATED);  // not in the template
    rig.set_caps("video/x-raw");
    fail_unless_equals_int(rig.push(rig::make_buffer(Bytes{2})), GST_FLOW_NOT_NEGOTIATED);
  }
  {
    rig::Rig rig("everything");
    g_object_set(rig.element, "word", "noip", nullptr);
    rig.play();
    rig.set_caps("application/x-packet,link-type=ip");
    fail_unless_equals_int(rig.push(rig::make_buffer(Bytes{2})), GST_FLOW_NOT_NEGOTIATED);
    const std::string error = rig.message(GST_MESSAGE_ERROR);
    fail_unless(contains(error, "Send frames"), "%s", error.c_str());
  }
  rig::Rig rig("everything");
  rig.play();
  GstCaps* filter = gst_caps_from_string("application/x-packet,link-type={ip,punt}");
  GstCaps* caps = gst_pad_peer_query_caps(rig.source(), filter);
  fail_unless_equals_int(gst_caps_get_size(caps), 1);
  fail_unless_equals_string(gst_structure_get_string(gst_caps_get_structure(caps, 0), "link-type"),
                            "ip");
  gst_caps_unref(caps);
  gst_caps_unref(filter);
}
GST_END_TEST

GST_START_TEST(test_events_pass) {
  rig::Rig rig("readbatch");
  rig.play();
  rig.event(gst_event_new_flush_start());
  fail_unless_equals_int(rig.push(rig::make_buffer(Bytes{1})), GST_FLOW_FLUSHING);
  rig.event(gst_event_new_flush_stop(TRUE));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  rig.event(gst_event_new_segment(&segment));
  fail_unless_equals_int(rig.push(rig::make_buffer(Bytes{1})), GST_FLOW_OK);
  rig.event(gst_event_new_eos());
  const std::vector<GstEventType> expected{
      GST_EVENT_STREAM_START, GST_EVENT_CAPS,    GST_EVENT_SEGMENT, GST_EVENT_FLUSH_START,
      GST_EVENT_FLUSH_STOP,   GST_EVENT_SEGMENT, GST_EVENT_EOS};
  fail_unless(rig.out->events == expected);
}
GST_END_TEST

GST_START_TEST(test_room) {
  const Bytes body = samples::payload(50);
  for (const unsigned front : {0U, 1U, 14U, 64U, 65U, 5000U}) {
    for (const unsigned back : {0U, 1U, 64U, 65U, 5000U}) {
      for (const unsigned pop : {0U, 3U}) {
        rig::Rig rig("pusher");
        rig.play();
        g_object_set(rig.element, "front", front, "back", back, "pop", pop, nullptr);
        GstAllocationParams params;
        gst_allocation_params_init(&params);
        params.prefix = 14;
        GstBuffer* roomy = gst_buffer_new_allocate(nullptr, body.size(), &params);
        gst_buffer_fill(roomy, 0, body.data(), body.size());
        rig.push(rig::make_buffer(body));
        rig.push(roomy);
        rig.push(gst_buffer_new());  // no memory at all
        Bytes expected(front, 0);
        expected.insert(expected.end(), body.begin() + pop, body.end());
        expected.insert(expected.end(), back, 0);
        if (front != 0) expected.front() = 0xf0;
        if (back != 0) expected.back() = 0xba;
        fail_unless(rig.out->packets.at(0) == expected && rig.out->packets.at(1) == expected);
        fail_unless_equals_uint64(rig.out->packets.size(), pop == 0 ? 3 : 2);
      }
    }
  }
}
GST_END_TEST

static Suite* element_suite() {
  Suite* s = suite_create("element");
  TCase* tc = tcase_create("general");
  suite_add_tcase(s, tc);
  tcase_add_checked_fixture(tc, register_all, nullptr);
  tcase_add_test(tc, test_decttl);
  tcase_add_test(tc, test_other_link_types_are_refused);
  tcase_add_test(tc, test_defaults_and_types);
  tcase_add_test(tc, test_wrong_value_before_start);
  tcase_add_test(tc, test_wrong_value_while_running);
  tcase_add_test(tc, test_setter_throws);
  tcase_add_test(tc, test_start_and_stop);
  tcase_add_test(tc, test_every_state_sequence);
  tcase_add_test(tc, test_exceptions_become_errors);
  tcase_add_test(tc, test_ports);
  tcase_add_test(tc, test_nothing_linked);
  tcase_add_test(tc, test_flow_returns);
  tcase_add_test(tc, test_caps);
  tcase_add_test(tc, test_events_pass);
  tcase_add_test(tc, test_room);
  return s;
}

GST_CHECK_MAIN(element)
