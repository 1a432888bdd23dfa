// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * SECTION:element-packetgen
 * @title: packetgen
 * @short_description: generates numbered packets
 * @see_also: packetcheck, memifsink
 *
 * Generates UDP datagrams or ICMP echo requests over IPv4 or IPv6, with or without Ethernet header,
 * as negotiated with downstream. Each packet carries its flow, its sequence number, the time it was
 * sent and a CRC, which #packetcheck evaluates. All checksums are correct.
 *
 * Packets are written into the buffer pool that downstream proposes; a #memifsink in the role of
 * slave sends them without a copy.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 packetgen count=100000 ! memifsink socket-path=/tmp/loop.sock when-down=block
 * memifsrc socket-path=/tmp/loop.sock role=master ! packetcheck count=100000
 * ]| Sends packets through shared memory. The exit code is 0 if all arrive intact.
 *
 * Since: 0.2
 */
#include "plugins/packet/gstpacketgen.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "gst/common/counter.hpp"
#include "gst/packet/batch.hpp"
#include "plugins/common/documentation.hpp"
#include "plugins/common/live_source.hpp"
#include "plugins/common/packet_pool.hpp"
#include "plugins/common/properties.hpp"
#include "plugins/packet/gen_properties.hpp"
#include "plugins/packet/pacer.hpp"
#include "plugins/packet/packet_builder.hpp"
#include "plugins/packet/test_header.hpp"

GST_DEBUG_CATEGORY_STATIC(packetgen_debug);
#define GST_CAT_DEFAULT packetgen_debug

using gstcommon::Counter;
using gstpacket::BatchMap;
using gstpacket::Error;
using gstpacket::LinkType;
using packetplugin::GenPlan;
using packetplugin::GenSettings;
using packetplugin::monotonic_now;
using packetplugin::PacketBuilder;

namespace {

enum : guint { kPropBatchSize = packetplugin::kGenPropertiesEnd, kPropBatches, kPropStats };

// In an arena much larger than a core's cache, every packet would be a cache miss.
constexpr std::size_t kMaxArena = std::size_t{256} << 10;
// The cache lines to write were last read by another core: prefetch them.
constexpr std::ptrdiff_t kWriteAhead = 6;
// Packets begin on cache lines.
constexpr std::size_t kAlignment = 64;
// Packets per reading of the clock, which costs as much as building a packet.
constexpr guint kPacketsPerClock = 32;

constexpr std::size_t slot_size(std::size_t packet) {
  return (packet + kAlignment - 1) & ~(kAlignment - 1);
}

}  // namespace

struct GstPacketGenState {
  explicit GstPacketGenState(GstPushSrc* src);

  LiveSource live;
  std::mutex mutex;  // guards what follows
  GenSettings settings;

  std::atomic<guint> batch_size{guint{GST_PACKET_BATCH_MAX}};
  std::atomic<bool> batches{true};
  packetplugin::Pacer pacer;

  // Streaming thread, and state changes while it does not run.
  GenPlan plan;
  std::optional<PacketBuilder> maker;
  LinkType link_type = LinkType::ethernet;
  PacketPool pool;
  bool send_batches = false;
  guint64 left = 0;        // with a count
  guint most = G_MAXUINT;  // in the next push

  Counter packets, bytes, pushes;
};

struct GstPacketGen {
  GstPushSrc parent;
  GstPacketGenState* state;
};
struct GstPacketGenClass {
  GstPushSrcClass parent_class;
};

G_DEFINE_TYPE(GstPacketGen, gst_packet_gen, GST_TYPE_PUSH_SRC)
GST_ELEMENT_REGISTER_DEFINE(packetgen, "packetgen", GST_RANK_NONE, gst_packet_gen_get_type())

