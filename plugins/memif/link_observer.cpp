// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/memif/link_observer.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "gst/packet/link_event.hpp"
#include "plugins/common/inform.hpp"
#include "plugins/memif/debug.hpp"
#include "plugins/memif/link_report.hpp"

namespace {

/** Of its property `link`. */
guint64 ring_fill_of(GstElement* element) {
  GstStructure* link = nullptr;
  guint64 slots = 0;
  g_object_get(element, "link", &link, nullptr);
  gst_structure_get_uint64(link, "ring-fill", &slots);
  gst_structure_free(link);
  return slots;
}

/** What is linked to the element's one pad. */
void tell_neighbour(GstElement* element, bool up) {
  const bool source = element->numsrcpads != 0;
  GstPad* pad = gst_element_get_static_pad(element, source ? "src" : "sink");
  if (pad == nullptr) return;
  gst_pad_push_event(pad, gstpacket::new_link_event(up));
  gst_object_unref(pad);
}

}  // namespace

/**
 * The streaming thread leaves the link by itself when it waits or has more to do, but it may be
 * about to end its work: so another thread tries for a while. One at a time, however often peers
 * come and go.
 */
class LinkObserver::LeavingLater : public std::enable_shared_from_this<LeavingLater> {
 public:
  explicit LeavingLater(MemifElement::LeaveLink leave_link) : leave_link_(leave_link) {}

  /** For a link that is gone by now. Any thread. */
  void request(GstElement* element) {
    const std::lock_guard lock(mutex_);
    tries_left_ = kTries;
    ++requests_;
    if (std::exchange(running_, true)) return;
    gst_element_call_async(
        element, [](GstElement* of, gpointer self) { (*static_cast<Self*>(self))->run(of); },
        new Self(shared_from_this()), [](gpointer self) { delete static_cast<Self*>(self); });
  }

 private:
  using Self = std::shared_ptr<LeavingLater>;
  static constexpr int kTries = 1000;
  static constexpr gulong kPauseUs = 1000;

  void run(GstElement* element) {
    while (const unsigned requests = next_try()) {
      if (leave_link_(element)) {
        finish(requests);
      } else {
        g_usleep(kPauseUs);
      }
    }
  }
  /** How many requests it is for; 0: it is over. */
  unsigned next_try() {
    const std::lock_guard lock(mutex_);
    running_ = tries_left_ != 0;
    if (!running_) return requests_ = 0;
    --tries_left_;
    return requests_;
  }
  /** Unless there are others since, for another link. */
  void finish(unsigned requests) {
    const std::lock_guard lock(mutex_);
    if (requests_ == requests) tries_left_ = 0;
  }

  const MemifElement::LeaveLink leave_link_;
  std::mutex mutex_;  // guards what follows
  bool running_ = false;
  int tries_left_ = 0;
  unsigned requests_ = 0;
};

LinkObserver::LinkObserver(GstElement* element, LeaveLink leave_link, std::string socket_path,
                           guint id, gstmemif::Role role, std::function<bool()> speaks)
    : leave_link_(leave_link),
      leaving_later_(std::make_shared<LeavingLater>(leave_link)),
      socket_path_(std::move(socket_path)),
      id_(id),
      role_(role),
      speaks_(std::move(speaks)) {
  g_weak_ref_init(&element_, element);
}

LinkObserver::~LinkObserver() {
  g_weak_ref_clear(&element_);
}

template <class Tell>
void LinkObserver::with_element(Tell tell_it) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    tellers_.push_back(std::this_thread::get_id());
  }
  if (auto* element = static_cast<GstElement*>(g_weak_ref_get(&element_))) {
    tell_it(element);
    gst_object_unref(element);
  }
  const std::lock_guard lock(mutex_);
  tellers_.erase(std::ranges::find(tellers_, std::this_thread::get_id()));
  told_.notify_all();
}

void LinkObserver::say(GstElement* element, const std::string& sentence) {
  if (!speaks_()) return;
  std::optional<unsigned> left_out;
  {
    const std::lock_guard lock(mutex_);
    left_out = news_limit_.pass();
  }
  if (!left_out) return;
  inform(element, *left_out == 0 ? sentence
                                 : sentence + " " + std::to_string(*left_out) +
                                       " messages before it were left out.");
}

void LinkObserver::on_link_up(const gstmemif::LinkInfo& link) {
  with_element([&](GstElement* element) {
    tell(element, &link, "");
    say(element, link_sentence(link));
  });
}

void LinkObserver::on_link_down(const std::string& reason) {
  with_element([&](GstElement* element) {
    if (!leave_link_(element)) leaving_later_->request(element);
    tell(element, nullptr, reason);
    say(element, "Link down: " + reason + ".");
  });
}

void LinkObserver::on_refused(const gstmemif::Refusal& refusal) {
  with_element([&](GstElement* element) {
    if (!speaks_()) return;
    // A master may have a link with another slave.
    const bool master = role_ == gstmemif::Role::master;
    GST_ELEMENT_WARNING(element, RESOURCE, OPEN_READ_WRITE,
                        ("%s %s id %u: %s. %s.",
                         master ? "A slave could not connect to" : "There is no link yet through",
                         socket_path_.c_str(), id_, refusal.reason.c_str(), refusal.remedy.c_str()),
                        (master ? "still listening" : "trying again"));
  });
}

void LinkObserver::on_waiting(const std::string& what) {
  with_element([&](GstElement* element) { say(element, what + "."); });
}

void LinkObserver::close() {
  constexpr auto kLimit = std::chrono::seconds(1);
  std::unique_lock lock(mutex_);
  closed_ = true;
  const auto alone = [this] {
    return std::ranges::all_of(tellers_,
                               [](std::thread::id id) { return id == std::this_thread::get_id(); });
  };
  if (!told_.wait_for(lock, kLimit, alone)) {
    GST_WARNING("link messages of %s id %u are still being posted", socket_path_.c_str(), id_);
  }
}

void LinkObserver::tell(GstElement* element, const gstmemif::LinkInfo* link,
                        const std::string& reason) const {
  const char* peer = link != nullptr ? link->peer_name.c_str() : "";
  GST_DEBUG_OBJECT(element, "%s id %u: link %s%s%s", socket_path_.c_str(), id_,
                   link != nullptr ? "up, peer " : "down, ", peer, reason.c_str());
  GstStructure* news = gst_structure_new(
      "memif-link", "link-up", G_TYPE_BOOLEAN, gboolean{link != nullptr}, "peer-name",
      G_TYPE_STRING, peer, "reason", G_TYPE_STRING, reason.c_str(), "socket-path", G_TYPE_STRING,
      socket_path_.c_str(), "id", G_TYPE_UINT, id_, nullptr);
  if (link != nullptr) {
    add_link_fields(news, *link);
    gst_structure_set(news, "ring-fill", G_TYPE_UINT64, ring_fill_of(element), nullptr);
  }
  gst_element_post_message(element, gst_message_new_element(GST_OBJECT_CAST(element), news));
  for (const char* property : {"link-up", "peer-name", "link"}) {
    g_object_notify(G_OBJECT(element), property);
  }
  tell_neighbour(element, link != nullptr);
}
