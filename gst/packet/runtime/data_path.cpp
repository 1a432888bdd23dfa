// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/packet/runtime/data_path.hpp"

#include "gst/packet/batch.hpp"
#include "gst/packet/runtime/element_core.hpp"

namespace gstpacket::detail {

DataPath::DataPath(ElementCore& core, GstPad* pad, unsigned number)
    : core_(core),
      pad_(pad),
      number_(number),
      combiner_(core.shape() == Shape::filter ? gst_flow_combiner_new() : nullptr),
      burst_(core.spec().access) {}

DataPath& DataPath::attach(ElementCore& core, GstPad* pad, unsigned number) {
  auto* path = new DataPath(core, pad, number);
  g_object_set_data_full(G_OBJECT(pad), "gstpacket-path", path,
                         [](void* data) { delete static_cast<DataPath*>(data); });
  gst_pad_set_element_private(pad, path);
  gst_pad_set_chain_function(
      pad, [](GstPad* p, GstObject*, GstBuffer* buffer) { return of(p).receive(buffer); });
  gst_pad_set_chain_list_function(
      pad, [](GstPad* p, GstObject*, GstBufferList* list) { return of(p).receive(list); });
  return *path;
}

void DataPath::reset() {
  counters_.reset();
  have_caps_ = at_eos = false;
  forget_flows();
}

void DataPath::forget_flows() {
  if (combiner_) gst_flow_combiner_reset(combiner_.get());
}

// ---- in ---------------------------------------------------------------------------------------

GstFlowReturn DataPath::receive(GstBuffer* buffer) {
  return process(PacketInput(buffer, core_.spec().access, copy_pool_, copies_to()));
}

GstFlowReturn DataPath::receive(GstBufferList* list) {
  if (!holds_batches(list)) return process(PacketInput(list, core_.spec().access, copy_pool_));
  GstFlowReturn flow = GST_FLOW_OK;
  list = gst_buffer_list_make_writable(list);
  while (flow == GST_FLOW_OK && gst_buffer_list_length(list) != 0) {
    GstBuffer* buffer = gst_buffer_ref(gst_buffer_list_get(list, 0));
    gst_buffer_list_remove(list, 0, 1);  // first, so that the buffer is exclusive
    flow = receive(buffer);
  }
  gst_buffer_list_unref(list);
  return flow;
}

GstFlowReturn DataPath::process(PacketInput&& input) {
  // The stream lock is recursive, so only this thread can reenter, through an endless loop of
  // links.
  if (busy_) [[unlikely]] {
    return refuse_loop(input);
  }
  if (!have_caps_) [[unlikely]] {
    return no_caps();
  }
  if (core_.ports().update(view_)) [[unlikely]] {
    see_ports();
  }
  if (others_.empty() && core_.shape() == Shape::splitter) [[unlikely]] {
    return no_pads(input);
  }
  busy_ = true;
  router_.begin(*view_.ports, others_);
  const bool done = open_and_process(input);
  counters_[Count::copies].add(input.copies());
  counters_[Count::batches].add(1);
  const GstFlowReturn flow = done ? push_all(input) : GST_FLOW_ERROR;
  router_.clear();
  busy_ = false;
  return flow;
}

/** The pad that packets of a batch will all go to, if any. */
GstPad* DataPath::copies_to() {
  if (!is_single_ || busy_) return nullptr;
  SourcePort& port = *view_.ports->front();
  return port.takes_batches() ? port.pad() : nullptr;
}

void DataPath::see_ports() {
  is_single_ = combiner_ && view_.ports->size() == 1;
  if (combiner_) gst_flow_combiner_clear(combiner_.get());
  others_.clear();
  for (const auto& port : *view_.ports) {
    if (combiner_) {
      gst_flow_combiner_add_pad(combiner_.get(), port->pad());
    } else if (port && (port->number() != number_ || core_.shape() == Shape::splitter)) {
      others_.push_back(port->number());
    }
  }
}

bool DataPath::open_and_process(PacketInput& input) {
  while (input.has_more()) {
    burst_.clear();
    input.open_next(burst_);
    if (burst_.size() == 0) break;
    counters_[Count::packets_in].add(burst_.size());
    const bool done = guarded(core_.element(), "process()", [&] {
      core_.spec().process(core_.object(), burst_, number_, others_);
    });
    burst_.close();
    counters_[Count::bytes_in].add(burst_.bytes_in());
    counters_[Count::copies].add(burst_.take_copies());
    if (!done) return false;
    router_.apply_verdicts(input, burst_);
  }
  return true;
}

// ---- out --------------------------------------------------------------------------------------

GstFlowReturn DataPath::push_all(PacketInput& input) {
  if (is_single_) [[likely]] {
    SourcePort& port = *view_.ports->front();
    return router_.due(0).packets != 0 ? push_to(input, port, true) : GST_FLOW_OK;
  }
  SourcePort* previous = nullptr;
  for (const auto& port : *view_.ports) {
    if (!port) continue;
    if (router_.due(port->number()).packets == 0) {
      note_idle(*port);
      continue;
    }
    if (previous != nullptr) push_to(input, *previous, false);
    previous = port.get();
  }
  if (previous != nullptr) push_to(input, *previous, true);
  if (core_.shape() == Shape::switcher) return GST_FLOW_OK;
  if (!combiner_) return flow_of_all();
  // All pads are up to date; this only reads the combined result.
  return gst_flow_combiner_update_flow(combiner_.get(), GST_FLOW_OK);
}

/**
 * Of a splitter. GstFlowCombiner would end the stream for one pad that is flushing, as a pad is
 * that has just been released.
 */
GstFlowReturn DataPath::flow_of_all() const {
  GstFlowReturn down = GST_FLOW_NOT_LINKED;
  bool any_up = false;
  for (const auto& port : *view_.ports) {
    if (!port) continue;
    const GstFlowReturn flow = GST_PAD_LAST_FLOW_RETURN(port->pad());
    if (flow < GST_FLOW_EOS) return flow;
    if (flow >= GST_FLOW_OK) any_up = true;
    if (flow == GST_FLOW_EOS || (flow == GST_FLOW_FLUSHING && down != GST_FLOW_EOS)) down = flow;
  }
  return any_up ? GST_FLOW_OK : down;
}

/** Keeps the combined flow right for an extra pad of a filter that no packet goes to now. */
void DataPath::note_idle(const SourcePort& port) {
  if (!combiner_ || port.number() == 0) return;
  GstPad* pad = port.pad();
  if (!gst_pad_is_linked(pad)) {
    gst_flow_combiner_update_pad_flow(combiner_.get(), pad, GST_FLOW_NOT_LINKED);
  } else if (GST_PAD_LAST_FLOW_RETURN(pad) == GST_FLOW_NOT_LINKED) {
    gst_flow_combiner_update_pad_flow(combiner_.get(), pad, GST_FLOW_OK);
  }
}

GstFlowReturn DataPath::push_to(PacketInput& input, SourcePort& port, bool last) {
  const GstFlowReturn flow = port.in_turn([&] { return router_.push(input, port, last); });
  // A filter returns failures upstream; the others drop the packets.
  if (flow == GST_FLOW_OK || (combiner_ && flow != GST_FLOW_NOT_LINKED)) [[likely]] {
    const Tally tally = router_.due(port.number());
    counters_[Count::packets_out].add(tally.packets);
    counters_[Count::bytes_out].add(tally.bytes);
    port.count_out(tally);
  } else {
    count_lost(port, flow);
  }
  if (combiner_ && !is_single_) {
    gst_flow_combiner_update_pad_flow(combiner_.get(), port.pad(), flow);
  }
  return flow;
}

void DataPath::count_lost(SourcePort& port, GstFlowReturn flow) {
  const bool unlinked = flow == GST_FLOW_NOT_LINKED;
  // Flooded packets are no loss at an unlinked port.
  const std::uint64_t packets =
      unlinked ? router_.meant_for(port.number()).packets : router_.due(port.number()).packets;
  counters_[unlinked ? Count::drop_unlinked : Count::drop_port_down].add(packets);
  counters_[Count::dropped].add(packets);
  port.count_dropped(packets);
  if (flow < GST_FLOW_EOS && core_.shape() == Shape::switcher && port.failed_now()) {
    GST_ELEMENT_WARNING(core_.element(), STREAM, FAILED,
                        ("Port %u takes no packets (%s): they are dropped. The other ports go on. "
                         "Look for what failed behind src_%u.",
                         port.number(), gst_flow_get_name(flow), port.number()),
                        (nullptr));
  }
}

// ---- refused ----------------------------------------------------------------------------------

GstFlowReturn DataPath::refuse_loop(const PacketInput& input) {
  counters_[Count::drop_loop].add(input.packets());
  counters_[Count::dropped].add(input.packets());
  GST_CAT_WARNING_OBJECT(core_.cls().category, pad_,
                         "packets came back while they were sent: the pads are linked in a loop");
  return GST_FLOW_OK;
}

GstFlowReturn DataPath::no_pads(const PacketInput& input) {
  counters_[Count::packets_in].add(input.packets());
  counters_[Count::drop_unlinked].add(input.packets());
  counters_[Count::dropped].add(input.packets());
  return GST_FLOW_NOT_LINKED;
}

GstFlowReturn DataPath::no_caps() {
  const auto& types = core_.spec().link_types;
  GST_ELEMENT_ERROR(
      core_.element(), CORE, NEGOTIATION,
      ("Packets arrived on %s without caps. Set application/x-packet, link-type=%s "
       "on the source, or put a capsfilter behind it.",
       GST_PAD_NAME(pad_), link_type_name(types.empty() ? LinkType::ethernet : types.front())),
      ("no CAPS event before the first buffer"));
  return GST_FLOW_NOT_NEGOTIATED;
}

}  // namespace gstpacket::detail
