// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "vdev.hpp"

#include <algorithm>
#include <bit>
#include <map>
#include <set>
#include <tuple>

#include "gst/memif/settings.hpp"
#include "gst/packet/headers/address.hpp"
#include "values.hpp"

namespace {

// ---- Values -----------------------------------------------------------------------------------

/** Takes a number over if it is within the limits. */
bool set_number(std::uint32_t& to, std::string_view text, std::uint32_t least,
                std::uint32_t most = UINT32_MAX) {
  const auto number = parse_number<std::uint32_t>(text);
  if (!number || *number < least || *number > most) return false;
  to = *number;
  return true;
}

bool set_address(Vdev& vdev, std::string_view text) {
  const std::string_view list = without_braces(text);
  const auto addresses = split_list(list);
  if (!addresses) return false;
  for (const std::string& one : *addresses) {
    const auto v4 = gstpacket::Ipv4Address::parse(one);
    const auto v6 = gstpacket::Ipv6Address::parse(one);
    if (!(v4 && v4->is_host()) && !(v6 && v6->is_host())) return false;
    if (std::ranges::count(*addresses, one) > 1) return false;
  }
  vdev.address = list;
  return true;
}

/** The numbers are those of the -r of older responders. */
bool set_role(Vdev& vdev, std::string_view text) {
  const auto role = gstmemif::parse_role(text == "0" ? "slave" : text == "1" ? "master" : text);
  if (role) vdev.master = *role == gstmemif::Role::master;
  return role.has_value();
}

bool set_socket(Vdev& vdev, std::string_view text) {
  vdev.socket = text;
  return static_cast<bool>(gstmemif::SocketAddress::parse(text));
}

bool set_receive_mode(Vdev& vdev, std::string_view text) {
  vdev.poll = text == "poll";
  return vdev.poll || text == "interrupt";
}

bool set_ring_size(Vdev& vdev, std::string_view text) {
  return set_number(vdev.ring_size, text, gstmemif::kMinRingSize, gstmemif::kMaxRingSize) &&
         std::has_single_bit(vdev.ring_size);
}

bool set_cpus(Vdev& vdev, std::string_view text) {
  vdev.cpus = without_braces(text);
  return parse_cpus(text).has_value();
}

bool valid_name(std::string_view name) {
  constexpr std::size_t kLongest = 31;  // what the protocol has room for
  return !name.empty() && name.size() <= kLongest && std::ranges::all_of(name, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '-' || c == '.' || c == '/';
  });
}

// ---- Messages ---------------------------------------------------------------------------------

std::string key_names() {
  std::string names;
  for (const VdevKey& key : vdev_keys()) names += (names.empty() ? "" : ", ") + key.name;
  return names;
}

[[noreturn]] void wrong(const std::string& what, const std::string& allowed) {
  throw WrongOption(what + "; allowed: " + allowed);
}

void take(Vdev& vdev, const std::string& item, std::set<std::string>& seen) {
  const std::string where = "--vdev=" + vdev.name + ": ";
  const std::size_t equals = item.find('=');
  const std::string name = item.substr(0, equals);
  const VdevKey* key = find_vdev_key(name);
  if (key == nullptr) wrong(where + "unknown key '" + name + "'", key_names());
  if (equals == std::string::npos) wrong(where + name + " has no value", key->allowed);
  if (!seen.insert(name).second) throw WrongOption(where + name + " is given twice");
  const std::string value = item.substr(equals + 1);
  if (!key->set(vdev, value)) wrong(where + name + "=" + value + " is wrong", key->allowed);
}

/** What the engine says about the settings as a whole, such as their sum of memory. */
void check_settings(const Vdev& vdev) {
  gstmemif::Settings settings;
  settings.socket = *gstmemif::SocketAddress::parse(vdev.socket);
  settings.role = vdev.master ? gstmemif::Role::master : gstmemif::Role::slave;
  settings.rx_queues = settings.tx_queues = vdev.queues;
  settings.ring_size = vdev.ring_size;
  settings.buffer_size = vdev.buffer_size;
  for (const gstmemif::Result<void>& status :
       {gstmemif::validate(settings),
        gstmemif::check_socket_path(settings.socket, settings.role)}) {
    if (!status) throw WrongOption("--vdev=" + vdev.name + ": " + status.error().text());
  }
}

}  // namespace

