// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The properties of memifsrc that memifsink does not have.
 */
#pragma once

#include <gst/gst.h>

void gst_memif_src_set_property(GObject* object, guint id, const GValue* value, GParamSpec* pspec);
void gst_memif_src_get_property(GObject* object, guint id, GValue* value, GParamSpec* pspec);
void gst_memif_src_install_properties(GObjectClass* klass);
