// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/packet/source.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>

GST_DEBUG_CATEGORY_STATIC(packet_src_debug);
#define GST_CAT_DEFAULT packet_src_debug

/**
 * Lock order: the mutex may be held while calling unlock() and unlock_stop(), which makes flags and
 * interruption change together; it is never held while pushing or in create().
 */
struct GstPacketSrcState {
  std::mutex mutex;
  std::condition_variable changed;
  bool playing = false;
  bool flushing = true;
  bool eos_pending = false;
  // True while nothing but PLAYING is asked for, so that a burst costs no lock.
  std::atomic<bool> undisturbed{false};
  // Streaming thread only.
  bool thread_entered = false;
  bool segment_sent = false;
};

static void gst_packet_src_class_init(gpointer klass_data, gpointer);
static void gst_packet_src_init(GTypeInstance* instance, gpointer klass_data);
static GstElementClass* parent_class = nullptr;

static GstPacketSrcClass* class_of(GstPacketSrc* self) {
  return G_TYPE_INSTANCE_GET_CLASS(self, gst_packet_src_get_type(), GstPacketSrcClass);
}
static GstPacketSrc* cast(gpointer instance) {
  return static_cast<GstPacketSrc*>(instance);
}

// Abstract, and its init needs the class for the pad template: hence not G_DEFINE_TYPE.
GType gst_packet_src_get_type(void) {
  static gsize type = 0;
  if (g_once_init_enter(&type)) {
    const GTypeInfo info = {sizeof(GstPacketSrcClass),
                            nullptr,
                            nullptr,
                            gst_packet_src_class_init,
                            nullptr,
                            nullptr,
                            sizeof(GstPacketSrc),
                            0,
                            gst_packet_src_init,
                            nullptr};
    g_once_init_leave(&type, g_type_register_static(GST_TYPE_ELEMENT, "GstPacketSrc", &info,
                                                    G_TYPE_FLAG_ABSTRACT));
  }
  return type;
}

