// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Arenas inside the library: views of them, and copies.
 */
#pragma once

#include <gst/gst.h>

#include "gst/packet/batch.hpp"

namespace gstpacket::detail {

/**
 * Another memory for the same arena, so that a part of a batch can say its own size: 0 at first.
 * Null if the arena cannot be mapped. Transfer full.
 */
[[nodiscard]] GstMemory* new_view(GstMemory* arena);

/** What `memory` is a view of, or itself. */
[[nodiscard]] GstMemory* whole_arena(GstMemory* memory) noexcept;

/**
 * A batch with copies of the packets of `from`, `head` bytes before and `tail` bytes behind each,
 * and `spare` bytes behind all. It has no time yet. Null without memory, or for sizes beyond 32
 * bits. Transfer full.
 */
[[nodiscard]] GstBuffer* copy_packets(const BatchMap& from, gsize head, gsize tail, gsize spare);

}  // namespace gstpacket::detail
