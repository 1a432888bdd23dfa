// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * One buffer of a memif link as a GstMemory: borrowed, to hold one packet, or with a packet that
 * was received. What memifsink sends of it without a copy gets another buffer of the link in
 * exchange, so its address changes then.
 */
#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <memory>

#include "gst/memif/burst.hpp"

/** Several memories share a loan: it is given back when the last of them goes, on any thread. */
using SharedLoan = std::shared_ptr<gstmemif::Loan>;

/** Takes over @p loan, which may be null. */
SharedLoan share_loan(gstmemif::Loan* loan);

/** Buffer @p index of @p loan, which is borrowed; no other memory may have it. */
GstMemory* gst_memif_slot_memory_new(const SharedLoan& loan, std::uint32_t index);

/**
 * @p packet, which @p loan consists of. Takes over the loan. Read-only where the loan is; parts of
 * it may be shared.
 */
GstMemory* gst_memif_slot_memory_new_received(gstmemif::Loan* loan,
                                              const gstmemif::PacketDesc& packet);

/** The loan behind @p memory, or null if it is some other memory, or a part of one. */
gstmemif::Loan* gst_memif_slot_memory_loan(GstMemory* memory);

/** Where the bytes of @p memory lie in its loan. Only if there is one. */
gstmemif::PacketDesc gst_memif_slot_memory_packet(GstMemory* memory);
