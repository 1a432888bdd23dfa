// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/memif/gstmemifsinkproperties.hpp"

#include <mutex>

#include "plugins/common/properties.hpp"
#include "plugins/memif/gstmemifsinkstate.hpp"

namespace {

enum : guint { kPropWhenFull = kPropCommonLast, kPropWhenDown, kPropDrainTimeout, kPropAnyCaps };

}  // namespace

static GType gst_memif_when_full_get_type(void) {
  static const GEnumValue kValues[] = {
      {static_cast<gint>(TxPolicy::automatic),
       "Wait; behind a switch, such as ethbridge, only briefly, then drop and count", "auto"},
      {static_cast<gint>(TxPolicy::block),
       "Wait, even if this holds up the other ports of a switch", "block"},
      {static_cast<gint>(TxPolicy::drop), "Drop the packet and count it", "drop"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstMemifWhenFull", kValues);
  return type;
}

static GType gst_memif_policy_get_type(void) {
  static const GEnumValue kValues[] = {
      {static_cast<gint>(TxPolicy::block), "Wait", "block"},
      {static_cast<gint>(TxPolicy::drop), "Drop the packet and count it", "drop"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstMemifPolicy", kValues);
  return type;
}

namespace {

/** Also for what waits by the old policy. */
void gst_memif_sink_set_policy(GstMemifSinkState& state, std::atomic<TxPolicy>& policy,
                               const GValue* value) {
  policy.store(static_cast<TxPolicy>(g_value_get_enum(value)));
  const std::lock_guard lock(state.mutex);
  if (state.queues) state.queues->rouse();
}

}  // namespace

void gst_memif_sink_set_property(GObject* object, guint id, const GValue* value,
                                 GParamSpec* pspec) {
  GstMemifSinkState& state = gst_memif_sink_state(object);
  if (state.common.set_property(id, value)) return;
  switch (id) {
    case kPropWhenFull:
      gst_memif_sink_set_policy(state, state.path.when_full, value);
      break;
    case kPropWhenDown:
      gst_memif_sink_set_policy(state, state.path.when_down, value);
      break;
    case kPropDrainTimeout:
      state.path.drain_timeout.store(g_value_get_uint64(value));
      break;
    case kPropAnyCaps:
      state.any_caps.store(g_value_get_boolean(value) != FALSE);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
      break;
  }
}

namespace {

/** Ours and those of the base class: its property of the same name is hidden by ours. */
GstStructure* gst_memif_sink_all_stats(GObject* object) {
  GValue ours = G_VALUE_INIT;
  g_value_init(&ours, GST_TYPE_STRUCTURE);
  gst_memif_sink_state(object).common.get_property(kPropStats, &ours);
  auto* stats = gst_structure_copy(static_cast<GstStructure*>(g_value_get_boxed(&ours)));
  g_value_unset(&ours);
  GstStructure* base = gst_base_sink_get_stats(GST_BASE_SINK_CAST(object));
  gst_structure_foreach(
      base,
      [](GQuark field, const GValue* value, gpointer to) -> gboolean {
        gst_structure_id_set_value(static_cast<GstStructure*>(to), field, value);
        return TRUE;
      },
      stats);
  gst_structure_free(base);
  guint64 rendered = 0;
  gst_structure_get_uint64(stats, "rendered", &rendered);
  gst_structure_set(stats, "rendered", G_TYPE_UINT64,
                    rendered + gst_memif_sink_state(object).shortcut.rendered(), nullptr);
  return stats;
}

}  // namespace

void gst_memif_sink_get_property(GObject* object, guint id, GValue* value, GParamSpec* pspec) {
  GstMemifSinkState& state = gst_memif_sink_state(object);
  if (id == kPropStats) {
    g_value_take_boxed(value, gst_memif_sink_all_stats(object));
    return;
  }
  if (state.common.get_property(id, value)) return;
  switch (id) {
    case kPropWhenFull:
      g_value_set_enum(value, static_cast<gint>(state.path.when_full.load()));
      break;
    case kPropWhenDown:
      g_value_set_enum(value, static_cast<gint>(state.path.when_down.load()));
      break;
    case kPropDrainTimeout:
      g_value_set_uint64(value, state.path.drain_timeout.load());
      break;
    case kPropAnyCaps:
      g_value_set_boolean(value, state.any_caps.load());
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
      break;
  }
}

void gst_memif_sink_install_properties(GObjectClass* klass) {
  MemifElement::install_properties(klass, MemifElement::Direction::send);
  g_object_class_install_property(
      klass, kPropWhenFull,
      g_param_spec_enum("when-full", "When full", "What to do while the ring has no free slot",
                        gst_memif_when_full_get_type(), static_cast<gint>(TxPolicy::automatic),
                        kPlaying));
  g_object_class_install_property(
      klass, kPropWhenDown,
      g_param_spec_enum("when-down", "When down", "What to do while no peer is connected",
                        gst_memif_policy_get_type(), static_cast<gint>(TxPolicy::drop), kPlaying));
  g_object_class_install_property(
      klass, kPropDrainTimeout,
      g_param_spec_uint64("drain-timeout", "Drain timeout",
                          "Nanoseconds that EOS waits for a peer that takes nothing; 0: none; "
                          "18446744073709551615: no limit",
                          0, G_MAXUINT64, TxPath::kDrainTimeout, kPlaying));
  g_object_class_install_property(
      klass, kPropAnyCaps,
      g_param_spec_boolean("any-caps", "Any caps",
                           "Send buffers of any caps, one packet each, to a memifsrc with caps; if "
                           "false, packets and GDP only",
                           FALSE, kPlaying));
  gst_type_mark_as_plugin_api(gst_memif_when_full_get_type(), GstPluginAPIFlags(0));
  gst_type_mark_as_plugin_api(gst_memif_policy_get_type(), GstPluginAPIFlags(0));
}
