// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/ip/gstiphostpads.hpp"

#include <string>
#include <utility>

#include "plugins/common/properties.hpp"
#include "plugins/ip/debug.hpp"

using ipplugin::IpHost;
using ipplugin::Pacer;
using ipplugin::SenderSettings;
using ipplugin::UdpReceiver;
using ipplugin::UdpSender;

namespace {

constexpr guint kMaxPort = 65535;

template <class User>
GstStructure* stats_of(const User& user) {
  GstStructure* stats = gst_structure_new_empty("application/x-packet-stats");
  user.add_stats(stats);
  return stats;
}

}  // namespace

// ---- sink pads --------------------------------------------------------------------------------

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
      const bool one = settings.clients.empty() && !settings.host.empty();
      const std::string text =
          one ? ipplugin::format_clients(
                    {{settings.host, static_cast<std::uint16_t>(settings.port)}})
              : settings.clients;
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
      return pacer.set(g_value_get_uint64(value), pacer.burst());
    case kSinkMaxBurst:
      return pacer.set(pacer.rate(), g_value_get_uint64(value));
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

// ---- source pads ------------------------------------------------------------------------------

namespace {

enum : guint { kSrcPort = 1, kSrcGroup, kSrcSource, kSrcCaps, kSrcTimeout, kSrcStats };

struct SourceSide {
  std::shared_ptr<IpHost> host;
  std::shared_ptr<UdpReceiver> receiver;
};

}  // namespace

struct GstIpHostUdpSrcPad {
  GstPad parent;
  SourceSide* side;
};
struct GstIpHostUdpSrcPadClass {
  GstPadClass parent_class;
};

G_DEFINE_TYPE(GstIpHostUdpSrcPad, gst_ip_host_udp_src_pad, GST_TYPE_PAD)

namespace {

GstIpHostUdpSrcPad* src_pad(gpointer pad) {
  return static_cast<GstIpHostUdpSrcPad*>(pad);
}

/** What is bound changes with it. */
bool set_binding(UdpReceiver& receiver, guint id, const GValue* value) {
  const std::lock_guard lock(receiver.mutex);
  switch (id) {
    case kSrcPort:
      receiver.port = g_value_get_uint(value);
      return true;
    case kSrcGroup:
      receiver.group = text_of(value);
      return true;
    case kSrcSource:
      receiver.sources = text_of(value);
      return true;
    default:
      return false;
  }
}

void set_timeout(SourceSide& side, guint64 timeout) {
  {
    const std::lock_guard lock(side.receiver->mutex);
    side.receiver->timeout = timeout;
  }
  side.receiver->restart_timeout(ipplugin::monotonic_time());
  side.host->wake();
}

void src_pad_set_property(GObject* object, guint id, const GValue* value, GParamSpec* pspec) {
  SourceSide& side = *src_pad(object)->side;
  if (set_binding(*side.receiver, id, value)) {
    side.host->bind_again(side.receiver);
    return;
  }
  switch (id) {
    case kSrcCaps: {
      const GstCaps* caps = gst_value_get_caps(value);
      side.receiver->set_caps(caps != nullptr ? gst_caps_copy(caps) : nullptr);
      break;
    }
    case kSrcTimeout:
      set_timeout(side, g_value_get_uint64(value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
      break;
  }
}

void src_pad_get_property(GObject* object, guint id, GValue* value, GParamSpec* pspec) {
  UdpReceiver& receiver = *src_pad(object)->side->receiver;
  if (id == kSrcStats) return g_value_take_boxed(value, stats_of(receiver));
  const std::lock_guard lock(receiver.mutex);
  switch (id) {
    case kSrcPort:
      g_value_set_uint(value, receiver.port);
      break;
    case kSrcGroup:
      g_value_set_string(value, receiver.group.c_str());
      break;
    case kSrcSource:
      g_value_set_string(value, receiver.sources.c_str());
      break;
    case kSrcCaps:
      gst_value_set_caps(value, receiver.caps);
      break;
    case kSrcTimeout:
      g_value_set_uint64(value, receiver.timeout);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
      break;
  }
}

void src_pad_finalize(GObject* object) {
  delete src_pad(object)->side;
  G_OBJECT_CLASS(gst_ip_host_udp_src_pad_parent_class)->finalize(object);
}

}  // namespace

static void gst_ip_host_udp_src_pad_class_init(GstIpHostUdpSrcPadClass* klass) {
  GObjectClass* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = src_pad_set_property;
  object_class->get_property = src_pad_get_property;
  object_class->finalize = src_pad_finalize;
  g_object_class_install_property(
      object_class, kSrcPort,
      g_param_spec_uint("port", "Port", "UDP port to receive on", 1, kMaxPort, 5004, kPlaying));
  g_object_class_install_property(
      object_class, kSrcGroup,
      g_param_spec_string(
          "multicast-group", "Multicast group",
          "Group to join and to receive from; empty: datagrams to the addresses of the host", "",
          kPlaying));
  g_object_class_install_property(
      object_class, kSrcSource,
      g_param_spec_string(
          "multicast-source", "Multicast source",
          "Only senders to hear in multicast-group, separated by commas; empty: all", "",
          kPlaying));
  g_object_class_install_property(
      object_class, kSrcCaps,
      g_param_spec_boxed("caps", "Caps", "Caps of the datagrams; none: they have no caps",
                         GST_TYPE_CAPS, kPlaying));
  g_object_class_install_property(
      object_class, kSrcTimeout,
      g_param_spec_uint64(
          "timeout", "Timeout",
          "Nanoseconds without a datagram after which GstIpHostTimeout is posted; 0: never", 0,
          G_MAXUINT64, 0, kPlaying));
  g_object_class_install_property(object_class, kSrcStats, stats_spec());
}

static void gst_ip_host_udp_src_pad_init(GstIpHostUdpSrcPad*) {}

// ---- both -------------------------------------------------------------------------------------

UdpSender* gst_ip_host_sender(GstPad* pad) {
  if (G_OBJECT_TYPE(pad) != gst_ip_host_udp_sink_pad_get_type()) return nullptr;
  return &sink_pad(pad)->side->sender;
}

std::shared_ptr<UdpReceiver> gst_ip_host_receiver(GstPad* pad) {
  if (G_OBJECT_TYPE(pad) != gst_ip_host_udp_src_pad_get_type()) return nullptr;
  return src_pad(pad)->side->receiver;
}

GstPad* gst_ip_host_pad_new(GstPadTemplate* templ, const char* name, std::shared_ptr<IpHost> host) {
  const GstPadDirection direction = GST_PAD_TEMPLATE_DIRECTION(templ);
  const GType type = direction == GST_PAD_SINK ? gst_ip_host_udp_sink_pad_get_type()
                                               : gst_ip_host_udp_src_pad_get_type();
  auto* pad = static_cast<GstPad*>(
      g_object_new(type, "name", name, "direction", direction, "template", templ, nullptr));
  if (direction == GST_PAD_SINK) {
    sink_pad(pad)->side = new SinkSide(pad, std::move(host));
  } else {
    src_pad(pad)->side = new SourceSide{std::move(host), std::make_shared<UdpReceiver>(pad)};
  }
  return pad;
}
