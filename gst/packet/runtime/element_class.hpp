// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Private. The GObject classes of packet elements: an abstract class for each kind, and a derived
 * class for each registered element.
 */
#pragma once

#include <gst/gst.h>

#include "gst/packet/runtime/element_core.hpp"

namespace gstpacket::detail {

struct PacketElement {
  GstElement parent;
  ElementCore* core;
};

struct PacketElementClass {
  GstElementClass parent;
  const ElementClass* cls;
};

[[nodiscard]] inline ElementCore& core_of(void* object) {
  return *static_cast<PacketElement*>(object)->core;
}

/** What differs between kinds. */
struct ElementKind {
  const char* base_name;
  /** More of the abstract class. */
  void (*base_class_init)(GstElementClass* klass);
  void (*add_templates)(GstElementClass* klass, const ElementSpec& spec);
  /** Makes the pads that are always there, and what is behind all pads. */
  ElementCore* (*init)(GstElement* element, GstElementClass* klass, const ElementClass& cls);
};

/**
 * Handles an event of the sink pad of an element with one way in, before it is passed on; false if
 * it is refused.
 */
[[nodiscard]] bool take_event(GstPad* sink, GstObject* element, GstEvent* event);

extern const ElementKind kFilterKind;
extern const ElementKind kSplitterKind;
extern const ElementKind kSwitchKind;

}  // namespace gstpacket::detail
