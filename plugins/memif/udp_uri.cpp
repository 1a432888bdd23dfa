// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * memifudp://HOST:PORT?PROPERTY=VALUE&...: host and port as in udp://, and properties of the
 * element.
 */
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>

#include "gst/packet/headers/address.hpp"
#include "plugins/memif/udp_end.hpp"

namespace {

constexpr char kExample[] =
    "memifudp://10.0.0.2:5004?socket-path=/run/vpp/memif.sock&id=0&address=10.0.0.1/24";
constexpr int kDefaultPort = 5004;
// What has no other meaning in the query of a URI (RFC 3986).
constexpr char kPlain[] = "/:@,+[]=()!*;";

struct UriDeleter {
  void operator()(GstUri* uri) const { gst_uri_unref(uri); }
};
using UriPointer = std::unique_ptr<GstUri, UriDeleter>;

struct Refusal {
  GstURIError code;
  std::string why;
};

/** A property and what it becomes. */
struct Change {
  GParamSpec* spec;
  PropertyValue value;
};

bool is_anything(const std::string& host) {
  return host.empty() || host == "0.0.0.0" || host == "::";
}

/** What the user of the URI may set: the element's own, but for what stands in front of it. */
GParamSpec* find_property(GObject* object, const char* name) {
  GParamSpec* spec = g_object_class_find_property(G_OBJECT_GET_CLASS(object), name);
  constexpr std::string_view kElsewhere[] = {"uri", "host", "port", "clients", "multicast-group"};
  if (spec == nullptr || spec->owner_type != G_OBJECT_TYPE(object) ||
      (spec->flags & G_PARAM_WRITABLE) == 0) {
    return nullptr;
  }
  for (const std::string_view other : kElsewhere) {
    if (other == name) return nullptr;
  }
  return spec;
}

bool parse_value(GParamSpec* spec, const char* text, GValue* value) {
  g_value_init(value, spec->value_type);
  if (spec->value_type == G_TYPE_STRING) {
    g_value_set_string(value, text);
    return true;
  }
  return gst_value_deserialize_with_pspec(value, text, spec) != FALSE &&
         g_param_value_validate(spec, value) == FALSE;
}

bool add_change(GObject* object, const char* name, const char* text, std::vector<Change>& changes) {
  GParamSpec* spec = g_object_class_find_property(G_OBJECT_GET_CLASS(object), name);
  GValue value = G_VALUE_INIT;
  const bool good = parse_value(spec, text, &value);
  if (good) changes.push_back({spec, PropertyValue(value)});
  g_value_unset(&value);
  return good;
}

/** The host as it stands there, without the brackets of an IPv6 address. */
std::string host_of(const GstUri* uri) {
  gchar* text = gst_uri_get_host(uri) != nullptr ? g_strdup(gst_uri_get_host(uri)) : nullptr;
  std::string host = text != nullptr ? text : "";
  g_free(text);
  if (host.size() > 1 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  return host;
}

std::optional<Refusal> add_query(GObject* object, const GstUri* uri, std::vector<Change>& changes) {
  GHashTable* table = gst_uri_get_query_table(uri);
  if (table == nullptr) return {};
  std::optional<Refusal> refusal;
  GHashTableIter iter;
  gpointer key = nullptr, text = nullptr;
  g_hash_table_iter_init(&iter, table);
  while (!refusal && g_hash_table_iter_next(&iter, &key, &text) != FALSE) {
    const char* name = static_cast<const char*>(key);
    if (name == nullptr || *name == '\0') continue;
    const std::string both =
        std::string(name) + "=" + (text != nullptr ? static_cast<char*>(text) : "");
    if (find_property(object, name) == nullptr) {
      refusal = {GST_URI_ERROR_BAD_REFERENCE,
                 both + ": there is no such property to be set by a URI"};
    } else if (text == nullptr || !add_change(object, name, static_cast<char*>(text), changes)) {
      refusal = {GST_URI_ERROR_BAD_REFERENCE, both + ": the property does not take this value"};
    }
  }
  g_hash_table_unref(table);
  return refusal;
}

std::optional<Refusal> parse(GObject* object, UdpEnd::Direction direction, const char* text,
                             std::vector<Change>& changes) {
  const UriPointer uri(gst_uri_from_string(text));
  const auto bad = [](const std::string& why) { return Refusal{GST_URI_ERROR_BAD_URI, why}; };
  if (!uri || g_strcmp0(gst_uri_get_scheme(uri.get()), kUdpScheme) != 0) {
    return bad("it does not begin with memifudp://");
  }
  gchar* path = gst_uri_get_path(uri.get());
  const bool has_path = path != nullptr && *path != '\0' && std::strcmp(path, "/") != 0;
  g_free(path);
  if (has_path || gst_uri_get_fragment(uri.get()) != nullptr) {
    return bad("behind the port there is something else than properties");
  }
  const guint given = gst_uri_get_port(uri.get());
  const guint port = given == GST_URI_NO_PORT ? kDefaultPort : given;
  if (port == 0 || port > 65535) return bad("the port is not from 1 to 65535");
  const std::string number = std::to_string(port);
  const std::string host = host_of(uri.get());
  const char* before = gst_uri_get_userinfo(uri.get());
  add_change(object, "port", number.c_str(), changes);
  const auto address = gstpacket::IpAddress::parse(host);
  if (!host.empty() && !address) {
    return bad(host + " is no IP address, and names are not resolved");
  }
  if (direction == UdpEnd::Direction::send) {
    if (is_anything(host)) return bad("there is no host to send to");
    if (before != nullptr) return bad("there is a user, which UDP does not know");
    add_change(object, "host", host.c_str(), changes);
  } else {
    if (!is_anything(host) && !address->is_multicast()) {
      return bad(host + " is no group to receive from; the address of this host is a property");
    }
    add_change(object, "multicast-group", is_anything(host) ? "0.0.0.0" : host.c_str(), changes);
    if (before != nullptr) add_change(object, "multicast-source", before, changes);
  }
  return add_query(object, uri.get(), changes);
}

std::string escaped(const std::string& text) {
  gchar* out = g_uri_escape_string(text.c_str(), kPlain, FALSE);
  const std::string copy = out;
  g_free(out);
  return copy;
}

}  // namespace

bool UdpEnd::set_uri(const char* text, GError** error) {
  GST_OBJECT_LOCK(element_);
  const bool runs = GST_STATE(element_) > GST_STATE_READY;
  GST_OBJECT_UNLOCK(element_);
  if (runs) {
    g_set_error(error, GST_URI_ERROR, GST_URI_ERROR_BAD_STATE,
                "The URI can only be set in the states NULL and READY.");
    return false;
  }
  std::vector<Change> changes;
  if (const auto refusal = parse(G_OBJECT(element_), direction_, text, changes)) {
    g_set_error(error, GST_URI_ERROR, refusal->code, "%s is no URI for this element: %s. Give %s.",
                text, refusal->why.c_str(), kExample);
    return false;
  }
  for (const Change& change : changes) {
    g_object_set_property(G_OBJECT(element_), change.spec->name, &change.value.value());
  }
  g_object_notify(G_OBJECT(element_), "uri");
  return true;
}

std::string host_and_port(const std::string& host, int port) {
  const bool bare_v6 = host.find(':') != std::string::npos && host.front() != '[';
  return (bare_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::string UdpEnd::uri() const {
  const auto text_of = [this](const char* name) {
    gchar* text = nullptr;
    g_object_get(element_, name, &text, nullptr);
    const std::string out = text != nullptr ? text : "";
    g_free(text);
    return out;
  };
  gint port = 0;
  g_object_get(element_, "port", &port, nullptr);
  const bool sends = direction_ == Direction::send;
  const std::string host = text_of(sends ? "host" : "multicast-group");
  std::string out = std::string(kUdpScheme) + "://" + host_and_port(host, port);
  char separator = '?';
  for (const auto& [name, value] : query()) {
    out += separator + name + "=" + escaped(value);
    separator = '&';
  }
  return out;
}

/** What was set explicitly, in the order of the properties. */
std::vector<std::pair<std::string, std::string>> UdpEnd::query() const {
  std::vector<std::pair<std::string, std::string>> out;
  const std::lock_guard lock(mutex_);
  for (const gstmemif::SettingInfo& info : gstmemif::setting_infos()) {
    const auto given = given_.link.find(&info);
    if (given == given_.link.end() || info.hidden) continue;
    const std::string shown = show(info, given->second);
    const bool slots = std::strcmp(info.name, "buffer-size") == 0;
    out.emplace_back(slots ? "slot-size" : info.name, shown.substr(shown.find('=') + 1));
  }
  for (const auto& [name, value] : given_.host) out.emplace_back(name, value.text());
  for (const Given& given : pad_given_) {
    if (given.property == "host" || given.property == "port" || given.property == "clients" ||
        given.property == "multicast-group") {
      continue;
    }
    out.emplace_back(given.property, given.value.text());
  }
  if (direction_ == Direction::receive) {
    GstCaps* caps = nullptr;
    g_object_get(element_, "caps", &caps, nullptr);
    if (caps != nullptr) {
      gchar* text = gst_caps_to_string(caps);
      out.emplace_back("caps", text);
      g_free(text);
      gst_caps_unref(caps);
    }
  }
  return out;
}
