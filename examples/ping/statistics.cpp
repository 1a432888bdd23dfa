// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "statistics.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>

namespace {

constexpr std::string_view kDrop = "drop-";

guint64 number_in(const GstStructure* stats, const char* field) {
  guint64 number = 0;
  gst_structure_get_uint64(stats, field, &number);
  return number;
}

/** Adds the fields drop-<reason> that are not 0. */
void add_drops(const GstStructure* stats, Counters& counters) {
  for (int i = 0; i < gst_structure_n_fields(stats); ++i) {
    const std::string_view field = gst_structure_nth_field_name(stats, static_cast<guint>(i));
    if (!field.starts_with(kDrop)) continue;
    const guint64 count = number_in(stats, field.data());
    if (count != 0) counters.drops[std::string(field.substr(kDrop.size()))] += count;
  }
}

Counters counters_of(const Interface& interface, std::size_t number) {
  const Queue& queue = interface.queues[number];
  Counters row;
  row.interface = interface.vdev.name;
  row.queue = std::to_string(number);
  row.link = interface.up ? "up" : "down";
  const StructurePtr rx = stats_of(queue.src);
  row.rx_packets = number_in(rx.get(), "packets");
  row.rx_bytes = number_in(rx.get(), "bytes");
  add_drops(rx.get(), row);
  if (queue.responder != nullptr) add_drops(stats_of(queue.responder).get(), row);
  if (queue.sink == nullptr) return row;
  const StructurePtr tx = stats_of(queue.sink);
  row.tx_packets = number_in(tx.get(), "packets");
  row.tx_bytes = number_in(tx.get(), "bytes");
  add_drops(tx.get(), row);
  return row;
}

Counters counters_of(std::uint32_t domain, GstElement* bridge) {
  Counters row;
  row.interface = "domain " + std::to_string(domain);
  const StructurePtr stats = stats_of(bridge);
  row.rx_packets = number_in(stats.get(), "packets-in");
  row.rx_bytes = number_in(stats.get(), "bytes-in");
  row.tx_packets = number_in(stats.get(), "packets-out");
  row.tx_bytes = number_in(stats.get(), "bytes-out");
  add_drops(stats.get(), row);
  return row;
}

/** Bits per microsecond are megabits per second. */
std::string rate(guint64 bytes_before, guint64 bytes_now, gint64 microseconds) {
  if (microseconds <= 0) return "0.00";
  const double bits = 8.0 * static_cast<double>(bytes_now - bytes_before);
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), "%.2f", bits / static_cast<double>(microseconds));
  return text.data();
}

std::string drops_of(const Counters& row) {
  std::string text;
  for (const auto& [reason, count] : row.drops) {
    text += (text.empty() ? "" : ", ") + reason + " " + std::to_string(count);
  }
  return text.empty() ? "-" : text;
}

using Cells = std::array<std::string, 8>;

/** Columns as wide as their widest cell; numbers to the right, the last column as it comes. */
std::vector<std::string> align(const std::vector<Cells>& rows) {
  std::array<std::size_t, std::tuple_size_v<Cells>> widths{};
  for (const Cells& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::vector<std::string> lines;
  for (const Cells& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string gap(i + 1 == row.size() ? 0 : widths[i] - row[i].size(), ' ');
      const bool left = i == 0 || i == 2 || i + 1 == row.size();
      line += (i == 0 ? "" : "  ") + (left ? row[i] + gap : gap + row[i]);
    }
    lines.push_back(line);
  }
  return lines;
}

}  // namespace

Sample take_sample(const Network& network) {
  Sample sample;
  sample.time_us = g_get_monotonic_time();
  for (const Interface& interface : network.interfaces()) {
    for (std::size_t k = 0; k < interface.queues.size(); ++k) {
      sample.rows.push_back(counters_of(interface, k));
    }
  }
  for (const auto& [domain, bridge] : network.bridges()) {
    sample.rows.push_back(counters_of(domain, bridge));
  }
  return sample;
}

std::vector<std::string> make_table(const Sample& before, const Sample& now) {
  std::vector<Cells> rows = {{"interface", "queue", "link", "rx packets", "rx Mbit/s", "tx packets",
                              "tx Mbit/s", "drops"}};
  const gint64 time = now.time_us - before.time_us;
  for (std::size_t i = 0; i < now.rows.size(); ++i) {
    const Counters& row = now.rows[i];
    const Counters& old = before.rows[i];
    rows.push_back({row.interface, row.queue, row.link, std::to_string(row.rx_packets),
                    rate(old.rx_bytes, row.rx_bytes, time), std::to_string(row.tx_packets),
                    rate(old.tx_bytes, row.tx_bytes, time), drops_of(row)});
  }
  return align(rows);
}

std::string make_total(const Sample& start, const Sample& now) {
  guint64 received = 0, sent = 0, dropped = 0;
  for (const Counters& row : now.rows) {
    for (const auto& [reason, count] : row.drops) dropped += count;
    if (row.queue.empty()) continue;  // a bridge: its packets are those of its interfaces
    received += row.rx_packets;
    sent += row.tx_packets;
  }
  std::array<char, 160> text;
  std::snprintf(text.data(), text.size(),
                "%" G_GUINT64_FORMAT " packets received, %" G_GUINT64_FORMAT
                " sent, %" G_GUINT64_FORMAT " dropped in %.1f s",
                received, sent, dropped, static_cast<double>(now.time_us - start.time_us) / 1e6);
  return text.data();
}
