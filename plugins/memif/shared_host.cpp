// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/memif/shared_host.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <tuple>
#include <utility>
#include <vector>

#include "gst/packet/switch_event.hpp"
#include "plugins/memif/debug.hpp"
#include "plugins/memif/setting_properties.hpp"

using gstmemif::Error;
using gstmemif::PartialSettings;
using gstmemif::Result;
using gstmemif::SettingInfo;

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

GError* copy_error(GstMessage* message, gchar** debug) {
  GError* error = nullptr;
  switch (GST_MESSAGE_TYPE(message)) {
    case GST_MESSAGE_ERROR:
      gst_message_parse_error(message, &error, debug);
      break;
    case GST_MESSAGE_WARNING:
      gst_message_parse_warning(message, &error, debug);
      break;
    default:
      gst_message_parse_info(message, &error, debug);
      break;
  }
  return error;
}

void post_report(GstElement* element, GstMessage* message) {
  gchar* debug = nullptr;
  GError* error = copy_error(message, &debug);
  GstObject* source = GST_OBJECT_CAST(element);
  GstMessage* own = nullptr;
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
    own = gst_message_new_error(source, error, debug);
  } else if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_WARNING) {
    own = gst_message_new_warning(source, error, debug);
  } else {
    own = gst_message_new_info(source, error, debug);
  }
  g_free(debug);
  g_error_free(error);
  gst_element_post_message(element, own);
}

void post_structure(GstElement* element, GstStructure* structure) {
  gst_element_post_message(element, gst_message_new_element(GST_OBJECT_CAST(element), structure));
}

void post_link(GstElement* element, const GstStructure* link) {
  post_structure(element, gst_structure_copy(link));
  g_object_notify(G_OBJECT(element), "link-up");
  g_object_notify(G_OBJECT(element), "peer-name");
}

}  // namespace

/**
 * Starting and stopping take turns; users and their settings have a mutex of their own, which is
 * never held while an element is called.
 */
class SharedHost : public std::enable_shared_from_this<SharedHost> {
 public:
  Result<void> add(HostUser& user) {
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
  void remove(HostUser& user) {
    const std::lock_guard lock(mutex_);
    std::erase(users_, &user);
  }

  bool start(HostUser& user);
  void stop(HostUser& user);
  /** One at a time: what is the lowest free number is looked up before it is taken. */
  GstPad* request_pad(const char* templ) {
    const std::lock_guard lock(requests_);
    return gst_element_request_pad_simple(host_, templ);
  }
  void set_pad(HostUser& user, std::string name) {
    const std::lock_guard lock(mutex_);
    user.pad_ = std::move(name);
  }

 private:
  Result<void> make();
  Result<GstElement*> add_element(const char* factory, const std::string& name);
  void set_host(const PropertyValues& settings);
  void spare_senders();
  void discard();
  Result<void> check_late(const HostUser& user) const;
  HostRequest merged() const;
  void lend(HostUser& user) const;

  void forward(GstMessage* message);
  void forward_error(GstMessage* message);
  void forward_report(GstMessage* message, const char* pad);
  void forward_structure(GstMessage* message);
  std::vector<GstElement*> receivers(const char* pad) const;

  std::mutex requests_;
  std::mutex turn_;  // guards what follows
  GstElement* pipeline_ = nullptr;
  GstElement* source_ = nullptr;
  GstElement* host_ = nullptr;
  GstElement* sink_ = nullptr;
  GstClock* clock_ = nullptr;
  unsigned running_ = 0;
  std::string starter_;  // the user that has started it
  HostRequest used_;

  mutable std::mutex mutex_;  // guards what follows
  std::vector<HostUser*> users_;
  std::string broken_;  // an error has ended the host
};

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
}

// ---- users ------------------------------------------------------------------------------------

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

