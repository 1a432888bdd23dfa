// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * An application with an event loop of its own, and two pipelines in it. One answers on a
 * memif interface; the other is the interface's peer, whose packets the application makes and
 * takes: appsrc and appsink. All control channels are served by the application's loop, so that the
 * library has no thread for them.
 */
#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include "echo_packets.hpp"
#include "plugins.hpp"

namespace {

constexpr char kFirstAddress[] = "192.168.1.1";
constexpr char kSecondAddress[] = "192.168.1.77";
constexpr std::size_t kPayload = 56;
constexpr guint kTimeoutSeconds = 60;

using ContextPtr = std::unique_ptr<GMainContext, FreeWith<g_main_context_unref>>;

/** Whether the library runs a thread of its own for control channels. */
bool has_control_thread() {
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    std::getline(std::ifstream(task.path() / "comm"), name);
    if (name == "memif-control") return true;
  }
  return false;
}

/** A pipeline whose elements use the application's context, and whose messages come to it. */
class Pipeline {
 public:
  Pipeline(const std::string& description, GMainContext* context, GstBusFunc on_message,
           gpointer user_data) {
    GError* error = nullptr;
    element_.reset(gst_parse_launch(description.c_str(), &error));
    const ErrorPtr owned(error);
    if (error != nullptr) throw std::runtime_error(error->message);
    gst_object_ref_sink(element_.get());
    for (const char* name : {"in", "out"}) {
      g_object_set(get(name).get(), "main-context", context, nullptr);
    }
    const GstPtr<GstBus> bus(gst_element_get_bus(element_.get()));
    watch_ = gst_bus_create_watch(bus.get());
    g_source_set_callback(watch_, G_SOURCE_FUNC(on_message), user_data, nullptr);
    g_source_attach(watch_, context);
  }
  ~Pipeline() {
    gst_element_set_state(element_.get(), GST_STATE_NULL);
    g_source_destroy(watch_);
    g_source_unref(watch_);
  }
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  GstPtr<GstElement> get(const char* name) const {
    return GstPtr<GstElement>(gst_bin_get_by_name(GST_BIN_CAST(element_.get()), name));
  }
  bool play() const {
    return gst_element_set_state(element_.get(), GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE;
  }

 private:
  GstPtr<GstElement> element_;
  GSource* watch_ = nullptr;
};

/** The application: one step after another, each taken when the one before has its result. */
class Application {
 public:
  explicit Application(const std::string& socket)
      : context_(g_main_context_new()),
        loop_(g_main_loop_new(context_.get(), FALSE)),
        responder_("memifsrc name=in role=master socket-path=" + socket +
                       " ! icmpresponder name=responder address=" + kFirstAddress +
                       " ! memifsink name=out role=master socket-path=" + socket,
                   context_.get(), on_message, this),
        peer_("memifsrc name=in interface-name=embed socket-path=" + socket +
                  " ! appsink name=packets emit-signals=true sync=false async=false"
                  " appsrc name=source format=time is-live=true do-timestamp=true"
                  " caps=application/x-packet,link-type=ethernet"
                  " ! memifsink name=out socket-path=" +
                  socket,
              context_.get(), on_message, this),
        echo_(*EchoPackets::create(kFirstAddress, kPayload)) {
    g_signal_connect(peer_.get("packets").get(), "new-sample", G_CALLBACK(on_sample), this);
  }

  int run() {
    GSource* timeout = g_timeout_source_new_seconds(kTimeoutSeconds);
    g_source_set_callback(timeout, on_timeout, this, nullptr);
    g_source_attach(timeout, context_.get());
    if (!responder_.play() || !peer_.play()) finish("the pipelines do not start");
    if (!done_) g_main_loop_run(loop_.get());
    g_source_destroy(timeout);
    g_source_unref(timeout);
    return failed_ ? 1 : 0;
  }

 private:
  // ---- Events ---------------------------------------------------------------------------------

  static gboolean on_message(GstBus*, GstMessage* message, gpointer self) {
    static_cast<Application*>(self)->handle(message);
    return G_SOURCE_CONTINUE;
  }

  static gboolean on_timeout(gpointer self) {
    static_cast<Application*>(self)->finish("no reply came in time");
    return G_SOURCE_REMOVE;
  }

  /** In the streaming thread of memifsrc: hands the packet to the loop. */
  static GstFlowReturn on_sample(GstAppSink* sink, gpointer self) {
    using SamplePtr = std::unique_ptr<GstSample, FreeWith<gst_sample_unref>>;
    const SamplePtr sample(gst_app_sink_pull_sample(sink));
    if (!sample) return GST_FLOW_EOS;
    GstBuffer* buffer = gst_sample_get_buffer(sample.get());
    auto* arrival =
        new Arrival{static_cast<Application*>(self), Frame(gst_buffer_get_size(buffer))};
    gst_buffer_extract(buffer, 0, arrival->frame.data(), arrival->frame.size());
    g_main_context_invoke_full(
        arrival->application->context_.get(), G_PRIORITY_DEFAULT,
        [](gpointer data) -> gboolean {
          const Arrival& arrived = *static_cast<Arrival*>(data);
          arrived.application->receive(arrived.frame);
          return G_SOURCE_REMOVE;
        },
        arrival, [](gpointer data) { delete static_cast<Arrival*>(data); });
    return GST_FLOW_OK;
  }

