// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/ip/udp_sender.hpp"

#include <algorithm>
#include <utility>

#include "gst/packet/headers/checksum.hpp"
#include "gst/packet/packetbatch.h"
#include "plugins/ip/debug.hpp"

namespace ipplugin {
namespace {

// Packets for a next hop that does not answer yet, of which the host holds sixteen.
constexpr std::size_t kMostWaiting = 12;
constexpr std::int64_t kPatienceUs = 1'500'000;

/** Copies memory and sums it; false if it cannot be mapped, or is longer. */
[[gnu::always_inline]] inline bool copy_memory(GstMemory* memory, std::span<std::byte> to,
                                               std::size_t& at, Checksum& sum) {
  GstMapInfo map;
  if (gst_memory_map(memory, &map, GST_MAP_READ) == FALSE) return false;
  const bool fits = map.size <= to.size() - at;
  if (fits) {
    sum.add_copy(to.subspan(at), {reinterpret_cast<const std::byte*>(map.data), map.size});
    at += map.size;
  }
  gst_memory_unmap(memory, &map);
  return fits;
}

/** Copies and sums a buffer; false if it cannot be mapped, or is not that long. */
[[gnu::always_inline]] inline bool copy_payload(const Payload& payload, std::span<std::byte> to,
                                                Checksum& sum) {
  std::size_t at = 0;
  if (payload.only != nullptr) {
    return copy_memory(payload.only, to, at, sum) && at == to.size();
  }
  const guint memories = gst_buffer_n_memory(payload.buffer);
  for (guint i = 0; i < memories; ++i) {
    if (!copy_memory(gst_buffer_peek_memory(payload.buffer, i), to, at, sum)) return false;
  }
  return at == to.size();
}

/** A batch is no payload: all of its arena would leave. */
bool is_batch(GstBuffer* buffer) {
  gpointer state = nullptr;
  // Most buffers have no meta at all, which is cheaper to find out.
  return gst_buffer_iterate_meta(buffer, &state) != nullptr &&
         gst_buffer_get_packet_batch_meta(buffer) != nullptr;
}

Payload payload_of(GstBuffer* buffer) {
  if (gst_buffer_n_memory(buffer) == 1) {
    GstMemory* only = gst_buffer_peek_memory(buffer, 0);
    return {buffer, only, only->size};
  }
  return {buffer, nullptr, gst_buffer_get_size(buffer)};
}

}  // namespace

// ---- settings ---------------------------------------------------------------------------------

SenderSettings UdpSender::settings() const {
  const std::lock_guard lock(mutex_);
  return settings_;
}

void UdpSender::reset() {
  gst_segment_init(&segment_, GST_FORMAT_TIME);
  seen_version_ = 0;
  source_port_ = 0;
  destinations_.clear();
  at_eos = false;
  flushes_source = false;
  for (gstcommon::Counter* counter : {&datagrams_, &bytes_, &held_, &unreachable_}) {
    counter->reset();
  }
}

void UdpSender::add_stats(GstStructure* stats) const {
  gst_structure_set(stats, "datagrams", G_TYPE_UINT64, guint64{datagrams_.get()}, "bytes",
                    G_TYPE_UINT64, guint64{bytes_.get()}, "held", G_TYPE_UINT64,
                    guint64{held_.get()}, "dropped", G_TYPE_UINT64, guint64{unreachable_.get()},
                    nullptr);
}

// ---- destinations -----------------------------------------------------------------------------

std::string UdpSender::pad_name() const {
  gchar* name = gst_pad_get_name(pad_);
  std::string text = name;
  g_free(name);
  return text;
}

bool UdpSender::refuse(const Error& error) {
  const std::string name = pad_name();
  GST_ELEMENT_ERROR_WITH_DETAILS(host_.element(), RESOURCE, SETTINGS,
                                 ("%s cannot send: %s.", name.c_str(), error.text().c_str()),
                                 ("iphost settings"),
                                 ("pad", G_TYPE_STRING, name.c_str(), nullptr));
  return false;
}

bool UdpSender::make_destinations(const SenderSettings& settings) {
  destinations_.clear();
  std::vector<Client> clients;
  if (!settings.clients.empty()) {
    auto given = parse_clients(settings.clients);
    if (!given) return refuse(given.error());
    clients = std::move(*given);
  } else if (!settings.host.empty()) {
    clients.push_back({settings.host, static_cast<std::uint16_t>(settings.port)});
  }
  if (clients.empty()) return refuse({"it has no destination", "", "Set host, or clients"});
  for (const Client& client : clients) {
    const auto address = parse_host(client.host);
    if (!address) return refuse(address.error());
    if (!host_.may_reach(*address)) {
      return refuse({address->format() + " is on no network of the host",
                     "there is no gateway for it", "Set gateway, or another address"});
    }
    destinations_.emplace_back(*address, client.port);
  }
  if (settings.bind_port != 0) {
    source_port_ = static_cast<std::uint16_t>(settings.bind_port);
  } else if (source_port_ == 0 || used_.bind_port != 0) {
    source_port_ = host_.next_port();
  }
  return true;
}

void UdpSender::make_headers(Destination& to, const Route& route) {
  to.state = route.state;
  if (route.state != Route::State::pending) {
    to.waiting = 0;
    to.patient = false;
  }
  if (route.state == Route::State::unreachable) return;
  DatagramFlow flow;
  if (route.state == Route::State::ready) {
    flow.link_header = std::span(route.link_header).first(route.link_size);
  }
  flow.source = route.source;
  flow.destination = to.address;
  flow.source_port = source_port_;
  flow.destination_port = to.port;
  const guint ttl = to.address.is_multicast() ? used_.ttl_mc : used_.ttl;
  flow.hop_limit = static_cast<std::uint8_t>(ttl);
  flow.dscp = used_.dscp < 0 ? std::uint8_t{0} : static_cast<std::uint8_t>(used_.dscp);
  flow.checksum = used_.checksum;
  to.headers.emplace(flow);
  to.longest = to.headers->longest_payload(host_.mtu());
}

/** Asks the host for all routes; true if what it held for one has to leave first. */
bool UdpSender::resolve(IpHost::Lock& lock) {
  bool found = false;
  pending_ = false;
  for (Destination& to : destinations_) {
    const bool waited = to.headers && to.state == Route::State::pending;
    const Route route = lock->route(to.address, lock.now(), lock.output());
    make_headers(to, route);
    found |= waited && route.state != Route::State::pending;
    pending_ |= to.state == Route::State::pending;
  }
  generation_ = lock->generation();
  return found;
}

/** Once for each buffer or list. */
GstFlowReturn UdpSender::prepare() {
  const unsigned version = version_.load(std::memory_order_acquire);
  const bool changed = version != seen_version_;
  if (changed) {
    const SenderSettings now = settings();
    if (!host_.find_link_type() || !make_destinations(now)) return GST_FLOW_ERROR;
    used_ = now;
    seen_version_ = version;
    host_.see_traffic();
  }
  bool found = false;
  {
    IpHost::Lock lock(host_);
    if (!lock) return GST_FLOW_FLUSHING;
    if (changed || pending_ || lock->generation() != generation_) found = resolve(lock);
  }
  // Held packets first, also those that another thread is about to send.
  found ? host_.send_own_before() : host_.send_own();
  return GST_FLOW_OK;
}

// ---- packets ----------------------------------------------------------------------------------

GstFlowReturn UdpSender::unreadable() {
  GST_ELEMENT_ERROR(host_.element(), RESOURCE, READ, ("A buffer cannot be mapped."),
                    ("its memory does not allow gst_memory_map(), or it is a batch of packets"));
  return GST_FLOW_ERROR;
}

GstFlowReturn UdpSender::no_place() {
  if (writer_.flow() != GST_FLOW_ERROR) return writer_.flow();
  GST_ELEMENT_ERROR(host_.element(), RESOURCE, NO_SPACE_LEFT, ("Out of memory for packets."),
                    (nullptr));
  return GST_FLOW_ERROR;
}

GstFlowReturn UdpSender::too_long(const Destination& to, std::size_t size) {
  const bool never = size > to.headers->longest_fragmented();
  const std::string remedy =
      never ? "Let the element before make shorter buffers: no more than " +
                  std::to_string(to.headers->longest_fragmented()) + " bytes make a datagram"
            : "Set the mtu of the payloader to " + std::to_string(to.longest) +
                  " or less, mtu of iphost to more, or fragment=true";
  GST_ELEMENT_ERROR_WITH_DETAILS(host_.element(), STREAM, FORMAT,
                                 ("A buffer of %zu bytes is too long for a datagram with mtu=%u, "
                                  "which has room for %zu bytes. "
                                  "%s.",
                                  size, host_.mtu(), to.longest, remedy.c_str()),
                                 (nullptr), ("pad", G_TYPE_STRING, pad_name().c_str(), nullptr));
  return GST_FLOW_ERROR;
}

GstFlowReturn UdpSender::send_whole(const Destination& to, const Payload& payload,
                                    GstClockTime pts) {
  const std::size_t headers = to.headers->size();
  const auto packet = writer_.place(headers + payload.size, pts);
  if (packet.empty()) return no_place();
  Checksum sum;
  if (!copy_payload(payload, packet.subspan(headers), sum)) return unreadable();
  to.headers->write(packet, sum.sum());
  writer_.add(packet.size());
  return GST_FLOW_OK;
}

/** Calls @p send with the data of each fragment and what its headers say. */
template <class Send>
GstFlowReturn UdpSender::for_each_fragment(const Destination& to, const Payload& payload,
                                           Send send) {
  constexpr std::size_t kUdp = DatagramTemplate::kUdpHeader;
  scratch_.resize(kUdp + payload.size);
  const std::span<std::byte> udp(scratch_);
  Checksum sum;
  if (!copy_payload(payload, udp.subspan(kUdp), sum)) return unreadable();
  to.headers->write_udp(udp, sum.sum());
  Fragment fragment;
  fragment.identification = host_.next_identification();
  const std::size_t most = to.headers->fragment_data(host_.mtu());
  while (fragment.offset < udp.size()) {
    const std::size_t rest = udp.size() - fragment.offset;
    fragment.more = rest > most;
    const auto data = udp.subspan(fragment.offset, std::min(rest, most));
    const GstFlowReturn flow = send(std::span<const std::byte>(data), fragment);
    if (flow != GST_FLOW_OK) return flow;
    fragment.offset += data.size();
  }
  return GST_FLOW_OK;
}

GstFlowReturn UdpSender::send_fragments(const Destination& to, const Payload& payload,
                                        GstClockTime pts) {
  const std::size_t headers = to.headers->fragment_headers();
  return for_each_fragment(
      to, payload, [&](std::span<const std::byte> data, const Fragment& fragment) {
        const auto packet = writer_.place(headers + data.size(), pts);
        if (packet.empty()) return no_place();
        std::ranges::copy(data, packet.begin() + static_cast<std::ptrdiff_t>(headers));
        to.headers->write_fragment(packet, fragment);
        writer_.add(packet.size());
        return GST_FLOW_OK;
      });
}

/**
 * A fast sender would push what it sent first out of what is held. So it waits once for an answer,
 * which comes at once or, mostly, not at all.
 */
GstFlowReturn UdpSender::wait_for_hop(Destination& to) {
  to.patient = true;
  const GstFlowReturn flow = writer_.flush();
  if (flow != GST_FLOW_OK) return flow;
  const std::int64_t end = g_get_monotonic_time() + kPatienceUs;
  for (;;) {
    host_.send_own();
    {
      IpHost::Lock lock(host_);
      if (!lock) return GST_FLOW_FLUSHING;
      const Route route = lock->route(to.address, lock.now(), lock.output());
      if (route.state != Route::State::pending) return GST_FLOW_OK;
    }
    if (g_get_monotonic_time() >= end) return GST_FLOW_OK;
    if (!pacer_.sleep(GST_MSECOND)) return GST_FLOW_FLUSHING;
  }
}

/** Puts the IP packets of a datagram, without link headers, into packets_. */
GstFlowReturn UdpSender::make_packets(const Destination& to, const Payload& payload) {
  packets_.clear();
  if (payload.size <= to.longest) {
    const std::size_t headers = to.headers->size();
    std::vector<std::byte>& packet = packets_.emplace_back(headers + payload.size);
    Checksum sum;
    if (!copy_payload(payload, std::span(packet).subspan(headers), sum)) return unreadable();
    to.headers->write(packet, sum.sum());
    return GST_FLOW_OK;
  }
  const std::size_t headers = to.headers->fragment_headers();
  return for_each_fragment(
      to, payload, [&](std::span<const std::byte> data, const Fragment& fragment) {
        std::vector<std::byte>& packet = packets_.emplace_back(headers + data.size());
        std::ranges::copy(data, packet.begin() + static_cast<std::ptrdiff_t>(headers));
        to.headers->write_fragment(packet, fragment);
        return GST_FLOW_OK;
      });
}

/**
 * The next hop was being asked for its MAC address. If it has answered since, what was held for it
 * has to leave before.
 */
GstFlowReturn UdpSender::send_later(Destination& to, const Payload& payload, GstClockTime pts) {
  const GstFlowReturn made = make_packets(to, payload);
  if (made != GST_FLOW_OK) return made;
  Route route;
  {
    IpHost::Lock lock(host_);
    if (!lock) return GST_FLOW_FLUSHING;
    route = lock->route(to.address, lock.now(), lock.output());
    if (route.state == Route::State::pending) {
      held_.add(1);
      for (const auto& packet : packets_) lock->hold(to.address, packet);
    }
  }
  if (route.state == Route::State::pending) {
    to.waiting += packets_.size();
    return to.waiting < kMostWaiting || to.patient ? GST_FLOW_OK : wait_for_hop(to);
  }
  make_headers(to, route);
  host_.send_own_before();
  return send_datagram(to, payload, pts);
}

/** With headers for a packet that leaves at once, or later. */
GstFlowReturn UdpSender::send_datagram(Destination& to, const Payload& payload, GstClockTime pts) {
  if (to.state == Route::State::unreachable) [[unlikely]] {
    unreachable_.add(1);
    return GST_FLOW_OK;
  }
  if (to.state == Route::State::pending) return send_later(to, payload, pts);
  return payload.size <= to.longest ? send_whole(to, payload, pts)
                                    : send_fragments(to, payload, pts);
}

GstFlowReturn UdpSender::send_to(Destination& to, const Payload& payload, GstClockTime pts) {
  if (to.headers && payload.size > to.longest &&
      (!host_.fragments() || payload.size > to.headers->longest_fragmented())) [[unlikely]] {
    return too_long(to, payload.size);
  }
  datagrams_.add(1);
  bytes_.add(payload.size);
  return send_datagram(to, payload, pts);
}

GstFlowReturn UdpSender::send_one(GstBuffer* buffer) {
  if (is_batch(buffer)) return unreadable();
  const Payload payload = payload_of(buffer);
  GstClockTime pts = GST_BUFFER_PTS(buffer);
  if (GST_CLOCK_TIME_IS_VALID(pts) && segment_.format == GST_FORMAT_TIME) {
    pts = gst_segment_to_running_time(&segment_, GST_FORMAT_TIME, pts);
  }
  for (Destination& to : destinations_) {
    if (!pacer_.ready()) {
      const GstFlowReturn flow = writer_.flush();
      if (flow != GST_FLOW_OK) return flow;
      if (!pacer_.wait()) return GST_FLOW_FLUSHING;
    }
    const GstFlowReturn flow = send_to(to, payload, pts);
    if (flow != GST_FLOW_OK) return flow;
    pacer_.sent(payload.size);
  }
  return GST_FLOW_OK;
}

GstFlowReturn UdpSender::send(GstBuffer* buffer) {
  GstFlowReturn flow = prepare();
  writer_.expect(destinations_.size());
  if (flow == GST_FLOW_OK) flow = send_one(buffer);
  if (flow == GST_FLOW_OK) flow = writer_.flush();
  writer_.drop();
  gst_buffer_unref(buffer);
  return flow;
}

GstFlowReturn UdpSender::send(GstBufferList* list) {
  GstFlowReturn flow = prepare();
  const guint length = gst_buffer_list_length(list);
  writer_.expect(destinations_.size() * length);
  for (guint i = 0; i < length && flow == GST_FLOW_OK; ++i) {
    flow = send_one(gst_buffer_list_get(list, i));
  }
  if (flow == GST_FLOW_OK) flow = writer_.flush();
  writer_.drop();
  gst_buffer_list_unref(list);
  return flow;
}

void UdpSender::drain() {
  constexpr std::int64_t kLongest = 4 * G_USEC_PER_SEC;  // the host gives up before
  constexpr GstClockTime kLook = 2 * GST_MSECOND;
  const std::int64_t end = g_get_monotonic_time() + kLongest;
  while (pending_ && g_get_monotonic_time() < end && pacer_.sleep(kLook)) {
    if (prepare() != GST_FLOW_OK) return;
  }
  host_.send_own_before();
}

}  // namespace ipplugin
