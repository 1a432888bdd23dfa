// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Sources of packets compared with GStreamer's own: the same events and answers. And what
 * they push has the form that the present peer agreed to.
 */
#include <gio/gio.h>

#include <atomic>
#include <mutex>

#include "gst/packet/batch.hpp"
#include "gst/packet/link_event.hpp"
#include "pipeline.hpp"

using namespace memiftest;

namespace {

constexpr char kCaps[] = "application/x-packet,link-type=(string)ethernet";
constexpr guint32 kSeqnum = 4711;

guint packets_of(GstBuffer* buffer) {
  const GstPacketBatchMeta* batch = gst_buffer_get_packet_batch_meta(buffer);
  return batch != nullptr ? batch->n : 1;
}

/** A thread that calls a function again and again. */
class Repeat {
 public:
  template <class Function>
  explicit Repeat(Function function)
      : thread_([this, function] {
          while (!stop_) function();
        }) {}
  ~Repeat() {
    stop_ = true;
    thread_.join();
  }
  Repeat(const Repeat&) = delete;

 private:
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

/** Sends packets to a source, whichever kind it is, until it goes. */
class Feeding {
 public:
  Feeding(const std::string& kind, const std::string& socket, guint port) {
    if (kind == "memifsrc") {
      slave_ = started(settings_for(Role::slave, socket));
      sender_ = must(Sender::open(slave_, 0));
      repeat_.emplace([this] {
        const Bytes bytes = packet(1, 60);
        const TxSegment segment(bytes);
        for (int i = 0; i < 3; ++i) send_one(*sender_, {&segment, 1});
        sender_->flush();
        g_usleep(500);
      });
    } else if (kind == "udpsrc") {
      socket_ = g_socket_new(G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP,
                             nullptr);
      to_ = g_inet_socket_address_new_from_string("127.0.0.1", port);
      repeat_.emplace([this] {
        g_socket_send_to(socket_, to_, "packet", 6, nullptr, nullptr);
        g_usleep(500);
      });
    }
  }
  ~Feeding() {
    repeat_.reset();
    g_clear_object(&socket_);
    g_clear_object(&to_);
  }
  Feeding(const Feeding&) = delete;

 private:
  std::shared_ptr<Interface> slave_;
  std::unique_ptr<Sender> sender_;
  GSocket* socket_ = nullptr;
  GSocketAddress* to_ = nullptr;
  std::optional<Repeat> repeat_;
};

/** A source into a sink, and all that comes by. */
class Watched {
 public:
  explicit Watched(const std::string& kind, const std::string& settings = "")
      : socket_(unique_socket()), pipeline_(source(kind) + settings + taker(kind)) {
    GstPad* pad = gst_element_get_static_pad(pipeline_.element("sink"), "sink");
    constexpr auto kAll = static_cast<GstPadProbeType>(
        GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM | GST_PAD_PROBE_TYPE_EVENT_FLUSH |
        GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST);
    gst_pad_add_probe(pad, kAll, look, this, nullptr);
    gst_object_unref(pad);
    pipeline_.set(GST_STATE_PAUSED);  // which tells udpsrc its port
    guint port = 0;
    if (kind == "udpsrc") port = static_cast<guint>(pipeline_.property<gint>("src", "port"));
    feeding_.emplace(kind, socket_, port);
    pipeline_.set(GST_STATE_PLAYING);
  }
  ~Watched() { pipeline_.set(GST_STATE_NULL); }
  Watched(const Watched&) = delete;

  GstElement* src() { return pipeline_.element("src"); }
  GstElement* sink() { return pipeline_.element("sink"); }
  std::vector<std::string> log() {
    const std::lock_guard lock(mutex_);
    return log_;
  }
  void wait_for(const std::string& last) {
    fail_unless(eventually([&] {
                  const std::lock_guard lock(mutex_);
                  return !log_.empty() && log_.back() == last;
                }),
                "no %s", last.c_str());
  }
  guint64 packets() const { return packets_; }
  void send(GstEvent* event) { fail_unless(gst_element_send_event(src(), event)); }

