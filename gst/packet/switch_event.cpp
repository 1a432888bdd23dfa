// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/packet/switch_event.hpp"

namespace gstpacket {
namespace {

constexpr char kName[] = "GstPacketSwitch";

}  // namespace

GstEvent* new_switch_event() {
  return gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM_STICKY, gst_structure_new_empty(kName));
}

bool is_switch_event(GstEvent* event) {
  return GST_EVENT_TYPE(event) == GST_EVENT_CUSTOM_DOWNSTREAM_STICKY &&
         gst_event_has_name(event, kName) != FALSE;
}

}  // namespace gstpacket
