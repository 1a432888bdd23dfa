// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/memif/memif_element.hpp"

#include "plugins/common/inform.hpp"
#include "plugins/memif/debug.hpp"
#include "plugins/memif/likely_mistake.hpp"
#include "plugins/memif/link_observer.hpp"
#include "plugins/memif/link_report.hpp"
#include "plugins/memif/link_type.hpp"

GST_DEBUG_CATEGORY(memif_element_debug);

using gstmemif::ErrorCode;
using gstmemif::Mode;
using gstmemif::Role;

namespace {

/** The topmost bin: what is told to one part of it is told to all. Only to be compared. */
const void* audience_of(GstElement* element) {
  auto* top = GST_OBJECT_CAST(gst_object_ref(element));
  while (GstObject* parent = gst_object_get_parent(top)) {
    gst_object_unref(top);
    top = parent;
  }
  gst_object_unref(top);
  return top;
}

}  // namespace

MemifElement::MemifElement(GstElement* element, Direction direction, LeaveLink leave_link)
    : element_(element), direction_(direction), leave_link_(leave_link) {}

MemifElement::~MemifElement() = default;

// ---- Interface ------------------------------------------------------------------------------

void MemifElement::post_error(const gstmemif::Error& error) const {
  // Two parts: what a person should do stands in the message itself, where it is in the debug text.
  const std::string message = error.text();
  const char* text = message.c_str();
  const char* where = "memif";
  switch (error.code) {
    case ErrorCode::settings:
      GST_ELEMENT_ERROR(element_, RESOURCE, SETTINGS, ("%s", text), ("%s settings", where));
      break;
    case ErrorCode::not_found:
      GST_ELEMENT_ERROR(element_, RESOURCE, NOT_FOUND, ("%s", text), ("%s socket", where));
      break;
    case ErrorCode::busy:
      GST_ELEMENT_ERROR(element_, RESOURCE, BUSY, ("%s", text), ("%s socket", where));
      break;
    case ErrorCode::not_authorized:
      GST_ELEMENT_ERROR(element_, RESOURCE, NOT_AUTHORIZED, ("%s", text), ("%s socket", where));
      break;
    case ErrorCode::open:
    case ErrorCode::protocol:
    case ErrorCode::closed:
    case ErrorCode::timeout:
      GST_ELEMENT_ERROR(element_, RESOURCE, OPEN_READ_WRITE, ("%s", text), ("%s link", where));
      break;
  }
}

bool MemifElement::join() {
  gstmemif::PartialSettings given;
  MainContext main_context;
  {
    const std::lock_guard lock(mutex_);
    given = given_;
    main_context = main_context_;
    changed_ = false;
  }
  gchar* name = gst_object_get_name(GST_OBJECT_CAST(element_));
  auto membership = Membership::join(std::move(given), std::move(main_context), name);
  g_free(name);
  if (!membership) {
    post_error(membership.error());
    return false;
  }
  const gstmemif::Settings& joined = (*membership)->settings();
  GST_DEBUG_OBJECT(element_, "joined interface %s id %u", joined.socket.text().c_str(), joined.id);
  const auto sets = [&](const char* setting) {
    return (*membership)->given().contains(gstmemif::find_setting(setting));
  };
  note_memif_end(element_,
                 {(*membership)->name(), direction_ == Direction::send, joined.socket.text(),
                  joined.id, joined.role == Role::master, sets("socket-path"), sets("id")});
  if (joined.secret.size() == gstmemif::kMaxSecretLength) {
    GST_ELEMENT_WARNING(element_, RESOURCE, SETTINGS,
                        ("The secret of %s id %u has 24 bytes, and libmemif keeps 23 of them.",
                         joined.socket.text().c_str(), joined.id),
                        ("use a shorter one unless the peer is known to take it"));
  }
  const std::string setting = (*membership)->ended_link_for();
  if (!setting.empty()) {
    inform(element_, "The link through " + joined.socket.text() + " id " +
                         std::to_string(joined.id) + " is restarted for " + setting +
                         ". Set it on the first element of the interface to keep the link.");
  }
  const std::lock_guard lock(mutex_);
  membership_ = std::move(*membership);
  return true;
}

void MemifElement::leave() {
  std::unique_ptr<Membership> membership;  // goes without the lock
  const std::lock_guard lock(mutex_);
  std::swap(membership, membership_);
}

bool MemifElement::settings_changed() const {
  const std::lock_guard lock(mutex_);
  return changed_ || !membership_;
}

