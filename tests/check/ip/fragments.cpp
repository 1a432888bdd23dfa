// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * Reassembly: any split in any order gives the datagram, contradictions give nothing, and memory
 * stays bounded.
 */
#include <random>

#include "bench.hpp"

using namespace bench;

namespace {

/** Pieces of the payload of a packet. */
struct Piece {
  std::size_t from, size;
  bool last;
};

Bytes slice(const Bytes& all, std::size_t from, std::size_t size) {
  const auto first = all.begin() + static_cast<std::ptrdiff_t>(from);
  return Bytes(first, first + static_cast<std::ptrdiff_t>(size));
}

Bytes fragment(bool v4, std::uint32_t id, const Piece& piece, const Bytes& content,
               std::uint8_t protocol = 17) {
  if (v4) {
    const auto word = static_cast<std::uint16_t>(piece.from / 8 | (piece.last ? 0U : 0x2000U));
    Bytes packet = ipv4({.fragment = word, .protocol = protocol}, content);
    put16(packet, 4, id & 0xffff);
    put16(packet, 10, 0);
    put16(packet, 10, naive::checksum(std::span(packet).first(20)));
    return join({ethernet(kOurMac, kPeerMac, 0x0800), packet});
  }
  Bytes header{protocol, 0, 0, 0, 0, 0, 0, 0};
  put16(header, 2, piece.from | (piece.last ? 0 : 1));
  put16(header, 4, id >> 16);
  put16(header, 6, id & 0xffff);
  return join(
      {ethernet(kOurMac, kPeerMac, 0x86dd), ipv6({.extensions = header, .next = 44}, content)});
}
Bytes fragment_of(bool v4, std::uint32_t id, const Piece& piece, const Bytes& whole) {
  return fragment(v4, id, piece, slice(whole, piece.from, piece.size));
}

Bytes whole_datagram(bool v4, std::size_t size, std::uint8_t mark) {
  Bytes body = payload(size);
  for (auto& b : body) b = static_cast<std::uint8_t>(b * 7 + mark);
  return v4 ? udp({}, body) : udp({.source = kPeerV6, .destination = kOurV6}, body);
}

std::vector<Piece> random_split(std::mt19937& random, std::size_t size, std::size_t most) {
  std::vector<Piece> out;
  for (std::size_t from = 0; from < size;) {
    std::size_t part = 8 * (1 + random() % (most / 8));
    part = std::min(part, size - from);
    out.push_back({from, part, from + part == size});
    from += part;
  }
  return out;
}

struct FragmentBench : Bench {
  explicit FragmentBench(const HostConfig& with = config()) : Bench(with) { bind({.port = 5004}); }
};

}  // namespace

GST_START_TEST(test_any_split_in_any_order) {
  std::mt19937 random(1);
  FragmentBench bench;
  for (std::uint32_t round = 0; round < 400; ++round) {
    const bool v4 = round % 2 == 0;
    const std::size_t size = 1 + random() % (round % 5 == 0 ? 60000 : 3000);
    const Bytes whole = whole_datagram(v4, size, static_cast<std::uint8_t>(round));
    auto pieces = random_split(random, whole.size(), std::max<std::size_t>(whole.size() / 40, 8));
    std::ranges::shuffle(pieces, random);
    // Some come twice.
    const auto n = pieces.size();
    for (std::size_t i = 0; n > 1 && i < n / 3; ++i) {
      pieces.insert(pieces.begin() + static_cast<long>(random() % (n - 1)),
                    pieces[random() % (n - 1)]);
    }
    const bool reversed = round % 7 == 0;
    if (reversed) std::ranges::reverse(pieces);
    bool done = false;
    for (const Piece& piece : pieces) {
      // What comes after the last one that was missing is the beginning of something else.
      if (done) break;
      const Received what = bench.receive(fragment_of(v4, round, piece, whole));
      done = what == Received::datagram;
    }
    fail_unless(done, "round %u: nothing came out", round);
    expect_bytes(bench.payload(), slice(whole, 8, size), "payload");
    fail_unless(bench.datagram.source.port == 4000 && bench.datagram.ports.size() == 1);
  }
  fail_unless_equals_uint64(bench.count(Count::reassembled), 400);
  fail_unless_equals_uint64(bench.count(Count::fragment_overlap), 0);
}
GST_END_TEST

