// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * A host on an IP network, without threads, clocks and sockets: packets and the time are handed in,
 * and what it sends is handed out.
 *
 * Not thread safe: all calls under one lock. Times are monotonic nanoseconds that never go back.
 * Nothing that arrives makes it keep more than HostLimits allows, or send more than a few packets
 * for one. Packets may be changed by others while they are looked at (see packet.hpp).
 */
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "gst/packet/headers/ethernet.hpp"
#include "gst/packet/headers/ipv4.hpp"
#include "gst/packet/headers/ipv6.hpp"
#include "gst/packet/packet.hpp"
#include "plugins/common/answers.hpp"
#include "plugins/ip/stack/claims.hpp"
#include "plugins/ip/stack/config.hpp"
#include "plugins/ip/stack/counters.hpp"
#include "plugins/ip/stack/icmp_errors.hpp"
#include "plugins/ip/stack/identity.hpp"
#include "plugins/ip/stack/membership.hpp"
#include "plugins/ip/stack/neighbours.hpp"
#include "plugins/ip/stack/ports.hpp"
#include "plugins/ip/stack/random.hpp"
#include "plugins/ip/stack/reassembly.hpp"
#include "plugins/ip/stack/wire.hpp"

namespace ipplugin {

struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;
};

/** What has become of a packet that was received. */
enum class Received {
  used,      ///< by the host itself, or dropped and counted
  reply,     ///< it is the reply now, changed in place: to be sent back
  datagram,  ///< for somebody who has bound a port
};

/** A UDP datagram that arrived. Valid until the next call of the host. */
struct Datagram {
  Endpoint source, destination;
  /** Where its payload is in the packet it came in, in bytes, if `whole` is empty. */
  std::size_t offset = 0, size = 0;
  /** The payload, of `size` bytes, in memory of the host: it came in fragments. */
  std::span<const std::byte> whole;
  /** The bindings it is for, one or more. */
  std::span<const unsigned> ports;
};

/** How to send to an address. */
struct Route {
  enum class State {
    ready,
    pending,      ///< the next hop is being asked for its MAC address: hold()
    unreachable,  ///< no address of that version (in use), no gateway, or an address of our own
  };
  State state = State::unreachable;
  IpAddress source;
  /** In front of the IP header: Ethernet with or without a tag, or nothing. Only if ready. */
  std::array<std::byte, LinkHeader::kMaxSize> link_header{};
  std::size_t link_size = 0;
  /** Of the host, when this was the route. */
  unsigned generation = 0;
};

class Host {
 public:
  explicit Host(const HostConfig& config);
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  /**
   * Takes a packet that arrived. `out` is only set if the result is Received::datagram. The packet
   * may be changed whatever the result.
   */
  Received receive(Packet& packet, GstClockTime now, Output& output, Datagram& out);

  /** Receives on a port, and joins the group of the binding. The number of the binding, or why not.
   */
  Result<unsigned> bind(const Binding& binding, GstClockTime now, Output& output);
  /** Leaves the group, too, if nobody else receives from it. */
  void unbind(unsigned number, GstClockTime now, Output& output);

  /**
   * How to send to `to`: a host, a group or a broadcast address. Asks for the MAC address of the
   * next hop if need be. A route that was ready or unreachable stays so as long as generation() is
   * the same; while it is pending, each packet is to be given to hold().
   */
  Route route(const IpAddress& to, GstClockTime now, Output& output);
  /** An IP packet, complete, whose route is pending. It is copied. */
  void hold(const IpAddress& to, std::span<const std::byte> ip_packet);
  /** Changes when a route that was given may be another one now. */
  [[nodiscard]] unsigned generation() const noexcept {
    return claims_.generation() + neighbours_.generation();
  }
  /** Whether packets to it reach all hosts of the link. */
  [[nodiscard]] bool is_broadcast(Ipv4Address address) const noexcept {
    return us_.is_broadcast(address);
  }

  /** Does what is due; when it wants to be called again, at the latest, if nothing else happens. */
  GstClockTime tick(GstClockTime now, Output& output);
  /**
   * When tick() is to be called, GST_CLOCK_TIME_NONE if never. Cheap, and to be asked after each
   * burst: all other calls may have changed it.
   */
  [[nodiscard]] GstClockTime due() const noexcept;

  /**
   * Probes and announces our addresses, and reports our groups. Before it, and after link_down(),
   * groups are not reported.
   */
  void link_up(GstClockTime now, Output& output);
  /** What was known of the others on the link is forgotten, and what waited for them dropped. */
  void link_down();
  /** The oldest conflict that was not taken yet. Each is told once until it changes. */
  std::optional<Conflict> take_conflict();

