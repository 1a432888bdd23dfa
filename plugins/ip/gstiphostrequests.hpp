// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The pads of iphost that are requested: how they come, work and go.
 */
#pragma once

#include <gst/gst.h>

// Virtual functions of the element.
GstPad* gst_ip_host_request_new_pad(GstElement* element, GstPadTemplate* templ, const gchar* asked,
                                    const GstCaps* caps);
void gst_ip_host_release_pad(GstElement* element, GstPad* pad);

/** For GstChildProxy, whose children are these pads. */
void gst_ip_host_child_proxy_init(gpointer interface, gpointer data);

/** Packets come in and data leaves, or the other way round: packets do not pass. */
GstIterator* gst_ip_host_internal_links(GstPad* pad, GstObject* parent);
