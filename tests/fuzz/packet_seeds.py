# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""Seeds of the fuzzers packets, batches and settings."""

import socket
import struct

OUR_MAC, PEER_MAC = bytes.fromhex("0200c0a80101"), bytes.fromhex("02fe11223344")
OUR_4, PEER_4 = bytes([192, 168, 1, 1]), bytes([192, 168, 1, 2])
OUR_6 = socket.inet_pton(socket.AF_INET6, "2001:db8::ab:cd01")
PEER_6 = socket.inet_pton(socket.AF_INET6, "2001:db8::2")
IPV4, ARP, IPV6 = 0x0800, 0x0806, 0x86dd


# ---- Packets ----------------------------------------------------------------------------------

def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def with_sum(data, offset, pseudo=b""):
    total = checksum(pseudo + data)
    return data[:offset] + struct.pack("!H", total) + data[offset + 2:]


def ethernet(kind, body, to=OUR_MAC, source=PEER_MAC, tags=b""):
    return to + source + tags + struct.pack("!H", kind) + body


def ipv4(protocol, body, options=b"", fragment=0x4000, to=OUR_4, source=PEER_4):
    header = struct.pack("!BBHHHBBH", 0x45 + len(options) // 4, 0, 20 + len(options) + len(body),
                         7, fragment, 64, protocol, 0) + source + to + options
    return with_sum(header, 10) + body


def ipv6(protocol, body, extensions=b"", first=None, to=OUR_6, source=PEER_6, hops=64):
    kind = protocol if first is None else first
    return struct.pack("!IHBB", 6 << 28, len(extensions) + len(body), kind, hops) + source + to + \
        extensions + body


def pseudo(source, to, length, protocol):
    if len(source) == 4:
        return source + to + struct.pack("!BBH", 0, protocol, length)
    return source + to + struct.pack("!II", length, protocol)


def icmp(kind, body=bytes(range(24))):
    return with_sum(struct.pack("!BBHHH", kind, 0, 0, 7, 1) + body, 2)


def icmpv6(kind, body, to=OUR_6, source=PEER_6):
    message = struct.pack("!BBH", kind, 0, 0) + body
    return with_sum(message, 2, pseudo(source, to, len(message), 58))


def udp(body, source=PEER_4, to=OUR_4):
    message = struct.pack("!HHHH", 1024, 9, 8 + len(body), 0) + body
    return with_sum(message, 6, pseudo(source, to, len(message), 17))


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc


def probe(number, flow=0, tail=bytes(range(20))):
    """What packetgen puts into a packet; see plugins/packet/test_header.hpp."""
    fields = struct.pack("!HHHIQ", 0xb7e5, flow, number >> 32, number & 0xffffffff, 1000)
    return fields + struct.pack("<I", crc32c(tail + fields)) + tail


def arp(operation=1):
    return struct.pack("!HHBBH", 1, IPV4, 6, 4, operation) + PEER_MAC + PEER_4 + bytes(6) + OUR_4


def solicitation(options=b"\1\1" + PEER_MAC, hops=255):
    group = socket.inet_pton(socket.AF_INET6, "ff02::1:ff00:0")[:13] + OUR_6[13:]
    body = icmpv6(135, bytes(4) + OUR_6 + options, group)
    return ethernet(IPV6, ipv6(58, body, to=group, hops=hops), b"\x33\x33" + group[12:])


def frame(source, to, kind=0x88b5):
    return ethernet(kind, bytes(46), bytes([2, 0, 0, 0, 0, to]), bytes([2, 0, 0, 0, 0, source]))


TAG, TAG_AD = b"\x81\0\0\7", b"\x88\xa8\0\7"
ECHO_6 = icmpv6(128, struct.pack("!HH", 7, 1) + bytes(range(24)))
HOP_BY_HOP, DESTINATION = b"\x3c\0\1\4" + bytes(4), b"\x3a\0\1\4" + bytes(4)


