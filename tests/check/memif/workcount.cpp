// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "workcount.hpp"

#include <dlfcn.h>
#include <glib.h>
#include <malloc.h>
#include <pthread.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>

namespace {

// Relaxed: readers have waited for the packets that the thread passed on.
std::atomic<std::uint64_t> allocations{0};
std::atomic<std::uint64_t> locks{0};
thread_local bool counted = false;

void count(std::atomic<std::uint64_t>& counter) noexcept {
  if (counted) counter.fetch_add(1, std::memory_order_relaxed);
}

/** The function of that name which ours hides. */
template <class Function>
Function* hidden(const char* name) noexcept {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

namespace workcount {

void count_this_thread() noexcept {
  counted = true;
}

Work so_far() noexcept {
  return {allocations.load(std::memory_order_relaxed), locks.load(std::memory_order_relaxed)};
}

}  // namespace workcount

#define EXPORTED extern "C" __attribute__((visibility("default")))

// ---- Memory, from the functions behind those of the C library -------------------------------

extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
}

EXPORTED void* malloc(std::size_t size) noexcept {
  count(allocations);
  return __libc_malloc(size);
}
EXPORTED void* calloc(std::size_t number, std::size_t size) noexcept {
  count(allocations);
  return __libc_calloc(number, size);
}
EXPORTED void* realloc(void* memory, std::size_t size) noexcept {
  count(allocations);
  return __libc_realloc(memory, size);
}
EXPORTED void* memalign(std::size_t alignment, std::size_t size) noexcept {
  count(allocations);
  return __libc_memalign(alignment, size);
}
EXPORTED void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  return memalign(alignment, size);
}
EXPORTED int posix_memalign(void** out, std::size_t alignment, std::size_t size) noexcept {
  *out = memalign(alignment, size);
  return *out != nullptr ? 0 : ENOMEM;
}

// ---- Locks ----------------------------------------------------------------------------------

EXPORTED int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
  static auto* const next = hidden<int(pthread_mutex_t*)>("pthread_mutex_lock");
  count(locks);
  return next(mutex);
}
EXPORTED int pthread_rwlock_rdlock(pthread_rwlock_t* lock) noexcept {
  static auto* const next = hidden<int(pthread_rwlock_t*)>("pthread_rwlock_rdlock");
  count(locks);
  return next(lock);
}
EXPORTED int pthread_rwlock_wrlock(pthread_rwlock_t* lock) noexcept {
  static auto* const next = hidden<int(pthread_rwlock_t*)>("pthread_rwlock_wrlock");
  count(locks);
  return next(lock);
}
EXPORTED void g_mutex_lock(GMutex* mutex) {
  static auto* const next = hidden<void(GMutex*)>("g_mutex_lock");
  count(locks);
  next(mutex);
}
