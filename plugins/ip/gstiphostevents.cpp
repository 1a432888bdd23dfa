// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/ip/gstiphostevents.hpp"

#include <mutex>
#include <utility>

#include "gst/packet/caps.hpp"
#include "gst/packet/link_event.hpp"
#include "plugins/ip/gstiphostpads.hpp"

using ipplugin::UdpSender;

namespace {

// ---- the end of streams -----------------------------------------------------------------------

/** Whether all that leaves by the source pad has ended, and it has not been told yet. */
bool gst_ip_host_all_ended(GstIpHost* self) {
  const auto pads = gst_ip_host_data_pads(self);
  const std::lock_guard lock(self->state->mutex);
  bool any = self->state->packets_ended;
  bool receives = false, sends = false;
  for (const PadPointer& pad : pads) {
    const UdpSender* sender = gst_ip_host_sender(pad.get());
    if (sender == nullptr) {
      receives = true;
      continue;
    }
    if (!sender->at_eos && gst_pad_is_linked(pad.get())) return false;
    sends = true;
    any |= sender->at_eos;
  }
  // A host that only sends has nothing to answer any more. One that receives has.
  const bool answers = receives || !sends;
  if (answers && gst_pad_is_linked(self->sink) && !self->state->packets_ended) return false;
  return any && !std::exchange(self->state->ended, true);
}

}  // namespace

void gst_ip_host_look_for_end(GstIpHost* self) {
  if (!gst_ip_host_all_ended(self)) return;
  self->state->host->send_own_before();
  self->state->host->output().push_eos([self] {
    const std::lock_guard lock(self->state->mutex);
    return self->state->ended;
  });
}

namespace {

/** A stream begins, possibly behind the end of all. */
void gst_ip_host_stream_starts(GstIpHost* self, bool* at_eos) {
  {
    const std::lock_guard lock(self->state->mutex);
    *at_eos = false;
    if (!std::exchange(self->state->ended, false)) return;
  }
  self->state->host->output().prepare_again();
}

// ---- events of the pads for data --------------------------------------------------------------

/** Whether there is no other stream that a flush of the source pad would disturb. */
bool gst_ip_host_sends_alone(GstIpHost* self, GstPad* pad) {
  for (const PadPointer& other : gst_ip_host_data_pads(self)) {
    if (other.get() != pad && GST_PAD_IS_SINK(other.get()) && gst_pad_is_linked(other.get())) {
      return false;
    }
  }
  return true;
}

void gst_ip_host_flush_sender(GstIpHost* self, GstPad* pad, GstEvent* event) {
  UdpSender& sender = *gst_ip_host_sender(pad);
  if (GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_START) {
    sender.interrupt();
    sender.flushes_source = gst_ip_host_sends_alone(self, pad);
    if (sender.flushes_source) gst_pad_push_event(self->src, gst_event_ref(event));
    return;
  }
  // Also if there is another stream by now.
  if (sender.flushes_source.exchange(false)) {
    self->state->host->output().end_flush(gst_event_ref(event));
  }
  gst_ip_host_stream_starts(self, &sender.at_eos);
  sender.resume();
}

}  // namespace

gboolean gst_ip_host_data_event(GstPad* pad, GstObject* parent, GstEvent* event) {
  GstIpHost* self = gst_ip_host_cast(parent);
  UdpSender& sender = *gst_ip_host_sender(pad);
  // Streams are mixed, so events of one of them end here; the source pad has its own.
  switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_STREAM_START:
      gst_ip_host_stream_starts(self, &sender.at_eos);
      break;
    case GST_EVENT_SEGMENT: {
      const GstSegment* segment = nullptr;
      gst_event_parse_segment(event, &segment);
      sender.set_segment(*segment);
      break;
    }
    case GST_EVENT_FLUSH_START:
    case GST_EVENT_FLUSH_STOP:
      gst_ip_host_flush_sender(self, pad, event);
      break;
    case GST_EVENT_EOS: {
      sender.drain();
      {
        const std::lock_guard lock(self->state->mutex);
        sender.at_eos = true;
      }
      gst_ip_host_look_for_end(self);
      break;
    }
    default:
      break;
  }
  gst_event_unref(event);
  return TRUE;
}

namespace {

// ---- events of the pads for packets -----------------------------------------------------------

bool gst_ip_host_set_caps(GstIpHost* self, GstEvent* event) {
  GstCaps* caps = nullptr;
  gst_event_parse_caps(event, &caps);
  const auto parsed = gstpacket::parse_caps(caps);
  if (!parsed || !self->state->host->use_link_type(parsed->link_type)) return false;
  self->state->receiver.set_link_type(parsed->link_type);
  return true;
}

/** To all pads that receive. */
void gst_ip_host_tell_receivers(GstIpHost* self, GstEvent* event) {
  for (const PadPointer& pad : gst_ip_host_data_pads(self)) {
    if (const auto receiver = gst_ip_host_receiver(pad.get())) {
      receiver->push_event(gst_event_ref(event));
    }
  }
}

}  // namespace

gboolean gst_ip_host_packet_event(GstPad*, GstObject* parent, GstEvent* event) {
  GstIpHost* self = gst_ip_host_cast(parent);
  gboolean done = TRUE;
  switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_CAPS:
      done = gst_ip_host_set_caps(self, event);
      break;
    case GST_EVENT_SEGMENT: {
      const GstSegment* segment = nullptr;
      gst_event_parse_segment(event, &segment);
      self->state->receiver.set_segment(*segment);
      break;
    }
    case GST_EVENT_STREAM_START:
      gst_ip_host_stream_starts(self, &self->state->packets_ended);
      break;
    case GST_EVENT_FLUSH_START:
      gst_ip_host_tell_receivers(self, event);
      break;
    case GST_EVENT_FLUSH_STOP:
      gst_ip_host_tell_receivers(self, event);
      for (const auto& held : self->state->host->receivers()) held.receiver->prepare_segment();
      gst_ip_host_stream_starts(self, &self->state->packets_ended);
      break;
    case GST_EVENT_EOS: {
      gst_ip_host_tell_receivers(self, event);
      {
        const std::lock_guard lock(self->state->mutex);
        self->state->packets_ended = true;
      }
      gst_ip_host_look_for_end(self);
      break;
    }
    default:
      if (const auto up = gstpacket::link_event_state(event)) self->state->host->tell_link(*up);
      break;
  }
  gst_event_unref(event);
  return done;
}

gboolean gst_ip_host_upstream_event(GstPad* pad, GstObject* parent, GstEvent* event) {
  const auto up = gstpacket::link_event_state(event);
  if (!up) return gst_pad_event_default(pad, parent, event);
  gst_ip_host_state(parent).host->tell_link(*up);
  gst_event_unref(event);
  return TRUE;
}
