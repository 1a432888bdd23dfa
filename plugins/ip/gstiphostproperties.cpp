// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/ip/gstiphostproperties.hpp"

#include <mutex>
#include <string>

#include "plugins/common/host_specs.hpp"
#include "plugins/common/properties.hpp"
#include "plugins/ip/gstiphoststate.hpp"

using ipplugin::PacketReceiver;

namespace {

/** The first ones as in host_specs(). */
enum : guint {
  kPropAddress = 1,
  kPropGateway,
  kPropMac,
  kPropNeighbours,
  kPropMtu,
  kPropVlan,
  kPropPcp,
  kPropVerifyChecksum,
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

void gst_ip_host_install_properties(GObjectClass* klass) {
  guint id = kPropAddress;
  for (GParamSpec* spec : host_specs()) g_object_class_install_property(klass, id++, spec);
  g_assert(id == kPropStats);
  g_object_class_install_property(
      klass, kPropStats,
      stats_spec("Counters and tables of the host since it last went to PAUSED"));
}
