# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""iphost against foreign stations: a peer in Python whose wire tshark and scapy judge."""

import contextlib
import re
import socket
import struct
import time

import doc_commands
import lan
import packets
from base import InteropTest
from lan import IP4, IP6, OUR_IP4, OUR_IP6, OUR_MAC, Pipeline, Station
from memif_peer import Peer
from pipeline import wait_for

from scapy.layers.inet import ICMP, IP, UDP, IPOption_Router_Alert, fragment
from scapy.layers.inet6 import (ICMPv6DestUnreach, ICMPv6EchoReply, ICMPv6EchoRequest,
                                ICMPv6MLQuery2, ICMPv6MLReport2, ICMPv6ND_NA, ICMPv6ND_NS, IPv6,
                                IPv6ExtHdrFragment, IPv6ExtHdrHopByHop, RouterAlert, fragment6,
                                in6_getnsma)
from scapy.layers.l2 import ARP, Dot1Q, Ether

SECONDS = 60
PAYLOAD = 1000


def description(path, pads="", before="", after="", host="",
                address=f"{OUR_IP4}/24,{OUR_IP6}/64", role="slave", sink=""):
    """A pipeline of an iphost on an interface; `before` ends in `! h.udp_sink_0`."""
    common = f"socket-path={path} role={role}"
    return (f"{before} iphost name=h address={address} mac={OUR_MAC} {host} {pads} "
            f"memifsrc {common} ! h.sink h.src ! memifsink {common} {sink} {after}")


def sending(path, file, to, port=5004, size=PAYLOAD, pad="", **more):
    """The datagrams of a file, one in 10 ms: none is lost while the neighbour is resolved."""
    return description(
        path, before=f"filesrc location={file} blocksize={size} ! h.udp_sink_0",
        pads=f"udp_sink_0::host={to} udp_sink_0::port={port} "
             f"udp_sink_0::max-bitrate={size * 800} {pad}", sink="when-down=block", **more)


def receiving(path, file, port=5004, pad="", **more):
    return description(path, pads=f"udp_src_0::port={port} {pad}",
                       after=f"h.udp_src_0 ! filesink location={file} buffer-mode=unbuffered", **more)


def missing():
    return None if doc_commands.exists("iphost") else "there is no element iphost"


class HostTest(InteropTest):
    """A station at the other end of the link, which listens as master."""

    @classmethod
    def why_not(cls):
        return super().why_not() or missing()

    @contextlib.contextmanager
    def station(self, launch, path, **settings):
        """The pipeline and a station that has met it; what it sent is judged in the end."""
        with Peer("master", path) as peer:
            peer.listen()
            with Pipeline(launch) as pipe:
                peer.connect(SECONDS)
                station = Station(peer, **settings)
                yield station, pipe
                self.judge(station.seen, path)

    def judge(self, packets, path, allowed=()):
        lan.scapy_approves(packets)
        lan.tshark_approves(f"{path}.pcap", packets, allowed)

    def datagrams(self, station, version, count, port=5004, timeout=SECONDS):
        """Payloads of the UDP datagrams that come, in order."""
        layer = IP if version == 4 else IPv6
        found = []
        deadline = time.monotonic() + timeout
        while len(found) < count and time.monotonic() < deadline and not station.left:
            found += [bytes(packet[UDP].payload)[:packet[UDP].len - 8]
                      for packet in station.poll(0.1)
                      if layer in packet and UDP in packet and packet[UDP].dport == port]
        return found

    def udp(self, version, payload, port=5004, station=None, sport=4000, mac=OUR_MAC, to=None):
        link = Ether(src=station.mac, dst=mac)
        net = IP(src=IP4, dst=to or OUR_IP4) if version == 4 else IPv6(src=IP6, dst=to or OUR_IP6)
        return link / net / UDP(sport=sport, dport=port) / payload


