// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * What the pipeline of a shared host posts, passed on to the elements that it concerns.
 */
#include "plugins/memif/shared_host.hpp"

namespace {

GError* copy_error(GstMessage* message, gchar** debug) {
  GError* error = nullptr;
  switch (GST_MESSAGE_TYPE(message)) {
    case GST_MESSAGE_ERROR:
      gst_message_parse_error(message, &error, debug);
      break;
    case GST_MESSAGE_WARNING:
      gst_message_parse_warning(message, &error, debug);
      break;
    default:
      gst_message_parse_info(message, &error, debug);
      break;
  }
  return error;
}

/** As a message of @p element. */
void post_report(GstElement* element, GstMessage* message) {
  gchar* debug = nullptr;
  GError* error = copy_error(message, &debug);
  GstObject* source = GST_OBJECT_CAST(element);
  GstMessage* own = nullptr;
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
    own = gst_message_new_error(source, error, debug);
  } else if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_WARNING) {
    own = gst_message_new_warning(source, error, debug);
  } else {
    own = gst_message_new_info(source, error, debug);
  }
  g_free(debug);
  g_error_free(error);
  gst_element_post_message(element, own);
}

void post_structure(GstElement* element, GstStructure* structure) {
  gst_element_post_message(element, gst_message_new_element(GST_OBJECT_CAST(element), structure));
}

/** Adds @p link, a `memif-link`, to what @p element tells: a message, and changed properties. */
void queue_link(gstcommon::CallQueue& news, GstElement* element,
                const std::shared_ptr<GstStructure>& link) {
  const std::shared_ptr<GstElement> kept(GST_ELEMENT_CAST(gst_object_ref(element)),
                                         gst_object_unref);
  news.add([kept, link] {
    post_structure(kept.get(), gst_structure_copy(link.get()));
    g_object_notify(G_OBJECT(kept.get()), "link-up");
    g_object_notify(G_OBJECT(kept.get()), "peer-name");
  });
}

}  // namespace

/** As memifsink tells of it, which is in the order of events. */
void SharedHost::forward_link(const GstStructure* link) {
  const std::shared_ptr<GstStructure> news(gst_structure_copy(link), gst_structure_free);
  gboolean up = FALSE;
  gst_structure_get_boolean(link, "link-up", &up);
  std::vector<std::shared_ptr<gstcommon::CallQueue>> queues;
  {
    const std::lock_guard lock(mutex_);
    link_ = up != FALSE ? news : nullptr;
    for (const HostUser* user : users_) {
      if (!user->follows_link_) continue;
      queue_link(*user->news_, user->element_, news);
      queues.push_back(user->news_);
    }
  }
  for (const auto& queue : queues) queue->run();
}

void SharedHost::follow_link(HostUser& user) {
  {
    const std::lock_guard lock(mutex_);
    user.follows_link_ = true;
    if (link_) queue_link(*user.news_, user.element_, link_);
  }
  user.news_->run();
}

/** References to the elements that a message is for: all, or the one that `pad` belongs to. */
std::vector<GstElement*> SharedHost::receivers(const char* pad) const {
  std::vector<GstElement*> elements;
  const auto add = [&](const HostUser& user) {
    elements.push_back(GST_ELEMENT_CAST(gst_object_ref(user.element_)));
  };
  const HostUser::Acting* const acting = HostUser::Acting::now();
  if (pad == nullptr && acting != nullptr) {
    add(acting->user());
    return elements;
  }
  const std::lock_guard lock(mutex_);
  for (const HostUser* user : users_) {
    if (pad != nullptr ? user->pad_ == pad : user->started_) add(*user);
  }
  return elements;
}

void SharedHost::forward_timeout(const GstStructure* timeout) {
  const char* pad = gst_structure_get_string(timeout, "pad");
  if (pad == nullptr) return;
  for (GstElement* element : receivers(pad)) {
    // As udpsrc names it.
    guint64 time = 0;
    gst_structure_get_uint64(timeout, "timeout", &time);
    post_structure(element,
                   gst_structure_new("GstUDPSrcTimeout", "timeout", G_TYPE_UINT64, time, nullptr));
    gst_object_unref(element);
  }
}

void SharedHost::forward_structure(GstMessage* message) {
  const GstStructure* structure = gst_message_get_structure(message);
  // Of a link both its ends tell.
  const bool of_source = GST_OBJECT_FLAG_IS_SET(GST_MESSAGE_SRC(message), GST_ELEMENT_FLAG_SOURCE);
  if (gst_structure_has_name(structure, "memif-link")) {
    if (!of_source) forward_link(structure);
  } else if (gst_structure_has_name(structure, "GstIpHostTimeout")) {
    forward_timeout(structure);
  }
}

void SharedHost::forward_report(GstMessage* message, const char* pad) {
  for (GstElement* element : receivers(pad)) {
    post_report(element, message);
    gst_object_unref(element);
  }
}

/** An error that is not that of a user or its pad is that of the host, which has ended with it. */
void SharedHost::forward_error(GstMessage* message) {
  const GstStructure* details = nullptr;
  gst_message_parse_error_details(message, &details);
  const char* pad = details != nullptr ? gst_structure_get_string(details, "pad") : nullptr;
  if (const HostUser::Acting* const acting = HostUser::Acting::now()) {
    acting->set_failed();
    pad = nullptr;
  } else if (pad == nullptr) {
    gchar* debug = nullptr;
    GError* error = copy_error(message, &debug);
    const std::lock_guard lock(mutex_);
    broken_ = error->message;
    g_free(debug);
    g_error_free(error);
  }
  forward_report(message, pad);
}

/** Of any thread of the host. */
void SharedHost::forward(GstMessage* message) {
  switch (GST_MESSAGE_TYPE(message)) {
    case GST_MESSAGE_ERROR:
      forward_error(message);
      break;
    case GST_MESSAGE_WARNING:
    case GST_MESSAGE_INFO:
      forward_report(message, nullptr);
      break;
    case GST_MESSAGE_ELEMENT:
      forward_structure(message);
      break;
    default:
      break;
  }
}
