// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The settings of an interface, its start and stop, and who observes it. How it comes to a link is
 * in interface_connecting.cpp, what the users of its queues have of it in interface_links.cpp.
 */
#include "gst/memif/interface.hpp"

#include "gst/memif/control/interface_owner.hpp"
#include "gst/memif/control/listener.hpp"
#include "gst/memif/control/log_limit.hpp"
#include "gst/memif/control/log_message.hpp"
#include "gst/memif/control/observer_queue.hpp"
#include "gst/memif/control/refused_rings.hpp"
#include "gst/memif/control/timer.hpp"
#include "gst/memif/data/link.hpp"

namespace gstmemif {
namespace {

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

/** Null for a slave. May take a while. */
Result<std::shared_ptr<Listener>> find_listener(const Settings& settings,
                                                std::shared_ptr<Loop> loop) {
  if (Result<void> status = check_socket_path(settings.socket, settings.role); !status)
    return status.error();
  if (settings.role == Role::slave) return std::shared_ptr<Listener>();
  return Listener::get(settings.socket, settings.listen, std::move(loop));
}

}  // namespace

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
  seek_peer();
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
  std::erase_if(observers_, [](const auto& candidate) { return candidate->expired(); });
  const auto queue = std::make_shared<ObserverQueue>(std::move(observer));
  observers_.push_back(queue);
  // Events are not repeated, and the control thread may have been faster.
  if (const std::shared_ptr<Link> current = link()) {
    queue->add([info = current->info()](InterfaceObserver& late) { late.on_link_up(info); });
  } else if (started_ && last_refusal_) {
    queue->add([refusal = *last_refusal_](InterfaceObserver& late) { late.on_refused(refusal); });
  } else if (started_ && !waiting_for_.empty()) {
    queue->add([what = waiting_for_](InterfaceObserver& late) { late.on_waiting(what); });
  }
  ControlLock::defer([queue] { queue->tell(); });
}

}  // namespace gstmemif
