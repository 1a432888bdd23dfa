// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The debug category of what memifsrc and memifsink share. INFO is for what happens once,
 * such as a start, DEBUG for each change, LOG for what may happen for many buffers, but never for
 * each.
 */
#pragma once

#include <gst/gst.h>

GST_DEBUG_CATEGORY_EXTERN(memif_element_debug);
#define GST_CAT_DEFAULT memif_element_debug