std::shared_ptr<gstmemif::Interface> MemifElement::start() {
  if (settings_changed()) {
    leave();
    if (!join()) return nullptr;
  }
  auto interface = membership_->start(audience_of(element_));
  if (!interface) {
    post_error(interface.error());
    return nullptr;
  }
  std::shared_ptr<LinkObserver> observer;
  {
    const std::lock_guard lock(mutex_);
    interface_ = *interface;
    used_queue_ = queue_;
    stats_ = interface_->shared_stats();
    const gstmemif::Settings& settings = membership_->settings();
    observer = std::make_shared<LinkObserver>(element_, leave_link_, settings.socket.text(),
                                              settings.id, settings.role, membership_->speaker());
    observer_ = observer;
  }
  const gstmemif::Settings settings = (*interface)->settings();
  GST_INFO_OBJECT(element_, "started %s id %u as %s", settings.socket.text().c_str(), settings.id,
                  settings.role == Role::slave ? "slave" : "master");
  if (settings.role == Role::slave && !gstmemif::can_lend_buffers(settings)) {
    inform(element_, "All packets are copied: the buffers of ring-size=" +
                         std::to_string(settings.ring_size) +
                         " and buffer-size=" + std::to_string(settings.buffer_size) + " in " +
                         counted(settings.rx_queues + settings.tx_queues, "queue") +
                         " take more than 4 GiB. Smaller ones can be lent.");
  }
  // Without the lock: a link that is up is announced at once, and the handler may read properties.
  (*interface)->add_observer(std::move(observer));
  return *interface;
}

void MemifElement::stop() {
  std::shared_ptr<gstmemif::Interface> interface;
  std::shared_ptr<LinkObserver> observer;
  {
    const std::lock_guard lock(mutex_);
    if (interface_) stats_queues_ = queue_count(interface_->settings());
    std::swap(interface, interface_);
    std::swap(observer, observer_);
  }
  // Without the lock: a handler may read properties.
  if (observer) observer->close();
  GST_DEBUG_OBJECT(element_, "stopped");
  membership_->stop();
}

void MemifElement::check_queue(const gstmemif::QueueUser& user, bool has_queue) {
  if (!user.link() || has_queue || warned_link_.lock() == user.link()) return;
  warned_link_ = user.link();
  if (!queue_warnings_.pass()) return;
  const gstmemif::LinkInfo link = user.link_info();
  const bool receives = direction_ == Direction::receive;
  const std::string queues = counted(receives ? link.rx_queues : link.tx_queues,
                                     receives ? "receiving queue" : "sending queue");
  GST_ELEMENT_WARNING(element_, RESOURCE, SETTINGS,
                      ("The peer '%s' agreed to %s, so queue=%u carries nothing.",
                       link.peer_name.c_str(), queues.c_str(), user.queue()),
                      ("configure more queues on the peer, or use a lower queue"));
}

std::int64_t MemifElement::queue() const {
  const std::lock_guard lock(mutex_);
  return interface_ ? used_queue_ : queue_;
}

std::optional<Mode> MemifElement::mode() const {
  const std::lock_guard lock(mutex_);
  // Where the other end of the interface sets the mode, that applies here too.
  if (interface_) return interface_->settings().mode;
  const auto given = given_.find(gstmemif::find_setting("mode"));
  if (given == given_.end()) return {};
  return std::get<Mode>(given->second);
}

GstCaps* MemifElement::packet_caps() const {
  const std::optional<Mode> known = mode();
  return known ? gstpacket::make_caps({link_type_of(*known)}) : gstpacket::make_caps();
}

// ---- Statistics -----------------------------------------------------------------------------

