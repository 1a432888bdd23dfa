// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/memif/interface.hpp"

#include <algorithm>
#include <random>

#include "gst/memif/control/connection.hpp"
#include "gst/memif/control/listener.hpp"
#include "gst/memif/control/log_limit.hpp"
#include "gst/memif/control/log_message.hpp"
#include "gst/memif/control/refusal.hpp"
#include "gst/memif/control/refused_rings.hpp"
#include "gst/memif/control/timer.hpp"
#include "gst/memif/data/link.hpp"
#include "gst/memif/data/link_backlog.hpp"
#include "gst/memif/queue_user.hpp"

namespace gstmemif {
namespace {

constexpr std::uint32_t kFirstRetryMs = 20;

/** With 25 % jitter, so that many interfaces do not connect in step. */
std::uint32_t jittered(std::uint32_t milliseconds) {
  static thread_local std::minstd_rand random(std::random_device{}());
  const std::uint32_t spread = milliseconds / 4;
  return milliseconds - spread +
         std::uniform_int_distribution<std::uint32_t>(0, 2 * spread)(random);
}

bool ends_links(NewLink when, Role role) {
  switch (when) {
    case NewLink::never:
      return false;
    case NewLink::always:
      return true;
    case NewLink::as_slave:
      return role == Role::slave;
    case NewLink::as_master:
      return role == Role::master;
  }
  return false;
}

/** Whether the peer closed the connection and gave no reason. */
bool without_a_word(const Error& error) {
  return error.code == ErrorCode::closed && error.why.empty();
}

/** Null for a slave. May take a while. */
Result<std::shared_ptr<Listener>> find_listener(const Settings& settings,
                                                std::shared_ptr<Loop> loop) {
  if (Result<void> status = check_socket_path(settings.socket, settings.role); !status)
    return status.error();
  if (settings.role == Role::slave) return std::shared_ptr<Listener>();
  return Listener::get(settings.socket, settings.listen, std::move(loop));
}

}  // namespace

/** Receives the events of the interface's connection; a member, so that the base stays private. */
class Interface::Owner final : public ConnectionOwner {
 public:
  explicit Owner(Interface& interface) : interface_(interface) {}
  Result<void> on_agreed(Connection&, LinkPlan plan) override {
    return interface_.agreed(std::move(plan));
  }
  void on_established(Connection& connection) override {
    interface_.established(connection.peer_interface());
  }
  void on_closed(Connection&, const Error& reason) override {
    interface_.connection_closed(reason);
  }

