// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Listening sockets that whoever started this process has passed in: socket activation.
 */
#pragma once

#include "gst/memif/control/fd.hpp"
#include "gst/memif/socket_address.hpp"

namespace gstmemif {

/**
 * A new descriptor of the socket at @p address among those that systemd, or another parent with its
 * convention (LISTEN_PID, LISTEN_FDS), has passed to this process; empty if there is none. Fails if
 * the one at this address cannot carry memif. May be called again: the original stays open, so
 * that peers can connect while nobody accepts.
 */
GSTMEMIF_API Result<UniqueFd> passed_socket(const SocketAddress& address);

}  // namespace gstmemif
