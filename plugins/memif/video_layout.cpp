// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/memif/video_layout.hpp"

#include <algorithm>

namespace {

/** The same picture, as the buffer's own meta lays it out, into @p to. */
bool copy_picture(const GstVideoInfo& layout, GstBuffer* from, GstBuffer* to) {
  GstVideoFrame source;
  GstVideoFrame target;
  if (!gst_video_frame_map(&source, &layout, from, GST_MAP_READ)) return false;
  bool copied = false;
  if (gst_video_frame_map(&target, &layout, to, GST_MAP_WRITE)) {
    copied = gst_video_frame_copy(&target, &source) != FALSE;
    gst_video_frame_unmap(&target);
  }
  gst_video_frame_unmap(&source);
  return copied;
}

}  // namespace

std::optional<GstVideoInfo> video_layout(const GstCaps* caps) {
  if (caps == nullptr || !gst_caps_is_fixed(caps)) return {};
  // Of others gst_video_info_from_caps() logs an error, or takes encoded video for raw.
  if (!gst_structure_has_name(gst_caps_get_structure(caps, 0), "video/x-raw")) return {};
  GstVideoInfo info;
  if (!gst_video_info_from_caps(&info, caps)) return {};
  return info;
}

bool lies_as(const GstVideoInfo& layout, GstBuffer* buffer) {
  const GstVideoMeta* meta = gst_buffer_get_video_meta(buffer);
  if (meta == nullptr) return true;
  const guint planes = std::min<guint>(meta->n_planes, GST_VIDEO_MAX_PLANES);
  return std::equal(meta->offset, meta->offset + planes, layout.offset) &&
         std::equal(meta->stride, meta->stride + planes, layout.stride);
}

GstBuffer* copy_to_layout(const GstVideoInfo& layout, GstBuffer* buffer) {
  GstBuffer* copy = gst_buffer_new_allocate(nullptr, layout.size, nullptr);
  if (copy == nullptr || copy_picture(layout, buffer, copy)) return copy;
  gst_buffer_unref(copy);
  return nullptr;
}
