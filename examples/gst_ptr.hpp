// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Owners of what GLib and GStreamer count references of.
 */
#pragma once

#include <gst/gst.h>

#include <memory>

template <auto kFree>
struct FreeWith {
  template <class T>
  void operator()(T* object) const noexcept {
    kFree(object);
  }
};

template <class T>
using GstPtr = std::unique_ptr<T, FreeWith<gst_object_unref>>;
using StructurePtr = std::unique_ptr<GstStructure, FreeWith<gst_structure_free>>;
using MessagePtr = std::unique_ptr<GstMessage, FreeWith<gst_message_unref>>;
using LoopPtr = std::unique_ptr<GMainLoop, FreeWith<g_main_loop_unref>>;
using TextPtr = std::unique_ptr<gchar, FreeWith<g_free>>;
using ErrorPtr = std::unique_ptr<GError, FreeWith<g_error_free>>;

/** The `stats` of an element. */
inline StructurePtr stats_of(GstElement* element) {
  GstStructure* stats = nullptr;
  g_object_get(element, "stats", &stats, nullptr);
  return StructurePtr(stats);
}
