// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The properties of iphost itself, its statistics among them.
 */
#pragma once

#include <gst/gst.h>

void gst_ip_host_set_property(GObject* object, guint id, const GValue* value, GParamSpec* pspec);
void gst_ip_host_get_property(GObject* object, guint id, GValue* value, GParamSpec* pspec);
void gst_ip_host_install_properties(GObjectClass* klass);
