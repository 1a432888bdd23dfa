// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * A packet as an element sees it, and the verdicts of an element.
 *
 * The bytes of a packet may change while an element processes them: they can lie in memory that
 * another process writes to, such as the peer of a memif link in which we are the slave. So an
 * element reads a byte once, decides on the value, and never reads it again:
 *
 * - What does not change under an element: the Packet itself (where it begins, its size, its room,
 *   its time), views with all that their getters say, spans, verdicts. They are ours.
 * - What may change at any moment, also after it was written: the bytes that bytes(), writable()
 * and
 *   the payload() of a view show. A length, type or address that is read from them a second time
 *   can be another one, and what was checked before is then checked no more.
 * - Header views copy their header when they are made, check that copy, and answer everything from
 *   it. Extension headers and options that a view knows are walked once, then. Setters change the
 *   copy and store to the packet, within the bounds that were checked. So: one view per header,
 *   made once and passed on; a header that is to be replaced is written from values, not parsed
 *   again.
 * - Other bytes come in by load_be(), once each, into a variable. It hides from the compiler where
 *   the value came from, for a compiler is free to read plain memory twice (`bytes[0]` in a
 *   condition and again in an expression, for instance).
 * - Checksums read what they sum once, and nothing depends on what they read but the sum. Whoever
 *   changes bytes behind a verified checksum has sent a damaged packet, no more.
 * - Nothing has to keep a packet that changed from being forwarded: that is the sender's problem.
 *   Only our bounds, our decisions and our counters must not depend on it.
 */
#pragma once

#include <gst/gst.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

#include "gst/packet/export.hpp"

namespace gstpacket {

class Packet;

/** What to do with a packet: made by forward(), to(), flood() and drop(). */
struct Verdict {
  static constexpr std::uint8_t kDrop = 255;
  static constexpr std::uint8_t kFlood = 254;
  /** Ports are numbered 0 to 252; 253 stands for any number beyond. */
  static constexpr unsigned kMaxPorts = 253;
  static constexpr std::uint8_t kNoReason = 255;
  std::uint8_t port = 0;
  std::uint8_t reason = 0;
  friend constexpr bool operator==(const Verdict&, const Verdict&) = default;
};

/** The packet leaves through the source pad `src`. */
[[nodiscard]] constexpr Verdict forward() noexcept {
  return {};
}
/**
 * The packet leaves through source pad number `port`: 0 is `src`, 1 the first of the element's
 * `ports`; in a SwitchElement it is `src_<port>`. Packets keep their order on each pad. If nothing
 * is linked there, the packet is dropped and counted as `drop-unlinked`.
 */
[[nodiscard]] constexpr Verdict to(unsigned port) noexcept {
  return {static_cast<std::uint8_t>(port < Verdict::kMaxPorts ? port : Verdict::kMaxPorts), 0};
}
/**
 * Only in a SwitchElement: the packet leaves through the source pad of every port but the one it
 * came in by. All get the same bytes; an element that changes them copies them first.
 */
[[nodiscard]] constexpr Verdict flood() noexcept {
  return {Verdict::kFlood, 0};
}
/**
 * The packet ends here and is counted under the name of `reason`, an enumerator of the element's
 * enum Drop.
 */
template <class Reason>
requires std::is_enum_v<Reason>
[[nodiscard]] constexpr Verdict drop(Reason reason) noexcept {
  return {Verdict::kDrop, static_cast<std::uint8_t>(reason)};
}
/** The packet ends here and is only counted in `dropped`. */
[[nodiscard]] constexpr Verdict drop() noexcept {
  return {Verdict::kDrop, Verdict::kNoReason};
}

/**
 * Whether an element changes packets. With modify, packets that someone else can see are copied
 * first.
 */
enum class Access { read, modify };

namespace detail {

class Burst;

}  // namespace detail

/**
 * A view of one packet: never owns it, valid only during the call it is passed to, used by one
 * thread. An element with Access::modify gets Packet&, whose bytes are exclusively its own; one
 * with Access::read gets const Packet&.
 */
class Packet {
 public:
  Packet() = default;
  /**
   * A packet in memory of the caller, with `head` and `tail` spare bytes around it. It cannot
   * grow beyond them. For tests and for use outside of elements.
   */
  explicit Packet(std::span<std::byte> bytes, std::size_t head = 0, std::size_t tail = 0,
                  GstClockTime timestamp = GST_CLOCK_TIME_NONE) noexcept
      : data_(bytes.data()),
        timestamp_(timestamp),
        size_(static_cast<std::uint32_t>(bytes.size())),
        room_{static_cast<std::uint32_t>(head), static_cast<std::uint32_t>(tail)} {}

