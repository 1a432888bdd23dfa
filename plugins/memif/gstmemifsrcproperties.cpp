// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/memif/gstmemifsrcproperties.hpp"

#include <mutex>
#include <utility>

#include "gst/packet/batch.hpp"
#include "plugins/common/properties.hpp"
#include "plugins/memif/gstmemifsrcstate.hpp"

using gstmemif::RxMode;

namespace {

enum : guint {
  kPropRxMode = kPropCommonLast,
  kPropBatchSize,
  kPropBatches,
  kPropCpuAffinity,
  kPropCaps,
  kPropEosOnDisconnect,
  kPropLendFrames,
  kPropTimeout
};

}  // namespace

static GType gst_memif_rx_mode_get_type(void) {
  static const GEnumValue kValues[] = {
      {static_cast<gint>(RxMode::interrupt),
       "Sleep until the peer sends an interrupt: no CPU load when idle", "interrupt"},
      {static_cast<gint>(RxMode::polling), "Poll the ring all the time: lowest latency, one CPU",
       "polling"},
      {static_cast<gint>(RxMode::adaptive), "Poll for a moment after each packet, then sleep",
       "adaptive"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstMemifRxMode", kValues);
  return type;
}

static GType gst_memif_lend_frames_get_type(void) {
  static const GEnumValue kValues[] = {
      {static_cast<gint>(LendPolicy::never), "None", "never"},
      {static_cast<gint>(LendPolicy::raw),
       "Raw video and audio (video/x-raw, audio/x-raw), whose bytes no element acts upon", "raw"},
      {static_cast<gint>(LendPolicy::always), "All: if the peer is trusted", "always"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstMemifLendFrames", kValues);
  return type;
}

namespace {

void gst_memif_src_set_caps_property(GstMemifSrc* self, const GValue* value) {
  auto* caps = static_cast<GstCaps*>(g_value_dup_boxed(value));
  {
    const std::lock_guard lock(self->state->mutex);
    std::swap(caps, self->state->caps);
  }
  gst_clear_caps(&caps);
  self->state->live.reconfigure();
}

}  // namespace

void gst_memif_src_set_property(GObject* object, guint id, const GValue* value, GParamSpec* pspec) {
  GstMemifSrcState& state = gst_memif_src_state(object);
  if (state.common.set_property(id, value)) return;
  switch (id) {
    case kPropRxMode: {
      const std::lock_guard lock(state.mutex);
      state.rx_mode = static_cast<RxMode>(g_value_get_enum(value));
      if (state.receiver) state.receiver->set_mode(state.rx_mode);
      break;
    }
    case kPropBatchSize:
      state.batch_size.store(g_value_get_uint(value), std::memory_order_relaxed);
      break;
    case kPropBatches:
      state.batches.store(g_value_get_boolean(value) != FALSE);
      state.live.reconfigure();
      break;
    case kPropCpuAffinity: {
      const std::lock_guard lock(state.mutex);
      state.cpu_affinity = text_of(value);
      break;
    }
    case kPropEosOnDisconnect:
      state.eos_on_disconnect.store(g_value_get_boolean(value) != FALSE);
      break;
    case kPropLendFrames:
      state.lend_frames.store(static_cast<LendPolicy>(g_value_get_enum(value)));
      state.live.reconfigure();
      break;
    case kPropTimeout:
      state.timeout.store(g_value_get_uint64(value), std::memory_order_relaxed);
      state.live.rouse();
      break;
    case kPropCaps:
      gst_memif_src_set_caps_property(reinterpret_cast<GstMemifSrc*>(object), value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
      break;
  }
}

void gst_memif_src_get_property(GObject* object, guint id, GValue* value, GParamSpec* pspec) {
  GstMemifSrcState& state = gst_memif_src_state(object);
  if (state.common.get_property(id, value)) return;
  const std::lock_guard lock(state.mutex);
  switch (id) {
    case kPropRxMode:
      g_value_set_enum(value, static_cast<gint>(state.rx_mode));
      break;
    case kPropBatchSize:
      g_value_set_uint(value, state.batch_size.load(std::memory_order_relaxed));
      break;
    case kPropBatches:
      g_value_set_boolean(value, state.batches.load());
      break;
    case kPropCpuAffinity:
      g_value_set_string(value, state.cpu_affinity.c_str());
      break;
    case kPropEosOnDisconnect:
      g_value_set_boolean(value, state.eos_on_disconnect.load());
      break;
    case kPropLendFrames:
      g_value_set_enum(value, static_cast<gint>(state.lend_frames.load()));
      break;
    case kPropTimeout:
      g_value_set_uint64(value, state.timeout.load(std::memory_order_relaxed));
      break;
    case kPropCaps:
      gst_value_set_caps(value, state.caps);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
      break;
  }
}

void gst_memif_src_install_properties(GObjectClass* klass) {
  MemifElement::install_properties(klass, MemifElement::Direction::receive);
  g_object_class_install_property(
      klass, kPropRxMode,
      g_param_spec_enum("rx-mode", "Receive mode", "How to wait for packets",
                        gst_memif_rx_mode_get_type(), static_cast<gint>(RxMode::adaptive),
                        kPlaying));
  g_object_class_install_property(
      klass, kPropBatchSize,
      g_param_spec_uint("batch-size", "Batch size",
                        "Maximum number of packets per push; larger batches cost less per packet",
                        1, GST_PACKET_BATCH_MAX, GST_PACKET_BATCH_MAX, kPlaying));
  g_object_class_install_property(klass, kPropBatches, batches_spec());
  g_object_class_install_property(
      klass, kPropCpuAffinity,
      g_param_spec_string("cpu-affinity", "CPU affinity",
                          "CPUs that the streaming thread may use, such as 0,2-3; empty: any", "",
                          kReady));
  g_object_class_install_property(
      klass, kPropCaps,
      g_param_spec_boxed(
          "caps", "Caps",
          "Caps of the packets; NULL: application/x-packet, or application/x-gdp for gdpdepay",
          GST_TYPE_CAPS, kPlaying));
  g_object_class_install_property(
      klass, kPropEosOnDisconnect,
      g_param_spec_boolean("eos-on-disconnect", "EOS on disconnect",
                           "End the stream when the peer leaves, after its last packets; if false, "
                           "wait for its return",
                           FALSE, kPlaying));
  g_object_class_install_property(
      klass, kPropLendFrames,
      g_param_spec_enum("lend-frames", "Lend frames",
                        "Which packets of more than 16384 bytes are pushed uncopied, where the "
                        "peer can change them",
                        gst_memif_lend_frames_get_type(), static_cast<gint>(LendPolicy::raw),
                        kPlaying));
  g_object_class_install_property(
      klass, kPropTimeout,
      g_param_spec_uint64("timeout", "Timeout",
                          "Nanoseconds without a packet after which GstMemifSrcTimeout is posted; "
                          "0: never",
                          0, G_MAXUINT64, 0, kPlaying));
  gst_type_mark_as_plugin_api(gst_memif_rx_mode_get_type(), GstPluginAPIFlags(0));
  gst_type_mark_as_plugin_api(gst_memif_lend_frames_get_type(), GstPluginAPIFlags(0));
}
