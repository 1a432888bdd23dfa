// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "gst/packet/headers/checksum.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <random>

#include "gst/packet/headers/sum_variants.hpp"
#include "naive.hpp"

// Behind the standard library: it defines a macro fail().
#include <gst/check/gstcheck.h>

using gstpacket::Checksum;
using naive::Bytes;

namespace {

std::span<const std::byte> view(const Bytes& bytes) {
  return std::as_bytes(std::span(bytes));
}

Bytes random_bytes(std::mt19937& random, std::size_t size) {
  Bytes out(size);
  for (auto& b : out) b = static_cast<std::uint8_t>(random());
  return out;
}

}  // namespace

GST_START_TEST(test_known_vectors) {
  // The example of RFC 1071 section 3: the sum is ddf2.
  const Bytes rfc1071{0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
  fail_unless_equals_int(gstpacket::checksum(view(rfc1071)), 0xffff - 0xddf2);
  // An IPv4 header with its checksum, and without.
  Bytes header{0x45, 0x00, 0x00, 0x54, 0x00, 0x00, 0x40, 0x00, 0x40, 0x01,
               0xb7, 0x55, 0xc0, 0xa8, 0x01, 0x02, 0xc0, 0xa8, 0x01, 0x01};
  fail_unless(gstpacket::checksum_valid(view(header)));
  header[10] = header[11] = 0;
  fail_unless_equals_int(gstpacket::checksum(view(header)), 0xb755);
  fail_unless_equals_int(gstpacket::checksum({}), 0xffff);
  fail_if(gstpacket::checksum_valid({}));
}
GST_END_TEST

GST_START_TEST(test_every_length_against_naive) {
  std::mt19937 random(1);
  for (std::size_t size = 0; size < 2100; ++size) {
    const Bytes bytes = random_bytes(random, size);
    fail_unless_equals_int(gstpacket::checksum(view(bytes)), naive::checksum(bytes));
  }
  for (std::size_t size : {9000U, 65535U, 1U << 20}) {
    const Bytes ones(size, 0xff);
    fail_unless_equals_int(gstpacket::checksum(view(ones)), naive::checksum(ones));
  }
}
GST_END_TEST

GST_START_TEST(test_every_alignment) {
  std::mt19937 random(2);
  const Bytes bytes = random_bytes(random, 400);
  for (std::size_t from = 0; from < 16; ++from) {
    for (std::size_t size = 0; size < 300; size += 7) {
      const auto part = std::span(bytes).subspan(from, size);
      fail_unless_equals_int(gstpacket::checksum(std::as_bytes(part)), naive::checksum(part));
    }
  }
}
GST_END_TEST

GST_START_TEST(test_fragments) {
  std::mt19937 random(3);
  for (int round = 0; round < 20000; ++round) {
    const Bytes bytes = random_bytes(random, random() % 300);
    Checksum sum;
    std::size_t at = 0;
    while (at < bytes.size()) {
      const std::size_t size = std::min<std::size_t>(random() % 80, bytes.size() - at);
      sum.add(view(bytes).subspan(at, size));
      at += size;
    }
    sum.add({});
    fail_unless_equals_int(sum.value(), naive::checksum(bytes));
  }
}
GST_END_TEST

GST_START_TEST(test_copies_every_length_and_alignment) {
  std::mt19937 random(5);
  const Bytes bytes = random_bytes(random, 400);
  for (std::size_t from = 0; from < 16; ++from) {
    for (std::size_t to = 0; to < 16; ++to) {
      for (std::size_t size = 0; size < 300; size += size < 20 ? 1 : 7) {
        const auto part = std::span(bytes).subspan(from, size);
        Bytes out(to + size + 32, 0xaa);
        const std::uint64_t sum = gstpacket::copy_and_sum(
            std::as_writable_bytes(std::span(out)).subspan(to), std::as_bytes(part));
        fail_unless_equals_int(Checksum().add_sum(sum).value(), naive::checksum(part));
        fail_unless(std::ranges::equal(part, std::span(out).subspan(to, size)));
        // Nothing around it.
        out.erase(out.begin() + static_cast<std::ptrdiff_t>(to),
                  out.begin() + static_cast<std::ptrdiff_t>(to + size));
        fail_unless(std::ranges::all_of(out, [](std::uint8_t b) { return b == 0xaa; }));
      }
    }
  }
  for (std::size_t size = 0; size < 2100; ++size) {
    const Bytes source = random_bytes(random, size);
    Bytes copy(size);
    const std::uint64_t sum =
        gstpacket::copy_and_sum(std::as_writable_bytes(std::span(copy)), view(source));
    fail_unless(copy == source);
    fail_unless_equals_int(Checksum().add_sum(sum).value(), naive::checksum(source));
  }
}
GST_END_TEST

GST_START_TEST(test_copies_fragments) {
  std::mt19937 random(6);
  for (int round = 0; round < 5000; ++round) {
    const Bytes bytes = random_bytes(random, random() % 700);
    Bytes copy(bytes.size());
    Checksum sum;
    std::size_t at = 0;
    while (at < bytes.size()) {
      const std::size_t size = std::min<std::size_t>(random() % 180, bytes.size() - at);
      sum.add_copy(std::as_writable_bytes(std::span(copy)).subspan(at),
                   view(bytes).subspan(at, size));
      at += size;
    }
    sum.add_copy({}, {});
    fail_unless_equals_int(sum.value(), naive::checksum(bytes));
    fail_unless(copy == bytes);
  }
}
GST_END_TEST

// What the processor does not choose for itself, too.

namespace {

/** Both routines of a variant for one place and length; false tells where. */
bool right(const gstpacket::detail::SumVariant& variant, std::span<const std::uint8_t> part,
           std::size_t to) {
  constexpr std::uint8_t kAround = 0xaa;
  const std::uint16_t expected = naive::checksum(part);
  const auto* from = std::as_bytes(part).data();
  const std::uint64_t sum = variant.sum(from, part.size());
  Bytes out(to + part.size() + 70, kAround);
  auto* place = std::as_writable_bytes(std::span(out)).data() + to;
  const std::uint64_t copy_sum = variant.copy_sum(place, from, part.size());
  const auto around = [](std::uint8_t b) { return b == kAround; };
  const auto copied = std::span(out).subspan(to, part.size());
  const bool ok = Checksum().add_sum(sum).value() == expected &&
                  Checksum().add_sum(copy_sum).value() == expected &&
                  std::ranges::equal(part, copied) &&
                  std::ranges::all_of(std::span(out).first(to), around) &&
                  std::ranges::all_of(std::span(out).subspan(to + part.size()), around);
  if (!ok) {
    GST_ERROR("%s: wrong for %zu bytes, to offset %zu", variant.name, part.size(), to);
  }
  return ok;
}

std::span<const gstpacket::detail::SumVariant> variants() {
  return gstpacket::detail::sum_variants();
}

}  // namespace

GST_START_TEST(test_variants_every_length) {
  std::mt19937 random(7);
  const Bytes bytes = random_bytes(random, 2200 + 64);
  fail_unless_equals_string(variants().front().name, "portable");
  for (const auto& variant : variants()) {
    for (std::size_t size = 0; size < 2200; ++size) {
      fail_unless(right(variant, std::span(bytes).subspan(size % 64, size), size % 61));
    }
  }
}
GST_END_TEST

GST_START_TEST(test_variants_every_alignment) {
  std::mt19937 random(8);
  const Bytes bytes = random_bytes(random, 500);
  for (const auto& variant : variants()) {
    for (std::size_t from = 0; from < 64; ++from) {
      for (std::size_t to = 0; to < 64; to += from % 8 == 0 ? 1 : 9) {
        for (const std::size_t size : {0U, 1U, 31U, 65U, 130U, 259U, 385U}) {
          fail_unless(right(variant, std::span(bytes).subspan(from, size), to));
        }
      }
    }
  }
}
GST_END_TEST

GST_START_TEST(test_variants_largest_sums) {
  for (const auto& variant : variants()) {
    for (const std::uint8_t value : std::to_array<std::uint8_t>({0x00, 0x7f, 0x80, 0xff})) {
      for (const std::size_t size : {2047U, 65535U, 65536U, 65599U, 131073U, 1U << 20}) {
        fail_unless(right(variant, Bytes(size, value), 0));
      }
    }
  }
}
GST_END_TEST

GST_START_TEST(test_incremental_equals_recomputed) {
  std::mt19937 random(4);
  for (int round = 0; round < 100000; ++round) {
    Bytes bytes = random_bytes(random, 40);
    if (round % 3 == 0) std::fill(bytes.begin() + 2, bytes.end(), std::uint8_t(0));
    const std::uint16_t old = naive::checksum(bytes);
    const std::size_t at = (random() % 19) * 2;
    const auto before = gstpacket::load_be<std::uint32_t>(view(bytes), at & ~std::size_t{3});
    const auto word = gstpacket::load_be<std::uint16_t>(view(bytes), at);
    const auto to = static_cast<std::uint16_t>(round % 5 == 0 ? 0xffff : random());
    gstpacket::store_be<std::uint16_t>(std::as_writable_bytes(std::span(bytes)), at, to);
    const std::uint16_t expected = naive::checksum(bytes);
    if (expected == 0xffff) continue;  // all zero: there is no packet like that
    fail_unless_equals_int(gstpacket::updated_checksum(old, word, to), expected);
    const auto after = gstpacket::load_be<std::uint32_t>(view(bytes), at & ~std::size_t{3});
    fail_unless_equals_int(gstpacket::updated_checksum32(old, before, after), expected);
  }
}
GST_END_TEST

GST_START_TEST(test_incremental_keeps_damage) {
  Bytes bytes{8, 0, 0, 0, 1, 2, 3, 4};
  const std::uint16_t wrong = naive::checksum(bytes) ^ 0x0100;
  const std::uint16_t updated = gstpacket::updated_checksum(wrong, 0x0800, 0);
  bytes[0] = 0;
  fail_if(updated == naive::checksum(bytes));
}
GST_END_TEST

GST_START_TEST(test_pseudo_headers) {
  // A UDP datagram over IPv4 and over IPv6, against sums written out by hand.
  const Bytes udp{0x12, 0x34, 0x00, 0x35, 0x00, 0x0b, 0x00, 0x00, 'a', 'b', 'c'};
  Bytes v4{192, 168, 1, 2, 192, 168, 1, 1, 0, 17, 0, 11};
  std::ranges::copy(udp, std::back_inserter(v4));
  fail_unless_equals_int(Checksum()
                             .add_pseudo(gstpacket::Ipv4Address{0xc0a80102},
                                         gstpacket::Ipv4Address{0xc0a80101}, 17, 11)
                             .add(view(udp))
                             .value(),
                         naive::checksum(v4));
  Bytes addresses(32);
  for (std::size_t i = 0; i < 32; ++i) addresses[i] = static_cast<std::uint8_t>(i * 37);
  const auto source = gstpacket::Ipv6Address::load(view(addresses));
  const auto destination = gstpacket::Ipv6Address::load(view(addresses).subspan(16));
  fail_unless_equals_int(Checksum().add_pseudo(source, destination, 17, 11).add(view(udp)).value(),
                         naive::checksum(naive::with_pseudo(addresses, 17, udp)));
}
GST_END_TEST

static Suite* checksum_suite() {
  Suite* s = suite_create("checksum");
  TCase* tc = tcase_create("general");
  suite_add_tcase(s, tc);
  tcase_add_test(tc, test_known_vectors);
  tcase_add_test(tc, test_every_length_against_naive);
  tcase_add_test(tc, test_every_alignment);
  tcase_add_test(tc, test_fragments);
  tcase_add_test(tc, test_copies_every_length_and_alignment);
  tcase_add_test(tc, test_copies_fragments);
  tcase_add_test(tc, test_variants_every_length);
  tcase_add_test(tc, test_variants_every_alignment);
  tcase_add_test(tc, test_variants_largest_sums);
  tcase_add_test(tc, test_incremental_equals_recomputed);
  tcase_add_test(tc, test_incremental_keeps_damage);
  tcase_add_test(tc, test_pseudo_headers);
  return s;
}

GST_CHECK_MAIN(checksum)
