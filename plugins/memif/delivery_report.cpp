// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/memif/delivery_report.hpp"

#include <string>

#include "plugins/common/inform.hpp"

using gstmemif::DropReason;
using gstmemif::QueueStats;

namespace {

/** The reason why packets were lost, with a remedy. */
const char* explain(DropReason reason) {
  switch (reason) {
    case DropReason::ring_full:
      return "while the ring was full (when-full=block waits for room)";
    case DropReason::link_down:
      return "while no peer was connected (when-down=block waits for one)";
    case DropReason::undelivered:
      return "left in the ring, where the peer may still find them";
    case DropReason::flushed:
      return "discarded by a flush";
    case DropReason::too_long:
      return "too long for the ring (a larger buffer-size or ring-size holds more)";
    case DropReason::empty:
      return "of 0 bytes";
    case DropReason::no_memory:
      return "for lack of memory";
    case DropReason::bad_descriptor:
    case DropReason::bad_chain:
    case DropReason::count:
      break;
  }
  return "with invalid descriptors";
}

/** Includes the figures: gst-launch-1.0 shows only this text of an INFO message. */
gchar* debug_text(const std::string& text) {
  return g_strdup((text + " All are counted in stats.").c_str());
}

}  // namespace

DeliveryReport::DeliveryReport(const QueueStats& start) noexcept : packets_(start.packets.get()) {
  for (std::size_t i = 0; i < drops_.size(); ++i) drops_[i] = start.drops[i].get();
}

void DeliveryReport::post(GstElement* element, const QueueStats& now) const {
  std::uint64_t lost = 0;
  std::uint64_t packets = now.packets.get() - packets_;
  std::string reasons;
  GstStructure* details = gst_structure_new_empty("memif-delivery");
  for (std::size_t i = 0; i < drops_.size(); ++i) {
    const auto reason = static_cast<DropReason>(i);
    const guint64 drops = now.drops[i].get() - drops_[i];
    gst_structure_set(details, ("drop-" + std::string(gstmemif::kDropReasonNames[i])).c_str(),
                      G_TYPE_UINT64, drops, nullptr);
    lost += drops;
    // Those were counted as sent before.
    if (reason != DropReason::undelivered) packets += drops;
    if (drops == 0) continue;
    reasons += (reasons.empty() ? "" : ", ") + std::to_string(drops) + " " + explain(reason);
  }
  if (lost == 0) {
    gst_structure_free(details);
    return;
  }
  gst_structure_set(details, "packets", G_TYPE_UINT64, guint64{packets}, "lost", G_TYPE_UINT64,
                    guint64{lost}, nullptr);
  const bool all = lost >= packets;
  const std::string text = (all ? "None of " : std::to_string(lost) + " of ") +
                           counted(packets, "packet") + " " +
                           (all         ? "was delivered: "
                            : lost == 1 ? "was not delivered: "
                                        : "were not delivered: ") +
                           reasons + ".";
  gst_element_message_full_with_details(element, all ? GST_MESSAGE_WARNING : GST_MESSAGE_INFO,
                                        GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_WRITE,
                                        g_strdup(text.c_str()), debug_text(text), __FILE__,
                                        GST_FUNCTION, __LINE__, details);
}