namespace {

GstPacketGenState& state_of(gpointer instance) {
  return *static_cast<GstPacketGen*>(instance)->state;
}

LiveSource& live_of(gpointer instance) {
  return state_of(instance).live;
}

void gst_packet_gen_post_error(GstBaseSrc* src, const Error& error) {
  GST_ELEMENT_ERROR(src, RESOURCE, SETTINGS, ("%s.", error.text().c_str()), ("packetgen settings"));
}

// ---- Packets --------------------------------------------------------------------------------

/** How many packets of maximum size fit into an arena. */
guint gst_packet_gen_arena_packets(const GstPacketGenState& state) {
  return static_cast<guint>(std::clamp<std::size_t>(kMaxArena / slot_size(state.maker->max_size()),
                                                    1, GST_PACKET_BATCH_MAX));
}

/** The maximum number of packets in the next push, given room for @p room. */
guint gst_packet_gen_batch_limit(GstPacketGenState& state, guint room) {
  guint limit = std::min(state.batch_size.load(std::memory_order_relaxed), state.most);
  if (state.plan.count != 0) limit = static_cast<guint>(std::min<guint64>(limit, state.left));
  return std::clamp(limit, 1U, room);
}

/**
 * Calls @p add with the length and time of each packet that is due, at most @p room times, until it
 * returns false for lack of memory.
 */
template <class Add>
guint gst_packet_gen_fill(GstPacketGenState& state, guint room, std::uint64_t now, Add add) {
  const guint limit = gst_packet_gen_batch_limit(state, room);
  std::uint64_t bytes = 0;
  guint n = 0;
  while (n < limit && state.pacer.due(now)) {
    if (n % kPacketsPerClock == 0) now = monotonic_now();
    const std::uint32_t size = state.maker->next_size();
    if (!add(size, now)) break;
    state.pacer.sent(size);
    bytes += size;
    ++n;
  }
  if (state.plan.count != 0) state.left -= n;
  state.packets.add(n);
  state.bytes.add(bytes);
  state.pushes.add(1);
  return n;
}

/** Writes packets one after the other. */
void gst_packet_gen_fill_arena(GstPacketGenState& state, const BatchMap& map, std::uint64_t now) {
  guint32 offset = 0;
  gst_packet_gen_fill(state, gst_packet_gen_arena_packets(state), now,
                      [&](std::uint32_t size, std::uint64_t time) {
                        state.maker->write({map.data() + offset, size}, time);
                        map.meta().packets[map.meta().n++] = {offset, size, 0, 0};
                        offset += static_cast<guint32>(slot_size(size));
                        return true;
                      });
}

/** Writes packets into the places that downstream's pool provides. */
void gst_packet_gen_fill_places(GstPacketGenState& state, const BatchMap& map, std::uint64_t now) {
  GstPacketDesc* desc = map.meta().packets;
  const GstPacketDesc* const last = desc + map.meta().n - 1;
  map.meta().n =
      gst_packet_gen_fill(state, map.meta().n, now, [&](std::uint32_t size, std::uint64_t time) {
        const GstPacketDesc& ahead = desc[std::min<std::ptrdiff_t>(kWriteAhead, last - desc)];
        __builtin_prefetch(map.data() + ahead.offset, 1);
        state.maker->write({map.data() + desc->offset, size}, time);
        desc++->length = size;
        return true;
      });
}

GstMiniObject* gst_packet_gen_make_batch(GstPacketGenState& state, std::uint64_t now) {
  GstBuffer* batch = state.pool.take();
  if (batch == nullptr) return nullptr;
  {
    const BatchMap map(batch);
    const std::uint64_t before = state.bytes.get();
    if (state.pool.prepared()) {
      gst_packet_gen_fill_places(state, map, now);
    } else {
      gst_packet_gen_fill_arena(state, map, now);
    }
    gstpacket::set_packet_bytes(map.arena(), state.bytes.get() - before);
  }
  return GST_MINI_OBJECT_CAST(batch);
}

GstBuffer* gst_packet_gen_make_buffer(GstPacketGenState& state, std::uint32_t size,
                                      std::uint64_t time) {
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, size, nullptr);
  GstMapInfo map;
  if (buffer == nullptr || gst_buffer_map(buffer, &map, GST_MAP_WRITE) == FALSE) {
    gst_clear_buffer(&buffer);
    return nullptr;
  }
  state.maker->write({reinterpret_cast<std::byte*>(map.data), size}, time);
  gst_buffer_unmap(buffer, &map);
  return buffer;
}

GstMiniObject* gst_packet_gen_make_list(GstPacketGenState& state, std::uint64_t now,
                                        GstClockTime timestamp) {
  GstBufferList* list = gst_buffer_list_new();
  GstBuffer* first = nullptr;
  const guint n = gst_packet_gen_fill(
      state, gst_packet_gen_arena_packets(state), now, [&](std::uint32_t size, std::uint64_t time) {
        GstBuffer* buffer = gst_packet_gen_make_buffer(state, size, time);
        if (buffer == nullptr) return false;
        GST_BUFFER_PTS(buffer) = timestamp;
        if (first == nullptr) first = buffer;
        gst_buffer_list_add(list, buffer);
        return true;
      });
  if (n > 1) return GST_MINI_OBJECT_CAST(list);
  if (first != nullptr) gst_buffer_ref(first);
  gst_buffer_list_unref(list);
  return GST_MINI_OBJECT_CAST(first);
}

