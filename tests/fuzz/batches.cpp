// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Buffers in any state, batches with damaged metas above all, through elements of each kind,
 * and through the functions that copy and unpack batches.
 */
#include <array>
#include <memory>
#include <vector>

#include "batches.hpp"
#include "buffers.hpp"
#include "fuzz.hpp"
#include "fuzz_gst.hpp"
#include "gst/packet/batch.hpp"
#include "gst/packet/element.hpp"

using namespace gstpacket;
using fuzz::Input;
using fuzz::Made;
using fuzz::packets_of;
using fuzz::require;

namespace {

// ---- Elements, whose packets say what is to be done with them -------------------------------

unsigned first_of(const Packet& packet) {
  return packet.size() != 0 ? std::to_integer<unsigned>(packet.bytes().front()) : 0;
}

Verdict change(Packet& packet) {
  const unsigned byte = first_of(packet);
  const std::size_t n = byte >> 3;
  for (std::byte& b : packet.writable()) b ^= std::byte{0x40};
  const std::size_t size = packet.size();
  bool done = true;
  switch (byte & 7) {
    case 1:
      done = packet.push_front(n);
      require(done && packet.size() == size + n, "no room in front");
      break;
    case 2:
      done = packet.extend(8 * n);
      require(done && packet.size() == size + 8 * n, "no room behind");
      break;
    case 3:
      done = packet.pop_front(n);
      require(done == (n <= size), "a packet without bytes to take");
      break;
    case 4:
      done = packet.truncate(n);
      require(done == (n <= size), "a packet without bytes to keep");
      break;
    case 5:
      return drop();
    case 6:
      return to(static_cast<unsigned>(n % 4));
    case 7:
      done = packet.push_front(0) && packet.extend(1) && packet.pop_front(1);
      break;
    default:
      break;
  }
  return forward();
}

struct Changer {
  static constexpr ElementInfo info{"fuzzchanger", "-", "Filter", "-", "-"};
  static constexpr std::array ports{"other"};
  Verdict process(Packet& packet) { return change(packet); }
};
struct ListChanger {
  static constexpr ElementInfo info{"fuzzlistchanger", "-", "Filter", "-", "-"};
  void process(PacketBatch& batch) {
    for (std::size_t i = 0; i < batch.size(); ++i) batch.set(i, change(batch[i]));
  }
};
struct Reader {
  static constexpr ElementInfo info{"fuzzreader", "-", "Filter", "-", "-"};
  static constexpr Access access = Access::read;
  Verdict process(const Packet& packet) {
    unsigned sum = 0;
    for (const std::byte b : packet.bytes()) sum += std::to_integer<unsigned>(b);
    return sum % 3 != 0 ? forward() : drop();
  }
};
struct Switch {
  static constexpr ElementInfo info{"fuzzswitch", "-", "Filter", "-", "-"};
  static constexpr Access access = Access::read;
  static constexpr std::array link_types{LinkType::ethernet};
  Verdict process(const Packet& packet, unsigned) {
    const unsigned byte = first_of(packet);
    if (byte % 4 == 3) return flood();
    return byte % 8 == 4 ? drop() : to(byte % 4);
  }
};

// ---- Around them ----------------------------------------------------------------------------

unsigned touch(const std::byte* bytes, std::size_t n) {
  unsigned sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += std::to_integer<unsigned>(bytes[i]);
  return sum;
}

/** What may leave an element: whole packets only, batches only where they are taken. */
void check(GstBuffer* buffer, bool takes_batches) {
  const GstPacketBatchMeta* meta = gst_buffer_get_packet_batch_meta(buffer);
  volatile unsigned seen = 0;
  if (meta == nullptr) {
    GstMapInfo map;
    require(gst_buffer_map(buffer, &map, GST_MAP_READ) != FALSE, "a packet that cannot be read");
    seen = touch(reinterpret_cast<const std::byte*>(map.data), map.size);
    gst_buffer_unmap(buffer, &map);
    return;
  }
  require(takes_batches, "a batch that nobody asked for");
  const BatchMap map(buffer);
  require(bool(map) && meta->n != 0, "a damaged batch, or one without packets");
  for (const GstPacketDesc& desc : std::span(meta->packets, meta->n)) {
    const std::byte* bytes = map.bytes(desc);
    require(bytes != nullptr, "a packet outside of its arena");
    seen = touch(bytes, desc.length);
  }
  (void)seen;
}

class Out {
 public:
  Out(GstPad* peer, bool takes_batches) : takes_batches_(takes_batches) {
    static GstStaticPadTemplate any =
        GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
    pad_ = gst_pad_new_from_static_template(&any, "sink");
    gst_pad_set_element_private(pad_, this);
    gst_pad_set_chain_function(pad_, [](GstPad* pad, GstObject*, GstBuffer* buffer) {
      check(buffer, of(pad)->takes_batches_);
      gst_buffer_unref(buffer);
      return GST_FLOW_OK;
    });
    gst_pad_set_chain_list_function(pad_, [](GstPad* pad, GstObject*, GstBufferList* list) {
      for (guint i = 0; i < gst_buffer_list_length(list); ++i) {
        check(gst_buffer_list_get(list, i), of(pad)->takes_batches_);
      }
      gst_buffer_list_unref(list);
      return GST_FLOW_OK;
    });
    gst_pad_set_query_function(pad_, [](GstPad* pad, GstObject* parent, GstQuery* query) {
      return rig::answer_query(pad, parent, query, of(pad)->takes_batches_);
    });
    gst_pad_set_active(pad_, TRUE);
    require(gst_pad_link(peer, pad_) == GST_PAD_LINK_OK, "no link");
    gst_object_unref(peer);
  }
  Out(const Out&) = delete;

