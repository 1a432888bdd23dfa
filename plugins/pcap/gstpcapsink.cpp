// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * SECTION:element-pcapsink
 * @title: pcapsink
 * @short_description: records packets in capture files
 * @see_also: pcapsrc, bpffilter
 *
 * Records packets in pcap or pcapng files, or streams them live to a program that reads these
 * formats, such as Wireshark or `tcpdump`. Packets are recorded with the time of day, in
 * nanoseconds, at which they entered the pipeline; packets from #pcapsrc keep their recorded time.
 *
 * #pcapsink:max-file-size and #pcapsink:max-file-time rotate files: a.pcap becomes a_00001.pcap,
 * a_00002.pcap and so on. An element message `pcap-file-closed` names each file that is complete.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 memifsrc socket-path=/tmp/a.sock role=master ! tee name=t ! queue !
 * icmpresponder address=192.168.1.1 ! memifsink socket-path=/tmp/a.sock role=master
 * t. ! queue leaky=downstream ! pcapsink location=/tmp/link.pcapng
 * ]| Records what comes in while it is processed.
 * |[
 * gst-launch-1.0 memifsrc socket-path=/tmp/a.sock role=master ! pcapsink location=/tmp/live
 * ]| Shows a link live, after `mkfifo /tmp/live; wireshark -k -i /tmp/live &`.
 *
 * Since: 0.2
 */
#include "plugins/pcap/gstpcapsink.hpp"

#include <gst/base/gstbasesink.h>

#include <mutex>
#include <string>

#include "gst/packet/caps.hpp"
#include "gst/packet/packetbatch.h"
#include "plugins/common/documentation.hpp"
#include "plugins/common/inform.hpp"
#include "plugins/common/properties.hpp"
#include "plugins/pcap/recording.hpp"

GST_DEBUG_CATEGORY_STATIC(pcapsink_debug);
#define GST_CAT_DEFAULT pcapsink_debug

using pcapplugin::CapturePlan;
using pcapplugin::CaptureWriter;
using pcapplugin::FileFormat;
using pcapplugin::Flow;
using pcapplugin::kLongestPacket;
using pcapplugin::Recording;

