// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/memif/settings.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>

#include "gst/common/parse_number.hpp"
#include "gst/memif/control/handshake.hpp"

namespace gstmemif {
namespace {

// ---- Values as text -------------------------------------------------------------------------

std::string text_of(const std::string& value) {
  return value;
}
std::string text_of(std::uint64_t value) {
  return std::to_string(value);
}
std::string text_of(Role value) {
  return value == Role::slave ? "slave" : "master";
}
std::string text_of(Mode value) {
  return std::string(to_string(value));
}
std::string text_of(UnsealedMemory value) {
  return value == UnsealedMemory::guard ? "guard" : "refuse";
}

Error invalid(const std::string& setting, const std::string& why) {
  return {ErrorCode::settings, "Invalid " + setting, why};
}

Result<std::vector<uid_t>> parse_uids(std::string_view text) {
  const auto wrong = [all = std::string(text)] {
    return invalid("allowed-uids=" + all,
                   "must be user numbers separated by commas, such as 0,1000");
  };
  std::vector<uid_t> uids;
  while (!text.empty()) {
    const std::string_view item = text.substr(0, text.find(','));
    const auto uid = gstcommon::parse_number<uid_t>(item);
    if (!uid) return wrong();
    uids.push_back(*uid);
    text.remove_prefix(std::min(text.size(), item.size() + 1));
  }
  return uids;
}

std::string text_of(const std::vector<uid_t>& uids) {
  std::string text;
  for (const uid_t uid : uids) text += (text.empty() ? "" : ",") + std::to_string(uid);
  return text;
}

// ---- The table ------------------------------------------------------------------------------

/** Reads and writes the member that @p Path leads to. */
template <auto... Path>
struct Member {
  template <class S>
  static auto& of(S& settings) {
    return (settings.*....*Path);  // a fold over .*
  }
  static SettingValue get(const Settings& settings) { return of(settings); }
  static Result<void> set(Settings& settings, const SettingValue& value) {
    auto& member = of(settings);
    const auto* given = std::get_if<std::remove_reference_t<decltype(member)>>(&value);
    if (given == nullptr) return Error{ErrorCode::settings, "a value of the wrong type"};
    member = *given;
    return {};
  }
};

struct Socket {
  static SettingValue get(const Settings& settings) { return settings.socket.text(); }
  static Result<void> set(Settings& settings, const SettingValue& value) {
    const auto* text = std::get_if<std::string>(&value);
    Result<SocketAddress> address = SocketAddress::parse(text != nullptr ? *text : "");
    if (!address) return address.error();
    settings.socket = std::move(*address);
    return {};
  }
};

struct AllowedUids {
  static SettingValue get(const Settings& settings) {
    return text_of(settings.listen.allowed_uids);
  }
  static Result<void> set(Settings& settings, const SettingValue& value) {
    const auto* text = std::get_if<std::string>(&value);
    Result<std::vector<uid_t>> uids = parse_uids(text != nullptr ? *text : "");
    if (!uids) return uids.error();
    settings.listen.allowed_uids = std::move(*uids);
    return {};
  }
};

/** What a row does not say is as in most of them. */
struct Traits {
  const char* note = nullptr;
  SettingLimits limits = {};
  NewLink new_link = NewLink::never;
  bool receive_only = false;
  bool hidden = false;
};

template <class Access>
constexpr SettingInfo row(const char* name, const char* nick, const char* blurb,
                          Traits traits = {}) {
  return {name,
          nick,
          blurb,
          traits.note,
          traits.limits,
          traits.new_link,
          traits.receive_only,
          traits.hidden,
          Access::get,
          Access::set};
}

constexpr char kMasterOnly[] = "master only";
constexpr char kSlaveOnly[] = "the slave's value applies";
// What is decimal by mistake, as 660, is more.
constexpr std::uint64_t kMaxSocketMode = 0777;
constexpr SettingLimits kPositive = {.min = 1};
constexpr SettingLimits kDialIntervals = {.min = 10, .max = 3600000};
constexpr SettingLimits kQueues = {.min = 1, .max = kMaxQueues};

constexpr std::array kSettings = {
    row<Socket>("socket-path", "Socket path",
                "UNIX socket of the interface: a path, or @name for an abstract socket"),
    row<Member<&Settings::id>>("id", "Interface ID",
                               "Number of the interface on its socket, the same at both ends"),
    row<Member<&Settings::role>>(
        "role", "Role",
        "Side of the link: the slave connects and owns the shared memory, the master listens"),
    row<Member<&Settings::mode>>("mode", "Mode", "Type of the packets, the same at both ends",
                                 {.new_link = NewLink::always}),
    row<Member<&Settings::secret>>("secret", "Secret", "Password of the interface",
                                   {.note = "the master requires it; libmemif keeps 23",
                                    .limits = {.max = kMaxSecretLength},
                                    .new_link = NewLink::always,
                                    .hidden = true}),
    row<Member<&Settings::interface_name>>(
        "interface-name", "Interface name", "Name that the peer shows for this side",
        {.note = "empty: that of the element", .limits = {.max = kMaxNameLength}}),
    row<Member<&Settings::app_name>>("app-name", "Application name",
                                     "Name that the peer shows for this program",
                                     {.limits = {.max = kMaxNameLength}}),
    row<Member<&Settings::ring_size>>(
        "ring-size", "Ring size", "Slots of each ring",
        {.note = kSlaveOnly,
         .limits = {.min = kMinRingSize, .max = kMaxRingSize, .power_of_two = true},
         .new_link = NewLink::as_slave}),
    row<Member<&Settings::buffer_size>>(
        "buffer-size", "Buffer size", "Bytes of a slot",
        {.note = "longer packets take several slots; the slave's value applies",
         .limits = kPositive,
         .new_link = NewLink::as_slave}),
    row<Member<&Settings::rx_queues>>("rx-queues", "Receive queues",
                                      "Number of queues from the peer to this side",
                                      {.note = "the peer may agree to fewer", .limits = kQueues}),
    row<Member<&Settings::tx_queues>>("tx-queues", "Transmit queues",
                                      "Number of queues from this side to the peer",
                                      {.note = "the peer may agree to fewer", .limits = kQueues}),
    row<Member<&Settings::dial_interval>>(
        "dial-interval", "Dial interval",
        "Longest time between two tries to connect, in milliseconds",
        {.note = "slave only", .limits = kDialIntervals}),
    row<Member<&Settings::listen, &ListenOptions::mode>>(
        "socket-mode", "Socket file mode",
        "Permissions of the socket file, as for chmod: 0660 (octal) is 432",
        {.note = kMasterOnly,
         .limits = {.max = kMaxSocketMode, .octal = true},
         .new_link = NewLink::as_master}),
    row<Member<&Settings::listen, &ListenOptions::owner>>(
        "socket-owner", "Socket file owner",
        "Owner of the socket file as user:group, names or numbers; empty: this process's",
        {.note = kMasterOnly, .new_link = NewLink::as_master}),
    row<AllowedUids>(
        "allowed-uids", "Allowed users",
        "User IDs that may connect, separated by commas; empty: all that the file admits",
        {.note = kMasterOnly, .new_link = NewLink::as_master}),
    row<Member<&Settings::unsealed_memory>>(
        "unsealed-memory", "Unsealed memory",
        "How to treat memory that the peer can truncate while it is in use", {.note = kMasterOnly}),
    row<Member<&Settings::memory_limit>>(
        "memory-limit", "Memory limit",
        "Most shared memory that a peer may bring, in bytes; one with more is refused",
        {.note = kMasterOnly}),
    row<Member<&Settings::max_packet_size>>(
        "max-packet-size", "Maximum packet size", "Longest packet to receive, in bytes",
        {.note = "longer ones: drop-too-long", .limits = kPositive, .receive_only = true}),
    row<Member<&Settings::copy_limit>>(
        "copy-limit", "Copy limit",
        "Most bytes of copies of received packets; packets beyond it are dropped (drop-no-memory)",
        {.receive_only = true}),
};

// ---- Checks ---------------------------------------------------------------------------------

bool holds_text(const SettingInfo& info) {
  return std::holds_alternative<std::string>(info.get(Settings()));
}

/** "0660" for 432. */
std::string octal(std::uint64_t value) {
  constexpr int kOctal = 8;
  std::array<char, 24> text{'0'};
  const auto end = std::to_chars(text.data() + 1, text.data() + text.size(), value, kOctal);
  return {text.data(), end.ptr};
}

/** "from 1 to 255"; empty where all values are good. */
std::string limits_text(const SettingInfo& info) {
  const SettingLimits& limits = info.limits;
  const std::string min = std::to_string(limits.min);
  const std::string max = std::to_string(limits.max);
  if (holds_text(info)) return limits.max == UINT64_MAX ? "" : "at most " + max + " bytes";
  if (limits.octal) return "from 0 to " + octal(limits.max);
  if (limits.power_of_two) return "a power of two from " + min + " to " + max;
  if (limits.max != UINT64_MAX) return "from " + min + " to " + max;
  return limits.min != 0 ? min + " or more" : "";
}

/** Values near the wrong one that would do. */
std::string suggestion(const SettingInfo& info, std::uint64_t value) {
  const SettingLimits& limits = info.limits;
  if (limits.octal) {
    const std::uint64_t preset = std::get<std::uint32_t>(info.get({}));
    return octal(preset) + ", which is " + std::to_string(preset) + " as a decimal number";
  }
  if (!limits.power_of_two) return std::visit([](auto v) { return text_of(v); }, info.get({}));
  const std::uint64_t below = std::clamp(std::bit_floor(value), limits.min, limits.max);
  const bool between = below < value && 2 * below <= limits.max;
  return std::to_string(below) + (between ? " or " + std::to_string(2 * below) : "");
}

bool allowed(const SettingLimits& limits, std::uint64_t value) {
  return value >= limits.min && value <= limits.max &&
         (!limits.power_of_two || std::has_single_bit(value));
}

Result<void> check_number(const SettingInfo& info, std::uint64_t value) {
  if (allowed(info.limits, value)) return {};
  return invalid(show(info, value),
                 "must be " + limits_text(info) + ", such as " + suggestion(info, value));
}

Result<void> check_limits(const SettingInfo& info, const SettingValue& value) {
  if (const auto* number = std::get_if<std::uint32_t>(&value)) return check_number(info, *number);
  if (const auto* number = std::get_if<std::uint64_t>(&value)) return check_number(info, *number);
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr || allowed(info.limits, text->size())) return {};
  return invalid(show(info, value),
                 "must be " + limits_text(info) + " long, not " + std::to_string(text->size()));
}

/** Different texts may mean the same. */
SettingValue normalized(const SettingInfo& info, const SettingValue& value) {
  Settings settings;
  return info.set(settings, value) ? info.get(settings) : value;
}

}  // namespace

