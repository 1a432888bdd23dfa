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
#include <cstring>
#include <limits>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "gst/common/counter.hpp"
#include "gst/packet/batch.hpp"
#include "gst/packet/caps.hpp"
#include "plugins/common/documentation.hpp"
#include "plugins/common/inform.hpp"
#include "plugins/common/live_source.hpp"
#include "plugins/common/packet_pool.hpp"
#include "plugins/pcap/capture_reader.hpp"
#include "plugins/pcap/recorded_time.hpp"
#include "plugins/pcap/replay_clock.hpp"

GST_DEBUG_CATEGORY_STATIC(pcapsrc_debug);
#define GST_CAT_DEFAULT pcapsrc_debug

using gstcommon::Counter;
using gstpacket::BatchMap;
using pcapplugin::CaptureReader;
using pcapplugin::Recorded;
using Next = CaptureReader::Next;

namespace {

enum : guint {
  kPropLocation = 1,
  kPropSpeed,
  kPropLoops,
  kPropBatchSize,
  kPropBatches,
  kPropStats
};

constexpr std::size_t kArena = pcapplugin::RecordReader::kLeastRoom;
// Packets begin on cache lines.
constexpr std::size_t kAlignment = 64;
// What downstream's pool is asked to have room for: the longest frame of most networks. A longer
// packet, of which most files say that they may have some, comes in memory of ours.
constexpr guint kUsualPacket = 1518;

constexpr std::size_t slot_size(std::size_t packet) {
  return (packet + kAlignment - 1) & ~(kAlignment - 1);
}

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

  // Streaming thread, and state changes while it does not run, but for what interrupts it.
  CaptureReader reader;
  pcapplugin::ReplayClock clock;
  double pace = 0;  // the speed of this run
  bool keeps_times = false;
  GstClockTime start = GST_CLOCK_TIME_NONE;  // the running time of the first packet, with a pace
  GstClockTime now = 0;                      // the running time up to which packets are due
  PacketPool places;                         // of downstream
  PacketPool arenas;
  GstBuffer* block = nullptr;  // of them, which the reader reads into
  std::size_t place_size = 0;  // of all places, as far as is known

  Counter packets, bytes, pushes;
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

// ---- Time -----------------------------------------------------------------------------------

/** The PTS of a packet. */
GstClockTime gst_pcap_src_due(const GstPcapSrcState& state, const Recorded& packet) {
  if (state.pace == 0) return packet.offset;
  if (state.pace == 1) return state.start + packet.offset;
  // Years at most, whatever the file says and however slow it is replayed.
  constexpr double kMost = 4e18;
  return state.start + static_cast<GstClockTime>(
                           std::min(static_cast<double>(packet.offset) / state.pace, kMost));
}

/** Waits until the present packet is due. False if that was interrupted. */
bool gst_pcap_src_wait(GstPushSrc* src, GstPcapSrcState& state) {
  if (state.pace == 0) return true;
  const GstClockTime now = state.live.running_time();
  if (!GST_CLOCK_TIME_IS_VALID(state.start)) {
    state.start = GST_CLOCK_TIME_IS_VALID(now) ? now : 0;
  }
  const GstClockTime due = gst_pcap_src_due(state, state.reader.packet());
  state.now = GST_CLOCK_TIME_IS_VALID(now) ? std::max(now, due) : due;
  return now >= due || state.clock.wait(GST_ELEMENT_CAST(src), due);
}

// ---- Packets --------------------------------------------------------------------------------

/**
 * Where the packets of a batch go: to places that are prepared, one after the other to the
 * beginning of an arena, or nowhere, as they were read into it.
 */
class Filler {
 public:
  enum class Way { prepared, in_a_row, in_place };

  Filler(const BatchMap& map, Way way)
      : way_(way),
        desc_(map.meta().packets),
        data_(map.data()),
        size_(map.size()),
        room_(way == Way::prepared ? map.meta().n : GST_PACKET_BATCH_MAX) {}

