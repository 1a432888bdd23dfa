// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * A GStreamer element from one class with one function. The class has
 *
 *   static constexpr ElementInfo info{...};            factory name and documentation
 *   enum class Drop { ... };                           optional: reasons, counted in `stats`
 *   Verdict process(Packet&);                          or: void process(PacketBatch&)
 *
 * and may have
 *
 *   static constexpr Access access = Access::read;     then: process(const Packet&) or
 *                                                      process(ConstPacketBatch&)
 *   static constexpr std::array link_types{...};       of gstpacket::LinkType; default: ethernet
 *   static constexpr std::array ports{"name", ...};    more source pads beside `src`
 *   static auto properties();                          a std::tuple of property(...)
 *   Result<void> start(); void stop();                 around streaming: READY to PAUSED and back
 *   Result<void> set_caps(const PacketCaps&);          before the first packet and on every change
 *   void stats(StatsFields&) const;                    fields of its own in `stats`; any thread
 *   Result<void> caution() const;                      at the start: an Error is posted as a
 * warning
 *
 * An element that spreads packets over any number of pads has instead of `src` and `ports` the
 * request pads src_n, which may come and go while packets flow, and
 *
 *   Verdict process(Packet&, std::span<const unsigned> pads);
 *
 * `pads` are the numbers of the pads there are, in ascending order: at least one. to(n) sends to
 * pad n, flood() to all. Pads are independent: one behind which all is stopped or ended loses its
 * packets, which are counted; upstream learns of it when that is so for all. An error of one is an
 * error of the stream.
 *
 * process() and set_caps() run on the streaming thread, start() and stop() never at the same time
 * as they. An exception that leaves any of them becomes an error message of the element.
 *
 * An element with any number of equal ports (a bridge, a hub, a load balancer) has instead
 *
 *   static constexpr Access access = Access::read;     a packet may leave through several ports
 *   static constexpr std::array link_types{...};       exactly one; default: ethernet
 *   Verdict process(const Packet&, unsigned port);     `port` is the one the packet came in by
 *   void port_removed(unsigned port);                  optional: nothing can be sent there any
 *                                                      more; again when nothing comes in by it
 *
 * and no set_caps(). Port n is the pair of request pads sink_n and src_n. Each sink pad may have a
 * streaming thread of its own, so process() runs on several threads at once and must be ready for
 * that; nothing is locked around it.
 */
#pragma once

#include <gst/gst.h>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <span>
#include <string_view>
#include <tuple>
#include <vector>

#include "gst/packet/burst.hpp"
#include "gst/packet/caps.hpp"
#include "gst/packet/export.hpp"
#include "gst/packet/packet.hpp"
#include "gst/packet/property.hpp"
#include "gst/packet/reflect.hpp"
#include "gst/packet/result.hpp"
#include "gst/packet/stats.hpp"