class IpHostWireTest(HostTest):
    """What goes over the wire, packet by packet."""

    def test_sends(self):
        """It asks for the neighbour, and its datagrams come whole and in order, both families."""
        for version, to in ((4, IP4), (6, IP6)):
            with self.subTest(version=version):
                path = self.socket(f"v{version}")
                data = lan.payload_file(f"{path}.in", 40 * PAYLOAD)
                with self.station(sending(path, f"{path}.in", to), path, may_leave=True) as (station, _):
                    got = self.datagrams(station, version, 40)
                    self.assertEqual(b"".join(got), data)
                    asked = [Ether(p) for p in station.seen]
                    self.assertTrue(any(
                        ARP in p and p[ARP].op == 1 and p[ARP].pdst == IP4 if version == 4 else
                        ICMPv6ND_NS in p and p[ICMPv6ND_NS].tgt == IP6 for p in asked))

    def test_receives(self):
        for version in (4, 6):
            with self.subTest(version=version):
                path = self.socket(f"v{version}")
                with self.station(receiving(path, f"{path}.out"), path) as (station, _):
                    self.served(station)
                    data = [bytes([n]) * PAYLOAD for n in range(100)]
                    station.send(*[self.udp(version, d, station=station) for d in data])
                    self.assertEqual(lan.grown_to(f"{path}.out", 100 * PAYLOAD), b"".join(data))

    def served(self, station, version=4):
        """Waits until it answers an echo request: packets that come before it runs may be lost."""
        if version == 4:
            ask = (Ether(src=station.mac, dst=OUR_MAC) / IP(src=IP4, dst=OUR_IP4) /
                   ICMP(id=7) / b"hello")
            station.until(lambda p: ICMP in p and p[ICMP].type == 0, SECONDS, "an echo reply",
                          lambda: station.send(ask))
        else:
            ask = (Ether(src=station.mac, dst=OUR_MAC) / IPv6(src=IP6, dst=OUR_IP6) /
                   ICMPv6EchoRequest(id=7, data=b"hello"))
            station.until(lambda p: ICMPv6EchoReply in p, SECONDS, "an echo reply",
                          lambda: station.send(ask))

    def test_answers(self):
        """ARP, neighbour solicitations, echo, and the error for a port that nobody has bound."""
        path = self.socket()
        with self.station(receiving(path, f"{path}.out"), path) as (station, _):
            self.served(station)
            self.served(station, 6)
            station.send(Ether(src=station.mac, dst="ff:ff:ff:ff:ff:ff") /
                         ARP(op=1, hwsrc=station.mac, psrc=IP4, pdst=OUR_IP4))
            station.until(lambda p: ARP in p and p[ARP].op == 2 and p[ARP].hwsrc == OUR_MAC, SECONDS,
                          "ARP")
            group = socket.inet_ntop(socket.AF_INET6, in6_getnsma(socket.inet_pton(socket.AF_INET6,
                                                                                   OUR_IP6)))
            station.send(Ether(src=station.mac) / IPv6(src=IP6, dst=group, hlim=255) /
                         ICMPv6ND_NS(tgt=OUR_IP6) / lan.ICMPv6NDOptSrcLLAddr(lladdr=station.mac))
            station.until(lambda p: ICMPv6ND_NA in p and p[ICMPv6ND_NA].tgt == OUR_IP6 and
                          p[ICMPv6ND_NA].S, SECONDS, "an advertisement")
            station.send(self.udp(4, b"nobody", port=9, station=station))
            error = station.until(lambda p: ICMP in p and (p[ICMP].type, p[ICMP].code) == (3, 3), SECONDS,
                                  "port unreachable")
            self.assertEqual(error[IP].dst, IP4)
            station.send(self.udp(6, b"nobody", port=9, station=station))
            station.until(lambda p: ICMPv6DestUnreach in p and p[ICMPv6DestUnreach].code == 4, SECONDS,
                          "port unreachable")

    def test_announces_itself(self):
        """Duplicate address detection, announcements; all of it valid."""
        path = self.socket()
        with self.station(receiving(path, f"{path}.out"), path, addresses=()) as (station, _):
            station.until(lambda p: ARP in p and p[ARP].op == 1 and p[ARP].psrc == "0.0.0.0" and
                          p[ARP].pdst == OUR_IP4, SECONDS, "an ARP probe")
            station.until(lambda p: ARP in p and p[ARP].psrc == p[ARP].pdst == OUR_IP4, SECONDS,
                          "an ARP announcement")
            kinds = [Ether(data) for data in station.seen]
            self.assertTrue(any(ICMPv6ND_NS in p and p[IPv6].src == "::" and
                                p[ICMPv6ND_NS].tgt == OUR_IP6 for p in kinds))
            if not any(ICMPv6ND_NA in p and p[ICMPv6ND_NA].tgt == OUR_IP6 for p in kinds):
                station.until(lambda p: ICMPv6ND_NA in p and p[ICMPv6ND_NA].tgt == OUR_IP6, SECONDS,
                              "an advertisement")

    def test_groups(self):
        """Joins are reported at the start and on a query; the group's data arrives."""
        for version, group in ((4, "239.9.9.9"), (6, "ff15::9")):
            with self.subTest(version=version):
                path = self.socket(f"v{version}")
                launch = receiving(path, f"{path}.out", pad=f"udp_src_0::multicast-group={group}")
                with Peer("master", path) as peer:
                    peer.listen()
                    with Pipeline(launch):
                        peer.connect(SECONDS)
                        station = Station(peer)
                        self.membership(station, version, group, path)
                self.judge(station.seen, path)

    def membership(self, station, version, group, path):
        if version == 4:
            wire = "01:00:5e:09:09:09"
            query = (Ether(src=station.mac, dst="01:00:5e:00:00:01") /
                     IP(src=IP4, dst="224.0.0.1", ttl=1, proto=2,
                        options=[IPOption_Router_Alert()]) / igmp_query())
            raw = socket.inet_aton(group)
        else:
            wire = "33:33:00:00:00:09"
            query = mld_query(station)
            raw = socket.inet_pton(socket.AF_INET6, group)

        def reports(packet):
            return raw in bytes(packet) and (ICMPv6MLReport2 in packet or
                                             IP in packet and packet[IP].proto == 2)
        first = station.until(reports, SECONDS, "the first report")
        self.assertEqual(first.src, OUR_MAC)
        self.served(station)
        station.keep_polling(1.5)       # a report is repeated
        before = len(station.seen)
        station.send(query)
        station.until(reports, SECONDS, "a report on a query")
        self.assertGreater(len(station.seen), before)
        net = IP(src=IP4, dst=group, ttl=1) if version == 4 else IPv6(src=IP6, dst=group, hlim=1)
        other = IP(src=IP4, dst="239.9.9.8") if version == 4 else IPv6(src=IP6, dst="ff15::8")
        link = Ether(src=station.mac, dst=wire)
        station.send(link / other / UDP(sport=1, dport=5004) / b"other",
                     link / net / UDP(sport=1, dport=5004) / b"wanted")
        self.assertEqual(lan.grown_to(f"{path}.out", 6), b"wanted")

    def test_fragments_out(self):
        """Datagrams beyond the MTU, in fragments that scapy puts together again."""
        for version, to in ((4, IP4), (6, IP6)):
            with self.subTest(version=version):
                path = self.socket(f"v{version}")
                data = lan.payload_file(f"{path}.in", 10 * 5000)
                launch = sending(path, f"{path}.in", to, size=5000, host="fragment=true")
                with self.station(launch, path, may_leave=True) as (station, _):
                    whole = []

                    def complete():
                        station.poll(0.1)
                        whole[:] = reassembled(station.seen, version)
                        return len(whole) == 10
                    wait_for(complete, SECONDS, "ten datagrams")
                    self.assertEqual(b"".join(whole), data)
                    self.assertLessEqual(max(len(p) for p in station.seen), 1514)

    def test_fragments_in(self):
        for version in (4, 6):
            with self.subTest(version=version):
                path = self.socket(f"v{version}")
                with self.station(receiving(path, f"{path}.out"), path) as (station, _):
                    self.served(station)
                    data = [bytes([n]) * 6000 for n in range(20)]
                    for number, payload in enumerate(data):
                        parts = cut(self.udp(version, payload, station=station), version, number)
                        if number % 2:
                            parts.reverse()
                        station.send(*parts)
                    self.assertEqual(lan.grown_to(f"{path}.out", 20 * 6000), b"".join(data))

    def test_too_long(self):
        """Without fragment=true the error names mtu."""
        path = self.socket()
        lan.payload_file(f"{path}.in", 5000)
        with Peer("master", path) as peer:
            peer.listen()
            pipe = Pipeline(sending(path, f"{path}.in", IP4, size=5000))
            with contextlib.closing(pipe.log):
                try:
                    with contextlib.suppress(TimeoutError):     # the error may come before the link
                        peer.connect(2)
                    self.assertNotEqual(pipe.wait(SECONDS), 0)
                    self.assertRegex(pipe.output(), "too long.* mtu=1500")
                    pipe.assert_silent()
                finally:
                    pipe.kill()

    def test_vlan(self):
        path = self.socket()
        data = lan.payload_file(f"{path}.in", 10 * PAYLOAD)
        launch = sending(path, f"{path}.in", IP4, host="vlan=5 pcp=3")
        with Peer("master", path) as peer:
            peer.listen()
            with Pipeline(launch):
                peer.connect(SECONDS)
                station = TaggedStation(peer, may_leave=True)
                got = self.datagrams(station, 4, 10)
                self.assertEqual(b"".join(got), data)
                self.assertTrue(all(Dot1Q in p and (p[Dot1Q].vlan, p[Dot1Q].prio) == (5, 3)
                                    for p in map(Ether, station.seen)))
                self.judge(station.seen, path)

    def test_gateway(self):
        """What is not on the link goes to the gateway; it may go, and return as another station."""
        path = self.socket()
        lan.payload_file(f"{path}.in", 3000 * PAYLOAD)
        launch = sending(path, f"{path}.in", "198.51.100.7", host=f"gateway={IP4}")
        with Peer("master", path) as peer:
            peer.listen()
            with Pipeline(launch) as pipe:
                peer.connect(SECONDS)
                station = Station(peer)
                first = station.until(lambda p: UDP in p, SECONDS, "a datagram")
                self.assertEqual((first.dst, first[IP].dst), (station.mac, "198.51.100.7"))
                self.judge(station.seen, path)
                peer.disconnect()
                pipe.assert_alive()
                peer.connect(SECONDS)
                other = Station(peer, mac="02:fe:00:00:09:77")
                again = other.until(lambda p: UDP in p and p.dst == other.mac, SECONDS,
                                    "a datagram for the new gateway")
                self.assertEqual(again[IP].dst, "198.51.100.7")
                pipe.assert_alive()

    def test_two_hosts_with_one_address(self):
        """The one that comes second warns, and says who has the address."""
        path = self.socket()
        with Peer("master", path) as peer:
            peer.listen()
            with Pipeline(receiving(path, f"{path}.out")) as pipe:
                peer.connect(SECONDS)
                station = Station(peer, addresses=(OUR_IP4, OUR_IP6))

                def warned():
                    station.poll(0.1)
                    return re.search(r"WARNING.*", pipe.output()) and \
                        OUR_IP4 in pipe.output() and station.mac in pipe.output()
                wait_for(warned, SECONDS, "a warning with the address and the other MAC")
                pipe.assert_alive()


