// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * A fuzzer without libFuzzer, as a plain test: every file of the corpus, and variations of
 * them that are the same in each run.
 *
 *     fuzz-NAME CORPUS ROUNDS
 */
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

#include "fuzz.hpp"

namespace {

using Bytes = std::vector<std::uint8_t>;

long round_now = -1;  // below 0: the corpus itself

/** A run is the same every time, so the number is all that a debugger needs. */
void say_where(int signal) {
  char text[64];
  const int n = std::snprintf(text, sizeof text, "in round %ld\n", round_now);
  if (::write(STDERR_FILENO, text, static_cast<std::size_t>(n)) != n) std::_Exit(1);
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

std::vector<Bytes> read_corpus(const char* directory) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<Bytes> corpus;
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    corpus.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return corpus;
}

void vary(Bytes& input, std::mt19937& random, const std::vector<Bytes>& corpus) {
  const std::size_t at = input.empty() ? 0 : random() % input.size();
  const auto here = input.begin() + static_cast<std::ptrdiff_t>(at);
  switch (random() % 7) {
    case 0:
    case 1:
      if (!input.empty()) *here = static_cast<std::uint8_t>(random());
      break;
    case 2:  // small numbers are choices, and most values of a wire that mean something
      if (!input.empty()) *here = static_cast<std::uint8_t>(random() % 10);
      break;
    case 3:
      input.resize(at);
      break;
    case 4:
      input.insert(here, 1 + random() % 4, static_cast<std::uint8_t>(random() % 10));
      break;
    case 5: {
      const Bytes& other = corpus[random() % corpus.size()];
      const std::size_t from = other.empty() ? 0 : random() % other.size();
      input.insert(here, other.begin() + static_cast<std::ptrdiff_t>(from), other.end());
      break;
    }
    default:
      for (unsigned i = random() % 64; i > 0; --i) {
        input.push_back(static_cast<std::uint8_t>(random() % 2 != 0 ? random() : random() % 10));
      }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "Usage: %s CORPUS ROUNDS\n", argv[0]);
    return 2;
  }
  std::signal(SIGABRT, say_where);
  const std::vector<Bytes> corpus = read_corpus(argv[1]);
  fuzz::require(!corpus.empty(), "no corpus");
  for (const Bytes& input : corpus) LLVMFuzzerTestOneInput(input.data(), input.size());
  std::mt19937 random(11);
  const long rounds = std::atol(argv[2]);
  for (round_now = 0; round_now < rounds; ++round_now) {
    Bytes input = corpus[random() % corpus.size()];
    for (unsigned i = 1 + random() % 4; i > 0; --i) vary(input, random, corpus);
    if (input.size() > 8192) input.resize(8192);
    LLVMFuzzerTestOneInput(input.data(), input.size());
  }
  return 0;
}