GST_START_TEST(test_many_at_once_in_any_order) {
  std::mt19937 random(2);
  FragmentBench bench;
  std::vector<Bytes> frames;
  for (std::uint32_t id = 0; id < 60; ++id) {
    const Bytes whole = whole_datagram(id % 2 == 0, 2000 + id, static_cast<std::uint8_t>(id));
    for (const Piece& piece : random_split(random, whole.size(), 600)) {
      frames.push_back(fragment_of(id % 2 == 0, id, piece, whole));
    }
  }
  std::ranges::shuffle(frames, random);
  unsigned arrived = 0;
  for (const Bytes& frame : frames) {
    if (bench.receive(frame) != Received::datagram) continue;
    ++arrived;
    const auto id = static_cast<std::uint32_t>(bench.datagram.size - 2000);
    const Bytes whole = whole_datagram(id % 2 == 0, 2000 + id, static_cast<std::uint8_t>(id));
    expect_bytes(bench.payload(), slice(whole, 8, 2000 + id), "payload");
  }
  fail_unless_equals_int(arrived, 60);
  fail_unless_equals_uint64(bench.host.kept().reassemblies, 0);
}
GST_END_TEST

GST_START_TEST(test_overlaps_spoil_all) {
  std::mt19937 random(3);
  FragmentBench bench;
  for (std::uint32_t id = 0; id < 600; ++id) {
    const bool v4 = id % 2 == 0;
    const Bytes whole = whole_datagram(v4, 800 + random() % 800, 1);
    auto pieces = random_split(random, whole.size(), 400);
    // One more, which reaches over the beginning or the end of another and says something else.
    const std::size_t from = 8 * (random() % (whole.size() / 8 - 2));
    const std::size_t size =
        std::min<std::size_t>(8 * (2 + random() % 20), (whole.size() - from) / 8 * 8);
    Bytes other = slice(whole, from, size);
    other[random() % size] ^= 0x55;
    std::vector<Bytes> frames;
    for (const Piece& piece : pieces) frames.push_back(fragment_of(v4, id, piece, whole));
    std::ranges::shuffle(frames, random);
    frames.insert(frames.begin() + static_cast<long>(random() % frames.size()),
                  fragment(v4, id, {from, size, false}, other));
    for (const Bytes& frame : frames) {
      fail_if(bench.receive(frame) == Received::datagram, "%u: contradicted, and delivered", id);
    }
    // Nor when all of it comes again.
    for (const Piece& piece : pieces) {
      fail_if(bench.receive(fragment_of(v4, id, piece, whole)) == Received::datagram);
    }
    bench.pass(31 * kSecond);
  }
  fail_unless_equals_uint64(bench.host.kept().reassemblies, 0);
}
GST_END_TEST

GST_START_TEST(test_two_ends) {
  FragmentBench bench;
  const Bytes whole = whole_datagram(true, 392, 1);
  const auto give = [&](std::uint32_t id, const Piece& piece) {
    return bench.receive(fragment_of(true, id, piece, whole));
  };
  // The end, then more behind it; more, then an end before it; two ends.
  give(1, {200, 100, true});
  give(1, {304, 96, false});
  give(2, {304, 96, false});
  give(2, {200, 100, true});
  give(3, {304, 96, true});
  give(3, {200, 100, true});
  fail_unless_equals_uint64(bench.count(Count::fragment_overlap), 6);
  for (std::uint32_t id = 1; id <= 3; ++id) {
    fail_if(give(id, {0, 200, false}) == Received::datagram);
    fail_if(give(id, {200, 200, true}) == Received::datagram);
  }
  give(4, {0, 200, false});
  fail_unless(give(4, {200, 200, true}) == Received::datagram);
}
GST_END_TEST

