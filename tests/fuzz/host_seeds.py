# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""Seeds of the fuzzer iphost: iphost.cpp."""

import socket
import struct

from packet_seeds import (ARP, IPV4, IPV6, OUR_4, OUR_6, OUR_MAC, PEER_4, PEER_6, PEER_MAC, TAG, arp, ethernet, icmp,
                          icmpv6, ipv4, ipv6, pseudo, solicitation, with_sum)

ETHERNET, IP, VLAN, TRUSTING, STATIC, NO_PROBES = 0, 1, 2, 4, 8, 16
MS, MS_100, S_1, S_3, S_10, S_40, S_300, S_1000 = (bytes([0, i]) for i in range(8))
# By number in iphost.cpp.
(OURS, PEER, GATEWAY, BROADCAST, FAR, GROUP, ALL, PEER_V6, OURS_V6, GATEWAY_V6, FAR_V6, GROUP_V6, ALL_V6) = range(13)
GROUP_4, ALL_4 = bytes([239, 1, 2, 3]), bytes([224, 0, 0, 1])
GROUP_6, ALL_6 = (socket.inet_pton(socket.AF_INET6, a) for a in ("ff15::1", "ff02::1"))
ROUTER_6 = socket.inet_pton(socket.AF_INET6, "fe80::1")
UP, DOWN = b"\4\1", b"\4\0"


def receives(packet, room=8):
    # The first of 8 says that checksums are not to be repaired.
    return bytes([5, 0, room]) + struct.pack("<H", len(packet)) + packet


def sends(to, size=100):
    return bytes([1, to]) + struct.pack("<H", size)


def binds(port, group=None, sources=()):
    return bytes([2, port]) + (b"\0" if group is None else bytes([1, group])) + bytes([len(sources), *sources])


def unbinds(number):
    return bytes([3, number])


def to_group(group):
    if len(group) == 4:
        return b"\1\0\x5e" + bytes([group[1] & 0x7f]) + group[2:]
    return b"\x33\x33" + group[12:]


def udp(body, source=PEER_4, to=OUR_4, port=1):
    message = struct.pack("!HHHH", 1024, port, 8 + len(body), 0) + body
    return with_sum(message, 6, pseudo(source, to, len(message), 17))


def arp_reply(sender=PEER_4, mac=PEER_MAC):
    body = struct.pack("!HHBBH", 1, IPV4, 6, 4, 2) + mac + sender + OUR_MAC + OUR_4
    return ethernet(ARP, body, source=mac)


def announcement(sender=OUR_4, mac=PEER_MAC):
    body = struct.pack("!HHBBH", 1, IPV4, 6, 4, 1) + mac + sender + bytes(6) + sender
    return ethernet(ARP, body, b"\xff" * 6, mac)


def advertisement(target=PEER_6, flags=0x60, to=OUR_6, mac=PEER_MAC):
    message = icmpv6(136, bytes([flags, 0, 0, 0]) + target + b"\2\1" + mac, to, target)
    return ethernet(IPV6, ipv6(58, message, to=to, source=target, hops=255),
                    to_group(to) if to[0] == 0xff else OUR_MAC, mac)


def igmp(body, to=ALL_4):
    header = ipv4(2, with_sum(body, 2), b"\x94\4\0\0", to=to)
    header = with_sum(header[:8] + b"\1" + header[9:10] + b"\0\0" + header[12:24], 10) + header[24:]
    return ethernet(IPV4, header, to_group(to))


def mld(group=bytes(16), second=True):
    body = struct.pack("!HH", 100, 0) + group + (b"\2\x7d\0\0" if second else b"")
    to = ALL_6 if group == bytes(16) else group
    message = icmpv6(130, body, to, ROUTER_6)
    return ethernet(IPV6, ipv6(58, message, b"\x3a\0\5\2\0\0\1\0", 0, to, ROUTER_6, 1), to_group(to))