GstFlowReturn gst_packet_gen_take(GstPushSrc* src, guint most, GstMiniObject** out) {
  GstPacketGenState& state = state_of(src);
  if (state.plan.count != 0 && state.left == 0) return GST_FLOW_EOS;
  std::uint64_t now = 0;
  if (!state.pacer.wait(now)) return GST_FLOW_FLUSHING;
  state.most = most;
  const GstClockTime timestamp = state.live.running_time();
  *out = state.send_batches ? gst_packet_gen_make_batch(state, now)
                            : gst_packet_gen_make_list(state, now, timestamp);
  if (*out == nullptr) {
    GST_ELEMENT_ERROR(src, RESOURCE, NO_SPACE_LEFT, ("Out of memory for packets."), (nullptr));
    return GST_FLOW_ERROR;
  }
  if (GST_IS_BUFFER(*out)) GST_BUFFER_PTS(GST_BUFFER_CAST(*out)) = timestamp;
  return GST_FLOW_OK;
}

GstFlowReturn gst_packet_gen_create(GstPushSrc* src, GstBuffer** out) {
  return state_of(src).live.create(out, [src](guint most, GstMiniObject** data) {
    return gst_packet_gen_take(src, most, data);
  });
}

void gst_packet_gen_interrupt(GstPushSrc* src) {
  state_of(src).pacer.interrupt();
}

void gst_packet_gen_resume(GstPushSrc* src) {
  state_of(src).pacer.resume();
}

}  // namespace

GstPacketGenState::GstPacketGenState(GstPushSrc* src)
    : live(src, {gst_packet_gen_interrupt, gst_packet_gen_resume}) {}