GST_START_TEST(test_what_makes_a_datagram) {
  FragmentBench bench;
  const Bytes whole = whole_datagram(true, 392, 1);
  const auto begin = [&](std::uint32_t id, std::uint8_t protocol = 17) {
    return fragment(true, id, {0, 200, false}, slice(whole, 0, 200), protocol);
  };
  const auto rest = [&](std::uint32_t id, std::uint8_t protocol = 17) {
    return fragment(true, id, {200, 200, true}, slice(whole, 200, 200), protocol);
  };
  bench.receive(begin(1));
  fail_if(bench.receive(rest(2)) == Received::datagram, "another number");
  fail_if(bench.receive(rest(1, 6)) == Received::datagram, "another protocol");
  Bytes other = rest(1);
  other[14 + 15] ^= 4;
  put16(other, 14 + 10, 0);
  put16(other, 14 + 10, naive::checksum(std::span(other).subspan(14, 20)));
  fail_if(bench.receive(other) == Received::datagram, "another source");
  fail_unless(bench.receive(rest(1)) == Received::datagram);
  fail_unless_equals_uint64(bench.host.kept().reassemblies, 3);
  // Of IPv6 the first fragment alone says what it is.
  const Bytes six = whole_datagram(false, 392, 1);
  bench.receive(fragment(false, 9, {200, 200, true}, slice(six, 200, 200), 59));
  fail_unless(bench.receive(fragment(false, 9, {0, 200, false}, slice(six, 0, 200))) ==
              Received::datagram);
}
GST_END_TEST

GST_START_TEST(test_groups) {
  // Video that a switch floods to us must not take the places of what is wanted.
  const Bytes group{239, 1, 2, 3}, group6{0xff, 0x15, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9};
  const Bytes body = payload(64);
  const auto frames = [&](std::uint32_t id) {
    std::vector<Bytes> out;
    for (const Bytes& to : {group, group6}) {
      const bool v4 = to.size() == 4;
      const Bytes whole = udp({.source = v4 ? kPeerV4 : kPeerV6, .destination = to}, body);
      for (const bool last : {false, true}) {
        Bytes frame = fragment_of(v4, id, {last ? 32U : 0U, last ? 40U : 32U, last}, whole);
        std::ranges::copy(group_mac(to), frame.begin());
        std::ranges::copy(to, frame.begin() + 14 + (v4 ? 16 : 24));
        if (v4) {
          put16(frame, 24, 0);
          put16(frame, 24, naive::checksum(std::span(frame).subspan(14, 20)));
        }
        out.push_back(frame);
      }
    }
    return out;
  };
  FragmentBench bench;
  for (const Bytes& frame : frames(1)) fail_if(bench.receive(frame) == Received::datagram);
  fail_unless_equals_uint64(bench.host.kept().reassemblies, 0);
  fail_unless_equals_uint64(bench.count(Count::not_joined), 4);
  const unsigned v4 = bench.bind({.port = 5004, .group = address(group)});
  bench.bind({.port = 5004, .group = address(group6), .sources = {address(kPeerV6)}});
  unsigned received = 0;
  for (const Bytes& frame : frames(2)) {
    if (bench.receive(frame) != Received::datagram) continue;
    ++received;
    expect_bytes(bench.payload(), body, "payload");
  }
  fail_unless_equals_int(received, 2);
  // Another source than those that are wanted, and a group that was left.
  bench.host.unbind(v4, bench.now, bench);
  auto others = frames(3);
  for (std::size_t i = 2; i < 4; ++i) others[i][14 + 23] ^= 1;
  for (const Bytes& frame : others) bench.receive(frame);
  fail_unless_equals_uint64(bench.host.kept().reassemblies, 0);
}
GST_END_TEST

