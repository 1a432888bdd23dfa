// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/packet/runtime/port_table.hpp"

#include <utility>

#include "gst/packet/batch.hpp"

namespace gstpacket::detail {

bool peer_takes_batches(GstPad* pad, GstCaps* caps) {
  GstQuery* query = gst_query_new_allocation(caps, FALSE);
  const bool takes =
      gst_pad_peer_query(pad, query) != FALSE && gst_query_allows_packet_batches(query) != FALSE;
  gst_query_unref(query);
  return takes;
}

/** The peer may be another one than that which upstream negotiated with. */
void SourcePort::ask_peer() {
  if (!gst_pad_check_reconfigure(pad_)) return;
  GstCaps* caps = gst_pad_get_current_caps(pad_);
  takes_batches_ = peer_takes_batches(pad_, caps);
  gst_clear_caps(&caps);
}

void PortTable::publish(Ports ports) {
  ports_ = std::make_shared<const Ports>(std::move(ports));
  generation_.fetch_add(1, std::memory_order_release);
}

void PortTable::add(std::shared_ptr<SourcePort> port) {
  const std::lock_guard lock(mutex_);
  Ports ports = *ports_;
  const std::size_t number = port->number();
  if (ports.size() <= number) ports.resize(number + 1);
  ports[number] = std::move(port);
  publish(std::move(ports));
}

std::shared_ptr<SourcePort> PortTable::remove(GstPad* pad) {
  const std::lock_guard lock(mutex_);
  Ports ports = *ports_;
  std::shared_ptr<SourcePort> gone;
  for (auto& port : ports) {
    if (port && port->pad() == pad) gone = std::exchange(port, nullptr);
  }
  while (!ports.empty() && !ports.back()) ports.pop_back();
  publish(std::move(ports));
  return gone;
}

std::shared_ptr<const PortTable::Ports> PortTable::ports() const {
  const std::lock_guard lock(mutex_);
  return ports_;
}

bool PortTable::replace(View& view) const {
  const std::lock_guard lock(mutex_);
  view = {ports_, generation_.load(std::memory_order_relaxed)};
  return true;
}

}  // namespace gstpacket::detail
