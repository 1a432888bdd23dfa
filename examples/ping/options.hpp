// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * What the command line of ping says.
 */
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

/** One memif interface, as one --vdev describes it. */
struct Vdev {
  std::string name;
  std::uint32_t id = 0;
  std::string address = "192.168.1.1";
  std::string mac;  ///< to answer with; empty: made of the address
  bool master = false;
  std::string socket = "/run/vpp/memif.sock";
  std::optional<std::uint32_t> domain;  ///< bridged with the others of the same number
  bool poll = false;                    ///< queue 0; all others use interrupts
  std::uint32_t queues = 1;             ///< in each direction
  std::uint32_t ring_size = 1024;
  std::uint32_t buffer_size = 2048;
  std::string cpus;  ///< of queue 0's thread, if that polls; empty: any
};

struct Options {
  enum class Action { run, usage, version };

  Action action = Action::run;
  std::vector<Vdev> vdevs;
  std::string cpus;          ///< of the main thread; empty: any
  double stats_seconds = 0;  ///< between two tables; 0: none
  std::string dot_file;      ///< empty: none
};

/** A command line that makes no sense; its text says what is wrong, and what is allowed. */
class WrongOption : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/** @throws WrongOption */
Options parse_options(const std::vector<std::string>& arguments);

/** Name and versions, as every start of ping prints them. */
std::string banner();
std::string usage();
