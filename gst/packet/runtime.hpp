// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Private. The C++ half of a packet element: everything the GObject half has nothing to say about.
#pragma once

#include <gst/base/gstflowcombiner.h>
#include <gst/gst.h>

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "gst/packet/arrival.hpp"
#include "gst/packet/batch.hpp"
#include "gst/packet/chunk.hpp"
#include "gst/packet/counters.hpp"
#include "gst/packet/element.hpp"

namespace gstpacket::detail {

/// One registered element: lives as long as the process.
struct ElementClass {
  const ElementSpec* spec = nullptr;
  GstDebugCategory* category = nullptr;
  std::vector<PropertySpec> properties;
};

class Runtime {
 public:
  Runtime(GstElement* element, const ElementClass& cls);
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  void add_sink_pad(GstPad* pad) { sink_ = pad; }
  /// The first is `src`, the others are the element's ports in order.
  void add_source_pad(GstPad* pad);
  [[nodiscard]] GstPad* source_pad() const { return sources_.front(); }

  // Streaming thread.
  GstFlowReturn receive(Arrival& arrival);
  bool set_caps(GstCaps* caps);
  void flushed();
  /// Whether all that is linked to the extra pads answers `allocation` with batches, too.
  bool extra_pads_take_batches(GstQuery* allocation) const;
  [[nodiscard]] const ElementClass& cls() const { return cls_; }

  // State changes.
  bool check_settings();
  bool start();
  void stop();
  void set_configured(bool configured);

  // Any thread.
  void set_property(std::size_t index, const GValue& value);
  void get_property(std::size_t index, GValue& value);
  [[nodiscard]] GstStructure* stats() const;

 private:
  struct Tally {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
  };
  struct Refused {
    std::string value;
    Error error;
  };

  bool process(Chunk& chunk);
  void count_in();
  void count_verdicts();
  void override_verdict(std::size_t i);
  void count_drop(Verdict verdict);
  GstFlowReturn push_all(Arrival& arrival);
  void count_out(const Tally& tally, GstFlowReturn flow);
  Result<void> try_set(std::size_t index, const GValue& value);
  GstFlowReturn no_caps();

  GstElement* element_;
  const ElementClass& cls_;
  void* object_;
  GstPad* sink_ = nullptr;
  std::vector<GstPad*> sources_;
  GstFlowCombiner* combiner_;
  Chunk chunk_;
  Diverted diverted_;
  std::vector<Tally> tallies_;
  Counters counters_;
  bool have_caps_ = false;
  bool started_ = false;

  std::mutex settings_mutex_;
  std::map<std::size_t, Refused> refused_;  // by property; settings_mutex_
  bool configured_ = false;                 // beyond NULL; settings_mutex_
};

}  // namespace gstpacket::detail
