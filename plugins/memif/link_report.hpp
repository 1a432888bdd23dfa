// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * What the peers of a link agreed on, for people and for programs.
 */
#pragma once

#include <gst/gst.h>

#include <string>

#include "gst/memif/types.hpp"

/** One sentence, such as "Link up as slave with VPP: 1 queue each way, ring 1024, ...". */
std::string link_sentence(const gstmemif::LinkInfo& link);

/** Adds the fields of the property `link` to @p out. */
void add_link_fields(GstStructure* out, const gstmemif::LinkInfo& link);

/** The property `link`, transfer full. */
GstStructure* link_structure(const gstmemif::LinkInfo& link);
/** The same without a link. Not NULL: GStreamer cannot print that, as `gst-launch-1.0 -v` does. */
GstStructure* no_link_structure();
