// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The sink pads of iphost for data: their type, with the properties of what they send.
 */
#include <string>
#include <utility>

#include "plugins/common/properties.hpp"
#include "plugins/ip/gstiphostpads.hpp"

using ipplugin::IpHost;
using ipplugin::Pacer;
using ipplugin::SenderSettings;
using ipplugin::UdpSender;

namespace {

enum : guint {
  kSinkHost = 1,
  kSinkPort,
  kSinkClients,
  kSinkBindPort,
  kSinkTtl,
  kSinkTtlMc,
  kSinkDscp,
  kSinkChecksum,
  kSinkMaxBitrate,
  kSinkMaxBurst,
  kSinkStats
};

/** The C++ side, made when the pad gets its host. */
struct SinkSide {
  std::shared_ptr<IpHost> host;
  UdpSender sender;
  SinkSide(GstPad* pad, std::shared_ptr<IpHost> owner)
      : host(std::move(owner)), sender(pad, *host) {
    host->count_sender(1);
  }
  ~SinkSide() { host->count_sender(-1); }
  SinkSide(const SinkSide&) = delete;
  SinkSide& operator=(const SinkSide&) = delete;
};

}  // namespace

struct GstIpHostUdpSinkPad {
  GstPad parent;
  SinkSide* side;
};
struct GstIpHostUdpSinkPadClass {
  GstPadClass parent_class;
};

G_DEFINE_TYPE(GstIpHostUdpSinkPad, gst_ip_host_udp_sink_pad, GST_TYPE_PAD)

