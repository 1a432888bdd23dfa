// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/ip/udp_receiver.hpp"

#include <algorithm>
#include <utility>

#include "plugins/ip/debug.hpp"
#include "plugins/ip/host_settings.hpp"

namespace ipplugin {
namespace {

GSocketAddress* new_socket_address(const Endpoint& endpoint) {
  std::array<std::byte, Ipv6Address::kSize> bytes;
  const bool v4 = endpoint.address.is_v4();
  if (v4) {
    endpoint.address.v4().store(bytes);
  } else {
    endpoint.address.v6().store(bytes);
  }
  GInetAddress* address =
      g_inet_address_new_from_bytes(reinterpret_cast<const guint8*>(bytes.data()),
                                    v4 ? G_SOCKET_FAMILY_IPV4 : G_SOCKET_FAMILY_IPV6);
  GSocketAddress* socket = g_inet_socket_address_new(address, endpoint.port);
  g_object_unref(address);
  return socket;
}

}  // namespace

// ---- addresses --------------------------------------------------------------------------------

GSocketAddress* SocketAddresses::find_other(const Endpoint& endpoint) {
  last_ = endpoint.address.hash(endpoint.port) % entries_.size();
  Entry& entry = entries_[last_];
  if (entry.is(endpoint)) return entry.address;
  g_clear_object(&entry.address);
  entry.endpoint = endpoint;
  entry.address = new_socket_address(endpoint);
  return entry.address;
}

void SocketAddresses::clear() {
  for (Entry& entry : entries_) g_clear_object(&entry.address);
}

// ---- settings ---------------------------------------------------------------------------------

UdpReceiver::~UdpReceiver() {
  gst_clear_buffer(&first_);
  gst_clear_buffer_list(&list_);
  gst_clear_caps(&caps);
}

std::string UdpReceiver::name() const {
  gchar* name = gst_pad_get_name(pad_);
  std::string text = name != nullptr ? name : "?";
  g_free(name);
  return text;
}

Result<Binding> UdpReceiver::binding() {
  const std::lock_guard lock(mutex);
  Binding binding;
  binding.port = static_cast<std::uint16_t>(port);
  if (group.empty()) {
    if (sources.empty()) return binding;
    return Error{"multicast-source without multicast-group", "sources are those of a group",
                 "Set multicast-group, too"};
  }
  const auto address = parse_host(group);
  if (!address) {
    return Error{"multicast-group=" + address.error().what, address.error().why,
                 address.error().remedy};
  }
  if (!address->is_multicast()) {
    return Error{"multicast-group=" + group, "not the address of a group",
                 "Give one from 224.0.0.0/4 or ff00::/8, or none"};
  }
  binding.group = *address;
  for (const std::string_view one : split(sources, ',')) {
    if (one.empty()) continue;
    // As udpsrc has it: "+" in front of a source to hear.
    const auto source = parse_host(one.front() == '+' ? one.substr(1) : one);
    if (!source || !source->is_host()) {
      return Error{"multicast-source=" + std::string(one), "not the address of a host",
                   "Give addresses of hosts, separated by commas"};
    }
    binding.sources.push_back(*source);
  }
  return binding;
}

void UdpReceiver::set_caps(GstCaps* other) {
  {
    const std::lock_guard lock(mutex);
    std::swap(caps, other);
  }
  gst_clear_caps(&other);
  caps_changed_.store(true, std::memory_order_release);
}

// ---- events -----------------------------------------------------------------------------------

void UdpReceiver::prepare(std::string stream_id) {
  const std::lock_guard lock(mutex);
  stream_id_ = std::move(stream_id);
  prologue_.store(Prologue::all);
}

void UdpReceiver::prepare_segment() {
  flow_.store(GST_FLOW_OK);
  auto none = Prologue::none;
  prologue_.compare_exchange_strong(none, Prologue::segment);
}

/** Stores what comes before data: late, as a pad may get its caps when it is active already. */
void UdpReceiver::store_prologue() {
  const Prologue what = prologue_.exchange(Prologue::none);
  if (what == Prologue::none) return;
  std::array<GstEvent*, 3> events{};
  if (what == Prologue::all) {
    const std::lock_guard lock(mutex);
    events[0] = gst_event_new_stream_start(stream_id_.c_str());
    gst_event_set_group_id(events[0], gst_util_group_id_next());
    if (caps != nullptr) events[1] = gst_event_new_caps(caps);
    has_caps_ = caps != nullptr;
    caps_changed_.store(false, std::memory_order_relaxed);
  }
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  events[2] = gst_event_new_segment(&segment);
  for (GstEvent* event : events) {
    if (event == nullptr) continue;
    gst_pad_store_sticky_event(pad_, event);
    gst_event_unref(event);
  }
}

void UdpReceiver::push_event(GstEvent* event) {
  const guint flags = gst_event_type_get_flags(GST_EVENT_TYPE(event));
  const bool behind = (flags & GST_EVENT_TYPE_SERIALIZED) != 0;
  if (behind && GST_EVENT_TYPE(event) != GST_EVENT_FLUSH_STOP) store_prologue();
  gst_pad_push_event(pad_, event);
}

void UdpReceiver::push_new_caps() {
  if (!caps_changed_.exchange(false, std::memory_order_acquire)) return;
  GstEvent* event = nullptr;
  {
    const std::lock_guard lock(mutex);
    // Caps behind a segment without any would be out of order.
    if (caps != nullptr && has_caps_) event = gst_event_new_caps(caps);
  }
  if (event != nullptr) gst_pad_push_event(pad_, event);
}

// ---- datagrams --------------------------------------------------------------------------------

void UdpReceiver::add(GstBuffer* buffer, std::size_t size) {
  ++collected_;
  bytes_collected_ += size;
  if (first_ == nullptr && list_ == nullptr) {
    first_ = buffer;
    return;
  }
  if (list_ == nullptr) {
    list_ = gst_buffer_list_new_sized(64);
    gst_buffer_list_add(list_, std::exchange(first_, nullptr));
  }
  gst_buffer_list_add(list_, buffer);
}

GstFlowReturn UdpReceiver::push(GstClockTime now) {
  // What was found could not be copied: there may be nothing.
  if (first_ == nullptr && list_ == nullptr) return flow_.load(std::memory_order_relaxed);
  heard_.store(now, std::memory_order_relaxed);
  if (prologue_.load(std::memory_order_relaxed) != Prologue::none) store_prologue();
  if (caps_changed_.load(std::memory_order_relaxed)) push_new_caps();
  const std::uint64_t datagrams = std::exchange(collected_, 0);
  const std::uint64_t bytes = std::exchange(bytes_collected_, 0);
  const GstFlowReturn flow = list_ != nullptr
                                 ? gst_pad_push_list(pad_, std::exchange(list_, nullptr))
                                 : gst_pad_push(pad_, std::exchange(first_, nullptr));
  flow_.store(flow, std::memory_order_relaxed);
  if (flow == GST_FLOW_OK) {
    datagrams_.add(datagrams);
    bytes_.add(bytes);
  } else {
    dropped_.add(datagrams);
  }
  return flow;
}

GstClockTime UdpReceiver::check_timeout(GstClockTime now) {
  guint64 limit = 0;
  {
    const std::lock_guard lock(mutex);
    limit = timeout;
  }
  const GstClockTime heard = heard_.load(std::memory_order_relaxed);
  if (limit == 0 || heard == 0) return GST_CLOCK_TIME_NONE;
  const GstClockTime due =
      limit < GST_CLOCK_TIME_NONE - heard ? heard + limit : GST_CLOCK_TIME_NONE;
  if (now < due) return due;
  // Again after as long a silence.
  restart_timeout(now);
  GstObject* parent = gst_object_get_parent(GST_OBJECT_CAST(pad_));
  if (parent == nullptr) return GST_CLOCK_TIME_NONE;
  GstStructure* news = gst_structure_new("GstIpHostTimeout", "timeout", G_TYPE_UINT64, limit, "pad",
                                         G_TYPE_STRING, name().c_str(), nullptr);
  gst_element_post_message(GST_ELEMENT_CAST(parent), gst_message_new_element(parent, news));
  gst_object_unref(parent);
  return limit < GST_CLOCK_TIME_NONE - now ? now + limit : GST_CLOCK_TIME_NONE;
}

// ---- statistics -------------------------------------------------------------------------------

void UdpReceiver::add_stats(GstStructure* stats) const {
  gst_structure_set(stats, "datagrams", G_TYPE_UINT64, guint64{datagrams_.get()}, "bytes",
                    G_TYPE_UINT64, guint64{bytes_.get()}, "dropped", G_TYPE_UINT64,
                    guint64{dropped_.get()}, nullptr);
}

void UdpReceiver::reset_stats() {
  for (gstcommon::Counter* counter : {&datagrams_, &bytes_, &dropped_}) counter->reset();
}

}  // namespace ipplugin
