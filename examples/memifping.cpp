// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * ping over memif: one end of an interface, without any GStreamer element. Shows how to use
 * the engine (gstmemif) and the packet library (gstpacket) from a program of your own.
 */
#include <glib.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>
#include <mutex>
#include <vector>

#include "echo_packets.hpp"
#include "gst/memif/receiver.hpp"
#include "gst/memif/sender.hpp"

namespace {

constexpr std::int64_t kMicrosecond = 1000;
constexpr std::int64_t kPatientUs = 100'000;  // between two looks at what ends a wait
constexpr std::int64_t kResolveTimeoutUs = 10'000'000;
constexpr std::int64_t kReplyTimeoutUs = 1'000'000;
constexpr std::uint32_t kBatch = 32;

struct Options {
  std::string socket_path = gstmemif::kDefaultSocketPath;
  std::string role = "slave";
  int id = 0;
  std::string secret;
  std::string target;
  int count = 5;
  int size = 56;
  double interval = 1.0;
  double wait = -1;  // seconds for a peer; below 0: as long as the role suggests
  bool quiet = false;
};

/** Set by a signal: the interface goes with its socket file, and then the program. */
volatile std::sig_atomic_t interrupted = 0;

/** What the interface says of peers that are not there. Told on the engine's thread. */
class Peers final : public gstmemif::InterfaceObserver {
 public:
  void on_link_up(const gstmemif::LinkInfo&) override {}
  void on_link_down(const std::string&) override {}
  void on_refused(const gstmemif::Refusal& refusal) override {
    const bool mode = refusal.reason.find("mode mismatch") != std::string::npos;
    say(refusal.reason + ". " +
        (mode ? "Set mode=ethernet on the peer: this program sends frames" : refusal.remedy) + ".");
  }
  void on_waiting(const std::string& what) override { say(what + ".", true); }

  /** Whether nobody was there, at the last try. */
  bool nobody() const {
    const std::lock_guard lock(mutex_);
    return nobody_;
  }
  /** The last word, or nothing. */
  std::string news() const {
    const std::lock_guard lock(mutex_);
    return news_;
  }

 private:
  void say(const std::string& news, bool nobody = false) {
    const std::lock_guard lock(mutex_);
    news_ = news;
    nobody_ = nobody;
  }
  mutable std::mutex mutex_;
  std::string news_;
  bool nobody_ = false;
};

int fail(const std::string& what) {
  std::fprintf(stderr, "%s: %s\n", g_get_prgname(), what.c_str());
  return 2;
}

/** Round-trip times, for the summary. */
struct Statistics {
  int sent = 0;
  int received = 0;
  int wrong = 0;
  double least = 1e9, most = 0, sum = 0, squares = 0;

  void add(double milliseconds) {
    ++received;
    least = std::min(least, milliseconds);
    most = std::max(most, milliseconds);
    sum += milliseconds;
    squares += milliseconds * milliseconds;
  }
  void print(const std::string& target, double total_ms) const {
    std::printf("\n--- %s ping statistics ---\n", target.c_str());
    const int lost = sent - received;
    std::printf("%d packets transmitted, %d received, %d wrong, %d%% packet loss, time %.0fms\n",
                sent, received, wrong, sent == 0 ? 0 : 100 * lost / sent, total_ms);
    if (received == 0) return;
    const double mean = sum / received;
    const double deviation = std::sqrt(std::max(0.0, squares / received - mean * mean));
    std::printf("rtt min/avg/max/mdev = %.3f/%.3f/%.3f/%.3f ms\n", least, mean, most, deviation);
  }
};

/** One run: resolves the target, sends requests and judges what comes back. */
class Ping {
 public:
  Ping(const Options& options, EchoPackets packets, std::unique_ptr<gstmemif::Receiver> receiver,
       std::unique_ptr<gstmemif::Sender> sender, const Peers& peers)
      : options_(options),
        peers_(peers),
        packets_(std::move(packets)),
        receiver_(std::move(receiver)),
        sender_(std::move(sender)) {}