GST_START_TEST(test_impossible_ones) {
  FragmentBench bench;
  const auto bad = [&](const Bytes& frame, const char* what) {
    const std::uint64_t before = bench.count(Count::bad_fragment);
    bench.receive(frame);
    fail_unless(bench.count(Count::bad_fragment) == before + 1, "%s", what);
  };
  for (const bool v4 : {true, false}) {
    bad(fragment(v4, 1, {0, 9, false}, Bytes(9)), "not a multiple of 8");
    bad(fragment(v4, 1, {8, 0, true}, {}), "nothing in it");
    bad(fragment(v4, 1, {65528, 16, true}, Bytes(16)), "too far");
    bad(fragment(v4, 1, {65528, 8, false}, Bytes(8)), "too far, with more to come");
  }
  fail_unless_equals_uint64(bench.host.kept().reassemblies, 0);
  // The largest there are.
  for (const bool v4 : {true, false}) {
    const std::size_t largest = v4 ? 65515 : 65535;
    const Bytes whole = whole_datagram(v4, largest - 8, 3);
    bench.receive(fragment_of(v4, 2, {0, 32768, false}, whole));
    fail_unless(bench.receive(fragment_of(v4, 2, {32768, largest - 32768, true}, whole)) ==
                Received::datagram);
    expect_bytes(bench.payload(), slice(whole, 8, largest - 8), "the largest");
  }
  // Too many holes.
  for (std::size_t i = 0; i < 100; ++i) {
    bench.receive(fragment(true, 5, {16 * i, 8, false}, Bytes(8)));
  }
  fail_unless(bench.count(Count::fragment_limit) > 0);
}
GST_END_TEST

GST_START_TEST(test_bounded_in_time_and_memory) {
  HostConfig few = config();
  few.limits.reassemblies = 8;
  FragmentBench bench(few);
  const Bytes whole = whole_datagram(true, 392, 1);
  for (std::uint32_t id = 0; id < 10000; ++id) {
    const bool v4 = id % 2 == 0;
    bench.receive(fragment(v4, id, {65000, 8, false}, Bytes(8)));
    fail_unless(bench.host.kept().reassemblies <= 8);
    fail_unless(bench.host.kept().reassembly_bytes <= 9 * 66000);
    // A datagram whose fragments come one after the other still arrives.
    if (id % 100 != 0) continue;
    bench.receive(fragment_of(true, 0x8000 + id, {0, 200, false}, whole));
    fail_unless(bench.receive(fragment_of(true, 0x8000 + id, {200, 200, true}, whole)) ==
                Received::datagram);
  }
  fail_unless(bench.count(Count::fragment_limit) > 9000);
  bench.pass(31 * kSecond);
  fail_unless_equals_uint64(bench.host.kept().reassemblies, 0);
  fail_unless_equals_uint64(bench.count(Count::fragment_timeout), 8);
  fail_unless(bench.host.due() == GST_CLOCK_TIME_NONE);
  // The rest of one that is too late is only a beginning.
  bench.receive(fragment_of(true, 7, {0, 200, false}, whole));
  bench.pass(31 * kSecond);
  fail_if(bench.receive(fragment_of(true, 7, {200, 200, true}, whole)) == Received::datagram);
}
GST_END_TEST

static Suite* fragments_suite() {
  Suite* s = suite_create("ip-fragments");
  TCase* tc = tcase_create("all");
  suite_add_tcase(s, tc);
  tcase_add_test(tc, test_any_split_in_any_order);
  tcase_add_test(tc, test_many_at_once_in_any_order);
  tcase_add_test(tc, test_overlaps_spoil_all);
  tcase_add_test(tc, test_two_ends);
  tcase_add_test(tc, test_what_makes_a_datagram);
  tcase_add_test(tc, test_groups);
  tcase_add_test(tc, test_impossible_ones);
  tcase_add_test(tc, test_bounded_in_time_and_memory);
  return s;
}

GST_CHECK_MAIN(fragments);