  /** Whether there is room for another packet. */
  [[nodiscard]] bool fits(std::span<const std::byte> packet) const {
    if (packets_ == room_) return false;
    switch (way_) {
      case Way::prepared:
        return packet.size() <= desc_[packets_].length;
      case Way::in_a_row:
        return packet.size() <= size_ - offset_;
      case Way::in_place:
        break;
    }
    return offset_of(packet) < size_;
  }
  void add(std::span<const std::byte> packet, guint32 delay) {
    GstPacketDesc& desc = desc_[packets_++];
    const auto size = static_cast<guint32>(packet.size());
    bytes_ += size;
    if (way_ == Way::in_place) {
      desc = {static_cast<guint32>(offset_of(packet)), size, delay, 0};
      return;
    }
    if (way_ == Way::in_a_row) {
      desc = {static_cast<guint32>(offset_), 0, 0, 0};
      offset_ = std::min(offset_ + slot_size(size), size_);
    }
    desc.length = size;
    desc.delay = delay;
    std::memcpy(data_ + desc.offset, packet.data(), size);
  }
  [[nodiscard]] guint packets() const { return packets_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  /** From the beginning of the arena; no less than its size if it is not in it. */
  [[nodiscard]] std::size_t offset_of(std::span<const std::byte> packet) const {
    return reinterpret_cast<std::uintptr_t>(packet.data()) -
           reinterpret_cast<std::uintptr_t>(data_);
  }

  const Way way_;
  GstPacketDesc* const desc_;
  std::byte* const data_;
  const std::size_t size_;
  const guint room_;
  guint packets_ = 0;
  std::size_t offset_ = 0;
  std::uint64_t bytes_ = 0;
};

/** The times of a batch, of which the present packet is the first. */
class BatchTimes {
 public:
  explicit BatchTimes(const GstPcapSrcState& state)
      : state_(state),
        paced_(state.pace != 0),
        keeps_times_(state.keeps_times),
        first_time_(state.reader.packet().time),
        first_due_(gst_pcap_src_due(state, state.reader.packet())) {}

  /** From the first packet to another one; none if it cannot be told, or that is not due. */
  [[nodiscard]] std::optional<guint32> delay(const Recorded& packet) const {
    const GstClockTime due = paced_ ? gst_pcap_src_due(state_, packet) : packet.offset;
    const GstClockTime delay = due - first_due_;
    if (due < first_due_ || delay > std::numeric_limits<guint32>::max()) return {};
    if (keeps_times_ && packet.time - first_time_ != delay) return {};
    if (paced_ && due > state_.now) return {};
    return static_cast<guint32>(delay);
  }

