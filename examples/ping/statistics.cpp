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

/** What one direction of a queue carried, and how full its ring is. */
Direction direction_of(const GstStructure* stats) {
  return {number_in(stats, "packets"), number_in(stats, "bytes"),
          std::to_string(number_in(stats, "ring-fill")) + "/" +
              std::to_string(number_in(stats, "ring-size"))};
}

Counters counters_of(const Interface& interface, std::size_t number, gint64 now_us) {
  const Queue& queue = interface.queues[number];
  Counters row;
  row.interface = interface.vdev.name;
  row.queue = std::to_string(number);
  row.link = interface.up ? "up" : "down";
  if (interface.up) {
    row.uptime = std::to_string((now_us - interface.up_since_us) / G_USEC_PER_SEC) + " s";
    row.peer = interface.peer;
  }
  const StructurePtr rx = stats_of(queue.src);
  row.rx = direction_of(rx.get());
  add_drops(rx.get(), row);
  if (queue.responder != nullptr) add_drops(stats_of(queue.responder).get(), row);
  if (queue.sink == nullptr) return row;
  const StructurePtr tx = stats_of(queue.sink);
  row.tx = direction_of(tx.get());
  add_drops(tx.get(), row);
  return row;
}

Counters counters_of(std::uint32_t domain, GstElement* bridge) {
  Counters row;
  row.interface = "domain " + std::to_string(domain);
  const StructurePtr stats = stats_of(bridge);
  row.rx = {number_in(stats.get(), "packets-in"), number_in(stats.get(), "bytes-in")};
  row.tx = {number_in(stats.get(), "packets-out"), number_in(stats.get(), "bytes-out")};
  add_drops(stats.get(), row);
  return row;
}

std::string decimal(const char* format, double value) {
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), format, value);
  return text.data();
}

std::string drops_of(const Counters& row) {
  std::string text;
  for (const auto& [reason, count] : row.drops) {
    text += (text.empty() ? "" : ", ") + reason + " " + std::to_string(count);
  }
  return text.empty() ? "-" : text;
}

using Cells = std::array<std::string, 14>;
constexpr std::array<const char*, 14> kHeads{
    "interface", "queue",   "link",       "up for", "peer",      "rx packets", "rx/s",
    "rx Mbit/s", "rx ring", "tx packets", "tx/s",   "tx Mbit/s", "tx ring",    "drops"};

/** The cells of one direction, from the first on. Bits per microsecond are megabits per second. */
void put_direction(std::string* cells, const Direction& before, const Direction& now,
                   gint64 microseconds) {
  const double time = static_cast<double>(std::max<gint64>(microseconds, 1));
  cells[0] = std::to_string(now.packets);
  cells[1] = decimal("%.0f", 1e6 * static_cast<double>(now.packets - before.packets) / time);
  cells[2] = decimal("%.2f", 8 * static_cast<double>(now.bytes - before.bytes) / time);
  cells[3] = now.ring;
}

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
      const bool left = i == 0 || i == 2 || i == 4 || i + 1 == row.size();
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
      sample.rows.push_back(counters_of(interface, k, sample.time_us));
    }
  }
  for (const auto& [domain, bridge] : network.bridges()) {
    sample.rows.push_back(counters_of(domain, bridge));
  }
  return sample;
}

std::vector<std::string> make_table(const Sample& before, const Sample& now) {
  std::vector<Cells> rows(1);
  std::ranges::copy(kHeads, rows.front().begin());
  const gint64 time = now.time_us - before.time_us;
  for (std::size_t i = 0; i < now.rows.size(); ++i) {
    const Counters& row = now.rows[i];
    Cells& cells =
        rows.emplace_back(Cells{row.interface, row.queue, row.link, row.uptime, row.peer});
    put_direction(&cells[5], before.rows[i].rx, row.rx, time);
    put_direction(&cells[9], before.rows[i].tx, row.tx, time);
    cells.back() = drops_of(row);
  }
  return align(rows);
}

std::string make_total(const Sample& start, const Sample& now) {
  guint64 received = 0, sent = 0, dropped = 0;
  for (const Counters& row : now.rows) {
    for (const auto& [reason, count] : row.drops) dropped += count;
    if (row.queue.empty()) continue;  // a bridge: its packets are those of its interfaces
    received += row.rx.packets;
    sent += row.tx.packets;
  }
  std::array<char, 160> text;
  std::snprintf(text.data(), text.size(),
                "%" G_GUINT64_FORMAT " packets received, %" G_GUINT64_FORMAT
                " sent, %" G_GUINT64_FORMAT " dropped in %.1f s",
                received, sent, dropped, static_cast<double>(now.time_us - start.time_us) / 1e6);
  return text.data();
}