def frames():
    echo = ipv4(1, icmp(8))
    yield "echo", ethernet(IPV4, echo)
    yield "echo-tag", ethernet(IPV4, echo, tags=TAG)
    yield "echo-tags", ethernet(IPV4, echo, tags=TAG_AD + TAG)
    yield "echo-padded", ethernet(IPV4, ipv4(1, icmp(8, b"x"))).ljust(60, b"\0")
    yield "echo-long", ethernet(IPV4, ipv4(1, icmp(8, bytes(600))))
    yield "echo-reply", ethernet(IPV4, ipv4(1, icmp(0)))
    yield "echo-broadcast", ethernet(IPV4, echo, b"\xff" * 6)
    yield "echo-other", ethernet(IPV4, ipv4(1, icmp(8), to=bytes([192, 168, 1, 9])))
    yield "echo-group", ethernet(IPV4, ipv4(1, icmp(8), to=bytes([224, 0, 0, 1])))
    yield "echo-martian", ethernet(IPV4, ipv4(1, icmp(8), source=bytes([127, 0, 0, 1])))
    yield "echo-fragment", ethernet(IPV4, ipv4(1, icmp(8), fragment=0x2001))
    yield "echo-bad-sum", ethernet(IPV4, ipv4(1, icmp(8)[:-1] + b"x"))
    yield "echo-timestamp", ethernet(IPV4, ipv4(1, icmp(8), b"\x44\x0c\5\0" + bytes(8)))
    yield "echo-route", ethernet(IPV4, ipv4(1, icmp(8), b"\x83\7\4" + PEER_4 + b"\0"))
    yield "echo-options", ethernet(IPV4, ipv4(1, icmp(8), b"\1\1\x94\4\0\0\0\0"))
    yield "echo-bad-option", ethernet(IPV4, ipv4(1, icmp(8), b"\x44\1\0\0"))
    yield "v6-echo", ethernet(IPV6, ipv6(58, ECHO_6))
    yield "v6-extensions", ethernet(IPV6, ipv6(58, ECHO_6, HOP_BY_HOP + DESTINATION, 0))
    for action in (0x40, 0x80, 0xc0):
        yield f"v6-option{action:x}", ethernet(
            IPV6, ipv6(58, ECHO_6, b"\x3a\0" + bytes([action | 5, 4]) + bytes(4), 60))
    for left in (0, 1):
        yield f"v6-routing{left}", ethernet(
            IPV6, ipv6(58, ECHO_6, b"\x3a\0\0" + bytes([left]) + bytes(4), 43))
    yield "v6-fragment", ethernet(IPV6, ipv6(58, ECHO_6, b"\x3a\0\0\1" + bytes(4), 44))
    yield "v6-pad1", ethernet(IPV6, ipv6(58, ECHO_6, b"\x3a\0" + bytes(6), 0))
    yield "v6-group", ethernet(IPV6, ipv6(58, ECHO_6, to=b"\xff\2" + bytes(13) + b"\1"))
    yield "v6-udp", ethernet(IPV6, ipv6(17, udp(b"data", PEER_6, OUR_6)))
    yield "solicitation", solicitation()
    yield "solicitation-plain", solicitation(b"")
    yield "solicitation-far", solicitation(hops=64)
    yield "solicitation-option", solicitation(b"\1\0" + PEER_MAC)
    yield "solicitation-options", solicitation(b"\x0e\1" + bytes(6) + b"\1\1" + PEER_MAC)
    yield "arp", ethernet(ARP, arp(), b"\xff" * 6)
    yield "arp-reply", ethernet(ARP, arp(2))
    yield "arp-tag", ethernet(ARP, arp(), b"\xff" * 6, tags=TAG)
    yield "udp", ethernet(IPV4, ipv4(17, udp(b"data!")))
    yield "tcp", ethernet(IPV4, ipv4(6, struct.pack("!HH", 80, 1024) + bytes(16)))
    yield "sctp", ethernet(IPV4, ipv4(132, struct.pack("!HH", 80, 1024) + bytes(16)))
    yield "other", ethernet(0x88b5, bytes(46))
    yield "reserved", ethernet(0x88cc, bytes(46), bytes.fromhex("0180c200000e"))
    yield "from-group", ethernet(0x88b5, bytes(46), source=b"\xff" * 6)
    yield "short", ethernet(IPV4, b"")[:13]
    yield "short-tag", ethernet(IPV4, b"", tags=TAG)[:16]


