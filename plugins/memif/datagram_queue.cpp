// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/memif/datagram_queue.hpp"

void DatagramQueue::set_limit(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  limit_ = bytes != 0 ? bytes : kDefaultBytes;
}

void DatagramQueue::add(GstMiniObject* data) {
  Entry entry{data, 1, 0};
  if (GST_IS_BUFFER_LIST(data)) {
    entry.datagrams = gst_buffer_list_length(GST_BUFFER_LIST_CAST(data));
    entry.bytes = gst_buffer_list_calculate_size(GST_BUFFER_LIST_CAST(data));
  } else {
    entry.bytes = gst_buffer_get_size(GST_BUFFER_CAST(data));
  }
  {
    const std::lock_guard lock(mutex_);
    // An empty queue takes what is larger than it.
    const bool fits = entries_.empty() || (entry.bytes <= limit_ - std::min(bytes_, limit_) &&
                                           datagrams_ + entry.datagrams <= kMostDatagrams);
    if (fits && entry.datagrams != 0) {
      entries_.push_back(entry);
      datagrams_ += entry.datagrams;
      bytes_ += entry.bytes;
      data = nullptr;
    } else {
      counts_.dropped += entry.datagrams;
    }
  }
  if (data != nullptr) {
    gst_mini_object_unref(data);
  } else {
    changed_.notify_one();
  }
}

GstMiniObject* DatagramQueue::take() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return interrupted_ || !entries_.empty(); });
  if (interrupted_) return nullptr;
  const Entry entry = entries_.front();
  entries_.pop_front();
  datagrams_ -= entry.datagrams;
  bytes_ -= entry.bytes;
  counts_.datagrams += entry.datagrams;
  counts_.bytes += entry.bytes;
  return entry.data;
}

void DatagramQueue::interrupt() {
  {
    const std::lock_guard lock(mutex_);
    interrupted_ = true;
  }
  changed_.notify_all();
}

void DatagramQueue::resume() {
  const std::lock_guard lock(mutex_);
  interrupted_ = false;
}

void DatagramQueue::clear() {
  std::deque<Entry> gone;
  {
    const std::lock_guard lock(mutex_);
    gone.swap(entries_);
    counts_.flushed += datagrams_;
    datagrams_ = bytes_ = 0;
  }
  for (const Entry& entry : gone) gst_mini_object_unref(entry.data);
}

void DatagramQueue::reset() {
  clear();
  const std::lock_guard lock(mutex_);
  counts_ = {};
}

DatagramQueue::Counts DatagramQueue::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}
