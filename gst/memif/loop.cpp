// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/memif/loop.hpp"

#include <glib-unix.h>
#include <pthread.h>

#include <algorithm>
#include <thread>
#include <utility>
#include <vector>

namespace gstmemif {
namespace {

std::mutex control_mutex;
// Guarded by control_mutex. Like all our globals never destroyed: the control thread, if its last
// user went in one of its own callbacks, may still run when the process ends.
auto& deferred = *new std::vector<std::function<void()>>();
thread_local int control_depth = 0;  // how often this thread holds it

struct ContextDeleter {
  void operator()(GMainContext* context) const noexcept { g_main_context_unref(context); }
};
struct MainLoopDeleter {
  void operator()(GMainLoop* loop) const noexcept { g_main_loop_unref(loop); }
};
using ContextRef = std::unique_ptr<GMainContext, ContextDeleter>;
using MainLoopRef = std::unique_ptr<GMainLoop, MainLoopDeleter>;

/** Links a GSource to its loop, which may be gone when the source fires. */
struct Target {
  std::weak_ptr<Loop> loop;
  int fd;
};

gboolean on_fd_ready(gint fd, GIOCondition, gpointer user_data) {
  if (auto loop = static_cast<Target*>(user_data)->loop.lock()) loop->dispatch(fd);
  return G_SOURCE_CONTINUE;
}

class ContextLoop : public Loop {
 public:
  explicit ContextLoop(GMainContext* context) : context_(g_main_context_ref(context)) {}
  ~ContextLoop() override {
    for (auto& [fd, source] : sources_) destroy(source);
  }

 protected:
  void add(int fd) override {
    constexpr auto kConditions = static_cast<GIOCondition>(G_IO_IN | G_IO_HUP | G_IO_ERR);
    GSource* source = g_unix_fd_source_new(fd, kConditions);
    g_source_set_callback(source, G_SOURCE_FUNC(on_fd_ready), new Target{weak_from_this(), fd},
                          [](gpointer data) { delete static_cast<Target*>(data); });
    g_source_set_name(source, "memif");
    g_source_attach(source, context_.get());
    sources_[fd] = source;
  }
  void remove(int fd) override {
    const auto entry = sources_.find(fd);
    if (entry == sources_.end()) return;
    destroy(entry->second);
    sources_.erase(entry);
  }

 private:
  static void destroy(GSource* source) {
    g_source_destroy(source);
    g_source_unref(source);
  }

  ContextRef context_;
  std::map<int, GSource*> sources_;
};

/** A context that the library iterates itself, on one thread for all interfaces. */
class ThreadLoop : public ContextLoop {
 public:
  explicit ThreadLoop(ContextRef context)
      : ContextLoop(context.get()), main_loop_(g_main_loop_new(context.get(), FALSE)) {
    // The thread holds its own reference: it may outlive this object by a moment.
    GMainLoop* loop = g_main_loop_ref(main_loop_.get());
    thread_ = std::thread([loop, context = std::move(context)] {
      pthread_setname_np(pthread_self(), "memif-control");
      g_main_context_push_thread_default(context.get());
      g_main_loop_run(loop);
      g_main_context_pop_thread_default(context.get());
      g_main_loop_unref(loop);
    });
  }
  ~ThreadLoop() override {
    quit_when_running();
    // The last user may be dropped in a callback of this very thread, which cannot join itself.
    if (thread_.get_id() == std::this_thread::get_id()) {
      thread_.detach();
    } else {
      thread_.join();
    }
  }

 private:
  void quit_when_running() {
    // g_main_loop_quit() before g_main_loop_run() would be forgotten, so the quit is queued.
    GSource* source = g_idle_source_new();
    g_source_set_priority(source, G_PRIORITY_HIGH);
    g_source_set_callback(
        source,
        [](gpointer data) -> gboolean {
          g_main_loop_quit(static_cast<GMainLoop*>(data));
          return G_SOURCE_REMOVE;
        },
        g_main_loop_ref(main_loop_.get()),
        [](gpointer data) { g_main_loop_unref(static_cast<GMainLoop*>(data)); });
    g_source_attach(source, g_main_loop_get_context(main_loop_.get()));
    g_source_unref(source);
  }

  MainLoopRef main_loop_;
  std::thread thread_;
};

class PollerLoop : public Loop {
 public:
  explicit PollerLoop(FdUpdate update) : update_(std::move(update)) {}

 protected:
  void add(int fd) override { update_(fd, true); }
  void remove(int fd) override { update_(fd, false); }

 private:
  FdUpdate update_;
};

}  // namespace

ControlLock::ControlLock() {
  if (control_depth++ == 0) control_mutex.lock();
}

ControlLock::~ControlLock() {
  if (--control_depth != 0) return;
  const auto calls = std::exchange(deferred, {});
  control_mutex.unlock();
  for (const auto& call : calls) call();
}

void ControlLock::defer(std::function<void()> call) {
  deferred.push_back(std::move(call));
}

std::shared_ptr<Loop> Loop::own_thread() {
  static std::mutex mutex;
  static auto& current = *new std::weak_ptr<Loop>();
  const std::lock_guard lock(mutex);
  if (auto loop = current.lock()) return loop;
  auto loop = std::make_shared<ThreadLoop>(ContextRef(g_main_context_new()));
  current = loop;
  return loop;
}

std::shared_ptr<Loop> Loop::for_context(GMainContext* context) {
  static std::mutex mutex;
  static auto& loops = *new std::map<GMainContext*, std::weak_ptr<Loop>>();
  const std::lock_guard lock(mutex);
  std::erase_if(loops, [](const auto& entry) { return entry.second.expired(); });
  std::weak_ptr<Loop>& current = loops[context];
  if (auto loop = current.lock()) return loop;
  auto loop = std::make_shared<ContextLoop>(context);
  current = loop;
  return loop;
}

std::shared_ptr<Loop> Loop::for_poller(FdUpdate update) {
  return std::make_shared<PollerLoop>(std::move(update));
}

Watch Loop::watch(int fd, Handler handler) {
  const std::lock_guard lock(mutex_);
  handlers_[fd] = std::make_shared<Handler>(std::move(handler));
  add(fd);
  return Watch(shared_from_this(), fd);
}

void Loop::unwatch(int fd) {
  const std::lock_guard lock(mutex_);
  remove(fd);
  handlers_.erase(fd);
}

void Loop::dispatch(int fd) {
  std::shared_ptr<Handler> handler;  // kept: the call may remove its own watch
  {
    const std::lock_guard lock(mutex_);
    const auto entry = handlers_.find(fd);
    if (entry == handlers_.end()) return;
    handler = entry->second;
  }
  (*handler)();
}

Watch& Watch::operator=(Watch&& other) noexcept {
  if (this != &other) {
    reset();
    loop_ = std::move(other.loop_);
    fd_ = other.fd_;
  }
  return *this;
}

void Watch::reset() noexcept {
  if (auto loop = std::exchange(loop_, nullptr)) loop->unwatch(fd_);
}

}  // namespace gstmemif
