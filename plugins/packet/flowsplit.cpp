// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * SECTION:element-flowsplit
 * @title: flowsplit
 * @short_description: spreads packets over threads by flow
 * @see_also: memifsrc, ethbridge, queue
 *
 * Spreads packets over its request pads `src_N`. Packets of one flow (addresses, protocol and
 * ports) always leave by the same pad and so keep their order. With a `queue` behind each pad, as
 * many threads share the work that one `memifsrc` brings in.
 *
 * Where the peer itself can spread flows over several queues, one #memifsrc per receive queue is
 * better, as packets need not be handed from thread to thread. This element is for peers with one
 * queue, and for work that costs much more than receiving.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 memifsrc socket-path=/tmp/a.sock role=master tx-queues=2 ! flowsplit name=split
 * split. ! queue ! icmpresponder address=192.168.1.1 !
 * memifsink socket-path=/tmp/a.sock role=master queue=0
 * split. ! queue ! icmpresponder address=192.168.1.1 !
 * memifsink socket-path=/tmp/a.sock role=master queue=1
 * ]| Answers echo requests in two threads, each with a transmit queue of its own.
 *
 * Since: 0.2
 */
#include "plugins/packet/flowsplit.hpp"

#include "gst/packet/plugin.hpp"

GSTPACKET_ELEMENT_REGISTER_DEFINE(flowsplit, packetplugin::FlowSplit)
