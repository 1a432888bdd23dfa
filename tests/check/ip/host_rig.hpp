// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * An iphost between pads of the test. What leaves may come from any thread, so it is waited for.
 */
#pragma once

#include <gio/gio.h>
#include <gst/net/gstnetaddressmeta.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "batches.hpp"
#include "prologue.hpp"
#include "samples.hpp"

// Behind the standard library: it defines a macro fail().
#include <gst/check/gstcheck.h>

namespace hostrig {

using naive::Bytes;
using namespace samples;

constexpr auto kDeadline = std::chrono::seconds(20);

/** A packet, or a datagram. */
struct Item {
  Bytes bytes;
  GstClockTime pts;
  std::string from;  // the address in its meta
  bool writable;
};

inline std::string address_of(GstBuffer* buffer) {
  const GstNetAddressMeta* meta = gst_buffer_get_net_address_meta(buffer);
  if (meta == nullptr) return "";
  auto* socket = G_INET_SOCKET_ADDRESS(meta->addr);
  gchar* text = g_inet_address_to_string(g_inet_socket_address_get_address(socket));
  std::string out =
      std::string(text) + " " + std::to_string(g_inet_socket_address_get_port(socket));
  g_free(text);
  return out;
}

/** ARP, neighbour discovery and group reports of the host, which come when it likes. */
inline bool is_chatter(const Bytes& packet, bool ethernet) {
  std::size_t ip = 0;
  if (ethernet) {
    if (packet.size() < 42) return false;
    ip = packet[12] == 0x81 ? 18 : 14;
    if (packet[ip - 2] == 0x08 && packet[ip - 1] == 0x06) return true;
  }
  if (packet.size() < ip + 20) return false;
  const bool v4 = packet[ip] >> 4 == 4;
  const unsigned protocol = packet[ip + (v4 ? 9 : 6)];
  return v4 ? protocol == 2 : protocol == 58 || protocol == 0;
}

/** Where buffers go. */
class Collector {
 public:
  explicit Collector(GstPad* peer, bool batches = false, bool ethernet = true)
      : takes_batches_(batches), ethernet_(ethernet) {
    static GstStaticPadTemplate any =
        GST_STATIC_PAD_TEMPLATE("testsink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
    pad_ = gst_pad_new_from_static_template(&any, "testsink");
    gst_pad_set_element_private(pad_, this);
    gst_pad_set_chain_function(pad_, [](GstPad* pad, GstObject*, GstBuffer* buffer) {
      of(pad)->keep_one(buffer);
      return of(pad)->flow_of();
    });
    gst_pad_set_chain_list_function(pad_, [](GstPad* pad, GstObject*, GstBufferList* list) {
      of(pad)->keep_list(list);
      return of(pad)->flow_of();
    });
    gst_pad_set_event_function(pad_, [](GstPad* pad, GstObject*, GstEvent* event) -> gboolean {
      of(pad)->see(event);
      return TRUE;
    });
    gst_pad_set_query_function(pad_, [](GstPad* pad, GstObject* parent, GstQuery* query) {
      return rig::answer_query(pad, parent, query, of(pad)->takes_batches_);
    });
    gst_pad_set_active(pad_, TRUE);
    fail_unless_equals_int(gst_pad_link(peer, pad_), GST_PAD_LINK_OK);
  }
  ~Collector() {
    if (GstPad* peer = gst_pad_get_peer(pad_)) {
      gst_pad_unlink(peer, pad_);
      gst_object_unref(peer);
    }
    gst_pad_set_active(pad_, FALSE);
    gst_object_unref(pad_);
    for (GstBuffer* buffer : held_) gst_buffer_unref(buffer);
  }
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;

  /** Waits until `wanted` is true of what has come. */
  template <class Wanted>
  void wait(const char* what, Wanted wanted) {
    std::unique_lock lock(mutex_);
    const bool came = changed_.wait_for(lock, kDeadline, [&] { return wanted(*this); });
    if (!came) lock.unlock();
    fail_unless(came, "%s did not come", what);
  }
  /** What has come, waited for: `n` and no more. */
  std::vector<Item> take(std::size_t n) {
    wait("packets", [n](const Collector& self) { return self.items.size() >= n; });
    const std::lock_guard lock(mutex_);
    fail_unless_equals_uint64(items.size(), n);
    return std::exchange(items, {});
  }
  /** Waits for a packet that `is` one, which may be one of the host itself. */
  template <class Is>
  Bytes find(const char* what, Is is) {
    Bytes found;
    wait(what, [&](const Collector& self) {
      for (const auto* from : {&self.items, &self.chatter}) {
        for (const Item& item : *from) {
          if (!is(item.bytes)) continue;
          found = item.bytes;
          return true;
        }
      }
      return false;
    });
    return found;
  }
  void wait_for_eos() {
    wait("EOS", [](const Collector& self) { return self.ended; });
  }
  void set_flow(GstFlowReturn flow) {
    const std::lock_guard lock(mutex_);
    flow_ = flow;
  }
  /** Keeps the buffers themselves, too. */
  void hold_buffers() { holds_ = true; }
  void let_go() {
    const std::lock_guard lock(mutex_);
    for (GstBuffer* buffer : held_) gst_buffer_unref(buffer);
    held_.clear();
  }
  [[nodiscard]] unsigned lists() {
    const std::lock_guard lock(mutex_);
    return lists_;
  }
  [[nodiscard]] unsigned buffers() {
    const std::lock_guard lock(mutex_);
    return buffers_;
  }
  [[nodiscard]] std::vector<GstEventType> seen_events() {
    const std::lock_guard lock(mutex_);
    return events;
  }
  [[nodiscard]] GstPad* pad() const { return pad_; }

  // With the mutex, as in wait().
  std::vector<Item> items;
  std::vector<Item> chatter;
  std::vector<GstEventType> events;
  bool ended = false;
  GstSegment segment{};

 private:
  static Collector* of(GstPad* pad) {
    return static_cast<Collector*>(gst_pad_get_element_private(pad));
  }
  GstFlowReturn flow_of() {
    const std::lock_guard lock(mutex_);
    return flow_;
  }
  void keep(GstBuffer* buffer) {
    const GstPacketBatchMeta* meta = gst_buffer_get_packet_batch_meta(buffer);
    if (meta != nullptr) fail_unless(takes_batches_, "a batch that was not asked for");
    guint i = 0;
    for (Bytes& bytes : rig::packets_of(buffer)) {
      const GstClockTime pts =
          meta != nullptr ? gst_packet_batch_get_packet_pts(buffer, i++) : GST_BUFFER_PTS(buffer);
      auto& to = meta_free(buffer) && is_chatter(bytes, ethernet_) ? chatter : items;
      to.push_back({std::move(bytes), pts, address_of(buffer), may_write(buffer)});
    }
    if (holds_) held_.push_back(gst_buffer_ref(buffer));
  }
  static bool may_write(GstBuffer* buffer) {
    for (guint i = 0; i < gst_buffer_n_memory(buffer); ++i) {
      if (GST_MEMORY_IS_READONLY(gst_buffer_peek_memory(buffer, i))) return false;
    }
    return gst_buffer_is_all_memory_writable(buffer) != FALSE;
  }
  static bool meta_free(GstBuffer* buffer) {
    return gst_buffer_get_net_address_meta(buffer) == nullptr;
  }
  void keep_one(GstBuffer* buffer) {
    const std::lock_guard lock(mutex_);
    const std::size_t before = items.size();
    keep(buffer);
    buffers_ += items.size() != before;
    gst_buffer_unref(buffer);
    changed_.notify_all();
  }
  void keep_list(GstBufferList* list) {
    const std::lock_guard lock(mutex_);
    const std::size_t before = items.size();
    for (guint i = 0; i < gst_buffer_list_length(list); ++i) keep(gst_buffer_list_get(list, i));
    lists_ += items.size() != before;
    gst_buffer_list_unref(list);
    changed_.notify_all();
  }
  void see(GstEvent* event) {
    const std::lock_guard lock(mutex_);
    events.push_back(GST_EVENT_TYPE(event));
    if (GST_EVENT_TYPE(event) == GST_EVENT_EOS) ended = true;
    if (GST_EVENT_TYPE(event) == GST_EVENT_SEGMENT) gst_event_copy_segment(event, &segment);
    gst_event_unref(event);
    changed_.notify_all();
  }

  GstPad* pad_;
  const bool takes_batches_, ethernet_;
  std::mutex mutex_;
  std::condition_variable changed_;
  GstFlowReturn flow_ = GST_FLOW_OK;
  bool holds_ = false;
  std::vector<GstBuffer*> held_;
  unsigned lists_ = 0, buffers_ = 0;
};

/** What feeds a pad of the element. */
class Feeder {
 public:
  Feeder(GstPad* peer, const char* caps) : pad_(gst_pad_new("testsrc", GST_PAD_SRC)), caps_(caps) {
    fail_unless_equals_int(gst_pad_link(pad_, peer), GST_PAD_LINK_OK);
    gst_pad_set_active(pad_, TRUE);
  }
  ~Feeder() {
    gst_pad_set_active(pad_, FALSE);
    if (GstPad* peer = gst_pad_get_peer(pad_)) {
      gst_pad_unlink(pad_, peer);
      gst_object_unref(peer);
    }
    gst_object_unref(pad_);
  }
  Feeder(const Feeder&) = delete;
  Feeder& operator=(const Feeder&) = delete;