namespace {

// ---- Streaming thread -----------------------------------------------------------------------

enum class Next { produce, end_of_stream, stop };

/** Waits for PLAYING. Clears an interruption only while nothing asks for one. */
Next wait_to_run(GstPacketSrc* self) {
  GstPacketSrcState& state = *self->state;
  if (state.undisturbed.load(std::memory_order_acquire)) return Next::produce;
  std::unique_lock lock(state.mutex);
  state.changed.wait(lock, [&] { return state.playing || state.flushing || state.eos_pending; });
  if (state.flushing) return Next::stop;
  if (state.eos_pending) return Next::end_of_stream;
  if (class_of(self)->unlock_stop != nullptr) class_of(self)->unlock_stop(self);
  state.undisturbed.store(true, std::memory_order_release);
  return Next::produce;
}

void push_stream_start(GstPacketSrc* self) {
  // Named after the element: there is nothing upstream to name it after.
  gchar* name = gst_object_get_path_string(GST_OBJECT_CAST(self));
  gchar* id = g_compute_checksum_for_string(G_CHECKSUM_SHA256, name, -1);
  g_free(name);
  GstEvent* event = gst_event_new_stream_start(id);
  gst_event_set_group_id(event, gst_util_group_id_next());
  gst_pad_push_event(self->pad, event);
  g_free(id);
}

void push_segment(GstPacketSrc* self) {
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_pad_push_event(self->pad, gst_event_new_segment(&segment));
}

bool negotiate_caps(GstPacketSrc* self) {
  GstCaps* ours = class_of(self)->get_caps != nullptr ? class_of(self)->get_caps(self)
                                                      : gst_pad_get_pad_template_caps(self->pad);
  GstCaps* peer = gst_pad_peer_query_caps(self->pad, ours);
  GstCaps* caps = gst_caps_intersect_full(ours, peer, GST_CAPS_INTERSECT_FIRST);
  gst_caps_unref(peer);
  const bool any = gst_caps_is_any(caps);
  const bool possible = !gst_caps_is_empty(caps);
  if (possible && !any) {
    caps = gst_caps_fixate(caps);
    GstCaps* current = gst_pad_get_current_caps(self->pad);
    if (current == nullptr || !gst_caps_is_equal(current, caps)) {
      gst_pad_push_event(self->pad, gst_event_new_caps(caps));
    }
    gst_clear_caps(&current);
  }
  if (!possible) {
    gchar* text = gst_caps_to_string(ours);
    GST_ELEMENT_ERROR(self, STREAM, FORMAT, ("The next element does not take %s.", text),
                      ("no common caps downstream; link to an element that does, or set caps"));
    g_free(text);
  }
  gst_caps_unref(caps);
  gst_caps_unref(ours);
  return possible;
}

void negotiate_allocation(GstPacketSrc* self) {
  if (class_of(self)->decide_allocation == nullptr) return;
  GstCaps* caps = gst_pad_get_current_caps(self->pad);
  GstQuery* query = gst_query_new_allocation(caps, TRUE);
  // No answer is an answer too: the query then lists nothing.
  if (!gst_pad_peer_query(self->pad, query)) GST_DEBUG_OBJECT(self, "no allocation downstream");
  class_of(self)->decide_allocation(self, query);
  gst_query_unref(query);
  gst_clear_caps(&caps);
}

bool prepare(GstPacketSrc* self) {
  GstPacketSrcState& state = *self->state;
  if (!state.thread_entered) {
    state.thread_entered = true;
    if (class_of(self)->enter_thread != nullptr) class_of(self)->enter_thread(self);
  }
  if (!state.segment_sent) push_stream_start(self);
  // The flag first: clearing it takes a lock.
  const bool asked = GST_PAD_NEEDS_RECONFIGURE(self->pad) && gst_pad_check_reconfigure(self->pad);
  if (asked || !state.segment_sent) {
    if (!negotiate_caps(self)) return false;
    negotiate_allocation(self);
  }
  if (!state.segment_sent) {
    state.segment_sent = true;
    push_segment(self);
  }
  return true;
}

GstFlowReturn push(GstPacketSrc* self, GstMiniObject* out) {
  if (GST_IS_BUFFER_LIST(out)) return gst_pad_push_list(self->pad, GST_BUFFER_LIST_CAST(out));
  return gst_pad_push(self->pad, GST_BUFFER_CAST(out));
}

GstFlowReturn produce(GstPacketSrc* self) {
  if (!prepare(self)) return GST_FLOW_NOT_NEGOTIATED;
  GstMiniObject* out = nullptr;
  const GstFlowReturn created = class_of(self)->create(self, &out);
  if (created != GST_FLOW_OK) return created;
  // A live source is silent in PAUSED: what arrived just then waits for PLAYING, or goes.
  if (wait_to_run(self) == Next::stop) {
    gst_mini_object_unref(out);
    return GST_FLOW_FLUSHING;
  }
  return push(self, out);
}

bool stopping(GstPacketSrc* self) {
  const std::lock_guard lock(self->state->mutex);
  return self->state->flushing;
}

/** Ends the task. Everything but a flush ends the stream; what is not EOS is an error too. */
void end_task(GstPacketSrc* self, GstFlowReturn reason) {
  GST_DEBUG_OBJECT(self, "streaming ends: %s", gst_flow_get_name(reason));
  gst_pad_pause_task(self->pad);
  if (reason == GST_FLOW_FLUSHING) return;
  if (reason == GST_FLOW_NOT_LINKED || reason < GST_FLOW_EOS) {
    GST_ELEMENT_FLOW_ERROR(self, reason);
  }
  gst_pad_push_event(self->pad, gst_event_new_eos());
}

void task(gpointer user_data) {
  GstPacketSrc* self = cast(user_data);
  switch (wait_to_run(self)) {
    case Next::stop:
      return end_task(self, GST_FLOW_FLUSHING);
    case Next::end_of_stream:
      return end_task(self, prepare(self) ? GST_FLOW_EOS : GST_FLOW_NOT_NEGOTIATED);
    case Next::produce:
      break;
  }
  const GstFlowReturn result = produce(self);
  if (result == GST_FLOW_OK) return;
  // Interrupted, but not for good: a pause, or an end of stream that is waiting.
  if (result == GST_FLOW_FLUSHING && !stopping(self)) return;
  end_task(self, result);
}

// ---- Control --------------------------------------------------------------------------------

/** Changes what the streaming thread waits for, and gets it out of create(). */
template <class Change>
void change_state_of(GstPacketSrc* self, bool interrupt, Change change) {
  const std::lock_guard lock(self->state->mutex);
  self->state->undisturbed.store(false, std::memory_order_release);
  change(*self->state);
  if (interrupt && class_of(self)->unlock != nullptr) class_of(self)->unlock(self);
  self->state->changed.notify_all();
}

gboolean activate_mode(GstPad* pad, GstObject* parent, GstPadMode mode, gboolean active) {
  GstPacketSrc* self = cast(parent);
  if (mode != GST_PAD_MODE_PUSH) return FALSE;
  if (!active) {
    change_state_of(self, true, [](GstPacketSrcState& state) { state.flushing = true; });
    return gst_pad_stop_task(pad);
  }
  change_state_of(self, false, [](GstPacketSrcState& state) {
    state.flushing = false;
    state.eos_pending = false;
    state.thread_entered = false;
    state.segment_sent = false;
  });
  return gst_pad_start_task(pad, task, self, nullptr);
}

GstStateChangeReturn change_state(GstElement* element, GstStateChange transition) {
  GstPacketSrc* self = cast(element);
  GstPacketSrcClass* klass = class_of(self);
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && klass->start != nullptr &&
      !klass->start(self)) {
    return GST_STATE_CHANGE_FAILURE;
  }
  if (transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED) {
    change_state_of(self, true, [](GstPacketSrcState& state) { state.playing = false; });
  }
  GstStateChangeReturn result = parent_class->change_state(element, transition);
  const bool failed = result == GST_STATE_CHANGE_FAILURE;
  switch (transition) {
    case GST_STATE_CHANGE_READY_TO_PAUSED:
      if (failed && klass->stop != nullptr) klass->stop(self);
      if (!failed) result = GST_STATE_CHANGE_NO_PREROLL;
      break;
    case GST_STATE_CHANGE_PAUSED_TO_PLAYING:
      if (!failed) {
        change_state_of(self, false, [](GstPacketSrcState& state) { state.playing = true; });
      }
      break;
    case GST_STATE_CHANGE_PLAYING_TO_PAUSED:
      if (!failed) result = GST_STATE_CHANGE_NO_PREROLL;
      break;
    case GST_STATE_CHANGE_PAUSED_TO_READY:
      if (klass->stop != nullptr) klass->stop(self);
      break;
    default:
      break;
  }
  return result;
}

