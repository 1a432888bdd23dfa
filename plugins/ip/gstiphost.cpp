// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * SECTION:element-iphost
 * @title: iphost
 * @short_description: an IP host with pads for UDP
 * @see_also: memifsrc, memifsink, memifudpsrc, memifudpsink
 *
 * An IP host inside a pipeline. It does for a packet link what the kernel's sockets do for
 * `udpsink` and `udpsrc`. `sink` and `src` carry packets. Each buffer that enters a `udp_sink_%u`
 * pad leaves `src` as a UDP datagram; each datagram for the port of a `udp_src_%u` pad leaves that
 * pad as a buffer, with a #GstNetAddressMeta and the time of its arrival.
 *
 * The host answers ARP, neighbour solicitations and echo requests, resolves MAC addresses, joins
 * multicast groups, and fragments and reassembles. It needs both packet pads for that: without
 * incoming packets it can reach only multicast groups and #iphost:neighbours, and without `src` it
 * cannot answer.
 *
 * Properties of the pads are set through the element, before or after the pad is requested:
 * `udp_sink_0::host=10.0.0.2`.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 memifsrc socket-path=/tmp/host.sock role=master !
 * iphost name=h address=10.0.0.2/24 udp_src_0::port=5004 !
 * memifsink socket-path=/tmp/host.sock role=master h.udp_src_0 ! fakesink
 * ]| Receives on port 5004.
 * |[
 * gst-launch-1.0 audiotestsrc is-live=true ! rtpL16pay ! h.udp_sink_0
 * memifsrc socket-path=/tmp/host.sock !
 * iphost name=h address=10.0.0.1/24 udp_sink_0::host=10.0.0.2 udp_sink_0::port=5004 !
 * memifsink socket-path=/tmp/host.sock
 * ]| Sends audio over RTP to it.
 *
 * Since: 0.2
 */
#include "plugins/ip/gstiphost.hpp"

#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "gst/packet/caps.hpp"
#include "gst/packet/link_event.hpp"
#include "gst/packet/packetbatch.h"
#include "plugins/common/documentation.hpp"
#include "plugins/common/lenient_spec.hpp"
#include "plugins/ip/debug.hpp"
#include "plugins/ip/gstiphostpads.hpp"
#include "plugins/ip/host_settings.hpp"
#include "plugins/ip/ip_host.hpp"
#include "plugins/ip/packet_receiver.hpp"

GST_DEBUG_CATEGORY(iphost_debug);

using gstpacket::LinkType;
using ipplugin::HostSettings;
using ipplugin::IpHost;
using ipplugin::PacketReceiver;
using ipplugin::UdpReceiver;
using ipplugin::UdpSender;

namespace {

enum : guint {
  kPropAddress = 1,
  kPropGateway,
  kPropMac,
  kPropMtu,
  kPropVlan,
  kPropPcp,
  kPropVerifyChecksum,
  kPropNeighbours,
  kPropFragment,
  kPropStats
};

// Of one direction.
constexpr guint kMostPads = 1024;

}  // namespace

struct GstIpHostState {
  GstIpHostState(GstElement* element, GstPad* source)
      : host(std::make_shared<IpHost>(element, source)), receiver(*host) {
    gchar* uuid = g_uuid_string_random();
    stream_prefix = std::string("iphost/") + uuid + "/";
    g_free(uuid);
  }

  const std::shared_ptr<IpHost> host;  // also of the pads, which may outlive the element
  PacketReceiver receiver;             // streaming thread of the sink pad
  std::string stream_prefix;
  std::mutex mutex;  // guards what follows
  HostSettings settings;
  bool fragment = false;
  bool packets_ended = false;  // EOS has come to the sink pad
  bool ended = false;          // and has left by the source pad
};

struct GstIpHost {
  GstElement parent;
  GstPad* sink;
  GstPad* src;
  GstIpHostState* state;
};
struct GstIpHostClass {
  GstElementClass parent_class;
};

