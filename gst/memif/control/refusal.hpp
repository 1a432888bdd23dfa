// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Why there is no link, and what to do about it. Internal.
 */
#pragma once

#include "gst/memif/export.hpp"
#include "gst/memif/result.hpp"
#include "gst/memif/types.hpp"

namespace gstmemif {

/**
 * @p error with the remedy that fits it: its own, or by the words of it, which may be those of a
 * peer (of VPP, DPDK, libmemif or gomemif). docs/guide.md has the same table.
 */
GSTMEMIF_API Refusal refusal_of(const Error& error);

}  // namespace gstmemif