 private:
  static Out* of(GstPad* pad) { return static_cast<Out*>(gst_pad_get_element_private(pad)); }
  GstPad* pad_;
  bool takes_batches_;
};

/** One playing element, which lives as long as the program does. */
class Rig {
 public:
  Rig(const char* factory, bool is_switch, bool takes_batches)
      : element_(gst_element_factory_make(factory, nullptr)), in_(gst_pad_new("src", GST_PAD_SRC)) {
    require(element_ != nullptr, "no element");
    for (const char* name :
         is_switch ? std::array{"src_0", "src_1", "src_2"} : std::array{"src", "other", "none"}) {
      if (GstPad* pad = pad_of(name, is_switch)) {
        outs_.push_back(std::make_unique<Out>(pad, takes_batches));
      }
    }
    GstPad* sink = pad_of(is_switch ? "sink_0" : "sink", is_switch);
    require(gst_pad_link(in_, sink) == GST_PAD_LINK_OK, "no link");
    gst_object_unref(sink);
    gst_pad_set_active(in_, TRUE);
    require(gst_element_set_state(element_, GST_STATE_PLAYING) == GST_STATE_CHANGE_SUCCESS,
            "state");
    gst_pad_push_event(in_, gst_event_new_stream_start("fuzz"));
    GstCaps* caps = gst_caps_from_string("application/x-packet,link-type=ethernet");
    gst_pad_push_event(in_, gst_event_new_caps(caps));
    gst_caps_unref(caps);
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_pad_push_event(in_, gst_event_new_segment(&segment));
  }
  Rig(const Rig&) = delete;

  template <class Packets>
  void push(Packets* packets) {
    GstFlowReturn flow;
    if constexpr (std::is_same_v<Packets, GstBuffer>) {
      flow = gst_pad_push(in_, packets);
    } else {
      flow = gst_pad_push_list(in_, packets);
    }
    require(flow == GST_FLOW_OK, "packets are refused");
  }

  /** Flushes, and asks for other packets, which is not taken back unless it is refused. */
  void event(Input& input) {
    if (input.flag()) {
      gst_pad_push_event(in_, gst_event_new_flush_start());
      gst_pad_push_event(in_, gst_event_new_flush_stop(input.flag()));
    }
    static constexpr const char* kCaps[] = {
        "application/x-packet,link-type=ip", "application/x-packet,link-type=none",
        "application/x-packet", "video/x-raw", "application/x-packet,link-type=ethernet"};
    for (const char* text : {kCaps[input.below(5)], kCaps[4]}) {
      GstCaps* caps = gst_caps_from_string(text);
      gst_pad_push_event(in_, gst_event_new_caps(caps));
      gst_caps_unref(caps);
    }
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_pad_push_event(in_, gst_event_new_segment(&segment));
  }
  /** Asks what is behind the element. */
  bool query(GstQuery* allocation) { return gst_pad_peer_query(in_, allocation) != FALSE; }

  void check_stats() {
    GstStructure* stats = nullptr;
    g_object_get(element_, "stats", &stats, nullptr);
    guint64 in = 0, out = 0, dropped = 0;
    gst_structure_get_uint64(stats, "packets-in", &in);
    gst_structure_get_uint64(stats, "packets-out", &out);
    gst_structure_get_uint64(stats, "dropped", &dropped);
    gst_structure_free(stats);
    // What is flooded counts wherever it goes.
    require(outs_.size() == 3 ? in <= out + dropped : in == out + dropped,
            "packets that are neither out nor dropped");
  }

