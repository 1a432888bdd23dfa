// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * How functions of gstmemif report failure: a value or an Error, never an exception.
 */
#pragma once

#include "gst/common/result.hpp"

namespace gstmemif {

using gstcommon::Error;
using gstcommon::ErrorCode;
using gstcommon::Result;

}  // namespace gstmemif
