// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/memif/data/bus_guard.hpp"

#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <utility>

#include "gst/memif/control/log_message.hpp"

namespace gstmemif {
namespace {

// ---- Guarded ranges: the handler reads them without a lock ----------------------------------

struct Range {
  std::uintptr_t base = 0;
  std::size_t length = 0;

  bool contains(std::uintptr_t address) const noexcept {
    return address >= base && address - base < length;
  }
};

/**
 * A slot for one guarded range. Slots are reused while a handler in another thread may read them,
 * so base and length are read as one: they count only if the version is the same before and after.
 * That suffices: a thread that accesses a guarded range holds its region, so the slot that its
 * handler looks for does not change meanwhile.
 */
class Slot {
 public:
  /** With the mutex held. A length of 0: free. */
  void set(Range range) noexcept {
    const std::uint32_t version = version_.load(std::memory_order_relaxed);
    version_.store(version + 1, std::memory_order_relaxed);
    base_.store(range.base, std::memory_order_release);
    length_.store(range.length, std::memory_order_release);
    version_.store(version + 2, std::memory_order_release);
  }
  /** Empty while it changes. */
  Range get() const noexcept {
    const std::uint32_t version = version_.load(std::memory_order_acquire);
    const Range range{base_.load(std::memory_order_acquire),
                      length_.load(std::memory_order_acquire)};
    const bool whole = version % 2 == 0 && version_.load(std::memory_order_relaxed) == version;
    return whole ? range : Range{};
  }

  std::atomic<bool> lost{false};

