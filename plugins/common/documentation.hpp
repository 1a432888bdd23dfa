// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * What the registry says of all elements: who wrote them, and where they are documented.
 */
#pragma once

#include <gst/gst.h>

#include "config.h"

/** The page of @p element, a literal. */
#define DOCUMENTATION_URI(element) (DOCUMENTATION_PAGES "/" element ".md")

inline void add_documentation_uri(GstElementClass* klass, const char* uri) {
  gst_element_class_add_static_metadata(klass, GST_ELEMENT_METADATA_DOC_URI, uri);
}