 private:
  static std::string taker(const std::string& kind) {
    // What fakesrc produces has the caps of what is behind it.
    const std::string caps = kind == "fakesrc" ? " ! " + std::string(kCaps) : "";
    return caps + " ! fakesink name=sink sync=false async=false";
  }
  std::string source(const std::string& kind) const {
    if (kind == "memifsrc") return "memifsrc name=src" + master_at(socket_);
    if (kind == "packetgen") return "packetgen name=src rate=1000 batch-size=3 ";
    if (kind == "fakesrc") {
      return "fakesrc name=src is-live=true format=time sizetype=fixed sizemax=60 datarate=60000 ";
    }
    return "udpsrc name=src port=0 address=127.0.0.1 caps=\"" + std::string(kCaps) + "\" ";
  }
  static GstPadProbeReturn look(GstPad*, GstPadProbeInfo* info, gpointer self) {
    auto& watched = *static_cast<Watched*>(self);
    std::string what = "data";
    if ((info->type & GST_PAD_PROBE_TYPE_BUFFER) != 0) {
      watched.packets_ += packets_of(GST_PAD_PROBE_INFO_BUFFER(info));
    } else if ((info->type & GST_PAD_PROBE_TYPE_BUFFER_LIST) != 0) {
      watched.packets_ += gst_buffer_list_length(GST_PAD_PROBE_INFO_BUFFER_LIST(info));
    } else {
      GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
      // Out of band, whenever the link comes up or goes down, which other sources have none of.
      if (gstpacket::link_event_state(event)) return GST_PAD_PROBE_OK;
      what = GST_EVENT_TYPE_NAME(event);
      if (gst_event_get_seqnum(event) == kSeqnum) what += " with its number";
    }
    const std::lock_guard lock(watched.mutex_);
    // On its way when the flush began.
    if (what == "data" && !watched.log_.empty() && watched.log_.back() == "flush-start") {
      return GST_PAD_PROBE_OK;
    }
    if (watched.log_.empty() || what != "data" || watched.log_.back() != what) {
      watched.log_.push_back(what);
    }
    return GST_PAD_PROBE_OK;
  }

