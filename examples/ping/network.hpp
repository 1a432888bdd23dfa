// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The pipeline: what is built of elements for each interface.
 */
#pragma once

#include <map>
#include <string>
#include <vector>

#include "examples/gst_ptr.hpp"
#include "options.hpp"

/** The elements of one queue of an interface; they belong to the pipeline. */
struct Queue {
  GstElement* src = nullptr;
  GstElement* responder = nullptr;  ///< null on bridged interfaces
  GstElement* sink = nullptr;       ///< null on queues that a bridge does not send on
};

/** One interface, and what is known of its link. */
struct Interface {
  Vdev vdev;
  std::vector<Queue> queues;
  bool up = false;
  gint64 up_since_us = 0;  ///< monotonic time; of the last link
  std::string peer;        ///< kept when the link goes down, to name the peer that left
};

/**
 * A pipeline with, for each interface and queue,
 *
 *     memifsrc queue=k ! icmpresponder ! memifsink queue=k
 *
 * and for those of one domain a bridge between them:
 *
 *     memifsrc ... ! ethbridge.sink_n   ethbridge.src_n ! memifsink
 */
class Network {
 public:
  /** @throws std::runtime_error if an element is missing or refuses a value */
  explicit Network(const std::vector<Vdev>& vdevs);
  ~Network();
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  GstElement* pipeline() const { return pipeline_.get(); }
  std::vector<Interface>& interfaces() { return interfaces_; }
  const std::vector<Interface>& interfaces() const { return interfaces_; }
  /** By domain. */
  const std::map<std::uint32_t, GstElement*>& bridges() const { return bridges_; }
  /** The interface that has @p object as source of its queue 0, or null. */
  Interface* find(GstObject* object);

 private:
  GstElement* add(const char* factory, const std::string& name);
  GstElement* add_src(const Vdev& vdev, std::uint32_t queue);
  GstElement* add_sink(const Vdev& vdev, std::uint32_t queue);
  Interface make_responders(const Vdev& vdev);
  Interface make_bridged(const Vdev& vdev);
  GstElement* make_funnel(Interface& interface);
  GstElement* bridge_of(std::uint32_t domain);

  GstPtr<GstElement> pipeline_;
  std::vector<Interface> interfaces_;
  std::map<std::uint32_t, GstElement*> bridges_;
  std::map<std::uint32_t, unsigned> ports_;  // used so far, by domain
};
