// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Errors as values: what failed, why, and what the user can do about it.
 */
#pragma once

#include "gst/common/result.hpp"

namespace gstpacket {

using gstcommon::Error;
using gstcommon::ErrorCode;
using gstcommon::Result;

}  // namespace gstpacket
