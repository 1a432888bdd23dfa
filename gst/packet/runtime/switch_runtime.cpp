// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
//
// The control path of a switch: ports that come and go, events, states, statistics.
#include "gst/packet/runtime/switch_runtime.hpp"

#include "gst/packet/batch.hpp"
#include "gst/packet/switch_event.hpp"

#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

namespace gstpacket::detail {
namespace {

using PadPointer = std::unique_ptr<GstPad, void (*)(void*)>;

bool taken(GstElement* element, const char* prefix, unsigned number) {
  const std::string name = prefix + std::to_string(number);
  const PadPointer pad(gst_element_get_static_pad(element, name.c_str()), gst_object_unref);
  return pad != nullptr;
}

}  // namespace

SwitchRuntime::SwitchRuntime(GstElement* element, const ElementClass& cls) : Author(element, cls) {
  // GStreamer makes an id from that of the one stream that comes in; here there are several.
  gchar* uuid = g_uuid_string_random();
  stream_prefix_ = std::string(cls.spec->info->factory) + "/" + uuid + "/port-";
  g_free(uuid);
}

// ---- ports ------------------------------------------------------------------------------------

int SwitchRuntime::choose_number(GstPadDirection direction, const char* name) const {
  const char* prefix = direction == GST_PAD_SINK ? "sink_" : "src_";
  if (name != nullptr && g_str_has_prefix(name, prefix)) {
    const char* digits = name + std::strlen(prefix);
    guint64 number = 0;
    if (!g_ascii_string_to_unsigned(digits, 10, 0, Verdict::kMaxPorts - 1, &number, nullptr) ||
        taken(element(), prefix, static_cast<unsigned>(number))) {
      return -1;
    }
    return static_cast<int>(number);
  }
  for (unsigned number = 0; number < Verdict::kMaxPorts; ++number) {
    if (!taken(element(), prefix, number)) return static_cast<int>(number);
  }
  return -1;
}

void SwitchRuntime::publish(Outlets outlets) {
  auto table = std::make_shared<SwitchTable>();
  table->outlets = std::move(outlets);
  table_ = std::move(table);
  generation_.fetch_add(1, std::memory_order_release);
}

void SwitchRuntime::add_sink(GstPad* pad, unsigned number) {
  auto* lane = new Lane(*this, pad, number);
  g_object_set_data_full(G_OBJECT(pad), "lane", lane,
                         [](void* data) { delete static_cast<Lane*>(data); });
  gst_pad_set_element_private(pad, lane);
  const std::lock_guard lock(ports_mutex_);
  lanes_[number] = lane;
}

void SwitchRuntime::add_source(GstPad* pad, unsigned number) {
  const std::lock_guard lock(ports_mutex_);
  Outlets outlets = table_->outlets;
  if (outlets.size() <= number) outlets.resize(number + std::size_t{1});
  outlets[number] = std::make_shared<SwitchOutlet>(number, pad);
  publish(std::move(outlets));
}

/// The pad is inactive: nothing comes in by it any more, and what goes out by it is refused.
void SwitchRuntime::remove(GstPad* pad) {
  Outlets ended;
  if (GST_PAD_IS_SINK(pad)) {
    auto* lane = static_cast<Lane*>(gst_pad_get_element_private(pad));
    const std::lock_guard lock(ports_mutex_);
    retired_.add(lane->counters());
    lanes_.erase(lane->number());
    if (!lanes_.empty()) ended = outlets_if_all_ended();
  } else {
    std::shared_ptr<SwitchOutlet> gone;
    {
      const std::lock_guard lock(ports_mutex_);
      Outlets outlets = table_->outlets;
      for (auto& outlet : outlets) {
        if (outlet && outlet->pad() == pad) gone = std::exchange(outlet, nullptr);
      }
      while (!outlets.empty() && !outlets.back()) outlets.pop_back();
      publish(std::move(outlets));
    }
    if (gone && spec().port_removed != nullptr) {
      guarded(element(), "port_removed()", [&] { spec().port_removed(object(), gone->number()); });
    }
  }
  push_eos(ended);
}

// ---- events -----------------------------------------------------------------------------------

void SwitchRuntime::prepare_source(GstPad* pad, unsigned number) {
  const std::string id = stream_prefix_ + std::to_string(number);
  GstEvent* start = gst_event_new_stream_start(id.c_str());
  gst_event_set_group_id(start, group_id_);
  GstCaps* caps = make_caps(spec().link_types);
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  for (GstEvent* event :
       {start, gst_event_new_caps(caps), gst_event_new_segment(&segment), new_switch_event()}) {
    // Stored, not pushed: the pad sends them before the next buffer, list or event, whichever lane
    // that comes from.
    gst_pad_store_sticky_event(pad, event);
    gst_event_unref(event);
  }
  gst_caps_unref(caps);
}

bool SwitchRuntime::accept_caps(GstCaps* caps) const {
  const auto parsed = parse_caps(caps);
  if (parsed && parsed->link_type == spec().link_types.front()) return true;
  GST_CAT_WARNING_OBJECT(cls().category, element(), "refused caps %" GST_PTR_FORMAT,
                         static_cast<void*>(caps));
  return false;
}

void SwitchRuntime::stream_starts(Lane& lane) {
  Outlets restarted;
  {
    const std::lock_guard lock(ports_mutex_);
    lane.eos_ = false;
    if (std::exchange(ended_, false)) restarted = table_->outlets;
  }
  for (const auto& outlet : restarted) {
    if (outlet) prepare_source(outlet->pad(), outlet->number());
  }
}

/// All outlets if no lane with a link can bring anything any more, and they were not told yet.
/// With ports_mutex_.
SwitchRuntime::Outlets SwitchRuntime::outlets_if_all_ended() {
  bool any = false;
  for (const auto& [number, lane] : lanes_) {
    any |= lane->eos_;
    if (!lane->eos_ && gst_pad_is_linked(lane->pad())) return {};
  }
  if (!any || std::exchange(ended_, true)) return {};
  return table_->outlets;
}

void SwitchRuntime::push_eos(const Outlets& outlets) {
  for (const auto& outlet : outlets) {
    if (!outlet) continue;
    outlet->in_turn([](GstPad* pad) { return gst_pad_push_event(pad, gst_event_new_eos()); });
  }
}

void SwitchRuntime::end_of_stream(Lane& lane) {
  Outlets ended;
  {
    const std::lock_guard lock(ports_mutex_);
    lane.eos_ = true;
    ended = outlets_if_all_ended();
  }
  push_eos(ended);
}

// ---- states -----------------------------------------------------------------------------------

bool SwitchRuntime::start() {
  {
    const std::lock_guard lock(ports_mutex_);
    group_id_ = gst_util_group_id_next();
    ended_ = false;
    retired_.reset();
    for (const auto& [number, lane] : lanes_) {
      lane->counters_.reset();
      lane->have_caps_ = lane->eos_ = false;
    }
    for (const auto& outlet : table_->outlets) {
      if (outlet) outlet->packets = outlet->bytes = outlet->dropped = 0;
    }
  }
  if (!start_object()) return false;
  running_.store(true, std::memory_order_release);
  return true;
}

void SwitchRuntime::stop() {
  running_.store(false, std::memory_order_release);
  stop_object();
}

// ---- statistics -------------------------------------------------------------------------------

GstStructure* SwitchRuntime::stats() const {
  const std::lock_guard lock(ports_mutex_);
  SwitchCounters sum;
  sum.add(retired_);
  for (const auto& [number, lane] : lanes_) sum.add(lane->counters());

  GstStructure* out = gst_structure_new_empty("application/x-packet-stats");
  const StatsFields fields(out);
  const Counters& c = sum.common;
  fields.add("packets-in", c.packets_in.get());
  fields.add("bytes-in", c.bytes_in.get());
  fields.add("packets-out", c.packets_out.get());
  fields.add("bytes-out", c.bytes_out.get());
  fields.add("batches", c.batches.get());
  fields.add("copies", c.copies.get());
  fields.add("flooded", sum.flooded.get());
  fields.add("dropped", c.dropped.get());
  for (std::size_t i = 0; i < spec().reasons.size(); ++i) {
    fields.add(drop_field(spec().reasons[i]).c_str(), c.reasons[i].get());
  }
  fields.add("drop-unlinked", c.unlinked.get());
  fields.add("drop-port-down", sum.port_down.get());
  fields.add("drop-loop", sum.loop.get());
  fields.add("drop-unreadable", c.unreadable.get());
  for (const auto& [number, lane] : lanes_) {
    const std::string port = "port-" + std::to_string(number);
    fields.add((port + "-packets-in").c_str(), lane->counters().common.packets_in.get());
    fields.add((port + "-bytes-in").c_str(), lane->counters().common.bytes_in.get());
  }
  for (const auto& outlet : table_->outlets) {
    if (!outlet) continue;
    const std::string port = "port-" + std::to_string(outlet->number());
    fields.add((port + "-packets-out").c_str(), outlet->packets.load());
    fields.add((port + "-bytes-out").c_str(), outlet->bytes.load());
    fields.add((port + "-dropped").c_str(), outlet->dropped.load());
  }
  add_stats(out);
  return out;
}

}  // namespace gstpacket::detail
