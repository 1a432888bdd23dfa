// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * iphost: an IP host on a network of packets.
 */
#pragma once

#include <gst/gst.h>

GST_ELEMENT_REGISTER_DECLARE(iphost)
