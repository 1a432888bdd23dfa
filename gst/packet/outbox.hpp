// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Private. What one chain call on a port of a switch brought, and where it goes. Buffers are only
// handed on, never copied: a flooded one is shared by its ports as `tee` shares it. A further form
// of packets is a further way to load(), and to take() it apart.
#pragma once

#include <gst/gst.h>

#include <cstddef>
#include <span>
#include <vector>

#include "gst/packet/chunk.hpp"
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

  /// Opens the next packets into the empty `chunk`; none left: the chunk stays empty.
  void open(Chunk& chunk);
  /// After Chunk::close(): the open packets go where their verdicts say.
  void take(const Chunk& chunk);

  /// After all was taken: pushes what goes to `port`, in the order it came, in one piece. To be
  /// called once for each port that gets something; `last` if none comes after it.
  GstFlowReturn push(GstPad* pad, unsigned port, bool last);
  /// Drops what is left.
  void clear() noexcept;

 private:
  void begin(std::size_t ports, std::span<const unsigned> flood_to);
  [[nodiscard]] GstBuffer* at(std::size_t i) const;
  void place(std::size_t i, Verdict verdict);
  void scatter_from(std::size_t i);

  GstBuffer* buffer_ = nullptr;
  GstBufferList* list_ = nullptr;
  std::size_t size_ = 0;
  std::size_t next_ = 0;   // the first packet that was not opened yet
  std::size_t first_ = 0;  // the first packet of the open chunk
  std::span<const unsigned> flood_to_;
  // As long as all verdicts are the same, the whole arrival is passed on as it came.
  bool scattered_ = false;
  Verdict common_{};
  std::vector<std::vector<GstBuffer*>> ports_;
};

}  // namespace gstpacket::detail