namespace {

enum : guint {
  kPropLocation = 1,
  kPropFormat,
  kPropSnaplen,
  kPropComment,
  kPropInterfaceName,
  kPropMaxFileSize,
  kPropMaxFileTime,
  kPropMaxFiles,
  kPropUnbuffered,
  kPropStats
};

enum FormatSetting : gint { kAuto, kPcap, kPcapng };

GType format_type() {
  static const GEnumValue kValues[] = {{kAuto, "By the name of the file: pcapng or pcap", "auto"},
                                       {kPcap, "Classic pcap", "pcap"},
                                       {kPcapng, "pcapng", "pcapng"},
                                       {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstPcapSinkFormat", kValues);
  return type;
}

}  // namespace

struct GstPcapSinkState {
  explicit GstPcapSinkState(GstBaseSink* sink);

  std::mutex mutex;  // guards what properties say
  CapturePlan settings;
  gint format = kAuto;
  bool unbuffered = false;

  // Streaming thread, and state changes while it does not run.
  Recording recording;
  CaptureWriter& writer = recording.writer;
  bool failed = false;
};

struct GstPcapSink {
  GstBaseSink parent;
  GstPcapSinkState* state;
};
struct GstPcapSinkClass {
  GstBaseSinkClass parent_class;
};

G_DEFINE_TYPE(GstPcapSink, gst_pcap_sink, GST_TYPE_BASE_SINK)
GST_ELEMENT_REGISTER_DEFINE(pcapsink, "pcapsink", GST_RANK_NONE, gst_pcap_sink_get_type())

namespace {

GstPcapSinkState& state_of(gpointer instance) {
  return *static_cast<GstPcapSink*>(instance)->state;
}

void gst_pcap_sink_post_closed(GstBaseSink* sink, const std::string& location) {
  GstStructure* fields =
      gst_structure_new("pcap-file-closed", "location", G_TYPE_STRING, location.c_str(), nullptr);
  gst_element_post_message(GST_ELEMENT_CAST(sink),
                           gst_message_new_element(GST_OBJECT_CAST(sink), fields));
}

}  // namespace

GstPcapSinkState::GstPcapSinkState(GstBaseSink* sink)
    : recording(sink, [sink](const std::string& location) {
        gst_pcap_sink_post_closed(sink, location);
      }) {}

namespace {

// ---- Errors ---------------------------------------------------------------------------------

GstResourceError code_of(int error_number) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return GST_RESOURCE_ERROR_NO_SPACE_LEFT;
    default:
      return GST_RESOURCE_ERROR_WRITE;
  }
}

void gst_pcap_sink_post_failure(GstBaseSink* sink) {
  GstPcapSinkState& state = state_of(sink);
  state.failed = true;
  gst_element_message_full(GST_ELEMENT_CAST(sink), GST_MESSAGE_ERROR, GST_RESOURCE_ERROR,
                           code_of(state.writer.error_number()),
                           g_strdup_printf("%s.", state.writer.error().text().c_str()),
                           g_strdup_printf("recorded before: %" G_GUINT64_FORMAT " packets",
                                           guint64{state.writer.packets.get()}),
                           __FILE__, GST_FUNCTION, __LINE__);
  state.writer.abandon();
}

GstFlowReturn gst_pcap_sink_flow(GstBaseSink* sink, Flow flow) {
  switch (flow) {
    case Flow::ok:
      return GST_FLOW_OK;
    case Flow::interrupted:
      return GST_FLOW_FLUSHING;
    case Flow::failed:
      break;
  }
  gst_pcap_sink_post_failure(sink);
  return GST_FLOW_ERROR;
}

// ---- Packets --------------------------------------------------------------------------------

template <class Packets>
GstFlowReturn gst_pcap_sink_record(GstBaseSink* sink, Packets* packets) {
  GstPcapSinkState& state = state_of(sink);
  if (state.failed) return GST_FLOW_ERROR;
  if (!state.writer.is_open()) return GST_FLOW_EOS;  // closed by an EOS
  return gst_pcap_sink_flow(sink, state.recording.record(packets));
}

gboolean gst_pcap_sink_set_caps(GstBaseSink* sink, GstCaps* caps) {
  GstPcapSinkState& state = state_of(sink);
  const auto parsed = gstpacket::parse_caps(caps);
  if (!parsed) return FALSE;
  if (!state.writer.set_link_type(parsed->link_type)) {
    GST_ELEMENT_ERROR(
        sink, CORE, NEGOTIATION,
        ("The packets change to link-type=%s, but a capture has one link type. Record "
         "them with another pcapsink.",
         gstpacket::link_type_name(parsed->link_type)),
        (nullptr));
    return FALSE;
  }
  // A reader wants the header before there are packets. As render() this has the preroll lock.
  const Flow begun = state.writer.is_open() ? state.writer.begin() : Flow::ok;
  return gst_pcap_sink_flow(sink, begun) != GST_FLOW_ERROR;
}

void gst_pcap_sink_tell_figures(GstBaseSink* sink) {
  const CaptureWriter& writer = state_of(sink).writer;
  std::string text = counted(writer.packets.get(), "packet") + " with " +
                     counted(writer.bytes_written.get(), "byte") + " recorded in " +
                     counted(writer.files.get(), "file");
  if (const std::uint64_t snapped = writer.snapped.get(); snapped != 0) {
    text += ", " + std::to_string(snapped) + " of them cut to snaplen";
  }
  inform(GST_ELEMENT_CAST(sink), text + ".");
}

gboolean gst_pcap_sink_event(GstBaseSink* sink, GstEvent* event) {
  GstPcapSinkState& state = state_of(sink);
  if (GST_EVENT_TYPE(event) == GST_EVENT_EOS && !state.failed) {
    if (state.writer.close() == Flow::failed) {
      gst_pcap_sink_post_failure(sink);
      gst_event_unref(event);
      return FALSE;
    }
    gst_pcap_sink_tell_figures(sink);
  }
  return GST_BASE_SINK_CLASS(gst_pcap_sink_parent_class)->event(sink, event);
}

gboolean gst_pcap_sink_propose_allocation(GstBaseSink*, GstQuery* query) {
  gst_query_add_allocation_meta(query, GST_PACKET_BATCH_META_API_TYPE, nullptr);
  return TRUE;
}

// ---- Start and stop -------------------------------------------------------------------------

FileFormat format_of(gint setting, const std::string& location) {
  if (setting != kAuto) return setting == kPcapng ? FileFormat::pcapng : FileFormat::pcap;
  return location.ends_with(".pcapng") || location.ends_with(".ntar") ? FileFormat::pcapng
                                                                      : FileFormat::pcap;
}

gboolean gst_pcap_sink_start(GstBaseSink* sink) {
  GstPcapSinkState& state = state_of(sink);
  CapturePlan plan;
  bool unbuffered = false;
  {
    const std::lock_guard lock(state.mutex);
    plan = state.settings;
    plan.info.format = format_of(state.format, plan.location);
    unbuffered = state.unbuffered;
  }
  state.failed = false;
  state.recording.begin(unbuffered);
  if (plan.location.empty()) {
    GST_ELEMENT_ERROR(sink, RESOURCE, SETTINGS,
                      ("There is no file to record to. Set location, to \"-\" for the standard "
                       "output."),
                      (nullptr));
    return FALSE;
  }
  const auto opened = state.writer.open(std::move(plan));
  if (opened) return TRUE;
  if (opened.error().code == gstcommon::ErrorCode::open) {
    GST_ELEMENT_ERROR(sink, RESOURCE, OPEN_WRITE, ("%s.", opened.error().text().c_str()),
                      (nullptr));
  } else {
    GST_ELEMENT_ERROR(sink, RESOURCE, SETTINGS, ("%s.", opened.error().text().c_str()), (nullptr));
  }
  return FALSE;
}

gboolean gst_pcap_sink_stop(GstBaseSink* sink) {
  GstPcapSinkState& state = state_of(sink);
  // A stream has all that its reader took, and stopping does not wait for the rest.
  if (!state.failed && !state.writer.has_reader() && state.writer.close() != Flow::ok) {
    gst_pcap_sink_post_failure(sink);
  }
  state.writer.abandon();
  return TRUE;
}

gboolean gst_pcap_sink_unlock(GstBaseSink* sink) {
  state_of(sink).writer.interrupt();
  return TRUE;
}

gboolean gst_pcap_sink_unlock_stop(GstBaseSink* sink) {
  state_of(sink).writer.resume();
  return TRUE;
}

// ---- GObject --------------------------------------------------------------------------------

void gst_pcap_sink_set_property(GObject* object, guint id, const GValue* value, GParamSpec* pspec) {
  GstPcapSinkState& state = state_of(object);
  const std::lock_guard lock(state.mutex);
  CapturePlan& settings = state.settings;
  switch (id) {
    case kPropLocation:
      settings.location = text_of(value);
      break;
    case kPropFormat:
      state.format = g_value_get_enum(value);
      break;
    case kPropSnaplen:
      settings.info.snaplen = g_value_get_uint(value);
      break;
    case kPropComment:
      settings.info.comment = text_of(value);
      break;
    case kPropInterfaceName:
      settings.info.interface_name = text_of(value);
      break;
    case kPropMaxFileSize:
      settings.max_file_size = g_value_get_uint64(value);
      break;
    case kPropMaxFileTime:
      settings.max_file_time = g_value_get_uint64(value);
      break;
    case kPropMaxFiles:
      settings.max_files = g_value_get_uint(value);
      break;
    case kPropUnbuffered:
      state.unbuffered = g_value_get_boolean(value) != FALSE;
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
      break;
  }
}

GstStructure* gst_pcap_sink_stats(const GstPcapSinkState& state) {
  return gst_structure_new("application/x-packet-stats", "packets-in", G_TYPE_UINT64,
                           guint64{state.writer.packets.get()}, "bytes", G_TYPE_UINT64,
                           guint64{state.writer.bytes_written.get()}, "snapped", G_TYPE_UINT64,
                           guint64{state.writer.snapped.get()}, "unreadable", G_TYPE_UINT64,
                           guint64{state.recording.unreadable.get()}, "files", G_TYPE_UINT64,
                           guint64{state.writer.files.get()}, nullptr);
}

void gst_pcap_sink_get_property(GObject* object, guint id, GValue* value, GParamSpec* pspec) {
  GstPcapSinkState& state = state_of(object);
  const std::lock_guard lock(state.mutex);
  const CapturePlan& settings = state.settings;
  switch (id) {
    case kPropLocation:
      g_value_set_string(value, settings.location.c_str());
      break;
    case kPropFormat:
      g_value_set_enum(value, state.format);
      break;
    case kPropSnaplen:
      g_value_set_uint(value, settings.info.snaplen);
      break;
    case kPropComment:
      g_value_set_string(value, settings.info.comment.c_str());
      break;
    case kPropInterfaceName:
      g_value_set_string(value, settings.info.interface_name.c_str());
      break;
    case kPropMaxFileSize:
      g_value_set_uint64(value, settings.max_file_size);
      break;
    case kPropMaxFileTime:
      g_value_set_uint64(value, settings.max_file_time);
      break;
    case kPropMaxFiles:
      g_value_set_uint(value, settings.max_files);
      break;
    case kPropUnbuffered:
      g_value_set_boolean(value, state.unbuffered);
      break;
    case kPropStats:
      g_value_take_boxed(value, gst_pcap_sink_stats(state));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
      break;
  }
}

void gst_pcap_sink_finalize(GObject* object) {
  delete reinterpret_cast<GstPcapSink*>(object)->state;
  G_OBJECT_CLASS(gst_pcap_sink_parent_class)->finalize(object);
}

void install_file_properties(GObjectClass* klass) {
  g_object_class_install_property(
      klass, kPropLocation,
      g_param_spec_string(
          "location", "Location",
          "File or FIFO to write to; a file is replaced; \"-\": the standard output", "", kReady));
  g_object_class_install_property(
      klass, kPropFormat,
      g_param_spec_enum("format", "Format",
                        "Format of the file; auto: pcapng if its name ends so, otherwise pcap",
                        format_type(), kAuto, kReady));
  g_object_class_install_property(
      klass, kPropSnaplen,
      g_param_spec_uint("snaplen", "Snapshot length",
                        "Bytes to record of each packet; longer ones are cut and counted", 1,
                        kLongestPacket, kLongestPacket, kReady));
  g_object_class_install_property(
      klass, kPropComment,
      g_param_spec_string("comment", "Comment",
                          "What the file says about itself, in the format pcapng only; empty: "
                          "nothing",
                          "", kReady));
  g_object_class_install_property(
      klass, kPropInterfaceName,
      g_param_spec_string("interface-name", "Interface name",
                          "Where the packets are from, written to pcapng only; empty: nothing", "",
                          kReady));
  g_object_class_install_property(
      klass, kPropUnbuffered,
      g_param_spec_boolean(
          "unbuffered", "Unbuffered",
          "Write after each buffer, list or batch; FIFOs, pipes, sockets and terminals always do",
          FALSE, kReady));
}

void install_rotation_properties(GObjectClass* klass) {
  g_object_class_install_property(
      klass, kPropMaxFileSize,
      g_param_spec_uint64("max-file-size", "Maximum file size",
                          "Bytes of a file before the next one begins; 0: no limit", 0, G_MAXUINT64,
                          0, kReady));
  g_object_class_install_property(
      klass, kPropMaxFileTime,
      g_param_spec_uint64(
          "max-file-time", "Maximum file time",
          "Nanoseconds from the first packet of a file to that of the next one; 0: no limit", 0,
          G_MAXUINT64, 0, kReady));
  g_object_class_install_property(klass, kPropMaxFiles,
                                  g_param_spec_uint("max-files", "Maximum number of files",
                                                    "Files to keep of those that this capture was "
                                                    "spread over, older ones are removed; 0: all",
                                                    0, G_MAXUINT, 0, kReady));
}

}  // namespace

