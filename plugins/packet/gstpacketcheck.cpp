// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * SECTION:element-packetcheck
 * @title: packetcheck
 * @short_description: checks the packets of packetgen
 * @see_also: packetgen, memifsrc
 *
 * Checks packets that #packetgen made after they have been through anything on this machine: how
 * many were lost, duplicated, reordered or damaged, how fast they came and how long they took.
 * Replies to its echo requests are checked in the same way. Other packets are counted as foreign.
 *
 * The stream ends when #packetcheck:count packets have arrived, or none for #packetcheck:timeout.
 * At the end the element posts a message `packet-check` with the fields of #packetcheck:stats, and
 * an error unless every packet arrived once, intact and in order.
 *
 * A pipeline ends only when all of its sinks have ended, so a branch without an end, such as a
 * responder on a link, belongs in a process of its own.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 packetgen protocol=icmp-echo count=10000 ! icmpresponder address=192.168.1.1 !
 * packetcheck count=10000
 * ]| Checks and measures the responder.
 *
 * Since: 0.2
 */
#include "plugins/packet/gstpacketcheck.hpp"

#include <gst/base/gstbasesink.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "gst/packet/batch.hpp"
#include "plugins/common/documentation.hpp"
#include "plugins/common/inform.hpp"
#include "plugins/common/properties.hpp"
#include "plugins/packet/check_report.hpp"
#include "plugins/packet/packet_checker.hpp"

GST_DEBUG_CATEGORY_STATIC(packetcheck_debug);
#define GST_CAT_DEFAULT packetcheck_debug

using gstpacket::LinkType;
using packetplugin::Account;
using packetplugin::figures;
using packetplugin::monotonic_now;
using packetplugin::PacketChecker;
using packetplugin::sentence;
using Clock = std::chrono::steady_clock;

namespace {

enum : guint { kPropCount = 1, kPropTimeout, kPropVerifyPayload, kPropReportInterval, kPropStats };

constexpr std::chrono::milliseconds kDefaultTimeout{5000};

/** What ends the stream. */
enum class End { count, timeout, upstream };

}  // namespace

struct GstPacketCheckState {
  std::mutex mutex;  // guards everything but the thread
  PacketChecker judge;
  guint64 count = 0;
  gint timeout = -1;
  guint report_interval = 0;
  bool verify = true;
  bool finished = false;    // the verdict is made: nothing counts any more
  bool told = false;        // and its messages are posted, but for EOS
  bool eos_posted = false;  // by us, not the base class; or about to be
  bool playing = false;
  std::condition_variable changed;
  std::thread watch;  // while PLAYING; of state changes
};

struct GstPacketCheck {
  GstBaseSink parent;
  GstPacketCheckState* state;
};
struct GstPacketCheckClass {
  GstBaseSinkClass parent_class;
};

G_DEFINE_TYPE(GstPacketCheck, gst_packet_check, GST_TYPE_BASE_SINK)
GST_ELEMENT_REGISTER_DEFINE(packetcheck, "packetcheck", GST_RANK_NONE, gst_packet_check_get_type())

