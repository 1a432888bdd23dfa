// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The debug category of the element and its pads.
 */
#pragma once

#include <gst/gst.h>

GST_DEBUG_CATEGORY_EXTERN(iphost_debug);
#define GST_CAT_DEFAULT iphost_debug
