// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The instance of iphost, for the files that it is written in.
 */
#pragma once

#include <gst/gst.h>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "plugins/ip/host_settings.hpp"
#include "plugins/ip/ip_host.hpp"
#include "plugins/ip/packet_receiver.hpp"

struct GstIpHostState {
  GstIpHostState(GstElement* element, GstPad* source);

  const std::shared_ptr<ipplugin::IpHost> host;  // also of the pads, which may outlive the element
  ipplugin::PacketReceiver receiver;             // streaming thread of the sink pad
  std::string stream_prefix;
  std::mutex mutex;  // guards what follows
  ipplugin::HostSettings settings;
  bool fragment = false;
  bool packets_ended = false;  // EOS has come to the sink pad
  bool ended = false;          // and has left by the source pad
};

struct GstIpHost {
  GstElement parent;
  GstPad* sink;
  GstPad* src;
  GstIpHostState* state;
};

using PadPointer = std::unique_ptr<GstPad, void (*)(void*)>;

inline GstIpHost* gst_ip_host_cast(gpointer instance) {
  return static_cast<GstIpHost*>(instance);
}
inline GstIpHostState& gst_ip_host_state(gpointer instance) {
  return *gst_ip_host_cast(instance)->state;
}

[[nodiscard]] bool gst_ip_host_is_data_pad(GstPad* pad);
/** The pads for data, with a reference to each. */
[[nodiscard]] std::vector<PadPointer> gst_ip_host_data_pads(gpointer element);