namespace {

GstPacketCheckState& state_of(gpointer instance) {
  return *static_cast<GstPacketCheck*>(instance)->state;
}

// ---- Verdict --------------------------------------------------------------------------------

void gst_packet_check_post_message(GstPacketCheck* self, GstStructure* fields) {
  gst_element_post_message(GST_ELEMENT_CAST(self),
                           gst_message_new_element(GST_OBJECT_CAST(self), fields));
}

const char* reason_of(End end) {
  switch (end) {
    case End::count:
      return "count reached";
    case End::timeout:
      return "timeout: no packet arrived";
    case End::upstream:
      break;
  }
  return "EOS from upstream";
}

/**
 * Gives the verdict, once. Called without the lock, as messages may be handled where they are
 * posted. A stream that upstream ends gets its EOS message from the base class.
 */
void gst_packet_check_finish(GstPacketCheck* self, End end) {
  GstPacketCheckState& state = *self->state;
  Account account;
  GstStructure* message = nullptr;
  guint64 count = 0;
  {
    const std::lock_guard lock(state.mutex);
    if (state.finished) return;
    state.finished = true;
    account = state.judge.account();
    count = state.count;
    account.expect(count);
    message = figures("packet-check", account, state.judge.latency());
    state.eos_posted = end != End::upstream && account.whole();
    state.changed.notify_all();
  }
  const bool whole = account.whole();
  gst_structure_set(message, "whole", G_TYPE_BOOLEAN, whole, nullptr);
  GST_INFO_OBJECT(self, "%s, %s", reason_of(end), sentence(account, count).c_str());
  gst_packet_check_post_message(self, message);
  if (whole) inform(GST_ELEMENT_CAST(self), sentence(account, count) + ".");
  if (!whole) {
    GST_ELEMENT_ERROR(self, STREAM, FAILED, ("%s.", sentence(account, count).c_str()),
                      ("%s", reason_of(end)));
  }
  bool post_eos = false;
  {
    const std::lock_guard lock(state.mutex);
    state.told = true;
    post_eos = state.eos_posted;
  }
  if (post_eos) {
    gst_element_post_message(GST_ELEMENT_CAST(self), gst_message_new_eos(GST_OBJECT_CAST(self)));
  }
}

// ---- Packets --------------------------------------------------------------------------------

void judge_batch(PacketChecker& judge, GstBuffer* batch, std::uint64_t now) {
  const gstpacket::BatchMap map(batch);
  if (!map) return judge.unreadable();
  for (guint i = 0; i < map.meta().n; ++i) {
    const GstPacketDesc& desc = map.meta().packets[i];
    const std::byte* bytes = map.bytes(desc);
    if (bytes == nullptr) {
      judge.unreadable();
    } else {
      judge.judge({bytes, desc.length}, now);
    }
  }
}

void judge_buffer(PacketChecker& judge, GstBuffer* buffer, std::uint64_t now) {
  if (gst_buffer_get_packet_batch_meta(buffer) != nullptr) return judge_batch(judge, buffer, now);
  GstMapInfo map;
  if (gst_buffer_map(buffer, &map, GST_MAP_READ) == FALSE) return judge.unreadable();
  judge.judge({reinterpret_cast<const std::byte*>(map.data), map.size}, now);
  gst_buffer_unmap(buffer, &map);
}

/** Judges what @p judge_all does, and whether that was all. */
template <class JudgeAll>
GstFlowReturn gst_packet_check_receive(GstBaseSink* sink, JudgeAll judge_all) {
  GstPacketCheckState& state = state_of(sink);
  {
    const std::lock_guard lock(state.mutex);
    if (state.finished) return GST_FLOW_EOS;
    state.judge.set_verify(state.verify);
    judge_all(state.judge, monotonic_now());
    if (state.count == 0 || state.judge.account().packets < state.count) return GST_FLOW_OK;
  }
  gst_packet_check_finish(reinterpret_cast<GstPacketCheck*>(sink), End::count);
  // Upstream may stop. Also after an error, which is posted: another one would only hide it.
  return GST_FLOW_EOS;
}

GstFlowReturn gst_packet_check_render(GstBaseSink* sink, GstBuffer* buffer) {
  return gst_packet_check_receive(sink, [buffer](PacketChecker& judge, std::uint64_t now) {
    judge_buffer(judge, buffer, now);
  });
}

GstFlowReturn gst_packet_check_render_list(GstBaseSink* sink, GstBufferList* list) {
  return gst_packet_check_receive(sink, [list](PacketChecker& judge, std::uint64_t now) {
    const guint length = gst_buffer_list_length(list);
    for (guint i = 0; i < length; ++i) judge_buffer(judge, gst_buffer_list_get(list, i), now);
  });
}

gboolean gst_packet_check_set_caps(GstBaseSink* sink, GstCaps* caps) {
  GstPacketCheckState& state = state_of(sink);
  const auto parsed = gstpacket::parse_caps(caps);
  if (!parsed) return FALSE;
  const std::lock_guard lock(state.mutex);
  state.judge.set_link_type(parsed->link_type);
  return TRUE;
}

gboolean gst_packet_check_event(GstBaseSink* sink, GstEvent* event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_EOS) {
    GstPacketCheckState& state = state_of(sink);
    gst_packet_check_finish(reinterpret_cast<GstPacketCheck*>(sink), End::upstream);
    const std::lock_guard lock(state.mutex);
    // Another thread is telling the verdict: EOS comes behind it, and from there.
    if (!state.told) state.eos_posted = true;
    if (state.eos_posted) {
      gst_event_unref(event);
      return TRUE;
    }
  }
  return GST_BASE_SINK_CLASS(gst_packet_check_parent_class)->event(sink, event);
}

