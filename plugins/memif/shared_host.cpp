// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/memif/shared_host.hpp"

#include "gst/packet/switch_event.hpp"
#include "plugins/memif/debug.hpp"
#include "plugins/memif/setting_properties.hpp"

using gstmemif::Error;
using gstmemif::PartialSettings;
using gstmemif::Result;
using gstmemif::SettingInfo;

namespace {

constexpr char kOneHost[] =
    "both use one host on one memif interface (the same socket-path, id and role)";

Result<void> check_agreement(const PropertyValues& a, const std::string& a_name,
                             const PropertyValues& b, const std::string& b_name) {
  for (const auto& [property, value] : a) {
    const auto other = b.find(property);
    if (other == b.end() || value == other->second) continue;
    return Error{property + "=" + value.text() + " of " + a_name + " conflicts with " + property +
                     "=" + other->second.text() + " of " + b_name,
                 kOneHost, "Set the same value on both, or set it on only one"};
  }
  return {};
}

void set_link(GstElement* element, const PartialSettings& settings) {
  for (const auto& [info, setting] : settings) {
    GParamSpec* spec = g_object_class_find_property(G_OBJECT_GET_CLASS(element), info->name);
    if (spec == nullptr) continue;  // of the other direction
    GValue value = G_VALUE_INIT;
    g_value_init(&value, spec->value_type);
    put_setting(setting, &value);
    g_object_set_property(G_OBJECT(element), info->name, &value);
    g_value_unset(&value);
  }
}

}  // namespace

// ---- the pipeline -----------------------------------------------------------------------------

HostRequest SharedHost::merged() const {
  const std::lock_guard lock(mutex_);
  HostRequest all;
  for (const HostUser* user : users_) {
    all.link.insert(user->given_.link.begin(), user->given_.link.end());
    all.host.insert(user->given_.host.begin(), user->given_.host.end());
  }
  return all;
}

Result<GstElement*> SharedHost::add_element(const char* factory, const std::string& name) {
  GstElement* element = gst_element_factory_make(factory, name.c_str());
  if (element == nullptr) {
    return Error{gstmemif::ErrorCode::not_found, std::string("There is no element ") + factory, "",
                 std::string("Install the plugin of gst-memif that has it, or add its directory to "
                             "GST_PLUGIN_PATH; gst-inspect-1.0 ") +
                     factory + " shows whether it is found"};
  }
  gst_bin_add(GST_BIN_CAST(pipeline_), element);
  return element;
}

void SharedHost::set_host(const PropertyValues& settings) {
  for (const auto& [property, value] : settings) {
    g_object_set_property(G_OBJECT(host_), property.c_str(), &value.value());
  }
}

Result<void> SharedHost::make() {
  used_ = merged();
  pipeline_ = GST_ELEMENT_CAST(gst_object_ref_sink(gst_pipeline_new((starter_ + "-host").c_str())));
  // The peer shows the interface by the name of the first element that joins it: the memifsink.
  const auto sink = add_element("memifsink", starter_);
  if (!sink) return sink.error();
  sink_ = *sink;
  const auto source = add_element("memifsrc", starter_ + "-source");
  if (!source) return source.error();
  source_ = *source;
  const auto host = add_element("iphost", starter_ + "-iphost");
  if (!host) return host.error();
  host_ = *host;
  set_link(source_, used_.link);
  set_link(sink_, used_.link);
  set_host(used_.host);
  g_object_set(sink_, "sync", FALSE, "async", FALSE, "qos", FALSE, nullptr);
  if (gst_element_link_many(source_, host_, sink_, nullptr) == FALSE) {
    return Error{"memifsrc, iphost and memifsink cannot be linked",
                 "they are of different versions", "Install plugins of one version of gst-memif"};
  }
  spare_senders();
  // Times of packets are then those of the clock, from which each user makes its own.
  clock_ = gst_system_clock_obtain();
  gst_pipeline_use_clock(GST_PIPELINE_CAST(pipeline_), clock_);
  gst_element_set_start_time(pipeline_, GST_CLOCK_TIME_NONE);
  gst_element_set_base_time(pipeline_, 0);

  GstBus* bus = gst_element_get_bus(pipeline_);
  gst_bus_set_sync_handler(
      bus,
      [](GstBus*, GstMessage* message, gpointer weak) {
        if (const auto self = static_cast<std::weak_ptr<SharedHost>*>(weak)->lock()) {
          self->forward(message);
        }
        gst_message_unref(message);
        return GST_BUS_DROP;
      },
      new std::weak_ptr<SharedHost>(weak_from_this()),
      [](gpointer weak) { delete static_cast<std::weak_ptr<SharedHost>*>(weak); });
  gst_object_unref(bus);
  return {};
}

/**
 * Several elements send through one ring. One of them that is stopped must not wait for a peer that
 * takes nothing, which memifsink does not behind a switch.
 */
