// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/memif/bus_guard.hpp"

#include <signal.h>
#include <sys/mman.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <mutex>

namespace gstmemif {
namespace {

/**
 * One guarded range. The handler reads it without a lock, so a slot is filled in this order:
 * length, flag, base; and taken down in the reverse one. A base of 0 means the slot is free.
 */
struct Slot {
  std::atomic<std::uintptr_t> base{0};
  std::atomic<std::size_t> length{0};
  std::atomic<bool> lost{false};
};
static_assert(std::atomic<std::uintptr_t>::is_always_lock_free);

// 256 regions a link at the most; a table that is not full in the middle of an attack.
constexpr std::size_t kSlots = 8192;
std::array<Slot, kSlots> slots;
std::mutex slots_mutex;
// The handler stops looking here: it must not walk 8192 slots when one is in use.
std::atomic<std::size_t> slots_used{0};
struct sigaction previous_action;
bool handler_installed = false;

bool replace_lost_mapping(std::uintptr_t address) noexcept {
  const std::size_t used = slots_used.load(std::memory_order_acquire);
  for (std::size_t i = 0; i < used; ++i) {
    const std::uintptr_t base = slots[i].base.load(std::memory_order_acquire);
    const std::size_t length = slots[i].length.load(std::memory_order_relaxed);
    if (base == 0 || address < base || address - base >= length) continue;
    void* fresh = ::mmap(reinterpret_cast<void*>(base), length, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
    if (fresh == MAP_FAILED) return false;
    slots[i].lost.store(true, std::memory_order_release);
    return true;
  }
  return false;
}

void forward_signal(int number, siginfo_t* info, void* context) noexcept {
  if ((previous_action.sa_flags & SA_SIGINFO) != 0) {
    previous_action.sa_sigaction(number, info, context);
  } else if (previous_action.sa_handler == SIG_DFL || previous_action.sa_handler == SIG_IGN) {
    // Not ours: back to the default, and the instruction faults again as if we had not been here.
    ::signal(number, SIG_DFL);
  } else {
    previous_action.sa_handler(number);
  }
}

void on_sigbus(int number, siginfo_t* info, void* context) {
  const int saved_errno = errno;
  if (!replace_lost_mapping(reinterpret_cast<std::uintptr_t>(info->si_addr))) {
    forward_signal(number, info, context);
  }
  errno = saved_errno;
}

Status install_handler() {
  if (handler_installed) return {};
  struct sigaction action {};
  action.sa_sigaction = on_sigbus;
  action.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
  ::sigemptyset(&action.sa_mask);
  if (::sigaction(SIGBUS, &action, &previous_action) != 0) {
    return Error{ErrorCode::open, std::string("sigaction failed: ") + std::strerror(errno)};
  }
  handler_installed = true;
  return {};
}

}  // namespace

BusGuard& BusGuard::operator=(BusGuard&& other) noexcept {
  if (this != &other) {
    release();
    slot_ = other.slot_;
    other.slot_ = kNone;
  }
  return *this;
}

Result<BusGuard> BusGuard::protect(void* base, std::size_t length) {
  const std::lock_guard lock(slots_mutex);
  if (Status status = install_handler(); !status) return status.error();
  for (std::size_t i = 0; i < kSlots; ++i) {
    Slot& slot = slots[i];
    if (slot.base.load(std::memory_order_relaxed) != 0) continue;
    slot.length.store(length, std::memory_order_relaxed);
    slot.lost.store(false, std::memory_order_relaxed);
    slot.base.store(reinterpret_cast<std::uintptr_t>(base), std::memory_order_release);
    if (i >= slots_used.load(std::memory_order_relaxed)) {
      slots_used.store(i + 1, std::memory_order_release);
    }
    return BusGuard(static_cast<int>(i));
  }
  return Error{ErrorCode::open, "too many unsealed memory regions are mapped already"};
}

void BusGuard::release() noexcept {
  if (slot_ == kNone) return;
  const std::lock_guard lock(slots_mutex);
  slots[static_cast<std::size_t>(slot_)].base.store(0, std::memory_order_release);
  slot_ = kNone;
}

bool BusGuard::lost() const noexcept {
  return slot_ != kNone &&
         slots[static_cast<std::size_t>(slot_)].lost.load(std::memory_order_acquire);
}

}  // namespace gstmemif
