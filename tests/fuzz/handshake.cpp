// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The control channel: messages of any bytes in any order, with any descriptors, through a
 * socket into the handshakes of both roles.
 */
#include <sys/socket.h>

#include <vector>

#include "gst/memif/control/channel.hpp"
#include "gst/memif/control/handshake.hpp"
#include "gst/memif/data/link.hpp"
#include "peer_messages.hpp"
#include "raw_message.hpp"

using namespace gstmemif;
using fuzz::Input;
using fuzz::require;

namespace {

constexpr std::uint64_t kMemoryLimit = 10 * fuzz::kFileSize;

/** Our end of a connection, and what the peer makes of its own. */
class Wire {
 public:
  /** @param reads whether the peer does: otherwise there is soon no room for answers */
  explicit Wire(bool reads) : reads_(reads) {
    int ends[2];
    require(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0, "no sockets");
    constexpr int kLeast = 1;  // the kernel rounds it up
    if (!reads) ::setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &kLeast, sizeof kLeast);
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
      message = fuzz::message_from(input);
      bytes = encode(message);
    }
    post(bytes, size, fuzz::descriptors(input, message));
    Result<std::optional<Received>> received = ours_->receive();
    if (!received) return {};
    require(received->has_value(), "what was sent did not arrive");
    const Message& got = (*received)->message;
    require(encode(got) == encode(*decode(encode(got))), "what was written is read differently");
    return std::move(*received);
  }

  /** Our answer; false if it cannot be sent. */
  bool answer(const Step& step) {
    if (!step.reply) return true;
    const Result<void> sent = ours_->send(*step.reply, step.fd);
    require(sent || !reads_, "no answer");
    if (!reads_) return bool(sent);
    // A peer that passes more before it is closed is refused.
    fuzz::wait_for_discarded();
    Result<std::optional<Received>> received = peer_->receive();
    require(received && *received, "an answer that cannot be read");
    require((*received)->fds.size() == (step.fd >= 0 ? 1U : 0U), "a descriptor got lost");
    return true;
  }
  bool hung_up() const { return ours_->hung_up(); }
  void hang_up() { peer_.reset(); }

 private:
  void post(const MessageBytes& bytes, std::size_t size, const std::vector<UniqueFd>& fds) {
    std::byte padded[256]{};
    std::copy(bytes.begin(), bytes.end(), padded);
    std::vector<int> numbers;
    for (const UniqueFd& fd : fds) numbers.push_back(fd.get());
    const auto sent = std::span(padded).first(std::min(size, sizeof padded));
    require(memiftest::send_raw(peer_->fd(), sent, numbers), "sendmsg");
  }

  const bool reads_;
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
  static const std::byte packet[60]{};
  const TxSegment segments[] = {packet};
  for (std::size_t i = 0; i < link->tx_queues(); ++i) {
    const TxPacket whole(segments);
    link->tx(i)->send_burst({&whole, 1});
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
    if (!wire.answer(*step)) return;
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

void fuzz_master(Input& input, bool peer_reads) {
  MasterHandshake master([](const Init& init) -> Result<Settings> {
    if (init.id == 0xffffffff) return Error{ErrorCode::busy, "busy"};
    Settings settings;
    settings.memory_limit = kMemoryLimit;
    return settings;
  });
  Wire wire(peer_reads);
  if (input.below(8) != 0) require(bool(master.on_message(Init{}, {})), "INIT");
  talk(master, wire, input);
  wire.hang_up();
  require(wire.hung_up(), "a peer that left is not noticed");
}

void fuzz_slave(Input& input) {
  Settings offer;
  offer.ring_size = 2U << input.below(5);
  offer.buffer_size = 1 + input.below(200);
  offer.tx_queues = 1 + input.below(2);
  offer.rx_queues = 1 + input.below(2);
  SlaveHandshake slave(offer);
  Wire wire(true);
  if (input.below(4) != 0) {
    require(bool(slave.on_message(Hello{}, {})), "HELLO");
    require(!slave.offered_ring(), "a ring is offered before INIT was acknowledged");
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
    case 3:
      fuzz_master(input, false);
      break;
    default:
      fuzz_master(input, true);
      break;
  }
  fuzz::wait_for_discarded();
  return 0;
}
