// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/common/live_source.hpp"

#include <string>
#include <utility>

#include "gst/packet/batch.hpp"

namespace {

// Bounds the time in which the base class takes a buffer, as it is not our code.
constexpr gint64 kLongestHandOverUs = 50'000;

GstElementClass* parent_element_class() {
  return static_cast<GstElementClass*>(g_type_class_peek(GST_TYPE_PUSH_SRC));
}

GstBaseSrcClass* parent_class() {
  return static_cast<GstBaseSrcClass*>(g_type_class_peek(GST_TYPE_PUSH_SRC));
}

GstPacketBatchMeta* batch_of(GstMiniObject* data) {
  return GST_IS_BUFFER(data) ? gst_buffer_get_packet_batch_meta(GST_BUFFER_CAST(data)) : nullptr;
}

guint count_packets(GstMiniObject* data) {
  if (GST_IS_BUFFER_LIST(data)) return gst_buffer_list_length(GST_BUFFER_LIST_CAST(data));
  const GstPacketBatchMeta* batch = batch_of(data);
  return batch != nullptr ? batch->n : 1;
}

/** One packet per buffer; null if none of them can be read. */
GstMiniObject* unpack(GstBuffer* batch) {
  GstBufferList* list = gst_packet_batch_unpack(batch);
  const guint packets = gst_buffer_list_length(list);
  if (packets > 1) return GST_MINI_OBJECT_CAST(list);
  GstBuffer* only = packets == 1 ? gst_buffer_ref(gst_buffer_list_get(list, 0)) : nullptr;
  gst_buffer_list_unref(list);
  return GST_MINI_OBJECT_CAST(only);
}

/** @param caps transfer full */
std::string text_of(GstCaps* caps) {
  gchar* text = gst_caps_to_string(caps);
  std::string result(text);
  g_free(text);
  gst_caps_unref(caps);
  return result;
}

}  // namespace

LiveSource::LiveSource(GstPushSrc* src, Waiting waiting) : src_(src), waiting_(waiting) {
  gst_base_src_set_live(base(), TRUE);
  gst_base_src_set_format(base(), GST_FORMAT_TIME);
}

LiveSource::~LiveSource() {
  drop_held();
  gst_clear_event(&eos_);
  gst_clear_object(&clock_);
  g_clear_error(&failure_);
}

// ---- Streaming thread -----------------------------------------------------------------------

GstFlowReturn LiveSource::wait_until_running() {
  if (undisturbed_.load(std::memory_order_acquire)) return GST_FLOW_OK;
  std::unique_lock lock(mutex_);
  while (!playing_ && !unlocked_) {
    if (std::exchange(lets_go_, false)) {
      waiting_.let_go(src_);
    } else {
      changed_.wait(lock);
    }
  }
  if (unlocked_) return GST_FLOW_FLUSHING;
  waiting_.resume(src_);
  if (eos_ != nullptr && held_ == nullptr) {
    GstEvent* eos = std::exchange(eos_, nullptr);
    lock.unlock();
    return end_stream(eos);
  }
  undisturbed_.store(eos_ == nullptr, std::memory_order_release);
  return GST_FLOW_OK;
}

/** The base class has an EOS of its own to push, which the pad refuses after this one. */
GstFlowReturn LiveSource::end_stream(GstEvent* eos) {
  gst_pad_push_event(pad(), eos);
  return GST_FLOW_EOS;
}

GstFlowReturn LiveSource::prepare_anew() {
  const GstFlowReturn flow = wait_until_running();
  if (flow != GST_FLOW_OK || !doubted() || gst_base_src_negotiate(base()) != FALSE) return flow;
  return GST_PAD_IS_FLUSHING(pad()) ? GST_FLOW_FLUSHING : GST_FLOW_NOT_NEGOTIATED;
}

