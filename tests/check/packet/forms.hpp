// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Packets in every form they may travel in, and elements that take them apart.
 */
#pragma once

#include <algorithm>
#include <random>

#include "gst/packet/element.hpp"
#include "rig.hpp"

namespace forms {

using namespace gstpacket;
using rig::Bytes;

/** Decides by the first byte, and marks and resizes what it lets through. */
struct Sorter {
  enum class Drop { three, five };
  static constexpr ElementInfo info{"sorter", "Sorter", "Filter/Network", "Tests", "Tests"};
  static constexpr std::array ports{"left", "right"};
  Verdict process(Packet& packet) {
    if (packet.size() < 2) return drop();
    const auto first = std::to_integer<unsigned>(packet.bytes()[0]);
    packet.writable()[1] ^= std::byte{0xff};
    if (first % 3 == 0 && first % 5 != 0) return drop(Drop::three);
    if (first % 5 == 0) return drop(Drop::five);
    if (first % 7 == 0) return packet.extend(3) ? to(1) : drop();
    if (first % 11 == 0) return packet.pop_front(1) ? to(2) : drop();
    if (first % 13 == 0) return packet.truncate(packet.size() - 1) ? forward() : drop();
    return forward();
  }
};

/** The same decisions without touching anything, a batch at a time. */
struct ReadSorter {
  enum class Drop { three, five };
  static constexpr ElementInfo info{"readsorter", "Sorter", "Filter/Network", "Tests", "Tests"};
  static constexpr std::array ports{"left", "right"};
  static constexpr Access access = Access::read;
  void process(ConstPacketBatch& batch) {
    for (std::size_t i = 0; i < batch.size(); ++i) batch.set(i, decide(batch[i]));
  }
  static Verdict decide(const Packet& packet) {
    if (packet.size() < 2) return drop();
    const auto first = std::to_integer<unsigned>(packet.bytes()[0]);
    if (first % 3 == 0 && first % 5 != 0) return drop(Drop::three);
    if (first % 5 == 0) return drop(Drop::five);
    if (first % 7 == 0) return to(1);
    return first % 11 == 0 ? to(2) : forward();
  }
};

inline void register_all() {
  fail_unless(register_element<Sorter>(nullptr));
  fail_unless(register_element<ReadSorter>(nullptr));
}

/** A form, and how it is shared. */
enum class Kind {
  plain,
  pieces,
  shared_buffer,
  shared_memory,
  read_only,
  held_list,
  batch,
  shared_batch,   // the buffer has a second reference
  copied_batch,   // and here a copy of it
  split_batch,    // its packets travel in two buffers with one arena
  listed_batches  // and here in a list
};
constexpr bool is_batch(Kind kind) {
  return kind >= Kind::batch;
}

inline std::vector<Bytes> some_packets(std::size_t n, bool all_forward) {
  std::mt19937 random(static_cast<unsigned>(n));
  std::vector<Bytes> packets(n);
  for (Bytes& packet : packets) {
    packet.resize(random() % 20 == 0 ? random() % 3 : 2 + random() % 100);
    for (auto& b : packet) b = static_cast<std::uint8_t>(random());
    if (all_forward) {
      packet.resize(60);
      packet[0] = 1;
    }
  }
  return packets;
}

/** Pushes packets from a pad, and checks those that are shared. */
class Feeder {
 public:
  Feeder(Kind kind, GstPad* source) : kind_(kind), source_(source) {}
  ~Feeder() {
    for (GstBuffer* buffer : held_) gst_buffer_unref(buffer);
    for (GstBufferList* list : lists_) gst_buffer_list_unref(list);
  }

  void feed(const std::vector<Bytes>& packets, std::size_t batch) {
    if (is_batch(kind_)) {
      feed_batches(packets, batch);
    } else {
      feed_buffers(packets, batch);
    }
    check_untouched();
  }
  /** What others hold has not changed. */
  void check_untouched() const {
    std::vector<Bytes> seen;
    for (GstBuffer* buffer : held_)
      std::ranges::copy(rig::packets_of(buffer), std::back_inserter(seen));
    fail_unless(seen == expected_);
  }