 private:
  GstPad* pad_of(const char* name, bool request) const {
    return request ? gst_element_request_pad_simple(element_, name)
                   : gst_element_get_static_pad(element_, name);
  }
  GstElement* element_;
  GstPad* in_;
  std::vector<std::unique_ptr<Out>> outs_;
};

Rig& chosen_rig(unsigned which) {
  // Never freed: the elements play until the end.
  static const auto& rigs = *[] {
    fuzz::init_gstreamer();
    gst_debug_set_default_threshold(GST_LEVEL_NONE);
    require(register_element<Changer>(nullptr) && register_element<ListChanger>(nullptr) &&
                register_element<Reader>(nullptr) && register_element<Switch>(nullptr),
            "no elements");
    auto* made = new std::vector<std::unique_ptr<Rig>>;
    // A filter leaves the form as it is: whoever sends batches has asked through it.
    for (const char* factory : {"fuzzchanger", "fuzzlistchanger", "fuzzreader"}) {
      made->push_back(std::make_unique<Rig>(factory, false, true));
    }
    for (const bool batches : {false, true}) {
      made->push_back(std::make_unique<Rig>("fuzzswitch", true, batches));
    }
    return made;
  }();
  return *rigs[which % rigs.size()];
}

// ---- What is done with them -----------------------------------------------------------------

void check_copy(GstBuffer* batch, GstBuffer* copied, gsize head, gsize tail) {
  const BatchMap from(batch), to(copied);
  require(bool(from) && bool(to) && to.meta().n == from.meta().n, "a copy of another size");
  for (guint i = 0; i < to.meta().n; ++i) {
    const GstPacketDesc& was = from.meta().packets[i];
    const GstPacketDesc& now = to.meta().packets[i];
    const std::byte* bytes = from.bytes(was);
    require((bytes != nullptr) == (to.bytes(now) != nullptr), "damage that came or went");
    if (bytes == nullptr) continue;
    require(now.length == was.length &&
                (now.length == 0 || std::memcmp(to.bytes(now), bytes, now.length) == 0),
            "another packet");
    require(now.offset >= head && now.offset + std::size_t{now.length} + tail <= to.size(),
            "no room around a packet");
  }
}

void copy(GstBuffer* batch, Input& input) {
  const gsize head = input.around<std::uint16_t>({0, 64});
  const gsize tail = input.around<std::uint16_t>({0, 64});
  GstBuffer* copied = gst_packet_batch_copy(batch, head, tail);
  if (copied != nullptr) {
    check_copy(batch, copied, head, tail);
    gst_buffer_unref(copied);
  }
  gst_buffer_unref(batch);
}

void unpack(GstBuffer* batch) {
  const std::size_t readable = packets_of(batch).size();
  GstBufferList* list = gst_packet_batch_unpack(batch);
  require(gst_buffer_list_length(list) == readable, "packets that got lost");
  gst_buffer_list_unref(list);
}

/** Every other packet in a buffer of its own, in the same arena. */
GstBuffer* part_of(GstBuffer* batch) {
  GstBuffer* part = gst_packet_batch_new_part(batch);
  const GstPacketBatchMeta* from = gst_buffer_get_packet_batch_meta(batch);
  GstPacketBatchMeta* to = gst_buffer_get_packet_batch_meta(part);
  for (guint i = 0; i < from->n; i += 2) to->packets[to->n++] = from->packets[i];
  gst_packet_batch_update_size(part);
  return part;
}

/** As GStreamer and applications copy buffers. A copy of all of a batch has all of its packets. */
void copy_plainly(GstBuffer* buffer, Input& input) {
  const GstPacketBatchMeta* meta = gst_buffer_get_packet_batch_meta(buffer);
  const bool sound = bool(BatchMap(buffer));
  if (sound && meta->n <= GST_PACKET_BATCH_MAX && input.flag()) {
    GstBuffer* part = part_of(buffer);
    gst_buffer_unref(buffer);
    buffer = part;
  }
  const auto packets = packets_of(buffer);
  const gsize size = gst_buffer_get_size(buffer);
  GstBuffer* copied = nullptr;
  bool whole = true;
  switch (input.below(5)) {
    case 0:
      copied = gst_buffer_copy(buffer);
      break;
    case 1:
      copied = gst_buffer_copy_deep(buffer);
      break;
    case 2: {
      const gsize offset = size != 0 ? input.get<std::uint8_t>() % size : 0;
      whole = false;
      copied = gst_buffer_copy_region(buffer, GST_BUFFER_COPY_ALL, offset,
                                      input.get<std::uint8_t>() % (size - offset + 1));
      break;
    }
    case 3:
      copied = gst_buffer_append(gst_buffer_new(), gst_buffer_ref(buffer));
      whole = false;
      break;
    default: {
      copied = gst_buffer_new();
      whole = gst_buffer_copy_into(
                  copied, buffer,
                  static_cast<GstBufferCopyFlags>(GST_BUFFER_COPY_ALL | GST_BUFFER_COPY_DEEP), 0,
                  static_cast<gsize>(-1)) != FALSE;
    }
  }
  // A region of no memory at all.
  if (copied == nullptr) return gst_buffer_unref(buffer);
  gst_buffer_unref(buffer);
  const auto copies = packets_of(copied);
  require(!sound || !whole || copies == packets, "other packets in a copy");
  std::vector<guint8> bytes(gst_buffer_get_size(copied));
  if (!bytes.empty()) gst_buffer_extract(copied, 0, bytes.data(), bytes.size());
  gst_buffer_unref(copied);
}

// ---- Pools ------------------------------------------------------------------------------------

struct BatchPool {
  GstBufferPool parent;
};
struct BatchPoolClass {
  GstBufferPoolClass parent_class;
};
GType batch_pool_get_type();
G_DEFINE_TYPE(BatchPool, batch_pool, GST_TYPE_BUFFER_POOL)

constexpr guint kPoolRoom = 64;

void batch_pool_class_init(BatchPoolClass* klass) {
  auto* pool = GST_BUFFER_POOL_CLASS(klass);
  pool->get_options = [](GstBufferPool*) -> const gchar** {
    static const gchar* options[] = {GST_BUFFER_POOL_OPTION_PACKET_BATCH, nullptr};
    return options;
  };
  pool->set_config = [](GstBufferPool*, GstStructure* config) -> gboolean {
    guint size = 0;
    gst_buffer_pool_config_get_params(config, nullptr, &size, nullptr, nullptr);
    return size <= kPoolRoom;
  };
}
void batch_pool_init(BatchPool*) {}

/** An answer to an ALLOCATION query that proposes pools of all kinds. */
void query(Rig& target, Input& input) {
  GstCaps* caps =
      input.flag() ? gst_caps_from_string("application/x-packet,link-type=ip") : nullptr;
  GstQuery* allocation = gst_query_new_allocation(caps, TRUE);
  gst_clear_caps(&caps);
  (void)target.query(allocation);
  bool any = false;
  const guint size = input.around<std::uint16_t>({1, kPoolRoom, kPoolRoom + 1});
  for (unsigned n = input.below(4); n > 0; --n) {
    GstBufferPool* pool = nullptr;
    switch (input.below(3)) {
      case 0:
        pool = gst_buffer_pool_new();
        break;
      case 1:
        pool = GST_BUFFER_POOL(gst_object_ref_sink(g_object_new(batch_pool_get_type(), nullptr)));
        any = any || size <= kPoolRoom;
        break;
      default:
        break;
    }
    const guint most = input.below(4);
    gst_query_add_allocation_pool(allocation, pool, input.get<std::uint16_t>(),
                                  std::min(most, input.below(4)), most);
    if (pool != nullptr) gst_object_unref(pool);
  }
  GstBufferPool* found = gst_query_find_packet_batch_pool(allocation, size);
  require((found != nullptr) == any, "another pool than was proposed");
  if (found != nullptr) {
    guint configured = 0;
    GstStructure* config = gst_buffer_pool_get_config(found);
    gst_buffer_pool_config_get_params(config, nullptr, &configured, nullptr, nullptr);
    gst_structure_free(config);
    require(configured == size, "a pool for other packets");
    gst_object_unref(found);
  }
  gst_query_unref(allocation);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  Rig& target = chosen_rig(input.get<std::uint8_t>());
  for (int step = 0; step < 8 && !input.ended(); ++step) {
    const unsigned what = input.below(12);
    if (what == 7) {
      query(target, input);
      continue;
    }
    if (what == 8) {
      target.event(input);
      continue;
    }
    std::vector<Made> made;
    for (unsigned n = what < 2 ? 1 + input.below(5) : 1; n > 0; --n) made.emplace_back(input);
    switch (what) {
      case 0:
      case 1: {
        GstBufferList* list = gst_buffer_list_new();
        for (const Made& one : made) gst_buffer_list_add(list, one.buffer);
        target.push(list);
        break;
      }
      case 2:
        copy(made.front().buffer, input);
        break;
      case 3:
        unpack(made.front().buffer);
        break;
      case 6:
        copy_plainly(made.front().buffer, input);
        break;
      default:
        target.push(made.front().buffer);
    }
  }
  target.check_stats();
  return 0;
}