def one(packet, port=0, room=0):
    return bytes([port, room]) + struct.pack("<H", len(packet)) + packet


def packets():
    for name, packet in frames():
        yield name, bytes([0, 1]) + one(packet)
        if packet[12:14] in (b"\x08\0", b"\x86\xdd"):
            yield f"ip-{name}", bytes([1, 0]) + one(packet[14:], room=3)
    yield "not-verified", bytes([0, 0]) + one(ethernet(IPV4, ipv4(1, icmp(8)[:-1] + b"x")))
    # A bridge learns, a station moves; and numbers come late, twice, or not at all.
    yield "stations", bytes([0, 1]) + one(frame(1, 2)) + one(frame(2, 1), 1) + one(frame(1, 2)) + \
        one(frame(1, 2), 1) + one(frame(3, 1), 1) + b"".join(one(frame(i, 1), i % 3) for i in range(9))
    for verify in (0, 1):
        yield f"numbers{verify}", bytes([0, verify]) + b"".join(
            one(ethernet(IPV4, ipv4(17, udp(probe(number))))) for number in (5, 6, 6, 9, 7, 2, 4000, 8))
    yield "probe-echo", bytes([0, 1]) + one(ethernet(IPV4, ipv4(1, icmp(0, probe(1, 3)))))
    yield "probe-v6", bytes([0, 1]) + one(
        ethernet(IPV6, ipv6(17, udp(probe(1), PEER_6, OUR_6)))) + one(
            ethernet(IPV6, ipv6(58, icmpv6(129, bytes(4) + probe(2)))))
    yield "probe-damaged", bytes([0, 1]) + one(ethernet(IPV4, ipv4(17, udp(probe(1)[:-1] + b"x"))))
    yield "probe-cut", bytes([0, 0]) + one(ethernet(IPV4, ipv4(17, udp(probe(1))))[:-4])


# ---- batches.cpp ------------------------------------------------------------------------------

LIST, COPY, UNPACK, PUSH, PLAINLY, QUERY, EVENTS = 0, 2, 3, 4, 6, 7, 8
NO_PTS, PTS = b"\0", b"\1" + struct.pack("<I", 1000)
ALONE, SHARED, COPIED, PART = b"\3", b"\0", b"\1", b"\2"


def batch(packets=2, size=0, content=b"", damage=b"\1", pts=NO_PTS, other=ALONE):
    """`packets` chooses 1, 2, 8 or none, `size` 60, 1 or 0 bytes."""
    return b"\1" + bytes([packets, size, len(content)]) + content + damage + pts + other


def plain(content=b"abc", memories=b"\1", flags=b"\0\0\1", pts=NO_PTS, other=ALONE):
    return b"\0" + memories + (bytes([4, len(content)]) + content + flags) + pts + other


