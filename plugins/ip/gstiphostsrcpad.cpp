// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The source pads of iphost for data: their type, with the properties of what they receive.
 */
#include <mutex>
#include <utility>

#include "plugins/common/properties.hpp"
#include "plugins/ip/gstiphostpads.hpp"

using ipplugin::IpHost;
using ipplugin::UdpReceiver;

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
  // First: the silence of before is no reason to tell of the new one.
  side.receiver->restart_timeout(ipplugin::monotonic_time());
  {
    const std::lock_guard lock(side.receiver->mutex);
    side.receiver->timeout = timeout;
  }
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

std::shared_ptr<UdpReceiver> gst_ip_host_receiver(GstPad* pad) {
  if (G_OBJECT_TYPE(pad) != gst_ip_host_udp_src_pad_get_type()) return nullptr;
  return src_pad(pad)->side->receiver;
}

GstPad* gst_ip_host_src_pad_new(GstPadTemplate* templ, const char* name,
                                std::shared_ptr<IpHost> host) {
  auto* pad = static_cast<GstPad*>(g_object_new(gst_ip_host_udp_src_pad_get_type(), "name", name,
                                                "direction", GST_PAD_TEMPLATE_DIRECTION(templ),
                                                "template", templ, nullptr));
  src_pad(pad)->side = new SourceSide{std::move(host), std::make_shared<UdpReceiver>(pad)};
  return pad;
}
