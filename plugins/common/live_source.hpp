// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The part of a live packet source that GstPushSrc does not have.
 *
 * Nothing is handed over in PAUSED: GstBaseSrc up to 1.22.11 unrefs NULL when a live source that
 * has just returned a list goes from PAUSED to READY, and later versions drop what they were given
 * there.
 *
 * Everything pushed has the form and caps negotiated with the present peer, even if it was made
 * before the pad was relinked. Linking and unlinking notify the element before they begin; from
 * then on a probe takes pushed buffers back until caps and allocation are negotiated again. At
 * other times there is no probe, so a push costs nothing extra.
 *
 * The base class takes a dozen locks per push, a sixth of the total cost of a batch of one packet.
 * So it gets the first push after a start, a flush or a serialized event, and everything that
 * num-buffers counts; between these, create() pushes by itself.
 */
#pragma once

#include <gst/base/gstpushsrc.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

/** One per element. The streaming thread calls what is not said to be for any thread. */
class LiveSource {
 public:
  /** Ends the element's wait for packets, and any further one until resumed. Any thread. */
  struct Waiting {
    void (*interrupt)(GstPushSrc* src);
    void (*resume)(GstPushSrc* src);
    /** What let_go() is to do, by the streaming thread or while that is kept out. */
    void (*let_go)(GstPushSrc* src) = nullptr;
  };

  LiveSource(GstPushSrc* src, Waiting waiting);
  ~LiveSource();
  LiveSource(const LiveSource&) = delete;
  LiveSource& operator=(const LiveSource&) = delete;

  /**
   * The create() of the element. @p take is called with the most packets to take and the place for
   * a new buffer, batch or list. It waits for packets no more than once and may then return
   * GST_FLOW_OK without any: before it is called again, what changed meanwhile is looked at.
   * GST_FLOW_FLUSHING if its wait was interrupted.
   */
  template <class Take>
  GstFlowReturn create(GstBuffer** out, Take take) {
    const Inside inside(*this);
    for (;;) {
      GstFlowReturn flow = prepare();
      if (flow == GST_FLOW_OK && held_ == nullptr) {
        flow = take(most(), &held_);
        if (flow == GST_FLOW_FLUSHING) continue;
      }
      if (flow != GST_FLOW_OK) return ended(flow);
      if (held_ == nullptr || doubted() || !in_form()) continue;
      if (!pushes_itself()) {
        if (hand_over(out)) return GST_FLOW_OK;
      } else if (const GstFlowReturn pushed = push(); pushed != GST_FLOW_OK) [[unlikely]] {
        return pushed;
      }
    }
  }

  /** What to do if the next element does not take the packets: a sentence without a full stop. */
  void set_remedy(const char* remedy) { remedy_ = remedy; }
  /** For decide_allocation(): whether batches may be pushed. */
  void set_batches(bool allowed) { batches_ = allowed; }
  /** Drops what was taken and not handed over; how many packets that were. */
  guint drop_held();
  /** Packets that were dropped so since the last call. */
  guint64 take_dropped() { return std::exchange(dropped_, 0); }
  /** Running time now; GST_CLOCK_TIME_NONE without a clock. */
  GstClockTime running_time();
  /** Negotiates anew before anything more is pushed. Any thread. */
  void reconfigure();
  /** Ends the wait for packets, so that it begins anew by what is set now. Any thread. */
  void rouse();
  /** Has the element let go of something if it is paused, or as soon as it is. Any thread. */
  void let_go();

  // The virtual functions of the class. Those that are not listed call the parent's.
  GstStateChangeReturn change_state(GstStateChange transition);
  gboolean send_event(GstEvent* event);
  gboolean post_message(GstMessage* message);
  gboolean event(GstEvent* event);
  gboolean query(GstQuery* query);
  gboolean negotiate();
  void unlock();
  void unlock_stop();
  void handed_over() { handing_over_.store(false, std::memory_order_release); }

 private:
  /**
   * While the streaming thread is in create(). Outside of it and not playing, it waits in the base
   * class, or it gets no further than to the lock: it stores and loads in the opposite order to
   * what changes something.
   */
  class Inside {
   public:
    explicit Inside(LiveSource& source) : source_(source) {
      source_.inside_.store(true, std::memory_order_seq_cst);
    }
    ~Inside() { source_.inside_.store(false, std::memory_order_release); }
    Inside(const Inside&) = delete;

   private:
    LiveSource& source_;
  };

  GstBaseSrc* base() const { return GST_BASE_SRC_CAST(src_); }
  GstPad* pad() const { return GST_BASE_SRC_PAD(src_); }

