// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * What to tell a user whose packets are longer than a link can carry.
 */
#pragma once

#include <string>

#include "gst/memif/burst.hpp"

/** Names the settings of a ring that holds such packets. @param slave whether we set them */
std::string explain_oversize(const gstmemif::Oversize& packet, bool slave);
