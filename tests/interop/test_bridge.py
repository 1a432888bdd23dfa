# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""ethbridge between memif interfaces, and flows spread over the queues of one."""

import collections
import contextlib
import os
import struct
import time

import packets
import pipeline
import testpmd
import traffic
from base import InteropTest, opposite
from memif_peer import Peer
from pipeline import Pipeline, properties, responder

COUNT = 20000
PMD_COUNT = int(os.environ.get("MEMIF_ECHOES", "100000"))
QUEUES = 4


def bridge(*ports, arguments=""):
    """One gst-launch line: `ports` are (path, role), each both directions of an interface."""
    line = f"ethbridge name=br {arguments} "
    for number, (path, role) in enumerate(ports):
        words = properties(socket_path=path, role=role)
        line += f"memifsrc {words} ! br.sink_{number} br.src_{number} ! memifsink {words} "
    return line


class BridgeTest(InteropTest):
    """A peer, the bridge, a responder behind it, and a peer that only listens."""

    @classmethod
    def why_not(cls):
        return "the stand-in is no bridge" if pipeline.stand_in() else super().why_not()

    @contextlib.contextmanager
    def network(self, near="master", far="slave"):
        """peer <-> bridge <-> responder of another process; a third peer on port 2."""
        here, there, third = self.socket("a"), self.socket("b"), self.socket("c")
        with contextlib.ExitStack() as stack:
            peer = stack.enter_context(Peer(opposite(near), here))
            if peer.role == "master":
                peer.listen()
            stack.enter_context(Pipeline(bridge((here, near), (there, far), (third, "master"))))
            stack.enter_context(Pipeline(responder(there, opposite(far))))
            self.wait_socket(third)
            listener = stack.enter_context(Peer("slave", third))
            listener.connect()
            peer.connect()
            yield peer, listener

    def test_ping_crosses(self):
        """Nothing is lost, and after the first reply the third port hears nothing any more."""
        for near, far in (("master", "slave"), ("slave", "master")):
            with self.subTest(near=near, far=far), self.network(near, far) as (peer, listener):
                mac, _ = traffic.resolve(peer)
                heard = listener.recv(pipeline.PATIENCE)
                self.assertTrue(heard, "ARP requests go to everybody")
                while listener.recv(0.5):
                    pass
                for version in (4, 6):
                    for size in (64, 1500):
                        flow = packets.EchoFlow(version, size, mac, COUNT)
                        traffic.echo(peer, flow, COUNT)
                        self.assertEqual(flow.seen.count(1), COUNT)
                self.assertEqual(listener.recv(0.2), [], "flooded, although stations are known")

    def test_unknown_is_flooded_and_nothing_comes_back(self):
        with self.network() as (peer, listener):
            mac, _ = traffic.resolve(peer)
            while listener.recv(0.5) or peer.recv(0.05):
                pass
            frame = bytes.fromhex("02dddddddddd") + packets.PEER_MAC + b"\x88\xb5" + bytes(46)
            peer.send([frame])
            self.assertEqual(listener.recv(pipeline.PATIENCE), [frame])
            self.assertEqual(peer.recv(0.2), [])
            self.assertTrue(mac)

    def test_station_moves(self):
        """The peer's address appears behind the third port: replies go there."""
        with self.network() as (peer, listener):
            mac, _ = traffic.resolve(peer)
            while listener.recv(0.5) or peer.recv(0.05):
                pass
            flow = packets.EchoFlow(4, 98, mac, 8)
            listener.send(flow.requests(0, 8))
            seen = []
            while len(seen) < 8:
                part = listener.recv(pipeline.PATIENCE)
                self.assertTrue(part)
                seen += part
            self.assertEqual(peer.recv(0.2), [])

    def test_mac_flood(self):
        """Addresses by the ten thousand from the third port do not disturb the first two."""
        with self.network() as (peer, listener):
            mac, _ = traffic.resolve(peer)
            number = 0
            for _ in range(40):
                flood = []
                for _ in range(500):
                    number += 1
                    flood.append(mac + b"\x02\xee" + struct.pack("!I", number) + b"\x88\xb5" +
                                 bytes(46))
                listener.send(flood, timeout=pipeline.PATIENCE)
                flow = packets.EchoFlow(4, 98, mac, 200)
                traffic.echo(peer, flow, 200)
            heard = [p for p in iter(lambda: b"".join(listener.recv(0.1)), b"")]
            self.assertNotIn(mac, b"".join(heard)[:6], "flooded to the third port")


    def test_a_port_that_stands_still(self):
        """The third port is not read: the first two communicate as if it were absent."""
        for near, far in (("master", "slave"), ("slave", "master")):
            with self.subTest(near=near, far=far), self.network(near, far) as (peer, still):
                mac, _ = traffic.resolve(peer)
                unknown = bytes.fromhex("02dddddddddd") + packets.PEER_MAC + b"\x88\xb5" + bytes(46)
                for _ in range(40):
                    self.assertEqual(peer.send([unknown] * 100, timeout=pipeline.PATIENCE), 100)
                    traffic.echo(peer, packets.EchoFlow(4, 98, mac, 500), 500)
                # What had room is there, and then the port works again.
                last = unknown[:-1] + b"\1"
                peer.send([last])
                while (heard := still.recv(pipeline.PATIENCE)) and last not in heard:
                    peer.send([last])       # in vain, if there was no room yet
                self.assertTrue(heard, "the port stands still for ever")


