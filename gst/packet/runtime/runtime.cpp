// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/packet/runtime/runtime.hpp"

namespace gstpacket::detail {
Runtime::Runtime(GstElement* element, const ElementClass& cls)
    : Author(element, cls),
      combiner_(gst_flow_combiner_new()),
      burst_(cls.spec->access),
      diverted_(cls.spec->ports.size()),
      tallies_(cls.spec->ports.size() + 1) {}

Runtime::~Runtime() {
  gst_flow_combiner_free(combiner_);
}

void Runtime::add_source_pad(GstPad* pad) {
  sources_.emplace_back(pad);
  gst_flow_combiner_add_pad(combiner_, pad);
}

// ---- packets ----------------------------------------------------------------------------------

GstFlowReturn Runtime::receive(Arrival& arrival) {
  if (!have_caps_) [[unlikely]] {
    return no_caps();
  }
  for (Tally& tally : tallies_) tally = {};
  for (;;) {
    burst_.clear();
    arrival.open(burst_);
    if (burst_.size() == 0) break;
    counters_.packets_in.add(burst_.size());
    const bool done = process(burst_);
    burst_.close();
    counters_.bytes_in.add(burst_.bytes_in());
    counters_.copies.add(burst_.take_copies());
    if (!done) {
      diverted_.drop_all();
      return GST_FLOW_ERROR;
    }
    if (burst_.is_uniform() && burst_.verdict(0) == forward()) [[likely]] {
      tallies_[0].packets += burst_.size();
      tallies_[0].bytes += burst_.bytes_out();
    } else {
      count_verdicts();
      arrival.settle(burst_, diverted_);
    }
  }
  counters_.copies.add(arrival.copies());
  counters_.batches.add(1);
  return push_all(arrival);
}

bool Runtime::process(Burst& burst) {
  return guarded(element(), "process()", [&] { spec().process(object(), burst, 0); });
}

void Runtime::count_verdicts() {
  for (std::size_t i = 0; i < burst_.size(); ++i) {
    if (burst_.verdict(i).port >= tallies_.size()) [[unlikely]] {
      override_verdict(i);
    }
    const Verdict verdict = burst_.verdict(i);
    if (verdict.port == Verdict::kDrop) {
      count_drop(verdict);
    } else {
      Tally& tally = tallies_[verdict.port];
      ++tally.packets;
      tally.bytes += burst_.length(i);
    }
  }
}

// A packet nobody could read, or one for a pad that does not exist.
void Runtime::override_verdict(std::size_t i) {
  Verdict& verdict = burst_.verdicts()[i];
  if (verdict == kUnreadable) {
    counters_.unreadable.add(1);
    verdict = drop();
  } else if (verdict.port != Verdict::kDrop && verdict.port >= tallies_.size()) {
    GST_CAT_ERROR_OBJECT(cls().category, element(), "no source pad %u: packet dropped",
                         verdict.port);
    counters_.unlinked.add(1);
    verdict = drop();
  }
}

void Runtime::count_drop(Verdict verdict) {
  counters_.dropped.add(1);
  if (verdict.reason < spec().reasons.size()) counters_.reasons[verdict.reason].add(1);
}

GstFlowReturn Runtime::push_all(Arrival& arrival) {
  GstFlowReturn flow = GST_FLOW_OK;
  if (tallies_[0].packets != 0) {
    flow = arrival.push(sources_[0], counters_.copies);
    count_out(tallies_[0], flow);
  }
  if (sources_.size() == 1) return flow;

  if (tallies_[0].packets != 0)
    gst_flow_combiner_update_pad_flow(combiner_, sources_[0].get(), flow);
  for (std::size_t i = 1; i < sources_.size(); ++i) {
    GstPad* pad = sources_[i].get();
    if (tallies_[i].packets == 0) {
      // A pad that gets nothing now must still not count as a taker when nothing is linked to it.
      if (!gst_pad_is_linked(pad)) {
        gst_flow_combiner_update_pad_flow(combiner_, pad, GST_FLOW_NOT_LINKED);
      } else if (GST_PAD_LAST_FLOW_RETURN(pad) == GST_FLOW_NOT_LINKED) {
        gst_flow_combiner_update_pad_flow(combiner_, pad, GST_FLOW_OK);
      }
      continue;
    }
    flow = sources_[i].push_buffers(diverted_.port(i), counters_.copies);
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
  GST_ELEMENT_ERROR(element(), CORE, NEGOTIATION,
                    ("Packets arrived without caps. Set application/x-packet, link-type=ethernet "
                     "(or ip) on the source, or put a capsfilter behind it."),
                    ("no CAPS event before the first buffer"));
  return GST_FLOW_NOT_NEGOTIATED;
}

bool Runtime::set_caps(GstCaps* caps) {
  have_caps_ = false;
  const auto parsed = parse_caps(caps);
  if (!parsed) {
    GST_CAT_WARNING_OBJECT(cls().category, element(), "%s", parsed.error().text().c_str());
    return false;
  }
  if (spec().set_caps != nullptr) {
    Result<void> result;
    if (!guarded(element(), "set_caps()", [&] { result = spec().set_caps(object(), *parsed); })) {
      return false;
    }
    if (!result) {
      GST_ELEMENT_ERROR(element(), CORE, NEGOTIATION, ("%s", result.error().text().c_str()),
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
    if (!gst_pad_is_linked(sources_[i].get())) continue;
    GstQuery* query = gst_query_new_allocation(caps, FALSE);
    const bool take = gst_pad_peer_query(sources_[i].get(), query) != FALSE &&
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

bool Runtime::start() {
  counters_.reset();
  flushed();
  have_caps_ = false;
  return start_object();
}

void Runtime::stop() {
  diverted_.drop_all();
  stop_object();
}

// ---- statistics -------------------------------------------------------------------------------

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
  for (std::size_t i = 0; i < spec().reasons.size(); ++i) {
    field(drop_field(spec().reasons[i]).c_str(), counters_.reasons[i]);
  }
  field("drop-unlinked", counters_.unlinked);
  field("drop-unreadable", counters_.unreadable);
  add_stats(out);
  return out;
}

}  // namespace gstpacket::detail