  /**
   * The bytes themselves. They may change at any moment (see the top of this file): take what is
   * decided on by a view or by load_be(), once.
   */
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {data_, size_}; }
  /** The same to write to. What was written may also change before it is read back. */
  [[nodiscard]] std::span<std::byte> writable() noexcept { return {data_, size_}; }
  /** In bytes. */
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /** In nanoseconds of the segment's time, or GST_CLOCK_TIME_NONE. */
  [[nodiscard]] GstClockTime timestamp() const noexcept { return timestamp_; }
  /** Bytes that push_front() and extend() can use without moving the packet. */
  [[nodiscard]] std::size_t headroom() const noexcept { return room_.head; }
  [[nodiscard]] std::size_t tailroom() const noexcept { return room_.tail; }

  /**
   * Puts `n` zero bytes in front. Without that much headroom the packet moves to new memory,
   * which is counted in `copies`; false, and nothing changed, only if there is no memory. Spans
   * and views taken before are invalid afterwards.
   */
  [[nodiscard]] bool push_front(std::size_t n) noexcept {
    if (n > room_.head && !make_room(n, 0)) return false;
    data_ -= n;
    room_.head -= static_cast<std::uint32_t>(n);
    size_ += static_cast<std::uint32_t>(n);
    if (n != 0) std::memset(data_, 0, n);
    return true;
  }
  /** Puts `n` zero bytes behind the packet; otherwise as push_front(). */
  [[nodiscard]] bool extend(std::size_t n) noexcept {
    if (n > room_.tail && !make_room(0, n)) return false;
    if (n != 0) std::memset(data_ + size_, 0, n);
    room_.tail -= static_cast<std::uint32_t>(n);
    size_ += static_cast<std::uint32_t>(n);
    return true;
  }
  /** Takes `n` bytes off the front; false, and nothing changed, if there are fewer. */
  [[nodiscard]] bool pop_front(std::size_t n) noexcept {
    if (n > size_) return false;
    data_ += n;
    room_.head += static_cast<std::uint32_t>(n);
    size_ -= static_cast<std::uint32_t>(n);
    return true;
  }
  /** Keeps the first `n` bytes; false, and nothing changed, if there are fewer. */
  [[nodiscard]] bool truncate(std::size_t n) noexcept {
    if (n > size_) return false;
    room_.tail += static_cast<std::uint32_t>(size_ - n);
    size_ = static_cast<std::uint32_t>(n);
    return true;
  }

 private:
  friend class detail::Burst;
  // Out of line: the slow path must not grow every caller.
  [[nodiscard]] GSTPACKET_API bool make_room(std::size_t head, std::size_t tail) noexcept;

  struct Room {
    std::uint32_t head = 0;
    std::uint32_t tail = 0;
  };

  std::byte* data_ = nullptr;
  GstClockTime timestamp_ = GST_CLOCK_TIME_NONE;
  detail::Burst* burst_ = nullptr;  // which can move it
  std::uint32_t size_ = 0;
  Room room_;
};

/**
 * The packets of one call, for elements that want to see several at once (to prefetch, to use
 * vectors). How many there are depends on what arrived, 1 to 256, and must not change results.
 */
template <class P>
class BasicPacketBatch {
 public:
  BasicPacketBatch(P* packets, Verdict* verdicts, std::size_t size) noexcept
      : packets_(packets), verdicts_(verdicts), size_(size) {}
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] P& operator[](std::size_t i) const noexcept { return packets_[i]; }
  [[nodiscard]] P* begin() const noexcept { return packets_; }
  [[nodiscard]] P* end() const noexcept { return packets_ + size_; }
  /** Decides about packet `i`; forward() if nothing is said. */
  void set(std::size_t i, Verdict verdict) const noexcept { verdicts_[i] = verdict; }

 private:
  P* packets_;
  Verdict* verdicts_;
  std::size_t size_;
};

using PacketBatch = BasicPacketBatch<Packet>;
using ConstPacketBatch = BasicPacketBatch<const Packet>;

}  // namespace gstpacket