static void gst_ip_host_child_proxy_init(gpointer interface, gpointer);
GType gst_ip_host_get_type(void);
G_DEFINE_TYPE_WITH_CODE(GstIpHost, gst_ip_host, GST_TYPE_ELEMENT,
                        G_IMPLEMENT_INTERFACE(GST_TYPE_CHILD_PROXY, gst_ip_host_child_proxy_init))
GST_ELEMENT_REGISTER_DEFINE(iphost, "iphost", GST_RANK_NONE, gst_ip_host_get_type())

namespace {

using PadPointer = std::unique_ptr<GstPad, void (*)(void*)>;

GstIpHost* cast(gpointer instance) {
  return static_cast<GstIpHost*>(instance);
}

GstIpHostState& state_of(gpointer instance) {
  return *cast(instance)->state;
}

bool is_data_pad(GstPad* pad) {
  const GType type = G_OBJECT_TYPE(pad);
  return type == gst_ip_host_udp_sink_pad_get_type() || type == gst_ip_host_udp_src_pad_get_type();
}

/** The pads for data, with a reference to each. */
std::vector<PadPointer> data_pads(gpointer element) {
  std::vector<PadPointer> pads;
  GST_OBJECT_LOCK(element);
  for (GList* item = GST_ELEMENT_PADS(element); item != nullptr; item = item->next) {
    auto* pad = static_cast<GstPad*>(item->data);
    if (is_data_pad(pad)) {
      pads.emplace_back(static_cast<GstPad*>(gst_object_ref(pad)), gst_object_unref);
    }
  }
  GST_OBJECT_UNLOCK(element);
  return pads;
}

// ---- the end of streams -----------------------------------------------------------------------

/** Whether all that leaves by the source pad has ended, and it has not been told yet. */
bool gst_ip_host_all_ended(GstIpHost* self) {
  const auto pads = data_pads(self);
  const std::lock_guard lock(self->state->mutex);
  bool any = self->state->packets_ended;
  bool receives = false, sends = false;
  for (const PadPointer& pad : pads) {
    const UdpSender* sender = gst_ip_host_sender(pad.get());
    if (sender == nullptr) {
      receives = true;
      continue;
    }
    if (!sender->at_eos && gst_pad_is_linked(pad.get())) return false;
    sends = true;
    any |= sender->at_eos;
  }
  // A host that only sends has nothing to answer any more. One that receives has.
  const bool answers = receives || !sends;
  if (answers && gst_pad_is_linked(self->sink) && !self->state->packets_ended) return false;
  return any && !std::exchange(self->state->ended, true);
}

void gst_ip_host_look_for_end(GstIpHost* self) {
  if (!gst_ip_host_all_ended(self)) return;
  self->state->host->send_own_before();
  self->state->host->output().push_eos();
}

/** A stream begins, possibly behind the end of all. */
void gst_ip_host_stream_starts(GstIpHost* self, bool* at_eos) {
  {
    const std::lock_guard lock(self->state->mutex);
    *at_eos = false;
    if (!std::exchange(self->state->ended, false)) return;
  }
  self->state->host->output().prepare_again();
}

// ---- events of the pads for data --------------------------------------------------------------

/** Whether there is no other stream that a flush of the source pad would disturb. */
bool gst_ip_host_sends_alone(GstIpHost* self, GstPad* pad) {
  for (const PadPointer& other : data_pads(self)) {
    if (other.get() != pad && GST_PAD_IS_SINK(other.get()) && gst_pad_is_linked(other.get())) {
      return false;
    }
  }
  return true;
}

void gst_ip_host_flush_sender(GstIpHost* self, GstPad* pad, GstEvent* event) {
  UdpSender& sender = *gst_ip_host_sender(pad);
  const bool starts = GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_START;
  if (starts) sender.interrupt();
  if (gst_ip_host_sends_alone(self, pad)) gst_pad_push_event(self->src, gst_event_ref(event));
  if (starts) return;
  self->state->host->output().prepare_segment();
  gst_ip_host_stream_starts(self, &sender.at_eos);
  sender.resume();
}

gboolean gst_ip_host_data_event(GstPad* pad, GstObject* parent, GstEvent* event) {
  GstIpHost* self = cast(parent);
  UdpSender& sender = *gst_ip_host_sender(pad);
  // Streams are mixed, so events of one of them end here; the source pad has its own.
  switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_STREAM_START:
      gst_ip_host_stream_starts(self, &sender.at_eos);
      break;
    case GST_EVENT_SEGMENT: {
      const GstSegment* segment = nullptr;
      gst_event_parse_segment(event, &segment);
      sender.set_segment(*segment);
      break;
    }
    case GST_EVENT_FLUSH_START:
    case GST_EVENT_FLUSH_STOP:
      gst_ip_host_flush_sender(self, pad, event);
      break;
    case GST_EVENT_EOS: {
      sender.drain();
      {
        const std::lock_guard lock(self->state->mutex);
        sender.at_eos = true;
      }
      gst_ip_host_look_for_end(self);
      break;
    }
    default:
      break;
  }
  gst_event_unref(event);
  return TRUE;
}

