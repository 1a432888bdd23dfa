// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Elements and plugins that are linked into a program, as in a static build of GStreamer.
 */
#include <gst/check/gstcheck.h>

GST_ELEMENT_REGISTER_DECLARE(ethbridge)
GST_ELEMENT_REGISTER_DECLARE(flowsplit)
GST_ELEMENT_REGISTER_DECLARE(icmpresponder)
GST_ELEMENT_REGISTER_DECLARE(iphost)
GST_ELEMENT_REGISTER_DECLARE(memifsink)
GST_ELEMENT_REGISTER_DECLARE(memifsrc)
GST_ELEMENT_REGISTER_DECLARE(memifudpsink)
GST_ELEMENT_REGISTER_DECLARE(memifudpsrc)
GST_ELEMENT_REGISTER_DECLARE(packetcheck)
GST_ELEMENT_REGISTER_DECLARE(packetgen)
#ifdef HAVE_PCAP
GST_ELEMENT_REGISTER_DECLARE(bpffilter)
GST_ELEMENT_REGISTER_DECLARE(pcapsink)
GST_ELEMENT_REGISTER_DECLARE(pcapsrc)
#endif

G_BEGIN_DECLS
GST_PLUGIN_STATIC_DECLARE(ip);
GST_PLUGIN_STATIC_DECLARE(memif);
GST_PLUGIN_STATIC_DECLARE(packet);
#ifdef HAVE_PCAP
GST_PLUGIN_STATIC_DECLARE(pcap);
#endif
G_END_DECLS

namespace {

struct Entry {
  const char* factory;
  const char* type;
  gboolean (*register_element)(GstPlugin* plugin);
};
constexpr Entry kElements[] = {
    {"ethbridge", "GstEthBridge", gst_element_register_ethbridge},
    {"flowsplit", "GstFlowSplit", gst_element_register_flowsplit},
    {"icmpresponder", "GstIcmpResponder", gst_element_register_icmpresponder},
    {"iphost", "GstIpHost", gst_element_register_iphost},
    {"memifsink", "GstMemifSink", gst_element_register_memifsink},
    {"memifsrc", "GstMemifSrc", gst_element_register_memifsrc},
    {"memifudpsink", "GstMemifUdpSink", gst_element_register_memifudpsink},
    {"memifudpsrc", "GstMemifUdpSrc", gst_element_register_memifudpsrc},
    {"packetcheck", "GstPacketCheck", gst_element_register_packetcheck},
    {"packetgen", "GstPacketGen", gst_element_register_packetgen},
#ifdef HAVE_PCAP
    {"bpffilter", "GstBpfFilter", gst_element_register_bpffilter},
    {"pcapsink", "GstPcapSink", gst_element_register_pcapsink},
    {"pcapsrc", "GstPcapSrc", gst_element_register_pcapsrc},
#endif
};

bool known(const char* factory) {
  GstElementFactory* found = gst_element_factory_find(factory);
  if (found == nullptr) return false;
  gst_object_unref(found);
  return true;
}

void expect_type(const Entry& entry) {
  GstElement* element = gst_element_factory_make(entry.factory, nullptr);
  fail_unless(element != nullptr, "no %s", entry.factory);
  fail_unless_equals_string(G_OBJECT_TYPE_NAME(element), entry.type);
  gst_object_unref(element);
}

}  // namespace

GST_START_TEST(test_elements_register_one_by_one) {
  for (const Entry& entry : kElements) {
    fail_if(known(entry.factory), "%s is there already", entry.factory);
    fail_unless(entry.register_element(nullptr));
    expect_type(entry);
  }
}
GST_END_TEST

GST_START_TEST(test_plugins_register_all_elements) {
  GST_PLUGIN_STATIC_REGISTER(ip);
  GST_PLUGIN_STATIC_REGISTER(memif);
  GST_PLUGIN_STATIC_REGISTER(packet);
#ifdef HAVE_PCAP
  GST_PLUGIN_STATIC_REGISTER(pcap);
#endif
  for (const Entry& entry : kElements) expect_type(entry);
}
GST_END_TEST

static Suite* static_suite(void) {
  Suite* suite = suite_create("static");
  TCase* tests = tcase_create("registration");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_elements_register_one_by_one);
  tcase_add_test(tests, test_plugins_register_all_elements);
  return suite;
}

GST_CHECK_MAIN(static)
