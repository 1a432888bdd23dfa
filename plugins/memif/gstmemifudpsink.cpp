// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * SECTION:element-memifudpsink
 * @title: memifudpsink
 * @short_description: sends UDP datagrams through a memif interface
 * @see_also: memifudpsrc, iphost, udpsink
 *
 * Sends each buffer, or each buffer of a list, as a UDP datagram through a memif interface. It has
 * the properties of `udpsink` and those of the link.
 *
 * All elements of a process with the same #memifudpsink:socket-path, #memifudpsink:id and
 * #memifudpsink:role are one IP host on one interface, so RTP and RTCP in both directions share a
 * link. Settings of the link and of the host, such as #memifudpsink:address, need to be set on one
 * of them only. The host runs while any of them is in PAUSED or PLAYING.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 memifudpsrc socket-path=/tmp/a.sock role=master address=10.0.0.2/24
 * caps="application/x-rtp,media=video,clock-rate=90000,encoding-name=VP8" !
 * rtpjitterbuffer ! rtpvp8depay ! vp8dec ! autovideosink
 * ]| Receives video and shows it.
 * |[
 * gst-launch-1.0 videotestsrc is-live=true ! vp8enc deadline=1 ! rtpvp8pay !
 * memifudpsink socket-path=/tmp/a.sock address=10.0.0.1/24 host=10.0.0.2
 * ]| Sends it.
 *
 * Since: 0.2
 */
#include "plugins/memif/gstmemifudpsink.hpp"

#include <gst/base/gstbasesink.h>

#include <algorithm>
#include <atomic>
#include <string_view>

#include "plugins/common/documentation.hpp"
#include "plugins/common/properties.hpp"
#include "plugins/memif/udp_end.hpp"

GST_DEBUG_CATEGORY_STATIC(memifudpsink_debug);
#define GST_CAT_DEFAULT memifudpsink_debug

namespace {

enum : guint { kPropBytesServed = kUdpLast, kPropStats };
enum { kSignalAdd, kSignalRemove, kSignalClear, kSignalAdded, kSignalRemoved, kSignals };

guint signals[kSignals];

GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

}  // namespace

struct GstMemifUdpSinkState {
  explicit GstMemifUdpSinkState(GstElement* element)
      : end(element, UdpEnd::Direction::send),
        pad(GST_PAD_CAST(gst_object_ref_sink(gst_pad_new("datagrams", GST_PAD_SRC)))) {}
  ~GstMemifUdpSinkState() { gst_object_unref(pad); }

  UdpEnd end;
  GstPad* const pad;                    // to the host
  std::atomic<bool> no_clients{false};  // all were removed
  std::atomic<bool> sending{false};     // a thread is in the host
  std::atomic<bool> unlocked{false};    // it has to leave, and none may enter
  std::atomic<unsigned> interruptions{0};
  std::mutex flush_mutex;    // held while the pad begins or ends to flush
  bool flushed = false;      // with flush_mutex: by unlock(), and not yet by unlock_stop()
  std::mutex clients_mutex;  // while they are edited
};

struct GstMemifUdpSink {
  GstBaseSink parent;
  GstMemifUdpSinkState* state;
};
struct GstMemifUdpSinkClass {
  GstBaseSinkClass parent_class;
};

static UdpEnd& end_of(gpointer instance) {
  return static_cast<GstMemifUdpSink*>(instance)->state->end;
}

G_DEFINE_TYPE_WITH_CODE(GstMemifUdpSink, gst_memif_udp_sink, GST_TYPE_BASE_SINK,
                        G_IMPLEMENT_INTERFACE(GST_TYPE_URI_HANDLER,
                                              (init_uri_handler<end_of, GST_URI_SINK>)))
GST_ELEMENT_REGISTER_DEFINE(memifudpsink, "memifudpsink", GST_RANK_NONE,
                            gst_memif_udp_sink_get_type())

