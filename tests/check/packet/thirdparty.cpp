// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * A plugin as a third party would write it: one header, one line.
 */
#define PACKAGE "thirdparty"
#include <gst/packet/plugin.hpp>

#include "decttl.hpp"

GSTPACKET_PLUGIN(thirdparty, "An example of a packet plugin", "1.0", "LGPL", "thirdparty",
                 "https://example.org", DecTtl)