gboolean gst_packet_check_propose_allocation(GstBaseSink*, GstQuery* query) {
  gst_query_add_allocation_meta(query, GST_PACKET_BATCH_META_API_TYPE, nullptr);
  return TRUE;
}

// ---- Time -----------------------------------------------------------------------------------

void gst_packet_check_report(GstPacketCheck* self, std::unique_lock<std::mutex>& lock) {
  GstPacketCheckState& state = *self->state;
  GstStructure* message =
      figures("packet-check-progress", state.judge.account(), state.judge.latency());
  lock.unlock();
  gst_packet_check_post_message(self, message);
  lock.lock();
}

/** 0: never. */
std::chrono::milliseconds timeout_of(const GstPacketCheckState& state) {
  if (state.timeout >= 0) return std::chrono::milliseconds(state.timeout);
  return state.count != 0 ? kDefaultTimeout : std::chrono::milliseconds(0);
}

Clock::time_point later(Clock::time_point from, std::chrono::milliseconds wait) {
  return wait.count() != 0 ? from + wait : Clock::time_point::max();
}

/**
 * The thread that notices that nothing happens. Packets only count; whether they did is looked at
 * here, when the time would be over.
 */
void gst_packet_check_watch(GstPacketCheck* self) {
  GstPacketCheckState& state = *self->state;
  std::unique_lock lock(state.mutex);
  std::uint64_t seen = 0;
  auto idle_since = Clock::now();
  auto reported = idle_since;
  while (state.playing && !state.finished) {
    const Account& account = state.judge.account();
    if (account.packets != seen) {
      seen = account.packets;
      idle_since = std::max(idle_since, Clock::time_point(std::chrono::nanoseconds(
                                            static_cast<std::int64_t>(account.last_time))));
    }
    const auto now = Clock::now();
    const auto timed_out = later(idle_since, timeout_of(state));
    const auto report_due = later(reported, std::chrono::milliseconds(state.report_interval));
    if (now >= timed_out) {
      lock.unlock();
      return gst_packet_check_finish(self, End::timeout);
    }
    if (now >= report_due) {
      reported = now;
      gst_packet_check_report(self, lock);
      continue;
    }
    // In slices: not every C library waits until the end of time.
    const auto until = std::min({timed_out, report_due, now + std::chrono::hours(1)});
    state.changed.wait_until(lock, until);
  }
}

void gst_packet_check_start_watch(GstPacketCheck* self) {
  GstPacketCheckState& state = *self->state;
  bool post_again = false;
  {
    const std::lock_guard lock(state.mutex);
    state.playing = true;
    post_again = state.eos_posted && state.told;
  }
  if (post_again) {
    // As base sinks do: the bin forgets which sinks are at EOS when it goes to PAUSED.
    gst_element_post_message(GST_ELEMENT_CAST(self), gst_message_new_eos(GST_OBJECT_CAST(self)));
  }
  state.watch = std::thread(gst_packet_check_watch, self);
}

void gst_packet_check_stop_watch(GstPacketCheck* self) {
  GstPacketCheckState& state = *self->state;
  {
    const std::lock_guard lock(state.mutex);
    state.playing = false;
    state.changed.notify_all();
  }
  if (state.watch.joinable()) state.watch.join();
}

void gst_packet_check_reset(GstPacketCheckState& state) {
  const std::lock_guard lock(state.mutex);
  state.judge.clear();
  state.finished = state.told = state.eos_posted = false;
}

GstStateChangeReturn gst_packet_check_change_state(GstElement* element, GstStateChange transition) {
  GstPacketCheck* self = reinterpret_cast<GstPacketCheck*>(element);
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED) gst_packet_check_reset(*self->state);
  if (transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED) gst_packet_check_stop_watch(self);
  const GstStateChangeReturn result =
      GST_ELEMENT_CLASS(gst_packet_check_parent_class)->change_state(element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING && result != GST_STATE_CHANGE_FAILURE) {
    gst_packet_check_start_watch(self);
  }
  return result;
}

// ---- GObject --------------------------------------------------------------------------------

