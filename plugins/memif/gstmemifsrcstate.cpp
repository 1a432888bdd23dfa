// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/memif/gstmemifsrcstate.hpp"

#include <mutex>

namespace {

// An EOS from any thread gets here too, also while a state change lets the receiver go.
void gst_memif_src_interrupt(GstPushSrc* src) {
  GstMemifSrcState& state = gst_memif_src_state(src);
  const std::lock_guard lock(state.mutex);
  if (state.receiver) state.receiver->interrupt();
}

void gst_memif_src_resume(GstPushSrc* src) {
  GstMemifSrcState& state = gst_memif_src_state(src);
  const std::lock_guard lock(state.mutex);
  if (state.receiver) state.receiver->resume();
}

/** Leaves a link that is gone, unless there are packets in it. */
void gst_memif_src_let_go(GstPushSrc* src) {
  GstMemifSrcState& state = gst_memif_src_state(src);
  const std::lock_guard lock(state.mutex);
  if (state.receiver) state.receiver->refresh_ahead();
}

/**
 * While packets are received the streaming thread leaves it by itself. Not while a push of it is
 * blocked downstream: that it may leave the push at any time would cost a full fence per burst, and
 * what is lent downstream keeps all of the link's memory anyway.
 */
bool gst_memif_src_leave_link(GstElement* src) {
  gst_memif_src_state(src).live.let_go();
  return true;
}

}  // namespace

GstMemifSrcState::GstMemifSrcState(GstPushSrc* src)
    : common(GST_ELEMENT_CAST(src), MemifElement::Direction::receive, gst_memif_src_leave_link),
      live(src, {gst_memif_src_interrupt, gst_memif_src_resume, gst_memif_src_let_go}) {
  live.set_remedy("Set mode on memifsrc and its peer to the kind of packets that it takes");
}