def batches():
    for kind in range(5):
        for byte, name in enumerate(("as-is", "front", "back", "pop", "truncate", "drop", "to", "none")):
            if kind < 2 or byte in (0, 3, 5):
                content = bytes([byte | 16, 1, 2])
                yield f"element{kind}-{name}", bytes([kind, PUSH]) + batch(content=content)
    first = bytes([1])
    yield "copied", first + bytes([COPY]) + batch(content=b"copy", pts=PTS) + b"\1\1"
    yield "unpacked", first + bytes([UNPACK]) + batch(content=b"copy", pts=PTS)
    yield "list", first + bytes([LIST, 2]) + batch(content=b"\x0a") + plain() + batch(content=b"\x05")
    yield "plain", first + bytes([PUSH]) + plain(b"\x11plain")
    yield "pieces", first + bytes([PUSH]) + b"\0\0\3" + (b"\0" + b"\x09" * 60 + b"\1\1\1") * 3 + NO_PTS + ALONE
    yield "empty", first + bytes([PUSH]) + b"\0\0\0" + NO_PTS + ALONE
    for name, other in (("shared", SHARED), ("copy", COPIED), ("part", PART)):
        yield f"batch-{name}", first + bytes([PUSH]) + batch(content=b"\x09", other=other, pts=PTS)
        yield f"plain-{name}", first + bytes([PUSH]) + plain(b"\x09", other=other)
    damages = {"offset": b"\0\1\0\0\4", "length": b"\0\1\0\1\4", "delay": b"\0\1\0\2" + bytes(4)}
    for kind in range(5):
        for name, damage in damages.items():
            yield f"damage{kind}-{name}", bytes([kind, PUSH]) + batch(
                content=b"\x12", damage=damage + b"\7")
        for mend in range(5):
            choice = bytes([mend]) + (b"\1" if mend == 0 else b"")
            yield f"damage{kind}-whole{mend}", bytes([kind, PUSH]) + batch(
                content=b"\x12", damage=b"\0\0" + choice)
    yield "damage-copied", first + bytes([COPY]) + batch(damage=damages["offset"] + b"\7") + b"\1\1"
    yield "damage-unpacked", first + bytes([UNPACK]) + batch(damage=damages["length"] + b"\7")
    for way in range(5):
        for part in (0, 1):
            how = bytes([part, way]) + (b"\2\3" if way == 2 else b"")
            yield f"plainly{way}-{part}", first + bytes([PLAINLY]) + batch(content=b"xy") + how
    yield "plainly-damaged", first + bytes([PLAINLY]) + batch(damage=damages["length"] + b"\7") + b"\0\1"
    yield "plainly-packet", first + bytes([PLAINLY]) + plain() + b"\2\1\1"
    for kind in range(5):
        pools = b"".join(bytes([pool, 9, 0, 2, 1]) for pool in (0, 2, 1))
        yield f"query{kind}", bytes([kind, QUERY, 1, 1, 3]) + pools
        yield f"query{kind}-large", bytes([kind, QUERY, 0, 2, 3]) + pools
        for caps in range(5):
            yield f"event{kind}-{caps}", bytes([kind, EVENTS, caps & 1]) + b"\1" * (caps & 1) + \
                bytes([caps, PUSH]) + batch()


# ---- settings.cpp -----------------------------------------------------------------------------

MEMIF, GENERATE, MAC, V4, V6, SOCKET, RATE, SIZES, CAPS, ROLE, ANSWER = range(11)
TEXTS = {
    MAC: ["02:00:c0:a8:01:01", "02-00-C0-A8-01-01", "02:00:c0-a8:01:01", "0200c0a80101", ""],
    V4: ["192.168.1.1", "192.168.1.256", "1.2.3"],
    V6: ["2001:db8::1", "::ffff:1.2.3.4", "fe80::1%eth0", "1:2:3:4:5:6:7:8"],
    SOCKET: ["/", "/tmp/memif.sock", "/dev/null", "/dev/null/memif.sock", "/proc/self/cwd", "/run/vpp/memif.sock", "@name", "abstract:name", "relative", "", "@", "/" + "x" * 120],
    RATE: ["0", "250000", "1.5Mpps", "10Gbps", "100kpps", "1e3", "-1", "5furlongs"],
    SIZES: ["64", "64-1500", "imix", "0", "1500-64", "70000", "64-"],
    CAPS: ["\0ethernet", "\0ip", "\0punt", "\0foo", "\1ip", "\2ip", "\4ip", "\x08ip", "\x0cip"],
    ROLE: ["slave", "client", "master", "server", "king"],
}
ANSWERS = ["192.168.1.1, 2001:db8::1\n", "10.0.0.1\n02:00:00:00:00:09", "fd00::1\n01:00:00:00:00:00",
           "224.0.0.1\n", "\n", "192.168.1.1,\n", "x\n", "127.0.0.1,::1\n"]