 private:
  const GstPcapSrcState& state_;
  const bool paced_, keeps_times_;
  const std::uint64_t first_time_;
  const GstClockTime first_due_;
};

/** Adds the present packet and those that can follow it in the same batch. */
void gst_pcap_src_fill(GstPcapSrcState& state, guint most, Filler& filler) {
  const BatchTimes times(state);
  // The compiler would rather have one copy of it than be fast.
  const auto add = [&](const Recorded& packet) __attribute__((always_inline)) {
    if (filler.packets() >= most || !filler.fits(packet.bytes)) return false;
    const std::optional<guint32> delay = times.delay(packet);
    if (delay) filler.add(packet.bytes, *delay);
    return delay.has_value();
  };
  while (add(state.reader.packet())) {
    state.reader.take();
    state.reader.take_while(add);
    // What is there is not kept back while the writer of a FIFO is awaited.
    if (filler.packets() >= most || !state.reader.is_ready()) return;
    if (state.reader.next() != Next::packet) return;  // said again when it is asked next
  }
}

/** What is read next, of a file as fast as possible, is read into the memory of a batch. */
void gst_pcap_src_prepare_block(GstPcapSrcState& state, guint most) {
  // For a few packets it is not worth a system call for each time.
  constexpr guint kFew = 32;
  if (state.block != nullptr || state.places.prepared() || state.pace != 0 || most < kFew ||
      !state.reader.reads_blocks()) {
    return;
  }
  state.block = state.arenas.take();
  if (state.block == nullptr) return;
  const BatchMap map(state.block);
  state.reader.use({map.data(), map.size()});
}

void gst_pcap_src_drop_block(GstPcapSrcState& state) {
  state.reader.leave();
  gst_clear_buffer(&state.block);
}

/** Memory for a batch with the present packet in front. */
GstBuffer* gst_pcap_src_take_memory(GstPcapSrcState& state, Filler::Way& way) {
  const std::size_t size = state.reader.packet().bytes.size();
  if (state.block != nullptr) {
    way = state.reader.is_in_room(state.reader.packet()) ? Filler::Way::in_place
                                                         : Filler::Way::in_a_row;
    return std::exchange(state.block, nullptr);
  }
  way = Filler::Way::prepared;
  if (state.places.prepared() && size <= state.place_size) {
    GstBuffer* batch = state.places.take();
    const GstPacketBatchMeta* meta =
        batch != nullptr ? gst_buffer_get_packet_batch_meta(batch) : nullptr;
    if (meta != nullptr && meta->n != 0 && size <= meta->packets[0].length) return batch;
    if (meta != nullptr) state.place_size = meta->packets[0].length;
    gst_clear_buffer(&batch);
  }
  way = Filler::Way::in_a_row;
  return size <= kArena ? state.arenas.take() : gst_packet_batch_new(size);
}

GstBuffer* gst_pcap_src_make_batch(GstPcapSrcState& state, guint most) {
  Filler::Way way{};
  GstBuffer* batch = gst_pcap_src_take_memory(state, way);
  if (batch == nullptr) return nullptr;
  const Recorded& packet = state.reader.packet();
  GST_BUFFER_PTS(batch) = gst_pcap_src_due(state, packet);
  if (state.keeps_times) pcapplugin::set_recorded_time(batch, packet.time);
  const BatchMap map(batch);
  Filler filler(map, way);
  gst_pcap_src_fill(state, most, filler);
  // The rest of the arena is not ours any more when the batch is pushed.
  state.reader.leave();
  map.meta().n = filler.packets();
  gstpacket::set_packet_bytes(map.arena(), filler.bytes());
  state.packets.add(filler.packets());
  state.bytes.add(filler.bytes());
  state.pushes.add(1);
  return batch;
}

GstFlowReturn gst_pcap_src_post_failure(GstPushSrc* src) {
  const auto& error = state_of(src).reader.error();
  GST_ELEMENT_ERROR(src, STREAM, DEMUX, ("%s.", error.text().c_str()), (nullptr));
  return GST_FLOW_ERROR;
}

GstFlowReturn gst_pcap_src_take(GstPushSrc* src, guint most, GstMiniObject** out) {
  GstPcapSrcState& state = state_of(src);
  const bool had_header = state.reader.has_header();
  most = std::min(state.batch_size.load(std::memory_order_relaxed), most);
  if (had_header) gst_pcap_src_prepare_block(state, most);
  switch (had_header ? state.reader.next() : state.reader.read_header()) {
    case Next::packet:
      break;
    case Next::end:
      inform(GST_ELEMENT_CAST(src), counted(state.packets.get(), "packet") + " with " +
                                        counted(state.bytes.get(), "byte") + " read.");
      return GST_FLOW_EOS;
    case Next::interrupted:
      return GST_FLOW_FLUSHING;
    case Next::failed:
      return gst_pcap_src_post_failure(src);
  }
  if (!had_header) {
    state.link_type = static_cast<int>(state.reader.link_type());
    state.live.reconfigure();  // now that it is known what the packets are
    return GST_FLOW_OK;
  }
  if (!gst_pcap_src_wait(src, state)) return GST_FLOW_FLUSHING;
  *out = GST_MINI_OBJECT_CAST(gst_pcap_src_make_batch(state, most));
  if (*out != nullptr) return GST_FLOW_OK;
  GST_ELEMENT_ERROR(src, RESOURCE, NO_SPACE_LEFT, ("Out of memory for packets."), (nullptr));
  return GST_FLOW_ERROR;
}

GstFlowReturn gst_pcap_src_create(GstPushSrc* src, GstBuffer** out) {
  return state_of(src).live.create(
      out, [src](guint most, GstMiniObject** data) { return gst_pcap_src_take(src, most, data); });
}

void gst_pcap_src_interrupt(GstPushSrc* src) {
  state_of(src).reader.input().interrupt();
  state_of(src).clock.interrupt();
}

void gst_pcap_src_resume(GstPushSrc* src) {
  state_of(src).reader.input().resume();
  state_of(src).clock.resume();
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
  {
    const std::lock_guard lock(state.mutex);
    location = state.location;
    loops = state.loops;
    state.pace = state.speed;
  }
  state.keeps_times = state.pace == 0 && loops == 1;
  state.start = GST_CLOCK_TIME_NONE;
  for (Counter* counter : {&state.packets, &state.bytes, &state.pushes}) counter->reset();
  state.reader.input().restart();
  if (location.empty()) {
    GST_ELEMENT_ERROR(src, RESOURCE, SETTINGS,
                      ("There is no file to read. Set location, to \"-\" for the standard input."),
                      (nullptr));
    return FALSE;
  }
  if (const auto opened = state.reader.open(location, loops); !opened) {
    gst_pcap_src_post_error(src, opened.error());
    return FALSE;
  }
  // A stream may have no header for long.
  if (!state.reader.input().is_regular()) return TRUE;
  if (state.reader.read_header() == Next::packet) {
    state.link_type = static_cast<int>(state.reader.link_type());
    return TRUE;
  }
  gst_pcap_src_post_failure(GST_PUSH_SRC(src));
  state.reader.close();
  return FALSE;
}

gboolean gst_pcap_src_stop(GstBaseSrc* src) {
  GstPcapSrcState& state = state_of(src);
  gst_pcap_src_drop_block(state);
  state.reader.close();
  state.link_type = GstPcapSrcState::kUnknown;
  state.places.close();
  state.arenas.close();
  return TRUE;
}

GstStateChangeReturn gst_pcap_src_change_state(GstElement* element, GstStateChange transition) {
  GstPcapSrcState& state = state_of(element);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) state.reader.input().stop();
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
  return state.reader.has_header() ? state.live.negotiate() : TRUE;
}

gboolean gst_pcap_src_decide_allocation(GstBaseSrc* src, GstQuery* query) {
  GstPcapSrcState& state = state_of(src);
  gst_pcap_src_drop_block(state);
  state.places.close();
  state.arenas.close();
  state.live.set_batches(state.batches.load() && gst_query_allows_packet_batches(query));
  if (state.reader.has_header()) {
    const guint size = std::clamp(state.reader.snaplen(), 1U, kUsualPacket);
    state.place_size = std::numeric_limits<std::size_t>::max();
    state.places.open(gst_query_find_packet_batch_pool(query, size));
  }
  remove_allocation_offers(query);
  GST_INFO_OBJECT(src, "packets go to memory of %s",
                  state.places.prepared() ? "downstream" : "the element");
  return state.arenas.open(kArena) ? TRUE : FALSE;
}

// ---- GObject --------------------------------------------------------------------------------

void gst_pcap_src_set_property(GObject* object, guint id, const GValue* value, GParamSpec* pspec) {
  GstPcapSrcState& state = state_of(object);
  const std::lock_guard lock(state.mutex);
  switch (id) {
    case kPropLocation: {
      const gchar* text = g_value_get_string(value);
      state.location = text != nullptr ? text : "";
      break;
    }
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
  return gst_structure_new(
      "application/x-packet-stats", "packets-out", G_TYPE_UINT64, guint64{state.packets.get()},
      "bytes-out", G_TYPE_UINT64, guint64{state.bytes.get()}, "batches", G_TYPE_UINT64,
      guint64{state.pushes.get()}, "snapped", G_TYPE_UINT64, guint64{state.reader.snapped.get()},
      "empty", G_TYPE_UINT64, guint64{state.reader.empty.get()}, "loops", G_TYPE_UINT64,
      guint64{state.reader.rounds.get()}, nullptr);
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
  constexpr auto kReady = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                   GST_PARAM_MUTABLE_READY);
  constexpr auto kPlaying = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                     GST_PARAM_MUTABLE_PLAYING);
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
  g_object_class_install_property(
      klass, kPropBatches,
      g_param_spec_boolean("batches", "Batches",
                           "Push many packets per buffer to elements that support it; otherwise "
                           "one packet per buffer",
                           TRUE, kPlaying));
  g_object_class_install_property(
      klass, kPropStats,
      g_param_spec_boxed("stats", "Statistics", "Counters since the element last went to PAUSED",
                         GST_TYPE_STRUCTURE,
                         static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));
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
