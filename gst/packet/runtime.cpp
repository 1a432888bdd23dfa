// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/packet/runtime.hpp"

#include <exception>
#include <memory>

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

// Runs author code; what it throws becomes an error message.
template <class F>
bool guarded(GstElement* element, const char* where, F&& function) noexcept {
  try {
    function();
    return true;
  } catch (const std::exception& e) {
    GST_ELEMENT_ERROR(element, LIBRARY, FAILED, ("The element failed: %s", e.what()),
                      ("exception in %s", where));
  } catch (...) {
    GST_ELEMENT_ERROR(element, LIBRARY, FAILED, ("The element failed."),
                      ("exception of unknown type in %s", where));
  }
  return false;
}

}  // namespace

Runtime::Runtime(GstElement* element, const ElementClass& cls)
    : element_(element),
      cls_(cls),
      object_(cls.spec->create()),
      combiner_(gst_flow_combiner_new()),
      chunk_(cls.spec->access),
      diverted_(cls.spec->ports.size()),
      tallies_(cls.spec->ports.size() + 1) {
  for (const PropertySpec& property : cls.properties) {
    const GValue* initial = g_param_spec_get_default_value(property.spec);
    const auto result = property.set(object_, *initial);
    if (!result) {
      g_critical("%s refuses the default of its property %s: %s", cls.spec->info->factory,
                 property.spec->name, result.error().text().c_str());
    }
  }
}

Runtime::~Runtime() {
  gst_flow_combiner_free(combiner_);
  cls_.spec->destroy(object_);
}

void Runtime::add_source_pad(GstPad* pad) {
  sources_.push_back(pad);
  gst_flow_combiner_add_pad(combiner_, pad);
}

// ---- packets ----------------------------------------------------------------------------------

GstFlowReturn Runtime::receive(Arrival& arrival) {
  if (!have_caps_) [[unlikely]] {
    return no_caps();
  }
  for (Tally& tally : tallies_) tally = {};
  for (;;) {
    chunk_.clear();
    arrival.open(chunk_);
    if (chunk_.size() == 0) break;
    count_in();
    const bool done = process(chunk_);
    if (done) count_verdicts();  // before the lengths of removed packets are gone
    chunk_.close();
    counters_.copies.add(chunk_.take_copies());
    if (!done) {
      diverted_.drop_all();
      return GST_FLOW_ERROR;
    }
    arrival.settle(chunk_, diverted_);
  }
  counters_.copies.add(arrival.copies());
  counters_.batches.add(1);
  return push_all(arrival);
}

bool Runtime::process(Chunk& chunk) {
  return guarded(element_, "process()", [&] {
    cls_.spec->process(object_, chunk.packets(), chunk.verdicts(), chunk.size());
  });
}

void Runtime::count_in() {
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < chunk_.size(); ++i) bytes += chunk_.packets()[i].size();
  counters_.packets_in.add(chunk_.size());
  counters_.bytes_in.add(bytes);
}

void Runtime::count_verdicts() {
  for (std::size_t i = 0; i < chunk_.size(); ++i) {
    if (chunk_.any_unreadable() || chunk_.verdict(i).port >= tallies_.size()) [[unlikely]] {
      override_verdict(i);
    }
    const Verdict verdict = chunk_.verdict(i);
    if (verdict.port == Verdict::kDrop) {
      count_drop(verdict);
    } else {
      Tally& tally = tallies_[verdict.port];
      ++tally.packets;
      tally.bytes += chunk_.packets()[i].size();
    }
  }
}

// A packet nobody could read, or one for a pad that does not exist.
void Runtime::override_verdict(std::size_t i) {
  Verdict& verdict = chunk_.verdicts()[i];
  if (chunk_.unreadable(i)) {
    counters_.unreadable.add(1);
    verdict = drop();
  } else if (verdict.port != Verdict::kDrop && verdict.port >= tallies_.size()) {
    GST_CAT_ERROR_OBJECT(cls_.category, element_, "no source pad %u: packet dropped", verdict.port);
    counters_.unlinked.add(1);
    verdict = drop();
  }
}

void Runtime::count_drop(Verdict verdict) {
  counters_.dropped.add(1);
  if (verdict.reason < cls_.spec->reasons.size()) counters_.reasons[verdict.reason].add(1);
}

