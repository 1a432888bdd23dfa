// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * plugin-pcap:
 *
 * Capture files: record, replay and filter packets, with libpcap.
 *
 * Since: 0.2
 */
#include "config.h"
#include "plugins/common/inform.hpp"
#include "plugins/pcap/bpffilter.hpp"
#include "plugins/pcap/gstpcapsink.hpp"
#include "plugins/pcap/gstpcapsrc.hpp"

static gboolean plugin_init(GstPlugin* plugin) {
  make_errors_printable();
  gboolean registered = GST_ELEMENT_REGISTER(bpffilter, plugin);
  registered &= GST_ELEMENT_REGISTER(pcapsink, plugin);
  registered &= GST_ELEMENT_REGISTER(pcapsrc, plugin);
  return registered;
}

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, pcap,
                  "Record, replay and filter packets with libpcap", plugin_init, VERSION,
                  GST_LICENSE, GST_PACKAGE_NAME, GST_PACKAGE_ORIGIN)
