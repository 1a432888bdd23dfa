// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include <glib.h>

#include <algorithm>

#include "config.h"
#include "gst/memif/types.hpp"
#include "options.hpp"
#include "vdev.hpp"

namespace {

constexpr char kLine[] = "==============================\n";
constexpr std::size_t kHelpColumn = 24;

std::string entry(const std::string& option, const std::string& help) {
  std::string line = "  " + option;
  line.resize(std::max(line.size() + 2, kHelpColumn), ' ');
  return line + help + "\n";
}

}  // namespace

std::string banner() {
  return "GST-MEMIF EXAMPLE APP: ping\n" + std::string(kLine) +
         "gst-memif version: " PACKAGE_VERSION "\nmemif version: " +
         std::to_string(gstmemif::kVersion) + "\n" + kLine;
}

std::string usage() {
  const std::string program = g_get_prgname();
  std::string text =
      "Answers ARP, IPv6 neighbour discovery and ping on memif interfaces, or bridges them.\n\n"
      "Usage: " +
      program + " [--aff={cpu0,cpu1,..}] [--stats[=SECONDS]] [--dot=FILE] --vdev=<name>";
  for (const VdevKey& key : vdev_keys()) text += ",[" + key.name + "=" + key.placeholder + "]";
  text += " ...\n       " + program +
          " [-r ROLE] [-s SOCKET] [-i ID] [-a ADDRESS] [-h MAC]\n\nOptions:\n";
  text += entry("--vdev=<name>,...", "adds an interface; may be given several times");
  for (const VdevKey& key : vdev_keys()) {
    text += entry("  " + key.name + "=" + key.placeholder, key.help);
  }
  text += entry("--aff={cpu0,cpu1,..}", "CPUs of the main thread (any)");
  text +=
      entry("--stats[=SECONDS]", "prints a table of what each queue carried at this interval (1);");
  text += entry("", "on a terminal it is updated in place");
  text += entry("--dot=FILE", "writes the pipeline as a graph for dot");
  text += entry("-h, -?, --help", "shows this text");
  text += entry("-v, --version", "shows the versions");
  text += "\nOne interface, named memif0:\n";
  text += entry("-r 0|1|slave|master", "its role (slave)");
  text += entry("-s SOCKET", "its socket");
  text += entry("-i ID", "its id");
  text += entry("-a ADDRESS", "its address");
  text += entry("-h MAC", "its MAC address (derived from its IP address)");
  text +=
      "\nQuote braces, as shells expand them. Ctrl-C prints a summary and ends.\n\n"
      "Examples:\n";
  for (const char* arguments :
       {"--vdev=memif0,ip=192.168.1.1",
        "--stats=1 '--vdev=memif0,i=1,r=master,s=/tmp/a.sock,q0=poll,qn=2,aff={1}'",
        "--vdev=left,i=0,r=master,s=@a,domain=7 --vdev=right,i=1,r=master,s=@a,domain=7"}) {
    text += "  " + program + " " + arguments + "\n";
  }
  return text;
}
