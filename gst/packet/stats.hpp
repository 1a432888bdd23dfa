// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * What an element adds to its `stats`.
 */
#pragma once

#include <gst/gst.h>

#include <cstdint>

namespace gstpacket {

/** The structure that the property `stats` will return, open for more fields. */
class StatsFields {
 public:
  explicit StatsFields(GstStructure* fields) noexcept : fields_(fields) {}
  /** `name` has dashes and is none of the fields that every element has. */
  void add(const char* name, std::uint64_t value) const {
    gst_structure_set(fields_, name, G_TYPE_UINT64, static_cast<guint64>(value), nullptr);
  }

 private:
  GstStructure* fields_;
};

}  // namespace gstpacket
