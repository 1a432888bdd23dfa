// SPDX-License-Identifier: LGPL-2.1-or-later
#include "plugins/memif/shared_interface.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <vector>

using gstmemif::Error;
using gstmemif::ErrorCode;
using gstmemif::Result;
using gstmemif::Settings;
using gstmemif::Status;

namespace {

using Key = std::tuple<std::string, std::uint32_t, gstmemif::Role>;

std::map<Key, std::weak_ptr<SharedInterface>>& registry() {
  static auto& interfaces = *new std::map<Key, std::weak_ptr<SharedInterface>>();
  return interfaces;
}

}  // namespace

/**
 * All calls with the ControlLock held, which guards the registry too: what is told to applications
 * meanwhile waits until the lock is free.
 */
class SharedInterface {
 public:
  Status add(Membership& member) {
    for (const Membership* other : members_) {
      if (Status status = agree(member, *other); !status) return status;
    }
    members_.push_back(&member);
    Result<Settings> settings = merged();
    Status status = settings ? validate(*settings) : Status(settings.error());
    // An interface that runs already takes over what the newcomer adds. Only that is worth a link.
    if (status && interface_ && interface_->settings() != *settings) {
      status = interface_->reconfigure(std::move(*settings));
    }
    if (!status) members_.pop_back();
    return status;
  }

  void remove(Membership& member) { std::erase(members_, &member); }

  Result<std::shared_ptr<gstmemif::Interface>> start() {
    if (!interface_) {
      Result<Settings> settings = merged();
      if (!settings) return settings.error();
      auto made = gstmemif::Interface::create(std::move(*settings), loop());
      if (!made) return made.error();
      interface_ = *made;
    }
    if (Status status = interface_->start(); !status) {
      if (running_ == 0) interface_.reset();
      return status.error();
    }
    ++running_;
    return interface_;
  }

  void stop() {
    if (--running_ != 0) return;
    interface_->stop();
    interface_.reset();
  }

 private:
  static Status agree(const Membership& a, const Membership& b) {
    if (a.settings().main_context != b.settings().main_context) {
      return Error{ErrorCode::settings, "main-context of " + a.name() + " differs from that of " +
                                            b.name() +
                                            ": both are ends of one memif interface. Set the same "
                                            "context on both, or on neither."};
    }
    return check_agreement(a.settings().partial, a.name(), b.settings().partial, b.name());
  }

  Result<Settings> merged() const {
    const MemberSettings& first = members_.front()->settings();
    Result<gstmemif::SocketAddress> address = gstmemif::SocketAddress::parse(first.socket_path);
    if (!address) return address.error();
    Settings settings;
    settings.socket = std::move(*address);
    settings.id = first.id;
    settings.role = first.role;
    for (const Membership* member : members_) {
      if (Status status = apply(member->settings().partial, settings); !status) {
        return status.error();
      }
    }
    return settings;
  }

  std::shared_ptr<gstmemif::Loop> loop() const {
    GMainContext* context = members_.front()->settings().main_context;
    return context != nullptr ? gstmemif::Loop::for_context(context) : gstmemif::Loop::own_thread();
  }

  std::vector<Membership*> members_;
  std::shared_ptr<gstmemif::Interface> interface_;
  int running_ = 0;
};

Result<std::unique_ptr<Membership>> Membership::join(MemberSettings settings, std::string name) {
  Result<gstmemif::SocketAddress> address = gstmemif::SocketAddress::parse(settings.socket_path);
  if (!address) return address.error();
  if (Status status = check_socket_path(*address); !status) return status.error();
  const Key key(address->text(), settings.id, settings.role);
  std::unique_ptr<Membership> member(new Membership(std::move(settings), std::move(name)));

  const gstmemif::ControlLock lock;
  auto shared = registry()[key].lock();
  if (!shared) {
    shared = std::make_shared<SharedInterface>();
    registry()[key] = shared;
  }
  if (Status status = shared->add(*member); !status) return status.error();
  member->shared_ = std::move(shared);
  return member;
}

Membership::~Membership() {
  stop();
  const gstmemif::ControlLock lock;
  if (shared_) shared_->remove(*this);
  shared_.reset();
  std::erase_if(registry(), [](const auto& entry) { return entry.second.expired(); });
}

Result<std::shared_ptr<gstmemif::Interface>> Membership::start() {
  const gstmemif::ControlLock lock;
  auto interface = shared_->start();
  started_ = static_cast<bool>(interface);
  return interface;
}

void Membership::stop() {
  const gstmemif::ControlLock lock;
  if (started_) shared_->stop();
  started_ = false;
}
