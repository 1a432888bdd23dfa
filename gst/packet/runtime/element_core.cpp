// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/packet/runtime/element_core.hpp"

#include <array>
#include <memory>

#include "gst/packet/runtime/data_path.hpp"

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

std::string with_dashes(std::string_view name) {
  std::string text(name);
  for (char& c : text) c = c == '_' ? '-' : c;
  return text;
}

}  // namespace

std::string drop_field(std::string_view reason) {
  return "drop-" + with_dashes(reason);
}

ElementCore::ElementCore(GstElement* element, const ElementClass& cls)
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

ElementCore::~ElementCore() {
  cls_.spec->destroy(object_);
}

// ---- states -----------------------------------------------------------------------------------

bool ElementCore::check_settings() {
  const std::lock_guard lock(settings_mutex_);
  if (refused_.empty()) return true;
  const auto& [index, refused] = *refused_.begin();
  const char* name = cls_.properties[index].spec->name;
  GST_ELEMENT_ERROR(element_, RESOURCE, SETTINGS,
                    ("The property \"%s\" cannot be %s: %s.", name, refused.value.c_str(),
                     refused.error.text().c_str()),
                    ("refused values: %zu", refused_.size()));
  return false;
}

bool ElementCore::start() {
  {
    const std::lock_guard lock(paths_mutex_);
    retired_.reset();
    for (const auto& [number, path] : paths_) path->reset();
  }
  for (const auto& port : *ports_.ports()) {
    if (port) port->reset_counts();
  }
  Result<void> result;
  if (spec().start != nullptr) {
    if (!guarded(element_, "start()", [&] { result = spec().start(object_); })) return false;
    if (!result) {
      GST_ELEMENT_ERROR(element_, RESOURCE, SETTINGS, ("%s", result.error().text().c_str()),
                        ("start() failed"));
      return false;
    }
  }
  running_.store(true, std::memory_order_release);
  caution();
  return true;
}

void ElementCore::caution() {
  if (spec().caution == nullptr) return;
  Result<void> result;
  {
    const std::lock_guard lock(settings_mutex_);
    guarded(element_, "caution()", [&] { result = spec().caution(object_); });
  }
  if (result) return;
  GST_ELEMENT_WARNING(element_, RESOURCE, SETTINGS, ("%s", result.error().text().c_str()),
                      (nullptr));
}

void ElementCore::stop() {
  if (!running_.exchange(false, std::memory_order_acq_rel) || spec().stop == nullptr) return;
  guarded(element_, "stop()", [&] { spec().stop(object_); });
}

void ElementCore::set_configured(bool configured) {
  const std::lock_guard lock(settings_mutex_);
  configured_ = configured;
}

// ---- pads -------------------------------------------------------------------------------------

void ElementCore::add_path(DataPath& path) {
  const std::lock_guard lock(paths_mutex_);
  paths_[path.number()] = &path;
}

void ElementCore::add_port(GstPad* pad, unsigned number) {
  static constexpr std::array kUses{SourcePort::Use::plain, SourcePort::Use::counted,
                                    SourcePort::Use::shared};  // by shape
  const auto use = kUses.at(static_cast<std::size_t>(shape()));
  ports_.add(std::make_shared<SourcePort>(number, pad, use));
}

void ElementCore::remove(GstPad* pad) {
  if (GST_PAD_IS_SINK(pad)) {
    const unsigned number = DataPath::of(pad).number();
    {
      const std::lock_guard lock(paths_mutex_);
      retired_.add(DataPath::of(pad).counters());
      paths_.erase(number);
    }
    // Packets that came since the source pad went may have been taken for a way to somewhere.
    if (!ports_.has(number)) port_removed(number);
    return;
  }
  if (const auto gone = ports_.remove(pad)) port_removed(gone->number());
}

void ElementCore::port_removed(unsigned number) {
  if (spec().port_removed == nullptr) return;
  guarded(element_, "port_removed()", [&] { spec().port_removed(object_, number); });
}

bool ElementCore::accept_caps(GstCaps* caps) {
  const auto parsed = parse_caps(caps);
  if (!parsed) {
    GST_CAT_WARNING_OBJECT(cls_.category, element_, "%s", parsed.error().text().c_str());
    return false;
  }
  if (spec().set_caps == nullptr) return true;
  Result<void> result;
  if (!guarded(element_, "set_caps()", [&] { result = spec().set_caps(object_, *parsed); })) {
    return false;
  }
  if (!result) {
    GST_ELEMENT_ERROR(element_, CORE, NEGOTIATION, ("%s", result.error().text().c_str()),
                      ("caps %" GST_PTR_FORMAT, static_cast<void*>(caps)));
  }
  return bool(result);
}

// ---- properties and statistics ----------------------------------------------------------------

Result<void> ElementCore::try_set(std::size_t index, const GValue& value) {
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

void ElementCore::set_property(std::size_t index, const GValue& value) {
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

void ElementCore::get_property(std::size_t index, GValue& value) {
  const std::lock_guard lock(settings_mutex_);
  cls_.properties[index].get(object_, value);
}

GstStructure* ElementCore::stats() const {
  GstStructure* out = gst_structure_new_empty("application/x-packet-stats");
  StatsFields fields(out);
  const std::lock_guard lock(paths_mutex_);
  Counters sum;
  sum.add(retired_);
  for (const auto& [number, path] : paths_) sum.add(path->counters());
  static constexpr auto kNames = enum_names<Count>();
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    const auto which = static_cast<Count>(i);
    for (std::size_t r = 0; which == Count::drop_unlinked && r < spec().reasons.size(); ++r) {
      fields.add(drop_field(spec().reasons[r]).c_str(), sum.get_reason(r));
    }
    if (counted_in(shape(), which)) fields.add(with_dashes(kNames[i]).c_str(), sum.get(which));
  }
  if (shape() != Shape::filter) add_port_stats(fields);
  if (spec().stats != nullptr) {
    guarded(element_, "stats()", [&] { spec().stats(object_, fields); });
  }
  return out;
}

/** With paths_mutex_. */
void ElementCore::add_port_stats(const StatsFields& fields) const {
  const auto add = [&](unsigned number, const char* field, std::uint64_t value) {
    fields.add(("port-" + std::to_string(number) + field).c_str(), value);
  };
  for (const auto& [number, path] : paths_) {
    if (shape() != Shape::switcher) break;  // one path, which counts for the element
    add(number, "-packets-in", path->counters().get(Count::packets_in));
    add(number, "-bytes-in", path->counters().get(Count::bytes_in));
  }
  for (const auto& port : *ports_.ports()) {
    if (!port) continue;
    add(port->number(), "-packets-out", port->packets());
    add(port->number(), "-bytes-out", port->bytes());
    add(port->number(), "-dropped", port->dropped());
  }
}

}  // namespace gstpacket::detail