namespace {

void add(gstmemif::QueueStats& sum, const gstmemif::QueueStats& queue) {
  sum.packets.add(queue.packets.get());
  sum.bytes.add(queue.bytes.get());
  sum.batches.add(queue.batches.get());
  sum.interrupts.add(queue.interrupts.get());
  sum.copies.add(queue.copies.get());
  for (std::size_t i = 0; i < sum.drops.size(); ++i) sum.drops[i].add(queue.drops[i].get());
}

void add_fields(GstStructure* out, const std::string& prefix, const gstmemif::QueueStats& queue) {
  const auto field = [&](const std::string& name, guint64 value) {
    gst_structure_set(out, (prefix + name).c_str(), G_TYPE_UINT64, value, nullptr);
  };
  field("packets", queue.packets.get());
  field("bytes", queue.bytes.get());
  field("batches", queue.batches.get());
  field("interrupts", queue.interrupts.get());
  field("copies", queue.copies.get());
  field("packets-dropped", queue.dropped());
  for (std::size_t i = 0; i < gstmemif::kDropReasonNames.size(); ++i) {
    field("drop-" + std::string(gstmemif::kDropReasonNames[i]), queue.drops[i].get());
  }
}

void add_fill(GstStructure* out, const std::string& prefix, const gstmemif::RingFill& fill) {
  gst_structure_set(out, (prefix + "ring-fill").c_str(), G_TYPE_UINT64, guint64{fill.slots},
                    (prefix + "ring-size").c_str(), G_TYPE_UINT64, guint64{fill.ring_size},
                    nullptr);
}

/** The indexes, as shared memory says: of one ring only. */
void add_indexes(GstStructure* out, const std::string& prefix, const gstmemif::RingFill& fill) {
  gst_structure_set(out, (prefix + "ring-head").c_str(), G_TYPE_UINT, guint{fill.head},
                    (prefix + "ring-tail").c_str(), G_TYPE_UINT, guint{fill.tail}, nullptr);
}

}  // namespace

/** Zeros without an interface, or a link. */
gstmemif::RingFill MemifElement::ring_fill(const gstmemif::Interface* interface,
                                           std::uint32_t queue) const {
  if (interface == nullptr) return {};
  const bool receives = direction_ == Direction::receive;
  return interface->ring_fill(receives, queue).value_or(gstmemif::RingFill{});
}

std::shared_ptr<gstmemif::Interface> MemifElement::interface() const {
  const std::lock_guard lock(mutex_);
  return interface_;
}

GstStructure* MemifElement::link() {
  const auto running = interface();
  const auto link = running ? running->link_info() : std::nullopt;
  if (!link) return no_link_structure();
  GstStructure* out = link_structure(*link);
  guint64 slots = 0;
  for_each_queue([&](std::uint32_t i, const gstmemif::QueueStats&) {
    slots += ring_fill(running.get(), i).slots;
  });
  const gstmemif::Settings ours = running->settings();
  gst_structure_set(out, "interface-name", G_TYPE_STRING, ours.interface_name.c_str(), "app-name",
                    G_TYPE_STRING, ours.app_name.c_str(), "ring-fill", G_TYPE_UINT64, slots,
                    nullptr);
  return out;
}

/** Calls @p call(number, counters) for each queue of ours; returns all that they are part of. */
template <class Call>
std::shared_ptr<gstmemif::InterfaceStats> MemifElement::for_each_queue(Call call) {
  std::shared_ptr<gstmemif::InterfaceStats> all;
  std::int64_t queue = 0;
  std::uint32_t queues = 0;
  {
    const std::lock_guard lock(mutex_);
    all = stats_;
    queue = used_queue_;
    // Others may have joined and brought more since the start.
    if (interface_) stats_queues_ = queue_count(interface_->settings());
    queues = stats_queues_;
  }
  for (std::uint32_t i = 0; i < queues; ++i) {
    if (queue >= 0 && queue != i) continue;
    call(i, direction_ == Direction::receive ? all->rx(i) : all->tx(i));
  }
  return all;
}

void MemifElement::add_counters(gstmemif::QueueStats& sum) {
  for_each_queue([&](std::uint32_t, const gstmemif::QueueStats& counters) { add(sum, counters); });
}

GstStructure* MemifElement::stats() {
  const bool several = queue() < 0;
  GstStructure* out = gst_structure_new_empty("application/x-memif-stats");
  gstmemif::QueueStats sum;
  const auto running = interface();
  gstmemif::RingFill fill;
  const auto all = for_each_queue([&](std::uint32_t i, const gstmemif::QueueStats& counters) {
    const gstmemif::RingFill one = ring_fill(running.get(), i);
    fill = {fill.slots + one.slots, fill.ring_size + one.ring_size, one.head, one.tail};
    add(sum, counters);
    if (!several) return;
    const std::string prefix = "queue-" + std::to_string(i) + "-";
    add_fields(out, prefix, counters);
    add_fill(out, prefix, one);
    add_indexes(out, prefix, one);
  });
  add_fields(out, "", sum);
  add_fill(out, "", fill);
  if (!several) add_indexes(out, "", fill);
  gst_structure_set(out, "link-ups", G_TYPE_UINT64, guint64{all ? all->link_ups.get() : 0},
                    "link-downs", G_TYPE_UINT64, guint64{all ? all->link_downs.get() : 0},
                    "handshakes-failed", G_TYPE_UINT64,
                    guint64{all ? all->handshakes_failed.get() : 0}, nullptr);
  return out;
}
