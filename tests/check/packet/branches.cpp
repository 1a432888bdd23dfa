// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The form packets travel in changes nothing in a network either: with queues, behind a tee whose
 * branches change the packets, and with drops and splits in between.
 */
#include <map>
#include <set>

#include "forms.hpp"
#include "prologue.hpp"

using namespace forms;

namespace {

/**
 * Elements of forms.hpp in a bin; `in` is the first, and all pads that lead nowhere are watched.
 */
class Network {
 public:
  explicit Network(const std::string& description)
      : bin_(gst_parse_bin_from_description(description.c_str(), FALSE, nullptr)),
        source_(gst_pad_new("testsrc", GST_PAD_SRC)) {
    fail_unless(bin_ != nullptr, "%s", description.c_str());
    gst_object_ref_sink(bin_);
    GstElement* first = gst_bin_get_by_name(GST_BIN(bin_), "in");
    GstPad* sink = gst_element_get_static_pad(first, "sink");
    gst_pad_link(source_, sink);
    gst_object_unref(sink);
    gst_object_unref(first);
    for (const char* name : {"a", "b", "c"}) watch(name);
    gst_pad_set_active(source_, TRUE);
    gst_element_set_state(bin_, GST_STATE_PLAYING);
    rig::send_prologue(source_);
  }
  ~Network() {
    gst_element_set_state(bin_, GST_STATE_NULL);
    sinks_.clear();
    gst_pad_set_active(source_, FALSE);
    gst_object_unref(source_);
    gst_object_unref(bin_);
  }
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  GstPad* source() const { return source_; }
  /** Returns when everything has come out at the ends. */
  void finish() {
    gst_pad_push_event(source_, gst_event_new_eos());
    for (const auto& [name, sink] : sinks_) {
      for (int i = 0; i < 20'000 && !sink->ended; ++i) g_usleep(1000);
      fail_unless(sink->ended, "%s did not end", name.c_str());
    }
  }
  /** What each end got, and what each element counted. */
  std::map<std::string, std::vector<Bytes>> packets() const {
    std::map<std::string, std::vector<Bytes>> all;
    for (const auto& [name, sink] : sinks_) all[name] = sink->packets;
    return all;
  }
  std::map<std::string, std::string> stats() const {
    std::map<std::string, std::string> all;
    each([&](const std::string& name, GstElement* e) { all[name] = rig::stats_of_packets(e); });
    return all;
  }
  std::uint64_t copies() const {
    std::uint64_t sum = 0;
    each([&](const std::string&, GstElement* e) { sum += rig::stat(e, "copies"); });
    return sum;
  }

 private:
  void watch(const std::string& name) {
    GstElement* element = gst_bin_get_by_name(GST_BIN(bin_), name.c_str());
    if (element == nullptr) return;
    names_.insert(name);
    for (const char* port : {"src", "left", "right"}) {
      GstPad* pad = gst_element_get_static_pad(element, port);
      if (!gst_pad_is_linked(pad)) {
        auto sink = std::make_unique<rig::Sink>(pad);
        sink->takes_batches = true;
        sinks_[name + "." + port] = std::move(sink);
      }
      gst_object_unref(pad);
    }
    gst_object_unref(element);
  }
  template <class Function>
  void each(Function function) const {
    for (const std::string& name : names_) {
      GstElement* element = gst_bin_get_by_name(GST_BIN(bin_), name.c_str());
      function(name, element);
      gst_object_unref(element);
    }
  }

  GstElement* bin_;
  GstPad* source_;
  std::set<std::string> names_;
  std::map<std::string, std::unique_ptr<rig::Sink>> sinks_;
};

struct Outcome {
  std::map<std::string, std::vector<Bytes>> packets;
  std::map<std::string, std::string> stats;
  bool operator==(const Outcome&) const = default;
};

Outcome run(const char* description, Kind kind, const std::vector<Bytes>& packets,
            std::size_t batch) {
  Network network(description);
  Feeder feeder(kind, network.source());
  feeder.feed(packets, batch);
  network.finish();
  feeder.check_untouched();
  return {network.packets(), network.stats()};
}

constexpr std::size_t kBatches[] = {1, 2, 31, 32, 33, 255, 256, 257};

void all_forms_agree(const char* description) {
  const auto packets = some_packets(600, false);
  const Outcome expected = run(description, Kind::plain, packets, 1);
  for (const auto& [name, seen] : expected.packets) {
    if (name.ends_with(".src")) fail_if(seen.empty(), "nothing at %s", name.c_str());
  }
  for (const Kind kind : kKinds) {
    for (const std::size_t batch : kBatches) {
      fail_unless(run(description, kind, packets, batch) == expected,
                  "%s: kind %d, %zu at a time differ", description, static_cast<int>(kind), batch);
    }
  }
}

/** Of packets that all get everywhere. */
std::uint64_t copies(const char* description, Kind kind, std::size_t batch) {
  Network network(description);
  Feeder(kind, network.source()).feed(some_packets(600, true), batch);
  network.finish();
  for (const auto& [name, seen] : network.packets()) {
    if (name.ends_with(".src")) fail_unless_equals_uint64(seen.size(), 600);
  }
  return network.copies();
}

constexpr char kLine[] =
    "queue name=in ! sorter name=a ! queue ! readsorter name=b ! sorter name=c";
constexpr char kTwoBranches[] =
    "queue name=in ! tee name=t  t. ! queue ! sorter name=a  t. ! queue ! sorter name=b";
constexpr char kDropsBefore[] =
    "queue name=in ! readsorter name=a ! queue ! tee name=t  t. ! queue ! sorter name=b  t. ! "
    "queue ! sorter name=c";
constexpr char kMixedBranches[] =
    "tee name=in  in. ! sorter name=a  in. ! queue ! sorter name=b  in. ! queue ! readsorter "
    "name=c";

}  // namespace

GST_START_TEST(test_line) {
  all_forms_agree(kLine);
}
GST_END_TEST

GST_START_TEST(test_two_branches_that_write) {
  all_forms_agree(kTwoBranches);
}
GST_END_TEST

GST_START_TEST(test_drops_and_splits_before_branches) {
  all_forms_agree(kDropsBefore);
}
GST_END_TEST

GST_START_TEST(test_branches_that_read_and_write) {
  all_forms_agree(kMixedBranches);
}
GST_END_TEST

GST_START_TEST(test_copies_are_counted) {
  for (const Kind kind : {Kind::plain, Kind::batch}) {
    for (const std::size_t batch : kBatches) {
      fail_unless_equals_uint64(copies(kLine, kind, batch), 0);
      // The last branch may own the packets alone; the others get a copy.
      const std::uint64_t two = copies(kTwoBranches, kind, batch);
      fail_unless(two >= 600 && two <= 1200, "%d copies", static_cast<int>(two));
      const std::uint64_t mixed = copies(kMixedBranches, kind, batch);
      fail_unless(mixed >= 600 && mixed <= 1200, "%d copies", static_cast<int>(mixed));
    }
  }
}
GST_END_TEST

static Suite* branches_suite() {
  Suite* s = suite_create("branches");
  TCase* tc = tcase_create("general");
  suite_add_tcase(s, tc);
  tcase_add_checked_fixture(tc, register_all, nullptr);
  tcase_add_test(tc, test_line);
  tcase_add_test(tc, test_two_branches_that_write);
  tcase_add_test(tc, test_drops_and_splits_before_branches);
  tcase_add_test(tc, test_branches_that_read_and_write);
  tcase_add_test(tc, test_copies_are_counted);
  return s;
}

GST_CHECK_MAIN(branches)
