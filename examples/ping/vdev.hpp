// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The keys of --vdev: the one table from which they are parsed and explained.
 */
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "options.hpp"

/** One `key=value` of --vdev. */
struct VdevKey {
  std::string name;
  std::string placeholder;  ///< for the usage
  std::string help;         ///< for the usage
  std::string allowed;      ///< for the error
  /** Takes the value over; false if it is not allowed. */
  bool (*set)(Vdev& vdev, std::string_view value);
};

const std::vector<VdevKey>& vdev_keys();

/** The key of this name, or null. */
const VdevKey* find_vdev_key(std::string_view name);

/** `<name>,key=value,...`, commas within braces belonging to a value. @throws WrongOption */
Vdev parse_vdev(std::string_view text);

/** What no single key can tell: combinations, and interfaces against each other. @throws */
void check_vdevs(const std::vector<Vdev>& vdevs);
