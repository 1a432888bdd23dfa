// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The pads of a switch, an element with any number of ports: requested and released, with streams
 * of their own.
 */
#include <string>
#include <utility>

#include "gst/packet/batch.hpp"
#include "gst/packet/runtime/data_path.hpp"
#include "gst/packet/runtime/element_class.hpp"
#include "gst/packet/runtime/request_pads.hpp"
#include "gst/packet/switch_event.hpp"

namespace gstpacket::detail {
namespace {

class SwitchCore final : public ElementCore {
 public:
  SwitchCore(GstElement* element, const ElementClass& cls);

  // Pads come and go in any thread.
  void remove(GstPad* pad) override;
  /** Gives a source pad that begins the events that come before data. */
  void prepare_source(GstPad* pad, unsigned number);

  // Events of a sink pad.
  void stream_starts(DataPath& path);
  void end_of_stream(DataPath& path);

  bool start() override;

 private:
  [[nodiscard]] bool all_ended();
  [[nodiscard]] bool still_ended() const;
  void push_eos();

  bool ended_ = false;  // EOS was pushed; paths_mutex_
  std::string stream_prefix_;
  guint group_id_ = gst_util_group_id_next();
};

SwitchCore& switch_of(void* object) {
  return static_cast<SwitchCore&>(core_of(object));
}

// ---- streams ----------------------------------------------------------------------------------

SwitchCore::SwitchCore(GstElement* element, const ElementClass& cls) : ElementCore(element, cls) {
  // GStreamer makes an id from that of the one stream that comes in; here there are several.
  gchar* uuid = g_uuid_string_random();
  stream_prefix_ = std::string(cls.spec->info->factory) + "/" + uuid + "/port-";
  g_free(uuid);
}

bool SwitchCore::start() {
  {
    const std::lock_guard lock(paths_mutex_);
    group_id_ = gst_util_group_id_next();
    ended_ = false;
  }
  return ElementCore::start();
}

void SwitchCore::remove(GstPad* pad) {
  ElementCore::remove(pad);
  if (!GST_PAD_IS_SINK(pad)) return;
  std::unique_lock lock(paths_mutex_);
  const bool ended = !paths_.empty() && all_ended();
  lock.unlock();
  if (ended) push_eos();
}

void SwitchCore::prepare_source(GstPad* pad, unsigned number) {
  const std::string id = stream_prefix_ + std::to_string(number);
  GstEvent* start = gst_event_new_stream_start(id.c_str());
  gst_event_set_group_id(start, group_id_);
  GstCaps* caps = make_caps(spec().link_types);
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  for (GstEvent* event :
       {start, gst_event_new_caps(caps), gst_event_new_segment(&segment), new_switch_event()}) {
    // Stored, not pushed: the pad sends them before the next buffer, list or event, whichever
    // thread that comes from.
    gst_pad_store_sticky_event(pad, event);
    gst_event_unref(event);
  }
  gst_caps_unref(caps);
}

void SwitchCore::stream_starts(DataPath& path) {
  {
    const std::lock_guard lock(paths_mutex_);
    path.at_eos = false;
    if (!std::exchange(ended_, false)) return;
  }
  // In turn: an EOS that another thread is about to push would else come behind it.
  for (const auto& port : *ports().ports()) {
    if (port) port->in_turn([&] { prepare_source(port->pad(), port->number()); });
  }
}

/**
 * Whether all linked sink pads are at EOS, and source pads have not been told yet.
 * With paths_mutex_.
 */
bool SwitchCore::all_ended() {
  bool any = false;
  for (const auto& [number, path] : paths_) {
    any |= path->at_eos;
    if (!path->at_eos && gst_pad_is_linked(path->pad())) return false;
  }
  return any && !std::exchange(ended_, true);
}

/** To those for which no new stream has begun meanwhile. */
void SwitchCore::push_eos() {
  for (const auto& port : *ports().ports()) {
    if (!port) continue;
    port->in_turn([&] {
      if (still_ended()) gst_pad_push_event(port->pad(), gst_event_new_eos());
    });
  }
}

bool SwitchCore::still_ended() const {
  const std::lock_guard lock(paths_mutex_);
  return ended_;
}

void SwitchCore::end_of_stream(DataPath& path) {
  std::unique_lock lock(paths_mutex_);
  path.at_eos = true;
  const bool ended = all_ended();
  lock.unlock();
  if (ended) push_eos();
}

// ---- pads -------------------------------------------------------------------------------------

// Streams are mixed, so events of a single stream end here; the source pads have their own.
gboolean sink_event(GstPad* pad, GstObject* parent, GstEvent* event) {
  SwitchCore& core = switch_of(parent);
  gboolean done = TRUE;
  switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_CAPS: {
      GstCaps* caps = nullptr;
      gst_event_parse_caps(event, &caps);
      done = core.accept_caps(caps) ? TRUE : FALSE;
      DataPath::of(pad).set_caps_known(done != FALSE);
      break;
    }
    case GST_EVENT_STREAM_START:
    case GST_EVENT_FLUSH_STOP:
      core.stream_starts(DataPath::of(pad));
      break;
    case GST_EVENT_EOS:
      core.end_of_stream(DataPath::of(pad));
      break;
    default:
      break;
  }
  gst_event_unref(event);
  return done;
}

gboolean sink_query(GstPad* pad, GstObject* parent, GstQuery* query) {
  // Answered here: a buffer may go to any port, or to several, so no proposal of a single port can
  // be passed on. Batches are accepted all the same: they are unpacked for a port that does not
  // accept them.
  if (GST_QUERY_TYPE(query) == GST_QUERY_ALLOCATION) {
    gst_query_add_allocation_meta(query, GST_PACKET_BATCH_META_API_TYPE, nullptr);
    return TRUE;
  }
  return gst_pad_query_default(pad, parent, query);
}

gboolean activate_source(GstPad* pad, GstObject*, GstPadMode mode, gboolean active) {
  if (mode != GST_PAD_MODE_PUSH) return FALSE;
  // A pad that is requested while the element runs is activated before it has a parent.
  auto* core = static_cast<SwitchCore*>(gst_pad_get_element_private(pad));
  if (active) core->prepare_source(pad, number_of(pad));
  return TRUE;
}

/**
 * Events and queries of a port are not forwarded to it, so two switches may be linked both ways
 * without endless loops.
 */
GstIterator* internal_links(GstPad* pad, GstObject* parent) {
  GstIterator* all = gst_pad_iterate_internal_links_default(pad, parent);
  if (all == nullptr) return nullptr;
  GValue own = G_VALUE_INIT;
  g_value_init(&own, G_TYPE_UINT);
  g_value_set_uint(&own, number_of(pad));
  const auto same = [](gconstpointer item, gconstpointer port) -> gint {
    const unsigned number = number_of(g_value_get_object(static_cast<const GValue*>(item)));
    return number == g_value_get_uint(static_cast<const GValue*>(port)) ? 1 : 0;
  };
  GstIterator* others = gst_iterator_filter(all, same, &own);
  g_value_unset(&own);
  return others;
}

// ---- requests ---------------------------------------------------------------------------------

void set_functions(GstPad* pad) {
  gst_pad_set_iterate_internal_links_function(pad, internal_links);
  if (GST_PAD_IS_SRC(pad)) {
    gst_pad_set_activatemode_function(pad, activate_source);
    return;
  }
  gst_pad_set_event_function(pad, sink_event);
  gst_pad_set_query_function(pad, sink_query);
}

GstPad* request_new_pad(GstElement* element, GstPadTemplate* templ, const gchar* asked,
                        const GstCaps*) {
  SwitchCore& core = switch_of(element);
  const PadPointer owner = new_numbered_pad(element, templ, asked);
  if (!owner) return nullptr;
  GstPad* pad = owner.get();
  const GstPadDirection direction = GST_PAD_TEMPLATE_DIRECTION(templ);
  const unsigned number = number_of(pad);
  set_functions(pad);
  if (direction == GST_PAD_SINK) {
    core.add_path(DataPath::attach(core, pad, number));
  } else {
    gst_pad_set_element_private(pad, &core);
  }
  if (core.running()) gst_pad_set_active(pad, TRUE);
  const bool added = gst_element_add_pad(element, pad) != FALSE;
  if (added && direction == GST_PAD_SRC) core.add_port(pad, number);
  if (!added && direction == GST_PAD_SINK) core.remove(pad);
  return added ? pad : nullptr;
}

void release_pad(GstElement* element, GstPad* pad) {
  disconnect_pad(pad);
  core_of(element).remove(pad);
  gst_element_remove_pad(element, pad);
}

// ---- class ------------------------------------------------------------------------------------

void add_templates(GstElementClass* klass, const ElementSpec& spec) {
  GstCaps* caps = make_caps(spec.link_types);
  gst_element_class_add_pad_template(
      klass, gst_pad_template_new("sink_%u", GST_PAD_SINK, GST_PAD_REQUEST, caps));
  gst_element_class_add_pad_template(
      klass, gst_pad_template_new("src_%u", GST_PAD_SRC, GST_PAD_REQUEST, caps));
  gst_caps_unref(caps);
}

}  // namespace

const ElementKind kSwitchKind{
    "GstPacketSwitch",
    [](GstElementClass* klass) {
      klass->request_new_pad = request_new_pad;
      klass->release_pad = release_pad;
    },
    add_templates,
    [](GstElement* element, GstElementClass*, const ElementClass& cls) -> ElementCore* {
      return new SwitchCore(element, cls);
    }};

}  // namespace gstpacket::detail
