// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/memif/listener.hpp"

#include <algorithm>

#include "gst/memif/debug.hpp"
#include "gst/memif/interface.hpp"

namespace gstmemif {
namespace {

// Connections that have not said who they are. When there are more, the oldest goes: a good peer
// says INIT at once, so it is not the good one that is pushed out.
constexpr std::size_t kMaxPending = 64;
constexpr std::uint32_t kAcceptPauseMs = 100;

std::map<std::string, std::weak_ptr<Listener>>& registry() {
  static auto& listeners = *new std::map<std::string, std::weak_ptr<Listener>>();
  return listeners;
}

}  // namespace

Result<std::shared_ptr<Listener>> Listener::get(const SocketAddress& address,
                                                const ListenOptions& options,
                                                std::shared_ptr<Loop> loop) {
  std::weak_ptr<Listener>& entry = registry()[address.text()];
  if (auto listener = entry.lock()) {
    if (listener->options_ != options || listener->loop_ != loop) {
      return Error{ErrorCode::settings,
                   "socket-path=" + address.text() +
                       ": interfaces that share a listening socket need the same socket-mode, "
                       "socket-owner, allowed-uids and main-context."};
    }
    return listener;
  }
  Result<ListenSocket> socket = ListenSocket::open(address, options);
  if (!socket) return socket.error();
  auto listener = std::make_shared<Listener>(std::move(*socket), options, std::move(loop));
  if (Status status = listener->make_pause_timer(); !status) return status.error();
  listener->watch();
  entry = listener;
  return listener;
}

Listener::Listener(ListenSocket socket, ListenOptions options, std::shared_ptr<Loop> loop)
    : socket_(std::move(socket)), options_(std::move(options)), loop_(std::move(loop)) {}

/** Ahead of need: when there is no room for a connection, there is none for a timer either. */
Status Listener::make_pause_timer() {
  Result<Timer> timer = Timer::make(*loop_, [weak = weak_from_this()] {
    if (auto self = weak.lock()) self->watch();
  });
  if (!timer) return timer.error();
  pause_ = std::move(*timer);
  return {};
}

void Listener::watch() {
  watch_ = loop_->watch(socket_.fd(), [weak = weak_from_this()] {
    const ControlLock lock;
    if (auto self = weak.lock()) self->on_readable();
  });
}

Status Listener::add(Interface& interface) {
  const std::uint32_t id = interface.settings_.id;
  if (interfaces_.try_emplace(id, &interface).second) return {};
  return Error{ErrorCode::busy, "id=" + std::to_string(id) +
                                    " is already used by another interface on socket-path=" +
                                    interface.settings_.socket.text() + ". Choose another id."};
}

void Listener::remove(Interface& interface) {
  const auto entry = interfaces_.find(interface.settings_.id);
  if (entry != interfaces_.end() && entry->second == &interface) interfaces_.erase(entry);
}

void Listener::on_readable() {
  for (;;) {
    Result<UniqueFd> socket = socket_.accept();
    if (!socket) {
      // Out of descriptors, most likely. The socket stays readable, so look away for a while.
      MEMIF_WARNING("%s", socket.error().message.c_str());
      watch_.reset();
      pause_.arm(kAcceptPauseMs);
      return;
    }
    if (!*socket) return;
    welcome(std::move(*socket));
  }
}

void Listener::welcome(UniqueFd socket) {
  auto connection = std::make_shared<Connection>(loop_, std::move(socket), *this);
  const Hello greeting = hello();
  MasterHandshake handshake(
      [this, peer = connection.get()](const Init& init) { return admit(*peer, init); }, greeting);
  if (Status status = connection->start(std::move(handshake), &greeting); !status) {
    MEMIF_INFO("cannot greet a peer: %s", status.error().message.c_str());
    return;
  }
  pending_.push_back(std::move(connection));
  if (pending_.size() > kMaxPending) {
    pending_.front()->close("too many connections that say nothing");
    pending_.pop_front();
  }
}

/** Sent before the id is known, so the limits are those of the largest interface here. */
Hello Listener::hello() const {
  Hello hello;
  std::uint32_t rx = 1;
  std::uint32_t tx = 1;
  for (const auto& [id, interface] : interfaces_) {
    rx = std::max(rx, interface->settings_.rx_queues);
    tx = std::max(tx, interface->settings_.tx_queues);
    hello.name = interface->settings_.app_name;
  }
  hello.max_s2m_ring = static_cast<std::uint16_t>(rx - 1);
  hello.max_m2s_ring = static_cast<std::uint16_t>(tx - 1);
  return hello;
}

Result<Admission> Listener::admit(Connection& connection, const Init& init) {
  const auto entry = interfaces_.find(init.id);
  if (entry == interfaces_.end()) {
    return Error{ErrorCode::not_found, "unmatched interface id " + std::to_string(init.id)};
  }
  Result<Admission> admission = entry->second->admit(init);
  if (admission) entry->second->adopt(take_pending(connection));
  return admission;
}

std::shared_ptr<Connection> Listener::take_pending(const Connection& connection) {
  const auto entry = std::find_if(pending_.begin(), pending_.end(), [&](const auto& candidate) {
    return candidate.get() == &connection;
  });
  if (entry == pending_.end()) return nullptr;
  auto taken = std::move(*entry);
  pending_.erase(entry);
  return taken;
}

Status Listener::on_agreed(Connection&, LinkPlan) {
  return Error{ErrorCode::protocol, "a connection that nobody admitted"};
}

void Listener::on_established(Connection&) {}

void Listener::on_closed(Connection& connection, const Error& reason) {
  MEMIF_INFO("a connection failed before it was admitted: %s", reason.message.c_str());
  take_pending(connection);
}

}  // namespace gstmemif
