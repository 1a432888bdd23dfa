// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/memif/shared_interface.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <vector>

using gstmemif::Error;
using gstmemif::ErrorCode;
using gstmemif::Result;
using gstmemif::Settings;

namespace {

using Seat = std::shared_ptr<const void*>;
using Key = std::tuple<std::string, std::uint32_t, gstmemif::Role>;

std::map<Key, std::weak_ptr<SharedInterface>>& registry() {
  static auto& interfaces = *new std::map<Key, std::weak_ptr<SharedInterface>>();
  return interfaces;
}

}  // namespace

/**
 * Its state, and the registry, are under the ControlLock. Slow operations (looking up users, files
 * and directories) run without it, and are repeated if members came or went meanwhile. Calls into
 * the application are deferred until the lock is free.
 */
class SharedInterface {
 public:
  Result<void> add(Membership& member) {
    {
      const gstmemif::ControlLock lock;
      for (const Membership* other : members_) {
        if (Result<void> status = agree(member, *other); !status) return status;
      }
      members_.push_back(&member);
      ++version_;
    }
    Result<void> status = update(member);
    if (!status) remove(member);
    return status;
  }

  void remove(Membership& member) {
    const gstmemif::ControlLock lock;
    std::erase(members_, &member);
    ++version_;
  }

  Result<std::shared_ptr<gstmemif::Interface>> start(const Seat& seat) {
    auto interface = take(seat);
    if (!interface) return interface.error();
    Result<void> status = (*interface)->start();
    if (status) return interface;
    const gstmemif::ControlLock lock;
    std::erase(running_, seat);
    if (running_.empty()) interface_.reset();
    return status.error();
  }

  void stop(const Seat& seat) {
    const gstmemif::ControlLock lock;
    std::erase(running_, seat);
    if (!running_.empty()) return;
    interface_->stop();
    interface_.reset();
  }

  bool speaks(const Seat& seat) const {
    const gstmemif::ControlLock lock;
    const auto first =
        std::ranges::find_if(running_, [&](const Seat& other) { return *other == *seat; });
    return first != running_.end() && *first == seat;
  }

 private:
  struct Members {
    std::vector<gstmemif::PartialSettings> given;
    std::string first_name;
    MainContext main_context;
    unsigned version = 0;
  };

  static Result<void> agree(const Membership& a, const Membership& b) {
    if (a.main_context() != b.main_context()) {
      return Error{ErrorCode::settings,
                   "main-context of " + a.name() + " differs from that of " + b.name(),
                   "both use one memif interface", "Set the same context on both, or on neither"};
    }
    return check_agreement(a.given(), a.name(), b.given(), b.name());
  }

  static Result<Settings> merged(const Members& members) {
    Settings settings;
    for (const gstmemif::PartialSettings& member : members.given) {
      if (Result<void> status = apply_settings(member, settings); !status) return status.error();
    }
    // VPP and libmemif show a link by this name, and nothing where there is none.
    if (settings.interface_name.empty()) {
      settings.interface_name = members.first_name.substr(0, gstmemif::kMaxNameLength);
    }
    if (Result<void> status = validate(settings); !status) return status.error();
    return settings;
  }

  static std::shared_ptr<gstmemif::Loop> loop_of(const Members& members) {
    GMainContext* context = members.main_context.get();
    return context != nullptr ? gstmemif::Loop::for_context(context) : gstmemif::Loop::own_thread();
  }

  Members members() const {
    const gstmemif::ControlLock lock;
    Members members;
    for (const Membership* member : members_) members.given.push_back(member->given());
    members.first_name = members_.front()->name();
    members.main_context = members_.front()->main_context();
    members.version = version_;
    return members;
  }

  /** Applies the settings of a new member to a running interface. */
  Result<void> update(Membership& newcomer) {
    for (;;) {
      const Members present = members();
      Result<Settings> settings = merged(present);
      if (!settings) return settings.error();
      std::shared_ptr<gstmemif::Interface> interface;
      gstmemif::Interface::Change change;
      {
        const gstmemif::ControlLock lock;
        if (version_ != present.version) continue;
        if (!interface_) return {};
        interface = interface_;
        newcomer.ended_link_for_ = interface->reason_for_new_link(*settings);
        change = interface->change(std::move(*settings));
      }
      return interface->finish(change);
    }
  }

  /** The interface, created if there is none; the caller counts as running. */
  Result<std::shared_ptr<gstmemif::Interface>> take(const Seat& seat) {
    for (;;) {
      const Members present = members();
      Result<Settings> settings = merged(present);
      if (!settings) return settings.error();
      auto made = gstmemif::Interface::create(std::move(*settings), loop_of(present));
      if (!made) return made.error();
      const gstmemif::ControlLock lock;
      if (!interface_ && version_ != present.version) continue;
      if (!interface_) interface_ = std::move(*made);
      running_.push_back(seat);
      return interface_;
    }
  }

  std::vector<Membership*> members_;
  unsigned version_ = 0;  // of the list of members
  std::shared_ptr<gstmemif::Interface> interface_;
  std::vector<Seat> running_;  // in the order of their start
};

namespace {

std::shared_ptr<SharedInterface> find(const Key& key) {
  const gstmemif::ControlLock lock;
  auto shared = registry()[key].lock();
  if (!shared) registry()[key] = shared = std::make_shared<SharedInterface>();
  return shared;
}

}  // namespace

Result<std::unique_ptr<Membership>> Membership::join(gstmemif::PartialSettings given,
                                                     MainContext main_context, std::string name) {
  Settings settings;
  if (Result<void> status = apply_settings(given, settings); !status) return status.error();
  if (Result<void> status = check_socket_path(settings.socket, settings.role); !status) {
    return status.error();
  }
  const Key key(settings.socket.text(), settings.id, settings.role);
  std::unique_ptr<Membership> member(new Membership(std::move(given), std::move(settings),
                                                    std::move(main_context), std::move(name)));

  const auto shared = find(key);
  if (Result<void> status = shared->add(*member); !status) return status.error();
  member->shared_ = shared;
  return member;
}

Membership::~Membership() {
  stop();
  const gstmemif::ControlLock lock;
  if (shared_) shared_->remove(*this);
  shared_.reset();
  std::erase_if(registry(), [](const auto& entry) { return entry.second.expired(); });
}

Result<std::shared_ptr<gstmemif::Interface>> Membership::start(const void* audience) {
  const auto seat = std::make_shared<const void*>(audience);
  auto interface = shared_->start(seat);
  const gstmemif::ControlLock lock;
  if (interface) seat_ = seat;
  return interface;
}

void Membership::stop() {
  const gstmemif::ControlLock lock;
  if (seat_) shared_->stop(seat_);
  seat_.reset();
}

std::function<bool()> Membership::speaker() const {
  return [weak = std::weak_ptr(shared_), seat = seat_] {
    const auto shared = weak.lock();
    return shared && shared->speaks(seat);
  };
}
