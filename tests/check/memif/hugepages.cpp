// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Memory of huge pages: a hole gives pages back to a pool that may be empty when they are needed
 * again, regardless of seals.
 */
#include <linux/falloc.h>

#include <cstdlib>
#include <fstream>

#include "unsealed.hpp"

using namespace memiftest;

namespace {

constexpr int kSkipped = 77;
constexpr long kNeeded = 4;

long read_number(const std::string& path) {
  long number = 0;
  std::ifstream(path) >> number;
  return number;
}

/** Bytes of the huge pages that files get; 0 if the kernel has none. */
std::uint64_t page_size() {
  std::ifstream meminfo("/proc/meminfo");
  std::uint64_t kilobytes = 0;
  for (std::string word; meminfo >> word;) {
    if (word == "Hugepagesize:") meminfo >> kilobytes;
  }
  return kilobytes << 10;
}
long free_pages() {
  return read_number("/sys/kernel/mm/hugepages/hugepages-" + std::to_string(page_size() >> 10) +
                     "kB/free_hugepages");
}

/** Free huge pages for as long as it lives: those that are there, or some more if we may. */
class HugePages {
 public:
  HugePages() {
    if (page_size() == 0 || free_pages() >= kNeeded) return;
    before_ = read_number(kPool);
    set(before_ + kNeeded);
  }
  ~HugePages() {
    if (before_ >= 0) set(before_);
  }
  HugePages(const HugePages&) = delete;
  static bool enough() { return page_size() != 0 && free_pages() >= kNeeded; }

 private:
  static constexpr char kPool[] = "/proc/sys/vm/nr_hugepages";
  static void set(long pages) { std::ofstream(kPool) << pages << std::flush; }

  long before_ = -1;  // not changed
};

/** Takes all that are free. */
class Hoard {
 public:
  Hoard() {
    for (;;) {
      void* page = ::mmap(nullptr, page_size(), PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_POPULATE, -1, 0);
      if (page == MAP_FAILED) return;
      pages_.push_back(page);
    }
  }
  ~Hoard() {
    for (void* page : pages_) ::munmap(page, page_size());
  }
  Hoard(const Hoard&) = delete;

 private:
  std::vector<void*> pages_;
};

}  // namespace

GST_START_TEST(test_a_hole_in_sealed_memory) {
  const std::uint64_t size = 2 * page_size();
  UniqueFd file = memory_file(size, true, MFD_HUGETLB);
  const Region region = must(Region::map(duplicate(file.get()), size));
  fail_unless(region.guarded());
  region.data()[size - 1] = std::byte{7};
  fail_unless(::fallocate(file.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
                          static_cast<off_t>(size)) == 0);
  const Hoard hoard;
  fail_unless_equals_int(sum(region.data(), size), 0);
  region.data()[size - 1] = std::byte{8};
  fail_unless(region.lost());
}
GST_END_TEST

GST_START_TEST(test_huge_pages_may_be_refused) {
  const std::uint64_t size = page_size();
  must_fail(Region::map(memory_file(size, true, MFD_HUGETLB), size, UnsealedMemory::refuse),
            "unsealed-memory=refuse", "huge pages");
}
GST_END_TEST

/** Of a size that is no multiple of a huge page. */
GST_START_TEST(test_part_of_a_page) {
  UniqueFd file = memory_file(page_size(), true, MFD_HUGETLB);
  const Region region = must(Region::map(duplicate(file.get()), 5000));
  fail_unless_equals_uint64(region.size(), 5000);
  region.data()[4999] = std::byte{7};
}
GST_END_TEST

static Suite* hugepages_suite(void) {
  Suite* suite = suite_create("hugepages");
  TCase* tests = tcase_create("memory");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_a_hole_in_sealed_memory);
  tcase_add_test(tests, test_huge_pages_may_be_refused);
  tcase_add_test(tests, test_part_of_a_page);
  return suite;
}

int main(int argc, char** argv) {
  const HugePages pages;
  if (!HugePages::enough()) {
    std::printf(
        "skipped: %ld huge pages must be free, and only root may make them "
        "(/proc/sys/vm/nr_hugepages)\n",
        kNeeded);
    return kSkipped;
  }
  gst_check_init(&argc, &argv);
  return gst_check_run_suite(hugepages_suite(), "hugepages", __FILE__);
}
