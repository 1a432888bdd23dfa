// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/ip/gstiphoststate.hpp"

#include "plugins/ip/gstiphostpads.hpp"

GstIpHostState::GstIpHostState(GstElement* element, GstPad* source)
    : host(std::make_shared<ipplugin::IpHost>(element, source)), receiver(*host) {
  gchar* uuid = g_uuid_string_random();
  stream_prefix = std::string("iphost/") + uuid + "/";
  g_free(uuid);
}

bool gst_ip_host_is_data_pad(GstPad* pad) {
  const GType type = G_OBJECT_TYPE(pad);
  return type == gst_ip_host_udp_sink_pad_get_type() || type == gst_ip_host_udp_src_pad_get_type();
}

std::vector<PadPointer> gst_ip_host_data_pads(gpointer element) {
  std::vector<PadPointer> pads;
  GST_OBJECT_LOCK(element);
  for (GList* item = GST_ELEMENT_PADS(element); item != nullptr; item = item->next) {
    auto* pad = static_cast<GstPad*>(item->data);
    if (gst_ip_host_is_data_pad(pad)) {
      pads.emplace_back(static_cast<GstPad*>(gst_object_ref(pad)), gst_object_unref);
    }
  }
  GST_OBJECT_UNLOCK(element);
  return pads;
}