namespace {

// ---- Start and negotiation ------------------------------------------------------------------

gboolean gst_packet_gen_start(GstBaseSrc* src) {
  GstPacketGenState& state = state_of(src);
  gstpacket::Result<GenPlan> plan = Error{};
  {
    const std::lock_guard lock(state.mutex);
    plan = make_plan(state.settings);
  }
  if (!plan) {
    gst_packet_gen_post_error(src, plan.error());
    return FALSE;
  }
  state.plan = std::move(*plan);
  state.left = state.plan.count;
  state.maker.reset();
  state.pacer.set_rate(state.plan.rate);
  for (Counter* counter : {&state.packets, &state.bytes, &state.pushes}) counter->reset();
  return TRUE;
}

gboolean gst_packet_gen_stop(GstBaseSrc* src) {
  GstPacketGenState& state = state_of(src);
  state.maker.reset();
  state.pool.close();
  return TRUE;
}

/** A new link type restarts the sequence numbers. */
bool gst_packet_gen_make_maker(GstBaseSrc* src, LinkType link_type) {
  GstPacketGenState& state = state_of(src);
  if (state.maker && link_type == state.link_type) return true;
  const guint unsent = state.live.drop_held();
  if (state.plan.count != 0) state.left += unsent;
  auto maker = PacketBuilder::make(state.plan, link_type);
  if (!maker) {
    state.maker.reset();
    gst_packet_gen_post_error(src, maker.error());
    return false;
  }
  state.maker = std::move(*maker);
  state.link_type = link_type;
  return true;
}

gboolean gst_packet_gen_decide_allocation(GstBaseSrc* src, GstQuery* query) {
  GstPacketGenState& state = state_of(src);
  GstCaps* caps = nullptr;
  gst_query_parse_allocation(query, &caps, nullptr);
  const auto parsed = gstpacket::parse_caps(caps);
  if (!gst_packet_gen_make_maker(src, parsed ? parsed->link_type : LinkType::ethernet))
    return FALSE;
  state.send_batches = state.batches.load() && gst_query_allows_packet_batches(query);
  const std::uint32_t size = state.maker->max_size();
  state.pool.close();
  if (state.send_batches) {
    state.send_batches = state.pool.open(gst_query_find_packet_batch_pool(query, size)) ||
                         state.pool.open(slot_size(size) * gst_packet_gen_arena_packets(state));
  }
  state.live.set_batches(state.send_batches);
  remove_allocation_offers(query);
  GST_INFO_OBJECT(src, "sending %s%s", state.send_batches ? "batches" : "a packet per buffer",
                  state.pool.prepared() ? " in memory of downstream" : "");
  return TRUE;
}

// ---- GObject --------------------------------------------------------------------------------

/** An invalid rate is an error on start, and a warning while packets flow. */
void gst_packet_gen_set_rate(GstPacketGen* self, const GValue* value) {
  GstPacketGenState& state = *self->state;
  const auto rate = packetplugin::parse_rate(text_of(value));
  bool warn = false;
  {
    const std::lock_guard lock(state.mutex);
    warn = !rate && GST_STATE(self) >= GST_STATE_PAUSED;
    if (!warn) state.settings.rate = text_of(value);
  }
  if (rate) state.pacer.set_rate(*rate);
  if (warn) {
    GST_ELEMENT_WARNING(self, RESOURCE, SETTINGS, ("%s.", rate.error().text().c_str()),
                        ("the rate is unchanged"));
  }
}

void gst_packet_gen_set_property(GObject* object, guint id, const GValue* value,
                                 GParamSpec* pspec) {
  GstPacketGenState& state = state_of(object);
  static const guint rate_id = packetplugin::gen_property_id("rate");
  if (id == rate_id) {
    return gst_packet_gen_set_rate(reinterpret_cast<GstPacketGen*>(object), value);
  }
  const std::lock_guard lock(state.mutex);
  if (packetplugin::set_gen_property(state.settings, id, value)) return;
  switch (id) {
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

GstStructure* gst_packet_gen_stats(const GstPacketGenState& state) {
  return gst_structure_new("application/x-packet-stats", "packets-out", G_TYPE_UINT64,
                           guint64{state.packets.get()}, "bytes-out", G_TYPE_UINT64,
                           guint64{state.bytes.get()}, "batches", G_TYPE_UINT64,
                           guint64{state.pushes.get()}, nullptr);
}

void gst_packet_gen_get_property(GObject* object, guint id, GValue* value, GParamSpec* pspec) {
  GstPacketGenState& state = state_of(object);
  const std::lock_guard lock(state.mutex);
  if (packetplugin::get_gen_property(state.settings, id, value)) return;
  switch (id) {
    case kPropBatchSize:
      g_value_set_uint(value, state.batch_size.load(std::memory_order_relaxed));
      break;
    case kPropBatches:
      g_value_set_boolean(value, state.batches.load());
      break;
    case kPropStats:
      g_value_take_boxed(value, gst_packet_gen_stats(state));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
      break;
  }
}

void gst_packet_gen_finalize(GObject* object) {
  delete reinterpret_cast<GstPacketGen*>(object)->state;
  G_OBJECT_CLASS(gst_packet_gen_parent_class)->finalize(object);
}

void gst_packet_gen_install_properties(GObjectClass* klass) {
  packetplugin::install_gen_properties(klass);
  g_object_class_install_property(
      klass, kPropBatchSize,
      g_param_spec_uint("batch-size", "Batch size",
                        "Maximum number of packets per push; fewer with a rate", 1,
                        GST_PACKET_BATCH_MAX, GST_PACKET_BATCH_MAX, kPlaying));
  g_object_class_install_property(klass, kPropBatches, batches_spec());
  g_object_class_install_property(klass, kPropStats, stats_spec());
}

}  // namespace

static void gst_packet_gen_class_init(GstPacketGenClass* klass) {
  GST_DEBUG_CATEGORY_INIT(packetgen_debug, "packetgen", 0, "Packet generator");
  GObjectClass* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = gst_packet_gen_set_property;
  object_class->get_property = gst_packet_gen_get_property;
  object_class->finalize = gst_packet_gen_finalize;
  gst_packet_gen_install_properties(object_class);

  GstElementClass* element_class = GST_ELEMENT_CLASS(klass);
  GstCaps* caps = gstpacket::make_caps({LinkType::ethernet, LinkType::ip});
  gst_element_class_add_pad_template(
      element_class, gst_pad_template_new("src", GST_PAD_SRC, GST_PAD_ALWAYS, caps));
  gst_caps_unref(caps);
  gst_element_class_set_static_metadata(
      element_class, "Packet generator", "Source/Network",
      "Generates numbered UDP or ICMP echo packets for measurements with packetcheck",
      PLUGIN_AUTHOR);
  add_documentation_uri(element_class, DOCUMENTATION_URI("packetgen"));

  install_live_source<live_of>(&klass->parent_class);
  GstBaseSrcClass* base_class = GST_BASE_SRC_CLASS(klass);
  base_class->start = gst_packet_gen_start;
  base_class->stop = gst_packet_gen_stop;
  base_class->decide_allocation = gst_packet_gen_decide_allocation;
  klass->parent_class.create = gst_packet_gen_create;
}

static void gst_packet_gen_init(GstPacketGen* self) {
  self->state = new GstPacketGenState(&self->parent);
}
