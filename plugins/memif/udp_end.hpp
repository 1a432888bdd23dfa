// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The common part of memifudpsrc and memifudpsink: properties, the URI, and a pad of the host that
 * elements on one memif interface share.
 */
#pragma once

#include <gst/gst.h>

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "plugins/memif/host_user.hpp"

/** Numbers of the common properties. Each element goes on from kUdpLast. */
enum UdpProperty : guint {
  kUdpFirstLink = 1,
  kUdpFirstHost = 100,
  kUdpFirstPad = 200,
  kUdpUri = 300,
  kUdpLinkUp,
  kUdpPeerName,
  kUdpLast
};

/** The common part of an element; one is owned by each. Any thread, unless said otherwise. */
class UdpEnd {
 public:
  enum class Direction { receive, send };

  UdpEnd(GstElement* element, Direction direction) : element_(element), direction_(direction) {}
  ~UdpEnd();
  UdpEnd(const UdpEnd&) = delete;
  UdpEnd& operator=(const UdpEnd&) = delete;

  /** Adds the common properties to an element class. */
  static void install_properties(GObjectClass* klass, Direction direction);
  /** False if the property is not one of the common ones. */
  bool set_property(guint id, const GValue* value, GParamSpec* spec);
  bool get_property(guint id, GValue* value, GParamSpec* spec) const;

  // ---- state changes ----

  /** NULL to READY: joins the host; posts an error and returns false if that cannot be. */
  bool join();
  /** READY to NULL. */
  void leave();
  /**
   * READY to PAUSED: the host runs, and `own`, which is active, is linked to a pad of it. False,
   * with an error posted, if that cannot be.
   */
  bool open(GstPad* own);
  /** PAUSED to READY: `own` is not linked any more, and the host may have stopped. */
  void close();

  /** While it is open: what the host posts from this thread is for this element alone. */
  [[nodiscard]] HostUser& user() const noexcept { return *user_; }

  /** Datagrams, bytes and so on; of the last run when it is not open. Transfer full. */
  [[nodiscard]] GstStructure* stats() const;

  // ---- URI ----

  /** memifudp://host:port?property=value&...; a secret is left out. */
  [[nodiscard]] std::string uri() const;
  /** Sets what the URI says, or nothing. */
  bool set_uri(const char* uri, GError** error);

 private:
  struct Given {
    std::string property;
    PropertyValue value;
  };
  template <class Object>
  using Pointer = std::unique_ptr<Object, void (*)(void*)>;
  /** What is in use, kept while it is used. */
  struct Use {
    std::shared_ptr<HostUser> user;
    Pointer<GstPad> pad{nullptr, gst_object_unref};
    Pointer<GstElement> host{nullptr, gst_object_unref};
    Pointer<GstElement> link{nullptr, gst_object_unref};  // memifsrc or memifsink

    explicit operator bool() const { return pad != nullptr; }
  };

  [[nodiscard]] Use use() const;
  void set_uri_property(const char* text);
  /** What iphost takes for it. */
  static void set_on_pad(GstPad* pad, const std::string& property, const GValue* value);
  unsigned keep(const char* property, const GValue* value);
  bool get_from_host(guint id, GValue* value, GParamSpec* spec) const;
  bool set_up(GstPad* pad, unsigned& version);
  void catch_up(std::unique_lock<std::mutex>& lock, GstPad* pad, unsigned version) const;
  [[nodiscard]] const PropertyValue* given_pad(const std::string& property) const;
  [[nodiscard]] std::string authority() const;
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> query() const;
  [[nodiscard]] GstStructure* present_stats(const Use& now) const;

  GstElement* const element_;
  const Direction direction_;
  std::shared_ptr<HostUser> user_;  // written by state changes, with mutex_
  mutable std::mutex mutex_;        // guards what follows
  HostRequest given_;
  std::string refused_uri_;       // why; empty: it was good
  bool changed_ = false;          // it is not what the host was joined with
  std::vector<Given> pad_given_;  // in the order of setting, as some replace others
  unsigned pad_version_ = 0;      // of these
  Use use_;                       // while it is open
  GstPad* host_pad_ = nullptr;    // as it was requested
  GstPad* own_ = nullptr;         // linked to it
  GstStructure* last_stats_ = nullptr;
};

/** "host:port", with brackets around an IPv6 address. */
std::string host_and_port(const std::string& host, int port);

inline constexpr char kUdpScheme[] = "memifudp";
inline constexpr const gchar* kUdpProtocols[] = {kUdpScheme, nullptr};

/** Of an element class: the handler of such URIs, which calls `end_of(object)`. */
template <UdpEnd& (*end_of)(gpointer), GstURIType type>
void init_uri_handler(gpointer interface, gpointer) {
  auto* handler = static_cast<GstURIHandlerInterface*>(interface);
  handler->get_type = [](GType) { return type; };
  handler->get_protocols = [](GType) -> const gchar* const* { return kUdpProtocols; };
  handler->get_uri = [](GstURIHandler* self) { return g_strdup(end_of(self).uri().c_str()); };
  handler->set_uri = [](GstURIHandler* self, const gchar* uri, GError** error) -> gboolean {
    return end_of(self).set_uri(uri, error);
  };
}
