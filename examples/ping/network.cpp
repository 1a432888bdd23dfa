// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "network.hpp"

#include <algorithm>
#include <stdexcept>

#include "values.hpp"

namespace {

void link(GstElement* from, const std::string& from_pad, GstElement* to,
          const std::string& to_pad) {
  if (gst_element_link_pads(from, from_pad.c_str(), to, to_pad.c_str())) return;
  throw std::runtime_error(std::string("cannot link ") + GST_OBJECT_NAME(from) + " to " +
                           GST_OBJECT_NAME(to));
}

void link(GstElement* from, GstElement* to) {
  link(from, "src", to, "sink");
}

std::string name_of(const char* what, std::uint32_t queue, const Vdev& vdev) {
  // The queue comes first: the kernel shows 15 letters of the name of a thread.
  return what + std::to_string(queue) + "-" + vdev.name;
}

void configure(GstElement* element, const Vdev& vdev, std::uint32_t queue) {
  g_object_set(element, "socket-path", vdev.socket.c_str(), "id", vdev.id, "interface-name",
               vdev.name.c_str(), "ring-size", vdev.ring_size, "buffer-size", vdev.buffer_size,
               "rx-queues", vdev.queues, "tx-queues", vdev.queues, "queue", queue, nullptr);
  gst_util_set_object_arg(G_OBJECT(element), "role", vdev.master ? "master" : "slave");
}

}  // namespace

Network::Network(const std::vector<Vdev>& vdevs)
    : pipeline_(GST_ELEMENT_CAST(gst_object_ref_sink(gst_pipeline_new("ping")))) {
  for (const Vdev& vdev : vdevs) {
    interfaces_.push_back(vdev.domain ? make_bridged(vdev) : make_responders(vdev));
  }
}

Network::~Network() {
  gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
}

Interface* Network::find(GstObject* object) {
  const auto found = std::ranges::find_if(interfaces_, [&](const Interface& interface) {
    return GST_OBJECT_CAST(interface.queues.front().src) == object;
  });
  return found == interfaces_.end() ? nullptr : &*found;
}

GstElement* Network::add(const char* factory, const std::string& name) {
  GstElement* element = gst_element_factory_make(factory, name.c_str());
  if (element == nullptr) {
    throw std::runtime_error(std::string("GStreamer finds no element '") + factory +
                             "': set GST_PLUGIN_PATH to the directory of its plugin, or run this "
                             "program through `meson devenv -C build`");
  }
  gst_bin_add(GST_BIN_CAST(pipeline_.get()), element);
  return element;
}

GstElement* Network::add_src(const Vdev& vdev, std::uint32_t queue) {
  GstElement* src = add("memifsrc", name_of("rx", queue, vdev));
  configure(src, vdev, queue);
  const bool poll = queue == 0 && vdev.poll;
  gst_util_set_object_arg(G_OBJECT(src), "rx-mode", poll ? "polling" : "interrupt");
  if (poll) g_object_set(src, "cpu-affinity", vdev.cpus.c_str(), nullptr);
  return src;
}

GstElement* Network::add_sink(const Vdev& vdev, std::uint32_t queue) {
  GstElement* sink = add("memifsink", name_of("tx", queue, vdev));
  configure(sink, vdev, queue);
  // One port that does not empty its ring must not hold up the others.
  if (vdev.domain) gst_util_set_object_arg(G_OBJECT(sink), "when-full", "drop");
  return sink;
}

Interface Network::make_responders(const Vdev& vdev) {
  Interface interface { vdev, {}, false, 0, "" };
  for (std::uint32_t k = 0; k < vdev.queues; ++k) {
    Queue queue;
    queue.src = add_src(vdev, k);
    queue.responder = add("icmpresponder", name_of("icmp", k, vdev));
    queue.sink = add_sink(vdev, k);
    g_object_set(queue.responder, "address", vdev.address.c_str(), "mac", vdev.mac.c_str(),
                 nullptr);
    link(queue.src, queue.responder);
    link(queue.responder, queue.sink);
    interface.queues.push_back(queue);
  }
  return interface;
}

/** All queues of an interface are one port: a bridge must not send a packet back where it came. */
Interface Network::make_bridged(const Vdev& vdev) {
  Interface interface { vdev, {}, false, 0, "" };
  for (std::uint32_t k = 0; k < vdev.queues; ++k) {
    interface.queues.push_back(Queue{add_src(vdev, k), nullptr, nullptr});
  }
  interface.queues.front().sink = add_sink(vdev, 0);
  GstElement* bridge = bridge_of(*vdev.domain);
  const std::string port = std::to_string(ports_[*vdev.domain]++);
  GstElement* from = vdev.queues > 1 ? make_funnel(interface) : interface.queues.front().src;
  link(from, "src", bridge, "sink_" + port);
  link(bridge, "src_" + port, interface.queues.front().sink, "sink");
  return interface;
}

GstElement* Network::make_funnel(Interface& interface) {
  GstElement* funnel = add("funnel", "funnel-" + interface.vdev.name);
  // All streams are alike: no need to announce them again whenever another queue has packets.
  g_object_set(funnel, "forward-sticky-events", FALSE, nullptr);
  for (std::size_t k = 0; k < interface.queues.size(); ++k) {
    link(interface.queues[k].src, "src", funnel, "sink_" + std::to_string(k));
  }
  return funnel;
}

GstElement* Network::bridge_of(std::uint32_t domain) {
  GstElement*& bridge = bridges_[domain];
  if (bridge == nullptr) bridge = add("ethbridge", "bridge-" + std::to_string(domain));
  return bridge;
}
