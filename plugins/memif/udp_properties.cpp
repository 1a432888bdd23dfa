// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The properties of memifudpsrc and memifudpsink, as far as they have the same.
 */
#include <algorithm>
#include <cstring>

#include "plugins/common/host_specs.hpp"
#include "plugins/common/properties.hpp"
#include "plugins/memif/debug.hpp"
#include "plugins/memif/setting_properties.hpp"
#include "plugins/memif/udp_end.hpp"

using gstmemif::SettingInfo;

namespace {

/** As udpsrc and udpsink say it: no group. */
constexpr char kNoGroup[] = "0.0.0.0";

/** The name here: `buffer-size` is something else on udpsrc. */
const char* name_of(const SettingInfo& info) {
  return std::strcmp(info.name, "buffer-size") == 0 ? "slot-size" : info.name;
}

const SettingInfo* setting_of(guint id) {
  const auto infos = gstmemif::setting_infos();
  const std::size_t index = id - kUdpFirstLink;
  return index < infos.size() ? &infos[index] : nullptr;
}

bool is_host(guint id) {
  return id >= kUdpFirstHost && id < kUdpFirstPad;
}
bool is_pad(guint id) {
  return id >= kUdpFirstPad && id < kUdpUri;
}

// ---- properties -------------------------------------------------------------------------------

void install_link(GObjectClass* klass) {
  guint id = kUdpFirstLink;
  for (const SettingInfo& info : gstmemif::setting_infos()) {
    g_object_class_install_property(klass, id++, new_setting_spec(info, name_of(info)));
  }
  g_assert(id <= kUdpFirstHost);
}

void install_host(GObjectClass* klass) {
  guint id = kUdpFirstHost;
  for (GParamSpec* spec : host_specs()) g_object_class_install_property(klass, id++, spec);
}

void install_sender(GObjectClass* klass) {
  GParamSpec* const specs[] = {
      g_param_spec_string("host", "Host",
                          "IP address of the host or group to send to; names are not resolved", "",
                          kPlaying),
      g_param_spec_int("port", "Port", "UDP port to send to", 0, 65535, 5004, kPlaying),
      g_param_spec_string("clients", "Clients",
                          "Destinations, such as 10.0.0.2:5004,[2001:db8::2]:5004; setting host or "
                          "port replaces them",
                          "", kPlaying),
      g_param_spec_int("bind-port", "Bind port",
                       "UDP port to send from; 0: one that no other sender on this host has", 0,
                       65535, 0, kPlaying),
      g_param_spec_int("ttl", "TTL", "Time to live, or hop limit, of datagrams to a host", 0, 255,
                       64, kPlaying),
      g_param_spec_int("ttl-mc", "Multicast TTL",
                       "Time to live, or hop limit, of datagrams to a group", 0, 255, 1, kPlaying),
      g_param_spec_int(
          "qos-dscp", "DSCP",
          "Differentiated services code point of datagrams; -1: that of best effort, 0", -1, 63, -1,
          kPlaying),
      g_param_spec_boolean("checksum", "Checksum",
                           "Send a UDP checksum over IPv4; over IPv6 there always is one", TRUE,
                           kPlaying),
      g_param_spec_uint64(
          "max-bitrate", "Maximum bit rate",
          "Most bits of payload per second that leave, to all clients together; 0: no limit", 0,
          G_MAXUINT64, 0, kPlaying),
  };
  guint id = kUdpFirstPad;
  for (GParamSpec* spec : specs) g_object_class_install_property(klass, id++, spec);
}

void install_receiver(GObjectClass* klass) {
  GParamSpec* const specs[] = {
      g_param_spec_int("port", "Port", "UDP port to receive on", 0, 65535, 5004, kPlaying),
      g_param_spec_string("multicast-group", "Multicast group",
                          "Group to join and to receive from; 0.0.0.0 or empty: datagrams to the "
                          "addresses of the host",
                          kNoGroup, kPlaying),
      g_param_spec_string(
          "multicast-source", "Multicast source",
          "Only senders to hear in multicast-group, separated by commas; empty: all", "", kPlaying),
      g_param_spec_uint64(
          "timeout", "Timeout",
          "Nanoseconds without a datagram after which GstUDPSrcTimeout is posted; 0: never", 0,
          G_MAXUINT64, 0, kPlaying),
  };
  guint id = kUdpFirstPad;
  for (GParamSpec* spec : specs) g_object_class_install_property(klass, id++, spec);
}

bool is_empty(const GValue& value) {
  return G_VALUE_HOLDS_STRING(&value) && text_of(&value).empty();
}

}  // namespace

void UdpEnd::install_properties(GObjectClass* klass, Direction direction) {
  install_link(klass);
  install_host(klass);
  direction == Direction::send ? install_sender(klass) : install_receiver(klass);
  g_object_class_install_property(
      klass, kUdpUri,
      g_param_spec_string("uri", "URI",
                          direction == Direction::send
                              ? "Where to send: memifudp://HOST:PORT?PROPERTY=VALUE&... with "
                                "properties of this element"
                              : "What to receive: memifudp://GROUP:PORT?PROPERTY=VALUE&... with "
                                "properties of this element",
                          nullptr, kReady));
  g_object_class_install_property(
      klass, kUdpLinkUp,
      g_param_spec_boolean("link-up", "Link up",
                           "Whether a peer is connected; changes are notified", FALSE, kReadOnly));
  g_object_class_install_property(
      klass, kUdpPeerName,
      g_param_spec_string("peer-name", "Peer name",
                          "Name of the peer's interface, or of its program; changes are notified",
                          nullptr, kReadOnly));
}

