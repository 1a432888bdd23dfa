// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "peer.hpp"

#include <poll.h>

#include <algorithm>
#include <map>
#include <thread>

namespace bench {

using namespace gstmemif;

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kRetry{1};

Error timed_out() {
  return {ErrorCode::timeout, "no peer connected in time"};
}

template <class Handshake>
Result<void> shake(Channel& channel, Handshake& handshake, Clock::time_point end) {
  while (Clock::now() < end) {
    auto received = channel.receive();
    if (!received) return received.error();
    if (!*received) {
      pollfd wait{channel.fd(), POLLIN, 0};
      ::poll(&wait, 1, 10);
      continue;
    }
    if (const auto* bye = std::get_if<Disconnect>(&(*received)->message)) {
      return Error{ErrorCode::closed, "refused: " + bye->reason};
    }
    auto step = handshake.on_message((*received)->message, std::move((*received)->fds));
    if (!step) return step.error();
    if (step->reply) {
      if (Result<void> sent = channel.send(*step->reply, step->fd); !sent) return sent;
    }
    if (step->established) return {};
  }
  return timed_out();
}

Result<Peer> dial_peer(const PeerSettings& settings, std::uint32_t id, Clock::time_point end) {
  Settings offer;
  offer.id = id;
  offer.app_name = offer.interface_name = "loadgen";
  offer.tx_queues = offer.rx_queues = settings.queues;
  offer.ring_size = settings.ring_size;
  offer.buffer_size = settings.buffer_size;
  Error last = timed_out();
  while (Clock::now() < end) {
    auto socket = dial(settings.address);
    if (socket) {
      Channel channel(std::move(*socket));
      SlaveHandshake handshake(offer);
      const Result<void> done = shake(channel, handshake, end);
      if (done) return Peer{std::move(channel), handshake.take_plan()};
      last = done.error();
    } else {
      last = socket.error();
    }
    std::this_thread::sleep_for(kRetry);
  }
  return last;
}

Result<std::vector<Peer>> accept_peers(const PeerSettings& settings, Clock::time_point end) {
  auto listener = ListenSocket::open(settings.address, {});
  if (!listener) return listener.error();
  std::map<std::uint32_t, Peer> peers;
  Error last = timed_out();
  while (peers.size() < settings.interfaces && Clock::now() < end) {
    auto incoming = listener->accept();
    if (!incoming) return incoming.error();
    if (!*incoming) {
      pollfd wait{listener->fd(), POLLIN, 0};
      ::poll(&wait, 1, 10);
      continue;
    }
    Channel channel(std::move((*incoming)->fd));
    std::uint32_t id = 0;
    MasterHandshake handshake([&](const Init& init) -> Result<gstmemif::Settings> {
      id = init.id;
      if (id >= settings.interfaces || peers.contains(id)) {
        return Error{ErrorCode::not_found, "no such interface"};
      }
      gstmemif::Settings admitted;
      admitted.interface_name = "loadgen";
      admitted.memory_limit = std::uint64_t{16} << 30;
      return admitted;
    });
    Hello hello;
    hello.name = "loadgen";
    Result<void> done = channel.send(hello);
    if (done) done = shake(channel, handshake, end);
    if (done) {
      peers.emplace(id, Peer{std::move(channel), handshake.take_plan()});
    } else {
      last = done.error();
    }
  }
  if (peers.size() < settings.interfaces) return last;
  std::vector<Peer> list;
  for (auto& [id, peer] : peers) list.push_back(std::move(peer));
  return list;
}

}  // namespace

Result<std::vector<Peer>> connect_peers(const PeerSettings& settings,
                                        std::chrono::milliseconds timeout) {
  const auto end = Clock::now() + timeout;
  if (settings.role == Role::master) return accept_peers(settings, end);
  std::vector<Peer> peers;
  for (std::uint32_t id = 0; id < settings.interfaces; ++id) {
    auto peer = dial_peer(settings, id, end);
    if (!peer) return peer.error();
    peers.push_back(std::move(*peer));
  }
  return peers;
}

}  // namespace bench
