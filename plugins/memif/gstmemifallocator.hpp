// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The allocator behind the memories of memif. Each kind of memory has one instance of it: it
 * cannot allocate, as the memories come from pools and rings, and knows how to map and free them.
 */
#pragma once

#include <gst/gst.h>

/** A kind of memory, in the terms of GstAllocator. */
struct GstMemifMemoryKind {
  const char* mem_type;
  GstMemoryMapFunction map;  ///< always returns the same for a memory
  void (*free)(GstMemory* memory);
  GstMemoryCopyFunction copy = nullptr;  ///< null, as for the others: what GstAllocator does
  GstMemoryShareFunction share = nullptr;
  GstMemoryIsSpanFunction is_span = nullptr;
};

/**
 * Makes the one allocator of @p kind that a process has. It is there for ever: memories may outlive
 * any element.
 */
GstAllocator* gst_memif_allocator_new(const GstMemifMemoryKind& kind);
