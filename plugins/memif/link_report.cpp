// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/memif/link_report.hpp"

#include <string_view>

#include "plugins/common/inform.hpp"

using gstmemif::LinkInfo;
using gstmemif::Role;

namespace {

// Region 0 has the rings; a loan has the buffers of one other region.
constexpr std::size_t kRegionsThatLend = 2;

/** Which packets are not copied, or why they are. */
const char* copies(const LinkInfo& link) {
  if (link.role == Role::slave) {
    return link.regions == kRegionsThatLend ? "zero-copy"
                                            : "copying, since the buffers need several regions";
  }
  return link.unsealed ? "copying, since the peer can take its memory away"
                       : "zero-copy to us, copying from us";
}

}  // namespace

std::string link_sentence(const LinkInfo& link) {
  std::string text = "Link up as " + std::string(to_string(link.role)) + " with " + link.peer_name +
                     ": " + counted(link.rx_queues, "queue");
  text += link.rx_queues == link.tx_queues
              ? " each way"
              : " to us and " + counted(link.tx_queues, "queue") + " from us";
  text += ", ring " + std::to_string(link.ring_size);
  if (link.buffer_size != 0) text += ", buffers " + std::to_string(link.buffer_size);
  return text + ", " + copies(link) + ".";
}

void add_link_fields(GstStructure* out, const LinkInfo& link) {
  gst_structure_set(out, "peer-app-name", G_TYPE_STRING, link.peer_app.c_str(), "role",
                    G_TYPE_STRING, std::string(to_string(link.role)).c_str(), "ring-size",
                    G_TYPE_UINT, guint{link.ring_size}, "buffer-size", G_TYPE_UINT,
                    guint{link.buffer_size}, "rx-queues", G_TYPE_UINT,
                    static_cast<guint>(link.rx_queues), "tx-queues", G_TYPE_UINT,
                    static_cast<guint>(link.tx_queues), "regions", G_TYPE_UINT,
                    static_cast<guint>(link.regions), "memory", G_TYPE_UINT64, guint64{link.memory},
                    "copies", G_TYPE_STRING, copies(link), nullptr);
}

GstStructure* no_link_structure() {
  return gst_structure_new_empty("memif-link-info");
}

GstStructure* link_structure(const LinkInfo& link) {
  GstStructure* out = no_link_structure();
  gst_structure_set(out, "peer-name", G_TYPE_STRING, link.peer_name.c_str(), nullptr);
  add_link_fields(out, link);
  return out;
}
