// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * What every queue carried, as a table.
 */
#pragma once

#include <map>
#include <string>
#include <vector>

#include "network.hpp"

struct Direction {
  guint64 packets = 0, bytes = 0;
  std::string ring;  ///< slots in use, and all; not of a bridge
};

/** The counters of a queue, or of a bridge, which has no link. */
struct Counters {
  std::string interface;
  std::string queue;
  std::string link, uptime, peer;
  Direction rx, tx;
  std::map<std::string, guint64> drops;  ///< by reason, those that happened
};

/** All counters at one moment. */
struct Sample {
  gint64 time_us = 0;
  std::vector<Counters> rows;
};

Sample take_sample(const Network& network);

/**
 * Packets since the start, links and rings as they are now, and rates between two samples of one
 * network, as lines of text.
 */
std::vector<std::string> make_table(const Sample& before, const Sample& now);

/** All queues in one line. */
std::string make_total(const Sample& start, const Sample& now);
