// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/packet/runtime/request_pads.hpp"

#include <cstring>
#include <string>

#include "gst/packet/runtime/element_class.hpp"

namespace gstpacket::detail {
namespace {

/** The number is kept beside the pad: its name may be changed. */
GQuark number_quark() {
  static const GQuark quark = g_quark_from_static_string("gstpacket-port");
  return quark;
}

bool taken(GstElement* element, const char* prefix, unsigned number) {
  const std::string name = prefix + std::to_string(number);
  const PadPointer pad(gst_element_get_static_pad(element, name.c_str()), gst_object_unref);
  return pad != nullptr;
}

/** Negative if the requested number is taken or too large. */
int choose_number(GstElement* element, const char* prefix, const char* name) {
  if (name != nullptr && g_str_has_prefix(name, prefix)) {
    const char* digits = name + std::strlen(prefix);
    guint64 number = 0;
    if (!g_ascii_string_to_unsigned(digits, 10, 0, Verdict::kMaxPorts - 1, &number, nullptr) ||
        taken(element, prefix, static_cast<unsigned>(number))) {
      return -1;
    }
    return static_cast<int>(number);
  }
  for (unsigned number = 0; number < Verdict::kMaxPorts; ++number) {
    if (!taken(element, prefix, number)) return static_cast<int>(number);
  }
  return -1;
}

}  // namespace

unsigned number_of(const void* pad) {
  return GPOINTER_TO_UINT(g_object_get_qdata(G_OBJECT(const_cast<void*>(pad)), number_quark()));
}

PadPointer new_numbered_pad(GstElement* element, GstPadTemplate* templ, const char* asked) {
  const char* prefix = GST_PAD_TEMPLATE_DIRECTION(templ) == GST_PAD_SINK ? "sink_" : "src_";
  const int number = choose_number(element, prefix, asked);
  if (number < 0) {
    GST_CAT_WARNING_OBJECT(core_of(element).cls().category, element,
                           "no pad %s: there is one, or the number is above %u",
                           asked != nullptr ? asked : "more", Verdict::kMaxPorts - 1);
    return {nullptr, gst_object_unref};
  }
  const std::string name = prefix + std::to_string(number);
  GstPad* pad = gst_pad_new_from_template(templ, name.c_str());
  g_object_set_qdata(G_OBJECT(pad), number_quark(), GINT_TO_POINTER(number));
  return {GST_PAD(gst_object_ref_sink(pad)), gst_object_unref};
}

void disconnect_pad(GstPad* pad) {
  // A source pad is unlinked first: a thread that pushes while it is deactivated may already have
  // found it active, but not the events any more that must go before the data.
  const PadPointer peer(GST_PAD_IS_SRC(pad) ? gst_pad_get_peer(pad) : nullptr, gst_object_unref);
  if (peer) gst_pad_unlink(pad, peer.get());
  gst_pad_set_active(pad, FALSE);
}

}  // namespace gstpacket::detail
