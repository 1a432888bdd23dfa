// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * What the caps call the packets of an interface.
 */
#pragma once

#include "gst/memif/control/protocol.hpp"
#include "gst/packet/caps.hpp"

constexpr gstpacket::LinkType link_type_of(gstmemif::Mode mode) noexcept {
  switch (mode) {
    case gstmemif::Mode::ip:
      return gstpacket::LinkType::ip;
    case gstmemif::Mode::punt_inject:
      return gstpacket::LinkType::punt;
    case gstmemif::Mode::ethernet:
      break;
  }
  return gstpacket::LinkType::ethernet;
}
