// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Properties with a range that is shown and not enforced: GLib only warns about a value outside of
 * it and goes on with another. A check of our own ends the pipeline with a reason.
 */
#pragma once

#include <glib-object.h>

/** The type @p name of such properties; a subtype of @p parent, whose instances are Spec. */
template <class Spec>
GType lenient_type(const char* name, GType parent) {
  // Plugins in one process share it.
  if (const GType known = g_type_from_name(name); known != 0) return known;
  GTypeInfo info{};
  info.class_size = sizeof(GParamSpecClass);
  info.class_init = [](gpointer klass, gpointer) {
    static_cast<GParamSpecClass*>(klass)->value_validate = [](GParamSpec*, GValue*) {
      return FALSE;
    };
  };
  info.instance_size = sizeof(Spec);
  return g_type_register_static(parent, name, &info, GTypeFlags(0));
}

template <class Spec, class Number>
GParamSpec* lenient_spec(GType type, const char* name, const char* nick, const char* blurb,
                         Number min, Number max, Number preset, GParamFlags flags) {
  auto* spec = static_cast<Spec*>(g_param_spec_internal(type, name, nick, blurb, flags));
  spec->minimum = min;
  spec->maximum = max;
  spec->default_value = preset;
  return &spec->parent_instance;
}

/** As g_param_spec_uint(). */
inline GParamSpec* lenient_spec_uint(const char* name, const char* nick, const char* blurb,
                                     guint min, guint max, guint preset, GParamFlags flags) {
  static const GType type = lenient_type<GParamSpecUInt>("GstMemifParamUInt", G_TYPE_PARAM_UINT);
  return lenient_spec<GParamSpecUInt>(type, name, nick, blurb, min, max, preset, flags);
}

/** As g_param_spec_int(). */
inline GParamSpec* lenient_spec_int(const char* name, const char* nick, const char* blurb, gint min,
                                    gint max, gint preset, GParamFlags flags) {
  static const GType type = lenient_type<GParamSpecInt>("GstMemifParamInt", G_TYPE_PARAM_INT);
  return lenient_spec<GParamSpecInt>(type, name, nick, blurb, min, max, preset, flags);
}