SocketAddress default_socket_address() {
  return *SocketAddress::parse(kDefaultSocketPath);
}

std::span<const SettingInfo> setting_infos() noexcept {
  return kSettings;
}

const SettingInfo* find_setting(std::string_view name) noexcept {
  const auto found = std::ranges::find(kSettings, name, &SettingInfo::name);
  return found != kSettings.end() ? &*found : nullptr;
}

std::string describe(const SettingInfo& info) {
  std::string text = info.blurb;
  // The range of a number is shown beside its blurb.
  if (info.limits.power_of_two) text += ", a power of two";
  if (holds_text(info) && info.limits.max != UINT64_MAX) text += ", " + limits_text(info);
  return info.note != nullptr ? text + " (" + info.note + ")" : text;
}

std::string show(const SettingInfo& info, const SettingValue& value) {
  const std::string name = info.name;
  if (info.hidden) return name + "=(hidden)";
  return name + "=" + std::visit([](const auto& shown) { return text_of(shown); }, value);
}

Result<void> validate(const Settings& settings) {
  for (const SettingInfo& info : kSettings) {
    if (Result<void> status = check_limits(info, info.get(settings)); !status) return status;
  }
  if (Result<void> status = check_listen_options(settings.listen); !status) return status;
  return settings.role == Role::slave ? check_slave_memory(settings) : Result<void>();
}

Result<void> apply_settings(const PartialSettings& partial, Settings& settings) {
  for (const auto& [info, value] : partial) {
    if (Result<void> status = info->set(settings, value); !status) return status;
  }
  return {};
}

Result<void> check_agreement(const PartialSettings& a, const std::string& a_name,
                             const PartialSettings& b, const std::string& b_name) {
  for (const auto& [info, value] : a) {
    const auto other = b.find(info);
    if (other == b.end()) continue;
    if (normalized(*info, value) == normalized(*info, other->second)) continue;
    return Error{ErrorCode::settings,
                 show(*info, value) + " of " + a_name + " conflicts with " +
                     show(*info, other->second) + " of " + b_name,
                 "both use one memif interface (the same socket-path, id and role)",
                 "Set the same value on both, or set it on only one"};
  }
  return {};
}

std::optional<Role> parse_role(std::string_view text) noexcept {
  if (text == "slave" || text == "client") return Role::slave;
  if (text == "master" || text == "server") return Role::master;
  return {};
}

}  // namespace gstmemif
