// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#ifndef GST_PACKET_PRELUDE_H
#define GST_PACKET_PRELUDE_H

#include <glib.h>

#if GLIB_SIZEOF_VOID_P < 8
/* Sums of 32-bit offsets and lengths must not wrap in a gsize. */
#error "gst-memif needs a 64-bit platform"
#endif

/**
 * GST_PACKET_API: (skip)
 *
 * Marks the symbols that libgstpacket-1.0 exports; everything else stays hidden.
 */
#define GST_PACKET_API __attribute__((visibility("default")))

#endif /* GST_PACKET_PRELUDE_H */
