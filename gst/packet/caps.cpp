// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/packet/caps.hpp"

#include <array>
#include <cstring>
#include <memory>

namespace gstpacket {
namespace {

constexpr std::array kNames{"ethernet", "ip", "punt"};

std::string describe(const GstCaps* caps) {
  const std::unique_ptr<char, void (*)(void*)> text(gst_caps_to_string(caps), g_free);
  return text.get();
}

}  // namespace

const char* link_type_name(LinkType type) noexcept {
  const auto index = static_cast<std::size_t>(type);
  return index < kNames.size() ? kNames[index] : "unknown";
}

GstCaps* make_caps(std::span<const LinkType> types) {
  if (types.empty()) types = kAnyLinkType;
  GstStructure* fields = gst_structure_new_empty(kMediaType);
  GValue list = G_VALUE_INIT;
  gst_value_list_init(&list, static_cast<guint>(types.size()));
  for (const LinkType type : types) {
    GValue name = G_VALUE_INIT;
    g_value_init(&name, G_TYPE_STRING);
    g_value_set_static_string(&name, link_type_name(type));
    if (types.size() == 1) {
      gst_structure_set_value(fields, "link-type", &name);
    }
    gst_value_list_append_and_take_value(&list, &name);
  }
  if (types.size() > 1) gst_structure_set_value(fields, "link-type", &list);
  g_value_unset(&list);
  GstCaps* caps = gst_caps_new_empty();
  gst_caps_append_structure(caps, fields);
  return caps;
}

Result<PacketCaps> parse_caps(const GstCaps* caps) {
  if (caps == nullptr || gst_caps_get_size(caps) != 1) {
    return Error{"Packet caps", "there is not exactly one structure",
                 "Expected application/x-packet, link-type=ethernet (or ip, punt)"};
  }
  const GstStructure* fields = gst_caps_get_structure(caps, 0);
  const char* name = gst_structure_get_string(fields, "link-type");
  if (gst_structure_has_name(fields, kMediaType) && name != nullptr) {
    for (const LinkType type : kAnyLinkType) {
      if (std::strcmp(name, link_type_name(type)) == 0) return PacketCaps{type};
    }
  }
  return Error{"Packet caps", describe(caps) + " does not describe packets",
               "Expected application/x-packet, link-type=ethernet (or ip, punt)"};
}

}  // namespace gstpacket
