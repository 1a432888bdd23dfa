// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * plugin-packet:
 *
 * Packet elements: network functions, a generator and a checker for application/x-packet.
 *
 * Since: 0.2
 */
#include "config.h"
#include "plugins/common/inform.hpp"
#include "plugins/packet/ethbridge.hpp"
#include "plugins/packet/flowsplit.hpp"
#include "plugins/packet/gstpacketcheck.hpp"
#include "plugins/packet/gstpacketgen.hpp"
#include "plugins/packet/icmpresponder.hpp"

// Not GSTPACKET_PLUGIN: sources and sinks are not packet elements in the sense of the element API.
static gboolean plugin_init(GstPlugin* plugin) {
  make_errors_printable();
  gboolean registered = GST_ELEMENT_REGISTER(ethbridge, plugin);
  registered &= GST_ELEMENT_REGISTER(flowsplit, plugin);
  registered &= GST_ELEMENT_REGISTER(icmpresponder, plugin);
  registered &= GST_ELEMENT_REGISTER(packetgen, plugin);
  registered &= GST_ELEMENT_REGISTER(packetcheck, plugin);
  return registered;
}

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, packet,
                  "Packet elements: network functions for application/x-packet", plugin_init,
                  VERSION, GST_LICENSE, GST_PACKAGE_NAME, GST_PACKAGE_ORIGIN)