 private:
  Interface& interface_;
};

Result<std::shared_ptr<Interface>> Interface::create(Settings settings,
                                                     std::shared_ptr<Loop> loop) {
  if (Result<void> status = validate(settings); !status) return status.error();
  return std::shared_ptr<Interface>(new Interface(std::move(settings), std::move(loop)));
}

Interface::Interface(Settings settings, std::shared_ptr<Loop> loop)
    : settings_(std::move(settings)),
      loop_(std::move(loop)),
      stats_(std::make_shared<InterfaceStats>()),
      copy_budget_(std::make_shared<CopyBudget>(settings_.copy_limit)),
      refusals_log_(std::make_unique<LogLimit>()),
      refused_rings_(std::make_unique<RefusedRings>()),
      owner_(std::make_unique<Owner>(*this)) {}

Interface::~Interface() {
  stop();
}

// Files, users and directories are examined without the ControlLock: that may block, and the rest
// of the process must not wait. Changes made meanwhile are detected by the epoch.

Result<void> Interface::start() {
  std::uint32_t epoch = 0;
  {
    const ControlLock lock;
    epoch = epoch_;
  }
  return start_from(epoch);
}

Result<void> Interface::start_from(std::uint32_t epoch) {
  for (;;) {
    Settings wanted;
    {
      const ControlLock lock;
      if (started_ || epoch_ != epoch) return {};
      wanted = settings_;
    }
    Result<std::shared_ptr<Listener>> found = find_listener(wanted, loop_);
    const ControlLock lock;
    const auto kept = std::exchange(kept_listener_, nullptr);
    if (!found) return found.error();
    auto listener = std::move(*found);  // goes, if it has to, with the lock held
    if (started_ || epoch_ != epoch) return {};
    if (settings_ == wanted) return start_locked(std::move(listener));
  }
}

Result<void> Interface::start_locked(std::shared_ptr<Listener> listener) {
  Result<UniqueFd> wake = make_eventfd();
  if (!wake) return wake.error();
  control_wake_ = std::make_shared<const UniqueFd>(std::move(*wake));
  if (Result<void> status = make_timer(); !status) return status;
  if (listener) {
    if (Result<void> status = listener->add(*this); !status) return status;
    listener_ = std::move(listener);
  }
  wake_watch_ = loop_->watch(control_wake_->get(), [weak = weak_from_this()] {
    const ControlLock held;
    if (auto self = weak.lock()) self->on_control_wake();
  });
  started_ = true;
  MEMIF_DEBUG("%s id %u: started as %s", settings_.socket.text().c_str(), settings_.id,
              settings_.role == Role::slave ? "slave" : "master");
  last_refusal_.reset();
  waiting_for_.clear();
  *refused_rings_ = {};
  retry_ms_ = kFirstRetryMs;
  if (settings_.role == Role::slave) {
    dial_now();
  } else {
    wait_for("Listening at " + where() + " for a slave");
  }
  return {};
}

void Interface::stop() {
  const ControlLock lock;
  ++epoch_;
  kept_listener_.reset();
  stop_locked("interface deleted");
}

void Interface::stop_locked(const std::string& reason) {
  if (!started_) return;
  MEMIF_DEBUG("%s id %u: stopped: %s", settings_.socket.text().c_str(), settings_.id,
              reason.c_str());
  started_ = false;
  timer_.reset();
  wake_watch_.reset();
  if (connection_) connection_->close(reason);
  connection_.reset();
  agreed_link_.reset();
  if (listener_) listener_->remove(*this, reason);
  listener_.reset();
  drop_link(reason);
}

bool Interface::started() const {
  const ControlLock lock;
  return started_;
}

Result<void> Interface::reconfigure(Settings settings) {
  if (Result<void> status = validate(settings); !status) return status;
  return finish(change(std::move(settings)));
}

Interface::Change Interface::change(Settings settings) {
  const ControlLock lock;
  if (settings == settings_) return {};
  copy_budget_->set_limit(settings.copy_limit);
  if (started_ && settings.listen == settings_.listen && link() &&
      reason_for_new_link(settings).empty()) {
    set_settings(std::move(settings));
    return {};
  }
  const bool was_started = started_;
  if (was_started) {
    ++epoch_;
    // The socket is kept where it can be: peers that dial meanwhile find it, and so do we.
    if (settings.listen == settings_.listen) kept_listener_ = listener_;
    stop_locked("settings changed");
  }
  set_settings(std::move(settings));
  return was_started ? Change(epoch_) : Change();
}

Result<void> Interface::finish(Change change) {
  return change ? start_from(*change) : Result<void>();
}

std::string Interface::reason_for_new_link(const Settings& settings) const {
  const ControlLock lock;
  const std::shared_ptr<Link> current = link();
  if (!current) return {};
  for (const SettingInfo& info : setting_infos()) {
    const SettingValue value = info.get(settings);
    if (ends_links(info.new_link, settings.role) && value != info.get(settings_)) {
      return show(info, value);
    }
  }
  const auto more = [](std::uint32_t wanted, std::uint32_t offered, std::size_t has) {
    return wanted > has && has >= offered;
  };
  if (more(settings.rx_queues, settings_.rx_queues, current->rx_queues())) {
    return "rx-queues=" + std::to_string(settings.rx_queues);
  }
  if (more(settings.tx_queues, settings_.tx_queues, current->tx_queues())) {
    return "tx-queues=" + std::to_string(settings.tx_queues);
  }
  return {};
}

void Interface::set_settings(Settings settings) {
  const std::lock_guard lock(data_mutex_);
  settings_ = std::move(settings);
}

// The control plane may be at work for a while: a streaming thread that asks does not wait for it.
Settings Interface::settings() const {
  const std::lock_guard lock(data_mutex_);
  return settings_;
}

void Interface::add_observer(std::weak_ptr<InterfaceObserver> observer) {
  const ControlLock lock;
  std::erase_if(observers_, [](const auto& candidate) { return candidate.expired(); });
  observers_.push_back(observer);
  // Events are not repeated, and the control thread may have been faster.
  const std::shared_ptr<Link> current = link();
  if (current) {
    ControlLock::defer([observer = std::move(observer), info = current->info()] {
      if (auto late = observer.lock()) late->on_link_up(info);
    });
  } else if (started_ && last_refusal_) {
    ControlLock::defer([observer = std::move(observer), refusal = *last_refusal_] {
      if (auto late = observer.lock()) late->on_refused(refusal);
    });
  } else if (started_ && !waiting_for_.empty()) {
    ControlLock::defer([observer = std::move(observer), what = waiting_for_] {
      if (auto late = observer.lock()) late->on_waiting(what);
    });
  }
}

template <class Call>
void Interface::notify(Call call) {
  ControlLock::defer([observers = observers_, call] {
    for (const auto& weak : observers) {
      if (auto observer = weak.lock()) call(*observer);
    }
  });
}

// ---- Connecting -----------------------------------------------------------------------------

/** Connects once the lock is free, since a path may lead to a slow file system. */
void Interface::dial_now() {
  ControlLock::defer([weak = weak_from_this(), address = settings_.socket, epoch = epoch_] {
    Result<UniqueFd> socket = dial(address);
    const ControlLock lock;
    auto self = weak.lock();
    if (self && self->started_ && self->epoch_ == epoch && !self->connection_) {
      self->dialled(std::move(socket));
    }
  });
}

void Interface::dialled(Result<UniqueFd> socket) {
  if (!socket) {
    MEMIF_DEBUG("%s", socket.error().text().c_str());
    if (socket.error().code == ErrorCode::not_found) {
      const std::string& name = settings_.socket.name();
      wait_for("Waiting for a master at " + where() + ": " + socket.error().why +
               ". If it runs, set the same socket-path on both ends (" +
               (settings_.socket.abstract() ? name + " would be a file"
                                            : "@" + name + " would be an abstract one") +
               "), and role=master on one end");
    } else if (socket.error().code != ErrorCode::busy) {
      report_refusal(socket.error());
    }
    // There is a listener with a full backlog: a long retry interval would never get in.
    if (socket.error().code == ErrorCode::busy) retry_ms_ = kFirstRetryMs;
    return retry_later();
  }
  connection_ = std::make_shared<Connection>(loop_, std::move(*socket), *owner_);
  Result<void> status =
      connection_->start(SlaveHandshake(refused_rings_->offer(settings_)), nullptr);
  if (!status) return connection_closed(status.error());
  watch_deadline();
}

/** Ahead of need, since the reason to retry may be a lack of descriptors. */
Result<void> Interface::make_timer() {
  if (settings_.role == Role::master) return {};
  Result<Timer> timer = Timer::make(*loop_, [weak = weak_from_this()] {
    auto self = weak.lock();
    if (self && self->started_) self->on_timer();
  });
  if (!timer) return timer.error();
  timer_ = std::make_unique<Timer>(std::move(*timer));
  return {};
}

void Interface::on_timer() {
  if (!connection_) return dial_now();
  if (!connection_->established()) watch_deadline();
}

void Interface::watch_deadline() {
  const std::shared_ptr<Connection> connection = connection_;
  if (connection->time_left().count() <= 0) connection->time_out();
  if (connection_ != connection || connection->established()) return;
  const auto left = std::max<std::int64_t>(connection->time_left().count(), 1);
  timer_->arm(static_cast<std::uint32_t>(left));
}

void Interface::retry_later() {
  retry_ms_ = std::min(retry_ms_, settings_.dial_interval);
  timer_->arm(jittered(retry_ms_));
  retry_ms_ = 2 * retry_ms_;
}

Result<Settings> Interface::admit(const Init& init) {
  if (init.mode != static_cast<std::uint8_t>(settings_.mode)) {
    return Error{ErrorCode::protocol, "mode mismatch"};
  }
  if (!settings_.secret.empty() && init.secret != settings_.secret) {
    return Error{ErrorCode::not_authorized,
                 init.secret.empty() ? "secret required" : "incorrect secret"};
  }
  // A killed peer may be back before the end of its old connection has been processed.
  if (connection_ && connection_->hung_up()) {
    connection_closed({ErrorCode::closed, "the peer closed the connection"});
  }
  if (connection_) return Error{ErrorCode::busy, "already connected"};
  // A receiver's last link, and its backlog, may have as much memory as one peer each. Packets held
  // downstream keep memory too, so a peer must not get more by reconnecting.
  if (memory_left() / 2 > settings_.memory_limit) {
    return Error{ErrorCode::busy, "packets of earlier links keep too much memory (memory-limit)"};
  }
  return settings_;
}

void Interface::adopt(std::shared_ptr<Connection> connection) {
  connection->set_owner(*owner_);
  connection_ = std::move(connection);
}

Result<void> Interface::agreed(LinkPlan plan) {
  MEMIF_DEBUG("%s id %u: handshake done, %zu S2M and %zu M2S rings, %zu regions",
              settings_.socket.text().c_str(), settings_.id, plan.s2m.size(), plan.m2s.size(),
              plan.regions.size());
  plan.max_packet_size = settings_.max_packet_size;
  agreed_link_ = std::make_shared<Link>(std::move(plan), stats_, control_wake_);
  return {};
}

/** @param peer_interface as slave, the name that came with CONNECTED, perhaps empty */
void Interface::established(const std::string& peer_interface) {
  auto link = std::exchange(agreed_link_, nullptr);
  if (!peer_interface.empty()) link->set_peer_interface(peer_interface);
  if (link->role() == Role::slave) link->publish_buffers_again();
  retry_ms_ = kFirstRetryMs;
  last_refusal_.reset();
  waiting_for_.clear();
  stats_->link_ups.add(1);
  MEMIF_INFO("%s id %u: link up, peer '%s', %zu receiving and %zu sending queues",
             settings_.socket.text().c_str(), settings_.id, link->peer_name().c_str(),
             link->rx_queues(), link->tx_queues());
  notify([info = link->info()](InterfaceObserver& observer) { observer.on_link_up(info); });
  const std::lock_guard lock(data_mutex_);
  publish(std::move(link));
}

/** As slave: remembers which ring the master was offered when it closed without a word. */
void Interface::learn_from(const Error& error) {
  const SlaveHandshake* const slave = connection_ ? connection_->as_slave() : nullptr;
  const auto ring =
      slave != nullptr && without_a_word(error) ? slave->offered_ring() : std::nullopt;
  if (!refused_rings_->learn(ring)) return;
  MEMIF_WARNING("%s id %u: the master takes no more than %s=%zu", settings_.socket.text().c_str(),
                settings_.id, ring->direction == Direction::s2m ? "tx-queues" : "rx-queues",
                ring->index);
}

void Interface::connection_closed(const Error& error) {
  const bool was_up = link() != nullptr;
  if (was_up) {
    *refused_rings_ = {};
  } else {
    learn_from(error);
  }
  if (connection_) connection_->close(error.text());
  if (!was_up) {
    stats_->handshakes_failed.add(1);
    report_refusal(error);
  }
  connection_.reset();
  agreed_link_.reset();
  drop_link(error.text());
  if (started_ && settings_.role == Role::slave) retry_later();
}

/** As master: an admitted slave did not complete its link. */
void Interface::handshake_failed(const Error& error) {
  agreed_link_.reset();
  stats_->handshakes_failed.add(1);
  report_refusal(error);
}

void Interface::report_refusal(const Error& error) {
  Error said = error;
  const SlaveHandshake* const slave = connection_ ? connection_->as_slave() : nullptr;
  if (slave != nullptr && without_a_word(error)) {
    if (const std::string meaning = slave->meaning_of_closing(); !meaning.empty()) {
      said.what += " (" + meaning + ")";
    }
  }
  const Refusal refusal = refusal_of(said);
  if (last_refusal_ && refusal.reason == last_refusal_->reason) return;
  last_refusal_ = refusal;
  waiting_for_.clear();
  const auto held_back = refusals_log_->pass();
  if (held_back) {
    MEMIF_WARNING("%s id %u: no link: %s (%u more before it)", settings_.socket.text().c_str(),
                  settings_.id, refusal.reason.c_str(), *held_back);
  }
  // Any process that may connect can make a master refuse it, as often as it likes.
  if (settings_.role == Role::master && !held_back) return;
  notify([refusal](InterfaceObserver& observer) { observer.on_refused(refusal); });
}

std::string Interface::where() const {
  return settings_.socket.text() + " id " + std::to_string(settings_.id);
}

void Interface::wait_for(const std::string& what) {
  if (what == waiting_for_) return;
  waiting_for_ = what;
  last_refusal_.reset();
  MEMIF_INFO("%s", what.c_str());
  notify([what](InterfaceObserver& observer) { observer.on_waiting(what); });
}

void Interface::drop_link(const std::string& reason) {
  std::shared_ptr<Link> link;
  {
    const std::lock_guard lock(data_mutex_);
    link = link_;
    if (!link) return;
    link->mark_down();
    leave(link);
    publish(nullptr);
  }
  stats_->link_downs.add(1);
  MEMIF_INFO("%s id %u: link down: %s", settings_.socket.text().c_str(), settings_.id,
             reason.c_str());
  notify([reason](InterfaceObserver& observer) { observer.on_link_down(reason); });
}

void Interface::on_control_wake() {
  drain_eventfd(control_wake_->get());
  const std::shared_ptr<Link> current = link();
  if (!current || !current->state().failed()) return;
  connection_closed({ErrorCode::protocol, current->state().failure()});
}

// ---- Data plane -----------------------------------------------------------------------------

std::shared_ptr<Link> Interface::link() const {
  const std::lock_guard lock(data_mutex_);
  return link_;
}

std::optional<LinkInfo> Interface::link_info() const {
  const std::shared_ptr<Link> present = link();
  if (!present) return {};
  return present->info();
}

std::optional<RingFill> Interface::ring_fill(bool receives, std::uint32_t queue) const {
  const std::shared_ptr<Link> present = link();
  return present ? present->ring_fill(receives, queue) : std::nullopt;
}

Loan* Interface::borrow(std::uint32_t queue, std::uint32_t count, std::uint32_t buffer_size) const {
  const std::shared_ptr<Link> present = link();
  TxQueue* const tx = present ? present->tx(queue) : nullptr;
  if (tx == nullptr || tx->buffer_size() < buffer_size) return nullptr;
  return tx->borrow(present, std::min(count, std::max(tx->ring_size() / 4, 1U)));
}

void Interface::publish(std::shared_ptr<Link> link) {
  link_ = std::move(link);
  generation_.fetch_add(1, std::memory_order_release);
  for (QueueUser* user : users_) {
    if (user->receives_ && link_) user->backlog_->add(link_);
    user->wake();
  }
}

/** Handles packets in the rings of a link that is down: they are received, or counted as lost. */
void Interface::leave(const std::shared_ptr<Link>& link) {
  for (QueueUser* user : users_) {
    if (user->receives_) user->backlog_->went_down(*link, user->queue_);
  }
  for (std::uint32_t i = 0; i < link->rx_queues(); ++i) {
    if (!claimed_.contains({true, i})) link->rx(i)->abandon();
  }
  for (std::uint32_t i = 0; i < link->tx_queues(); ++i) {
    if (!claimed_.contains({false, i})) link->tx(i)->abandon();
  }
  left_.push_back(link);
  bound_waiting();
}

/** Drops the oldest queued links if together they have more memory than one peer may bring. */
void Interface::bound_waiting() {
  std::erase_if(left_, [](const auto& link) { return link.expired(); });
  std::uint64_t bytes = 0;
  bool newest = true;
  for (auto weak = left_.rbegin(); weak != left_.rend(); ++weak) {
    const std::shared_ptr<Link> link = weak->lock();
    const auto holds = [&](const QueueUser* user) { return user->backlog_->holds(*link); };
    if (!link || std::none_of(users_.begin(), users_.end(), holds)) continue;
    bytes += link->state().total_bytes();
    const bool keep = std::exchange(newest, false) || bytes <= settings_.memory_limit;
    if (keep) continue;
    for (QueueUser* user : users_) user->backlog_->drop(*link, user->queue_);
  }
}

/** Bytes of links that are down but still held. */
std::uint64_t Interface::memory_left() const {
  const std::lock_guard lock(data_mutex_);
  std::uint64_t bytes = 0;
  for (const auto& weak : left_) {
    if (const std::shared_ptr<Link> link = weak.lock()) bytes += link->state().total_bytes();
  }
  return bytes;
}

/** The link that @p user goes on with: for a receiver, perhaps an old one with packets left. */
std::shared_ptr<Link> Interface::next_link(QueueUser& user) {
  const std::lock_guard lock(data_mutex_);
  std::shared_ptr<Link> next = user.receives_ ? user.backlog_->take() : link_;
  if (const std::uint64_t lost = user.backlog_->take_lost(); lost != 0) {
    stats_->rx(user.queue_).drop(DropReason::undelivered, lost);
  }
  user.generation_ = generation_.load(std::memory_order_relaxed);
  if (next != link_) --user.generation_;  // and not for long
  return next;
}

Result<void> Interface::attach(QueueUser& user, bool receives, std::uint32_t queue) {
  const std::lock_guard lock(data_mutex_);
  if (!claimed_.emplace(receives, queue).second) {
    return Error{ErrorCode::busy,
                 "queue=" + std::to_string(queue) + " of this interface has a " +
                     (receives ? "receiver" : "sender") +
                     " already. Choose another queue: each belongs to one thread."};
  }
  users_.push_back(&user);
  if (receives && link_) user.backlog_->add(link_);
  return {};
}

void Interface::detach(QueueUser& user, bool receives, std::uint32_t queue) {
  const std::lock_guard lock(data_mutex_);
  claimed_.erase({receives, queue});
  std::erase(users_, &user);
  // A link that is up is left to the next user that comes.
  if (user.link_ && !user.link_->up()) {
    if (receives && user.link_->rx(queue) != nullptr) user.link_->rx(queue)->abandon();
    if (!receives && user.link_->tx(queue) != nullptr) user.link_->tx(queue)->abandon();
  }
  if (receives) stats_->rx(queue).drop(DropReason::undelivered, user.backlog_->abandon(queue));
}

}  // namespace gstmemif
