// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Feeds arbitrary bytes to every header view and to the responder. The first byte chooses the link
// type, whether checksums are verified, and how much room there is behind the packet. A reply must
// satisfy what any receiver checks.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

#include "everyview.hpp"
#include "icmpresponder.hpp"
#include "samples.hpp"

using namespace gstpacket;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

// Checksums may only be judged if those of the request were verified.
void check_reply(std::span<const std::byte> reply, LinkType link, bool verified) {
  std::size_t offset = 0;
  if (link == LinkType::ethernet) {
    const auto frame = ConstEthernetView::at(reply);
    require(frame.has_value(), "no Ethernet header");
    require(!frame->source().is_group(), "sent from a group address");
    if (frame->type() == ethertype::kArp) return;
    offset = frame->header_size();
  }
  if (const auto v4 = ConstIpv4View::at(reply, offset)) {
    require(v4->source() == Ipv4Address{0xc0a80101} && v4->destination().is_host(), "addresses");
    require(!verified || v4->checksum_valid(), "IPv4 checksum");
    const auto icmp = ConstIcmpView::at(v4->payload());
    require(icmp && icmp->type() == ConstIcmpView::kEchoReply, "no echo reply");
    require(!verified || icmp->checksum_valid(), "ICMP checksum");
    return;
  }
  const auto v6 = ConstIpv6View::at(reply, offset);
  require(v6 && v6->protocol() == ip_protocol::kIcmpv6, "neither IPv4 nor ICMPv6");
  const auto icmp = ConstIcmpv6View::at(v6->payload());
  require(icmp.has_value(), "no ICMPv6 message");
  require(!verified || icmp->checksum_valid(v6->source(), v6->destination()), "ICMPv6 checksum");
}

IcmpResponder& responder() {
  static IcmpResponder instance;
  static const bool once = [] {
    require(bool(instance.set_address("192.168.1.1,2001:db8::ab:cd01")), "address");
    return bool(instance.set_mac(""));
  }();
  require(once, "mac");
  return instance;
}

void set_verify(bool on) {
  static const auto spec = std::get<2>(IcmpResponder::properties()).spec("icmpresponder");
  GValue value = G_VALUE_INIT;
  g_value_init(&value, G_TYPE_BOOLEAN);
  g_value_set_boolean(&value, on);
  require(bool(spec.set(&responder(), value)), "verify-checksum");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const unsigned choice = data[0];
  const LinkType link = (choice & 1U) != 0 ? LinkType::ip : LinkType::ethernet;
  const bool verify = (choice & 2U) != 0;
  const std::size_t room = (choice >> 2) & 15U;

  // Exactly as large as said, so that a sanitizer sees the first byte too far.
  std::vector<std::byte> block;
  block.reserve(size - 1 + room);
  for (std::size_t i = 1; i < size; ++i) block.push_back(std::byte{data[i]});
  volatile unsigned seen = everyview::visit(block);
  (void)seen;

  block.resize(size - 1 + room);
  Packet packet(std::span<std::byte>(block).first(size - 1), 0, room);
  set_verify(verify);
  require(bool(responder().set_caps({link})), "caps");
  const Verdict verdict = responder().process(packet);
  require(verdict == forward() || verdict.port == Verdict::kDrop, "a port that does not exist");
  if (verdict == forward()) check_reply(packet.bytes(), link, verify);
  return 0;
}

#ifndef GSTPACKET_LIBFUZZER
namespace {

using samples::Bytes;

std::vector<Bytes> seeds(const char* corpus) {
  const Bytes none(6, 0), to_all(6, 0xff);
  const Bytes extensions{60, 0, 1, 4, 0, 0, 0, 0, 58, 0, 1, 4, 0, 0, 0, 0};
  const Bytes group = samples::solicited_node(samples::kOurV6);
  const Bytes ns = samples::with_icmpv6_sum(
      samples::solicitation(samples::kOurV6, {1, 1, 2, 0xfe, 0, 0, 0, 9}), samples::kPeerV6, group);
  std::vector<Bytes> out{
      samples::echo_frame(),
      samples::echo_frame(9, {.options = {7, 7, 4, 0, 0, 0, 0, 1}}),
      samples::echo_frame_v6(),
      samples::join({samples::ethernet(to_all, samples::kPeerMac, 0x0806),
                     samples::arp(1, samples::kPeerMac, samples::kPeerV4, none, samples::kOurV4)}),
      samples::join({samples::ethernet(samples::multicast_mac(group), samples::kPeerMac, 0x86dd),
                     samples::ipv6({.destination = group, .hop_limit = 255}, ns)}),
      samples::join(
          {samples::ethernet(samples::kOurMac, samples::kPeerMac, 0x86dd),
           samples::ipv6({.extensions = extensions, .next = 0}, samples::icmpv6_echo(128, 20))}),
      samples::ipv4({}, samples::icmp_echo(8, 20)),
      samples::ipv6({}, samples::icmpv6_echo(128, 20)),
  };
  for (Bytes& seed : out) seed.insert(seed.begin(), 0);
  if (corpus == nullptr || !std::filesystem::is_directory(corpus)) return out;
  for (const auto& entry : std::filesystem::directory_iterator(corpus)) {
    std::ifstream file(entry.path(), std::ios::binary);
    out.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  const auto corpus = seeds(argc > 1 ? argv[1] : nullptr);
  std::mt19937 random(7);
  for (int round = 0; round < 300000; ++round) {
    Bytes input = corpus[random() % corpus.size()];
    if (input.empty()) continue;
    input[0] = static_cast<std::uint8_t>(random());
    for (unsigned i = random() % 4; i > 0; --i) {
      input[random() % input.size()] = static_cast<std::uint8_t>(random());
    }
    if (random() % 8 == 0) input.resize(1 + random() % (input.size() + 20));
    LLVMFuzzerTestOneInput(input.data(), input.size());
  }
  return 0;
}
#endif
