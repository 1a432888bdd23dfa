// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/memif/gstmemifpool.hpp"

#include <algorithm>
#include <utility>

#include "gst/packet/batch.hpp"
#include "plugins/memif/debug.hpp"
#include "plugins/memif/gstmemifarena.hpp"
#include "plugins/memif/gstmemifslotmemory.hpp"

using gstmemif::Loan;

namespace {

// Single buffers are taken out of loans of so many: one lock for all of them.
constexpr std::uint32_t kSinglesPerLoan = 32;
// Where borrowed buffers begin is a multiple of this.
constexpr gsize kAlignment = 64;
// Ordinary memory of a batch: no larger than a core's own cache.
constexpr gsize kMaxPlainArena = gsize{256} << 10;

/** The loan of a memory of either kind, or null. */
Loan* loan_of(GstMemory* memory) {
  Loan* loan = gst_memif_slot_memory_loan(memory);
  return loan != nullptr ? loan : gst_memif_arena_loan(memory);
}

// Of an acquire: only a buffer that rests in the pool, as it is.
constexpr auto kOnlyResting = GST_BUFFER_POOL_ACQUIRE_FLAG_LAST;

bool only_resting(const GstBufferPoolAcquireParams* params) {
  return params != nullptr && (params->flags & kOnlyResting) != 0;
}

bool of_present_link(GstMemory* memory) {
  const Loan* loan = loan_of(memory);
  return loan != nullptr && loan->link_up();
}

/** The part of a pool that is not GstBufferPool. */
class MemifPool {
 public:
  MemifPool(std::shared_ptr<LinkProvider> source, std::uint32_t queue, std::uint32_t buffer_size)
      : source_(std::move(source)), queue_(queue), buffer_size_(buffer_size) {}

  /** While the pool is inactive. False if it cannot provide batches of such packets. */
  bool configure(GstStructure* config);
  /** A new buffer in the state of pooled buffers. Null without memory. */
  GstBuffer* make();
  /** Makes a buffer that comes out of the pool ready for use, with up to so many places. */
  void prepare(GstBuffer* buffer, guint places);
  /** Returns buffers that are borrowed but unused. */
  void drain() {
    const std::lock_guard lock(mutex_);
    singles_.reset();
  }
  /** The same if their link is gone. */
  void drain_old() {
    const std::lock_guard lock(mutex_);
    if (singles_ && !singles_->link_up()) singles_.reset();
  }

 private:
  GstMemory* borrow();
  GstMemory* borrow_batch();
  GstMemory* borrow_single();
  GstMemory* plain() const;
  guint32 plain_stride() const {
    return static_cast<guint32>((size_ + kAlignment - 1) & ~(kAlignment - 1));
  }
  guint plain_packets() const {
    return static_cast<guint>(
        std::clamp<gsize>(kMaxPlainArena / plain_stride(), 1, GST_PACKET_BATCH_MAX));
  }
  void write_descriptors(GstBuffer* batch, GstMemory* arena, guint places) const;

  const std::shared_ptr<LinkProvider> source_;
  const std::uint32_t queue_;
  const std::uint32_t buffer_size_;

  // The configuration.
  bool batches_ = false;
  bool may_borrow_ = false;
  guint size_ = 0;  // of a packet
  GstAllocationParams params_{};