GstFlowReturn Runtime::push_all(Arrival& arrival) {
  GstFlowReturn flow = GST_FLOW_OK;
  if (tallies_[0].packets != 0) {
    flow = arrival.push(sources_[0]);
    count_out(tallies_[0], flow);
  }
  if (sources_.size() == 1) return flow;

  if (tallies_[0].packets != 0) gst_flow_combiner_update_pad_flow(combiner_, sources_[0], flow);
  for (std::size_t i = 1; i < sources_.size(); ++i) {
    GstPad* pad = sources_[i];
    if (tallies_[i].packets == 0) {
      // A pad that gets nothing now must still not count as a taker when nothing is linked to it.
      if (!gst_pad_is_linked(pad)) {
        gst_flow_combiner_update_pad_flow(combiner_, pad, GST_FLOW_NOT_LINKED);
      } else if (GST_PAD_LAST_FLOW_RETURN(pad) == GST_FLOW_NOT_LINKED) {
        gst_flow_combiner_update_pad_flow(combiner_, pad, GST_FLOW_OK);
      }
      continue;
    }
    flow = push_buffers(pad, diverted_.port(i));
    count_out(tallies_[i], flow);
    gst_flow_combiner_update_pad_flow(combiner_, pad, flow);
  }
  // All pads have been told; the last update only reads the combined result.
  return gst_flow_combiner_update_flow(combiner_, GST_FLOW_OK);
}

void Runtime::count_out(const Tally& tally, GstFlowReturn flow) {
  if (flow == GST_FLOW_NOT_LINKED) {
    counters_.unlinked.add(tally.packets);
    counters_.dropped.add(tally.packets);
  } else {
    counters_.packets_out.add(tally.packets);
    counters_.bytes_out.add(tally.bytes);
  }
}

GstFlowReturn Runtime::no_caps() {
  GST_ELEMENT_ERROR(element_, CORE, NEGOTIATION,
                    ("Packets arrived without caps. Set application/x-packet, link-type=ethernet "
                     "(or ip) on the source, or put a capsfilter behind it."),
                    ("no CAPS event before the first buffer"));
  return GST_FLOW_NOT_NEGOTIATED;
}

bool Runtime::set_caps(GstCaps* caps) {
  have_caps_ = false;
  const auto parsed = parse_caps(caps);
  if (!parsed) {
    GST_CAT_WARNING_OBJECT(cls_.category, element_, "%s", parsed.error().text().c_str());
    return false;
  }
  if (cls_.spec->set_caps != nullptr) {
    Result<void> result;
    if (!guarded(element_, "set_caps()", [&] { result = cls_.spec->set_caps(object_, *parsed); })) {
      return false;
    }
    if (!result) {
      GST_ELEMENT_ERROR(element_, CORE, NEGOTIATION, ("%s", result.error().text().c_str()),
                        ("caps %" GST_PTR_FORMAT, static_cast<void*>(caps)));
      return false;
    }
  }
  have_caps_ = true;
  return true;
}

bool Runtime::extra_pads_take_batches(GstQuery* allocation) const {
  GstCaps* caps = nullptr;
  gst_query_parse_allocation(allocation, &caps, nullptr);
  for (std::size_t i = 1; i < sources_.size(); ++i) {
    if (!gst_pad_is_linked(sources_[i])) continue;
    GstQuery* query = gst_query_new_allocation(caps, FALSE);
    const bool take = gst_pad_peer_query(sources_[i], query) != FALSE &&
                      gst_query_allows_packet_batches(query) != FALSE;
    gst_query_unref(query);
    if (!take) return false;
  }
  return true;
}

void Runtime::flushed() {
  gst_flow_combiner_reset(combiner_);
}

// ---- states -----------------------------------------------------------------------------------

bool Runtime::check_settings() {
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

bool Runtime::start() {
  counters_.reset();
  flushed();
  have_caps_ = false;
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

void Runtime::stop() {
  diverted_.drop_all();
  if (!std::exchange(started_, false) || cls_.spec->stop == nullptr) return;
  guarded(element_, "stop()", [&] { cls_.spec->stop(object_); });
}

void Runtime::set_configured(bool configured) {
  const std::lock_guard lock(settings_mutex_);
  configured_ = configured;
}

// ---- properties and statistics ----------------------------------------------------------------

Result<void> Runtime::try_set(std::size_t index, const GValue& value) {
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

void Runtime::set_property(std::size_t index, const GValue& value) {
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

void Runtime::get_property(std::size_t index, GValue& value) {
  const std::lock_guard lock(settings_mutex_);
  cls_.properties[index].get(object_, value);
}

GstStructure* Runtime::stats() const {
  GstStructure* out = gst_structure_new_empty("application/x-packet-stats");
  const auto field = [out](const char* name, const Counter& counter) {
    gst_structure_set(out, name, G_TYPE_UINT64, static_cast<guint64>(counter.get()), nullptr);
  };
  field("packets-in", counters_.packets_in);
  field("bytes-in", counters_.bytes_in);
  field("packets-out", counters_.packets_out);
  field("bytes-out", counters_.bytes_out);
  field("batches", counters_.batches);
  field("copies", counters_.copies);
  field("dropped", counters_.dropped);
  for (std::size_t i = 0; i < cls_.spec->reasons.size(); ++i) {
    std::string name = "drop-" + std::string(cls_.spec->reasons[i]);
    for (char& c : name) c = c == '_' ? '-' : c;
    field(name.c_str(), counters_.reasons[i]);
  }
  field("drop-unlinked", counters_.unlinked);
  field("drop-unreadable", counters_.unreadable);
  return out;
}

}  // namespace gstpacket::detail
