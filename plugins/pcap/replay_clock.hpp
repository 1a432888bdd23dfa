// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Waits for the clock of an element.
 */
#pragma once

#include <gst/gst.h>

#include <mutex>
#include <utility>

namespace pcapplugin {

class ReplayClock {
 public:
  /** Waits until it is `running_time`; false if it was interrupted. At once without a clock. */
  bool wait(GstElement* element, GstClockTime running_time) {
    GstClock* clock = gst_element_get_clock(element);
    if (clock == nullptr) return true;
    const GstClockTime time = gst_element_get_base_time(element) + running_time;
    GstClockID id = nullptr;
    {
      const std::lock_guard lock(mutex_);
      if (!interrupted_) id_ = id = gst_clock_new_single_shot_id(clock, time);
    }
    gst_object_unref(clock);
    if (id == nullptr) return false;
    const GstClockReturn result = gst_clock_id_wait(id, nullptr);
    {
      const std::lock_guard lock(mutex_);
      id_ = nullptr;
    }
    gst_clock_id_unref(id);
    return result != GST_CLOCK_UNSCHEDULED;
  }
  /** Any thread: ends wait() until resume(). */
  void interrupt() {
    const std::lock_guard lock(mutex_);
    interrupted_ = true;
    if (id_ != nullptr) gst_clock_id_unschedule(id_);
  }
  void resume() {
    const std::lock_guard lock(mutex_);
    interrupted_ = false;
  }

 private:
  std::mutex mutex_;
  bool interrupted_ = false;
  GstClockID id_ = nullptr;  // of the present wait
};

}  // namespace pcapplugin