def fragments(message, step, number=0):
    for at in range(0, len(message), step):
        more = at + step < len(message)
        yield ethernet(IPV4, ipv4(17, message[at:at + step], fragment=at // 8 | (0x2000 if more else 0)))
        header = struct.pack("!BBHI", 17, 0, at | (1 if more else 0), number)
        yield ethernet(IPV6, ipv6(44, header + message[at:at + step]))


def talks():
    bound = binds(1) + binds(1, GROUP) + binds(1, GROUP_V6) + binds(2, GROUP, (PEER, GATEWAY))
    datagrams = receives(ethernet(IPV4, ipv4(17, udp(b"hello")))) + \
        receives(ethernet(IPV6, ipv6(17, udp(b"hello", PEER_6, OUR_6))))
    yield "datagrams", bytes([ETHERNET]) + bound + datagrams
    yield "unbound", bytes([ETHERNET]) + datagrams * 3 + S_1 + datagrams
    yield "groups", bytes([ETHERNET]) + UP + bound + \
        receives(ethernet(IPV4, ipv4(17, udp(b"hello", to=GROUP_4), to=GROUP_4), to_group(GROUP_4))) + \
        receives(ethernet(IPV6, ipv6(17, udp(b"hello", PEER_6, GROUP_6), to=GROUP_6), to_group(GROUP_6)))
    yield "vlan", bytes([VLAN]) + bound + receives(ethernet(IPV4, ipv4(17, udp(b"hello")), tags=TAG)) + datagrams
    yield "ip", bytes([IP]) + bound + receives(ipv4(17, udp(b"hello"))) + receives(ipv4(1, icmp(8))) + \
        receives(ipv6(58, icmpv6(128, bytes(20)))) + sends(PEER) + receives(ipv4(17, udp(b"hello", port=9)))
    yield "answers", bytes([ETHERNET]) + receives(ethernet(ARP, arp())) + receives(solicitation()) + \
        receives(ethernet(IPV4, ipv4(1, icmp(8)))) + receives(ethernet(IPV6, ipv6(58, icmpv6(128, bytes(20)))))


def neighbours():
    four = sends(PEER) + sends(PEER) + receives(arp_reply()) + sends(PEER) + S_40 + S_10 + sends(PEER)
    six = sends(PEER_V6) + sends(PEER_V6) + receives(advertisement()) + sends(PEER_V6) + S_40 + S_10 + sends(PEER_V6)
    yield "arp", bytes([ETHERNET]) + four + S_3 + S_3 + receives(arp_reply()) + S_300
    yield "nd", bytes([ETHERNET]) + six + S_3 + S_3 + receives(advertisement()) + S_300
    yield "lost", bytes([ETHERNET]) + four + S_10 + sends(PEER) + S_10 + six + S_10 + sends(PEER_V6) + S_1000
    other = bytes([2, 0, 0, 0, 0, 9])
    yield "poison", bytes([ETHERNET]) + four + receives(arp_reply(mac=other)) + S_1 + receives(arp_reply()) + \
        receives(announcement(PEER_4, other)) + S_3 + six + receives(advertisement(mac=other)) + S_3
    yield "gateway", bytes([ETHERNET]) + sends(FAR) + sends(FAR_V6) + receives(arp_reply(bytes([192, 168, 1, 254]))) + \
        receives(advertisement(ROUTER_6)) + sends(FAR) + sends(FAR_V6) + S_40 + S_40
    yield "many", bytes([STATIC]) + b"".join(bytes([1, 15, i, 100, 0]) for i in range(20)) + S_1 + S_3 + S_10
    yield "broadcast", bytes([ETHERNET]) + sends(BROADCAST) + sends(GROUP) + sends(GROUP_V6) + sends(OURS)
    yield "down", bytes([ETHERNET]) + UP + four + DOWN + sends(PEER) + UP + S_3


def claims():
    yield "up", bytes([ETHERNET]) + UP + S_3 + S_3 + S_3 + S_3 + DOWN + UP + MS_100
    yield "up-at-once", bytes([NO_PROBES | VLAN]) + UP + S_3
    yield "duplicate", bytes([ETHERNET]) + UP + S_1 + receives(announcement()) + \
        receives(advertisement(OUR_6, 0x20, ALL_6)) + S_40 + S_40 + receives(announcement()) + S_300
    yield "defended", bytes([NO_PROBES]) + UP + S_3 + receives(announcement()) * 3 + \
        receives(advertisement(OUR_6, 0x20, ALL_6)) + S_10 + S_3 + receives(announcement())


def memberships():
    start = UP + binds(1, GROUP) + binds(2, GROUP, (PEER, FAR)) + binds(1, GROUP_V6) + S_10
    queries = receives(igmp(b"\x11\x0a\0\0" + bytes(4) + b"\2\x7d\0\0")) + receives(mld()) + S_10 + \
        receives(igmp(b"\x11\x0a\0\0" + GROUP_4 + b"\2\x7d\0\1" + PEER_4, GROUP_4)) + receives(mld(GROUP_6)) + S_10
    old = receives(igmp(b"\x11\x0a\0\0" + bytes(4))) + receives(mld(second=False)) + S_10
    oldest = receives(igmp(b"\x11\0\0\0" + bytes(4))) + S_10
    leaving = unbinds(0) + unbinds(1) + unbinds(2) + S_10
    yield "membership", bytes([ETHERNET]) + start + queries + leaving
    yield "membership-old", bytes([NO_PROBES]) + start + old + queries + leaving + S_1000 + start + queries
    yield "membership-oldest", bytes([NO_PROBES]) + start + oldest + old + leaving
    yield "sources", bytes([NO_PROBES]) + UP + b"".join(
        binds(1, GROUP, (PEER, FAR, GATEWAY, 15)) + S_1 + unbinds(0) for _ in range(3)) + S_10


def pieces():
    message = udp(bytes(range(200)))
    yield "fragments", bytes([TRUSTING]) + binds(1) + b"".join(receives(f) for f in fragments(message, 80))
    yield "fragments-reversed", bytes([TRUSTING]) + binds(1) + b"".join(
        receives(f) for f in reversed(list(fragments(message, 40))))
    yield "fragments-twice", bytes([TRUSTING]) + binds(1) + b"".join(
        receives(f) * 2 for f in fragments(message, 80)) + S_40
    yield "fragments-overlap", bytes([TRUSTING]) + binds(1) + b"".join(
        receives(f) for step in (80, 56) for f in fragments(message[:100] + bytes(108), step)) + S_40
    yield "fragments-many", bytes([TRUSTING]) + b"".join(
        receives(f) for i in range(6) for f in list(fragments(message, 80, i))[:2]) + S_40
    echo = icmp(8, bytes(2000))
    yield "fragments-echo", bytes([ETHERNET]) + b"".join(
        receives(ethernet(IPV4, ipv4(1, echo[at:at + 1000], fragment=at // 8 | (0x2000 if at < 2000 else 0))))
        for at in (0, 1000, 2000))
    yield "atomic", bytes([ETHERNET]) + receives(
        ethernet(IPV6, ipv6(44, b"\x3a\0\0\0\0\0\0\1" + icmpv6(128, bytes(20)))))


def iphosts():
    for make in (talks, neighbours, claims, memberships, pieces):
        yield from make()


FUZZERS = {"iphost": iphosts}
