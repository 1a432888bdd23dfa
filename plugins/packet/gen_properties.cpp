// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/packet/gen_properties.hpp"

#include <iterator>
#include <variant>

#include "plugins/common/properties.hpp"

GType gst_packet_gen_protocol_get_type(void);
GType gst_packet_gen_protocol_get_type(void) {
  using packetplugin::GenProtocol;
  static const GEnumValue kValues[] = {
      {static_cast<gint>(GenProtocol::udp), "UDP datagrams", "udp"},
      {static_cast<gint>(GenProtocol::icmp_echo), "ICMP or ICMPv6 echo requests", "icmp-echo"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstPacketGenProtocol", kValues);
  return type;
}

namespace packetplugin {
namespace {

using Member =
    std::variant<std::string GenSettings::*, unsigned GenSettings::*, std::uint64_t GenSettings::*,
                 int GenSettings::*, GenProtocol GenSettings::*>;

struct GenProperty {
  const char* name;
  const char* nick;
  const char* blurb;
  Member member;
  GParamFlags flags = kReady;
  guint low = 0;  // of an unsigned
  guint high = 0;
};

constexpr GenProperty kProperties[] = {
    {"size", "Size",
     "Packet size in bytes, without frame check sequence: 64, a range such as 64-1500, or imix",
     &GenSettings::size},
    {"rate", "Rate",
     "Packets per second (250000, 100kpps) or bits per second (10Gbps); 0: as fast as possible",
     &GenSettings::rate, kPlaying},
    {"count", "Count", "Packets to send before EOS; 0: unlimited", &GenSettings::count},
    {"flows", "Flows",
     "Number of flows, used in turn, each with its own source port and sequence numbers",
     &GenSettings::flows, kReady, 1, 65536},
    {"protocol", "Protocol", "Protocol of the packets", &GenSettings::protocol},
    {"ip-version", "IP version", "IP version of the packets, 4 or 6", &GenSettings::ip_version,
     kReady, 4, 6},
    {"vlan", "VLAN", "VLAN id of Ethernet frames; -1: no tag", &GenSettings::vlan},
    {"source-mac", "Source MAC", "MAC address to send from; empty: derived from the source address",
     &GenSettings::source_mac},
    {"destination-mac", "Destination MAC",
     "MAC address to send to; empty: derived from the destination address, as in icmpresponder",
     &GenSettings::destination_mac},
    {"source-address", "Source address",
     "IP address to send from; empty: 192.168.1.2 or 2001:db8::2", &GenSettings::source_address},
    {"destination-address", "Destination address",
     "IP address to send to; empty: 192.168.1.1 or 2001:db8::1", &GenSettings::destination_address},
    {"source-port", "Source port", "UDP source port or echo identifier of the first flow",
     &GenSettings::source_port, kReady, 0, 65535},
    {"destination-port", "Destination port", "UDP destination port", &GenSettings::destination_port,
     kReady, 0, 65535},
    {"seed", "Seed", "Seed of random payload, sizes of a range and order of imix",
     &GenSettings::seed, kReady, 0, G_MAXUINT},
};

struct MakeSpec {
  const GenProperty& p;
  const GenSettings initial = {};

  GParamSpec* operator()(std::string GenSettings::*member) const {
    return g_param_spec_string(p.name, p.nick, p.blurb, (initial.*member).c_str(), p.flags);
  }
  GParamSpec* operator()(unsigned GenSettings::*member) const {
    return g_param_spec_uint(p.name, p.nick, p.blurb, p.low, p.high, initial.*member, p.flags);
  }
  GParamSpec* operator()(std::uint64_t GenSettings::*member) const {
    return g_param_spec_uint64(p.name, p.nick, p.blurb, 0, G_MAXUINT64, initial.*member, p.flags);
  }
  GParamSpec* operator()(int GenSettings::*member) const {
    constexpr int kMaxVlan = 4094;
    return g_param_spec_int(p.name, p.nick, p.blurb, -1, kMaxVlan, initial.*member, p.flags);
  }
  GParamSpec* operator()(GenProtocol GenSettings::*member) const {
    return g_param_spec_enum(p.name, p.nick, p.blurb, gst_packet_gen_protocol_get_type(),
                             static_cast<gint>(initial.*member), p.flags);
  }
};

struct Set {
  GenSettings& settings;
  const GValue* in;

  void operator()(std::string GenSettings::*member) const { settings.*member = text_of(in); }
  void operator()(unsigned GenSettings::*member) const { settings.*member = g_value_get_uint(in); }
  void operator()(std::uint64_t GenSettings::*member) const {
    settings.*member = g_value_get_uint64(in);
  }
  void operator()(int GenSettings::*member) const { settings.*member = g_value_get_int(in); }
  void operator()(GenProtocol GenSettings::*member) const {
    settings.*member = static_cast<GenProtocol>(g_value_get_enum(in));
  }
};

struct Get {
  const GenSettings& settings;
  GValue* out;

  void operator()(std::string GenSettings::*member) const {
    g_value_set_string(out, (settings.*member).c_str());
  }
  void operator()(unsigned GenSettings::*member) const { g_value_set_uint(out, settings.*member); }
  void operator()(std::uint64_t GenSettings::*member) const {
    g_value_set_uint64(out, settings.*member);
  }
  void operator()(int GenSettings::*member) const { g_value_set_int(out, settings.*member); }
  void operator()(GenProtocol GenSettings::*member) const {
    g_value_set_enum(out, static_cast<gint>(settings.*member));
  }
};

const GenProperty* property_of(guint id) {
  const std::size_t index = id - kFirstGenProperty;
  return index < std::size(kProperties) ? &kProperties[index] : nullptr;
}

}  // namespace

void install_gen_properties(GObjectClass* klass) {
  static_assert(kFirstGenProperty + std::size(kProperties) <= kGenPropertiesEnd);
  guint id = kFirstGenProperty;
  for (const GenProperty& property : kProperties) {
    g_object_class_install_property(klass, id++, std::visit(MakeSpec{property}, property.member));
  }
  gst_type_mark_as_plugin_api(gst_packet_gen_protocol_get_type(), GstPluginAPIFlags(0));
}

guint gen_property_id(std::string_view name) noexcept {
  guint id = kFirstGenProperty;
  for (const GenProperty& property : kProperties) {
    if (property.name == name) break;
    ++id;
  }
  return id;
}

bool set_gen_property(GenSettings& settings, guint id, const GValue* value) {
  const GenProperty* property = property_of(id);
  if (property != nullptr) std::visit(Set{settings, value}, property->member);
  return property != nullptr;
}

bool get_gen_property(const GenSettings& settings, guint id, GValue* value) {
  const GenProperty* property = property_of(id);
  if (property != nullptr) std::visit(Get{settings, value}, property->member);
  return property != nullptr;
}

}  // namespace packetplugin