  [[nodiscard]] const Counters& counters() const noexcept { return counters_; }
  /** All counters, and how many there are of what is kept, by names such as "drop-too-short". */
  void stats(const std::function<void(const char* name, std::uint64_t value)>& visit) const;
  [[nodiscard]] std::vector<Neighbours::Info> neighbours() const { return neighbours_.list(); }
  /** That somebody receives from, and those of our IPv6 addresses. */
  [[nodiscard]] std::vector<Membership::Info> groups() const { return membership_.list(); }
  /** What it keeps, for tests. */
  struct Kept {
    std::size_t neighbours, held, held_bytes, groups, reassemblies, reassembly_bytes;
  };
  [[nodiscard]] Kept kept() const noexcept {
    return {neighbours_.size(), neighbours_.held(), neighbours_.held_bytes(),
            membership_.size(), reassembly_.size(), reassembly_.memory()};
  }

 private:
  /** A packet that is being received. */
  struct Arrival {
    Packet* packet;       // null: reassembled
    EthernetView* frame;  // null without a link layer
    GstClockTime now;
    Output& output;
    Datagram& datagram;
  };
  Received drop(Count why) noexcept {
    counters_.add(why);
    return Received::used;
  }
  bool receive_plain(Packet& packet, Datagram& out);
  struct PlainFrame {
    std::uint16_t type = 0;
    bool to_many = false;
  };
  [[nodiscard]] PlainFrame plain_frame(std::span<const std::byte> frame) const noexcept;
  bool receive_plain_v4(std::span<std::byte> ip, std::size_t offset, bool to_many, Datagram& out);
  bool receive_plain_v6(std::span<std::byte> ip, std::size_t offset, bool to_many, Datagram& out);
  template <class Address>
  bool deliver_plain(std::span<std::byte> message, std::size_t offset, const Address& source,
                     const Address& destination, Datagram& out);
  Received receive_slowly(Packet& packet, GstClockTime now, Output& output, Datagram& out);
  Received receive_frame(Packet& packet, GstClockTime now, Output& output, Datagram& out);
  Received receive_arp(const Arrival& arrival);
  Received receive_ip(const Arrival& arrival, std::span<std::byte> bytes);
  Received receive_v4(const Arrival& arrival, std::span<std::byte> bytes);
  Received receive_v6(const Arrival& arrival, std::span<std::byte> bytes);
  Received receive_fragment(const Arrival& arrival, const Ipv4View& ip);
  Received receive_fragment(const Arrival& arrival, const Ipv6View& ip);
  Received receive_whole(const Arrival& arrival, std::optional<std::span<std::byte>> packet);
  Received receive_icmp(const Arrival& arrival, Ipv4View& ip);
  Received receive_icmp(const Arrival& arrival, Ipv6View& ip);
  Received receive_from_us(const Arrival& arrival, const Ipv6View& ip);
  Received receive_igmp(const Arrival& arrival, const Ipv4View& ip);
  Received receive_query(const Arrival& arrival, const Ipv6View& ip, const Icmpv6View& icmp);
  Received receive_solicitation(const Arrival& arrival, const Ipv6View& ip, const Icmpv6View& icmp);
  Received receive_advertisement(const Arrival& arrival, const Ipv6View& ip,
                                 const Icmpv6View& icmp);
  template <class View>
  Received receive_udp(const Arrival& arrival, const View& ip, std::span<std::byte> bytes,
                       bool to_all);
  template <class View>
  Received refuse_port(const Arrival& arrival, const View& ip, std::span<const std::byte> bytes);
  Received answered(const Arrival& arrival, answers::Refusal refusal, Count what, Packet* whole);
  void send_fragments(const Arrival& arrival, std::span<const std::byte> packet);
  [[nodiscard]] bool is_ours(const EthernetView& frame) const noexcept;
  [[nodiscard]] Result<void> check_limits(const Binding& binding) const;
  void rejoin(const IpAddress& group, GstClockTime now, Output& output);

  const HostConfig config_;
  Counters counters_;
  Random random_;
  Identity us_;
  Wire wire_;
  Neighbours neighbours_;
  PortTable ports_;
  Claims claims_;
  Membership membership_;
  Reassembly reassembly_;
  TokenBucket errors_;
  // Of frames that come from others to us.
  std::uint64_t station_ = 0;
  std::size_t link_size_ = 0;
};

}  // namespace ipplugin
