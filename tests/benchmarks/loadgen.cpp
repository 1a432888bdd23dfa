// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The load generator, and with --mode=respond the bare loop that answers it. Uses the
 * engine for the handshake only. Prints one line of JSON.
 */
#include <glib.h>
#include <sched.h>
#include <sys/socket.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "generator.hpp"
#include "responder.hpp"

namespace {

using namespace bench;

int fail(const std::string& what) {
  std::fprintf(stderr, "loadgen: %s\n", what.c_str());
  std::printf("{\"error\": \"%s\"}\n", what.c_str());
  return 1;
}

struct Options {
  gchar* socket_path = nullptr;
  gchar* role = nullptr;
  gchar* mode = nullptr;
  gchar* size = nullptr;
  double seconds = 1, warmup = 1, rate = 0;
  double gap_us = 0;
  int interfaces = 1, queues = 1, ring_size = 1024, buffer_size = 0, burst = 64, window = 0;
  int timeout_ms = 10000, cpu = -1;
  gboolean latency = FALSE, edit = FALSE, forward = FALSE;
};

/** Nanoseconds of CPU time that all threads of a process took so far; 0 if it has gone. */
std::uint64_t cpu_time(int pid) {
  std::uint64_t sum = 0;
  std::error_code error;
  const std::string tasks = "/proc/" + std::to_string(pid) + "/task";
  for (const auto& task : std::filesystem::directory_iterator(tasks, error)) {
    std::ifstream file(task.path() / "schedstat");
    std::uint64_t running = 0;
    if (file >> running) sum += running;
  }
  return sum;
}

/** The process at the other end of a control channel. */
int process_of(const gstmemif::Channel& channel) {
  ucred peer{};
  socklen_t length = sizeof peer;
  return ::getsockopt(channel.fd(), SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 ? peer.pid : 0;
}

bool pin(int cpu) {
  if (cpu < 0) return true;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(cpu), &set);
  return ::sched_setaffinity(0, sizeof set, &set) == 0;
}

std::vector<Lane> make_lanes(std::vector<Peer>& peers, bool forward, const Frames& frames) {
  std::vector<Lane> lanes;
  const std::size_t step = forward ? 2 : 1;
  for (std::size_t i = 0; i + step <= peers.size(); i += step) {
    Peer& out = peers[i];
    Peer& in = peers[i + step - 1];
    const std::size_t queues = std::min(out.plan.s2m.size(), out.plan.m2s.size());
    for (std::size_t q = 0; q < queues; ++q) {
      lanes.emplace_back(Sending(out, q), Receiving(in, q), frames);
    }
  }
  return lanes;
}

/** What one run measured. */
struct Outcome {
  Totals totals;
  double seconds = 0;
  std::uint64_t peer_cpu = 0;
  std::vector<std::uint32_t> round_trips;
  bool refreshes = false;
  bool peer_lost = false;
};

Outcome collect(const std::vector<Lane>& lanes) {
  Outcome outcome;
  for (const Lane& lane : lanes) {
    const Totals& t = lane.totals();
    outcome.totals.sent += t.sent;
    outcome.totals.received += t.received;
    outcome.totals.lost += t.lost;
    outcome.totals.wrong += t.wrong;
    outcome.totals.checked += t.checked;
    outcome.refreshes |= lane.refreshes();
    outcome.round_trips.insert(outcome.round_trips.end(), lane.round_trips().begin(),
                               lane.round_trips().end());
  }
  return outcome;
}

void print_percentiles(std::vector<std::uint32_t>& values) {
  if (values.empty()) return;
  std::ranges::sort(values);
  const auto at = [&](double part) {
    return values[static_cast<std::size_t>(part * static_cast<double>(values.size() - 1))];
  };
  std::printf(
      ", \"samples\": %zu, \"min_ns\": %u, \"p50_ns\": %u, \"p99_ns\": %u, "
      "\"p999_ns\": %u, \"max_ns\": %u",
      values.size(), values.front(), at(0.5), at(0.99), at(0.999), values.back());
}

void print(const Options& o, Outcome& outcome, const Frames& frames, std::int64_t linked_at,
           std::int64_t first_at) {
  const Totals& t = outcome.totals;
  const double received = static_cast<double>(t.received);
  std::printf(
      "{\"mode\": \"%s\", \"role\": \"%s\", \"size\": \"%s\", \"mean_size\": %.1f, "
      "\"seconds\": %.4f, \"sent\": %" G_GUINT64_FORMAT ", \"received\": %" G_GUINT64_FORMAT
      ", \"lost\": %" G_GUINT64_FORMAT ", \"wrong\": %" G_GUINT64_FORMAT
      ", \"checked\": %" G_GUINT64_FORMAT
      ", \"tx_pps\": %.0f, \"rx_pps\": %.0f, "
      "\"refreshes\": %s, \"linked_at_ns\": %" G_GINT64_FORMAT
      ", \"first_at_ns\": %" G_GINT64_FORMAT,
      o.mode, o.role, o.size, frames.mean(), outcome.seconds, t.sent, t.received, t.lost, t.wrong,
      t.checked, static_cast<double>(t.sent) / outcome.seconds, received / outcome.seconds,
      outcome.refreshes ? "true" : "false", linked_at, first_at);
  if (t.received > 0) {
    const auto cpu = static_cast<double>(outcome.peer_cpu);
    std::printf(", \"cpu_ns_per_packet\": %.2f, \"cpu_share\": %.4f", cpu / received,
                cpu / 1e9 / outcome.seconds);
  }
  print_percentiles(outcome.round_trips);
  if (outcome.peer_lost) std::printf(", \"error\": \"the peer closed the link\"");
  std::printf("}\n");
}

int generate(const Options& o, std::vector<Peer>& peers, std::int64_t linked_at,
             const Frames& frames) {
  const bool forward = std::string_view(o.mode) == "forward";
  std::vector<Lane> lanes = make_lanes(peers, forward, frames);
  if (lanes.empty()) return fail("no lanes: a forwarder needs two interfaces");
  for (Lane& lane : lanes) {
    if (!lane.first_lap(o.timeout_ms * std::int64_t{1'000'000})) return fail("nothing came back");
  }
  const std::int64_t first_at = now_ns();

  Load load;
  load.rate = o.rate;
  load.window = static_cast<std::uint32_t>(o.window);
  load.burst = static_cast<std::uint32_t>(o.burst);
  load.gap_ns = static_cast<std::int64_t>(o.gap_us * 1000);
  load.stamps = o.latency != FALSE;
  const gstmemif::Channel& channel = peers.front().channel;
  bool alive = run_load(lanes, load, static_cast<std::int64_t>(o.warmup * 1e9), channel);
  for (Lane& lane : lanes) lane.reset();
  const int pid = process_of(channel);
  const std::uint64_t cpu = cpu_time(pid);
  const std::int64_t start = now_ns();
  alive = alive && run_load(lanes, load, static_cast<std::int64_t>(o.seconds * 1e9), channel);
  const double seconds = static_cast<double>(now_ns() - start) / 1e9;
  const std::uint64_t cpu_end = cpu_time(pid);
  Outcome measured = collect(lanes);
  drain(lanes);
  measured.totals.lost = collect(lanes).totals.lost;
  measured.seconds = seconds;
  measured.peer_cpu = cpu_end - cpu;
  measured.peer_lost = !alive;
  print(o, measured, frames, linked_at, first_at);
  return alive ? 0 : 1;
}

int start(const Options& o) {
  const std::string_view mode = o.mode;
  const bool respond_mode = mode == "respond";
  if (mode != "echo" && mode != "reflect" && mode != "forward" && !respond_mode) {
    return fail("--mode: choose echo, reflect, forward or respond");
  }
  const std::string_view role = o.role;
  const int size = std::string_view(o.size) == "imix" ? 0 : std::atoi(o.size);
  if (size != 0 && (size < 60 || size > 65000)) return fail("--size: choose 60 to 65000 or imix");
  if (o.burst < 1 || o.interfaces < 1 || o.queues < 1) return fail("counts must be 1 or more");
  if (!pin(o.cpu)) return fail("cannot pin to that CPU");
  const Frames frames(mode == "echo" ? Task::echo : Task::forward, static_cast<std::size_t>(size));

  PeerSettings settings;
  const auto address = gstmemif::SocketAddress::parse(o.socket_path);
  if (!address) return fail(address.error().text());
  settings.address = *address;
  settings.role = role == "master" ? gstmemif::Role::master : gstmemif::Role::slave;
  settings.interfaces = static_cast<std::uint32_t>(o.interfaces);
  settings.queues = static_cast<std::uint32_t>(o.queues);
  settings.ring_size = static_cast<std::uint32_t>(o.ring_size);
  settings.buffer_size = static_cast<std::uint32_t>(
      o.buffer_size > 0 ? static_cast<std::size_t>(o.buffer_size)
                        : std::max<std::size_t>(2048, (frames.longest() + 255) / 256 * 256));
  auto peers = connect_peers(settings, std::chrono::milliseconds(o.timeout_ms));
  if (!peers) return fail(peers.error().text());
  const std::int64_t linked_at = now_ns();
  if (!respond_mode) return generate(o, *peers, linked_at, frames);
  RespondOptions options;
  options.edit = o.edit != FALSE;
  options.burst = static_cast<std::uint32_t>(o.burst);
  options.seconds = o.seconds;
  respond(*peers, o.forward != FALSE, options);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  const GOptionEntry entries[] = {
      {"socket-path", 's', 0, G_OPTION_ARG_STRING, &o.socket_path, "UNIX socket, or @name", "PATH"},
      {"role", 'r', 0, G_OPTION_ARG_STRING, &o.role, "slave (default) or master", "ROLE"},
      {"mode", 'm', 0, G_OPTION_ARG_STRING, &o.mode, "echo (default), reflect, forward or respond",
       "MODE"},
      {"size", 0, 0, G_OPTION_ARG_STRING, &o.size, "Bytes of a frame (64), or imix", "BYTES"},
      {"seconds", 0, 0, G_OPTION_ARG_DOUBLE, &o.seconds, "Time to measure (1)", "S"},
      {"warmup", 0, 0, G_OPTION_ARG_DOUBLE, &o.warmup, "Time before, thrown away (1)", "S"},
      {"rate", 0, 0, G_OPTION_ARG_DOUBLE, &o.rate, "Packets per second (0: all it can)", "PPS"},
      {"window", 0, 0, G_OPTION_ARG_INT, &o.window, "Packets under way (0: ring size)", "N"},
      {"burst", 0, 0, G_OPTION_ARG_INT, &o.burst, "Packets per index store (64)", "N"},
      {"gap", 0, 0, G_OPTION_ARG_DOUBLE, &o.gap_us, "Microseconds before the next packet", "US"},
      {"latency", 0, 0, G_OPTION_ARG_NONE, &o.latency, "Measure round trips", nullptr},
      {"interfaces", 0, 0, G_OPTION_ARG_INT, &o.interfaces, "Ids from 0 on (1)", "N"},
      {"queues", 0, 0, G_OPTION_ARG_INT, &o.queues, "Of each interface, both ways (1)", "N"},
      {"ring-size", 0, 0, G_OPTION_ARG_INT, &o.ring_size, "Slots, as slave (1024)", "N"},
      {"buffer-size", 0, 0, G_OPTION_ARG_INT, &o.buffer_size, "As slave (fits size)", "BYTES"},
      {"cpu", 0, 0, G_OPTION_ARG_INT, &o.cpu, "CPU to run on", "N"},
      {"timeout", 0, 0, G_OPTION_ARG_INT, &o.timeout_ms, "For the link to come up (10000)", "MS"},
      {"edit", 0, 0, G_OPTION_ARG_NONE, &o.edit, "respond: make echo replies", nullptr},
      {"forward", 0, 0, G_OPTION_ARG_NONE, &o.forward, "respond: from one id to the next", nullptr},
      {nullptr, 0, 0, G_OPTION_ARG_NONE, nullptr, nullptr, nullptr}};
  GOptionContext* context = g_option_context_new("- offers load to a memif peer");
  g_option_context_add_main_entries(context, entries, nullptr);
  GError* error = nullptr;
  if (!g_option_context_parse(context, &argc, &argv, &error)) {
    const int status = fail(error->message);
    g_clear_error(&error);
    g_option_context_free(context);
    return status;
  }
  g_option_context_free(context);
  if (o.socket_path == nullptr) return fail("--socket-path is missing");
  if (o.role == nullptr) o.role = g_strdup("slave");
  if (o.mode == nullptr) o.mode = g_strdup("echo");
  if (o.size == nullptr) o.size = g_strdup("64");
  const int status = start(o);
  for (gchar* text : {o.socket_path, o.role, o.mode, o.size}) g_free(text);
  return status;
}
