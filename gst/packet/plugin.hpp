// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The entry of a plugin whose elements are packet elements.
 */
#pragma once

#include <gst/gst.h>

#include "gst/packet/element.hpp"

namespace gstpacket {

/** Registers the elements, for a plugin that has more to do than GSTPACKET_PLUGIN does. */
template <class... Elements>
gboolean register_elements(GstPlugin* plugin) {
  return (register_element<Elements>(plugin) && ...);
}

}  // namespace gstpacket

/**
 * Defines gst_element_register_<name>(), by which GST_ELEMENT_REGISTER(name, plugin) registers one
 * element, also where it is linked statically. `name` is a C identifier, the class's factory name
 * as a rule. At file scope, in no namespace; GST_ELEMENT_REGISTER_DECLARE(name) goes before it,
 * into a header.
 */
#define GSTPACKET_ELEMENT_REGISTER_DEFINE(name, element) \
  GST_ELEMENT_REGISTER_DEFINE_CUSTOM(name, gstpacket::register_element<element>)

/**
 * Defines a plugin from a single line at file scope:
 *
 *     GSTPACKET_PLUGIN(decttl, "Decrements the TTL", "1.0", "LGPL", "my-package",
 *                      "https://example.org", DecTtl)
 *
 * The module must be called libgst<name>.so. The licence is one that GStreamer knows, such as
 * "LGPL", "MIT/X11" or "Proprietary". One or more element classes follow the origin. PACKAGE,
 * which GStreamer wants as the source module's name, must be defined.
 */
#define GSTPACKET_PLUGIN(name, description, version, licence, package, origin, ...)         \
  GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, name, description,                \
                    (gstpacket::register_elements<__VA_ARGS__>), version, licence, package, \
                    origin)
