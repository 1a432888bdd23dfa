// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Where the registry says that an element is documented, if the build was told.
 */
#pragma once

#include <gst/gst.h>

#include "config.h"

/** The section of @p element, a literal; null without the option `documentation-uri`. */
#define DOCUMENTATION_URI(element) \
  (sizeof(DOCUMENTATION_PAGE) > 1 ? DOCUMENTATION_PAGE "#" element : nullptr)

inline void add_documentation_uri(GstElementClass* klass, const char* uri) {
  if (uri != nullptr) {
    gst_element_class_add_static_metadata(klass, GST_ELEMENT_METADATA_DOC_URI, uri);
  }
}
