// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file Buffers in any state, batches with damaged metas above all, through elements of each kind,
 * and through the functions that copy and unpack batches.
 */
#include <array>
#include <memory>
#include <vector>

#include "fuzz.hpp"
#include "fuzz_gst.hpp"
#include "gst/packet/batch.hpp"
#include "gst/packet/batch_map.hpp"
#include "gst/packet/element.hpp"

using namespace gstpacket;
using fuzz::Input;
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
  const detail::BatchMap map(buffer);
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
      if (GST_QUERY_TYPE(query) != GST_QUERY_ALLOCATION || !of(pad)->takes_batches_) {
        return gst_pad_query_default(pad, parent, query);
      }
      gst_query_add_allocation_meta(query, GST_PACKET_BATCH_META_API_TYPE, nullptr);
      return gboolean{TRUE};
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

Rig& rig(unsigned which) {
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

// ---- Buffers --------------------------------------------------------------------------------

GstMemory* memory_from(Input& input) {
  const auto bytes = input.bytes(input.around<std::uint8_t>({60, 0, 1}));
  GstAllocationParams params;
  gst_allocation_params_init(&params);
  params.prefix = input.below(3) * 30U;
  params.padding = input.below(3) * 30U;
  GstMemory* memory = gst_allocator_alloc(nullptr, bytes.size(), &params);
  GstMapInfo map;
  require(gst_memory_map(memory, &map, GST_MAP_WRITE) != FALSE, "map");
  if (!bytes.empty()) std::memcpy(map.data, bytes.data(), bytes.size());
  gst_memory_unmap(memory, &map);
  if (input.below(8) == 0) GST_MINI_OBJECT_FLAG_SET(memory, GST_MEMORY_FLAG_READONLY);
  return memory;
}

GstBuffer* plain_buffer(Input& input) {
  GstBuffer* buffer = gst_buffer_new();
  const unsigned memories = input.below(4) == 0 ? input.below(20) : 1;
  for (unsigned i = 0; i < memories; ++i) gst_buffer_append_memory(buffer, memory_from(input));
  return buffer;
}

/** Packets one behind the other, some of which are then somewhere else. */
GstBuffer* batch_buffer(Input& input) {
  const std::uint32_t n = input.around<std::uint8_t>({1, 2, 8, 0});
  const std::uint32_t size = input.around<std::uint8_t>({60, 1, 0}) % 64;
  const auto bytes = input.bytes(input.below(64));
  GstBuffer* batch = gst_packet_batch_new(std::size_t{n} * size);
  GstMemory* arena = gst_buffer_peek_memory(batch, 0);
  GstMapInfo map;
  require(gst_memory_map(arena, &map, GST_MAP_WRITE) != FALSE, "map");
  std::memset(map.data, 0, map.size);
  for (std::size_t at = 0; !bytes.empty() && at < map.size; at += bytes.size()) {
    std::memcpy(map.data + at, bytes.data(), std::min(bytes.size(), map.size - at));
  }
  gst_memory_unmap(arena, &map);
  GstPacketBatchMeta* meta = gst_buffer_get_packet_batch_meta(batch);
  meta->n = n;
  for (std::uint32_t i = 0; i < n && i < GST_PACKET_BATCH_MAX; ++i) {
    meta->packets[i] = {i * size, size, i, i};
  }
  if (input.flag()) return batch;
  for (unsigned i = input.below(5); i > 0; --i) {
    GstPacketDesc& desc = meta->packets[input.get<std::uint8_t>()];
    switch (input.below(3)) {
      case 0:
        desc.offset = input.around<guint32>({0, size, n * size, n * size - 1, G_MAXUINT32});
        break;
      case 1:
        desc.length = input.around<guint32>({0, 1, size + 1, n * size, G_MAXUINT32});
        break;
      default:
        desc.delay = input.get<guint32>();
    }
  }
  switch (input.below(8)) {
    case 0:
      meta->n = input.around<guint>({256, 257, G_MAXUINT32});
      break;
    case 1:
      gst_buffer_append_memory(batch, memory_from(input));
      break;
    case 2:
      gst_buffer_remove_all_memory(batch);
      break;
    case 3:
      gst_buffer_resize(batch, std::min<gssize>(1, n * size), -1);
      break;
    case 4:
      GST_MINI_OBJECT_FLAG_SET(arena, GST_MEMORY_FLAG_READONLY);
      break;
    default:
      break;
  }
  return batch;
}

/** A buffer that somebody else may have too: what it holds must not change. */
struct Made {
  GstBuffer* buffer;
  GstBuffer* other = nullptr;
  std::vector<guint8> was;

  explicit Made(Input& input)
      : buffer(input.below(3) != 0 ? batch_buffer(input) : plain_buffer(input)) {
    if (input.flag()) GST_BUFFER_PTS(buffer) = input.get<std::uint32_t>();
    switch (input.below(6)) {
      case 0:
        other = gst_buffer_ref(buffer);
        break;
      case 1:
        other = gst_buffer_copy(buffer);
        break;
      case 2:
        other = gst_buffer_copy_region(buffer, GST_BUFFER_COPY_ALL, 0, gst_buffer_get_size(buffer));
        break;
      default:
        return;
    }
    was = content();
  }
  Made(Made&& from) noexcept
      : buffer(from.buffer), other(std::exchange(from.other, nullptr)), was(std::move(from.was)) {}
  ~Made() {
    if (other == nullptr) return;
    require(content() == was, "a packet that somebody else has was changed");
    gst_buffer_unref(other);
  }
  std::vector<guint8> content() const {
    std::vector<guint8> bytes(gst_buffer_get_size(other));
    if (!bytes.empty()) gst_buffer_extract(other, 0, bytes.data(), bytes.size());
    return bytes;
  }
};

// ---- What is done with them -----------------------------------------------------------------

void check_copy(GstBuffer* batch, GstBuffer* copied, gsize head, gsize tail) {
  const detail::BatchMap from(batch), to(copied);
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
  std::size_t readable = 0;
  {
    const detail::BatchMap map(batch);
    for (guint i = 0; map && i < map.meta().n; ++i) {
      readable += map.bytes(map.meta().packets[i]) != nullptr ? 1U : 0U;
    }
  }
  GstBufferList* list = gst_packet_batch_unpack(batch);
  require(gst_buffer_list_length(list) == readable, "packets that got lost");
  gst_buffer_list_unref(list);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  Rig& target = rig(input.get<std::uint8_t>());
  for (int step = 0; step < 8 && !input.ended(); ++step) {
    const unsigned what = input.below(6);
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
      default:
        target.push(made.front().buffer);
    }
  }
  target.check_stats();
  return 0;
}