class BridgeTestpmdTest(InteropTest):
    """peer <-> testpmd <-> bridge <-> responder: DPDK on one side of the bridge."""

    @classmethod
    def why_not(cls):
        if pipeline.stand_in():
            return "the stand-in is no bridge"
        return testpmd.missing() or super().why_not()

    def test_ping_crosses(self):
        near, here, there = self.socket("n"), self.socket("h"), self.socket("t")
        with contextlib.ExitStack() as stack:
            peer = stack.enter_context(Peer("slave", near))
            stack.enter_context(Pipeline(bridge((here, "slave"), (there, "master"))))
            stack.enter_context(Pipeline(responder(there, "slave")))
            pmd = stack.enter_context(testpmd.Testpmd(
                testpmd.memif(0, "server", near), testpmd.memif(1, "server", here)))
            peer.connect()
            pmd.wait_started()
            mac, _ = traffic.resolve(peer)
            for size in (64, 1500):
                flow = packets.EchoFlow(4, size, mac, PMD_COUNT)
                traffic.echo(peer, flow, PMD_COUNT)
                self.assertEqual(flow.seen.count(1), PMD_COUNT)


class AllQueuesTest(InteropTest):
    """memifsink queue=-1."""

    @classmethod
    def why_not(cls):
        return "the stand-in has no queue=-1" if pipeline.stand_in() else super().why_not()

    @staticmethod
    def udp(flow, number):
        """Packet `number` of a flow that its source port names."""
        body = struct.pack("!HHHHI", 10000 + flow, 5004, 12, 0, number) + bytes(2)
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0, 64, 17, 0)
        addresses = packets.ip4("10.0.0.1") + packets.ip4("10.0.0.2")
        return bytes(6) + packets.PEER_MAC + packets.ETH_IP4 + head + addresses + body

    @staticmethod
    def one_sink(path, role, tx_queues):
        return (f"memifsrc {properties(socket_path=path, role=role, tx_queues=tx_queues)} ! "
                f"memifsink {properties(socket_path=path, role=role, queue=-1)}")

    @staticmethod
    def one_thread_each(path, role, tx_queues):
        line = (f"memifsrc {properties(socket_path=path, role=role, tx_queues=tx_queues)} ! "
                f"flowsplit name=split ")
        for queue in range(tx_queues):
            sink = properties(socket_path=path, role=role, queue=queue)
            line += f"split. ! queue ! memifsink {sink} "
        return line

    def spread(self, role, peer_queues, tx_queues, make_line=one_sink):
        """Sends 64 flows in turn; returns how many packets each queue of the peer got."""
        path = self.socket(role)
        line = make_line(path, role, tx_queues)
        flows, each = 64, 200
        with Peer(opposite(role), path, rx_queues=peer_queues) as peer:
            if peer.role == "master":
                peer.listen()
            with Pipeline(line) as pipe:
                peer.connect()
                wanted = [self.udp(flow, n) for n in range(each) for flow in range(flows)]
                queue_of, next_of = {}, collections.Counter()
                counts = [0] * len(peer.link.rx)
                sent = got = 0
                deadline = time.monotonic() + 60
                while got < len(wanted):
                    self.assertLess(time.monotonic(), deadline, f"{got} of {len(wanted)}")
                    room = min(128 - (sent - got), len(wanted) - sent)
                    if room > 0:
                        sent += peer.send(wanted[sent:sent + room])
                    for queue in range(len(counts)):
                        for packet in peer.link.recv_now(queue):
                            flow = struct.unpack_from("!H", packet, 34)[0]
                            number = struct.unpack_from("!I", packet, 42)[0]
                            self.assertEqual(queue_of.setdefault(flow, queue), queue)
                            self.assertEqual(number, next_of[flow], f"order of flow {flow}")
                            next_of[flow] += 1
                            counts[queue] += 1
                            got += 1
                pipe.assert_alive()
        self.assertEqual(set(next_of.values()), {each})
        return counts

    def test_spread_over_all(self):
        for role in ("slave", "master"):
            with self.subTest(role=role):
                counts = self.spread(role, QUEUES, QUEUES)
                self.assertEqual(len(counts), QUEUES)
                for count in counts:
                    self.assertGreater(count, sum(counts) // QUEUES // 3, f"uneven: {counts}")

    def test_spread_over_threads(self):
        """flowsplit: each queue is filled by a thread of its own."""
        for role in ("slave", "master"):
            with self.subTest(role=role):
                counts = self.spread(role, QUEUES, QUEUES, self.one_thread_each)
                for count in counts:
                    self.assertGreater(count, sum(counts) // QUEUES // 3, f"uneven: {counts}")

    def test_peer_with_fewer_queues(self):
        """What the peer did not agree to gets nothing; no flow is lost."""
        counts = self.spread("slave", 2, QUEUES)
        self.assertEqual(sum(counts), 64 * 200)

    def test_one_queue(self):
        self.assertEqual(self.spread("master", 1, 1), [64 * 200])

    def test_wrong_queue(self):
        for queue in (-2, 4):
            path = self.socket(str(abs(queue)))
            pipe = Pipeline(f"memifsrc socket-path={path} tx-queues=4 ! "
                            f"memifsink socket-path={path} queue={queue}")
            self.assertNotEqual(pipe.wait(10), 0)
            self.assertIn(f"queue={queue} does not exist", pipe.output())
