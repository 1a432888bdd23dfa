// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Memory for copies of received packets: ordinary memory that counts in a budget until it is
 * freed. The bytes lie right behind what GStreamer looks at for each packet.
 */
#pragma once

#include <gst/gst.h>

#include <cstddef>
#include <memory>

#include "gst/memif/copy_budget.hpp"

using CopyBudgetPtr = std::shared_ptr<gstmemif::CopyBudget>;

/**
 * @p size bytes that count in @p budget (null: in none). Null without memory, or if the budget is
 * used up.
 */
GstMemory* gst_memif_copy_memory_new(const CopyBudgetPtr& budget, gsize size, GstMemoryFlags flags);

/** Whether @p memory is one of these, and not a part of one. */
bool gst_is_memif_copy_memory(const GstMemory* memory) noexcept;

/**
 * Makes @p memory its first @p size bytes, and returns where they are: to be written without a map.
 * It must be from gst_memif_copy_memory_new() with at least that size, and exclusive.
 */
std::byte* gst_memif_copy_memory_reuse(GstMemory* memory, gsize size) noexcept;