  const std::string socket_;
  Pipeline pipeline_;
  std::optional<Feeding> feeding_;
  std::mutex mutex_;
  std::vector<std::string> log_;
  std::atomic<guint64> packets_{0};
};

std::string joined(const std::vector<std::string>& words) {
  std::string all;
  for (const std::string& word : words) all += word + ", ";
  return all;
}

/** A live fakesrc is like any other source but for this. */
bool seeks(const std::string& kind) {
  return kind == "fakesrc";
}

/** A flush, an event in the stream, a seek, and the end. */
std::string events_of(const std::string& kind) {
  Watched watched(kind);
  watched.wait_for("data");
  watched.send(gst_event_new_flush_start());
  watched.send(gst_event_new_flush_stop(TRUE));
  watched.wait_for("data");
  watched.send(gst_event_new_tag(gst_tag_list_new(GST_TAG_TITLE, "a title", nullptr)));
  fail_unless(eventually([&] {
    const auto log = watched.log();
    return log[log.size() - 2] == "tag" && log.back() == "data";
  }));
  fail_if(gst_element_seek_simple(watched.sink(), GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, 0));
  GstEvent* eos = gst_event_new_eos();
  gst_event_set_seqnum(eos, kSeqnum);
  watched.send(eos);
  watched.wait_for("eos with its number");
  return joined(watched.log());
}

/** Those about seeks are left out if @p about_seeks is false. */
std::string answers_of(const std::string& kind, bool about_seeks) {
  Watched watched(kind);
  watched.wait_for("data");
  std::vector<std::string> answers;
  const auto ask = [&](GstQuery* query, auto tell) {
    const bool answered = gst_element_query(watched.src(), query) != FALSE;
    answers.push_back(std::string(GST_QUERY_TYPE_NAME(query)) + (answered ? " yes" : " no"));
    if (answered) answers.back() += tell(query);
    gst_query_unref(query);
  };
  const auto ask_if_wanted = [&](GstQuery* query, auto tell) {
    if (about_seeks) {
      ask(query, tell);
    } else {
      gst_query_unref(query);
    }
  };
  const auto nothing = [](GstQuery*) { return std::string(); };
  ask_if_wanted(gst_query_new_seeking(GST_FORMAT_TIME), [](GstQuery* query) {
    gboolean seekable = TRUE;
    gst_query_parse_seeking(query, nullptr, &seekable, nullptr, nullptr);
    return std::string(seekable ? " seekable" : " not seekable");
  });
  ask(gst_query_new_segment(GST_FORMAT_TIME), [](GstQuery* query) {
    gdouble rate = 0;
    GstFormat format = GST_FORMAT_UNDEFINED;
    gint64 start = -2;
    gint64 stop = -2;
    gst_query_parse_segment(query, &rate, &format, &start, &stop);
    return " " + std::to_string(rate) + gst_format_get_name(format) + std::to_string(start) + "-" +
           std::to_string(stop);
  });
  ask(gst_query_new_latency(), [](GstQuery* query) {
    gboolean live = FALSE;
    GstClockTime least = 1;
    gst_query_parse_latency(query, &live, &least, nullptr);
    return std::string(live ? " live" : "") + std::to_string(least);
  });
  ask_if_wanted(gst_query_new_scheduling(), [](GstQuery* query) {
    GstSchedulingFlags flags{};
    gst_query_parse_scheduling(query, &flags, nullptr, nullptr, nullptr);
    return std::to_string(flags) +
           (gst_query_has_scheduling_mode(query, GST_PAD_MODE_PUSH) ? " push" : "") +
           (gst_query_has_scheduling_mode(query, GST_PAD_MODE_PULL) ? " pull" : "");
  });
  ask(gst_query_new_position(GST_FORMAT_TIME), nothing);
  ask(gst_query_new_duration(GST_FORMAT_TIME), nothing);
  ask(gst_query_new_formats(), nothing);
  ask(gst_query_new_buffering(GST_FORMAT_TIME), nothing);
  ask(gst_query_new_convert(GST_FORMAT_TIME, 1, GST_FORMAT_BYTES), nothing);
  return joined(answers);
}

}  // namespace

GST_START_TEST(test_events_are_those_of_other_sources) {
  const std::string expected = events_of("udpsrc");
  fail_unless(expected.find("flush-stop, segment, data, tag, data, eos") != std::string::npos);
  // Not fakesrc, which has no unlock(): what a flush finds it at is up to chance.
  for (const char* kind : {"memifsrc", "packetgen"}) {
    const std::string events = events_of(kind);
    fail_unless(events == expected, "%s: %s instead of %s", kind, events.c_str(), expected.c_str());
  }
}
GST_END_TEST

GST_START_TEST(test_answers_are_those_of_other_sources) {
  for (const char* other : {"udpsrc", "fakesrc"}) {
    const std::string expected = answers_of(other, !seeks(other));
    for (const char* kind : {"memifsrc", "packetgen"}) {
      const std::string answers = answers_of(kind, !seeks(other));
      fail_unless(answers == expected, "%s: %s instead of %s", kind, answers.c_str(),
                  expected.c_str());
    }
  }
}
GST_END_TEST

/** GstBaseSrc flushes, and returns TRUE if the element itself is asked. */
GST_START_TEST(test_a_seek_is_refused) {
  for (const char* kind : {"memifsrc", "packetgen"}) {
    Watched watched(kind);
    watched.wait_for("data");
    for (GstElement* element : {watched.src(), watched.sink()}) {
      fail_if(gst_element_seek_simple(element, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, 0));
    }
    const std::vector<std::string> log = watched.log();
    fail_unless(std::ranges::find(log, "flush-start") == log.end());
  }
}
GST_END_TEST

GST_START_TEST(test_buffers_are_counted_as_packets) {
  for (const char* kind : {"memifsrc", "packetgen", "udpsrc", "fakesrc"}) {
    Watched watched(kind, " num-buffers=5");
    watched.wait_for("eos");
    fail_unless_equals_uint64(watched.packets(), 5);
  }
}
GST_END_TEST

/** However often it is interrupted, nothing is counted that was not pushed. */
GST_START_TEST(test_a_flush_is_not_counted) {
  Pipeline pipeline("memifsrc name=src num-buffers=2" + master_at(unique_socket()) +
                    " ! fakesink async=false");
  pipeline.set(GST_STATE_PLAYING);
  for (int i = 0; i < 5; ++i) {
    fail_unless(gst_element_send_event(pipeline.element("src"), gst_event_new_flush_start()));
    fail_unless(gst_element_send_event(pipeline.element("src"), gst_event_new_flush_stop(TRUE)));
    pause_ms(2);  // for the streaming thread to wait again
  }
  fail_if(pipeline.has_message(GST_MESSAGE_EOS));
}
GST_END_TEST

// ---- Relinking ------------------------------------------------------------------------------

namespace {

/** A pad that takes batches or does not, and remembers whether it got what it agreed to. */
class Taker {
 public:
  explicit Taker(bool batches) : batches_(batches), pad_(gst_pad_new("sink", GST_PAD_SINK)) {
    gst_object_ref_sink(pad_);
    g_object_set_data(G_OBJECT(pad_), "taker", this);
    gst_pad_set_chain_function(pad_, [](GstPad* pad, GstObject*, GstBuffer* buffer) {
      of(pad).take(buffer);
      return GST_FLOW_OK;
    });
    gst_pad_set_query_function(pad_, [](GstPad* pad, GstObject* parent, GstQuery* query) {
      if (GST_QUERY_TYPE(query) != GST_QUERY_ALLOCATION || !of(pad).batches_) {
        return gst_pad_query_default(pad, parent, query);
      }
      gst_query_add_allocation_meta(query, GST_PACKET_BATCH_META_API_TYPE, nullptr);
      return gboolean{TRUE};
    });
    gst_pad_set_active(pad_, TRUE);
  }
  ~Taker() {
    gst_pad_set_active(pad_, FALSE);
    gst_object_unref(pad_);
  }
  Taker(const Taker&) = delete;