gboolean gst_ip_host_activate_sender(GstPad* pad, GstObject*, GstPadMode mode, gboolean active) {
  if (mode != GST_PAD_MODE_PUSH) return FALSE;
  UdpSender& sender = *gst_ip_host_sender(pad);
  active ? sender.resume() : sender.interrupt();
  return TRUE;
}

/** A pad that is linked and active receives. */
gboolean gst_ip_host_open_receiver(GstPad* pad) {
  // A pad that is requested while the element runs is activated before it has a parent.
  auto* state = static_cast<GstIpHostState*>(gst_pad_get_element_private(pad));
  if (state == nullptr) return FALSE;
  const std::shared_ptr<UdpReceiver> receiver = gst_ip_host_receiver(pad);
  receiver->restart_timeout(ipplugin::monotonic_time());
  return state->host->add(receiver);
}

void gst_ip_host_close_receiver(GstPad* pad) {
  auto* state = static_cast<GstIpHostState*>(gst_pad_get_element_private(pad));
  if (state != nullptr) state->host->remove(*gst_ip_host_receiver(pad));
}

gboolean gst_ip_host_activate_receiver(GstPad* pad, GstObject*, GstPadMode mode, gboolean active) {
  if (mode != GST_PAD_MODE_PUSH) return FALSE;
  if (!active) {
    gst_ip_host_close_receiver(pad);
    return TRUE;
  }
  auto* state = static_cast<GstIpHostState*>(gst_pad_get_element_private(pad));
  if (state == nullptr) return FALSE;
  const std::shared_ptr<UdpReceiver> receiver = gst_ip_host_receiver(pad);
  receiver->prepare(state->stream_prefix + receiver->name());
  return !gst_pad_is_linked(pad) || gst_ip_host_open_receiver(pad);
}

void gst_ip_host_receiver_linked(GstPad* pad, GstPad*, gpointer) {
  if (gst_pad_is_active(pad)) gst_ip_host_open_receiver(pad);
}

void gst_ip_host_receiver_unlinked(GstPad* pad, GstPad*, gpointer) {
  gst_ip_host_close_receiver(pad);
}

// ---- events of the pads for packets -----------------------------------------------------------

bool gst_ip_host_set_caps(GstIpHost* self, GstEvent* event) {
  GstCaps* caps = nullptr;
  gst_event_parse_caps(event, &caps);
  const auto parsed = gstpacket::parse_caps(caps);
  if (!parsed || !self->state->host->use_link_type(parsed->link_type)) return false;
  self->state->receiver.set_link_type(parsed->link_type);
  return true;
}

/** To all pads that receive. */
void gst_ip_host_tell_receivers(GstIpHost* self, GstEvent* event) {
  for (const PadPointer& pad : data_pads(self)) {
    if (const auto receiver = gst_ip_host_receiver(pad.get())) {
      receiver->push_event(gst_event_ref(event));
    }
  }
}