bool SharedHost::start(HostUser& user) {
  const std::lock_guard turn(turn_);
  if (running_ == 0) {
    starter_ = user.name_;
    if (const auto made = make(); !made) {
      post_error(user.element_, made.error());
      discard();
      return false;
    }
    // What goes wrong is told by this user: see HostUser::Acting.
    if (gst_element_set_state(pipeline_, GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE) {
      discard();
      return false;
    }
  } else {
    std::string broken;
    {
      const std::lock_guard lock(mutex_);
      broken = broken_;
    }
    const Result<void> good =
        broken.empty() ? check_late(user)
                       : Error{"The host on this memif interface has failed", broken,
                               "Bring all elements that use it to READY, and start them again"};
    if (!good) {
      post_error(user.element_, good.error());
      return false;
    }
  }
  ++running_;
  lend(user);
  const std::lock_guard lock(mutex_);
  user.started_ = true;
  return true;
}

void SharedHost::stop(HostUser& user) {
  const std::lock_guard turn(turn_);
  {
    const std::lock_guard lock(mutex_);
    user.started_ = false;
    user.pad_.clear();
  }
  if (--running_ == 0) discard();
}

// ---- messages ---------------------------------------------------------------------------------

/** References to the elements that a message is for: all, or the one that `pad` belongs to. */
std::vector<GstElement*> SharedHost::receivers(const char* pad) const {
  std::vector<GstElement*> elements;
  const auto add = [&](const HostUser& user) {
    elements.push_back(GST_ELEMENT_CAST(gst_object_ref(user.element_)));
  };
  if (pad == nullptr && acting_now != nullptr) {
    add(acting_now->user());
    return elements;
  }
  const std::lock_guard lock(mutex_);
  for (const HostUser* user : users_) {
    if (pad != nullptr ? user->pad_ == pad : user->started_) add(*user);
  }
  return elements;
}

void SharedHost::forward_structure(GstMessage* message) {
  const GstStructure* structure = gst_message_get_structure(message);
  const bool link = gst_structure_has_name(structure, "memif-link");
  const bool timeout = gst_structure_has_name(structure, "GstIpHostTimeout");
  // Of a link both its ends tell.
  if ((!link || !GST_OBJECT_FLAG_IS_SET(GST_MESSAGE_SRC(message), GST_ELEMENT_FLAG_SOURCE)) &&
      !timeout) {
    return;
  }
  const char* pad = timeout ? gst_structure_get_string(structure, "pad") : nullptr;
  if (timeout && pad == nullptr) return;
  for (GstElement* element : receivers(pad)) {
    if (link) {
      post_link(element, structure);
    } else {
      // As udpsrc names it.
      guint64 time = 0;
      gst_structure_get_uint64(structure, "timeout", &time);
      post_structure(
          element, gst_structure_new("GstUDPSrcTimeout", "timeout", G_TYPE_UINT64, time, nullptr));
    }
    gst_object_unref(element);
  }
}

void SharedHost::forward_report(GstMessage* message, const char* pad) {
  for (GstElement* element : receivers(pad)) {
    post_report(element, message);
    gst_object_unref(element);
  }
}

/** An error that is not that of a user or its pad is that of the host, which has ended with it. */
void SharedHost::forward_error(GstMessage* message) {
  const GstStructure* details = nullptr;
  gst_message_parse_error_details(message, &details);
  const char* pad = details != nullptr ? gst_structure_get_string(details, "pad") : nullptr;
  if (acting_now != nullptr) {
    acting_now->set_failed();
    pad = nullptr;
  } else if (pad == nullptr) {
    gchar* debug = nullptr;
    GError* error = copy_error(message, &debug);
    const std::lock_guard lock(mutex_);
    broken_ = error->message;
    g_free(debug);
    g_error_free(error);
  }
  forward_report(message, pad);
}

/** Of any thread of the host. */
void SharedHost::forward(GstMessage* message) {
  switch (GST_MESSAGE_TYPE(message)) {
    case GST_MESSAGE_ERROR:
      forward_error(message);
      break;
    case GST_MESSAGE_WARNING:
    case GST_MESSAGE_INFO:
      forward_report(message, nullptr);
      break;
    case GST_MESSAGE_ELEMENT:
      forward_structure(message);
      break;
    default:
      break;
  }
}

// ---- a user -----------------------------------------------------------------------------------

HostUser::Acting::Acting(HostUser& user) noexcept
    : user_(user), before_(std::exchange(acting_now, this)) {}

HostUser::Acting::~Acting() {
  acting_now = before_;
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
  if (!shared_->start(*this)) return false;
  tell_link_state();
  return true;
}

/** Of a link that was up before. */
void HostUser::tell_link_state() {
  gboolean up = FALSE;
  gchar* peer = nullptr;
  gchar* path = nullptr;
  guint id = 0;
  g_object_get(source_, "link-up", &up, "peer-name", &peer, "socket-path", &path, "id", &id,
               nullptr);
  if (up != FALSE) {
    GstStructure* link =
        gst_structure_new("memif-link", "link-up", G_TYPE_BOOLEAN, TRUE, "peer-name", G_TYPE_STRING,
                          peer != nullptr ? peer : "", "reason", G_TYPE_STRING, "", "socket-path",
                          G_TYPE_STRING, path, "id", G_TYPE_UINT, id, nullptr);
    post_link(element_, link);
    gst_structure_free(link);
  }
  g_free(peer);
  g_free(path);
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