 private:
  std::atomic<std::uint32_t> version_{0};  // odd while it changes
  std::atomic<std::uintptr_t> base_{0};
  std::atomic<std::size_t> length_{0};
};
static_assert(std::atomic<std::uintptr_t>::is_always_lock_free);

// A link has at most 256 regions; the table must not fill up in the middle of an attack.
constexpr std::size_t kSlots = 8192;
std::array<Slot, kSlots> slots;
std::mutex guard_mutex;  // of the slots, and of installing handlers
// The handler stops looking here: it must not walk 8192 slots when one is in use.
std::atomic<std::size_t> slots_used{0};

bool replace_lost_mapping(std::uintptr_t address) noexcept {
  const std::size_t used = slots_used.load(std::memory_order_acquire);
  for (std::size_t i = 0; i < used; ++i) {
    const Range range = slots[i].get();
    if (!range.contains(address)) continue;
    void* fresh = ::mmap(reinterpret_cast<void*>(range.base), range.length, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
    if (fresh == MAP_FAILED) return false;
    slots[i].lost.store(true, std::memory_order_release);
    return true;
  }
  return false;
}

// ---- What is not ours -----------------------------------------------------------------------

/** What was there before one of our handlers. Written before that is installed. */
struct Previous {
  struct sigaction action {};
  std::atomic<bool> spent{false};  // it was to be called once only
};

/** Whether the signal was sent by kill(). If not, it is a fault and recurs on return. */
bool was_sent(const siginfo_t& info) noexcept {
  return info.si_code <= 0;
}

sigset_t only_sigbus() noexcept {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGBUS);
  return set;
}

/** Ends the process as without any handler: of a fault with the context that it had. */
void act_by_default(siginfo_t& info) noexcept {
  struct sigaction by_default {};
  struct sigaction ours {};
  by_default.sa_handler = SIG_DFL;
  ::sigaction(SIGBUS, &by_default, &ours);
  if (!was_sent(info)) {
    // The cause may be gone when the instruction runs again, but the process must not go on without
    // our handler. The signal is pending until this returns.
    ::syscall(SYS_rt_tgsigqueueinfo, ::getpid(), ::gettid(), SIGBUS, &info);
    return;
  }
  const sigset_t sigbus = only_sigbus();
  ::pthread_sigmask(SIG_UNBLOCK, &sigbus, nullptr);
  ::raise(SIGBUS);
  // Still alive: the init process of a container, which ignores signals without a handler.
  ::pthread_sigmask(SIG_BLOCK, &sigbus, nullptr);
  ::sigaction(SIGBUS, &ours, nullptr);
}

/** Calls a handler with its signal mask in effect. */
void call(const struct sigaction& action, siginfo_t* info, void* context) noexcept {
  const sigset_t sigbus = only_sigbus();
  sigset_t before;
  ::pthread_sigmask(SIG_BLOCK, &action.sa_mask, &before);
  if ((action.sa_flags & SA_NODEFER) != 0) ::pthread_sigmask(SIG_UNBLOCK, &sigbus, nullptr);
  if ((action.sa_flags & SA_SIGINFO) != 0) {
    action.sa_sigaction(SIGBUS, info, context);
  } else {
    action.sa_handler(SIGBUS);
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void forward(Previous& previous, siginfo_t* info, void* context) noexcept {
  const struct sigaction& action = previous.action;
  const bool ignored = action.sa_handler == SIG_IGN;
  if (ignored && was_sent(*info)) return;
  const bool once = (action.sa_flags & SA_RESETHAND) != 0;
  if (ignored || action.sa_handler == SIG_DFL || (once && previous.spent.exchange(true))) {
    act_by_default(*info);
  } else {
    call(action, info, context);
  }
}

// ---- Our handlers ---------------------------------------------------------------------------

// Each installation in front of another handler uses a function of its own with its own
// predecessor. With a single function, the two handlers would call each other forever.
constexpr std::size_t kHandlers = 16;
std::array<Previous, kHandlers> previous;
std::size_t handlers_used = 0;

using SignalHandler = void (*)(int, siginfo_t*, void*);

template <std::size_t kNumber>
void on_sigbus(int, siginfo_t* info, void* context) {
  const int saved_errno = errno;
  const bool ours =
      !was_sent(*info) && replace_lost_mapping(reinterpret_cast<std::uintptr_t>(info->si_addr));
  if (!ours) forward(previous[kNumber], info, context);
  errno = saved_errno;
}

template <std::size_t... kNumbers>
constexpr std::array<SignalHandler, kHandlers> make_handlers(
    std::index_sequence<kNumbers...>) noexcept {
  return {on_sigbus<kNumbers>...};
}
constexpr std::array<SignalHandler, kHandlers> handlers =
    make_handlers(std::make_index_sequence<kHandlers>());

bool is_ours(const struct sigaction& action) noexcept {
  if ((action.sa_flags & SA_SIGINFO) == 0) return false;
  for (std::size_t i = 0; i < handlers_used; ++i) {
    if (action.sa_sigaction == handlers[i]) return true;
  }
  return false;
}

/** With the mutex held. */
Result<void> install_handler() {
  struct sigaction present {};
  ::sigaction(SIGBUS, nullptr, &present);
  if (is_ours(present)) return {};
  if (handlers_used == kHandlers) {
    return Error{ErrorCode::open,
                 "memory that a peer can take away cannot be guarded any more: other code in this "
                 "process has replaced the handler of SIGBUS " +
                     std::to_string(kHandlers) + " times"};
  }
  if (handlers_used != 0) {
    MEMIF_WARNING(
        "the handler of SIGBUS was replaced by other code in this process; it is put in "
        "front of that one again");
  }
  previous[handlers_used].action = present;
  struct sigaction action {};
  action.sa_sigaction = handlers[handlers_used];
  action.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
  ::sigemptyset(&action.sa_mask);
  if (::sigaction(SIGBUS, &action, nullptr) != 0) {
    return Error{ErrorCode::open, std::string("sigaction failed: ") + std::strerror(errno)};
  }
  ++handlers_used;
  return {};
}

}  // namespace

BusGuard& BusGuard::operator=(BusGuard&& other) noexcept {
  if (this != &other) {
    release();
    slot_ = std::exchange(other.slot_, kNone);
  }
  return *this;
}

Result<BusGuard> BusGuard::protect(void* base, std::size_t length) {
  const std::lock_guard lock(guard_mutex);
  if (Result<void> status = install_handler(); !status) return status.error();
  for (std::size_t i = 0; i < kSlots; ++i) {
    Slot& slot = slots[i];
    if (slot.get().length != 0) continue;
    slot.lost.store(false, std::memory_order_relaxed);
    slot.set({reinterpret_cast<std::uintptr_t>(base), length});
    if (i >= slots_used.load(std::memory_order_relaxed)) {
      slots_used.store(i + 1, std::memory_order_release);
    }
    return BusGuard(static_cast<int>(i));
  }
  return Error{ErrorCode::open, "too many unsealed memory regions are mapped already"};
}

void BusGuard::admit_thread() noexcept {
  static thread_local bool admitted = false;
  if (admitted) return;
  const sigset_t sigbus = only_sigbus();
  ::pthread_sigmask(SIG_UNBLOCK, &sigbus, nullptr);
  admitted = true;
}

void BusGuard::release() noexcept {
  if (slot_ == kNone) return;
  const std::lock_guard lock(guard_mutex);
  slots[static_cast<std::size_t>(slot_)].set({});
  slot_ = kNone;
}

bool BusGuard::lost() const noexcept {
  return slot_ != kNone &&
         slots[static_cast<std::size_t>(slot_)].lost.load(std::memory_order_acquire);
}

BusErrorScope::BusErrorScope(bool guarded) noexcept : guarded_(guarded) {
  if (!guarded_) return;
  const sigset_t sigbus = only_sigbus();
  ::pthread_sigmask(SIG_UNBLOCK, &sigbus, &before_);
}

BusErrorScope::~BusErrorScope() {
  if (guarded_) ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

}  // namespace gstmemif
