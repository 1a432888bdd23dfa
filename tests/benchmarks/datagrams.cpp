// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The other end of elements that send or receive UDP datagrams, over memif or the kernel: counts or
 * feeds them. Prints one line of JSON.
 */
#include <arpa/inet.h>
#include <glib.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>

#include <array>
#include <cstdio>
#include <optional>
#include <string>

#include "generator.hpp"
#include "gst/memif/data/relax.hpp"
#include "gst/packet/headers/ethernet.hpp"
#include "gst/packet/headers/ipv4.hpp"
#include "gst/packet/headers/udp.hpp"

namespace {

using namespace bench;

constexpr std::size_t kHeaders = 42;  // Ethernet, IPv4, UDP
constexpr std::uint32_t kBurst = 64;
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kQuiet = kSecond / 2;  // silence after which nothing is to come
constexpr std::int64_t kMostLate = kSecond / 1000;
constexpr std::size_t kDatagrams = 1024;  // as many as pushlists keeps: the same cache misses

struct Options {
  gchar* mode = nullptr;
  gchar* socket_path = nullptr;
  gchar* role = nullptr;
  gchar* host = nullptr;
  double seconds = 1, warmup = 0.5, rate = 0;
  int port = 5004, size = 1400, cpu = -1, timeout_ms = 10000, ring_size = 1024;
  gboolean all = FALSE;
};

int fail(const std::string& what) {
  std::fprintf(stderr, "datagrams: %s\n", what.c_str());
  std::printf("{\"error\": \"%s\"}\n", what.c_str());
  return 1;
}

std::int64_t nanoseconds(double seconds) {
  return static_cast<std::int64_t>(seconds * 1e9);
}

/** What a receiver counts, from the end of the warm-up on; with `all`, from the first datagram. */
class Count {
 public:
  explicit Count(const Options& o)
      : warmup_(o.all != FALSE ? 0 : nanoseconds(o.warmup)),
        length_(o.all != FALSE ? kSecond * 3600 : nanoseconds(o.seconds)),
        give_up_(now_ns() + o.timeout_ms * std::int64_t{1'000'000}),
        all_(o.all != FALSE) {}

  void add(std::uint64_t n, std::int64_t now) noexcept {
    if (first_ == 0) first_ = now;
    last_ = now;
    if (now - first_ < warmup_) return;
    if (begin_ == 0) begin_ = now;
    n_ += n;
  }
  bool done(std::int64_t now) const noexcept {
    if (first_ == 0) return now > give_up_;
    return now - first_ >= warmup_ + length_ || now - last_ > (all_ ? kQuiet : 4 * kQuiet);
  }
  int print() const {
    if (n_ == 0) return fail("nothing arrived");
    const double seconds = static_cast<double>(last_ - begin_) / 1e9;
    std::printf("{\"received\": %" G_GUINT64_FORMAT ", \"seconds\": %.4f, \"rx_pps\": %.0f}\n", n_,
                seconds, seconds > 0 ? static_cast<double>(n_) / seconds : 0);
    return 0;
  }

 private:
  const std::int64_t warmup_, length_, give_up_;
  const bool all_;
  std::int64_t first_ = 0, begin_ = 0, last_ = 0;
  std::uint64_t n_ = 0;
};

/**
 * How many datagrams are due, for a rate. A program that was stopped does not make up for more than
 * kMostLate: what would leave then, as fast as it can, is no steady load. The rate shows it.
 */
class Pace {
 public:
  explicit Pace(const Options& o)
      : rate_(o.rate), start_(now_ns()), clock_(start_), total_(nanoseconds(o.seconds)) {}

