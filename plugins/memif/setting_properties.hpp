// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Settings of an interface as properties.
 */
#pragma once

#include <glib-object.h>

#include "gst/memif/settings.hpp"

/** A property of the name @p name, with the default of the setting; floating. */
GParamSpec* new_setting_spec(const gstmemif::SettingInfo& info, const char* name);
/** Stores @p setting in a value of the type of the property. */
void put_setting(const gstmemif::SettingValue& setting, GValue* value);
/** The setting that @p value holds, which has the type of the property. */
gstmemif::SettingValue take_setting(const gstmemif::SettingInfo& info, const GValue* value);
gstmemif::SettingValue default_setting(const gstmemif::SettingInfo& info);
