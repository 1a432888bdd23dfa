// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/packet/gen_settings.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <optional>

#include "gst/common/parse_number.hpp"

namespace packetplugin {
namespace {

constexpr std::uint32_t kMaxSize = 65535;

Error wrong(std::string_view name, std::string_view value, std::string why, std::string remedy) {
  return Error{std::string(name) + "=" + std::string(value), std::move(why), std::move(remedy)};
}

std::optional<std::uint32_t> parse_size(std::string_view text) {
  const auto value = gstcommon::parse_number<std::uint32_t>(text);
  return value && *value >= 1 && *value <= kMaxSize ? value : std::nullopt;
}

Sizes imix() {
  Sizes sizes;
  sizes.mix.insert(sizes.mix.end(), 28, 64);
  sizes.mix.insert(sizes.mix.end(), 16, 570);
  sizes.mix.insert(sizes.mix.end(), 4, 1518);
  sizes.low = 64;
  sizes.high = 1518;
  return sizes;
}

struct Unit {
  const char* name;
  bool bits;
  double factor;
};
constexpr std::array kUnits{
    Unit{"", false, 1},       Unit{"pps", false, 1},    Unit{"kpps", false, 1e3},
    Unit{"Mpps", false, 1e6}, Unit{"Gpps", false, 1e9}, Unit{"bps", true, 1},
    Unit{"kbps", true, 1e3},  Unit{"Mbps", true, 1e6},  Unit{"Gbps", true, 1e9}};

/** The address made from the last bytes of `address`, as icmpresponder makes its own. */
Mac mac_of(const Ipv4Address& address) {
  Mac mac{{0x02, 0}};
  store_be<std::uint32_t>(std::as_writable_bytes(std::span(mac.bytes)), 2, address.value);
  return mac;
}
Mac mac_of(const Ipv6Address& address) {
  const auto& b = address.bytes;
  return Mac{{0x02, b[11], b[12], b[13], b[14], b[15]}};
}

/** One end of the packets' way. */
struct End {
  std::string_view address_name;
  std::string_view address;
  std::string_view mac_name;
  std::string_view mac;
};

template <class Address>
Result<void> parse_end(const End& end, std::string_view otherwise, const char* expected,
                       Address& address, Mac& mac) {
  const auto parsed = Address::parse(end.address.empty() ? otherwise : end.address);
  if (!parsed) {
    return wrong(end.address_name, end.address, expected,
                 "Give one such as " + std::string(otherwise) + ", or set ip-version");
  }
  address = *parsed;
  mac = mac_of(address);
  if (end.mac.empty()) return {};
  const auto given = Mac::parse(end.mac);
  if (!given) {
    return wrong(end.mac_name, end.mac, "not a MAC address",
                 "Give one such as " + mac.format() + ", or leave it empty to use this one");
  }
  mac = *given;
  return {};
}

Result<void> parse_ends(const GenSettings& s, GenPlan& plan) {
  const End from{"source-address", s.source_address, "source-mac", s.source_mac};
  const End to{"destination-address", s.destination_address, "destination-mac", s.destination_mac};
  Result<void> done;
  if (s.ip_version == 4) {
    constexpr auto kExpected = "not an IPv4 address";
    done = parse_end(from, "192.168.1.2", kExpected, plan.source_v4, plan.source_mac);
    if (!done) return done;
    return parse_end(to, "192.168.1.1", kExpected, plan.destination_v4, plan.destination_mac);
  }
  constexpr auto kExpected = "not an IPv6 address";
  done = parse_end(from, "2001:db8::2", kExpected, plan.source_v6, plan.source_mac);
  if (!done) return done;
  return parse_end(to, "2001:db8::1", kExpected, plan.destination_v6, plan.destination_mac);
}

Result<void> check_numbers(const GenSettings& s) {
  if (s.ip_version != 4 && s.ip_version != 6) {
    return wrong("ip-version", std::to_string(s.ip_version), "no such version", "Give 4 or 6");
  }
  const unsigned room = 65536 - s.source_port;
  if (s.flows > room) {
    return wrong("flows", std::to_string(s.flows),
                 "each flow needs its own port or identifier, and from source-port=" +
                     std::to_string(s.source_port) + " up there are " + std::to_string(room),
                 "Give fewer flows or a smaller source-port");
  }
  return {};
}

}  // namespace

Result<Sizes> parse_sizes(std::string_view text) {
  if (text == "imix") return imix();
  const std::size_t dash = text.find('-');
  const auto low = parse_size(text.substr(0, dash));
  const auto high = dash == std::string_view::npos ? low : parse_size(text.substr(dash + 1));
  if (!low || !high || *low > *high) {
    return wrong("size", text, "not a size, a range of sizes or imix",
                 "Give bytes up to 65535 such as 64, a range such as 64-1500, or imix");
  }
  Sizes sizes;
  sizes.low = *low;
  sizes.high = *high;
  return sizes;
}

Result<Rate> parse_rate(std::string_view text) {
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value, std::chars_format::fixed);
  const std::string_view unit(at, static_cast<std::size_t>(end - at));
  if (error == std::errc() && value >= 0 && value <= 1e15) {
    for (const Unit& known : kUnits) {
      if (unit != known.name) continue;
      if (value == 0) return Rate{};
      const double ns = 1e9 / (value * known.factor);
      return known.bits ? Rate{0, 8 * ns} : Rate{ns, 0};
    }
  }
  return wrong(
      "rate", text, "not a rate",
      "Give packets per second such as 250000, 100kpps or 1.5Mpps, bits per second as 10Gbps, "
      "or 0 for as fast as possible");
}

Result<GenPlan> make_plan(const GenSettings& s) {
  GenPlan plan;
  if (const auto checked = check_numbers(s); !checked) return checked.error();
  const auto sizes = parse_sizes(s.size);
  if (!sizes) return sizes.error();
  const auto rate = parse_rate(s.rate);
  if (!rate) return rate.error();
  if (const auto ends = parse_ends(s, plan); !ends) return ends.error();
  plan.sizes = *sizes;
  plan.rate = *rate;
  plan.count = s.count;
  plan.flows = s.flows;
  plan.protocol = s.protocol;
  plan.ip_version = s.ip_version;
  plan.vlan = s.vlan;
  plan.source_port = static_cast<std::uint16_t>(s.source_port);
  plan.destination_port = static_cast<std::uint16_t>(s.destination_port);
  plan.seed = s.seed;
  return plan;
}

}  // namespace packetplugin