namespace {

GstMemifUdpSinkState& state_of(gpointer instance) {
  return *static_cast<GstMemifUdpSink*>(instance)->state;
}

// ---- sending ----------------------------------------------------------------------------------

/** Says to unlock() whether there is a thread to be interrupted. */
class Sending {
 public:
  explicit Sending(GstMemifUdpSinkState& state) : state_(state) { state_.sending.store(true); }
  ~Sending() { state_.sending.store(false); }
  Sending(const Sending&) = delete;
  Sending& operator=(const Sending&) = delete;

 private:
  GstMemifUdpSinkState& state_;
};

template <class Push>
GstFlowReturn push(GstBaseSink* sink, Push push) {
  GstMemifUdpSinkState& state = state_of(sink);
  if (state.no_clients.load(std::memory_order_relaxed)) return GST_FLOW_OK;
  const HostUser::Acting acting(state.end.user());
  for (;;) {
    const unsigned before = state.interruptions.load();
    {
      const Sending sending(state);
      // unlock() looks at them in the opposite order.
      const GstFlowReturn flow = state.unlocked.load() ? GST_FLOW_FLUSHING : push(state.pad);
      if (flow == GST_FLOW_EOS) return GST_FLOW_ERROR;  // the host ends only with us
      if (flow != GST_FLOW_FLUSHING) return flow;
    }
    if (!state.unlocked.load() && state.interruptions.load() == before) return GST_FLOW_FLUSHING;
    // In PAUSED it waits, and sends again: what was interrupted has not left, or not all of it.
    const GstFlowReturn flow = gst_base_sink_wait_preroll(sink);
    if (flow != GST_FLOW_OK) return flow;
  }
}

GstFlowReturn gst_memif_udp_sink_render(GstBaseSink* sink, GstBuffer* buffer) {
  return push(sink, [&](GstPad* pad) { return gst_pad_push(pad, gst_buffer_ref(buffer)); });
}

GstFlowReturn gst_memif_udp_sink_render_list(GstBaseSink* sink, GstBufferList* list) {
  return push(sink, [&](GstPad* pad) { return gst_pad_push_list(pad, gst_buffer_list_ref(list)); });
}

void push_prologue(GstPad* pad) {
  gst_pad_push_event(pad, gst_event_new_stream_start("memifudpsink"));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_pad_push_event(pad, gst_event_new_segment(&segment));
}

gboolean gst_memif_udp_sink_unlock(GstBaseSink* sink) {
  GstMemifUdpSinkState& state = state_of(sink);
  ++state.interruptions;
  state.unlocked.store(true);
  // A flush and a state change may come at once: so that the pad does not flush for ever.
  const std::lock_guard lock(state.flush_mutex);
  if (!state.sending.load()) return TRUE;
  state.flushed = true;
  gst_pad_push_event(state.pad, gst_event_new_flush_start());
  return TRUE;
}

gboolean gst_memif_udp_sink_unlock_stop(GstBaseSink* sink) {
  GstMemifUdpSinkState& state = state_of(sink);
  const std::lock_guard lock(state.flush_mutex);
  if (std::exchange(state.flushed, false)) {
    gst_pad_push_event(state.pad, gst_event_new_flush_stop(FALSE));
    push_prologue(state.pad);
  }
  state.unlocked.store(false);
  return TRUE;
}

// ---- states -----------------------------------------------------------------------------------

bool gst_memif_udp_sink_open(GstMemifUdpSinkState& state) {
  gst_pad_set_active(state.pad, TRUE);
  if (!state.end.open(state.pad)) {
    gst_pad_set_active(state.pad, FALSE);
    return false;
  }
  push_prologue(state.pad);
  return true;
}

void gst_memif_udp_sink_close(GstMemifUdpSinkState& state) {
  state.end.close();
  gst_pad_set_active(state.pad, FALSE);
}

GstStateChangeReturn gst_memif_udp_sink_change_state(GstElement* element,
                                                     GstStateChange transition) {
  GstMemifUdpSinkState& state = state_of(element);
  if ((transition == GST_STATE_CHANGE_NULL_TO_READY && !state.end.join()) ||
      (transition == GST_STATE_CHANGE_READY_TO_PAUSED && !gst_memif_udp_sink_open(state))) {
    return GST_STATE_CHANGE_FAILURE;
  }
  const GstStateChangeReturn result =
      GST_ELEMENT_CLASS(gst_memif_udp_sink_parent_class)->change_state(element, transition);
  const bool failed = result == GST_STATE_CHANGE_FAILURE;
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY ||
      (transition == GST_STATE_CHANGE_READY_TO_PAUSED && failed)) {
    gst_memif_udp_sink_close(state);
  }
  if (transition == GST_STATE_CHANGE_READY_TO_NULL ||
      (transition == GST_STATE_CHANGE_NULL_TO_READY && failed)) {
    state.end.leave();
  }
  return result;
}

