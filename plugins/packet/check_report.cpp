// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/packet/check_report.hpp"

#include "plugins/common/inform.hpp"

namespace packetplugin {
namespace {

/** Per second, of what came after the first packets. */
double rate(std::uint64_t all, std::uint64_t first, const Account& account) {
  if (account.last_time <= account.first_time) return 0;
  return static_cast<double>(all - first) * 1e9 /
         static_cast<double>(account.last_time - account.first_time);
}

}  // namespace

GstStructure* figures(const char* name, const Account& a, const Histogram& latency) {
  return gst_structure_new(
      name, "packets", G_TYPE_UINT64, guint64{a.packets}, "bytes", G_TYPE_UINT64, guint64{a.bytes},
      "lost", G_TYPE_UINT64, guint64{a.lost()}, "duplicate", G_TYPE_UINT64, guint64{a.duplicate},
      "reordered", G_TYPE_UINT64, guint64{a.reordered}, "damaged", G_TYPE_UINT64,
      guint64{a.damaged}, "foreign", G_TYPE_UINT64, guint64{a.foreign}, "flows", G_TYPE_UINT64,
      guint64{a.flows}, "rate-pps", G_TYPE_DOUBLE, rate(a.packets, a.first_packets, a), "rate-bps",
      G_TYPE_DOUBLE, 8 * rate(a.bytes, a.first_bytes, a), "latency-min", G_TYPE_UINT64,
      guint64{latency.min()}, "latency-p50", G_TYPE_UINT64, guint64{latency.percentile(50)},
      "latency-p99", G_TYPE_UINT64, guint64{latency.percentile(99)}, "latency-p999", G_TYPE_UINT64,
      guint64{latency.percentile(99.9)}, "latency-max", G_TYPE_UINT64, guint64{latency.max()},
      nullptr);
}

std::string sentence(const Account& a, std::uint64_t count) {
  std::string text = count != 0 ? std::to_string(a.packets) + " of " + counted(count, "packet")
                                : counted(a.packets, "packet");
  return text + " arrived intact: " + std::to_string(a.lost()) + " lost, " +
         std::to_string(a.duplicate) + " duplicate, " + std::to_string(a.reordered) +
         " reordered, " + std::to_string(a.damaged) + " damaged, " + std::to_string(a.foreign) +
         " foreign";
}

}  // namespace packetplugin