  bool over(std::int64_t now) const noexcept { return now - start_ >= total_; }
  std::uint32_t due(std::int64_t now) noexcept {
    if (rate_ == 0) return kBurst;
    const auto by_now = [&] {
      return static_cast<std::uint64_t>(rate_ * static_cast<double>(now - clock_) / 1e9);
    };
    const auto most = std::max<std::uint64_t>(
        static_cast<std::uint64_t>(rate_ * static_cast<double>(kMostLate) / 1e9), kBurst);
    if (by_now() > taken_ + most) {
      const auto too_many = static_cast<double>(by_now() - taken_ - most);
      clock_ += static_cast<std::int64_t>(too_many * 1e9 / rate_);
    }
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(by_now() - taken_, kBurst));
  }
  void taken(std::uint64_t n) noexcept { taken_ += n; }
  double seconds() const noexcept { return static_cast<double>(now_ns() - start_) / 1e9; }
  int print(std::uint64_t sent, std::uint64_t full) const {
    const double s = seconds();
    std::printf("{\"sent\": %" G_GUINT64_FORMAT ", \"full\": %" G_GUINT64_FORMAT
                ", \"seconds\": %.4f, \"tx_pps\": %.0f}\n",
                sent, full, s, static_cast<double>(sent) / s);
    return 0;
  }

 private:
  const double rate_;
  const std::int64_t start_;
  std::int64_t clock_;  // the start, and the time that was lost
  const std::int64_t total_;
  std::uint64_t taken_ = 0;
};

gstmemif::Result<std::vector<Peer>> connect(const Options& o) {
  PeerSettings settings;
  const auto address = gstmemif::SocketAddress::parse(o.socket_path);
  if (!address) return address.error();
  settings.address = *address;
  settings.role =
      std::string_view(o.role) == "master" ? gstmemif::Role::master : gstmemif::Role::slave;
  settings.ring_size = static_cast<std::uint32_t>(o.ring_size);
  return connect_peers(settings, std::chrono::milliseconds(o.timeout_ms));
}

int count_memif(const Options& o) {
  auto peers = connect(o);
  if (!peers) return fail(peers.error().text());
  Receiving rx(peers->front(), 0);
  Count count(o);
  std::uint32_t crumbs = 0;
  for (;;) {
    const std::int64_t now = now_ns();
    if (count.done(now)) return count.print();
    const std::uint32_t waiting = rx.waiting();
    // Crumbs would make both ends fetch the same lines again and again.
    if (waiting < kBurst && ++crumbs < 16) {
      gstmemif::relax();
      continue;
    }
    crumbs = 0;
    std::uint64_t ours = 0;
    for (std::uint32_t i = 0; i < waiting; ++i) {
      ours += rx.peek(i).length == kHeaders + static_cast<std::size_t>(o.size) ? 1 : 0;
    }
    if (waiting != 0) rx.release(waiting);
    if (ours != 0) count.add(ours, now);
  }
}

/** Prepared bytes into the ring: the least that anything that does not own the memory can do. */
int copy_memif(const Options& o) {
  auto peers = connect(o);
  if (!peers) return fail(peers.error().text());
  Sending tx(peers->front(), 0);
  const std::size_t bytes = kHeaders + static_cast<std::size_t>(o.size);
  const std::vector<std::byte> memory(kDatagrams * bytes, std::byte{1});
  Pace pace(o);
  std::uint64_t sent = 0;
  while (!pace.over(now_ns()) && !peers->front().channel.hung_up()) {
    for (int i = 0; i < 64; ++i) {
      const std::uint32_t n = tx.room();
      if (n < kBurst) {
        gstmemif::relax();
        continue;
      }
      for (std::uint32_t k = 0; k < kBurst; ++k, ++sent) {
        tx.send_copy(std::span(memory).subspan(sent % kDatagrams * bytes, bytes));
      }
      tx.publish();
    }
  }
  return pace.print(sent, 0);
}

