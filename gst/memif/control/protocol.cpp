// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/memif/control/protocol.hpp"

#include <glib.h>

#include <algorithm>
#include <cstring>
#include <memory>

namespace gstmemif {
namespace {

enum WireType : std::uint16_t {
  kTypeAck = 1,
  kTypeHello = 2,
  kTypeInit = 3,
  kTypeAddRegion = 4,
  kTypeAddRing = 5,
  kTypeConnect = 6,
  kTypeConnected = 7,
  kTypeDisconnect = 8,
};

constexpr std::size_t kNameField = 32;
constexpr std::size_t kReasonField = 96;
constexpr std::uint16_t kRingFlagS2m = 1;

/** Fixed offsets in a zeroed message; offsets are ours, so they need no run-time check. */
class Writer {
 public:
  explicit Writer(std::uint16_t type) noexcept { put(0, type); }

  template <class T>
  Writer& put(std::size_t offset, T value) noexcept {
    std::memcpy(bytes_.data() + offset, &value, sizeof value);
    return *this;
  }
  Writer& text(std::size_t offset, std::size_t field, std::string_view value) noexcept {
    std::memcpy(bytes_.data() + offset, value.data(), std::min(field, value.size()));
    return *this;
  }
  const MessageBytes& bytes() const noexcept { return bytes_; }

 private:
  MessageBytes bytes_{};
};

class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) noexcept : bytes_(bytes) {}

  template <class T>
  T get(std::size_t offset) const noexcept {
    T value;
    std::memcpy(&value, bytes_.data() + offset, sizeof value);
    return value;
  }
  std::string text(std::size_t offset, std::size_t field) const {
    const char* start = reinterpret_cast<const char*>(bytes_.data()) + offset;
    return std::string(start, ::strnlen(start, field));
  }

 private:
  std::span<const std::byte> bytes_;
};

MessageBytes write(const Ack&) {
  return Writer(kTypeAck).bytes();
}
MessageBytes write(const Hello& m) {
  return Writer(kTypeHello)
      .text(2, kMaxNameLength, m.name)
      .put(34, m.min_version)
      .put(36, m.max_version)
      .put(38, m.max_region)
      .put(40, m.max_m2s_ring)
      .put(42, m.max_s2m_ring)
      .put(44, m.max_log2_ring_size)
      .bytes();
}
MessageBytes write(const Init& m) {
  return Writer(kTypeInit)
      .put(2, m.version)
      .put(4, m.id)
      .put(8, m.mode)
      .text(9, kMaxSecretLength, m.secret)
      .text(33, kMaxNameLength, m.name)
      .bytes();
}
MessageBytes write(const AddRegion& m) {
  return Writer(kTypeAddRegion).put(2, m.index).put(4, m.size).bytes();
}
MessageBytes write(const AddRing& m) {
  const std::uint16_t flags = m.direction == Direction::s2m ? kRingFlagS2m : 0;
  return Writer(kTypeAddRing)
      .put(2, flags)
      .put(4, m.index)
      .put(6, m.region)
      .put(8, m.offset)
      .put(12, m.log2_size)
      .put(13, m.private_header_size)
      .bytes();
}
MessageBytes write(const Connect& m) {
  return Writer(kTypeConnect).text(2, kMaxNameLength, m.interface_name).bytes();
}
MessageBytes write(const Connected& m) {
  return Writer(kTypeConnected).text(2, kMaxNameLength, m.interface_name).bytes();
}
MessageBytes write(const Disconnect& m) {
  return Writer(kTypeDisconnect).put(2, m.code).text(6, kReasonField - 1, m.reason).bytes();
}