static void gst_pcap_sink_class_init(GstPcapSinkClass* klass) {
  GST_DEBUG_CATEGORY_INIT(pcapsink_debug, "pcapsink", 0, "Packet recorder");
  GObjectClass* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = gst_pcap_sink_set_property;
  object_class->get_property = gst_pcap_sink_get_property;
  object_class->finalize = gst_pcap_sink_finalize;
  install_file_properties(object_class);
  install_rotation_properties(object_class);
  g_object_class_install_property(object_class, kPropStats,
                                  stats_spec("Totals since the element last went to PAUSED"));
  gst_type_mark_as_plugin_api(format_type(), static_cast<GstPluginAPIFlags>(0));

  GstElementClass* element_class = GST_ELEMENT_CLASS(klass);
  GstCaps* caps = gstpacket::make_caps();
  gst_element_class_add_pad_template(
      element_class, gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS, caps));
  gst_caps_unref(caps);
  gst_element_class_set_static_metadata(
      element_class, "Packet recorder", "Sink/File/Network",
      "Records packets in files, or for a program that shows them live, as pcap or pcapng",
      PLUGIN_AUTHOR);
  add_documentation_uri(element_class, DOCUMENTATION_URI("pcapsink"));

  GstBaseSinkClass* sink_class = GST_BASE_SINK_CLASS(klass);
  sink_class->start = gst_pcap_sink_start;
  sink_class->stop = gst_pcap_sink_stop;
  sink_class->unlock = gst_pcap_sink_unlock;
  sink_class->unlock_stop = gst_pcap_sink_unlock_stop;
  sink_class->set_caps = gst_pcap_sink_set_caps;
  sink_class->event = gst_pcap_sink_event;
  sink_class->propose_allocation = gst_pcap_sink_propose_allocation;
  sink_class->render = gst_pcap_sink_record<GstBuffer>;
  sink_class->render_list = gst_pcap_sink_record<GstBufferList>;
}

static void gst_pcap_sink_init(GstPcapSink* self) {
  self->state = new GstPcapSinkState(&self->parent);
  // Packets are recorded when they come, and the sink must not keep the last one.
  gst_base_sink_set_sync(&self->parent, FALSE);
  gst_base_sink_set_last_sample_enabled(&self->parent, FALSE);
  // There may be no packet for long: a state change does not wait for one.
  gst_base_sink_set_async_enabled(&self->parent, FALSE);
}
