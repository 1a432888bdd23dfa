// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * SECTION:element-bpffilter
 * @title: bpffilter
 * @short_description: filters packets by a libpcap expression
 * @see_also: pcapsink, pcapsrc
 *
 * Sends packets that match #bpffilter:expression to its pad `src` and all others to its pad `rest`,
 * or drops them if nothing is linked there. The language is that of `tcpdump` and of Wireshark's
 * capture filters (`man pcap-filter`).
 *
 * The expression can change at any time. A wrong one is refused with libpcap's message: with an
 * error at the start, and with a warning while the element runs, when the previous expression stays
 * in force. Host names are resolved when the expression is set, which may take as long as the
 * resolver does.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 memifsrc socket-path=/tmp/a.sock role=master !
 * bpffilter name=f expression="arp or icmp" ! icmpresponder address=192.168.1.1 !
 * memifsink socket-path=/tmp/a.sock role=master
 * f.rest ! queue ! memifsink socket-path=/tmp/b.sock role=master
 * ]| Answers ping and ARP, and passes everything else on.
 *
 * Since: 0.2
 */
#include "plugins/pcap/bpffilter.hpp"

#include <memory>
#include <mutex>
#include <utility>

#include "gst/packet/plugin.hpp"
#include "plugins/pcap/link_types.hpp"

namespace pcapplugin {
namespace {

using Handle = std::unique_ptr<pcap_t, decltype(&pcap_close)>;

/** Where the first words make an expression by themselves: what comes behind them is wrong. */
std::string longest_valid(pcap_t* handle, std::string text) {
  for (;;) {
    const auto end = text.find_last_of(" \t\n");
    if (end == std::string::npos) return {};
    text.resize(end);
    while (!text.empty() && text.find_last_of(" \t\n") == text.size() - 1) text.pop_back();
    bpf_program program{};
    if (text.empty()) return {};
    if (pcap_compile(handle, &program, text.c_str(), 1, PCAP_NETMASK_UNKNOWN) == 0) {
      pcap_freecode(&program);
      return text;
    }
  }
}

Error refuse(const std::string& problem) {
  return Error{problem, "", "man pcap-filter describes the language"};
}

}  // namespace

BpfFilter::Program BpfFilter::compile(const std::string& text, LinkType type) {
  // libpcap before 1.8 compiles in global variables.
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  const Handle handle(pcap_open_dead(dlt_of(type), static_cast<int>(kLongestPacket)), pcap_close);
  if (!handle) return {{}, "libpcap has no memory"};
  bpf_program program{};
  if (pcap_compile(handle.get(), &program, text.c_str(), 1, PCAP_NETMASK_UNKNOWN) != 0) {
    std::string problem = pcap_geterr(handle.get());
    const std::string valid = longest_valid(handle.get(), text);
    if (!valid.empty()) problem += ", behind \"" + valid + "\"";
    return {{}, std::move(problem)};
  }
  Program out{{program.bf_insns, program.bf_insns + program.bf_len}, {}};
  pcap_freecode(&program);
  return out;
}

Result<void> BpfFilter::set_expression(std::string_view text) {
  std::string expression(text);
  Programs programs{compile(expression, LinkType::ethernet), compile(expression, LinkType::ip)};
  // Whoever comes second sees what the other one has done.
  const std::lock_guard lock(mutex_);
  const Program& needed =
      negotiated_ == static_cast<int>(LinkType::ip) ? programs.ip : programs.ethernet;
  // Some make sense with one link type only, and nothing may be known yet.
  const bool usable =
      !needed.code.empty() || (negotiated_ == kUnknown && !programs.ip.code.empty());
  if (!usable) return refuse(needed.problem);
  expression_ = std::move(expression);
  handover_.put(std::move(programs));
  return {};
}

void BpfFilter::stop() {
  const std::lock_guard lock(mutex_);
  negotiated_ = kUnknown;
}

Result<void> BpfFilter::start() {
  matched_.reset();
  rest_.reset();
  return {};
}

Result<void> BpfFilter::set_caps(const PacketCaps& caps) {
  link_type_ = caps.link_type;
  const std::lock_guard lock(mutex_);
  negotiated_ = static_cast<int>(link_type_);
  const Program& program = handover_.get().of(link_type_);
  if (!program.code.empty()) return {};
  return Error{std::string("The expression cannot filter packets with link-type=") +
                   link_type_name(link_type_),
               program.problem, "Set the property expression to one that suits them"};
}

}  // namespace pcapplugin

GSTPACKET_ELEMENT_REGISTER_DEFINE(bpffilter, pcapplugin::BpfFilter)