gboolean gst_ip_host_packet_event(GstPad*, GstObject* parent, GstEvent* event) {
  GstIpHost* self = cast(parent);
  gboolean done = TRUE;
  switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_CAPS:
      done = gst_ip_host_set_caps(self, event);
      break;
    case GST_EVENT_SEGMENT: {
      const GstSegment* segment = nullptr;
      gst_event_parse_segment(event, &segment);
      self->state->receiver.set_segment(*segment);
      break;
    }
    case GST_EVENT_STREAM_START:
      gst_ip_host_stream_starts(self, &self->state->packets_ended);
      break;
    case GST_EVENT_FLUSH_START:
      gst_ip_host_tell_receivers(self, event);
      break;
    case GST_EVENT_FLUSH_STOP:
      gst_ip_host_tell_receivers(self, event);
      for (const auto& held : self->state->host->receivers()) held.receiver->prepare_segment();
      gst_ip_host_stream_starts(self, &self->state->packets_ended);
      break;
    case GST_EVENT_EOS: {
      gst_ip_host_tell_receivers(self, event);
      {
        const std::lock_guard lock(self->state->mutex);
        self->state->packets_ended = true;
      }
      gst_ip_host_look_for_end(self);
      break;
    }
    default:
      if (const auto up = gstpacket::link_event_state(event)) self->state->host->tell_link(*up);
      break;
  }
  gst_event_unref(event);
  return done;
}

/** What comes from behind the source pad. */
gboolean gst_ip_host_upstream_event(GstPad* pad, GstObject* parent, GstEvent* event) {
  const auto up = gstpacket::link_event_state(event);
  if (!up) return gst_pad_event_default(pad, parent, event);
  state_of(parent).host->tell_link(*up);
  gst_event_unref(event);
  return TRUE;
}

gboolean gst_ip_host_packet_query(GstPad* pad, GstObject* parent, GstQuery* query) {
  if (GST_QUERY_TYPE(query) != GST_QUERY_ALLOCATION) {
    return gst_pad_query_default(pad, parent, query);
  }
  gst_query_add_allocation_meta(query, GST_PACKET_BATCH_META_API_TYPE, nullptr);
  return TRUE;
}

/** Packets come in and data leaves, or the other way round: packets do not pass. */
GstIterator* gst_ip_host_internal_links(GstPad* pad, GstObject* parent) {
  GstIterator* all = gst_pad_iterate_internal_links_default(pad, parent);
  if (all == nullptr) return nullptr;
  GValue kind = G_VALUE_INIT;
  g_value_init(&kind, G_TYPE_BOOLEAN);
  g_value_set_boolean(&kind, is_data_pad(pad));
  const auto same = [](gconstpointer item, gconstpointer data) -> gint {
    auto* other = static_cast<GstPad*>(g_value_get_object(static_cast<const GValue*>(item)));
    const bool other_data = is_data_pad(other);
    return other_data == (g_value_get_boolean(static_cast<const GValue*>(data)) != FALSE) ? 1 : 0;
  };
  GstIterator* others = gst_iterator_filter(all, same, &kind);
  g_value_unset(&kind);
  return others;
}

// ---- requests ---------------------------------------------------------------------------------

bool taken(GstElement* element, const std::string& name) {
  const PadPointer pad(gst_element_get_static_pad(element, name.c_str()), gst_object_unref);
  return pad != nullptr;
}

/** The name that was asked for, or that with the lowest free number; empty if it cannot be. */
std::string choose_name(GstElement* element, GstPadDirection direction, const char* asked) {
  const std::string prefix = direction == GST_PAD_SINK ? "udp_sink_" : "udp_src_";
  if (asked != nullptr && g_str_has_prefix(asked, prefix.c_str()) != FALSE &&
      std::strchr(asked, '%') == nullptr) {
    guint64 number = 0;
    const bool valid = g_ascii_string_to_unsigned(asked + prefix.size(), 10, 0, G_MAXUINT, &number,
                                                  nullptr) != FALSE;
    return valid && !taken(element, asked) ? asked : "";
  }
  for (guint number = 0; number < kMostPads; ++number) {
    std::string name = prefix + std::to_string(number);
    if (!taken(element, name)) return name;
  }
  return "";
}