gboolean send_event(GstElement* element, GstEvent* event) {
  GstPacketSrc* self = cast(element);
  if (GST_EVENT_TYPE(event) == GST_EVENT_EOS) {
    gst_event_unref(event);
    change_state_of(self, true, [](GstPacketSrcState& state) { state.eos_pending = true; });
    return TRUE;
  }
  if ((gst_event_type_get_flags(GST_EVENT_TYPE(event)) & GST_EVENT_TYPE_DOWNSTREAM) != 0)
    return gst_pad_push_event(self->pad, event);
  return gst_pad_send_event(self->pad, event);
}

gboolean src_event(GstPad* pad, GstObject* parent, GstEvent* event) {
  switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_LATENCY:
    case GST_EVENT_QOS:
    case GST_EVENT_RECONFIGURE:
      gst_event_unref(event);
      return TRUE;
    default:
      return gst_pad_event_default(pad, parent, event);
  }
}

gboolean src_query(GstPad* pad, GstObject* parent, GstQuery* query) {
  switch (GST_QUERY_TYPE(query)) {
    case GST_QUERY_LATENCY:
      // Packets are stamped when they are taken from the ring and pushed at once.
      gst_query_set_latency(query, TRUE, 0, GST_CLOCK_TIME_NONE);
      return TRUE;
    case GST_QUERY_SCHEDULING:
      gst_query_set_scheduling(query, GST_SCHEDULING_FLAG_SEQUENTIAL, 1, -1, 0);
      gst_query_add_scheduling_mode(query, GST_PAD_MODE_PUSH);
      return TRUE;
    case GST_QUERY_CAPS: {
      GstPacketSrc* self = cast(parent);
      if (class_of(self)->get_caps == nullptr) return gst_pad_query_default(pad, parent, query);
      GstCaps* filter = nullptr;
      gst_query_parse_caps(query, &filter);
      GstCaps* caps = class_of(self)->get_caps(self);
      if (filter != nullptr) {
        GstCaps* filtered = gst_caps_intersect_full(filter, caps, GST_CAPS_INTERSECT_FIRST);
        gst_caps_unref(caps);
        caps = filtered;
      }
      gst_query_set_caps_result(query, caps);
      gst_caps_unref(caps);
      return TRUE;
    }
    default:
      return gst_pad_query_default(pad, parent, query);
  }
}

void finalize(GObject* object) {
  delete cast(object)->state;
  G_OBJECT_CLASS(parent_class)->finalize(object);
}

}  // namespace

static void gst_packet_src_class_init(gpointer klass_data, gpointer) {
  GstPacketSrcClass* klass = static_cast<GstPacketSrcClass*>(klass_data);
  GST_DEBUG_CATEGORY_INIT(packet_src_debug, "packetsrc", 0, "Base class of packet sources");
  parent_class = GST_ELEMENT_CLASS(g_type_class_peek_parent(klass));
  G_OBJECT_CLASS(klass)->finalize = finalize;
  GST_ELEMENT_CLASS(klass)->change_state = change_state;
  GST_ELEMENT_CLASS(klass)->send_event = send_event;
}

static void gst_packet_src_init(GTypeInstance* instance, gpointer klass_data) {
  GstPacketSrc* self = cast(instance);
  self->state = new GstPacketSrcState();
  GstPadTemplate* pad_template =
      gst_element_class_get_pad_template(GST_ELEMENT_CLASS(klass_data), "src");
  g_return_if_fail(pad_template != nullptr);
  self->pad = gst_pad_new_from_template(pad_template, "src");
  gst_pad_set_activatemode_function(self->pad, activate_mode);
  gst_pad_set_event_function(self->pad, src_event);
  gst_pad_set_query_function(self->pad, src_query);
  gst_element_add_pad(GST_ELEMENT_CAST(self), self->pad);
  GST_OBJECT_FLAG_SET(self, GST_ELEMENT_FLAG_SOURCE);
}

void gst_packet_src_reconfigure(GstPacketSrc* self) {
  gst_pad_mark_reconfigure(self->pad);
}

GstClockTime gst_packet_src_running_time(GstPacketSrc* self) {
  GstClock* clock = GST_ELEMENT_CLOCK(self);
  if (clock == nullptr) return GST_CLOCK_TIME_NONE;
  const GstClockTime now = gst_clock_get_time(clock);
  const GstClockTime base = GST_ELEMENT_CAST(self)->base_time;
  return now > base ? now - base : 0;
}