  /** Between what changes something it costs no lock, and no call. */
  GstFlowReturn prepare() {
    return undisturbed_.load(std::memory_order_seq_cst) && !doubted() ? GST_FLOW_OK
                                                                      : prepare_anew();
  }
  GstFlowReturn prepare_anew();
  GstFlowReturn wait_until_running();
  GstFlowReturn end_stream(GstEvent* eos);
  GstFlowReturn ended(GstFlowReturn flow);
  /** Gives what is held the form that is negotiated; false if nothing is left of it. */
  bool in_form() { return batches_ || unpacked(); }
  bool unpacked();
  bool pushes_itself() const {
    return clean_ && !counts() && !events_wait_.load(std::memory_order_acquire);
  }
  GstFlowReturn push();
  bool hand_over(GstBuffer** out);
  bool doubted() const {
    return doubted_.load(std::memory_order_acquire) || GST_PAD_NEEDS_RECONFIGURE(pad());
  }
  void doubt();
  void trust();
  static GstPadProbeReturn take_back(GstPad* pad, GstPadProbeInfo* info, gpointer self);
  template <class Change>
  void change(Change change);
  template <class Change>
  void disturb(Change change);
  void let_go_from_outside();
  void forget_failure();
  bool may_play();

  /** `num-buffers` counts packets, in whichever form they are pushed. */
  bool counts() const { return base()->num_buffers_left >= 0; }
  guint most() const {
    return counts() ? static_cast<guint>(base()->num_buffers_left) + 1 : G_MAXUINT;
  }

  GstPushSrc* const src_;
  const Waiting waiting_;
  const char* remedy_ = "Link it to an element that takes these";

  std::mutex mutex_;  // guards the next four; held while interrupting, resuming and letting go
  std::condition_variable changed_;
  bool lets_go_ = false;  // as soon as it is paused
  bool playing_ = false;
  bool unlocked_ = false;
  std::atomic<std::thread::id> pausing_{};  // the thread that has the base class pause
  GstEvent* eos_ = nullptr;
  // True while nothing but PLAYING is asked for, so that a burst costs no lock.
  std::atomic<bool> undisturbed_{false};
  std::atomic<bool> inside_{false};
  std::atomic<bool> running_{false};  // playing_ and not unlocked_
  // From before the last look at running_ until the base class has what it gets.
  std::atomic<bool> handing_over_{false};

  std::atomic<bool> events_wait_{false};  // in the base class, for what is pushed next
  std::atomic<GstClockTime> position_{GST_CLOCK_TIME_NONE};

  std::mutex failure_mutex_;
  GError* failure_ = nullptr;  // the first one in PAUSED since the start

  std::mutex probe_mutex_;
  gulong probe_ = 0;
  std::atomic<bool> doubted_{false};

  // Streaming thread only.
  GstMiniObject* held_ = nullptr;
  GstClock* clock_ = nullptr;  // the element's, as of the last running_time()
  guint64 dropped_ = 0;
  bool batches_ = false;
  bool clean_ = false;  // the base class has pushed since the last start or flush
};

/** For decide_allocation(): takes away the pools and allocators, which the base class would use. */
void remove_allocation_offers(GstQuery* query);

/** Sets the virtual functions of a class whose instances have the LiveSource @p live_of them. */
template <LiveSource& (*live_of)(gpointer)>
void install_live_source(GstPushSrcClass* klass) {
  GstElementClass* element = GST_ELEMENT_CLASS(klass);
  element->change_state = [](GstElement* self, GstStateChange transition) {
    return live_of(self).change_state(transition);
  };
  element->send_event = [](GstElement* self, GstEvent* event) {
    return live_of(self).send_event(event);
  };
  element->post_message = [](GstElement* self, GstMessage* message) {
    return live_of(self).post_message(message);
  };
  GstBaseSrcClass* base = GST_BASE_SRC_CLASS(klass);
  base->event = [](GstBaseSrc* self, GstEvent* event) { return live_of(self).event(event); };
  base->query = [](GstBaseSrc* self, GstQuery* query) { return live_of(self).query(query); };
  base->negotiate = [](GstBaseSrc* self) { return live_of(self).negotiate(); };
  base->unlock = [](GstBaseSrc* self) -> gboolean {
    live_of(self).unlock();
    return TRUE;
  };
  base->unlock_stop = [](GstBaseSrc* self) -> gboolean {
    live_of(self).unlock_stop();
    return TRUE;
  };
  // The first that the base class asks for when it has taken what create() returned.
  base->get_times = [](GstBaseSrc* self, GstBuffer*, GstClockTime*, GstClockTime*) {
    live_of(self).handed_over();
  };
}