namespace gstpacket {

/** How the registry shows an element. All strings must live forever (literals). */
struct ElementInfo {
  /** The factory name: lower case, no separators. Also the name of the debug category. */
  const char* factory;
  /** A few words in title case. */
  const char* long_name;
  /** Such as "Filter/Network". */
  const char* klass;
  /** One sentence or more, without a full stop at the end. */
  const char* description;
  /** "Name <mail>". */
  const char* author;
  /** Where the element is documented, or null. */
  const char* documentation_uri = nullptr;
};

namespace detail {

/** Which pads an element has. */
enum class Shape {
  filter,    // sink, src and more source pads by name
  splitter,  // sink and request pads src_n
  switcher,  // request pads sink_n and src_n
};

/** The runtime's description of an author's class. */
struct ElementSpec {
  const ElementInfo* info;
  std::string_view class_name;  // of the type: "EthBridge" is GstEthBridge
  Access access;
  std::span<const LinkType> link_types;
  std::span<const char* const> ports;
  std::span<const std::string_view> reasons;
  std::vector<PropertySpec> (*properties)();
  void* (*create)();
  void (*destroy)(void* object);
  /**
   * Processes all packets of the burst; `port` is the one they came in by, `others` are the ports
   * that it may leave by: of a splitter and a switch.
   */
  void (*process)(void* object, Burst& burst, unsigned port, std::span<const unsigned> others);
  Result<void> (*start)(void* object);
  void (*stop)(void* object);
  Result<void> (*set_caps)(void* object, const PacketCaps& caps);
  void (*stats)(const void* object, StatsFields& fields);
  Result<void> (*caution)(const void* object);
  Shape shape;
  // Of a SwitchElement.
  void (*port_removed)(void* object, unsigned port);
};

/** Registers the element; `spec` must live forever. A null plugin registers for this process. */
GSTPACKET_API bool register_spec(GstPlugin* plugin, const ElementSpec& spec);

inline constexpr std::array kEthernetOnly{LinkType::ethernet};

/**
 * An element that does not say what it can read gets what most can: other packets are refused when
 * caps are negotiated, not taken for what they are not.
 */
template <class E>
[[nodiscard]] consteval std::span<const LinkType> link_types_of() {
  if constexpr (requires { E::link_types; }) {
    return E::link_types;
  } else {
    return kEthernetOnly;
  }
}

template <class E>
[[nodiscard]] consteval Access access_of() {
  if constexpr (requires { E::access; }) {
    return E::access;
  } else {
    return Access::modify;
  }
}
template <class E>
using PacketOf = std::conditional_t<access_of<E>() == Access::read, const Packet, Packet>;

}  // namespace detail

/** An element that decides about one packet at a time. */
template <class E>
concept ScalarElement = requires(E e, detail::PacketOf<E>& packet) {
  { e.process(packet) } -> std::same_as<Verdict>;
};
/** An element that decides about a batch at a time. */
template <class E>
concept BatchElement = requires(E e, BasicPacketBatch<detail::PacketOf<E>>& batch) {
  { e.process(batch) } -> std::same_as<void>;
};

/** An element with any number of source pads, which decides about one packet at a time. */
template <class E>
concept SplitterElement = requires(E e, detail::PacketOf<E>& packet,
                                   std::span<const unsigned> pads) {
  { e.process(packet, pads) } -> std::same_as<Verdict>;
};

/** An element with any number of ports, which decides about one packet at a time. */
template <class E>
concept SwitchElement = requires(E e, const Packet& packet, unsigned port) {
  { e.process(packet, port) } -> std::same_as<Verdict>;
};

namespace detail {

template <class E>
void process(void* object, Burst& burst, unsigned port, std::span<const unsigned> others) {
  auto& self = *static_cast<E*>(object);
  if constexpr (BatchElement<E>) {
    BasicPacketBatch<PacketOf<E>> batch(burst.open_all(), burst.verdicts(), burst.size());
    self.process(batch);
    burst.save_all();
    return;
  } else {
    constexpr bool kModifies = access_of<E>() == Access::modify;
    Verdict* verdict = burst.verdicts();
    std::uint64_t bytes_in = 0, bytes_out = 0;
    GstPacketDesc* desc = burst.begin();
    GstPacketDesc* const end = burst.end();
    GstPacketDesc* const last_prefetch = end - std::min(end - desc, kPrefetchAhead);
    for (; desc != end; ++desc, ++verdict) {
      // Descriptors are consecutive, but packets are not, so the hardware does not prefetch them.
      if (desc < last_prefetch) burst.prefetch<kModifies ? 1 : 0>(desc[kPrefetchAhead]);
      Packet* const opened = burst.open(*desc);
      if (opened == nullptr) [[unlikely]] {
        *verdict = kUnreadable;
        continue;
      }
      PacketOf<E>& packet = *opened;
      bytes_in += packet.size();
      if constexpr (SwitchElement<E>) {
        *verdict = self.process(packet, port);
      } else if constexpr (SplitterElement<E>) {
        *verdict = self.process(packet, others);
      } else {
        *verdict = self.process(packet);
      }
      bytes_out += packet.size();
      if constexpr (kModifies) burst.save(*desc, packet);
    }
    burst.count_bytes(bytes_in, bytes_out);
  }
}

template <class E>
std::vector<PropertySpec> properties() {
  std::vector<PropertySpec> out;
  if constexpr (requires { E::properties(); }) {
    std::apply([&out](const auto&... p) { (out.push_back(p.spec(E::info.factory)), ...); },
               E::properties());
  }
  return out;
}

template <class E>
[[nodiscard]] consteval auto reasons() {
  if constexpr (requires { typename E::Drop; }) {
    return enum_names<typename E::Drop>();
  } else {
    return std::array<std::string_view, 0>{};
  }
}

template <class E>
inline constexpr auto kReasons = reasons<E>();

template <class E>
[[nodiscard]] const ElementSpec& spec_of() {
  static const ElementSpec spec = [] {
    ElementSpec s{};
    s.info = &E::info;
    s.class_name = class_name<E>();
    s.access = access_of<E>();
    s.link_types = link_types_of<E>();
    if constexpr (requires { E::ports; }) s.ports = E::ports;
    s.reasons = kReasons<E>;
    s.properties = &properties<E>;
    s.create = []() -> void* { return new E(); };
    s.destroy = [](void* object) { delete static_cast<E*>(object); };
    s.process = &process<E>;
    if constexpr (SwitchElement<E>) {
      static_assert(access_of<E>() == Access::read,
                    "say: static constexpr Access access = Access::read");
      static_assert(link_types_of<E>().size() == 1, "the ports of a switch carry one link type");
      s.shape = Shape::switcher;
    }
    if constexpr (SplitterElement<E>) {
      static_assert(
          !requires { E::ports; }, "the pads of a splitter are requested");
      s.shape = Shape::splitter;
    }
    if constexpr (requires(E e) { e.port_removed(0U); }) {
      s.port_removed = [](void* object, unsigned port) {
        static_cast<E*>(object)->port_removed(port);
      };
    }
    if constexpr (requires(const E e, StatsFields& fields) { e.stats(fields); }) {
      s.stats = [](const void* object, StatsFields& fields) {
        static_cast<const E*>(object)->stats(fields);
      };
    }
    if constexpr (requires(const E e) { e.caution(); }) {
      s.caution = [](const void* object) -> Result<void> {
        return static_cast<const E*>(object)->caution();
      };
    }
    if constexpr (requires(E e) { e.start(); }) {
      s.start = [](void* object) -> Result<void> { return static_cast<E*>(object)->start(); };
    }
    if constexpr (requires(E e) { e.stop(); }) {
      s.stop = [](void* object) { static_cast<E*>(object)->stop(); };
    }
    if constexpr (requires(E e, const PacketCaps& caps) { e.set_caps(caps); }) {
      s.set_caps = [](void* object, const PacketCaps& caps) -> Result<void> {
        return static_cast<E*>(object)->set_caps(caps);
      };
    }
    return s;
  }();
  return spec;
}

}  // namespace detail

/**
 * Registers E under its factory name, with rank NONE. To be called from a plugin's init function;
 * with a null plugin, from an application that brings its own elements. False if GStreamer
 * refuses.
 */
template <class E>
requires ScalarElement<E> || BatchElement<E> || SplitterElement<E> || SwitchElement<E>
bool register_element(GstPlugin* plugin) {
  return detail::register_spec(plugin, detail::spec_of<E>());
}

}  // namespace gstpacket
