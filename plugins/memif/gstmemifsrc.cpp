// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * SECTION:element-memifsrc
 * @title: memifsrc
 * @short_description: receives packets from a memif interface
 * @see_also: memifsink, memifudpsrc, icmpresponder
 *
 * Receives packets from one queue of a memif interface: shared memory through which VPP, DPDK or
 * another memif program exchanges packets with this one. A #memifsink with the same
 * #memifsrc:socket-path, #memifsrc:id and #memifsrc:role is the other direction of the same
 * interface.
 *
 * The source is live. It starts without a peer and keeps running when the peer leaves;
 * #memifsrc:eos-on-disconnect ends the stream instead. Buffers are stamped with the running time of
 * their arrival, whatever `do-timestamp` says, and `num-buffers` counts packets.
 *
 * To receive from a #memifsink with #memifsink:any-caps set, set #memifsrc:caps to the caps of the
 * sender. `gdpdepay` takes what `gdppay` sent, with no caps set here.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 memifsrc socket-path=/run/vpp/memif.sock ! icmpresponder address=192.168.1.1 !
 * memifsink socket-path=/run/vpp/memif.sock
 * ]| Answers ARP and ping on an interface whose other end is VPP, as the master.
 *
 * Since: 0.2
 */
#include "plugins/memif/gstmemifsrc.hpp"

#include <algorithm>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "gst/packet/batch.hpp"
#include "gst/packet/caps.hpp"
#include "plugins/common/documentation.hpp"
#include "plugins/memif/gdp.hpp"
#include "plugins/memif/gstmemifsrcproperties.hpp"
#include "plugins/memif/gstmemifsrcreceive.hpp"
#include "plugins/memif/gstmemifsrcstate.hpp"
#include "plugins/memif/memif_log.hpp"
#include "plugins/memif/video_layout.hpp"

GST_DEBUG_CATEGORY(memifsrc_debug);

using gstmemif::RxMode;

struct GstMemifSrcClass {
  GstPushSrcClass parent_class;
};

G_DEFINE_TYPE(GstMemifSrc, gst_memif_src, GST_TYPE_PUSH_SRC)
GST_ELEMENT_REGISTER_DEFINE(memifsrc, "memifsrc", GST_RANK_NONE, gst_memif_src_get_type())

namespace {

GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

LiveSource& live_of(gpointer instance) {
  return gst_memif_src_state(instance).live;
}

// ---- CPU affinity ---------------------------------------------------------------------------

void gst_memif_src_enter_thread(GstElement* src) {
  GstMemifSrcState& state = gst_memif_src_state(src);
  std::string text;
  {
    const std::lock_guard lock(state.mutex);
    text = state.cpu_affinity;
  }
  if (const int error = state.affinity.enter(text); error != 0) {
    GST_ELEMENT_WARNING(src, RESOURCE, SETTINGS,
                        ("cpu-affinity=%s cannot be applied: %s. The thread runs on any CPU.",
                         text.c_str(), g_strerror(error)),
                        ("use CPUs that this process may use, such as 0,2-3"));
  }
}

/** A streaming thread posts this when it begins and when it ends. */
gboolean gst_memif_src_post_message(GstElement* src, GstMessage* message) {
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_STREAM_STATUS) {
    GstStreamStatusType type;
    gst_message_parse_stream_status(message, &type, nullptr);
    if (type == GST_STREAM_STATUS_TYPE_ENTER) gst_memif_src_enter_thread(src);
    if (type == GST_STREAM_STATUS_TYPE_LEAVE) gst_memif_src_state(src).affinity.leave();
  }
  return gst_memif_src_state(src).live.post_message(message);
}

bool gst_memif_src_check_affinity(GstElement* src) {
  GstMemifSrcState& state = gst_memif_src_state(src);
  const std::lock_guard lock(state.mutex);
  if (state.cpu_affinity.empty() || parse_cpus(state.cpu_affinity)) return true;
  GST_ELEMENT_ERROR(src, RESOURCE, SETTINGS,
                    ("Invalid cpu-affinity=%s: must be CPU numbers and ranges separated by commas, "
                     "such as 0,2-3.",
                     state.cpu_affinity.c_str()),
                    ("memif settings"));
  return false;
}

// ---- Start and stop -------------------------------------------------------------------------

gboolean gst_memif_src_start(GstBaseSrc* src) {
  GstMemifSrcState& state = gst_memif_src_state(src);
  auto interface = state.common.start();
  if (!interface) return FALSE;
  RxMode mode;
  {
    const std::lock_guard lock(state.mutex);
    mode = state.rx_mode;
  }
  auto receiver = gstmemif::Receiver::open(std::move(interface),
                                           static_cast<std::uint32_t>(state.common.queue()), mode);
  if (!receiver) {
    state.common.post_error(receiver.error());
    state.common.stop();
    return FALSE;
  }
  state.warned_too_long = false;
  state.warned_no_memory = false;
  state.warned_picture = false;
  state.quiet_since = kNotQuiet;
  state.no_memory =
      &(*receiver)->stats().drops[static_cast<std::size_t>(gstmemif::DropReason::no_memory)];
  state.no_memory_before = state.no_memory->get();
  const std::lock_guard lock(state.mutex);
  state.receiver = std::move(*receiver);
  if (state.rx_mode != mode) state.receiver->set_mode(state.rx_mode);  // it was set meanwhile
  state.receiver->refresh_ahead();  // the link may have gone before it could be left
  return TRUE;
}

