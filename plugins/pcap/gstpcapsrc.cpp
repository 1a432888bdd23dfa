// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * SECTION:element-pcapsrc
 * @title: pcapsrc
 * @short_description: replays packets from capture files
 * @see_also: pcapsink, bpffilter, memifsink
 *
 * Replays the packets of a pcap or pcapng file, also from a FIFO or standard input while it is
 * being written. The caps follow from the link type of the file: Ethernet or raw IP.
 *
 * With #pcapsrc:speed 1 packets are sent at their recorded times, with 10 ten times as fast, and
 * with 0, the default, as fast as downstream takes them; #pcapsrc:loops repeats the file. #pcapsink
 * explains how times are kept.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 pcapsrc location=/tmp/link.pcapng speed=1 loops=0 !
 * memifsink socket-path=/tmp/b.sock when-down=block
 * ]| Replays a recording at its own speed, again and again.
 * |[
 * gst-launch-1.0 pcapsrc location=/tmp/link.pcapng ! bpffilter expression="udp port 5004" !
 * pcapsink location=/tmp/rtp.pcap
 * ]| Extracts a part of a recording.
 *
 * Since: 0.2
 */
#include "plugins/pcap/gstpcapsrc.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <string>

#include "gst/packet/batch.hpp"
#include "gst/packet/caps.hpp"
#include "plugins/common/documentation.hpp"
#include "plugins/common/inform.hpp"
#include "plugins/common/live_source.hpp"
#include "plugins/common/properties.hpp"
#include "plugins/pcap/replay.hpp"

GST_DEBUG_CATEGORY_STATIC(pcapsrc_debug);
#define GST_CAT_DEFAULT pcapsrc_debug

using Next = pcapplugin::CaptureReader::Next;

namespace {

enum : guint {
  kPropLocation = 1,
  kPropSpeed,
  kPropLoops,
  kPropBatchSize,
  kPropBatches,
  kPropStats
};

}  // namespace

struct GstPcapSrcState {
  explicit GstPcapSrcState(GstPushSrc* src);

  LiveSource live;
  std::mutex mutex;  // guards what properties say
  std::string location;
  double speed = 0;
  guint loops = 1;

  std::atomic<guint> batch_size{guint{GST_PACKET_BATCH_MAX}};
  std::atomic<bool> batches{true};
  static constexpr int kUnknown = -1;
  std::atomic<int> link_type{kUnknown};  // of the file

  pcapplugin::Replay replay;
};

struct GstPcapSrc {
  GstPushSrc parent;
  GstPcapSrcState* state;
};
struct GstPcapSrcClass {
  GstPushSrcClass parent_class;
};

G_DEFINE_TYPE(GstPcapSrc, gst_pcap_src, GST_TYPE_PUSH_SRC)
GST_ELEMENT_REGISTER_DEFINE(pcapsrc, "pcapsrc", GST_RANK_NONE, gst_pcap_src_get_type())

namespace {

GstPcapSrcState& state_of(gpointer instance) {
  return *static_cast<GstPcapSrc*>(instance)->state;
}

LiveSource& live_of(gpointer instance) {
  return state_of(instance).live;
}

GstFlowReturn gst_pcap_src_post_failure(GstPushSrc* src) {
  const auto& error = state_of(src).replay.reader.error();
  GST_ELEMENT_ERROR(src, STREAM, DEMUX, ("%s.", error.text().c_str()), (nullptr));
  return GST_FLOW_ERROR;
}

GstFlowReturn gst_pcap_src_take(GstPushSrc* src, guint most, GstMiniObject** out) {
  GstPcapSrcState& state = state_of(src);
  const bool had_header = state.replay.reader.has_header();
  most = std::min(state.batch_size.load(std::memory_order_relaxed), most);
  if (had_header) state.replay.prepare_block(most);
  switch (had_header ? state.replay.reader.next() : state.replay.reader.read_header()) {
    case Next::packet:
      break;
    case Next::end:
      inform(GST_ELEMENT_CAST(src), counted(state.replay.packets.get(), "packet") + " with " +
                                        counted(state.replay.bytes.get(), "byte") + " read.");
      return GST_FLOW_EOS;
    case Next::interrupted:
      return GST_FLOW_FLUSHING;
    case Next::failed:
      return gst_pcap_src_post_failure(src);
  }
  if (!had_header) {
    state.link_type = static_cast<int>(state.replay.reader.link_type());
    state.live.reconfigure();  // now that it is known what the packets are
    return GST_FLOW_OK;
  }
  if (state.replay.is_paced() &&
      !state.replay.wait(GST_ELEMENT_CAST(src), state.live.running_time())) {
    return GST_FLOW_FLUSHING;
  }
  *out = GST_MINI_OBJECT_CAST(state.replay.make_batch(most));
  if (*out != nullptr) return GST_FLOW_OK;
  GST_ELEMENT_ERROR(src, RESOURCE, NO_SPACE_LEFT, ("Out of memory for packets."), (nullptr));
  return GST_FLOW_ERROR;
}

GstFlowReturn gst_pcap_src_create(GstPushSrc* src, GstBuffer** out) {
  return state_of(src).live.create(
      out, [src](guint most, GstMiniObject** data) { return gst_pcap_src_take(src, most, data); });
}

void gst_pcap_src_interrupt(GstPushSrc* src) {
  state_of(src).replay.reader.input().interrupt();
  state_of(src).replay.clock.interrupt();
}

void gst_pcap_src_resume(GstPushSrc* src) {
  state_of(src).replay.reader.input().resume();
  state_of(src).replay.clock.resume();
}

}  // namespace