  std::mutex mutex_;  // guards what follows
  SharedLoan singles_;
  std::uint32_t next_single_ = 0;
};

bool MemifPool::configure(GstStructure* config) {
  GstAllocationParams params;
  guint size = 0;
  gst_allocation_params_init(&params);
  gst_buffer_pool_config_get_params(config, nullptr, &size, nullptr, nullptr);
  gst_buffer_pool_config_get_allocator(config, nullptr, &params);
  const bool batches =
      gst_buffer_pool_config_has_option(config, GST_BUFFER_POOL_OPTION_PACKET_BATCH) != FALSE;
  if (batches && (size == 0 || size > buffer_size_)) return false;
  drain();
  batches_ = batches;
  size_ = size;
  params_ = params;
  // Requests larger than a link buffer fall back to system memory.
  may_borrow_ = size <= buffer_size_ && params.prefix == 0 && params.padding == 0 &&
                params.align < kAlignment;
  return true;
}

GstMemory* MemifPool::borrow() {
  if (!may_borrow_) return nullptr;
  return batches_ ? borrow_batch() : borrow_single();
}

GstMemory* MemifPool::borrow_batch() {
  // Settings may have changed since: smaller buffers do not fit the configuration.
  Loan* loan = source_->borrow(queue_, GST_PACKET_BATCH_MAX, buffer_size_);
  return loan != nullptr ? gst_memif_arena_new(loan) : nullptr;
}

GstMemory* MemifPool::borrow_single() {
  const std::lock_guard lock(mutex_);
  if (!singles_ || next_single_ == singles_->count || !singles_->link_up()) {
    singles_ = share_loan(source_->borrow(queue_, kSinglesPerLoan, buffer_size_));
    next_single_ = 0;
    if (!singles_) return nullptr;
  }
  GstMemory* memory = gst_memif_slot_memory_new(singles_, next_single_++);
  // The last buffer holds the loan, which is returned with it.
  if (next_single_ == singles_->count) singles_.reset();
  return memory;
}

GstMemory* MemifPool::plain() const {
  if (!batches_)
    return gst_allocator_alloc(nullptr, size_, const_cast<GstAllocationParams*>(&params_));
  const gsize size = gsize{plain_stride()} * plain_packets();
  return gst_allocator_alloc(gst_packet_arena_allocator(), size, nullptr);
}

GstBuffer* MemifPool::make() {
  GstMemory* memory = borrow();
  if (memory == nullptr) memory = plain();
  if (memory == nullptr) return nullptr;
  // The base class keeps buffers of the configured size only, also where the memory is an arena.
  gst_memory_resize(memory, 0, size_);
  GstBuffer* buffer = gst_buffer_new();
  gst_buffer_append_memory(buffer, memory);
  if (batches_) gst_buffer_add_packet_batch_meta(buffer);
  return buffer;
}

void MemifPool::prepare(GstBuffer* buffer, guint places) {
  GstMemory* memory = gst_buffer_peek_memory(buffer, 0);
  if (loan_of(memory) != nullptr && !of_present_link(memory)) {
    GstMemory* other = borrow();
    if (other == nullptr) other = plain();
    if (other != nullptr) {
      gst_memory_resize(other, 0, size_);
      gst_buffer_replace_all_memory(buffer, other);
      GST_BUFFER_FLAG_UNSET(buffer, GST_BUFFER_FLAG_TAG_MEMORY);
      memory = other;
    }
  }
  if (batches_) write_descriptors(buffer, memory, places);
}

/** Each packet has all of its room; the token of a borrowed one is its place in the loan. */
void MemifPool::write_descriptors(GstBuffer* batch, GstMemory* arena, guint places) const {
  GstPacketBatchMeta& meta = *gst_buffer_get_packet_batch_meta(batch);
  if (const Loan* loan = gst_memif_arena_loan(arena)) {
    const auto size = static_cast<guint32>(loan->buffer_size);
    meta.n = std::min<guint>(loan->count, places);
    for (guint i = 0; i < meta.n; ++i) meta.packets[i] = {loan->buffers[i].offset, size, 0, i};
    gstpacket::set_packet_bytes(arena, std::uint64_t{size} * meta.n);
    return;
  }
  const guint32 stride = plain_stride();
  meta.n = std::min(plain_packets(), places);
  for (guint i = 0; i < meta.n; ++i) meta.packets[i] = {i * stride, stride, 0, i};
  gstpacket::set_packet_bytes(arena, std::uint64_t{stride} * meta.n);
}

/** How many places are asked for: all, or with `format` buffers as many as `stop` says. */
guint places_for(const GstBufferPoolAcquireParams* params) {
  if (params == nullptr || params->format != GST_FORMAT_BUFFERS) return GST_PACKET_BATCH_MAX;
  return static_cast<guint>(std::clamp<gint64>(params->stop, 1, GST_PACKET_BATCH_MAX));
}

// ---- GstBufferPool --------------------------------------------------------------------------

struct GstMemifPool {
  GstBufferPool parent;
  MemifPool* pool;
};
struct GstMemifPoolClass {
  GstBufferPoolClass parent_class;
};

MemifPool& pool_of(gpointer instance) {
  return *static_cast<GstMemifPool*>(instance)->pool;
}

}  // namespace

GType gst_memif_pool_get_type(void);
G_DEFINE_TYPE(GstMemifPool, gst_memif_pool, GST_TYPE_BUFFER_POOL)

namespace {

GstBufferPoolClass* base() {
  return GST_BUFFER_POOL_CLASS(gst_memif_pool_parent_class);
}

const gchar** gst_memif_pool_get_options(GstBufferPool*) {
  static const gchar* options[] = {GST_BUFFER_POOL_OPTION_PACKET_BATCH, nullptr};
  return options;
}

gboolean gst_memif_pool_set_config(GstBufferPool* pool, GstStructure* config) noexcept {
  if (!pool_of(pool).configure(config)) {
    GST_DEBUG_OBJECT(pool, "refused the configuration %" GST_PTR_FORMAT, config);
    return FALSE;
  }
  GST_DEBUG_OBJECT(pool, "configured with %" GST_PTR_FORMAT, config);
  return base()->set_config(pool, config);
}

GstFlowReturn gst_memif_pool_alloc_buffer(GstBufferPool* pool, GstBuffer** out,
                                          GstBufferPoolAcquireParams* params) noexcept {
  if (only_resting(params)) return GST_FLOW_EOS;
  *out = pool_of(pool).make();
  return *out != nullptr ? GST_FLOW_OK : GST_FLOW_ERROR;
}

GstFlowReturn gst_memif_pool_acquire_buffer(GstBufferPool* pool, GstBuffer** out,
                                            GstBufferPoolAcquireParams* params) noexcept {
  const GstFlowReturn result = base()->acquire_buffer(pool, out, params);
  if (result == GST_FLOW_OK && !only_resting(params)) {
    pool_of(pool).prepare(*out, places_for(params));
  }
  return result;
}

/**
 * Only exclusive memory of the present link is recycled. A buffer of system memory would circulate,
 * and its packets be copied, although better memory is available.
 */
void gst_memif_pool_reset_buffer(GstBufferPool* pool, GstBuffer* buffer) noexcept {
  const bool whole = gst_buffer_n_memory(buffer) == 1;
  GstMemory* memory = whole ? gst_buffer_peek_memory(buffer, 0) : nullptr;
  if (!whole || GST_MINI_OBJECT_REFCOUNT_VALUE(memory) != 1 || !of_present_link(memory)) {
    GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_TAG_MEMORY);
  }
  base()->reset_buffer(pool, buffer);
}