// ---- clients ----------------------------------------------------------------------------------

std::string client(const gchar* host, gint port) {
  return host_and_port(host != nullptr ? host : "", port);
}

std::vector<std::string> clients_of(gpointer sink) {
  gchar* text = nullptr;
  g_object_get(sink, "clients", &text, nullptr);
  std::vector<std::string> clients;
  gchar** parts = g_strsplit(text != nullptr ? text : "", ",", 0);
  for (gchar** part = parts; *part != nullptr; ++part) {
    g_strstrip(*part);
    if (**part != '\0') clients.emplace_back(*part);
  }
  g_strfreev(parts);
  g_free(text);
  return clients;
}

void set_clients(gpointer sink, const std::vector<std::string>& clients) {
  // None at all sends nowhere, as with udpsink; for the host it would be an error.
  if (clients.empty()) {
    state_of(sink).no_clients.store(true);
    return;
  }
  // The property ends that once the host has the new ones: until then it has those of before.
  std::string text;
  for (const std::string& one : clients) text += (text.empty() ? "" : ",") + one;
  g_object_set(sink, "clients", text.c_str(), nullptr);
}

void gst_memif_udp_sink_add(GstMemifUdpSink* self, const gchar* host, gint port, gpointer) {
  {
    const std::lock_guard lock(self->state->clients_mutex);
    auto clients = self->state->no_clients.load() ? std::vector<std::string>() : clients_of(self);
    clients.push_back(client(host, port));
    set_clients(self, clients);
  }
  g_signal_emit(self, signals[kSignalAdded], 0, host, port);
}

void gst_memif_udp_sink_remove(GstMemifUdpSink* self, const gchar* host, gint port, gpointer) {
  {
    const std::lock_guard lock(self->state->clients_mutex);
    auto clients = clients_of(self);
    const auto gone = std::ranges::find(clients, client(host, port));
    if (self->state->no_clients.load() || gone == clients.end()) return;
    clients.erase(gone);
    set_clients(self, clients);
  }
  g_signal_emit(self, signals[kSignalRemoved], 0, host, port);
}

void gst_memif_udp_sink_clear(GstMemifUdpSink* self, gpointer) {
  const std::lock_guard lock(self->state->clients_mutex);
  set_clients(self, {});
}

void install_signals(GType type) {
  const auto action = [&](int which, const char* name, GCallback handler, guint arguments) {
    GType types[] = {G_TYPE_STRING, G_TYPE_INT};
    GClosure* closure = g_cclosure_new(handler, nullptr, nullptr);
    signals[which] =
        g_signal_newv(name, type, static_cast<GSignalFlags>(G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION),
                      closure, nullptr, nullptr, nullptr, G_TYPE_NONE, arguments, types);
  };
  action(kSignalAdd, "add", G_CALLBACK(gst_memif_udp_sink_add), 2);
  action(kSignalRemove, "remove", G_CALLBACK(gst_memif_udp_sink_remove), 2);
  action(kSignalClear, "clear", G_CALLBACK(gst_memif_udp_sink_clear), 0);
  const auto notice = [&](int which, const char* name) {
    signals[which] = g_signal_new(name, type, G_SIGNAL_RUN_LAST, 0, nullptr, nullptr, nullptr,
                                  G_TYPE_NONE, 2, G_TYPE_STRING, G_TYPE_INT);
  };
  notice(kSignalAdded, "client-added");
  notice(kSignalRemoved, "client-removed");
}

