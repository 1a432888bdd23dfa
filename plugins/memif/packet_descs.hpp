// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The descriptors of a batch as descriptors of the engine, which have the same layout.
 */
#pragma once

#include <cstddef>
#include <span>

#include "gst/memif/burst.hpp"
#include "gst/packet/batch.hpp"

static_assert(sizeof(gstmemif::PacketDesc) == sizeof(GstPacketDesc));
static_assert(offsetof(gstmemif::PacketDesc, offset) == offsetof(GstPacketDesc, offset));
static_assert(offsetof(gstmemif::PacketDesc, length) == offsetof(GstPacketDesc, length));
static_assert(offsetof(gstmemif::PacketDesc, unused) == offsetof(GstPacketDesc, delay));
static_assert(offsetof(gstmemif::PacketDesc, token) == offsetof(GstPacketDesc, token));

/** @p n descriptors from number @p first on. The engine reads and writes them as they lie there. */
inline std::span<gstmemif::PacketDesc> packet_descs(GstPacketBatchMeta& meta, std::size_t first,
                                                    std::size_t n) noexcept {
  return {reinterpret_cast<gstmemif::PacketDesc*>(meta.packets + first), n};
}
inline std::span<const gstmemif::PacketDesc> packet_descs(
    std::span<const GstPacketDesc> packets) noexcept {
  return {reinterpret_cast<const gstmemif::PacketDesc*>(packets.data()), packets.size()};
}
