// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * SECTION:element-ethbridge
 * @title: ethbridge
 * @short_description: a learning Ethernet bridge with request pads
 * @see_also: memifsrc, memifsink, flowsplit
 *
 * Forwards Ethernet frames between its ports like an IEEE 802.1D bridge without spanning tree: it
 * learns per VLAN which station is behind which port, and floods frames to unknown stations, groups
 * and broadcast. Port N is the pair of request pads `sink_N` and `src_N`; a port may have only one
 * of them. Each sink pad may have a streaming thread of its own.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 ethbridge name=br
 * memifsrc socket-path=/tmp/a.sock role=master ! br.sink_0
 * br.src_0 ! memifsink socket-path=/tmp/a.sock role=master
 * memifsrc socket-path=/tmp/b.sock role=master ! br.sink_1
 * br.src_1 ! memifsink socket-path=/tmp/b.sock role=master
 * memifsrc socket-path=/tmp/c.sock role=master ! br.sink_2
 * br.src_2 ! memifsink socket-path=/tmp/c.sock role=master
 * ]| Bridges three interfaces.
 *
 * Since: 0.2
 */
#include "plugins/packet/ethbridge.hpp"

#include <ctime>

#include "gst/packet/headers/ethernet.hpp"
#include "gst/packet/plugin.hpp"

namespace packetplugin {
namespace {

// Times are in eighths of a second, which wrap after 17 years: fine enough for ageing, and a
// station that sends all the time costs eight writes a second to memory that threads share.
constexpr std::uint32_t kTicksPerSecond = 8;

std::uint32_t now() noexcept {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &time);  // per packet: no system call, some nanoseconds
  constexpr long kTick = 1'000'000'000L / kTicksPerSecond;
  return static_cast<std::uint32_t>(time.tv_sec) * kTicksPerSecond +
         static_cast<std::uint32_t>(time.tv_nsec / kTick);
}

/** 01:80:c2:00:00:00 to 01:80:c2:00:00:0f (IEEE 802.1D table 7-10). */
bool is_reserved(const Mac& mac) noexcept {
  const auto& b = mac.bytes;
  return b[0] == 0x01 && b[1] == 0x80 && b[2] == 0xc2 && b[3] == 0 && b[4] == 0 && b[5] <= 0x0f;
}

}  // namespace

Result<void> EthBridge::start() {
  auto table = std::make_shared<MacTable>(max_entries_.load());
  const std::lock_guard lock(table_mutex_);
  table_ = std::move(table);
  return {};
}

std::uint32_t EthBridge::ageing() const noexcept {
  return ageing_time_.load() * kTicksPerSecond;
}

Verdict EthBridge::process(const Packet& packet, unsigned port) {
  const auto frame = ConstEthernetView::at(packet.bytes());
  if (!frame) return drop(Drop::too_short);
  const std::uint16_t vlan = frame->tags() != 0 ? frame->vlan_id(0) : std::uint16_t{0};
  const Mac source = frame->source();
  if (source.is_group() || source.is_zero()) return drop(Drop::bad_source);
  const std::uint32_t time = now();
  table_->learn({vlan, source}, port, time, ageing());

  const Mac destination = frame->destination();
  if (destination.is_group()) {
    return is_reserved(destination) ? drop(Drop::reserved_destination) : flood();
  }
  const auto known = table_->find({vlan, destination}, time, ageing());
  if (!known) return flood();
  return *known == port ? drop(Drop::same_port) : to(*known);
}

void EthBridge::stats(StatsFields& fields) const {
  const std::shared_ptr<MacTable> stations = table();
  fields.add("stations", stations->expire(now(), ageing()));
  const MacTable::Counts counts = stations->counts();
  fields.add("learned", counts.learned);
  fields.add("moved", counts.moved);
  fields.add("aged", counts.aged);
  fields.add("evicted", counts.evicted);
}

}  // namespace packetplugin

GSTPACKET_ELEMENT_REGISTER_DEFINE(ethbridge, packetplugin::EthBridge)