  void start() { rig::send_prologue(pad_, caps_); }
  GstFlowReturn push(GstBuffer* buffer) { return gst_pad_push(pad_, buffer); }
  GstFlowReturn push(GstBufferList* list) { return gst_pad_push_list(pad_, list); }
  bool event(GstEvent* event) { return gst_pad_push_event(pad_, event) != FALSE; }
  [[nodiscard]] GstPad* pad() const { return pad_; }

 private:
  GstPad* pad_;
  const char* caps_;
};

constexpr char kPackets[] = "application/x-packet,link-type=ethernet";
constexpr char kIpPackets[] = "application/x-packet,link-type=ip";

/** The host of the samples: 192.168.1.1 and 2001:db8::ab:cd01, with both peers as neighbours. */
class Rig {
 public:
  explicit Rig(const char* packets = kPackets, bool batches = false)
      : element(gst_element_factory_make("iphost", nullptr)) {
    fail_unless(element != nullptr, "no element iphost");
    gst_object_ref_sink(element);
    bus = gst_bus_new();
    gst_element_set_bus(element, bus);
    g_object_set(element, "address", "192.168.1.1/24, 2001:db8::ab:cd01/64", "mac",
                 "02:00:c0:a8:01:01", "neighbours",
                 "192.168.1.2=02:fe:11:22:33:44, 2001:db8::2=02:fe:11:22:33:44", nullptr);
    GstPad* sink = gst_element_get_static_pad(element, "sink");
    GstPad* src = gst_element_get_static_pad(element, "src");
    in = std::make_unique<Feeder>(sink, packets);
    const bool ethernet = std::string_view(packets) == kPackets;
    out = std::make_unique<Collector>(src, batches, ethernet);
    gst_object_unref(sink);
    gst_object_unref(src);
  }
  ~Rig() {
    fail_unless_equals_int(gst_element_set_state(element, GST_STATE_NULL),
                           GST_STATE_CHANGE_SUCCESS);
    senders.clear();
    receivers.clear();
    in.reset();
    out.reset();
    for (GstPad* pad : requested_) {
      gst_element_release_request_pad(element, pad);
      gst_object_unref(pad);
    }
    gst_element_set_bus(element, nullptr);
    gst_bus_set_flushing(bus, TRUE);
    gst_object_unref(bus);
    ASSERT_OBJECT_REFCOUNT(element, "element", 1);
    gst_object_unref(element);
  }
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;

