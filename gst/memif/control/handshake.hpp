// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The two state machines that turn a new connection into an agreement on shared memory.
 *
 * They do no I/O: one message goes in, at most one comes out. A message that is illegal in the
 * current state is an error; the caller answers with DISCONNECT and closes.
 */
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "gst/memif/control/fd.hpp"
#include "gst/memif/control/protocol.hpp"
#include "gst/memif/data/region.hpp"
#include "gst/memif/settings.hpp"

namespace gstmemif {

/** One ring of an agreement. */
struct RingPlan {
  UniqueFd event_fd;
  std::uint16_t region = 0;
  std::uint32_t offset = 0;
  std::uint32_t size = 0;  ///< slots
};

/** The agreement of both ends: the memory, and the rings in it. */
struct LinkPlan {
  Role role = Role::slave;  ///< ours
  Mode mode = Mode::ethernet;
  std::uint32_t cache_line = kDefaultCacheLine;
  std::uint32_t buffer_size = 0;  ///< of our own buffers, as slave; 0 as master
  std::uint32_t max_packet_size = kDefaultMaxPacketSize;  ///< of packets that we receive
  std::vector<Region> regions;
  std::vector<RingPlan> s2m;
  std::vector<RingPlan> m2s;
  std::string peer_app;        ///< name of the peer's program, as sent
  std::string peer_interface;  ///< name of the peer's interface, as sent
};

/** The caller's part after one step of a handshake. */
struct Step {
  std::optional<Message> reply;
  int fd = -1;               ///< descriptor to pass along with the reply
  bool agreed = false;       ///< nothing is left to agree on; take_plan() returns the result
  bool established = false;  ///< both ends said so: packets may flow
};

/** A ring as the slave offers it. */
struct RingOffer {
  Direction direction = Direction::s2m;
  std::size_t index = 0;
  friend bool operator==(const RingOffer&, const RingOffer&) = default;
};

/** The slave's side: answers HELLO with INIT, then offers regions and rings one by one. */
class GSTMEMIF_API SlaveHandshake {
 public:
  explicit SlaveHandshake(Settings settings) : settings_(std::move(settings)) {}

  /** Feeds one message of the master. @p fds must be empty: masters pass no descriptors. */
  Result<Step> on_message(const Message& message, std::vector<UniqueFd> fds);

  /** The result, once a step said `agreed`, without the name of the peer's interface. */
  LinkPlan take_plan() { return std::move(plan_); }
  /** Name of the peer's interface, as sent, once a step said `established`. */
  const std::string& peer_interface() const noexcept { return peer_interface_; }
  /** The ring that was offered last and not taken yet. */
  std::optional<RingOffer> offered_ring() const noexcept;
  /** What a master that closes now without a word may mean by it, or nothing. */
  std::string meaning_of_closing() const;

 private:
  enum class State { wait_hello, wait_init_ack, wait_setup_ack, wait_connected, done };

  Result<Step> on_hello(const Hello& hello);
  Step next_setup_message();

  Settings settings_;  // with as many queues and slots as the master takes
  State state_ = State::wait_hello;
  std::size_t sent_ = 0;  // regions and rings offered so far
  LinkPlan plan_;
  std::string peer_interface_;
};

/** The master's side: admits a slave and collects what it offers. */
class GSTMEMIF_API MasterHandshake {
 public:
  /** Decides on INIT: the settings of its interface, if the secret is right and it is free. */
  using Admit = std::function<Result<Settings>(const Init&)>;

  /** @param greeting the HELLO that was sent: the slave may offer no more than it allows */
  explicit MasterHandshake(Admit admit, Hello greeting = {})
      : admit_(std::move(admit)), greeting_(std::move(greeting)) {}

  /** Feeds one message of the slave, with the descriptors that came with it. */
  Result<Step> on_message(const Message& message, std::vector<UniqueFd> fds);

  /** The result, once a step said `agreed`. */
  LinkPlan take_plan() { return std::move(plan_); }

 private:
  enum class State { wait_init, setup, done };

  Result<Step> on_init(const Init& init);
  Result<Step> on_add_region(const AddRegion& message, UniqueFd fd);
  Result<Step> on_add_ring(const AddRing& message, UniqueFd fd);
  Result<Step> on_connect(const Connect& message);

  Admit admit_;
  Hello greeting_;
  State state_ = State::wait_init;
  Settings settings_;  // of the interface that INIT asked for
  std::uint64_t mapped_ = 0;
  LinkPlan plan_;
};

/**
 * Makes the shared memory of a slave: region 0 with the rings, further ones with the buffers.
 * Fails if descriptors cannot express it (32-bit offsets, 256 regions) or memory runs out.
 */
GSTMEMIF_API Result<LinkPlan> build_slave_memory(const Settings& settings);

/** Whether build_slave_memory() can succeed; the error names the settings to change. */
GSTMEMIF_API Result<void> check_slave_memory(const Settings& settings);

/**
 * Buffers in excess of the slots of a ring: for a receive ring, to refill slots whose buffers are
 * lent; for a transmit ring, to be lent empty.
 */
constexpr std::uint32_t spare_buffers(std::uint32_t ring_size) noexcept {
  return ring_size;
}

}  // namespace gstmemif
