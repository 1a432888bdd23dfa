// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The settings of packetgen as properties: one row of a table for each.
 */
#pragma once

#include <gst/gst.h>

#include "plugins/packet/gen_settings.hpp"

namespace packetplugin {

/** Property ids of the settings; an element's own follow. */
enum : guint { kFirstGenProperty = 1, kGenPropertiesEnd = 50 };

/** Installs a property for each setting; defaults are those of GenSettings. */
void install_gen_properties(GObjectClass* klass);

/** The id of property `name`. */
[[nodiscard]] guint gen_property_id(std::string_view name) noexcept;

/** False if `id` is no setting. */
[[nodiscard]] bool set_gen_property(GenSettings& settings, guint id, const GValue* value);
[[nodiscard]] bool get_gen_property(const GenSettings& settings, guint id, GValue* value);

}  // namespace packetplugin
