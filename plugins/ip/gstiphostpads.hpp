// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The pads of iphost for data, with their properties.
 */
#pragma once

#include <gst/gst.h>

#include <memory>

#include "plugins/ip/ip_host.hpp"
#include "plugins/ip/udp_receiver.hpp"
#include "plugins/ip/udp_sender.hpp"

inline constexpr guint kMaxPort = 65535;

GType gst_ip_host_udp_sink_pad_get_type(void);
GType gst_ip_host_udp_src_pad_get_type(void);

/** What is behind a pad of the one type or the other; null for other pads. */
[[nodiscard]] ipplugin::UdpSender* gst_ip_host_sender(GstPad* pad);
[[nodiscard]] std::shared_ptr<ipplugin::UdpReceiver> gst_ip_host_receiver(GstPad* pad);

/** A new pad of @p host, floating. */
[[nodiscard]] GstPad* gst_ip_host_sink_pad_new(GstPadTemplate* templ, const char* name,
                                               std::shared_ptr<ipplugin::IpHost> host);
[[nodiscard]] GstPad* gst_ip_host_src_pad_new(GstPadTemplate* templ, const char* name,
                                              std::shared_ptr<ipplugin::IpHost> host);

/** What is behind a pad, as its property `stats`. */
template <class User>
GstStructure* stats_of(const User& user) {
  GstStructure* stats = gst_structure_new_empty("application/x-packet-stats");
  user.add_stats(stats);
  return stats;
}
