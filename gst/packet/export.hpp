// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

/// Marks the symbols that libgstpacket-1.0 exports; everything else stays hidden.
#define GSTPACKET_API __attribute__((visibility("default")))
