// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * The bytes of the control channel, written out: offsets are those of the wire, not of our structs.
 */
#include "gst/memif/control/protocol.hpp"

#include <random>
#include <utility>
#include <vector>

#include "check.hpp"

using namespace gstmemif;
using namespace std::string_literals;

namespace {

/** A message that is zero but for some bytes at some places. */
MessageBytes wire(const std::vector<std::pair<std::size_t, std::string>>& pieces) {
  MessageBytes bytes{};
  for (const auto& [offset, piece] : pieces) {
    for (std::size_t i = 0; i < piece.size(); ++i) {
      bytes[offset + i] = static_cast<std::byte>(piece[i]);
    }
  }
  return bytes;
}

template <class T>
T decoded(const MessageBytes& bytes) {
  Message message = memiftest::must(decode(bytes));
  fail_unless(std::holds_alternative<T>(message));
  return std::get<T>(message);
}

void check_wire(const Message& message, const MessageBytes& expected) {
  const MessageBytes bytes = encode(message);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] == expected[i]) continue;
    fail_unless(false, "%s differs at byte %zu: %02x instead of %02x",
                std::string(message_name(message)).c_str(), i, static_cast<unsigned>(bytes[i]),
                static_cast<unsigned>(expected[i]));
  }
}

}  // namespace

GST_START_TEST(test_ack) {
  const MessageBytes bytes = wire({{0, "\x01\x00"s}});
  check_wire(Ack{}, bytes);
  decoded<Ack>(bytes);
}
GST_END_TEST

GST_START_TEST(test_hello) {
  const MessageBytes bytes = wire({{0, "\x02\x00"s},
                                   {2, "vpp"s},
                                   {34, "\x00\x02"s},
                                   {36, "\x01\x02"s},
                                   {38, "\xff\x00"s},
                                   {40, "\x03\x01"s},
                                   {42, "\x04\x02"s},
                                   {44, "\x0e"s}});
  check_wire(Hello{"vpp", 0x0200, 0x0201, 255, 0x0103, 0x0204, 14}, bytes);
  const auto hello = decoded<Hello>(bytes);
  fail_unless(hello.name == "vpp");
  fail_unless_equals_int(hello.min_version, 0x0200);
  fail_unless_equals_int(hello.max_version, 0x0201);
  fail_unless_equals_int(hello.max_region, 255);
  fail_unless_equals_int(hello.max_m2s_ring, 0x0103);
  fail_unless_equals_int(hello.max_s2m_ring, 0x0204);
  fail_unless_equals_int(hello.max_log2_ring_size, 14);
}
GST_END_TEST

GST_START_TEST(test_init) {
  const MessageBytes bytes = wire({{0, "\x03\x00"s},
                                   {2, "\x00\x02"s},
                                   {4, "\x78\x56\x34\x12"s},
                                   {8, "\x01"s},
                                   {9, "0123456789abcdefghijklmn"s},
                                   {33, "app"s}});
  check_wire(Init{kVersion, 0x12345678, 1, "0123456789abcdefghijklmn", "app"}, bytes);
  const auto init = decoded<Init>(bytes);
  fail_unless_equals_int(init.version, kVersion);
  fail_unless_equals_uint64(init.id, 0x12345678);
  fail_unless_equals_int(init.mode, 1);
  fail_unless(init.secret == "0123456789abcdefghijklmn");
  fail_unless(init.name == "app");
}
GST_END_TEST

GST_START_TEST(test_add_region) {
  const MessageBytes bytes =
      wire({{0, "\x04\x00"s}, {2, "\x02\x01"s}, {4, "\x08\x07\x06\x05\x04\x03\x02\x01"s}});
  check_wire(AddRegion{0x0102, 0x0102030405060708}, bytes);
  const auto region = decoded<AddRegion>(bytes);
  fail_unless_equals_int(region.index, 0x0102);
  fail_unless_equals_uint64(region.size, 0x0102030405060708);
}
GST_END_TEST

GST_START_TEST(test_add_ring) {
  const MessageBytes s2m = wire({{0, "\x05\x00"s},
                                 {2, "\x01\x00"s},
                                 {4, "\x02\x01"s},
                                 {6, "\x04\x03"s},
                                 {8, "\x08\x07\x06\x05"s},
                                 {12, "\x0a"s},
                                 {13, "\x0c\x0b"s}});
  check_wire(AddRing{Direction::s2m, 0x0102, 0x0304, 0x05060708, 10, 0x0b0c}, s2m);
  const auto ring = decoded<AddRing>(s2m);
  fail_unless(ring.direction == Direction::s2m);
  fail_unless_equals_int(ring.index, 0x0102);
  fail_unless_equals_int(ring.region, 0x0304);
  fail_unless_equals_uint64(ring.offset, 0x05060708);
  fail_unless_equals_int(ring.log2_size, 10);
  fail_unless_equals_int(ring.private_header_size, 0x0b0c);

  const MessageBytes m2s = wire({{0, "\x05\x00"s}, {12, "\x01"s}});
  check_wire(AddRing{Direction::m2s, 0, 0, 0, 1, 0}, m2s);
  fail_unless(decoded<AddRing>(m2s).direction == Direction::m2s);
}
GST_END_TEST

