// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
//
// Private. What one chain call on a port of a switch brought, and where it goes. Buffers are only
// handed on: a flooded one is shared by its ports as `tee` shares it. A batch whose packets part
// becomes a batch for each port, in the same arena; only those that several ports get are copied,
// for a packet of a batch belongs to one buffer.
#pragma once

#include <gst/gst.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "gst/packet/burst.hpp"
#include "gst/packet/packet.hpp"

namespace gstpacket::detail {

class Outbox {
 public:
  Outbox() = default;
  ~Outbox() { clear(); }
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  /// Begins anew; both take the reference. Ports are numbered below `ports`; what is flooded goes
  /// to all of `flood_to`, which must stay as it is until clear().
  void load(GstBuffer* buffer, std::size_t ports, std::span<const unsigned> flood_to);
  void load(GstBufferList* list, std::size_t ports, std::span<const unsigned> flood_to);

  /// Opens the next packets into the empty `burst`; none left: the burst stays empty.
  void open(Burst& burst);
  /// After Burst::close(): the open packets go where their verdicts say.
  void take(const Burst& burst);

  /// After all was taken: pushes what goes to `port`, in the order it came, in one piece; a packet
  /// per buffer where the port does not take batches. To be called once for each port that gets
  /// something; `last` if none comes after it.
  GstFlowReturn push(GstPad* pad, unsigned port, bool takes_batches, bool last);
  /// Packets whose bytes were copied since the last call.
  [[nodiscard]] std::uint64_t take_copies() noexcept { return std::exchange(copies_, 0); }
  /// Drops what is left.
  void clear() noexcept;

 private:
  void begin(std::size_t ports, std::span<const unsigned> flood_to);
  [[nodiscard]] GstBuffer* at(std::size_t i) const;
  void place(std::size_t i, Verdict verdict);
  void scatter_from(std::size_t i);
  void hand_to(unsigned port, std::size_t i);
  GstFlowReturn push_part(GstPad* pad, unsigned port, bool takes_batches, bool last);
  GstFlowReturn push_batch(GstPad* pad, GstBuffer* batch, bool takes_batches);

  GstBuffer* buffer_ = nullptr;  // one packet, or a batch
  bool batch_ = false;
  bool opened_ = false;  // the batch
  GstBufferList* list_ = nullptr;
  std::size_t size_ = 0;   // buffers
  std::size_t next_ = 0;   // the first buffer of the list that was not opened yet
  std::size_t first_ = 0;  // the first packet of the open burst
  std::span<const unsigned> flood_to_;
  // As long as all verdicts are the same, the whole arrival is passed on as it came.
  bool scattered_ = false;
  Verdict common_{};
  bool flooded_ = false;  // some of what was scattered goes to several ports
  std::uint64_t copies_ = 0;
  std::vector<std::vector<GstBuffer*>> ports_;
};

}  // namespace gstpacket::detail
