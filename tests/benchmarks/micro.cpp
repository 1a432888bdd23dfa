// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Micro-benchmarks: the parts that every packet passes.
 */
#include <benchmark/benchmark.h>
#include <gst/gst.h>

#include <array>
#include <numeric>
#include <vector>

#include "frames.hpp"
#include "gst/memif/data/ring.hpp"
#include "gst/packet/batch.hpp"
#include "gst/packet/headers/checksum.hpp"
#include "gst/packet/headers/ethernet.hpp"
#include "gst/packet/headers/icmp.hpp"
#include "gst/packet/headers/ipv4.hpp"

namespace {

using namespace gstpacket;

void checksum_of(benchmark::State& state) {
  std::vector<std::byte> data(static_cast<std::size_t>(state.range(0)), std::byte{0x5a});
  for (auto _ : state) {
    benchmark::DoNotOptimize(data.data());
    benchmark::DoNotOptimize(checksum(std::span<const std::byte>(data)));
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(checksum_of)->Arg(20)->Arg(30)->Arg(64)->Arg(576)->Arg(1466)->Arg(8966);

void copy_and_sum_of(benchmark::State& state) {
  const std::vector<std::byte> from(static_cast<std::size_t>(state.range(0)), std::byte{0x5a});
  std::vector<std::byte> to(from.size());
  for (auto _ : state) {
    benchmark::DoNotOptimize(to.data());
    benchmark::DoNotOptimize(copy_and_sum(to, from));
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(copy_and_sum_of)->Arg(64)->Arg(1400)->Arg(8966);

std::vector<std::byte> echo_request(std::size_t size) {
  const bench::Frames frames(bench::Task::echo, size);
  return {frames.at(0).begin(), frames.at(0).end()};
}

void views(benchmark::State& state) {
  auto frame = echo_request(64);
  for (auto _ : state) {
    benchmark::DoNotOptimize(frame.data());
    const auto ethernet = EthernetView::at(std::span(frame));
    const auto ip = Ipv4View::at(std::span(frame), EthernetView::kSize);
    const auto icmp = ip ? IcmpView::at(ip->payload()) : std::nullopt;
    benchmark::DoNotOptimize(ethernet->type() + (icmp ? icmp->type() : 0));
  }
}
BENCHMARK(views);

void views_and_checksums(benchmark::State& state) {
  auto frame = echo_request(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    benchmark::DoNotOptimize(frame.data());
    const auto ip = Ipv4View::at(std::span(frame), EthernetView::kSize);
    const auto icmp = IcmpView::at(ip->payload());
    benchmark::DoNotOptimize(ip->checksum_valid() && icmp->checksum_valid());
  }
}
BENCHMARK(views_and_checksums)->Arg(64)->Arg(1500);

void ring_slot(benchmark::State& state) {
  const gstmemif::RingLayout layout{64, 1024};
  alignas(64) static std::array<std::byte, 256 + 16 * 1024> memory;
  gstmemif::Ring ring(memory.data(), layout);
  std::uint16_t index = 0;
  for (auto _ : state) {
    ring.write(index, {0, 1, 64, index * 2048U, 0});
    benchmark::DoNotOptimize(ring.read(index));
    ring.store_head(++index);
  }
}
BENCHMARK(ring_slot);

void ring_burst(benchmark::State& state) {
  const gstmemif::RingLayout layout{64, 1024};
  alignas(64) static std::array<std::byte, 256 + 16 * 1024> memory;
  gstmemif::Ring ring(memory.data(), layout);
  const auto burst = static_cast<std::uint16_t>(state.range(0));
  std::uint16_t index = 0;
  for (auto _ : state) {
    for (std::uint16_t i = 0; i < burst; ++i, ++index) {
      ring.write(index, {0, 1, 64, index * 2048U, 0});
    }
    ring.store_head(index);
  }
  state.SetItemsProcessed(state.iterations() * burst);
}
BENCHMARK(ring_burst)->Arg(1)->Arg(32)->Arg(256);

void batch_life(benchmark::State& state) {
  const auto n = static_cast<guint>(state.range(0));
  for (auto _ : state) {
    GstBuffer* buffer = gst_packet_batch_new(std::size_t{n} * 64);
    GstPacketBatchMeta* meta = gst_buffer_get_packet_batch_meta(buffer);
    for (guint i = 0; i < n; ++i) meta->packets[i] = {i * 64, 64, 0, 0};
    meta->n = n;
    gst_buffer_unref(buffer);
  }
  state.SetItemsProcessed(state.iterations() * n);
}
BENCHMARK(batch_life)->Arg(1)->Arg(32)->Arg(256);

}  // namespace

int main(int argc, char** argv) {
  gst_init(nullptr, nullptr);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
