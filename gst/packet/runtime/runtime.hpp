// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
//
// Private. The C++ half of a packet element: everything the GObject half has nothing to say about.
#pragma once

#include <gst/base/gstflowcombiner.h>
#include <gst/gst.h>

#include <vector>

#include "gst/packet/batch.hpp"
#include "gst/packet/burst.hpp"
#include "gst/packet/runtime/arrival.hpp"
#include "gst/packet/runtime/author.hpp"
#include "gst/packet/runtime/counters.hpp"

namespace gstpacket::detail {

class Runtime final : public Author {
 public:
  Runtime(GstElement* element, const ElementClass& cls);
  ~Runtime() override;
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  void add_sink_pad(GstPad* pad) { sink_ = pad; }
  /// The first is `src`, the others are the element's ports in order.
  void add_source_pad(GstPad* pad);
  [[nodiscard]] GstPad* source_pad() const { return sources_.front().get(); }

  // Streaming thread.
  GstFlowReturn receive(Arrival& arrival);
  bool set_caps(GstCaps* caps);
  void flushed();
  /// Whether all that is linked to the extra pads answers `allocation` with batches, too.
  bool extra_pads_take_batches(GstQuery* allocation) const;

  // State changes.
  bool start() override;
  void stop() override;

  // Any thread.
  [[nodiscard]] GstStructure* stats() const override;

 private:
  struct Tally {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
  };

  bool process(Burst& burst);
  void count_verdicts();
  void override_verdict(std::size_t i);
  void count_drop(Verdict verdict);
  GstFlowReturn push_all(Arrival& arrival);
  void count_out(const Tally& tally, GstFlowReturn flow);
  GstFlowReturn no_caps();

  GstPad* sink_ = nullptr;
  std::vector<SourcePad> sources_;
  GstFlowCombiner* combiner_;
  Burst burst_;
  Diverted diverted_;
  std::vector<Tally> tallies_;
  Counters counters_;
  bool have_caps_ = false;
};

}  // namespace gstpacket::detail
