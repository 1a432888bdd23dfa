// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/memif/sink_caps.hpp"

#include "gst/packet/caps.hpp"
#include "plugins/memif/gdp.hpp"

namespace {

bool are_packets(const GstStructure* fields) {
  return gst_structure_has_name(fields, gstpacket::kMediaType) != FALSE;
}

std::string link_type_in(const GstStructure* fields) {
  const gchar* type = gst_structure_get_string(fields, "link-type");
  return type != nullptr ? type : "(any)";
}

/** The mode of interfaces for packets of a link type. */
std::string mode_of(const std::string& link_type) {
  return link_type == gstpacket::link_type_name(gstpacket::LinkType::punt) ? "punt-inject"
                                                                           : link_type;
}

}  // namespace

bool are_packets(const GstCaps* caps) {
  return !gst_caps_is_any(caps) && !gst_caps_is_empty(caps) &&
         are_packets(gst_caps_get_structure(caps, 0));
}

GstCaps* offered_sink_caps(const GstCaps* packets, GstCaps* filter) {
  if (filter == nullptr || gst_caps_is_any(filter)) return gst_caps_new_any();
  GstCaps* caps =
      gst_caps_intersect_full(filter, const_cast<GstCaps*>(packets), GST_CAPS_INTERSECT_FIRST);
  const guint n = gst_caps_get_size(filter);
  bool others_packets = false;
  for (guint i = 0; i < n && gst_caps_is_empty(caps); ++i) {
    others_packets = others_packets || are_packets(gst_caps_get_structure(filter, i));
  }
  // Packets of another link type are refused with a reason. So nothing else is offered then, for a
  // memifsrc would call them GDP if that were the choice.
  for (guint i = 0; i < n; ++i) {
    if (are_packets(gst_caps_get_structure(filter, i)) != others_packets) continue;
    GstCaps* other = gst_caps_copy_nth(filter, i);
    gst_caps_append(caps, other);
  }
  return caps;
}

SinkContent content_of(const GstCaps* caps, const GstCaps* packets, bool any) {
  const GstStructure* fields = gst_caps_get_structure(caps, 0);
  if (are_packets(fields)) {
    return gst_caps_is_subset(caps, packets) ? SinkContent::packets : SinkContent::refused;
  }
  if (gst_structure_has_name(fields, kGdpMediaType)) return SinkContent::gdp;
  return any ? SinkContent::opaque : SinkContent::refused;
}

std::string explain_refusal(const GstCaps* caps, const GstCaps* packets) {
  const GstStructure* fields = gst_caps_get_structure(caps, 0);
  if (are_packets(fields)) {
    const std::string ours = link_type_in(gst_caps_get_structure(packets, 0));
    const std::string theirs = link_type_in(fields);
    return "memifsink sends packets with link-type=" + ours + ", but receives link-type=" + theirs +
           ". Set mode=" + mode_of(theirs) +
           " on memifsink and on its peer, or give it "
           "packets with link-type=" +
           ours + ".";
  }
  return std::string("memifsink sends packets (") + gstpacket::kMediaType + "), not " +
         gst_structure_get_name(fields) +
         ". For RTP and whatever else travels over UDP use memifudpsink, or put iphost before "
         "memifsink: they add the headers. For a memifsrc that takes the buffers as they are, set "
         "any-caps=true, or use gdppay and gdpdepay.";
}
