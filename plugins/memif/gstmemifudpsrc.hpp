// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The element memifudpsrc.
 */
#pragma once

#include <gst/gst.h>

GType gst_memif_udp_src_get_type(void);
GST_ELEMENT_REGISTER_DECLARE(memifudpsrc)