void set_functions(GstPad* pad) {
  gst_pad_set_iterate_internal_links_function(pad, gst_ip_host_internal_links);
  if (GST_PAD_IS_SRC(pad)) {
    gst_pad_set_activatemode_function(pad, gst_ip_host_activate_receiver);
    g_signal_connect(pad, "linked", G_CALLBACK(gst_ip_host_receiver_linked), nullptr);
    g_signal_connect(pad, "unlinked", G_CALLBACK(gst_ip_host_receiver_unlinked), nullptr);
    return;
  }
  gst_pad_set_activatemode_function(pad, gst_ip_host_activate_sender);
  gst_pad_set_event_function(pad, gst_ip_host_data_event);
  gst_pad_set_chain_function(pad, [](GstPad* sink, GstObject*, GstBuffer* buffer) {
    return gst_ip_host_sender(sink)->send(buffer);
  });
  gst_pad_set_chain_list_function(pad, [](GstPad* sink, GstObject*, GstBufferList* list) {
    return gst_ip_host_sender(sink)->send(list);
  });
}

GstPad* gst_ip_host_request_new_pad(GstElement* element, GstPadTemplate* templ, const gchar* asked,
                                    const GstCaps*) {
  const std::string name = choose_name(element, GST_PAD_TEMPLATE_DIRECTION(templ), asked);
  if (name.empty()) {
    GST_WARNING_OBJECT(element, "no pad %s: there is one, or it has no number",
                       asked != nullptr ? asked : "more");
    return nullptr;
  }
  GstIpHostState& state = state_of(element);
  GstPad* pad = gst_ip_host_pad_new(templ, name.c_str(), state.host);
  gst_object_ref_sink(pad);
  gst_pad_set_element_private(pad, &state);
  set_functions(pad);
  if (UdpSender* sender = gst_ip_host_sender(pad)) sender->reset();
  if (state.host->running()) gst_pad_set_active(pad, TRUE);
  const bool added = gst_element_add_pad(element, pad) != FALSE;
  gst_object_unref(pad);
  if (!added) return nullptr;
  gst_child_proxy_child_added(GST_CHILD_PROXY(element), G_OBJECT(pad), name.c_str());
  return pad;
}

void gst_ip_host_release_pad(GstElement* element, GstPad* pad) {
  gchar* name = gst_pad_get_name(pad);
  // A source pad is unlinked first: a thread that pushes while it is deactivated may already have
  // found it active, but not the events any more that must go before the data.
  const PadPointer peer(GST_PAD_IS_SRC(pad) ? gst_pad_get_peer(pad) : nullptr, gst_object_unref);
  if (peer) gst_pad_unlink(pad, peer.get());
  gst_pad_set_active(pad, FALSE);
  gst_pad_set_element_private(pad, nullptr);
  gst_child_proxy_child_removed(GST_CHILD_PROXY(element), G_OBJECT(pad), name);
  g_free(name);
  gst_element_remove_pad(element, pad);
  gst_ip_host_look_for_end(cast(element));
}

// ---- child proxy ------------------------------------------------------------------------------

guint gst_ip_host_count_children(GstChildProxy* proxy) {
  return static_cast<guint>(data_pads(proxy).size());
}

GObject* gst_ip_host_child_by_index(GstChildProxy* proxy, guint index) {
  auto pads = data_pads(proxy);
  return index < pads.size() ? G_OBJECT(pads[index].release()) : nullptr;
}

}  // namespace

