// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The gst-memif developers
/**
 * @file
 * bpffilter: separates the packets that match an expression of libpcap from the rest.
 */
#pragma once

#include <pcap/pcap.h>

#include <array>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "gst/common/counter.hpp"
#include "gst/packet/element.hpp"
#include "plugins/common/documentation.hpp"

namespace pcapplugin {

using namespace gstpacket;

class BpfFilter {
 public:
  static constexpr ElementInfo info{"bpffilter",
                                    "Packet filter",
                                    "Filter/Network",
                                    "Sends packets that match a filter expression, as tcpdump "
                                    "takes it, to src and all others to rest",
                                    PLUGIN_AUTHOR,
                                    DOCUMENTATION_URI("bpffilter")};
  static constexpr Access access = Access::read;
  static constexpr std::array link_types{LinkType::ethernet, LinkType::ip};
  static constexpr std::array ports{"rest"};

  static auto properties() {
    return std::tuple{property<&BpfFilter::set_expression, &BpfFilter::expression>(
        "expression",
        "What packets have to match, as in pcap-filter(7): \"udp port 5004\"; empty: everything",
        "")};
  }

  Result<void> start();
  void stop();
  Result<void> set_caps(const PacketCaps& caps);
  Verdict process(const Packet& packet) {
    const bool match = handover_.get().of(link_type_).match(packet);
    (match ? matched_ : rest_).add(1);
    return match ? forward() : to(1);
  }
  void stats(StatsFields& fields) const {
    fields.add("matched", matched_.get());
    fields.add("rest", rest_.get());
  }

  /** Refuses what cannot be compiled for the packets that come, or for any if that is not known. */
  Result<void> set_expression(std::string_view text);
  [[nodiscard]] std::string expression() const { return expression_; }

 private:
  /** A compiled expression, for one link type. */
  struct Program {
    std::vector<bpf_insn> code;  // empty: it cannot be compiled, and nothing matches
    std::string problem;

    // The packet may lie in memory that a peer writes to meanwhile. The program was made here, and
    // libpcap's interpreter checks each load by offset and size against the length that it is
    // given: bytes that change give another answer, and nothing is read beyond them.
    [[nodiscard]] bool match(const Packet& packet) const noexcept {
      if (code.empty()) return false;
      const bpf_program program{static_cast<u_int>(code.size()),
                                const_cast<bpf_insn*>(code.data())};  // which is only read
      pcap_pkthdr header{};
      header.caplen = header.len = static_cast<bpf_u_int32>(packet.size());
      return pcap_offline_filter(&program, &header,
                                 reinterpret_cast<const u_char*>(packet.bytes().data())) != 0;
    }
  };
  struct Programs {
    Program ethernet, ip;
    [[nodiscard]] const Program& of(LinkType type) const noexcept {
      return type == LinkType::ethernet ? ethernet : ip;
    }
  };
  static Program compile(const std::string& text, LinkType type);

  // Streaming thread only.
  LinkType link_type_ = LinkType::ethernet;

  // Threads that set properties.
  std::string expression_;

  // Shared by both.
  static constexpr int kUnknown = -1;
  std::mutex mutex_;           // an expression is put into force, or caps are
  int negotiated_ = kUnknown;  // a LinkType; mutex_
  Mailbox<Programs> handover_;
  gstcommon::Counter matched_, rest_;
};

}  // namespace pcapplugin

GST_ELEMENT_REGISTER_DECLARE(bpffilter)