GstPcapSrcState::GstPcapSrcState(GstPushSrc* src)
    : live(src, {gst_pcap_src_interrupt, gst_pcap_src_resume}) {}

namespace {

// ---- Start and negotiation ------------------------------------------------------------------

void gst_pcap_src_post_error(GstBaseSrc* src, const gstcommon::Error& error) {
  if (error.code == gstcommon::ErrorCode::open) {
    GST_ELEMENT_ERROR(src, RESOURCE, OPEN_READ, ("%s.", error.text().c_str()), (nullptr));
  } else {
    GST_ELEMENT_ERROR(src, RESOURCE, SETTINGS, ("%s.", error.text().c_str()), (nullptr));
  }
}

gboolean gst_pcap_src_start(GstBaseSrc* src) {
  GstPcapSrcState& state = state_of(src);
  std::string location;
  guint loops = 0;
  double speed = 0;
  {
    const std::lock_guard lock(state.mutex);
    location = state.location;
    loops = state.loops;
    speed = state.speed;
  }
  state.replay.begin(speed, speed == 0 && loops == 1);
  state.replay.reader.input().restart();
  if (location.empty()) {
    GST_ELEMENT_ERROR(src, RESOURCE, SETTINGS,
                      ("There is no file to read. Set location, to \"-\" for the standard input."),
                      (nullptr));
    return FALSE;
  }
  if (const auto opened = state.replay.reader.open(location, loops); !opened) {
    gst_pcap_src_post_error(src, opened.error());
    return FALSE;
  }
  // A stream may have no header for long.
  if (!state.replay.reader.input().is_regular()) return TRUE;
  if (state.replay.reader.read_header() == Next::packet) {
    state.link_type = static_cast<int>(state.replay.reader.link_type());
    return TRUE;
  }
  gst_pcap_src_post_failure(GST_PUSH_SRC(src));
  state.replay.reader.close();
  return FALSE;
}

gboolean gst_pcap_src_stop(GstBaseSrc* src) {
  GstPcapSrcState& state = state_of(src);
  state.replay.end();
  state.link_type = GstPcapSrcState::kUnknown;
  return TRUE;
}

GstStateChangeReturn gst_pcap_src_change_state(GstElement* element, GstStateChange transition) {
  GstPcapSrcState& state = state_of(element);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) state.replay.reader.input().stop();
  return state.live.change_state(transition);
}

GstCaps* gst_pcap_src_get_caps(GstBaseSrc* src, GstCaps* filter) {
  GstPcapSrcState& state = state_of(src);
  GstCaps* caps = nullptr;
  const int known = state.link_type.load();
  if (known == GstPcapSrcState::kUnknown) {
    caps = gst_pad_get_pad_template_caps(GST_BASE_SRC_PAD(src));
  } else {
    caps = gstpacket::make_caps({static_cast<gstpacket::LinkType>(known)});
  }
  if (filter == nullptr) return caps;
  GstCaps* both = gst_caps_intersect_full(filter, caps, GST_CAPS_INTERSECT_FIRST);
  gst_caps_unref(caps);
  return both;
}

/** Nothing is said about packets before the header of the file has said what they are. */
gboolean gst_pcap_src_negotiate(GstBaseSrc* src) {
  GstPcapSrcState& state = state_of(src);
  return state.replay.reader.has_header() ? state.live.negotiate() : TRUE;
}

gboolean gst_pcap_src_decide_allocation(GstBaseSrc* src, GstQuery* query) {
  GstPcapSrcState& state = state_of(src);
  state.live.set_batches(state.batches.load() && gst_query_allows_packet_batches(query));
  const bool done = state.replay.use_memory(query);
  remove_allocation_offers(query);
  GST_INFO_OBJECT(src, "packets go to memory of %s",
                  state.replay.uses_pool() ? "downstream" : "the element");
  return done ? TRUE : FALSE;
}

// ---- GObject --------------------------------------------------------------------------------

void gst_pcap_src_set_property(GObject* object, guint id, const GValue* value, GParamSpec* pspec) {
  GstPcapSrcState& state = state_of(object);
  const std::lock_guard lock(state.mutex);
  switch (id) {
    case kPropLocation:
      state.location = text_of(value);
      break;
    case kPropSpeed:
      state.speed = g_value_get_double(value);
      break;
    case kPropLoops:
      state.loops = g_value_get_uint(value);
      break;
    case kPropBatchSize:
      state.batch_size.store(g_value_get_uint(value), std::memory_order_relaxed);
      break;
    case kPropBatches:
      state.batches.store(g_value_get_boolean(value) != FALSE);
      state.live.reconfigure();
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
      break;
  }
}

