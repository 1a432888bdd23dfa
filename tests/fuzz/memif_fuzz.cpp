// SPDX-License-Identifier: LGPL-2.1-or-later
// What a peer can do to us: messages in any order, with any descriptors, and any bytes in the
// rings. A libFuzzer target, and a plain test that feeds it random input for a while.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "gst/memif/handshake.hpp"
#include "gst/memif/link.hpp"

using namespace gstmemif;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

/** Values out of the input; zeros when it has ended. */
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : left_(data, size) {}
  bool ended() const { return left_.empty(); }
  template <class T>
  T get() {
    T value{};
    const std::size_t n = std::min(sizeof value, left_.size());
    if (n != 0) std::memcpy(&value, left_.data(), n);
    left_ = left_.subspan(n);
    return value;
  }
  unsigned below(unsigned limit) { return get<std::uint8_t>() % limit; }
  /** One value of several that matter, or any. */
  template <class T>
  T around(std::initializer_list<T> interesting) {
    const unsigned i = below(static_cast<unsigned>(2 * interesting.size()));
    return i < interesting.size() ? interesting.begin()[i] : get<T>();
  }

 private:
  std::span<const std::uint8_t> left_;
};

constexpr std::uint64_t kFileSize = 8192;

UniqueFd memory_file(bool sealed) {
  UniqueFd fd(::memfd_create("memif-fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  require(fd && ::ftruncate(fd.get(), kFileSize) == 0, "no memory file");
  // Rings begin with a cookie, wherever they begin.
  for (std::uint64_t at = 0; at < kFileSize; at += 64) {
    require(::pwrite(fd.get(), &kCookie, sizeof kCookie, static_cast<off_t>(at)) > 0, "pwrite");
  }
  if (sealed) ::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK);
  return fd;
}

std::vector<UniqueFd> descriptors(Input& input, const Message& message) {
  std::vector<UniqueFd> fds;
  const unsigned what = input.below(16);
  if (what == 0) return fds;
  const bool region = std::holds_alternative<AddRegion>(message) != (what == 1);
  const bool ring = std::holds_alternative<AddRing>(message) != (what == 2);
  if (region) fds.push_back(memory_file(what % 2 == 0));
  if (ring) fds.push_back(std::move(*make_eventfd()));
  return fds;
}

Message message_from(Input& input) {
  switch (input.below(10)) {
    case 0:
      return Ack{};
    case 1: {
      Hello hello;
      hello.max_region = input.around<std::uint16_t>({255, 0});
      hello.max_s2m_ring = input.around<std::uint16_t>({0, 1});
      hello.max_m2s_ring = input.around<std::uint16_t>({0, 1});
      hello.max_log2_ring_size = input.around<std::uint8_t>({14, 3});
      return hello;
    }
    case 2:
      return Init{input.around<std::uint16_t>({kVersion}), input.get<std::uint32_t>(), 0, "", ""};
    case 3:
    case 4:
      return AddRegion{input.around<std::uint16_t>({0, 1}),
                       input.around<std::uint64_t>({kFileSize, 4096, 1})};
    case 5:
    case 6:
      return AddRing{input.below(2) != 0 ? Direction::s2m : Direction::m2s,
                     input.around<std::uint16_t>({0, 1}),
                     input.around<std::uint16_t>({0, 1}),
                     input.around<std::uint32_t>({0, 256, 1024, 8192 - 256}),
                     input.around<std::uint8_t>({1, 3, 8}),
                     input.around<std::uint16_t>({0, 0, 0, 0})};
    case 7:
      return Connect{"fuzz"};
    case 8:
      return Connected{"fuzz"};
    default: {
      MessageBytes bytes;
      for (std::byte& byte : bytes) byte = input.get<std::byte>();
      bytes[1] = {};
      const Result<Message> message = decode(bytes);
      return message ? *message : Message(Disconnect{0, "unknown"});
    }
  }
}

// ---- Rings ----------------------------------------------------------------------------------

bool inside(Link& link, const std::byte* data, std::uint32_t length) {
  for (const Region& region : link.state().regions()) {
    if (data >= region.data() && data + length <= region.data() + region.size()) return true;
  }
  return false;
}

void receive(Link& link, RxQueue& rx, std::uint32_t most) {
  bool more = false;
  std::uint32_t packets = 0;
  for (const RxSegment& segment : rx.receive(most)) {
    require(inside(link, segment.data, segment.length), "a segment outside of all regions");
    require(segment.length != 0, "an empty segment");
    packets += more ? 0 : 1;
    more = segment.more;
    // Read the ends, as a sanitizer's or the kernel's judge.
    volatile std::byte touched = segment.data[0];
    touched = segment.data[segment.length - 1];
    (void)touched;
  }
  require(!more && packets <= most, "a packet that does not end, or too many");
  rx.release();
}

/** Lends what can be lent, and lets go of it some time. */
void lend(const std::shared_ptr<Link>& link, RxQueue& rx, std::uint32_t most, Loan*& held) {
  std::uint32_t n = 0;
  std::uint64_t end = 0;
  const RxBurst burst = rx.receive_lent(link, most, [&] {
    return [&](std::size_t i, std::uint32_t offset, std::uint32_t length) {
      require(i == n++ && length != 0, "an empty packet, or one twice");
      end = std::max(end, std::uint64_t{offset} + length);
    };
  });
  if (burst.loan != nullptr) {
    require(burst.loan->count == n && n <= most && burst.segments.empty(), "not what was lent");
    require(end <= burst.loan->size(), "a packet outside of its region");
    volatile std::byte touched = burst.loan->base()[end - 1];
    (void)touched;
    if (held != nullptr) held->give_back();
    held = burst.loan;
  }
  rx.release();
}

void send(TxQueue& tx, std::uint32_t length) {
  static const std::vector<std::byte> bytes(1 << 16, std::byte{0x5a});
  const TxSegment segments[] = {
      std::span(bytes).first(length / 3), {}, std::span(bytes).first(length - length / 3)};
  tx.send(segments);
}

/** Our end of a link, with a peer that writes what the input says anywhere in its memory. */
void use(const std::shared_ptr<Link>& shared, Input& input) {
  Link& link = *shared;
  const auto regions = link.state().regions();
  Loan* held = nullptr;
  for (int step = 0; step < 200 && !input.ended(); ++step) {
    const unsigned what = input.below(9);
    RxQueue* rx = link.rx(0);
    TxQueue* tx = link.tx(0);
    if (what == 0 && rx != nullptr) receive(link, *rx, 1 + input.below(64));
    if (what == 1 && tx != nullptr) send(*tx, input.get<std::uint16_t>());
    if (what == 2 && tx != nullptr) tx->flush();
    if (what == 3 && tx != nullptr) tx->has_room();
    if (what == 4 && rx != nullptr) lend(shared, *rx, 1 + input.below(64), held);
    if (what < 5) continue;
    const Region& region = regions[input.below(static_cast<unsigned>(regions.size()))];
    // Indexes and descriptors at the start of rings are what matters most.
    const std::uint64_t near = input.around<std::uint16_t>({6, 64, 128, 132, 136});
    const std::uint64_t at = std::min<std::uint64_t>(near % region.size(), region.size() - 1);
    const std::uint64_t n = std::min<std::uint64_t>(region.size() - at, 1 + input.below(16));
    for (std::uint64_t i = 0; i < n; ++i) region.data()[at + i] = input.get<std::byte>();
  }
  if (held != nullptr) held->give_back();
}

std::shared_ptr<const UniqueFd> wake() {
  return std::make_shared<const UniqueFd>(std::move(*make_eventfd()));
}

void fuzz_link(LinkPlan plan, Input& input) {
  const auto link =
      std::make_shared<Link>(std::move(plan), std::make_shared<InterfaceStats>(), wake());
  if (link->role() == Role::slave) link->publish_buffers();
  use(link, input);
}

// ---- Handshakes -----------------------------------------------------------------------------

void fuzz_decode(Input& input) {
  MessageBytes bytes;
  for (std::byte& byte : bytes) byte = input.get<std::byte>();
  const Result<Message> message = decode(bytes);
  if (!message) return;
  const MessageBytes once = encode(*message);
  require(encode(*decode(once)) == once, "what was written is read differently");
}

void fuzz_master(Input& input) {
  constexpr std::uint64_t kLimit = 10 * kFileSize;
  MasterHandshake master([](const Init& init) -> Result<Admission> {
    if (init.id == 0xffffffff) return Error{ErrorCode::busy, "busy"};
    return Admission{Mode::ethernet, "fuzz", kLimit};
  });
  if (input.below(8) != 0) require(bool(master.on_message(Init{}, {})), "INIT");
  while (!input.ended()) {
    const Message message = message_from(input);
    Result<Step> step = master.on_message(message, descriptors(input, message));
    if (!step) return;  // the connection would be closed
    if (!step->established) continue;
    LinkPlan plan = master.take_plan();
    std::uint64_t total = 0;
    for (const Region& region : plan.regions) total += region.size();
    require(total <= kLimit, "more memory than allowed");
    return fuzz_link(std::move(plan), input);
  }
}

void fuzz_slave(Input& input) {
  SlaveOffer offer;
  offer.ring_size = 2U << input.below(5);
  offer.buffer_size = 1 + input.below(200);
  offer.tx_queues = 1 + input.below(2);
  SlaveHandshake slave(offer);
  for (int i = 0; i < 20; ++i) {
    // Mostly what gets further: HELLO, some ACKs, CONNECTED.
    Message message = Ack{};
    if (i == 0) message = Hello{};
    if (i >= 6 && input.below(4) == 0) message = Connected{};
    if (input.below(16) == 0) message = message_from(input);
    Result<Step> step = slave.on_message(message, {});
    if (!step) return;
    if (step->established) return fuzz_link(slave.take_plan(), input);
  }
}

void fuzz_slave_link(Input& input) {
  SlaveOffer offer;
  offer.ring_size = 2U << input.below(4);
  offer.buffer_size = 1 + input.below(200);
  Result<LinkPlan> plan = build_slave_memory(offer);
  require(bool(plan), "no memory");
  fuzz_link(std::move(*plan), input);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  switch (input.below(4)) {
    case 0:
      fuzz_decode(input);
      break;
    case 1:
      fuzz_master(input);
      break;
    case 2:
      fuzz_slave(input);
      break;
    default:
      fuzz_slave_link(input);
      break;
  }
  return 0;
}

#ifndef GSTMEMIF_LIBFUZZER
namespace {

using Bytes = std::vector<std::uint8_t>;

/** A master's handshake with one ring each way, as message_from() reads it; then random bytes. */
Bytes good_start() {
  return {
      1, 1,              // the master, admitted
      3, 0, 0,           // ADD_REGION 0 of 8192 bytes
      3,                 // with a descriptor
      5, 1, 0, 0, 0, 1,  // ADD_RING S2M 0 in region 0 at 0, of 8 slots
      0, 3,              // no private header, with a descriptor
      5, 0, 0, 0, 2, 1,  // ADD_RING M2S 0 in region 0 at 1024, of 8 slots
      0, 3,              //
      7, 3,              // CONNECT
  };
}

}  // namespace

int main(int argc, char** argv) {
  const long rounds = argc > 1 ? std::atol(argv[1]) : 40'000;
  std::mt19937 random(11);
  for (long round = 0; round < rounds; ++round) {
    Bytes input;
    if (round % 2 == 0) input = good_start();
    const std::size_t start = input.size();
    input.resize(start + random() % 600);
    for (std::size_t i = start; i < input.size(); ++i) {
      // Small numbers are choices, and most values of a wire that mean something.
      const bool small = random() % 2 == 0;
      input[i] = static_cast<std::uint8_t>(small ? random() % 10 : random());
    }
    if (random() % 4 == 0 && !input.empty()) {
      input[random() % input.size()] = static_cast<std::uint8_t>(random());
    }
    LLVMFuzzerTestOneInput(input.data(), input.size());
  }
  return 0;
}
#endif
