// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/memif/udp_end.hpp"

#include "plugins/memif/debug.hpp"

UdpEnd::~UdpEnd() {
  if (last_stats_ != nullptr) gst_structure_free(last_stats_);
}

UdpEnd::Use UdpEnd::use() const {
  const std::lock_guard lock(mutex_);
  Use now;
  if (!use_) return now;
  now.user = use_.user;
  now.pad.reset(GST_PAD_CAST(gst_object_ref(use_.pad.get())));
  now.host.reset(GST_ELEMENT_CAST(gst_object_ref(use_.host.get())));
  now.link.reset(GST_ELEMENT_CAST(gst_object_ref(use_.link.get())));
  return now;
}

// ---- states -----------------------------------------------------------------------------------

bool UdpEnd::join() {
  HostRequest given;
  std::string refused;
  {
    const std::lock_guard lock(mutex_);
    given = given_;
    changed_ = false;
    refused = refused_uri_;
  }
  if (!refused.empty()) {
    GST_ELEMENT_ERROR(element_, RESOURCE, SETTINGS, ("%s", refused.c_str()), ("property uri"));
    return false;
  }
  auto user = HostUser::join(element_, std::move(given));
  if (!user) {
    const std::string text = user.error().text();
    GST_ELEMENT_ERROR(element_, RESOURCE, SETTINGS, ("%s.", text.c_str()), ("shared host"));
    return false;
  }
  const std::lock_guard lock(mutex_);
  user_ = std::move(*user);
  return true;
}

void UdpEnd::leave() {
  std::shared_ptr<HostUser> gone;  // goes without the lock
  const std::lock_guard lock(mutex_);
  std::swap(gone, user_);
}

bool UdpEnd::set_up(GstPad* pad, unsigned& version) {
  std::vector<Given> given;
  {
    const std::lock_guard lock(mutex_);
    given = pad_given_;
    version = pad_version_;
  }
  for (const Given& one : given) {
    if (one.property == "port" && g_value_get_int(&one.value.value()) == 0) {
      GST_ELEMENT_ERROR(element_, RESOURCE, SETTINGS,
                        ("port=0: no port is chosen here. Set a port from 1 to 65535."), (nullptr));
      return false;
    }
    set_on_pad(pad, one.property, &one.value.value());
  }
  return true;
}

/**
 * Sets on the pad what was set here since @p version, by whichever thread, until there is nothing
 * more. With the lock, but for the time that an element is called.
 */
void UdpEnd::catch_up(std::unique_lock<std::mutex>& lock, GstPad* pad, unsigned version) const {
  while (std::exchange(version, pad_version_) != pad_version_) {
    const std::vector<Given> given = pad_given_;
    lock.unlock();
    for (const Given& one : given) set_on_pad(pad, one.property, &one.value.value());
    lock.lock();
  }
}

bool UdpEnd::open(GstPad* own) {
  bool changed = false;
  {
    const std::lock_guard lock(mutex_);
    changed = changed_ || !user_;
  }
  if (changed) {
    leave();
    if (!join()) return false;
  }
  HostUser& user = *user_;
  if (!user.start()) return false;
  const HostUser::Acting acting(user);
  const char* templ = direction_ == Direction::send ? "udp_sink_%u" : "udp_src_%u";
  GstPad* pad = user.request_pad(templ);
  if (pad == nullptr) {
    user.stop();
    return false;
  }
  const bool sends = direction_ == Direction::send;
  unsigned version = 0;
  // A pad that receives binds its port when it is linked. What cannot be is posted.
  const bool linked =
      set_up(pad, version) && gst_pad_link(sends ? own : pad, sends ? pad : own) == GST_PAD_LINK_OK;
  if (!linked || acting.failed()) {
    if (linked) gst_pad_unlink(sends ? own : pad, sends ? pad : own);
    user.release_pad(pad);
    user.stop();
    return false;
  }
  std::unique_lock lock(mutex_);
  // What is set from now on goes to the pad.
  catch_up(lock, pad, version);
  use_.user = user_;
  use_.pad.reset(GST_PAD_CAST(gst_object_ref(pad)));
  use_.host.reset(GST_ELEMENT_CAST(gst_object_ref(user.host())));
  use_.link.reset(GST_ELEMENT_CAST(gst_object_ref(sends ? user.sink() : user.source())));
  host_pad_ = pad;
  own_ = GST_PAD_CAST(gst_object_ref(own));
  lock.unlock();
  // Who hears of it may look at the properties.
  user.follow_link();
  return true;
}

void UdpEnd::close() {
  const Use last = use();
  if (!last) return;
  GstPad* pad = nullptr;
  GstPad* own = nullptr;
  GstStructure* stats = present_stats(last);
  {
    const std::lock_guard lock(mutex_);
    // In one step: whoever reads the counters meanwhile finds those of this run.
    std::swap(stats, last_stats_);
    use_ = Use();
    std::swap(pad, host_pad_);
    std::swap(own, own_);
  }
  if (stats != nullptr) gst_structure_free(stats);
  const bool sends = direction_ == Direction::send;
  gst_pad_unlink(sends ? own : pad, sends ? pad : own);
  gst_object_unref(own);
  last.user->release_pad(pad);
  last.user->stop();
}

// ---- statistics -------------------------------------------------------------------------------

namespace {

/** What `object` counts, as a field. */
void add_stats_of(GstStructure* stats, const char* field, gpointer object) {
  GstStructure* more = nullptr;
  g_object_get(object, "stats", &more, nullptr);
  if (more == nullptr) return;
  gst_structure_set(stats, field, GST_TYPE_STRUCTURE, more, nullptr);
  gst_structure_free(more);
}

}  // namespace

GstStructure* UdpEnd::present_stats(const Use& now) const {
  GstStructure* stats = nullptr;
  g_object_get(now.pad.get(), "stats", &stats, nullptr);
  add_stats_of(stats, "host", now.host.get());
  add_stats_of(stats, "link", now.link.get());
  return stats;
}

GstStructure* UdpEnd::stats() const {
  if (const Use now = use()) return present_stats(now);
  const std::lock_guard lock(mutex_);
  if (last_stats_ != nullptr) return gst_structure_copy(last_stats_);
  return gst_structure_new("application/x-packet-stats", "datagrams", G_TYPE_UINT64, guint64{0},
                           "bytes", G_TYPE_UINT64, guint64{0}, "dropped", G_TYPE_UINT64, guint64{0},
                           nullptr);
}
