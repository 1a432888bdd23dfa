// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Lets an example find the elements of the build it belongs to; installed programs have no build.
 */
#pragma once

#include "gst_ptr.hpp"

/** Where no environment or installation has the plugins, those of this build are taken. */
inline void find_plugins() {
#ifdef EXAMPLES_PLUGIN_PATH
  const GstPtr<GstElementFactory> factory(gst_element_factory_find("memifsrc"));
  if (!factory) gst_registry_scan_path(gst_registry_get(), EXAMPLES_PLUGIN_PATH);
#endif
}
