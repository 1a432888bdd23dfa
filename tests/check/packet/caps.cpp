// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/packet/caps.hpp"

#include <string>

// Behind the standard library: it defines a macro fail().
#include <gst/check/gstcheck.h>

using namespace gstpacket;

GST_START_TEST(test_make) {
  GstCaps* all = make_caps();
  GstCaps* expected =
      gst_caps_from_string("application/x-packet, link-type=(string){ ethernet, ip, punt }");
  fail_unless(gst_caps_is_equal(all, expected));
  fail_if(parse_caps(all));  // not fixed
  gst_caps_unref(all);
  gst_caps_unref(expected);
}
GST_END_TEST

GST_START_TEST(test_round_trip) {
  for (const LinkType type : {LinkType::ethernet, LinkType::ip, LinkType::punt}) {
    GstCaps* caps = make_caps({type});
    fail_unless(gst_caps_is_fixed(caps));
    const auto parsed = parse_caps(caps);
    fail_unless(parsed && parsed->link_type == type);
    gst_caps_unref(caps);
  }
}
GST_END_TEST

GST_START_TEST(test_refuse) {
  for (const char* text : {"video/x-raw", "application/x-packet",
                           "application/x-packet,link-type=token-ring", "ANY", "NONE"}) {
    GstCaps* caps = gst_caps_from_string(text);
    const auto parsed = parse_caps(caps);
    fail_if(parsed);
    fail_unless(parsed.error().text().find("Expected application/x-packet") != std::string::npos);
    gst_caps_unref(caps);
  }
  fail_if(parse_caps(nullptr));
}
GST_END_TEST

static Suite* caps_suite() {
  Suite* s = suite_create("caps");
  TCase* tc = tcase_create("general");
  suite_add_tcase(s, tc);
  tcase_add_test(tc, test_make);
  tcase_add_test(tc, test_round_trip);
  tcase_add_test(tc, test_refuse);
  return s;
}

GST_CHECK_MAIN(caps)
