// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The properties that memifsrc and memifsink share.
 */
#include <algorithm>

#include "plugins/common/lenient_spec.hpp"
#include "plugins/common/properties.hpp"
#include "plugins/memif/debug.hpp"
#include "plugins/memif/memif_element.hpp"
#include "plugins/memif/setting_properties.hpp"

using gstmemif::Mode;
using gstmemif::Role;
using gstmemif::SettingInfo;
using gstmemif::SettingValue;
using gstmemif::UnsealedMemory;

GType gst_memif_role_get_type(void) {
  // DPDK's words are accepted too: GStreamer looks for a text among the names as well. As values of
  // their own they would be shown for the default.
  static const GEnumValue kValues[] = {{static_cast<gint>(Role::slave), "client", "slave"},
                                       {static_cast<gint>(Role::master), "server", "master"},
                                       {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstMemifRole", kValues);
  return type;
}

GType gst_memif_mode_get_type(void) {
  static const GEnumValue kValues[] = {
      {static_cast<gint>(Mode::ethernet), "Ethernet frames", "ethernet"},
      {static_cast<gint>(Mode::ip), "IPv4 and IPv6 packets without link header", "ip"},
      {static_cast<gint>(Mode::punt_inject), "VPP's punt and inject path", "punt-inject"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstMemifMode", kValues);
  return type;
}

GType gst_memif_unsealed_memory_get_type(void) {
  static const GEnumValue kValues[] = {
      {static_cast<gint>(UnsealedMemory::guard),
       "Map it and survive truncation, with a process-wide handler of SIGBUS", "guard"},
      {static_cast<gint>(UnsealedMemory::refuse), "Refuse the link; no handler is installed",
       "refuse"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstMemifUnsealedMemory", kValues);
  return type;
}

namespace {

// ---- Settings, by their type ----------------------------------------------------------------

template <class Enum>
GType enum_type();
template <>
GType enum_type<Role>() {
  return gst_memif_role_get_type();
}
template <>
GType enum_type<Mode>() {
  return gst_memif_mode_get_type();
}
template <>
GType enum_type<UnsealedMemory>() {
  return gst_memif_unsealed_memory_get_type();
}

struct MakeSpec {
  const SettingInfo& info;
  const char* name;
  const char* blurb;

  GParamSpec* operator()(std::uint32_t preset) const {
    const auto& limits = info.limits;
    return lenient_spec_uint(name, info.nick, blurb, static_cast<guint>(limits.min),
                             static_cast<guint>(std::min<std::uint64_t>(limits.max, G_MAXUINT)),
                             preset, kReady);
  }
  GParamSpec* operator()(std::uint64_t preset) const {
    return g_param_spec_uint64(name, info.nick, blurb, info.limits.min, info.limits.max, preset,
                               kReady);
  }
  GParamSpec* operator()(const std::string& preset) const {
    // What is hidden stays so in dot files and in what tools list.
    const auto flags = info.hidden ? static_cast<GParamFlags>(kReady & ~G_PARAM_READABLE) : kReady;
    return g_param_spec_string(name, info.nick, blurb, preset.c_str(), flags);
  }
  template <class Enum>
  GParamSpec* operator()(Enum preset) const {
    return g_param_spec_enum(name, info.nick, blurb, enum_type<Enum>(), static_cast<gint>(preset),
                             kReady);
  }
};

struct ToGValue {
  GValue* out;

  void operator()(std::uint32_t value) const { g_value_set_uint(out, value); }
  void operator()(std::uint64_t value) const { g_value_set_uint64(out, value); }
  void operator()(const std::string& value) const { g_value_set_string(out, value.c_str()); }
  template <class Enum>
  void operator()(Enum value) const {
    g_value_set_enum(out, static_cast<gint>(value));
  }
};

/** A value of the same type as the one that it is called with. */
struct FromGValue {
  const GValue* in;

  SettingValue operator()(std::uint32_t) const { return std::uint32_t{g_value_get_uint(in)}; }
  SettingValue operator()(std::uint64_t) const { return std::uint64_t{g_value_get_uint64(in)}; }
  SettingValue operator()(const std::string&) const { return text_of(in); }
  template <class Enum>
  SettingValue operator()(Enum) const {
    return static_cast<Enum>(g_value_get_enum(in));
  }
};

/** Null for what is not a setting. */
const SettingInfo* setting_of(guint id) {
  const auto infos = gstmemif::setting_infos();
  const std::size_t index = id - kPropFirstSetting;
  return index < infos.size() ? &infos[index] : nullptr;
}

// ---- Installation ---------------------------------------------------------------------------

void add_settings(GObjectClass* klass, MemifElement::Direction direction) {
  guint id = kPropFirstSetting;
  for (const SettingInfo& info : gstmemif::setting_infos()) {
    const bool used = direction == MemifElement::Direction::receive || !info.receive_only;
    if (used) g_object_class_install_property(klass, id, new_setting_spec(info, info.name));
    ++id;
  }
  g_assert(id <= kPropQueue);
}

void add_main_context(GObjectClass* klass) {
  g_object_class_install_property(
      klass, kPropMainContext,
      g_param_spec_boxed("main-context", "Main context",
                         "Context of the application that serves the control channel; NULL: a "
                         "thread of the library",
                         G_TYPE_MAIN_CONTEXT, kReady));
}

void add_queue(GObjectClass* klass, MemifElement::Direction direction) {
  GParamSpec* spec =
      direction == MemifElement::Direction::receive
          ? lenient_spec_uint("queue", "Queue",
                              "Receive queue that this element serves, from 0 to rx-queues - 1", 0,
                              gstmemif::kMaxQueues - 1, 0, kReady)
          : lenient_spec_int(
                "queue", "Queue",
                "Transmit queue to fill, from 0 to tx-queues - 1; -1: all, spread by flow", -1,
                gstmemif::kMaxQueues - 1, 0, kReady);
  g_object_class_install_property(klass, kPropQueue, spec);
}

void add_status_properties(GObjectClass* klass, MemifElement::Direction direction) {
  g_object_class_install_property(
      klass, kPropLinkUp,
      g_param_spec_boolean("link-up", "Link up",
                           "Whether a peer is connected; changes are notified", FALSE, kReadOnly));
  g_object_class_install_property(
      klass, kPropPeerName,
      g_param_spec_string("peer-name", "Peer name",
                          "Name of the peer's interface, or of its program; changes are notified",
                          nullptr, kReadOnly));
  g_object_class_install_property(
      klass, kPropLink,
      g_param_spec_boxed("link", "Link",
                         "Agreement of the peers, and slots in use now; empty without a link; link "
                         "changes are notified",
                         GST_TYPE_STRUCTURE, kReadOnly));
  const char* blurb = direction == MemifElement::Direction::receive
                          ? "Counters of the queue and of the interface since PAUSED"
                          : "Counters of the queue, or of all, and of the interface since PAUSED";
  g_object_class_install_property(klass, kPropStats, stats_spec(blurb));
}

MainContext context_of(const GValue* value) {
  auto* context = static_cast<GMainContext*>(g_value_dup_boxed(value));
  if (context == nullptr) return nullptr;
  return {context, g_main_context_unref};
}

}  // namespace

SettingValue default_setting(const SettingInfo& info) {
  return info.get(gstmemif::Settings());
}

GParamSpec* new_setting_spec(const SettingInfo& info, const char* name) {
  const char* blurb = g_intern_string(describe(info).c_str());
  return std::visit(MakeSpec{info, name, blurb}, default_setting(info));
}

void put_setting(const SettingValue& setting, GValue* value) {
  std::visit(ToGValue{value}, setting);
}

SettingValue take_setting(const SettingInfo& info, const GValue* value) {
  return std::visit(FromGValue{value}, default_setting(info));
}

void MemifElement::install_properties(GObjectClass* klass, Direction direction) {
  GST_DEBUG_CATEGORY_INIT(memif_element_debug, "memifelement", 0,
                          "Interfaces, links and pools of memifsrc and memifsink");
  add_settings(klass, direction);
  add_main_context(klass);
  add_queue(klass, direction);
  add_status_properties(klass, direction);
  gst_type_mark_as_plugin_api(gst_memif_role_get_type(), GstPluginAPIFlags(0));
  gst_type_mark_as_plugin_api(gst_memif_mode_get_type(), GstPluginAPIFlags(0));
  gst_type_mark_as_plugin_api(gst_memif_unsealed_memory_get_type(), GstPluginAPIFlags(0));
}

bool MemifElement::set_property(guint id, const GValue* value) {
  if (id >= kPropCommonLast) return false;
  const std::lock_guard lock(mutex_);
  changed_ = true;
  if (interface_) {
    GST_WARNING_OBJECT(
        element_,
        "the element is running: the new value takes effect at the next start from READY");
  }
  if (const SettingInfo* info = setting_of(id)) {
    given_[info] = take_setting(*info, value);
  } else if (id == kPropMainContext) {
    main_context_ = context_of(value);
  } else if (id == kPropQueue) {
    queue_ = direction_ == Direction::receive ? std::int64_t{g_value_get_uint(value)}
                                              : std::int64_t{g_value_get_int(value)};
  }
  return true;
}

/** What is used: with an interface its settings, without one those that were given. Locked. */
void MemifElement::get_setting(const SettingInfo& info, GValue* value) const {
  SettingValue shown;
  if (const auto given = given_.find(&info); interface_) {
    shown = info.get(interface_->settings());
  } else {
    shown = given != given_.end() ? given->second : default_setting(info);
  }
  put_setting(shown, value);
}

bool MemifElement::get_property(guint id, GValue* value) {
  if (id >= kPropCommonLast) return false;
  if (id == kPropStats) {
    g_value_take_boxed(value, stats());
    return true;
  }
  if (id == kPropLink) {
    g_value_take_boxed(value, link());
    return true;
  }
  const std::lock_guard lock(mutex_);
  if (const SettingInfo* info = setting_of(id)) {
    get_setting(*info, value);
    return true;
  }
  const auto link = interface_ ? interface_->link_info() : std::nullopt;
  const std::int64_t queue = interface_ ? used_queue_ : queue_;
  switch (id) {
    case kPropQueue:
      if (direction_ == Direction::receive) {
        g_value_set_uint(value, static_cast<guint>(queue));
      } else {
        g_value_set_int(value, static_cast<gint>(queue));
      }
      break;
    case kPropMainContext:
      g_value_set_boxed(value, (interface_ ? membership_->main_context() : main_context_).get());
      break;
    case kPropLinkUp:
      g_value_set_boolean(value, link.has_value());
      break;
    case kPropPeerName:
      g_value_set_string(value, link ? link->peer_name.c_str() : nullptr);
      break;
    default:
      break;
  }
  return true;
}
