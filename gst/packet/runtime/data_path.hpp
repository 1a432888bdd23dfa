// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Private. The path of packets from one sink pad to the source pads of an element. It is protected
 * by the pad's stream lock and shares only the port table with the paths of other pads.
 *
 * A filter has one path, which combines the flow returns of the source pads for upstream; so has a
 * splitter, whose ports may stop and end one by one. A switch has one for each sink pad: a failing
 * port does not stop the others, and flooded packets go to all ports but the own one.
 */
#pragma once

#include <gst/base/gstflowcombiner.h>
#include <gst/gst.h>

#include <memory>
#include <vector>

#include "gst/common/cache_line.hpp"
#include "gst/packet/burst.hpp"
#include "gst/packet/copy_pool.hpp"
#include "gst/packet/runtime/counters.hpp"
#include "gst/packet/runtime/packet_input.hpp"
#include "gst/packet/runtime/port_table.hpp"
#include "gst/packet/runtime/verdict_router.hpp"

namespace gstpacket::detail {

class ElementCore;

class alignas(gstcommon::kCacheLine) DataPath {
 public:
  /** Creates the path of `pad`, which owns it, and sets the chain functions of the pad. */
  static DataPath& attach(ElementCore& core, GstPad* pad, unsigned number);
  [[nodiscard]] static DataPath& of(GstPad* pad) {
    return *static_cast<DataPath*>(gst_pad_get_element_private(pad));
  }

  // With the pad's stream lock.
  /** Both take the reference. */
  GstFlowReturn receive(GstBuffer* buffer);
  GstFlowReturn receive(GstBufferList* list);
  void set_caps_known(bool known) { have_caps_ = known; }
  void forget_flows();

  /** Before streaming. */
  void reset();

  [[nodiscard]] unsigned number() const { return number_; }
  [[nodiscard]] GstPad* pad() const { return pad_; }
  [[nodiscard]] const Counters& counters() const { return counters_; }

  /** For a switch, under its mutex. */
  bool at_eos = false;

 private:
  DataPath(ElementCore& core, GstPad* pad, unsigned number);

  GstFlowReturn process(PacketInput&& input);
  void see_ports();
  GstPad* copies_to();
  bool open_and_process(PacketInput& input);
  GstFlowReturn push_all(PacketInput& input);
  GstFlowReturn flow_of_all() const;
  GstFlowReturn push_to(PacketInput& input, SourcePort& port, bool last);
  void note_idle(const SourcePort& port);
  void count_lost(SourcePort& port, GstFlowReturn flow);
  GstFlowReturn refuse_loop(const PacketInput& input);
  GstFlowReturn no_pads(const PacketInput& input);
  GstFlowReturn no_caps();

  struct FreeCombiner {
    void operator()(GstFlowCombiner* combiner) const { gst_flow_combiner_free(combiner); }
  };

  ElementCore& core_;
  GstPad* pad_;  // owns this
  unsigned number_;
  bool have_caps_ = false;
  bool busy_ = false;
  PortTable::View view_;
  bool is_single_ = false;        // a filter with no source pad but `src`
  std::vector<unsigned> others_;  // all ports of a splitter; of a switch all but our own
  std::unique_ptr<GstFlowCombiner, FreeCombiner> combiner_;  // of a filter only
  Counters counters_;
  CopyPool copy_pool_;
  VerdictRouter router_{core_, counters_};
  Burst burst_;
};

}  // namespace gstpacket::detail
