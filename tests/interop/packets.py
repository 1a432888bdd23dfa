# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""Requests to the responder and the judgement of its replies.

The expected reply is derived from the request as the RFCs say (826, 792, 4443, 4861): addresses
swapped, type of a reply, everything the requester wrote returned. What the responder may choose is
left free: the TTL (not zero), the IP identification, padding behind the packet. Most replies are
compared as bytes with the reply expected for that sequence number; whatever differs is taken apart
field by field before it is called wrong.
"""

import random
import socket
import struct

PEER_MAC = bytes.fromhex("02fe00000002")
BROADCAST = b"\xff" * 6
PEER_IP4, TARGET_IP4 = "192.168.1.2", "192.168.1.1"
PEER_IP6, TARGET_IP6 = "fd00::2", "fd00::1"
ETH_IP4, ETH_ARP, ETH_IP6 = b"\x08\x00", b"\x08\x06", b"\x86\xdd"
PAYLOADS = 13           # a prime: neighbours on a ring of 2^n slots never carry the same payload


class WrongReply(AssertionError):
    """A reply that is not the one the request asks for."""


def ip4(text):
    return socket.inet_pton(socket.AF_INET, text)


def ip6(text):
    return socket.inet_pton(socket.AF_INET6, text)


def word_sum(data):
    """The one's complement sum of 16-bit words, folded."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def checksum(data):
    return ~word_sum(data) & 0xFFFF


def check(condition, what, packet):
    if not condition:
        raise WrongReply(f"{what}: {packet[:96].hex(' ', 2)}{'...' if len(packet) > 96 else ''}")


def pseudo6(source, target, length, proto=58):
    return source + target + struct.pack("!II", length, proto)


def arp_request(target=TARGET_IP4, source=PEER_IP4, mac=PEER_MAC):
    body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + mac + ip4(source) + bytes(6) + ip4(target)
    return (BROADCAST + mac + ETH_ARP + body).ljust(60, b"\0")


def judge_arp(packet, target=TARGET_IP4, source=PEER_IP4, mac=PEER_MAC):
    """The hardware address an ARP reply carries, after checking all of the reply."""
    check(len(packet) >= 42 and packet[12:14] == ETH_ARP, "not ARP", packet)
    owner = packet[22:28]
    check(packet[0:6] == mac, "ARP reply not to the asker", packet)
    check(packet[6:12] == owner, "ARP reply from another station than it names", packet)
    check(packet[14:22] == struct.pack("!HHBBH", 1, 0x0800, 6, 4, 2), "ARP header", packet)
    check(packet[28:32] == ip4(target), "ARP sender address", packet)
    check(packet[32:38] == mac and packet[38:42] == ip4(source), "ARP target", packet)
    check(not owner[0] & 1 and any(owner), "ARP answered with no station's address", packet)
    return owner


def neighbour_solicitation(target=TARGET_IP6, source=PEER_IP6, mac=PEER_MAC):
    group = ip6("ff02::1:ff00:0")[:13] + ip6(target)[13:]
    body = struct.pack("!BBHI", 135, 0, 0, 0) + ip6(target) + b"\x01\x01" + mac
    total = checksum(pseudo6(ip6(source), group, len(body)) + body)
    body = body[:2] + struct.pack("!H", total) + body[4:]
    header = struct.pack("!IHBB", 6 << 28, len(body), 58, 255) + ip6(source) + group
    return b"\x33\x33" + group[12:] + mac + ETH_IP6 + header + body


def judge_na(packet, target=TARGET_IP6, source=PEER_IP6, mac=PEER_MAC):
    """The hardware address a neighbour advertisement carries, after checking all of it."""
    check(len(packet) >= 14 + 40 + 32 and packet[12:14] == ETH_IP6, "not IPv6", packet)
    length = struct.unpack_from("!H", packet, 18)[0]
    body = packet[54:54 + length]
    check(packet[0:6] == mac, "advertisement not to the asker", packet)
    check(packet[14] >> 4 == 6 and packet[20] == 58, "advertisement's header", packet)
    check(packet[21] == 255, "advertisement's hop limit is not 255", packet)
    check(packet[22:38] == ip6(target) and packet[38:54] == ip6(source), "addresses", packet)
    check(len(body) == length >= 32, "advertisement's length", packet)
    check(word_sum(pseudo6(ip6(target), ip6(source), length) + body) == 0xFFFF,
          "advertisement's checksum", packet)
    check(body[0] == 136 and body[1] == 0, "advertisement's type", packet)
    check(body[4] & 0x60 == 0x60, "advertisement is not solicited and overriding", packet)
    check(body[8:24] == ip6(target), "advertisement's target", packet)
    check(body[24:26] == b"\x02\x01", "advertisement has no link-layer address", packet)
    owner = body[26:32]
    check(packet[6:12] == owner, "advertisement from another station than it names", packet)
    return owner


