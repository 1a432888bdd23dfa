// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file The control channel: messages of any bytes in any order, with any descriptors, through a
 * socket into the handshakes of both roles.
 */
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <vector>

#include <glib.h>

#include "gst/memif/control/channel.hpp"
#include "gst/memif/control/discard.hpp"
#include "gst/memif/control/handshake.hpp"
#include "gst/memif/data/link.hpp"
#include "memory.hpp"

using namespace gstmemif;
using fuzz::Input;
using fuzz::require;

namespace {

constexpr std::uint64_t kFileSize = 8192;
constexpr std::size_t kPassedAtMost = 256;  // descriptors with one message
constexpr std::uint64_t kMemoryLimit = 10 * kFileSize;

// ---- What the peer sends --------------------------------------------------------------------

UniqueFd region_file(Input& input) {
  switch (input.below(8)) {
    case 0:
      return fuzz::memory_file(input.get<std::uint16_t>(), 0);
    case 1:
      return fuzz::memory_file(kFileSize, 0);
    case 2:
      return fuzz::memory_file(kFileSize, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
    case 3:
      return fuzz::memory_file(kFileSize, F_SEAL_WRITE);
    case 4:
      return UniqueFd(::open("/", O_RDONLY | O_CLOEXEC | O_DIRECTORY));
    case 5:
      return UniqueFd(::open("/dev/zero", O_RDWR | O_CLOEXEC));
    default:
      return fuzz::memory_file(kFileSize, F_SEAL_SHRINK);
  }
}

UniqueFd wake_file(Input& input) {
  switch (input.below(6)) {
    case 0: {
      int ends[2];
      require(::pipe2(ends, O_CLOEXEC) == 0, "no pipe");
      ::close(ends[input.below(2)]);
      // One of the two; the other one was closed just now.
      return UniqueFd(::fcntl(ends[0], F_GETFD) >= 0 ? ends[0] : ends[1]);
    }
    case 1:
      return UniqueFd(::eventfd(input.get<std::uint16_t>(), EFD_CLOEXEC | EFD_SEMAPHORE));
    default:
      return UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  }
}

/** What belongs to @p message, mostly. */
std::vector<UniqueFd> descriptors(Input& input, const Message& message) {
  std::vector<UniqueFd> fds;
  const unsigned what = input.below(16);
  if (what == 0) return fds;
  if (what == 1) {
    for (unsigned n = input.below(200); n > 0; --n) fds.emplace_back(::dup(STDERR_FILENO));
    return fds;
  }
  const bool region = std::holds_alternative<AddRegion>(message) != (what == 2);
  const bool ring = std::holds_alternative<AddRing>(message) != (what == 3);
  if (region) fds.push_back(region_file(input));
  if (ring) fds.push_back(wake_file(input));
  return fds;
}

std::string name_from(Input& input) {
  const auto bytes = input.bytes(input.below(40));
  return std::string(bytes.begin(), bytes.end());
}

Message add_ring_from(Input& input) {
  AddRing ring;
  ring.direction = input.flag() ? Direction::m2s : Direction::s2m;
  ring.index = input.around<std::uint16_t>({0, 1});
  ring.region = input.around<std::uint16_t>({0, 1});
  ring.offset = input.around<std::uint32_t>({0, 256, 384, 1024, 8192 - 256});
  ring.log2_size = input.around<std::uint8_t>({1, 3, 8});
  ring.private_header_size = input.around<std::uint16_t>({0, 0, 0});
  return ring;
}

Message hello_from(Input& input) {
  Hello hello;
  hello.name = name_from(input);
  hello.min_version = input.around<std::uint16_t>({kVersion, kVersion, kVersion});
  hello.max_version = input.around<std::uint16_t>({kVersion, kVersion, kVersion});
  hello.max_region = input.around<std::uint16_t>({255, 1, 0});
  hello.max_s2m_ring = input.around<std::uint16_t>({0, 1});
  hello.max_m2s_ring = input.around<std::uint16_t>({0, 1});
  hello.max_log2_ring_size = input.around<std::uint8_t>({14, 3, 0});
  return hello;
}

Message message_from(Input& input) {
  switch (input.below(10)) {
    case 0:
      return Ack{};
    case 1:
      return hello_from(input);
    case 2: {
      Init init;
      init.version = input.around<std::uint16_t>({kVersion, kVersion});
      init.id = input.get<std::uint32_t>();
      init.secret = name_from(input);
      init.name = name_from(input);
      return init;
    }
    case 3:
    case 4:
      return AddRegion{input.around<std::uint16_t>({0, 1}),
                       input.around<std::uint64_t>({kFileSize, 4096, 1})};
    case 5:
    case 6:
      return add_ring_from(input);
    case 7:
      return Connect{name_from(input)};
    case 8:
      return Connected{name_from(input)};
    default:
      return Disconnect{input.get<std::uint32_t>(), name_from(input)};
  }
}

/** Our end of a connection, and what the peer makes of its own. */
class Wire {
 public:
  Wire() {
    int ends[2];
    require(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0, "no sockets");
    ours_.emplace(UniqueFd(ends[0]));
    peer_.emplace(UniqueFd(ends[1]));
  }

  /** Sends what the input says; returns what arrives, or nothing if the connection has ended. */
  std::optional<Received> next(Input& input) {
    MessageBytes bytes{};
    std::size_t size = bytes.size();
    Message message = Ack{};
    if (input.below(8) == 0) {
      const auto raw = input.bytes(bytes.size());
      std::transform(raw.begin(), raw.end(), bytes.begin(), [](auto b) { return std::byte{b}; });
      size = input.around<std::uint8_t>({128, 128, 127});
    } else {
      message = message_from(input);
      bytes = encode(message);
    }
    post(bytes, size, descriptors(input, message));
    Result<std::optional<Received>> received = ours_->receive();
    if (!received) return {};
    require(received->has_value(), "what was sent did not arrive");
    const Message& got = (*received)->message;
    require(encode(got) == encode(*decode(encode(got))), "what was written is read differently");
    return std::move(*received);
  }

  /** Our answer; the peer reads it. */
  void answer(const Step& step) {
    if (!step.reply) return;
    require(bool(ours_->send(*step.reply, step.fd)), "no answer");
    // What earlier rounds passed is closed by another thread; a peer that goes on without it is
    // refused.
    for (int i = 0; i < 10000 && discard_room() < kPassedAtMost; ++i) g_usleep(1000);
    Result<std::optional<Received>> received = peer_->receive();
    require(received && *received, "an answer that cannot be read");
    require((*received)->fds.size() == (step.fd >= 0 ? 1U : 0U), "a descriptor got lost");
  }
  bool hung_up() const { return ours_->hung_up(); }
  void hang_up() { peer_.reset(); }

 private:
  void post(const MessageBytes& bytes, std::size_t size, const std::vector<UniqueFd>& fds) {
    std::byte padded[256]{};
    std::copy(bytes.begin(), bytes.end(), padded);
    iovec vector{padded, std::min<std::size_t>(size, sizeof padded)};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * 253)]{};
    msghdr header{};
    header.msg_iov = &vector;
    header.msg_iovlen = 1;
    if (!fds.empty()) {
      header.msg_control = control;
      header.msg_controllen = CMSG_SPACE(sizeof(int) * fds.size());
      cmsghdr* c = CMSG_FIRSTHDR(&header);
      c->cmsg_level = SOL_SOCKET;
      c->cmsg_type = SCM_RIGHTS;
      c->cmsg_len = CMSG_LEN(sizeof(int) * fds.size());
      for (std::size_t i = 0; i < fds.size(); ++i) {
        const int fd = fds[i].get();
        std::memcpy(CMSG_DATA(c) + i * sizeof fd, &fd, sizeof fd);
      }
    }
    require(::sendmsg(peer_->fd(), &header, MSG_NOSIGNAL) >= 0, "sendmsg");
  }

