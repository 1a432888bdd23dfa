// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/memif/host_user.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <tuple>
#include <utility>

#include "plugins/memif/shared_host.hpp"

using gstmemif::Result;

namespace {

using Key = std::tuple<std::string, std::uint32_t, gstmemif::Role>;

/** Guards the registry, and that a host is found and joined in one step. */
std::mutex& registry_mutex() {
  static auto& mutex = *new std::mutex;
  return mutex;
}

std::map<Key, std::weak_ptr<SharedHost>>& registry() {
  static auto& hosts = *new std::map<Key, std::weak_ptr<SharedHost>>();
  return hosts;
}

thread_local const HostUser::Acting* acting_now = nullptr;

std::string name_of(gpointer object) {
  gchar* name = gst_object_get_name(GST_OBJECT_CAST(object));
  const std::string text = name != nullptr ? name : "?";
  g_free(name);
  return text;
}

}  // namespace

HostUser::Acting::Acting(HostUser& user) noexcept
    : user_(user), before_(std::exchange(acting_now, this)) {}

HostUser::Acting::~Acting() {
  acting_now = before_;
}

const HostUser::Acting* HostUser::Acting::now() noexcept {
  return acting_now;
}

HostUser::HostUser(GstElement* element, HostRequest given)
    : element_(element), given_(std::move(given)), name_(name_of(element)) {}

Result<std::unique_ptr<HostUser>> HostUser::join(GstElement* element, HostRequest given) {
  gstmemif::Settings settings;
  if (auto status = apply_settings(given.link, settings); !status) return status.error();
  std::unique_ptr<HostUser> user(new HostUser(element, std::move(given)));
  const std::lock_guard lock(registry_mutex());
  auto& place = registry()[Key(settings.socket.text(), settings.id, settings.role)];
  auto shared = place.lock();
  if (!shared) place = shared = std::make_shared<SharedHost>();
  if (auto status = shared->add(*user); !status) return status.error();
  user->shared_ = std::move(shared);
  return user;
}

HostUser::~HostUser() {
  stop();
  if (!shared_) return;
  shared_->remove(*this);
  const std::lock_guard lock(registry_mutex());
  shared_.reset();
  std::erase_if(registry(), [](const auto& entry) { return entry.second.expired(); });
}

bool HostUser::start() {
  const Acting acting(*this);
  return shared_->start(*this);
}

void HostUser::follow_link() {
  shared_->follow_link(*this);
}

void HostUser::stop() {
  if (!started_) return;
  gst_clear_object(&host_);
  gst_clear_object(&source_);
  gst_clear_object(&sink_);
  gst_clear_object(&clock_);
  shared_->stop(*this);
}

GstPad* HostUser::request_pad(const char* templ) {
  GstPad* pad = shared_->request_pad(templ);
  if (pad == nullptr) {
    GST_ELEMENT_ERROR(element_, CORE, PAD, ("iphost has no more pads %s.", templ), (nullptr));
    return nullptr;
  }
  shared_->set_pad(*this, name_of(pad));
  return pad;
}

void HostUser::release_pad(GstPad* pad) {
  shared_->set_pad(*this, "");
  gst_element_release_request_pad(host_, pad);
  gst_object_unref(pad);
}