class EchoFlow:
    """A numbered series of echo requests of one size and the book-keeping of its replies."""

    def __init__(self, version=4, size=64, mac=None, count=1 << 20, seed=1):
        """`size` is the frame without FCS; without `mac` the packet is bare IP (mode ip)."""
        self.version = version
        self.link = 14 if mac else 0
        self.at = self.link + (20 if version == 4 else 40)      # where ICMP begins
        self.size, self.mac = size, mac
        generator = random.Random(seed)
        self.payloads = [generator.randbytes(size - self.at - 8) for _ in range(PAYLOADS)]
        self.request_head = self._head(mac, PEER_MAC, True)
        self.reply_head = None              # learnt: it holds the TTL the responder chose
        self.request_sums = self._sums(8 if version == 4 else 128)
        self.reply_sums = self._sums(0 if version == 4 else 129)
        self.seen = bytearray(count)
        self.answered = 0

    def _head(self, target_mac, source_mac, to_target):
        length = self.size - self.at
        if self.version == 4:
            ends = ip4(PEER_IP4) + ip4(TARGET_IP4) if to_target else \
                ip4(TARGET_IP4) + ip4(PEER_IP4)
            header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, 0x4D49, 0, 64, 1, 0) + ends
            header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
            kind, ethertype = (b"\x08\x00" if to_target else b"\0\0"), ETH_IP4
        else:
            ends = ip6(PEER_IP6) + ip6(TARGET_IP6) if to_target else \
                ip6(TARGET_IP6) + ip6(PEER_IP6)
            header = struct.pack("!IHBB", 6 << 28, length, 58, 64) + ends
            kind, ethertype = (b"\x80\x00" if to_target else b"\x81\x00"), ETH_IP6
        return (target_mac + source_mac + ethertype if self.link else b"") + header + kind

    def _sums(self, kind):
        pseudo = b"" if self.version == 4 else \
            pseudo6(ip6(PEER_IP6), ip6(TARGET_IP6), self.size - self.at)
        return [word_sum(pseudo + struct.pack("!BBHHH", kind, 0, 0, 0, 0) + payload)
                for payload in self.payloads]

    @staticmethod
    def _packet(head, sums, payloads, index):
        total = sums[index % PAYLOADS] + (index >> 16) + (index & 0xFFFF)
        total = (total & 0xFFFF) + (total >> 16)
        total = (total & 0xFFFF) + (total >> 16)
        return head + struct.pack("!HI", ~total & 0xFFFF, index) + payloads[index % PAYLOADS]

    def requests(self, start, count):
        """Requests number start to start + count; number = identifier << 16 | sequence."""
        head, sums, payloads, packet = (self.request_head, self.request_sums, self.payloads,
                                        self._packet)
        return [packet(head, sums, payloads, index) for index in range(start, start + count)]

    def judge(self, packets):
        """Counts correct replies, raises WrongReply at the first that is not."""
        at, seen, packet_of = self.at + 4, self.seen, self._packet
        for packet in packets:
            check(len(packet) >= self.size, f"shorter than {self.size}", packet)
            index = int.from_bytes(packet[at:at + 4], "big")
            if self.reply_head is None or packet != packet_of(
                    self.reply_head, self.reply_sums, self.payloads, index):
                self._judge_fields(packet, index)
            check(index < len(seen), f"reply to request {index}, never sent", packet)
            check(not seen[index], f"second reply to request {index}", packet)
            seen[index] = 1
        self.answered += len(packets)
        return len(packets)

    def _judge_fields(self, packet, index):
        if self.link:
            check(packet[0:6] == PEER_MAC, "Ethernet destination", packet)
            check(packet[6:12] == self.mac, "Ethernet source", packet)
            check(packet[12:14] == self.request_head[12:14], "ethertype", packet)
        (self._judge_ip4 if self.version == 4 else self._judge_ip6)(packet)
        icmp = packet[self.at:self.size]
        pseudo = b"" if self.version == 4 else \
            pseudo6(ip6(TARGET_IP6), ip6(PEER_IP6), len(icmp))
        check(icmp[0] == (0 if self.version == 4 else 129) and icmp[1] == 0, "ICMP type", packet)
        check(word_sum(pseudo + icmp) == 0xFFFF, "ICMP checksum", packet)
        check(icmp[8:] == self.payloads[index % PAYLOADS], f"payload of request {index}", packet)
        if self.reply_head is None:
            self.reply_head = packet[:self.at + 2]

    def _judge_ip4(self, packet):
        header = packet[self.link:self.at]
        length = struct.unpack_from("!H", header, 2)[0]
        check(header[0] == 0x45, "IPv4 version and header length", packet)
        check(word_sum(header) == 0xFFFF, "IPv4 header checksum", packet)
        check(length == self.size - self.link, f"IPv4 total length {length}", packet)
        check(not struct.unpack_from("!H", header, 6)[0] & 0x3FFF, "fragment", packet)
        check(header[8] > 0, "TTL 0", packet)
        check(header[9] == 1, "protocol", packet)
        check(header[12:16] == ip4(TARGET_IP4), "IPv4 source", packet)
        check(header[16:20] == ip4(PEER_IP4), "IPv4 destination", packet)

    def _judge_ip6(self, packet):
        header = packet[self.link:self.at]
        length = struct.unpack_from("!H", header, 4)[0]
        check(header[0] >> 4 == 6, "IPv6 version", packet)
        check(length == self.size - self.at, f"IPv6 payload length {length}", packet)
        check(header[6] == 58, "next header", packet)
        check(header[7] > 0, "hop limit 0", packet)
        check(header[8:24] == ip6(TARGET_IP6), "IPv6 source", packet)
        check(header[24:40] == ip6(PEER_IP6), "IPv6 destination", packet)