  void handle(GstMessage* message) {
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
      GError* error = nullptr;
      gst_message_parse_error(message, &error, nullptr);
      const ErrorPtr owned(error);
      finish(error->message);
    }
    // Both elements of an interface tell of the link; here the sink of the peer is listened to,
    // because packets can be sent once it has one.
    const GstPtr<GstElement> sink = peer_.get("out");
    if (!gst_message_has_name(message, "memif-link") ||
        GST_MESSAGE_SRC(message) != GST_OBJECT_CAST(sink.get())) {
      return;
    }
    const GstStructure* news = gst_message_get_structure(message);
    gboolean up = FALSE;
    gst_structure_get_boolean(news, "link-up", &up);
    std::printf("memif-link: %s, peer '%s'\n", up != FALSE ? "up" : "down",
                gst_structure_get_string(news, "peer-name"));
    if (up != FALSE) ask_who_has();
  }

  // ---- Packets --------------------------------------------------------------------------------

  void send(const Frame& frame) {
    GstBuffer* buffer = gst_buffer_new_memdup(frame.data(), frame.size());
    gst_app_src_push_buffer(GST_APP_SRC_CAST(peer_.get("source").get()), buffer);
    ++sent_;
  }

  void ask_who_has() {
    std::printf("sent: ARP request for %s\n", address_.c_str());
    send(echo_.resolution());
  }

  void receive(const Frame& frame) {
    ++received_;
    if (echo_.resolve(frame)) {
      std::printf("received: ARP reply, %s is at %s\nsent: echo request\n", address_.c_str(),
                  echo_.target_mac().format().c_str());
      return send(echo_.request(1));
    }
    const auto reply = echo_.reply(frame);
    if (!reply || !reply->right) return finish("a packet that is not the reply expected");
    std::printf("received: echo reply of %zu bytes, right\n", reply->icmp_bytes);
    if (address_ == kSecondAddress) return conclude();
    move_responder();
  }

  /** Another address, while everything runs. */
  void move_responder() {
    address_ = kSecondAddress;
    g_object_set(responder_.get("responder").get(), "address", address_.c_str(), nullptr);
    std::printf("address of the responder is %s now\n", address_.c_str());
    // The old address is unused now: this request gets no answer, and is counted.
    send(echo_.request(2));
    echo_ = *EchoPackets::create(address_, kPayload);
    ask_who_has();
  }

  // ---- End ------------------------------------------------------------------------------------

  void conclude() {
    const StructurePtr in = stats_of(responder_.get("in").get());
    const StructurePtr out = stats_of(responder_.get("out").get());
    const StructurePtr dropped = stats_of(responder_.get("responder").get());
    guint64 taken = 0, answered = 0, foreign = 0;
    gst_structure_get_uint64(in.get(), "packets", &taken);
    gst_structure_get_uint64(out.get(), "packets", &answered);
    gst_structure_get_uint64(dropped.get(), "drop-not-for-us", &foreign);
    std::printf("stats: %" G_GUINT64_FORMAT " packets taken, %" G_GUINT64_FORMAT
                " answered, %" G_GUINT64_FORMAT " not for us\n",
                taken, answered, foreign);
    if (taken != sent_ || answered != received_ || foreign != 1) return finish("wrong counters");
    const bool thread = has_control_thread();
    std::printf("thread memif-control: %s\n", thread ? "yes" : "none");
    finish(thread ? "the library has a control thread" : nullptr);
  }

  void finish(const char* failure) {
    if (done_) return;
    done_ = true;
    failed_ = failure != nullptr;
    std::printf("%s%s\n", failed_ ? "FAILED: " : "done", failed_ ? failure : "");
    g_main_loop_quit(loop_.get());
  }

  struct Arrival {
    Application* application;
    Frame frame;
  };

  ContextPtr context_;
  LoopPtr loop_;
  Pipeline responder_;
  Pipeline peer_;
  EchoPackets echo_;
  std::string address_ = kFirstAddress;
  guint64 sent_ = 0;
  guint64 received_ = 0;
  bool done_ = false;
  bool failed_ = false;
};

}  // namespace

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  find_plugins();
  // Lines are seen when they are said, also through a pipe.
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
  try {
    return Application("@gst-memif-embed-" + std::to_string(getpid())).run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "embed: %s\n", error.what());
    return 1;
  }
}
