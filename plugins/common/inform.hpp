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
