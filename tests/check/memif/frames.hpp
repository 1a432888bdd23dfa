// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Two pipelines with buffers of any caps between them.
 */
#pragma once

#include <string>

#include "pipeline.hpp"

namespace memiftest {

inline std::string appsrc(const std::string& caps) {
  return "appsrc name=in is-live=true format=time caps=" + caps + " ! ";
}

/** A sender of buffers with these caps and a receiver, linked. */
struct Frames {
  Frames(const std::string& caps, const std::string& sink_settings,
         const std::string& source_settings, bool sink_is_slave)
      : Frames(unique_socket(), caps, sink_settings, source_settings, sink_is_slave) {}
  Frames(const std::string& name, const std::string& caps, const std::string& sink_settings,
         const std::string& source_settings, bool sink_is_slave)
      : out(appsrc(caps) + "memifsink name=sink " + sink_settings +
            (sink_is_slave ? slave_at(name) : master_at(name))),
        in("memifsrc name=src " + source_settings +
           (sink_is_slave ? master_at(name) : slave_at(name)) + kAppSink) {
    in.set(GST_STATE_PLAYING);
    out.set(GST_STATE_PLAYING);
    fail_unless(in.link_comes_up("src") && out.link_comes_up("sink"));
  }
  Pipeline out;
  Pipeline in;
};

}  // namespace memiftest