gboolean gst_memif_pool_stop(GstBufferPool* pool) noexcept {
  const gboolean stopped = base()->stop(pool);
  pool_of(pool).drain();
  return stopped;
}

void gst_memif_pool_finalize(GObject* object) {
  delete reinterpret_cast<GstMemifPool*>(object)->pool;
  G_OBJECT_CLASS(gst_memif_pool_parent_class)->finalize(object);
}

}  // namespace

static void gst_memif_pool_class_init(GstMemifPoolClass* klass) {
  G_OBJECT_CLASS(klass)->finalize = gst_memif_pool_finalize;
  GstBufferPoolClass* pool_class = GST_BUFFER_POOL_CLASS(klass);
  pool_class->get_options = gst_memif_pool_get_options;
  pool_class->set_config = gst_memif_pool_set_config;
  pool_class->alloc_buffer = gst_memif_pool_alloc_buffer;
  pool_class->acquire_buffer = gst_memif_pool_acquire_buffer;
  pool_class->reset_buffer = gst_memif_pool_reset_buffer;
  pool_class->stop = gst_memif_pool_stop;
}

static void gst_memif_pool_init(GstMemifPool*) {}

namespace {

/** Frees the buffers that rest in @p pool and belong to a link that is gone. */
void free_old_buffers(GstBufferPool* pool) {
  GstBufferPoolAcquireParams params{};
  params.flags =
      static_cast<GstBufferPoolAcquireFlags>(GST_BUFFER_POOL_ACQUIRE_FLAG_DONTWAIT | kOnlyResting);
  GstBuffer* buffer = nullptr;
  // In the order in which they came back: none of a later link is before one of an earlier link.
  while (gst_buffer_pool_acquire_buffer(pool, &buffer, &params) == GST_FLOW_OK) {
    const bool present = of_present_link(gst_buffer_peek_memory(buffer, 0));
    gst_buffer_unref(buffer);  // freed as it comes back, if it is old
    if (present) break;
  }
}

}  // namespace

class LinkProvider::WeakPool {
 public:
  explicit WeakPool(GstBufferPool* pool) { g_weak_ref_init(&pool_, pool); }
  ~WeakPool() { g_weak_ref_clear(&pool_); }
  WeakPool(const WeakPool&) = delete;

  /** Null if it is gone; transfer full. */
  GstBufferPool* get() { return static_cast<GstBufferPool*>(g_weak_ref_get(&pool_)); }
  bool gone() {
    GstBufferPool* pool = get();
    if (pool != nullptr) gst_object_unref(pool);
    return pool == nullptr;
  }

 private:
  GWeakRef pool_;
};

void LinkProvider::add(GstBufferPool* pool) {
  const std::lock_guard lock(mutex_);
  std::erase_if(pools_, [](const auto& weak) { return weak->gone(); });
  pools_.push_back(std::make_shared<WeakPool>(pool));
}

void LinkProvider::return_old() const {
  std::vector<std::shared_ptr<WeakPool>> pools;
  {
    const std::lock_guard lock(mutex_);
    pools = pools_;
  }
  // Without the lock, since a pool may borrow.
  for (const auto& weak : pools) {
    GstBufferPool* pool = weak->get();
    if (pool == nullptr) continue;
    pool_of(pool).drain_old();
    free_old_buffers(pool);
    gst_object_unref(pool);
  }
}

GstBufferPool* gst_memif_pool_new(const std::shared_ptr<LinkProvider>& source, std::uint32_t queue,
                                  std::uint32_t buffer_size, std::uint32_t size, GstCaps* caps) {
  auto* made = static_cast<GstMemifPool*>(g_object_new(gst_memif_pool_get_type(), nullptr));
  gst_object_ref_sink(made);
  GstBufferPool* pool = &made->parent;
  made->pool = new MemifPool(source, queue, buffer_size);
  source->add(pool);
  GstStructure* config = gst_buffer_pool_get_config(pool);
  gst_buffer_pool_config_set_params(config, caps, size, 0, 0);
  gst_buffer_pool_set_config(pool, config);
  return pool;
}
