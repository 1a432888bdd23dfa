// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/ip/ip_host.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "gst/packet/headers/ethernet.hpp"
#include "plugins/ip/debug.hpp"
#include "plugins/ip/udp_receiver.hpp"

namespace ipplugin {
namespace {

// The dynamic ports (RFC 6335).
constexpr std::uint16_t kFirstPort = 49152;
constexpr std::uint16_t kPorts = 16384;

void post_error(GstElement* element, const Error& error) {
  GST_ELEMENT_ERROR(element, RESOURCE, SETTINGS, ("%s.", error.text().c_str()),
                    ("iphost settings"));
}

}  // namespace

GstClockTime monotonic_time() noexcept {
  return static_cast<GstClockTime>(g_get_monotonic_time()) * GST_USECOND;
}

// ---- lock -------------------------------------------------------------------------------------

IpHost::Lock::Lock(IpHost& owner) : owner_(owner), lock_(owner.mutex_), now_(monotonic_time()) {}

IpHost::Lock::~Lock() {
  std::vector<Conflict> conflicts;
  GstClockTime due = GST_CLOCK_TIME_NONE;
  if (*this) {
    while (auto conflict = owner_.host_->take_conflict()) conflicts.push_back(*conflict);
    due = owner_.host_->due();
  }
  const bool own = !owner_.own_.empty();
  if (own) owner_.own_waits_.store(true, std::memory_order_relaxed);
  lock_.unlock();
  // The thread looks when its time comes, so only an earlier one concerns it.
  if (own || due < owner_.thread_due_.load(std::memory_order_relaxed)) owner_.wake();
  if (!conflicts.empty()) owner_.tell(conflicts);
}

// ---- states -----------------------------------------------------------------------------------

IpHost::IpHost(GstElement* element, GstPad* source)
    : element_(element),
      output_(source),
      identification_(g_random_int()),
      port_(static_cast<std::uint16_t>(g_random_int_range(0, kPorts))),
      own_writer_(output_) {}

IpHost::~IpHost() {
  stop();
}

bool IpHost::start(const HostSettings& settings, bool fragment) {
  auto config = make_config(settings);
  if (!config) {
    post_error(element_, config.error());
    return false;
  }
  config_ = std::move(*config);
  fragment_ = fragment;
  link_.store(Link::unknown);
  output_.start(config_.mtu + LinkHeader::kMaxSize);
  {
    const std::lock_guard lock(mutex_);
    running_ = true;
    host_.reset();
    link_type_.reset();
    own_ = OwnPackets();
  }
  {
    const std::lock_guard lock(own_turn_);
    own_unsent_ = 0;
  }
  thread_stops_ = false;
  thread_due_.store(GST_CLOCK_TIME_NONE);
  thread_ = std::thread([this] { run(); });
  return true;
}

void IpHost::stop() {
  if (thread_.joinable()) {
    {
      const std::lock_guard lock(thread_mutex_);
      thread_stops_ = true;
    }
    thread_wakes_.notify_all();
    thread_.join();
  }
  {
    const std::lock_guard lock(mutex_);
    running_ = false;
    own_.clear();
    own_waits_.store(false);
    bound_.clear();
  }
  const std::lock_guard own_lock(own_turn_);
  own_writer_.drop();
  output_.stop();
}

// ---- link -------------------------------------------------------------------------------------

bool IpHost::use_link_type(LinkType type) {
  std::optional<LinkType> other;
  {
    const std::lock_guard lock(mutex_);
    other = link_type_;
  }
  if (!other) return make_host(type);
  if (other == type) return true;
  GST_ELEMENT_ERROR(element_, CORE, NEGOTIATION,
                    ("Packets of link-type=%s came to a host whose packets are of link-type=%s. "
                     "Both sides of iphost must have the same mode.",
                     gstpacket::link_type_name(type), gstpacket::link_type_name(*other)),
                    (nullptr));
  return false;
}

bool IpHost::make_host(LinkType type) {
  std::vector<std::pair<std::shared_ptr<UdpReceiver>, Result<void>>> results;
  {
    Lock lock(*this);
    if (link_type_) return link_type_ == type;
    if (!running_) return false;
    output_.prepare(type);  // once, and before there is a host that sends
    link_type_ = type;
    config_.link_type = type;
    host_.emplace(config_);
    if (link_.load() == Link::up) host_->link_up(lock.now(), lock.output());
    for (const auto& receiver : receivers_) results.emplace_back(receiver, bind(receiver, lock));
  }
  bool done = true;
  for (const auto& [receiver, bound] : results) done = check_bound(*receiver, bound) && done;
  return done;
}

bool IpHost::find_link_type() {
  {
    const std::lock_guard lock(mutex_);
    if (link_type_) return true;
  }
  return use_link_type(output_.peer_link_type());
}

void IpHost::set_link(bool up, bool told) {
  Lock lock(*this);
  const Link now = up ? Link::up : Link::down;
  const Link was = link_.load();
  if (was == now || (!told && was != Link::unknown)) return;
  link_.store(now);
  GST_DEBUG_OBJECT(element_, "the link is %s%s", up ? "up" : "down", told ? "" : ": packets flow");
  if (!lock) return;
  if (up) {
    lock->link_up(lock.now(), lock.output());
  } else {
    lock->link_down();
  }
}

bool IpHost::may_reach(const IpAddress& to) const noexcept {
  const auto same_version = [&](const IpAddress& address) { return address.is_v4() == to.is_v4(); };
  const bool ours = std::ranges::any_of(config_.addresses, same_version, &IpPrefix::address);
  if (!ours) return false;
  const bool link_local = !to.is_v4() && to.v6().is_link_local();
  const bool broadcast = to.is_v4() && to.v4().is_broadcast();
  if (to.is_multicast() || link_local || broadcast) return true;
  return std::ranges::any_of(config_.gateways, same_version) ||
         std::ranges::any_of(config_.addresses,
                             [&](const IpPrefix& prefix) { return prefix.contains(to); });
}

std::uint16_t IpHost::next_port() noexcept {
  return static_cast<std::uint16_t>(kFirstPort + port_++ % kPorts);
}

// ---- receivers --------------------------------------------------------------------------------

Result<void> IpHost::bind(const std::shared_ptr<UdpReceiver>& receiver, Lock& lock) {
  const auto binding = receiver->binding();
  if (!binding) return binding.error();
  const auto bound = lock->bind(*binding, lock.now(), lock.output());
  if (!bound) return bound.error();
  if (bound_.size() <= *bound) bound_.resize(*bound + 1);
  bound_[*bound] = receiver;
  return {};
}

void IpHost::unbind(const UdpReceiver& receiver, Lock& lock) {
  for (std::size_t i = 0; i < bound_.size(); ++i) {
    if (bound_[i].get() != &receiver) continue;
    lock->unbind(static_cast<unsigned>(i), lock.now(), lock.output());
    bound_[i].reset();
  }
}

/** Without the lock: whoever reads the message may ask the element for something. */
bool IpHost::check_bound(const UdpReceiver& receiver, const Result<void>& bound) const {
  if (bound) return true;
  const std::string name = receiver.name();
  GST_ELEMENT_ERROR_WITH_DETAILS(
      element_, RESOURCE, SETTINGS,
      ("%s cannot receive: %s.", name.c_str(), bound.error().text().c_str()), ("iphost settings"),
      ("pad", G_TYPE_STRING, name.c_str(), nullptr));
  return false;
}

bool IpHost::add(const std::shared_ptr<UdpReceiver>& receiver) {
  Result<void> bound;
  {
    Lock lock(*this);
    if (std::ranges::find(receivers_, receiver) != receivers_.end()) return true;
    receivers_.push_back(receiver);
    if (lock) bound = bind(receiver, lock);
  }
  wake();  // its time-out runs from now on
  return check_bound(*receiver, bound);
}

void IpHost::remove(const UdpReceiver& receiver) {
  Lock lock(*this);
  std::erase_if(receivers_, [&](const auto& other) { return other.get() == &receiver; });
  if (lock) unbind(receiver, lock);
}

bool IpHost::bind_again(const std::shared_ptr<UdpReceiver>& receiver) {
  Result<void> bound;
  {
    Lock lock(*this);
    if (!lock || std::ranges::find(receivers_, receiver) == receivers_.end()) return true;
    unbind(*receiver, lock);
    bound = bind(receiver, lock);
  }
  return check_bound(*receiver, bound);
}

std::vector<IpHost::Held> IpHost::receivers() const {
  std::vector<Held> all;
  const std::lock_guard lock(mutex_);
  for (const auto& receiver : receivers_) {
    // Its pad lives at least until it is removed, for which the lock is needed.
    auto* pad = static_cast<GstPad*>(gst_object_ref(receiver->pad()));
    all.push_back({receiver, {pad, gst_object_unref}});
  }
  return all;
}

// ---- the host's own packets -------------------------------------------------------------------

void IpHost::send_own_packets(bool wait) {
  std::unique_lock turn(own_turn_, std::defer_lock);
  if (wait) {
    turn.lock();
  } else if (!turn.try_lock()) {
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    own_waits_.store(false, std::memory_order_relaxed);
    own_sending_.clear();
    own_.swap_packets(own_sending_);
  }
  const std::size_t n = own_sending_.size();
  if (n == 0) return;
  own_writer_.expect(n);
  std::size_t i = 0;
  for (; i < n; ++i) {
    const auto packet = own_sending_.packet(i);
    const auto place = own_writer_.place(packet.size(), GST_CLOCK_TIME_NONE);
    if (place.empty()) break;
    std::ranges::copy(packet, place.begin());
    own_writer_.add(packet.size());
  }
  const GstFlowReturn flow = i == n ? own_writer_.flush() : own_writer_.flow();
  own_writer_.drop();
  if (flow == GST_FLOW_OK) return;
  GST_LOG_OBJECT(element_, "%zu packets of the host were not sent: %s", n, gst_flow_get_name(flow));
  own_unsent_ += n;
}

// ---- thread -----------------------------------------------------------------------------------

void IpHost::wake() {
  {
    const std::lock_guard lock(thread_mutex_);
    thread_has_work_ = true;
  }
  thread_wakes_.notify_one();
}

void IpHost::run() {
  std::unique_lock lock(thread_mutex_);
  while (!thread_stops_) {
    thread_has_work_ = false;
    lock.unlock();
    const GstClockTime due = tick();
    send_own_packets(true);
    lock.lock();
    const auto wanted = [this] { return thread_stops_ || thread_has_work_; };
    if (due == GST_CLOCK_TIME_NONE) {
      thread_wakes_.wait(lock, wanted);
      continue;
    }
    const GstClockTime now = monotonic_time();
    if (due <= now) continue;
    // In slices: what is due in years would overflow.
    const auto time =
        std::chrono::nanoseconds(std::min<GstClockTime>(due - now, GST_SECOND * 3600));
    thread_wakes_.wait_for(lock, time, wanted);
  }
}

/** Does what is due; when there is something to do again. */
GstClockTime IpHost::tick() {
  // Whatever is due earlier from here on wakes the thread.
  thread_due_.store(0, std::memory_order_relaxed);
  GstClockTime due = GST_CLOCK_TIME_NONE;
  {
    Lock lock(*this);
    if (lock && lock->due() <= lock.now()) lock->tick(lock.now(), lock.output());
    if (lock) due = lock->due();
    thread_due_.store(due, std::memory_order_relaxed);
  }
  return std::min(due, tell_timeouts(monotonic_time()));
}

GstClockTime IpHost::tell_timeouts(GstClockTime now) {
  GstClockTime due = GST_CLOCK_TIME_NONE;
  for (const Held& held : receivers()) {
    due = std::min(due, held.receiver->check_timeout(now));
  }
  return due;
}

void IpHost::tell(const std::vector<Conflict>& conflicts) const {
  for (const Conflict& conflict : conflicts) {
    const char* what =
        conflict.given_up ? "It was there first, so this host does not use the address until it is "
                            "free"
                          : "This host had announced it before and goes on to use it";
    GST_ELEMENT_WARNING(
        element_, RESOURCE, BUSY,
        ("The address %s is in use by another station, %s. %s. Give one of them another address.",
         conflict.address.format().c_str(), conflict.by.format().c_str(), what),
        ("a duplicate address was detected"));
  }
}

// ---- statistics -------------------------------------------------------------------------------

namespace {

const char* name_of(Neighbours::State state) {
  switch (state) {
    case Neighbours::State::incomplete:
      return "incomplete";
    case Neighbours::State::reachable:
      return "reachable";
    case Neighbours::State::stale:
      return "stale";
    case Neighbours::State::delay:
      return "delay";
    case Neighbours::State::probe:
      return "probe";
    case Neighbours::State::permanent:
      return "permanent";
  }
  return "?";
}

void append(GValue& list, GstStructure* item) {
  GValue value = G_VALUE_INIT;
  g_value_init(&value, GST_TYPE_STRUCTURE);
  g_value_take_boxed(&value, item);
  gst_value_list_append_and_take_value(&list, &value);
}

}  // namespace

void IpHost::add_stats(GstStructure* stats) const {
  const auto field = [stats](const char* name, std::uint64_t value) {
    gst_structure_set(stats, name, G_TYPE_UINT64, guint64{value}, nullptr);
  };
  {
    const std::lock_guard lock(own_turn_);
    field("drop-unsent", own_unsent_);
  }
  std::vector<Neighbours::Info> neighbours;
  std::vector<Membership::Info> groups;
  {
    const std::lock_guard lock(mutex_);
    field("drop-own-full", own_.lost());
    if (host_) {
      host_->stats(field);
      neighbours = host_->neighbours();
      groups = host_->groups();
    }
  }
  GValue list = G_VALUE_INIT;
  g_value_init(&list, GST_TYPE_LIST);
  for (const Neighbours::Info& neighbour : neighbours) {
    append(list, gst_structure_new("neighbour", "address", G_TYPE_STRING,
                                   neighbour.address.format().c_str(), "mac", G_TYPE_STRING,
                                   neighbour.mac.format().c_str(), "state", G_TYPE_STRING,
                                   name_of(neighbour.state), nullptr));
  }
  gst_structure_take_value(stats, "neighbour-table", &list);
  GValue joined = G_VALUE_INIT;
  g_value_init(&joined, GST_TYPE_LIST);
  for (const Membership::Info& group : groups) {
    std::string sources;
    for (const IpAddress& source : group.sources) {
      sources += (sources.empty() ? "" : ",") + source.format();
    }
    append(joined,
           gst_structure_new("group", "address", G_TYPE_STRING, group.group.format().c_str(),
                             "sources", G_TYPE_STRING, sources.c_str(), nullptr));
  }
  gst_structure_take_value(stats, "group-table", &joined);
}

}  // namespace ipplugin