  /** Requests a pad, with properties as gst-launch-1.0 takes them. */
  GstPad* request(const char* name,
                  std::initializer_list<std::pair<const char*, const char*>> set) {
    GstPad* pad = gst_element_request_pad_simple(element, name);
    fail_unless(pad != nullptr, "no pad %s", name);
    requested_.push_back(pad);
    for (const auto& [property, value] : set) {
      gst_util_set_object_arg(G_OBJECT(pad), property, value);
    }
    return pad;
  }
  Feeder& send(std::initializer_list<std::pair<const char*, const char*>> set) {
    senders.push_back(std::make_unique<Feeder>(request("udp_sink_%u", set), nullptr));
    if (playing_) senders.back()->start();
    return *senders.back();
  }
  Collector& receive(std::initializer_list<std::pair<const char*, const char*>> set) {
    receivers.push_back(std::make_unique<Collector>(request("udp_src_%u", set)));
    return *receivers.back();
  }
  /** Lets go of a requested pad while the element runs. */
  void release(GstPad* pad) {
    std::erase(requested_, pad);
    gst_element_release_request_pad(element, pad);
    gst_object_unref(pad);
  }
  void play() {
    fail_unless_equals_int(gst_element_set_state(element, GST_STATE_PLAYING),
                           GST_STATE_CHANGE_SUCCESS);
    playing_ = true;
    in->start();
    for (const auto& sender : senders) sender->start();
  }
  /** A field of the `stats` of the element, or of a pad. */
  static std::uint64_t stat(gpointer object, const char* name) {
    GstStructure* stats = nullptr;
    g_object_get(object, "stats", &stats, nullptr);
    guint64 value = 0;
    fail_unless(gst_structure_get_uint64(stats, name, &value), "no field %s", name);
    gst_structure_free(stats);
    return value;
  }
  /** The text of the next error or warning, or an empty one. */
  [[nodiscard]] std::string message(GstMessageType type) const {
    GstMessage* found = gst_bus_timed_pop_filtered(bus, 0, type);
    if (found == nullptr) return {};
    GError* error = nullptr;
    gchar* debug = nullptr;
    type == GST_MESSAGE_ERROR ? gst_message_parse_error(found, &error, &debug)
                              : gst_message_parse_warning(found, &error, &debug);
    std::string text = error->message;
    g_error_free(error);
    g_free(debug);
    gst_message_unref(found);
    return text;
  }