 private:
  void feed_buffers(const std::vector<Bytes>& packets, std::size_t batch) {
    for (std::size_t at = 0; at < packets.size(); at += batch) {
      if (batch == 1) {
        fail_unless_equals_int(gst_pad_push(source_, make(packets[at])), GST_FLOW_OK);
        continue;
      }
      GstBufferList* list = gst_buffer_list_new();
      for (std::size_t i = at; i < std::min(at + batch, packets.size()); ++i) {
        gst_buffer_list_add(list, make(packets[i]));
      }
      if (kind_ == Kind::held_list) lists_.push_back(gst_buffer_list_ref(list));
      fail_unless_equals_int(gst_pad_push_list(source_, list), GST_FLOW_OK);
    }
  }
  /** What is too long for one batch comes as a full one and the rest. */
  void feed_batches(std::span<const Bytes> packets, std::size_t batch) {
    while (!packets.empty()) {
      std::span<const Bytes> now = packets.first(std::min(batch, packets.size()));
      packets = packets.subspan(now.size());
      while (!now.empty()) {
        const auto part = now.first(std::min<std::size_t>(now.size(), GST_PACKET_BATCH_MAX));
        push_batch(part);
        now = now.subspan(part.size());
      }
    }
  }
  void push_batch(std::span<const Bytes> packets) {
    GstBuffer* batch = rig::make_batch(packets);
    if (kind_ == Kind::shared_batch) hold(gst_buffer_ref(batch), packets);
    if (kind_ == Kind::copied_batch) hold(gst_buffer_copy(batch), packets);
    if (kind_ != Kind::split_batch && kind_ != Kind::listed_batches) {
      fail_unless_equals_int(gst_pad_push(source_, batch), GST_FLOW_OK);
      return;
    }
    GstBuffer* rest = rig::split_batch(batch, static_cast<guint>(packets.size() / 2));
    if (kind_ == Kind::split_batch) {
      fail_unless_equals_int(gst_pad_push(source_, batch), GST_FLOW_OK);
      fail_unless_equals_int(gst_pad_push(source_, rest), GST_FLOW_OK);
      return;
    }
    GstBufferList* list = gst_buffer_list_new();
    gst_buffer_list_add(list, batch);
    gst_buffer_list_add(list, rest);
    fail_unless_equals_int(gst_pad_push_list(source_, list), GST_FLOW_OK);
  }
  GstBuffer* make(const Bytes& bytes) {
    GstBuffer* buffer =
        kind_ == Kind::pieces ? rig::make_pieces(bytes, 7) : rig::make_buffer(bytes);
    if (kind_ == Kind::read_only && !bytes.empty()) {
      GST_MINI_OBJECT_FLAG_SET(gst_buffer_peek_memory(buffer, 0), GST_MEMORY_FLAG_READONLY);
    }
    if (kind_ == Kind::shared_buffer) hold(gst_buffer_ref(buffer), {&bytes, 1});
    if (kind_ == Kind::shared_memory) hold(gst_buffer_copy(buffer), {&bytes, 1});
    if (kind_ == Kind::held_list) hold(gst_buffer_ref(buffer), {&bytes, 1});
    return buffer;
  }
  void hold(GstBuffer* buffer, std::span<const Bytes> packets) {
    held_.push_back(buffer);
    expected_.insert(expected_.end(), packets.begin(), packets.end());
  }
  Kind kind_;
  GstPad* source_;
  std::vector<GstBuffer*> held_;
  std::vector<Bytes> expected_;
  std::vector<GstBufferList*> lists_;
};

inline constexpr Kind kKinds[] = {Kind::plain,         Kind::pieces,        Kind::shared_buffer,
                                  Kind::shared_memory, Kind::read_only,     Kind::held_list,
                                  Kind::batch,         Kind::shared_batch,  Kind::copied_batch,
                                  Kind::split_batch,   Kind::listed_batches};

}  // namespace forms
