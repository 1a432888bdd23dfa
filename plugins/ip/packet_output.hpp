// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The way out of iphost: its source pad for packets, which several threads use.
 */
#pragma once

#include <gst/gst.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>

#include "gst/packet/caps.hpp"
#include "plugins/common/packet_pool.hpp"

namespace ipplugin {

using gstpacket::LinkType;

/** What packets are written into, as negotiated with what is behind the pad. Any thread. */
class PacketFormat {
 public:
  /** By the answer to an ALLOCATION query, for packets of up to `longest` bytes; null: no answer.
   */
  PacketFormat(GstQuery* answer, std::size_t longest);

  /** In bytes, link header included. */
  [[nodiscard]] std::size_t longest() const { return longest_; }
  /** Whether batches may be pushed; otherwise a buffer holds one packet. */
  [[nodiscard]] bool batches() const { return batches_; }
  /** Whether batches come with descriptors of the places to write packets to. */
  [[nodiscard]] bool prepared() const { return pool_.prepared(); }
  /** A writable batch, or buffer of longest() bytes; null without memory. */
  [[nodiscard]] GstBuffer* take(guint places) { return pool_.take(places); }

 private:
  std::size_t longest_;
  bool batches_ = false;
  PacketPool pool_;
};

using PacketFormatPtr = std::shared_ptr<PacketFormat>;

class PacketOutput {
 public:
  explicit PacketOutput(GstPad* pad);

  /** Before streaming, with the length of the longest packet. */
  void start(std::size_t longest);
  /** When no thread pushes any more. */
  void stop();
  /** Gives the pad the events that come before data: for the first stream, before any data. */
  void prepare(LinkType type);
  /** The same for one behind the end of the last; before the first there is nothing to do. */
  void prepare_again();
  /** Pushes the end of a flush, which takes the segment away, and gives the pad another one. */
  void end_flush(GstEvent* event);

  /** What the packets behind the pad have to be: Ethernet frames where both are possible. */
  [[nodiscard]] LinkType peer_link_type() const;

  /** Negotiates if something has changed; never null. */
  [[nodiscard]] PacketFormatPtr format();
  /** In turn with other threads; both take what they push, whatever format() it was made for. */
  GstFlowReturn push(GstBuffer* buffer);
  GstFlowReturn push(GstBufferList* list);
  /** Pushes EOS if then, in turn, `still_ended()`: a new stream may have begun meanwhile. */
  template <class StillEnded>
  void push_eos(StillEnded still_ended) {
    const std::lock_guard turn(turn_);
    if (still_ended()) gst_pad_push_event(pad_, gst_event_new_eos());
  }

 private:
  void prepare_segment();
  PacketFormatPtr negotiated();

  GstPad* const pad_;
  std::string stream_id_;
  // A pad first sends its sticky events, and a second thread would not wait for them. Recursive: a
  // loop of links leads back here.
  std::recursive_mutex turn_;
  std::size_t longest_ = 0;         // turn_
  std::atomic<bool> known_{false};  // type_ is
  LinkType type_ = LinkType::ethernet;
  std::mutex format_mutex_;
  PacketFormatPtr format_;  // format_mutex_; replaced with turn_, too
};

}  // namespace ipplugin
