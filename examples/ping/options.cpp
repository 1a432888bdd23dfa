// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "options.hpp"

#include <cmath>
#include <fstream>
#include <map>
#include <string_view>

#include "gst/packet/headers/address.hpp"
#include "values.hpp"
#include "vdev.hpp"

namespace {

constexpr double kLongestPeriod = 86400;

/** The options of responders with one interface, as keys of --vdev. */
const VdevKey* short_key(char letter) {
  switch (letter) {
    case 'r':
    case 's':
    case 'i':
      return find_vdev_key(std::string_view(&letter, 1));
    case 'a':
      return find_vdev_key("ip");
    default:
      return nullptr;
  }
}

class Parser {
 public:
  explicit Parser(const std::vector<std::string>& arguments) : rest_(arguments) {}

  Options run() {
    if (rest_.empty()) options_.action = Options::Action::usage;
    for (; at_ < rest_.size() && options_.action == Options::Action::run; ++at_) parse(rest_[at_]);
    if (options_.action == Options::Action::run) finish();
    return std::move(options_);
  }

 private:
  void parse(const std::string& argument) {
    if (argument == "-h" && at_ + 1 < rest_.size() && !rest_[at_ + 1].starts_with('-')) {
      set_mac(rest_[++at_]);
    } else if (argument == "-h" || argument == "-?" || argument == "--help") {
      options_.action = Options::Action::usage;
    } else if (argument == "-v" || argument == "--version") {
      options_.action = Options::Action::version;
    } else if (argument.starts_with("--")) {
      parse_long(argument);
    } else {
      parse_short(argument);
    }
  }

  void parse_long(const std::string& argument) {
    const std::size_t equals = argument.find('=');
    const std::string name = argument.substr(0, equals);
    if (name != "--vdev" && name != "--aff" && name != "--stats" && name != "--dot") {
      unknown(argument);
    }
    if (argument == "--stats") {
      options_.stats_seconds = 1;
      return;
    }
    if (equals == std::string::npos || equals + 1 == argument.size()) {
      throw WrongOption(name + " has no value; write " + name + "=...");
    }
    const std::string value = argument.substr(equals + 1);
    if (name == "--vdev") {
      options_.vdevs.push_back(parse_vdev(value));
    } else if (name == "--aff") {
      set_cpus(value);
    } else if (name == "--stats") {
      set_stats(value);
    } else {
      options_.dot_file = value;
    }
  }

  /** `-i 3` and `-i3`. */
  void parse_short(const std::string& argument) {
    const VdevKey* key =
        argument.size() < 2 || argument[0] != '-' ? nullptr : short_key(argument[1]);
    if (key == nullptr) unknown(argument);
    const std::string option = argument.substr(0, 2);
    std::string value = argument.substr(2);
    if (value.empty()) {
      if (++at_ == rest_.size()) {
        throw WrongOption(option + " has no value; allowed: " + key->allowed);
      }
      value = rest_[at_];
    }
    if (++seen_[option] > 1) throw WrongOption(option + " is given twice");
    if (!key->set(single_, value)) {
      throw WrongOption(option + " " + value + " is wrong; allowed: " + key->allowed);
    }
  }

  /** Some responders take their hardware address by -h, where it means help in others. */
  void set_mac(const std::string& value) {
    const auto mac = gstpacket::Mac::parse(value);
    if (!mac || mac->is_group() || mac->is_zero()) {
      throw WrongOption("-h " + value + " is wrong; allowed: nothing, for help, or the hardware " +
                        "address of one station, such as 02:00:c0:a8:01:01");
    }
    if (++seen_["-h"] > 1) throw WrongOption("-h is given twice");
    single_.mac = value;
  }

  /** More than one adds up, as a shell makes `--aff=0 --aff=1` of `--aff={0,1}`. */
  void set_cpus(const std::string& value) {
    if (!parse_cpus(value)) {
      throw WrongOption("--aff=" + value + " is wrong; allowed: " + find_vdev_key("aff")->allowed);
    }
    options_.cpus += (options_.cpus.empty() ? "" : ",") + std::string(without_braces(value));
  }

  void set_stats(const std::string& value) {
    const auto seconds = parse_number<double>(value);
    if (!seconds || !(*seconds >= 0.1 && *seconds <= kLongestPeriod)) {
      throw WrongOption("--stats=" + value + " is wrong; allowed: seconds from 0.1 to 86400");
    }
    options_.stats_seconds = *seconds;
  }

  void finish() {
    if (!seen_.empty()) {
      if (!options_.vdevs.empty()) {
        throw WrongOption(seen_.begin()->first +
                          " describes the only interface; with --vdev, write its key there");
      }
      single_.name = "memif0";
      options_.vdevs.push_back(single_);
    }
    if (options_.vdevs.empty()) throw WrongOption("no interface is given; use --vdev=<name>,...");
    check_vdevs(options_.vdevs);
    check_dot();
  }

  void check_dot() const {
    if (options_.dot_file.empty()) return;
    // Opened to append: a file that is there already stays until there is something to write.
    if (!std::ofstream(options_.dot_file, std::ios::app)) {
      throw WrongOption("--dot=" + options_.dot_file + " cannot be written; allowed: a file in a " +
                        "directory that this user may write to");
    }
  }

  [[noreturn]] static void unknown(const std::string& argument) {
    throw WrongOption("unknown option '" + argument +
                      "'; allowed: --vdev, --aff, --stats, --dot, --help, --version, " +
                      "-r, -s, -i, -a, -h, -?, -v");
  }

  const std::vector<std::string>& rest_;
  std::size_t at_ = 0;
  Options options_;
  Vdev single_;
  std::map<std::string, int> seen_;
};

}  // namespace

Options parse_options(const std::vector<std::string>& arguments) {
  return Parser(arguments).run();
}