GstStructure* gst_pcap_src_stats(const GstPcapSrcState& state) {
  return gst_structure_new("application/x-packet-stats", "packets-out", G_TYPE_UINT64,
                           guint64{state.replay.packets.get()}, "bytes-out", G_TYPE_UINT64,
                           guint64{state.replay.bytes.get()}, "batches", G_TYPE_UINT64,
                           guint64{state.replay.pushes.get()}, "snapped", G_TYPE_UINT64,
                           guint64{state.replay.reader.snapped.get()}, "empty", G_TYPE_UINT64,
                           guint64{state.replay.reader.empty.get()}, "loops", G_TYPE_UINT64,
                           guint64{state.replay.reader.rounds.get()}, nullptr);
}

void gst_pcap_src_get_property(GObject* object, guint id, GValue* value, GParamSpec* pspec) {
  GstPcapSrcState& state = state_of(object);
  const std::lock_guard lock(state.mutex);
  switch (id) {
    case kPropLocation:
      g_value_set_string(value, state.location.c_str());
      break;
    case kPropSpeed:
      g_value_set_double(value, state.speed);
      break;
    case kPropLoops:
      g_value_set_uint(value, state.loops);
      break;
    case kPropBatchSize:
      g_value_set_uint(value, state.batch_size.load(std::memory_order_relaxed));
      break;
    case kPropBatches:
      g_value_set_boolean(value, state.batches.load());
      break;
    case kPropStats:
      g_value_take_boxed(value, gst_pcap_src_stats(state));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
      break;
  }
}

void gst_pcap_src_finalize(GObject* object) {
  delete reinterpret_cast<GstPcapSrc*>(object)->state;
  G_OBJECT_CLASS(gst_pcap_src_parent_class)->finalize(object);
}

void gst_pcap_src_install_properties(GObjectClass* klass) {
  g_object_class_install_property(
      klass, kPropLocation,
      g_param_spec_string("location", "Location", "File or FIFO to read; \"-\": the standard input",
                          "", kReady));
  g_object_class_install_property(
      klass, kPropSpeed,
      g_param_spec_double("speed", "Speed",
                          "Speed of the replay, such as 1 or 0.5 times that of the recording; 0: "
                          "as fast as possible",
                          0, 1e6, 0, kReady));
  g_object_class_install_property(
      klass, kPropLoops,
      g_param_spec_uint("loops", "Loops", "How many times the file is read; 0: without end", 0,
                        G_MAXUINT, 1, kReady));
  g_object_class_install_property(
      klass, kPropBatchSize,
      g_param_spec_uint("batch-size", "Batch size",
                        "Maximum number of packets per push; fewer with a speed or from a FIFO", 1,
                        GST_PACKET_BATCH_MAX, GST_PACKET_BATCH_MAX, kPlaying));
  g_object_class_install_property(klass, kPropBatches, batches_spec());
  g_object_class_install_property(klass, kPropStats, stats_spec());
}

}  // namespace

static void gst_pcap_src_class_init(GstPcapSrcClass* klass) {
  GST_DEBUG_CATEGORY_INIT(pcapsrc_debug, "pcapsrc", 0, "Packet replay");
  GObjectClass* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = gst_pcap_src_set_property;
  object_class->get_property = gst_pcap_src_get_property;
  object_class->finalize = gst_pcap_src_finalize;
  gst_pcap_src_install_properties(object_class);

  GstElementClass* element_class = GST_ELEMENT_CLASS(klass);
  GstCaps* caps = gstpacket::make_caps();
  gst_element_class_add_pad_template(
      element_class, gst_pad_template_new("src", GST_PAD_SRC, GST_PAD_ALWAYS, caps));
  gst_caps_unref(caps);
  gst_element_class_set_static_metadata(
      element_class, "Packet replay", "Source/File/Network",
      "Replays packets from pcap and pcapng files, by their recorded times or as fast as possible",
      PLUGIN_AUTHOR);
  add_documentation_uri(element_class, DOCUMENTATION_URI("pcapsrc"));

  install_live_source<live_of>(&klass->parent_class);
  element_class->change_state = gst_pcap_src_change_state;
  GstBaseSrcClass* base_class = GST_BASE_SRC_CLASS(klass);
  base_class->start = gst_pcap_src_start;
  base_class->stop = gst_pcap_src_stop;
  base_class->get_caps = gst_pcap_src_get_caps;
  base_class->negotiate = gst_pcap_src_negotiate;
  base_class->decide_allocation = gst_pcap_src_decide_allocation;
  klass->parent_class.create = gst_pcap_src_create;
}

static void gst_pcap_src_init(GstPcapSrc* self) {
  self->state = new GstPcapSrcState(&self->parent);
}
