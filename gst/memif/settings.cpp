// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/memif/settings.hpp"

#include <bit>
#include <charconv>

#include "gst/memif/control/handshake.hpp"

namespace gstmemif {
namespace {

Error wrong(const std::string& setting, const std::string& value, const std::string& why) {
  return {ErrorCode::settings, setting + "=" + value + " is not possible: " + why};
}

std::string show(const std::string& value) {
  return value;
}
std::string show(std::uint64_t value) {
  return std::to_string(value);
}
std::string show(Mode value) {
  return std::string(to_string(value));
}

std::string show(UnsealedMemory value) {
  return value == UnsealedMemory::guard ? "guard" : "refuse";
}

Status check_queues(const char* name, std::uint32_t count) {
  if (count >= 1 && count <= kMaxQueues) return {};
  return wrong(name, show(count), "an interface has 1 to 255 queues in each direction.");
}

Error too_long(const char* name, const std::string& shown, std::size_t size, std::size_t limit) {
  return wrong(name, shown,
               "it has " + std::to_string(size) + " bytes, where the protocol takes " +
                   std::to_string(limit) + ". Use a shorter one.");
}

Status check_name(const std::string& name) {
  if (name.size() <= kMaxNameLength) return {};
  return too_long("interface-name", name, name.size(), kMaxNameLength);
}

/** A secret does not belong into a message, not even a wrong one. */
constexpr char kHidden[] = "(hidden)";

Status check_secret(const std::string& secret) {
  if (secret.size() <= kMaxSecretLength) return {};
  return too_long("secret", kHidden, secret.size(), kMaxSecretLength);
}

Status check_ring_size(std::uint32_t size) {
  if (size >= kMinRingSize && size <= kMaxRingSize && std::has_single_bit(size)) return {};
  const std::uint32_t nearest =
      size < kMinRingSize ? kMinRingSize : std::min(std::bit_floor(size), kMaxRingSize);
  return wrong("ring-size", show(size),
               "rings have a power of two of slots, 2 to 16384. Use " + show(nearest) +
                   (nearest < size && 2 * nearest <= kMaxRingSize ? " or " + show(2 * nearest) + "."
                                                                  : std::string(".")));
}

Status check_memory(const Settings& settings) {
  if (settings.role == Role::master) return {};
  SlaveOffer offer;
  offer.rx_queues = settings.rx_queues;
  offer.tx_queues = settings.tx_queues;
  offer.ring_size = settings.ring_size;
  offer.buffer_size = settings.buffer_size;
  return check_slave_memory(offer);
}

Error contradiction(const std::string& setting, const std::string& a, const std::string& a_name,
                    const std::string& b, const std::string& b_name) {
  return {ErrorCode::settings, setting + "=" + a + " of " + a_name + " contradicts " + setting +
                                   "=" + b + " of " + b_name +
                                   ": both are ends of one memif interface (same socket-path, id "
                                   "and role). Set the same value on both, or set it on one only."};
}

template <class T>
Status agree(const char* setting, const std::optional<T>& a, const std::string& a_name,
             const std::optional<T>& b, const std::string& b_name) {
  if (!a || !b || *a == *b) return {};
  return contradiction(setting, show(*a), a_name, show(*b), b_name);
}

Status agree_on_secret(const std::optional<std::string>& a, const std::string& a_name,
                       const std::optional<std::string>& b, const std::string& b_name) {
  if (!a || !b || *a == *b) return {};
  return contradiction("secret", kHidden, a_name, kHidden, b_name);
}

Result<std::vector<uid_t>> parse_uids(std::string_view text) {
  std::vector<uid_t> uids;
  while (!text.empty()) {
    const std::string_view item = text.substr(0, text.find(','));
    uid_t uid = 0;
    const auto [end, error] = std::from_chars(item.data(), item.data() + item.size(), uid);
    if (error != std::errc() || end != item.data() + item.size()) {
      return wrong("allowed-uids", std::string(text), "give user numbers with commas, as 0,1000.");
    }
    uids.push_back(uid);
    text.remove_prefix(std::min(text.size(), item.size() + 1));
  }
  return uids;
}

template <class T>
void take(const std::optional<T>& from, T& to) {
  if (from) to = *from;
}

}  // namespace

Status validate(const Settings& settings) {
  for (const Status& status :
       {check_queues("rx-queues", settings.rx_queues),
        check_queues("tx-queues", settings.tx_queues), check_secret(settings.secret),
        check_name(settings.interface_name), check_ring_size(settings.ring_size),
        check_listen_options(settings.listen)}) {
    if (!status) return status;
  }
  if (settings.buffer_size == 0) {
    return wrong("buffer-size", "0", "a buffer has 1 byte or more. The default is 2048.");
  }
  if (settings.max_packet_size == 0) {
    return wrong("max-packet-size", "0", "a packet has 1 byte or more. The default is 32 MiB.");
  }
  return check_memory(settings);
}

Status apply(const PartialSettings& partial, Settings& settings) {
  take(partial.mode, settings.mode);
  take(partial.secret, settings.secret);
  take(partial.interface_name, settings.interface_name);
  take(partial.rx_queues, settings.rx_queues);
  take(partial.tx_queues, settings.tx_queues);
  take(partial.ring_size, settings.ring_size);
  take(partial.buffer_size, settings.buffer_size);
  take(partial.socket_owner, settings.listen.owner);
  take(partial.unsealed_memory, settings.unsealed_memory);
  take(partial.memory_limit, settings.memory_limit);
  take(partial.max_packet_size, settings.max_packet_size);
  take(partial.copy_limit, settings.copy_limit);
  if (partial.socket_mode) settings.listen.mode = static_cast<mode_t>(*partial.socket_mode);
  if (partial.allowed_uids) {
    Result<std::vector<uid_t>> uids = parse_uids(*partial.allowed_uids);
    if (!uids) return uids.error();
    settings.listen.allowed_uids = std::move(*uids);
  }
  return {};
}

Status check_agreement(const PartialSettings& a, const std::string& a_name,
                       const PartialSettings& b, const std::string& b_name) {
  for (const Status& status :
       {agree("mode", a.mode, a_name, b.mode, b_name),
        agree_on_secret(a.secret, a_name, b.secret, b_name),
        agree("interface-name", a.interface_name, a_name, b.interface_name, b_name),
        agree("rx-queues", a.rx_queues, a_name, b.rx_queues, b_name),
        agree("tx-queues", a.tx_queues, a_name, b.tx_queues, b_name),
        agree("ring-size", a.ring_size, a_name, b.ring_size, b_name),
        agree("buffer-size", a.buffer_size, a_name, b.buffer_size, b_name),
        agree("socket-mode", a.socket_mode, a_name, b.socket_mode, b_name),
        agree("socket-owner", a.socket_owner, a_name, b.socket_owner, b_name),
        agree("allowed-uids", a.allowed_uids, a_name, b.allowed_uids, b_name),
        agree("unsealed-memory", a.unsealed_memory, a_name, b.unsealed_memory, b_name),
        agree("memory-limit", a.memory_limit, a_name, b.memory_limit, b_name),
        agree("max-packet-size", a.max_packet_size, a_name, b.max_packet_size, b_name),
        agree("copy-limit", a.copy_limit, a_name, b.copy_limit, b_name)}) {
    if (!status) return status;
  }
  return {};
}

std::optional<Role> parse_role(std::string_view text) noexcept {
  if (text == "slave" || text == "client") return Role::slave;
  if (text == "master" || text == "server") return Role::master;
  return {};
}

}  // namespace gstmemif