gboolean gst_memif_src_stop(GstBaseSrc* src) {
  GstMemifSrcState& state = gst_memif_src_state(src);
  state.live.drop_held();
  gst_memif_src_count_flushed(state);
  {
    const std::lock_guard lock(state.mutex);
    state.receiver.reset();
  }
  state.buffers.reset();
  state.batch_pool.reset();
  state.common.stop();
  return TRUE;
}

GstCaps* gst_memif_src_own_caps(GstMemifSrcState& state) {
  bool open = false;
  {
    const std::lock_guard lock(state.mutex);
    if (state.caps != nullptr) return gst_caps_ref(state.caps);
    open = state.receiver == nullptr;
  }
  // What is linked before the start says then what it does not take, and why.
  GstCaps* caps = open ? gstpacket::make_caps() : state.common.packet_caps();
  gst_caps_append(caps, gst_caps_new_empty_simple(kGdpMediaType));
  return caps;
}

GstCaps* gst_memif_src_get_caps(GstBaseSrc* src, GstCaps* filter) {
  GstCaps* caps = gst_memif_src_own_caps(gst_memif_src_state(src));
  if (filter == nullptr) return caps;
  GstCaps* filtered = gst_caps_intersect_full(filter, caps, GST_CAPS_INTERSECT_FIRST);
  gst_caps_unref(caps);
  return filtered;
}

/** Whether elements take such data as it is, without a decision that depends on its bytes. */
bool is_raw(const GstCaps* caps) {
  if (caps == nullptr || gst_caps_get_size(caps) == 0) return false;
  const GstStructure* fields = gst_caps_get_structure(caps, 0);
  return gst_structure_has_name(fields, "video/x-raw") ||
         gst_structure_has_name(fields, "audio/x-raw");
}

/** How single packets are handled, which depends on what they are. */
void gst_memif_src_look_at_caps(GstMemifSrcState& state, GstQuery* query) {
  GstCaps* caps = nullptr;
  gst_query_parse_allocation(query, &caps, nullptr);
  const LendPolicy policy = state.lend_frames.load();
  state.lend_long = policy == LendPolicy::always || (policy == LendPolicy::raw && is_raw(caps));
  const std::optional<GstVideoInfo> video = video_layout(caps);
  state.picture_size = video && !state.send_batches ? video->size : 0;
}

gboolean gst_memif_src_decide_allocation(GstBaseSrc* src, GstQuery* query) {
  GstMemifSrcState& state = gst_memif_src_state(src);
  state.send_batches = state.batches.load() && gst_query_allows_packet_batches(query);
  state.live.set_batches(state.send_batches);
  remove_allocation_offers(query);
  if (state.send_batches) {
    state.buffers.reset();
    if (!state.batch_pool) state.batch_pool.emplace();
  } else if (!state.buffers) {
    state.batch_pool.reset();
    gstmemif::Interface& interface = state.receiver->interface();
    state.buffers.emplace(std::min(interface.settings().buffer_size, kLongestRecycled),
                          interface.copy_budget());
  }
  gst_memif_src_look_at_caps(state, query);
  GST_INFO_OBJECT(src, "sending %s%s", state.send_batches ? "batches" : "a packet per buffer",
                  !state.send_batches && state.lend_long ? ", long ones lent" : "");
  return TRUE;
}

// ---- GObject --------------------------------------------------------------------------------

GstStateChangeReturn gst_memif_src_change_state(GstElement* element, GstStateChange transition) {
  GstMemifSrcState& state = gst_memif_src_state(element);
  if (transition == GST_STATE_CHANGE_NULL_TO_READY &&
      (!gst_memif_src_check_affinity(element) || !state.common.join())) {
    return GST_STATE_CHANGE_FAILURE;
  }
  const GstStateChangeReturn result = state.live.change_state(transition);
  const bool failed_up =
      transition == GST_STATE_CHANGE_NULL_TO_READY && result == GST_STATE_CHANGE_FAILURE;
  if (transition == GST_STATE_CHANGE_READY_TO_NULL || failed_up) state.common.leave();
  return result;
}

void gst_memif_src_finalize(GObject* object) {
  delete reinterpret_cast<GstMemifSrc*>(object)->state;
  G_OBJECT_CLASS(gst_memif_src_parent_class)->finalize(object);
}

}  // namespace

static void gst_memif_src_class_init(GstMemifSrcClass* klass) {
  gst_memif_log_init();
  GST_DEBUG_CATEGORY_INIT(memifsrc_debug, "memifsrc", 0, "memif packet source");
  GObjectClass* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = gst_memif_src_set_property;
  object_class->get_property = gst_memif_src_get_property;
  object_class->finalize = gst_memif_src_finalize;
  gst_memif_src_install_properties(object_class);

  install_live_source<live_of>(&klass->parent_class);
  GstElementClass* element_class = GST_ELEMENT_CLASS(klass);
  element_class->change_state = gst_memif_src_change_state;
  element_class->post_message = gst_memif_src_post_message;
  gst_element_class_add_static_pad_template(element_class, &src_template);
  gst_element_class_set_static_metadata(
      element_class, "memif packet source", "Source/Network",
      "Receives packets from VPP, DPDK or another program through shared memory (memif)",
      PLUGIN_AUTHOR);
  add_documentation_uri(element_class, DOCUMENTATION_URI("memifsrc"));

  GstBaseSrcClass* base_class = GST_BASE_SRC_CLASS(klass);
  base_class->start = gst_memif_src_start;
  base_class->stop = gst_memif_src_stop;
  base_class->get_caps = gst_memif_src_get_caps;
  base_class->decide_allocation = gst_memif_src_decide_allocation;
  klass->parent_class.create = gst_memif_src_create;
}

static void gst_memif_src_init(GstMemifSrc* self) {
  self->state = new GstMemifSrcState(&self->parent);
}