  int run() {
    if (!find_peer()) return 2;
    if (!resolve()) return fail("no answer from " + options_.target + ": is it on this link?");
    std::printf("PING %s (%s) %d bytes of data, peer '%s'\n", options_.target.c_str(),
                packets_.target_mac().format().c_str(), options_.size,
                receiver_->link_info().peer_name.c_str());
    const std::int64_t start = g_get_monotonic_time();
    for (int i = 1; i <= options_.count && interrupted == 0; ++i) {
      const std::int64_t due = g_get_monotonic_time();
      const Frame request = packets_.request(static_cast<std::uint16_t>(i));
      sent_at_ = g_get_monotonic_time();
      send(request);
      ++statistics_.sent;
      const int before = statistics_.received;
      // With an interval, replies are collected until it is over; without, until this one came.
      const auto interval = static_cast<std::int64_t>(options_.interval * 1e6);
      const bool last = i == options_.count;
      const std::int64_t until = due + (interval > 0 && !last ? interval : kReplyTimeoutUs);
      collect(until, [&] { return statistics_.received > before && (interval == 0 || last); });
    }
    statistics_.print(options_.target,
                      static_cast<double>(g_get_monotonic_time() - start) / 1000.0);
    return statistics_.received == statistics_.sent && statistics_.wrong == 0 ? 0 : 1;
  }

 private:
  void send(const Frame& frame) {
    const gstmemif::TxSegment segment(frame);
    const gstmemif::TxPacket packet(&segment, 1);
    if (sender_->send_burst({&packet, 1}).sent == 1) sender_->flush();
  }

  /** Without time to wait: a master that is there, or none. */
  bool find_peer() {
    const std::string path = receiver_->interface().settings().socket.text();
    const bool dials = receiver_->interface().settings().role == gstmemif::Role::slave;
    const double wait = options_.wait >= 0 ? options_.wait : dials ? 0 : 10;
    const std::int64_t end = g_get_monotonic_time() + static_cast<std::int64_t>(wait * 1e6);
    std::string said;
    while (interrupted == 0) {
      sender_->wait_for_link(kPatientUs * kMicrosecond);
      if (sender_->link() != nullptr) return true;
      const bool nobody = peers_.nobody();
      if (nobody && wait <= 0) {
        return fail("nobody listens at " + path +
                    ". Start a master there, or wait for one with --wait=SECONDS.") == 0;
      }
      const std::string news = peers_.news();
      if (news != said) std::fprintf(stderr, "memifping: %s\n", news.c_str());
      said = news;
      // A peer that was dialled says something before long.
      if (g_get_monotonic_time() < end || (dials && news.empty())) continue;
      if (wait > 0) std::fprintf(stderr, "memifping: no peer within %g s\n", wait);
      return false;
    }
    return false;
  }

  bool resolve() {
    const std::int64_t end = g_get_monotonic_time() + kResolveTimeoutUs;
    bool resolved = false;
    while (!resolved && g_get_monotonic_time() < end && interrupted == 0) {
      sender_->wait_for_link(kReplyTimeoutUs * kMicrosecond);
      send(packets_.resolution());
      receive_until(g_get_monotonic_time() + kReplyTimeoutUs, [&](const Frame& frame) {
        resolved = resolved || packets_.resolve(frame);
        return resolved;
      });
    }
    return resolved;
  }

  template <class Done>
  void collect(std::int64_t until, Done done) {
    receive_until(until, [&](const Frame& frame) {
      if (const auto reply = packets_.reply(frame)) report(*reply);
      return done();
    });
  }

  void report(const EchoReply& reply) {
    const double milliseconds = static_cast<double>(g_get_monotonic_time() - sent_at_) / 1000.0;
    statistics_.add(milliseconds);
    if (!reply.right) ++statistics_.wrong;
    if (options_.quiet) return;
    std::printf("%zu bytes from %s: icmp_seq=%u ttl=%u time=%.3f ms%s\n", reply.icmp_bytes,
                options_.target.c_str(), reply.sequence, reply.ttl, milliseconds,
                reply.right ? "" : " WRONG");
  }

  /** Hands each received packet to @p take until it says so, or the time is over. */
  template <class Take>
  void receive_until(std::int64_t until, Take take) {
    bool done = false;
    for (;;) {
      const auto segments = receiver_->receive(kBatch);
      std::vector<Frame> frames(1);
      for (const gstmemif::RxSegment& segment : segments) {
        frames.back().insert(frames.back().end(), segment.data, segment.data + segment.length);
        if (!segment.more) frames.emplace_back();
      }
      frames.pop_back();
      if (receiver_->release()) {
        for (const Frame& frame : frames) done = take(frame) || done;
      }
      const std::int64_t left = until - g_get_monotonic_time();
      if (done || left <= 0 || interrupted != 0) return;
      receiver_->wait(std::min(left, kPatientUs) * kMicrosecond);
    }
  }

