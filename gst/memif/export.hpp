// SPDX-License-Identifier: LGPL-2.1-or-later
/** @file Symbol visibility of the library gstmemif-1.0. */
#pragma once

/** Marks what the shared library exports; everything else stays hidden. */
#define GSTMEMIF_API __attribute__((visibility("default")))