  GstPad* pad() const { return pad_; }
  guint64 packets() const { return packets_; }
  guint64 batches() const { return batches_got_; }
  guint64 singles() const { return singles_got_; }
  /** Every element accepts one packet per buffer. */
  guint64 unasked_batches() const { return batches_ ? 0 : batches_got_.load(); }
  /** Includes the above, and what could have come in batches. */
  guint64 of_other_form() const { return batches_ ? singles_got_ : batches_got_; }

 private:
  static Taker& of(GstPad* pad) {
    return *static_cast<Taker*>(g_object_get_data(G_OBJECT(pad), "taker"));
  }
  void take(GstBuffer* buffer) {
    const bool batch = gst_buffer_get_packet_batch_meta(buffer) != nullptr;
    ++(batch ? batches_got_ : singles_got_);
    packets_ += packets_of(buffer);
    gst_buffer_unref(buffer);
  }

  const bool batches_;
  GstPad* pad_;
  std::atomic<guint64> packets_{0};
  std::atomic<guint64> batches_got_{0};
  std::atomic<guint64> singles_got_{0};
};

/** A source whose pad is relinked again and again. */
class Relinking {
 public:
  explicit Relinking(GstElement* source) : src_(gst_element_get_static_pad(source, "src")) {
    link();
  }
  ~Relinking() { gst_object_unref(src_); }
  Relinking(const Relinking&) = delete;

  /** As applications do it: when nothing is being pushed. */
  void relink_when_idle() {
    done_ = false;
    gst_pad_add_probe(
        src_, GST_PAD_PROBE_TYPE_IDLE,
        [](GstPad*, GstPadProbeInfo*, gpointer self) {
          static_cast<Relinking*>(self)->relink();
          return GST_PAD_PROBE_REMOVE;
        },
        this, nullptr);
    fail_unless(eventually([this] { return done_.load(); }));
  }
  void relink() {
    gst_pad_unlink(src_, takers_[now_].pad());
    now_ = 1 - now_;
    link();
    done_ = true;
  }
  Taker& taker() { return takers_[now_]; }
  guint64 packets() const { return takers_[0].packets() + takers_[1].packets(); }
  guint64 of_other_form() const { return takers_[0].of_other_form() + takers_[1].of_other_form(); }
  guint64 unasked_batches() const {
    return takers_[0].unasked_batches() + takers_[1].unasked_batches();
  }
  bool both_forms() const { return takers_[0].batches() != 0 && takers_[1].singles() != 0; }

 private:
  void link() { fail_unless_equals_int(gst_pad_link(src_, taker().pad()), GST_PAD_LINK_OK); }