GST_START_TEST(test_connect_and_connected) {
  const MessageBytes connect = wire({{0, "\x06\x00"s}, {2, "memif0/0"s}});
  check_wire(Connect{"memif0/0"}, connect);
  fail_unless(decoded<Connect>(connect).interface_name == "memif0/0");
  const MessageBytes connected = wire({{0, "\x07\x00"s}, {2, "memif0/0"s}});
  check_wire(Connected{"memif0/0"}, connected);
  fail_unless(decoded<Connected>(connected).interface_name == "memif0/0");
}
GST_END_TEST

GST_START_TEST(test_disconnect) {
  const MessageBytes bytes = wire({{0, "\x08\x00"s}, {2, "\x04\x03\x02\x01"s}, {6, "bye"s}});
  check_wire(Disconnect{0x01020304, "bye"}, bytes);
  const auto goodbye = decoded<Disconnect>(bytes);
  fail_unless_equals_uint64(goodbye.code, 0x01020304);
  fail_unless(goodbye.reason == "bye");
}
GST_END_TEST

GST_START_TEST(test_long_text_is_cut_and_leaves_a_nul) {
  const std::string text(300, 'x');
  check_wire(Connect{text}, wire({{0, "\x06\x00"s}, {2, std::string(31, 'x')}}));
  check_wire(Connected{text}, wire({{0, "\x07\x00"s}, {2, std::string(31, 'x')}}));
  check_wire(Disconnect{0, text}, wire({{0, "\x08\x00"s}, {6, std::string(95, 'x')}}));
  // The secret may fill its field: it is compared, not printed.
  check_wire(Init{kVersion, 0, 0, text, text}, wire({{0, "\x03\x00"s},
                                                     {2, "\x00\x02"s},
                                                     {9, std::string(24, 'x')},
                                                     {33, std::string(31, 'x')}}));
}
GST_END_TEST

GST_START_TEST(test_text_without_nul_ends_with_its_field) {
  MessageBytes bytes;
  bytes.fill(static_cast<std::byte>('y'));
  const auto with_type = [&](char type) {
    bytes[0] = static_cast<std::byte>(type);
    bytes[1] = {};
    return bytes;
  };
  fail_unless(decoded<Hello>(with_type(2)).name == std::string(32, 'y'));
  fail_unless(decoded<Init>(with_type(3)).secret == std::string(24, 'y'));
  fail_unless(decoded<Init>(with_type(3)).name == std::string(32, 'y'));
  fail_unless(decoded<Connect>(with_type(6)).interface_name == std::string(32, 'y'));
  fail_unless(decoded<Connected>(with_type(7)).interface_name == std::string(32, 'y'));
  fail_unless(decoded<Disconnect>(with_type(8)).reason == std::string(96, 'y'));
}
GST_END_TEST

GST_START_TEST(test_what_follows_a_nul_is_not_text) {
  const auto init =
      decoded<Init>(wire({{0, "\x03\x00"s}, {9, "key\0residue of a heap"s}, {33, "a\0b"s}}));
  fail_unless(init.secret == "key");
  fail_unless(init.name == "a");
}
GST_END_TEST

GST_START_TEST(test_wrong_sizes) {
  const std::vector<std::byte> bytes(512, std::byte{1});
  for (std::size_t size : {0U, 1U, 2U, 127U, 129U, 256U, 512U}) {
    memiftest::must_fail(decode(std::span(bytes).first(size)), std::to_string(size), "128");
  }
}
GST_END_TEST

GST_START_TEST(test_unknown_types) {
  for (unsigned type = 0; type <= 0xffff; ++type) {
    MessageBytes bytes{};
    bytes[0] = static_cast<std::byte>(type & 0xff);
    bytes[1] = static_cast<std::byte>(type >> 8);
    const bool known = type >= 1 && type <= 8;
    const Result<Message> message = decode(bytes);
    memiftest::expect(static_cast<bool>(message) == known, "wrong answer to a type");
    if (type > 8 && type % 4096 != 0) continue;
    if (!known) memiftest::must_fail(message, "unknown message type", std::to_string(type));
  }
}
GST_END_TEST

GST_START_TEST(test_whatever_is_read_is_written_the_same) {
  std::mt19937 random(1);
  for (int i = 0; i < 20000; ++i) {
    MessageBytes bytes;
    for (auto& byte : bytes) byte = static_cast<std::byte>(random());
    bytes[0] = static_cast<std::byte>(1 + random() % 8);
    bytes[1] = {};
    const MessageBytes once = encode(memiftest::must(decode(bytes)));
    const MessageBytes twice = encode(memiftest::must(decode(once)));
    memiftest::expect(once == twice && once[0] == bytes[0], "not the same");
  }
}
GST_END_TEST

