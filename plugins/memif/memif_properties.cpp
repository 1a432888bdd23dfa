// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/** @file The properties that memifsrc and memifsink share. */
#include "plugins/memif/memif_element.hpp"

using gstmemif::Mode;
using gstmemif::Role;
using gstmemif::UnsealedMemory;

GType gst_memif_role_get_type(void) {
  // DPDK's words are accepted too; the first entry of a value is the one shown.
  static const GEnumValue kValues[] = {
      {static_cast<gint>(Role::slave), "Connect to the socket and own the shared memory", "slave"},
      {static_cast<gint>(Role::master), "Listen on the socket", "master"},
      {static_cast<gint>(Role::slave), "Another word for slave", "client"},
      {static_cast<gint>(Role::master), "Another word for master", "server"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstMemifRole", kValues);
  return type;
}

GType gst_memif_mode_get_type(void) {
  static const GEnumValue kValues[] = {
      {static_cast<gint>(Mode::ethernet), "Ethernet frames", "ethernet"},
      {static_cast<gint>(Mode::ip), "IPv4 and IPv6 packets without link header", "ip"},
      {static_cast<gint>(Mode::punt_inject), "VPP's punt and inject path", "punt-inject"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstMemifMode", kValues);
  return type;
}

GType gst_memif_unsealed_memory_get_type(void) {
  static const GEnumValue kValues[] = {
      {static_cast<gint>(UnsealedMemory::guard),
       "Survive that, with a process-wide handler of SIGBUS", "guard"},
      {static_cast<gint>(UnsealedMemory::refuse), "No link, and no handler", "refuse"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("GstMemifUnsealedMemory", kValues);
  return type;
}

namespace {

constexpr auto kReadWrite =
    static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);
// Computed defaults: what the element shows without being told need not be what is used.
constexpr auto kReadOnly = static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);

void add_text(GObjectClass* klass, guint id, const char* name, const char* nick, const char* blurb,
              const char* preset = nullptr) {
  g_object_class_install_property(klass, id,
                                  g_param_spec_string(name, nick, blurb, preset, kReadWrite));
}

/**
 * The type's range is wider than the real one on purpose: GLib only warns about a value outside of
 * it and goes on with the default. Our own check ends the pipeline with a reason.
 */
void add_number(GObjectClass* klass, guint id, const char* name, const char* nick,
                const char* blurb, guint preset) {
  g_object_class_install_property(
      klass, id, g_param_spec_uint(name, nick, blurb, 0, G_MAXUINT, preset, kReadWrite));
}

void add_bytes(GObjectClass* klass, guint id, const char* name, const char* nick, const char* blurb,
               guint64 preset) {
  g_object_class_install_property(
      klass, id, g_param_spec_uint64(name, nick, blurb, 0, G_MAXUINT64, preset, kReadWrite));
}

void add_socket_properties(GObjectClass* klass) {
  add_text(klass, kPropSocketPath, "socket-path", "Socket path",
           "UNIX socket of the interface: a path, or @name for an abstract socket",
           gstmemif::kDefaultSocketPath);
  add_number(klass, kPropId, "id", "Interface id",
             "Number of the interface on its socket; the same on both ends", 0);
  g_object_class_install_property(
      klass, kPropRole,
      g_param_spec_enum("role", "Role",
                        "Which end of the socket: the slave (client) connects and owns the shared "
                        "memory, the master (server) listens",
                        gst_memif_role_get_type(), static_cast<gint>(Role::slave), kReadWrite));
  add_number(klass, kPropSocketMode, "socket-mode", "Socket file mode",
             "Permissions of the socket file, as chmod takes them (432 is octal 0660); master only",
             gstmemif::ListenOptions().mode);
  add_text(klass, kPropSocketOwner, "socket-owner", "Socket file owner",
           "Owner of the socket file as user:group, names or numbers; empty: the user of this "
           "process; master only",
           "");
  add_text(klass, kPropAllowedUids, "allowed-uids", "Allowed users",
           "Numbers of the users whose programs may connect, with commas; empty: all that the "
           "permissions of the socket file let in; master only",
           "");
  g_object_class_install_property(
      klass, kPropUnsealedMemory,
      g_param_spec_enum("unsealed-memory", "Unsealed memory",
                        "What to do with shared memory that the peer can take away while it is "
                        "used, as it can unless it is sealed and not of huge pages; master only",
                        gst_memif_unsealed_memory_get_type(),
                        static_cast<gint>(UnsealedMemory::guard), kReadWrite));
  g_object_class_install_property(
      klass, kPropMainContext,
      g_param_spec_boxed("main-context", "Main context",
                         "Context whose loop, run by the application, handles the control channel; "
                         "NULL: a thread of the library does",
                         G_TYPE_MAIN_CONTEXT, kReadWrite));
}

void add_interface_properties(GObjectClass* klass, MemifElement::Direction direction) {
  g_object_class_install_property(
      klass, kPropMode,
      g_param_spec_enum("mode", "Mode", "What the packets are; the same on both ends",
                        gst_memif_mode_get_type(), static_cast<gint>(Mode::ethernet), kReadWrite));
  add_text(klass, kPropSecret, "secret", "Secret",
           "Password of the interface, at most 24 bytes; as master it is demanded, as slave sent",
           "");
  add_text(klass, kPropInterfaceName, "interface-name", "Interface name",
           "Name that the peer shows for this end, at most 31 bytes", "");
  add_number(klass, kPropRingSize, "ring-size", "Ring size",
             "Slots of each ring, a power of two from 2 to 16384; the slave's value counts",
             gstmemif::kDefaultRingSize);
  add_number(klass, kPropBufferSize, "buffer-size", "Buffer size",
             "Bytes of the buffer of a slot, 1 or more; longer packets take several slots; the "
             "slave's value counts",
             gstmemif::kDefaultBufferSize);
  add_number(klass, kPropRxQueues, "rx-queues", "Receive queues",
             "Queues from the peer to here, 1 to 255; the peer may agree to fewer", 1);
  add_number(klass, kPropTxQueues, "tx-queues", "Transmit queues",
             "Queues from here to the peer, 1 to 255; the peer may agree to fewer", 1);
  if (direction == MemifElement::Direction::receive) {
    add_number(klass, kPropQueue, "queue", "Queue",
               "Receive queue that this element serves, 0 to rx-queues - 1", 0);
    return;
  }
  g_object_class_install_property(
      klass, kPropQueue,
      g_param_spec_int("queue", "Queue",
                       "Transmit queue that this element fills, 0 to tx-queues - 1; -1: all, flows "
                       "are spread over them by their addresses and ports and keep their order",
                       G_MININT, G_MAXINT, 0, kReadWrite));
}

/** What a peer can make us hold. */
void add_memory_properties(GObjectClass* klass, MemifElement::Direction direction) {
  add_bytes(klass, kPropMemoryLimit, "memory-limit", "Memory limit",
            "Bytes of shared memory that a peer may bring in all its regions, 4 GiB by default; a "
            "peer with more is refused; master only",
            gstmemif::kDefaultMemoryLimit);
  if (direction != MemifElement::Direction::receive) return;
  add_number(klass, kPropMaxPacketSize, "max-packet-size", "Maximum packet size",
             "Bytes of the longest packet that is received, 1 or more, 32 MiB by default; longer "
             "ones are dropped and counted in drop-too-long",
             gstmemif::kDefaultMaxPacketSize);
  add_bytes(klass, kPropCopyLimit, "copy-limit", "Copy limit",
            "Bytes that copies of received packets of the interface may take at a time, 1 GiB by "
            "default; packets that need more are dropped and counted in drop-no-memory",
            gstmemif::kDefaultCopyLimit);
}

void add_status_properties(GObjectClass* klass, MemifElement::Direction direction) {
  g_object_class_install_property(
      klass, kPropLinkUp,
      g_param_spec_boolean("link-up", "Link up", "Whether a peer is connected; notified", FALSE,
                           kReadOnly));
  g_object_class_install_property(
      klass, kPropPeerName,
      g_param_spec_string("peer-name", "Peer name",
                          "Name that the peer gives to its interface or itself; notified", nullptr,
                          kReadOnly));
  const char* blurb =
      direction == MemifElement::Direction::receive
          ? "Counters since PAUSED of the queue: packets, bytes, batches, interrupts (wake-ups "
            "taken), copies, packets-dropped and drop-<reason>; of the interface: link-ups, "
            "link-downs, handshakes-failed"
          : "Counters since PAUSED of the queue, with queue=-1 of all together and of each with "
            "queue-N- in front: packets, bytes, batches, interrupts (wake-ups "
            "sent), copies, packets-dropped and drop-<reason>; of the interface: link-ups, "
            "link-downs, handshakes-failed; and what every sink counts: average-rate, rendered, "
            "dropped";
  g_object_class_install_property(
      klass, kPropStats,
      g_param_spec_boxed("stats", "Statistics", blurb, GST_TYPE_STRUCTURE, kReadOnly));
}

std::string text_of(const GValue* value) {
  const gchar* text = g_value_get_string(value);
  return text != nullptr ? text : "";
}

std::shared_ptr<GMainContext> context_of(const GValue* value) {
  auto* context = static_cast<GMainContext*>(g_value_dup_boxed(value));
  if (context == nullptr) return nullptr;
  return {context, g_main_context_unref};
}

}  // namespace

void MemifElement::install_properties(GObjectClass* klass, Direction direction) {
  add_socket_properties(klass);
  add_interface_properties(klass, direction);
  add_memory_properties(klass, direction);
  add_status_properties(klass, direction);
  gst_type_mark_as_plugin_api(gst_memif_role_get_type(), GstPluginAPIFlags(0));
  gst_type_mark_as_plugin_api(gst_memif_mode_get_type(), GstPluginAPIFlags(0));
  gst_type_mark_as_plugin_api(gst_memif_unsealed_memory_get_type(), GstPluginAPIFlags(0));
}

/** With the lock held. */
void MemifElement::set_partial(guint id, const GValue* value) {
  gstmemif::PartialSettings& partial = settings_.partial;
  switch (id) {
    case kPropMode:
      partial.mode = static_cast<Mode>(g_value_get_enum(value));
      break;
    case kPropSecret:
      partial.secret = text_of(value);
      break;
    case kPropInterfaceName:
      partial.interface_name = text_of(value);
      break;
    case kPropRingSize:
      partial.ring_size = g_value_get_uint(value);
      break;
    case kPropBufferSize:
      partial.buffer_size = g_value_get_uint(value);
      break;
    case kPropRxQueues:
      partial.rx_queues = g_value_get_uint(value);
      break;
    case kPropTxQueues:
      partial.tx_queues = g_value_get_uint(value);
      break;
    case kPropSocketMode:
      partial.socket_mode = g_value_get_uint(value);
      break;
    case kPropSocketOwner:
      partial.socket_owner = text_of(value);
      break;
    case kPropAllowedUids:
      partial.allowed_uids = text_of(value);
      break;
    case kPropUnsealedMemory:
      partial.unsealed_memory = static_cast<UnsealedMemory>(g_value_get_enum(value));
      break;
    case kPropMemoryLimit:
      partial.memory_limit = g_value_get_uint64(value);
      break;
    case kPropMaxPacketSize:
      partial.max_packet_size = g_value_get_uint(value);
      break;
    case kPropCopyLimit:
      partial.copy_limit = g_value_get_uint64(value);
      break;
    default:
      break;
  }
}

bool MemifElement::set_property(guint id, const GValue* value) {
  if (id >= kPropCommonLast) return false;
  const std::lock_guard lock(mutex_);
  changed_ = true;
  if (interface_) {
    GST_WARNING_OBJECT(element_, "it runs: what is set takes effect at the next start from READY");
  }
  switch (id) {
    case kPropSocketPath:
      settings_.socket_path = text_of(value);
      break;
    case kPropId:
      settings_.id = g_value_get_uint(value);
      break;
    case kPropRole:
      settings_.role = static_cast<Role>(g_value_get_enum(value));
      break;
    case kPropQueue:
      queue_ = direction_ == Direction::receive ? std::int64_t{g_value_get_uint(value)}
                                                : std::int64_t{g_value_get_int(value)};
      break;
    case kPropMainContext:
      settings_.main_context = context_of(value);
      break;
    default:
      set_partial(id, value);
      break;
  }
  return true;
}

/** Which interface and queue: those in use, if there are any. False for other ids. Locked. */
bool MemifElement::get_identity(guint id, GValue* value) const {
  const MemberSettings& settings = interface_ ? used_ : settings_;
  const std::int64_t queue = interface_ ? used_queue_ : queue_;
  switch (id) {
    case kPropSocketPath:
      g_value_set_string(value, settings.socket_path.c_str());
      return true;
    case kPropId:
      g_value_set_uint(value, settings.id);
      return true;
    case kPropRole:
      g_value_set_enum(value, static_cast<gint>(settings.role));
      return true;
    case kPropQueue:
      if (direction_ == Direction::receive) {
        g_value_set_uint(value, static_cast<guint>(queue));
      } else {
        g_value_set_int(value, static_cast<gint>(queue));
      }
      return true;
    case kPropMainContext:
      g_value_set_boxed(value, settings.main_context.get());
      return true;
    default:
      return false;
  }
}

/** What is used: with an interface its settings, without one those that were given. Locked. */
void MemifElement::get_setting(guint id, GValue* value) const {
  gstmemif::Settings settings;
  if (interface_) {
    settings = interface_->settings();
  } else if (auto status = apply(settings_.partial, settings); !status) {
    GST_DEBUG_OBJECT(element_, "%s", status.error().text().c_str());
  }
  switch (id) {
    case kPropMode:
      g_value_set_enum(value, static_cast<gint>(settings.mode));
      break;
    case kPropSecret:
      g_value_set_string(value, settings.secret.c_str());
      break;
    case kPropInterfaceName:
      g_value_set_string(value, settings.interface_name.c_str());
      break;
    case kPropRingSize:
      g_value_set_uint(value, settings.ring_size);
      break;
    case kPropBufferSize:
      g_value_set_uint(value, settings.buffer_size);
      break;
    case kPropRxQueues:
      g_value_set_uint(value, settings.rx_queues);
      break;
    case kPropTxQueues:
      g_value_set_uint(value, settings.tx_queues);
      break;
    case kPropSocketMode:
      g_value_set_uint(value, settings.listen.mode);
      break;
    case kPropSocketOwner:
      g_value_set_string(value, settings.listen.owner.c_str());
      break;
    case kPropAllowedUids:
      g_value_set_string(
          value, (interface_ ? used_ : settings_).partial.allowed_uids.value_or("").c_str());
      break;
    case kPropUnsealedMemory:
      g_value_set_enum(value, static_cast<gint>(settings.unsealed_memory));
      break;
    case kPropMemoryLimit:
      g_value_set_uint64(value, settings.memory_limit);
      break;
    case kPropMaxPacketSize:
      g_value_set_uint(value, settings.max_packet_size);
      break;
    case kPropCopyLimit:
      g_value_set_uint64(value, settings.copy_limit);
      break;
    default:
      break;
  }
}

bool MemifElement::get_property(guint id, GValue* value) {
  if (id >= kPropCommonLast) return false;
  if (id == kPropStats) {
    g_value_take_boxed(value, stats());
    return true;
  }
  const std::lock_guard lock(mutex_);
  const auto link = interface_ ? interface_->link_info() : std::nullopt;
  if (get_identity(id, value)) return true;
  switch (id) {
    case kPropLinkUp:
      g_value_set_boolean(value, link.has_value());
      break;
    case kPropPeerName:
      g_value_set_string(value, link ? link->peer_name.c_str() : nullptr);
      break;
    default:
      get_setting(id, value);
      break;
  }
  return true;
}
