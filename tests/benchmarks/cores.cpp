// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * What queues on cores of their own add up to: cores ROLE QUEUES BATCH SECONDS WARMUP
 *
 * One interface answers echo requests, each queue on its own CPU. The thread of a queue also plays
 * the peer, from a probe: it takes the replies to one batch and sends the next one, from packets
 * that were made before. So it needs no core for a generator, and nothing has to go from one core
 * to another but what the threads of an interface share. Prints a line of JSON.
 */
#include <gst/gst.h>
#include <sched.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "generator.hpp"

namespace {

using namespace bench;
using gstmemif::Role;

struct Options {
  Role role;  // of the elements
  std::uint32_t queues;
  std::uint32_t batch;
  double seconds;
  double warmup;
};

/** The peer's end of one queue. */
struct alignas(64) Feed {
  Feed(const Peer& peer, std::size_t queue, const Frames& frames, std::uint32_t batch)
      : lane(Sending(peer, queue), Receiving(peer, queue), frames) {
    load.burst = batch;
    load.window = 2 * batch;
  }
  void go_on() {
    lane.step(load, ~std::uint64_t{0}, now_ns());
    answered.store(lane.totals().received, std::memory_order_relaxed);
  }

  Lane lane;
  Load load;
  std::atomic<std::uint64_t> answered{0};
  std::atomic<pid_t> thread{0};
};

GstPadProbeReturn on_batch(GstPad*, GstPadProbeInfo*, gpointer data) {
  Feed& feed = *static_cast<Feed*>(data);
  if (feed.thread.load(std::memory_order_relaxed) == 0) feed.thread = ::gettid();
  feed.go_on();
  return GST_PAD_PROBE_OK;
}

std::string description(const Options& o, const std::string& socket) {
  std::string text;
  const std::string common =
      " socket-path=" + socket + " role=" + (o.role == Role::slave ? "slave" : "master") +
      " rx-queues=" + std::to_string(o.queues) + " tx-queues=" + std::to_string(o.queues);
  for (std::uint32_t q = 0; q < o.queues; ++q) {
    const std::string number = std::to_string(q);
    text += "memifsrc name=src" + number + " rx-mode=polling cpu-affinity=" + number +
            " queue=" + number + " batch-size=" + std::to_string(o.batch) + common +
            " ! icmpresponder ! memifsink queue=" + number + common + " ";
  }
  return text;
}

/** Nanoseconds of CPU time that a thread of this process took so far. */
std::uint64_t cpu_time(pid_t thread) {
  std::ifstream file("/proc/self/task/" + std::to_string(thread) + "/schedstat");
  std::uint64_t running = 0;
  file >> running;
  return running;
}

struct Sample {
  std::int64_t at;
  std::vector<std::uint64_t> answered;
  std::vector<std::uint64_t> cpu;
};

Sample sample(const std::vector<std::unique_ptr<Feed>>& feeds) {
  Sample s{now_ns(), {}, {}};
  for (const auto& feed : feeds) {
    s.answered.push_back(feed->answered.load(std::memory_order_relaxed));
    s.cpu.push_back(cpu_time(feed->thread));
  }
  return s;
}

int fail(const std::string& what) {
  std::printf("{\"error\": \"%s\"}\n", what.c_str());
  return 1;
}

int report(const Options& o, const Sample& start, const Sample& end, std::uint64_t wrong) {
  const auto wall = static_cast<double>(end.at - start.at);
  std::uint64_t packets = 0;
  std::uint64_t cpu = 0;
  double least_share = 1;
  for (std::size_t q = 0; q < o.queues; ++q) {
    const std::uint64_t answered = end.answered[q] - start.answered[q];
    if (answered == 0) return fail("a queue stood still");
    packets += answered;
    cpu += end.cpu[q] - start.cpu[q];
    least_share = std::min(least_share, static_cast<double>(end.cpu[q] - start.cpu[q]) / wall);
  }
  const auto count = static_cast<double>(packets);
  std::printf(
      "{\"queues\": %u, \"batch\": %u, \"rx_pps\": %.0f, \"cpu_ns_per_packet\": %.2f, "
      "\"cpu_share\": %.4f, \"wrong\": %" G_GUINT64_FORMAT "}\n",
      o.queues, o.batch, count / wall * 1e9, static_cast<double>(cpu) / count, least_share, wrong);
  return wrong == 0 ? 0 : 1;
}

void pause_for(double seconds) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

int measure(const Options& o, GstElement* pipeline, std::vector<Peer>& peers,
            const Frames& frames) {
  std::vector<std::unique_ptr<Feed>> feeds;
  for (std::uint32_t q = 0; q < o.queues; ++q) {
    feeds.push_back(std::make_unique<Feed>(peers.front(), q, frames, o.batch));
    const std::string name = "src" + std::to_string(q);
    GstElement* source = gst_bin_get_by_name(GST_BIN(pipeline), name.c_str());
    GstPad* pad = gst_element_get_static_pad(source, "src");
    gst_pad_add_probe(
        pad,
        static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST),
        on_batch, feeds.back().get(), nullptr);
    gst_object_unref(pad);
    gst_object_unref(source);
  }
  for (const auto& feed : feeds) feed->go_on();  // from then on its thread does
  pause_for(o.warmup);
  const Sample start = sample(feeds);
  pause_for(o.seconds);
  const Sample end = sample(feeds);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  std::uint64_t wrong = 0;
  for (const auto& feed : feeds) wrong += feed->lane.totals().wrong;
  return report(o, start, end, wrong);
}

int run(const Options& o) {
  const std::string socket = "@bench-cores-" + std::to_string(::getpid());
  const Frames frames(Task::echo, 64);
  PeerSettings settings;
  settings.address = *gstmemif::SocketAddress::parse(socket);
  settings.role = o.role == Role::slave ? Role::master : Role::slave;
  settings.interfaces = 1;
  settings.queues = o.queues;
  settings.ring_size = 1024;
  settings.buffer_size = 2048;
  auto connecting = std::async(std::launch::async,
                               [&] { return connect_peers(settings, std::chrono::seconds(10)); });
  GError* error = nullptr;
  GstElement* pipeline = gst_parse_launch(description(o, socket).c_str(), &error);
  if (pipeline == nullptr) return fail(error->message);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  auto peers = connecting.get();
  const int status = peers ? measure(o, pipeline, *peers, frames) : fail(peers.error().text());
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  if (argc != 6) {
    std::fprintf(stderr, "usage: cores slave|master QUEUES BATCH SECONDS WARMUP\n");
    return 2;
  }
  const Options o{std::string_view(argv[1]) == "master" ? Role::master : Role::slave,
                  static_cast<std::uint32_t>(std::atoi(argv[2])),
                  static_cast<std::uint32_t>(std::atoi(argv[3])), std::atof(argv[4]),
                  std::atof(argv[5])};
  const long cpus = ::sysconf(_SC_NPROCESSORS_ONLN);
  if (o.queues < 1 || o.queues > static_cast<std::uint32_t>(cpus)) {
    return fail("not run: a queue needs a CPU of its own, and there are " + std::to_string(cpus));
  }
  if (o.batch < 1 || o.batch > 256) return fail("BATCH: choose 1 to 256");
  return run(o);
}
