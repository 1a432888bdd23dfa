// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/memif/control/connection.hpp"

#include <algorithm>

namespace gstmemif {
namespace {

// A slow peer may need time for hundreds of rings, but it has to make progress.
constexpr std::chrono::seconds kLongestSilence{5};
constexpr std::chrono::seconds kLongestHandshake{30};
// Messages handled per event: a flooding peer must not starve the others.
constexpr int kMessagesPerEvent = 16;

}  // namespace

Connection::Connection(std::shared_ptr<Loop> loop, UniqueFd socket, ConnectionOwner& owner)
    : loop_(std::move(loop)), channel_(std::move(socket)), owner_(&owner) {}

Result<void> Connection::start(Handshake handshake, const Hello* greeting) {
  handshake_.emplace(std::move(handshake));
  std::weak_ptr<Connection> weak = weak_from_this();
  watch_ = loop_->watch(channel_.fd(), [weak] {
    const ControlLock lock;
    if (auto self = weak.lock()) self->on_readable();
  });
  return greeting != nullptr ? channel_.send(*greeting) : Result<void>();
}

const SlaveHandshake* Connection::as_slave() const noexcept {
  return handshake_ ? std::get_if<SlaveHandshake>(&*handshake_) : nullptr;
}

std::string Connection::peer_interface() const {
  const SlaveHandshake* const slave = as_slave();
  return slave != nullptr ? slave->peer_interface() : std::string();
}

void Connection::stop() {
  closed_ = true;
  watch_.reset();
}

void Connection::close(const std::string& reason) {
  if (closed_) return;
  stop();
  // A courtesy: closing the socket says it all, so a failure to send changes nothing.
  (void)static_cast<bool>(channel_.send(Disconnect{0, reason}));
}

void Connection::fail(const Error& error) {
  if (closed_) return;
  if (error.code == ErrorCode::closed) {
    stop();  // the peer has left: there is no one to tell
  } else {
    close(error.text());
  }
  owner_->on_closed(*this, error);
}

std::chrono::milliseconds Connection::time_left() const noexcept {
  const auto end = std::min(heard_ + kLongestSilence, started_ + kLongestHandshake);
  return std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
}

void Connection::time_out() {
  // Perhaps it was this thread that did not read for so long.
  on_readable();
  if (closed_ || established_ || time_left().count() > 0) return;
  const bool silent = silence() >= kLongestSilence;
  fail({ErrorCode::timeout, silent ? "the peer sent nothing for 5 seconds during the handshake"
                                   : "the peer did not finish the handshake within 30 seconds"});
}

void Connection::on_readable() {
  for (int i = 0; i < kMessagesPerEvent && !closed_; ++i) {
    Result<std::optional<Received>> received = channel_.receive();
    if (!received) return fail(received.error());
    if (!*received) return;
    if (Result<void> status = handle(std::move(**received)); !status) return fail(status.error());
  }
}

Result<void> Connection::handle(Received received) {
  if (const auto* goodbye = std::get_if<Disconnect>(&received.message)) {
    return Error{ErrorCode::closed, "the peer disconnected", printable(goodbye->reason)};
  }
  if (established_) {
    return Error{ErrorCode::protocol, "unexpected message " +
                                          std::string(message_name(received.message)) +
                                          " on a connected link"};
  }
  Result<Step> step = std::visit(
      [&](auto& handshake) {
        return handshake.on_message(received.message, std::move(received.fds));
      },
      *handshake_);
  if (!step) return step.error();
  heard_ = Clock::now();
  if (step->agreed) {
    LinkPlan plan = std::visit([](auto& handshake) { return handshake.take_plan(); }, *handshake_);
    if (Result<void> status = owner_->on_agreed(*this, std::move(plan)); !status) return status;
  }
  if (step->reply) {
    if (Result<void> sent = channel_.send(*step->reply, step->fd); !sent) return sent;
  }
  if (step->established) {
    established_ = true;
    owner_->on_established(*this);
  }
  return {};
}

}  // namespace gstmemif
