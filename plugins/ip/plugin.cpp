// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * plugin-ip:
 *
 * An IP host for application/x-packet: datagrams of media and data in and out of packets.
 *
 * Since: 0.2
 */
#include "config.h"
#include "plugins/common/inform.hpp"
#include "plugins/ip/gstiphost.hpp"

static gboolean plugin_init(GstPlugin* plugin) {
  make_errors_printable();
  return GST_ELEMENT_REGISTER(iphost, plugin);
}

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, ip,
                  "IP host: UDP, ARP and neighbour discovery for application/x-packet", plugin_init,
                  VERSION, GST_LICENSE, GST_PACKAGE_NAME, GST_PACKAGE_ORIGIN)
