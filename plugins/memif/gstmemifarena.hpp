// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Packets lent by a memif queue, as a GstMemory: the arena of a batch that was received
 * without a copy. It is the whole region of the link; the batch's descriptors say which bytes are
 * lent, and the size of the memory how many there are. The token of a descriptor is the index of
 * its buffer in the loan. As master the bytes are the peer's, and the memory is read-only.
 */
#pragma once

#include <gst/gst.h>

#include "gst/common/buffer_home.hpp"
#include "gst/memif/loan.hpp"

/** Of the batches of an RxBatchPool. */
using BatchHome = BufferHome<0>;

/** Takes the loan; it is returned when the memory is freed, on any thread. */
GstMemory* gst_memif_arena_new(gstmemif::Loan* loan);

/**
 * Of no bytes, for a loan that gst_memif_arena_take() brings. It keeps @p home, which may be null.
 */
GstMemory* gst_memif_arena_new_empty(BatchHome* home);
/** What the memory was made with. */
BatchHome* gst_memif_arena_home(GstMemory* memory);
/** Takes the loan, as above. @p memory must be exclusive, and empty. */
void gst_memif_arena_take(GstMemory* memory, gstmemif::Loan* loan);
/** Returns the loan at once. @p memory must be exclusive and not mapped. */
void gst_memif_arena_give_back(GstMemory* memory);

/** The loan behind @p memory, or null if it is some other memory. */
gstmemif::Loan* gst_memif_arena_loan(GstMemory* memory);
