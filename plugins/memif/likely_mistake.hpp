// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Settings of the two elements of an interface that work, but are hardly meant.
 */
#pragma once

#include <gst/gst.h>

#include <string>

/** What is set on one memifsrc or memifsink. */
struct MemifEnd {
  std::string name;  // of the element
  bool sends = false;
  std::string socket_path;
  guint id = 0;
  bool master = false;
  bool path_given = false;
  bool id_given = false;
};

/** Notes that @p element has @p end, until it goes. */
void note_memif_end(GstElement* element, MemifEnd end);

/**
 * A sentence for the user of @p sink, a memifsink that starts; empty if nothing looks wrong. The
 * mistakes are those between it and a memifsrc whose packets reach it:
 * - a role that is set on one of them only, so that they are the two ends of one link;
 * - a socket-path or id that is set on one of them only, where neither interface has the other
 *   direction in this pipeline.
 */
std::string likely_mistake(GstElement* sink);
