# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""Seeds of the fuzzer `captures`: files in both formats, packets to write, packets to filter."""

import struct

FRAME = bytes.fromhex("020000000002020000000001080045000024000100004011b7740a0102030a010204"
                      "0fa0138c0010000001020304050607080000")
WRITE, FILTER, READ = b"\0", b"\1", b"\2"


def pcap(magic, order="<", packets=3, linktype=1):
    data = struct.pack(order + "IHHIIII", magic, 2, 4, 0, 0, 262144, linktype)
    for number in range(packets):
        data += struct.pack(order + "IIII", 1600000000, number, len(FRAME), len(FRAME) + number) + FRAME
    return data


def block(kind, body, order="<"):
    body += bytes(-len(body) % 4)
    return struct.pack(order + "II", kind, len(body) + 12) + body + struct.pack(order + "I", len(body) + 12)


def pcapng(order="<", options=b"", simple=False, interfaces=1):
    data = block(0x0a0d0d0a, struct.pack(order + "IHHq", 0x1a2b3c4d, 1, 0, -1), order)
    for _ in range(interfaces):
        data += block(1, struct.pack(order + "HHI", 1, 0, 262144) + options, order)
    for number in range(3):
        body = struct.pack(order + "IIIII", number % interfaces, 0x5a3b1, number, len(FRAME), len(FRAME))
        if simple:
            data += block(3, struct.pack(order + "I", len(FRAME)) + FRAME, order)
        else:
            data += block(6, body + FRAME, order)
    return data


def captures():
    def reading(content, loops=1, streamed=False):
        return READ + bytes((loops, streamed)) + content

    files = {"us": pcap(0xa1b2c3d4), "ns": pcap(0xa1b23c4d), "big": pcap(0xa1b2c3d4, ">"),
             "patched": pcap(0xa1b2cd34), "empty": pcap(0xa1b23c4d, packets=0),
             "ip": pcap(0xa1b23c4d, linktype=101), "other": pcap(0xa1b2c3d4, linktype=113),
             "ng": pcapng(options=struct.pack("<HHBxxxI", 9, 1, 9, 0)), "ng-big": pcapng(">"),
             "ng-simple": pcapng(simple=True), "ng-two": pcapng(interfaces=2),
             "ng-offset": pcapng(options=struct.pack("<HHqI", 14, 8, 1000, 0)),
             "ng-sections": pcapng() + pcapng(">")}
    for name, content in files.items():
        yield f"read-{name}", reading(content)
        yield f"cut-{name}", reading(content[:-7])
    yield "loops", reading(files["ns"], loops=3)
    yield "endless", reading(files["ng"], loops=0)
    yield "pipe", reading(files["ng"], streamed=True)
    packet = struct.pack("<QB", 1600000000123456789, len(FRAME) - 1) + FRAME + b"\1"
    yield "write-pcap", WRITE + b"\0\n\n" + packet * 3
    yield "write-ng", WRITE + b"\1comment\nmemif0\n" + packet * 3
    for number in range(10):
        yield f"filter-{number}", FILTER + bytes((number, 0)) + FRAME
        yield f"filter-ip-{number}", FILTER + bytes((number, 1)) + FRAME[14:]


FUZZERS = {"captures": captures}