int feed_memif(const Options& o) {
  auto peers = connect(o);
  if (!peers) return fail(peers.error().text());
  const Frames frames(Task::forward, kHeaders + static_cast<std::size_t>(o.size));
  Sending tx(peers->front(), 0);
  tx.prepare(frames);
  // A device may be connected and not running yet.
  const std::int64_t from = now_ns() + nanoseconds(o.warmup);
  while (now_ns() < from) gstmemif::relax();
  Pace pace(o);
  std::uint64_t sent = 0, full = 0;
  for (std::uint32_t round = 0;; ++round) {
    const std::int64_t now = now_ns();
    if (pace.over(now) || (round % 1024 == 0 && peers->front().channel.hung_up())) break;
    const std::uint32_t due = pace.due(now);
    const std::uint32_t room = tx.room();
    // Crumbs would make both ends fetch the same lines again and again.
    if (o.rate == 0 ? room < kBurst : due < kBurst) {
      gstmemif::relax();
      continue;
    }
    const std::uint32_t n = std::min(due, room);
    if (n != 0) {
      tx.send_frames(n);
      tx.publish();
      sent += n;
    }
    pace.taken(due);
    if (o.rate != 0) full += due - n;
  }
  const int status = pace.print(sent, full);
  std::fflush(stdout);
  // The link stays until all was received.
  const std::int64_t until = now_ns() + kQuiet;
  while (now_ns() < until) g_usleep(1000);
  return status;
}

class UdpSocket {
 public:
  UdpSocket() : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {}
  ~UdpSocket() { ::close(fd_); }
  UdpSocket(const UdpSocket&) = delete;
  UdpSocket& operator=(const UdpSocket&) = delete;
  int fd() const noexcept { return fd_; }

 private:
  int fd_;
};

/** A burst of messages of one size in recvmmsg's and sendmmsg's form. */
class Messages {
 public:
  explicit Messages(std::size_t size) : bytes_(kBurst * size) {
    for (std::uint32_t i = 0; i < kBurst; ++i) {
      parts_[i] = {bytes_.data() + i * size, size};
      headers_[i] = {};
      headers_[i].msg_hdr.msg_iov = &parts_[i];
      headers_[i].msg_hdr.msg_iovlen = 1;
    }
  }
  mmsghdr* data() noexcept { return headers_.data(); }

 private:
  std::vector<std::byte> bytes_;
  std::array<iovec, kBurst> parts_{};
  std::array<mmsghdr, kBurst> headers_{};
};

std::optional<sockaddr_in> udp_address(const Options& o) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(o.port));
  if (::inet_pton(AF_INET, o.host, &address.sin_addr) != 1) return std::nullopt;
  return address;
}