void gst_packet_check_set_property(GObject* object, guint id, const GValue* value,
                                   GParamSpec* pspec) {
  GstPacketCheckState& state = state_of(object);
  const std::lock_guard lock(state.mutex);
  switch (id) {
    case kPropCount:
      state.count = g_value_get_uint64(value);
      break;
    case kPropTimeout:
      state.timeout = g_value_get_int(value);
      break;
    case kPropVerifyPayload:
      state.verify = g_value_get_boolean(value) != FALSE;
      break;
    case kPropReportInterval:
      state.report_interval = g_value_get_uint(value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
      break;
  }
  state.changed.notify_all();
}

void gst_packet_check_get_property(GObject* object, guint id, GValue* value, GParamSpec* pspec) {
  GstPacketCheckState& state = state_of(object);
  const std::lock_guard lock(state.mutex);
  switch (id) {
    case kPropCount:
      g_value_set_uint64(value, state.count);
      break;
    case kPropTimeout:
      g_value_set_int(value, state.timeout);
      break;
    case kPropVerifyPayload:
      g_value_set_boolean(value, state.verify);
      break;
    case kPropReportInterval:
      g_value_set_uint(value, state.report_interval);
      break;
    case kPropStats: {
      Account account = state.judge.account();
      if (state.finished) account.expect(state.count);
      g_value_take_boxed(
          value, figures("application/x-packet-check-stats", account, state.judge.latency()));
      break;
    }
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
      break;
  }
}

void gst_packet_check_finalize(GObject* object) {
  delete reinterpret_cast<GstPacketCheck*>(object)->state;
  G_OBJECT_CLASS(gst_packet_check_parent_class)->finalize(object);
}

void gst_packet_check_install_properties(GObjectClass* klass) {
  g_object_class_install_property(
      klass, kPropCount,
      g_param_spec_uint64("count", "Count",
                          "Intact packets, not counting duplicates, after which the stream ends; "
                          "0: no limit",
                          0, G_MAXUINT64, 0, kPlaying));
  g_object_class_install_property(
      klass, kPropTimeout,
      g_param_spec_int("timeout", "Timeout",
                       "Milliseconds without an intact packet until EOS; 0: never; -1: 5000 if "
                       "count is set, else never",
                       -1, G_MAXINT, -1, kPlaying));
  g_object_class_install_property(
      klass, kPropVerifyPayload,
      g_param_spec_boolean("verify-payload", "Verify payload",
                           "Verify checksums of headers and payload; if false, only truncated "
                           "packets count as damaged",
                           TRUE, kPlaying));
  g_object_class_install_property(
      klass, kPropReportInterval,
      g_param_spec_uint(
          "report-interval", "Report interval",
          "Milliseconds between messages packet-check-progress with the fields of stats; 0: none",
          0, G_MAXUINT, 0, kPlaying));
  g_object_class_install_property(
      klass, kPropStats,
      stats_spec("Totals, rates and latencies since the element last went to PAUSED"));
}

}  // namespace

static void gst_packet_check_class_init(GstPacketCheckClass* klass) {
  GST_DEBUG_CATEGORY_INIT(packetcheck_debug, "packetcheck", 0, "Packet checker");
  GObjectClass* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = gst_packet_check_set_property;
  object_class->get_property = gst_packet_check_get_property;
  object_class->finalize = gst_packet_check_finalize;
  gst_packet_check_install_properties(object_class);

  GstElementClass* element_class = GST_ELEMENT_CLASS(klass);
  element_class->change_state = gst_packet_check_change_state;
  GstCaps* caps = gstpacket::make_caps({LinkType::ethernet, LinkType::ip});
  gst_element_class_add_pad_template(
      element_class, gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS, caps));
  gst_caps_unref(caps);
  gst_element_class_set_static_metadata(
      element_class, "Packet checker", "Sink/Network",
      "Judges the packets of packetgen: loss, order, damage, rate and latency", PLUGIN_AUTHOR);
  add_documentation_uri(element_class, DOCUMENTATION_URI("packetcheck"));

  GstBaseSinkClass* sink_class = GST_BASE_SINK_CLASS(klass);
  sink_class->set_caps = gst_packet_check_set_caps;
  sink_class->event = gst_packet_check_event;
  sink_class->propose_allocation = gst_packet_check_propose_allocation;
  sink_class->render = gst_packet_check_render;
  sink_class->render_list = gst_packet_check_render_list;
}

static void gst_packet_check_init(GstPacketCheck* self) {
  self->state = new GstPacketCheckState();
  // Packets are judged when they come, and the sink must not keep the last one.
  gst_base_sink_set_sync(&self->parent, FALSE);
  gst_base_sink_set_last_sample_enabled(&self->parent, FALSE);
  // There may be no packet for long: a state change does not wait for one.
  gst_base_sink_set_async_enabled(&self->parent, FALSE);
}
