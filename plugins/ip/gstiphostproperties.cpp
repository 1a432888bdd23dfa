// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/ip/gstiphostproperties.hpp"

#include <mutex>
#include <string>

#include "plugins/common/lenient_spec.hpp"
#include "plugins/common/properties.hpp"
#include "plugins/ip/gstiphoststate.hpp"

using ipplugin::PacketReceiver;

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

}  // namespace

void gst_ip_host_set_property(GObject* object, guint id, const GValue* value, GParamSpec* pspec) {
  GstIpHostState& state = gst_ip_host_state(object);
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

namespace {

/** A list of the statistics of the pads of one direction, each with the field `name`. */
void add_pad_stats(GstStructure* stats, GstIpHost* self) {
  GValue list = G_VALUE_INIT;
  g_value_init(&list, GST_TYPE_LIST);
  for (const PadPointer& pad : gst_ip_host_data_pads(self)) {
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

}  // namespace

void gst_ip_host_get_property(GObject* object, guint id, GValue* value, GParamSpec* pspec) {
  GstIpHostState& state = gst_ip_host_state(object);
  if (id == kPropStats)
    return g_value_take_boxed(value, gst_ip_host_stats(gst_ip_host_cast(object)));
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

namespace {

constexpr char kStatsHelp[] = "Counters and tables of the host since it last went to PAUSED";

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

}  // namespace

void gst_ip_host_install_properties(GObjectClass* klass) {
  install_address_properties(klass);
  install_link_properties(klass);
  g_object_class_install_property(klass, kPropStats, stats_spec(kStatsHelp));
}
