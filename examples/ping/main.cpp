// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * ping: an application of memif elements; `ping --help` says what it does.
 */
#include <cstdio>
#include <exception>
#include <string_view>

#include "application.hpp"
#include "examples/plugins.hpp"

namespace {

int run(const Options& options) {
  gst_init(nullptr, nullptr);
  find_plugins();
  return Application(options).run();
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view path = argv[0];
  g_set_prgname(path.substr(path.rfind('/') + 1).data());
  try {
    const Options options = parse_options({argv + 1, argv + argc});
    std::printf("%s", banner().c_str());
    if (options.action == Options::Action::usage) std::printf("%s", usage().c_str());
    std::fflush(stdout);
    return options.action == Options::Action::run ? run(options) : 0;
  } catch (const WrongOption& error) {
    std::fprintf(stderr, "%1$s: %2$s\n%1$s --help shows all options.\n", g_get_prgname(),
                 error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", g_get_prgname(), error.what());
    return 1;
  }
}