/** The base class has counted a buffer in advance, which does not come yet. */
GstFlowReturn LiveSource::ended(GstFlowReturn flow) {
  if (flow == GST_FLOW_FLUSHING && counts()) ++base()->num_buffers_left;
  return flow;
}

/** One packet per buffer; false if none of those that are held can be read. */
bool LiveSource::unpacked() {
  if (batch_of(held_) != nullptr) held_ = unpack(GST_BUFFER_CAST(held_));
  return held_ != nullptr;
}

GstFlowReturn LiveSource::push() {
  if (!running_.load(std::memory_order_acquire)) return GST_FLOW_OK;
  GstMiniObject* data = std::exchange(held_, nullptr);
  GstFlowReturn flow = GST_FLOW_OK;
  if (GST_IS_BUFFER_LIST(data)) {
    GstBufferList* list = GST_BUFFER_LIST_CAST(data);
    position_.store(GST_BUFFER_PTS(gst_buffer_list_get(list, 0)), std::memory_order_relaxed);
    flow = gst_pad_push_list(pad(), list);
  } else {
    position_.store(GST_BUFFER_PTS(GST_BUFFER_CAST(data)), std::memory_order_relaxed);
    flow = gst_pad_push(pad(), GST_BUFFER_CAST(data));
  }
  return flow == GST_FLOW_NOT_NEGOTIATED && doubted() ? GST_FLOW_OK : flow;
}

/** Gives what is held to the base class; false if that cannot be now. */
bool LiveSource::hand_over(GstBuffer** out) {
  // The change to PAUSED stores and loads in the opposite order, so that one side sees the other.
  handing_over_.store(true, std::memory_order_seq_cst);
  if (!running_.load(std::memory_order_seq_cst)) {
    handing_over_.store(false, std::memory_order_release);
    return false;
  }
  events_wait_.store(false, std::memory_order_release);
  clean_ = true;
  GstMiniObject* data = std::exchange(held_, nullptr);
  if (counts()) base()->num_buffers_left -= static_cast<gint>(count_packets(data)) - 1;
  if (GST_IS_BUFFER_LIST(data)) {
    gst_base_src_submit_buffer_list(base(), GST_BUFFER_LIST_CAST(data));
  } else {
    *out = GST_BUFFER_CAST(data);
  }
  return true;
}

guint LiveSource::drop_held() {
  if (held_ == nullptr) return 0;
  const guint packets = count_packets(held_);
  gst_mini_object_unref(std::exchange(held_, nullptr));
  dropped_ += packets;
  return packets;
}

/** The reference to the clock is kept: the counts of one that all elements use cost more than it.
 */
GstClockTime LiveSource::running_time() {
  GstClock* other = nullptr;
  GST_OBJECT_LOCK(src_);
  if (GST_ELEMENT_CLOCK(src_) != clock_) [[unlikely]] {
    other = std::exchange(clock_, GST_ELEMENT_CLOCK(src_));
    if (clock_ != nullptr) gst_object_ref(clock_);
  }
  const GstClockTime base_time = GST_ELEMENT_CAST(src_)->base_time;
  GST_OBJECT_UNLOCK(src_);
  gst_clear_object(&other);
  if (clock_ == nullptr) return GST_CLOCK_TIME_NONE;
  const GstClockTime now = gst_clock_get_time(clock_);
  return now > base_time ? now - base_time : 0;
}

// ---- Negotiation ----------------------------------------------------------------------------

/** Runs in gst_pad_push(), before the peer is looked up. */
GstPadProbeReturn LiveSource::take_back(GstPad*, GstPadProbeInfo* info, gpointer self) {
  auto& live = *static_cast<LiveSource*>(self);
  live.held_ = GST_MINI_OBJECT_CAST(std::exchange(info->data, nullptr));
  if (live.counts()) live.base()->num_buffers_left += static_cast<gint>(count_packets(live.held_));
  GST_PAD_PROBE_INFO_FLOW_RETURN(info) = GST_FLOW_OK;
  return GST_PAD_PROBE_HANDLED;
}

