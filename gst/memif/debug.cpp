// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/memif/debug.hpp"

namespace gstmemif {

GstDebugCategory* debug_category() {
  static GstDebugCategory* const category =
      _gst_debug_category_new("memif", 0, "memif engine: sockets, handshakes, links");
  return category;
}

}  // namespace gstmemif
