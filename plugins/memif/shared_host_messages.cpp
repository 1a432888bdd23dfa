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

}  // namespace

void SharedHost::post_link(GstElement* element, const GstStructure* link) {
  post_structure(element, gst_structure_copy(link));
  g_object_notify(G_OBJECT(element), "link-up");
  g_object_notify(G_OBJECT(element), "peer-name");
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

void SharedHost::forward_structure(GstMessage* message) {
  const GstStructure* structure = gst_message_get_structure(message);
  const bool link = gst_structure_has_name(structure, "memif-link");
  const bool timeout = gst_structure_has_name(structure, "GstIpHostTimeout");
  // Of a link both its ends tell.
  if ((!link || !GST_OBJECT_FLAG_IS_SET(GST_MESSAGE_SRC(message), GST_ELEMENT_FLAG_SOURCE)) &&
      !timeout) {
    return;
  }
  const char* pad = timeout ? gst_structure_get_string(structure, "pad") : nullptr;
  if (timeout && pad == nullptr) return;
  for (GstElement* element : receivers(pad)) {
    if (link) {
      post_link(element, structure);
    } else {
      // As udpsrc names it.
      guint64 time = 0;
      gst_structure_get_uint64(structure, "timeout", &time);
      post_structure(
          element, gst_structure_new("GstUDPSrcTimeout", "timeout", G_TYPE_UINT64, time, nullptr));
    }
    gst_object_unref(element);
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
