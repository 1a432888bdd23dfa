// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
//
// Private. What one chain call brought, in whichever form packets travel. The runtime opens it a
// burst at a time, lets the element decide, settles the verdicts, and pushes what remains.
#pragma once

#include <gst/gst.h>

#include <cstddef>
#include <vector>

#include "gst/packet/burst.hpp"
#include "gst/packet/runtime/counters.hpp"

namespace gstpacket::detail {

/// What goes to the extra source pads; the buffers are owned until taken.
class Diverted {
 public:
  explicit Diverted(std::size_t ports) : ports_(ports) {}
  ~Diverted() { drop_all(); }
  Diverted(const Diverted&) = delete;
  Diverted& operator=(const Diverted&) = delete;

  /// `port` counts from 1. Takes the reference.
  void add(std::size_t port, GstBuffer* buffer) { ports_[port - 1].push_back(buffer); }
  [[nodiscard]] std::vector<GstBuffer*>& port(std::size_t port) { return ports_[port - 1]; }
  [[nodiscard]] std::size_t ports() const noexcept { return ports_.size(); }
  void drop_all() noexcept;

 private:
  std::vector<std::vector<GstBuffer*>> ports_;
};

/// Whether what is linked to `pad` takes batches: an ALLOCATION query.
[[nodiscard]] bool peer_takes_batches(GstPad* pad);

/// Where packets leave a filter. Streaming thread.
class SourcePad {
 public:
  explicit SourcePad(GstPad* pad) : pad_(pad) {}
  [[nodiscard]] GstPad* get() const { return pad_; }
  /// Pushes a batch, or its packets in a list where batches are not taken; those are counted.
  GstFlowReturn push_batch(GstBuffer* batch, Counter& copies);
  /// The buffers as one buffer or one list; empties `buffers`.
  GstFlowReturn push_buffers(std::vector<GstBuffer*>& buffers, Counter& copies);

 private:
  GstPad* pad_;
  bool takes_batches_ = false;
};

class Arrival {
 public:
  virtual ~Arrival() = default;
  /// Packets that had to be copied before they could be opened.
  [[nodiscard]] virtual std::uint64_t copies() const noexcept { return 0; }
  /// Opens the next packets into the empty `burst`; none left: the burst stays empty.
  virtual void open(Burst& burst) = 0;
  /// After Burst::close(): removes every packet whose verdict is not forward(); those for an extra
  /// pad go to `diverted`.
  virtual void settle(const Burst& burst, Diverted& diverted) = 0;
  /// Pushes what was forwarded, in the form in which it came if that is taken; GST_FLOW_OK if
  /// nothing was.
  virtual GstFlowReturn push(SourcePad& pad, Counter& copies) = 0;
};

class BufferArrival final : public Arrival {
 public:
  BufferArrival(GstBuffer* buffer, Access access) noexcept;
  ~BufferArrival() override;
  void open(Burst& burst) override;
  void settle(const Burst& burst, Diverted& diverted) override;
  GstFlowReturn push(SourcePad& pad, Counter& copies) override;

 private:
  GstBuffer* buffer_;
  bool opened_ = false;
};

class ListArrival final : public Arrival {
 public:
  ListArrival(GstBufferList* list, Access access) noexcept;
  ~ListArrival() override;
  void open(Burst& burst) override;
  void settle(const Burst& burst, Diverted& diverted) override;
  GstFlowReturn push(SourcePad& pad, Counter& copies) override;

 private:
  void remove(const Burst& burst, Diverted& diverted);

  GstBufferList* list_;
  Access access_;
  guint next_ = 0;   // the first packet of the list that was not opened yet
  guint first_ = 0;  // the first packet of the open burst
};

/// One buffer that holds many packets.
class BatchArrival final : public Arrival {
 public:
  BatchArrival(GstBuffer* batch, Access access) noexcept;
  ~BatchArrival() override;
  void open(Burst& burst) override;
  void settle(const Burst& burst, Diverted& diverted) override;
  GstFlowReturn push(SourcePad& pad, Counter& copies) override;

  /// Copies made to have the packets for ourselves.
  [[nodiscard]] std::uint64_t copies() const noexcept override { return copies_; }

 private:
  void divert(const Burst& burst, std::uint8_t port, Diverted& diverted);

  GstBuffer* batch_;
  std::uint64_t copies_ = 0;
  bool opened_ = false;
};

/// Whether any buffer of `list` is a batch.
[[nodiscard]] bool holds_batches(GstBufferList* list);

/// The buffers as one buffer or one list, which is pushed; empties `buffers`.
GstFlowReturn push_buffers(GstPad* pad, std::vector<GstBuffer*>& buffers);

}  // namespace gstpacket::detail