int count_udp(const Options& o) {
  const auto address = udp_address(o);
  if (!address) return fail("--host: not an IPv4 address");
  const UdpSocket socket;
  const int room = 64 << 20;
  ::setsockopt(socket.fd(), SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
  if (::bind(socket.fd(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0) {
    return fail("cannot bind");
  }
  Messages messages(static_cast<std::size_t>(o.size));
  Count count(o);
  for (;;) {
    const int n = ::recvmmsg(socket.fd(), messages.data(), kBurst, MSG_DONTWAIT, nullptr);
    const std::int64_t now = now_ns();
    if (n > 0) {
      count.add(static_cast<std::uint64_t>(n), now);
    } else {
      pollfd wait{socket.fd(), POLLIN, 0};
      ::poll(&wait, 1, 1);
    }
    if (count.done(now)) return count.print();
  }
}

int feed_udp(const Options& o) {
  const auto address = udp_address(o);
  if (!address) return fail("--host: not an IPv4 address");
  const UdpSocket socket;
  const int room = 4 << 20;
  ::setsockopt(socket.fd(), SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
  if (::connect(socket.fd(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0) {
    return fail("cannot connect");
  }
  Messages messages(static_cast<std::size_t>(o.size));
  g_usleep(static_cast<gulong>(o.warmup * 1e6));
  Pace pace(o);
  std::uint64_t sent = 0;
  for (;;) {
    const std::int64_t now = now_ns();
    if (pace.over(now)) break;
    const std::uint32_t due = pace.due(now);
    if (due == 0) continue;
    const int n = ::sendmmsg(socket.fd(), messages.data(), due, 0);
    if (n < 0) return fail("cannot send: does nothing listen?");
    pace.taken(due);
    sent += static_cast<std::uint64_t>(n);
  }
  return pace.print(sent, 0);
}

bool pin(int cpu) {
  if (cpu < 0) return true;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(cpu), &set);
  return ::sched_setaffinity(0, sizeof set, &set) == 0;
}

int start(const Options& o) {
  if (o.mode == nullptr) return fail("--mode is missing");
  if (!pin(o.cpu)) return fail("cannot pin to that CPU");
  if (o.size < 18 || o.size > 1472) return fail("--size: choose 18 to 1472");
  const std::string_view mode = o.mode;
  if (mode.ends_with("memif") && o.socket_path == nullptr) return fail("--socket-path is missing");
  if (mode == "count-memif") return count_memif(o);
  if (mode == "copy-memif") return copy_memif(o);
  if (mode == "feed-memif") return feed_memif(o);
  if (mode == "count-udp") return count_udp(o);
  if (mode == "feed-udp") return feed_udp(o);
  return fail("--mode: choose count-, copy- or feed-memif, count- or feed-udp");
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  const GOptionEntry entries[] = {
      {"mode", 'm', 0, G_OPTION_ARG_STRING, &o.mode, "What to do, over what", "MODE"},
      {"socket-path", 's', 0, G_OPTION_ARG_STRING, &o.socket_path, "UNIX socket, or @name", "PATH"},
      {"role", 'r', 0, G_OPTION_ARG_STRING, &o.role, "slave (default) or master", "ROLE"},
      {"host", 0, 0, G_OPTION_ARG_STRING, &o.host, "IPv4 address of the socket", "ADDRESS"},
      {"port", 0, 0, G_OPTION_ARG_INT, &o.port, "UDP port (5004)", "N"},
      {"size", 0, 0, G_OPTION_ARG_INT, &o.size, "Bytes of a datagram (1400)", "BYTES"},
      {"seconds", 0, 0, G_OPTION_ARG_DOUBLE, &o.seconds, "Time to measure (1)", "S"},
      {"warmup", 0, 0, G_OPTION_ARG_DOUBLE, &o.warmup, "Time before that (0.5)", "S"},
      {"rate", 0, 0, G_OPTION_ARG_DOUBLE, &o.rate, "Datagrams per second (0: all it can)", "N"},
      {"all", 0, 0, G_OPTION_ARG_NONE, &o.all, "Count until none arrives any more", nullptr},
      {"ring-size", 0, 0, G_OPTION_ARG_INT, &o.ring_size, "Slots, as slave (1024)", "N"},
      {"cpu", 0, 0, G_OPTION_ARG_INT, &o.cpu, "CPU to run on", "N"},
      {"timeout", 0, 0, G_OPTION_ARG_INT, &o.timeout_ms, "For the first packet (10000)", "MS"},
      {nullptr, 0, 0, G_OPTION_ARG_NONE, nullptr, nullptr, nullptr}};
  GOptionContext* context = g_option_context_new("- counts or feeds datagrams");
  g_option_context_add_main_entries(context, entries, nullptr);
  GError* error = nullptr;
  if (!g_option_context_parse(context, &argc, &argv, &error)) {
    const int status = fail(error->message);
    g_clear_error(&error);
    g_option_context_free(context);
    return status;
  }
  g_option_context_free(context);
  if (o.role == nullptr) o.role = g_strdup("slave");
  if (o.host == nullptr) o.host = g_strdup("127.0.0.1");
  const int status = start(o);
  for (gchar* text : {o.mode, o.socket_path, o.role, o.host}) g_free(text);
  return status;
}