Message read_hello(const Reader& r) {
  Hello m;
  m.name = r.text(2, kNameField);
  m.min_version = r.get<std::uint16_t>(34);
  m.max_version = r.get<std::uint16_t>(36);
  m.max_region = r.get<std::uint16_t>(38);
  m.max_m2s_ring = r.get<std::uint16_t>(40);
  m.max_s2m_ring = r.get<std::uint16_t>(42);
  m.max_log2_ring_size = r.get<std::uint8_t>(44);
  return m;
}
Message read_init(const Reader& r) {
  Init m;
  m.version = r.get<std::uint16_t>(2);
  m.id = r.get<std::uint32_t>(4);
  m.mode = r.get<std::uint8_t>(8);
  m.secret = r.text(9, kMaxSecretLength);
  m.name = r.text(33, kNameField);
  return m;
}
Message read_add_ring(const Reader& r) {
  AddRing m;
  m.direction = (r.get<std::uint16_t>(2) & kRingFlagS2m) != 0 ? Direction::s2m : Direction::m2s;
  m.index = r.get<std::uint16_t>(4);
  m.region = r.get<std::uint16_t>(6);
  m.offset = r.get<std::uint32_t>(8);
  m.log2_size = r.get<std::uint8_t>(12);
  m.private_header_size = r.get<std::uint16_t>(13);
  return m;
}

/**
 * Characters that are not shown as such: control characters of both sets, line and paragraph
 * separators, and format characters, which are invisible or change the direction of text.
 */
bool acts_on_a_terminal(gunichar c) noexcept {
  switch (g_unichar_type(c)) {
    case G_UNICODE_CONTROL:
    case G_UNICODE_FORMAT:
    case G_UNICODE_LINE_SEPARATOR:
    case G_UNICODE_PARAGRAPH_SEPARATOR:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::string_view to_string(Role role) noexcept {
  return role == Role::master ? "master" : "slave";
}

std::string_view to_string(Mode mode) noexcept {
  switch (mode) {
    case Mode::ethernet:
      return "ethernet";
    case Mode::ip:
      return "ip";
    case Mode::punt_inject:
      return "punt-inject";
  }
  return "unknown";
}

std::string_view message_name(const Message& message) noexcept {
  static constexpr std::array<std::string_view, std::variant_size_v<Message>> kNames = {
      "ACK", "HELLO", "INIT", "ADD_REGION", "ADD_RING", "CONNECT", "CONNECTED", "DISCONNECT"};
  return kNames[message.index()];
}

MessageBytes encode(const Message& message) noexcept {
  return std::visit([](const auto& m) { return write(m); }, message);
}

Result<Message> decode(std::span<const std::byte> bytes) {
  if (bytes.size() != kMessageSize) {
    return Error{ErrorCode::protocol,
                 "message of " + std::to_string(bytes.size()) + " bytes instead of 128"};
  }
  const Reader r(bytes);
  const auto type = r.get<std::uint16_t>(0);
  switch (type) {
    case kTypeAck:
      return Message(Ack{});
    case kTypeHello:
      return read_hello(r);
    case kTypeInit:
      return read_init(r);
    case kTypeAddRegion:
      return Message(AddRegion{r.get<std::uint16_t>(2), r.get<std::uint64_t>(4)});
    case kTypeAddRing:
      return read_add_ring(r);
    case kTypeConnect:
      return Message(Connect{r.text(2, kNameField)});
    case kTypeConnected:
      return Message(Connected{r.text(2, kNameField)});
    case kTypeDisconnect:
      return Message(Disconnect{r.get<std::uint32_t>(2), r.text(6, kReasonField)});
    default:
      return Error{ErrorCode::protocol, "unknown message type " + std::to_string(type)};
  }
}

std::string printable(std::string_view text) {
  const std::unique_ptr<char, decltype(&g_free)> valid(
      g_utf8_make_valid(text.data(), static_cast<gssize>(text.size())), &g_free);
  std::string out;
  for (const char *c = valid.get(), *next = c; *c != '\0'; c = next) {
    next = g_utf8_next_char(c);
    if (acts_on_a_terminal(g_utf8_get_char(c))) {
      out += '?';
    } else {
      out.append(c, next);
    }
  }
  return out;
}

}  // namespace gstmemif
