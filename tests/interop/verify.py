# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""Second and third opinions on a sample of packets: scapy and tshark.

Our own judge could be wrong in the same way as our own responder; these two were written by others.
"""

import logging
import subprocess

logging.getLogger("scapy").setLevel(logging.ERROR)

from scapy.layers.inet import ICMP, IP              # noqa: E402
from scapy.layers.inet6 import ICMPv6EchoReply, ICMPv6ND_NA, IPv6    # noqa: E402
from scapy.layers.l2 import ARP, Ether              # noqa: E402
from scapy.utils import PcapWriter                  # noqa: E402

LINKTYPE_ETHERNET, LINKTYPE_RAW = 1, 101
BAD = ('_ws.malformed || ip.checksum.status == "Bad" || icmp.checksum.status == "Bad" || '
       'icmpv6.checksum.status == "Bad"')


def scapy_judges(packets, ethernet=True):
    """Takes each reply apart and builds it anew: same bytes, or some field was wrong."""
    for data in packets:
        first = Ether if ethernet else (IP if data[0] >> 4 == 4 else IPv6)
        packet = first(data)
        assert any(layer in packet for layer in (ARP, ICMPv6EchoReply, ICMPv6ND_NA)) or (
            ICMP in packet and packet[ICMP].type == 0), f"no reply: {packet.summary()}"
        for layer, field in ((IP, "chksum"), (IP, "len"), (ICMP, "chksum"), (IPv6, "plen"),
                             (ICMPv6EchoReply, "cksum"), (ICMPv6ND_NA, "cksum")):
            if layer in packet:
                delattr(packet[layer], field)
        assert bytes(packet) == data, (
            f"scapy would have sent {bytes(packet)[:96].hex()}, not {data[:96].hex()}")


def write_pcap(path, packets, ethernet=True):
    writer = PcapWriter(str(path), linktype=LINKTYPE_ETHERNET if ethernet else LINKTYPE_RAW)
    writer.write_header(None)
    for number, data in enumerate(packets):
        writer.write_packet(data, sec=number // 1000, usec=number % 1000 * 1000)
    writer.close()


def tshark(path, expression):
    """Numbers of the packets a display filter selects, checksums verified."""
    done = subprocess.run(
        ["tshark", "-r", str(path), "-o", "ip.check_checksum:TRUE", "-2",
         "-R", expression, "-T", "fields", "-e", "frame.number"],
        capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.split()


def tshark_judges(path, packets, replies, ethernet=True):
    """No checksum wrong, nothing malformed, and each request finds its reply."""
    write_pcap(path, packets, ethernet)
    bad = tshark(path, BAD)
    assert not bad, f"tshark finds packets {bad} of {path} wrong"
    matched = tshark(path, "icmp.resp_to || "
                           "icmpv6.type == 129 || arp.opcode == 2 || icmpv6.type == 136")
    assert len(matched) == replies, f"tshark matches {len(matched)} of {replies} replies ({path})"