def memif_settings(partial_a, partial_b=bytes(14), role=b"\0"):
    return bytes([MEMIF]) + partial_a + partial_b + role


def partial(mode=None, numbers=(None,) * 5, texts=(None,) * 4, limits=(None,) * 4):
    out = b"\0" if mode is None else bytes([1, mode])
    for number in numbers:
        out += b"\0" if number is None else bytes([1, number])
    for text in texts:
        out += b"\0" if text is None else b"\1" + text.encode() + b"\n"
    for limit in limits:
        out += b"\0" if limit is None else bytes([1, limit])
    return out


def generated(ip, protocol, link, texts, vlan=b"\0", flows=b"\1", source=1024):
    return bytes([GENERATE, ip, protocol]) + flows + vlan + struct.pack("<HH", source, 9) + \
        bytes([1, link]) + "\n".join(texts).encode() + b"\n"


def settings():
    for kind, texts in TEXTS.items():
        for i, text in enumerate(texts):
            yield f"text{kind}-{i}", bytes([kind]) + text.encode()
    for i, text in enumerate(ANSWERS):
        yield f"answer{i}", bytes([ANSWER]) + text.encode()
    yield "memif", memif_settings(partial())
    full = partial(1, (0, 0, 1, 1, 0), ("secret", "eth0", "root:root", "0,1000"))
    yield "memif-full", memif_settings(full, full)
    yield "memif-master", memif_settings(full, partial(2), b"\1")
    for i, numbers in enumerate(((2,), (3,), (None, 2), (None, None, 3), (None, None, 4),
                                 (None, None, None, 2), (1, 1, 2, 3))):
        numbers = (numbers + (None,) * 5)[:5]
        yield f"memif-number{i}", memif_settings(partial(None, numbers), full)
    for i, texts in enumerate((("s" * 30,), (None, "n" * 40), (None, None, "nobody-there"),
                               (None, None, "0:nobody-there"), (None, None, ":0"),
                               (None, None, None, "1,x"), (None, None, None, ""))):
        texts = (texts + (None,) * 4)[:4]
        yield f"memif-text{i}", memif_settings(partial(None, texts=texts), full)
    for i in range(4):
        for value in (0, 1):
            yield f"memif-limit{i}-{value}", memif_settings(
                partial(limits=(None,) * i + (value,) + (None,) * (3 - i)), partial(limits=(0,) * 4))
    plain_texts = ["64", "0", "", "", "", ""]
    for ip in (0, 1):
        for protocol in (0, 1):
            for link in (0, 1):
                yield f"generate{ip}{protocol}{link}", generated(ip, protocol, link, ["100-200"] + plain_texts[1:])
    yield "generate-imix", generated(0, 0, 0, ["imix", "10Gbps", "02:00:00:00:00:01",
                                               "02:00:00:00:00:02", "10.0.0.1", "10.0.0.2"], b"\1\7\0")
    yield "generate-v6", generated(1, 0, 0, ["imix", "1kpps", "", "", "fd00::1", "fd00::2"])
    yield "generate-short", generated(1, 0, 0, ["20"] + plain_texts[1:])
    yield "generate-flows", generated(0, 0, 0, plain_texts, flows=b"\2")
    for i in range(6):
        yield f"generate-wrong{i}", generated(0, 0, 0, plain_texts[:i] + ["wrong"] + plain_texts[i + 1:])


FUZZERS = {"batches": batches, "packets": packets, "settings": settings}
