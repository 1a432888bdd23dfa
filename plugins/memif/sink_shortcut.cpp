// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/memif/sink_shortcut.hpp"

namespace {

constexpr GstClockTime kInterval = 100 * GST_MSECOND;
// Of buffers that have no time.
constexpr guint kMostInARow = 1024;
// The time of a buffer with a DTS, which only the base class gets.
constexpr GstClockTime kTwoTimes = GST_CLOCK_TIME_NONE - 1;

// What render() returns, from gst_base_sink_wait_preroll(), when a step has ended its wait.
constexpr GstFlowReturn kStepped = GST_FLOW_CUSTOM_ERROR;

/** As the base class, which takes that of the first buffer of a list. */
GstClockTime time_of(GstBuffer* buffer) {
  return GST_BUFFER_DTS_IS_VALID(buffer) ? kTwoTimes : GST_BUFFER_PTS(buffer);
}

}  // namespace

SinkShortcut::SinkShortcut(GstBaseSink* sink) noexcept
    : sink_(sink),
      base_chain_(GST_PAD_CHAINFUNC(pad())),
      base_chain_list_(GST_PAD_CHAINLISTFUNC(pad())) {}

void SinkShortcut::reset() noexcept {
  usual_.store(false, std::memory_order_relaxed);
  stepped_.store(false, std::memory_order_relaxed);
  last_ = GST_CLOCK_TIME_NONE;
  rendered_.reset();
}

/** Whether nothing is set that the base class would have to see to. */
bool SinkShortcut::is_plain() const noexcept {
  return gst_base_sink_is_last_sample_enabled(sink_) == FALSE &&
         gst_base_sink_is_qos_enabled(sink_) == FALSE &&
         gst_base_sink_get_throttle_time(sink_) == 0 && gst_base_sink_get_max_bitrate(sink_) == 0;
}

/** Whether it is not the turn of the base class, and nothing that it would leave out. */
bool SinkShortcut::is_inside(GstClockTime time) const noexcept {
  if (time == GST_CLOCK_TIME_NONE) return in_a_row_ < kMostInARow;
  if (time == kTwoTimes) return false;
  const GstSegment& segment = sink_->segment;
  return time - last_ < kInterval && segment.format == GST_FORMAT_TIME && time >= segment.start &&
         time < segment.stop;
}

/** With the preroll lock. */
bool SinkShortcut::may_render(GstClockTime time) const noexcept {
  return usual_.load(std::memory_order_acquire) && !sink_->flushing && !sink_->need_preroll &&
         !sink_->eos && g_atomic_int_get(&sink_->sync) == FALSE && is_inside(time);
}

template <class Data, class BaseChain, class Render>
GstFlowReturn SinkShortcut::pass(Data* data, GstClockTime time, BaseChain base_chain,
                                 Render render) {
  GST_BASE_SINK_PREROLL_LOCK(sink_);
  GstFlowReturn flow = kStepped;
  if (may_render(time)) [[likely]] {
    flow = render(sink_, data);
    if (flow != kStepped) rendered_.add(1);
    ++in_a_row_;
    if (sink_->flushing) flow = GST_FLOW_FLUSHING;
  }
  GST_BASE_SINK_PREROLL_UNLOCK(sink_);
  if (flow != kStepped) [[likely]] {
    gst_mini_object_unref(GST_MINI_OBJECT_CAST(data));
    return flow;
  }
  // Before anything is looked at, here and by the base class: what happens from now on counts.
  usual_.store(true, std::memory_order_seq_cst);
  if (time == kTwoTimes || stepped_.load(std::memory_order_seq_cst) || !is_plain()) on_event();
  last_ = time;
  in_a_row_ = 0;
  flow = base_chain(pad(), GST_OBJECT_CAST(sink_), data);
  if (flow != GST_FLOW_OK) on_event();
  return flow;
}

GstFlowReturn SinkShortcut::chain(GstBuffer* buffer) {
  return pass(buffer, time_of(buffer), base_chain_, GST_BASE_SINK_GET_CLASS(sink_)->render);
}

GstFlowReturn SinkShortcut::chain(GstBufferList* list) {
  const GstClockTime time = gst_buffer_list_length(list) != 0
                                ? time_of(gst_buffer_list_get(list, 0))
                                : GST_CLOCK_TIME_NONE;
  return pass(list, time, base_chain_list_, GST_BASE_SINK_GET_CLASS(sink_)->render_list);
}
