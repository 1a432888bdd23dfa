// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Values of properties that were given, to be kept, compared and shown.
 */
#pragma once

#include <gst/gst.h>

#include <map>
#include <string>

#include "plugins/common/properties.hpp"

/** A GValue with value semantics. */
class PropertyValue {
 public:
  explicit PropertyValue(const GValue& value) {
    g_value_init(&value_, G_VALUE_TYPE(&value));
    g_value_copy(&value, &value_);
  }
  PropertyValue(const PropertyValue& other) : PropertyValue(other.value_) {}
  PropertyValue& operator=(const PropertyValue& other) {
    if (this == &other) return *this;
    g_value_unset(&value_);
    g_value_init(&value_, G_VALUE_TYPE(&other.value_));
    g_value_copy(&other.value_, &value_);
    return *this;
  }
  ~PropertyValue() { g_value_unset(&value_); }

  [[nodiscard]] const GValue& value() const noexcept { return value_; }
  bool operator==(const PropertyValue& other) const {
    return gst_value_compare(&value_, &other.value_) == GST_VALUE_EQUAL;
  }
  /** A text as it is, anything else as GStreamer writes it. */
  [[nodiscard]] std::string text() const {
    if (G_VALUE_HOLDS_STRING(&value_)) return text_of(&value_);
    gchar* text = gst_value_serialize(&value_);
    const std::string out = text != nullptr ? text : "";
    g_free(text);
    return out;
  }

 private:
  GValue value_ = G_VALUE_INIT;
};

/** By the name of the property. */
using PropertyValues = std::map<std::string, PropertyValue>;
