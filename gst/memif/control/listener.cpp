// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/memif/control/listener.hpp"

#include <algorithm>
#include <mutex>

#include "gst/memif/control/log_message.hpp"
#include "gst/memif/interface.hpp"

namespace gstmemif {
namespace {

// Handshakes in progress, plus one for each interface. See PendingConnections::choose().
constexpr std::size_t kMaxPending = 64;
// Accepted per event: a burst of connections must not starve the others.
constexpr int kAcceptsPerEvent = 16;
constexpr std::uint32_t kPauseMs = 100;
constexpr std::uint32_t kAllWellMs = 1000;  // without failure: accepting works again
constexpr std::uint32_t kAnewMs = 100;

/** Under the ControlLock. */
std::map<std::string, std::weak_ptr<Listener>>& registry() {
  static auto& listeners = *new std::map<std::string, std::weak_ptr<Listener>>();
  return listeners;
}

/** Held while a socket is opened, so that two interfaces do not open the same. One per name. */
std::shared_ptr<std::mutex> opening(const std::string& name) {
  static std::mutex guard;
  static auto& mutexes = *new std::map<std::string, std::weak_ptr<std::mutex>>();
  const std::lock_guard lock(guard);
  std::erase_if(mutexes, [](const auto& entry) { return entry.second.expired(); });
  std::weak_ptr<std::mutex>& known = mutexes[name];
  std::shared_ptr<std::mutex> mutex = known.lock();
  if (!mutex) known = mutex = std::make_shared<std::mutex>();
  return mutex;
}

std::string without_full_stop(std::string text) {
  if (text.ends_with('.')) text.pop_back();
  return text;
}

}  // namespace

Result<std::shared_ptr<Listener>> Listener::get(const SocketAddress& address,
                                                const ListenOptions& options,
                                                std::shared_ptr<Loop> loop) {
  const std::shared_ptr<std::mutex> mutex = opening(address.text());
  const std::lock_guard one_at_a_time(*mutex);
  {
    const ControlLock lock;
    if (auto listener = registry()[address.text()].lock()) {
      if (listener->options_ == options && listener->loop_ == loop) return listener;
      return Error{ErrorCode::settings,
                   "socket-path=" + address.text() +
                       ": interfaces that share a listening socket need the same socket-mode, "
                       "socket-owner, allowed-uids and main-context."};
    }
  }
  Result<ListenSocket> socket = ListenSocket::open(address, options);
  if (!socket) return socket.error();
  const ControlLock lock;
  auto listener = std::make_shared<Listener>(std::move(*socket), options, std::move(loop));
  if (Result<void> status = listener->make_timers(); !status) return status.error();
  std::erase_if(registry(), [](const auto& entry) { return entry.second.expired(); });
  registry()[address.text()] = listener;
  return listener;
}

Listener::Listener(ListenSocket socket, ListenOptions options, std::shared_ptr<Loop> loop)
    : socket_(std::in_place, std::move(socket)),
      options_(std::move(options)),
      loop_(std::move(loop)) {}

/** Ahead of need: when there is no descriptor for a connection, there is none for a timer. */
Result<void> Listener::make_timers() {
  Result<Timer> pause = Timer::make(*loop_, [weak = weak_from_this()] {
    if (auto self = weak.lock()) self->on_pause_timer();
  });
  if (!pause) return pause.error();
  pause_timer_ = std::move(*pause);
  Result<Timer> deadline = Timer::make(*loop_, [weak = weak_from_this()] {
    auto self = weak.lock();
    if (!self) return;
    self->deadline_armed_ = false;
    self->pending_.time_out();
    self->watch_deadlines();
  });
  if (!deadline) return deadline.error();
  deadline_timer_ = std::move(*deadline);
  Result<Timer> anew = Timer::make(*loop_, [weak = weak_from_this()] {
    if (auto self = weak.lock()) self->listen_anew();
  });
  if (!anew) return anew.error();
  anew_timer_ = std::move(*anew);
  watch_file();
  return {};
}

void Listener::watch() {
  watch_ = loop_->watch(socket_->fd(), [weak = weak_from_this()] {
    const ControlLock lock;
    if (auto self = weak.lock()) self->on_readable();
  });
}

Result<void> Listener::add(Interface& interface) {
  const std::uint32_t id = interface.settings_.id;
  if (interfaces_.try_emplace(id, &interface).second) {
    if (interfaces_.size() == 1 && !paused_) watch();
    return {};
  }
  return Error{ErrorCode::busy, "id=" + std::to_string(id) +
                                    " is already used by another interface on socket-path=" +
                                    interface.settings_.socket.text() + ". Choose another id."};
}

void Listener::remove(Interface& interface, const std::string& reason) {
  const auto entry = interfaces_.find(interface.settings_.id);
  if (entry == interfaces_.end() || entry->second != &interface) return;
  interfaces_.erase(entry);
  // A peer that connects now waits for the next interface instead of being refused.
  if (interfaces_.empty()) watch_.reset();
  for (const Pending& pending : pending_.take_all(interface)) pending.connection->close(reason);
}

// ---- Connections ----------------------------------------------------------------------------

void Listener::on_readable() {
  for (int i = 0; i < kAcceptsPerEvent; ++i) {
    Result<std::optional<Incoming>> incoming = socket_->accept();
    if (!incoming) return pause(incoming.error());
    if (!*incoming) return;
    if ((*incoming)->fd) {
      welcome(std::move(**incoming));
    } else if (!interfaces_.empty()) {
      interfaces_.begin()->second->report_refusal(
          {ErrorCode::not_authorized,
           "user " + std::to_string((*incoming)->uid) + " is not in allowed-uids"});
    }
  }
}

/** The socket stays readable, so stop watching it for a while. Logs once per shortage. */
void Listener::pause(const Error& error) {
  if (shortages_++ == 0) {
    MEMIF_WARNING("%s. New connections have to wait", error.text().c_str());
  }
  // A stalled handshake may hold the descriptor that others need.
  if (const Pending* silent = pending_.silent()) give_up(*silent->connection, "no room");
  watch_.reset();
  paused_ = true;
  pause_timer_.arm(kPauseMs);
}

void Listener::on_pause_timer() {
  if (paused_) {
    paused_ = false;
    if (!interfaces_.empty()) watch();
    pause_timer_.arm(kAllWellMs);
  } else {
    MEMIF_WARNING("accepting connections again, after %u tries", shortages_);
    shortages_ = 0;
  }
}

// ---- The socket file ------------------------------------------------------------------------

void Listener::watch_file() {
  if (socket_->address().abstract()) return;
  Result<FileWatch> watch =
      FileWatch::make(*loop_, socket_->address().name(), [weak = weak_from_this()] {
        if (auto self = weak.lock()) self->on_file_event();
      });
  if (watch) {
    file_watch_ = std::move(*watch);
    on_file_event();  // for what happened before it was watched
  } else {
    MEMIF_INFO("%s: a socket file that is removed is not noticed", watch.error().text().c_str());
  }
}

/** Not at once: whoever removed the file may be about to remove its directory. */
void Listener::on_file_event() {
  if (!socket_->in_place()) anew_timer_.arm(kAnewMs);
}

/** Without a file no slave can connect. Links that are up do not need it. */
void Listener::listen_anew() {
  if (interfaces_.empty() || socket_->in_place()) return;
  ControlLock::defer([weak = weak_from_this(), address = socket_->address(), options = options_] {
    const std::shared_ptr<std::mutex> mutex = opening(address.text());
    const std::lock_guard one_at_a_time(*mutex);
    const Result<void> path = check_socket_path(address, Role::master);
    Result<ListenSocket> socket =
        path ? ListenSocket::open(address, options) : Result<ListenSocket>(path.error());
    const ControlLock lock;
    auto self = weak.lock();
    if (!self || self->interfaces_.empty()) return;
    if (socket) return self->replace(std::move(*socket));
    // Another program may have the path now, or the directory may be gone.
    for (const auto& [id, interface] : self->interfaces_) {
      interface->wait_for("The socket file was removed, and cannot be made again yet: " +
                          without_full_stop(socket.error().text()));
    }
    self->anew_timer_.arm(kAllWellMs);
  });
}

void Listener::replace(ListenSocket socket) {
  watch_.reset();
  socket_.emplace(std::move(socket));
  if (!paused_) watch();
  watch_file();
  for (const auto& [id, interface] : interfaces_) {
    interface->wait_for("Listening again at " + interface->where() +
                        ": the socket file had been removed");
  }
}

void Listener::welcome(Incoming incoming) {
  auto connection = std::make_shared<Connection>(loop_, std::move(incoming.fd), *this);
  Pending pending{nullptr, incoming.uid, incoming.pid};
  if (!make_room(pending)) return connection->close("too many connections at once");
  const Hello greeting = hello();
  MasterHandshake handshake(
      [this, peer = connection.get()](const Init& init) { return admit(*peer, init); }, greeting);
  if (Result<void> status = connection->start(std::move(handshake), &greeting); !status) {
    return on_closed(*connection, status.error());
  }
  pending.connection = std::move(connection);
  pending_.add(std::move(pending));
  watch_deadlines();
}

/** False if the newcomer is the one to drop. */
bool Listener::make_room(const Pending& newcomer) {
  while (pending_.size() >= kMaxPending + interfaces_.size()) {
    const Pending& chosen = pending_.choose(newcomer);
    if (&chosen == &newcomer) return false;
    const std::shared_ptr<Connection> connection = chosen.connection;
    const auto silence = connection->silence();
    // A message may be waiting unread; then the connection is not silent.
    connection->on_readable();
    if (connection->silence() >= silence) {
      give_up(*connection, "too many connections that do not finish their handshake");
    }
  }
  return true;
}

void Listener::give_up(const Connection& connection, const std::string& reason) {
  const std::optional<Pending> pending = pending_.take(connection);
  if (!pending) return;
  pending->connection->close(reason);
  if (pending->interface != nullptr) {
    pending->interface->handshake_failed({ErrorCode::busy, reason});
  }
}

void Listener::watch_deadlines() {
  if (deadline_armed_ || pending_.size() == 0) return;
  const auto left = std::max<std::int64_t>(pending_.time_left().count(), 1);
  deadline_timer_.arm(static_cast<std::uint32_t>(left));
  deadline_armed_ = true;
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

Result<Settings> Listener::admit(Connection& connection, const Init& init) {
  const auto entry = interfaces_.find(init.id);
  if (entry == interfaces_.end()) {
    const Error error{ErrorCode::not_found, "unmatched interface id " + std::to_string(init.id)};
    if (!interfaces_.empty()) interfaces_.begin()->second->report_refusal(error);
    return error;
  }
  Result<Settings> settings = entry->second->admit(init);
  if (!settings) entry->second->report_refusal(settings.error());
  Pending* pending = pending_.find(connection);
  if (settings && pending != nullptr) pending->interface = entry->second;
  return settings;
}

/** Of several slaves with the same id, the first to complete its handshake gets the interface. */
Result<void> Listener::on_agreed(Connection& connection, LinkPlan plan) {
  Pending* pending = pending_.find(connection);
  if (pending == nullptr || pending->interface == nullptr) {
    return Error{ErrorCode::protocol, "the connection was not admitted"};
  }
  return pending->interface->agreed(std::move(plan));
}

void Listener::on_established(Connection& connection) {
  std::optional<Pending> pending = pending_.take(connection);
  Interface& interface = *pending->interface;
  interface.adopt(std::move(pending->connection));
  for (const Pending& late : pending_.take_all(interface)) {
    late.connection->close("already connected");
  }
  interface.established({});
}

void Listener::on_closed(Connection& connection, const Error& reason) {
  if (const auto held_back = failures_log_.pass()) {
    MEMIF_INFO("a connection failed: %s (%u more before it)", reason.text().c_str(), *held_back);
  }
  const std::optional<Pending> pending = pending_.take(connection);
  if (pending && pending->interface != nullptr) pending->interface->handshake_failed(reason);
}

}  // namespace gstmemif