  GstPad* src_;
  Taker takers_[2]{Taker(true), Taker(false)};
  std::size_t now_ = 0;
  std::atomic<bool> done_{false};
};

}  // namespace

/** Packets that come one by one, each after the link has changed while the source waited for it. */
GST_START_TEST(test_the_first_packet_after_a_wait_has_the_form) {
  const std::string name = unique_socket();
  Pipeline pipeline("memifsrc name=src" + master_at(name));
  Relinking relinking(pipeline.element("src"));
  pipeline.set(GST_STATE_PLAYING);
  auto slave = started(settings_for(Role::slave, name));
  fail_unless(come_up(slave) && pipeline.link_comes_up("src"));
  auto sender = must(Sender::open(slave, 0));
  const Bytes bytes = packet(1, 60);
  const TxSegment segment(bytes);
  for (guint64 sent = 1; sent <= 50; ++sent) {
    fail_unless(send_one(*sender, {&segment, 1}) == Sent::ok);
    sender->flush();
    fail_unless(eventually([&] { return relinking.packets() == sent; }));
    if (sent % 2 == 0) {
      relinking.relink();
    } else {
      relinking.relink_when_idle();
    }
  }
  pipeline.set(GST_STATE_NULL);
  fail_unless_equals_uint64(relinking.of_other_form(), 0);
}
GST_END_TEST

GST_START_TEST(test_forms_while_links_change_and_packets_come) {
  for (const std::string kind : {"memifsrc", "packetgen"}) {
    const std::string name = unique_socket();
    Pipeline pipeline(kind == "memifsrc" ? "memifsrc name=src" + master_at(name)
                                         : "packetgen name=src rate=300000 batch-size=16");
    Relinking relinking(pipeline.element("src"));
    const Feeding feeding(kind, name, 0);
    pipeline.set(GST_STATE_PLAYING);
    for (int i = 0; i < 1000; ++i) {
      const guint64 before = relinking.taker().packets();
      fail_unless(eventually([&] { return relinking.taker().packets() != before; }));
      relinking.relink_when_idle();
    }
    fail_if(pipeline.has_message(GST_MESSAGE_ERROR));
    pipeline.set(GST_STATE_NULL);
    fail_unless_equals_uint64(relinking.unasked_batches(), 0);
    fail_unless(relinking.both_forms());
  }
}
GST_END_TEST

/** Set between two packets: the next one is in the new form. */
GST_START_TEST(test_batches_set_while_playing) {
  const std::string name = unique_socket();
  Pipeline pipeline("memifsrc name=src" + master_at(name));
  Relinking relinking(pipeline.element("src"));  // takes batches
  pipeline.set(GST_STATE_PLAYING);
  auto slave = started(settings_for(Role::slave, name));
  fail_unless(come_up(slave) && pipeline.link_comes_up("src"));
  auto sender = must(Sender::open(slave, 0));
  const Bytes bytes = packet(1, 60);
  const TxSegment segment(bytes);
  guint64 sent = 0;
  const auto comes_alone = [&] {
    const guint64 singles = relinking.taker().singles();
    fail_unless(send_one(*sender, {&segment, 1}) == Sent::ok);
    sender->flush();
    ++sent;
    fail_unless(eventually([&] { return relinking.packets() == sent; }));
    return relinking.taker().singles() != singles;
  };
  for (int i = 0; i < 40; ++i) {
    const bool batches = i % 2 != 0;
    g_object_set(pipeline.element("src"), "batches", gboolean{batches}, nullptr);
    if (batches) {
      // The thread may have been about to look for a packet already: one, and no more.
      fail_if(comes_alone() && comes_alone());
    } else {
      fail_unless(comes_alone());
    }
  }
  pipeline.set(GST_STATE_NULL);
}
GST_END_TEST

// ---- Branches of a tee ----------------------------------------------------------------------

namespace {

/** A source and a tee with a branch that takes batches, beside which one comes and goes. */
class Branches {
 public:
  explicit Branches(const std::string& source)
      : pipeline_(source + " ! tee name=tee ! packetcheck name=check async=false"),
        src_(gst_element_get_static_pad(pipeline_.element("src"), "src")) {
    GstPad* pad = gst_element_get_static_pad(pipeline_.element("check"), "sink");
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, count, this, nullptr);
    gst_object_unref(pad);
  }
  ~Branches() {
    pipeline_.set(GST_STATE_NULL);
    gst_object_unref(src_);
  }
  Branches(const Branches&) = delete;