void LiveSource::doubt() {
  const std::lock_guard lock(probe_mutex_);
  if (probe_ == 0) {
    constexpr auto kData =
        static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST);
    probe_ = gst_pad_add_probe(pad(), kData, take_back, this, nullptr);
  }
  doubted_.store(true, std::memory_order_release);
}

/** Before anything is asked: what changes after that brings the probe back. */
void LiveSource::trust() {
  const std::lock_guard lock(probe_mutex_);
  doubted_.store(false, std::memory_order_release);
  if (probe_ != 0) gst_pad_remove_probe(pad(), std::exchange(probe_, 0));
}

void LiveSource::reconfigure() {
  gst_pad_mark_reconfigure(pad());
  doubt();
}

gboolean LiveSource::negotiate() {
  trust();
  if (parent_class()->negotiate(base()) != FALSE) return TRUE;
  if (GST_PAD_IS_FLUSHING(pad())) return FALSE;
  const std::string ours = text_of(gst_pad_query_caps(pad(), nullptr));
  const std::string theirs = text_of(gst_pad_peer_query_caps(pad(), nullptr));
  GST_ELEMENT_ERROR(
      src_, STREAM, FORMAT,
      ("The next element takes %s, and not %s. %s.", theirs.c_str(), ours.c_str(), remedy_),
      ("no common caps downstream"));
  return FALSE;
}

gboolean LiveSource::event(GstEvent* event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_RECONFIGURE) doubt();
  return parent_class()->event(base(), event);
}

gboolean LiveSource::post_message(GstMessage* message) {
  // Pads post this before they are linked or unlinked, without a lock.
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_STRUCTURE_CHANGE) doubt();
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR && !running_.load()) {
    // Not the message, which refers to the element.
    const std::lock_guard lock(failure_mutex_);
    if (failure_ == nullptr) gst_message_parse_error(message, &failure_, nullptr);
  }
  return parent_element_class()->post_message(GST_ELEMENT_CAST(src_), message);
}

// ---- Control --------------------------------------------------------------------------------

/** Changes what the streaming thread waits for. */
template <class Change>
void LiveSource::change(Change change) {
  undisturbed_.store(false, std::memory_order_seq_cst);
  change();
  running_.store(playing_ && !unlocked_, std::memory_order_seq_cst);
  changed_.notify_all();
}

/** Gets it out of its wait for packets, too. */
template <class Change>
void LiveSource::disturb(Change what) {
  const std::lock_guard lock(mutex_);
  change(what);
  waiting_.interrupt(src_);
}

void LiveSource::rouse() {
  disturb([] {});
}

void LiveSource::let_go() {
  const std::lock_guard lock(mutex_);
  lets_go_ = true;
  let_go_from_outside();
  changed_.notify_all();
}

/** For a streaming thread that waits in the base class. With the lock. */
void LiveSource::let_go_from_outside() {
  if (playing_ || inside_.load(std::memory_order_seq_cst)) return;
  if (std::exchange(lets_go_, false)) waiting_.let_go(src_);
}

/**
 * Base classes of GStreamer 1.24 and later unlock for a pause as well. The streaming thread waits
 * for its end by itself; were it to return that it is flushing, and find that the pause is over
 * already, the base class would end the stream.
 */
void LiveSource::unlock() {
  if (pausing_.load(std::memory_order_relaxed) == std::this_thread::get_id()) return;
  disturb([this] { unlocked_ = true; });
}

/** With the stream lock. */
void LiveSource::unlock_stop() {
  // A flush ends what was before it; a pause, after which later base classes unlock too, does not.
  const bool flushed = GST_PAD_IS_FLUSHING(pad());
  disturb([this, flushed] {
    unlocked_ = false;
    if (flushed) gst_clear_event(&eos_);
  });
  if (flushed) drop_held();
  clean_ = false;
}

void LiveSource::forget_failure() {
  const std::lock_guard lock(failure_mutex_);
  g_clear_error(&failure_);
}