// ---- GObject ----------------------------------------------------------------------------------

void gst_memif_udp_sink_set_property(GObject* object, guint id, const GValue* value,
                                     GParamSpec* spec) {
  if (!end_of(object).set_property(id, value, spec)) {
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
  if (g_str_equal(spec->name, "host") != FALSE || g_str_equal(spec->name, "clients") != FALSE) {
    state_of(object).no_clients.store(false);
  }
}

/** Those of the datagrams and of the base class, whose property of the same name is hidden. */
GstStructure* gst_memif_udp_sink_stats(GObject* object) {
  GstStructure* stats = end_of(object).stats();
  GstStructure* base = gst_base_sink_get_stats(GST_BASE_SINK_CAST(object));
  gdouble rate = 0;
  guint64 rendered = 0;
  gst_structure_get(base, "average-rate", G_TYPE_DOUBLE, &rate, "rendered", G_TYPE_UINT64,
                    &rendered, nullptr);
  gst_structure_set(stats, "average-rate", G_TYPE_DOUBLE, rate, "rendered", G_TYPE_UINT64, rendered,
                    nullptr);
  gst_structure_free(base);
  return stats;
}

void gst_memif_udp_sink_get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  if (end_of(object).get_property(id, value, spec)) return;
  switch (id) {
    case kPropBytesServed: {
      guint64 bytes = 0;
      GstStructure* stats = end_of(object).stats();
      gst_structure_get_uint64(stats, "bytes", &bytes);
      gst_structure_free(stats);
      g_value_set_uint64(value, bytes);
      break;
    }
    case kPropStats:
      g_value_take_boxed(value, gst_memif_udp_sink_stats(object));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
      break;
  }
}

void gst_memif_udp_sink_finalize(GObject* object) {
  delete reinterpret_cast<GstMemifUdpSink*>(object)->state;
  G_OBJECT_CLASS(gst_memif_udp_sink_parent_class)->finalize(object);
}

void install_own_properties(GObjectClass* klass) {
  g_object_class_install_property(
      klass, kPropBytesServed,
      g_param_spec_uint64("bytes-served", "Bytes served",
                          "Bytes of payload that were sent to all clients together", 0, G_MAXUINT64,
                          0, kReadOnly));
  g_object_class_install_property(
      klass, kPropStats,
      stats_spec("Counters since PAUSED, and while it runs those of the shared host and link"));
}

}  // namespace

static void gst_memif_udp_sink_class_init(GstMemifUdpSinkClass* klass) {
  GST_DEBUG_CATEGORY_INIT(memifudpsink_debug, "memifudpsink", 0, "memif UDP sink");
  GObjectClass* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = gst_memif_udp_sink_set_property;
  object_class->get_property = gst_memif_udp_sink_get_property;
  object_class->finalize = gst_memif_udp_sink_finalize;
  UdpEnd::install_properties(object_class, UdpEnd::Direction::send);
  install_own_properties(object_class);
  install_signals(G_TYPE_FROM_CLASS(klass));

  GstElementClass* element_class = GST_ELEMENT_CLASS(klass);
  element_class->change_state = gst_memif_udp_sink_change_state;
  gst_element_class_add_static_pad_template(element_class, &sink_template);
  gst_element_class_set_static_metadata(
      element_class, "memif UDP sink", "Sink/Network",
      "Sends UDP datagrams through a memif interface, with the properties of udpsink",
      PLUGIN_AUTHOR);
  add_documentation_uri(element_class, DOCUMENTATION_URI("memifudpsink"));

  GstBaseSinkClass* base = GST_BASE_SINK_CLASS(klass);
  base->render = gst_memif_udp_sink_render;
  base->render_list = gst_memif_udp_sink_render_list;
  base->unlock = gst_memif_udp_sink_unlock;
  base->unlock_stop = gst_memif_udp_sink_unlock_stop;
}

static void gst_memif_udp_sink_init(GstMemifUdpSink* self) {
  self->state = new GstMemifUdpSinkState(GST_ELEMENT_CAST(self));
}
