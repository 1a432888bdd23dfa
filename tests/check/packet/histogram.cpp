// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <vector>

#include "plugins/packet/histogram.hpp"

// Behind the standard library: it defines a macro fail().
#include <gst/check/gstcheck.h>

using packetplugin::Histogram;

GST_START_TEST(test_empty) {
  const auto h = std::make_unique<Histogram>();
  fail_unless_equals_uint64(h->total(), 0);
  fail_unless_equals_uint64(h->min(), 0);
  fail_unless_equals_uint64(h->max(), 0);
  fail_unless_equals_uint64(h->percentile(50), 0);
}
GST_END_TEST

GST_START_TEST(test_small_values_are_exact) {
  const auto h = std::make_unique<Histogram>();
  for (std::uint64_t i = 1; i <= 100; ++i) h->add(i);
  fail_unless_equals_uint64(h->percentile(0), 1);
  fail_unless_equals_uint64(h->percentile(1), 1);
  fail_unless_equals_uint64(h->percentile(50), 50);
  fail_unless_equals_uint64(h->percentile(99), 99);
  fail_unless_equals_uint64(h->percentile(99.9), 100);
  fail_unless_equals_uint64(h->percentile(100), 100);
  h->clear();
  h->add(7, 999);
  h->add(127);
  fail_unless_equals_uint64(h->percentile(99.9), 7);
  fail_unless_equals_uint64(h->percentile(99.95), 127);
  fail_unless_equals_uint64(h->total(), 1000);
}
GST_END_TEST

// Every value comes back as the end of its step: never less, at most 1/64 more.
GST_START_TEST(test_bounds_of_steps) {
  for (unsigned bits = 0; bits < 64; ++bits) {
    for (const std::uint64_t offset : {-1LL, 0LL, 1LL, 12345LL}) {
      const std::uint64_t value = (std::uint64_t{1} << bits) + offset;
      const auto h = std::make_unique<Histogram>();
      h->add(value);
      h->add(UINT64_MAX);
      const std::uint64_t found = h->percentile(50);
      fail_unless(found >= value && found - value <= value / 64, "%" G_GUINT64_FORMAT, value);
      fail_unless_equals_uint64(h->percentile(100), UINT64_MAX);
    }
  }
}
GST_END_TEST

GST_START_TEST(test_against_sorted_values) {
  std::mt19937_64 random(1);
  std::vector<std::uint64_t> values(10007);
  const auto h = std::make_unique<Histogram>();
  for (auto& value : values) h->add(value = random() >> (random() % 60));
  std::sort(values.begin(), values.end());
  fail_unless_equals_uint64(h->min(), values.front());
  fail_unless_equals_uint64(h->max(), values.back());
  for (const double percent : {0.1, 10.0, 50.0, 90.0, 99.0, 99.9, 100.0}) {
    const auto rank =
        static_cast<std::size_t>(std::ceil(static_cast<double>(values.size()) * percent / 100));
    const std::uint64_t exact = values[rank - 1];
    const std::uint64_t found = h->percentile(percent);
    fail_unless(found >= exact && found - exact <= exact / 64, "%f", percent);
  }
}
GST_END_TEST

static Suite* histogram_suite() {
  Suite* suite = suite_create("histogram");
  TCase* tcase = tcase_create("all");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, test_empty);
  tcase_add_test(tcase, test_small_values_are_exact);
  tcase_add_test(tcase, test_bounds_of_steps);
  tcase_add_test(tcase, test_against_sorted_values);
  return suite;
}
GST_CHECK_MAIN(histogram)