GST_START_TEST(test_names) {
  fail_unless(message_name(Ack{}) == "ACK");
  fail_unless(message_name(AddRing{}) == "ADD_RING");
  fail_unless(message_name(Disconnect{}) == "DISCONNECT");
  fail_unless(to_string(Role::slave) == "slave" && to_string(Role::master) == "master");
  fail_unless(to_string(Mode::punt_inject) == "punt-inject");
}
GST_END_TEST

GST_START_TEST(test_printable) {
  fail_unless(printable("") == "");
  fail_unless(printable("VPP 24.10") == "VPP 24.10");
  fail_unless(printable("ü") == "ü");
  fail_unless(printable("a\nb\x1b[31mc\x7f") == "a?b?[31mc?");
  constexpr char kReplaced[] =
      "\xef\xbf\xbd";  // what GLib puts in the place of bytes that are none
  fail_unless(printable("a\0"s) == std::string("a") + kReplaced);
  // C1 controls, line separators, marks and overrides of direction, invisible characters.
  for (const char* code :
       {"\xc2\x80", "\xc2\x85", "\xc2\x9b", "\xc2\x9f", "\xe2\x80\xa8", "\xe2\x80\xa9",
        "\xe2\x80\x8e", "\xe2\x80\x8f", "\xe2\x80\xaa", "\xe2\x80\xae", "\xe2\x81\xa6",
        "\xe2\x81\xa9", "\xd8\x9c", "\xe2\x80\x8b", "\xef\xbb\xbf", "\xf3\xa0\x81\x81"}) {
    fail_unless(printable("a"s + code + "b") == "a?b", "lets through %s", code);
  }
  // Not UTF-8: cut off, on its own, longer than need be, half of a pair, beyond the end.
  for (const char* code : {"\xc3", "\x9b", "\xc0\x8a", "\xc1\xbf", "\xe0\x80\x9b", "\xed\xa0\x80",
                           "\xf4\x90\x80\x80", "\xff"}) {
    const std::string shown = printable(code);
    fail_unless(g_utf8_validate(shown.data(), static_cast<gssize>(shown.size()), nullptr));
    fail_unless(shown.starts_with(kReplaced) && shown.size() % 3 == 0, "lets through %s",
                shown.c_str());
  }
}
GST_END_TEST

GST_START_TEST(test_ring_layout) {
  constexpr RingLayout kShort{64, 1024};
  fail_unless_equals_uint64(RingLayout::cookie_offset(), 0);
  fail_unless_equals_uint64(RingLayout::flags_offset(), 4);
  fail_unless_equals_uint64(RingLayout::head_offset(), 6);
  fail_unless_equals_uint64(kShort.tail_offset(), 64);
  fail_unless_equals_uint64(kShort.descriptors_offset(), 128);
  fail_unless_equals_uint64(kShort.bytes(), 16512);
  constexpr RingLayout kLong{128, 1024};
  fail_unless_equals_uint64(kLong.tail_offset(), 128);
  fail_unless_equals_uint64(kLong.descriptors_offset(), 256);
  fail_unless_equals_uint64(kLong.bytes(), 16640);
  fail_unless_equals_uint64(offsetof(Descriptor, flags), 0);
  fail_unless_equals_uint64(offsetof(Descriptor, region), 2);
  fail_unless_equals_uint64(offsetof(Descriptor, length), 4);
  fail_unless_equals_uint64(offsetof(Descriptor, offset), 8);
}
GST_END_TEST

static Suite* protocol_suite(void) {
  Suite* suite = suite_create("protocol");
  TCase* tests = tcase_create("wire");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_ack);
  tcase_add_test(tests, test_hello);
  tcase_add_test(tests, test_init);
  tcase_add_test(tests, test_add_region);
  tcase_add_test(tests, test_add_ring);
  tcase_add_test(tests, test_connect_and_connected);
  tcase_add_test(tests, test_disconnect);
  tcase_add_test(tests, test_long_text_is_cut_and_leaves_a_nul);
  tcase_add_test(tests, test_text_without_nul_ends_with_its_field);
  tcase_add_test(tests, test_what_follows_a_nul_is_not_text);
  tcase_add_test(tests, test_wrong_sizes);
  tcase_add_test(tests, test_unknown_types);
  tcase_add_test(tests, test_whatever_is_read_is_written_the_same);
  tcase_add_test(tests, test_names);
  tcase_add_test(tests, test_printable);
  tcase_add_test(tests, test_ring_layout);
  return suite;
}

GST_CHECK_MAIN(protocol)
