// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Tells ThreadSanitizer what GLib and GStreamer order.
 *
 * Both were built without it: a GMutex is a futex, and references are counted where it does not
 * look. Linked into a test program, the functions below stand before those of the same name. What a
 * library calls inside itself, GStreamer's tracing hooks tell.
 *
 * Each lock, reference, source and message orders what goes through it and nothing more: an order
 * that is not there would hide races. What stays unseen is what the libraries themselves do with
 * memory.
 */
#define GST_USE_UNSTABLE_API
#include <dlfcn.h>
#include <glib-unix.h>
#include <gst/check/gstcheck.h>
#include <gst/gst.h>
#include <sanitizer/tsan_interface.h>

namespace {

template <typename Function>
Function* next(Function*, const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

/** Counted as atomics count, which our own code reads: what it finds there orders as well. */
void* count_of(const GstMiniObject* object) {
  return const_cast<gint*>(&object->refcount);
}

/**
 * Takes a reference away as GLib does, if it is not the last; no toggle reference is looked for,
 * for there are none here. Out of ThreadSanitizer's sight: only the last one orders itself after
 * others.
 */
__attribute__((no_sanitize("thread"))) bool unref_if_shared(GObject* object) {
  auto* count = const_cast<guint*>(&object->ref_count);
  guint seen = __atomic_load_n(count, __ATOMIC_ACQUIRE);
  while (seen > 1) {
    if (__atomic_compare_exchange_n(count, &seen, seen - 1, false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE)) {
      return true;
    }
  }
  return false;
}

/** What an object holds goes with it, inside GStreamer. */
void release_contents(GstMiniObject* object) {
  if (GST_IS_SAMPLE(object)) {
    auto* sample = reinterpret_cast<GstSample*>(object);
    if (GstBuffer* buffer = gst_sample_get_buffer(sample))
      __tsan_release(count_of(&buffer->mini_object));
    if (GstBufferList* list = gst_sample_get_buffer_list(sample))
      __tsan_release(count_of(GST_MINI_OBJECT_CAST(list)));
  } else if (GST_IS_BUFFER_LIST(object)) {
    auto* list = reinterpret_cast<GstBufferList*>(object);
    for (guint i = 0; i < gst_buffer_list_length(list); ++i) {
      __tsan_release(count_of(&gst_buffer_list_get(list, i)->mini_object));
    }
  } else if (GST_IS_BUFFER(object)) {
    auto* buffer = reinterpret_cast<GstBuffer*>(object);
    for (guint i = 0; i < gst_buffer_n_memory(buffer); ++i) {
      __tsan_release(count_of(&gst_buffer_peek_memory(buffer, i)->mini_object));
    }
  }
}

void on_unreffed(GObject*, GstClockTime, GstMiniObject* object, gint left) {
  if (left == 0) {
    __tsan_acquire(count_of(object));
    release_contents(object);
  }
  // Also of the last one: a buffer goes back to its pool.
  __tsan_release(count_of(object));
}

void on_posted(GObject*, GstClockTime, GstElement*, GstMessage* message) {
  __tsan_release(message);
}

GstMessage* popped(GstMessage* message) {
  if (message != nullptr) __tsan_acquire(message);
  return message;
}

struct PoolWork {
  GFunc function;
  gpointer user_data;
};

void do_work(gpointer data, gpointer user_data) {
  __tsan_acquire(data);
  const auto* work = static_cast<PoolWork*>(user_data);
  work->function(data, work->user_data);
}

/** A callback of a source: it is called by one thread, and may be destroyed by another. */
struct Callback {
  GSourceFunc function;
  gpointer data;
  GDestroyNotify notify;
};

gboolean on_source(gpointer user_data) {
  auto* callback = static_cast<Callback*>(user_data);
  __tsan_acquire(callback);
  const gboolean again = callback->function(callback->data);
  __tsan_release(callback);
  return again;
}

gboolean on_fd(gint fd, GIOCondition condition, gpointer user_data) {
  auto* callback = static_cast<Callback*>(user_data);
  __tsan_acquire(callback);
  const auto function =
      reinterpret_cast<GUnixFDSourceFunc>(reinterpret_cast<void (*)()>(callback->function));
  const gboolean again = function(fd, condition, callback->data);
  __tsan_release(callback);
  return again;
}

void on_destroy(gpointer user_data) {
  auto* callback = static_cast<Callback*>(user_data);
  __tsan_acquire(callback);
  if (callback->notify != nullptr) callback->notify(callback->data);
  delete callback;
}

}  // namespace

#define NEXT(function) \
  static const auto original = next(static_cast<decltype(function)*>(nullptr), #function)

#pragma GCC visibility push(default)
extern "C" {

// ---- Locks ----------------------------------------------------------------------------------

void g_mutex_lock(GMutex* lock) {
  NEXT(g_mutex_lock);
  original(lock);
  __tsan_acquire(lock);
}

gboolean g_mutex_trylock(GMutex* lock) {
  NEXT(g_mutex_trylock);
  const gboolean locked = original(lock);
  if (locked) __tsan_acquire(lock);
  return locked;
}

void g_mutex_unlock(GMutex* lock) {
  NEXT(g_mutex_unlock);
  __tsan_release(lock);
  original(lock);
}

void g_cond_wait(GCond* cond, GMutex* lock) {
  NEXT(g_cond_wait);
  __tsan_release(lock);
  original(cond, lock);
  __tsan_acquire(lock);
}

gboolean g_cond_wait_until(GCond* cond, GMutex* lock, gint64 end_time) {
  NEXT(g_cond_wait_until);
  __tsan_release(lock);
  const gboolean signalled = original(cond, lock, end_time);
  __tsan_acquire(lock);
  return signalled;
}

void g_rec_mutex_lock(GRecMutex* lock) {
  NEXT(g_rec_mutex_lock);
  original(lock);
  __tsan_acquire(lock);
}

gboolean g_rec_mutex_trylock(GRecMutex* lock) {
  NEXT(g_rec_mutex_trylock);
  const gboolean locked = original(lock);
  if (locked) __tsan_acquire(lock);
  return locked;
}

void g_rec_mutex_unlock(GRecMutex* lock) {
  NEXT(g_rec_mutex_unlock);
  __tsan_release(lock);
  original(lock);
}

// ---- Threads --------------------------------------------------------------------------------

// The pools of GStreamer stay for as long as the process.
GThreadPool* g_thread_pool_new(GFunc function, gpointer user_data, gint max_threads,
                               gboolean exclusive, GError** error) {
  NEXT(g_thread_pool_new);
  return original(do_work, new PoolWork{function, user_data}, max_threads, exclusive, error);
}

gboolean g_thread_pool_push(GThreadPool* pool, gpointer data, GError** error) {
  NEXT(g_thread_pool_push);
  __tsan_release(data);
  return original(pool, data, error);
}

void g_source_set_callback(GSource* source, GSourceFunc function, gpointer data,
                           GDestroyNotify notify) {
  NEXT(g_source_set_callback);
  const bool fd = source->source_funcs == &g_unix_fd_source_funcs;
  if (!fd && source->source_funcs != &g_idle_funcs && source->source_funcs != &g_timeout_funcs) {
    original(source, function, data, notify);
    return;
  }
  auto* callback = new Callback{function, data, notify};
  __tsan_release(callback);
  original(source, fd ? G_SOURCE_FUNC(on_fd) : on_source, callback, on_destroy);
}

// ---- References -----------------------------------------------------------------------------

void(g_object_unref)(gpointer object) {
  NEXT(g_object_unref);
  void* count = const_cast<guint*>(&static_cast<GObject*>(object)->ref_count);
  __tsan_release(count);
  if (unref_if_shared(static_cast<GObject*>(object))) return;
  __tsan_acquire(count);
  original(object);
}

void gst_mini_object_unref(GstMiniObject* object) {
  NEXT(gst_mini_object_unref);
  __tsan_release(count_of(object));
  original(object);
}

gboolean gst_mini_object_replace(GstMiniObject** old, GstMiniObject* object) {
  NEXT(gst_mini_object_replace);
  if (*old != nullptr) __tsan_release(count_of(*old));
  return original(old, object);
}

// Whoever holds the only reference may write what others have read.
gboolean gst_mini_object_is_writable(const GstMiniObject* object) {
  NEXT(gst_mini_object_is_writable);
  const gboolean writable = original(object);
  if (writable) __tsan_acquire(count_of(object));
  return writable;
}

// In the steps it is documented to take: those of GStreamer's own would not be seen.
GstMiniObject* gst_mini_object_make_writable(GstMiniObject* object) {
  if (gst_mini_object_is_writable(object)) return object;
  GstMiniObject* const copy = gst_mini_object_copy(object);
  gst_mini_object_unref(object);
  return copy;
}

// A buffer comes back to its pool with its last reference.
GstFlowReturn gst_buffer_pool_acquire_buffer(GstBufferPool* pool, GstBuffer** buffer,
                                             GstBufferPoolAcquireParams* params) {
  NEXT(gst_buffer_pool_acquire_buffer);
  const GstFlowReturn result = original(pool, buffer, params);
  if (result == GST_FLOW_OK) __tsan_acquire(count_of(&(*buffer)->mini_object));
  return result;
}

// ---- Messages -------------------------------------------------------------------------------

gboolean gst_bus_post(GstBus* bus, GstMessage* message) {
  NEXT(gst_bus_post);
  __tsan_release(message);
  return original(bus, message);
}

GstMessage* gst_bus_timed_pop_filtered(GstBus* bus, GstClockTime timeout, GstMessageType types) {
  NEXT(gst_bus_timed_pop_filtered);
  return popped(original(bus, timeout, types));
}

GstMessage* gst_bus_timed_pop(GstBus* bus, GstClockTime timeout) {
  NEXT(gst_bus_timed_pop);
  return popped(original(bus, timeout));
}

GstMessage* gst_bus_pop_filtered(GstBus* bus, GstMessageType types) {
  NEXT(gst_bus_pop_filtered);
  return popped(original(bus, types));
}

GstMessage* gst_bus_pop(GstBus* bus) {
  NEXT(gst_bus_pop);
  return popped(original(bus));
}

GstMessage* gst_bus_poll(GstBus* bus, GstMessageType types, GstClockTime timeout) {
  NEXT(gst_bus_poll);
  return popped(original(bus, types, timeout));
}

// ---- Start ----------------------------------------------------------------------------------

void gst_check_init(int* argc, char** argv[]) {
  NEXT(gst_check_init);
  original(argc, argv);
  const GType type =
      g_type_register_static_simple(GST_TYPE_TRACER, "TsanTracer", sizeof(GstTracerClass), nullptr,
                                    sizeof(GstTracer), nullptr, GTypeFlags(0));
  auto* tracer = static_cast<GstTracer*>(g_object_new(type, nullptr));
  gst_tracing_register_hook(tracer, "mini-object-unreffed", G_CALLBACK(on_unreffed));
  gst_tracing_register_hook(tracer, "element-post-message-pre", G_CALLBACK(on_posted));
}

}  // extern "C"
#pragma GCC visibility pop
