// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * SECTION:element-flowsplit
 * @title: flowsplit
 * @short_description: spreads packets over threads by flow
 * @see_also: memifsrc, queue
 *
 * Sends packets to its request pads `src_N`, those of one flow (addresses, protocol and ports)
 * always to the same pad, so that they keep their order. With a queue behind each pad, as many
 * threads share the work.
 *
 * Which pad a flow belongs to follows from the numbers of the pads there are. A pad that is added
 * takes its share of the flows from all others, and the flows of a pad that is released are shared
 * out; the others stay. Packets of a flow that moves may overtake those that wait in a queue behind
 * its old pad.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 memifsrc tx-queues=2 ! flowsplit name=split
 * split. ! queue ! icmpresponder address=192.168.1.1 ! memifsink queue=0
 * split. ! queue ! icmpresponder address=192.168.1.1 ! memifsink queue=1
 * ]| Answers echo requests in two threads.
 *
 * Since: 0.1
 */
#include "plugins/packet/flowsplit.hpp"

#include "gst/packet/plugin.hpp"

GSTPACKET_ELEMENT_REGISTER_DEFINE(flowsplit, packetplugin::FlowSplit)
