// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The neighbours of a host: who has which MAC address, and whether they can still be reached, by
 * the states of RFC 4861 7.3 for both versions of IP.
 *
 * Poisoning. A neighbour is only entered because we send to it, never because of a packet that
 * came. What an entry is told:
 * - While it has no MAC address and is being asked for, the first station that says the address is
 *   its own is believed: by a reply, an announcement or a request of its own.
 * - Once it has one, it keeps it. A station that claims another one only makes us ask the old one;
 *   if that answers, nothing has changed, and if it does not, all are asked again. So a neighbour
 *   can be replaced when it is gone, and not before.
 * - An answer proves that a neighbour can be reached only if it was asked.
 * - Static entries are never changed.
 */
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "plugins/ip/stack/config.hpp"
#include "plugins/ip/stack/counters.hpp"
#include "plugins/ip/stack/identity.hpp"
#include "plugins/ip/stack/random.hpp"
#include "plugins/ip/stack/wire.hpp"

namespace ipplugin {

class Neighbours {
 public:
  enum class State { incomplete, reachable, stale, delay, probe, permanent };
  struct Info {
    IpAddress address;
    Mac mac;
    State state;
  };
  /** What a packet says about its sender. */
  struct Claim {
    IpAddress address;
    Mac mac;
    bool solicited;  // an answer to us
  };

  Neighbours(const HostConfig& config, Wire& wire, const Identity& us, Counters& counters,
             Random& random);

  /** The MAC address of a next hop; asks for it if it is not known. */
  std::optional<Mac> find(const IpAddress& hop, GstClockTime now, Output& output);
  /** An IP packet for a next hop that find() did not know; sent or dropped later. */
  void hold(const IpAddress& hop, std::span<const std::byte> packet);
  void learn(const Claim& claim, GstClockTime now, Output& output);

  /** Repeats, ages and gives up what is due; when to be called next. */
  GstClockTime tick(GstClockTime now, Output& output);
  /** No earlier than this is there something to do. */
  [[nodiscard]] GstClockTime due() const noexcept { return due_; }
  /** Asks anew for those that were asked for while nobody could hear it. */
  void link_up(GstClockTime now, Output& output);
  /** All but the static ones are unknown, and what waited for them is dropped. */
  void forget();

  /** Changes when a MAC address that find() gave, or did not give, may be another one now. */
  [[nodiscard]] unsigned generation() const noexcept { return generation_; }
  [[nodiscard]] std::vector<Info> list() const;
  [[nodiscard]] std::size_t size() const noexcept { return table_.size(); }
  [[nodiscard]] std::size_t held() const noexcept { return held_; }
  [[nodiscard]] std::size_t held_bytes() const noexcept { return held_bytes_; }

 private:
  using Packet = std::vector<std::byte>;  // with room for a link header in front
  struct Entry {
    Mac mac;
    State state = State::incomplete;
    unsigned asked = 0;   // in this state
    bool given = false;   // find() has given the MAC address in this generation
    bool wanted = false;  // since it was last asked for
    GstClockTime due = GST_CLOCK_TIME_NONE;
    GstClockTime used = 0;
    GstClockTime confirmed = 0;  // when the MAC address last answered
    std::deque<Packet> held;
  };
  struct Hash {
    std::uint64_t secret;
    std::size_t operator()(const IpAddress& address) const noexcept { return address.hash(secret); }
  };
  using Table = std::unordered_map<IpAddress, Entry, Hash>;
  using Item = Table::value_type;

  void ask(Item& item, GstClockTime now, Output& output);
  void set_due(Entry& entry, GstClockTime due) noexcept;
  void resolve(Item& item, GstClockTime now, Output& output);
  void probe(Item& item, unsigned asked, GstClockTime now, Output& output);
  void confirm(Entry& entry, GstClockTime now);
  void changed(Entry& entry) noexcept;
  void send_held(Item& item, Output& output);
  void drop_held(Entry& entry, Count why);
  void drop_oldest(Entry& entry, Count why);
  /** False: it is to be removed. */
  bool advance(Item& item, GstClockTime now, Output& output);
  bool ask_again(Item& item, GstClockTime now, Output& output);
  void make_room(GstClockTime now);

  const HostLimits limits_;
  Wire& wire_;
  const Identity& us_;
  Counters& counters_;
  Random& random_;
  Table table_;
  std::size_t permanent_ = 0;
  std::size_t held_ = 0, held_bytes_ = 0;
  GstClockTime due_ = GST_CLOCK_TIME_NONE;
  unsigned generation_ = 0;
};

}  // namespace ipplugin