static void gst_ip_host_child_proxy_init(gpointer interface, gpointer) {
  auto* proxy = static_cast<GstChildProxyInterface*>(interface);
  proxy->get_children_count = gst_ip_host_count_children;
  proxy->get_child_by_index = gst_ip_host_child_by_index;
}

namespace {

// ---- states -----------------------------------------------------------------------------------

bool gst_ip_host_start(GstIpHost* self) {
  HostSettings settings;
  bool fragment = false;
  {
    const std::lock_guard lock(self->state->mutex);
    settings = self->state->settings;
    fragment = self->state->fragment;
    self->state->packets_ended = self->state->ended = false;
  }
  self->state->receiver.reset();
  for (const PadPointer& pad : data_pads(self)) {
    if (UdpSender* sender = gst_ip_host_sender(pad.get())) sender->reset();
    if (const auto receiver = gst_ip_host_receiver(pad.get())) receiver->reset_stats();
  }
  return self->state->host->start(settings, fragment);
}

GstStateChangeReturn gst_ip_host_change_state(GstElement* element, GstStateChange transition) {
  GstIpHost* self = cast(element);
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && !gst_ip_host_start(self)) {
    return GST_STATE_CHANGE_FAILURE;
  }
  const GstStateChangeReturn result =
      GST_ELEMENT_CLASS(gst_ip_host_parent_class)->change_state(element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY ||
      (transition == GST_STATE_CHANGE_READY_TO_PAUSED && result == GST_STATE_CHANGE_FAILURE)) {
    self->state->host->stop();
  }
  return result;
}

// ---- properties -------------------------------------------------------------------------------

std::string text_of(const GValue* value) {
  const gchar* text = g_value_get_string(value);
  return text != nullptr ? text : "";
}

void gst_ip_host_set_property(GObject* object, guint id, const GValue* value, GParamSpec* pspec) {
  GstIpHostState& state = state_of(object);
  const std::lock_guard lock(state.mutex);
  switch (id) {
    case kPropAddress:
      state.settings.address = text_of(value);
      break;
    case kPropGateway:
      state.settings.gateway = text_of(value);
      break;
    case kPropMac:
      state.settings.mac = text_of(value);
      break;
    case kPropMtu:
      state.settings.mtu = g_value_get_uint(value);
      break;
    case kPropVlan:
      state.settings.vlan = g_value_get_int(value);
      break;
    case kPropPcp:
      state.settings.pcp = g_value_get_uint(value);
      break;
    case kPropVerifyChecksum:
      state.settings.verify_checksum = g_value_get_boolean(value) != FALSE;
      break;
    case kPropNeighbours:
      state.settings.neighbours = text_of(value);
      break;
    case kPropFragment:
      state.fragment = g_value_get_boolean(value) != FALSE;
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
      break;
  }
}

/** A list of the statistics of the pads of one direction, each with the field `name`. */
void add_pad_stats(GstStructure* stats, GstIpHost* self) {
  GValue list = G_VALUE_INIT;
  g_value_init(&list, GST_TYPE_LIST);
  for (const PadPointer& pad : data_pads(self)) {
    GstStructure* one = nullptr;
    gchar* name = gst_pad_get_name(pad.get());
    g_object_get(pad.get(), "stats", &one, nullptr);
    gst_structure_set(one, "name", G_TYPE_STRING, name, nullptr);
    g_free(name);
    GValue value = G_VALUE_INIT;
    g_value_init(&value, GST_TYPE_STRUCTURE);
    g_value_take_boxed(&value, one);
    gst_value_list_append_and_take_value(&list, &value);
  }
  gst_structure_take_value(stats, "pads", &list);
}

GstStructure* gst_ip_host_stats(GstIpHost* self) {
  const PacketReceiver& receiver = self->state->receiver;
  GstStructure* stats = gst_structure_new("application/x-packet-stats", "packets-in", G_TYPE_UINT64,
                                          guint64{receiver.packets()}, "bytes-in", G_TYPE_UINT64,
                                          guint64{receiver.bytes()}, "drop-damaged", G_TYPE_UINT64,
                                          guint64{receiver.damaged()}, nullptr);
  self->state->host->add_stats(stats);
  add_pad_stats(stats, self);
  return stats;
}