  GstElement* element;
  GstBus* bus;
  std::unique_ptr<Feeder> in;
  std::unique_ptr<Collector> out;
  std::vector<std::unique_ptr<Feeder>> senders;
  std::vector<std::unique_ptr<Collector>> receivers;

 private:
  std::vector<GstPad*> requested_;
  bool playing_ = false;
};

// ---- packets ----------------------------------------------------------------------------------

struct Udp {
  Bytes source = kOurV4, destination = kPeerV4;
  std::uint16_t source_port = 6000, destination_port = 5004;
  std::uint8_t hops = 64, dscp = 0;
  bool checksum = true;
};

/** The UDP header and payload, with the checksum over `source` and `destination`. */
inline Bytes udp_datagram(const Udp& h, const Bytes& data) {
  Bytes udp(8);
  put16(udp, 0, h.source_port);
  put16(udp, 2, h.destination_port);
  put16(udp, 4, 8 + data.size());
  udp = join({udp, data});
  const Bytes addresses = join({h.source, h.destination});
  if (h.source.size() == 4 && !h.checksum) return udp;
  Bytes summed;
  if (h.source.size() == 4) {
    Bytes pseudo = join({addresses, {0, 17, 0, 0}});
    put16(pseudo, 10, udp.size());
    summed = join({pseudo, udp});
  } else {
    summed = naive::with_pseudo(addresses, 17, udp);
  }
  const std::uint16_t sum = naive::checksum(summed);
  put16(udp, 6, sum == 0 ? 0xffff : sum);
  return udp;
}

inline Bytes ip_packet(const Udp& h, const Bytes& body, std::uint16_t fragment = 0x4000,
                       std::uint16_t id = 0) {
  if (h.source.size() == 16) {
    Bytes out(8);
    put16(out, 0, 0x6000 | h.dscp << 6);
    put16(out, 4, body.size());
    out[6] = 17;
    out[7] = h.hops;
    return join({out, h.source, h.destination, body});
  }
  Bytes out{0x45, static_cast<std::uint8_t>(h.dscp << 2), 0, 0, 0, 0, 0, 0, h.hops, 17, 0, 0};
  out = join({out, h.source, h.destination});
  put16(out, 2, out.size() + body.size());
  put16(out, 4, id);
  put16(out, 6, fragment);
  put16(out, 10, naive::checksum(out));
  return join({out, body});
}

inline Bytes udp_packet(const Udp& h, const Bytes& data) {
  return ip_packet(h, udp_datagram(h, data));
}
/** As it leaves the host to its peer. */
inline Bytes sent_frame(const Udp& h, const Bytes& data) {
  const std::uint16_t type = h.source.size() == 4 ? 0x0800 : 0x86dd;
  return join({ethernet(kPeerMac, kOurMac, type), udp_packet(h, data)});
}
/** As it comes from the peer. */
inline Udp from_peer(std::uint16_t port = 5004) {
  return {kPeerV4, kOurV4, 7000, port};
}
inline Bytes received_frame(const Udp& h, const Bytes& data, const Bytes& mac = kOurMac) {
  const std::uint16_t type = h.source.size() == 4 ? 0x0800 : 0x86dd;
  return join({ethernet(mac, kPeerMac, type), udp_packet(h, data)});
}

inline GstBuffer* make_buffer(const Bytes& bytes, GstClockTime pts = GST_CLOCK_TIME_NONE) {
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, bytes.size(), nullptr);
  gst_buffer_fill(buffer, 0, bytes.data(), bytes.size());
  GST_BUFFER_PTS(buffer) = pts;
  return buffer;
}
inline GstBufferList* make_list(const std::vector<Bytes>& all) {
  GstBufferList* list = gst_buffer_list_new();
  for (const Bytes& bytes : all) gst_buffer_list_add(list, make_buffer(bytes));
  return list;
}

}  // namespace hostrig