  const Options& options_;
  const Peers& peers_;
  EchoPackets packets_;
  std::unique_ptr<gstmemif::Receiver> receiver_;
  std::unique_ptr<gstmemif::Sender> sender_;
  Statistics statistics_;
  std::int64_t sent_at_ = 0;
};

int start(const Options& options) {
  const auto role = gstmemif::parse_role(options.role);
  if (!role) return fail("--role=" + options.role + ": choose slave or master");
  if (options.count < 1 || options.count > 65535) return fail("--count: choose 1 to 65535");
  if (options.size < 0 || options.size > 65000) return fail("--size: choose 0 to 65000");
  auto packets = EchoPackets::create(options.target, static_cast<std::size_t>(options.size));
  if (!packets)
    return fail("'" + options.target + "' is no IPv4 or IPv6 address, such as 192.168.1.1");
  const auto address = gstmemif::SocketAddress::parse(options.socket_path);
  if (!address) return fail(address.error().text());

  gstmemif::Settings settings;
  settings.socket = *address;
  settings.role = *role;
  settings.id = static_cast<std::uint32_t>(options.id);
  settings.secret = options.secret;
  settings.app_name = "memifping";
  settings.interface_name = "memifping";
  // What the library warns of is what the observer is told, and printed once.
  g_log_set_handler(
      "gstmemif", G_LOG_LEVEL_MESSAGE, [](const gchar*, GLogLevelFlags, const gchar*, gpointer) {},
      nullptr);
  auto interface = gstmemif::Interface::create(settings, gstmemif::Loop::own_thread());
  if (!interface) return fail(interface.error().text());
  if (const auto started = (*interface)->start(); !started) return fail(started.error().text());
  auto receiver = gstmemif::Receiver::open(*interface, 0, gstmemif::RxMode::interrupt);
  auto sender = gstmemif::Sender::open(*interface, 0);
  if (!receiver || !sender) return fail("cannot open the queues of the interface");
  const auto peers = std::make_shared<Peers>();
  (*interface)->add_observer(peers);
  return Ping(options, std::move(*packets), std::move(*receiver), std::move(*sender), *peers).run();
}

}  // namespace

int main(int argc, char** argv) {
  for (const int signal : {SIGINT, SIGTERM}) {
    std::signal(signal, [](int) { interrupted = 1; });
  }
  gchar *socket_path = nullptr, *role = nullptr, *secret = nullptr;
  gchar** rest = nullptr;
  Options options;
  gboolean quiet = FALSE;
  const GOptionEntry entries[] = {
      {"socket-path", 's', 0, G_OPTION_ARG_STRING, &socket_path,
       "UNIX socket, or @name for an abstract one (default /run/vpp/memif.sock)", "PATH"},
      {"role", 'r', 0, G_OPTION_ARG_STRING, &role, "slave (default) or master", "ROLE"},
      {"id", 'i', 0, G_OPTION_ARG_INT, &options.id, "Interface id (default 0)", "N"},
      {"secret", 0, 0, G_OPTION_ARG_STRING, &secret, "Secret of the interface", "TEXT"},
      {"count", 'c', 0, G_OPTION_ARG_INT, &options.count, "Echo requests to send (default 5)", "N"},
      {"size", 0, 0, G_OPTION_ARG_INT, &options.size, "Bytes of payload (default 56)", "BYTES"},
      {"interval", 0, 0, G_OPTION_ARG_DOUBLE, &options.interval,
       "Seconds between requests, 0: next one when a reply comes (default 1)", "S"},
      {"wait", 'w', 0, G_OPTION_ARG_DOUBLE, &options.wait,
       "Seconds to wait for a peer (default 0 as slave, 10 as master)", "S"},
      {"quiet", 'q', 0, G_OPTION_ARG_NONE, &quiet, "Print the summary only", nullptr},
      {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &rest, nullptr, "ADDRESS"},
      {nullptr, 0, 0, G_OPTION_ARG_NONE, nullptr, nullptr, nullptr}};
  GOptionContext* context = g_option_context_new("- pings an address over memif");
  g_option_context_add_main_entries(context, entries, nullptr);
  GError* error = nullptr;
  int status = 0;
  if (!g_option_context_parse(context, &argc, &argv, &error)) {
    status = fail(std::string(error->message) + ". --help shows all options.");
    g_clear_error(&error);
  } else if (rest == nullptr || rest[1] != nullptr) {
    status = fail("give one address to ping. --help shows all options.");
  } else {
    if (socket_path != nullptr) options.socket_path = socket_path;
    if (role != nullptr) options.role = role;
    if (secret != nullptr) options.secret = secret;
    options.target = rest[0];
    options.quiet = quiet != FALSE;
    status = start(options);
  }
  g_option_context_free(context);
  g_strfreev(rest);
  g_free(socket_path);
  g_free(role);
  g_free(secret);
  return status;
}
