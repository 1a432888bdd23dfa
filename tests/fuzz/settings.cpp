// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Texts that users give: addresses, sizes, rates, users, caps.
 */
#include <cmath>
#include <vector>

#include "fuzz.hpp"
#include "fuzz_gst.hpp"
#include "gen_settings.hpp"
#include "gst/memif/settings.hpp"
#include "gst/packet/caps.hpp"
#include "gst/packet/headers/address.hpp"
#include "icmpresponder.hpp"
#include "packet_builder.hpp"
#include "packet_checker.hpp"

using fuzz::Input;
using fuzz::require;

namespace {

/** What was parsed is written so that it is read the same. */
template <class Address>
void parse_address(const std::string& text) {
  const auto address = Address::parse(text);
  if (!address) {
    require(address.error().text().find(text) != std::string::npos, "the error names no value");
    return;
  }
  const auto again = Address::parse(address->format());
  require(again && *again == *address, "an address is written differently");
}

void parse_socket(const std::string& text) {
  const auto address = gstmemif::SocketAddress::parse(text);
  if (!address) {
    require(!address.error().text().empty(), "no reason");
    return;
  }
  require(!address->name().empty(), "a socket without a name");
  const auto again = gstmemif::SocketAddress::parse(address->text());
  require(again && *again == *address, "a socket is written differently");
  const gstmemif::Result<void> possible = check_socket_path(*address, gstmemif::Role::master);
  require(possible || possible.error().text().find(address->text()) != std::string::npos,
          "the error names no path");
}

void parse_rate(const std::string& text) {
  const auto rate = packetplugin::parse_rate(text);
  if (!rate) return;
  require(std::isfinite(rate->ns_per_packet) && rate->ns_per_packet >= 0, "packets a second");
  require(std::isfinite(rate->ns_per_byte) && rate->ns_per_byte >= 0, "bits a second");
}

void parse_sizes(const std::string& text) {
  const auto sizes = packetplugin::parse_sizes(text);
  if (sizes) require(sizes->low >= 1 && sizes->low <= sizes->high && sizes->high <= 65535, "size");
}

void answer_for(const std::string& text, const std::string& mac) {
  packetplugin::IcmpResponder responder;
  const bool taken = bool(responder.set_address(text));
  if (responder.set_mac(mac) && taken) {
    require(responder.address() == text, "another address than was set");
    require(bool(gstpacket::Mac::parse(responder.mac())), "no MAC address");
  }
}

void parse_caps(unsigned kind, const std::string& text) {
  // Nothing else gets into caps, whatever they are made from.
  if (g_utf8_validate(text.data(), static_cast<gssize>(text.size()), nullptr) == FALSE) return;
  GstCaps* caps = gst_caps_new_empty();
  const char* type = (kind & 1) != 0 ? "video/x-raw" : gstpacket::kMediaType;
  GstStructure* fields = gst_structure_new_empty(type);
  if ((kind & 2) != 0) {
    gst_structure_set(fields, "link-type", G_TYPE_INT, static_cast<gint>(text.size()), nullptr);
  } else {
    gst_structure_set(fields, "link-type", G_TYPE_STRING, text.c_str(), nullptr);
  }
  if ((kind & 4) != 0) gst_caps_append_structure(caps, gst_structure_copy(fields));
  if ((kind & 8) == 0) gst_caps_append_structure(caps, gst_structure_copy(fields));
  gst_structure_free(fields);
  const auto parsed = gstpacket::parse_caps(caps);
  if (parsed) {
    require(gst_caps_is_fixed(caps) != FALSE, "caps that leave a choice");
    require(gstpacket::link_type_name(parsed->link_type) == text, "another link type");
  } else {
    require(!parsed.error().text().empty(), "no reason");
  }
  gst_caps_unref(caps);
}

// ---- memif ----------------------------------------------------------------------------------

gstmemif::PartialSettings partial_settings(Input& input) {
  gstmemif::PartialSettings partial;
  const auto set = [&](const char* name, gstmemif::SettingValue value) {
    partial[gstmemif::find_setting(name)] = std::move(value);
  };
  const auto number = [&]<class T>(const char* name, std::initializer_list<T> interesting) {
    if (input.flag()) set(name, input.around(interesting));
  };
  const auto text = [&](const char* name) {
    if (input.flag()) set(name, input.line());
  };
  if (input.flag()) set("mode", static_cast<gstmemif::Mode>(input.below(3)));
  number("rx-queues", {1U, 255U, 0U, 256U});
  number("tx-queues", {1U, 255U, 0U});
  number("ring-size", {2U, 1024U, 16384U, 3U, 0U});
  number("buffer-size", {1U, 2048U, 0U, 0xffffffffU});
  number("socket-mode", {0600U, 07777U});
  text("secret");
  text("interface-name");
  text("socket-owner");
  text("allowed-uids");
  if (input.flag()) {
    set("unsealed-memory", static_cast<gstmemif::UnsealedMemory>(input.below(2)));
  }
  number("memory-limit", {std::uint64_t{0}, std::uint64_t{1} << 20});
  number("max-packet-size", {1U, 0U, 0xffffffffU});
  number("copy-limit", {std::uint64_t{0}, std::uint64_t{1} << 20});
  return partial;
}

void memif_settings(Input& input) {
  const gstmemif::PartialSettings a = partial_settings(input);
  const gstmemif::PartialSettings b = partial_settings(input);
  require(bool(check_agreement(a, "a", a, "a")), "settings contradict themselves");
  const bool agree = bool(check_agreement(a, "a", b, "b"));
  require(agree == bool(check_agreement(b, "b", a, "a")), "one agrees with the other, not back");
  gstmemif::Settings settings;
  settings.role = input.flag() ? gstmemif::Role::master : gstmemif::Role::slave;
  if (!apply_settings(a, settings)) return;
  gstmemif::Settings twice = settings;
  require(apply_settings(a, twice) && twice == settings, "the same settings change something");
  if (const auto valid = validate(settings); !valid) {
    gstmemif::Settings other = settings;
    for (char& c : other.secret) c = static_cast<char>(c + 1);
    const auto invalid = validate(other);
    require(!invalid && invalid.error().text() == valid.error().text(), "a secret is shown");
    return;
  }
  require(settings.buffer_size != 0 && settings.ring_size >= gstmemif::kMinRingSize, "too small");
}

// ---- packetgen ------------------------------------------------------------------------------

void generate(Input& input) {
  packetplugin::GenSettings settings;
  settings.ip_version = input.around<std::uint8_t>({4, 6, 4, 6});
  settings.protocol =
      input.flag() ? packetplugin::GenProtocol::icmp_echo : packetplugin::GenProtocol::udp;
  // As the ranges of the properties have it.
  settings.flows = std::max<unsigned>(1, input.around<std::uint16_t>({1, 2, 65535, 3}));
  settings.vlan = input.flag() ? input.get<std::uint16_t>() % 4095 : -1;
  settings.source_port = input.get<std::uint16_t>();
  settings.destination_port = input.get<std::uint16_t>();
  settings.seed = input.get<std::uint8_t>();
  const auto link = input.flag() ? gstpacket::LinkType::ip : gstpacket::LinkType::ethernet;
  settings.size = input.line();
  settings.rate = input.line();
  settings.source_mac = input.line();
  settings.destination_mac = input.line();
  settings.source_address = input.line();
  settings.destination_address = input.line();
  const auto plan = make_plan(settings);
  if (!plan) return;
  auto maker = packetplugin::PacketBuilder::make(*plan, link);
  if (!maker) return;
  packetplugin::PacketChecker judge;
  judge.set_link_type(link);
  constexpr unsigned kPackets = 5;
  for (unsigned i = 0; i < kPackets; ++i) {
    std::vector<std::byte> packet(maker->next_size());
    require(packet.size() >= maker->min_size() && packet.size() <= maker->max_size(), "size");
    maker->write(packet, 1000 + i);
    judge.judge(packet, 2000 + i);
  }
  const packetplugin::Account& account = judge.account();
  require(account.packets == kPackets && account.missing == 0, "packets that are not as made");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::init_gstreamer();  // caps need its types
  const fuzz::NoLeakedFds no_leaks;
  Input input(data, size);
  const unsigned what = input.below(12);
  if (what == 0) {
    memif_settings(input);
    return 0;
  }
  if (what == 1) {
    generate(input);
    return 0;
  }
  const unsigned kind = what == 8 ? input.below(16) : 0;
  const std::string text = input.line();
  switch (what) {
    case 2:
      parse_address<gstpacket::Mac>(text);
      break;
    case 3:
      parse_address<gstpacket::Ipv4Address>(text);
      break;
    case 4:
      parse_address<gstpacket::Ipv6Address>(text);
      break;
    case 5:
      parse_socket(text);
      break;
    case 6:
      parse_rate(text);
      break;
    case 7:
      parse_sizes(text);
      break;
    case 8:
      parse_caps(kind, text);
      break;
    case 9:
      (void)gstmemif::parse_role(text);
      break;
    default:
      answer_for(text, input.line());
  }
  return 0;
}