void gst_ip_host_get_property(GObject* object, guint id, GValue* value, GParamSpec* pspec) {
  GstIpHostState& state = state_of(object);
  if (id == kPropStats) return g_value_take_boxed(value, gst_ip_host_stats(cast(object)));
  const std::lock_guard lock(state.mutex);
  switch (id) {
    case kPropAddress:
      g_value_set_string(value, state.settings.address.c_str());
      break;
    case kPropGateway:
      g_value_set_string(value, state.settings.gateway.c_str());
      break;
    case kPropMac:
      g_value_set_string(value, state.settings.mac.c_str());
      break;
    case kPropMtu:
      g_value_set_uint(value, state.settings.mtu);
      break;
    case kPropVlan:
      g_value_set_int(value, state.settings.vlan);
      break;
    case kPropPcp:
      g_value_set_uint(value, state.settings.pcp);
      break;
    case kPropVerifyChecksum:
      g_value_set_boolean(value, state.settings.verify_checksum);
      break;
    case kPropNeighbours:
      g_value_set_string(value, state.settings.neighbours.c_str());
      break;
    case kPropFragment:
      g_value_set_boolean(value, state.fragment);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
      break;
  }
}

void gst_ip_host_finalize(GObject* object) {
  delete cast(object)->state;
  G_OBJECT_CLASS(gst_ip_host_parent_class)->finalize(object);
}

constexpr char kStatsHelp[] = "Counters and tables of the host since it last went to PAUSED";

constexpr auto kReady =
    static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);

void install_address_properties(GObjectClass* klass) {
  g_object_class_install_property(
      klass, kPropAddress,
      g_param_spec_string("address", "Address",
                          "Addresses of the host, such as 10.0.0.1/24,2001:db8::1/64; /24: the "
                          "first 24 bits name the network",
                          "", kReady));
  g_object_class_install_property(
      klass, kPropGateway,
      g_param_spec_string(
          "gateway", "Gateway",
          "Address of the router to all other networks: IPv4, IPv6 or, separated by a comma, both",
          "", kReady));
  g_object_class_install_property(
      klass, kPropMac,
      g_param_spec_string("mac", "MAC address",
                          "MAC address of the host, such as 02:00:0a:00:00:01; empty: derived from "
                          "the first address",
                          "", kReady));
  g_object_class_install_property(
      klass, kPropNeighbours,
      g_param_spec_string(
          "neighbours", "Neighbours",
          "Hosts with known MAC addresses, separated by commas, such as 10.0.0.2=02:00:0a:00:00:02",
          "", kReady));
}

void install_link_properties(GObjectClass* klass) {
  g_object_class_install_property(
      klass, kPropMtu,
      lenient_spec_uint(
          "mtu", "MTU",
          "Longest IP packet of the link, in bytes; 1280 or more with an IPv6 address", 576, 65535,
          1500, kReady));
  g_object_class_install_property(
      klass, kPropVlan,
      g_param_spec_int("vlan", "VLAN", "VLAN of the host; -1: none, untagged frames", -1, 4094, -1,
                       kReady));
  g_object_class_install_property(
      klass, kPropPcp,
      g_param_spec_uint("pcp", "Priority", "Priority code point in the VLAN tag of its frames", 0,
                        7, 0, kReady));
  g_object_class_install_property(
      klass, kPropVerifyChecksum,
      g_param_spec_boolean("verify-checksum", "Verify checksum",
                           "Drop packets with a wrong IPv4 header, UDP or ICMP checksum", TRUE,
                           kReady));
  g_object_class_install_property(
      klass, kPropFragment,
      g_param_spec_boolean("fragment", "Fragment",
                           "Send datagrams that are longer than the MTU in fragments; if false, "
                           "they are an error",
                           FALSE, kReady));
}

