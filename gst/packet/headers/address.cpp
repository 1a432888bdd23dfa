// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/packet/headers/address.hpp"

#include <arpa/inet.h>

#include <cstdio>

#include "gst/common/parse_number.hpp"

namespace gstpacket {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Error refuse(std::string_view text, const char* why, const char* remedy) {
  return Error{"\"" + std::string(text) + "\"", why, remedy};
}

}  // namespace

Result<Mac> Mac::parse(std::string_view text) {
  const auto bad = [&] {
    return refuse(text, "not a MAC address",
                  "Expected six two-digit hexadecimal numbers separated by colons, such as "
                  "02:00:c0:a8:01:01");
  };
  if (text.size() != 17) return bad();
  Mac mac;
  for (std::size_t i = 0; i < kSize; ++i) {
    const int high = hex_digit(text[3 * i]);
    const int low = hex_digit(text[3 * i + 1]);
    if (high < 0 || low < 0) return bad();
    if (i + 1 < kSize && text[3 * i + 2] != text[2]) return bad();
    mac.bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  if (text[2] != ':' && text[2] != '-') return bad();
  return mac;
}

std::string Mac::format() const {
  char text[18];
  std::snprintf(text, sizeof text, "%02x:%02x:%02x:%02x:%02x:%02x", bytes[0], bytes[1], bytes[2],
                bytes[3], bytes[4], bytes[5]);
  return text;
}

Result<Ipv4Address> Ipv4Address::parse(std::string_view text) {
  std::array<std::byte, kSize> raw;
  if (inet_pton(AF_INET, std::string(text).c_str(), raw.data()) != 1) {
    return refuse(text, "not an IPv4 address",
                  "Expected four decimal numbers from 0 to 255, such as 192.168.1.1");
  }
  return load(raw);
}

std::string Ipv4Address::format() const {
  char text[16];
  std::snprintf(text, sizeof text, "%u.%u.%u.%u", value >> 24, (value >> 16) & 0xff,
                (value >> 8) & 0xff, value & 0xff);
  return text;
}

Result<Ipv6Address> Ipv6Address::parse(std::string_view text) {
  Ipv6Address address;
  if (inet_pton(AF_INET6, std::string(text).c_str(), address.bytes.data()) != 1) {
    return refuse(text, "not an IPv6 address",
                  "Expected eight groups of hexadecimal digits, \"::\" for a run of zeros and no "
                  "zone, such as 2001:db8::1");
  }
  return address;
}

std::string Ipv6Address::format() const {
  char text[INET6_ADDRSTRLEN];
  inet_ntop(AF_INET6, bytes.data(), text, sizeof text);
  return text;
}

Result<IpAddress> IpAddress::parse(std::string_view text) {
  if (text.find(':') != std::string_view::npos) {
    const auto v6 = Ipv6Address::parse(text);
    if (!v6) return v6.error();
    return IpAddress(*v6);
  }
  const auto v4 = Ipv4Address::parse(text);
  if (!v4) {
    return refuse(text, "not an IP address",
                  "Expected an IPv4 address such as 192.168.1.1, or an IPv6 address such as "
                  "2001:db8::1");
  }
  return IpAddress(*v4);
}

std::string IpAddress::format() const {
  return is_v4() ? v4().format() : bytes_.format();
}

Result<IpPrefix> IpPrefix::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return address.error();
  IpPrefix prefix{*address, address->width()};
  if (slash == std::string_view::npos) return prefix;
  const std::string_view digits = text.substr(slash + 1);
  const auto length = gstcommon::parse_number<unsigned>(digits);
  if (!length || *length > prefix.length) {
    return refuse(text, "not a prefix length",
                  address->is_v4() ? "Expected a number from 0 to 32 behind the slash, such as "
                                     "10.0.0.1/24"
                                   : "Expected a number from 0 to 128 behind the slash, such as "
                                     "2001:db8::1/64");
  }
  prefix.length = *length;
  return prefix;
}

std::string IpPrefix::format() const {
  return address.format() + "/" + std::to_string(length);
}

}  // namespace gstpacket
