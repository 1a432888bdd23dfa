// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/packet/plugin.hpp"
#include "config.h"
#include "ethbridge.hpp"
#include "icmpresponder.hpp"

GSTPACKET_PLUGIN(packet, "Packet elements: network functions for application/x-packet", VERSION,
                 GST_LICENSE, GST_PACKAGE_NAME, GST_PACKAGE_ORIGIN, gstpacket::EthBridge,
                 gstpacket::IcmpResponder)
