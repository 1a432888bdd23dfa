// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/packet/runtime/author.hpp"

#include <memory>
#include <utility>

namespace gstpacket::detail {
namespace {

using CharPointer = std::unique_ptr<char, void (*)(void*)>;

std::string to_text(const GValue& value) {
  if (G_VALUE_HOLDS_STRING(&value)) {
    const char* string = g_value_get_string(&value);
    return string != nullptr ? "\"" + std::string(string) + "\"" : "(none)";
  }
  const CharPointer text(gst_value_serialize(&value), g_free);
  return text ? text.get() : "(none)";
}

}  // namespace

std::string drop_field(std::string_view reason) {
  std::string name = "drop-" + std::string(reason);
  for (char& c : name) c = c == '_' ? '-' : c;
  return name;
}

Author::Author(GstElement* element, const ElementClass& cls)
    : element_(element), cls_(cls), object_(cls.spec->create()) {
  for (const PropertySpec& property : cls.properties) {
    const GValue* initial = g_param_spec_get_default_value(property.spec);
    const auto result = property.set(object_, *initial);
    if (!result) {
      g_critical("%s refuses the default of its property %s: %s", cls.spec->info->factory,
                 property.spec->name, result.error().text().c_str());
    }
  }
}

Author::~Author() {
  cls_.spec->destroy(object_);
}

// ---- states -----------------------------------------------------------------------------------

bool Author::check_settings() {
  const std::lock_guard lock(settings_mutex_);
  if (refused_.empty()) return true;
  const auto& [index, refused] = *refused_.begin();
  const char* name = cls_.properties[index].spec->name;
  GST_ELEMENT_ERROR(element_, RESOURCE, SETTINGS,
                    ("The property \"%s\" cannot be %s: %s.", name, refused.value.c_str(),
                     refused.error.text().c_str()),
                    ("%zu properties with refused values", refused_.size()));
  return false;
}

bool Author::start_object() {
  if (cls_.spec->start == nullptr) return true;
  Result<void> result;
  if (!guarded(element_, "start()", [&] { result = cls_.spec->start(object_); })) return false;
  if (!result) {
    GST_ELEMENT_ERROR(element_, RESOURCE, SETTINGS, ("%s", result.error().text().c_str()),
                      ("start() failed"));
    return false;
  }
  started_ = true;
  return true;
}

void Author::stop_object() {
  if (!std::exchange(started_, false) || cls_.spec->stop == nullptr) return;
  guarded(element_, "stop()", [&] { cls_.spec->stop(object_); });
}

void Author::set_configured(bool configured) {
  const std::lock_guard lock(settings_mutex_);
  configured_ = configured;
}

// ---- properties and statistics ----------------------------------------------------------------

Result<void> Author::try_set(std::size_t index, const GValue& value) {
  const PropertySpec& property = cls_.properties[index];
  const bool ready_only = (property.spec->flags & GST_PARAM_MUTABLE_READY) != 0;
  if (ready_only && GST_STATE(element_) > GST_STATE_READY) {
    return Error{"the element is running", "", "Set it in the state NULL or READY"};
  }
  try {
    return property.set(object_, value);
  } catch (const std::exception& e) {
    return Error{"the element failed", e.what(), ""};
  } catch (...) {
    return Error{"the element failed", "", ""};
  }
}

void Author::set_property(std::size_t index, const GValue& value) {
  std::string problem;
  {
    const std::lock_guard lock(settings_mutex_);
    const auto result = try_set(index, value);
    if (result) {
      refused_.erase(index);
      return;
    }
    if (!configured_) refused_[index] = {to_text(value), result.error()};
    problem = result.error().text();
    GST_CAT_WARNING_OBJECT(cls_.category, element_, "property %s refused: %s",
                           cls_.properties[index].spec->name, problem.c_str());
    if (!configured_) return;
  }
  GST_ELEMENT_WARNING(element_, RESOURCE, SETTINGS,
                      ("The property \"%s\" cannot be %s: %s. The old value stays.",
                       cls_.properties[index].spec->name, to_text(value).c_str(), problem.c_str()),
                      (nullptr));
}

void Author::get_property(std::size_t index, GValue& value) {
  const std::lock_guard lock(settings_mutex_);
  cls_.properties[index].get(object_, value);
}

void Author::add_stats(GstStructure* out) const {
  if (cls_.spec->stats == nullptr) return;
  StatsFields fields(out);
  guarded(element_, "stats()", [&] { cls_.spec->stats(object_, fields); });
}

}  // namespace gstpacket::detail