namespace {

GstIpHostUdpSinkPad* sink_pad(gpointer pad) {
  return static_cast<GstIpHostUdpSinkPad*>(pad);
}

/** Whether it was a setting of the datagrams. */
bool set_setting(SenderSettings& settings, guint id, const GValue* value) {
  switch (id) {
    case kSinkHost:
      settings.host = text_of(value);
      settings.clients.clear();
      return true;
    case kSinkPort:
      settings.port = g_value_get_uint(value);
      settings.clients.clear();
      return true;
    case kSinkClients:
      settings.clients = text_of(value);
      return true;
    case kSinkBindPort:
      settings.bind_port = g_value_get_uint(value);
      return true;
    case kSinkTtl:
      settings.ttl = g_value_get_uint(value);
      return true;
    case kSinkTtlMc:
      settings.ttl_mc = g_value_get_uint(value);
      return true;
    case kSinkDscp:
      settings.dscp = g_value_get_int(value);
      return true;
    case kSinkChecksum:
      settings.checksum = g_value_get_boolean(value) != FALSE;
      return true;
    default:
      return false;
  }
}

bool get_setting(const SenderSettings& settings, guint id, GValue* value) {
  switch (id) {
    case kSinkHost:
      g_value_set_string(value, settings.host.c_str());
      return true;
    case kSinkPort:
      g_value_set_uint(value, settings.port);
      return true;
    case kSinkClients: {
      std::string text = settings.clients;
      if (text.empty() && !settings.host.empty()) {
        text =
            ipplugin::format_clients({{settings.host, static_cast<std::uint16_t>(settings.port)}});
      }
      g_value_set_string(value, text.c_str());
      return true;
    }
    case kSinkBindPort:
      g_value_set_uint(value, settings.bind_port);
      return true;
    case kSinkTtl:
      g_value_set_uint(value, settings.ttl);
      return true;
    case kSinkTtlMc:
      g_value_set_uint(value, settings.ttl_mc);
      return true;
    case kSinkDscp:
      g_value_set_int(value, settings.dscp);
      return true;
    case kSinkChecksum:
      g_value_set_boolean(value, settings.checksum);
      return true;
    default:
      return false;
  }
}

void sink_pad_set_property(GObject* object, guint id, const GValue* value, GParamSpec* pspec) {
  UdpSender& sender = sink_pad(object)->side->sender;
  Pacer& pacer = sender.pacer();
  switch (id) {
    case kSinkMaxBitrate:
      return pacer.set_rate(g_value_get_uint64(value));
    case kSinkMaxBurst:
      return pacer.set_burst(g_value_get_uint64(value));
    default:
      break;
  }
  bool known = false;
  sender.change([&](SenderSettings& settings) { known = set_setting(settings, id, value); });
  if (!known) G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
}

void sink_pad_get_property(GObject* object, guint id, GValue* value, GParamSpec* pspec) {
  UdpSender& sender = sink_pad(object)->side->sender;
  switch (id) {
    case kSinkMaxBitrate:
      return g_value_set_uint64(value, sender.pacer().rate());
    case kSinkMaxBurst:
      return g_value_set_uint64(value, sender.pacer().burst());
    case kSinkStats:
      return g_value_take_boxed(value, stats_of(sender));
    default:
      break;
  }
  if (!get_setting(sender.settings(), id, value)) {
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
  }
}

void sink_pad_finalize(GObject* object) {
  delete sink_pad(object)->side;
  G_OBJECT_CLASS(gst_ip_host_udp_sink_pad_parent_class)->finalize(object);
}

void install_destination_properties(GObjectClass* klass) {
  g_object_class_install_property(
      klass, kSinkHost,
      g_param_spec_string("host", "Host",
                          "IP address of the host or group to send to; names are not resolved", "",
                          kPlaying));
  g_object_class_install_property(
      klass, kSinkPort,
      g_param_spec_uint("port", "Port", "UDP port to send to", 1, kMaxPort, 5004, kPlaying));
  g_object_class_install_property(
      klass, kSinkClients,
      g_param_spec_string("clients", "Clients",
                          "Destinations, such as 10.0.0.2:5004,[2001:db8::2]:5004; setting host or "
                          "port replaces them",
                          "", kPlaying));
  g_object_class_install_property(
      klass, kSinkBindPort,
      g_param_spec_uint("bind-port", "Bind port",
                        "UDP port to send from; 0: one from 49152 on that no other pad has", 0,
                        kMaxPort, 0, kPlaying));
}

void install_datagram_properties(GObjectClass* klass) {
  g_object_class_install_property(
      klass, kSinkTtl,
      g_param_spec_uint("ttl", "TTL", "Time to live, or hop limit, of datagrams to a host", 0, 255,
                        64, kPlaying));
  g_object_class_install_property(
      klass, kSinkTtlMc,
      g_param_spec_uint("ttl-mc", "Multicast TTL",
                        "Time to live, or hop limit, of datagrams to a group", 0, 255, 1,
                        kPlaying));
  g_object_class_install_property(
      klass, kSinkDscp,
      g_param_spec_int("qos-dscp", "DSCP",
                       "Differentiated services code point of datagrams; -1: that of best effort, "
                       "0",
                       -1, 63, -1, kPlaying));
  g_object_class_install_property(
      klass, kSinkChecksum,
      g_param_spec_boolean("checksum", "Checksum",
                           "Send a UDP checksum over IPv4; over IPv6 there always is one", TRUE,
                           kPlaying));
  g_object_class_install_property(
      klass, kSinkMaxBitrate,
      g_param_spec_uint64(
          "max-bitrate", "Maximum bit rate",
          "Most bits of payload per second that leave, to all clients together; 0: no limit", 0,
          G_MAXUINT64, 0, kPlaying));
  g_object_class_install_property(
      klass, kSinkMaxBurst,
      g_param_spec_uint64("max-burst", "Maximum burst",
                          "Time in nanoseconds whose bits at max-bitrate may leave at once", 0,
                          10 * GST_SECOND, Pacer::kBurst, kPlaying));
  g_object_class_install_property(klass, kSinkStats, stats_spec());
}

}  // namespace

static void gst_ip_host_udp_sink_pad_class_init(GstIpHostUdpSinkPadClass* klass) {
  GObjectClass* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = sink_pad_set_property;
  object_class->get_property = sink_pad_get_property;
  object_class->finalize = sink_pad_finalize;
  install_destination_properties(object_class);
  install_datagram_properties(object_class);
}

static void gst_ip_host_udp_sink_pad_init(GstIpHostUdpSinkPad*) {}

UdpSender* gst_ip_host_sender(GstPad* pad) {
  if (G_OBJECT_TYPE(pad) != gst_ip_host_udp_sink_pad_get_type()) return nullptr;
  return &sink_pad(pad)->side->sender;
}

GstPad* gst_ip_host_sink_pad_new(GstPadTemplate* templ, const char* name,
                                 std::shared_ptr<IpHost> host) {
  auto* pad = static_cast<GstPad*>(g_object_new(gst_ip_host_udp_sink_pad_get_type(), "name", name,
                                                "direction", GST_PAD_TEMPLATE_DIRECTION(templ),
                                                "template", templ, nullptr));
  sink_pad(pad)->side = new SinkSide(pad, std::move(host));
  return pad;
}