void add_templates(GstElementClass* klass) {
  GstCaps* packets = gstpacket::make_caps({LinkType::ethernet, LinkType::ip});
  gst_element_class_add_pad_template(
      klass, gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS, packets));
  gst_element_class_add_pad_template(
      klass, gst_pad_template_new("src", GST_PAD_SRC, GST_PAD_ALWAYS, packets));
  gst_caps_unref(packets);
  GstCaps* any = gst_caps_new_any();
  gst_element_class_add_pad_template(
      klass, gst_pad_template_new_with_gtype("udp_sink_%u", GST_PAD_SINK, GST_PAD_REQUEST, any,
                                             gst_ip_host_udp_sink_pad_get_type()));
  gst_element_class_add_pad_template(
      klass, gst_pad_template_new_with_gtype("udp_src_%u", GST_PAD_SRC, GST_PAD_REQUEST, any,
                                             gst_ip_host_udp_src_pad_get_type()));
  gst_caps_unref(any);
  gst_type_mark_as_plugin_api(gst_ip_host_udp_sink_pad_get_type(), GstPluginAPIFlags(0));
  gst_type_mark_as_plugin_api(gst_ip_host_udp_src_pad_get_type(), GstPluginAPIFlags(0));
}

GstPad* add_packet_pad(GstElement* element, const char* name) {
  GstPadTemplate* templ = gst_element_class_get_pad_template(GST_ELEMENT_GET_CLASS(element), name);
  GstPad* pad = gst_pad_new_from_template(templ, name);
  gst_pad_set_iterate_internal_links_function(pad, gst_ip_host_internal_links);
  gst_element_add_pad(element, pad);
  return pad;
}

}  // namespace

static void gst_ip_host_class_init(GstIpHostClass* klass) {
  GST_DEBUG_CATEGORY_INIT(iphost_debug, "iphost", 0, "IP host on a network of packets");
  GObjectClass* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = gst_ip_host_set_property;
  object_class->get_property = gst_ip_host_get_property;
  object_class->finalize = gst_ip_host_finalize;
  install_address_properties(object_class);
  install_link_properties(object_class);
  g_object_class_install_property(
      object_class, kPropStats,
      g_param_spec_boxed("stats", "Statistics", kStatsHelp, GST_TYPE_STRUCTURE,
                         static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));

  GstElementClass* element_class = GST_ELEMENT_CLASS(klass);
  element_class->change_state = gst_ip_host_change_state;
  element_class->request_new_pad = gst_ip_host_request_new_pad;
  element_class->release_pad = gst_ip_host_release_pad;
  add_templates(element_class);
  gst_element_class_set_static_metadata(
      element_class, "IP host", "Source/Sink/Network",
      "Sends and receives UDP datagrams over packets: ARP, neighbour discovery, ICMP, groups",
      PLUGIN_AUTHOR);
  add_documentation_uri(element_class, DOCUMENTATION_URI("iphost"));
}

static void gst_ip_host_init(GstIpHost* self) {
  GstElement* element = &self->parent;
  self->sink = add_packet_pad(element, "sink");
  self->src = add_packet_pad(element, "src");
  self->state = new GstIpHostState(element, self->src);
  gst_pad_set_event_function(self->src, gst_ip_host_upstream_event);
  gst_pad_set_element_private(self->sink, self->state);
  gst_pad_set_event_function(self->sink, gst_ip_host_packet_event);
  gst_pad_set_query_function(self->sink, gst_ip_host_packet_query);
  gst_pad_set_chain_function(self->sink, [](GstPad* pad, GstObject*, GstBuffer* buffer) {
    return static_cast<GstIpHostState*>(gst_pad_get_element_private(pad))->receiver.receive(buffer);
  });
  gst_pad_set_chain_list_function(self->sink, [](GstPad* pad, GstObject*, GstBufferList* list) {
    return static_cast<GstIpHostState*>(gst_pad_get_element_private(pad))->receiver.receive(list);
  });
}
