// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * plugin-memif:
 *
 * memif shared memory packet interfaces as GStreamer elements.
 *
 * Since: 0.2
 */
#include "config.h"

#include <gst/gst.h>

#include "plugins/common/inform.hpp"
#include "plugins/memif/gstmemifsink.hpp"
#include "plugins/memif/gstmemifsrc.hpp"
#include "plugins/memif/gstmemifudpsink.hpp"
#include "plugins/memif/gstmemifudpsrc.hpp"

static gboolean plugin_init(GstPlugin* plugin) {
  make_errors_printable();
  gboolean registered = GST_ELEMENT_REGISTER(memifsrc, plugin);
  registered &= GST_ELEMENT_REGISTER(memifsink, plugin);
  registered &= GST_ELEMENT_REGISTER(memifudpsrc, plugin);
  registered &= GST_ELEMENT_REGISTER(memifudpsink, plugin);
  return registered;
}

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, memif,
                  "memif shared memory packet interfaces", plugin_init, VERSION, GST_LICENSE,
                  GST_PACKAGE_NAME, GST_PACKAGE_ORIGIN)