/**
 * False if the stream has failed in PAUSED. gst-launch-1.0 does not end for an error that comes
 * before it waits for messages: so it gets that again, and no PLAYING.
 */
bool LiveSource::may_play() {
  GstMessage* again = nullptr;
  {
    const std::lock_guard lock(failure_mutex_);
    if (failure_ == nullptr) return true;
    again = gst_message_new_error(GST_OBJECT_CAST(src_), failure_, "failed in PAUSED");
  }
  parent_element_class()->post_message(GST_ELEMENT_CAST(src_), again);
  return false;
}

GstStateChangeReturn LiveSource::change_state(GstStateChange transition) {
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED) forget_failure();
  if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING && !may_play()) {
    return GST_STATE_CHANGE_FAILURE;
  }
  if (transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED) {
    disturb([this] { playing_ = false; });
    const gint64 end = g_get_monotonic_time() + kLongestHandOverUs;
    while (handing_over_.load(std::memory_order_seq_cst) && g_get_monotonic_time() < end) {
      g_thread_yield();
    }
  }
  pausing_.store(transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED ? std::this_thread::get_id()
                                                                  : std::thread::id(),
                 std::memory_order_relaxed);
  const GstStateChangeReturn result =
      parent_element_class()->change_state(GST_ELEMENT_CAST(src_), transition);
  pausing_.store({}, std::memory_order_relaxed);
  if (transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED) {
    const std::lock_guard lock(mutex_);
    let_go_from_outside();
  }
  if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING && result != GST_STATE_CHANGE_FAILURE) {
    const std::lock_guard lock(mutex_);
    change([this] { playing_ = true; });
  }
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
    drop_held();
    gst_clear_object(&clock_);
    position_.store(GST_CLOCK_TIME_NONE, std::memory_order_relaxed);
    const std::lock_guard lock(mutex_);
    gst_clear_event(&eos_);
  }
  return result;
}

gboolean LiveSource::send_event(GstEvent* event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_SEEK) {
    // The base class would flush, answer TRUE, and go on where it was.
    gst_event_unref(event);
    return FALSE;
  }
  if (GST_EVENT_TYPE(event) == GST_EVENT_EOS) {
    // The base class would wait for the streaming thread, which may wait for a state change of the
    // sink, which waits for us: the caller has our state lock.
    disturb([this, event] {
      gst_clear_event(&eos_);
      eos_ = event;
    });
    return TRUE;
  }
  const bool serialized =
      (gst_event_type_get_flags(GST_EVENT_TYPE(event)) & GST_EVENT_TYPE_SERIALIZED) != 0;
  const gboolean result = parent_element_class()->send_event(GST_ELEMENT_CAST(src_), event);
  if (serialized) events_wait_.store(true, std::memory_order_release);
  return result;
}

gboolean LiveSource::query(GstQuery* query) {
  if (GST_QUERY_TYPE(query) == GST_QUERY_LATENCY) {
    // Packets are stamped when they are taken, and pushed at once.
    gst_query_set_latency(query, TRUE, 0, GST_CLOCK_TIME_NONE);
    return TRUE;
  }
  const GstClockTime position = position_.load(std::memory_order_relaxed);
  if (GST_QUERY_TYPE(query) == GST_QUERY_POSITION && GST_CLOCK_TIME_IS_VALID(position)) {
    GST_OBJECT_LOCK(src_);
    base()->segment.position = position;
    GST_OBJECT_UNLOCK(src_);
  }
  return parent_class()->query(base(), query);
}

void remove_allocation_offers(GstQuery* query) {
  while (gst_query_get_n_allocation_pools(query) != 0) {
    gst_query_remove_nth_allocation_pool(query, 0);
  }
  while (gst_query_get_n_allocation_params(query) != 0) {
    gst_query_remove_nth_allocation_param(query, 0);
  }
}
