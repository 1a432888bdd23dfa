// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/ip/gstiphostrequests.hpp"

#include <cstring>
#include <string>

#include "plugins/ip/debug.hpp"
#include "plugins/ip/gstiphostevents.hpp"
#include "plugins/ip/gstiphostpads.hpp"
#include "plugins/ip/gstiphoststate.hpp"

using ipplugin::UdpReceiver;
using ipplugin::UdpSender;

GstIterator* gst_ip_host_internal_links(GstPad* pad, GstObject* parent) {
  GstIterator* all = gst_pad_iterate_internal_links_default(pad, parent);
  if (all == nullptr) return nullptr;
  GValue kind = G_VALUE_INIT;
  g_value_init(&kind, G_TYPE_BOOLEAN);
  g_value_set_boolean(&kind, gst_ip_host_is_data_pad(pad));
  const auto same = [](gconstpointer item, gconstpointer data) -> gint {
    auto* other = static_cast<GstPad*>(g_value_get_object(static_cast<const GValue*>(item)));
    const bool other_data = gst_ip_host_is_data_pad(other);
    return other_data == (g_value_get_boolean(static_cast<const GValue*>(data)) != FALSE) ? 1 : 0;
  };
  GstIterator* others = gst_iterator_filter(all, same, &kind);
  g_value_unset(&kind);
  return others;
}

namespace {

// Of one direction.
constexpr guint kMostPads = 1024;

// ---- activation -------------------------------------------------------------------------------

gboolean gst_ip_host_activate_sender(GstPad* pad, GstObject*, GstPadMode mode, gboolean active) {
  if (mode != GST_PAD_MODE_PUSH) return FALSE;
  UdpSender& sender = *gst_ip_host_sender(pad);
  active ? sender.resume() : sender.interrupt();
  return TRUE;
}

/** A pad that is linked and active receives. */
gboolean gst_ip_host_open_receiver(GstPad* pad) {
  // A pad that is requested while the element runs is activated before it has a parent.
  auto* state = static_cast<GstIpHostState*>(gst_pad_get_element_private(pad));
  if (state == nullptr) return FALSE;
  const std::shared_ptr<UdpReceiver> receiver = gst_ip_host_receiver(pad);
  receiver->restart_timeout(ipplugin::monotonic_time());
  return state->host->add(receiver);
}

void gst_ip_host_close_receiver(GstPad* pad) {
  auto* state = static_cast<GstIpHostState*>(gst_pad_get_element_private(pad));
  if (state != nullptr) state->host->remove(*gst_ip_host_receiver(pad));
}

gboolean gst_ip_host_activate_receiver(GstPad* pad, GstObject*, GstPadMode mode, gboolean active) {
  if (mode != GST_PAD_MODE_PUSH) return FALSE;
  if (!active) {
    gst_ip_host_close_receiver(pad);
    return TRUE;
  }
  auto* state = static_cast<GstIpHostState*>(gst_pad_get_element_private(pad));
  if (state == nullptr) return FALSE;
  const std::shared_ptr<UdpReceiver> receiver = gst_ip_host_receiver(pad);
  receiver->prepare(state->stream_prefix + receiver->name());
  return !gst_pad_is_linked(pad) || gst_ip_host_open_receiver(pad);
}

void gst_ip_host_receiver_linked(GstPad* pad, GstPad*, gpointer) {
  if (gst_pad_is_active(pad)) gst_ip_host_open_receiver(pad);
}

void gst_ip_host_receiver_unlinked(GstPad* pad, GstPad*, gpointer) {
  gst_ip_host_close_receiver(pad);
}

// ---- requests ---------------------------------------------------------------------------------

bool taken(GstElement* element, const std::string& name) {
  const PadPointer pad(gst_element_get_static_pad(element, name.c_str()), gst_object_unref);
  return pad != nullptr;
}

/** The name that was asked for, or that with the lowest free number; empty if it cannot be. */
std::string choose_name(GstElement* element, GstPadDirection direction, const char* asked) {
  const std::string prefix = direction == GST_PAD_SINK ? "udp_sink_" : "udp_src_";
  if (asked != nullptr && g_str_has_prefix(asked, prefix.c_str()) != FALSE &&
      std::strchr(asked, '%') == nullptr) {
    guint64 number = 0;
    const bool valid = g_ascii_string_to_unsigned(asked + prefix.size(), 10, 0, G_MAXUINT, &number,
                                                  nullptr) != FALSE;
    return valid && !taken(element, asked) ? asked : "";
  }
  for (guint number = 0; number < kMostPads; ++number) {
    std::string name = prefix + std::to_string(number);
    if (!taken(element, name)) return name;
  }
  return "";
}

void set_functions(GstPad* pad) {
  gst_pad_set_iterate_internal_links_function(pad, gst_ip_host_internal_links);
  if (GST_PAD_IS_SRC(pad)) {
    gst_pad_set_activatemode_function(pad, gst_ip_host_activate_receiver);
    g_signal_connect(pad, "linked", G_CALLBACK(gst_ip_host_receiver_linked), nullptr);
    g_signal_connect(pad, "unlinked", G_CALLBACK(gst_ip_host_receiver_unlinked), nullptr);
    return;
  }
  gst_pad_set_activatemode_function(pad, gst_ip_host_activate_sender);
  gst_pad_set_event_function(pad, gst_ip_host_data_event);
  gst_pad_set_chain_function(pad, [](GstPad* sink, GstObject*, GstBuffer* buffer) {
    return gst_ip_host_sender(sink)->send(buffer);
  });
  gst_pad_set_chain_list_function(pad, [](GstPad* sink, GstObject*, GstBufferList* list) {
    return gst_ip_host_sender(sink)->send(list);
  });
}

}  // namespace