  void start() { pipeline_.set(GST_STATE_PLAYING); }
  void come() {
    branch_ = gst_element_request_pad_simple(pipeline_.element("tee"), "src_%u");
    fail_unless_equals_int(gst_pad_link(branch_, taker_.pad()), GST_PAD_LINK_OK);
  }
  /** A tee does not announce that a branch has gone, so the application has to. */
  void go() {
    gst_pad_unlink(branch_, taker_.pad());
    gst_element_release_request_pad(pipeline_.element("tee"), branch_);
    gst_object_unref(std::exchange(branch_, nullptr));
    gst_pad_send_event(src_, gst_event_new_reconfigure());
  }
  /** As applications do it: when nothing is on its way. */
  void come_when_idle() {
    come_ = false;
    gst_pad_add_probe(
        src_, GST_PAD_PROBE_TYPE_IDLE,
        [](GstPad*, GstPadProbeInfo*, gpointer self) {
          static_cast<Branches*>(self)->come();
          static_cast<Branches*>(self)->come_ = true;
          return GST_PAD_PROBE_REMOVE;
        },
        this, nullptr);
    expect(eventually([this] { return come_.load(); }), "the source is never idle");
  }
  void wait_for_batches() {
    const guint64 before = batches_;
    expect(eventually([&] { return batches_ != before; }), "no batches for who takes them");
  }
  void wait_for_packets() {
    const guint64 before = taker_.packets();
    expect(eventually([&] { return taker_.packets() != before; }), "no packets for the branch");
  }
  /** What the branch got that takes none. */
  guint64 unasked_batches() const { return taker_.unasked_batches(); }
  bool failed() { return pipeline_.has_message(GST_MESSAGE_ERROR); }

 private:
  static GstPadProbeReturn count(GstPad*, GstPadProbeInfo* info, gpointer self) {
    GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
    const bool batch = gst_buffer_get_packet_batch_meta(buffer) != nullptr;
    static_cast<Branches*>(self)->batches_ += batch ? 1 : 0;
    return GST_PAD_PROBE_OK;
  }

  Taker taker_{false};
  std::atomic<guint64> batches_{0};
  Pipeline pipeline_;
  GstPad* src_;
  GstPad* branch_ = nullptr;
  std::atomic<bool> come_{false};
};

constexpr char kFlood[] = "packetgen name=src rate=300000 batch-size=16";

}  // namespace

GST_START_TEST(test_branches_of_a_tee_that_come_and_go) {
  const std::string kind = __i__ == 0 ? "memifsrc" : "packetgen";
  const std::string name = unique_socket();
  Branches branches(__i__ == 0 ? "memifsrc name=src" + master_at(name) : kFlood);
  const Feeding feeding(kind, name, 0);
  branches.start();
  for (int i = 0; i < 1000; ++i) {
    branches.wait_for_batches();
    branches.come_when_idle();
    branches.wait_for_packets();
    branches.go();
  }
  fail_if(branches.failed());
  fail_unless_equals_uint64(branches.unasked_batches(), 0);
}
GST_END_TEST

/**
 * A tee hands what it is at work on to a branch that is linked meanwhile, and the source hears of
 * the branch at the end of the link; it is told nothing before.
 */
GST_START_TEST(test_a_branch_that_comes_at_any_time) {
  Branches branches(kFlood);
  branches.start();
  for (int i = 0; i < 1000; ++i) {
    branches.wait_for_batches();
    branches.come();
    const guint64 before = branches.unasked_batches();
    branches.wait_for_packets();
    branches.wait_for_packets();
    expect(branches.unasked_batches() - before <= 1, "more than was on its way");
    branches.go();
  }
  fail_if(branches.failed());
}
GST_END_TEST

namespace {

/** Whether a message of memifsrc about that timeout comes; others are skipped. */
bool silence_is_told(const Pipeline& pipeline, guint64 expected) {
  return eventually([&] {
    while (GstMessage* message = gst_bus_pop_filtered(pipeline.bus(), GST_MESSAGE_ELEMENT)) {
      guint64 timeout = 0;
      const bool told =
          gst_message_has_name(message, "GstMemifSrcTimeout") &&
          GST_MESSAGE_SRC(message) == GST_OBJECT_CAST(pipeline.element("src")) &&
          gst_structure_get_uint64(gst_message_get_structure(message), "timeout", &timeout);
      gst_message_unref(message);
      if (told && timeout == expected) return true;
    }
    return false;
  });
}

}  // namespace

