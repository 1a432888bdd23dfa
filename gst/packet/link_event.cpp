// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/packet/link_event.hpp"

namespace gstpacket {
namespace {

constexpr char kName[] = "GstPacketLink";
constexpr char kUp[] = "link-up";

}  // namespace

GstEvent* new_link_event(bool up) {
  return gst_event_new_custom(GST_EVENT_CUSTOM_BOTH_OOB,
                              gst_structure_new(kName, kUp, G_TYPE_BOOLEAN, gboolean{up}, nullptr));
}

std::optional<bool> link_event_state(GstEvent* event) {
  if (GST_EVENT_TYPE(event) != GST_EVENT_CUSTOM_BOTH_OOB ||
      gst_event_has_name(event, kName) == FALSE) {
    return std::nullopt;
  }
  gboolean up = FALSE;
  if (gst_structure_get_boolean(gst_event_get_structure(event), kUp, &up) == FALSE) {
    return std::nullopt;
  }
  return up != FALSE;
}

}  // namespace gstpacket
