// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * An interface on its way to a link and back: it dials or is dialled, tries again, and tells its
 * observers. All of it but the dialling with the ControlLock held.
 */
#include <algorithm>
#include <random>

#include "gst/memif/control/interface_owner.hpp"
#include "gst/memif/control/log_limit.hpp"
#include "gst/memif/control/log_message.hpp"
#include "gst/memif/control/observer_queue.hpp"
#include "gst/memif/control/refusal.hpp"
#include "gst/memif/control/refused_rings.hpp"
#include "gst/memif/control/socket.hpp"
#include "gst/memif/control/timer.hpp"
#include "gst/memif/data/link.hpp"
#include "gst/memif/interface.hpp"

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

/** Whether the peer closed the connection and gave no reason. */
bool without_a_word(const Error& error) {
  return error.code == ErrorCode::closed && error.why.empty();
}

}  // namespace

template <class Call>
void Interface::notify(Call call) const {
  for (const auto& observer : observers_) {
    observer->add(call);
    ControlLock::defer([observer] { observer->tell(); });
  }
}

/** Dials as slave. As master it is the listener that admits a slave. */
void Interface::seek_peer() {
  last_refusal_.reset();
  waiting_for_.clear();
  *refused_rings_ = {};
  retry_ms_ = kFirstRetryMs;
  if (settings_.role == Role::slave) {
    dial_now();
  } else {
    wait_for("Listening at " + where() + " for a slave");
  }
}

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
    const std::string others =
        *held_back == 0 ? "" : " (" + std::to_string(*held_back) + " more before it)";
    MEMIF_WARNING("%s id %u: no link: %s%s", settings_.socket.text().c_str(), settings_.id,
                  refusal.reason.c_str(), others.c_str());
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
    stats_->link_downs.add(1);
    publish(nullptr);
  }
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

}  // namespace gstmemif
