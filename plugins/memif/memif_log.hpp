// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The engine's messages in GStreamer's debug log, category `memif`.
 */
#pragma once

/** Once for the process; may be called again. */
void gst_memif_log_init();