class IpHostFloodTest(HostTest):
    """Media go on while strangers flood the link, and memory stays bounded."""

    MEDIA, BURST, ROUNDS = 20, 200, 60

    def floods(self, station):
        """Packets of each kind of flood, by name; each is another one every time."""
        def arp(n):
            mac = struct.pack("!HI", 0x0200, n)
            ip = struct.pack("!I", 0x0A090000 + 10 + n % 60000)
            return (b"\xff" * 6 + mac + b"\x08\x06" + struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) +
                    mac + ip + bytes(6) + socket.inet_aton(OUR_IP4))

        ns = bytearray(bytes(Ether(src=station.mac, dst=OUR_MAC) /
                             IPv6(src="fd09::1:1", dst=OUR_IP6, hlim=255) /
                             ICMPv6ND_NS(tgt=OUR_IP6) /
                             lan.ICMPv6NDOptSrcLLAddr(lladdr=station.mac)))

        def solicitation(n):
            """Source address and checksum follow the number."""
            packet = bytearray(ns)
            packet[34:38] = struct.pack("!HH", n & 0xFFFF, 1)     # words of the source address
            old, low = struct.unpack_from("!HH", ns, 34)
            total = ~struct.unpack_from("!H", ns, 56)[0] & 0xFFFF
            total += (~old & 0xFFFF) + (n & 0xFFFF) + (~low & 0xFFFF) + 1
            while total >> 16:
                total = (total & 0xFFFF) + (total >> 16)
            packet[56:58] = struct.pack("!H", ~total & 0xFFFF)
            return bytes(packet)

        def fragment_of_nothing(n):
            header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 1020, n & 0xFFFF, 0x2000, 64, 17, 0,
                                 struct.pack("!I", 0xC6336400 + n % 250), socket.inet_aton(OUR_IP4))
            header = header[:10] + struct.pack("!H", packets.checksum(header)) + header[12:]
            return (bytes.fromhex(OUR_MAC.replace(":", "")) + bytes.fromhex(
                station.mac.replace(":", "")) + b"\x08\x00" + header + bytes(1000))

        stranger = bytearray(bytes(self.udp(4, b"x" * 100, port=9, station=station)))
        stranger[40:42] = b"\0\0"       # no UDP checksum

        def unknown_port(n):
            stranger[36:38] = struct.pack("!H", 6000 + n % 50000)
            return bytes(stranger)
        return {"arp": arp, "neighbour solicitations": solicitation, "fragments": fragment_of_nothing,
                "unknown ports": unknown_port}

    def test_floods(self):
        path = self.socket()
        with Peer("master", path) as peer:
            peer.listen()
            with Pipeline(receiving(path, f"{path}.out")) as pipe:
                peer.connect(SECONDS)
                station = Station(peer)
                IpHostWireTest.served(self, station)
                station.answers = False
                number, expected, rss = 0, 0, None
                for name, make in self.floods(station).items():
                    with self.subTest(flood=name):
                        answers, began = 0, time.monotonic()
                        for _ in range(self.ROUNDS):
                            media = [bytes(self.udp(4, struct.pack("!I", expected + k) * 50,
                                                    station=station))
                                     for k in range(self.MEDIA)]
                            burst = [make(number + k) for k in range(self.BURST)]
                            number += self.BURST
                            expected += self.MEDIA
                            wanted = burst[:self.BURST // 2] + media + burst[self.BURST // 2:]
                            sent = 0
                            deadline = time.monotonic() + SECONDS
                            while sent < len(wanted):
                                sent += peer.send(wanted[sent:], timeout=0.05)
                                answers += len(peer.link.recv_now())
                                self.assertLess(time.monotonic(), deadline, "the link stands still")
                        took = time.monotonic() - began
                        data = lan.grown_to(f"{path}.out", expected * 200)
                        found = [struct.unpack_from("!I", data, at)[0]
                                 for at in range(0, len(data), 200)]
                        self.assertEqual(found, list(range(expected)))
                        if name == "unknown ports":
                            # A hundred in a second, however many that takes.
                            self.assertLess(answers, 1000 + 100 * took, "ICMP errors are not limited")
                        if rss is None:
                            rss = pipe.rss()
                        self.assertLess(pipe.rss() - rss, 40_000, "kilobytes")


class TaggedStation(Station):
    """A station in a VLAN."""

    def reply(self, packet):
        reply = super().reply(packet)
        if reply is None or Dot1Q not in packet:
            return None
        tag = packet[Dot1Q]
        inner = reply.payload
        reply.remove_payload()
        return reply / Dot1Q(vlan=tag.vlan) / inner


def igmp_query():
    """A general query of version 3, with a maximum response time of 0.2 s."""
    body = struct.pack("!BBH4sBBH", 0x11, 2, 0, bytes(4), 2, 125, 0)
    return body[:2] + struct.pack("!H", packets.checksum(body)) + body[4:]


def mld_query(station):
    return (Ether(src=station.mac, dst="33:33:00:00:00:01") /
            IPv6(src="fe80::fe:9:2", dst="ff02::1", hlim=1) /
            IPv6ExtHdrHopByHop(options=[RouterAlert()]) / ICMPv6MLQuery2(mrd=200))


def cut(packet, version, number):
    """The fragments of an Ethernet frame."""
    if version == 4:
        packet[IP].id = number + 1
        packet[IP].flags = 0
        return fragment(packet, fragsize=1400)
    link = packet.copy()
    inner = IPv6(src=packet[IPv6].src, dst=packet[IPv6].dst) / IPv6ExtHdrFragment(id=number + 1) / \
        packet[UDP]
    inner[UDP].chksum = IPv6(bytes(packet[IPv6]))[UDP].chksum
    link.remove_payload()
    return [link / part for part in fragment6(inner, 1400)]


def reassembled(seen, version):
    """UDP payloads of datagrams that came in fragments, in the order of their last fragment."""
    parts, whole = {}, []
    for data in seen:
        packet = Ether(data)
        if version == 4 and IP in packet and packet[IP].proto == 17:
            ip = packet[IP]
            key, at, more = ip.id, ip.frag * 8, bool(ip.flags.MF)
            body = bytes(ip.payload)[:ip.len - ip.ihl * 4]
        elif version == 6 and IPv6ExtHdrFragment in packet:
            head = packet[IPv6ExtHdrFragment]
            key, at, more = head.id, head.offset * 8, bool(head.m)
            body = bytes(head.payload)
        else:
            continue
        parts.setdefault(key, {})[at] = body
        if not more:
            pieces = parts.pop(key)
            data = b"".join(pieces[at] for at in sorted(pieces))
            whole.append(data[8:])
    return whole
