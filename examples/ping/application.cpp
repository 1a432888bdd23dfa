// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "application.hpp"

#include <glib-unix.h>
#include <pthread.h>

#include <csignal>
#include <cstdio>

#include "values.hpp"

Application::Application(const Options& options)
    : options_(options), network_(options.vdevs), loop_(g_main_loop_new(nullptr, FALSE)) {
  const GstPtr<GstBus> bus(gst_element_get_bus(network_.pipeline()));
  sources_.insert(gst_bus_add_watch(
      bus.get(),
      [](GstBus*, GstMessage* message, gpointer self) -> gboolean {
        static_cast<Application*>(self)->on_message(message);
        return G_SOURCE_CONTINUE;
      },
      this));
  for (const int signal : {SIGINT, SIGTERM}) {
    sources_.insert(g_unix_signal_add(
        signal,
        [](gpointer self) -> gboolean {
          g_main_loop_quit(static_cast<Application*>(self)->loop_.get());
          return G_SOURCE_CONTINUE;
        },
        this));
  }
}

Application::~Application() {
  for (const guint source : sources_) g_source_remove(source);
}

int Application::run() {
  if (!start()) return 1;
  if (options_.stats_seconds > 0) {
    sources_.insert(g_timeout_add(
        static_cast<guint>(options_.stats_seconds * 1000),
        [](gpointer self) -> gboolean {
          static_cast<Application*>(self)->show_statistics();
          return G_SOURCE_CONTINUE;
        },
        this));
  }
  g_main_loop_run(loop_.get());
  summarize();
  return failed_ ? 1 : 0;
}

bool Application::start() {
  start_ = last_ = take_sample(network_);
  const GstStateChangeReturn result = gst_element_set_state(network_.pipeline(), GST_STATE_PLAYING);
  if (result == GST_STATE_CHANGE_FAILURE) {
    // The elements have said why; the bus has not been served yet.
    while (g_main_context_iteration(nullptr, FALSE)) continue;
    return false;
  }
  say_what_runs();
  set_cpus();
  write_dot();
  return true;
}

void Application::say_what_runs() {
  for (const Interface& interface : network_.interfaces()) {
    const Vdev& vdev = interface.vdev;
    const std::string job = vdev.domain ? "bridged in domain " + std::to_string(*vdev.domain)
                                        : "answers for " + vdev.address;
    screen_.say(vdev.name + ": " + (vdev.master ? "master" : "slave") + " on " + vdev.socket +
                ", id " + std::to_string(vdev.id) + ", " + job);
    if (!vdev.cpus.empty() && !vdev.poll) {
      screen_.say(vdev.name + ": aff is for q0=poll only, and ignored here");
    }
  }
  screen_.say("use CTRL+C to exit");
}

/** Only now: threads inherit the CPUs of the one that starts them. */
void Application::set_cpus() {
  if (options_.cpus.empty()) return;
  const auto cpus = parse_cpus(options_.cpus);
  if (pthread_setaffinity_np(pthread_self(), sizeof *cpus, &*cpus) != 0) {
    screen_.say("warning: --aff=" + options_.cpus + " cannot be applied");
  }
}

void Application::write_dot() {
  if (options_.dot_file.empty()) return;
  const TextPtr graph(
      gst_debug_bin_to_dot_data(GST_BIN_CAST(network_.pipeline()), GST_DEBUG_GRAPH_SHOW_ALL));
  GError* error = nullptr;
  if (!graph) {
    screen_.say("warning: this GStreamer was built without graphs");
  } else if (!g_file_set_contents(options_.dot_file.c_str(), graph.get(), -1, &error)) {
    const ErrorPtr owned(error);
    screen_.say(std::string("warning: ") + error->message);
  }
}

void Application::show_statistics() {
  const Sample now = take_sample(network_);
  char title[64];
  std::snprintf(title, sizeof title,
                "after %.1f s:", static_cast<double>(now.time_us - start_.time_us) / 1e6);
  screen_.show(title, make_table(last_, now));
  last_ = now;
}

void Application::summarize() {
  // The pads know their formats by now, so the graph shows more than it did at the start.
  write_dot();
  const Sample end = take_sample(network_);
  gst_element_set_state(network_.pipeline(), GST_STATE_NULL);
  screen_.leave_table();
  screen_.say("");
  screen_.say("summary, rates over the whole time:");
  for (const std::string& line : make_table(start_, end)) screen_.say(line);
  screen_.say(make_total(start_, end));
}

// ---- What the elements say --------------------------------------------------------------------

void Application::on_message(GstMessage* message) {
  switch (GST_MESSAGE_TYPE(message)) {
    case GST_MESSAGE_ELEMENT:
      on_link(message);
      break;
    case GST_MESSAGE_INFO:
      on_info(message);
      break;
    case GST_MESSAGE_WARNING:
      on_warning(message);
      break;
    case GST_MESSAGE_ERROR:
      on_error(message);
      break;
    default:
      break;
  }
}

void Application::on_link(GstMessage* message) {
  if (!gst_message_has_name(message, "memif-link")) return;
  // Each element of an interface tells the same.
  Interface* interface = network_.find(GST_MESSAGE_SRC(message));
  if (interface == nullptr) return;
  const GstStructure* news = gst_message_get_structure(message);
  gboolean up = FALSE;
  gst_structure_get_boolean(news, "link-up", &up);
  interface->up = up != FALSE;
  if (interface->up) {
    interface->peer = gst_structure_get_string(news, "peer-name");
    interface->up_since_us = g_get_monotonic_time();
    warnings_.clear();
    screen_.say(interface->vdev.name + ": link up, peer '" + interface->peer + "'");
    return;
  }
  const std::string reason = gst_structure_get_string(news, "reason");
  screen_.say(interface->vdev.name + ": link down, peer '" + interface->peer + "'" +
              (reason.empty() ? "" : ": " + reason));
}

/** What is waited for; that a link is up or down has been said, with the interface's name. */
void Application::on_info(GstMessage* message) {
  GError* error = nullptr;
  gst_message_parse_info(message, &error, nullptr);
  const ErrorPtr owned(error);
  const std::string text = error->message;
  if (!text.starts_with("Link ")) screen_.say(text);
}

/** A warning of all elements of an interface is one warning. */
void Application::on_warning(GstMessage* message) {
  GError* error = nullptr;
  gst_message_parse_warning(message, &error, nullptr);
  const ErrorPtr owned(error);
  if (!warnings_.insert(error->message).second) return;
  screen_.say("warning: " + std::string(error->message));
}

void Application::on_error(GstMessage* message) {
  GError* error = nullptr;
  gst_message_parse_error(message, &error, nullptr);
  const ErrorPtr owned(error);
  // What ends the program is said where errors are looked for; the rest of it is a consequence.
  if (!failed_) {
    std::fprintf(stderr, "%s: %s: %s\n", g_get_prgname(), GST_OBJECT_NAME(GST_MESSAGE_SRC(message)),
                 error->message);
  }
  failed_ = true;
  g_main_loop_quit(loop_.get());
}
