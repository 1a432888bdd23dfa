# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""Every kind of packet that an IP host makes by itself, judged by tshark and scapy."""

import os
import shutil
import subprocess
from pathlib import Path

import verify
from base import InteropTest

from scapy.contrib.igmp import IGMP                                     # noqa: E402
from scapy.contrib.igmpv3 import IGMPv3                                 # noqa: E402
from scapy.layers.inet import ICMP, IP                                  # noqa: E402
from scapy.layers.inet6 import (ICMPv6DestUnreach, ICMPv6EchoReply, ICMPv6MLDone, ICMPv6MLReport,  # noqa: E402
                                ICMPv6MLReport2, ICMPv6ND_NA, ICMPv6ND_NS, IPv6, IPv6ExtHdrFragment)
from scapy.layers.l2 import Ether                                       # noqa: E402
from scapy.utils import rdpcap                                          # noqa: E402

# A display filter of tshark for each kind, and how many of them there are at least.
KINDS = {
    "arp.isprobe == 1": 2,
    "arp.isannouncement == 1": 2,
    "arp.opcode == 1 && arp.src.proto_ipv4 == 192.168.1.1 && !arp.isannouncement": 2,
    "arp.opcode == 2": 1,
    "icmpv6.type == 135 && ipv6.src == ::": 4,
    "icmpv6.type == 135 && icmpv6.opt.type == 1": 2,
    "icmpv6.type == 136 && icmpv6.nd.na.flag.s == 0": 4,
    "icmpv6.type == 136 && icmpv6.nd.na.flag.s == 1": 1,
    "igmp.type == 0x22 && igmp.record_type == 4": 2,
    "igmp.type == 0x22 && igmp.record_type == 5 && igmp.num_src == 2": 2,
    "igmp.type == 0x22 && igmp.record_type == 6": 2,
    "igmp.type == 0x22 && igmp.record_type == 1 && igmp.record_type == 2": 1,
    "igmp.type == 0x16": 1,
    "igmp.type == 0x17": 1,
    "igmp && ip.ttl == 1 && ip.opt.type == 148": 8,
    "icmpv6.type == 143 && icmpv6.mldr.mar.record_type == 4": 4,
    "icmpv6.type == 143 && icmpv6.mldr.mar.record_type == 5": 2,
    "icmpv6.type == 143 && icmpv6.mldr.mar.record_type == 6": 2,
    "icmpv6.type == 143 && icmpv6.mldr.mar.record_type == 2": 1,
    "icmpv6.type == 131": 1,
    "icmpv6.type == 132": 1,
    "icmpv6.type == 143 && ipv6.hlim == 1 && ipv6.opt.router_alert == 0": 8,
    "icmp.type == 3 && icmp.code == 3": 3,
    "icmpv6.type == 1 && icmpv6.code == 4": 3,
    "icmp.type == 0": 2,
    "icmpv6.type == 129": 2,
    "ip.fragment.count == 3": 1,
    "ipv6.fragment.count == 3": 1,
}
BAD = (f'({verify.BAD} || ip.fragment.error || ipv6.fragment.error || igmp.checksum.status == "Bad" || '
       '_ws.expert.severity >= "Warning") && !(icmp.type == 3 || icmpv6.type == 1)')
# The packet that an error quotes may be cut: for tshark it is malformed.
BAD_ERROR = '(icmp.type == 3 && icmp.checksum.status == "Bad") || (icmpv6.type == 1 && icmpv6.checksum.status == "Bad")'
SUMS = ((IP, "chksum"), (IP, "len"), (IPv6, "plen"), (ICMP, "chksum"), (ICMPv6DestUnreach, "cksum"),
        (ICMPv6EchoReply, "cksum"), (ICMPv6ND_NS, "cksum"), (ICMPv6ND_NA, "cksum"),
        (ICMPv6MLReport, "cksum"), (ICMPv6MLDone, "cksum"), (ICMPv6MLReport2, "cksum"),
        (IGMP, "chksum"), (IGMPv3, "chksum"))


def recorder():
    return Path(os.environ.get("MEMIF_BUILD", "build"), "tests/check/ip/ip-emitted")


def counts(path, filters):
    """How many packets each display filter selects, all of them in one run."""
    done = subprocess.run(
        ["tshark", "-q", "-r", str(path), "-o", "ip.check_checksum:TRUE", "-2",
         "-z", ",".join(["io,stat,0", *filters])],
        capture_output=True, text=True, timeout=60, check=True)
    row = next(line for line in done.stdout.splitlines() if "<>" in line)
    return dict(zip(filters, [int(column) for column in row.split("|")[2:-1:2]]))


class HostPacketsTest(InteropTest):

    @classmethod
    def why_not(cls):
        if not recorder().exists():
            return f"{recorder()} was not built"
        return None if shutil.which("tshark") else "not installed: tshark"

    def setUp(self):
        super().setUp()
        self.path = Path(self.directory, "host.pcap")
        done = subprocess.run([str(recorder())], capture_output=True, text=True, timeout=60,
                              env={**os.environ, "IP_EMITTED": str(self.path)})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_tshark_finds_all_kinds_and_nothing_wrong(self):
        self.assertEqual(verify.tshark(self.path, BAD), [])
        self.assertEqual(verify.tshark(self.path, BAD_ERROR), [])
        for kind, found in counts(self.path, KINDS).items():
            self.assertGreaterEqual(found, KINDS[kind], kind)

    def test_scapy_would_send_the_same(self):
        for number, packet in enumerate(rdpcap(str(self.path))):
            data = bytes(packet)
            again = Ether(data)
            fragment = IPv6ExtHdrFragment in again or (
                IP in again and (again[IP].flags.MF or again[IP].frag != 0))
            for layer, field in SUMS:
                # What is quoted is not ours, and the sum in a fragment is that of the whole.
                if layer in again and not (fragment and layer in (ICMP, ICMPv6EchoReply)):
                    delattr(again[layer], field)
            self.assertEqual(bytes(again).hex(), data.hex(), f"{number}: {again.summary()}")
