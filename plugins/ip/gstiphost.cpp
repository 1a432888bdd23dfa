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

#include <mutex>

#include "gst/packet/caps.hpp"
#include "gst/packet/packetbatch.h"
#include "plugins/common/documentation.hpp"
#include "plugins/ip/debug.hpp"
#include "plugins/ip/gstiphostevents.hpp"
#include "plugins/ip/gstiphostpads.hpp"
#include "plugins/ip/gstiphostproperties.hpp"
#include "plugins/ip/gstiphostrequests.hpp"
#include "plugins/ip/gstiphoststate.hpp"

GST_DEBUG_CATEGORY(iphost_debug);

using gstpacket::LinkType;
using ipplugin::HostSettings;
using ipplugin::UdpSender;

struct GstIpHostClass {
  GstElementClass parent_class;
};

GType gst_ip_host_get_type(void);
G_DEFINE_TYPE_WITH_CODE(GstIpHost, gst_ip_host, GST_TYPE_ELEMENT,
                        G_IMPLEMENT_INTERFACE(GST_TYPE_CHILD_PROXY, gst_ip_host_child_proxy_init))
GST_ELEMENT_REGISTER_DEFINE(iphost, "iphost", GST_RANK_NONE, gst_ip_host_get_type())

namespace {

gboolean gst_ip_host_packet_query(GstPad* pad, GstObject* parent, GstQuery* query) {
  if (GST_QUERY_TYPE(query) != GST_QUERY_ALLOCATION) {
    return gst_pad_query_default(pad, parent, query);
  }
  gst_query_add_allocation_meta(query, GST_PACKET_BATCH_META_API_TYPE, nullptr);
  return TRUE;
}

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
  for (const PadPointer& pad : gst_ip_host_data_pads(self)) {
    if (UdpSender* sender = gst_ip_host_sender(pad.get())) sender->reset();
    if (const auto receiver = gst_ip_host_receiver(pad.get())) receiver->reset_stats();
  }
  return self->state->host->start(settings, fragment);
}

GstStateChangeReturn gst_ip_host_change_state(GstElement* element, GstStateChange transition) {
  GstIpHost* self = gst_ip_host_cast(element);
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

void gst_ip_host_finalize(GObject* object) {
  delete gst_ip_host_cast(object)->state;
  G_OBJECT_CLASS(gst_ip_host_parent_class)->finalize(object);
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
  gst_ip_host_install_properties(object_class);

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
