// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * What the properties of several elements have in common.
 */
#pragma once

#include <gst/gst.h>

#include <string>

/** Set in the states NULL and READY. */
inline constexpr auto kReady =
    static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);
/** Set at any time. */
inline constexpr auto kPlaying = static_cast<GParamFlags>(
    G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING);
inline constexpr auto kReadOnly =
    static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);

/** The text of @p value; empty for NULL. */
inline std::string text_of(const GValue* value) {
  const gchar* text = g_value_get_string(value);
  return text != nullptr ? text : "";
}

/** Of the property `stats`, whose value is a GstStructure. */
inline GParamSpec* stats_spec(
    const char* blurb = "Counters since the element last went to PAUSED") {
  return g_param_spec_boxed("stats", "Statistics", blurb, GST_TYPE_STRUCTURE, kReadOnly);
}

/** Of the property `batches` of a source. */
inline GParamSpec* batches_spec() {
  return g_param_spec_boolean("batches", "Batches",
                              "Push many packets per buffer to elements that support it; otherwise "
                              "one packet per buffer",
                              TRUE, kPlaying);
}