  std::optional<Channel> ours_;
  std::optional<Channel> peer_;
};

// ---- What becomes of it ---------------------------------------------------------------------

/** The link that was agreed on does something, and its memory can be touched. */
void try_link(LinkPlan plan) {
  const auto wake = std::make_shared<const UniqueFd>(std::move(*make_eventfd()));
  const auto link =
      std::make_shared<Link>(std::move(plan), std::make_shared<InterfaceStats>(), wake);
  require(printable(link->peer_name()) == link->peer_name(), "a name that must not be shown");
  if (link->role() == Role::slave) link->publish_buffers();
  static const std::byte packet[60]{};
  const TxSegment segments[] = {packet};
  for (std::size_t i = 0; i < link->tx_queues(); ++i) {
    link->tx(i)->send(segments);
    link->tx(i)->flush();
  }
  for (std::size_t i = 0; i < link->rx_queues(); ++i) {
    link->rx(i)->receive(4);
    link->rx(i)->release();
  }
}

template <class Handshake>
void talk(Handshake& handshake, Wire& wire, Input& input) {
  while (!input.ended()) {
    std::optional<Received> received = wire.next(input);
    if (!received) return;
    Result<Step> step = handshake.on_message(received->message, std::move(received->fds));
    if (!step) {
      require(!step.error().text().empty(), "no reason");
      return;  // the connection would be closed
    }
    wire.answer(*step);
    if (!step->established) continue;
    LinkPlan plan = handshake.take_plan();
    std::uint64_t total = 0;
    for (const Region& region : plan.regions) total += region.size();
    require(plan.role == Role::slave || total <= kMemoryLimit, "more memory than allowed");
    try_link(std::move(plan));
    // Nothing is legal any more.
    require(!handshake.on_message(Ack{}, {}), "a message after the last one");
    return;
  }
}

void fuzz_master(Input& input) {
  MasterHandshake master([](const Init& init) -> Result<Admission> {
    if (init.id == 0xffffffff) return Error{ErrorCode::busy, "busy"};
    return Admission{Mode::ethernet, "fuzz", kMemoryLimit};
  });
  Wire wire;
  if (input.below(8) != 0) require(bool(master.on_message(Init{}, {})), "INIT");
  talk(master, wire, input);
  wire.hang_up();
  require(wire.hung_up(), "a peer that left is not noticed");
}

void fuzz_slave(Input& input) {
  SlaveOffer offer;
  offer.ring_size = 2U << input.below(5);
  offer.buffer_size = 1 + input.below(200);
  offer.tx_queues = 1 + input.below(2);
  offer.rx_queues = 1 + input.below(2);
  SlaveHandshake slave(offer);
  Wire wire;
  if (input.below(4) != 0) {
    require(bool(slave.on_message(Hello{}, {})), "HELLO");
    require(!slave.admitted(), "admitted before INIT was acknowledged");
    for (unsigned acks = input.below(10); acks > 0; --acks) {
      if (!slave.on_message(Ack{}, {})) return;
    }
  }
  talk(slave, wire, input);
}

void fuzz_text(Input& input) {
  const auto bytes = input.rest();
  const std::string text(bytes.begin(), bytes.end());
  const std::string shown = printable(text);
  require(printable(shown) == shown, "text that is made fit twice");
  for (const char c : shown) require(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f, "control");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::NoLeakedFds no_leaks;
  Input input(data, size);
  switch (input.below(8)) {
    case 0:
      fuzz_text(input);
      break;
    case 1:
    case 2:
      fuzz_slave(input);
      break;
    default:
      fuzz_master(input);
      break;
  }
  return 0;
}
