// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
#include "plugins/pcap/capture_format.hpp"

#include <algorithm>
#include <string_view>

#include "config.h"

namespace pcapplugin {
namespace {

using Bytes = std::vector<std::byte>;

void append(Bytes& out, std::initializer_list<std::uint32_t> words) {
  const std::size_t at = out.size();
  out.resize(at + words.size() * sizeof(std::uint32_t));
  detail::put(out.data() + at, words);
}

void append16(Bytes& out, std::uint16_t first, std::uint16_t second) {
  const std::size_t at = out.size();
  out.resize(at + 4);
  std::memcpy(out.data() + at, &first, 2);
  std::memcpy(out.data() + at + 2, &second, 2);
}

/** Padded to whole words. */
void append_option(Bytes& out, std::uint16_t code, std::string_view value) {
  constexpr std::size_t kMost = 0xffff;
  value = value.substr(0, kMost);
  append16(out, code, static_cast<std::uint16_t>(value.size()));
  const auto* bytes = reinterpret_cast<const std::byte*>(value.data());
  out.insert(out.end(), bytes, bytes + value.size());
  out.resize((out.size() + 3) & ~std::size_t{3});
}

/** With its length at both ends. */
void append_block(Bytes& out, std::uint32_t type, const Bytes& body) {
  const auto whole = static_cast<std::uint32_t>(body.size() + 12);
  append(out, {type, whole});
  out.insert(out.end(), body.begin(), body.end());
  append(out, {whole});
}

constexpr std::uint16_t kEndOfOptions = 0, kComment = 1;

Bytes section_header(const FileInfo& info) {
  constexpr std::uint32_t kByteOrder = 0x1a2b3c4d, kLengthUnknown = 0xffffffff;
  constexpr std::uint16_t kMajor = 1, kMinor = 0, kApplication = 4;
  Bytes body;
  append(body, {kByteOrder});
  append16(body, kMajor, kMinor);
  append(body, {kLengthUnknown, kLengthUnknown});
  if (!info.comment.empty()) append_option(body, kComment, info.comment);
  append_option(body, kApplication, PACKAGE " " VERSION);
  append16(body, kEndOfOptions, 0);
  return body;
}

Bytes interface_description(const FileInfo& info) {
  constexpr std::uint16_t kName = 2, kTimeResolution = 9;
  constexpr char kNanoseconds[] = "\x09";  // a negative power of 10
  Bytes body;
  append16(body, linktype_of(info.link_type), 0);
  append(body, {info.snaplen});
  if (!info.interface_name.empty()) append_option(body, kName, info.interface_name);
  append_option(body, kTimeResolution, kNanoseconds);
  append16(body, kEndOfOptions, 0);
  return body;
}

}  // namespace

std::vector<std::byte> file_header(const FileInfo& info) {
  Bytes out;
  if (info.format == FileFormat::pcapng) {
    constexpr std::uint32_t kSectionHeader = 0x0a0d0d0a, kInterfaceDescription = 1;
    append_block(out, kSectionHeader, section_header(info));
    append_block(out, kInterfaceDescription, interface_description(info));
    return out;
  }
  constexpr std::uint32_t kNanosecondMagic = 0xa1b23c4d;
  constexpr std::uint16_t kMajor = 2, kMinor = 4;
  append(out, {kNanosecondMagic});
  append16(out, kMajor, kMinor);
  append(out, {0, 0, info.snaplen, linktype_of(info.link_type)});
  return out;
}

}  // namespace pcapplugin
