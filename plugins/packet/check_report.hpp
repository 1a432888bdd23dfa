// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * What packetcheck says of the packets, for programs and for people.
 */
#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <string>

#include "plugins/packet/packet_checker.hpp"

namespace packetplugin {

/** The fields of the property `stats` and of the messages, in a structure @p name, transfer full.
 */
[[nodiscard]] GstStructure* figures(const char* name, const Account& account,
                                    const Histogram& latency);

/** "9 of 10 packets arrived intact: 1 lost, ...". @param count as was set; 0: none */
[[nodiscard]] std::string sentence(const Account& account, std::uint64_t count);

}  // namespace packetplugin
