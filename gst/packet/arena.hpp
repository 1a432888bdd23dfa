// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Arenas inside the library: views of them, and copies.
 */
#pragma once

#include <gst/gst.h>

#include "gst/common/buffer_home.hpp"
#include "gst/packet/batch.hpp"

namespace gstpacket::detail {

class CopyPool;

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
[[nodiscard]] GstBuffer* copy_packets(const BatchMap& from, gsize head, gsize tail, gsize spare,
                                      CopyPool* pool = nullptr);

/** As gst_packet_batch_copy() without room around packets, in a batch of `pool`. */
[[nodiscard]] GstBuffer* copy_batch(GstBuffer* batch, CopyPool& pool);

// ---- For CopyPool ----

/** Of four: more than rest where a batch is freed before the next one is copied. */
using CopyHome = BufferHome<4>;

/** The arena takes the reference to what its batch returns to. */
void set_arena_home(GstMemory* arena, CopyHome* home) noexcept;
/** Null if there is none, or for memory of another kind. */
[[nodiscard]] CopyHome* arena_home(GstMemory* memory) noexcept;

/** Makes an arena that nobody else has as a new one of `size` bytes; false if it has fewer. */
bool reuse_arena(GstMemory* arena, gsize size) noexcept;

/** What a copy of a batch has in common with it beside its packets. */
void copy_flags_and_time(GstBuffer* to, GstBuffer* from);

}  // namespace gstpacket::detail
