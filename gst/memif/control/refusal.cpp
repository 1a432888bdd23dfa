// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/memif/control/refusal.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

namespace gstmemif {
namespace {

struct Remedy {
  std::string_view words;
  const char* remedy;
};

constexpr char kSameId[] =
    "Set the same id on both ends, and bring the master's interface up if it is down";

// The first one whose words occur, in either case.
constexpr std::array kRemedies = {
    Remedy{"secret required", "Set the secret of the master on the slave, too"},
    Remedy{"secret", "Set the same secret on both ends"},
    Remedy{"interface id", kSameId},
    Remedy{"no interface with id", kSameId},
    Remedy{"id not found", kSameId},
    Remedy{"mode mismatch", "Set the same mode on both ends"},
    Remedy{"already connected", "Stop the other slave of this id, or take another id on both ends"},
    Remedy{"connect to slave", "Set role=master on one end: both are slaves"},
    Remedy{"version", "The peer speaks another version of memif than 2.0: update it"},
    Remedy{"allowed-uids", "Add the user to allowed-uids of the master"},
    Remedy{"before HELLO",
           "Add this user to allowed-uids of the master, if it is one, or correct socket-path"},
    Remedy{"memory-limit",
           "Lower ring-size, buffer-size or the queues of the slave, or raise memory-limit of the "
           "master"},
    Remedy{"from us to it takes", "Lower tx-queues or ring-size"},
    Remedy{"from it to us takes", "Lower rx-queues or ring-size"},
    Remedy{"closes at region", "Lower ring-size, buffer-size or the queues"},
    Remedy{"permission denied",
           "Give this user access to the socket file: by its owner, group and mode (socket-owner "
           "and socket-mode of the master), and to its directory"},
    Remedy{"wrong type for socket", "Correct socket-path: another kind of program listens there"},
    Remedy{"sent nothing", "See whether a memif master listens there, and that it is not stopped"},
    Remedy{"unsealed-memory", "Set unsealed-memory=guard, or let the peer seal its memory"},
};

bool same_letter(char a, char b) {
  return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
}

bool mentions(std::string_view text, std::string_view words) {
  return std::search(text.begin(), text.end(), words.begin(), words.end(), same_letter) !=
         text.end();
}

}  // namespace

Refusal refusal_of(const Error& error) {
  if (!error.remedy.empty()) return {Error(error.code, error.what, error.why).text(), error.remedy};
  const std::string reason = error.text();
  const auto* const found = std::ranges::find_if(
      kRemedies, [&](const Remedy& remedy) { return mentions(reason, remedy.words); });
  return {reason, found != kRemedies.end() ? found->remedy
                                           : "Check socket-path, id, role and mode on both ends"};
}

}  // namespace gstmemif
