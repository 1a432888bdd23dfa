# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""packetgen and packetcheck through memif, as gst-launch lines that end by themselves."""

import os
import re

import pipeline
import verify
from base import InteropTest, opposite
from memif_peer import Peer
from pipeline import Pipeline, properties

from scapy.layers.inet import ICMP, IP, UDP                 # noqa: E402
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6      # noqa: E402
from scapy.layers.l2 import Ether                           # noqa: E402

COUNT = 100000
ROLES = ("slave", "master")
FIGURES = re.compile(r"(\d+) of (\d+) packets arrived intact: (\d+) lost, (\d+) duplicate, "
                     r"(\d+) reordered, (\d+) damaged")


class GeneratorTest(InteropTest):

    @classmethod
    def why_not(cls):
        return "the stand-in does not generate" if pipeline.stand_in() else super().why_not()

    def ends(self, description, timeout=90):
        """Exit code and output of a line that ends by itself."""
        line = Pipeline(description, ("-m",))
        try:
            code = line.wait(timeout)
            line.assert_silent()
            return code, line.output()
        finally:
            line.kill()
            line.log.close()

    def loop(self, role, generate="", check="", sink=None, source=None):
        """Generator and checker in one process, the interface between them."""
        path = self.socket(role)
        sink = {"when_down": "block", **(sink or {})}
        return (f"packetgen {generate} ! "
                f"memifsink {properties(socket_path=path, role=role, **sink)} "
                f"memifsrc {properties(socket_path=path, role=opposite(role), **(source or {}))} ! "
                f"packetcheck timeout=60000 {check}")

    def test_loop(self):
        """All packets of every size arrive whole, and the line ends with 0."""
        for role in ROLES:
            for size in ("64", "imix", "9000", "64-9000"):
                with self.subTest(role=role, size=size):
                    code, output = self.ends(self.loop(
                        role, f"count={COUNT} size={size} flows=4", f"count={COUNT}"))
                    self.assertEqual(code, 0, output[-3000:])
                    self.assertIn(f"packet-check, packets=(guint64){COUNT}", output)

    def test_loop_of_ip_packets(self):
        for role in ROLES:
            with self.subTest(role=role):
                code, output = self.ends(self.loop(
                    role, f"count={COUNT} ip-version=6 size=imix", f"count={COUNT}",
                    dict(mode="ip"), dict(mode="ip")))
                self.assertEqual(code, 0, output[-3000:])

    def test_echo_through_the_responder(self):
        """Requests go out on one interface, the responder's replies come back on it."""
        for role in ROLES:
            for arguments in ("size=64", "size=imix", "size=9000",
                              "size=imix ip-version=6 destination-mac=02:00:c0:a8:01:01"):
                with self.subTest(role=role, arguments=arguments):
                    path = self.socket(role)
                    here = properties(socket_path=path, role=role)
                    # A process of its own: a pipeline ends when all of its sinks have.
                    there = pipeline.responder(path, opposite(role), sink=dict(when_down="block"),
                                               addresses="192.168.1.1,2001:db8::1")
                    with Pipeline(there):
                        code, output = self.ends(
                            f"packetgen protocol=icmp-echo count={COUNT} {arguments} ! "
                            f"memifsink {here} when-down=block "
                            f"memifsrc {here} ! packetcheck timeout=60000 count={COUNT}")
                    self.assertEqual(code, 0, output[-3000:])

    def test_loss_is_told(self):
        """A ring of two slots that drops: the line fails and says how much is gone."""
        for role in ROLES:
            with self.subTest(role=role):
                code, output = self.ends(self.loop(
                    role, f"count={COUNT}", f"count={COUNT} timeout=1500",
                    dict(when_full="drop", ring_size=2)))
                self.assertNotEqual(code, 0)
                whole, of, lost, duplicate, reordered, damaged = map(
                    int, FIGURES.search(output).groups())
                self.assertEqual(of, COUNT)
                self.assertGreater(lost, 0)
                self.assertEqual(whole + lost, COUNT)
                self.assertEqual((duplicate, reordered, damaged), (0, 0, 0))
                self.assertIn(f"lost=(guint64){lost}", output)

    def test_nobody_sends(self):
        code, output = self.ends(
            f"memifsrc {properties(socket_path=self.socket(), role='master')} ! "
            "packetcheck count=10 timeout=300")
        self.assertNotEqual(code, 0)
        self.assertIn("0 of 10 packets arrived intact: 10 lost", output)

    def received(self, count, arguments, mode="ethernet"):
        """What the Python peer gets of a generator."""
        path = self.socket()
        with Peer("master", path, mode=mode) as peer:
            peer.listen()
            with Pipeline(f"packetgen count={count} {arguments} ! memifsink "
                          f"{properties(socket_path=path, role='slave', mode=mode)} "
                          "when-down=block memifsrc name=stay " +
                          properties(socket_path=path, role="slave", mode=mode) +
                          " ! fakesink"):
                peer.connect()
                found = []
                while len(found) < count:
                    more = peer.recv(pipeline.PATIENCE)
                    self.assertTrue(more, f"only {len(found)} of {count} packets came")
                    found += more
        return found

    def test_scapy_and_tshark_accept(self):
        for arguments in ("size=imix flows=3", "size=64 protocol=icmp-echo", "size=imix vlan=7",
                          "size=imix ip-version=6", "size=84-1500 ip-version=6 protocol=icmp-echo"):
            for mode in ("ethernet", "ip"):
                with self.subTest(arguments=arguments, mode=mode):
                    packets = self.received(200, arguments, mode)
                    self.scapy_agrees(packets, mode == "ethernet")
                    path = f"{self.directory}/{mode}.pcap"
                    verify.write_pcap(path, packets, mode == "ethernet")
                    bad = verify.tshark(path, verify.BAD + ' || udp.checksum.status == "Bad"')
                    self.assertEqual(bad, [])
                    wanted = "icmp || icmpv6" if "echo" in arguments else "udp"
                    self.assertEqual(len(verify.tshark(path, wanted)), 200)
                    os.unlink(path)

    def scapy_agrees(self, packets, ethernet):
        """Built anew with lengths and sums of its own, each packet is the same."""
        for data in packets:
            first = Ether if ethernet else (IP if data[0] >> 4 == 4 else IPv6)
            packet = first(data)
            self.assertTrue(any(layer in packet for layer in (UDP, ICMP, ICMPv6EchoRequest)))
            for layer, field in ((IP, "chksum"), (IP, "len"), (UDP, "chksum"), (UDP, "len"),
                                 (ICMP, "chksum"), (IPv6, "plen"), (ICMPv6EchoRequest, "cksum")):
                if layer in packet:
                    delattr(packet[layer], field)
            self.assertEqual(bytes(packet).hex(), data.hex())