GstPad* gst_ip_host_request_new_pad(GstElement* element, GstPadTemplate* templ, const gchar* asked,
                                    const GstCaps*) {
  const std::string name = choose_name(element, GST_PAD_TEMPLATE_DIRECTION(templ), asked);
  if (name.empty()) {
    GST_WARNING_OBJECT(element, "no pad %s: there is one, or it has no number",
                       asked != nullptr ? asked : "more");
    return nullptr;
  }
  GstIpHostState& state = gst_ip_host_state(element);
  const bool sends = GST_PAD_TEMPLATE_DIRECTION(templ) == GST_PAD_SINK;
  GstPad* pad = sends ? gst_ip_host_sink_pad_new(templ, name.c_str(), state.host)
                      : gst_ip_host_src_pad_new(templ, name.c_str(), state.host);
  gst_object_ref_sink(pad);
  gst_pad_set_element_private(pad, &state);
  set_functions(pad);
  if (UdpSender* sender = gst_ip_host_sender(pad)) sender->reset();
  if (state.host->running()) gst_pad_set_active(pad, TRUE);
  const bool added = gst_element_add_pad(element, pad) != FALSE;
  gst_object_unref(pad);
  if (!added) return nullptr;
  gst_child_proxy_child_added(GST_CHILD_PROXY(element), G_OBJECT(pad), name.c_str());
  return pad;
}

void gst_ip_host_release_pad(GstElement* element, GstPad* pad) {
  gchar* name = gst_pad_get_name(pad);
  // A source pad is unlinked first: a thread that pushes while it is deactivated may already have
  // found it active, but not the events any more that must go before the data.
  const PadPointer peer(GST_PAD_IS_SRC(pad) ? gst_pad_get_peer(pad) : nullptr, gst_object_unref);
  if (peer) gst_pad_unlink(pad, peer.get());
  gst_pad_set_active(pad, FALSE);
  gst_pad_set_element_private(pad, nullptr);
  gst_child_proxy_child_removed(GST_CHILD_PROXY(element), G_OBJECT(pad), name);
  g_free(name);
  gst_element_remove_pad(element, pad);
  gst_ip_host_look_for_end(gst_ip_host_cast(element));
}

// ---- child proxy ------------------------------------------------------------------------------

namespace {

guint gst_ip_host_count_children(GstChildProxy* proxy) {
  return static_cast<guint>(gst_ip_host_data_pads(proxy).size());
}

GObject* gst_ip_host_child_by_index(GstChildProxy* proxy, guint index) {
  auto pads = gst_ip_host_data_pads(proxy);
  return index < pads.size() ? G_OBJECT(pads[index].release()) : nullptr;
}

}  // namespace

void gst_ip_host_child_proxy_init(gpointer interface, gpointer) {
  auto* proxy = static_cast<GstChildProxyInterface*>(interface);
  proxy->get_children_count = gst_ip_host_count_children;
  proxy->get_child_by_index = gst_ip_host_child_by_index;
}