const std::vector<VdevKey>& vdev_keys() {
  static const std::vector<VdevKey> keys = {
      {"i", "id", "interface id, the same on both ends (0)", "a number from 0 to 4294967295",
       [](Vdev& v, std::string_view text) { return set_number(v.id, text, 0); }},
      {"ip", "address", "IPv4 or IPv6 address to answer for, or {several} (192.168.1.1)",
       "addresses of a host, each once, such as 192.168.1.1, fd00::1 or {192.168.1.1,fd00::1}",
       set_address},
      {"r", "master|slave", "role: the master listens, the slave connects (slave)",
       "master (1, server), slave (0, client)", set_role},
      {"s", "socket", "path of the UNIX socket, @name for an abstract one (/run/vpp/memif.sock)",
       "a path of 1 to 107 bytes, or @name", set_socket},
      {"domain", "id", "bridge with all other interfaces of this domain; answers nothing itself",
       "a number from 0 to 4294967295",
       [](Vdev& v, std::string_view text) { return set_number(v.domain.emplace(), text, 0); }},
      {"q0", "poll|interrupt", "receive mode of queue 0; all others use interrupts (interrupt)",
       "poll, interrupt", set_receive_mode},
      {"qn", "count", "queues in each direction, one thread each (1)", "a number from 1 to 255",
       [](Vdev& v, std::string_view text) { return set_number(v.queues, text, 1, 255); }},
      {"rs", "ring size", "slots of each ring; the slave's value counts (1024)",
       "a power of two from 2 to 16384 (slots, not their logarithm)", set_ring_size},
      {"bs", "buffer size", "bytes of each slot; the slave's value counts (2048)",
       "a number from 1 to 4294967295",
       [](Vdev& v, std::string_view text) { return set_number(v.buffer_size, text, 1); }},
      {"aff", "{cpu,..}", "CPUs of queue 0's thread, if that polls (any)",
       "CPUs out of " + usable_cpus() + ", such as 0, 0-1 or {0,1}", set_cpus},
  };
  return keys;
}

const VdevKey* find_vdev_key(std::string_view name) {
  const auto key = std::ranges::find(vdev_keys(), name, &VdevKey::name);
  return key == vdev_keys().end() ? nullptr : &*key;
}

Vdev parse_vdev(std::string_view text) {
  const auto items = split_list(text);
  if (!items) throw WrongOption("--vdev=" + std::string(text) + ": braces do not match");
  Vdev vdev;
  vdev.name = items->front();
  if (!valid_name(vdev.name)) {
    wrong("--vdev=" + std::string(text) + ": '" + vdev.name + "' is no name of an interface",
          "1 to 31 letters, digits and . _ - / before the first comma");
  }
  std::set<std::string> seen;
  for (std::size_t i = 1; i < items->size(); ++i) take(vdev, (*items)[i], seen);
  return vdev;
}

void check_vdevs(const std::vector<Vdev>& vdevs) {
  std::set<std::string> names;
  std::map<std::tuple<std::string, std::uint32_t, bool>, std::string> ends;
  for (const Vdev& vdev : vdevs) {
    if (!names.insert(vdev.name).second) {
      throw WrongOption("--vdev=" + vdev.name +
                        " is given twice. (Shells expand braces: put quotes around the option.)");
    }
    // Two ways to write one abstract name are one socket.
    const std::string socket = gstmemif::SocketAddress::parse(vdev.socket)->text();
    const auto [other, added] = ends.emplace(std::tuple(socket, vdev.id, vdev.master), vdev.name);
    if (!added) {
      throw WrongOption("--vdev=" + vdev.name + ": i=" + std::to_string(vdev.id) + " is that of " +
                        other->second + " already; interfaces on one socket need different ids");
    }
    check_settings(vdev);
  }
}
