// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Sentences for people who run a pipeline.
 */
#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <string>

/** "1 packet", "2 packets". @param noun with a plural in -s */
inline std::string counted(std::uint64_t count, const char* noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

/**
 * Posts an information message. gst-launch-1.0 prints the details of one, and not its text, so that
 * the details are the text behind the name of the element. Any thread.
 */
inline void inform(GstElement* element, const std::string& text) {
  gchar* name = gst_object_get_name(GST_OBJECT_CAST(element));
  const std::string details = std::string(name) + ": " + text;
  g_free(name);
  GError* error =
      g_error_new_literal(GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ_WRITE, text.c_str());
  gst_element_post_message(element,
                           gst_message_new_info(GST_OBJECT_CAST(element), error, details.c_str()));
  g_error_free(error);
}

/**
 * Gives a GError a text, where nothing else did: without one, what an information message, a
 * warning or an error says is missing where the message is printed, as by `gst-launch-1.0 -m`. For
 * the initialisation of a plugin.
 */
inline void make_errors_printable() {
  if (g_value_type_transformable(G_TYPE_ERROR, G_TYPE_STRING) != FALSE) return;
  g_value_register_transform_func(G_TYPE_ERROR, G_TYPE_STRING, [](const GValue* from, GValue* to) {
    const auto* error = static_cast<const GError*>(g_value_get_boxed(from));
    g_value_set_string(to, error != nullptr ? error->message : "");
  });
}
