# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""Many interfaces in one ping: 64 on one socket, and bridges between some."""

import os
import signal
import subprocess

import packets
import ping_app
import pipeline
import traffic
from base import InteropTest
from memif_peer import Peer
from ping_app import Ping

COUNT = 64
OTHER_MAC = bytes.fromhex("02fe00000003")


class Doomed:
    """A process with peers of its own, that is killed in the middle of everything."""

    def __init__(self, path, numbers):
        reading, writing = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            said = b"1"
            try:
                pipeline.die_with_parent()
                peers = [Peer("slave", path, n, log2=4).connect() for n in numbers]
                for peer in peers:
                    traffic.one_echo(peer)
            except BaseException as error:
                said = repr(error).encode()
            os.write(writing, said)
            signal.pause()
        os.close(writing)
        self.said = os.read(reading, 1000)
        os.close(reading)

    def kill(self):
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.pid = 0


class PingManyTest(InteropTest):
    """One process, one socket, 64 interfaces."""

    @classmethod
    def why_not(cls):
        return ping_app.missing()

    def test_64_interfaces(self):
        """All answer; the death of half of the peers is no matter to the others."""
        path = self.socket()
        words = " ".join(f"--vdev=if{n},i={n},r=master,s={path},rs=16" for n in range(COUNT))
        with Ping(words) as app:
            self.wait_socket(path)
            doomed = Doomed(path, range(1, COUNT, 2))
            peers = [Peer("slave", path, n, log2=4) for n in range(0, COUNT, 2)]
            try:
                self.assertEqual(doomed.said, b"1", "the peers to be killed")
                macs = [traffic.one_echo(peer.connect()) for peer in peers]
                app.wait_line(r"^if\d+: link up", count=COUNT)
                self.assertEqual(len(app.lines(r"^if\d+: link up")), COUNT)
                threads = app.threads()
                self.assertEqual(sum(len(found) for name, found in threads.items()
                                     if name.startswith("rx0-if")), COUNT)
                self.load(peers, macs, 0)
                doomed.kill()
                self.load(peers, macs, 100)
                down = app.wait_line(r"^if\d+: link down", count=COUNT // 2)
                self.assertEqual(sorted(int(line[2:line.index(":")]) for line in down),
                                 list(range(1, COUNT, 2)))
                self.load(peers, macs, 200)
                # A place that a dead peer left is free again.
                traffic.good_peer("slave", path, id=1)
                self.assertEqual(len(app.lines(r"^if\d*[02468]: link down")), 0)
            finally:
                doomed.kill()
                for peer in peers:
                    peer.close()

    @staticmethod
    def load(peers, macs, start):
        """Some echoes through every peer, each one answered."""
        for peer, mac in zip(peers, macs):
            traffic.echo(peer, packets.EchoFlow(4, 98, mac, 64, seed=start), 64, window=8)

    def test_idle(self):
        """64 interfaces that have nothing to do use below 1 % of one CPU."""
        path = self.socket()
        words = " ".join(f"--vdev=if{n},i={n},r=master,s={path},rs=16" for n in range(COUNT))
        with Ping(words) as app:
            self.wait_socket(path)
            peers = [Peer("slave", path, n, log2=4).connect() for n in range(COUNT)]
            try:
                app.wait_line(r"^if\d+: link up", count=COUNT)
                self.assertIsNone(pipeline.idle(lambda: ping_app.load(app)))
            finally:
                for peer in peers:
                    peer.close()


class PingBridgeTest(InteropTest):
    """Interfaces of one domain."""

    @classmethod
    def why_not(cls):
        reason = ping_app.missing()
        if reason:
            return reason
        done = subprocess.run(["gst-inspect-1.0", "ethbridge"], env=pipeline.environment(),
                              capture_output=True, timeout=60)
        return "there is no element ethbridge" if done.returncode else None

    def test_bridge(self):
        """Packets go to where their destination was seen, to all others before; never back."""
        path = self.socket()
        words = " ".join(f"--vdev=b{n},i={n},r=master,s={path},domain={7 if n < 3 else 8}"
                         f"{',qn=2' if n == 0 else ''}" for n in range(4))
        app = Ping(words + f" --vdev=answers,i=4,r=master,s={path}")
        peers = [Peer("slave", path, n, tx_queues=2 if n == 0 else 1,
                      rx_queues=2 if n == 0 else 1) for n in range(5)]
        try:
            self.wait_socket(path)
            for peer in peers:
                peer.connect()
            app.wait_line(r": link up", count=5)
            traffic.one_echo(peers[4])
            self.bridged(peers)
            app.stop()
            self.assert_counters(ping_app.summary(app.output()), app.output())
        finally:
            for peer in peers:
                peer.close()
            app.kill()

    def bridged(self, peers):
        question = packets.arp_request()
        for queue in (0, 1):
            peers[0].send([question], queue)
            for other in (1, 2):
                self.assertEqual(peers[other].recv(pipeline.PATIENCE), [question])
        answer = packets.PEER_MAC + OTHER_MAC + question[12:]
        peers[1].send([answer])
        self.assertEqual(peers[0].recv(pipeline.PATIENCE), [answer])
        direct = OTHER_MAC + packets.PEER_MAC + question[12:]
        peers[0].send([direct], 1)
        self.assertEqual(peers[1].recv(pipeline.PATIENCE), [direct])
        for number in (0, 2, 3, 4):
            self.assertEqual(peers[number].recv(0.1), [], f"peer {number} gets nothing else")

    def assert_counters(self, rows, output):
        self.assertEqual((rows["b0", 0]["rx"], rows["b0", 1]["rx"]), (1, 2))
        self.assertEqual((rows["b0", 0]["tx"], rows["b1", 0]["rx"]), (1, 1))
        self.assertEqual((rows["b1", 0]["tx"], rows["b2", 0]["tx"]), (3, 2))
        self.assertEqual(rows["b3", 0]["tx"], 0)
        self.assertIn("domain 7", output)
