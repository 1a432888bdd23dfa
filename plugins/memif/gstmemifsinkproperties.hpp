// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The properties of memifsink that memifsrc does not have, and its statistics.
 */
#pragma once

#include <gst/gst.h>

void gst_memif_sink_set_property(GObject* object, guint id, const GValue* value, GParamSpec* pspec);
void gst_memif_sink_get_property(GObject* object, guint id, GValue* value, GParamSpec* pspec);
void gst_memif_sink_install_properties(GObjectClass* klass);