/** Nothing comes: a message after each timeout, also after one that is set during a wait. */
GST_START_TEST(test_silence_is_told) {
  Pipeline pipeline("memifsrc name=src socket-path=" + unique_socket() + " ! fakesink async=false");
  pipeline.set(GST_STATE_PLAYING);
  constexpr guint64 kLong = G_MAXUINT64;
  for (const guint64 timeout : {10 * GST_MSECOND, 20 * GST_MSECOND}) {
    g_object_set(pipeline.element("src"), "timeout", timeout, nullptr);
    for (int i = 0; i < 3; ++i) fail_unless(silence_is_told(pipeline, timeout));
    g_object_set(pipeline.element("src"), "timeout", kLong, nullptr);
  }
}
GST_END_TEST

/** Packets that come often enough are no silence. */
GST_START_TEST(test_no_silence_while_packets_come) {
  const std::string name = unique_socket();
  Pipeline pipeline("memifsrc name=src timeout=60000000000" + master_at(name) +
                    "! fakesink async=false");
  pipeline.set(GST_STATE_PLAYING);
  const Feeding feeding("memifsrc", name, 0);
  fail_unless(eventually([&] { return pipeline.stat("src", "packets") > 100; }));
  while (GstMessage* message = gst_bus_pop_filtered(pipeline.bus(), GST_MESSAGE_ELEMENT)) {
    fail_if(gst_message_has_name(message, "GstMemifSrcTimeout"));
    gst_message_unref(message);
  }
}
GST_END_TEST

/** gst-launch-1.0 loses an error that comes in PAUSED, and would wait for ever in PLAYING. */
GST_START_TEST(test_what_is_refused_in_paused_does_not_play) {
  const auto is_refusal = [](const std::string& text) {
    return text.find("The next element takes application/x-packet, link-type=(string)punt") !=
           std::string::npos;
  };
  for (const std::string& source : {"memifsrc name=src mode=ip" + slave_at(unique_socket()),
                                    std::string("packetgen count=1 ")}) {
    Pipeline pipeline(source + "! capsfilter name=filter ! fakesink async=false");
    GstElement* filter = pipeline.element("filter");
    gst_util_set_object_arg(G_OBJECT(filter), "caps", "application/x-packet,link-type=punt");
    pipeline.set(GST_STATE_PAUSED);
    fail_unless(is_refusal(pipeline.first_error()));
    fail_unless(pipeline.try_state(GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE);
    // The base class posts one of its own, before this or after it.
    fail_unless(is_refusal(pipeline.first_error()) || is_refusal(pipeline.first_error()));
    pipeline.set(GST_STATE_READY);
    gst_util_set_object_arg(G_OBJECT(filter), "caps", "application/x-packet");
    while (pipeline.has_message(GST_MESSAGE_ERROR)) continue;
    pipeline.set(GST_STATE_PLAYING);
    fail_if(pipeline.has_message(GST_MESSAGE_ERROR));
  }
}
GST_END_TEST

static Suite* livesource_suite(void) {
  Suite* suite = suite_create("livesource");
  TCase* tests = tcase_create("sources");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_events_are_those_of_other_sources);
  tcase_add_test(tests, test_answers_are_those_of_other_sources);
  tcase_add_test(tests, test_a_seek_is_refused);
  tcase_add_test(tests, test_buffers_are_counted_as_packets);
  tcase_add_test(tests, test_a_flush_is_not_counted);
  tcase_add_test(tests, test_the_first_packet_after_a_wait_has_the_form);
  tcase_add_test(tests, test_forms_while_links_change_and_packets_come);
  tcase_add_test(tests, test_batches_set_while_playing);
  tcase_add_loop_test(tests, test_branches_of_a_tee_that_come_and_go, 0, 2);
  tcase_add_test(tests, test_a_branch_that_comes_at_any_time);
  tcase_add_test(tests, test_silence_is_told);
  tcase_add_test(tests, test_no_silence_while_packets_come);
  tcase_add_test(tests, test_what_is_refused_in_paused_does_not_play);
  return suite;
}

GST_CHECK_MAIN(livesource)