void SharedHost::spare_senders() {
  GstPad* pad = gst_element_get_static_pad(host_, "src");
  // With the first data, which the events go before that have to.
  gst_pad_add_probe(
      pad, static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST),
      [](GstPad* source, GstPadProbeInfo*, gpointer) {
        gst_pad_push_event(source, gstpacket::new_switch_event());
        return GST_PAD_PROBE_REMOVE;
      },
      nullptr, nullptr);
  gst_object_unref(pad);
}

void SharedHost::discard() {
  if (pipeline_ != nullptr) {
    gst_element_set_state(pipeline_, GST_STATE_NULL);
    GstBus* bus = gst_element_get_bus(pipeline_);
    gst_bus_set_sync_handler(bus, nullptr, nullptr, nullptr);
    gst_object_unref(bus);
  }
  gst_clear_object(&pipeline_);
  gst_clear_object(&clock_);
  source_ = host_ = sink_ = nullptr;
  const std::lock_guard lock(mutex_);
  broken_.clear();
  link_.reset();
}

// ---- users ------------------------------------------------------------------------------------

Result<void> SharedHost::add(HostUser& user) {
  const std::lock_guard lock(mutex_);
  for (const HostUser* other : users_) {
    if (auto agreed = gstmemif::check_agreement(user.given_.link, user.name_, other->given_.link,
                                                other->name_);
        !agreed) {
      return agreed;
    }
    if (auto agreed =
            ::check_agreement(user.given_.host, user.name_, other->given_.host, other->name_);
        !agreed) {
      return agreed;
    }
  }
  users_.push_back(&user);
  return {};
}
/** A host that runs keeps its settings. */
Result<void> SharedHost::check_late(const HostUser& user) const {
  const std::string because =
      "the host on the same memif interface runs since " + starter_ + " was started";
  const std::string remedy =
      "Set it on " + starter_ + ", too, or bring this element to READY before that one is started";
  for (const auto& [info, setting] : user.given_.link) {
    const auto used = used_.link.find(info);
    const auto now = used != used_.link.end() ? used->second : default_setting(*info);
    if (gstmemif::check_agreement({{info, setting}}, "", {{info, now}}, "")) continue;
    return Error{show(*info, setting) + " of " + user.name_ + " comes too late", because, remedy};
  }
  for (const auto& [property, value] : user.given_.host) {
    GValue now = G_VALUE_INIT;
    g_value_init(&now, G_VALUE_TYPE(&value.value()));
    g_object_get_property(G_OBJECT(host_), property.c_str(), &now);
    const bool same = PropertyValue(now) == value;
    g_value_unset(&now);
    if (same) continue;
    return Error{property + "=" + value.text() + " of " + user.name_ + " comes too late", because,
                 remedy};
  }
  return {};
}

void SharedHost::lend(HostUser& user) const {
  user.host_ = GST_ELEMENT_CAST(gst_object_ref(host_));
  user.source_ = GST_ELEMENT_CAST(gst_object_ref(source_));
  user.sink_ = GST_ELEMENT_CAST(gst_object_ref(sink_));
  user.clock_ = GST_CLOCK_CAST(gst_object_ref(clock_));
}

namespace {

void post_error(GstElement* element, const Error& error) {
  const std::string text = error.text();
  if (error.code == gstmemif::ErrorCode::not_found) {
    GST_ELEMENT_ERROR(element, CORE, MISSING_PLUGIN, ("%s.", text.c_str()), ("shared host"));
  } else {
    GST_ELEMENT_ERROR(element, RESOURCE, SETTINGS, ("%s.", text.c_str()), ("shared host"));
  }
}

}  // namespace

/** The first user has it run. False, with an error posted, if it cannot. */
bool SharedHost::run(HostUser& user) {
  starter_ = user.name_;
  const auto made = make();
  if (!made) post_error(user.element_, made.error());
  // What goes wrong is told by this user: see HostUser::Acting.
  if (made && gst_element_set_state(pipeline_, GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE) {
    return true;
  }
  discard();
  return false;
}

/** From now on the user gets the errors of the host: so there must not have been one before. */
Result<void> SharedHost::admit(HostUser& user) {
  const std::lock_guard lock(mutex_);
  if (!broken_.empty()) {
    return Error{"The host on this memif interface has failed", broken_,
                 "Bring all elements that use it to READY, and start them again"};
  }
  user.started_ = true;
  return {};
}

bool SharedHost::start(HostUser& user) {
  const std::lock_guard turn(turn_);
  const bool first = running_ == 0;
  if (first && !run(user)) return false;
  Result<void> good = first ? Result<void>() : check_late(user);
  if (good) good = admit(user);
  if (!good) {
    post_error(user.element_, good.error());
    if (first) discard();
    return false;
  }
  ++running_;
  lend(user);
  return true;
}

void SharedHost::stop(HostUser& user) {
  const std::lock_guard turn(turn_);
  {
    const std::lock_guard lock(mutex_);
    user.started_ = false;
    user.follows_link_ = false;
    user.pad_.clear();
  }
  user.news_->clear();
  if (--running_ == 0) discard();
}