const PropertyValue* UdpEnd::given_pad(const std::string& property) const {
  const auto found = std::ranges::find(pad_given_, property, &Given::property);
  return found != pad_given_.end() ? &found->value : nullptr;
}

/** The version that has it. */
unsigned UdpEnd::keep(const char* property, const GValue* value) {
  std::erase_if(pad_given_, [property](const Given& given) { return given.property == property; });
  pad_given_.push_back({property, PropertyValue(*value)});
  return ++pad_version_;
}

void UdpEnd::set_on_pad(GstPad* pad, const std::string& property, const GValue* value) {
  const bool no_group =
      property == "multicast-group" && g_strcmp0(g_value_get_string(value), kNoGroup) == 0;
  if (no_group) {
    g_object_set(pad, "multicast-group", "", nullptr);
  } else {
    g_object_set_property(G_OBJECT(pad), property.c_str(), value);
  }
}

/** There may be no bus yet to report a wrong URI to: join() does it. */
void UdpEnd::set_uri_property(const char* text) {
  GError* error = nullptr;
  const bool good = text == nullptr || set_uri(text, &error);
  const std::lock_guard lock(mutex_);
  refused_uri_ = good ? "" : error->message;
  if (!good) GST_WARNING_OBJECT(element_, "%s", error->message);
  g_clear_error(&error);
}

bool UdpEnd::set_property(guint id, const GValue* value, GParamSpec* spec) {
  if (id >= kUdpLast) return false;
  if (id == kUdpUri) {
    set_uri_property(g_value_get_string(value));
    return true;
  }
  unsigned version = 0;
  {
    const std::lock_guard lock(mutex_);
    if (is_pad(id)) {
      version = keep(spec->name, value);
    } else if (is_host(id)) {
      given_.host.erase(spec->name);
      // Nothing is said with an empty text: another element may say it.
      if (!is_empty(*value)) given_.host.emplace(spec->name, PropertyValue(*value));
      changed_ = true;
    } else if (const SettingInfo* info = setting_of(id)) {
      given_.link[info] = take_setting(*info, value);
      changed_ = true;
    }
    if (!is_pad(id) && use_) {
      GST_WARNING_OBJECT(element_, "the host is running: %s takes effect at the next start",
                         spec->name);
    }
  }
  if (!is_pad(id)) return true;
  if (const Use now = use()) {
    const HostUser::Acting acting(*now.user);
    set_on_pad(now.pad.get(), spec->name, value);
    // What another thread has set since may be on the pad already, and was set last.
    std::unique_lock lock(mutex_);
    catch_up(lock, now.pad.get(), version);
  }
  return true;
}

bool UdpEnd::get_from_host(guint id, GValue* value, GParamSpec* spec) const {
  const Use now = use();
  if (!now) return false;
  if (is_pad(id)) {
    g_object_get_property(G_OBJECT(now.pad.get()), spec->name, value);
    return true;
  }
  const SettingInfo* info = is_host(id) ? nullptr : setting_of(id);
  const char* name = info != nullptr ? info->name : spec->name;
  GObject* of = G_OBJECT(is_host(id) ? now.host.get() : now.link.get());
  // A setting of the other direction is as it was given.
  if (g_object_class_find_property(G_OBJECT_GET_CLASS(of), name) == nullptr) return false;
  g_object_get_property(of, name, value);
  return true;
}

bool UdpEnd::get_property(guint id, GValue* value, GParamSpec* spec) const {
  if (id >= kUdpLast) return false;
  if (id == kUdpUri) {
    g_value_set_string(value, uri().c_str());
    return true;
  }
  if (get_from_host(id, value, spec)) return true;
  const std::lock_guard lock(mutex_);
  g_param_value_set_default(spec, value);
  if (is_pad(id)) {
    if (std::strcmp(spec->name, "clients") == 0 && given_pad("clients") == nullptr) {
      const PropertyValue* host = given_pad("host");
      const PropertyValue* port = given_pad("port");
      const int number = port != nullptr ? g_value_get_int(&port->value()) : 5004;
      if (host != nullptr) g_value_set_string(value, host_and_port(host->text(), number).c_str());
    } else if (const PropertyValue* given = given_pad(spec->name)) {
      g_value_copy(&given->value(), value);
    }
  } else if (is_host(id)) {
    const auto given = given_.host.find(spec->name);
    if (given != given_.host.end()) g_value_copy(&given->second.value(), value);
  } else if (const SettingInfo* info = setting_of(id)) {
    const auto given = given_.link.find(info);
    if (given != given_.link.end()) put_setting(given->second, value);
  }
  return true;
}
